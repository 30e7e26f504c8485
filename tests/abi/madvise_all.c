/* SPDX-License-Identifier: Apache-2.0
 *
 * madvise_all: each advice on each kind of memory, what it does, and process_madvise.
 */
#include "show.h"
#include "fault.h"

#define RW (PROT_READ | PROT_WRITE)
#define AN (MAP_PRIVATE | MAP_ANONYMOUS)

static char *anon(int pages) { return mmap(NULL, pages * PAGE, RW, AN, -1, 0); }

static void each(const char *kind, char *p)
{
        static const int advice[] = { 0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 100, 101 };
        char text[80];

        for (unsigned i = 0; i < sizeof advice / sizeof *advice; i++) {
                snprintf(text, sizeof text, "%s: %d", kind, advice[i]);
                SHOW(text, syscall(SYS_madvise, p, PAGE, advice[i]));
        }
}

static void kinds(void)
{
        put_file("file", "contents", 8, 0644);
        int   fd = open("file", O_RDWR), ro = open("file", O_RDONLY);
        char *p = anon(1);

        each("private", p);
        mprotect(p, PAGE, PROT_READ);
        each("read-only", p);
        mprotect(p, PAGE, PROT_NONE);
        each("no access", p);
        each("shared", mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
        each("file, shared", mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0));
        each("file, private", mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0));
        each("file to read", mmap(NULL, PAGE, PROT_READ, MAP_SHARED, ro, 0));
        each("behind a file", (char *)mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0) + PAGE);
        char *l = anon(1);
        mlock(l, PAGE);
        each("locked", l);
        munlock(l, PAGE);
        char *h = anon(3);
        munmap(h + PAGE, PAGE);
        each("hole", h + PAGE);
        char text[80];
        for (int a = 0; a < 25; a++) {
                snprintf(text, sizeof text, "around a hole: %d", a);
                SHOW(text, syscall(SYS_madvise, h, 3 * PAGE, a));
        }
}

static void effects(void)
{
        char *p = anon(4);

        memset(p, 1, 4 * PAGE);
        SHOW("free", madvise(p, PAGE, MADV_FREE));
        CHECK("its content is old or zero", p[0] == 0 || p[0] == 1);
        p[0] = 9;
        CHECK("written again it stays", p[0] == 9);
        SHOW("don't need, locked", (mlock(p, PAGE), madvise(p, PAGE, MADV_DONTNEED)));
        SHOW("even so", madvise(p, PAGE, 24));
        SHOW("zero", p[0]);
        munlock(p, PAGE);
        p[PAGE] = 5;
        SHOW("don't fork", madvise(p + PAGE, PAGE, MADV_DONTFORK));
        SHOW("wipe", madvise(p + 2 * PAGE, PAGE, MADV_WIPEONFORK));
        pid_t pid = fork();
        if (pid == 0) {
                int gone = FAULTS(SIGSEGV, SEGV_MAPERR, p + PAGE, READS(p + PAGE));
                int wiped = p[2 * PAGE] == 0 && p[3 * PAGE] == 1;
                p[2 * PAGE] = 4;
                pid_t again = fork();
                if (again == 0)
                        _exit(p[2 * PAGE] == 0 ? 3 : 4);
                _exit(gone + 2 * wiped + 4 * (result_of(again) == 3));
        }
        SHOW("the child", result_of(pid));
        CHECK("not the parent", p[PAGE] == 5 && p[2 * PAGE] == 1);
        SHOW("fork again", madvise(p + PAGE, PAGE, MADV_DOFORK));
        SHOW("keep again", madvise(p + 2 * PAGE, PAGE, MADV_KEEPONFORK));
        pid = fork();
        if (pid == 0)
                _exit(p[PAGE] == 5 && p[2 * PAGE] == 1);
        SHOW("both are there", result_of(pid));
        /* populate */
        char          *q = anon(8);
        unsigned char  v[8];
        SHOW("populate to read", madvise(q, 4 * PAGE, 22));
        mincore(q, 8 * PAGE, v);
        say("present: %d%d%d%d%d\n", v[0] & 1, v[1] & 1, v[2] & 1, v[3] & 1, v[4] & 1);
        SHOW("populate to write", madvise(q, 8 * PAGE, 23));
        mincore(q, 8 * PAGE, v);
        say("present: %d%d%d\n", v[0] & 1, v[4] & 1, v[7] & 1);
        mprotect(q, PAGE, PROT_READ);
        SHOW("to write, read-only", madvise(q, 2 * PAGE, 23));
        SHOW("to read, read-only", madvise(q, 2 * PAGE, 22));
        mprotect(q, PAGE, PROT_NONE);
        SHOW("to read, no access", madvise(q, 2 * PAGE, 22));
        munmap(q + PAGE, PAGE);
        mprotect(q, PAGE, RW);
        SHOW("to read, a hole", madvise(q, 8 * PAGE, 22));
        int fd = open("short", O_RDWR | O_CREAT, 0644);
        ftruncate(fd, PAGE);
        char *f = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
        SHOW("to read, behind the file", madvise(f, 4 * PAGE, 22));
        SHOW("to write, behind the file", madvise(f, 4 * PAGE, 23));
        SHOW("to write, within", madvise(f, PAGE, 23));
        struct stat st;
        fstat(fd, &st);
        SHOW("blocks", st.st_blocks);
        /* arguments */
        SHOW("crooked", madvise(p + 1, PAGE, MADV_DONTNEED));
        SHOW("crooked, none", madvise(p + 1, 0, MADV_DONTNEED));
        SHOW("none", madvise(p, 0, MADV_DONTNEED));
        SHOW("none, unknown", madvise(p, 0, 77));
        SHOW("wraps", madvise(p, -PAGE, MADV_NORMAL));
        SHOW("wraps to none", madvise(p, -1UL, MADV_NORMAL));
        SHOW("crooked length", (p[PAGE] = 1, madvise(p, 1, MADV_DONTNEED)));
        SHOW("the next page stays", p[PAGE]);
        SHOW("above the top", madvise((void *)(1UL << 60), PAGE, MADV_NORMAL));
        SHOW("above the top, drop", madvise((void *)(1UL << 60), PAGE, MADV_DONTNEED));
        become_user(1000);
        SHOW("poison, as a user", syscall(SYS_madvise, p, PAGE, 100));
}

