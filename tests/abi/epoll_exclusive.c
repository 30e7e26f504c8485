/* EPOLLEXCLUSIVE: its rules, and whom a wake-up wakes; accept wakes one. */
#include "abi.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#define N 6
static int ep[N], target;
static volatile int woken, ready, gone;

static int ctl(int e, int op, int fd, unsigned events)
{
        struct epoll_event ev = { .events = events, .data.fd = fd };
        return epoll_ctl(e, op, fd, &ev);
}

static void rules(void)
{
        int e = epoll_create1(0), inner = epoll_create1(0), fd = eventfd(0, EFD_NONBLOCK);

        FAILS("not for an epoll", EINVAL, ctl(e, EPOLL_CTL_ADD, inner, EPOLLIN | EPOLLEXCLUSIVE));
        FAILS("not with ONESHOT", EINVAL, ctl(e, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT));
        FAILS("not with PRI", EINVAL, ctl(e, EPOLL_CTL_ADD, fd, EPOLLPRI | EPOLLEXCLUSIVE));
        FAILS("not with RDHUP", EINVAL, ctl(e, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLRDHUP | EPOLLEXCLUSIVE));
        FAILS("not with RDNORM", EINVAL, ctl(e, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLRDNORM | EPOLLEXCLUSIVE));
        OKAY("with all it may have", ctl(e, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE));
        FAILS("not to be changed", EINVAL, ctl(e, EPOLL_CTL_MOD, fd, EPOLLIN));
        FAILS("nor so", EINVAL, ctl(e, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLEXCLUSIVE));
        FAILS("once", EEXIST, ctl(e, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLEXCLUSIVE));
        OKAY("taken off with anything", ctl(e, EPOLL_CTL_DEL, fd, EPOLLEXCLUSIVE | EPOLLONESHOT));
        OKAY("without", ctl(e, EPOLL_CTL_ADD, fd, EPOLLIN));
        FAILS("not added by a change", EINVAL, ctl(e, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLEXCLUSIVE));
        OKAY("alone", (ctl(e, EPOLL_CTL_DEL, fd, 0), ctl(e, EPOLL_CTL_ADD, fd, EPOLLEXCLUSIVE)));
        OKAY("a nested one inside", ctl(inner, EPOLL_CTL_ADD, e, EPOLLIN));
        close(e), close(inner), close(fd);
}

static void *waits(void *arg)
{
        struct epoll_event ev;
        int e = *(int *)arg;

        __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
        int n = epoll_wait(e, &ev, 1, 20000);
        if (n == 1)
                __atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
        __atomic_add_fetch(&gone, 1, __ATOMIC_SEQ_CST);
        return NULL;
}

static pthread_t th[N];
static void start(int n)
{
        ready = woken = gone = 0;
        for (int i = 0; i < n; i++)
                pthread_create(&th[i], NULL, waits, &ep[i]);
        while (ready < n)
                sleep_ms(1);
        threads_asleep(n);
}
static void join(int n)
{
        for (int i = 0; i < n; i++)
                pthread_join(th[i], NULL);
}

static void arm(unsigned flags)
{
        for (int i = 0; i < N; i++) {
                ep[i] = epoll_create1(0);
                must(ctl(ep[i], EPOLL_CTL_ADD, target, EPOLLIN | flags) == 0, "add");
        }
}
static void disarm(void)
{
        for (int i = 0; i < N; i++)
                close(ep[i]);
}
static void post(void)
{
        uint64_t one = 1;
        must(write(target, &one, 8) == 8, "write");
}

static void events(void)
{
        uint64_t v;

        target = eventfd(0, EFD_NONBLOCK);
        arm(0);
        start(N);
        post();
        join(N);
        CHECK("without it all are woken", woken == N);
        must(read(target, &v, 8) == 8, "read");
        disarm();

        arm(EPOLLEXCLUSIVE);
        start(N);
        post();
        reaches(&woken, 1);
        CHECK("one is woken", woken == 1);
        post();
        reaches(&woken, 2);
        CHECK("another by another", woken == 2);
        for (int i = 2; i < N; i++)
                post(), sleep_ms(30);
        join(N);
        CHECK("in the end all", woken == N);
        must(read(target, &v, 8) == 8, "read");

        /* the first has nobody who waits: the wake-up goes on */
        ready = woken = gone = 0;
        pthread_create(&th[0], NULL, waits, &ep[N - 1]);
        while (!ready)
                sleep_ms(1);
        threads_asleep(1);
        int64_t from = now_ms();
        post();
        pthread_join(th[0], NULL);
        CHECK("whoever waits is found", woken == 1 && now_ms() - from < 10000);
        disarm();
        close(target);
}

