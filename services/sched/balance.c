/* SPDX-License-Identifier: Apache-2.0
 *
 * Which CPU a thread runs on.  See runq.h.
 *
 * Placement A thread wakes where it last ran, or on an idle CPU.  A CPU that would become
 *           idle takes a waiting thread from the longest queue; a busy one, now and then at its ticks, from one longer than its own.  Urgent threads (deadline, real-time) go where what runs
 *           matters least; while some wait anywhere (reservations.urgent), every pick looks whether one of them should
 *           run here, and whether one of those here should run elsewhere.  Where real-time threads are throttled none is sent, but it may wake there.
 * Locking   One runq.lock at a time: who is moved is in no queue on the way, and whoever puts it into the new one looks at its
 *           affinity again, under that one's lock.
 */
#include "services/sched/runq.h"

/* ---- Where to ---- */

static bool is_idle(u32 cpu)
{
        return !PTR_LOAD(runqs[cpu].current) && LOAD(runqs[cpu].queued) == 0;
}

/* For an urgent thread: where what runs matters least, at best where it ran last. */
static u32 choose_urgent(struct thread *t, u32 last)
{
        u32 n = cpu_count(), best = last, least = U32_MAX;

        for (u32 i = 0; i < n; i++) {
                u32 cpu = last + i < n ? last + i : last + i - n;
                u32 rank = (u32)max_u64(LOAD(runqs[cpu].rank), LOAD(runqs[cpu].urgent_rank));
                if (is_rt(t) && LOAD(runqs[cpu].throttled))
                        rank = RANK_DEADLINE;
                if (allows(t, cpu) && rank < least) {
                        least = rank;
                        best = cpu;
                }
        }
        return best;
}

/* The CPU for a thread that became runnable: its last one if that is idle or no other is; a new thread goes to
 * the least loaded. */
static u32 choose_cpu(struct thread *t, u32 last, bool woken)
{
        u32 n = cpu_count(), best = MAX_CPUS, least = U32_MAX;

        if (n == 1)
                return 0;
        last = last < n ? last : 0;
        if (allows(t, last) && is_idle(last))
                return last;
        if (!is_fair(t))
                return choose_urgent(t, last);
        for (u32 i = 1; i <= n; i++) {
                u32 cpu = last + i < n ? last + i : last + i - n;
                u32 load = LOAD(runqs[cpu].queued) + (PTR_LOAD(runqs[cpu].current) ? 1 : 0);
                if (!allows(t, cpu))
                        continue;
                if (load == 0)
                        return cpu;
                if (load < least) {
                        least = load;
                        best = cpu;
                }
        }
        if (woken && allows(t, last))
                return last;
        return best < n ? best : last;
}

#define JOIN_TURNS 8                    /* with an affinity that changes all the time it runs somewhere first */

/* Finds t, which is in no queue, a CPU, and locks its queue. */
struct runq *runq_join(struct thread *t, u32 last, bool woken)
{
        for (u32 turns = 1;; turns++) {
                u32 cpu = choose_cpu(t, last, woken) % MAX_CPUS;
                runq_settle(t, cpu);
                spin_lock(&runqs[cpu].lock);
                if (allows(t, cpu) || turns == JOIN_TURNS)
                        return &runqs[cpu];
                spin_unlock(&runqs[cpu].lock);
        }
}

void runq_settle_anew(struct thread *t, u32 was, u32 cpu)
{
        SPIN_GUARD(&runqs[was % MAX_CPUS].lock);
        STORE(t->se.cpu, cpu);
}

/* ---- From one queue to another ---- */

#define STEAL_LOOKS 64u

/* The next thread of another queue that may run here. */
static struct thread *steal_locked(struct runq *from, u32 cpu)
{
        if (from->deadlines.root)
                return from->deadlines.root;    /* these may run everywhere */
        for (u32 level = LOAD(runqs[cpu].throttled) ? 0 : rt_highest(from); level; level--)
                for (struct thread *t = from->rt[level].first; t; t = t->se.next)
                        if (allows(t, cpu))
                                return t;
        /* The root, or one right below it: looking further is not worth the while. */
        struct thread *t = from->fair.root;
        if (t && allows(t, cpu))
                return t;
        t = t ? t->se.child : NULL;
        for (u32 i = 0; t && i < STEAL_LOOKS; i++, t = t->se.sibling)
                if (allows(t, cpu))
                        return t;
        return NULL;
}

/* t leaves its queue for that of another CPU. */
static void move_locked(struct runq *from, struct thread *t, u32 cpu)
{
        runq_take_out(from, t);
        if (is_fair(t)) {               /* its lead or lag goes along */
                u64 shift = LOAD_RELAXED(runqs[cpu].min_vruntime) - from->min_vruntime;
                t->se.vruntime += shift;
                t->se.deadline += shift;
        }
        STORE(t->se.cpu, cpu);
}

