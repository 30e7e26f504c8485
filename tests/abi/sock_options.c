/* SOL_SOCKET: every option's value, length and permission. */
#include "unix.h"

static int fd;

static int get(int name, socklen_t len, int *out_len)
{
        char v[256] = { 0 };
        socklen_t n = len;
        int r = getsockopt(fd, SOL_SOCKET, name, v, &n);
        *out_len = n;
        return r ? -errno : 0;
}

static int set(int name, int v, socklen_t len) { return setsockopt(fd, SOL_SOCKET, name, &v, len) ? -errno : 0; }

static void survey(const char *who)
{
        for (int name = 0; name <= 80; name++) {
                int len, r = get(name, 64, &len);
                say("%s %d: get %d", who, name, r);
                if (r == 0)
                        say(" len %d", len);
                say(" set 1 %d, 100 %d, short %d\n", set(name, 1, 4), set(name, 100, 4), set(name, 1, 3));
        }
}

static int as_user(void)
{
        become_user(1000);
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        survey("user");
        return 0;
}

static void buffers(void)
{
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK("default buffers", option(fd, SO_SNDBUF) == 212992 && option(fd, SO_RCVBUF) == 212992);
        set_option(fd, SO_SNDBUF, 10000);
        set_option(fd, SO_RCVBUF, 10000);
        CHECK("doubled", option(fd, SO_SNDBUF) == 20000 && option(fd, SO_RCVBUF) == 20000);
        set_option(fd, SO_SNDBUF, 1);
        set_option(fd, SO_RCVBUF, 1);
        CHECK("least", option(fd, SO_SNDBUF) == 4608 && option(fd, SO_RCVBUF) == 2304);
        set_option(fd, SO_SNDBUF, 1 << 30);
        set_option(fd, SO_RCVBUF, -1);
        CHECK("most", option(fd, SO_SNDBUF) == 425984 && option(fd, SO_RCVBUF) == 425984);
        set_option(fd, SO_SNDBUFFORCE, 1 << 20);
        CHECK("forced", option(fd, SO_SNDBUF) == 2 << 20);
        int s[2];
        static char buf[65536];
        socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        set_option(s[0], SO_SNDBUF, 1);
        int n = 0;
        while (send(s[0], buf, 512, MSG_DONTWAIT) > 0)
                n++;
        CHECK("a small buffer is soon full", n > 0 && n < 40);
        close(s[0]);
        close(s[1]);
        socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
        set_option(s[0], SO_SNDBUF, 5000);
        CHECK("the largest datagram", send(s[0], buf, 9968, 0) == 9968);
        FAILS("one more", EMSGSIZE, send(s[0], buf, 9969, 0));
}

static void times(void)
{
        struct timeval tv = { 1, 500000 };
        socklen_t n = sizeof tv;
        char b;
        int s[2];

        socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        OKAY("SO_RCVTIMEO", setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
        memset(&tv, 0, sizeof tv);
        getsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, &n);
        CHECK("kept", n == sizeof tv && tv.tv_sec == 1 && tv.tv_usec >= 500000 && tv.tv_usec < 504001);
        tv.tv_usec = 1000000;
        FAILS("too many microseconds", EDOM, setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
        FAILS("short", EINVAL, setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, 8));
        tv = (struct timeval){ 0, 40000 };
        setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
        int64_t t = now_ms();
        FAILS("recv times out", EAGAIN, recv(s[0], &b, 1, 0));
        FAILS("read too", EAGAIN, read(s[0], &b, 1));
        CHECK("after a while", now_ms() - t >= 75);
        tv = (struct timeval){ -1, 0 };
        setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
        FAILS("negative: at once", EAGAIN, recv(s[0], &b, 1, 0));
        tv = (struct timeval){ 0, 40000 };
        setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
        static char buf[65536];
        while (send(s[0], buf, sizeof buf, MSG_DONTWAIT) > 0)
                ;
        FAILS("send times out", EAGAIN, send(s[0], buf, 1, 0));
        send(s[1], "abc", 3, 0);
        tv = (struct timeval){ 0, 20000 };
        setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
        CHECK("MSG_WAITALL: what came in time", recv(s[0], buf, 10, MSG_WAITALL) == 3);
        close(s[0]);
        close(s[1]);
}

static void others(void)
{
        struct linger lg = { 1, 5 };
        socklen_t n = sizeof lg;
        int v;
        uint64_t w = 0, x = 0;

        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        OKAY("SO_LINGER", setsockopt(fd, SOL_SOCKET, SO_LINGER, &lg, sizeof lg));
        memset(&lg, 0, sizeof lg);
        getsockopt(fd, SOL_SOCKET, SO_LINGER, &lg, &n);
        CHECK("kept", lg.l_onoff == 1 && lg.l_linger == 5 && n == 8);
        CHECK("flags are 0 or 1", set_option(fd, SO_KEEPALIVE, 5) == 0 && set_option(fd, SO_PASSCRED, 5) == 0 && option(fd, SO_PASSCRED) == 1 && option(fd, SO_OOBINLINE) == 0);
        CHECK("SO_RCVLOWAT", option(fd, SO_RCVLOWAT) == 1 && set_option(fd, SO_RCVLOWAT, 0) == 0 && option(fd, SO_RCVLOWAT) == 1 &&
                              set_option(fd, SO_RCVLOWAT, -5) == 0 && option(fd, SO_RCVLOWAT) == INT_MAX);
        n = 2;
        v = 0x01020304;
        OKAY("cut to two bytes", getsockopt(fd, SOL_SOCKET, SO_TYPE, &v, &n));
        CHECK("the low ones", n == 2 && v == 0x01020001);
        n = 0;
        OKAY("to none", getsockopt(fd, SOL_SOCKET, SO_TYPE, &v, &n));
        n = -1;
        FAILS("negative", EINVAL, getsockopt(fd, SOL_SOCKET, SO_TYPE, &v, &n));
        FAILS("bad length", EFAULT, getsockopt(fd, SOL_SOCKET, SO_TYPE, &v, BAD_PTR));
        n = 4;
        FAILS("bad value", EFAULT, getsockopt(fd, SOL_SOCKET, SO_TYPE, BAD_PTR, &n));
        FAILS("bad value", EFAULT, setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, BAD_PTR, 4));
        FAILS("negative length", EINVAL, setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &v, -1));
        FAILS("another level", EOPNOTSUPP, setsockopt(fd, 6, 1, &v, 4));
        FAILS("another level", EOPNOTSUPP, getsockopt(fd, 6, 1, &v, &n));
        n = 8;
        OKAY("SO_COOKIE", getsockopt(fd, SOL_SOCKET, 57, &w, &n));
        getsockopt(socket(AF_UNIX, SOCK_STREAM, 0), SOL_SOCKET, 57, &x, &n);
        CHECK("differs", w && x && w != x);
        n = 4;
        FAILS("too short", EINVAL, getsockopt(fd, SOL_SOCKET, 57, &w, &n));
}

int main(void)
{
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        survey("root");
        in_child(as_user);
        buffers();
        times();
        others();
        return done();
}
