/* SPDX-License-Identifier: Apache-2.0
 *
 * The scheduling policy: run queues, and what the framework calls.  See sched.h; which CPU: balance.c; settings: settings.c.
 *
 * Objects   A run queue per CPU, each under its own spin lock: a heap of deadline threads, a list per real-time
 *           priority, a ring of kernel threads, and a heap of fair threads by virtual
 *           deadline.  A thread is in the queue of se.cpu, or in none.  The running thread is
 *           in none; `current` names it.
 * Fairness  A thread's virtual time runs at 1024/weight of the time it runs.  Each is given
 *           a virtual deadline one slice ahead of its virtual time; the earliest deadline
 *           runs.  Whoever used up its slice gets the next deadline, so all advance
 *           together, the heavier in smaller steps; the lag is at most a slice.  A thread
 *           that slept begins no earlier than a slice before the queue's time: it may
 *           preempt, but saves no credit.
 * Deadlines See deadline.c.  Who has used up its budget waits in `refills`; the queue's timer ends budgets and fills them.
 * Real time FIFO and RR threads have rt_runtime of each rt_period of a CPU; then the CPU is `throttled`: it picks none of
 *           them until the period is over.
 * Cost      With nothing else to run, a wake-up and a pick are a lock, a root pointer and a
 *           counter each.
 * Placement See balance.c.
 * Locking   reservations.lock, then runq.lock, one at a time, a leaf.  A thread's se is guarded by the lock of queue
 *           se.cpu; se.cpu changes under the old queue's lock, of a thread in no queue (balance.c).
 * Kernel threads have no se: the framework knows only their task_body.
 */
#include "services/sched/runq.h"
#include "services/sched/weight.h"
#include "abi/const/process.h"

#define WAKE_GRAIN NSEC_PER_MSEC        /* virtual time by which a waking thread must be behind to preempt */

LOCK_CLASS(runq, LEAF);                 /* who is woken, is woken under anything */
struct runq runqs[MAX_CPUS];
struct reservations reservations;

/* ---- Heaps of threads: pairing heaps, least deadline first ---- */

/* Two heaps into one; neither is NULL, neither root has siblings. */
static struct thread *heap_meld(struct thread *a, struct thread *b)
{
        if (before(b, a)) {
                struct thread *swap = a;
                a = b;
                b = swap;
        }
        b->se.sibling = a->se.child;
        if (a->se.child)
                a->se.child->se.up = b;
        b->se.up = a;                   /* first child: its parent; others: the sibling before */
        a->se.child = b;
        return a;
}

/* A list of siblings into one heap. */
static struct thread *heap_meld_list(struct thread *list)
{
        struct thread *pairs = NULL, *root = NULL;

        while (list) {                  /* two by two, onto a stack */
                struct thread *a = list, *b = a->se.sibling;
                list = b ? b->se.sibling : NULL;
                a->se.sibling = NULL;
                if (b) {
                        b->se.sibling = NULL;
                        a = heap_meld(a, b);
                }
                a->se.sibling = pairs;
                pairs = a;
        }
        while (pairs) {
                struct thread *next = pairs->se.sibling;
                pairs->se.sibling = NULL;
                root = root ? heap_meld(root, pairs) : pairs;
                pairs = next;
        }
        if (root)
                root->se.up = NULL;
        return root;
}

static void heap_insert(struct thread_heap *h, struct thread *t)
{
        t->se.child = NULL;
        t->se.sibling = NULL;
        t->se.up = NULL;
        h->root = h->root ? heap_meld(h->root, t) : t;
}

static void heap_remove(struct thread_heap *h, struct thread *t)
{
        struct thread *rest = t->se.child ? heap_meld_list(t->se.child) : NULL;

        if (h->root == t) {
                h->root = rest;
        } else {
                struct thread *up = t->se.up;
                if (up->se.child == t)
                        up->se.child = t->se.sibling;
                else
                        up->se.sibling = t->se.sibling;
                if (t->se.sibling)
                        t->se.sibling->se.up = up;
                if (rest)
                        h->root = heap_meld(h->root, rest);
        }
        t->se.child = NULL;
        t->se.sibling = NULL;
        t->se.up = NULL;
}

/* ---- Real-time lists ---- */

