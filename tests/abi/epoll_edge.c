/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: epoll: EPOLLET, EPOLLONESHOT, and several threads at one epoll.
 */
#include "abi.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

static int ep;
static struct epoll_event got[8];

static int ctl(int op, int fd, uint32_t events, uint64_t data)
{
        struct epoll_event e = { .events = events, .data.u64 = data };
        return epoll_ctl(ep, op, fd, &e);
}

static int take(int ms) { return epoll_wait(ep, got, 8, ms); }
static void put(int fd) { uint64_t n = 1; must(write(fd, &n, 8) == 8, "put"); }
static void get(int fd) { uint64_t n; must(read(fd, &n, 8) == 8, "get"); }

static void edges(void)
{
        int a = eventfd(0, 0), p[2];
        char buf[16];

        ctl(EPOLL_CTL_ADD, a, EPOLLIN | EPOLLET, 1);
        CHECK("not yet", take(0) == 0);
        put(a);
        CHECK("once", take(0) == 1 && got[0].events == EPOLLIN);
        CHECK("and no more", take(0) == 0);
        put(a);
        CHECK("more makes an edge", take(0) == 1);
        CHECK("only one", take(0) == 0);
        put(a);
        get(a);
        CHECK("taken away before", take(0) == 0);
        put(a);
        OKAY("changed", (take(0), ctl(EPOLL_CTL_MOD, a, EPOLLIN | EPOLLET, 2)));
        CHECK("is an edge", take(0) == 1 && got[0].data.u64 == 2);
        OKAY("to levels", ctl(EPOLL_CTL_MOD, a, EPOLLIN, 3));
        CHECK("has levels", take(0) == 1 && take(0) == 1);
        close(a);

        must(pipe2(p, O_NONBLOCK) == 0, "pipe");
        ctl(EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLET, 4);
        must(write(p[1], "abc", 3) == 3, "write");
        CHECK("a pipe", take(0) == 1);
        must(read(p[0], buf, 1) == 1, "read");
        CHECK("what is left is no edge", take(0) == 0);
        must(write(p[1], "d", 1) == 1, "write");
        CHECK("what is added is one", take(0) == 1 && take(0) == 0);
        must(read(p[0], buf, 16) == 3, "read");
        close(p[1]);
        CHECK("so is the end", take(0) == 1 && got[0].events == EPOLLHUP && take(0) == 0);
        close(p[0]);

        must(pipe2(p, O_NONBLOCK) == 0, "pipe");
        ctl(EPOLL_CTL_ADD, p[1], EPOLLOUT | EPOLLET, 5);
        CHECK("writable from the start", take(0) == 1 && take(0) == 0);
        static char big[65536];
        must(write(p[1], big, sizeof big) == sizeof big, "fill");
        CHECK("full", take(0) == 0);
        must(read(p[0], big, 4096) == 4096, "read");
        CHECK("room again", take(0) == 1 && got[0].events == EPOLLOUT && take(0) == 0);
        close(p[0]);
        close(p[1]);
}

static void once(void)
{
        int a = eventfd(0, 0), p[2];

        ctl(EPOLL_CTL_ADD, a, EPOLLIN | EPOLLONESHOT, 1);
        put(a);
        CHECK("one shot", take(0) == 1 && got[0].events == EPOLLIN);
        CHECK("no second", take(0) == 0);
        put(a);
        CHECK("nor by news", take(0) == 0);
        FAILS("it is still there", EEXIST, ctl(EPOLL_CTL_ADD, a, EPOLLIN, 1));
        OKAY("armed again", ctl(EPOLL_CTL_MOD, a, EPOLLIN | EPOLLONESHOT, 2));
        CHECK("tells at once", take(0) == 1 && got[0].data.u64 == 2 && take(0) == 0);
        close(a);
        must(pipe(p) == 0, "pipe");
        ctl(EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLONESHOT | EPOLLET, 3);
        must(write(p[1], "x", 1) == 1, "write");
        CHECK("a shot of a pipe", take(0) == 1);
        close(p[1]);
        CHECK("hanging up is silent, too", take(0) == 0);
        close(p[0]);
}

/* Each event of an edge goes to one of the threads that wait. */
#define ROUNDS 2000
static int           a, stop;
static volatile int  taken;

static void *taker(void *arg)
{
        struct epoll_event e;

        (void)arg;
        for (;;) {
                if (epoll_wait(ep, &e, 1, -1) != 1)
                        continue;
                if (e.data.u64 == 9)
                        return NULL;
                __atomic_add_fetch(&taken, 1, __ATOMIC_SEQ_CST);
        }
}

static void threads(void)
{
        pthread_t t[3];
        int       bad = 0;

        a = eventfd(0, EFD_NONBLOCK);
        stop = eventfd(0, 0);
        ctl(EPOLL_CTL_ADD, a, EPOLLIN | EPOLLET, 1);
        for (int i = 0; i < 3; i++)
                pthread_create(&t[i], NULL, taker, NULL);
        for (int i = 0; i < ROUNDS && !bad; i++) {
                put(a);
                int64_t t0 = now_ms();
                while (taken <= i && !bad) {
                        sched_yield();
                        bad = now_ms() - t0 > 5000;
                }
                get(a);
        }
        CHECK("no edge is lost", !bad);
        sleep_ms(20);
        CHECK("none is told twice", taken == ROUNDS);
        ctl(EPOLL_CTL_ADD, stop, EPOLLIN, 9);
        put(stop);
        for (int i = 0; i < 3; i++)
                pthread_join(t[i], NULL);
        CHECK("a level reaches all", 1);
        close(a);
        close(stop);
}

/* Files that are opened, watched, written and closed while others wait. */
static volatile int finished;
static void *waiter(void *arg)
{
        struct epoll_event e[4];

        (void)arg;
        while (!finished)
                epoll_wait(ep, e, 4, 1);
        return NULL;
}

static void churn(void)
{
        pthread_t t[2];

        for (int i = 0; i < 2; i++)
                pthread_create(&t[i], NULL, waiter, NULL);
        for (int i = 0; i < 1500; i++) {
                int p[2], e = eventfd(1, 0);
                must(pipe(p) == 0, "pipe");
                ctl(EPOLL_CTL_ADD, e, EPOLLIN | (i & 1 ? EPOLLET : 0), 1);
                ctl(EPOLL_CTL_ADD, p[0], EPOLLIN, 2);
                must(write(p[1], "x", 1) == 1, "write");
                if (i & 2)
                        ctl(EPOLL_CTL_DEL, e, 0, 0);
                close(e);
                close(i & 4 ? p[0] : p[1]);
                close(i & 4 ? p[1] : p[0]);
        }
        finished = 1;
        for (int i = 0; i < 2; i++)
                pthread_join(t[i], NULL);
        CHECK("all gone", take(0) == 0);
}

int main(void)
{
        ep = epoll_create1(0);
        edges();
        once();
        threads();
        churn();
        return done();
}
