/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: pidfds: opening, readiness at exit, signals, waitid, descriptors of others, CLONE_PIDFD, /proc.
 */
#include "abi.h"
#include <linux/sched.h>
#include <pthread.h>
#include <sys/epoll.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#define PIDFD_NONBLOCK O_NONBLOCK

static int pidfd_open_(pid_t pid, unsigned flags) { return syscall(SYS_pidfd_open, pid, flags); }
static int pidfd_send(int fd, int sig, siginfo_t *si, unsigned flags) { return syscall(SYS_pidfd_send_signal, fd, sig, si, flags); }
static int pidfd_getfd_(int fd, int target, unsigned flags) { return syscall(SYS_pidfd_getfd, fd, target, flags); }

static int ready(int fd, int ms)
{
        struct pollfd p = { fd, POLLIN | POLLOUT, 0 };
        poll(&p, 1, ms);
        return p.revents;
}

static pid_t sleeper(void)
{
        pid_t pid = fork();
        if (pid == 0)
                for (;;)
                        pause();
        must(pid > 0, "fork");
        return pid;
}

/* The number behind "Pid:" in fdinfo. */
static int shown(int fd)
{
        char path[64];
        snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
        const char *at = strstr(text_of(path), "Pid:\t");
        return at ? atoi(at + 5) : -2;
}

static void *nothing(void *arg) { return arg; }
static void *tell_tid(void *arg)
{
        *(pid_t *)arg = gettid();
        pause();
        return NULL;
}

static void opening(void)
{
        char path[64], link[64] = "";
        pthread_t t;
        static volatile pid_t tid;
        pid_t pid = sleeper();
        int fd = pidfd_open_(pid, 0);

        OKAY("open", fd);
        CHECK("close-on-exec", fcntl(fd, F_GETFD) == FD_CLOEXEC);
        CHECK("flags", fcntl(fd, F_GETFL) == O_RDWR);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        CHECK("name", readlink(path, link, sizeof link - 1) > 0 && !strcmp(link, "anon_inode:[pidfd]"));
        CHECK("fdinfo", shown(fd) == pid);
        FAILS("read", EINVAL, read(fd, link, 8));
        FAILS("write", EINVAL, write(fd, link, 8));
        CHECK("not ready", ready(fd, 0) == 0);
        kill(pid, SIGKILL);
        CHECK("ready", ready(fd, 5000) == POLLIN);
        CHECK("a zombie is shown", shown(fd) == pid);
        int again = pidfd_open_(pid, 0);
        CHECK("a zombie can be opened", again >= 0 && ready(again, 0) == POLLIN);
        OKAY("a zombie takes signals", pidfd_send(fd, SIGTERM, NULL, 0));
        waitpid(pid, NULL, 0);
        CHECK("reaped: ready", ready(fd, 0) == POLLIN);
        CHECK("reaped: fdinfo", shown(fd) == -1);
        FAILS("reaped: signal", ESRCH, pidfd_send(fd, 0, NULL, 0));
        FAILS("reaped: getfd", ESRCH, pidfd_getfd_(fd, 0, 0));
        siginfo_t si;
        FAILS("reaped: wait", ECHILD, waitid(P_PIDFD, fd, &si, WEXITED));
        FAILS("reaped: open", ESRCH, pidfd_open_(pid, 0));
        close(fd);
        close(again);
        FAILS("pid 0", EINVAL, pidfd_open_(0, 0));
        FAILS("pid -1", EINVAL, pidfd_open_(-1, 0));
        FAILS("flags", EINVAL, pidfd_open_(getpid(), 1));
        FAILS("flags before pids", EINVAL, pidfd_open_(0x3fffff, 1));
        FAILS("none", ESRCH, pidfd_open_(0x3fffff, 0));
        fd = pidfd_open_(getpid(), PIDFD_NONBLOCK);
        CHECK("nonblock", fcntl(fd, F_GETFL) == (O_RDWR | O_NONBLOCK));
        close(fd);
        must(pthread_create(&t, NULL, tell_tid, (void *)&tid) == 0, "thread");
        while (!tid)
                sleep_ms(1);
        FAILS("a thread", EINVAL, pidfd_open_(tid, 0));
        pthread_cancel(t);
        pthread_join(t, NULL);
}

