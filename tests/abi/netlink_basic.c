/* AF_NETLINK: making sockets, ports, names, sending between processes, receiving, errors. */
#include "netlink.h"
#include <sys/un.h>
#include <sys/epoll.h>

static void making(void)
{
        FAILS("a stream", ESOCKTNOSUPPORT, nl(SOCK_STREAM, NETLINK_USERSOCK));
        FAILS("a seqpacket", ESOCKTNOSUPPORT, nl(SOCK_SEQPACKET, NETLINK_USERSOCK));
        FAILS("a protocol out of range", EPROTONOSUPPORT, nl(SOCK_RAW, 32));
        FAILS("a negative protocol", EPROTONOSUPPORT, nl(SOCK_RAW, -1));
        FAILS("an unused protocol", EPROTONOSUPPORT, nl(SOCK_RAW, NETLINK_UNUSED));
        FAILS("a protocol that has gone", EPROTONOSUPPORT, nl(SOCK_RAW, NETLINK_DNRTMSG));
        FAILS("a wrong type first", ESOCKTNOSUPPORT, nl(SOCK_STREAM, 77));
        int sv[2];
        FAILS("no pairs", EOPNOTSUPP, socketpair(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK, sv));
        int fd = nl(SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_USERSOCK);
        OKAY("raw", fd);
        CHECK("flags", (fcntl(fd, F_GETFL) & O_NONBLOCK) && fcntl(fd, F_GETFD) == FD_CLOEXEC);
        int v = 0;
        socklen_t n = sizeof v;
        CHECK("type", getsockopt(fd, SOL_SOCKET, SO_TYPE, &v, &n) == 0 && v == SOCK_RAW);
        CHECK("protocol", getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &v, &n) == 0 && v == NETLINK_USERSOCK);
        CHECK("domain", getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &v, &n) == 0 && v == AF_NETLINK);
        FAILS("listen", EOPNOTSUPP, listen(fd, 1));
        FAILS("accept", EOPNOTSUPP, accept(fd, NULL, NULL));
        FAILS("shutdown", EOPNOTSUPP, shutdown(fd, SHUT_RDWR));
        FAILS("ioctl", ENOTTY, ioctl(fd, FIONREAD, &v));
        FAILS("nothing there", EAGAIN, recv(fd, &v, sizeof v, 0));
        close(fd);
        int route = nl(SOCK_RAW, NETLINK_ROUTE);
        OKAY("route", route);
        close(route);
}

static void ports(void)
{
        uint32_t me = getpid();
        int a = nl(SOCK_RAW, NETLINK_USERSOCK), b = nl(SOCK_DGRAM, NETLINK_USERSOCK), c = nl(SOCK_RAW, NETLINK_USERSOCK);
        struct sockaddr_nl s = at(0, 0);
        struct sockaddr_un u = { .sun_family = AF_UNIX };

        CHECK("no name yet", name_of(a).nl_pid == 0 && name_of(a).nl_family == AF_NETLINK);
        FAILS("too short", EINVAL, bind(a, (void *)&s, sizeof s - 1));
        FAILS("another family", EINVAL, bind(a, (void *)&u, sizeof u));
        OKAY("bound by the kernel", bind_to(a, 0, 0));
        CHECK("to the pid", name_of(a).nl_pid == me);
        FAILS("bound anew", EINVAL, bind_to(a, me + 1, 0));
        OKAY("to the same", bind_to(a, me, 0));
        FAILS("by the kernel again", EINVAL, bind_to(a, 0, 0));
        FAILS("in use", EADDRINUSE, bind_to(b, me, 0));
        OKAY("another gets another", bind_to(b, 0, 0));
        CHECK("a high one", name_of(b).nl_pid > 0x80000000 && name_of(b).nl_pid != me);
        OKAY("a number of its own", bind_to(c, 77777, 0));
        CHECK("that is it", name_of(c).nl_pid == 77777);
        OKAY("a longer address", (close(c), c = nl(SOCK_RAW, NETLINK_USERSOCK), bind(c, (void *)&(struct { struct sockaddr_nl s; char rest[20]; }){ at(77777, 0), "" }, 32)));
        struct sockaddr_nl p;
        socklen_t n = sizeof p;
        CHECK("no peer: zeros", getpeername(c, (void *)&p, &n) == 0 && p.nl_pid == 0 && p.nl_groups == 0 && n == sizeof p);
        int r = nl(SOCK_RAW, NETLINK_ROUTE);
        OKAY("ports are of one protocol", bind_to(r, me, 0));
        close(a), close(b), close(c), close(r);
        a = nl(SOCK_RAW, NETLINK_USERSOCK);
        OKAY("free again", bind_to(a, me, 0));
        close(a);
}

