/* SPDX-License-Identifier: Apache-2.0
 *
 * pty_poll: poll and epoll of both sides, edges, and select's exceptions in packet mode.
 */
#include "pty.h"
#include <sys/epoll.h>

static int ep;

static void state(const char *name)
{
        usleep(50000);
        say("ok %s: slave %x, master %x\n", name, events(slave, 0xffff, 0), events(master, 0xffff, 0));
}

static void edges(const char *name)
{
        struct epoll_event e[4];
        int n = epoll_wait(ep, e, 4, 100), s = 0, m = 0;

        for (int i = 0; i < n; i++)
                *(e[i].data.fd == slave ? &s : &m) = e[i].events;
        say("ok %s: edges slave %x, master %x\n", name, s, m);
}

int main(void)
{
        int on = 1;
        char buf[100];

        new_pair();
        state("new");
        put(master, "half");
        state("half a line");
        put(master, "\n");
        state("a line");
        read(slave, buf, 2);
        state("a piece of it is read");
        read(slave, buf, 100);
        state("all of it");
        tcflush(master, TCIFLUSH);
        state("the echo is gone");
        put(slave, "x");
        state("output");
        tcflush(master, TCIFLUSH);
        put(master, "\004");
        state("end of file");
        read(slave, buf, 1);
        state("read");
        settings(0, 0, ICANON | ECHO, 0);
        put(master, "q");
        state("raw");
        tcflush(slave, TCIFLUSH);
        state("flushed");
        ioctl(slave, TCXONC, TCOOFF);
        state("stopped");
        ioctl(slave, TCXONC, TCOON);
        ioctl(master, TIOCPKT, &on);
        ioctl(slave, TCXONC, TCOOFF);
        state("packet: a status");
        read(master, buf, 10);
        ioctl(slave, TCXONC, TCOON);
        read(master, buf, 10);
        state("packet: read");
        on = 0;
        ioctl(master, TIOCPKT, &on);

        ep = epoll_create1(0);
        struct epoll_event e = { .events = EPOLLIN | EPOLLET, .data.fd = slave };
        OKAY("add slave", epoll_ctl(ep, EPOLL_CTL_ADD, slave, &e));
        e.data.fd = master;
        OKAY("add master", epoll_ctl(ep, EPOLL_CTL_ADD, master, &e));
        edges("nothing");
        put(master, "a");
        edges("typed");
        edges("no more");
        put(master, "b");
        edges("typed again");
        put(slave, "c");
        edges("written");
        close(ep);

        fd_set r, w, x;
        FD_ZERO(&r); FD_ZERO(&w); FD_ZERO(&x);
        FD_SET(slave, &r); FD_SET(slave, &w); FD_SET(slave, &x);
        FD_SET(master, &r); FD_SET(master, &w); FD_SET(master, &x);
        RESULT("select", select(64, &r, &w, &x, &(struct timeval){ 0, 100000 }));
        say("ok select: %d%d%d %d%d%d\n", !!FD_ISSET(slave, &r), !!FD_ISSET(slave, &w), !!FD_ISSET(slave, &x),
            !!FD_ISSET(master, &r), !!FD_ISSET(master, &w), !!FD_ISSET(master, &x));
        int slave_only = slave;
        close(master);
        master = slave_only;
        state("the master has gone");
        return done();
}
