/* SPDX-License-Identifier: Apache-2.0
 *
 * What threads ask for: policy, priority, nice value, affinity, reservations; what is lent to them, and the machine's limits.
 * See sched.h.
 *
 * Locking   reservations.lock serialises changes of policy and affinity; then the lock of the thread's run queue, which
 *           changes what the queue goes by.  Lending (sched_boost) and nice values take the second alone.
 */
#include "services/sched/runq.h"
#include "services/sched/weight.h"
#include "abi/const/process.h"

/* Locks the queue that se.cpu names. */
static struct runq *lock_of(struct thread *t)
{
        for (;;) {
                u32 cpu = LOAD(t->se.cpu) % MAX_CPUS;
                struct runq *rq = &runqs[cpu];
                spin_lock(&rq->lock);
                if (t->se.cpu == cpu)
                        return rq;
                spin_unlock(&rq->lock);
        }
}

/* What follows from its policy, priority and nice value. */
static void set_weight(struct thread *t)
{
        t->se.weight = t->se.policy == SCHED_IDLE ? WEIGHT_IDLE : weight_of_nice(t->se.nice);
        t->se.urgency = t->se.policy == SCHED_DEADLINE ? URGENCY_DEADLINE : sched_is_realtime(t->se.policy) ? t->se.rt_priority : 0;
}

struct sched_params sched_get(struct thread *t)
{
        struct runq *rq = lock_of(t);
        bool b = t->se.boosted;
        u32 policy = b ? t->se.own_policy : t->se.policy;
        bool dl = policy == SCHED_DEADLINE;
        struct sched_params p = { .policy = policy, .nice = t->se.nice,
                                  .rt_priority = b ? t->se.own_priority : t->se.rt_priority,
                                  .runtime = dl ? t->se.dl.runtime : 0, .deadline = dl ? t->se.dl.deadline : 0,
                                  .period = dl ? t->se.dl.period : 0, .flags = dl ? t->se.dl.flags : 0,
                                  .reset_on_fork = t->se.reset_on_fork };
        spin_unlock(&rq->lock);
        return p;
}

err_t sched_check(const struct sched_params *p)
{
        switch (p->policy) {
        case SCHED_DEADLINE:
                TRY(deadline_check(p));
                return p->rt_priority ? ERR(EINVAL) : OK;
        case SCHED_FIFO:
        case SCHED_RR:
                return p->rt_priority >= 1 && p->rt_priority <= RT_PRIORITY_MAX ? OK : ERR(EINVAL);
        case SCHED_NORMAL:
        case SCHED_BATCH:
        case SCHED_IDLE:
                return p->rt_priority == 0 && p->nice >= NICE_MIN && p->nice <= NICE_MAX ? OK : ERR(EINVAL);
        default:
                return ERR(EINVAL);
        }
}

static void set_class_locked(struct runq *rq, struct thread *t, u32 policy, u32 priority)
{
        bool queued = t->se.queued, was_fair = is_fair(t), lowered = is_rt(t) && priority < t->se.rt_priority;

        if (queued)
                runq_take_out(rq, t);
        t->se.policy = policy;
        t->se.rt_priority = priority;
        set_weight(t);
        if (!was_fair && is_fair(t)) {
                task_set_urgent(t->base.task, false);
                runq_place(rq, t, false);
        }
        t->se.slice_used = 0;
        STORE(t->se.rt_ran, 0);
        t->se.dl.waits = false;
        if (rq->running == t)
                STORE(rq->rank, rank_of(t));
        if (queued)
                runq_insert(rq, t, lowered);         /* as POSIX has it: lowered, it is the first of its new priority */
}

/* What t asks for is this; it runs by it, or by what it is lent if that is more.  Who has a deadline is above all loans. */
static void set_own_locked(struct runq *rq, struct thread *t, u32 policy, u32 priority)
{
        bool boosted = policy != SCHED_DEADLINE && t->se.lent > priority;
        u32 runs_by = boosted ? (u32)SCHED_FIFO : policy, at = boosted ? t->se.lent : priority;

        t->se.own_policy = policy;
        t->se.own_priority = priority;
        STORE(t->se.boosted, boosted);
        if (runs_by != t->se.policy || at != t->se.rt_priority || is_fair(t))
                set_class_locked(rq, t, runs_by, at);
}

