/* SPDX-License-Identifier: Apache-2.0
 *
 * overcommit: vm.overcommit_memory 0, 1, 2, and the limits RLIMIT_AS, RLIMIT_DATA, vm.max_map_count.
 */
#include "show.h"

#define RW  (PROT_READ | PROT_WRITE)
#define AN  (MAP_PRIVATE | MAP_ANONYMOUS)
#define GIB (1UL << 30)

static int set(const char *name, const char *value)
{
        char path[64];

        snprintf(path, sizeof path, "/proc/sys/vm/%s", name);
        int fd = open(path, O_WRONLY), n = fd < 0 ? -1 : write(fd, value, strlen(value)), e = errno;
        if (fd >= 0)
                close(fd);
        errno = e;
        return n < 0 ? -1 : 0;
}

static long map(size_t n, int prot, int flags)
{
        void *p = mmap(NULL, n, prot, flags, -1, 0);

        if (p == MAP_FAILED)
                return errno;
        munmap(p, n);
        return 0;
}

static unsigned long total(void) { return kb_of("/proc/meminfo", "MemTotal:") * 1024UL; }
static long committed(void)      { return kb_of("/proc/meminfo", "Committed_AS:"); }
static long limit(void)          { return kb_of("/proc/meminfo", "CommitLimit:"); }