static void rt_insert(struct runq *rq, struct thread *t, bool front)
{
        u32 level = t->se.rt_priority % RT_LEVELS;
        struct rt_list *l = &rq->rt[level];

        t->se.next = front ? l->first : NULL;
        t->se.prev = front ? NULL : l->last;
        if (t->se.next)
                t->se.next->se.prev = t;
        else
                l->last = t;
        if (t->se.prev)
                t->se.prev->se.next = t;
        else
                l->first = t;
        rq->rt_used[level / 64] |= 1ul << (level & 63);
}

static void rt_remove(struct runq *rq, struct thread *t)
{
        u32 level = t->se.rt_priority % RT_LEVELS;
        struct rt_list *l = &rq->rt[level];

        if (t->se.prev)
                t->se.prev->se.next = t->se.next;
        else
                l->first = t->se.next;
        if (t->se.next)
                t->se.next->se.prev = t->se.prev;
        else
                l->last = t->se.prev;
        t->se.next = NULL;
        t->se.prev = NULL;
        if (!l->first)
                rq->rt_used[level / 64] &= ~(1ul << (level & 63));
}

/* ---- Queues; runq.lock held ---- */

/* Sets the timer for the next thing that no tick sees in time.  A budget that is over by now was seen: the CPU is about to pick. */
static void set_alarm(struct runq *rq, u64 now)
{
        u64 next = rq->throttled ? rq->rt_since + LOAD_RELAXED(reservations.limits.rt_period) : NEVER;
        struct thread *t = rq->running;

        if (rq->refills.root)
                next = min_u64(next, rq->refills.root->se.deadline);
        u64 end = t && is_deadline(t) && t->se.dl.left > 0 ? rq->picked_at + (u64)t->se.dl.left : 0;
        if (end > now)
                next = min_u64(next, end);
        if (next >= rq->alarm)
                return;
        STORE(rq->alarm, next);
        timer_arm(&rq->timer, next);
}

static void note_urgent(struct runq *rq, u32 more)
{
        u32 level = rt_highest(rq);
        FETCH_ADD(reservations.urgent, more);
        STORE(rq->urgent_rank, rq->deadlines.root ? RANK_DEADLINE : level ? RANK_OTHER + level : RANK_NONE);
}

/* A deadline thread with or without a budget. */
static void deadline_insert(struct runq *rq, struct thread *t, u64 now)
{
        if (t->se.dl.waits || (t->se.dl.left <= 0 && deadline_throttle(t, now))) {
                heap_insert(&rq->refills, t);
                set_alarm(rq, now);
                return;
        }
        t->se.deadline = t->se.dl.due;
        heap_insert(&rq->deadlines, t);
        note_urgent(rq, 1);
        STORE(rq->queued, rq->queued + 1);
}

static noinline void insert_urgent(struct runq *rq, struct thread *t, bool front)
{
        if (is_deadline(t)) {
                deadline_insert(rq, t, time_now());
                return;
        }
        rt_insert(rq, t, front);
        note_urgent(rq, 1);
        STORE(rq->queued, rq->queued + 1);
}

void runq_insert(struct runq *rq, struct thread *t, bool front)
{
        t->se.queued = true;
        if (!is_fair(t)) {
                insert_urgent(rq, t, front);
                return;
        }
        heap_insert(&rq->fair, t);
        STORE(rq->queued, rq->queued + 1);
}

static noinline void take_out_urgent(struct runq *rq, struct thread *t)
{
        if (is_deadline(t) && t->se.dl.waits) {
                heap_remove(&rq->refills, t);
                return;
        }
        if (is_rt(t))
                rt_remove(rq, t);
        else
                heap_remove(&rq->deadlines, t);
        note_urgent(rq, -1u);
        STORE(rq->queued, rq->queued - 1);
}

void runq_take_out(struct runq *rq, struct thread *t)
{
        t->se.queued = false;
        if (!is_fair(t)) {
                take_out_urgent(rq, t);
                return;
        }
        heap_remove(&rq->fair, t);
        STORE(rq->queued, rq->queued - 1);
}

static bool kernel_push(struct runq *rq, struct task_body *t)
{
        if (rq->kernel_count == KERNEL_RING)
                return false;
        rq->kernel[(rq->kernel_first + rq->kernel_count) % KERNEL_RING] = t;
        rq->kernel_count++;
        STORE(rq->queued, rq->queued + 1);
        return true;
}

