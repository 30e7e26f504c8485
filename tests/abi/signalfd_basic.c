/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: signalfd: reading, order, what each kind of signal tells, waiting, poll and epoll, masks changed, threads, fork, errors, /proc.
 */
#include "abi.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#define BIT(sig) (1ul << ((sig) - 1))

static int fd;

static int sfd(int old, uint64_t mask, int flags) { return syscall(SYS_signalfd4, old, &mask, 8, flags); }
static void block(uint64_t mask) { must(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &mask, NULL, 8) == 0, "block"); }
static uint64_t pending(void)
{
        uint64_t set = 0;
        syscall(SYS_rt_sigpending, &set, 8);
        return set;
}
static struct signalfd_siginfo get(void)
{
        struct signalfd_siginfo si;
        memset(&si, 0xff, sizeof si);
        if (read(fd, &si, sizeof si) != sizeof si)
                memset(&si, 0, sizeof si);
        return si;
}
static int ready(int ms)
{
        struct pollfd p = { fd, POLLIN | POLLOUT, 0 };
        poll(&p, 1, ms);
        return p.revents;
}

static void reading(void)
{
        struct signalfd_siginfo si[8];
        union sigval v = { .sival_ptr = (void *)0x123456789abcdef0 };

        fd = sfd(-1, BIT(SIGUSR1) | BIT(SIGUSR2) | BIT(SIGCHLD) | BIT(40) | BIT(SIGKILL) | BIT(SIGSTOP), SFD_NONBLOCK | SFD_CLOEXEC);
        OKAY("made", fd);
        CHECK("close-on-exec", fcntl(fd, F_GETFD) == FD_CLOEXEC);
        CHECK("flags", fcntl(fd, F_GETFL) == (O_RDWR | O_NONBLOCK));
        FAILS("nothing pending", EAGAIN, read(fd, si, sizeof si[0]));
        CHECK("not ready", ready(0) == 0);
        kill(getpid(), SIGUSR2);
        CHECK("ready", ready(0) == POLLIN);
        FAILS("no room", EINVAL, read(fd, si, sizeof si[0] - 1));
        si[0] = get();
        CHECK("kill", si[0].ssi_signo == SIGUSR2 && si[0].ssi_code == SI_USER && (pid_t)si[0].ssi_pid == getpid() && si[0].ssi_uid == 0);
        CHECK("the rest is 0", !si[0].ssi_errno && !si[0].ssi_fd && !si[0].ssi_tid && !si[0].ssi_status && !si[0].ssi_int && !si[0].ssi_ptr &&
              !si[0].ssi_addr && !si[0].ssi_utime && !si[0].__pad[0]);
        CHECK("taken", !(pending() & BIT(SIGUSR2)) && ready(0) == 0);
        kill(getpid(), SIGUSR1);
        kill(getpid(), SIGUSR1);
        CHECK("a standard signal once", get().ssi_signo == SIGUSR1 && get().ssi_signo == 0);
        sigqueue(getpid(), 40, v);
        sigqueue(getpid(), 40, (union sigval){ .sival_int = 7 });
        kill(getpid(), SIGUSR2);
        syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1);
        CHECK("several at once", read(fd, si, sizeof si) == 4 * (ssize_t)sizeof si[0]);
        CHECK("in order", si[0].ssi_signo == SIGUSR1 && si[1].ssi_signo == SIGUSR2 && si[2].ssi_signo == 40 && si[3].ssi_signo == 40);
        CHECK("tgkill", si[0].ssi_code == SI_TKILL && (pid_t)si[0].ssi_pid == getpid());
        CHECK("sigqueue: a pointer", si[2].ssi_code == SI_QUEUE && si[2].ssi_ptr == (uint64_t)v.sival_ptr && si[2].ssi_int == (int)0x9abcdef0);
        CHECK("sigqueue: an int", si[3].ssi_int == 7 && (pid_t)si[3].ssi_pid == getpid());
        kill(getpid(), SIGUSR1);
        kill(getpid(), SIGUSR2);
        CHECK("room for one and a half", read(fd, si, sizeof si[0] * 3 / 2) == sizeof si[0] && si[0].ssi_signo == SIGUSR1);
        CHECK("the other stays", get().ssi_signo == SIGUSR2);
        pid_t child = fork();
        if (child == 0)
                _exit(42);
        CHECK("waits for a child", ready(5000) == POLLIN);
        si[0] = get();
        CHECK("SIGCHLD", si[0].ssi_signo == SIGCHLD && si[0].ssi_code == CLD_EXITED && (pid_t)si[0].ssi_pid == child && si[0].ssi_status == 42);
        waitpid(child, NULL, 0);
        raise(SIGTERM);
        CHECK("one that is not in the mask", ready(0) == 0 && (pending() & BIT(SIGTERM)));
        CHECK("another mask", sfd(fd, BIT(SIGTERM), 0) == fd && ready(0) == POLLIN && get().ssi_signo == SIGTERM);
        CHECK("flags stay", fcntl(fd, F_GETFL) == (O_RDWR | O_NONBLOCK));
        close(fd);
}

