/* SPDX-License-Identifier: Apache-2.0
 *
 * Timers: a pairing heap per CPU, the one-shot hardware timer set to the earliest
 * deadline or the scheduler's tick.
 *
 * Entry points  tnode_* (the framework's), timer_* (services), k_on_timer, timer_bh
 *
 * Invariants  D1  a node is in heap n->cpu exactly while its state is T_ARMED; both change only with
 *                 that heap locked.  n->cpu changes only while it is not armed.
 *             D2  heap->running is the node whose function runs now on that CPU; while it runs the node
 *                 stays with that heap, so tnode_cancel_wait looks at one place.
 *             D3  a service's timer function is called only if the object's handle still names the entry.
 *             D4  the hardware is set no later than the earliest deadline of its CPU, or the bottom half is due.
 */
#include "timer.h"
#include "bh.h"
#include "mem.h"

enum { T_IDLE, T_ARMED };
#define FIRES_PER_RUN 64                /* then the bottom half lets others go first */

struct heap {
        struct klock lock;
        u32 spare;
        struct tnode *root;
        struct tnode *running;          /* atomic */
        u64 earliest;                   /* atomic copy of the root's deadline */
} CACHE_ALIGNED;

struct ktimer {
        struct tentry entry;
        struct tnode node;
        struct timer *owner;
        void (*fn)(struct timer *t);    /* NULL: switched off after an oops */
};

static struct heap heaps[MAX_CPUS];
static u64 coarse;
TABLE(timers, struct ktimer);

/* ---- the heap ---- */

static struct tnode *meld(struct tnode *a, struct tnode *b)
{
        if (!a || !b)
                return a ? a : b;
        if (b->deadline < a->deadline) {
                struct tnode *c = a;
                a = b;
                b = c;
        }
        b->next = a->child;
        if (b->next)
                b->next->prev = b;
        b->prev = a;                    /* the first child's prev is its parent */
        a->child = b;
        a->next = a->prev = NULL;
        return a;
}

static struct tnode *meld_all(struct tnode *first)
{
        struct tnode *pairs = NULL, *root = NULL;

        while (first) {
                struct tnode *a = first, *b = a->next;
                first = b ? b->next : NULL;
                a->next = a->prev = NULL;
                if (b)
                        b->next = b->prev = NULL;
                a = meld(a, b);
                a->next = pairs;
                pairs = a;
        }
        while (pairs) {
                struct tnode *next = pairs->next;
                pairs->next = NULL;
                root = meld(root, pairs);
                pairs = next;
        }
        return root;
}

static void note_earliest(struct heap *h)
{
        __atomic_store_n(&h->earliest, h->root ? h->root->deadline : NEVER, __ATOMIC_RELEASE);
}

static void insert(struct heap *h, struct tnode *n, u64 deadline)
{
        n->deadline = deadline;
        n->state = T_ARMED;
        n->child = n->next = n->prev = NULL;
        h->root = meld(h->root, n);
        note_earliest(h);
}

static void take_out(struct heap *h, struct tnode *n)
{
        struct tnode *rest = meld_all(n->child);

        if (n == h->root)
                h->root = rest;
        else {
                *(n->prev->child == n ? &n->prev->child : &n->prev->next) = n->next;
                if (n->next)
                        n->next->prev = n->prev;
                h->root = meld(h->root, rest);
        }
        n->state = T_IDLE;
        n->child = n->next = n->prev = NULL;
        note_earliest(h);
}

/* The heap that n belongs to, locked. */
static struct heap *lock_heap_of(struct tnode *n)
{
        for (;;) {
                u32 cpu = __atomic_load_n(&n->cpu, __ATOMIC_ACQUIRE);
                klock_lock(&heaps[cpu].lock);
                if (n->cpu == cpu)
                        return &heaps[cpu];
                klock_unlock(&heaps[cpu].lock);
        }
}

/* Irqs off. */
static void program(struct percpu *pc)
{
        u64 d = min_u64(pc->tick_deadline, __atomic_load_n(&heaps[pc->cpu].earliest, __ATOMIC_ACQUIRE));

        if (d < pc->timer_deadline) {
                pc->timer_deadline = d;
                arch_timer_set(d);
        }
}

/* Moves n, not armed and not running elsewhere, to this CPU's heap; n's heap is locked, `mine` is on return. */
static bool adopt(struct tnode *n, struct heap *h, u32 cpu)
{
        if (h == &heaps[cpu])
                return true;
        __atomic_store_n(&n->cpu, cpu, __ATOMIC_RELEASE);
        klock_unlock(&h->lock);
        klock_lock(&heaps[cpu].lock);
        if (n->cpu == cpu && n->state == T_IDLE)
                return true;
        klock_unlock(&heaps[cpu].lock);
        return false;                   /* somebody else armed it meanwhile */
}

void tnode_arm(struct tnode *n, u64 deadline)
{
        preempt_add(PREEMPT_ONE);
        struct percpu *pc = this_cpu();
        struct heap *h;
        for (;;) {
                h = lock_heap_of(n);
                if (n->state == T_ARMED)
                        take_out(h, n);
                if (deadline == NEVER || h->running == n || adopt(n, h, pc->cpu))
                        break;
        }
        if (deadline != NEVER) {
                h = &heaps[n->cpu];
                insert(h, n, deadline);
        }
        bool here = h == &heaps[pc->cpu] && h->root == n && !h->running;        /* timer_bh does it at its end */
        klock_unlock(&h->lock);
        if (here) {
                u64 f = arch_irq_save();
                program(pc);
                arch_irq_restore(f);
        }
        preempt_sub_check(PREEMPT_ONE);
}

