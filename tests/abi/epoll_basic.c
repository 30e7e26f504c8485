/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: epoll: adding, changing and removing items, level-triggered waiting, time-outs, signals, closing, errors.
 */
#include "abi.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

static int ep;

static int ctl(int op, int fd, uint32_t events, uint64_t data)
{
        struct epoll_event e = { .events = events, .data.u64 = data };
        return epoll_ctl(ep, op, fd, &e);
}

static struct epoll_event got[8];
static int take(int ms)
{
        memset(got, 0, sizeof got);
        return epoll_wait(ep, got, 8, ms);
}
static int is(int i, uint32_t events, uint64_t data) { return got[i].events == events && got[i].data.u64 == data; }

static void put(int fd, uint64_t n) { must(write(fd, &n, 8) == 8, "put"); }
static void get(int fd) { uint64_t n; must(read(fd, &n, 8) == 8, "get"); }

static void levels(void)
{
        int a = eventfd(0, 0), b = eventfd(0, 0), p[2];

        must(pipe(p) == 0, "pipe");
        CHECK("nothing there", take(0) == 0);
        OKAY("add", ctl(EPOLL_CTL_ADD, a, EPOLLIN, 0x123456789abcdefull));
        OKAY("another", ctl(EPOLL_CTL_ADD, b, EPOLLIN | EPOLLOUT, 2));
        CHECK("ready when added", take(0) == 1 && is(0, EPOLLOUT, 2));
        put(a, 1);
        CHECK("both", take(0) == 2 && is(0, EPOLLOUT, 2) + is(1, EPOLLOUT, 2) == 1 &&
              is(0, EPOLLIN, 0x123456789abcdefull) + is(1, EPOLLIN, 0x123456789abcdefull) == 1);
        CHECK("again: they still are", take(-1) == 2);
        put(b, 1);
        OKAY("to other events", ctl(EPOLL_CTL_MOD, b, EPOLLIN, 3));
        get(a);
        CHECK("changed", take(0) == 1 && is(0, EPOLLIN, 3));
        OKAY("to none", ctl(EPOLL_CTL_MOD, b, 0, 3));
        CHECK("none", take(0) == 0);
        OKAY("to some", ctl(EPOLL_CTL_MOD, b, EPOLLIN, 4));
        CHECK("some", take(0) == 1 && is(0, EPOLLIN, 4));
        OKAY("removed", epoll_ctl(ep, EPOLL_CTL_DEL, b, NULL));
        CHECK("is not there", take(0) == 0);

        OKAY("a pipe", ctl(EPOLL_CTL_ADD, p[0], EPOLLIN, 5));
        OKAY("its other end", ctl(EPOLL_CTL_ADD, p[1], EPOLLOUT, 6));
        CHECK("writable", take(0) == 1 && is(0, EPOLLOUT, 6));
        ctl(EPOLL_CTL_MOD, p[1], 0, 6);
        must(write(p[1], "x", 1) == 1, "write");
        CHECK("readable", take(0) == 1 && is(0, EPOLLIN, 5));
        close(p[1]);
        CHECK("hung up", take(0) == 1 && is(0, EPOLLIN | EPOLLHUP, 5));
        close(p[0]);
        CHECK("a closed file is gone", take(0) == 0);

        must(pipe(p) == 0, "pipe");
        ctl(EPOLL_CTL_ADD, p[1], 0, 7);
        close(p[0]);
        CHECK("an error nobody asked for", take(0) == 1 && is(0, EPOLLERR, 7));
        close(p[1]);
        close(a);
        close(b);
}

static void turns(void)
{
        int fd[5], seen = 0;
        struct epoll_event e[2];

        for (int i = 0; i < 5; i++) {
                fd[i] = eventfd(1, 0);
                ctl(EPOLL_CTL_ADD, fd[i], EPOLLIN, i);
        }
        for (int i = 0; i < 5; i++) {
                int n = epoll_wait(ep, e, 2, 0);
                for (int k = 0; k < n; k++)
                        seen |= 1 << e[k].data.u64;
        }
        CHECK("all have their turn", seen == 31);
        for (int i = 0; i < 5; i++)
                close(fd[i]);
        CHECK("all closed", take(0) == 0);
}

static void *later(void *arg)
{
        sleep_ms(50);
        put(*(int *)arg, 1);
        return NULL;
}

static void nothing(int sig) { (void)sig; }