static void faults(void)
{
        struct signalfd_siginfo si[2];
        struct iovec v[2] = { { si, sizeof si[0] }, { si + 1, sizeof si[0] } };

        fd = sfd(-1, BIT(SIGUSR1) | BIT(SIGUSR2), SFD_NONBLOCK);
        kill(getpid(), SIGUSR1);
        CHECK("readv", readv(fd, v, 2) == sizeof si[0] && si[0].ssi_signo == SIGUSR1);
        kill(getpid(), SIGUSR1);
        FAILS("to nowhere", EFAULT, read(fd, BAD_PTR, sizeof si));
        CHECK("it is lost", !(pending() & BIT(SIGUSR1)));
        kill(getpid(), SIGUSR1);
        kill(getpid(), SIGUSR2);
        char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        munmap(p + PAGE, PAGE);
        CHECK("the second to nowhere", read(fd, p + PAGE - sizeof si[0], 2 * sizeof si[0]) == sizeof si[0]);
        CHECK("is lost, too", pending() == 0);
        munmap(p, PAGE);
        close(fd);
}

static void nothing(int sig) { (void)sig; }

static void *sender(void *arg)
{
        sleep_ms(30);
        kill(getpid(), (int)(long)arg);
        return NULL;
}

static pthread_t later(int sig)
{
        pthread_t t;
        must(pthread_create(&t, NULL, sender, (void *)(long)sig) == 0, "thread");
        return t;
}

static void waiting(void)
{
        struct signalfd_siginfo si;
        struct itimerval v = { { 0, 30000 }, { 0, 30000 } };
        struct epoll_event e = { .events = EPOLLIN };
        int ep = epoll_create1(0);

        fd = sfd(-1, BIT(SIGUSR1), 0);
        pthread_t t = later(SIGUSR1);
        CHECK("read waits", get().ssi_signo == SIGUSR1);
        pthread_join(t, NULL);
        t = later(SIGUSR1);
        CHECK("poll waits", ready(5000) == POLLIN);
        pthread_join(t, NULL);
        get();
        epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
        CHECK("epoll: not ready", epoll_wait(ep, &e, 1, 0) == 0);
        t = later(SIGUSR1);
        CHECK("epoll waits", epoll_wait(ep, &e, 1, 5000) == 1 && e.events == EPOLLIN);
        pthread_join(t, NULL);
        get();
        CHECK("epoll: no more", epoll_wait(ep, &e, 1, 20) == 0);
        e.events = EPOLLIN | EPOLLET;
        epoll_ctl(ep, EPOLL_CTL_MOD, fd, &e);
        raise(SIGUSR1);
        CHECK("an edge", epoll_wait(ep, &e, 1, 1000) == 1 && epoll_wait(ep, &e, 1, 20) == 0);
        raise(SIGUSR1);
        CHECK("pending already: no edge", epoll_wait(ep, &e, 1, 20) == 0);
        get();
        sfd(fd, BIT(SIGUSR2), 0);
        CHECK("a new mask is an edge, not ready", epoll_wait(ep, &e, 1, 20) == 0);
        on(SIGALRM, nothing, 0);
        setitimer(ITIMER_REAL, &v, NULL);
        FAILS("a signal ends a read", EINTR, read(fd, &si, sizeof si));
        setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
        on(SIGALRM, nothing, SA_RESTART);
        setitimer(ITIMER_REAL, &v, NULL);
        t = later(SIGUSR2);
        CHECK("or does not", read(fd, &si, sizeof si) == sizeof si);
        setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
        pthread_join(t, NULL);
        close(ep);
        close(fd);
}

