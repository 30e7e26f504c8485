/* F_SETPIPE_SZ and F_GETPIPE_SZ, the limits of /proc/sys/fs, what fits. */
#include "abi.h"

static int p[2];
static char buf[1 << 20];

static long fill(int fd)
{
        long all = 0, n;

        while ((n = write(fd, buf, PAGE)) > 0)
                all += n;
        return all;
}
static long drain(int fd)
{
        long all = 0, n;

        while ((n = read(fd, buf, sizeof buf)) > 0)
                all += n;
        return all;
}

static void sizes(void)
{
        int good = 0;

        must(pipe2(p, O_NONBLOCK) == 0, "pipe");
        CHECK("at first", fcntl(p[0], F_GETPIPE_SZ) == 65536 && fcntl(p[1], F_GETPIPE_SZ) == 65536);
        CHECK("one page at least", fcntl(p[0], F_SETPIPE_SZ, 1) == 4096);
        CHECK("none is one page", fcntl(p[0], F_SETPIPE_SZ, 0) == -1 || fcntl(p[0], F_GETPIPE_SZ) == 4096);
        CHECK("one page holds one page", fill(p[1]) == 4096 && drain(p[0]) == 4096);
        CHECK("rounded up", fcntl(p[1], F_SETPIPE_SZ, 5000) == 8192);
        CHECK("to a power of two", fcntl(p[1], F_SETPIPE_SZ, 5 * 4096) == 8 * 4096);
        CHECK("so much fits", fill(p[1]) == 8 * 4096);
        FAILS("not below what is in it", EBUSY, fcntl(p[1], F_SETPIPE_SZ, 4 * 4096));
        CHECK("the size stays", fcntl(p[1], F_GETPIPE_SZ) == 8 * 4096);
        CHECK("larger, with what is in it", fcntl(p[1], F_SETPIPE_SZ, 16 * 4096) == 16 * 4096);
        CHECK("room again", fill(p[1]) == 8 * 4096);
        CHECK("all there", drain(p[0]) == 16 * 4096);
        CHECK("the largest for all", fcntl(p[0], F_SETPIPE_SZ, 1048576) == 1048576);
        FAILS("too much to say", EINVAL, fcntl(p[0], F_SETPIPE_SZ, 0x80000001u));
        FAILS("negative", EINVAL, fcntl(p[0], F_SETPIPE_SZ, -1));
        CHECK("root may have more", fcntl(p[0], F_SETPIPE_SZ, 4 << 20) == 4 << 20 && fcntl(p[1], F_GETPIPE_SZ) == 4 << 20);
        for (int i = 0; i < 3 << 20; i += PAGE) {
                buf[0] = (char)(i >> 12), buf[1] = (char)(i >> 20);
                good += write(p[1], buf, PAGE) == PAGE;
        }
        CHECK("it holds that", good == 3 << 8);
        FAILS("not below", EBUSY, fcntl(p[1], F_SETPIPE_SZ, 2 << 20));
        CHECK("twice as much", fcntl(p[1], F_SETPIPE_SZ, 8 << 20) == 8 << 20);
        for (int i = 0; i < 3 << 20; i += PAGE)
                good -= read(p[0], buf, PAGE) == PAGE && buf[0] == (char)(i >> 12) && buf[1] == (char)(i >> 20);
        CHECK("all there", good == 0);
        CHECK("full", fill(p[1]) == 8 << 20);
        for (int i = 0; i < 7; i++)
                good += read(p[0], buf, sizeof buf) == sizeof buf;
        CHECK("less again", good == 7 && fcntl(p[1], F_SETPIPE_SZ, 1 << 20) == 1 << 20);
        CHECK("the rest", drain(p[0]) == 1 << 20);
        CHECK("very much", fcntl(p[0], F_SETPIPE_SZ, 256 << 20) == 256 << 20);
        CHECK("small again", fcntl(p[0], F_SETPIPE_SZ, 4096) == 4096);
        int f = open("file", O_RDWR | O_CREAT, 0600);
        FAILS("a file", EBADF, fcntl(f, F_GETPIPE_SZ));
        FAILS("a file, set", EBADF, fcntl(f, F_SETPIPE_SZ, 4096));
        close(f);
        must(mkfifo("fifo", 0600) == 0, "mkfifo");
        f = open("fifo", O_RDWR);
        CHECK("a FIFO", fcntl(f, F_GETPIPE_SZ) == 65536 && fcntl(f, F_SETPIPE_SZ, 8192) == 8192);
        close(f);
        int o = open("fifo", O_PATH);
        FAILS("O_PATH", EBADF, fcntl(o, F_GETPIPE_SZ));
        close(o);
}

static int as_user(void)
{
        become_user(1000);
        CHECK("up to the limit", fcntl(p[0], F_SETPIPE_SZ, 1048576) == 1048576);
        FAILS("not above it", EPERM, fcntl(p[0], F_SETPIPE_SZ, 1048577));
        CHECK("less", fcntl(p[0], F_SETPIPE_SZ, 65536) == 65536);
        return done();
}
static int as_user_less(void)
{
        become_user(1000);
        FAILS("the new limit", EPERM, fcntl(p[0], F_SETPIPE_SZ, 262144));
        CHECK("just so much", fcntl(p[0], F_SETPIPE_SZ, 131072) == 131072);
        CHECK("smaller is free", fcntl(p[0], F_SETPIPE_SZ, 65536) == 65536);
        FAILS("the setting is root's", EACCES, set_text("/proc/sys/fs/pipe-max-size", "1048576"));
        return done();
}

static int as_user_more(void)
{
        become_user(1000);
        CHECK("up to the new limit", fcntl(p[0], F_SETPIPE_SZ, 8 << 20) == 8 << 20);
        FAILS("not above it", EPERM, fcntl(p[0], F_SETPIPE_SZ, 16 << 20));
        CHECK("small again", fcntl(p[0], F_SETPIPE_SZ, 65536) == 65536);
        return done();
}

#define MAX_SIZE "/proc/sys/fs/pipe-max-size"
static void limit(void)
{
        CHECK("as a user", in_child(as_user) == 0);
        CHECK("the limit", !strcmp(text_of(MAX_SIZE), "1048576\n"));
        OKAY("less", set_text(MAX_SIZE, "100000"));
        CHECK("rounded", !strcmp(text_of(MAX_SIZE), "131072\n"));
        CHECK("as a user, less", in_child(as_user_less) == 0);
        CHECK("root is above it", fcntl(p[0], F_SETPIPE_SZ, 262144) == 262144);
        OKAY("a byte", set_text(MAX_SIZE, "1"));
        CHECK("is a page", !strcmp(text_of(MAX_SIZE), "4096\n"));
        OKAY("none", set_text(MAX_SIZE, "0"));
        CHECK("is a page, too", !strcmp(text_of(MAX_SIZE), "4096\n"));
        FAILS("negative", EINVAL, set_text(MAX_SIZE, "-1"));
        FAILS("no number", EINVAL, set_text(MAX_SIZE, "x"));
        OKAY("more", set_text(MAX_SIZE, "5000000"));
        CHECK("rounded", !strcmp(text_of(MAX_SIZE), "8388608\n"));
        CHECK("as a user, more", in_child(as_user_more) == 0);
        FAILS("too much to say", EINVAL, set_text(MAX_SIZE, "2147483649"));
        FAILS("far too much", EINVAL, set_text(MAX_SIZE, "4294967296"));
        OKAY("as before", set_text(MAX_SIZE, "1048576"));
}

int main(void)
{
        sizes();
        limit();
        return done();
}
