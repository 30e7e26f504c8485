/* SCM_RIGHTS: descriptors in messages. */
#include "unix.h"

static int  s[2];
static char buf[8192];

static void pair(int type) { must(socketpair(AF_UNIX, type, 0, s) == 0, "socketpair"); }
static void end(void) { close(s[0]); close(s[1]); }

static void passing(int type)
{
        int p[2], got[8], flags, before = count_fds();

        pair(type);
        pipe(p);
        CHECK("send two", send_fds(s[0], p, 2, 0) == 1);
        CHECK("they come", recv_fds(s[1], got, 4, 0, &flags) == 2 && flags == 0);
        CHECK("the same files", same_file(got[0], p[0]) && same_file(got[1], p[1]) && got[0] != p[0]);
        CHECK("no FD_CLOEXEC", fcntl(got[0], F_GETFD) == 0);
        CHECK("they work", write(got[1], "x", 1) == 1 && read(p[0], buf, 1) == 1);
        close(got[0]);
        close(got[1]);
        send_fds(s[0], p, 1, 0);
        CHECK("MSG_CMSG_CLOEXEC", recv_fds(s[1], got, 1, MSG_CMSG_CLOEXEC, &flags) == 1 && fcntl(got[0], F_GETFD) == FD_CLOEXEC && flags == MSG_CMSG_CLOEXEC);
        close(got[0]);
        send_fds(s[0], p, 2, 0);
        close(p[0]);
        close(p[1]);
        CHECK("closed by the sender meanwhile", recv_fds(s[1], got, 2, 0, NULL) == 2 && write(got[1], "y", 1) == 1 && read(got[0], buf, 1) == 1);
        int three[3] = { got[0], got[1], got[0] };
        send_fds(s[0], three, 3, 0);
        CHECK("too little room", recv_fds(s[1], three, 2, 0, &flags) == 2 && flags == MSG_CTRUNC);
        close(three[0]);
        close(three[1]);
        send_fds(s[0], got, 2, 0);
        CHECK("no room", recv_fds(s[1], three, 0, 0, &flags) == 0 && flags == MSG_CTRUNC);
        send_fds(s[0], got, 2, 0);
        CHECK("plain read drops them", read(s[1], buf, 9) == 1);
        send_fds(s[0], got, 2, 0);
        CHECK("MSG_PEEK gives copies", recv_fds(s[1], three, 2, MSG_PEEK, NULL) == 2);
        close(three[0]);
        close(three[1]);
        CHECK("again", recv_fds(s[1], three, 2, 0, NULL) == 2);
        close(three[0]);
        close(three[1]);
        close(got[0]);
        close(got[1]);
        end();
        CHECK("none left open", count_fds() == before);
}

static int closed_in(int p)     /* has the last writer gone? */
{
        struct pollfd f = { p, POLLIN, 0 };
        return poll(&f, 1, 0) == 1 && (f.revents & POLLHUP);
}

static void lost(void)
{
        int p[2];

        pair(SOCK_STREAM);
        pipe(p);
        send_fds(s[0], &p[1], 1, 0);
        close(p[1]);
        CHECK("held by the queue", !closed_in(p[0]));
        read(s[1], buf, 1);
        CHECK("let go of when not taken", closed_in(p[0]));
        close(p[0]);
        pipe(p);
        send_fds(s[0], &p[1], 1, 0);
        close(p[1]);
        close(s[1]);
        CHECK("or when the receiver closes", closed_in(p[0]));
        close(p[0]);
        close(s[0]);

        pair(SOCK_STREAM);
        pipe(p);
        send_fds(s[0], &p[1], 1, MSG_OOB);
        close(p[1]);
        CHECK("with the urgent byte", recv(s[1], buf, 1, MSG_OOB) == 1 && buf[0] == 'f');
        send(s[0], "x", 1, 0);
        recv(s[1], buf, 9, MSG_DONTWAIT), recv(s[1], buf, 9, MSG_DONTWAIT);
        CHECK("let go of with it", closed_in(p[0]));
        close(p[0]);
        pipe(p);
        send_fds(s[0], &p[1], 1, MSG_OOB);
        send(s[0], "y", 1, 0);
        close(p[1]);
        recv(s[1], buf, 9, MSG_DONTWAIT), recv(s[1], buf, 9, MSG_DONTWAIT);
        CHECK("or when it is passed over", closed_in(p[0]));
        close(p[0]);
        pipe(p);
        struct message m;
        message_init(&m, BAD_PTR, 1);
        add_control(&m, SOL_SOCKET, SCM_RIGHTS, &p[1], sizeof p[1]);
        FAILS("a bad address", EFAULT, sendmsg(s[0], &m.h, 0));
        close(p[1]);
        CHECK("gives them back", closed_in(p[0]));
        close(p[0]);
        int before = count_fds(), none[2] = { -1, -1 };
        send(s[0], "z", 1, 0);
        CHECK("and none come with the next byte", recv_fds(s[1], none, 2, 0, NULL) == 0 && count_fds() == before);
        end();
}

