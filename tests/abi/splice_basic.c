/* splice, tee, vmsplice, copy_file_range: offsets, flags, errors, who waits. */
#include "abi.h"
#include <pthread.h>

static int p[2], q[2], file;
static char buf[70000];

static int holds(int fd, const char *text)
{
        size_t n = strlen(text);
        ssize_t got = read(fd, buf, sizeof buf);
        return got == (ssize_t)n && memcmp(buf, text, n) == 0;
}

static void pipe_file(void)
{
        loff_t off = 3;

        write(p[1], "hello world", 11);
        CHECK("a part to a file", splice(p[0], NULL, file, NULL, 5, 0) == 5 && lseek(file, 0, SEEK_CUR) == 5);
        CHECK("at an offset", splice(p[0], NULL, file, &off, 100, 0) == 6 && off == 9 && lseek(file, 0, SEEK_CUR) == 5);
        CHECK("what is there", pread(file, buf, 100, 0) == 9 && memcmp(buf, "hel world", 9) == 0);
        off = 1;
        CHECK("a file to a pipe", splice(file, &off, p[1], NULL, 3, 0) == 3 && off == 4 && holds(p[0], "el "));
        lseek(file, 0, SEEK_SET);
        CHECK("from its position", splice(file, NULL, p[1], NULL, 100, 0) == 9 && lseek(file, 0, SEEK_CUR) == 9 && holds(p[0], "hel world"));
        CHECK("at its end", splice(file, NULL, p[1], NULL, 100, 0) == 0);
        int fd = open("big", O_RDWR | O_CREAT, 0600);
        for (int i = 0; i < 70000; i++)
                buf[i] = (char)(i * 11);
        write(fd, buf, 70000);
        ftruncate(fd, 80000);
        lseek(fd, 100, SEEK_SET);
        ssize_t n = splice(fd, NULL, p[1], NULL, 200000, SPLICE_F_NONBLOCK);
        CHECK("as much as there is room", n == 65536 - 100);
        FAILS("no more", EAGAIN, splice(fd, NULL, p[1], NULL, 10, SPLICE_F_NONBLOCK));
        memset(buf, 0, sizeof buf);
        int good = read(p[0], buf, sizeof buf) == n;
        for (int i = 0; i < n; i++)
                good &= buf[i] == (char)((i + 100) * 11);
        CHECK("all of it", good);
        off = 69990;
        CHECK("a hole is zeros", splice(fd, &off, p[1], NULL, 20000, 0) == 10010 && read(p[0], buf, 20000) == 10010 && buf[9] != 0 && buf[10] == 0 && buf[10009] == 0);
        close(fd);
        int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
        FAILS("from /dev/zero", EINVAL, splice(zero, NULL, p[1], NULL, 100, 0));
        write(p[1], buf, 100);
        CHECK("to /dev/null", splice(p[0], NULL, null, NULL, 100, 0) == 100);
        close(zero), close(null);
}

static void pipes(void)
{
        write(p[1], "first", 5), write(p[1], "second", 6);
        CHECK("tee", tee(p[0], q[1], 7, 0) == 7 && holds(q[0], "firstse"));
        CHECK("leaves it", tee(p[0], q[1], 100, 0) == 11 && holds(q[0], "firstsecond"));
        CHECK("pipe to pipe", splice(p[0], NULL, q[1], NULL, 8, 0) == 8 && holds(q[0], "firstsec"));
        CHECK("the rest", holds(p[0], "ond"));
        FAILS("tee of nothing", EAGAIN, tee(p[0], q[1], 10, SPLICE_F_NONBLOCK));
        FAILS("splice of nothing", EAGAIN, splice(p[0], NULL, q[1], NULL, 10, SPLICE_F_NONBLOCK));
        CHECK("no bytes", tee(p[0], q[1], 0, 0) == 0 && splice(p[0], NULL, q[1], NULL, 0, 0) == 0);
        write(p[1], "abc", 3);
        tee(p[0], q[1], 3, 0);
        write(p[1], "def", 3);
        CHECK("a write after a tee is not seen", holds(q[0], "abc") && holds(p[0], "abcdef"));
}

