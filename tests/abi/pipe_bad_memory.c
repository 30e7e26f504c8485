/* SPDX-License-Identifier: Apache-2.0
 *
 * pipe_bad_memory: writes and reads of pipes that run into memory that is not there: what is said, and what has moved.
 */
#include "show.h"

#define RW (PROT_READ | PROT_WRITE)
#define AN (MAP_PRIVATE | MAP_ANONYMOUS)

static char *good;                      /* 4 pages, and nothing behind them */
static int fd[2];

static int inside(void)
{
        int n = -1;
        ioctl(fd[0], FIONREAD, &n);
        return n;
}

static void empty(void)
{
        char buf[65536];
        while (inside() > 0)
                read(fd[0], buf, sizeof buf);
}

static void try_write(const char *name, size_t before, size_t n)
{
        SHOW(name, write(fd[1], good + 4 * PAGE - before, n));
        SHOW("in the pipe", inside());
        empty();
}

static void writes(void)
{
        try_write("no byte there", 0, 10);
        try_write("few", 10, 20);
        try_write("one page and some, into the second", PAGE + 10, PAGE + 20);
        try_write("one page, then nothing", PAGE, PAGE + 1);
        try_write("two pages, then nothing", 2 * PAGE, 4 * PAGE);
        try_write("a page and a half", PAGE + PAGE / 2, 2 * PAGE);
        try_write("two pages and a half", 2 * PAGE + PAGE / 2, 3 * PAGE);
        must(write(fd[1], "xyz", 3) == 3, "write");
        SHOW("behind others, few", write(fd[1], good + 4 * PAGE - 10, 20));
        SHOW("in the pipe", inside());
        empty();
        must(write(fd[1], "xyz", 3) == 3, "write");
        SHOW("behind others, all bad", write(fd[1], BAD_PTR, 20));
        SHOW("in the pipe", inside());
        empty();
        must(write(fd[1], "xyz", 3) == 3, "write");
        SHOW("behind others, a page", write(fd[1], good + 3 * PAGE, PAGE + 5));
        SHOW("in the pipe", inside());
        empty();
        struct iovec v[3] = { { good, 100 }, { BAD_PTR, 50 }, { good, 10 } };
        SHOW("a bad piece", writev(fd[1], v, 3));
        SHOW("in the pipe", inside());
        empty();
        struct iovec w[3] = { { good, 2 * PAGE }, { BAD_PTR, 50 }, { good, 10 } };
        SHOW("a bad piece behind pages", writev(fd[1], w, 3));
        SHOW("in the pipe", inside());
        empty();
}

static void try_read(const char *name, size_t have, size_t before, size_t n)
{
        must(write(fd[1], good, have) == (ssize_t)have, "write");
        SHOW(name, read(fd[0], good + 4 * PAGE - before, n));
        SHOW("left in the pipe", inside());
        empty();
}

static void reads(void)
{
        try_read("no byte there", 10, 0, 10);
        try_read("few", 20, 10, 20);
        try_read("two pages", 2 * PAGE, PAGE, 2 * PAGE);
        try_read("a page and some", 2 * PAGE, PAGE + 10, 2 * PAGE);
        try_read("less than there is", 100, 10, 50);
}

static int polled(void)
{
        struct pollfd w = { .fd = fd[0], .events = POLLIN };
        return poll(&w, 1, 0) == 1 ? w.revents : 0;
}

/* What a failed write leaves behind. */
static void left(void)
{
        char c[8];
        int other[2];

        fcntl(fd[0], F_SETFL, O_NONBLOCK);
        fcntl(fd[1], F_SETFL, O_NONBLOCK);
        FAILS("of nothing there", EAGAIN, read(fd[0], c, 1));
        FAILS("nothing to write", EFAULT, write(fd[1], BAD_PTR, 1));
        SHOW("poll", polled());
        FAILS("no bytes", EAGAIN, read(fd[0], c, 1));
        SHOW("poll", polled());
        for (int i = 0; i < 20; i++)
                write(fd[1], BAD_PTR, PAGE);
        SHOW("and again, pages", write(fd[1], BAD_PTR, PAGE));
        SHOW("in the pipe", inside());
        must(pipe2(other, O_NONBLOCK) == 0, "pipe");
        SHOW("read", read(fd[0], c, 1));
        write(fd[1], BAD_PTR, PAGE);
        SHOW("behind nothing", write(fd[1], "hello", 5));
        SHOW("splice", splice(fd[0], NULL, other[1], NULL, 100, SPLICE_F_NONBLOCK));
        SHOW("arrived", read(other[0], c, 8));
        SHOW("none left", inside());
        write(fd[1], BAD_PTR, PAGE);
        close(fd[1]);
        SHOW("poll", polled());
        SHOW("at the end", read(fd[0], c, 1));
        SHOW("poll", polled());
        must(pipe2(fd, O_DIRECT | O_NONBLOCK) == 0, "pipe");
        SHOW("a packet", write(fd[1], BAD_PTR, 10));
        SHOW("poll", polled());
        SHOW("is none", read(fd[0], c, 1));
        SHOW("poll", polled());
        write(fd[1], good, 8);
        SHOW("a packet stays", read(fd[0], BAD_PTR, 8));
        SHOW("a packet", read(fd[0], c, 8));
}

int main(void)
{
        good = mmap(NULL, 5 * PAGE, RW, AN, -1, 0);
        memset(good, 'g', 4 * PAGE);
        munmap(good + 4 * PAGE, PAGE);
        must(pipe(fd) == 0, "pipe");
        writes();
        reads();
        left();
        return done();
}
