/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: timers, signalfds, pidfds and core dumps in disorder: many threads that make, set, take and delete, exec and exit
 * under way; one that sets what another deletes; intervals that reach beyond the end of time. Nothing is to hang, and
 * everything to be given back.
 */
#include "abi.h"
#include <pthread.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

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

/* ---- Set by one thread, deleted by another ---- */

static volatile int target = -1;

static void *setter(void *arg)
{
        for (unsigned i = 0; !stop; i++) {
                int t = target;
                if (t >= 0)
                        settime(t, i % 3 ? 1000000000 - 1 : 20000, i % 2 ? 30000 : 0);
        }
        return arg;
}

static int set_and_delete(void)
{
        static const clockid_t clocks[] = { CLOCK_PROCESS_CPUTIME_ID, CLOCK_MONOTONIC, CLOCK_REALTIME };
        pthread_t threads[2];
        sigset_t set;
        int good = 1;

        sigemptyset(&set);
        sigaddset(&set, SIGRTMIN);
        sigprocmask(SIG_BLOCK, &set, NULL);
        for (int i = 0; i < 2; i++)
                pthread_create(&threads[i], NULL, setter, NULL);
        struct timespec now, from;
        clock_gettime(CLOCK_MONOTONIC, &from);
        for (unsigned i = 0;; i++) {
                int t;
                struct { union sigval v; int signo, notify, tid, pad[11]; } ev = { .signo = SIGRTMIN, .notify = SIGEV_SIGNAL };
                if (syscall(SYS_timer_create, clocks[i % 3], &ev, &t))
                        good = 0;
                target = t;
                if (i % 8 == 0)
                        sched_yield();
                if (syscall(SYS_timer_delete, t))
                        good = 0;
                clock_gettime(CLOCK_MONOTONIC, &now);
                if ((now.tv_sec - from.tv_sec) * 1000 + (now.tv_nsec - from.tv_nsec) / 1000000 > 700)
                        break;
        }
        stop = 1;
        for (int i = 0; i < 2; i++)
                pthread_join(threads[i], NULL);
        return good;
}

/* ---- Intervals that reach beyond the end of time: once, and not again ---- */

static volatile int seen;
static void on_signal(int signo) { (void)signo; seen++; }

static void spend_ms(long ms)
{
        struct timespec now;
        do {
                for (volatile int i = 0; i < 20000; i++)
                        ;
                clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
        } while (now.tv_sec * 1000 + now.tv_nsec / 1000000 < ms);
}

static int once_by_itimer(int which, int signo, long sec)
{
        struct itimerval it = { { sec, 0 }, { 0, 1000 } }, off = { 0 };

        signal(signo, on_signal);
        if (setitimer(which, &it, NULL))
                return 1;
        sleep_ms(10);
        spend_ms(60);
        if (setitimer(which, &off, NULL))
                return 2;
        return seen == 1 ? 0 : 3;
}

static int once_by_timer(clockid_t clock, long sec)
{
        struct itimerspec s = { { sec, 0 }, { 0, 1000000 } };
        struct { union sigval v; int signo, notify, tid, pad[11]; } ev = { .signo = SIGRTMIN, .notify = SIGEV_SIGNAL };
        int t;

        signal(SIGRTMIN, on_signal);
        if (syscall(SYS_timer_create, clock, &ev, &t) || syscall(SYS_timer_settime, t, 0, &s, NULL))
                return 1;
        sleep_ms(10);
        spend_ms(60);
        if (syscall(SYS_timer_getoverrun, t) != 0)
                return 2;
        syscall(SYS_timer_delete, t);
        return seen == 1 ? 0 : 3;
}

static int once_by_timerfd(clockid_t clock, long sec)
{
        struct itimerspec s = { { sec, 0 }, { 0, 1000000 } };
        uint64_t n = 0;

        int fd = timerfd_create(clock, TFD_NONBLOCK);
        if (timerfd_settime(fd, 0, &s, NULL))
                return 1;
        sleep_ms(20);
        if (read(fd, &n, sizeof n) != sizeof n || n != 1)
                return 2;
        sleep_ms(5);
        return read(fd, &n, sizeof n) == -1 && errno == EAGAIN ? 0 : 3;
}

#define APART(call) ({ pid_t pid_ = fork(); if (pid_ == 0) _exit(call); result_of(pid_); })

static void beyond(void)
{
        static const long secs[] = { INT64_MAX, INT64_MAX / 1000000000, INT64_MAX / 1000000000 - 1, 18446744072, 18446744073 };
        int bad[7] = { 0 };

        for (unsigned i = 0; i < sizeof secs / sizeof secs[0]; i++) {
                bad[0] += APART(once_by_itimer(ITIMER_REAL, SIGALRM, secs[i])) != 0;
                bad[1] += APART(once_by_itimer(ITIMER_VIRTUAL, SIGVTALRM, secs[i])) != 0;
                bad[2] += APART(once_by_itimer(ITIMER_PROF, SIGPROF, secs[i])) != 0;
                bad[3] += APART(once_by_timer(CLOCK_MONOTONIC, secs[i])) != 0;
                bad[4] += APART(once_by_timer(CLOCK_PROCESS_CPUTIME_ID, secs[i])) != 0;
                bad[5] += APART(once_by_timerfd(CLOCK_MONOTONIC, secs[i])) != 0;
                bad[6] += APART(once_by_timerfd(CLOCK_REALTIME, secs[i])) != 0;
        }
        CHECK("huge interval of ITIMER_REAL", bad[0] == 0);
        CHECK("huge interval of ITIMER_VIRTUAL", bad[1] == 0);
        CHECK("huge interval of ITIMER_PROF", bad[2] == 0);
        CHECK("huge interval of a timer", bad[3] == 0);
        CHECK("huge interval of a CPU timer", bad[4] == 0);
        CHECK("huge interval of a timerfd", bad[5] == 0);
        CHECK("huge interval of a timerfd of the wall clock", bad[6] == 0);
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
        CHECK("set and deleted at once", APART(!set_and_delete()) == 0);
        beyond();
        return done();
}
