/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: POSIX timers: creating, setting, asking, intervals and overruns, kinds of notification, limits, inheritance, errors.
 */
#include "abi.h"
#include <pthread.h>

#define MS 1000000L
typedef int ktimer;

struct kevent { union sigval value; int signo, notify, tid; int pad[11]; };

static int t_create(clockid_t clock, struct kevent *ev, ktimer *id) { return syscall(SYS_timer_create, clock, ev, id); }
static int t_set(ktimer t, int flags, long value, long interval, struct itimerspec *old)
{
        struct itimerspec s = { { interval / 1000, interval % 1000 * MS }, { value / 1000, value % 1000 * MS } };
        return syscall(SYS_timer_settime, t, flags, &s, old);
}
static int t_spec(ktimer t, int flags, struct itimerspec s) { return syscall(SYS_timer_settime, t, flags, &s, NULL); }
static int t_get(ktimer t, struct itimerspec *s) { return syscall(SYS_timer_gettime, t, s); }
static int t_over(ktimer t) { return syscall(SYS_timer_getoverrun, t); }
static int t_delete(ktimer t) { return syscall(SYS_timer_delete, t); }

static volatile siginfo_t seen;
static volatile int count;
static volatile pid_t where;

static void catch(int sig, siginfo_t *si, void *c)
{
        (void)sig, (void)c;
        *(siginfo_t *)&seen = *si;
        where = gettid();
        count++;
}
static int waits_for(int n)
{
        return AWAIT(count >= n);
}
static int pends(int sig)
{
        sigset_t set;
        sigpending(&set);
        return sigismember(&set, sig);
}
/* It has run out. */
static int is_over(ktimer t)
{
        struct itimerspec it;
        return t_get(t, &it) == 0 && !it.it_value.tv_sec && !it.it_value.tv_nsec;
}
static void block(int how, int sig)
{
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, sig);
        sigprocmask(how, &set, NULL);
}

static void basics(void)
{
        struct kevent ev = { .signo = SIGUSR1, .notify = SIGEV_SIGNAL, .value.sival_int = 1234 };
        struct itimerspec it;
        ktimer t = -1;

        OKAY("create", t_create(CLOCK_MONOTONIC, &ev, &t));
        CHECK("the first is 0", t == 0);
        OKAY("get", t_get(t, &it));
        CHECK("not armed", !it.it_value.tv_sec && !it.it_value.tv_nsec && !it.it_interval.tv_sec && !it.it_interval.tv_nsec);
        OKAY("armed", t_set(t, 0, 20, 0, &it));
        CHECK("fires", waits_for(1));
        CHECK("siginfo", seen.si_signo == SIGUSR1 && seen.si_code == SI_TIMER && seen.si_timerid == t && seen.si_overrun == 0 &&
              seen.si_value.sival_int == 1234 && seen.si_errno == 0);
        t_get(t, &it);
        CHECK("once", !it.it_value.tv_sec && !it.it_value.tv_nsec);
        CHECK("no overrun", t_over(t) == 0);
        t_set(t, 0, 100000, 7000, NULL);
        t_get(t, &it);
        CHECK("time left", it.it_value.tv_sec > 80 && it.it_value.tv_sec <= 99 && it.it_interval.tv_sec == 7);
        OKAY("disarm", t_set(t, 0, 0, 5000, &it));
        CHECK("what was", it.it_value.tv_sec > 80 && it.it_value.tv_sec <= 99 && it.it_interval.tv_sec == 7);
        t_get(t, &it);
        CHECK("an interval without a time is none", !it.it_value.tv_sec && !it.it_interval.tv_sec);
        ktimer u = -1;
        OKAY("another", t_create(CLOCK_REALTIME, NULL, &u));
        CHECK("numbered", u == 1);
        OKAY("delete", t_delete(t));
        FAILS("gone", EINVAL, t_get(t, &it));
        count = 0;
        t_set(u, 0, 10, 0, NULL);
        CHECK("SIGALRM by default", waits_for(1) && seen.si_signo == SIGALRM && seen.si_value.sival_int == u);
        t_delete(u);
        ktimer w = -1;
        t_create(CLOCK_REALTIME, NULL, &w);
        CHECK("numbers go on", w == 2);
        t_delete(w);
}