static long pm(int pidfd, struct iovec *v, size_t n, int advice, unsigned flags) { return syscall(SYS_process_madvise, pidfd, v, n, advice, flags); }

static void of_process(void)
{
        char        *p = anon(4);
        struct iovec v[3] = { { p, PAGE }, { p + 2 * PAGE, 2 * PAGE }, { (void *)(1UL << 40), PAGE } };
        int          self = syscall(434, getpid(), 0), fds[2];

        pipe(fds);
        SHOW("process: cold", pm(self, v, 2, 20, 0));
        SHOW("process: page out", pm(self, v, 2, 21, 0));
        SHOW("process: will need", pm(self, v, 2, 3, 0));
        SHOW("process: collapse", pm(self, v, 2, 25, 0));
        SHOW("process: drop", pm(self, v, 2, 4, 0));
        SHOW("process: a hole at the end", pm(self, v, 3, 20, 0));
        SHOW("process: a hole at once", pm(self, v + 2, 1, 20, 0));
        SHOW("process: none", pm(self, v, 0, 20, 0));
        SHOW("process: flags", pm(self, v, 2, 20, 1));
        SHOW("process: bad vector", pm(self, BAD_PTR, 1, 20, 0));
        SHOW("process: too many", pm(self, v, 1025, 20, 0));
        SHOW("process: bad descriptor", pm(99, v, 2, 20, 0));
        SHOW("process: not a pidfd", pm(fds[0], v, 2, 20, 0));
        struct iovec crooked = { p + 1, PAGE }, neg = { p, -1UL };
        SHOW("process: crooked", pm(self, &crooked, 1, 20, 0));
        SHOW("process: negative", pm(self, &neg, 1, 20, 0));
        pid_t pid = fork();
        if (pid == 0) {
                pause();
                _exit(0);
        }
        int child = syscall(434, pid, 0);
        SHOW("process: a child", pm(child, v, 2, 20, 0));
        kill(pid, SIGKILL);
        siginfo_t si;
        waitid(P_PID, pid, &si, WEXITED | WNOWAIT);
        SHOW("process: a dead one", pm(child, v, 2, 20, 0));
        result_of(pid);
        SHOW("process: one gone", pm(child, v, 2, 20, 0));
        pid_t other = fork();
        if (other == 0) {
                int parent = syscall(434, getppid(), 0);
                become_user(1000);
                errno = 0;
                long r = pm(parent, v, 2, 20, 0);
                _exit(r < 0 ? errno : 0);
        }
        SHOW("process: root's, as a user", result_of(other));
}

static int in_effects(void) { effects(); return failures; }

int main(void)
{
        catch_faults();
        kinds();
        in_child(in_effects);
        of_process();
        return done();
}