struct task_body *runq_kernel_pop(struct runq *rq)
{
        u32 i = rq->kernel_first % KERNEL_RING;
        struct task_body *t = rq->kernel[i];
        rq->kernel[i] = NULL;
        rq->kernel_first = (i + 1) % KERNEL_RING;
        rq->kernel_count--;
        STORE(rq->queued, rq->queued - 1);
        return t;
}

/* ---- Virtual time ---- */

static noinline u64 virtual_weighed(u64 ns, u32 weight) { return ns * WEIGHT_0 / weight; }

static u64 virtual(const struct thread *t, u64 ns) { return t->se.weight == WEIGHT_0 ? ns : virtual_weighed(ns, t->se.weight); }

static void new_deadline(struct thread *t) { t->se.deadline = t->se.vruntime + virtual(t, SLICE); }

static void advance_min(struct runq *rq, u64 to)
{
        if ((i64)(to - rq->min_vruntime) > 0)
                STORE(rq->min_vruntime, to);
}

/* What the fair thread that is running has come to by now; the queue's time follows it. */
static u64 current_vruntime(struct runq *rq)
{
        struct thread *t = rq->running;

        if (!t || !is_fair(t))
                return rq->min_vruntime;
        u64 v = t->se.vruntime + virtual(t, time_now() - rq->picked_at);
        u64 behind = rq->fair.root && (i64)(rq->fair.root->se.vruntime - v) < 0 ? rq->fair.root->se.vruntime : v;
        advance_min(rq, behind);
        return v;
}

/* A thread that comes into a queue: near the queue's time, whatever it did elsewhere or before. */
void runq_place(struct runq *rq, struct thread *t, bool woken)
{
        u64 slice = virtual(t, SLICE), least = rq->min_vruntime - slice;

        if (!t->se.placed || !woken)
                t->se.vruntime = rq->min_vruntime;
        else if (t->se.vruntime - least > 2 * slice)    /* it is not within a slice of the queue's time */
                t->se.vruntime = (i64)(t->se.vruntime - least) < 0 ? least : rq->min_vruntime + slice;
        t->se.placed = true;
        t->se.deadline = t->se.vruntime + slice;
}

/* The real-time threads' period: a new one, if it is over. */
static void rt_period(struct runq *rq, u64 now)
{
        u64 period = LOAD_RELAXED(reservations.limits.rt_period), part = LOAD_RELAXED(reservations.limits.rt_runtime);

        if (!period || now - rq->rt_since < period)
                return;
        u64 n = (now - rq->rt_since) / period;
        rq->rt_since += n * period;
        rq->rt_ran = part == NEVER || n >= 2 || rq->rt_ran <= part ? 0 : rq->rt_ran - part;
        STORE(rq->throttled, false);
}

static void charge_rt(struct runq *rq, struct thread *t, u64 ran)
{
        u64 part = LOAD_RELAXED(reservations.limits.rt_runtime), now = rq->picked_at + ran;

        t->se.slice_used += ran;
        STORE(t->se.rt_ran, t->se.rt_ran + ran);
        rt_period(rq, now);
        rq->rt_ran += min_u64(ran, now - rq->rt_since);
        if (rq->rt_ran <= part || part >= LOAD_RELAXED(reservations.limits.rt_period))
                return;
        STORE(rq->throttled, true);
        set_alarm(rq, now);
}

static void charge_deadline(struct thread *t, u64 ran, bool yields)
{
        u64 part = deadline_bandwidth(LOAD_RELAXED(reservations.limits.rt_runtime), LOAD_RELAXED(reservations.limits.rt_period));

        if (LOAD_RELAXED(reservations.limits.rt_runtime) == NEVER)
                part = 0;
        bool used_up = deadline_charge(t, ran, LOAD_RELAXED(reservations.reserved), part);
        if (yields)
                t->se.dl.left = t->se.dl.left > 0 ? 0 : t->se.dl.left;
        if (used_up && t->se.dl.flags & SCHED_FLAG_DL_OVERRUN) {
                STORE(t->se.dl.overrun, true);
                task_notify(t->base.task);
        }
}

/* A thread that became runnable, or comes from elsewhere, is about to be inserted; a fair one is placed. */
static noinline void arrive_urgent(struct thread *t, bool woken)
{
        if (is_deadline(t) && woken)
                deadline_wake(t, time_now());
}

static noinline void charge_urgent(struct runq *rq, struct thread *t, u64 ran, bool yields)
{
        if (is_rt(t))
                charge_rt(rq, t, ran);
        else
                charge_deadline(t, ran, yields);
}

