/* SPDX-License-Identifier: Apache-2.0
 *
 * fd_kinds_poll: each kind of descriptor by what it tells poll, select and epoll.
 */
#include "fds.h"
#include <sys/select.h>

static int events(int fd, short wanted)
{
        struct pollfd p = { fd, wanted, 0 };

        return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

static int selects(int fd)
{
        struct timeval none = { 0, 0 };
        fd_set r, w, x;

        FD_ZERO(&r);
        if (fd >= 0)
                FD_SET(fd, &r);
        w = x = r;
        int n = select(fd < 0 ? fd : fd + 1, &r, &w, &x, &none);
        return n < 0 ? -1 : (fd >= 0 && FD_ISSET(fd, &r)) | (fd >= 0 && FD_ISSET(fd, &w)) << 1 | (fd >= 0 && FD_ISSET(fd, &x)) << 2;
}

static int adds(int fd, unsigned what)
{
        struct epoll_event ev = { .events = what };
        int                e = epoll_create1(0), r = epoll_ctl(e, EPOLL_CTL_ADD, fd, &ev), err = errno;

        close(e);
        errno = err;
        return r;
}

static int waits(int fd)
{
        struct epoll_event ev = { .events = ~(unsigned)EPOLLEXCLUSIVE };
        int                e = epoll_create1(0), r = epoll_ctl(e, EPOLL_CTL_ADD, fd, &ev), err = errno;

        if (r == 0 && (r = epoll_wait(e, &ev, 1, 0)) == 1)
                r = (int)ev.events;
        close(e);
        errno = err;
        return r;
}

int main(void)
{
        EACH("poll all", events(fd, 0x7fff));
        EACH("poll in", events(fd, POLLIN));
        EACH("poll out", events(fd, POLLOUT));
        EACH("poll none", events(fd, 0));
        EACH("select", selects(fd));
        EACH("epoll add", adds(fd, EPOLLIN));
        EACH("epoll add exclusive", adds(fd, EPOLLIN | EPOLLEXCLUSIVE));
        EACH("epoll add exclusive, once", adds(fd, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT));
        EACH("epoll wait", waits(fd));
        EACH("epoll wait on it", ({ struct epoll_event e; epoll_wait(fd, &e, 1, 0); }));
        EACH("epoll_ctl on it", ({ struct epoll_event e = { 0 }; epoll_ctl(fd, EPOLL_CTL_ADD, 0, &e); }));
        EACH("timerfd_gettime", ({ struct itimerspec t; timerfd_gettime(fd, &t); }));
        EACH("timerfd_settime", ({ struct itimerspec t = { 0 }; timerfd_settime(fd, 0, &t, NULL); }));
        EACH("signalfd", ({ sigset_t s; sigemptyset(&s); signalfd(fd, &s, 0) < 0 ? -1 : 0; }));
        EACH("inotify_add_watch", inotify_add_watch(fd, ".", IN_CREATE));
        EACH("inotify_rm_watch", inotify_rm_watch(fd, 1));
        EACH("mq_getsetattr", ({ struct mq_attr a; syscall(SYS_mq_getsetattr, fd, NULL, &a); }));
        EACH("mq_timedsend", syscall(SYS_mq_timedsend, fd, "x", 1, 0, NULL));
        EACH("mq_timedreceive", ({ char b[8192]; syscall(SYS_mq_timedreceive, fd, b, 8192, NULL, NULL); }));
        EACH("mq_notify", syscall(SYS_mq_notify, fd, NULL));
        EACH("pidfd_send_signal", syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
        EACH("pidfd_getfd", ({ int n = syscall(SYS_pidfd_getfd, fd, 0, 0); if (n >= 0) close(n); n < 0 ? -1 : 0; }));
        EACH("waitid", ({ siginfo_t si; syscall(SYS_waitid, 3 /* P_PIDFD */, fd, &si, WEXITED | WNOHANG, NULL); }));
        CHECK("the table was gone through", 1);
        return done();
}