static void errors(void)
{
        loff_t off = 0, bad = -1;
        int fd2 = open("other", O_RDWR | O_CREAT, 0600), app = open("other", O_WRONLY | O_APPEND), dir = open(".", O_RDONLY);

        FAILS("two files", EINVAL, splice(file, NULL, fd2, NULL, 10, 0));
        FAILS("one pipe", EINVAL, splice(p[0], NULL, p[1], NULL, 10, 0));
        FAILS("tee of one pipe", EINVAL, tee(p[0], p[1], 10, 0));
        FAILS("tee of a file", EINVAL, tee(file, p[1], 10, 0));
        FAILS("an offset of a pipe", ESPIPE, splice(p[0], &off, file, NULL, 10, 0));
        FAILS("an offset of a pipe written", ESPIPE, splice(file, NULL, p[1], &off, 10, 0));
        FAILS("bad flags", EINVAL, splice(p[0], NULL, file, NULL, 10, 0x100));
        FAILS("bad flags, tee", EINVAL, tee(p[0], q[1], 10, 0x100));
        FAILS("the wrong end", EBADF, splice(p[1], NULL, file, NULL, 10, 0));
        FAILS("the wrong end written", EBADF, splice(file, NULL, p[0], NULL, 10, 0));
        FAILS("no file", EBADF, splice(99, NULL, p[1], NULL, 10, 0));
        FAILS("no file written", EBADF, splice(p[0], NULL, 99, NULL, 10, 0));
        FAILS("an offset from nowhere", EFAULT, splice(file, BAD_PTR, p[1], NULL, 10, 0));
        FAILS("a negative offset", EINVAL, splice(file, &bad, p[1], NULL, 10, 0));
        write(p[1], "x", 1);
        FAILS("appending", EINVAL, splice(p[0], NULL, app, NULL, 10, 0));
        read(p[0], buf, 1);
        FAILS("a directory", EINVAL, splice(dir, NULL, p[1], NULL, 10, 0));
        close(fd2), close(app), close(dir);
        int r[2];
        must(pipe(r) == 0, "pipe");
        close(r[0]);
        signal(SIGPIPE, SIG_IGN);
        FAILS("nobody reads", EPIPE, splice(file, &off, r[1], NULL, 3, 0));
        close(r[1]);
        must(pipe(r) == 0, "pipe");
        write(r[1], "end", 3);
        close(r[1]);
        CHECK("the end of a pipe", splice(r[0], NULL, q[1], NULL, 100, 0) == 3 && splice(r[0], NULL, q[1], NULL, 100, 0) == 0 &&
              tee(r[0], p[1], 10, 0) == 0 && holds(q[0], "end"));
        close(r[0]);
}

static void memory(void)
{
        struct iovec v[3] = { { "one", 3 }, { "", 0 }, { "three", 5 } };
        char a[4], b[10];
        struct iovec w[2] = { { a, 4 }, { b, 10 } };

        CHECK("vmsplice", vmsplice(p[1], v, 3, 0) == 8);
        CHECK("from a pipe", vmsplice(p[0], w, 2, 0) == 8 && memcmp(a, "onet", 4) == 0 && memcmp(b, "hree", 4) == 0);
        FAILS("a file", EBADF, vmsplice(file, v, 3, 0));
        FAILS("bad flags", EINVAL, vmsplice(p[1], v, 3, 0x100));
        FAILS("from nowhere", EFAULT, vmsplice(p[1], BAD_PTR, 3, 0));
        FAILS("too many", EINVAL, vmsplice(p[1], v, 1025, 0));
}

static void *writes_late(void *arg)
{
        (void)arg;
        sleep_ms(50);
        write(p[1], "late", 4);
        return NULL;
}
static void *reads_late(void *arg)
{
        (void)arg;
        sleep_ms(50);
        static char sink[65536];
        read(q[0], sink, sizeof sink);
        return NULL;
}
static void catch(int sig) { (void)sig; }

static void waiting(void)
{
        pthread_t t;

        pthread_create(&t, NULL, writes_late, NULL);
        CHECK("waits for bytes", splice(p[0], NULL, q[1], NULL, 100, 0) == 4 && holds(q[0], "late"));
        pthread_join(t, NULL);
        memset(buf, 'x', 65536);
        write(q[1], buf, 65536);
        pthread_create(&t, NULL, reads_late, NULL);
        write(p[1], "more", 4);
        CHECK("waits for room", splice(p[0], NULL, q[1], NULL, 100, 0) == 4);
        pthread_join(t, NULL);
        CHECK("and got it", holds(q[0], "more"));
        on(SIGALRM, catch, 0);
        ALARMED("interrupted", splice(p[0], NULL, q[1], NULL, 100, 0));
        ALARMED("interrupted tee", tee(p[0], q[1], 100, 0));
        fcntl(p[0], F_SETFL, O_NONBLOCK);
        FAILS("O_NONBLOCK", EAGAIN, splice(p[0], NULL, q[1], NULL, 100, 0));
        fcntl(p[0], F_SETFL, 0);
}

