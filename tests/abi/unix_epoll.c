/* Readiness of sockets: epoll by level and by edge, poll, FIONREAD, SIGIO. */
#include "unix.h"
#include <sys/epoll.h>

static int s[2], ep;
static char buf[65536];

static int events(void)
{
        struct epoll_event e = { 0 };
        return epoll_wait(ep, &e, 1, 0) == 1 ? (int)e.events : 0;
}

static void watch(int fd, uint32_t ev)
{
        struct epoll_event e = { .events = ev };
        ep = epoll_create1(0);
        must(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) == 0, "epoll_ctl");
}

static volatile int signals;
static void on_io(int sig) { (void)sig; signals++; }

int main(void)
{
        socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        watch(s[1], EPOLLIN | EPOLLRDHUP);
        CHECK("nothing", events() == 0);
        write(s[0], "a", 1);
        CHECK("level", events() == EPOLLIN && events() == EPOLLIN);
        read(s[1], buf, 1);
        CHECK("read", events() == 0);
        shutdown(s[0], SHUT_WR);
        CHECK("half closed", events() == (EPOLLIN | EPOLLRDHUP));
        close(s[0]);
        CHECK("closed", events() == (EPOLLIN | EPOLLRDHUP | EPOLLHUP));
        close(s[1]);
        close(ep);

        socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        watch(s[1], EPOLLIN | EPOLLET);
        write(s[0], "a", 1);
        CHECK("edge", events() == EPOLLIN);
        CHECK("once", events() == 0);
        write(s[0], "b", 1);
        CHECK("each write is one", events() == EPOLLIN && events() == 0);
        read(s[1], buf, 9);
        close(s[0]);
        CHECK("so is the end", events() & EPOLLHUP);
        close(s[1]);
        close(ep);

        socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        watch(s[0], EPOLLOUT | EPOLLET);
        CHECK("writable at first", events() == EPOLLOUT && events() == 0);
        while (send(s[0], buf, sizeof buf, MSG_DONTWAIT) > 0)
                ;
        CHECK("full", events() == 0);
        while (recv(s[1], buf, sizeof buf, MSG_DONTWAIT) > 0)
                ;
        CHECK("writable again", events() == EPOLLOUT);
        close(s[0]);
        close(s[1]);
        close(ep);

        int l = listener(SOCK_STREAM, "@ep", 5);
        watch(l, EPOLLIN);
        CHECK("nobody", events() == 0);
        int c = connected(SOCK_STREAM, "@ep");
        CHECK("somebody", events() == EPOLLIN);
        close(accept(l, NULL, NULL));
        CHECK("taken", events() == 0);
        close(c);
        close(l);
        close(ep);

        socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
        watch(s[1], EPOLLIN);
        send(s[0], "", 0, 0);
        CHECK("an empty datagram", events() == EPOLLIN);
        recv(s[1], buf, 1, 0);
        CHECK("read", events() == 0);
        int n = -1;
        send(s[0], "abc", 3, 0);
        send(s[0], "de", 2, 0);
        ioctl(s[1], FIONREAD, &n);
        CHECK("FIONREAD of datagrams", n == 3);
        close(s[0]);
        close(s[1]);

        socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        write(s[0], "abc", 3);
        write(s[0], "de", 2);
        ioctl(s[1], FIONREAD, &n);
        CHECK("of a stream", n == 5);
        ioctl(s[0], TIOCOUTQ, &n);
        CHECK("SIOCOUTQ: not nothing", n > 0);
        read(s[1], buf, 9);
        ioctl(s[0], TIOCOUTQ, &n);
        CHECK("SIOCOUTQ: nothing", n == 0);
        FAILS("FIONREAD of a listener", EINVAL, ioctl(listener(SOCK_STREAM, "@q", 1), FIONREAD, &n));

        on(SIGIO, on_io, 0);
        OKAY("F_SETOWN", fcntl(s[1], F_SETOWN, getpid()));
        fcntl(s[1], F_SETFL, O_ASYNC);
        CHECK("O_ASYNC", fcntl(s[1], F_GETFL) & O_ASYNC);
        write(s[0], "x", 1);
        CHECK("SIGIO", signals == 1);
        fcntl(s[1], F_SETFL, 0);
        write(s[0], "x", 1);
        CHECK("no more", signals == 1);
        int pid = getpid(), got = 0;
        OKAY("SIOCSPGRP", ioctl(s[0], 0x8902, &pid));
        ioctl(s[0], 0x8904, &got);
        CHECK("SIOCGPGRP", got == pid && fcntl(s[0], F_GETOWN) == pid);
        int on_off = 1;
        ioctl(s[0], FIONBIO, &on_off);
        FAILS("FIONBIO", EAGAIN, read(s[0], buf, 1));
        return done();
}
