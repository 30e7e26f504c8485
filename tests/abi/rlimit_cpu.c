/* SPDX-License-Identifier: Apache-2.0
 *
 * rlimit_cpu: RLIMIT_CPU: SIGXCPU each second from the soft limit on, SIGKILL at the hard one; of all threads; inherited.
 */
#include "policy.h"
#include <pthread.h>

static volatile sig_atomic_t told;
static void on_xcpu(int sig) { (void)sig; told++; }

static void limit(rlim_t cur, rlim_t max)
{
        struct rlimit l = { cur, max };

        must(setrlimit(RLIMIT_CPU, &l) == 0, "setrlimit");
}

static double used(void) { return clock_s(CLOCK_PROCESS_CPUTIME_ID); }
static void burn(double until) { while (used() < until) ; }
/* Linux counts this in ticks: that may be late on a busy host. */
static void burn_until_told(int n) { while (used() < 20 && told < n) ; }

static int soft(void)
{
        struct rlimit l;

        on(SIGXCPU, on_xcpu, 0);
        limit(1, 30);
        burn(0.9);
        CHECK("not yet", told == 0);
        burn_until_told(1);
        CHECK("after a second", told == 1);
        getrlimit(RLIMIT_CPU, &l);
        CHECK("the limit moved on", l.rlim_cur == 2 && l.rlim_max == 30);
        burn_until_told(2);
        CHECK("after another", told == 2);
        return done();
}

static int hard(void)
{
        on(SIGXCPU, on_xcpu, 0);
        limit(1, 2);
        alarm(25);
        for (;;)
                ;
        return 0;
}

static int plain(void)
{
        limit(1, RLIM_INFINITY);
        alarm(25);
        for (;;)
                ;
        return 0;
}

static int zero(void)
{
        limit(0, RLIM_INFINITY);
        alarm(25);
        for (;;)
                ;
        return 0;
}

static void *run(void *arg)
{
        for (;;)
                ;
        return arg;
}

static int threads(void)
{
        pthread_t t;

        limit(1, RLIM_INFINITY);
        alarm(25);
        pthread_create(&t, NULL, run, NULL);
        pthread_join(t, NULL);
        return 0;
}

/* What is used already counts; a limit below it acts at once. */
static int late(void)
{
        on(SIGXCPU, on_xcpu, 0);
        burn(1.3);
        limit(1, 30);
        burn_until_told(1);
        CHECK("at once", told == 1);
        return done();
}

static int inherited(void)
{
        limit(1, RLIM_INFINITY);
        pid_t pid = fork();
        if (pid == 0) {
                alarm(25);
                for (;;)
                        ;
        }
        CHECK("by a child", result_of(pid) == KILLED(SIGXCPU));
        /* A parent's account is its own. */
        on(SIGXCPU, on_xcpu, 0);
        burn(0.3);
        CHECK("not by what children used", told == 0);
        return done();
}

/* Another process's limit, by prlimit. */
static int of_another(void)
{
        struct rlimit l = { 1, RLIM_INFINITY }, old;
        pid_t pid = fork();

        if (pid == 0) {
                alarm(25);
                for (;;)
                        ;
        }
        OKAY("prlimit", prlimit(pid, RLIMIT_CPU, &l, &old));
        CHECK("there was none", old.rlim_cur == RLIM_INFINITY);
        CHECK("acts", result_of(pid) == KILLED(SIGXCPU));
        return done();
}

int main(void)
{
        CHECK("soft", in_child(soft) == 0);
        CHECK("hard", in_child(hard) == KILLED(SIGKILL));
        CHECK("kills", in_child(plain) == KILLED(SIGXCPU));
        CHECK("zero kills", in_child(zero) == KILLED(SIGXCPU));
        CHECK("a thread's time counts", in_child(threads) == KILLED(SIGXCPU));
        CHECK("late", in_child(late) == 0);
        CHECK("inherited", in_child(inherited) == 0);
        CHECK("another's", in_child(of_another) == 0);
        return done();
}
