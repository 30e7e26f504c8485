/* SPDX-License-Identifier: Apache-2.0
 *
 * Wait queues, waiters, notifiers.
 *
 * Theory.  A waiter is one of a few slots in its task, or belongs to a notifier; on each queue
 * it waits on it has a node, found by hashing the queue's address.  The queue itself holds only
 * the hint waiters_k: 0 means that nobody waits.  It is raised by who adds, and lowered by a
 * waker that finds nobody, both with the bucket locked; so the end of a wait never touches the
 * queue, which may be gone by then.
 *
 * Invariants  W1  no wake-up is lost.  Sleeper: woken := 0; state := PARKING; full barrier; looks at
 *                 woken, interrupts, time; parks.  Waker: woken := 1 (or the interrupt bit, or time);
 *                 full barrier; looks at the state.  One of the two sees the other.
 *             W2  hint and condition: adder raises the hint, full barrier, looks at the condition; waker
 *                 changes the condition, full barrier, looks at the hint.
 *             W3  a node is in a bucket exactly while it is in its waiter's list; the waiter's task alone
 *                 (a notifier: with its lock) changes that list.  But a node of kind WN_ONCE leaves the bucket with its
 *                 wake-up; its key is NULL from then on, and the waker knows it no more.
 *             W4  services' code (policy, notify functions) runs with no bucket locked.
 *             W5  an exclusive wake-up that its waiter has not slept on is passed on when the waiter ends.
 *             W6  a notifier's function runs on one CPU at a time and never after notifier_fini returned.
 */
#include "sync_impl.h"
#include "timer.h"
#include "mem.h"

#define BUCKETS 1024
static struct bucket buckets[BUCKETS];

struct table_node { struct tentry entry; struct wnode node; };
TABLE(nodes, struct table_node);

struct knotifier {
        struct tentry entry;
        struct kwaiter waiter;
        struct notifier *owner;
        void (*fn)(struct notifier *n);
        struct klock lock;                      /* waiter.nodes, dying */
        u32 dying;
        u32 state;                              /* NF_*: atomic */
        u32 cpu;                                /* that runs it */
        struct knotifier *chain;                /* of the waker that queued it */
};
enum { NF_IDLE, NF_QUEUED, NF_RUNNING, NF_AGAIN, NF_DEAD };
TABLE(notifiers, struct knotifier);
#define NOTIFIER_BIT 0x80000000u
#define ALONE_BIT    0x40000000u        /* of a notifier: all that it waits on is exclusive */

/* ---- buckets ---- */

static struct bucket *bucket_of(const void *key) { return &buckets[(u64)key * 0x9e3779b97f4a7c15ul >> 54]; }

struct bucket *bucket_lock(const void *key)
{
        klock_lock(&bucket_of(key)->lock);
        return bucket_of(key);
}

struct bucket *bucket_lock_anyhow(const void *key)
{
        klock_lock_anyhow(&bucket_of(key)->lock);
        return bucket_of(key);
}

void bucket_append(struct bucket *b, struct wnode *n, const void *key, u32 kind)
{
        n->key = key;
        n->kind = kind;
        n->next = NULL;
        n->prev = b->tail;
        *(b->tail ? &b->tail->next : &b->head) = n;
        b->tail = n;
}

void bucket_remove(struct bucket *b, struct wnode *n)
{
        *(n->prev ? &n->prev->next : &b->head) = n->next;
        *(n->next ? &n->next->prev : &b->tail) = n->prev;
}

/* ---- nodes and waiters ---- */

void waiters_init(struct task *t)
{
        t->free_nodes = NULL;
        for (u32 i = 0; i < TASK_NODES; i++) {
                t->node[i].more = t->free_nodes;
                t->node[i].table_index = 0;
                t->free_nodes = &t->node[i];
        }
        for (u32 i = 0; i < TASK_WAITERS; i++)
                t->waiter[i] = (struct kwaiter){ .task = t };
        t->lock_node = (struct wnode){ .task = t };
}

static struct wnode *node_from_table(void)
{
        struct table_node *tn = table_new(&nodes);

        if (!tn)
                return NULL;
        tn->node.table_index = tn->entry.index;
        return &tn->node;
}

static void node_to_table(struct wnode *n)
{
        /* SAFETY: W3: it has a table_index, so a table_node is around it. */
        table_free(&nodes, (u8 *)n - __builtin_offsetof(struct table_node, node));
}

