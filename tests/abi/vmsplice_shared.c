/* SPDX-License-Identifier: Apache-2.0
 *
 * vmsplice_shared: pages that vmsplice puts into a pipe are the program's own: what is written to them before they are
 * read shows, and what happens to the mapping does not.
 */
#include "show.h"

#define RW (PROT_READ | PROT_WRITE)

static int p[2];
static char *mem;                       /* 32 pages */
static char buf[40 * PAGE];

static long put(char *at, size_t n, int flags)
{
        struct iovec v = { at, n };
        return vmsplice(p[1], &v, 1, flags);
}

static int inside(void)
{
        int n = -1;
        ioctl(p[0], FIONREAD, &n);
        return n;
}

/* What comes out: the first byte, if all are the same. */
static void take(const char *name)
{
        int have = inside(), n = have > 0 ? read(p[0], buf, sizeof buf) : 0, same = 1;
        for (int i = 1; i < n; i++)
                same &= buf[i] == buf[0];
        say("%s: %d of %d, %d\n", name, n, have, n <= 0 ? -1 : same ? buf[0] : -2);
}

static void renew(void)
{
        mmap(mem, 32 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        madvise(mem, 32 * PAGE, MADV_NOHUGEPAGE);
        memset(mem, 'a', 32 * PAGE);
}

static void changes(int flags)
{
        say("-- flags %d\n", flags);
        renew();
        SHOW("a page", put(mem, PAGE, flags));
        memset(mem, 'b', PAGE);
        take("changed");
        SHOW("a piece", put(mem + PAGE + 100, 50, flags));
        memset(mem + PAGE, 'b', PAGE);
        take("changed");
        SHOW("over a border", put(mem + 3 * PAGE - 10, 20, flags));
        memset(mem + 2 * PAGE, 'b', 2 * PAGE);
        take("changed");
        SHOW("a page", put(mem, PAGE, flags));
        mprotect(mem, PAGE, PROT_READ);
        mprotect(mem, PAGE, RW);
        memset(mem, 'c', PAGE);
        take("changed by way of read only");
        SHOW("a page", put(mem, PAGE, flags));
        madvise(mem, PAGE, MADV_DONTNEED);
        memset(mem, 'd', PAGE);
        take("given back");
        SHOW("a page", put(mem, PAGE, flags));
        munmap(mem, PAGE);
        take("unmapped");
        mmap(mem, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        SHOW("never touched", put(mem, PAGE, flags));
        memset(mem, 'e', PAGE);
        take("and then written");
        mprotect(mem, PAGE, PROT_READ);
        SHOW("read only", put(mem, PAGE, flags));
        take("it");
        mprotect(mem, PAGE, PROT_NONE);
        SHOW("no rights", put(mem, PAGE, flags));
        munmap(mem, PAGE);
        SHOW("nothing there", put(mem, PAGE, flags));
        renew();
        munmap(mem + 2 * PAGE, PAGE);
        SHOW("nothing behind it", put(mem, 4 * PAGE, flags));
        take("it");
        SHOW("nothing behind a piece", put(mem + PAGE + 10, PAGE, flags));
        take("it");
        SHOW("address of no memory", put((char *)-4096, PAGE, flags));
}

static void parts(void)
{
        struct iovec v[4] = { { mem, 10 }, { mem + PAGE, 0 }, { BAD_PTR, 10 }, { mem, 10 } };

        say("-- parts\n");
        renew();
        SHOW("a bad one behind", vmsplice(p[1], v, 4, 0));
        take("it");
        SHOW("the bad one first", vmsplice(p[1], v + 2, 2, 0));
        SHOW("an empty one", vmsplice(p[1], v + 1, 1, 0));
        SHOW("none", vmsplice(p[1], v, 0, 0));
        SHOW("the same twice", (v[1] = v[2] = v[0], vmsplice(p[1], v, 4, 0)));
        memset(mem, 'q', PAGE);
        take("it");
        SHOW("all that fits", put(mem, 20 * PAGE, 0));
        SHOW("in the pipe", inside());
        FAILS("full", EAGAIN, put(mem, 1, SPLICE_F_NONBLOCK));
        take("all");
        fcntl(p[0], F_SETFL, O_NONBLOCK);
        struct iovec out = { mem, 10 };
        ALARMED("out of an empty pipe, too", vmsplice(p[0], &out, 1, 0));
        FAILS("but for its own flag", EAGAIN, vmsplice(p[0], &out, 1, SPLICE_F_NONBLOCK));
        fcntl(p[0], F_SETFL, 0);
        SHOW("small ones fill it", put(mem, 1, 0));
        for (int i = 0; i < 15; i++)
                put(mem, 1, 0);
        FAILS("full", EAGAIN, put(mem, 1, SPLICE_F_NONBLOCK));
        fcntl(p[1], F_SETFL, O_NONBLOCK);
        FAILS("nor written", EAGAIN, write(p[1], "x", 1));
        ALARMED("vmsplice waits all the same", put(mem, 1, 0));
        fcntl(p[1], F_SETFL, 0);
        take("all");
        put(mem, 10, 0);
        SHOW("written behind", write(p[1], "qqqqq", 5));
        memset(mem, 'q', PAGE);
        CHECK("the memory is not", memcmp(mem + 10, "qqqqqqqqqqqqqqqqqqqq", 20) == 0);
        take("it");
        memset(mem, 'm', PAGE);
        put(mem, 10, 0);
        write(p[1], "wwwww", 5);
        CHECK("nor with other bytes", mem[10] == 'm' && mem[0] == 'm');
        take("it");
}

static int writes_there(void)
{
        memset(mem, 'k', 2 * PAGE);
        return 0;
}

static void forks(void)
{
        say("-- forks\n");
        renew();
        put(mem, PAGE, 0);
        in_child(writes_there);
        take("a child writes");
        put(mem, PAGE, 0);
        pid_t pid = fork();
        if (pid == 0) {
                pause();
                _exit(0);
        }
        memset(mem, 'f', PAGE);
        take("written while there is a child");
        kill(pid, SIGKILL);
        result_of(pid);
        mem = mmap(NULL, 32 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        memset(mem, 's', PAGE);
        put(mem, PAGE, 0);
        in_child(writes_there);
        take("a child writes shared memory");
        int f = open("f", O_CREAT | O_RDWR, 0600);
        write(f, "zzzzz", 5);
        char *m = mmap(NULL, PAGE, RW, MAP_SHARED, f, 0);
        put(m, 5, 0);
        pwrite(f, "yyyyy", 5, 0);
        take("a file's page");
        put(m, 5, 0);
        ftruncate(f, 0);
        char c[8] = "";
        read(p[0], c, 5);
        SHOW("and cut", c[0]);
        m = mmap(NULL, PAGE, RW, MAP_PRIVATE, f, 0);
        SHOW("behind its end", put(m, 5, 0));
}

static void moves(void)
{
        int q[2], out = open("out", O_CREAT | O_RDWR, 0600);

        say("-- moves\n");
        mem = mmap(NULL, 32 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        renew();
        pipe(q);
        put(mem, 2 * PAGE, SPLICE_F_GIFT);
        SHOW("tee", tee(p[0], q[1], 3 * PAGE, 0));
        memset(mem, 'n', PAGE);
        SHOW("to a file", splice(p[0], NULL, out, NULL, 3 * PAGE, SPLICE_F_MOVE));
        memset(mem, 'o', PAGE);
        pread(out, buf, PAGE, 0);
        SHOW("in the file", buf[7]);
        read(q[0], buf, PAGE);
        SHOW("in the other pipe", buf[7]);
        close(q[0]), close(q[1]);
        close(p[0]);
        signal(SIGPIPE, SIG_IGN);
        SHOW("no reader", put(mem, 1, 0));
        SHOW("no reader, bad memory", put(BAD_PTR, 1, 0));
        SHOW("no reader, nothing", put(mem, 0, 0));
}

static void on_alarm(int sig) { (void)sig; }

int main(void)
{
        struct sigaction sa = { .sa_handler = on_alarm };
        sigaction(SIGALRM, &sa, NULL);
        must(pipe(p) == 0, "pipe");
        mem = mmap(NULL, 32 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        changes(0);
        changes(SPLICE_F_GIFT);
        parts();
        forks();
        moves();
        return done();
}
