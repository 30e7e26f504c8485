/* SPDX-License-Identifier: Apache-2.0
 *
 * memfd_seals: F_ADD_SEALS and F_GET_SEALS: who may, which, and what each forbids.
 */
#include "abi.h"
#include <linux/falloc.h>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x10
#endif
#define ALL (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)
#define RW  (PROT_READ | PROT_WRITE)

static char buf[4 * PAGE];

/* A file of two pages with the seals. */
static int sealed(int seals)
{
        int fd = memfd_create("sealed", MFD_ALLOW_SEALING);

        must(fd >= 0 && ftruncate(fd, 2 * PAGE) == 0, "memfd");
        must(fcntl(fd, F_ADD_SEALS, seals) == 0, "seals");
        return fd;
}

static int read_only(int fd)
{
        char path[64];

        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        return open(path, O_RDONLY);
}

static long map(int prot, int flags, int fd) { return (long)mmap(NULL, 2 * PAGE, prot, flags, fd, 0); }

static void who_may(void)
{
        int plain = memfd_create("plain", 0), fd = memfd_create("file", MFD_ALLOW_SEALING), p[2];

        CHECK("sealed from sealing", fcntl(plain, F_GET_SEALS) == F_SEAL_SEAL);
        FAILS("so no more", EPERM, fcntl(plain, F_ADD_SEALS, F_SEAL_WRITE));
        FAILS("not even none", EPERM, fcntl(plain, F_ADD_SEALS, 0));
        CHECK("no seals", fcntl(fd, F_GET_SEALS) == 0);
        FAILS("unknown seal", EINVAL, fcntl(fd, F_ADD_SEALS, 0x20));
        FAILS("unknown and known", EINVAL, fcntl(fd, F_ADD_SEALS, 0x100 | F_SEAL_GROW));
        CHECK("none was added", fcntl(fd, F_GET_SEALS) == 0);
        OKAY("none at all", fcntl(fd, F_ADD_SEALS, 0));
        OKAY("one", fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
        OKAY("once more", fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
        OKAY("another", fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
        CHECK("they add up", fcntl(fd, F_GET_SEALS) == (F_SEAL_GROW | F_SEAL_SHRINK));
        int ro = read_only(fd);
        CHECK("they are the file's", fcntl(ro, F_GET_SEALS) == (F_SEAL_GROW | F_SEAL_SHRINK));
        FAILS("by a reader", EPERM, fcntl(ro, F_ADD_SEALS, F_SEAL_WRITE));
        FAILS("unknown, by a reader", EPERM, fcntl(ro, F_ADD_SEALS, 0x100));
        OKAY("the last", fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
        FAILS("no more now", EPERM, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
        FAILS("nor what there is", EPERM, fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
        FAILS("nor unknown ones", EINVAL, fcntl(fd, F_ADD_SEALS, 0x100));
        put_text("/tmp/seal-file", "x");
        int tmp = open("/tmp/seal-file", O_RDWR), null = open("/dev/null", O_RDWR);
        unlink("/tmp/seal-file");
        pipe(p);
        FAILS("a pipe has none", EINVAL, fcntl(p[0], F_GET_SEALS));
        FAILS("nor gets them", EINVAL, fcntl(p[1], F_ADD_SEALS, F_SEAL_GROW));
        FAILS("nor a device", EINVAL, fcntl(null, F_GET_SEALS));
        FAILS("bad descriptor", EBADF, fcntl(99, F_GET_SEALS));
        int o_path = open("/", O_PATH);
        FAILS("O_PATH", EBADF, fcntl(o_path, F_GET_SEALS));
        close(tmp);
        /* shared anonymous memory */
        char *q = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        char  path[64];
        snprintf(path, sizeof path, "/proc/self/map_files/%lx-%lx", (long)q, (long)q + PAGE);
        int anon = open(path, O_RDWR);
        CHECK("shared anonymous memory is sealed", anon < 0 || fcntl(anon, F_GET_SEALS) == F_SEAL_SEAL);
}

static void size_seals(void)
{
        int fd = sealed(F_SEAL_SHRINK);
        FAILS("shrink: ftruncate", EPERM, ftruncate(fd, PAGE));
        FAILS("shrink: by one byte", EPERM, ftruncate(fd, 2 * PAGE - 1));
        OKAY("shrink: the same size", ftruncate(fd, 2 * PAGE));
        OKAY("shrink: growing is fine", ftruncate(fd, 3 * PAGE));
        OKAY("shrink: punching is fine", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE));
        char path[64];
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        FAILS("shrink: truncate", EPERM, truncate(path, 0));
        FAILS("shrink: O_TRUNC", EPERM, open(path, O_RDWR | O_TRUNC));
        CHECK("shrink: write", pwrite(fd, buf, 10, 4 * PAGE) == 10);

        fd = sealed(F_SEAL_GROW);
        FAILS("grow: ftruncate", EPERM, ftruncate(fd, 3 * PAGE));
        FAILS("grow: by one byte", EPERM, ftruncate(fd, 2 * PAGE + 1));
        FAILS("grow: write behind", EPERM, pwrite(fd, buf, 10, 2 * PAGE));
        CHECK("grow: write across the end from within a page", pwrite(fd, buf, PAGE, PAGE + 1) == PAGE - 1);
        CHECK("grow: write across the end", pwrite(fd, buf, 4 * PAGE, 0) == 2 * PAGE);
        CHECK("grow: write inside", pwrite(fd, buf, 2 * PAGE, 0) == 2 * PAGE);
        CHECK("grow: write nothing behind", pwrite(fd, buf, 0, 5 * PAGE) == 0);
        FAILS("grow: fallocate", EPERM, fallocate(fd, 0, 0, 3 * PAGE));
        FAILS("grow: fallocate that keeps the size", EPERM, fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 3 * PAGE));
        OKAY("grow: fallocate inside", fallocate(fd, 0, 0, 2 * PAGE));
        OKAY("grow: punch behind", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE, 3 * PAGE));
        FAILS("grow: append", EPERM, (fcntl(fd, F_SETFL, O_APPEND), write(fd, buf, 1)));
        OKAY("grow: shrinking is fine", ftruncate(fd, 100));
        FAILS("grow: back again", EPERM, ftruncate(fd, 2 * PAGE));
        CHECK("grow: end inside a page", pwrite(fd, buf, 200, 0) == -1 && errno == EPERM);
        OKAY("both", fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
        FAILS("both: less", EPERM, ftruncate(fd, 0));
        FAILS("both: more", EPERM, ftruncate(fd, PAGE));
}

static void write_seal(int seal, const char *name)
{
        char  text[80];
        int   fd = sealed(seal), ro;
#define FACT(what) (snprintf(text, sizeof text, "%s: %s", name, what), text)
        FAILS(FACT("write"), EPERM, pwrite(fd, buf, 1, 0));
        FAILS(FACT("write behind"), EPERM, pwrite(fd, buf, 1, 3 * PAGE));
        CHECK(FACT("write nothing"), pwrite(fd, buf, 0, 0) == 0);
        FAILS(FACT("punch"), EPERM, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE));
        OKAY(FACT("fallocate"), fallocate(fd, 0, 0, 3 * PAGE));
        OKAY(FACT("truncate"), ftruncate(fd, 2 * PAGE));
        FAILS(FACT("map to write"), EPERM, map(RW, MAP_SHARED, fd));
        FAILS(FACT("map to write only"), EPERM, map(PROT_WRITE, MAP_SHARED, fd));
        OKAY(FACT("map privately"), map(RW, MAP_PRIVATE, fd));
        long r = map(PROT_READ, MAP_SHARED, fd);
        say("%s %s: map to read\n", r == -1 ? (errno == EPERM ? "EPERM" : "other") : "mapped", name);
        if (r != -1) {
                FAILS(FACT("and to write later"), EACCES, mprotect((void *)r, PAGE, RW));
                FAILS(FACT("and to punch"), EACCES, madvise((void *)r, PAGE, MADV_REMOVE));
                munmap((void *)r, 2 * PAGE);
        }
        ro = read_only(fd);
        OKAY(FACT("map a reader's"), r = map(PROT_READ, MAP_SHARED, ro));
        FAILS(FACT("that cannot become writable"), EACCES, mprotect((void *)r, PAGE, RW));
        munmap((void *)r, 2 * PAGE);
        FAILS(FACT("a writing opener's map"), EPERM, map(RW, MAP_SHARED, fd));
}

static void busy(void)
{
        int   fd = memfd_create("busy", MFD_ALLOW_SEALING);
        long  p, q;

        ftruncate(fd, 2 * PAGE);
        p = map(RW, MAP_SHARED, fd);
        FAILS("while mapped to write", EBUSY, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
        FAILS("with another", EBUSY, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW));
        CHECK("none was added", fcntl(fd, F_GET_SEALS) == 0);
        mprotect((void *)p, 2 * PAGE, PROT_READ);
        FAILS("while it may become writable", EBUSY, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
        munmap((void *)p, PAGE);
        FAILS("half of it", EBUSY, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
        pid_t pid = fork();
        if (pid == 0) {
                pause();
                _exit(0);
        }
        munmap((void *)(p + PAGE), PAGE);
        FAILS("a child has it", EBUSY, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
        kill(pid, SIGKILL);
        result_of(pid);
        q = map(RW, MAP_PRIVATE, fd);
        *(char *)q = 1;
        OKAY("private ones do not matter", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
        CHECK("and stay", (*(char *)q = 2) == 2);

        fd = memfd_create("future", MFD_ALLOW_SEALING);
        ftruncate(fd, 2 * PAGE);
        p = map(RW, MAP_SHARED, fd);
        q = map(PROT_READ, MAP_SHARED, fd);
        OKAY("future: while mapped", fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
        CHECK("future: the old one still writes", (*(char *)p = 5) == 5 && *(char *)q == 5);
        OKAY("future: an old one becomes writable", mprotect((void *)q, PAGE, RW));
        FAILS("future: not by write", EPERM, pwrite(fd, buf, 1, 0));
        FAILS("future: MADV_REMOVE", EPERM, madvise((void *)p, PAGE, MADV_REMOVE));
        FAILS("future: still busy for good", EBUSY, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
        long moved = (long)mremap((void *)p, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE);
        CHECK("future: moved, it writes", moved != -1 && (*(char *)(moved + PAGE) = 1));
        munmap((void *)moved, 3 * PAGE);
        munmap((void *)q, 2 * PAGE);
        OKAY("future: then for good", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
}

int main(void)
{
        who_may();
        size_seals();
        write_seal(F_SEAL_WRITE, "write");
        write_seal(F_SEAL_FUTURE_WRITE, "future");
        busy();
        return done();
}
