/* SPDX-License-Identifier: Apache-2.0
 *
 * SCHED_DEADLINE: constant bandwidth servers, scheduled by the earliest deadline (sched(7)).
 *
 * Server    A thread has a budget, `left`, of its runtime, and a deadline, `due`.  Running uses up the budget; who has
 *           used it up, or yields, waits for its next period, `due - deadline + period`, where the budget is filled and
 *           the deadline moves on by a period.  Who slept goes on with what is left, unless that would be more than its
 *           bandwidth until `due`: then it begins anew.  One whose deadline is shorter than its period and has passed
 *           waits for the period's end.
 * Admission The sum of runtime / period of all is at most what limits leave to real-time threads, times the CPUs; each may run
 *           on every CPU.  A thread's part is given back as it changes policy, or exits.
 * States    se.policy DEADLINE: asleep; in runq.deadlines (se.deadline == due); in runq.refills (waits: se.deadline is when);
 *           or running.
 * Locking   reservations.lock, then the lock of the thread's run queue: se.dl.runtime, deadline, period, flags and reserved change
 *           under both; the rest of se.dl under the second.
 * Lifetime  A thread counts in `reserved` from sched_set to another sched_set, or sched_exit, which its own exit calls.
 * Chosen not to do: inheriting a deadline (an owner of a PI lock runs as FIFO above all others), keeping a sleeper's part
 * until its lag is 0.
 */
#include "services/sched/deadline.h"
#include "abi/const/process.h"

#define RUNTIME_LEAST  1024u
#define BANDWIDTH_SHIFT 20

LOCK_CLASS(reservations);

void reservations_init(struct reservations *r)
{
        lock_init(&r->lock, reservations);
        r->limits = (struct sched_limits){ .rt_period = NSEC_PER_SEC, .rt_runtime = 950 * NSEC_PER_MSEC, .rr_slice = SCHED_RR_SLICE };
}

err_t deadline_check(const struct sched_params *p)
{
        u64 period = p->period ? p->period : p->deadline;
        bool good = p->deadline && p->runtime >= RUNTIME_LEAST && (i64)p->deadline > 0 && (i64)period > 0 &&
                    p->runtime <= p->deadline && p->deadline <= period && period >= SCHED_PERIOD_LEAST && period <= SCHED_PERIOD_MOST;
        return good ? OK : ERR(EINVAL);
}

u64 deadline_bandwidth(u64 runtime, u64 period) { return period ? (runtime << BANDWIDTH_SHIFT) / period : 0; }

bool deadline_fits_locked(const struct reservations *r, u64 was, u64 wanted)
{
        if (r->limits.rt_runtime == NEVER)
                return true;
        u64 part = deadline_bandwidth(r->limits.rt_runtime, r->limits.rt_period);
        return r->reserved - was + wanted <= part * cpu_count();
}

err_t limits_check(const struct sched_limits *l)
{
        bool good = l->rt_period && l->rt_period <= (u64)I32_MAX * 1000 && (l->rt_runtime == NEVER || l->rt_runtime <= l->rt_period);
        return good ? OK : ERR(EINVAL);
}

void deadline_begin(struct thread *t, u64 now)
{
        t->se.dl.due = now + t->se.dl.deadline;
        t->se.dl.left = (i64)t->se.dl.runtime;
}

/* More than its bandwidth allows until its deadline: left / (due - now) > runtime / deadline. */
static bool overflows(const struct thread *t, u64 now)
{
        if (t->se.dl.left <= 0)
                return false;
        /* Both products fit: budgets and deadlines are below 2^33 ns; in units of 1 us they stay far below 2^64. */
        u64 left = (u64)t->se.dl.left >> 10, until = (t->se.dl.due - now) >> 10;
        return left * (t->se.dl.deadline >> 10) > until * (t->se.dl.runtime >> 10);
}

void deadline_wake(struct thread *t, u64 now)
{
        u64 next = t->se.dl.due - t->se.dl.deadline + t->se.dl.period;
        bool passed = t->se.dl.due <= now;

        if (t->se.dl.waits)
                return;
        if (passed && now < next)
                t->se.dl.left = 0;              /* a shorter deadline than its period */
        else if (passed || overflows(t, now))
                deadline_begin(t, now);
}

bool deadline_charge(struct thread *t, u64 ran, u64 reserved, u64 part)
{
        if ((t->se.dl.flags & SCHED_FLAG_RECLAIM) && part) {
                /* What nobody reserved is for who reclaims: the budget shrinks at the speed that is in use. */
                u64 own = deadline_bandwidth(t->se.dl.runtime, t->se.dl.period), speed = max_u64(own, reserved / cpu_count());
                ran = speed < part ? ran * speed / part : ran;
        }
        t->se.dl.left -= (i64)ran;
        return t->se.dl.left <= 0;
}

bool deadline_throttle(struct thread *t, u64 now)
{
        t->se.deadline = t->se.dl.due - t->se.dl.deadline + t->se.dl.period;
        t->se.dl.waits = t->se.deadline > now;
        if (!t->se.dl.waits)
                deadline_refill(t, now);
        return t->se.dl.waits;
}

void deadline_refill(struct thread *t, u64 now)
{
        t->se.dl.waits = false;
        for (u32 i = 0; t->se.dl.left <= 0 && i < 64; i++) {
                t->se.dl.left += (i64)t->se.dl.runtime;
                t->se.dl.due += t->se.dl.period;
        }
        if (t->se.dl.left <= 0 || t->se.dl.due <= now)
                deadline_begin(t, now);
        t->se.deadline = t->se.dl.due;
}
