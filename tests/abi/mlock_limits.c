/* SPDX-License-Identifier: Apache-2.0
 *
 * mlock_limits: the mlock family: ranges, limits, what is counted; mincore and msync.
 */
#include "show.h"

#define RW (PROT_READ | PROT_WRITE)
#define AN (MAP_PRIVATE | MAP_ANONYMOUS)

static int resident(char *p, int pages)
{
        unsigned char v[64];
        int           n = 0;

        if (mincore(p, pages * PAGE, v) < 0)
                return -1;
        for (int i = 0; i < pages; i++)
                n += v[i] & 1;
        return n;
}

#define LOCKED(what) SHOW(what, status_kb("VmLck:"))

static void ranges(void)
{
        char *p = mmap(NULL, 16 * PAGE, RW, AN, -1, 0);

        SHOW("mlock", mlock(p, 4 * PAGE));
        SHOW("there", resident(p, 16));
        LOCKED("locked");
        SHOW("again, more", mlock(p + 2 * PAGE, 4 * PAGE));
        LOCKED("counted once");
        SHOW("crooked", mlock(p + 7 * PAGE + 100, 100));
        LOCKED("its page");
        SHOW("crooked over an edge", mlock(p + 9 * PAGE - 1, 2));
        LOCKED("both pages");
        SHOW("nothing", mlock(p, 0));
        SHOW("nothing, in a hole", mlock((void *)(1UL << 40), 0));
        SHOW("munlock a part", munlock(p + PAGE, PAGE));
        LOCKED("less");
        SHOW("munlock all", munlock(p, 16 * PAGE));
        LOCKED("none");
        munmap(p + 5 * PAGE, PAGE);
        SHOW("over a hole", mlock(p, 16 * PAGE));
        LOCKED("up to it");
        SHOW("munlock over a hole", munlock(p, 16 * PAGE));
        LOCKED("up to it");
        SHOW("in a hole", mlock((void *)(1UL << 40), PAGE));
        SHOW("wraps", mlock(p, -PAGE));
        SHOW("munlock wraps", munlock(p, -PAGE));
        munlock(p, 5 * PAGE);
        SHOW("on fault", syscall(SYS_mlock2, p + 10 * PAGE, 4 * PAGE, 1));
        SHOW("not there", resident(p + 10 * PAGE, 4));
        LOCKED("but counted");
        SHOW("then for good", mlock(p + 10 * PAGE, 4 * PAGE));
        SHOW("there", resident(p + 10 * PAGE, 4));
        SHOW("mlock2 without flags", syscall(SYS_mlock2, p, PAGE, 0));
        SHOW("unknown flag", syscall(SYS_mlock2, p, PAGE, 2));
        mprotect(p + 6 * PAGE, PAGE, PROT_NONE);
        SHOW("no access", mlock(p + 6 * PAGE, PAGE));
        mprotect(p + 7 * PAGE, PAGE, PROT_READ);
        SHOW("read-only", mlock(p + 7 * PAGE, PAGE));
        pid_t pid = fork();
        if (pid == 0) {
                LOCKED("not the child's");
                _exit(0);
        }
        result_of(pid);
        SHOW("munmap", munmap(p, 16 * PAGE));
        LOCKED("goes with it");
        int   fd = open("short", O_RDWR | O_CREAT, 0644);
        ftruncate(fd, PAGE);
        char *f = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
        SHOW("behind the end of a file", mlock(f, 4 * PAGE));
        LOCKED("even so");
        munmap(f, 4 * PAGE);
}

static void all(void)
{
        SHOW("no flags", mlockall(0));
        SHOW("ONFAULT alone", mlockall(4));
        SHOW("unknown", mlockall(MCL_CURRENT | 8));
        long size = status_kb("VmSize:");
        SHOW("current", mlockall(MCL_CURRENT));
        CHECK("most of it", status_kb("VmLck:") > size / 2);
        CHECK("but not the kernel's pages", status_kb("VmLck:") < status_kb("VmSize:"));
        char *p = mmap(NULL, 4 * PAGE, RW, AN, -1, 0);
        SHOW("not what comes", resident(p, 4));
        SHOW("future", mlockall(MCL_FUTURE));
        p = mmap(NULL, 4 * PAGE, RW, AN, -1, 0);
        SHOW("what comes", resident(p, 4));
        p = mmap(NULL, 4 * PAGE, PROT_NONE, AN, -1, 0);
        SHOW("without access", resident(p, 4));
        SHOW("future, on fault", mlockall(MCL_FUTURE | 4));
        p = mmap(NULL, 4 * PAGE, RW, AN, -1, 0);
        SHOW("what comes, on fault", resident(p, 4));
        SHOW("munlockall", munlockall());
        LOCKED("none");
        p = mmap(NULL, 4 * PAGE, RW, AN, -1, 0);
        SHOW("no more", resident(p, 4));
}