/* Idle: takes what waits longest elsewhere.  Only the other queue's lock is taken. */
struct task_body *runq_pull(u32 cpu)
{
        u32 n = cpu_count(), busiest = cpu, most = 0;

        for (u32 i = 0; i < n; i++) {
                u32 waiting = i == cpu ? 0 : LOAD(runqs[i].queued);
                if (waiting > most) {
                        most = waiting;
                        busiest = i;
                }
        }
        if (!most)
                return NULL;
        struct runq *from = &runqs[busiest];
        SPIN_GUARD(&from->lock);
        struct thread *t = steal_locked(from, cpu);
        if (!t)
                return from->kernel_count ? runq_kernel_pop(from) : NULL;
        move_locked(from, t, cpu);
        return &t->base;
}

/* A thread that may not stay here goes to another queue. */
void runq_put_elsewhere(struct thread *t)
{
        struct runq *rq = runq_join(t, LOAD(t->se.cpu), false);
        u32 cpu = t->se.cpu;

        if (is_fair(t))
                runq_place(rq, t, true);
        runq_insert(rq, t, false);
        spin_unlock(&rq->lock);
        sched_resched(cpu);
}

/* t, which move_locked has sent here, is queued, if it still may run here. */
static void come(struct runq *rq, struct thread *t, u32 cpu, bool front)
{
        {
                SPIN_GUARD(&rq->lock);
                if (allows(t, cpu)) {
                        runq_insert(rq, t, front);
                        return;
                }
        }
        runq_put_elsewhere(t);
}

#define BALANCE_EVERY (8 * NSEC_PER_MSEC)
#define ROTATE_EVERY  8                 /* balancings: between queues that differ by one, which cannot be even at any moment */

/* At a tick: a longer queue gives one of its threads to this one. */
void runq_balance(struct runq *rq, u32 cpu, u64 now)
{
        u32 n = cpu_count(), busiest = cpu, own = LOAD(rq->queued), most = own;

        if (n == 1 || now < rq->balance_at)
                return;
        rq->balance_at = now + BALANCE_EVERY;
        for (u32 i = 0; i < n; i++) {
                if (LOAD(runqs[i].queued) > most) {
                        most = LOAD(runqs[i].queued);
                        busiest = i;
                }
        }
        rq->behind = most > own ? rq->behind + 1 : 0;
        if (most == own || (most == own + 1 && rq->behind % ROTATE_EVERY))
                return;
        struct runq *from = &runqs[busiest];
        struct thread *t = NULL;
        {
                SPIN_GUARD(&from->lock);
                t = steal_locked(from, cpu);
                if (!t || !is_fair(t))
                        return;
                move_locked(from, t, cpu);
        }
        come(rq, t, cpu, false);
}

/* Another CPU has an urgent thread waiting that matters more than all there is here: it comes. */
void runq_fetch_urgent(struct runq *rq, u32 cpu, u32 mine)
{
        u32 n = cpu_count(), from = cpu;
        struct thread *t = NULL;

        if (LOAD(rq->throttled))                /* deadlines only */
                mine = (u32)max_u64(mine, RANK_DEADLINE - 1);
        u32 best = (u32)max_u64(mine, LOAD(rq->urgent_rank));

        for (u32 i = 0; i < n; i++) {
                u32 rank = i == cpu ? RANK_NONE : LOAD(runqs[i].urgent_rank);
                if (rank > best) {
                        best = rank;
                        from = i;
                }
        }
        if (from == cpu)
                return;
        {
                SPIN_GUARD(&runqs[from].lock);
                t = steal_locked(&runqs[from], cpu);
                if (!t || is_fair(t) || rank_of(t) <= mine)
                        return;
                move_locked(&runqs[from], t, cpu);
        }
        come(rq, t, cpu, true);
}

/* The best urgent thread that waits here is worth more than what runs elsewhere: let that CPU look. */
void runq_offer_urgent(struct runq *rq, u32 here)
{
        u32 n = cpu_count(), rank, to = here;
        u64 where;
        {
                SPIN_GUARD(&rq->lock);
                rank = rq->urgent_rank;
                u32 level = rt_highest(rq);
                where = rank == RANK_DEADLINE ? ~0ul : level ? rq->rt[level].first->se.affinity : 0;
        }
        bool realtime = rank != RANK_DEADLINE;
        for (u32 i = 0; i < n; i++)
                if (i != here && (where >> i & 1) && LOAD(runqs[i].rank) < rank && !(realtime && LOAD(runqs[i].throttled))) {
                        rank = LOAD(runqs[i].rank);
                        to = i;
                }
        if (to != here)
                sched_resched(to);
}