void sched_boost(struct thread *t, u32 priority)
{
        struct runq *rq = lock_of(t);
        u32 policy = t->se.policy, at = t->se.rt_priority, cpu = t->se.cpu;
        bool b = t->se.boosted;

        t->se.lent = priority;
        set_own_locked(rq, t, b ? t->se.own_policy : policy, b ? t->se.own_priority : at);
        bool changed = t->se.policy != policy || t->se.rt_priority != at;
        spin_unlock(&rq->lock);
        if (changed)
                sched_resched(cpu);
}

u32 sched_rt_priority(struct thread *t)
{
        u32 policy = LOAD(t->se.policy);
        return policy == SCHED_DEADLINE ? RT_PRIORITY_DEADLINE : sched_is_realtime(policy) ? LOAD(t->se.rt_priority) : 0;
}

static u64 own_bandwidth(struct thread *t)
{
        return t->se.policy == SCHED_DEADLINE ? deadline_bandwidth(t->se.dl.runtime, t->se.dl.period) : 0;
}

static err_t reserve_locked(struct thread *t, const struct sched_params *p)
{
        u64 was = own_bandwidth(t), wanted = 0;

        if (p->policy == SCHED_DEADLINE) {
                wanted = deadline_bandwidth(p->runtime, p->period);
                if (sched_affinity(t) != online() || !reservations.limits.rt_runtime)
                        return ERR(EPERM);
                if (!deadline_fits_locked(&reservations, was, wanted))
                        return ERR(EBUSY);
        }
        STORE(reservations.reserved, reservations.reserved - was + wanted);
        return OK;
}

/* Both locks are held, and there is room.  t, which runs perhaps, has the policy. */
static void begin_deadline_locked(struct runq *rq, struct thread *t, const struct sched_params *p)
{
        u64 now = time_now();

        t->se.dl.runtime = p->runtime;
        t->se.dl.deadline = p->deadline;
        t->se.dl.period = p->period;
        t->se.dl.flags = p->flags;
        deadline_begin(t, now);
        if (rq->running == t)                   /* what it ran already will be taken off */
                t->se.dl.left += (i64)(now - rq->picked_at);
}

static void set_locked(struct runq *rq, struct thread *t, const struct sched_params *p)
{
        bool queued = t->se.queued;

        t->se.reset_on_fork = p->reset_on_fork;
        if (p->policy == SCHED_NORMAL || p->policy == SCHED_BATCH)
                t->se.nice = p->nice;
        if (p->policy != SCHED_DEADLINE) {
                set_own_locked(rq, t, p->policy, p->rt_priority);
                return;
        }
        STORE(t->se.boosted, false);            /* it is above whoever could lend it something */
        if (queued)
                runq_take_out(rq, t);
        begin_deadline_locked(rq, t, p);
        set_class_locked(rq, t, p->policy, 0);
        if (queued)
                runq_insert(rq, t, false);
}

/* reservations.lock is held. */
static err_t change_locked(struct thread *t, const struct sched_params *p)
{
        TRY(reserve_locked(t, p));
        struct runq *rq = lock_of(t);
        set_locked(rq, t, p);
        u32 cpu = t->se.cpu;
        spin_unlock(&rq->lock);
        sched_resched(cpu);
        return OK;
}

static const struct sched_params ordinary;      /* SCHED_NORMAL, nice 0 */

err_t sched_set(struct thread *t, struct sched_params p)
{
        TRY(sched_check(&p));
        p.period = p.period ? p.period : p.deadline;
        SPIN_GUARD(&reservations.lock);
        TRY(change_locked(t, &p));
        if (p.policy == SCHED_DEADLINE) {
                memory_barrier();               /* it exits meanwhile: here or in sched_exit the other is seen */
                if (LOAD(t->exiting))
                        ignore(change_locked(t, &ordinary));
        }
        return OK;
}

void sched_exit(struct thread *t)
{
        memory_barrier();
        if (LOAD(t->se.policy) == SCHED_DEADLINE)
                ignore(sched_set(t, ordinary));
}

struct sched_limits sched_limits(void)
{
        SPIN_GUARD(&reservations.lock);
        return reservations.limits;
}