/* t ran for `ran` ns. */
static void charge(struct runq *rq, struct thread *t, u64 ran, bool yields)
{
        if (!is_fair(t)) {
                charge_urgent(rq, t, ran, yields);
                return;
        }
        t->se.vruntime += virtual(t, ran);
        /* The queue's time is that of whoever is furthest behind, as far as that is cheap to know. */
        u64 behind = t->se.vruntime;
        if (rq->fair.root && (i64)(rq->fair.root->se.vruntime - behind) < 0)
                behind = rq->fair.root->se.vruntime;
        advance_min(rq, behind);
}

/* Should t, which has just been queued, run instead of the current one, whose virtual time is `its`? */
static bool preempts(struct runq *rq, struct thread *t, u64 its)
{
        if (!rq->current)
                return true;
        struct thread *now = rq->running;
        u32 rank = is_rt(t) && rq->throttled ? RANK_NONE : rank_of(t), ranks = LOAD(rq->rank);
        if (is_deadline(t) && ranks == RANK_DEADLINE)
                return before(t, now);
        if (!now || rank != RANK_OTHER || ranks != RANK_OTHER)
                return rank > ranks;
        if (t->se.policy != SCHED_NORMAL || now->se.policy == SCHED_IDLE)
                return t->se.policy == SCHED_NORMAL;
        return (i64)(its - t->se.vruntime) > (i64)WAKE_GRAIN;
}

/* ---- What the framework calls; preemption is off ---- */

static u32 enqueue_kernel(struct task_body *body, u32 last)
{
        u32 n = cpu_count();
        last = last < n ? last : 0;
        for (u32 i = 0; i < n; i++) {
                u32 cpu = last + i < n ? last + i : last + i - n;
                struct runq *rq = &runqs[cpu];
                SPIN_GUARD(&rq->lock);
                if (kernel_push(rq, body)) {
                        bool busy = rq->current && (!rq->running || is_rt(rq->running));
                        return busy ? NO_CPU : cpu;
                }
        }
        return NO_CPU;
}

static u32 enqueue(struct task_body *body, u32 last, bool woken)
{
        if (!IS_A(thread, body))
                return enqueue_kernel(body, last);
        struct thread *t = DOWNCAST(thread, body);
        struct runq *rq = runq_join(t, last, woken);
        u32 cpu = t->se.cpu;
        u64 its = current_vruntime(rq);
        if (is_fair(t))
                runq_place(rq, t, woken);
        else
                arrive_urgent(t, woken);
        runq_insert(rq, t, false);
        bool now = !(is_deadline(t) && t->se.dl.waits) && preempts(rq, t, its);
        spin_unlock(&rq->lock);
        return now ? cpu : NO_CPU;
}

static noinline void urgent_runs(struct runq *rq, struct thread *t)
{
        task_set_urgent(t->base.task, true);    /* a new one has its first wake-up yet to come */
        if (is_deadline(t))
                set_alarm(rq, rq->picked_at);
}

/* body is t's. */
static void set_running_thread(struct runq *rq, struct task_body *body, struct thread *t, u64 now)
{
        PTR_STORE(rq->current, body);
        rq->running = t;
        rq->picked_at = now;
        rq->switches++;
        STORE(rq->rank, rank_of(t));
        if (!is_fair(t))
                urgent_runs(rq, t);
}

/* A kernel thread; NULL: nobody. */
static noinline void set_running_other(struct runq *rq, struct task_body *body, u64 now)
{
        PTR_STORE(rq->current, body);
        rq->running = NULL;
        rq->picked_at = now;
        rq->switches += body != NULL;
        STORE(rq->rank, body ? RANK_OTHER : RANK_NONE);
}

/* Takes the next out; it runs now.  Kernel threads and threads by turns, if both want to. */
static struct task_body *pick_locked(struct runq *rq, u64 now)
{
        u32 level = rq->throttled ? 0 : rt_highest(rq);
        struct thread *t = rq->deadlines.root ? rq->deadlines.root : level ? rq->rt[level].first : rq->fair.root;

