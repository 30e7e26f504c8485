/* SPDX-License-Identifier: Apache-2.0
 *
 * The scheduling policy.  See sched.h.
 *
 * Objects   A run queue per CPU, each under its own spin lock: a list per real-time
 *           priority, a ring of kernel threads, and a heap of fair threads by virtual
 *           deadline.  A thread is in the queue of se.cpu, or in none.  The running thread is
 *           in none; `current` names it.
 * Fairness  A thread's virtual time runs at 1024/weight of the time it runs.  Each is given
 *           a virtual deadline one slice ahead of its virtual time; the earliest deadline
 *           runs.  Whoever used up its slice gets the next deadline, so all advance
 *           together, the heavier in smaller steps; the lag is at most a slice.  A thread
 *           that slept begins no earlier than a slice before the queue's time: it may
 *           preempt, but saves no credit.
 * Placement A thread wakes where it last ran, or on an idle CPU.  A CPU that would become
 *           idle takes a waiting thread from the longest queue.
 * Cost      With nothing else to run, a wake-up and a pick are a lock, a root pointer and a
 *           counter each.
 * Locking   runq.lock, one at a time, a leaf.  A thread's se is guarded by the lock of queue
 *           se.cpu; se.cpu changes under the old queue's lock.
 * Kernel threads have no se: the framework knows only their task_body.
 */
#include "services/sched/sched.h"
#include "services/sched/weight.h"
#include "abi/const/process.h"

#define SLICE      (3 * NSEC_PER_MSEC)  /* real time of nice 0 between two deadlines */
#define WAKE_GRAIN NSEC_PER_MSEC        /* virtual time by which a waking thread must be behind to preempt */
#define KERNEL_RING 256u
#define RT_LEVELS  (RT_PRIORITY_MAX + 1)

STABLE(rt_list) { struct thread *first, *last; };

STABLE(runq) {
        struct spinlock lock;
        u32 fair_count, rt_count;               /* queued; lock */
        u32 queued;                             /* all that is queued; lock, LOAD by others */
        struct task_body *current;              /* not counted; lock, PTR_LOAD; NULL: idle */
        struct thread *running;                 /* the same, if it is a thread; lock */
        u64 picked_at;                          /* when current began; lock */
        u64 min_vruntime;                       /* never goes back; lock, LOAD_RELAXED */
        struct thread *heap;                    /* fair threads; lock */
        struct task_body *kernel[KERNEL_RING];  /* kernel threads; lock */
        u32 kernel_first, kernel_count;
        bool fair_next;                         /* a kernel thread has had its tick; lock */
        u64 rt_used[2];                         /* bit per priority with threads; lock */
        struct rt_list rt[RT_LEVELS];
        u64 switches;                           /* lock */
} CACHE_ALIGNED;
LOCK_CLASS(runq, LEAF);                         /* who is woken, is woken under anything */
static struct runq runqs[MAX_CPUS];             /* per CPU */

static u64 online(void) { return cpu_count() >= 64 ? ~0ul : (1ul << cpu_count()) - 1; }

/* ---- The heap of fair threads: a pairing heap, least deadline first ---- */

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

static void heap_insert(struct runq *rq, struct thread *t)
{
        t->se.child = NULL;
        t->se.sibling = NULL;
        t->se.up = NULL;
        rq->heap = rq->heap ? heap_meld(rq->heap, t) : t;
}

