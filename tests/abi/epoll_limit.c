/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: epoll's items are limited per user, and whoever has all of his leaves the others theirs.
 */
#include "abi.h"
#include "show.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#define FILES 900
#define EPOLLS 1000
static int file[FILES], epoll[EPOLLS];

static int add(int ep, int fd)
{
        struct epoll_event e = { .events = EPOLLIN };
        return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}

static int poll_many(void)
{
        struct pollfd p[100];
        for (int i = 0; i < 100; i++)
                p[i] = (struct pollfd){ file[i], POLLIN, 0 };
        return poll(p, 100, 1);
}

int main(void)
{
        struct rlimit r = { 4096, 4096 };
        int n = 0, e = 0, epolls = 0, status = 0;

        must(setrlimit(RLIMIT_NOFILE, &r) == 0, "setrlimit");
        for (int i = 0; i < FILES; i++)
                must((file[i] = eventfd(0, 0)) >= 0, "eventfd");
        for (; epolls < EPOLLS && !e; epolls++) {
                must((epoll[epolls] = epoll_create1(0)) >= 0, "epoll_create1");
                for (int i = 0; i < FILES && !e; i++)
                        if (add(epoll[epolls], file[i]))
                                e = errno;
                        else
                                n++;
        }
        say("in the end: error %d\n", e);
        CHECK("some thousand", n > 8000);
        errno = 0;
        SHOW("one that is there", add(epoll[0], file[0]));
        SHOW("one more", add(epoll[0], epoll[1]));
        SHOW("to poll", poll_many());
        pid_t pid = fork();
        if (pid == 0) {
                must(setgid(1000) == 0 && setuid(1000) == 0, "setuid");
                int ep = epoll_create1(0);
                SHOW("the other's", add(epoll[0], epoll[1]));
                SHOW("another user", add(ep, file[0]));
                SHOW("to poll", poll_many());
                _exit(0);
        }
        must(waitpid(pid, &status, 0) == pid, "waitpid");
        SHOW("one less", epoll_ctl(epoll[0], EPOLL_CTL_DEL, file[0], NULL));
        SHOW("one more", add(epoll[0], file[0]));
        SHOW("too many", add(epoll[0], epoll[2]));
        SHOW("an epoll less", close(epoll[1]));
        SHOW("one more", add(epoll[0], epoll[2]));
        return 0;
}