static void waiting(void)
{
        int a = eventfd(0, 0);
        pthread_t t;
        int64_t t0 = now_ms();
        struct itimerval v = { { 0, 0 }, { 0, 30000 } };
        struct timespec ts = { 0, 20000000 };
        sigset_t set;

        ctl(EPOLL_CTL_ADD, a, EPOLLIN, 1);
        CHECK("time-out", take(40) == 0 && now_ms() - t0 >= 40);
        pthread_create(&t, NULL, later, &a);
        CHECK("woken", take(5000) == 1 && is(0, EPOLLIN, 1));
        pthread_join(t, NULL);
        get(a);
        on(SIGALRM, nothing, SA_RESTART);
        ALARMED("a signal ends it, SA_RESTART or not", take(-1));
        sigemptyset(&set);
        sigaddset(&set, SIGALRM);
        setitimer(ITIMER_REAL, &v, NULL);
        CHECK("a blocked one does not", epoll_pwait(ep, got, 8, 60, &set) == 0);
        sigprocmask(SIG_BLOCK, &set, NULL);
        raise(SIGALRM);
        sigemptyset(&set);
        FAILS("pwait lets a pending one in", EINTR, epoll_pwait(ep, got, 8, -1, &set));
        put(a, 1);
        raise(SIGALRM);
        CHECK("an event comes first", epoll_pwait(ep, got, 8, -1, &set) == 1);
        sigaddset(&set, SIGALRM);
        sigprocmask(SIG_UNBLOCK, &set, NULL);
        get(a);
        t0 = now_ms();
        CHECK("pwait2", syscall(SYS_epoll_pwait2, ep, got, 8, &ts, NULL, 8) == 0 && now_ms() - t0 >= 20);
        ts.tv_nsec = 1000000000;
        FAILS("pwait2: no such time", EINVAL, syscall(SYS_epoll_pwait2, ep, got, 8, &ts, NULL, 8));
        FAILS("pwait: mask of another size", EINVAL, syscall(SYS_epoll_pwait, ep, got, 8, 0, &set, 4));
        close(a);
}

/* An item is of a file, not of a descriptor. */
static void copies(void)
{
        int a = eventfd(1, 0), b = dup(a), other = eventfd(1, 0);

        OKAY("one", ctl(EPOLL_CTL_ADD, a, EPOLLIN, 1));
        OKAY("its copy", ctl(EPOLL_CTL_ADD, b, EPOLLIN, 2));
        FAILS("not twice", EEXIST, ctl(EPOLL_CTL_ADD, b, EPOLLIN, 2));
        CHECK("both tell", take(0) == 2);
        close(a);
        CHECK("closing one is not the end", take(0) == 2);
        FAILS("but it has no name", EBADF, ctl(EPOLL_CTL_DEL, a, 0, 0));
        must(dup2(other, a) == a, "dup2");
        FAILS("another file of that name is not there", ENOENT, ctl(EPOLL_CTL_MOD, a, EPOLLIN, 3));
        OKAY("and can be added", ctl(EPOLL_CTL_ADD, a, EPOLLIN, 3));
        CHECK("three", take(0) == 3);
        must(dup2(b, a) == a, "dup2");
        OKAY("the first is found again", ctl(EPOLL_CTL_DEL, a, 0, 0));
        CHECK("two", take(0) == 2);
        close(a);
        close(b);
        CHECK("one is left", take(0) == 1 && is(0, EPOLLIN, 3));
        pid_t pid = fork();
        if (pid == 0) {
                sleep_ms(100);
                _exit(0);
        }
        close(other);
        CHECK("a child has it still", take(0) == 1);
        result_of(pid);
        CHECK("no more", take(0) == 0);
}