/* A task keeps the extra nodes it once needed: poll() allocates once. */
static struct wnode *take_node(struct task *t)
{
        struct wnode *n = t->free_nodes;

        if (!n)
                return node_from_table();
        t->free_nodes = n->more;
        return n;
}

/* Takes all nodes off their queues; each goes to `t`, or back to the table. */
static void leave_all(struct kwaiter *w, struct task *t)
{
        struct wnode *n;

        while ((n = w->nodes)) {
                const void *key = __atomic_load_n(&n->key, __ATOMIC_ACQUIRE);
                if (key) {
                        struct bucket *b = bucket_lock(key);
                        if (n->key)
                                bucket_remove(b, n);
                        w->nodes = n->more;             /* W3 */
                        bucket_unlock(b);
                } else
                        w->nodes = n->more;
                bool pass_on = t && n->kind == WN_EXCLUSIVE && __atomic_load_n(&w->woken, __ATOMIC_RELAXED);
                if (t) {
                        n->more = t->free_nodes;
                        t->free_nodes = n;
                } else
                        node_to_table(n);
                if (pass_on && key)
                        waitq_wake_one((struct waitq *)(u64)key);       /* keeps W5; SAFETY: W3: a queue's address, stable memory */
        }
}

/* Ended, or at an oops: t is current, or nobody's. */
void waiters_reset(struct task *t)
{
        for (u32 i = 0; i < TASK_WAITERS; i++) {
                if (t->waiter[i].nodes)
                        leave_all(&t->waiter[i], t);
                t->waiter[i].gen = 0;
        }
        struct wnode *n = t->free_nodes;
        t->free_nodes = NULL;
        while (n) {
                struct wnode *more = n->more;
                if (n->table_index)
                        node_to_table(n);
                n = more;
        }
        for (u32 i = 0; i < TASK_NODES; i++) {
                t->node[i].more = t->free_nodes;
                t->free_nodes = &t->node[i];
        }
}

/* NULL: all are in use. */
static struct kwaiter *take_waiter(struct task *t)
{
        for (u32 i = 0; i < TASK_WAITERS; i++)
                if (!t->waiter[i].gen) {
                        struct kwaiter *w = &t->waiter[i];
                        if (++t->waiter_gen == 0)
                                t->waiter_gen = 1;
                        w->gen = t->waiter_gen;
                        w->woken = w->nomem = 0;
                        return w;
                }
        return NULL;
}

/* In no-preemption contexts it would be the interrupted task's: traps. */
struct waiter k_waiter_begin(void)
{
        if (preempt_count())
                __builtin_trap();
        struct task *t = current_task();
        struct kwaiter *w = take_waiter(t);
        return w ? (struct waiter){ (u32)(w - t->waiter) + 1, w->gen } : (struct waiter){ };
}

/* The current task's waiter, or NULL: none (nested too deep), or stale. */
static struct kwaiter *own(const struct waiter *w)
{
        u32 i = w->index_k - 1;

        if (i >= TASK_WAITERS || current_task()->waiter[i].gen != w->gen_k)
                return NULL;
        return &current_task()->waiter[i];
}

void k_waiter_end(struct waiter *w)
{
        struct kwaiter *kw = own(w);

        if (!kw)
                return;
        if (kw->nodes)
                leave_all(kw, kw->task);
        kw->gen = 0;
}

static void insert(struct kwaiter *kw, struct wnode *n, struct waitq *q, u32 kind)
{
        struct bucket *b = bucket_lock(q);      /* may trap: before anything has changed (E4) */
        n->waiter = kw;
        n->more = kw->nodes;
        kw->nodes = n;
        bucket_append(b, n, q, kind);
        /* It was set before the bucket was locked, which was a full barrier; a waker may have lowered it in between.  keeps W2 */
        if (__builtin_expect(!__atomic_load_n(&q->waiters_k, __ATOMIC_RELAXED), 0))
                __atomic_exchange_n(&q->waiters_k, 1, __ATOMIC_SEQ_CST);
        bucket_unlock(b);
}

static void add_notifier(struct waiter *w, struct waitq *q, u32 kind);

