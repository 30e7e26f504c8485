/* SPDX-License-Identifier: Apache-2.0
 *
 * process_vm: process_vm_readv and process_vm_writev: pieces, partial results, and who may.
 */
#include "show.h"
#include <sys/prctl.h>

#define RW (PROT_READ | PROT_WRITE)
#define AN (MAP_PRIVATE | MAP_ANONYMOUS)

static char *there;                     /* 8 pages, of the child too */
static pid_t child;

static ssize_t rd(pid_t pid, struct iovec *l, size_t ln, struct iovec *r, size_t rn, unsigned long f)
{
        return syscall(SYS_process_vm_readv, pid, l, ln, r, rn, f);
}

static ssize_t wr(pid_t pid, struct iovec *l, size_t ln, struct iovec *r, size_t rn, unsigned long f)
{
        return syscall(SYS_process_vm_writev, pid, l, ln, r, rn, f);
}

static pid_t start(int (*fn)(int, int), int *to, int *from)
{
        int a[2], b[2];

        pipe(a);
        pipe(b);
        pid_t pid = fork();
        if (pid == 0)
                _exit(fn(a[0], b[1]));
        *to = a[1];
        *from = b[0];
        char c;
        read(*from, &c, 1);
        return pid;
}

/* Fills its pages, says so, and waits; then tells what its first page begins with. */
static int body(int in, int out)
{
        char c = 0;

        for (int i = 0; i < 8; i++)
                memset(there + i * PAGE, 'a' + i, PAGE);
        mprotect(there + 4 * PAGE, PAGE, PROT_READ);
        mprotect(there + 5 * PAGE, PAGE, PROT_NONE);
        munmap(there + 6 * PAGE, PAGE);
        write(out, "x", 1);
        while (read(in, &c, 1) == 1 && c != 'q')
                write(out, there, 1);
        return 0;
}

static int as_user(int in, int out)
{
        become_user(1000);
        prctl(PR_SET_DUMPABLE, 1);
        return body(in, out);
}

static int hidden(int in, int out)
{
        become_user(1000);
        prctl(PR_SET_DUMPABLE, 0);
        return body(in, out);
}