static void heap_remove(struct runq *rq, struct thread *t)
{
        struct thread *rest = t->se.child ? heap_meld_list(t->se.child) : NULL;

        if (rq->heap == t) {
                rq->heap = rest;
        } else {
                struct thread *up = t->se.up;
                if (up->se.child == t)
                        up->se.child = t->se.sibling;
                else
                        up->se.sibling = t->se.sibling;
                if (t->se.sibling)
                        t->se.sibling->se.up = up;
                if (rest)
                        rq->heap = heap_meld(rq->heap, rest);
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
        rq->rt_count++;
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
        rq->rt_count--;
}

/* The highest priority with a thread; 0: none (there is no priority 0 here). */
static u32 rt_highest(const struct runq *rq)
{
        if (rq->rt_used[1])
                return 64 + bit_highest(rq->rt_used[1]);
        return rq->rt_used[0] ? bit_highest(rq->rt_used[0]) : 0;
}

/* ---- Queues; runq.lock held ---- */

static bool is_rt(const struct thread *t) { return sched_is_realtime(t->se.policy); }

static void insert(struct runq *rq, struct thread *t, bool front)
{
        if (is_rt(t)) {
                rt_insert(rq, t, front);
        } else {
                heap_insert(rq, t);
                rq->fair_count++;
        }
        t->se.queued = true;
        STORE(rq->queued, rq->queued + 1);
}

static void take_out(struct runq *rq, struct thread *t)
{
        if (is_rt(t)) {
                rt_remove(rq, t);
        } else {
                heap_remove(rq, t);
                rq->fair_count--;
        }
        t->se.queued = false;
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

static u64 virtual(const struct thread *t, u64 ns)
{
        u32 weight = t->se.weight;
        /* 0: a thread that has ended and is gone already, in its last stop(). */
        return weight == WEIGHT_0 || !weight ? ns : ns * WEIGHT_0 / weight;
}

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

        if (!t || is_rt(t))
                return rq->min_vruntime;
        u64 v = t->se.vruntime + virtual(t, time_now() - rq->picked_at);
        u64 behind = rq->heap && (i64)(rq->heap->se.vruntime - v) < 0 ? rq->heap->se.vruntime : v;
        advance_min(rq, behind);
        return v;
}

/* A thread that comes into a queue: near the queue's time, whatever it did elsewhere or before. */
static void place(struct runq *rq, struct thread *t, bool woken)
{
        u64 least = rq->min_vruntime - (woken ? virtual(t, SLICE) : 0);
        u64 most = rq->min_vruntime + virtual(t, SLICE);

        if (!t->se.placed || !woken)
                t->se.vruntime = rq->min_vruntime;
        else if ((i64)(t->se.vruntime - least) < 0)
                t->se.vruntime = least;
        else if ((i64)(t->se.vruntime - most) > 0)
                t->se.vruntime = most;
        t->se.placed = true;
        new_deadline(t);
}

/* t ran for `ran` ns. */
static void charge(struct runq *rq, struct thread *t, u64 ran)
{
        if (is_rt(t)) {
                t->se.slice_used += ran;
                return;
        }
        t->se.vruntime += virtual(t, ran);
        /* The queue's time is that of whoever is furthest behind, as far as that is cheap to know. */
        u64 behind = t->se.vruntime;
        if (rq->heap && (i64)(rq->heap->se.vruntime - behind) < 0)
                behind = rq->heap->se.vruntime;
        advance_min(rq, behind);
}

/* ---- Where to ---- */

static bool is_idle(u32 cpu)
{
        return !PTR_LOAD(runqs[cpu].current) && LOAD(runqs[cpu].queued) == 0;
}

static bool allows(const struct thread *t, u32 cpu) { return (t->se.affinity >> cpu & 1) != 0; }

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

/* Should t, which has just been queued, run instead of the current one, whose virtual time is `its`? */
static bool preempts(struct runq *rq, struct thread *t, u64 its)
{
        if (!rq->current)
                return true;
        struct thread *now = rq->running;
        if (!now)
                return is_rt(t);
        if (is_rt(t) || is_rt(now))
                return is_rt(t) && (!is_rt(now) || t->se.rt_priority > now->se.rt_priority);
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
        u32 cpu = choose_cpu(t, last, woken);
        struct runq *rq = &runqs[cpu];

        SPIN_GUARD(&rq->lock);
        STORE(t->se.cpu, cpu);
        u64 its = current_vruntime(rq);
        if (!is_rt(t))
                place(rq, t, woken);
        insert(rq, t, false);
        return preempts(rq, t, its) ? cpu : NO_CPU;
}

/* NULL: idle; t: if it is a thread. */
static void set_running(struct runq *rq, struct task_body *body, struct thread *t, u64 now)
{
        PTR_STORE(rq->current, body);
        rq->running = t;
        rq->picked_at = now;
        rq->switches += body != NULL;
}

/* Takes the next out; it runs now.  Kernel threads and threads by turns, if both want to. */
static struct task_body *pick_locked(struct runq *rq, u64 now)
{
        u32 level = rt_highest(rq);
        struct thread *t = level ? rq->rt[level].first : rq->heap;
        struct task_body *body = NULL;

        if (!level && rq->kernel_count && !(rq->fair_next && t)) {
                t = NULL;
                body = kernel_pop(rq);
        } else {
                if (!level)
                        rq->fair_next = false;
                if (t) {
                        take_out(rq, t);
                        body = &t->base;
                }
        }
        set_running(rq, body, t, now);
        return body;
}

/* The next thread of another queue that may run here. */
static struct thread *steal_locked(struct runq *from, u32 cpu)
{
        for (u32 level = rt_highest(from); level; level--)
                for (struct thread *t = from->rt[level].first; t; t = t->se.next)
                        if (allows(t, cpu))
                                return t;
        /* The root, or one right below it: looking further is not worth the while. */
        struct thread *t = from->heap;
        if (t && allows(t, cpu))
                return t;
        for (t = t ? t->se.child : NULL; t; t = t->se.sibling)
                if (allows(t, cpu))
                        return t;
        return NULL;
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
        u64 here = LOAD_RELAXED(runqs[cpu].min_vruntime);
        SPIN_GUARD(&from->lock);
        struct thread *t = steal_locked(from, cpu);
        if (!t)
                return from->kernel_count ? kernel_pop(from) : NULL;
        take_out(from, t);
        /* Its lead or lag goes along. */
        t->se.vruntime = t->se.vruntime - from->min_vruntime + here;
        t->se.deadline = t->se.deadline - from->min_vruntime + here;
        STORE(t->se.cpu, cpu);
        return &t->base;
}

/* A thread that may not stay here goes to another queue. */
static void put_elsewhere(struct thread *t)
{
        u32 cpu = choose_cpu(t, t->se.cpu, false);
        struct runq *rq = &runqs[cpu];
        {
                SPIN_GUARD(&rq->lock);
                STORE(t->se.cpu, cpu);
                if (!is_rt(t))
                        place(rq, t, true);
                insert(rq, t, false);
        }
        sched_resched(cpu);
}

/* The thread that ran goes back into the queue; not NULL: it may not stay here. */
static struct thread *put_locked(struct runq *rq, struct task_body *body, u32 cpu, u64 ran, bool yielded)
{
        struct thread *t = rq->running;

        if (!t) {
                rq->fair_next = true;
                (void)kernel_push(rq, body);
                return NULL;
        }
        charge(rq, t, ran);
        if (!allows(t, cpu))
                return t;
        bool spent = t->se.policy == SCHED_RR && t->se.slice_used >= RR_SLICE;
        if (spent)
                t->se.slice_used = 0;
        if (!is_rt(t)) {
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
        if (rq->running)
                charge(rq, rq->running, ran);
        return NULL;
}

/* This CPU has nothing of its own. */
static struct task_body *pick_elsewhere(struct runq *rq, u32 cpu)
{
        struct task_body *body = pull(cpu);
        u64 now = time_now();

        SPIN_GUARD(&rq->lock);
        if (!body)
                return pick_locked(rq, now);    /* something may have come meanwhile */
        set_running(rq, body, IS_A(thread, body) ? DOWNCAST(thread, body) : NULL, now);
        return body;
}

/* Who was woken here; without insert_it, it is to run at once.  False: it may not stay here. */
static bool woken_locked(struct runq *rq, struct task_body *body, u32 cpu, bool insert_it)
{
        if (!IS_A(thread, body))
                return kernel_push(rq, body);
        struct thread *t = DOWNCAST(thread, body);
        if (!allows(t, cpu))
                return false;
        STORE(t->se.cpu, cpu);
        if (!is_rt(t))
                place(rq, t, true);
        if (insert_it)
                insert(rq, t, false);
        return true;
}

static struct task_body *pick(u32 which, struct task_body *prev, enum prev_was was, u64 ran, struct task_body *woken, bool want)
{
        u32 cpu = which % MAX_CPUS;
        struct runq *rq = &runqs[cpu];
        struct thread *away = NULL, *woken_away = NULL;
        struct task_body *body = NULL;
        {
                SPIN_GUARD(&rq->lock);
                u64 now = prev ? rq->picked_at + ran : time_now();
                if (prev)
                        away = left_locked(rq, prev, cpu, was, ran);
                bool at_once = woken && want && rq->queued == 0 && IS_A(thread, woken);
                if (woken && !woken_locked(rq, woken, cpu, !at_once)) {
                        at_once = false;
                        woken_away = IS_A(thread, woken) ? DOWNCAST(thread, woken) : NULL;
                }
                if (at_once) {
                        body = woken;
                        set_running(rq, body, DOWNCAST(thread, body), now);
                } else if (want) {
                        body = pick_locked(rq, now);
                } else {
                        set_running(rq, NULL, NULL, now);
                }
        }
        if (away)
                put_elsewhere(away);
        if (woken_away)
                put_elsewhere(woken_away);
        return body || !want || cpu_count() == 1 ? body : pick_elsewhere(rq, cpu);
}

static bool tick_locked(struct runq *rq, struct task_body *body, u64 ran)
{
        if (!IS_A(thread, body))
                return rq->queued != 0;
        struct thread *t = DOWNCAST(thread, body);
        u32 level = rt_highest(rq);
        if (is_rt(t)) {
                bool spent = t->se.policy == SCHED_RR && t->se.slice_used + ran >= RR_SLICE;
                return level > t->se.rt_priority || (spent && level == t->se.rt_priority);
        }
        if (level || rq->kernel_count)
                return true;
        if (!rq->heap)
                return false;
        /* Its slice is used up; or it runs only because nothing else did. */
        return t->se.policy == SCHED_IDLE || (i64)(t->se.vruntime + virtual(t, ran) - t->se.deadline) >= 0;
}

static void sample_load(void);

static bool tick(struct task_body *body, u32 cpu, u64 ran)
{
        struct runq *rq = &runqs[cpu % MAX_CPUS];

        if (IS_A(thread, body) && DOWNCAST(thread, body)->process->cpu_watch)
                task_notify(body->task);
        if (cpu == 0)
                sample_load();
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

static void set_weight(struct thread *t)
{
        t->se.weight = t->se.policy == SCHED_IDLE ? WEIGHT_IDLE : weight_of_nice(t->se.nice);
}

struct sched_params sched_get(struct thread *t)
{
        struct runq *rq = lock_of(t);
        bool b = t->se.boosted;
        struct sched_params p = { .policy = b ? t->se.own_policy : t->se.policy, .nice = t->se.nice,
                                  .rt_priority = b ? t->se.own_priority : t->se.rt_priority,
                                  .reset_on_fork = t->se.reset_on_fork };
        spin_unlock(&rq->lock);
        return p;
}

static err_t check(struct sched_params p)
{
        switch (p.policy) {
        case SCHED_FIFO:
        case SCHED_RR:
                return p.rt_priority >= 1 && p.rt_priority <= RT_PRIORITY_MAX ? OK : ERR(EINVAL);
        case SCHED_NORMAL:
        case SCHED_BATCH:
        case SCHED_IDLE:
                return p.rt_priority == 0 && p.nice >= NICE_MIN && p.nice <= NICE_MAX ? OK : ERR(EINVAL);
        default:
                return ERR(EINVAL);
        }
}

static void set_class_locked(struct runq *rq, struct thread *t, u32 policy, u32 priority)
{
        bool queued = t->se.queued, was_rt = is_rt(t);

        if (queued)
                take_out(rq, t);
        t->se.policy = policy;
        t->se.rt_priority = priority;
        set_weight(t);
        if (was_rt && !is_rt(t))
                place(rq, t, false);
        t->se.slice_used = 0;
        if (queued)
                insert(rq, t, false);
}

void sched_boost(struct thread *t, u32 priority)
{
        if (!priority && !LOAD(t->se.boosted))
                return;
        struct runq *rq = lock_of(t);
        u32 now = is_rt(t) ? t->se.rt_priority : 0, cpu = t->se.cpu;
        bool changed = false;

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

u32 sched_rt_priority(struct thread *t) { return sched_is_realtime(LOAD(t->se.policy)) ? LOAD(t->se.rt_priority) : 0; }

err_t sched_set(struct thread *t, struct sched_params p)
{
        TRY(check(p));
        struct runq *rq = lock_of(t);
        t->se.reset_on_fork = p.reset_on_fork;
        if (!sched_is_realtime(p.policy))
                t->se.nice = p.nice;
        if (t->se.boosted) {
                t->se.own_policy = p.policy;
                t->se.own_priority = p.rt_priority;
        } else {
                set_class_locked(rq, t, p.policy, p.rt_priority);
        }
        u32 cpu = t->se.cpu;
        spin_unlock(&rq->lock);
        sched_resched(cpu);
        return OK;
}

void sched_set_nice(struct thread *t, i32 nice)
{
        struct sched_params p = sched_get(t);
        p.nice = nice < NICE_MIN ? NICE_MIN : nice > NICE_MAX ? NICE_MAX : nice;
        if (!sched_is_realtime(p.policy)) {
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
        struct runq *rq = lock_of(t);
        u32 cpu = t->se.cpu;
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
        return policy == SCHED_FIFO ? 0 : policy == SCHED_RR ? RR_SLICE : SLICE;
}

void sched_fork(struct thread *child, struct thread *parent)
{
        child->se.policy = SCHED_NORMAL;
        child->se.affinity = ~0ul;
        if (parent) {
                child->se.nice = parent->se.nice;
                child->se.affinity = parent->se.affinity;
                child->se.cpu = parent->se.cpu;
                child->se.vruntime = parent->se.vruntime;
                if (!parent->se.reset_on_fork) {
                        child->se.policy = parent->se.boosted ? parent->se.own_policy : parent->se.policy;
                        child->se.rt_priority = parent->se.boosted ? parent->se.own_priority : parent->se.rt_priority;
                } else if (child->se.nice < 0) {
                        child->se.nice = 0;
                }
        }
        set_weight(child);
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
        /* On another CPU by now: a yield too few or too many. */
        if (LOAD(runqs[cpu_id()].queued))
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
        lock_init(&average.lock, load_average);
        sched_register(&ops);
}