        if (!level && rq->kernel_count && !(t && (rq->fair_next || is_deadline(t)))) {
                struct task_body *body = runq_kernel_pop(rq);
                set_running_other(rq, body, now);
                return body;
        }
        if (!level)
                rq->fair_next = false;
        if (!t) {
                set_running_other(rq, NULL, now);
                return NULL;
        }
        runq_take_out(rq, t);
        set_running_thread(rq, &t->base, t, now);
        return &t->base;
}

/* The thread that ran goes back into the queue; not NULL: it may not stay here. */
static noinline struct thread *put_locked(struct runq *rq, struct task_body *body, u32 cpu, u64 ran, bool yielded)
{
        struct thread *t = rq->running;

        if (!t) {
                rq->fair_next = true;
                (void)kernel_push(rq, body);
                return NULL;
        }
        charge(rq, t, ran, yielded);
        if (!allows(t, cpu))
                return t;
        bool spent = t->se.policy == SCHED_RR && t->se.slice_used >= LOAD_RELAXED(reservations.limits.rr_slice);
        if (spent)
                t->se.slice_used = 0;
        if (is_fair(t)) {
                if ((i64)(t->se.vruntime - t->se.deadline) >= 0)
                        new_deadline(t);
                if (yielded)    /* everyone else goes first, once */
                        t->se.deadline += virtual(t, SLICE);
        }
        runq_insert(rq, t, !yielded && !spent);
        return NULL;
}

/* The same for whoever leaves the CPU. */
static struct thread *left_locked(struct runq *rq, struct task_body *body, u32 cpu, enum prev_was was, u64 ran)
{
        /* Its critical section is broken, and it may come back on another CPU. */
        if (rq->running && LOAD_RELAXED(rq->running->rseq_area))
                task_notify(body->task);
        if (was != PREV_STOPPED)
                return put_locked(rq, body, cpu, ran, was == PREV_YIELDED);
        if (rq->running) {
                charge(rq, rq->running, ran, false);
                if (!is_fair(rq->running))
                        STORE(rq->running->se.rt_ran, 0);
        }
        return NULL;
}

/* This CPU has nothing of its own. */
static noinline struct task_body *pick_elsewhere(struct runq *rq, u32 cpu)
{
        struct task_body *body = runq_pull(cpu);
        struct thread *t = body ? thread_of(body) : NULL;
        u64 now = time_now();
        {
                SPIN_GUARD(&rq->lock);
                if (!t || allows(t, cpu)) {
                        if (!body)
                                return pick_locked(rq, now);    /* something may have come meanwhile */
                        if (t)
                                set_running_thread(rq, body, t, now);
                        else
                                set_running_other(rq, body, now);
                        return body;
                }
        }
        runq_put_elsewhere(t);               /* its affinity has changed on the way */
        return NULL;
}

/* Who was woken here.  The answer: a thread that is to run at once, if it may, since nothing else wants to.  *away: it may
 * not stay here. */
static struct thread *woken_locked(struct runq *rq, struct thread *t, u32 cpu, bool alone, struct thread **away)
{
        if (!allows(t, cpu)) {
                *away = t;
                return NULL;
        }
        if (is_fair(t))
                runq_place(rq, t, true);
        else
                arrive_urgent(t, true);
        if (alone && is_fair(t))
                return t;
        runq_insert(rq, t, false);
        return NULL;
}

static struct task_body *pick(u32 which, struct task_body *prev, enum prev_was was, u64 ran, struct task_body *woken, bool want)
{
        u32 cpu = which % MAX_CPUS;
        struct runq *rq = &runqs[cpu];
        struct thread *away = NULL, *woken_away = NULL, *comes = woken ? thread_of(woken) : NULL;
        struct task_body *body = NULL;
        bool urgent = LOAD_RELAXED(reservations.urgent) != 0 && cpu_count() > 1;

        if (comes)
                runq_settle(comes, cpu);
        if (urgent && want)
                runq_fetch_urgent(rq, cpu, prev && was != PREV_STOPPED ? LOAD(rq->rank) : RANK_NONE);
        {
                SPIN_GUARD(&rq->lock);
                u64 now = prev ? rq->picked_at + ran : time_now();
                if (prev)
                        away = left_locked(rq, prev, cpu, was, ran);
                struct thread *t = NULL;
                if (comes)
                        t = woken_locked(rq, comes, cpu, want && rq->queued == 0, &woken_away);
                else if (woken)
                        (void)kernel_push(rq, woken);
                if (t) {
                        body = woken;
                        set_running_thread(rq, body, t, now);
                } else if (want) {
                        body = pick_locked(rq, now);
                } else {
                        set_running_other(rq, NULL, now);
                }
        }
        if (away)
                runq_put_elsewhere(away);
        if (woken_away)
                runq_put_elsewhere(woken_away);
        if (urgent && LOAD(rq->urgent_rank) != RANK_NONE)
                runq_offer_urgent(rq, cpu);
        return body || !want || cpu_count() == 1 ? body : pick_elsewhere(rq, cpu);
}

