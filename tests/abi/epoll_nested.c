/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: epoll of epolls: polling one, loops, depth.
 */
#include "abi.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

static int add(int ep, int fd, uint32_t events)
{
        struct epoll_event e = { .events = events, .data.u64 = fd };
        return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}
static int del(int ep, int fd) { return epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL); }

static struct epoll_event got[4];
static int take(int ep, int ms) { return epoll_wait(ep, got, 4, ms); }
static void put(int fd) { uint64_t n = 1; must(write(fd, &n, 8) == 8, "put"); }
static void get(int fd) { uint64_t n; must(read(fd, &n, 8) == 8, "get"); }
static short ready(int fd, int ms)
{
        struct pollfd p = { fd, POLLIN | POLLOUT, 0 };
        poll(&p, 1, ms);
        return p.revents;
}

static int a;
static void *later(void *arg)
{
        (void)arg;
        sleep_ms(50);
        put(a);
        return NULL;
}

static void polled(void)
{
        int ep = epoll_create1(0), outer = epoll_create1(0), edge = epoll_create1(0);
        pthread_t t;

        a = eventfd(0, 0);
        add(ep, a, EPOLLIN);
        CHECK("not ready", ready(ep, 0) == 0);
        put(a);
        CHECK("ready", ready(ep, 0) == POLLIN);
        get(a);
        CHECK("no more", ready(ep, 0) == 0);
        pthread_create(&t, NULL, later, NULL);
        CHECK("poll waits for it", ready(ep, 5000) == POLLIN);
        pthread_join(t, NULL);
        get(a);
        OKAY("epoll of an epoll", add(outer, ep, EPOLLIN));
        OKAY("by edges, too", add(edge, ep, EPOLLIN | EPOLLET));
        CHECK("nothing", take(outer, 0) == 0 && take(edge, 0) == 0);
        pthread_create(&t, NULL, later, NULL);
        CHECK("waits", take(outer, 5000) == 1 && got[0].events == EPOLLIN && got[0].data.u64 == (uint64_t)ep);
        pthread_join(t, NULL);
        CHECK("a level", take(outer, 0) == 1);
        CHECK("an edge", take(edge, 0) == 1 && take(edge, 0) == 0);
        CHECK("the inner one has it, too", take(ep, 0) == 1 && got[0].data.u64 == (uint64_t)a);
        CHECK("still", take(outer, 0) == 1);
        get(a);
        CHECK("gone", take(outer, 0) == 0 && take(ep, 0) == 0);
        put(a);
        CHECK("a new edge", take(edge, 0) == 1 && take(edge, 0) == 0);
        close(ep);
        CHECK("closed", take(outer, 0) == 0);
        close(outer);
        close(edge);
        close(a);
}

static void loops(void)
{
        int e[8];

        for (int i = 0; i < 8; i++)
                e[i] = epoll_create1(0);
        FAILS("itself", EINVAL, add(e[0], e[0], EPOLLIN));
        OKAY("0 of 1", add(e[0], e[1], EPOLLIN));
        FAILS("1 of 0", ELOOP, add(e[1], e[0], EPOLLIN));
        OKAY("1 of 2", add(e[1], e[2], EPOLLIN));
        FAILS("2 of 0", ELOOP, add(e[2], e[0], EPOLLIN));
        FAILS("2 of 1", ELOOP, add(e[2], e[1], EPOLLIN));
        OKAY("0 of 2: two ways", add(e[0], e[2], EPOLLIN));
        FAILS("not exclusively", EINVAL, add(e[2], e[7], EPOLLIN | EPOLLEXCLUSIVE));
        del(e[0], e[1]);
        del(e[0], e[2]);
        OKAY("the other way round, when it is removed", add(e[2], e[0], EPOLLIN));
        del(e[2], e[0]);
        del(e[1], e[2]);
        for (int i = 0; i + 1 < 8; i++) {
                char name[64];
                int  ok = add(e[i], e[i + 1], EPOLLIN) == 0;
                snprintf(name, sizeof name, "down: %d under %d: %s", i + 1, i, ok ? "yes" : errno == ELOOP ? "ELOOP" : "?");
                CHECK(name, 1);
        }
        a = eventfd(0, 0);
        add(e[4], a, EPOLLIN);
        put(a);
        CHECK("from the bottom", take(e[4], 0) == 1);
        CHECK("to the top", take(e[0], 0) == 1);
        for (int i = 0; i < 8; i++)
                close(e[i]);
        for (int i = 0; i < 8; i++)
                e[i] = epoll_create1(0);
        for (int i = 6; i >= 0; i--) {
                char name[64];
                int  ok = add(e[i], e[i + 1], EPOLLIN) == 0;
                snprintf(name, sizeof name, "up: %d over %d: %s", i, i + 1, ok ? "yes" : errno == ELOOP ? "ELOOP" : "?");
                CHECK(name, 1);
        }
        for (int i = 0; i < 8; i++)
                close(e[i]);
        close(a);
}

int main(void)
{
        polled();
        loops();
        return done();
}
