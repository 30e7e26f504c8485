/* SPDX-License-Identifier: Apache-2.0
 *
 * Spin locks, mutexes, reader-writer locks.
 *
 * A lock's words may be anything (zeroed, reused, copied over by an object's end): the framework
 * never follows them.  Who holds what stands in the task's held array; a lock's word is believed
 * only together with it.
 *
 *   spinlock  word_k: 0: free, SPIN_HELD, or SPIN_OOPSED: free and marked
 *   mutex     owner_k: 0, or the holder's task id, and M_WAITERS
 *   rwlock    word_k: readers, RW_WRITER, RW_WAITERS; writer_k: the writer's task id
 *
 * Who must sleep for a mutex or rwlock sets the waiters bit and queues, both with the bucket locked;
 * from then on the lock changes hands only with the bucket locked, in order of arrival: the one
 * that lets go makes the next the holder and wakes it (lock_granted).  A writer in the queue
 * stops later readers, so writers do not starve.
 *
 * The fast roads end in a tail call to the slow ones, so that they are leaves.
 *
 * Invariants  S1  unlock, relock and a full held array trap before anything has changed
 *             S2  a lock is in its holder's held array exactly while it is held
 *             S3  with a waiters bit set only the grant, bucket locked, makes somebody a holder
 *             S4  what an oops releases is marked, and its next taker says so once
 */
#include "sync_impl.h"
#include "lock_impl.h"

#define SPIN_HELD   1u
#define SPIN_OOPSED 2u
#define M_WAITERS  0x80000000u
#define RW_WRITER  0x80000000u
#define RW_WAITERS 0x40000000u
#define RW_COUNT   0x3fffffffu
#define SPIN_BEFORE_PARK 2000
#define FLAG_OOPSED 1u

static inline u32 my_id(void) { return current_task()->entry.index; }
static inline bool swap(u32 *word, u32 old, u32 new)
{ return __atomic_compare_exchange_n(word, &old, new, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED); }
static inline u32 load(const u32 *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }

void assert_may_sleep(void)
{
        if (__builtin_expect(preempt_count(), 0))
                __builtin_trap();
        stack_room();
}

static void noinline say_oopsed(u16 *flags, const void *lock)
{
        if (flags)
                __atomic_fetch_and(flags, (u16)~FLAG_OOPSED, __ATOMIC_RELAXED);
        k_print("lock %x: its last holder died of an oops\n", (u64)lock, 0, 0);
}

static void taken(struct task *t, enum held_kind kind, void *lock, u16 *flags)
{
        held_push(t, kind, lock);       /* S2 */
        if (*flags)
                say_oopsed(flags, lock);
}

static inline bool is_full(const struct task *t) { return t->n_held >= t->held_limit; }
static inline bool is_top(struct task *t, enum held_kind kind, const void *lock)
{ return __builtin_expect(*held_top(t) == held_entry(kind, lock), 1); }

/* Not the innermost: as if it were. */
static void noinline unlock_deep(enum held_kind kind, void *lock)
{
        if (!held_pop_deep(kind, lock))
                __builtin_trap();
        held_push(current_task(), kind, lock);
        switch (kind) {
        case HELD_SPIN:    return spin_unlock(lock);
        case HELD_MUTEX:   return mutex_unlock(lock);
        case HELD_READ:    return read_unlock(lock);
        case HELD_WRITE:   return write_unlock(lock);
        default:           return preempt_enable();
        }
}

/* ---- preemption ---- */

void preempt_disable(void)
{
        struct task *t = held_room();

        preempt_add(PREEMPT_ONE);
        held_push(t, HELD_PREEMPT, NULL);
}

void preempt_enable(void)
{
        struct task *t = current_task();

        if (!is_top(t, HELD_PREEMPT, NULL))
                return unlock_deep(HELD_PREEMPT, NULL);
        held_drop_top(t);
        preempt_sub_check(PREEMPT_ONE);
}

/* ---- spin locks ---- */

/* Preemption is off. */
static bool noinline spin_lock_slow(struct spinlock *l, bool wait)
{
        struct task *t = held_room();
        u32 old;

        COUNT(CPU_SPIN_WAITS);
        while ((old = load(&l->word_k)) == SPIN_HELD || !swap(&l->word_k, old, SPIN_HELD)) {
                if (wait && held_has(HELD_SPIN, l))
                        __builtin_trap();               /* ours already */
                if (!wait)
                        return false;
                __builtin_ia32_pause();
        }
        held_push(t, HELD_SPIN, l);
        if (old)
                say_oopsed(NULL, l);
        return true;
}

