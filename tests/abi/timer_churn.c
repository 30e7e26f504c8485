/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: timers, signalfds, pidfds and core dumps in disorder: many threads that make, set, take and delete, exec and exit
 * under way. Nothing is to hang, and everything to be given back.
 */
#include "abi.h"
#include <pthread.h>
#include <sys/signalfd.h>

static volatile int stop;
static long settime(int t, long ns, long interval)
{
        struct itimerspec s = { { 0, interval }, { 0, ns } };
        return syscall(SYS_timer_settime, t, 0, &s, NULL);
}

static void *timers(void *arg)
{
        unsigned r = (unsigned)(long)arg * 7919 + 1;
        static const clockid_t clocks[] = { CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID };
        while (!stop) {
                int t;
                struct { union sigval v; int signo, notify, tid, pad[11]; } ev = { .signo = SIGRTMIN + r % 3, .notify = r % 5 == 0 ? SIGEV_NONE : SIGEV_SIGNAL };
                if (syscall(SYS_timer_create, clocks[r % 4], &ev, &t) == 0) {
                        for (int i = 0; i < 5; i++) {
                                struct itimerspec s;
                                settime(t, 1 + r % 300000, r % 2 ? 1 + r % 100000 : 0);
                                r = r * 1103515245 + 12345;
                                if (r % 4 == 0)
                                        sched_yield();
                                syscall(SYS_timer_gettime, t, &s);
                                syscall(SYS_timer_getoverrun, t);
                        }
                        if (r % 16)
                                syscall(SYS_timer_delete, t);
                }
                r = r * 1103515245 + 12345;
        }
        return NULL;
}

static void *reader(void *arg)
{
        sigset_t set;
        struct signalfd_siginfo si[4];
        sigemptyset(&set);
        for (int i = 0; i < 3; i++)
                sigaddset(&set, SIGRTMIN + i);
        int fd = signalfd(-1, &set, SFD_NONBLOCK);
        while (!stop) {
                struct pollfd p = { fd, POLLIN, 0 };
                poll(&p, 1, 2);
                read(fd, si, sizeof si);
        }
        close(fd);
        return arg;
}

/* how: 0 returns, 1 exits under way, 2 executes, 3 fails. */
static int churn(int how)
{
        pthread_t t[4];
        sigset_t set;

        sigemptyset(&set);
        for (int i = 0; i < 3; i++)
                sigaddset(&set, SIGRTMIN + i);
        sigprocmask(SIG_BLOCK, &set, NULL);
        for (long i = 0; i < 4; i++)
                pthread_create(&t[i], NULL, i ? timers : reader, (void *)(i + how));
        sleep_ms(how ? 15 : 150);
        if (how == 1)
                _exit(9);
        if (how == 2)
                execl("/proc/self/exe", "x", "executed", NULL);
        if (how == 3) {
                struct rlimit r = { RLIM_INFINITY, RLIM_INFINITY };
                setrlimit(RLIMIT_CORE, &r);
                *(volatile int *)BAD_PTR = 1;
        }
        stop = 1;
        for (int i = 0; i < 4; i++)
                pthread_join(t[i], NULL);
        return 0;
}

static int in_process(int how)
{
        pid_t pid = fork();
        if (pid == 0)
                _exit(churn(how));
        int fd = syscall(SYS_pidfd_open, pid, 0);
        struct pollfd p = { fd, POLLIN, 0 };
        int polled = poll(&p, 1, 20000);
        int r = result_of(pid);
        close(fd);
        return polled == 1 ? r : -1;
}

int main(int argc, char **argv)
{
        (void)argv;
        if (argc > 1)
                return 11;
        int good[4] = { 0 };
        for (int i = 0; i < 6; i++) {
                good[0] += in_process(0) == 0;
                good[1] += in_process(1) == 9;
                good[2] += in_process(2) == 11;
                good[3] += in_process(3) == KILLED(SIGSEGV);
                unlink("core");
        }
        CHECK("to the end", good[0] == 6);
        CHECK("exit", good[1] == 6);
        CHECK("exec", good[2] == 6);
        CHECK("a core", good[3] == 6);
        return done();
}