static volatile int got_value, got_code, got_sig;
static void on_info(int sig, siginfo_t *si, void *c)
{
        (void)c;
        got_sig = sig;
        got_code = si->si_code;
        got_value = si->si_value.sival_int;
}

static int as_user(void)
{
        int fd = pidfd_open_(1, 0);
        become_user(1000);
        FAILS("others' processes", EPERM, pidfd_send(fd, SIGTERM, NULL, 0));
        FAILS("even only asking", EPERM, pidfd_send(fd, 0, NULL, 0));
        FAILS("others' descriptors", EPERM, pidfd_getfd_(fd, 0, 0));
        return done();
}

static void signals(void)
{
        struct sigaction sa = { .sa_sigaction = on_info, .sa_flags = SA_SIGINFO };
        int self = pidfd_open_(getpid(), 0), file = open("f", O_CREAT | O_RDWR, 0600);
        pid_t pid = sleeper();
        int fd = pidfd_open_(pid, 0), proc, st;
        char path[32];
        siginfo_t si = { .si_signo = SIGUSR1, .si_code = SI_QUEUE, .si_value.sival_int = 77 };

        sigaction(SIGUSR1, &sa, NULL);
        OKAY("nothing", pidfd_send(self, 0, NULL, 0));
        OKAY("to itself", pidfd_send(self, SIGUSR1, NULL, 0));
        CHECK("as kill", got_sig == SIGUSR1 && got_code == SI_USER);
        OKAY("with a value", pidfd_send(self, SIGUSR1, &si, 0));
        CHECK("it came", got_code == SI_QUEUE && got_value == 77);
        FAILS("of another signal", EINVAL, pidfd_send(self, SIGUSR2, &si, 0));
        si.si_code = SI_USER;
        OKAY("a lie to itself", pidfd_send(self, SIGUSR1, &si, 0));
        FAILS("to another", EPERM, pidfd_send(fd, SIGUSR1, &si, 0));
        FAILS("from nowhere", EFAULT, pidfd_send(fd, SIGUSR1, BAD_PTR, 0));
        FAILS("flags", EINVAL, pidfd_send(fd, SIGUSR1, NULL, 1));
        FAILS("no signal", EINVAL, pidfd_send(fd, 65, NULL, 0));
        FAILS("no descriptor", EBADF, pidfd_send(999, SIGUSR1, NULL, 0));
        FAILS("another file", EBADF, pidfd_send(file, SIGUSR1, NULL, 0));
        OKAY("stop", pidfd_send(fd, SIGSTOP, NULL, 0));
        CHECK("stopped", waitid(P_PIDFD, fd, &si, WSTOPPED) == 0 && si.si_code == CLD_STOPPED && si.si_status == SIGSTOP && si.si_pid == pid);
        snprintf(path, sizeof path, "/proc/%d", pid);
        proc = open(path, O_RDONLY | O_DIRECTORY);
        OKAY("by /proc", pidfd_send(proc, SIGKILL, NULL, 0));
        int sub = openat(proc, "task", O_RDONLY | O_DIRECTORY);
        FAILS("not by a part of it", EBADF, pidfd_send(sub, 0, NULL, 0));
        FAILS("getfd by /proc", EBADF, pidfd_getfd_(proc, 0, 0));
        CHECK("killed", waitpid(pid, &st, 0) == pid && WIFSIGNALED(st) && WTERMSIG(st) == SIGKILL);
        FAILS("reaped, by /proc", ESRCH, pidfd_send(proc, SIGKILL, NULL, 0));
        CHECK("as a user", in_child(as_user) == 0);
        close(sub);
        close(proc);
        close(fd);
        close(self);
        close(file);
}

