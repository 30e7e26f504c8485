/* Descriptors in flight that nobody can reach are collected. */
#include "unix.h"

static int closed_in(int p)     /* has the last writer gone? */
{
        struct pollfd f = { p, POLLIN, 0 };
        for (int i = 0; i < 200; i++) {
                if (poll(&f, 1, 0) == 1 && (f.revents & POLLHUP))
                        return 1;
                sleep_ms(5);
        }
        return 0;
}

static int still_open(int p)
{
        struct pollfd f = { p, POLLIN, 0 };
        return poll(&f, 1, 20) == 0;
}

static int s[2], p[2];

static void fresh(int type) { must(socketpair(AF_UNIX, type, 0, s) == 0 && pipe(p) == 0, "fresh"); }

/* Makes a collection happen: closes some other socket. */
static void stir(void)
{
        int t[2];
        must(socketpair(AF_UNIX, SOCK_STREAM, 0, t) == 0, "stir");
        close(t[0]);
        close(t[1]);
}

static void self(int type)
{
        fresh(type);
        send_fds(s[0], &p[1], 1, 0);
        send_fds(s[0], &s[1], 1, 0);            /* s[1] lies in its own queue */
        close(p[1]);
        close(s[1]);
        stir();
        CHECK("reachable by nobody", closed_in(p[0]));
        close(s[0]);
        close(p[0]);

        fresh(type);
        send_fds(s[0], &p[1], 1, 0);
        send_fds(s[0], &s[0], 1, 0);
        send_fds(s[0], &s[1], 1, 0);
        close(p[1]);
        close(s[0]);
        close(s[1]);
        stir();
        CHECK("both ends in one queue", closed_in(p[0]));
        close(p[0]);
}

static void crossed(void)
{
        fresh(SOCK_DGRAM);
        send_fds(s[0], &s[0], 1, 0);            /* each in the other's queue */
        send_fds(s[1], &s[1], 1, 0);
        send_fds(s[0], &p[1], 1, 0);
        close(p[1]);
        close(s[0]);
        CHECK("held while one end is open", still_open(p[0]));
        close(s[1]);
        stir();
        CHECK("crossed", closed_in(p[0]));
        close(p[0]);
}

static void circle(void)
{
        enum { N = 20 };
        int c[N][2];

        must(pipe(p) == 0, "pipe");
        for (int i = 0; i < N; i++)
                must(socketpair(AF_UNIX, SOCK_STREAM, 0, c[i]) == 0, "socketpair");
        for (int i = 0; i < N; i++)
                send_fds(c[i][0], &c[(i + 1) % N][1], 1, 0);
        send_fds(c[7][0], &p[1], 1, 0);
        close(p[1]);
        int last = dup(c[3][1]);
        for (int i = 0; i < N; i++) {
                close(c[i][0]);
                close(c[i][1]);
        }
        stir();
        CHECK("a circle with one open end stays", still_open(p[0]));
        int fd = -1, n = 0;
        while (n < 4 && recv_fds(last, &fd, 1, MSG_DONTWAIT, NULL) == 1) {
                close(last);
                last = fd;
                n++;
        }
        CHECK("and can be walked", n == 4);
        int got[2];
        CHECK("to what it holds", recv_fds(last, got, 2, MSG_DONTWAIT, NULL) == 1 && recv_fds(last, got + 1, 2, MSG_DONTWAIT, NULL) == 1);
        close(got[0]);
        close(got[1]);
        close(last);
        stir();
        CHECK("then nothing is held", closed_in(p[0]));
        close(p[0]);
}

static void chain(void)
{
        int a[2], b[2];

        must(pipe(p) == 0 && socketpair(AF_UNIX, SOCK_DGRAM, 0, a) == 0, "chain");
        send_fds(a[0], &p[1], 1, 0);
        close(p[1]);
        for (int i = 0; i < 300; i++) {
                must(socketpair(AF_UNIX, SOCK_DGRAM, 0, b) == 0, "chain");
                send_fds(b[0], &a[0], 1, 0);
                send_fds(b[0], &a[1], 1, 0);
                close(a[0]);
                close(a[1]);
                a[0] = b[0];
                a[1] = b[1];
        }
        stir();
        CHECK("300 deep is held", still_open(p[0]));
        close(a[0]);
        close(a[1]);
        stir();
        CHECK("and goes", closed_in(p[0]));
        close(p[0]);
}

/* A connection that waits at a listener lies in the queue of a listener in flight. */
static void listening(void)
{
        must(pipe(p) == 0, "pipe");
        int l = listener(SOCK_STREAM, "@gc", 5), c = connected(SOCK_STREAM, "@gc");
        send_fds(c, &l, 1, 0);
        send_fds(c, &p[1], 1, 0);
        close(p[1]);
        close(l);
        stir();
        CHECK("a listener in its own embryo's queue", closed_in(p[0]));
        char ch;
        FAILS("the client is reset", ECONNRESET, read(c, &ch, 1));
        close(c);
        close(p[0]);
}

int main(void)
{
        self(SOCK_STREAM);
        self(SOCK_DGRAM);
        self(SOCK_SEQPACKET);
        crossed();
        circle();
        chain();
        listening();
        return done();
}
