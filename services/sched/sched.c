/* SPDX-License-Identifier: Apache-2.0
 *
 * The scheduling policy.  See sched.h.
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
 * Placement A thread wakes where it last ran, or on an idle CPU.  A CPU that would become
 *           idle takes a waiting thread from the longest queue; a busy one, now and then at its ticks, from one longer than its own.  Urgent threads (deadline, real-time) go where what runs
 *           matters least; while some wait anywhere (reservations.urgent), every pick looks whether one of them should
 *           run here, and whether one of those here should run elsewhere.
 * Cost      With nothing else to run, a wake-up and a pick are a lock, a root pointer and a
 *           counter each.
 * Locking   reservations.lock, then runq.lock, one at a time, a leaf.  A thread's se is guarded by the lock of queue
 *           se.cpu; se.cpu changes under the old queue's lock, of a thread in no queue.  Whoever then puts it into the new one looks at
 *           its affinity again, under that one's lock.
 * Kernel threads have no se: the framework knows only their task_body.
 */
#include "services/sched/deadline.h"
#include "services/sched/weight.h"
#include "abi/const/process.h"

#define SLICE      (3 * NSEC_PER_MSEC)  /* real time of nice 0 between two deadlines */
#define WAKE_GRAIN NSEC_PER_MSEC        /* virtual time by which a waking thread must be behind to preempt */
#define KERNEL_RING 256u
#define RT_LEVELS  (RT_PRIORITY_DEADLINE + 1)
#define URGENCY_DEADLINE RT_LEVELS      /* se.urgency */
/* How much what runs or waits matters: of a thread, RANK_OTHER and its urgency. */
enum { RANK_NONE, RANK_OTHER, RANK_DEADLINE = RANK_OTHER + URGENCY_DEADLINE };

STABLE(rt_list) { struct thread *first, *last; };
STABLE(thread_heap) { struct thread *root; };

STABLE(runq) {
        struct spinlock lock;
        u32 queued;                             /* all that is queued; lock, LOAD by others */
        struct task_body *current;              /* not counted; lock, PTR_LOAD; NULL: idle */
        struct thread *running;                 /* the same, if it is a thread; lock */
        u64 picked_at;                          /* when current began; lock */
        u64 min_vruntime;                       /* never goes back; lock, LOAD_RELAXED */
        struct thread_heap fair;                /* lock */
        u32 rank, urgent_rank;                  /* of current; of the best urgent one that is queued; lock, LOAD by others */
        struct task_body *kernel[KERNEL_RING];  /* kernel threads; lock */
        u32 kernel_first, kernel_count;
        bool fair_next;                         /* a kernel thread has had its tick; lock */
        u64 rt_used[2];                         /* bit per priority with threads; lock */
        struct rt_list rt[RT_LEVELS];
        u64 switches;                           /* lock */
        struct thread_heap deadlines, refills;  /* by se.deadline; lock */
        struct timer timer;                     /* for what budgets and throttling need */
        u64 alarm;                              /* when it is set to; NEVER: not; lock, LOAD_RELAXED */
        u64 rt_since, rt_ran;                   /* the period under way, and what real-time threads had of it; lock */
        bool throttled;                         /* they have had their part; lock */
        u32 behind;                             /* balancings in a row that found a longer queue; this CPU's ticks only */
        u64 balance_at;                         /* when to look at the others again; the same */
} CACHE_ALIGNED;
LOCK_CLASS(runq, LEAF);                         /* who is woken, is woken under anything */
static struct runq runqs[MAX_CPUS];             /* per CPU */
static struct reservations reservations;        /* the machine's */

static u64 online(void) { return cpu_count() >= 64 ? ~0ul : (1ul << cpu_count()) - 1; }

/* ---- Heaps of threads: pairing heaps, least deadline first ---- */

static bool before(const struct thread *a, const struct thread *b) { return (i64)(a->se.deadline - b->se.deadline) < 0; }

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

/* The highest priority with a thread; 0: none (there is no priority 0 here). */
static u32 rt_highest(const struct runq *rq)
{
        if (rq->rt_used[1])
                return 64 + bit_highest(rq->rt_used[1]);
        return rq->rt_used[0] ? bit_highest(rq->rt_used[0]) : 0;
}