static void copies(void)
{
        int a = open("a", O_RDWR | O_CREAT, 0600), b = open("b", O_RDWR | O_CREAT, 0600), dir = open(".", O_RDONLY);
        int ro = open("a", O_RDONLY), app = open("b", O_WRONLY | O_APPEND);
        loff_t from = 2, to = 5, neg = -1;

        write(a, "0123456789", 10);
        CHECK("with offsets", copy_file_range(a, &from, b, &to, 4, 0) == 4 && from == 6 && to == 9);
        CHECK("positions stay", lseek(a, 0, SEEK_CUR) == 10 && lseek(b, 0, SEEK_CUR) == 0);
        CHECK("what came", pread(b, buf, 100, 0) == 9 && memcmp(buf, "\0\0\0\0\0002345", 9) == 0);
        lseek(a, 8, SEEK_SET);
        CHECK("at the positions", copy_file_range(a, NULL, b, NULL, 100, 0) == 2 && lseek(a, 0, SEEK_CUR) == 10 && lseek(b, 0, SEEK_CUR) == 2);
        CHECK("at the end", copy_file_range(a, NULL, b, NULL, 100, 0) == 0);
        CHECK("no bytes", copy_file_range(a, NULL, b, NULL, 0, 0) == 0);
        from = 0, to = 20;
        CHECK("in one file", copy_file_range(a, &from, a, &to, 10, 0) == 10 && pread(a, buf, 40, 0) == 30 && memcmp(buf + 20, "0123456789", 10) == 0);
        from = 0, to = 5;
        FAILS("overlapping", EINVAL, copy_file_range(a, &from, a, &to, 10, 0));
        to = 10;
        CHECK("just not", copy_file_range(a, &from, a, &to, 10, 0) == 10);
        from = 0;
        FAILS("flags", EINVAL, copy_file_range(a, &from, b, &to, 10, 1));
        FAILS("a directory", EISDIR, copy_file_range(dir, NULL, b, NULL, 10, 0));
        FAILS("into a directory", EISDIR, copy_file_range(a, NULL, dir, NULL, 10, 0));
        FAILS("a pipe", EINVAL, copy_file_range(p[0], NULL, b, NULL, 10, 0));
        FAILS("into a pipe", EINVAL, copy_file_range(a, NULL, p[1], NULL, 10, 0));
        FAILS("not for writing", EBADF, copy_file_range(b, NULL, ro, NULL, 10, 0));
        FAILS("appending", EBADF, copy_file_range(a, NULL, app, NULL, 10, 0));
        FAILS("no file", EBADF, copy_file_range(a, NULL, 99, NULL, 10, 0));
        FAILS("a negative offset", EOVERFLOW, copy_file_range(a, &neg, b, NULL, 10, 0));
        neg = -100;
        FAILS("far below", EINVAL, copy_file_range(a, &neg, b, NULL, 10, 0));
        FAILS("an offset from nowhere", EFAULT, copy_file_range(a, BAD_PTR, b, NULL, 10, 0));
        to = 0x7fffffffffffffffL - 5;
        from = 0;
        CHECK("as far as files go", copy_file_range(a, &from, b, &to, 10, 0) == 5);
        ftruncate(b, 0);
        to = 0x7fffffffffffffffL;
        FAILS("beyond", EFBIG, copy_file_range(a, &from, b, &to, 10, 0));
        int null = open("/dev/null", O_RDWR);
        FAILS("a device", EINVAL, copy_file_range(a, &from, null, NULL, 10, 0));
        memset(buf, 'z', 70000);
        pwrite(a, buf, 70000, 0);
        from = to = 0;
        CHECK("many bytes", copy_file_range(a, &from, b, &to, 100000, 0) == 70000 && to == 70000);
        close(a), close(b), close(dir), close(ro), close(app), close(null);
}

/* Readers and splicers of one pipe: every byte once. */
static void *feeds(void *arg)
{
        (void)arg;
        static char b[3000];
        memset(b, 1, sizeof b);
        for (int i = 0; i < 300; i++)
                write(p[1], b, 1 + i * 7 % 3000);
        return NULL;
}
static volatile long moved;
static void *moves(void *arg)
{
        (void)arg;
        for (;;) {
                ssize_t n = splice(p[0], NULL, q[1], NULL, 1234, SPLICE_F_NONBLOCK);
                if (n <= 0 && moved)
                        return NULL;
        }
}

static void race(void)
{
        pthread_t a, b;
        long total = 0, want = 0;

        for (int i = 0; i < 300; i++)
                want += 1 + i * 7 % 3000;
        fcntl(p[0], F_SETFL, O_NONBLOCK), fcntl(q[0], F_SETFL, O_NONBLOCK);
        pthread_create(&a, NULL, feeds, NULL);
        pthread_create(&b, NULL, moves, NULL);
        int64_t end = now_ms() + 20000;
        while (total < want && now_ms() < end) {
                ssize_t n = read(q[0], buf, 5000);
                total += n > 0 ? n : 0;
                n = read(p[0], buf, 777);
                total += n > 0 ? n : 0;
        }
        moved = 1;
        pthread_join(a, NULL), pthread_join(b, NULL);
        CHECK("every byte once", total == want);
        fcntl(p[0], F_SETFL, 0), fcntl(q[0], F_SETFL, 0);
}

int main(void)
{
        must(pipe(p) == 0 && pipe(q) == 0, "pipe");
        file = open("file", O_RDWR | O_CREAT, 0600);
        pipe_file();
        pipes();
        errors();
        memory();
        waiting();
        copies();
        race();
        return done();
}