static void sending(void)
{
        int a = bound(SOCK_RAW, 1001, 0), b = bound(SOCK_RAW, 1002, 0);
        struct sockaddr_nl s = at(0, 0);
        struct sockaddr_un u = { .sun_family = AF_UNIX };
        socklen_t n;
        char buf[64];

        CHECK("sent", send_to(a, 1002, 0, "hello", 5, 0) == 5);
        n = sizeof s;
        CHECK("received", recvfrom(b, buf, sizeof buf, 0, (void *)&s, &n) == 5 && !memcmp(buf, "hello", 5));
        CHECK("from", n == sizeof s && s.nl_family == AF_NETLINK && s.nl_pid == 1001 && s.nl_groups == 0);
        FAILS("nobody there", ECONNREFUSED, send_to(a, 999999, 0, "x", 1, 0));
        FAILS("the kernel does not listen", ECONNREFUSED, send_to(a, 0, 0, "x", 1, 0));
        FAILS("no address: the kernel", ECONNREFUSED, send(a, "x", 1, 0));
        FAILS("nothing", ENODATA, send_to(a, 1002, 0, "", 0, 0));
        FAILS("out of band", EOPNOTSUPP, send_to(a, 1002, 0, "x", 1, MSG_OOB));
        FAILS("recv out of band", EOPNOTSUPP, recv(a, buf, 1, MSG_OOB));
        FAILS("a short address", EINVAL, sendto(a, "x", 1, 0, (void *)&s, sizeof s - 1));
        FAILS("another family", EINVAL, sendto(a, "x", 1, 0, (void *)&u, sizeof u));
        FAILS("bad data", EFAULT, send_to(a, 1002, 0, BAD_PTR, 5, 0));
        CHECK("nothing came of these", recv(b, buf, sizeof buf, MSG_DONTWAIT) == -1 && errno == EAGAIN);
        static char big[300000];
        FAILS("too long", EMSGSIZE, send_to(a, 1002, 0, big, sizeof big, 0));
        send_to(a, 1002, 0, "abcdef", 6, 0);
        send_to(a, 1002, 0, "ghi", 3, 0);
        CHECK("peek", recv(b, buf, sizeof buf, MSG_PEEK) == 6);
        CHECK("cut", recv(b, buf, 2, 0) == 2);
        struct iovec io = { buf, 1 };
        struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };
        CHECK("cut and told", recvmsg(b, &m, MSG_TRUNC) == 3 && (m.msg_flags & MSG_TRUNC));
        CHECK("to itself", send_to(a, 1001, 0, "me", 2, 0) == 2 && recv(a, buf, sizeof buf, 0) == 2);
        CHECK("write needs a peer", write(a, "x", 1) == -1 && errno == ECONNREFUSED);
        CHECK("iovecs", writev(a, &io, 1) == -1 && errno == ECONNREFUSED);
        /* who sends gets a port */
        int c = nl(SOCK_RAW, NETLINK_USERSOCK);
        CHECK("unbound sends", send_to(c, 1002, 0, "x", 1, 0) == 1);
        CHECK("and is bound", name_of(c).nl_pid == (uint32_t)getpid());
        close(c);
        n = sizeof s;
        CHECK("from whom", recvfrom(b, buf, sizeof buf, 0, (void *)&s, &n) == 1 && s.nl_pid == (uint32_t)getpid());
        close(a), close(b);
}

static void connecting(void)
{
        int a = bound(SOCK_RAW, 1001, 0), b = bound(SOCK_RAW, 1002, 0), c = bound(SOCK_RAW, 1003, 0);
        struct sockaddr_nl s = at(1002, 0);
        struct sockaddr none = { .sa_family = AF_UNSPEC };
        socklen_t n = sizeof s;
        char buf[16];

        FAILS("short", EINVAL, connect(a, (void *)&s, 1));
        FAILS("shorter than an address", EINVAL, connect(a, (void *)&s, sizeof s - 1));
        OKAY("connect", connect(a, (void *)&s, sizeof s));
        memset(&s, 0, sizeof s);
        CHECK("peer", getpeername(a, (void *)&s, &n) == 0 && s.nl_pid == 1002);
        CHECK("send", send(a, "x", 1, 0) == 1 && recv(b, buf, 16, 0) == 1);
        FAILS("a stranger is refused", ECONNREFUSED, send_to(c, 1001, 0, "x", 1, 0));
        CHECK("the peer is not", send_to(b, 1001, 0, "x", 1, 0) == 1 && recv(a, buf, 16, 0) == 1);
        OKAY("unconnect", connect(a, &none, sizeof none));
        CHECK("a stranger may now", send_to(c, 1001, 0, "x", 1, 0) == 1);
        FAILS("no peer", ECONNREFUSED, send(a, "x", 1, 0));
        s = at(555555, 0);
        OKAY("to nobody", connect(a, (void *)&s, sizeof s));
        FAILS("who does not hear", ECONNREFUSED, send(a, "x", 1, 0));
        close(a), close(b), close(c);
        a = nl(SOCK_RAW, NETLINK_USERSOCK);
        s = at(1002, 0);
        OKAY("unbound", connect(a, (void *)&s, sizeof s));
        CHECK("binds", name_of(a).nl_pid == (uint32_t)getpid());
        close(a);
}