void tnode_cancel(struct tnode *n)
{
        struct heap *h = lock_heap_of(n);

        if (n->state == T_ARMED)
                take_out(h, n);
        klock_unlock(&h->lock);
}

/* If its function runs on this CPU, the caller is that function: nothing to wait for. */
void tnode_cancel_wait(struct tnode *n)
{
        for (;;) {
                preempt_add(PREEMPT_ONE);
                tnode_cancel(n);
                struct heap *h = &heaps[__atomic_load_n(&n->cpu, __ATOMIC_ACQUIRE)];
                bool runs = __atomic_load_n(&h->running, __ATOMIC_ACQUIRE) == n && h != &heaps[this_cpu()->cpu];
                preempt_sub_check(PREEMPT_ONE);
                if (!runs)
                        return;
                __builtin_ia32_pause();
        }
}

/* ---- running ---- */

void k_on_timer(void)
{
        struct percpu *pc = this_cpu();

        COUNT(CPU_TIMER_IRQS);
        pc->timer_deadline = NEVER;
        bh_raise(pc, BH_TIMER);
}

static void note_time(u64 now)
{
        u64 old = __atomic_load_n(&coarse, __ATOMIC_RELAXED);

        if (old < now)
                __atomic_compare_exchange_n(&coarse, &old, now, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

/* False: nothing (more) is due. */
static bool fire_one(struct heap *h, u64 now)
{
        klock_lock(&h->lock);
        struct tnode *n = h->root && h->root->deadline <= now ? h->root : NULL;
        if (n) {
                take_out(h, n);
                __atomic_store_n(&h->running, n, __ATOMIC_RELEASE);     /* D2 */
        }
        klock_unlock(&h->lock);
        if (!n)
                return false;
        n->fire(n);                     /* n may be somebody else's when it returns */
        __atomic_store_n(&h->running, NULL, __ATOMIC_RELEASE);
        return true;
}

void timer_bh(struct percpu *pc)
{
        struct heap *h = &heaps[pc->cpu];
        u64 now = arch_clock_now();
        u32 n = 0;

        note_time(now);
        while (n < FIRES_PER_RUN && fire_one(h, now))
                n++;
        if (n == FIRES_PER_RUN)
                bh_raise(pc, BH_TIMER);
        if (now >= pc->tick_deadline)
                sched_tick(pc, now);
        u64 f = arch_irq_save();
        program(pc);                    /* D4 */
        arch_irq_restore(f);
}

/* A tick for the task that is about to run, unless the hardware still has an earlier one. */
void timer_leave_idle(struct percpu *pc, u64 now)
{
        note_time(now);
        if (pc->tick_deadline == NEVER || pc->tick_deadline < now)
                pc->tick_deadline = now + SCHED_TICK;
        program(pc);
}

void timers_init(void)
{
        for (u32 i = 0; i < MAX_CPUS; i++)
                heaps[i].earliest = NEVER;
}

/* ---- services' timers ---- */

static void call_timer(void *arg)
{
        struct ktimer *k = arg;
        struct timer *t = k->owner;
        void (*fn)(struct timer *) = k->fn;

        /* SAFETY: D3: t is stable memory of its type, even if its object is gone. */
        if (fn && __atomic_load_n(&t->index_k, __ATOMIC_RELAXED) == k->entry.index && __atomic_load_n(&t->gen_k, __ATOMIC_RELAXED) == k->entry.gen)
                fn(t);
}

static void fire_service(struct tnode *n)
{
        /* SAFETY: D1, K6: the node is a ktimer's. */
        struct ktimer *k = (struct ktimer *)((u8 *)n - __builtin_offsetof(struct ktimer, node));

        if (!contained(call_timer, k)) {
                k_print("timer: a timer function failed; it is switched off\n", 0, 0, 0);
                k->fn = NULL;
        }
}

err_t timer_init(struct timer *t, void (*fn)(struct timer *t))
{
        t->index_k = 0;
        if (!fn)
                return ERR(EINVAL);
        struct ktimer *k = table_new(&timers);
        if (!k)
                return ERR(ENOMEM);
        tnode_cancel_wait(&k->node);    /* a late arm of its last owner */
        k->node.fire = fire_service;
        k->owner = t;
        k->fn = fn;
        t->gen_k = k->entry.gen;
        __atomic_store_n(&t->index_k, k->entry.index, __ATOMIC_RELEASE);
        return OK;
}

void timer_arm(struct timer *t, u64 deadline)
{
        struct ktimer *k = table_get(&timers, t->index_k, t->gen_k);

        if (!k)
                __builtin_trap();       /* not initialised */
        tnode_arm(&k->node, deadline);
}

void timer_fini(struct timer *t)
{
        u32 index = __atomic_exchange_n(&t->index_k, 0, __ATOMIC_ACQ_REL);
        struct ktimer *k = table_get(&timers, index, t->gen_k);

        if (!k || k->owner != t)
                return;
        tnode_cancel_wait(&k->node);
        k->fn = NULL;
        table_free(&timers, k);
}

/* ---- the clock ---- */

u64 time_now(void) { return arch_clock_now(); }
u64 time_coarse(void) { return __atomic_load_n(&coarse, __ATOMIC_ACQUIRE); }