static void limits(void)
{
        struct rlimit r = { 8 * PAGE, 8 * PAGE };
        char         *p = mmap(NULL, 16 * PAGE, RW, AN, -1, 0);

        setrlimit(RLIMIT_MEMLOCK, &r);
        SHOW("root needs none", mlock(p, 16 * PAGE));
        munlock(p, 16 * PAGE);
        become_user(1000);
        SHOW("above the limit", mlock(p, 9 * PAGE));
        SHOW("within", mlock(p, 8 * PAGE));
        SHOW("no more", mlock(p + 8 * PAGE, PAGE));
        SHOW("the same again", mlock(p, 8 * PAGE));
        SHOW("a part new", mlock(p + 4 * PAGE, 5 * PAGE));
        SHOW("on fault as well", syscall(SYS_mlock2, p + 8 * PAGE, PAGE, 1));
        SHOW("all", mlockall(MCL_CURRENT));
        SHOW("future", mlockall(MCL_FUTURE));
        SHOW("so mmap fails", mmap(NULL, PAGE, RW, AN, -1, 0) == MAP_FAILED ? errno : 0);
        SHOW("and the break stays", sbrk(4 * PAGE) == (void *)-1);
        SHOW("munlockall", munlockall());
        r.rlim_cur = 0;
        setrlimit(RLIMIT_MEMLOCK, &r);
        SHOW("no limit at all", mlock(p, PAGE));
        SHOW("not even nothing", mlock(p, 0));
        SHOW("all", mlockall(MCL_CURRENT));
        SHOW("munlock", munlock(p, PAGE));
        SHOW("munlockall", munlockall());
}

static void of_mincore(void)
{
        unsigned char v[600], *edge = mmap(NULL, 2 * PAGE, RW, AN, -1, 0);
        char         *p = mmap(NULL, 600 * PAGE, RW, AN, -1, 0);

        munmap(edge + PAGE, PAGE);
        p[0] = p[300 * PAGE] = p[599 * PAGE] = 1;
        memset(v, 9, sizeof v);
        SHOW("mincore", mincore(p, 600 * PAGE, v));
        say("%d %d %d %d\n", v[0], v[1], v[300], v[599]);
        SHOW("crooked length", mincore(p, 100, v));
        SHOW("crooked address", mincore(p + 1, PAGE, v));
        SHOW("nothing", mincore(p, 0, v));
        SHOW("nothing, bad vector", mincore(p, 0, BAD_PTR));
        SHOW("a bad vector", mincore(p, PAGE, (void *)(1UL << 62)));
        SHOW("a vector that ends", mincore(p, 600 * PAGE, edge + PAGE - 100));
        munmap(p + 10 * PAGE, PAGE);
        memset(v, 9, sizeof v);
        SHOW("a hole", mincore(p, 20 * PAGE, v));
        say("%d\n", v[0]);
        SHOW("above the top", mincore((void *)(1UL << 60), PAGE, v));
        SHOW("enormous", mincore(p, 1UL << 60, v));
        int   fd = open("mincore", O_RDWR | O_CREAT, 0644);
        ftruncate(fd, 4 * PAGE);
        pwrite(fd, "x", 1, PAGE);
        char *f = mmap(NULL, 6 * PAGE, RW, MAP_SHARED, fd, 0);
        SHOW("a file", mincore(f, 6 * PAGE, v));
        say("%d %d %d %d %d\n", v[0], v[1], v[2], v[3], v[5]);
        mprotect(p, PAGE, PROT_NONE);
        SHOW("no access", mincore(p, PAGE, v));
        say("%d\n", v[0]);
}

static void of_msync(void)
{
        int   fd = open("msync", O_RDWR | O_CREAT, 0644);
        ftruncate(fd, 4 * PAGE);
        char *f = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0), *p = mmap(NULL, 4 * PAGE, RW, AN, -1, 0);

        SHOW("sync", msync(f, 4 * PAGE, MS_SYNC));
        SHOW("async", msync(f, 4 * PAGE, MS_ASYNC));
        SHOW("invalidate", msync(f, 4 * PAGE, MS_INVALIDATE));
        SHOW("no flags", msync(f, 4 * PAGE, 0));
        SHOW("sync and async", msync(f, 4 * PAGE, MS_SYNC | MS_ASYNC));
        SHOW("unknown", msync(f, 4 * PAGE, 8));
        SHOW("crooked", msync(f + 1, PAGE, MS_SYNC));
        SHOW("nothing", msync(f, 0, MS_SYNC));
        SHOW("nothing in a hole", msync((void *)(1UL << 40), 0, MS_SYNC));
        SHOW("a hole", msync((void *)(1UL << 40), PAGE, MS_SYNC));
        SHOW("anonymous", msync(p, 4 * PAGE, MS_SYNC));
        munmap(p + PAGE, PAGE);
        SHOW("over a hole", msync(p, 4 * PAGE, MS_SYNC));
        SHOW("wraps", msync(f, -PAGE, MS_SYNC));
        mlock(f, PAGE);
        SHOW("locked", msync(f, PAGE, MS_SYNC));
        SHOW("invalidate, locked", msync(f, PAGE, MS_INVALIDATE));
        SHOW("invalidate, locked behind a hole", (mlock(p + 2 * PAGE, PAGE), msync(p, 4 * PAGE, MS_INVALIDATE)));
}

static int in_all(void)    { all(); return failures; }
static int in_limits(void) { limits(); return failures; }

int main(void)
{
        ranges();
        CHECK("all", in_child(in_all) == 0);
        in_child(in_limits);
        of_mincore();
        of_msync();
        return done();
}
