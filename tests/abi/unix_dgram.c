/* AF_UNIX datagrams: messages, peers, full queues. */
#include "unix.h"

static char buf[300000];
static int  s[2];

static void messages(void)
{
        must(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0, "socketpair");
        CHECK("send", send(s[0], "one", 3, 0) == 3 && send(s[0], "", 0, 0) == 0 && write(s[0], "three", 5) == 5);
        int n = -1;
        ioctl(s[1], FIONREAD, &n);
        CHECK("FIONREAD: the first", n == 3);
        CHECK("peek", recv(s[1], buf, 9, MSG_PEEK) == 3);
        CHECK("one at a time", recv(s[1], buf, 9, 0) == 3);
        CHECK("an empty one", recv(s[1], buf, 9, MSG_DONTWAIT) == 0);
        CHECK("cut", recv(s[1], buf, 2, 0) == 2 && !memcmp(buf, "th", 2));
        FAILS("the rest is lost", EAGAIN, recv(s[1], buf, 9, MSG_DONTWAIT));
        send(s[0], "12345", 5, 0);
        CHECK("MSG_TRUNC tells the length", recv(s[1], buf, 2, MSG_TRUNC) == 5);
        send(s[0], "12345", 5, 0);
        struct iovec  iov = { buf, 3 };
        struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
        CHECK("recvmsg flags it", recvmsg(s[1], &h, 0) == 3 && h.msg_flags == MSG_TRUNC);
        send(s[0], "12345", 5, 0);
        CHECK("with MSG_PEEK", recv(s[1], buf, 2, MSG_TRUNC | MSG_PEEK) == 5 && recv(s[1], buf, 9, 0) == 5);
        send(s[0], "12345", 5, 0);
        FAILS("bad address", EFAULT, recv(s[1], BAD_PTR, 5, 0));
        FAILS("loses it", EAGAIN, recv(s[1], buf, 9, MSG_DONTWAIT));
        FAILS("bad address", EFAULT, send(s[0], BAD_PTR, 5, 0));
        FAILS("MSG_OOB", EOPNOTSUPP, send(s[0], "x", 1, MSG_OOB));
        FAILS("MSG_OOB", EOPNOTSUPP, recv(s[0], buf, 1, MSG_OOB | MSG_DONTWAIT));
        CHECK("large", send(s[0], buf, 200000, 0) == 200000 && recv(s[1], buf, sizeof buf, 0) == 200000);
        FAILS("too large", EMSGSIZE, send(s[0], buf, 212992, 0));
        for (size_t i = 0; i < 100000; i++)
                buf[i] = (char)(i * 31 + i / 257);
        send(s[0], buf, 100000, 0);
        memset(buf, 0, 100000);
        recv(s[1], buf, sizeof buf, 0);
        int bad = 0;
        for (size_t i = 0; i < 100000; i++)
                bad += buf[i] != (char)(i * 31 + i / 257);
        CHECK("whole", bad == 0);
        int sent = 0;
        while (send(s[0], "x", 1, MSG_DONTWAIT) == 1)
                sent++;
        CHECK("a pair is limited by the buffer", sent == 278 && errno == EAGAIN && (ready(s[0]) & POLLOUT) == 0);
        ioctl(s[0], TIOCOUTQ, &n);
        CHECK("SIOCOUTQ", n == 278 * 768);
        for (int i = 0; i < 208; i++)
                recv(s[1], buf, 1, 0);
        CHECK("not yet", (ready(s[0]) & POLLOUT) == 0);
        recv(s[1], buf, 1, 0);
        CHECK("a quarter is left", ready(s[0]) & POLLOUT);
        close(s[0]);
        close(s[1]);
}