static void pieces(void)
{
        char        *here = mmap(NULL, 16 * PAGE, RW, AN, -1, 0);
        struct iovec l[3] = { { here, 10 }, { here + 100, 5 }, { here + 200, 100 } };
        struct iovec r[3] = { { there + PAGE - 4, 8 }, { there + 2 * PAGE, 3 }, { there + 3 * PAGE, 4 } };

        SHOW("read in pieces", rd(child, l, 3, r, 3, 0));
        CHECK("as they come", memcmp(here, "aaaabbbbcc", 10) == 0 && memcmp(here + 100, "cdddd", 5) == 0);
        SHOW("local is shorter", rd(child, l, 1, r, 3, 0));
        SHOW("remote is shorter", rd(child, l, 3, r, 1, 0));
        struct iovec all = { here, 16 * PAGE }, far = { there, 8 * PAGE };
        SHOW("up to what may not be read", rd(child, &all, 1, &far, 1, 0));
        struct iovec none = { there + 5 * PAGE, 10 }, gone = { there + 6 * PAGE, 10 }, ro = { there + 4 * PAGE, 10 };
        SHOW("no access", rd(child, &all, 1, &none, 1, 0));
        SHOW("not mapped", rd(child, &all, 1, &gone, 1, 0));
        SHOW("read-only", rd(child, &all, 1, &ro, 1, 0));
        SHOW("written where read-only", wr(child, &all, 1, &ro, 1, 0));
        struct iovec mix[2] = { r[0], gone };
        SHOW("a bad second", rd(child, &all, 1, mix, 2, 0));
        struct iovec bad = { BAD_PTR, 10 };
        SHOW("bad here", rd(child, &bad, 1, &far, 1, 0));
        struct iovec half[2] = { { here, 6 }, { BAD_PTR, 10 } };
        SHOW("bad here, second", rd(child, half, 2, r, 3, 0));
        memcpy(here, "WRITTEN", 7);
        struct iovec w = { here, 7 }, to = { there, 7 };
        SHOW("write", wr(child, &w, 1, &to, 1, 0));
        CHECK("not seen here", there[0] == 0);
        SHOW("and read again", rd(child, &all, 1, &to, 1, 0));
        CHECK("the same", memcmp(here, "WRITTEN", 7) == 0);
        /* arguments */
        SHOW("flags", rd(child, l, 1, r, 1, 1));
        SHOW("too many here", rd(child, l, 1025, r, 1, 0));
        SHOW("too many there", rd(child, l, 1, r, 1025, 0));
        SHOW("no pieces here", rd(child, l, 0, r, 1, 0));
        SHOW("no pieces there", rd(child, l, 1, r, 0, 0));
        SHOW("nothing here, bad there", rd(child, l, 0, BAD_PTR, 1, 0));
        SHOW("bad pieces here", rd(child, BAD_PTR, 1, r, 1, 0));
        SHOW("bad pieces there", rd(child, l, 1, BAD_PTR, 1, 0));
        struct iovec neg = { here, -1UL }, empty = { here, 0 };
        SHOW("negative here", rd(child, &neg, 1, r, 1, 0));
        SHOW("negative there", rd(child, l, 1, &neg, 1, 0));
        SHOW("empty here", rd(child, &empty, 1, r, 1, 0));
        SHOW("empty there", rd(child, l, 1, &empty, 1, 0));
        SHOW("no such process", rd(4000000, l, 1, r, 1, 0));
        SHOW("no such process, nothing here", rd(4000000, l, 0, r, 1, 0));
        SHOW("pid 0", rd(0, l, 1, r, 1, 0));
        SHOW("pid -1", rd(-1, l, 1, r, 1, 0));
        struct iovec high = { (void *)(1UL << 62), 10 };
        SHOW("above the top", rd(child, l, 1, &high, 1, 0));
        SHOW("itself", rd(getpid(), &w, 1, &to, 1, 0));
}

static int try_read(pid_t pid)
{
        char         buf[8];
        struct iovec l = { buf, 4 }, r = { there, 4 };

        errno = 0;
        return rd(pid, &l, 1, &r, 1, 0) < 0 ? errno : 0;
}

static int as_other(pid_t pid, uid_t uid)
{
        pid_t p = fork();

        if (p == 0) {
                become_user(uid);
                prctl(PR_SET_DUMPABLE, 1);
                _exit(try_read(pid));
        }
        return result_of(p);
}

static void quit(pid_t pid, int to)
{
        write(to, "q", 1);
        result_of(pid);
}

int main(void)
{
        int to, from;
        char c;

        there = mmap(NULL, 8 * PAGE, RW, AN, -1, 0);
        child = start(body, &to, &from);
        pieces();
        write(to, "?", 1);
        read(from, &c, 1);
        CHECK("the child sees it", c == 'W');
        SHOW("root's, by a user", as_other(child, 1000));
        kill(child, SIGSTOP);
        SHOW("a stopped one", try_read(child));
        kill(child, SIGKILL);
        siginfo_t si;
        waitid(P_PID, child, &si, WEXITED | WNOWAIT);
        SHOW("a dead one", try_read(child));
        result_of(child);
        SHOW("one gone", try_read(child));
        child = start(as_user, &to, &from);
        SHOW("a user's, by root", try_read(child));
        SHOW("by that user", as_other(child, 1000));
        SHOW("by another", as_other(child, 1001));
        quit(child, to);
        child = start(hidden, &to, &from);
        SHOW("not dumpable, by root", try_read(child));
        SHOW("by that user", as_other(child, 1000));
        quit(child, to);
        return done();
}