static void waiting(void)
{
        siginfo_t si = { 0 };
        struct rusage usage;
        pid_t pid = fork();
        if (pid == 0) {
                sleep_ms(30);
                _exit(9);
        }
        int fd = pidfd_open_(pid, 0), file = open("f", O_RDWR);

        CHECK("nothing yet", waitid(P_PIDFD, fd, &si, WEXITED | WNOHANG) == 0 && si.si_pid == 0);
        CHECK("seen", waitid(P_PIDFD, fd, &si, WEXITED | WNOWAIT) == 0 && si.si_pid == pid && si.si_status == 9);
        CHECK("waits", syscall(SYS_waitid, P_PIDFD, fd, &si, WEXITED, &usage) == 0 && si.si_pid == pid && si.si_code == CLD_EXITED);
        close(fd);
        FAILS("no descriptor", EBADF, waitid(P_PIDFD, 999, &si, WEXITED));
        FAILS("a negative one", EINVAL, waitid(P_PIDFD, -1, &si, WEXITED));
        FAILS("another file", EBADF, waitid(P_PIDFD, file, &si, WEXITED));
        fd = pidfd_open_(getpid(), 0);
        FAILS("no child", ECHILD, waitid(P_PIDFD, fd, &si, WEXITED));
        close(fd);
        pid = sleeper();
        fd = pidfd_open_(pid, PIDFD_NONBLOCK);
        FAILS("it does not block", EAGAIN, waitid(P_PIDFD, fd, &si, WEXITED));
        CHECK("nor with WNOHANG", waitid(P_PIDFD, fd, &si, WEXITED | WNOHANG) == 0);
        kill(pid, SIGKILL);
        ready(fd, 5000);
        CHECK("ended", waitid(P_PIDFD, fd, &si, WEXITED) == 0 && si.si_code == CLD_KILLED && si.si_status == SIGKILL);
        close(fd);
        close(file);
}

static void descriptors(void)
{
        int p[2], q[2];
        char c = 0;
        must(pipe(p) == 0 && pipe(q) == 0, "pipe");
        pid_t pid = fork();
        if (pid == 0) {
                int out = dup2(p[1], 50);
                close(p[1]);
                write(out, "a", 1);
                read(q[0], &c, 1);
                _exit(0);
        }
        int fd = pidfd_open_(pid, 0);
        close(p[1]);
        read(p[0], &c, 1);
        int its = pidfd_getfd_(fd, 50, 0);
        OKAY("getfd", its);
        CHECK("close-on-exec", fcntl(its, F_GETFD) == FD_CLOEXEC);
        CHECK("the same file", write(its, "x", 1) == 1 && read(p[0], &c, 1) == 1 && c == 'x');
        FAILS("not there", EBADF, pidfd_getfd_(fd, 51, 0));
        FAILS("negative", EBADF, pidfd_getfd_(fd, -1, 0));
        FAILS("flags", EINVAL, pidfd_getfd_(fd, 50, 1));
        FAILS("no pidfd", EBADF, pidfd_getfd_(p[0], 50, 0));
        FAILS("no descriptor", EBADF, pidfd_getfd_(999, 50, 0));
        struct rlimit old, few = { 3, 4096 };
        getrlimit(RLIMIT_NOFILE, &old);
        few.rlim_max = old.rlim_max;
        setrlimit(RLIMIT_NOFILE, &few);
        FAILS("no room", EMFILE, pidfd_getfd_(fd, 50, 0));
        setrlimit(RLIMIT_NOFILE, &old);
        write(q[1], "e", 1);
        ready(fd, 5000);
        FAILS("of a zombie", ESRCH, pidfd_getfd_(fd, 50, 0));
        waitpid(pid, NULL, 0);
        close(its);
        close(fd);
        close(p[0]);
        close(q[0]);
        close(q[1]);
}

static long raw_clone(unsigned long flags, int *parent)
{
        long r = syscall(SYS_clone, flags, 0, parent, NULL, 0);
        if (r == 0)
                _exit(5);
        return r;
}