/* Who reads takes its own. */
static int other(void)
{
        int own = ready(0);
        raise(SIGUSR1);
        CHECK("the child's own", own == 0 && get().ssi_signo == SIGUSR1);
        return done();
}

static void *thread(void *arg)
{
        (void)arg;
        syscall(SYS_tgkill, getpid(), gettid(), SIGUSR1);
        return (void *)(long)(get().ssi_signo == SIGUSR1);
}

static void owners(void)
{
        pthread_t t;
        void *good = NULL;

        fd = sfd(-1, BIT(SIGUSR1) | BIT(SIGUSR2), SFD_NONBLOCK);
        kill(getpid(), SIGUSR1);
        CHECK("in a child", in_child(other) == 0);
        CHECK("the parent's is still there", get().ssi_signo == SIGUSR1);
        syscall(SYS_tgkill, getpid(), getpid(), SIGUSR2);
        must(pthread_create(&t, NULL, thread, NULL) == 0, "thread");
        pthread_join(t, &good);
        CHECK("a thread's own", good != NULL);
        CHECK("and this one's", get().ssi_signo == SIGUSR2);
        close(fd);
}

static void errors(void)
{
        uint64_t mask = BIT(SIGUSR1);
        char path[64], link[64] = "";
        int other_fd = open("f", O_CREAT | O_RDWR, 0600);

        FAILS("mask size", EINVAL, syscall(SYS_signalfd4, -1, &mask, 16, 0));
        FAILS("mask size 4", EINVAL, syscall(SYS_signalfd, -1, &mask, 4));
        FAILS("mask from nowhere", EFAULT, syscall(SYS_signalfd4, -1, BAD_PTR, 8, 0));
        FAILS("from nowhere with bad flags", EFAULT, syscall(SYS_signalfd4, -1, BAD_PTR, 8, 1));
        FAILS("bad flags", EINVAL, sfd(-1, mask, 1));
        FAILS("no descriptor", EBADF, sfd(999, mask, 0));
        FAILS("no descriptor -2", EBADF, sfd(-2, mask, 0));
        FAILS("another file", EINVAL, sfd(other_fd, mask, 0));
        fd = syscall(SYS_signalfd, -1, &mask, 8);
        OKAY("signalfd", fd);
        CHECK("without flags", fcntl(fd, F_GETFL) == O_RDWR && fcntl(fd, F_GETFD) == 0);
        FAILS("write", EINVAL, write(fd, &mask, 8));
        FAILS("pread", ESPIPE, pread(fd, &mask, 8, 0));
        CHECK("seeking goes nowhere", lseek(fd, 5, SEEK_SET) == 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        CHECK("name", readlink(path, link, sizeof link - 1) > 0 && !strcmp(link, "anon_inode:[signalfd]"));
        sfd(fd, ~0ul, 0);
        snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
        CHECK("fdinfo", strstr(text_of(path), "sigmask:\tfffffffffffbfeff\n") != NULL);
        close(fd);
        close(other_fd);
}

int main(void)
{
        block(BIT(SIGUSR1) | BIT(SIGUSR2) | BIT(SIGCHLD) | BIT(SIGTERM) | BIT(40));
        reading();
        faults();
        waiting();
        owners();
        errors();
        return done();
}
