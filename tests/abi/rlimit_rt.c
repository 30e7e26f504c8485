/* SPDX-License-Identifier: Apache-2.0
 *
 * rlimit_rt: RLIMIT_RTTIME, RLIMIT_RTPRIO and RLIMIT_NICE act.
 */
#include "policy.h"

static volatile sig_atomic_t told;
static void on_xcpu(int sig) { (void)sig; told++; }

static void limit(int which, rlim_t cur, rlim_t max)
{
        struct rlimit l = { cur, max };

        must(setrlimit(which, &l) == 0, "setrlimit");
}

static int soft(void)
{
        struct rlimit l;

        on(SIGXCPU, on_xcpu, 0);
        limit(RLIMIT_RTTIME, 100000, 60000000);
        burn_until(clock_s(CLOCK_MONOTONIC) + 0.4);
        CHECK("an ordinary thread is not limited", told == 0);
        must(fifo(0, SCHED_FIFO, 5) == 0, "fifo");
        burn_until(clock_s(CLOCK_MONOTONIC) + 0.4);
        CHECK("SIGXCPU", told == 1);
        getrlimit(RLIMIT_RTTIME, &l);
        CHECK("the limit moved on by a second", l.rlim_cur == 1100000 && l.rlim_max == 60000000);
        return done();
}

/* Sleeping starts the count anew; yielding does not. */
static int asleep(void)
{
        on(SIGXCPU, on_xcpu, 0);
        limit(RLIMIT_RTTIME, 200000, 60000000);
        must(fifo(0, SCHED_RR, 5) == 0, "rr");
        for (int i = 0; i < 8; i++) {
                burn_until(clock_s(CLOCK_MONOTONIC) + 0.06);
                sleep_ms(2);
        }
        CHECK("who sleeps is not told", told == 0);
        for (int i = 0; i < 8; i++) {
                burn_until(clock_s(CLOCK_MONOTONIC) + 0.06);
                sched_yield();
        }
        CHECK("who yields is", told == 1);
        return done();
}

static int hard(void)
{
        limit(RLIMIT_RTTIME, 100000, 300000);
        on(SIGXCPU, on_xcpu, 0);
        must(fifo(0, SCHED_FIFO, 5) == 0, "fifo");
        alarm(10);
        for (;;)
                ;
        return 0;
}

static int kills(void)
{
        limit(RLIMIT_RTTIME, 100000, 3000000);
        must(fifo(0, SCHED_FIFO, 5) == 0, "fifo");
        alarm(10);
        for (;;)
                ;
        return 0;
}

static int priorities(void)
{
        limit(RLIMIT_RTPRIO, 20, 20);
        limit(RLIMIT_NICE, 30, 30);
        become_user(1000);
        OKAY("fifo 20", fifo(0, SCHED_FIFO, 20));
        FAILS("fifo 21", EPERM, fifo(0, SCHED_FIFO, 21));
        OKAY("rr 1", fifo(0, SCHED_RR, 1));
        limit(RLIMIT_RTPRIO, 0, 20);
        FAILS("not up", EPERM, fifo(0, SCHED_RR, 2));
        OKAY("the same", fifo(0, SCHED_RR, 1));
        limit(RLIMIT_RTPRIO, 10, 20);
        OKAY("up to 10", fifo(0, SCHED_RR, 10));
        FAILS("not to 11", EPERM, fifo(0, SCHED_RR, 11));
        OKAY("other", fifo(0, SCHED_OTHER, 0));
        OKAY("nice -10", setpriority(PRIO_PROCESS, 0, -10));
        FAILS("nice -11", EACCES, setpriority(PRIO_PROCESS, 0, -11));
        limit(RLIMIT_NICE, 1, 30);
        OKAY("nice 19", setpriority(PRIO_PROCESS, 0, 19));
        FAILS("not back", EACCES, setpriority(PRIO_PROCESS, 0, 18));
        OKAY("idle", fifo(0, SCHED_IDLE, 0));
        OKAY("from idle with nice 19 and a limit of 1", fifo(0, SCHED_OTHER, 0));
        OKAY("idle", fifo(0, SCHED_IDLE, 0));
        limit(RLIMIT_NICE, 0, 30);
        FAILS("from idle with a limit of 0", EPERM, fifo(0, SCHED_BATCH, 0));
        limit(RLIMIT_NICE, 30, 30);
        OKAY("from idle", fifo(0, SCHED_OTHER, 0));
        OKAY("nice 0", setpriority(PRIO_PROCESS, 0, 0));
        return done();
}

int main(void)
{
        CHECK("soft", in_child(soft) == 0);
        CHECK("asleep", in_child(asleep) == 0);
        CHECK("hard kills", in_child(hard) == KILLED(SIGKILL));
        CHECK("SIGXCPU kills", in_child(kills) == KILLED(SIGXCPU));
        CHECK("priorities", in_child(priorities) == 0);
        return done();
}
