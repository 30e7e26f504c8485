/* SOCK_SEQPACKET: connected records. */
#include "unix.h"

static char buf[300000];
static volatile int pipes;
static void on_pipe(int sig) { (void)sig; pipes++; }

int main(void)
{
        int s[2];
        struct sockaddr_un a;
        socklen_t n;

        on(SIGPIPE, on_pipe, 0);
        must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s) == 0, "socketpair");
        CHECK("SO_TYPE", option(s[0], SO_TYPE) == SOCK_SEQPACKET);
        CHECK("records", write(s[0], "one", 3) == 3 && write(s[0], "two2", 4) == 4);
        CHECK("one at a time", read(s[1], buf, 100) == 3 && read(s[1], buf, 100) == 4);
        CHECK("an empty one", send(s[0], "", 0, 0) == 0);
        CHECK("comes", recv(s[1], buf, 9, MSG_DONTWAIT) == 0);
        FAILS("once", EAGAIN, recv(s[1], buf, 9, MSG_DONTWAIT));
        send(s[0], "12345", 5, MSG_EOR);
        struct iovec  iov = { buf, 2 };
        struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_name = &a, .msg_namelen = sizeof a };
        CHECK("cut", recvmsg(s[1], &h, 0) == 2 && h.msg_flags == MSG_TRUNC && h.msg_namelen == 0);
        CHECK("MSG_PEEK", send(s[0], "p", 1, 0) == 1 && recv(s[1], buf, 9, MSG_PEEK) == 1 && recv(s[1], buf, 9, 0) == 1);
        FAILS("MSG_OOB", EOPNOTSUPP, send(s[0], "x", 1, MSG_OOB));
        FAILS("too large", EMSGSIZE, send(s[0], buf, sizeof buf, 0));
        send(s[0], "last", 4, 0);
        close(s[0]);
        CHECK("polls as ended", ready(s[1]) == (POLLIN | POLLOUT | POLLHUP | POLLRDHUP));
        CHECK("the last record", read(s[1], buf, 9) == 4);
        CHECK("the end", read(s[1], buf, 9) == 0 && recv(s[1], buf, 9, MSG_DONTWAIT) == 0);
        FAILS("write", EPIPE, write(s[1], "x", 1));
        CHECK("no SIGPIPE", pipes == 0);
        close(s[1]);
        socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s);
        send(s[0], "unread", 6, 0);
        close(s[1]);
        FAILS("unread records reset", ECONNRESET, read(s[0], buf, 1));
        close(s[0]);

        int c = socket(AF_UNIX, SOCK_SEQPACKET, 0);
        FAILS("recv unconnected", ENOTCONN, recv(c, buf, 1, 0));
        FAILS("send unconnected", ENOTCONN, send(c, "x", 1, 0));
        CHECK("polls", ready(c) == (POLLOUT | POLLHUP));
        int l = listener(SOCK_SEQPACKET, "seq", 2);
        FAILS("recv of a listener", ENOTCONN, recv(l, buf, 1, 0));
        OKAY("connect", connect_to(c, "seq"));
        n = sizeof a;
        int t = accept(l, (struct sockaddr *)&a, &n);
        OKAY("accept", t);
        CHECK("sendto ignores the address", send_to(c, "abc", 3, 0, "nowhere") == 3 && recv(t, buf, 9, 0) == 3);
        OKAY("shutdown", shutdown(c, SHUT_WR));
        CHECK("ends the other's reading", recv(t, buf, 9, 0) == 0);
        FAILS("send after", EPIPE, send(c, "x", 1, 0));
        CHECK("the other way", send(t, "y", 1, 0) == 1 && recv(c, buf, 9, 0) == 1);
        FAILS("connect again", EISCONN, connect_to(c, "seq"));
        close(t);
        close(c);
        close(l);
        int k = 0;
        socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s);
        while (send(s[0], "x", 1, MSG_DONTWAIT) == 1)
                k++;
        CHECK("limited by the buffer", k == 278);
        return done();
}