static void errors(void)
{
        struct message m;
        int            bad = 999, fds[300], one = 1;

        pair(SOCK_STREAM);
        FAILS("bad descriptor", EBADF, send_fds(s[0], &bad, 1, 0));
        bad = -1;
        FAILS("negative", EBADF, send_fds(s[0], &bad, 1, 0));
        for (int i = 0; i < 300; i++)
                fds[i] = 1;
        OKAY("253", send_fds(s[0], fds, 253, 0));
        int n = recv_fds(s[1], fds, 253, 0, NULL);
        CHECK("come", n == 253);
        for (int i = 0; i < n; i++)
                close(fds[i]);
        for (int i = 0; i < 300; i++)
                fds[i] = 1;
        FAILS("254", EINVAL, send_fds(s[0], fds, 254, 0));
        message_init(&m, buf, 1);
        add_control(&m, SOL_SOCKET, SCM_RIGHTS, fds, 4 * 200);
        add_control(&m, SOL_SOCKET, SCM_RIGHTS, fds, 4 * 54);
        FAILS("254 in two", EINVAL, sendmsg(s[0], &m.h, 0));
        message_init(&m, buf, 1);
        add_control(&m, SOL_SOCKET, SCM_RIGHTS, &one, 4);
        add_control(&m, SOL_SOCKET, SCM_RIGHTS, &one, 4);
        OKAY("two messages", sendmsg(s[0], &m.h, 0));
        CHECK("become one", recv_fds(s[1], fds, 8, 0, NULL) == 2);
        close(fds[0]);
        close(fds[1]);
        message_init(&m, buf, 1);
        add_control(&m, SOL_SOCKET, SCM_RIGHTS, &one, 0);
        OKAY("none", sendmsg(s[0], &m.h, 0));
        CHECK("none comes", recv_fds(s[1], fds, 8, 0, NULL) == 0);
        message_init(&m, buf, 1);
        add_control(&m, SOL_SOCKET, 99, &one, 4);
        FAILS("unknown type", EINVAL, sendmsg(s[0], &m.h, 0));
        message_init(&m, buf, 1);
        add_control(&m, 99, SCM_RIGHTS, &one, 4);
        OKAY("unknown level is passed over", sendmsg(s[0], &m.h, 0));
        read(s[1], buf, 9);
        message_init(&m, buf, 1);
        add_control(&m, SOL_SOCKET, SCM_RIGHTS, &one, 4);
        ((struct cmsghdr *)m.control)->cmsg_len = 15;
        FAILS("shorter than its header", EINVAL, sendmsg(s[0], &m.h, 0));
        ((struct cmsghdr *)m.control)->cmsg_len = 25;
        FAILS("longer than the rest", EINVAL, sendmsg(s[0], &m.h, 0));
        ((struct cmsghdr *)m.control)->cmsg_len = ~0u;
        FAILS("as long as can be", EINVAL, sendmsg(s[0], &m.h, 0));
        ((struct cmsghdr *)m.control)->cmsg_len = 19;
        OKAY("a part of a descriptor", sendmsg(s[0], &m.h, 0));
        CHECK("is none", recv_fds(s[1], fds, 8, 0, NULL) == 0);
        m.h.msg_controllen = 12;
        OKAY("less than a header", sendmsg(s[0], &m.h, 0));
        read(s[1], buf, 9);
        m.h.msg_controllen = 30000;
        FAILS("too much control", ENOBUFS, sendmsg(s[0], &m.h, 0));
        m.h.msg_controllen = 0x80000000ul;
        FAILS("far too much", ENOBUFS, sendmsg(s[0], &m.h, 0));
        m.h.msg_controllen = 20;
        m.h.msg_control = BAD_PTR;
        FAILS("bad control address", EFAULT, sendmsg(s[0], &m.h, 0));
        message_init(&m, buf, 0);
        add_control(&m, SOL_SOCKET, SCM_RIGHTS, &one, 4);
        OKAY("with no byte", sendmsg(s[0], &m.h, 0));
        FAILS("nothing is sent", EAGAIN, recv(s[1], buf, 1, MSG_DONTWAIT));
        end();
        pair(SOCK_DGRAM);
        message_init(&m, buf, 0);
        add_control(&m, SOL_SOCKET, SCM_RIGHTS, &one, 4);
        OKAY("an empty datagram", sendmsg(s[0], &m.h, 0));
        CHECK("has it", recv_fds(s[1], fds, 1, 0, NULL) == 1);
        close(fds[0]);
        int path = open(".", O_PATH);
        OKAY("O_PATH", send_fds(s[0], &path, 1, 0));
        CHECK("comes", recv_fds(s[1], fds, 1, 0, NULL) == 1 && same_file(path, fds[0]));
        close(fds[0]);
        OKAY("a socket over itself", send_fds(s[0], &s[1], 1, 0));
        CHECK("comes", recv_fds(s[1], fds, 1, 0, NULL) == 1 && same_file(s[1], fds[0]));
        close(fds[0]);
        close(path);
        end();
}

