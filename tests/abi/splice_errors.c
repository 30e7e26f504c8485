/* splice(2), tee(2), vmsplice(2): every error of the man pages, and what of it was done. */
#include "abi.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static int p[2], q[2], f;
static char buf[8192];

static void splicing(void)
{
        loff_t off = 0, neg = -1;
        int ro = open("file", O_RDONLY), app = open("file", O_WRONLY | O_APPEND), path = open("file", O_PATH), dir = open(".", O_RDONLY);

        FAILS("a bad flag", EINVAL, splice(f, NULL, p[1], NULL, 1, 0x100));
        FAILS("a bad descriptor in", EBADF, splice(999, NULL, p[1], NULL, 1, 0));
        FAILS("a bad descriptor out", EBADF, splice(p[0], NULL, 999, NULL, 1, 0));
        CHECK("no bytes: no descriptors looked at", splice(999, NULL, 999, NULL, 0, 0) == 0);
        CHECK("nor at flags", splice(999, NULL, 999, NULL, 0, 0x100) == 0);
        FAILS("no pipe, and not to be written", EBADF, splice(f, NULL, ro, NULL, 1, 0));
        FAILS("two files", EINVAL, splice(ro, NULL, f, NULL, 1, 0));
        FAILS("in from a writer", EBADF, splice(p[1], NULL, f, NULL, 1, 0));
        FAILS("out to a reader", EBADF, splice(f, NULL, p[0], NULL, 1, 0));
        FAILS("out to a file that is read", EBADF, splice(p[0], NULL, ro, NULL, 1, 0));
        FAILS("O_PATH", EBADF, splice(path, NULL, p[1], NULL, 1, 0));
        FAILS("an offset of a pipe in", ESPIPE, splice(p[0], &off, f, NULL, 1, 0));
        FAILS("an offset of a pipe out", ESPIPE, splice(f, NULL, p[1], &off, 1, 0));
        FAILS("offsets of two pipes", ESPIPE, splice(p[0], &off, q[1], NULL, 1, 0));
        FAILS("an offset of two pipes", ESPIPE, splice(p[0], NULL, q[1], &off, 1, 0));
        FAILS("a bad offset", EFAULT, splice(f, BAD_PTR, p[1], NULL, 1, 0));
        FAILS("a negative offset", EINVAL, splice(f, &neg, p[1], NULL, 1, 0));
        FAILS("a pipe to itself", EINVAL, splice(p[0], NULL, p[1], NULL, 1, 0));
        write(p[1], "abc", 3);
        FAILS("to an appending file", EINVAL, splice(p[0], NULL, app, NULL, 3, 0));
        FAILS("from a directory", EINVAL, splice(dir, NULL, p[1], NULL, 1, 0));
        CHECK("still there", splice(p[0], NULL, f, &off, 3, 0) == 3 && off == 3);
        FAILS("an empty pipe", EAGAIN, splice(p[0], NULL, f, NULL, 3, SPLICE_F_NONBLOCK));
        CHECK("at the end of a file", splice(f, &(loff_t){ 1 << 20 }, p[1], NULL, 3, 0) == 0);
        int z[2];
        must(pipe(z) == 0, "pipe");
        close(z[1]);
        CHECK("a pipe without writers", splice(z[0], NULL, f, NULL, 3, 0) == 0);
        close(z[0]);
        must(pipe(z) == 0, "pipe");
        close(z[0]);
        signal(SIGPIPE, SIG_IGN);
        FAILS("a pipe without readers", EPIPE, splice(f, &(loff_t){ 0 }, z[1], NULL, 3, 0));
        close(z[1]);
        while (write(q[1], buf, sizeof buf) > 0)
                ;
        FAILS("a full pipe", EAGAIN, splice(f, &(loff_t){ 0 }, q[1], NULL, 3, SPLICE_F_NONBLOCK));
        int e = eventfd(0, 0), ep = epoll_create1(0);
        write(p[1], "12345678", 8);
        FAILS("to an epoll", EINVAL, splice(p[0], NULL, ep, NULL, 8, 0));
        FAILS("from an epoll", EINVAL, splice(ep, NULL, p[1], NULL, 8, 0));
        read(p[0], buf, 8);
        close(e), close(ep), close(ro), close(app), close(path), close(dir);
}