/* ---- Queues; runq.lock held ---- */

static bool is_fair(const struct thread *t)     { return t->se.urgency == 0; }
static bool is_deadline(const struct thread *t) { return t->se.urgency == URGENCY_DEADLINE; }
static bool is_rt(const struct thread *t)       { return !is_fair(t) && !is_deadline(t); }
static u32  rank_of(const struct thread *t)     { return RANK_OTHER + t->se.urgency; }

/* Sets the timer for the next thing that no tick sees in time. */
static void set_alarm(struct runq *rq)
{
        u64 next = rq->throttled ? rq->rt_since + LOAD_RELAXED(reservations.limits.rt_period) : NEVER;
        struct thread *t = rq->running;

        if (rq->refills.root)
                next = min_u64(next, rq->refills.root->se.deadline);
        if (t && is_deadline(t))
                next = min_u64(next, rq->picked_at + (u64)(t->se.dl.left > 0 ? t->se.dl.left : 0));
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
                set_alarm(rq);
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

static void insert(struct runq *rq, struct thread *t, bool front)
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

static void take_out(struct runq *rq, struct thread *t)
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

static struct task_body *kernel_pop(struct runq *rq)
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

static noinline u64 virtual_weighed(u64 ns, u32 weight)
{
        return weight ? ns * WEIGHT_0 / weight : ns;    /* 0: a thread that has ended and is gone already, in its last stop() */
}

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
static void place(struct runq *rq, struct thread *t, bool woken)
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
        rq->throttled = false;
}