static long raw_clone3(struct clone_args *a)
{
        long r = syscall(SYS_clone3, a, sizeof *a);
        if (r == 0)
                _exit(6);
        return r;
}

static void cloning(void)
{
        int fd = -1, tid = 0, st;
        siginfo_t si;
        pid_t pid = raw_clone(CLONE_PIDFD | SIGCHLD, &fd);

        CHECK("clone", pid > 0 && fd >= 0 && shown(fd) == pid && fcntl(fd, F_GETFD) == FD_CLOEXEC);
        CHECK("its end", waitid(P_PIDFD, fd, &si, WEXITED) == 0 && si.si_status == 5);
        close(fd);
        FAILS("with PARENT_SETTID", EINVAL, raw_clone(CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, &fd));
        FAILS("with DETACHED", EINVAL, raw_clone(CLONE_PIDFD | CLONE_DETACHED | SIGCHLD, &fd));
        FAILS("of a thread", EINVAL, raw_clone(CLONE_PIDFD | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, &fd));
        int free_fd = dup(0);
        close(free_fd);
        FAILS("to nowhere", EFAULT, raw_clone(CLONE_PIDFD | SIGCHLD, BAD_PTR));
        CHECK("nothing is left", dup(0) == free_fd && waitpid(-1, &st, 0) == -1 && errno == ECHILD);
        close(free_fd);
        struct clone_args a = { .flags = CLONE_PIDFD | CLONE_PARENT_SETTID, .pidfd = (uint64_t)&fd, .parent_tid = (uint64_t)&tid, .exit_signal = SIGCHLD };
        pid = raw_clone3(&a);
        CHECK("clone3", pid > 0 && tid == pid && shown(fd) == pid);
        waitpid(pid, &st, 0);
        CHECK("clone3: its end", WEXITSTATUS(st) == 6 && ready(fd, 0) == POLLIN);
        close(fd);
        a.parent_tid = a.pidfd;
        FAILS("clone3: one place for both", EINVAL, raw_clone3(&a));
        struct rlimit old, few = { 3, 4096 };
        getrlimit(RLIMIT_NOFILE, &old);
        few.rlim_max = old.rlim_max;
        setrlimit(RLIMIT_NOFILE, &few);
        FAILS("no room", EMFILE, raw_clone(CLONE_PIDFD | SIGCHLD, &fd));
        setrlimit(RLIMIT_NOFILE, &old);
}

/* The process is there as long as one of its threads; its number free when it is reaped, whoever holds a pidfd. */
static void *outlives(void *arg)
{
        sleep_ms(60);
        _exit((int)(long)arg);
}
static int leader_first(void)
{
        pthread_t t;
        pthread_create(&t, NULL, outlives, (void *)3);
        pthread_exit(NULL);
}

static void ends(void)
{
        struct epoll_event e = { .events = EPOLLIN };
        int ep = epoll_create1(0), st;
        pid_t pid = fork();
        if (pid == 0)
                _exit(leader_first());
        int fd = pidfd_open_(pid, 0);
        epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
        CHECK("the leader has ended", state_becomes(pid, 'Z') && ready(fd, 0) == 0 && epoll_wait(ep, &e, 1, 0) == 0);
        CHECK("the last thread", epoll_wait(ep, &e, 1, 5000) == 1 && e.events == EPOLLIN);
        waitpid(pid, &st, 0);
        CHECK("the status", WEXITSTATUS(st) == 3);
        close(fd);
        close(ep);
        int good = 0;
        for (int i = 0; i < 200; i++) {
                pthread_t t;
                pid = fork();
                if (pid == 0)
                        _exit(0);
                fd = pidfd_open_(pid, 0);
                pthread_create(&t, NULL, nothing, NULL);
                good += ready(fd, 5000) == POLLIN && waitpid(pid, NULL, 0) == pid && shown(fd) == -1;
                pthread_join(t, NULL);
                close(fd);
        }
        CHECK("two hundred", good == 200);
}

int main(void)
{
        opening();
        signals();
        waiting();
        descriptors();
        cloning();
        ends();
        return done();
}
