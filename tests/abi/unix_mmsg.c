/* sendmmsg and recvmmsg. */
#include "unix.h"

#define N 8
static int            s[2];
static struct mmsghdr m[N];
static struct iovec   iov[N];
static char           buf[N][16];

static void prepare(int n)
{
        memset(m, 0, sizeof m);
        for (int i = 0; i < n; i++) {
                iov[i].iov_base = buf[i];
                iov[i].iov_len = i + 1;
                m[i].msg_hdr.msg_iov = &iov[i];
                m[i].msg_hdr.msg_iovlen = 1;
        }
}

static void fresh(int type) { must(socketpair(AF_UNIX, type, 0, s) == 0, "socketpair"); }
static void end(void) { close(s[0]); close(s[1]); }

int main(void)
{
        struct timespec t = { 0, 0 };

        fresh(SOCK_DGRAM);
        prepare(N);
        CHECK("send", sendmmsg(s[0], m, N, 0) == N);
        int ok = 1;
        for (int i = 0; i < N; i++)
                ok = ok && m[i].msg_len == (unsigned)i + 1;
        CHECK("lengths", ok);
        for (int i = 0; i < N; i++)
                iov[i].iov_len = 16;
        CHECK("receive", recvmmsg(s[1], m, N, 0, NULL) == N);
        ok = 1;
        for (int i = 0; i < N; i++)
                ok = ok && m[i].msg_len == (unsigned)i + 1;
        CHECK("lengths", ok);
        FAILS("none", EAGAIN, recvmmsg(s[1], m, N, MSG_DONTWAIT, NULL));
        send(s[0], "x", 1, 0);
        send(s[0], "y", 1, 0);
        CHECK("as many as there are", recvmmsg(s[1], m, N, MSG_DONTWAIT, NULL) == 2);
        send(s[0], "x", 1, 0);
        CHECK("MSG_WAITFORONE", recvmmsg(s[1], m, N, MSG_WAITFORONE, NULL) == 1);
        send(s[0], "x", 1, 0);
        send(s[0], "y", 1, 0);
        CHECK("a timeout that has passed", recvmmsg(s[1], m, N, 0, &t) == 1);
        recv(s[1], buf[0], 1, 0);
        t.tv_nsec = 1000000000;
        FAILS("bad timeout", EINVAL, recvmmsg(s[1], m, N, 0, &t));
        t.tv_nsec = 0;
        t.tv_sec = -1;
        FAILS("negative timeout", EINVAL, recvmmsg(s[1], m, N, 0, &t));
        FAILS("bad timeout address", EFAULT, recvmmsg(s[1], m, N, 0, BAD_PTR));
        CHECK("zero of them", sendmmsg(s[0], m, 0, 0) == 0 && recvmmsg(s[1], m, 0, 0, NULL) == 0);
        FAILS("no socket", ENOTSOCK, sendmmsg(0, m, 1, 0));
        FAILS("no descriptor", EBADF, sendmmsg(-1, m, 1, 0));
        FAILS("no socket", ENOTSOCK, recvmmsg(0, m, 1, 0, NULL));
        prepare(N);
        m[2].msg_hdr.msg_iov = BAD_PTR;
        CHECK("up to the bad one", sendmmsg(s[0], m, N, 0) == 2);
        FAILS("first bad", EFAULT, sendmmsg(s[0], m + 2, N - 2, 0));
        FAILS("bad array", EFAULT, sendmmsg(s[0], BAD_PTR, 1, 0));
        m[1].msg_hdr.msg_iov = BAD_PTR;
        CHECK("receive up to the bad one", recvmmsg(s[1], m, N, 0, NULL) == 1);
        FAILS("the error is told next", EFAULT, recvmmsg(s[1], m, N, 0, NULL));
        CHECK("once", recvmmsg(s[1], m, 1, 0, NULL) == 1);
        prepare(2);
        m[0].msg_hdr.msg_iovlen = 1025;
        FAILS("too many vectors", EMSGSIZE, sendmmsg(s[0], m, 2, 0));
        end();
        fresh(SOCK_STREAM);
        prepare(3);
        CHECK("on a stream", sendmmsg(s[0], m, 3, 0) == 3 && recv(s[1], buf[0], 16, 0) == 6);
        end();
        return done();
}