static void add(struct waiter *w, struct waitq *q, u32 kind)
{
        if (!w)
                return;
        /* A bad q faults here, before any lock is taken. */
        __atomic_store_n(&q->waiters_k, 1, __ATOMIC_RELAXED);
        if (w->index_k & NOTIFIER_BIT) {
                add_notifier(w, q, kind);
                return;
        }
        struct kwaiter *kw = own(w);
        if (!kw)
                return;                         /* waiter_sleep says ENOMEM */
        struct wnode *n = take_node(kw->task);
        if (n)
                insert(kw, n, q, kind);
        else
                kw->nomem = 1;
}

void k_waiter_add(struct waiter *w, struct waitq *q)         { add(w, q, WN_SHARED); }
void waiter_add_exclusive(struct waiter *w, struct waitq *q) { add(w, q, WN_EXCLUSIVE); }

/* ---- sleeping ---- */

static bool interrupted(const struct task *t, enum wait_mode mode)
{
        u32 mask = mode == WAIT_INTERRUPTIBLE ? INTR_SIGNAL | INTR_KILL : mode == WAIT_KILLABLE ? INTR_KILL : 0;
        return __atomic_load_n(&t->intr, __ATOMIC_SEQ_CST) & mask;
}

static u32 mode_bits(enum wait_mode mode)
{
        return (mode == WAIT_INTERRUPTIBLE ? TS_SIGNAL_OK : 0) | (mode == WAIT_KILLABLE ? TS_KILL_OK : 0);
}

/* While *word is `is`; NULL: only time and interrupts end it. */
static err_t sleep(const u32 *word, u32 is, u32 bits, enum wait_mode mode, u64 deadline)
{
        struct task *t = current_task();
        err_t err = OK;
        bool armed = false;

        while (!word || __atomic_load_n(word, __ATOMIC_ACQUIRE) == is) {
                sched_park_begin(bits | mode_bits(mode));       /* W1 */
                if (word && __atomic_load_n(word, __ATOMIC_SEQ_CST) != is)
                        break;
                if (interrupted(t, mode)) {
                        err = ERR(EINTR);
                        break;
                }
                if (deadline != NEVER) {
                        if (arch_clock_now() >= deadline) {
                                err = ERR(ETIMEDOUT);
                                break;
                        }
                        tnode_arm(&t->timer, deadline);
                        armed = true;
                }
                sched_park();
        }
        sched_park_cancel();
        if (armed)
                tnode_cancel(&t->timer);
        return err;
}

err_t waiter_sleep(struct waiter *w, enum wait_mode mode, u64 deadline)
{
        assert_may_sleep();
        struct kwaiter *kw = own(w);
        if (!kw || kw->nomem) {
                if (kw)
                        kw->nomem = 0;
                return ERR(ENOMEM);
        }
        TRY(sleep(&kw->woken, 0, TS_WAIT, mode, deadline));
        __atomic_exchange_n(&kw->woken, 0, __ATOMIC_SEQ_CST);   /* before the condition is looked at */
        return OK;
}

err_t sleep_until(u64 deadline, enum wait_mode mode)
{
        assert_may_sleep();
        err_t err = sleep(NULL, 0, TS_WAIT, mode, deadline);
        return err_is(err, ETIMEDOUT) ? OK : err;
}

err_t task_sleep_while(const u32 *word, u32 is, enum wait_mode mode, u64 deadline)
{
        assert_may_sleep();
        return sleep(word, is, TS_KICK_OK, mode, deadline);
}

/* Waits once on q; what is let go of in between is given by one of m and l. */
static inline err_t sleep_once(struct waitq *q, struct mutex *m, struct spinlock *l, enum wait_mode mode, u64 deadline)
{
        struct task *t = current_task();

        __atomic_store_n(&q->waiters_k, 1, __ATOMIC_RELAXED);   /* a bad q faults here */
        struct kwaiter *kw = take_waiter(t);
        struct wnode *n = kw ? take_node(t) : NULL;
        if (!n) {
                if (kw)
                        kw->gen = 0;
                return ERR(ENOMEM);
        }
        insert(kw, n, q, WN_ONCE);
        if (m)
                mutex_unlock(m);
        else
                spin_unlock(l);
        assert_may_sleep();
        err_t err = sleep(&kw->woken, 0, TS_WAIT, mode, deadline);
        leave_all(kw, t);
        kw->gen = 0;
        if (m)
                mutex_lock(m);
        else
                spin_lock(l);
        return err;
}

err_t waitq_sleep(struct waitq *q, struct mutex *m, enum wait_mode mode, u64 deadline)
{
        assert_may_sleep();             /* also: no borrowed context, whose waiters would be the interrupted task's */
        return sleep_once(q, m, NULL, mode, deadline);
}

