/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: CPU clocks: timers of them, of other processes' and threads' too, sleeping by them, reading them.
 */
#include "abi.h"
#include <pthread.h>

#define MS 1000000L
typedef int ktimer;
struct kevent { union sigval value; int signo, notify, tid; int pad[11]; };

static int t_create(clockid_t clock, struct kevent *ev, ktimer *id) { return syscall(SYS_timer_create, clock, ev, id); }
static int t_set(ktimer t, int flags, struct timespec value, struct timespec interval, struct itimerspec *old)
{
        struct itimerspec s = { interval, value };
        return syscall(SYS_timer_settime, t, flags, &s, old);
}
static int t_get(ktimer t, struct itimerspec *s) { return syscall(SYS_timer_gettime, t, s); }
static int t_delete(ktimer t) { return syscall(SYS_timer_delete, t); }
static long raw_nanosleep(clockid_t c, int flags, struct timespec *t, struct timespec *left)
{
        return syscall(SYS_clock_nanosleep, c, flags, t, left);
}
static struct timespec ms(long n) { return (struct timespec){ n / 1000, n % 1000 * MS }; }
#define PROC_CLOCK(pid)   ((clockid_t)((~(unsigned)(pid) << 3) | 2))
#define THREAD_CLOCK(tid) ((clockid_t)((~(unsigned)(tid) << 3) | 6))

static volatile int count, over;
static volatile pid_t child_pid;
static void catch(int sig, siginfo_t *si, void *c)
{
        (void)sig, (void)c;
        over += si->si_overrun;
        count++;
}
static void burn(int n)
{
        int64_t t0 = clock_ms(CLOCK_THREAD_CPUTIME_ID);
        while (clock_ms(CLOCK_THREAD_CPUTIME_ID) - t0 < n)
                ;
}
static void burn_till(int n, int most)
{
        int64_t t0 = clock_ms(CLOCK_THREAD_CPUTIME_ID);
        while (count < n && clock_ms(CLOCK_THREAD_CPUTIME_ID) - t0 < most)
                for (volatile int i = 0; i < 10000; i++)        /* in user code: one of the clocks counts that alone */
                        ;
}

static void own(clockid_t clock)
{
        struct kevent ev = { .signo = SIGUSR1, .notify = SIGEV_SIGNAL };
        struct itimerspec it;
        ktimer t;

        count = over = 0;
        OKAY("create", t_create(clock, &ev, &t));
        OKAY("set", t_set(t, 0, ms(400), ms(0), NULL));
        sleep_ms(40);
        CHECK("sleeping is no work", count == 0);
        t_get(t, &it);
        CHECK("time left", it.it_value.tv_sec == 0 && it.it_value.tv_nsec > 0 && it.it_value.tv_nsec <= 400 * MS);
        burn_till(1, 5000);
        CHECK("working is", count == 1);
        t_get(t, &it);
        CHECK("once", it.it_value.tv_nsec == 0);
        count = 0;
        t_set(t, 0, ms(10), ms(10), NULL);
        burn_till(3, 2000);
        CHECK("an interval", count >= 3);
        t_set(t, 0, ms(0), ms(0), &it);
        CHECK("what was", it.it_interval.tv_nsec == 10 * MS && it.it_value.tv_nsec > 0 && it.it_value.tv_nsec <= 10 * MS);
        count = 0;
        OKAY("absolute, long ago", t_set(t, TIMER_ABSTIME, (struct timespec){ 0, 1 }, ms(0), NULL));
        burn_till(1, 2000);
        CHECK("fires", count == 1);
        t_set(t, 0, ms(500000), ms(0), NULL);
        t_get(t, &it);
        CHECK("far", it.it_value.tv_sec >= 499 && it.it_value.tv_sec <= 500);
        t_delete(t);
}

static pid_t worker(void)
{
        pid_t pid = fork();
        if (pid == 0)
                for (;;)
                        ;
        must(pid > 0, "fork");
        return pid;
}

static void others(void)
{
        struct kevent ev = { .signo = SIGUSR1, .notify = SIGEV_SIGNAL };
        struct timespec t30 = ms(30);
        pid_t pid = worker();
        clockid_t clock;
        struct itimerspec it;
        ktimer t;

        CHECK("clock_getcpuclockid", clock_getcpuclockid(pid, &clock) == 0 && clock == PROC_CLOCK(pid));
        count = 0;
        OKAY("another's timer", t_create(clock, &ev, &t));
        OKAY("set", t_set(t, 0, ms(30), ms(0), NULL));
        for (int i = 0; i < 3000 && !count; i++)
                sleep_ms(1);
        CHECK("it works, we are told", count == 1);
        CHECK("sleeping by its time", raw_nanosleep(clock, 0, &t30, NULL) == 0);
        t_set(t, 0, ms(500000), ms(0), NULL);
        kill(pid, SIGKILL);
        siginfo_t si;
        waitid(P_PID, pid, &si, WEXITED | WNOWAIT);
        waitpid(pid, NULL, 0);
        FAILS("it is gone: no clock", EINVAL, clock_gettime(clock, &t30));
        FAILS("set", ESRCH, t_set(t, 0, ms(30), ms(0), NULL));
        OKAY("get", t_get(t, &it));
        OKAY("delete", t_delete(t));
        FAILS("create", EINVAL, t_create(clock, &ev, &t));
        FAILS("a thread of another process", EINVAL, t_create(THREAD_CLOCK(1), &ev, &t));
        FAILS("no such process", EINVAL, t_create(PROC_CLOCK(0x3fffff), &ev, &t));
}