static void charge_rt(struct runq *rq, struct thread *t, u64 ran)
{
        u64 part = LOAD_RELAXED(reservations.limits.rt_runtime), now = rq->picked_at + ran;

        t->se.slice_used += ran;
        STORE(t->se.rt_ran, t->se.rt_ran + ran);
        rt_period(rq, now);
        rq->rt_ran += min_u64(ran, now - rq->rt_since);
        if (rq->rt_ran <= part || t->se.boosted || part >= LOAD_RELAXED(reservations.limits.rt_period))
                return;
        rq->throttled = true;
        set_alarm(rq);
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

/* ---- Where to ---- */

static struct thread *thread_of(struct task_body *body) { return IS_A(thread, body) ? DOWNCAST(thread, body) : NULL; }

static bool is_idle(u32 cpu)
{
        return !PTR_LOAD(runqs[cpu].current) && LOAD(runqs[cpu].queued) == 0;
}

static bool allows(const struct thread *t, u32 cpu) { return (t->se.affinity >> cpu & 1) != 0; }

/* For an urgent thread: where what runs matters least, at best where it ran last. */
static u32 choose_urgent(struct thread *t, u32 last)
{
        u32 n = cpu_count(), best = last, least = U32_MAX;

        for (u32 i = 0; i < n; i++) {
                u32 cpu = last + i < n ? last + i : last + i - n;
                u32 rank = (u32)max_u64(LOAD(runqs[cpu].rank), LOAD(runqs[cpu].urgent_rank));
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

static noinline void settle_anew(struct thread *t, u32 was, u32 cpu)
{
        SPIN_GUARD(&runqs[was % MAX_CPUS].lock);
        STORE(t->se.cpu, cpu);
}

/* t, which is in no queue, belongs to that of `cpu` from now on. */
static void settle(struct thread *t, u32 cpu)
{
        u32 was = LOAD(t->se.cpu);

        if (was != cpu)
                settle_anew(t, was, cpu);
}

#define JOIN_TURNS 8                    /* with an affinity that changes all the time it runs somewhere first */

/* Finds t, which is in no queue, a CPU, and locks its queue. */
static struct runq *join(struct thread *t, u32 last, bool woken)
{
        for (u32 turns = 1;; turns++) {
                u32 cpu = choose_cpu(t, last, woken) % MAX_CPUS;
                settle(t, cpu);
                spin_lock(&runqs[cpu].lock);
                if (allows(t, cpu) || turns == JOIN_TURNS)
                        return &runqs[cpu];
                spin_unlock(&runqs[cpu].lock);
        }
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
        struct runq *rq = join(t, last, woken);
        u32 cpu = t->se.cpu;
        u64 its = current_vruntime(rq);
        if (is_fair(t))
                place(rq, t, woken);
        else
                arrive_urgent(t, woken);
        insert(rq, t, false);
        bool now = !(is_deadline(t) && t->se.dl.waits) && preempts(rq, t, its);
        spin_unlock(&rq->lock);
        return now ? cpu : NO_CPU;
}

static noinline void urgent_runs(struct runq *rq, struct thread *t)
{
        task_set_urgent(t->base.task, true);    /* a new one has its first wake-up yet to come */
        if (is_deadline(t))
                set_alarm(rq);
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
                struct task_body *body = kernel_pop(rq);
                set_running_other(rq, body, now);
                return body;
        }
        if (!level)
                rq->fair_next = false;
        if (!t) {
                set_running_other(rq, NULL, now);
                return NULL;
        }
        take_out(rq, t);
        set_running_thread(rq, &t->base, t, now);
        return &t->base;
}

/* The next thread of another queue that may run here. */
static struct thread *steal_locked(struct runq *from, u32 cpu)
{
        if (from->deadlines.root)
                return from->deadlines.root;    /* these may run everywhere */
        for (u32 level = rt_highest(from); level; level--)
                for (struct thread *t = from->rt[level].first; t; t = t->se.next)
                        if (allows(t, cpu))
                                return t;
        /* The root, or one right below it: looking further is not worth the while. */
        struct thread *t = from->fair.root;
        if (t && allows(t, cpu))
                return t;
        for (t = t ? t->se.child : NULL; t; t = t->se.sibling)
                if (allows(t, cpu))
                        return t;
        return NULL;
}

/* t leaves its queue for that of another CPU. */
static void move_locked(struct runq *from, struct thread *t, u32 cpu)
{
        take_out(from, t);
        if (is_fair(t)) {               /* its lead or lag goes along */
                u64 shift = LOAD_RELAXED(runqs[cpu].min_vruntime) - from->min_vruntime;
                t->se.vruntime += shift;
                t->se.deadline += shift;
        }
        STORE(t->se.cpu, cpu);
}

/* Idle: takes what waits longest elsewhere.  Only the other queue's lock is taken. */
static struct task_body *pull(u32 cpu)
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
                return from->kernel_count ? kernel_pop(from) : NULL;
        move_locked(from, t, cpu);
        return &t->base;
}

/* A thread that may not stay here goes to another queue. */
static void put_elsewhere(struct thread *t)
{
        struct runq *rq = join(t, LOAD(t->se.cpu), false);
        u32 cpu = t->se.cpu;

        if (is_fair(t))
                place(rq, t, true);
        insert(rq, t, false);
        spin_unlock(&rq->lock);
        sched_resched(cpu);
}

/* t, which move_locked has sent here, is queued, if it still may run here. */
static void come(struct runq *rq, struct thread *t, u32 cpu, bool front)
{
        {
                SPIN_GUARD(&rq->lock);
                if (allows(t, cpu)) {
                        insert(rq, t, front);
                        return;
                }
        }
        put_elsewhere(t);
}

#define BALANCE_EVERY (8 * NSEC_PER_MSEC)
#define ROTATE_EVERY  8                 /* balancings: between queues that differ by one, which cannot be even at any moment */

/* At a tick: a longer queue gives one of its threads to this one. */
static void balance(struct runq *rq, u32 cpu, u64 now)
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
static noinline void fetch_urgent(struct runq *rq, u32 cpu, u32 mine)
{
        u32 n = cpu_count(), from = cpu, best = (u32)max_u64(mine, LOAD(rq->urgent_rank));
        struct thread *t = NULL;

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
static noinline void offer_urgent(struct runq *rq, u32 here)
{
        u32 n = cpu_count(), rank, to = here;
        u64 where;
        {
                SPIN_GUARD(&rq->lock);
                rank = rq->urgent_rank;
                u32 level = rt_highest(rq);
                where = rank == RANK_DEADLINE ? ~0ul : level ? rq->rt[level].first->se.affinity : 0;
        }
        for (u32 i = 0; i < n; i++)
                if (i != here && (where >> i & 1) && LOAD(runqs[i].rank) < rank) {
                        rank = LOAD(runqs[i].rank);
                        to = i;
                }
        if (to != here)
                sched_resched(to);
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
        insert(rq, t, !yielded && !spent);
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
        struct task_body *body = pull(cpu);
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
        put_elsewhere(t);               /* its affinity has changed on the way */
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
                place(rq, t, true);
        else
                arrive_urgent(t, true);
        if (alone && is_fair(t))
                return t;
        insert(rq, t, false);
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
                settle(comes, cpu);
        if (urgent && want)
                fetch_urgent(rq, cpu, prev && was != PREV_STOPPED ? LOAD(rq->rank) : RANK_NONE);
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
                put_elsewhere(away);
        if (woken_away)
                put_elsewhere(woken_away);
        if (urgent && LOAD(rq->urgent_rank) != RANK_NONE)
                offer_urgent(rq, cpu);
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
                                take_out(rq, t);
                                deadline_refill(t, now);
                                insert(rq, t, false);
                        }
                        if (rq->throttled)
                                rt_period(rq, now);
                        set_alarm(rq);
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

static void sample_load(void);

static bool tick(struct task_body *body, u32 cpu, u64 ran)
{
        struct runq *rq = &runqs[cpu % MAX_CPUS];

        if (IS_A(thread, body) && DOWNCAST(thread, body)->process->cpu_watch)
                task_notify(body->task);        /* also RLIMIT_RTTIME */
        if (cpu == 0)
                sample_load();
        balance(rq, cpu % MAX_CPUS, rq->picked_at + ran);
        SPIN_GUARD(&rq->lock);
        return tick_locked(rq, body, ran);
}

static const struct sched_ops ops = { .enqueue = enqueue, .pick = pick, .tick = tick };

/* ---- What a thread asks for ---- */

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
                take_out(rq, t);
        t->se.policy = policy;
        t->se.rt_priority = priority;
        set_weight(t);
        if (!was_fair && is_fair(t)) {
                task_set_urgent(t->base.task, false);
                place(rq, t, false);
        }
        t->se.slice_used = 0;
        STORE(t->se.rt_ran, 0);
        t->se.dl.waits = false;
        if (rq->running == t)
                STORE(rq->rank, rank_of(t));
        if (queued)
                insert(rq, t, lowered);         /* as POSIX has it: lowered, it is the first of its new priority */
}

void sched_boost(struct thread *t, u32 priority)
{
        if (!priority && !LOAD(t->se.lent))
                return;
        struct runq *rq = lock_of(t);
        u32 now = sched_rt_priority(t), cpu = t->se.cpu;
        bool changed = false;

        STORE(t->se.lent, priority ? (u32)max_u64(t->se.lent, priority) : 0u);
        if (priority > now) {
                if (!t->se.boosted) {
                        t->se.own_policy = t->se.policy;
                        t->se.own_priority = t->se.rt_priority;
                        STORE(t->se.boosted, true);
                }
                set_class_locked(rq, t, SCHED_FIFO, priority);
                changed = true;
        } else if (!priority && t->se.boosted) {
                STORE(t->se.boosted, false);
                set_class_locked(rq, t, t->se.own_policy, t->se.own_priority);
                changed = true;
        }
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
        if (p->policy == SCHED_DEADLINE) {
                STORE(t->se.boosted, false);    /* it is above whoever could lend it something */
                if (queued)
                        take_out(rq, t);
                begin_deadline_locked(rq, t, p);
                t->se.queued = false;
                set_class_locked(rq, t, p->policy, 0);
                if (queued)
                        insert(rq, t, false);
        } else if (t->se.boosted) {
                t->se.own_policy = p->policy;
                t->se.own_priority = p->rt_priority;
                if (p->rt_priority > t->se.lent)
                        set_class_locked(rq, t, p->policy, p->rt_priority);
                else if (t->se.rt_priority != t->se.lent)
                        set_class_locked(rq, t, SCHED_FIFO, t->se.lent);
        } else if (t->se.lent > p->rt_priority) {       /* its own was above that, until now */
                t->se.own_policy = p->policy;
                t->se.own_priority = p->rt_priority;
                STORE(t->se.boosted, true);
                set_class_locked(rq, t, SCHED_FIFO, t->se.lent);
        } else if (p->policy != t->se.policy || p->rt_priority != t->se.rt_priority || is_fair(t)) {
                set_class_locked(rq, t, p->policy, p->rt_priority);
        }
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
                runqs[cpu].throttled = false;
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
        struct sched_params p = sched_get(t);
        p.nice = nice < NICE_MIN ? NICE_MIN : nice > NICE_MAX ? NICE_MAX : nice;
        if (p.policy == SCHED_NORMAL || p.policy == SCHED_BATCH) {
                ignore(sched_set(t, p));
                return;
        }
        struct runq *rq = lock_of(t);
        t->se.nice = p.nice;            /* for when it is fair again */
        spin_unlock(&rq->lock);
}

err_t sched_set_affinity(struct thread *t, u64 mask)
{
        bool moved = false;

        mask &= online();
        if (!mask)
                return ERR(EINVAL);
        SPIN_GUARD(&reservations.lock);         /* it may be about to become a deadline thread, which runs everywhere */
        struct runq *rq = lock_of(t);
        u32 cpu = t->se.cpu;
        if (t->se.policy == SCHED_DEADLINE && mask != online()) {
                spin_unlock(&rq->lock);
                return ERR(EBUSY);
        }
        t->se.affinity = mask;
        if (!allows(t, cpu) && t->se.queued) {
                take_out(rq, t);
                moved = true;
        }
        spin_unlock(&rq->lock);
        if (moved)
                put_elsewhere(t);
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

/* ---- Statistics ---- */

u32 sched_runnable(void)
{
        u32 n = 0;
        for (u32 i = 0; i < cpu_count(); i++)
                n += LOAD(runqs[i].queued) + (PTR_LOAD(runqs[i].current) ? 1 : 0);
        return n;
}

u64 sched_switches(void)
{
        u64 n = 0;
        for (u32 i = 0; i < cpu_count(); i++)
                n += LOAD_RELAXED(runqs[i].switches);
        return n;
}

#define LOAD_PERIOD (5 * NSEC_PER_SEC)
/* How much of an average remains after a period, times 65536: e to the -5/60, -5/300, -5/900. */
STABLE(load_average) { struct spinlock lock; u64 next; u64 of[3]; } CACHE_ALIGNED;
LOCK_CLASS(load_average, LEAF);
static struct load_average average;

void sched_yield(void)
{
        /* On another CPU by now: a yield too few or too many.  A deadline thread gives up its budget. */
        u32 cpu = cpu_id();
        if (LOAD(runqs[cpu].queued) || LOAD(runqs[cpu].rank) == RANK_DEADLINE)
                task_yield();
}

/* Every five seconds; what was slept through counts as the present. */
static void sample_load(void)
{
        u64 now = time_coarse();

        if (now < LOAD_RELAXED(average.next))
                return;
        u64 active = (u64)sched_runnable() << 16;
        SPIN_GUARD(&average.lock);
        for (u32 turns = 0; turns < 1000 && now >= average.next; turns++) {
                average.of[0] = (average.of[0] * 60296 + active * 5240) >> 16;
                average.of[1] = (average.of[1] * 64453 + active * 1083) >> 16;
                average.of[2] = (average.of[2] * 65173 + active * 363) >> 16;
                STORE(average.next, average.next + LOAD_PERIOD);
        }
        if (now >= average.next)
                STORE(average.next, now + LOAD_PERIOD);
}

struct sched_load sched_load(void)
{
        struct sched_load l = {};
        sample_load();
        SPIN_GUARD(&average.lock);
        for (u32 i = 0; i < 3; i++)
                l.of[i] = average.of[i];
        return l;
}

void sched_init(void)
{
        for (u32 cpu = 0; cpu < MAX_CPUS; cpu++)
                lock_init(&runqs[cpu].lock, runq);
        reservations_init(&reservations);
        for (u32 cpu = 0; cpu < cpu_count(); cpu++)
                runqs[cpu].alarm = failed(timer_init(&runqs[cpu].timer, wake_up)) ? 0 : NEVER;  /* 0: never set */
        lock_init(&average.lock, load_average);
        sched_register(&ops);
}