/* Has the thread that runs used up the real-time threads' part of the period? */
static bool rt_is_over(struct runq *rq, u64 ran)
{
        u64 part = LOAD_RELAXED(reservations.limits.rt_runtime), now = rq->picked_at + ran;

        if (part >= LOAD_RELAXED(reservations.limits.rt_period))
                return false;
        /* Of a period that has begun meanwhile it can have had what has passed. */
        u64 since = now - rq->rt_since, period = LOAD_RELAXED(reservations.limits.rt_period);
        return since < period ? rq->rt_ran + ran > part : since % period > part || since >= 2 * period;
}

/* Timer: what waited for this moment in any queue. */
static void wake_up(struct timer *timer)
{
        u64 now = time_now();

        (void)timer;
        for (u32 cpu = 0; cpu < cpu_count(); cpu++) {
                struct runq *rq = &runqs[cpu];
                if (LOAD_RELAXED(rq->alarm) > now)
                        continue;
                {
                        SPIN_GUARD(&rq->lock);
                        STORE(rq->alarm, NEVER);
                        for (struct thread *t = rq->refills.root; t && t->se.deadline <= now; t = rq->refills.root) {
                                runq_take_out(rq, t);
                                deadline_refill(t, now);
                                runq_insert(rq, t, false);
                        }
                        if (rq->throttled)
                                rt_period(rq, now);
                        set_alarm(rq, now);
                }
                sched_resched(cpu);
        }
}

static bool tick_locked(struct runq *rq, struct task_body *body, u64 ran)
{
        if (!IS_A(thread, body))
                return rq->queued != 0;
        struct thread *t = DOWNCAST(thread, body);
        if (is_deadline(t))
                return (i64)ran >= t->se.dl.left || (rq->deadlines.root && before(rq->deadlines.root, t));
        u32 level = rq->throttled ? 0 : rt_highest(rq);
        if (is_rt(t)) {
                bool spent = t->se.policy == SCHED_RR && t->se.slice_used + ran >= LOAD_RELAXED(reservations.limits.rr_slice);
                return rq->deadlines.root || level > t->se.rt_priority || (spent && level == t->se.rt_priority) || rt_is_over(rq, ran);
        }
        if (rq->deadlines.root || level || rq->kernel_count)
                return true;
        if (!rq->fair.root)
                return false;
        /* Its slice is used up; or it runs only because nothing else did. */
        return t->se.policy == SCHED_IDLE || (i64)(t->se.vruntime + virtual(t, ran) - t->se.deadline) >= 0;
}

static bool tick(struct task_body *body, u32 cpu, u64 ran)
{
        struct runq *rq = &runqs[cpu % MAX_CPUS];

        if (IS_A(thread, body) && DOWNCAST(thread, body)->process->cpu_watch)
                task_notify(body->task);        /* also RLIMIT_RTTIME */
        load_sample();
        runq_balance(rq, cpu % MAX_CPUS, rq->picked_at + ran);
        SPIN_GUARD(&rq->lock);
        return tick_locked(rq, body, ran);
}

static const struct sched_ops ops = { .enqueue = enqueue, .pick = pick, .tick = tick };

void sched_yield(void)
{
        /* On another CPU by now: a yield too few or too many.  A deadline thread gives up its budget. */
        u32 cpu = cpu_id();
        if (LOAD(runqs[cpu].queued) || LOAD(runqs[cpu].rank) == RANK_DEADLINE)
                task_yield();
}

void sched_init(void)
{
        for (u32 cpu = 0; cpu < MAX_CPUS; cpu++)
                lock_init(&runqs[cpu].lock, runq);
        reservations_init(&reservations);
        for (u32 cpu = 0; cpu < cpu_count(); cpu++)
                runqs[cpu].alarm = failed(timer_init(&runqs[cpu].timer, wake_up)) ? 0 : NEVER;  /* 0: never set */
        load_init();
        sched_register(&ops);
}