static void intervals(void)
{
        struct kevent ev = { .signo = SIGRTMIN, .notify = SIGEV_SIGNAL };
        struct itimerspec it;
        ktimer t;

        t_create(CLOCK_MONOTONIC, &ev, &t);
        count = 0;
        t_set(t, 0, 5, 5, NULL);
        CHECK("again and again", waits_for(5));
        t_get(t, &it);
        CHECK("the next one is near", it.it_value.tv_sec == 0 && it.it_value.tv_nsec > 0 && it.it_value.tv_nsec <= 5 * MS && it.it_interval.tv_nsec == 5 * MS);
        block(SIG_BLOCK, SIGRTMIN);
        sleep_ms(20);
        count = 0;
        sleep_ms(200);
        block(SIG_UNBLOCK, SIGRTMIN);
        int over = seen.si_overrun;
        CHECK("one signal", count == 1 || count == 2);
        CHECK("and overruns", over >= 20 || t_over(t) >= 20 || count == 2);
        t_set(t, 0, 0, 0, NULL);
        /* One period of 100 s behind an absolute time long ago. */
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        block(SIG_BLOCK, SIGRTMIN);
        struct itimerspec s = { { 0, MS }, { now.tv_sec, now.tv_nsec } };
        sleep_ms(100);
        t_spec(t, TIMER_ABSTIME, s);
        must(AWAIT(pends(SIGRTMIN)), "pending");
        siginfo_t si;
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGRTMIN);
        CHECK("late by a hundred", sigwaitinfo(&set, &si) == SIGRTMIN && si.si_overrun >= 100 && si.si_overrun < 60000);
        CHECK("getoverrun", t_over(t) == si.si_overrun);
        t_set(t, 0, 100000, 0, NULL);
        CHECK("setting forgets overruns", t_over(t) == 0);
        while (sigtimedwait(&set, &si, &(struct timespec){ 0, 0 }) > 0)
                ;
        /* The signal that is pending when the timer is set stays. */
        t_set(t, 0, 1, 0, NULL);
        must(AWAIT(pends(SIGRTMIN)), "pending");
        t_set(t, 0, 100000, 0, NULL);
        CHECK("a pending signal stays", sigwaitinfo(&set, &si) == SIGRTMIN && si.si_overrun == 0);
        t_set(t, 0, 1, 0, NULL);
        must(AWAIT(pends(SIGRTMIN)), "pending");
        t_set(t, 0, 1, 0, NULL);
        must(AWAIT(is_over(t)), "over");
        sleep_ms(20);
        CHECK("twice pending: an overrun", sigwaitinfo(&set, &si) == SIGRTMIN && si.si_overrun == 1);
        sigpending(&set);
        CHECK("no more", !sigismember(&set, SIGRTMIN));
        sigemptyset(&set);
        sigaddset(&set, SIGRTMIN);
        t_set(t, 0, 1, 0, NULL);
        must(AWAIT(pends(SIGRTMIN)), "pending");
        t_delete(t);
        CHECK("deleting leaves the signal", sigwaitinfo(&set, &si) == SIGRTMIN && si.si_timerid == t);
        block(SIG_UNBLOCK, SIGRTMIN);
}

static void ignored(void)
{
        struct kevent ev = { .signo = SIGUSR2, .notify = SIGEV_SIGNAL };
        struct sigaction sa = { .sa_sigaction = catch, .sa_flags = SA_SIGINFO };
        ktimer t;

        signal(SIGUSR2, SIG_IGN);
        t_create(CLOCK_MONOTONIC, &ev, &t);
        t_set(t, 0, 1, 5, NULL);
        sleep_ms(100);
        count = 0;
        sigaction(SIGUSR2, &sa, NULL);
        CHECK("runs on while ignored", waits_for(1));
        t_delete(t);
        signal(SIGUSR2, SIG_IGN);
}

static volatile pid_t other_tid;
static volatile int quit;
static void *other(void *arg)
{
        (void)arg;
        other_tid = gettid();
        while (!quit)
                sleep_ms(1);
        return NULL;
}