err_t sched_set_limits(struct sched_limits l)
{
        TRY(limits_check(&l));
        SPIN_GUARD(&reservations.lock);
        struct sched_limits old = reservations.limits;
        reservations.limits = l;
        if (!deadline_fits_locked(&reservations, reservations.reserved, reservations.reserved)) {
                reservations.limits = old;
                return ERR(EBUSY);
        }
        for (u32 cpu = 0; cpu < cpu_count(); cpu++)     /* a new period for all */
        {
                SPIN_GUARD(&runqs[cpu].lock);
                runqs[cpu].rt_since = time_now();
                runqs[cpu].rt_ran = 0;
                STORE(runqs[cpu].throttled, false);
                sched_resched(cpu);
        }
        return OK;
}

u64 sched_rt_ran(struct thread *t)
{
        if (!is_rt(t))
                return 0;
        struct runq *rq = lock_of(t);
        u64 ran = t->se.rt_ran + (rq->running == t ? time_now() - rq->picked_at : 0);
        spin_unlock(&rq->lock);
        return ran;
}

bool sched_take_overrun_slow(struct thread *t)
{
        STORE(t->se.dl.overrun, false);
        return true;
}

void sched_set_nice(struct thread *t, i32 nice)
{
        struct runq *rq = lock_of(t);
        u32 cpu = t->se.cpu;

        t->se.nice = nice < NICE_MIN ? NICE_MIN : nice > NICE_MAX ? NICE_MAX : nice;
        bool now = is_fair(t);                  /* else for when it is fair again */
        if (now)
                set_class_locked(rq, t, t->se.policy, 0);
        spin_unlock(&rq->lock);
        if (now)
                sched_resched(cpu);
}

err_t sched_set_affinity(struct thread *t, u64 mask)
{
        bool moved = false;

        mask &= online();
        SPIN_GUARD(&reservations.lock);         /* it may be about to become a deadline thread, which runs everywhere */
        struct runq *rq = lock_of(t);
        u32 cpu = t->se.cpu;
        if (t->se.policy == SCHED_DEADLINE && mask != online()) {
                spin_unlock(&rq->lock);
                return ERR(EBUSY);
        }
        if (!mask) {
                spin_unlock(&rq->lock);
                return ERR(EINVAL);
        }
        t->se.affinity = mask;
        if (!allows(t, cpu) && t->se.queued) {
                runq_take_out(rq, t);
                moved = true;
        }
        spin_unlock(&rq->lock);
        if (moved)
                runq_put_elsewhere(t);
        else if (!(mask >> cpu & 1))
                sched_resched(cpu);     /* if it runs there, put() sends it away */
        return OK;
}

u64 sched_affinity(struct thread *t) { return LOAD(t->se.affinity) & online(); }

u64 sched_rr_interval(struct thread *t)
{
        u32 policy = LOAD(t->se.policy);
        return policy == SCHED_FIFO || policy == SCHED_DEADLINE ? 0 : policy == SCHED_RR ? LOAD_RELAXED(reservations.limits.rr_slice) : SLICE;
}

/* Others change the parent's policy meanwhile: its lock is held. */
static err_t inherit_locked(struct thread *child, struct thread *parent)
{
        child->se.nice = parent->se.nice;
        child->se.affinity = parent->se.affinity;
        child->se.cpu = parent->se.cpu;
        child->se.vruntime = parent->se.vruntime;
        child->se.policy = parent->se.boosted ? parent->se.own_policy : parent->se.policy;
        child->se.rt_priority = parent->se.boosted ? parent->se.own_priority : parent->se.rt_priority;
        if (parent->se.reset_on_fork && (sched_is_realtime(child->se.policy) || child->se.policy == SCHED_DEADLINE)) {
                child->se.policy = SCHED_NORMAL;
                child->se.rt_priority = 0;
                child->se.nice = 0;
        } else if (parent->se.reset_on_fork && child->se.nice < 0) {
                child->se.nice = 0;
        }
        return child->se.policy == SCHED_DEADLINE ? ERR(EAGAIN) : OK;   /* its time is its own */
}

err_t sched_fork(struct thread *child, struct thread *parent)
{
        struct runq *rq = lock_of(parent);
        err_t err = inherit_locked(child, parent);

        spin_unlock(&rq->lock);
        set_weight(child);
        return err;
}

void sched_first(struct thread *t)
{
        t->se.policy = SCHED_NORMAL;
        t->se.affinity = ~0ul;
        set_weight(t);
}