/* Bytes with descriptors end a read of a stream. */
static void borders(void)
{
        int fds[4], one = 1;

        pair(SOCK_STREAM);
        write(s[0], "ab", 2);
        send_fds(s[0], &one, 1, 0);
        write(s[0], "cd", 2);
        struct message m;
        message_init(&m, buf, 100);
        m.h.msg_controllen = sizeof m.control;
        CHECK("what is before comes along", recvmsg(s[1], &m.h, 0) == 3 && !memcmp(buf, "abf", 3) && m.h.msg_controllen > 0);
        int fd;
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m.h)), 4);
        close(fd);
        CHECK("what is behind later", read(s[1], buf, 100) == 2);
        send_fds(s[0], &one, 1, 0);
        send_fds(s[0], &one, 1, 0);
        CHECK("two messages, two reads", recv_fds(s[1], fds, 4, 0, NULL) == 1 && recv_fds(s[1], fds + 1, 4, 0, NULL) == 1);
        close(fds[0]);
        close(fds[1]);
        struct message big;
        message_init(&big, buf, 10);
        add_control(&big, SOL_SOCKET, SCM_RIGHTS, &one, 4);
        sendmsg(s[0], &big.h, 0);
        message_init(&m, buf, 3);
        m.h.msg_controllen = sizeof m.control;
        CHECK("with the first byte", recvmsg(s[1], &m.h, 0) == 3 && m.h.msg_controllen == CMSG_SPACE(4));
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m.h)), 4);
        close(fd);
        m.h.msg_controllen = sizeof m.control;
        CHECK("not again", recvmsg(s[1], &m.h, 0) == 3 && m.h.msg_controllen == 0);
        end();
}

static int limits(void)
{
        int p[2], got[4], flags;
        struct rlimit r = { 20, 20 };

        pair(SOCK_STREAM);
        pipe(p);
        send_fds(s[0], p, 2, 0);
        int top = dup(0);
        r.rlim_cur = r.rlim_max = top + 1;
        setrlimit(RLIMIT_NOFILE, &r);
        close(top);
        CHECK("as many as the table takes", recv_fds(s[1], got, 4, 0, &flags) == 1 && flags == MSG_CTRUNC);
        return done();
}

static int flights(void)
{
        int n = 0;
        struct rlimit r = { 30, 30 };

        setrlimit(RLIMIT_NOFILE, &r);
        become_user(1000);
        pair(SOCK_DGRAM);
        int fds[10] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
        while (send_fds(s[0], fds, 10, MSG_DONTWAIT) == 1)
                n++;
        CHECK("in flight: up to RLIMIT_NOFILE", n == 4 && errno == ETOOMANYREFS);
        recv(s[1], buf, 1, 0);
        recv(s[1], buf, 1, 0);
        CHECK("room again", send_fds(s[0], fds, 10, MSG_DONTWAIT) == 1);
        end();
        pair(SOCK_DGRAM);
        CHECK("closing gives all back", send_fds(s[0], fds, 10, MSG_DONTWAIT) == 1);
        return done();
}

int main(void)
{
        passing(SOCK_STREAM);
        passing(SOCK_DGRAM);
        passing(SOCK_SEQPACKET);
        lost();
        errors();
        borders();
        in_child(limits);
        in_child(flights);
        return done();
}