static void modes(void)
{
        SHOW("guess: far too much", map(4 * total(), RW, AN));
        SHOW("guess: reserved only", map(4 * total(), PROT_NONE, AN));
        SHOW("guess: to read only", map(4 * total(), PROT_READ, AN));
        SHOW("guess: not to be reserved", map(4 * total(), RW, AN | MAP_NORESERVE));
        SHOW("guess: shared", map(4 * total(), RW, MAP_SHARED | MAP_ANONYMOUS));
        SHOW("guess: much", map(total() / 2, RW, AN));
        char *p = mmap(NULL, 4 * total(), PROT_READ, AN, -1, 0);
        SHOW("guess: then to write", mprotect(p, 4 * total(), RW));
        SHOW("guess: a part to write", mprotect(p, total() / 4, RW));
        munmap(p, 4 * total());
        long before = committed();
        p = mmap(NULL, 64 << 20, RW, AN, -1, 0);
        CHECK("counted", committed() >= before + (64 << 10) - 4096);
        mmap(p, 32 << 20, RW, AN | MAP_FIXED | MAP_NORESERVE, -1, 0);
        CHECK("not where not reserved", committed() < before + (40 << 10));
        munmap(p, 64 << 20);
        CHECK("given back", committed() < before + 4096);

        p = mmap(NULL, 64 << 20, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        CHECK("shared counts", committed() >= before + (60 << 10));
        pid_t child = fork();
        if (child == 0)
                _exit(0);
        result_of(child);
        CHECK("once", committed() < before + (80 << 10));
        munmap(p, 64 << 20);
        CHECK("and is given back", committed() < before + 4096);

        SHOW("always", set("overcommit_memory", "1"));
        SHOW("always: far too much", map(16 * total(), RW, AN));
        SHOW("always: shared", map(16 * total(), RW, MAP_SHARED | MAP_ANONYMOUS));

        SHOW("ratio", set("overcommit_ratio", "80"));
        CHECK("is the limit", labs(limit() - (long)(total() / 1024 * 80 / 100)) < 64);
        SHOW("kbytes", set("overcommit_kbytes", "300000"));
        CHECK("is the limit instead", limit() == 300000);
        say("ratio now: %s", text_of("/proc/sys/vm/overcommit_ratio"));
        SHOW("ratio again", set("overcommit_ratio", "50"));
        say("kbytes now: %s", text_of("/proc/sys/vm/overcommit_kbytes"));
        SHOW("never", set("overcommit_memory", "2"));
        SHOW("never: more than the limit", map(limit() * 1024UL, RW, AN));
        SHOW("never: less", map(32 << 20, RW, AN));
        SHOW("never: NORESERVE does not help", map(limit() * 1024UL, RW, AN | MAP_NORESERVE));
        SHOW("never: reserved only", map(limit() * 1024UL, PROT_NONE, AN));
        SHOW("never: to read only", map(limit() * 1024UL, PROT_READ, AN));
        SHOW("never: shared", map(limit() * 1024UL, RW, MAP_SHARED | MAP_ANONYMOUS));
        SHOW("never: shared, not to be reserved", map(limit() * 1024UL, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE));
        p = mmap(NULL, limit() * 1024UL, PROT_READ, AN, -1, 0);
        SHOW("never: then to write", mprotect(p, limit() * 1024UL, RW));
        munmap(p, limit() * 1024UL);
        char *b = sbrk(0);
        CHECK("never: the break", (char *)syscall(SYS_brk, b + limit() * 1024UL) == b);
        p = mmap(NULL, 32 << 20, RW, AN, -1, 0);
        SHOW("never: mremap", mremap(p, 32 << 20, limit() * 1024UL, MREMAP_MAYMOVE) == MAP_FAILED ? errno : 0);
        munmap(p, 32 << 20);
        size_t most = limit() * 1024UL * 6 / 10;
        p = mmap(NULL, most, RW, AN, -1, 0);
        CHECK("never: 60 percent", p != MAP_FAILED);
        pid_t pid = fork();
        if (pid == 0)
                _exit(0);
        SHOW("never: fork needs as much again", pid < 0 ? errno : 0);
        if (pid > 0)
                result_of(pid);
        munmap(p, most);
        SHOW("guess again", set("overcommit_memory", "0"));
        SHOW("unknown mode", set("overcommit_memory", "3"));
        SHOW("negative mode", set("overcommit_memory", "-1"));
        SHOW("no number", set("overcommit_memory", "x"));
}

static void map_count(void)
{
        char *p = mmap(NULL, 400 * PAGE, PROT_NONE, AN | MAP_NORESERVE, -1, 0);
        int   n = 0;

        SHOW("max_map_count", set("max_map_count", "100"));
        while (n < 200 && mprotect(p + 2 * n * PAGE, PAGE, PROT_READ) == 0)
                n++;
        CHECK("stops splitting", n > 10 && n < 60 && errno == ENOMEM);
        SHOW("and unmapping in the middle", munmap(p + 398 * PAGE, PAGE));
        SHOW("not at the edge", munmap(p + 399 * PAGE, PAGE));
        int got = 0;
        for (n = 0; n < 120; n++) {
                if (mmap(NULL, PAGE, n & 1 ? PROT_READ : RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
                        break;
                got++;
        }
        CHECK("and mmap", got < 20 && errno == ENOMEM);
        SHOW("as ever", set("max_map_count", "65530"));
        munmap(p, 400 * PAGE);
}

static void data(void)
{
        struct rlimit r = { status_kb("VmData:") * 1024 + 64 * PAGE, RLIM_INFINITY };

        setrlimit(RLIMIT_DATA, &r);
        SHOW("data: too much", map(100 * PAGE, RW, AN));
        SHOW("data: enough", map(32 * PAGE, RW, AN));
        SHOW("data: to read", map(100 * PAGE, PROT_READ, AN));
        SHOW("data: shared", map(100 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS));
        SHOW("data: a stack", map(100 * PAGE, RW, AN | MAP_GROWSDOWN));
        char *p = mmap(NULL, 100 * PAGE, PROT_READ, AN, -1, 0);
        SHOW("data: then to write", mprotect(p, 100 * PAGE, RW));
        SHOW("data: a part", mprotect(p, 32 * PAGE, RW));
}

static long before;

/* What is promised since, in units of 32 MiB. */
static void promised(const char *name) { say("promised, %s: %ld\n", name, (committed() - before + (1 << 14)) >> 15); }

/* Shared memory is promised as long as it is there, whoever maps how much of it. */
static void shared(void)
{
        int   go[2];
        char *p;

        must(pipe(go) == 0, "pipe");
        before = committed();
        p = mmap(NULL, 128 << 20, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        promised("shared");
        pid_t child = fork();
        if (child == 0) {
                char c;
                close(go[1]);
                read(go[0], &c, 1);
                _exit(0);
        }
        munmap(p, 128 << 20);
        promised("a child has it");
        close(go[1]);
        result_of(child);
        promised("nobody");
        p = mmap(NULL, 32 << 20, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        p = mremap(p, 32 << 20, 128 << 20, MREMAP_MAYMOVE);
        promised("grown by mremap");
        munmap(p + (1 << 20), 127 << 20);
        promised("mostly unmapped");
        munmap(p, 1 << 20);
        promised("gone");
        p = mmap(NULL, 128 << 20, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        promised("not to be reserved");
        munmap(p, 128 << 20);
}

/* What MREMAP_DONTUNMAP leaves counts, too. */
static int moved(void)
{
        struct rlimit r = { status_kb("VmSize:") * 1024 + (300 << 20), RLIM_INFINITY };
        size_t        n = 200 << 20;
        int           flags = MREMAP_MAYMOVE | MREMAP_DONTUNMAP;
        char         *p = mmap(NULL, n, RW, AN | MAP_NORESERVE, -1, 0);

        setrlimit(RLIMIT_AS, &r);
        PLACED("moved, and what is left, above RLIMIT_AS", mremap(p, n, n, flags));
        PLACED("half of it", mremap(p, 1 << 20, 1 << 20, flags));
        r.rlim_cur = RLIM_INFINITY;
        setrlimit(RLIMIT_AS, &r);
        r.rlim_cur = status_kb("VmData:") * 1024 + (64 << 20);
        setrlimit(RLIMIT_DATA, &r);
        PLACED("above RLIMIT_DATA", mremap(p, n, n, flags));
        r.rlim_cur = RLIM_INFINITY;
        setrlimit(RLIMIT_DATA, &r);
        SHOW("max_map_count", set("max_map_count", "100"));
        int made = 0;
        p = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        for (; made < 300 && mremap(p, 0, PAGE, MREMAP_MAYMOVE) != MAP_FAILED; made++)
                ;
        CHECK("copies are counted", made < 100 && errno == ENOMEM);
        return failures;
}

static int in_data(void) { data(); return failures; }

int main(void)
{
        modes();
        map_count();
        in_child(in_data);
        shared();
        in_child(moved);
        SHOW("as ever", set("max_map_count", "65530"));
        return done();
}