static void peers(void)
{
        struct sockaddr_un a;
        socklen_t          n;
        int                r = bound(SOCK_DGRAM, "recv"), c = socket(AF_UNIX, SOCK_DGRAM, 0), d;

        FAILS("no peer", ENOTCONN, send(c, "x", 1, 0));
        CHECK("unconnected polls", ready(c) == POLLOUT);
        CHECK("sendto", send_to(c, "anon", 4, 0, "recv") == 4);
        n = sizeof a;
        CHECK("from nobody", recvfrom(r, buf, 9, 0, (struct sockaddr *)&a, &n) == 4 && n == 0);
        bind_to(c, "@sender");
        send_to(c, "named", 5, 0, "recv");
        n = sizeof a;
        CHECK("from a name", recvfrom(r, buf, 9, 0, (struct sockaddr *)&a, &n) == 5 && n == 2 + 7 && !memcmp(a.sun_path, "\0sender", 7));
        send_to(c, "named", 5, 0, "recv");
        n = 4;
        memset(&a, 'x', sizeof a);
        CHECK("the name is cut", recvfrom(r, buf, 9, 0, (struct sockaddr *)&a, &n) == 5 && n == 9 && a.sun_path[2] == 'x');
        FAILS("sendto nobody", ECONNREFUSED, send_to(c, "x", 1, 0, "@nobody"));
        FAILS("sendto no file", ENOENT, send_to(c, "x", 1, 0, "nofile"));
        FAILS("sendto a short address", EINVAL, sendto(c, "x", 1, 0, (struct sockaddr *)&a, 1));
        int l = listener(SOCK_STREAM, "stream", 1);
        FAILS("sendto a stream", EPROTOTYPE, send_to(c, "x", 1, 0, "stream"));
        close(l);
        OKAY("connect", connect_to(c, "recv"));
        CHECK("send", send(c, "x", 1, 0) == 1);
        d = bound(SOCK_DGRAM, "second");
        CHECK("sendto elsewhere meanwhile", send_to(c, "y", 1, 0, "second") == 1 && recv(d, buf, 9, 0) == 1 && buf[0] == 'y');
        OKAY("the receiver connects back", connect_to(r, "@sender"));
        FAILS("others may not send to it", EPERM, send_to(d, "z", 1, 0, "recv"));
        FAILS("nor connect", EPERM, connect_to(d, "recv"));
        recv(r, buf, 9, 0);
        send(r, "lost", 4, 0);
        send(c, "mine", 4, 0);
        OKAY("connect elsewhere", connect_to(c, "second"));
        FAILS("what had come is lost", EAGAIN, recv(c, buf, 9, MSG_DONTWAIT));
        FAILS("and the old peer is told", ECONNRESET, send(r, "x", 1, 0));
        CHECK("once", recv(r, buf, 9, MSG_DONTWAIT) == 4);
        a.sun_family = AF_UNSPEC;
        OKAY("AF_UNSPEC", connect(c, (struct sockaddr *)&a, 2));
        FAILS("no peer", ENOTCONN, send(c, "x", 1, 0));
        FAILS("no name of it", ENOTCONN, (n = sizeof a, getpeername(c, (struct sockaddr *)&a, &n)));
        connect_to(c, "second");
        close(d);
        FAILS("the peer dies", ECONNREFUSED, send(c, "x", 1, 0));
        FAILS("and is forgotten", ENOTCONN, send(c, "x", 1, 0));
        FAILS("its name leads nowhere", ECONNREFUSED, send_to(c, "x", 1, 0, "second"));
        OKAY("connect to oneself", connect_to(c, "@sender"));
        CHECK("and send", send(c, "me", 2, 0) == 2 && recv(c, buf, 9, 0) == 2);
        close(c);
        close(r);
}

static void full(void)
{
        int r = bound(SOCK_DGRAM, "@full"), c = socket(AF_UNIX, SOCK_DGRAM, 0), n = 0;

        while (send_to(c, "x", 1, MSG_DONTWAIT, "@full") == 1)
                n++;
        CHECK("eleven wait", n == 11 && errno == EAGAIN);
        CHECK("an unconnected sender polls writable", ready(c) & POLLOUT);
        connect_to(c, "@full");
        CHECK("a connected one does not", (ready(c) & POLLOUT) == 0);
        struct timeval tv = { 0, 20000 };
        setsockopt(c, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
        FAILS("SO_SNDTIMEO", EAGAIN, send(c, "x", 1, 0));
        tv.tv_usec = 0;
        setsockopt(c, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
        pid_t pid = fork();
        if (pid == 0)
                _exit(send(c, "y", 1, 0) == 1 ? 0 : errno);
        CHECK("send waits", state_becomes(pid, 'S'));
        recv(r, buf, 1, 0);
        CHECK("for room", result_of(pid) == 0);
        struct pollfd p = { c, POLLOUT, 0 };
        pid = fork();
        if (pid == 0) {
                sleep_ms(20);
                recv(r, buf, 1, 0);
                _exit(0);
        }
        CHECK("so does poll", poll(&p, 1, 5000) == 1 && p.revents == POLLOUT);
        result_of(pid);
        send(c, "x", 1, 0);
        pid = fork();
        if (pid == 0) {
                close(r);
                _exit(send(c, "y", 1, 0) == 1 ? 0 : errno);
        }
        state_becomes(pid, 'S');
        close(r);
        CHECK("the receiver dies", result_of(pid) == ECONNREFUSED);
        close(c);
        r = bound(SOCK_DGRAM, "@shut");
        c = connected(SOCK_DGRAM, "@shut");
        shutdown(r, SHUT_RD);
        FAILS("send to one that reads no more", EPIPE, send(c, "x", 1, MSG_NOSIGNAL));
        FAILS("reading it does not end at once", EAGAIN, recv(r, buf, 1, MSG_DONTWAIT));
        CHECK("but where it would wait", recv(r, buf, 1, 0) == 0);
        shutdown(c, SHUT_WR);
        FAILS("after SHUT_WR", EPIPE, send(c, "x", 1, MSG_NOSIGNAL));
        close(c);
        close(r);
}

static volatile int pipes;
static void on_pipe(int sig) { (void)sig; pipes++; }

int main(void)
{
        on(SIGPIPE, on_pipe, 0);
        messages();
        peers();
        full();
        must(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0, "socketpair");
        shutdown(s[0], SHUT_WR);
        FAILS("write after SHUT_WR", EPIPE, write(s[0], "x", 1));
        CHECK("no SIGPIPE for datagrams", pipes == 0);
        return done();
}
