/* SPDX-License-Identifier: Apache-2.0
 *
 * pipe_user_pages: how much a user's pipes may hold together: fs.pipe-user-pages-soft and -hard.
 */
#include "abi.h"

#define SOFT "/proc/sys/fs/pipe-user-pages-soft"
#define HARD "/proc/sys/fs/pipe-user-pages-hard"
#define MAX_SIZE "/proc/sys/fs/pipe-max-size"

static int p[20][2];
static int size(int i) { return fcntl(p[i][0], F_GETPIPE_SZ); }
static int resize(int i, int to) { return fcntl(p[i][0], F_SETPIPE_SZ, to); }

static int settings(void)
{
        CHECK("the soft one", !strcmp(text_of(SOFT), "16384\n"));
        CHECK("no hard one", !strcmp(text_of(HARD), "0\n"));
        OKAY("set", set_text(SOFT, "5000000000"));
        CHECK("a long number", !strcmp(text_of(SOFT), "5000000000\n"));
        FAILS("no number", EINVAL, set_text(SOFT, "x"));
        CHECK("no change", !strcmp(text_of(SOFT), "5000000000\n"));
        return done();
}

/* The limit is 64: four pipes. */
static int soft(void)
{
        int f[2];

        become_user(4321);
        for (int i = 0; i < 6; i++) {
                OKAY("a pipe", pipe2(p[i], O_NONBLOCK));
                say("pipe %d: %d\n", i, size(i));
        }
        FAILS("more for one", EPERM, resize(0, 131072));
        FAILS("more for a small one", EPERM, resize(5, 65536));
        CHECK("less for one", resize(0, 32768) == 32768);
        CHECK("and the same", resize(0, 32768) == 32768);
        FAILS("and more again", EPERM, resize(0, 65536));
        CHECK("much less", resize(1, 4096) == 4096 && resize(2, 4096) == 4096);
        CHECK("then there is room", resize(0, 65536) == 65536);
        close(p[3][0]), close(p[3][1]);
        CHECK("a closed one leaves its room", pipe(p[3]) == 0 && size(3) == 65536);
        must(mkfifo("/tmp/soft", 0600) == 0, "mkfifo");
        f[0] = open("/tmp/soft", O_RDWR);
        say("a FIFO: %d\n", fcntl(f[0], F_GETPIPE_SZ));
        unlink("/tmp/soft");
        return done();
}

/* The limit is 64. */
static int hard(void)
{
        become_user(4321);
        for (int i = 0; i < 6; i++) {
                int r = pipe2(p[i], O_NONBLOCK);
                if (r == 0)
                        say("pipe %d: %d\n", i, size(i));
                else
                        say("pipe %d: errno %d\n", i, errno);
        }
        must(mkfifo("/tmp/hard", 0600) == 0, "mkfifo");
        int f = open("/tmp/hard", O_RDWR), e = errno;
        say("a FIFO: %d\n", f < 0 ? e : 0);
        unlink("/tmp/hard");
        FAILS("more", EPERM, resize(0, 131072));
        CHECK("less", resize(0, 4096) == 4096);
        return done();
}

/* As nobody's limits matter. */
static int as_root(void)
{
        for (int i = 0; i < 8; i++)
                must(pipe(p[i]) == 0, "pipe");
        CHECK("root's are whole", size(7) == 65536);
        CHECK("and grow", resize(7, 1048576) == 1048576);
        return done();
}

static int small(void)
{
        become_user(4321);
        must(pipe(p[0]) == 0, "pipe");
        say("a new one: %d\n", size(0));
        FAILS("more", EPERM, resize(0, 131072));
        return done();
}
static int small_root(void)
{
        must(pipe(p[0]) == 0, "pipe");
        CHECK("root's", size(0) == 65536);
        return done();
}

int main(void)
{
        chmod("/tmp", 01777);
        CHECK("settings", in_child(settings) == 0);
        OKAY("64 pages", set_text(SOFT, "64"));
        CHECK("soft", in_child(soft) == 0);
        CHECK("the same for the next", in_child(soft) == 0);
        CHECK("root", in_child(as_root) == 0);
        OKAY("none", set_text(SOFT, "0"));
        OKAY("64 pages at most", set_text(HARD, "64"));
        CHECK("hard", in_child(hard) == 0);
        CHECK("root still", in_child(as_root) == 0);
        OKAY("both", set_text(SOFT, "40"));
        CHECK("hard and soft", in_child(hard) == 0);
        OKAY("as before", set_text(HARD, "0"));
        OKAY("as before, too", set_text(SOFT, "16384"));
        OKAY("two pages each", set_text(MAX_SIZE, "8192"));
        CHECK("a small limit", in_child(small) == 0);
        CHECK("not of root", in_child(small_root) == 0);
        OKAY("as it was", set_text(MAX_SIZE, "1048576"));
        return done();
}