static void errors(void)
{
        int a = eventfd(0, 0), file = open("f", O_RDWR | O_CREAT, 0600), dir = open(".", O_RDONLY), nul = open("/dev/null", O_RDWR);

        FAILS("no file to wait for", EPERM, ctl(EPOLL_CTL_ADD, file, EPOLLIN, 0));
        FAILS("nor a directory", EPERM, ctl(EPOLL_CTL_ADD, dir, EPOLLIN, 0));
        FAILS("nor /dev/null", EPERM, ctl(EPOLL_CTL_ADD, nul, EPOLLIN, 0));
        FAILS("not itself", EINVAL, ctl(EPOLL_CTL_ADD, ep, EPOLLIN, 0));
        FAILS("no descriptor", EBADF, ctl(EPOLL_CTL_ADD, 999, EPOLLIN, 0));
        FAILS("no epoll descriptor", EBADF, epoll_ctl(999, EPOLL_CTL_DEL, a, NULL));
        FAILS("no epoll", EINVAL, epoll_ctl(a, EPOLL_CTL_DEL, a, NULL));
        FAILS("no epoll, another file", EINVAL, epoll_ctl(file, EPOLL_CTL_DEL, a, NULL));
        FAILS("no such item", ENOENT, ctl(EPOLL_CTL_MOD, a, EPOLLIN, 0));
        FAILS("none to remove", ENOENT, ctl(EPOLL_CTL_DEL, a, 0, 0));
        FAILS("no such operation", EINVAL, ctl(9, a, 0, 0));
        FAILS("event from nowhere", EFAULT, epoll_ctl(ep, EPOLL_CTL_ADD, a, BAD_PTR));
        FAILS("even with no descriptor", EFAULT, epoll_ctl(999, EPOLL_CTL_ADD, a, BAD_PTR));
        FAILS("no room", EINVAL, epoll_wait(ep, got, 0, 0));
        FAILS("less than none", EINVAL, epoll_wait(ep, got, -1, 0));
        FAILS("too much", EINVAL, epoll_wait(ep, got, INT_MAX / 12 + 1, 0));
        FAILS("wait: no descriptor", EBADF, epoll_wait(999, got, 1, 0));
        FAILS("wait: no epoll", EINVAL, epoll_wait(a, got, 1, 0));
        put(a, 1);
        ctl(EPOLL_CTL_ADD, a, EPOLLIN | EPOLLET, 8);
        FAILS("events to nowhere", EFAULT, epoll_wait(ep, BAD_PTR, 1, 0));
        CHECK("which loses none", take(0) == 1 && is(0, EPOLLIN, 8));
        FAILS("size 0", EINVAL, syscall(SYS_epoll_create, 0));
        FAILS("bad flags", EINVAL, epoll_create1(1));
        FAILS("read", EINVAL, read(ep, got, 8));
        FAILS("write", EINVAL, write(ep, got, 8));

        OKAY("exclusive", (epoll_ctl(ep, EPOLL_CTL_DEL, a, NULL), ctl(EPOLL_CTL_ADD, a, EPOLLIN | EPOLLEXCLUSIVE, 9)));
        CHECK("tells", take(0) == 1 && is(0, EPOLLIN, 9));
        FAILS("cannot be changed", EINVAL, ctl(EPOLL_CTL_MOD, a, EPOLLIN, 9));
        ctl(EPOLL_CTL_DEL, a, 0, 0);
        FAILS("exclusive and once", EINVAL, ctl(EPOLL_CTL_ADD, a, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 9));
        FAILS("exclusive and urgent", EINVAL, ctl(EPOLL_CTL_ADD, a, EPOLLPRI | EPOLLEXCLUSIVE, 9));
        ctl(EPOLL_CTL_ADD, a, EPOLLIN, 9);
        FAILS("not afterwards", EINVAL, ctl(EPOLL_CTL_MOD, a, EPOLLIN | EPOLLEXCLUSIVE, 9));
        close(a);
}

static void descriptors(void)
{
        char path[64], link[64] = "", want[128];
        int a = eventfd(0, 0), fd = epoll_create1(EPOLL_CLOEXEC);

        CHECK("EPOLL_CLOEXEC", fcntl(fd, F_GETFD) == FD_CLOEXEC && fcntl(ep, F_GETFD) == 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", ep);
        CHECK("name", readlink(path, link, sizeof link - 1) > 0 && !strcmp(link, "anon_inode:[eventpoll]"));
        ctl(EPOLL_CTL_ADD, a, EPOLLIN | EPOLLET, 0x77);
        snprintf(path, sizeof path, "/proc/self/fdinfo/%d", ep);
        snprintf(want, sizeof want, "tfd: %8d events: 80000019 data:               77  pos:0 ino:", a);
        CHECK("fdinfo", strstr(text_of(path), want) != NULL);
        CHECK("flags", (fcntl(ep, F_GETFL) & ~O_LARGEFILE) == O_RDWR);
        CHECK("seeking goes nowhere", lseek(ep, 7, SEEK_SET) == 0);
        close(fd);
        close(a);
}

int main(void)
{
        ep = epoll_create(1);
        must(ep >= 0, "epoll_create");
        levels();
        turns();
        waiting();
        copies();
        errors();
        descriptors();
        return done();
}