static void kinds(void)
{
        struct kevent ev = { .signo = SIGUSR1, .notify = SIGEV_NONE };
        struct itimerspec it;
        pthread_t th;
        ktimer t;

        OKAY("SIGEV_NONE", t_create(CLOCK_MONOTONIC, &ev, &t));
        count = 0;
        t_set(t, 0, 50000, 0, NULL);
        t_get(t, &it);
        CHECK("it runs", it.it_value.tv_sec > 30 && it.it_value.tv_sec < 50);
        t_set(t, 0, 20, 0, NULL);
        CHECK("and tells nobody", AWAIT(is_over(t)) && count == 0);
        t_set(t, 0, 20, 30, NULL);
        sleep_ms(100);
        t_get(t, &it);
        CHECK("with an interval", it.it_value.tv_nsec > 0 && it.it_value.tv_nsec <= 30 * MS && it.it_interval.tv_nsec == 30 * MS);
        t_delete(t);
        ev.signo = 0;
        OKAY("SIGEV_NONE needs no signal", t_create(CLOCK_MONOTONIC, &ev, &t));
        t_delete(t);
        pthread_create(&th, NULL, other, NULL);
        while (!other_tid)
                sleep_ms(1);
        ev = (struct kevent){ .signo = SIGUSR1, .notify = SIGEV_THREAD_ID, .tid = other_tid };
        OKAY("SIGEV_THREAD_ID", t_create(CLOCK_MONOTONIC, &ev, &t));
        count = 0;
        t_set(t, 0, 5, 0, NULL);
        CHECK("that thread", waits_for(1) && where == other_tid);
        quit = 1;
        pthread_join(th, NULL);
        count = 0;
        OKAY("of a thread that is gone", t_set(t, 0, 1, 1, NULL));
        sleep_ms(20);
        CHECK("nobody", count == 0);
        OKAY("deleted", t_delete(t));
        ev.tid = other_tid;
        FAILS("no such thread", EINVAL, t_create(CLOCK_MONOTONIC, &ev, &t));
        ev.tid = 1;
        FAILS("another process's", EINVAL, t_create(CLOCK_MONOTONIC, &ev, &t));
        ev.tid = gettid();
        ev.notify = SIGEV_THREAD_ID | SIGEV_NONE;
        FAILS("both", EINVAL, t_create(CLOCK_MONOTONIC, &ev, &t));
}

static void clocks(void)
{
        static const clockid_t good[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI };
        struct kevent ev = { .signo = SIGUSR1, .notify = SIGEV_SIGNAL };
        struct itimerspec it = { { 0, 0 }, { 0, 0 } };
        struct timespec now;
        ktimer t;

        for (int i = 0; i < 4; i++) {
                OKAY("a clock", t_create(good[i], &ev, &t));
                count = 0;
                clock_gettime(good[i], &now);
                it.it_value = now;
                it.it_value.tv_nsec += 10 * MS;
                if (it.it_value.tv_nsec >= 1000 * MS) {
                        it.it_value.tv_nsec -= 1000 * MS;
                        it.it_value.tv_sec++;
                }
                OKAY("absolute", t_spec(t, TIMER_ABSTIME, it));
                CHECK("fires", waits_for(1));
                it.it_value = (struct timespec){ 0, 1 };
                t_spec(t, TIMER_ABSTIME, it);
                CHECK("long ago", waits_for(2));
                it.it_value = now;
                it.it_value.tv_sec += 100;
                t_spec(t, TIMER_ABSTIME, it);
                t_get(t, &it);
                CHECK("in a while", it.it_value.tv_sec == 99);
                t_delete(t);
        }
        FAILS("RAW", EOPNOTSUPP, t_create(CLOCK_MONOTONIC_RAW, &ev, &t));
        FAILS("COARSE", EOPNOTSUPP, t_create(CLOCK_REALTIME_COARSE, &ev, &t));
        FAILS("COARSE, too", EOPNOTSUPP, t_create(CLOCK_MONOTONIC_COARSE, &ev, &t));
        FAILS("none", EINVAL, t_create(12, &ev, &t));
        FAILS("nor this", EINVAL, t_create(77, &ev, &t));
}

static int child(void)
{
        struct itimerspec it;
        FAILS("not inherited", EINVAL, t_get(3, &it));
        ktimer t = -1;
        t_create(CLOCK_MONOTONIC, NULL, &t);
        CHECK("numbers begin anew", t == 0);
        return done();
}