static void polling(void)
{
        int a = bound(SOCK_RAW, 1001, 0);
        struct pollfd p = { a, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0 };

        CHECK("writable", poll(&p, 1, 0) == 1 && p.revents == POLLOUT);
        send_to(a, 1001, 0, "x", 1, 0);
        CHECK("readable", poll(&p, 1, 0) == 1 && p.revents == (POLLIN | POLLOUT));
        int e = epoll_create1(0);
        struct epoll_event ev = { .events = EPOLLIN };
        OKAY("epoll", epoll_ctl(e, EPOLL_CTL_ADD, a, &ev));
        CHECK("epoll tells", epoll_wait(e, &ev, 1, 0) == 1);
        char c;
        recv(a, &c, 1, 0);
        CHECK("no more", epoll_wait(e, &ev, 1, 0) == 0);
        if (fork() == 0) {
                sleep_ms(50);
                int b = nl(SOCK_RAW, NETLINK_USERSOCK);
                send_to(b, 1001, 0, "late", 4, 0);
                _exit(0);
        }
        char buf[8];
        CHECK("a receiver sleeps", recv(a, buf, 8, 0) == 4);
        wait(NULL);
        struct timeval tv = { 0, 30000 };
        setsockopt(a, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
        FAILS("till its time", EAGAIN, recv(a, buf, 8, 0));
        close(a), close(e);
}

static void room(void)
{
        int a = bound(SOCK_RAW, 1001, 0), b = bound(SOCK_RAW, 1002, 0), size = 4096, n = 0;
        char buf[2000] = {};

        setsockopt(b, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
        while (n < 1000 && send_to(a, 1002, 0, buf, sizeof buf, MSG_DONTWAIT) == sizeof buf)
                n++;
        CHECK("full some time", n > 0 && n < 1000 && errno == EAGAIN);
        struct timeval tv = { 0, 30000 };
        setsockopt(a, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
        FAILS("waits for room", EAGAIN, send_to(a, 1002, 0, buf, sizeof buf, 0));
        tv.tv_usec = 0;
        setsockopt(a, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
        pid_t pid = fork();
        if (pid == 0) {
                sleep_ms(50);
                while (recv(b, buf, sizeof buf, MSG_DONTWAIT) > 0)
                        ;
                _exit(0);
        }
        CHECK("till there is", send_to(a, 1002, 0, buf, sizeof buf, 0) == sizeof buf);
        result_of(pid);
        close(a), close(b);
}

static int as_user(void)
{
        int a = nl(SOCK_RAW, NETLINK_USERSOCK), b = bound(SOCK_RAW, 1002, 0), r;
        char buf[8];

        become_user(1000);
        CHECK("anybody sends by USERSOCK", send_to(a, 1002, 0, "x", 1, 0) == 1 && recv(b, buf, 8, 0) == 1);
        close(a), close(b);
        OKAY("anybody makes one", a = nl(SOCK_RAW, NETLINK_USERSOCK));
        FAILS("but hears no group", EPERM, bind_to(a, 4242, 1));
        int group = 1;
        FAILS("nor joins one", EPERM, setsockopt(a, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group));
        group = 0;
        FAILS("nor group 0", EPERM, setsockopt(a, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group));
        OKAY("and binds it", bind_to(a, 4242, 0));
        OKAY("route, too", r = nl(SOCK_RAW, NETLINK_ROUTE));
        FAILS("but not to others by it", EPERM, send_to(r, 4242, 0, "x", 1, 0));
        OKAY("it hears groups", setsockopt(r, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &(int){ 1 }, sizeof(int)));
        struct sockaddr_nl s = at(4242, 0);
        FAILS("nor connects", EPERM, connect(r, (void *)&s, sizeof s));
        s.nl_pid = 0;
        OKAY("to the kernel it may", connect(r, (void *)&s, sizeof s));
        return done();
}

int main(void)
{
        making();
        ports();
        sending();
        connecting();
        polling();
        room();
        CHECK("as a user", in_child(as_user) == 0);
        return done();
}