void spin_lock(struct spinlock *l)
{
        struct task *t = current_task();

        order_taking(l->class_k, true);
        preempt_add(PREEMPT_ONE);
        if (__builtin_expect(is_full(t) || !swap(&l->word_k, 0, SPIN_HELD), 0))
                return (void)spin_lock_slow(l, true);
        held_push(t, HELD_SPIN, l);
}

bool spin_trylock(struct spinlock *l)
{
        preempt_add(PREEMPT_ONE);
        if (spin_lock_slow(l, false))
                return true;
        preempt_sub_check(PREEMPT_ONE);
        return false;
}

void spin_unlock(struct spinlock *l)
{
        struct task *t = current_task();

        if (!is_top(t, HELD_SPIN, l))
                return unlock_deep(HELD_SPIN, l);
        held_drop_top(t);
        __atomic_store_n(&l->word_k, 0, __ATOMIC_RELEASE);
        preempt_sub_check(PREEMPT_ONE);
}

/* ---- sleeping for a lock ---- */

static struct wnode *first_of(struct wnode *n, const void *lock)
{
        while (n && n->key != lock)
                n = n->next;
        return n;
}

/* The waiter is the holder now; it goes to the chain if it must be enqueued.  Bucket locked. */
static void grant(struct bucket *b, struct wnode *n, struct task **chain)
{
        struct task *t = n->task;

        bucket_remove(b, n);
        __atomic_store_n(&t->lock_granted, 1, __ATOMIC_RELEASE);
        if (sched_claim_stored(t, TS_LOCK)) {
                t->wake_next = *chain;
                *chain = t;
        }
}

/* The bucket is locked, the waiters bit set: queues and sleeps until granted. */
static err_t wait_grant(struct bucket *b, void *lock, u32 kind, bool killable)
{
        struct task *t = current_task();

        t->lock_granted = 0;
        bucket_append(b, &t->lock_node, lock, kind);
        bucket_unlock(b);
        for (;;) {
                sched_park_begin(TS_LOCK | (killable ? TS_KILL_OK : 0));
                if (load(&t->lock_granted))
                        break;
                if (killable && load(&t->intr) & INTR_KILL) {
                        sched_park_cancel();
                        b = bucket_lock_anyhow(lock);
                        bool late = t->lock_granted;
                        if (!late)
                                bucket_remove(b, &t->lock_node);
                        bucket_unlock(b);
                        return late ? OK : ERR(EINTR);
                }
                sched_park();
        }
        sched_park_cancel();
        return OK;
}

/* ---- mutexes ---- */

/* While nobody queues and the holder runs on another CPU, or was granted the lock and is on its way there, waiting is cheaper
 * than a switch, and the lock is not handed from sleeper to sleeper.  owner 0: readers. */
static bool may_spin(u32 turn, u32 waiters, u32 owner)
{
        struct task *t = owner ? task_by_id(owner) : NULL;
        u32 s = t ? load(&t->state) : TS_RUNNING;

        __builtin_ia32_pause();
        return cpus_online > 1 && turn < SPIN_BEFORE_PARK && !waiters && !preempt_due() && (s == TS_RUNNING || (s == TS_QUEUED && t->cpu != cpu_id()));
}

static err_t noinline mutex_wait(struct mutex *m, u32 id, bool killable)
{
        u32 owner;

        stack_room();
        if ((load(&m->owner_k) & ~M_WAITERS) == id)
                __builtin_trap();                       /* ours already */
        COUNT(CPU_LOCK_WAITS);
        for (u32 i = 0; (owner = load(&m->owner_k)) == 0 || may_spin(i, owner & M_WAITERS, owner & ~M_WAITERS); i++)
                if (!owner && swap(&m->owner_k, 0, id))
                        return OK;
        struct bucket *b = bucket_lock(m);
        for (;;) {                                      /* S3 */
                owner = load(&m->owner_k);
                if (!owner && swap(&m->owner_k, 0, id)) {
                        bucket_unlock(b);
                        return OK;
                }
                if (owner && (owner & M_WAITERS || swap(&m->owner_k, owner, owner | M_WAITERS)))
                        return wait_grant(b, m, WN_MUTEX, killable);
        }
}