static volatile pid_t tid;
static volatile int quit;
static void *lazy(void *arg)
{
        (void)arg;
        tid = gettid();
        while (!quit)
                sleep_ms(2);
        return NULL;
}
static void *busy(void *arg)
{
        (void)arg;
        tid = gettid();
        while (!quit)
                ;
        return NULL;
}

static void nothing(int sig) { (void)sig; }

static void threads(void)
{
        struct kevent ev = { .signo = SIGUSR1, .notify = SIGEV_SIGNAL };
        struct timespec t30 = ms(30);
        pthread_t th;
        ktimer t;

        pthread_create(&th, NULL, lazy, NULL);
        while (!tid)
                sleep_ms(1);
        OKAY("a thread's", t_create(THREAD_CLOCK(tid), &ev, &t));
        count = 0;
        t_set(t, 0, ms(400), ms(0), NULL);
        burn(100);
        CHECK("which sleeps", count == 0);
        t_delete(t);
        quit = 1;
        pthread_join(th, NULL);
        quit = tid = 0;
        pthread_create(&th, NULL, busy, NULL);
        while (!tid)
                sleep_ms(1);
        t_create(THREAD_CLOCK(tid), &ev, &t);
        count = 0;
        t_set(t, 0, ms(20), ms(0), NULL);
        for (int i = 0; i < 3000 && !count; i++)
                sleep_ms(1);
        CHECK("which works", count == 1);
        CHECK("sleep by it", raw_nanosleep(THREAD_CLOCK(tid), 0, &t30, NULL) == 0);
        t_delete(t);
        CHECK("sleep by all", raw_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &t30, NULL) == 0);
        struct timespec now;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
        now.tv_sec++;
        int64_t t0 = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
        now = ms(t0 + 50);
        CHECK("till then", raw_nanosleep(CLOCK_PROCESS_CPUTIME_ID, TIMER_ABSTIME, &now, NULL) == 0 && clock_ms(CLOCK_PROCESS_CPUTIME_ID) >= t0 + 50);
        now = ms(1);
        CHECK("long ago", raw_nanosleep(CLOCK_PROCESS_CPUTIME_ID, TIMER_ABSTIME, &now, NULL) == 0);
        on(SIGALRM, nothing, 0);
        struct itimerval v = { { 0, 30000 }, { 0, 30000 } };
        setitimer(ITIMER_REAL, &v, NULL);
        struct timespec left = { 0, 0 }, hundred = { 100, 0 };
        FAILS("a signal", EINTR, raw_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &hundred, &left));
        setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
        CHECK("what is left", left.tv_sec >= 98 && left.tv_sec < 100);
        quit = 1;
        pthread_join(th, NULL);
        FAILS("one's own thread", EOPNOTSUPP, raw_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &t30, NULL));
        FAILS("by number", EINVAL, raw_nanosleep(THREAD_CLOCK(gettid()), 0, &t30, NULL));
        FAILS("by number 0", EINVAL, raw_nanosleep(THREAD_CLOCK(0), 0, &t30, NULL));
        FAILS("bad time", EINVAL, raw_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &(struct timespec){ 0, -1 }, NULL));
        FAILS("a clock of no thread", EINVAL, raw_nanosleep(THREAD_CLOCK(1), 0, &t30, NULL));
}

static void set_them(void)
{
        struct timespec now = { 1, 0 };
        FAILS("process time is not set", EINVAL, clock_settime(CLOCK_PROCESS_CPUTIME_ID, &now));
        FAILS("nor a process's", EPERM, clock_settime(PROC_CLOCK(getpid()), &now));
        FAILS("nor of none", EINVAL, clock_settime(PROC_CLOCK(0x3fffff), &now));
        FAILS("a descriptor's", EINVAL, clock_gettime((clockid_t)((~3u << 3) | 3), &now));
}

int main(void)
{
        struct sigaction sa = { .sa_sigaction = catch, .sa_flags = SA_SIGINFO | SA_RESTART };

        sigaction(SIGUSR1, &sa, NULL);
        own(CLOCK_PROCESS_CPUTIME_ID);
        own(CLOCK_THREAD_CPUTIME_ID);
        own(PROC_CLOCK(getpid()));
        own((clockid_t)((~0u << 3) | 1));
        others();
        threads();
        set_them();
        return done();
}