err_t waitq_sleep_spin(struct waitq *q, struct spinlock *l, enum wait_mode mode, u64 deadline)
{
        if (preempt_count() != PREEMPT_ONE || !held_has(HELD_SPIN, l))
                __builtin_trap();
        return sleep_once(q, NULL, l, mode, deadline);
}

/* ---- waking ---- */

static bool disarm(struct knotifier *k, u32 gen, bool kill);

/* Makes a bucket's notifier due; true: the caller got it for its chain. */
static bool queue_notifier(struct knotifier *k)
{
        u32 s = __atomic_load_n(&k->state, __ATOMIC_SEQ_CST);

        for (;;) {
                u32 to = s == NF_IDLE ? NF_QUEUED : NF_AGAIN;
                if (s != NF_IDLE && s != NF_RUNNING)
                        return false;
                if (__atomic_compare_exchange_n(&k->state, &s, to, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
                        return to == NF_QUEUED;
        }
}

static bool move_state(struct knotifier *k, u32 from, u32 to)
{
        return __atomic_compare_exchange_n(&k->state, &from, to, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* The owner may be a freed or reused object: it is asked whether it still means this entry. */
static void call_notify(void *arg)
{
        struct knotifier *k = arg;
        struct notifier *n = k->owner;

        if (__atomic_load_n(&n->index_k, __ATOMIC_RELAXED) == k->entry.index && __atomic_load_n(&n->gen_k, __ATOMIC_RELAXED) == k->entry.gen)
                k->fn(n);
}

static void run_notifier(struct knotifier *k)
{
        bool works = true;

        if (!move_state(k, NF_QUEUED, NF_RUNNING)) {
                table_free(&notifiers, k);      /* only notifier_fini moves it: to NF_DEAD, and leaves it to us */
                return;
        }
        __atomic_store_n(&k->cpu, cpu_id(), __ATOMIC_SEQ_CST);  /* keeps W6: before the owner is asked */
        for (;;) {
                if (works && !contained(call_notify, k)) {
                        k_print("waitq: a notifier failed; it is switched off\n", 0, 0, 0);
                        works = false;
                        disarm(k, k->entry.gen, false);
                }
                if (move_state(k, NF_RUNNING, NF_IDLE))
                        return;
                if (!move_state(k, NF_AGAIN, NF_RUNNING)) {
                        table_free(&notifiers, k);
                        return;
                }
        }
}

/* Preemption off, no bucket locked. */
static void run_notifiers(struct knotifier *k)
{
        while (k) {
                struct knotifier *next = k->chain;
                run_notifier(k);
                k = next;
        }
}

/* SAFETY: W3, K6: a waiter without a task is a notifier's. */
static struct knotifier *notifier_of(struct kwaiter *w) { return (struct knotifier *)((u8 *)w - __builtin_offsetof(struct knotifier, waiter)); }

static u32 wake(struct waitq *q, bool all)
{
        if (__builtin_expect(!__atomic_load_n(&q->waiters_k, __ATOMIC_RELAXED), 1)) {
                full_barrier();         /* keeps W2; else the bucket's lock is one */
                if (__builtin_expect(!__atomic_load_n(&q->waiters_k, __ATOMIC_RELAXED), 1))
                        return 0;
        }

        struct task *first = NULL, *last = NULL;
        struct knotifier *calls = NULL, *spare = NULL;  /* spare: the first exclusive notifier, if no task is */
        u32 woken = 0;
        bool found = false, given = false;
        preempt_add(PREEMPT_ONE);
        struct bucket *b = bucket_lock(q);
        for (struct wnode *n = b->head, *next; n; n = next) {
                struct kwaiter *w = n->waiter;
                next = n->next;
                if (n->key != q || n->kind > WN_EXCLUSIVE)
                        continue;
                found |= n->kind != WN_ONCE;
                if (n->kind == WN_EXCLUSIVE && !all) {
                        if (given || (w->task && __atomic_load_n(&w->woken, __ATOMIC_RELAXED)))
                                continue;
                        if (!w->task) {
                                spare = spare ? spare : notifier_of(w);
                                continue;
                        }
                        given = true;
                }
                woken++;
                if (!w->task) {
                        struct knotifier *k = notifier_of(w);
                        if (queue_notifier(k)) {
                                k->chain = calls;
                                calls = k;
                        }
                        continue;
                }
                struct task *t = w->task;
                __atomic_store_n(&w->woken, 1, __ATOMIC_RELEASE);
                if (n->kind == WN_ONCE) {
                        bucket_remove(b, n);
                        __atomic_store_n(&n->key, NULL, __ATOMIC_RELEASE);      /* W3 */
                }
                if (sched_claim_stored(t, TS_WAIT)) {
                        t->wake_next = NULL;
                        *(last ? &last->wake_next : &first) = t;
                        last = t;
                }
        }
        if (spare && !given) {
                woken++;
                if (queue_notifier(spare)) {
                        spare->chain = calls;
                        calls = spare;
                }
        }
        if (!found)
                __atomic_store_n(&q->waiters_k, 0, __ATOMIC_RELEASE);
        bucket_unlock(b);
        sched_wake_chain(first);
        if (calls)
                run_notifiers(calls);
        preempt_sub_check(PREEMPT_ONE);
        return woken;
}

u32 waitq_wake_one(struct waitq *q) { return wake(q, false); }
u32 waitq_wake_all(struct waitq *q) { return wake(q, true); }

/* ---- notifiers ---- */

static struct knotifier *notifier_get(u32 index, u32 gen)
{
        return table_get(&notifiers, index & ~(NOTIFIER_BIT | ALONE_BIT), gen);
}

err_t notifier_init(struct notifier *n, void (*notify)(struct notifier *n))
{
        n->index_k = 0;
        struct knotifier *k = notify ? table_new(&notifiers) : NULL;
        if (!k)
                return notify ? ERR(ENOMEM) : ERR(EINVAL);
        k->waiter = (struct kwaiter){ .gen = k->entry.gen };
        k->owner = n;
        k->fn = notify;
        k->dying = 0;
        __atomic_store_n(&k->state, NF_IDLE, __ATOMIC_RELEASE);
        n->gen_k = k->entry.gen;
        __atomic_store_n(&n->index_k, k->entry.index, __ATOMIC_RELEASE);
        return OK;
}

struct waiter notifier_waiter(struct notifier *n) { return (struct waiter){ n->index_k | NOTIFIER_BIT, n->gen_k }; }
struct waiter notifier_waiter_alone(struct notifier *n) { return (struct waiter){ n->index_k | NOTIFIER_BIT | ALONE_BIT, n->gen_k }; }

static void add_notifier(struct waiter *w, struct waitq *q, u32 kind)
{
        struct knotifier *k = notifier_get(w->index_k, w->gen_k);
        struct wnode *n = k ? node_from_table() : NULL;

        if (!n)
                return;
        klock_lock(&k->lock);
        bool live = k->entry.gen == w->gen_k && !k->dying;
        if (live)
                insert(&k->waiter, n, q, w->index_k & ALONE_BIT ? WN_EXCLUSIVE : kind);
        klock_unlock(&k->lock);
        if (!live)
                node_to_table(n);
}

/* Ends the arming; true: n was alive, and with `kill` it is ours to end. */
static bool disarm(struct knotifier *k, u32 gen, bool kill)
{
        klock_lock(&k->lock);
        bool live = k->entry.gen == gen && !k->dying;
        if (live) {
                leave_all(&k->waiter, NULL);
                k->dying = kill;
        }
        klock_unlock(&k->lock);
        return live;
}

void notifier_fini(struct notifier *n)
{
        u32 gen = n->gen_k;
        struct knotifier *k = notifier_get(n->index_k, gen);

        n->index_k = 0;
        if (!k || !disarm(k, gen, true))
                return;
        preempt_add(PREEMPT_ONE);
        for (;;) {
                if (move_state(k, NF_IDLE, NF_DEAD)) {
                        table_free(&notifiers, k);
                        break;
                }
                if (move_state(k, NF_QUEUED, NF_DEAD))
                        break;                          /* the waker that has it frees it */
                /* Running.  By us, a few frames up: it ends when we return.  Elsewhere: wait (W6). */
                if (__atomic_load_n(&k->cpu, __ATOMIC_SEQ_CST) == cpu_id() && (move_state(k, NF_RUNNING, NF_DEAD) || move_state(k, NF_AGAIN, NF_DEAD)))
                        break;
                __builtin_ia32_pause();
        }
        preempt_sub_check(PREEMPT_ONE);
}