static void teeing(void)
{
        int a[2], b[2];

        must(pipe2(a, O_NONBLOCK) == 0 && pipe2(b, O_NONBLOCK) == 0, "pipes");
        FAILS("tee: a bad flag", EINVAL, tee(a[0], b[1], 1, 0x100));
        CHECK("tee: no bytes", tee(999, 999, 0, 0) == 0);
        FAILS("tee: a bad descriptor", EBADF, tee(999, b[1], 1, 0));
        FAILS("tee: another", EBADF, tee(a[0], 999, 1, 0));
        FAILS("tee: a file", EINVAL, tee(f, b[1], 1, 0));
        FAILS("tee: to a file", EINVAL, tee(a[0], f, 1, 0));
        FAILS("tee: to itself", EINVAL, tee(a[0], a[1], 1, 0));
        FAILS("tee: from a writer", EBADF, tee(a[1], b[1], 1, 0));
        FAILS("tee: to a reader", EBADF, tee(a[0], b[0], 1, 0));
        FAILS("tee: nothing there", EAGAIN, tee(a[0], b[1], 1, SPLICE_F_NONBLOCK));
        write(a[1], "hello", 5);
        CHECK("tee", tee(a[0], b[1], 100, 0) == 5);
        CHECK("both have it", read(a[0], buf, 10) == 5 && read(b[0], buf, 10) == 5 && !memcmp(buf, "hello", 5));
        close(a[1]);
        CHECK("tee: no writers", tee(a[0], b[1], 1, 0) == 0);
        close(a[0]), close(b[0]), close(b[1]);
}

static void vmsplicing(void)
{
        int a[2];
        struct iovec v[2] = { { buf, 5 }, { buf + 4096, 3 } }, bad = { BAD_PTR, 4096 }, none = { NULL, 0 };

        must(pipe2(a, O_NONBLOCK) == 0, "pipe");
        FAILS("vmsplice: a bad flag", EINVAL, vmsplice(a[1], v, 1, 0x100));
        FAILS("vmsplice: a bad descriptor", EBADF, vmsplice(999, v, 1, 0));
        FAILS("vmsplice: a file", EBADF, vmsplice(f, v, 1, 0));
        FAILS("vmsplice: too many", EINVAL, vmsplice(a[1], v, 1025, 0));
        FAILS("vmsplice: bad iovecs", EFAULT, vmsplice(a[1], BAD_PTR, 1, 0));
        FAILS("vmsplice: bad memory", EFAULT, vmsplice(a[1], &bad, 1, 0));
        CHECK("vmsplice: none", vmsplice(a[1], v, 0, 0) == 0);
        CHECK("vmsplice: no bytes", vmsplice(a[1], &none, 1, 0) == 0);
        memcpy(buf, "hello", 5), memcpy(buf + 4096, "abc", 3);
        CHECK("vmsplice", vmsplice(a[1], v, 2, 0) == 8);
        char out[16];
        struct iovec to[2] = { { out, 6 }, { out + 6, 10 } };
        CHECK("vmsplice: the other way", vmsplice(a[0], to, 2, 0) == 8 && !memcmp(out, "helloabc", 8));
        FAILS("vmsplice: nothing there", EAGAIN, vmsplice(a[0], to, 2, SPLICE_F_NONBLOCK));
        while (write(a[1], buf, 4096) > 0)
                ;
        FAILS("vmsplice: full", EAGAIN, vmsplice(a[1], v, 2, SPLICE_F_NONBLOCK));
        close(a[1]);
        while (read(a[0], buf, sizeof buf) > 0)
                ;
        CHECK("vmsplice: no writers", vmsplice(a[0], to, 2, 0) == 0);
        close(a[0]);
        must(pipe(a) == 0, "pipe");
        close(a[0]);
        FAILS("vmsplice: no readers", EPIPE, vmsplice(a[1], v, 2, 0));
        close(a[1]);
}

int main(void)
{
        must(pipe2(p, O_NONBLOCK) == 0 && pipe2(q, O_NONBLOCK) == 0, "pipes");
        put_text("file", "some text for the pipe");
        f = open("file", O_RDWR);
        splicing();
        teeing();
        vmsplicing();
        return done();
}