static err_t noinline mutex_lock_slow(struct mutex *m, bool killable)
{
        assert_may_sleep();
        struct task *t = held_room();
        if (!swap(&m->owner_k, 0, t->entry.index))
                TRY(mutex_wait(m, t->entry.index, killable));
        taken(t, HELD_MUTEX, m, &m->flags_k);
        return OK;
}

void mutex_lock(struct mutex *m)
{
        struct task *t = current_task();

        order_taking(m->class_k, false);
        if (__builtin_expect(preempt_count() || is_full(t) || m->flags_k || !swap(&m->owner_k, 0, t->entry.index), 0))
                return ignore(mutex_lock_slow(m, false));
        held_push(t, HELD_MUTEX, m);
}

err_t mutex_lock_killable(struct mutex *m)
{
        order_taking(m->class_k, false);
        return mutex_lock_slow(m, true);
}

static bool mutex_is_mine(struct mutex *m) { return (load(&m->owner_k) & ~M_WAITERS) == my_id(); }

static void noinline mutex_hand_over(struct mutex *m)
{
        if (!mutex_is_mine(m))
                __builtin_trap();
        struct task *chain = NULL;
        struct bucket *b = bucket_lock_anyhow(m);
        struct wnode *n = first_of(b->head, m);

        if (n) {
                u32 next = n->task->entry.index | (first_of(n->next, m) ? M_WAITERS : 0);
                __atomic_store_n(&m->owner_k, next, __ATOMIC_SEQ_CST);
                grant(b, n, &chain);
        } else
                __atomic_store_n(&m->owner_k, 0, __ATOMIC_SEQ_CST);
        bucket_unlock(b);
        sched_wake_chain(chain);
}

void mutex_unlock(struct mutex *m)
{
        struct task *t = current_task();

        if (!is_top(t, HELD_MUTEX, m))
                return unlock_deep(HELD_MUTEX, m);
        held_drop_top(t);
        if (__builtin_expect(!swap(&m->owner_k, t->entry.index, 0), 0))
                mutex_hand_over(m);
}

/* ---- reader-writer locks ---- */