static int limited(void)
{
        struct rlimit two = { 2, 2 };
        struct kevent none = { .notify = SIGEV_NONE };
        ktimer t;

        become_user(4321);
        setrlimit(RLIMIT_SIGPENDING, &two);
        OKAY("one", t_create(CLOCK_MONOTONIC, NULL, &t));
        OKAY("two", t_create(CLOCK_MONOTONIC, &none, &t));
        FAILS("over RLIMIT_SIGPENDING", EAGAIN, t_create(CLOCK_MONOTONIC, NULL, &t));
        FAILS("even without a signal", EAGAIN, t_create(CLOCK_MONOTONIC, &none, &t));
        t_delete(t);
        OKAY("room again", t_create(CLOCK_MONOTONIC, NULL, &t));
        return done();
}

static void errors(void)
{
        struct kevent ev = { .signo = SIGUSR1, .notify = SIGEV_SIGNAL };
        struct itimerspec it = {};
        ktimer t;

        FAILS("signal 0", EINVAL, (ev.signo = 0, t_create(CLOCK_MONOTONIC, &ev, &t)));
        FAILS("signal 65", EINVAL, (ev.signo = 65, t_create(CLOCK_MONOTONIC, &ev, &t)));
        FAILS("signal -1", EINVAL, (ev.signo = -1, t_create(CLOCK_MONOTONIC, &ev, &t)));
        ev.signo = SIGUSR1;
        FAILS("notify 9", EINVAL, (ev.notify = 9, t_create(CLOCK_MONOTONIC, &ev, &t)));
        ev.notify = SIGEV_SIGNAL;
        FAILS("event from nowhere", EFAULT, t_create(CLOCK_MONOTONIC, BAD_PTR, &t));
        FAILS("number to nowhere", EFAULT, t_create(CLOCK_MONOTONIC, &ev, BAD_PTR));
        FAILS("no clock, from nowhere", EFAULT, t_create(77, BAD_PTR, &t));
        t_create(CLOCK_MONOTONIC, &ev, &t);
        FAILS("no time", EINVAL, syscall(SYS_timer_settime, t, 0, NULL, NULL));
        FAILS("time from nowhere", EFAULT, syscall(SYS_timer_settime, t, 0, BAD_PTR, NULL));
        FAILS("nanoseconds", EINVAL, t_spec(t, 0, (struct itimerspec){ { 0, 0 }, { 0, 1000000000 } }));
        FAILS("of the interval", EINVAL, t_spec(t, 0, (struct itimerspec){ { 0, 1000000000 }, { 0, 0 } }));
        FAILS("negative", EINVAL, t_spec(t, 0, (struct itimerspec){ { 0, 0 }, { -1, 0 } }));
        OKAY("other flags are nothing", t_spec(t, 0x70, it));
        FAILS("old time to nowhere", EFAULT, syscall(SYS_timer_settime, t, 0, &(struct itimerspec){ { 0, 0 }, { 100, 0 } }, BAD_PTR));
        t_get(t, &it);
        CHECK("but it is set", it.it_value.tv_sec == 99);
        FAILS("get: to nowhere", EFAULT, syscall(SYS_timer_gettime, t, BAD_PTR));
        FAILS("get: none", EINVAL, t_get(999, &it));
        FAILS("set: none", EINVAL, t_set(999, 0, 1, 0, NULL));
        FAILS("overrun: none", EINVAL, t_over(999));
        FAILS("delete: none", EINVAL, t_delete(999));
        FAILS("delete: -1", EINVAL, t_delete(-1));
        struct itimerspec far = { { 0, 0 }, { LONG_MAX / 2, 0 } };
        OKAY("far away", t_spec(t, 0, far));
        OKAY("far away, absolute", t_spec(t, TIMER_ABSTIME, far));
        t_delete(t);
}

int main(void)
{
        struct sigaction sa = { .sa_sigaction = catch, .sa_flags = SA_SIGINFO | SA_RESTART };

        sigaction(SIGUSR1, &sa, NULL);
        sigaction(SIGALRM, &sa, NULL);
        sigaction(SIGRTMIN, &sa, NULL);
        basics();
        intervals();
        ignored();
        kinds();
        clocks();
        CHECK("in a child", in_child(child) == 0);
        CHECK("limits", in_child(limited) == 0);
        errors();
        return done();
}