/* One epoll wants to read, another to write: each gets its own. */
static void both_ways(void)
{
        int s[2];
        char buf[4096] = {};

        must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s) == 0, "pair");
        while (write(s[0], buf, sizeof buf) > 0)
                ;
        ep[0] = epoll_create1(0), ep[1] = epoll_create1(0);
        ctl(ep[0], EPOLL_CTL_ADD, s[0], EPOLLIN | EPOLLEXCLUSIVE);
        ctl(ep[1], EPOLL_CTL_ADD, s[0], EPOLLOUT | EPOLLEXCLUSIVE);
        start(2);
        while (read(s[1], buf, sizeof buf) > 0)
                ;
        reaches(&woken, 1);
        CHECK("the writer is woken", woken == 1);
        must(write(s[1], "x", 1) == 1, "write");
        join(2);
        CHECK("and the reader", woken == 2);
        close(ep[0]), close(ep[1]), close(s[0]), close(s[1]);
}

static void hangup(void)
{
        int p[2];

        must(pipe(p) == 0, "pipe");
        target = p[0];
        arm(EPOLLEXCLUSIVE);
        start(N);
        close(p[1]);
        join(N);
        CHECK("an end wakes all", woken == N);
        disarm();
        close(p[0]);
        must(pipe2(p, O_NONBLOCK) == 0, "pipe");
        target = p[0];
        arm(EPOLLEXCLUSIVE);
        start(N);
        must(write(p[1], "x", 1) == 1, "write");
        reaches(&woken, 1);
        CHECK("a byte in a pipe wakes one", woken == 1);
        close(p[1]);
        join(N);
        CHECK("then its end all", woken == N);
        disarm();
        close(p[0]);
}

static int listener;
static struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "listens" };
static volatile int accepted, tried;

static void *accepts(void *arg)
{
        (void)arg;
        __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
        int fd = accept(listener, NULL, NULL);
        __atomic_add_fetch(fd >= 0 ? &accepted : &gone, 1, __ATOMIC_SEQ_CST);
        close(fd);
        return NULL;
}

static int connects(void)
{
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        must(connect(fd, (void *)&name, sizeof name) == 0, "connect");
        return fd;
}

static void accepting(void)
{
        listener = socket(AF_UNIX, SOCK_STREAM, 0);
        must(bind(listener, (void *)&name, sizeof name) == 0 && listen(listener, 32) == 0, "listen");
        ready = accepted = gone = 0;
        for (int i = 0; i < N; i++)
                pthread_create(&th[i], NULL, accepts, NULL);
        while (ready < N)
                sleep_ms(1);
        threads_asleep(N);
        int a = connects();
        reaches(&accepted, 1);
        CHECK("one accepts", accepted == 1);
        int b = connects(), c = connects();
        reaches(&accepted, 3);
        CHECK("two more", accepted == 3);
        shutdown(listener, SHUT_RD);
        for (int i = 0; i < N; i++)
                pthread_join(th[i], NULL);
        CHECK("the others learn of the end", accepted == 3 && gone == 3);
        close(a), close(b), close(c), close(listener);
        unlink(name.sun_path);

        /* accept beside an exclusive epoll that nobody waits at */
        listener = socket(AF_UNIX, SOCK_STREAM, 0);
        must(bind(listener, (void *)&name, sizeof name) == 0 && listen(listener, 32) == 0, "listen");
        target = listener;
        arm(EPOLLEXCLUSIVE);
        ready = accepted = 0;
        pthread_create(&th[0], NULL, accepts, NULL);
        while (!ready)
                sleep_ms(1);
        threads_asleep(1);
        a = connects();
        pthread_join(th[0], NULL);
        CHECK("accept beside idle epolls", accepted == 1);
        disarm();
        close(a);
        /* and a storm: every connection finds somebody */
        arm(EPOLLEXCLUSIVE);
        ready = accepted = 0;
        for (int round = 0; round < 100; round++) {
                pthread_create(&th[0], NULL, accepts, NULL);
                pthread_create(&th[1], NULL, accepts, NULL);
                a = connects(), b = connects();
                pthread_join(th[0], NULL), pthread_join(th[1], NULL);
                close(a), close(b);
        }
        CHECK("a storm", accepted == 200);
        disarm();
        close(listener);
}

int main(void)
{
        rules();
        events();
        both_ways();
        hangup();
        accepting();
        return done();
}