static bool add_reader(struct rwlock *l)
{
        u32 old = load(&l->word_k);

        while (!(old & (RW_WRITER | RW_WAITERS)) && old < RW_COUNT)
                if (__atomic_compare_exchange_n(&l->word_k, &old, old + 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
                        return true;
        return false;
}

static bool set_writer(struct rwlock *l)
{
        if (!swap(&l->word_k, 0, RW_WRITER))
                return false;
        l->writer_k = my_id();
        return true;
}

static bool rw_take(struct rwlock *l, enum held_kind kind) { return kind == HELD_READ ? add_reader(l) : set_writer(l); }

static void rw_wait(struct rwlock *l, enum held_kind kind)
{
        u32 word;

        COUNT(CPU_LOCK_WAITS);
        for (u32 i = 0; (word = load(&l->word_k)) == 0 || may_spin(i, word & RW_WAITERS, word & RW_WRITER ? l->writer_k : 0); i++)
                if (rw_take(l, kind))
                        return;
        struct bucket *b = bucket_lock(l);
        while (!rw_take(l, kind)) {                     /* S3 */
                u32 old = load(&l->word_k);
                if (old && (old & RW_WAITERS || swap(&l->word_k, old, old | RW_WAITERS))) {
                        ignore(wait_grant(b, l, kind == HELD_READ ? WN_READ : WN_WRITE, false));
                        return;
                }
        }
        bucket_unlock(b);
}

static void noinline rw_lock_slow(struct rwlock *l, enum held_kind kind)
{
        assert_may_sleep();
        struct task *t = held_room();
        if (held_has(HELD_READ, l) || held_has(HELD_WRITE, l))
                __builtin_trap();
        if (!rw_take(l, kind))
                rw_wait(l, kind);
        taken(t, kind, l, &l->flags_k);
}

/* What the fast roads do not look at themselves: may it be slept here, is there room, is the lock marked? */
static inline bool rw_go_slow(const struct task *t, const struct rwlock *l)
{
#ifdef KEEL_DEBUG
        return true;
#endif
        return preempt_count() || is_full(t) || l->flags_k;
}

void read_lock(struct rwlock *l)
{
        struct task *t = current_task();

        order_taking(l->class_k, false);
        u32 old = load(&l->word_k);
        if (__builtin_expect(rw_go_slow(t, l) || old >= RW_COUNT || !swap(&l->word_k, old, old + 1), 0))
                return rw_lock_slow(l, HELD_READ);
        held_push(t, HELD_READ, l);
}

void write_lock(struct rwlock *l)
{
        struct task *t = current_task();

        order_taking(l->class_k, false);
        if (__builtin_expect(rw_go_slow(t, l) || !set_writer(l), 0))
                return rw_lock_slow(l, HELD_WRITE);
        held_push(t, HELD_WRITE, l);
}

/* Nobody holds it: the first in the queue do now; a writer alone, or the readers up to one.
 * The word is set before anybody hears of it: they may let go at once. */
static void noinline rw_hand_over(struct rwlock *l)
{
        struct task *chain = NULL;
        struct bucket *b = bucket_lock_anyhow(l);
        struct wnode *first = first_of(b->head, l), *rest = first;
        u32 word = 0, n = 0;

        if (first && first->kind == WN_WRITE) {
                l->writer_k = first->task->entry.index;
                word = RW_WRITER;
                n = 1;
                rest = first_of(first->next, l);
        } else
                for (; rest && rest->kind == WN_READ; n++, word++)
                        rest = first_of(rest->next, l);
        __atomic_store_n(&l->word_k, word | (rest ? RW_WAITERS : 0), __ATOMIC_SEQ_CST);
        while (n--) {
                struct wnode *next = first_of(first->next, l);
                grant(b, first, &chain);
                first = next;
        }
        bucket_unlock(b);
        sched_wake_chain(chain);
}

static bool is_writer(const struct rwlock *l) { return load(&l->word_k) & RW_WRITER && l->writer_k == my_id(); }

static void noinline drop_reader(struct rwlock *l)
{
        if (!(load(&l->word_k) & RW_COUNT))
                __builtin_trap();
        if (__atomic_sub_fetch(&l->word_k, 1, __ATOMIC_SEQ_CST) == RW_WAITERS)
                rw_hand_over(l);
}

static void drop_writer(struct rwlock *l)
{
        if (__builtin_expect(!is_writer(l), 0))
                __builtin_trap();
        l->writer_k = 0;
        if (__builtin_expect(!swap(&l->word_k, RW_WRITER, 0), 0))
                rw_hand_over(l);
}

void read_unlock(struct rwlock *l)
{
        struct task *t = current_task();

        if (!is_top(t, HELD_READ, l))
                return unlock_deep(HELD_READ, l);
        held_drop_top(t);
        if (__builtin_expect(!swap(&l->word_k, 1, 0), 0))
                drop_reader(l);
}

void write_unlock(struct rwlock *l)
{
        struct task *t = current_task();

        if (!is_top(t, HELD_WRITE, l))
                return unlock_deep(HELD_WRITE, l);
        held_drop_top(t);
        drop_writer(l);
}

/* ---- classes ---- */

extern struct lock_class k_lock_classes_start[];
static u16 class_id(const struct lock_class *c) { return (u16)(c - k_lock_classes_start + 1); }
void k_spin_init(struct spinlock *l, const struct lock_class *c) { *l = (struct spinlock){ .class_k = class_id(c) }; }
void k_mutex_init(struct mutex *l, const struct lock_class *c)   { *l = (struct mutex){ .class_k = class_id(c) }; }
void k_rw_init(struct rwlock *l, const struct lock_class *c)     { *l = (struct rwlock){ .class_k = class_id(c) }; }

/* ---- after an oops ---- */

/* What stands in the held array is let go of as far as the lock's word agrees (it may have been zeroed). */
void lock_release_oopsed(enum held_kind kind, void *lock)
{
        struct spinlock *s = lock;
        struct mutex *m = lock;
        struct rwlock *l = lock;

        if (kind == HELD_SPIN) {
                swap(&s->word_k, SPIN_HELD, SPIN_OOPSED);
        } else if (kind == HELD_MUTEX && mutex_is_mine(m)) {
                m->flags_k |= FLAG_OOPSED;
                mutex_hand_over(m);
        } else if (kind == HELD_READ && load(&l->word_k) & RW_COUNT) {
                l->flags_k |= FLAG_OOPSED;
                drop_reader(l);
        } else if (kind == HELD_WRITE && is_writer(l)) {
                l->flags_k |= FLAG_OOPSED;
                drop_writer(l);
        }
}
