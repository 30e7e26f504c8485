/* SPDX-License-Identifier: Apache-2.0
 *
 * Spin locks, mutexes, reader-writer locks.
 *
 * A lock's words may be anything (zeroed, reused, copied over by an object's end): the framework
 * never follows them.  Who holds what stands in the task's held array; a lock's word is believed
 * only together with it.
 *
 *   spinlock  word_k: 0, or holder's CPU + 1 (the holder cannot move)
 *   mutex     owner_k: 0, or the holder's task id, and M_WAITERS
 *   rwlock    word_k: readers, RW_WRITER, RW_WAITERS; writer_k: the writer's task id
 *
 * Who must sleep for a mutex or rwlock sets the waiters bit and queues, both with the bucket locked;
 * from then on the lock changes hands only with the bucket locked, in order of arrival: the one
 * that lets go makes the next the holder and wakes it (lock_granted).  A writer in the queue
 * stops later readers, so writers do not starve.
 *
 * Invariants  S1  unlock, relock and a full held array trap before anything has changed
 *             S2  a lock is in its holder's held array exactly while it is held
 *             S3  with a waiters bit set only the grant, bucket locked, makes somebody a holder
 *             S4  what an oops releases is marked, and its next taker says so once
 */
#include "sync_impl.h"
#include "lock_impl.h"

#define M_WAITERS  0x80000000u
#define RW_WRITER  0x80000000u
#define RW_WAITERS 0x40000000u
#define RW_COUNT   0x3fffffffu
#define SPIN_BEFORE_PARK 200
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
        __atomic_fetch_and(flags, (u16)~FLAG_OOPSED, __ATOMIC_RELAXED);
        k_print("lock %x: its last holder died of an oops\n", (u64)lock, 0, 0);
}

static inline void taken(enum held_kind kind, void *lock, u16 *flags)
{
        held_push(kind, lock);          /* S2 */
        if (__builtin_expect(*flags, 0))
                say_oopsed(flags, lock);
}

/* ---- preemption ---- */

void preempt_disable(void)
{
        held_room();
        preempt_add(PREEMPT_ONE);
        held_push(HELD_PREEMPT, HELD_NOTHING);
}

void preempt_enable(void)
{
        if (!held_pop(HELD_PREEMPT, HELD_NOTHING))
                __builtin_trap();
        preempt_sub_check(PREEMPT_ONE);
}

/* ---- spin locks ---- */

static void noinline spin_wait(struct spinlock *l, u32 mine)
{
        do {
                if (load(&l->word_k) == mine)
                        __builtin_trap();               /* ours already */
                while (load(&l->word_k))
                        __builtin_ia32_pause();
        } while (!swap(&l->word_k, 0, mine));
}

void spin_lock(struct spinlock *l)
{
        held_room();
        order_taking(l->class_k, true);
        preempt_add(PREEMPT_ONE);
        u32 mine = cpu_id() + 1;
        if (__builtin_expect(!swap(&l->word_k, 0, mine), 0))
                spin_wait(l, mine);
        taken(HELD_SPIN, l, &l->flags_k);
}

bool spin_trylock(struct spinlock *l)
{
        held_room();
        preempt_add(PREEMPT_ONE);
        if (!swap(&l->word_k, 0, cpu_id() + 1)) {
                preempt_sub_check(PREEMPT_ONE);
                return false;
        }
        taken(HELD_SPIN, l, &l->flags_k);
        return true;
}

void spin_unlock(struct spinlock *l)
{
        if (__builtin_expect(l->word_k != cpu_id() + 1 || !held_pop(HELD_SPIN, l), 0))
                __builtin_trap();
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
        __atomic_exchange_n(&t->lock_granted, 1, __ATOMIC_SEQ_CST);     /* W1 */
        if (sched_claim(t, TS_LOCK)) {
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
                        b = bucket_lock(lock);
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

/* While its holder runs on another CPU and nobody queues, waiting a little is cheaper than a switch. */
static bool mutex_spin(struct mutex *m, u32 id)
{
        for (u32 i = 0; cpus_online > 1 && i < SPIN_BEFORE_PARK; i++) {
                u32 owner = load(&m->owner_k);
                struct task *t = owner ? task_by_id(owner) : NULL;
                if (!owner && swap(&m->owner_k, 0, id))
                        return true;
                if (owner && (owner & M_WAITERS || !t || load(&t->state) != TS_RUNNING))
                        return false;
                __builtin_ia32_pause();
        }
        return false;
}

static err_t noinline mutex_wait(struct mutex *m, u32 id, bool killable)
{
        if ((load(&m->owner_k) & ~M_WAITERS) == id)
                __builtin_trap();                       /* ours already */
        if (mutex_spin(m, id))
                return OK;
        struct bucket *b = bucket_lock(m);
        for (;;) {                                      /* S3 */
                u32 owner = load(&m->owner_k);
                if (!owner && swap(&m->owner_k, 0, id)) {
                        bucket_unlock(b);
                        return OK;
                }
                if (owner && (owner & M_WAITERS || swap(&m->owner_k, owner, owner | M_WAITERS)))
                        return wait_grant(b, m, WN_MUTEX, killable);
        }
}

void mutex_lock(struct mutex *m)
{
        assert_may_sleep();
        held_room();
        order_taking(m->class_k, false);
        u32 id = my_id();
        if (__builtin_expect(!swap(&m->owner_k, 0, id), 0))
                ignore(mutex_wait(m, id, false));
        taken(HELD_MUTEX, m, &m->flags_k);
}

err_t mutex_lock_killable(struct mutex *m)
{
        assert_may_sleep();
        held_room();
        order_taking(m->class_k, false);
        u32 id = my_id();
        if (!swap(&m->owner_k, 0, id))
                TRY(mutex_wait(m, id, true));
        taken(HELD_MUTEX, m, &m->flags_k);
        return OK;
}

bool mutex_trylock(struct mutex *m)
{
        assert_may_sleep();
        held_room();
        if (!swap(&m->owner_k, 0, my_id()))
                return false;
        taken(HELD_MUTEX, m, &m->flags_k);
        return true;
}

static void noinline mutex_hand_over(struct mutex *m)
{
        struct task *chain = NULL;
        struct bucket *b = bucket_lock(m);
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
        u32 id = my_id();

        if (__builtin_expect((load(&m->owner_k) & ~M_WAITERS) != id || !held_pop(HELD_MUTEX, m), 0))
                __builtin_trap();
        if (__builtin_expect(!swap(&m->owner_k, id, 0), 0))
                mutex_hand_over(m);
}

bool mutex_is_mine(struct mutex *m) { return (load(&m->owner_k) & ~M_WAITERS) == my_id(); }

/* ---- reader-writer locks ---- */

static void rw_enter(struct rwlock *l)
{
        assert_may_sleep();
        held_room();
        order_taking(l->class_k, false);
        if (held_has(HELD_READ, l) || held_has(HELD_WRITE, l))
                __builtin_trap();
}

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

static void noinline rw_wait(struct rwlock *l, u32 kind)
{
        struct bucket *b = bucket_lock(l);

        for (;;) {                                      /* S3 */
                if (kind == WN_READ ? add_reader(l) : set_writer(l)) {
                        bucket_unlock(b);
                        return;
                }
                u32 old = load(&l->word_k);
                if (old && (old & RW_WAITERS || swap(&l->word_k, old, old | RW_WAITERS))) {
                        ignore(wait_grant(b, l, kind, false));
                        return;
                }
        }
}

void read_lock(struct rwlock *l)
{
        rw_enter(l);
        if (!add_reader(l))
                rw_wait(l, WN_READ);
        taken(HELD_READ, l, &l->flags_k);
}

void write_lock(struct rwlock *l)
{
        rw_enter(l);
        if (!set_writer(l))
                rw_wait(l, WN_WRITE);
        taken(HELD_WRITE, l, &l->flags_k);
}

bool read_trylock(struct rwlock *l)
{
        rw_enter(l);
        if (!add_reader(l))
                return false;
        taken(HELD_READ, l, &l->flags_k);
        return true;
}

bool write_trylock(struct rwlock *l)
{
        rw_enter(l);
        if (!set_writer(l))
                return false;
        taken(HELD_WRITE, l, &l->flags_k);
        return true;
}

/* Nobody holds it (or only `readers` do): the first in the queue do now; a writer alone, or the readers up to one.
 * The word is set before anybody hears of it: they may let go at once. */
static void noinline rw_hand_over(struct rwlock *l, u32 readers)
{
        struct task *chain = NULL;
        struct bucket *b = bucket_lock(l);
        struct wnode *first = first_of(b->head, l), *rest = first;
        u32 word = readers, n = 0;

        if (first && first->kind == WN_WRITE && !readers) {
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

static void drop_reader(struct rwlock *l)
{
        u32 now = __atomic_sub_fetch(&l->word_k, 1, __ATOMIC_SEQ_CST);
        if (now == RW_WAITERS)
                rw_hand_over(l, 0);
}

static void drop_writer(struct rwlock *l)
{
        l->writer_k = 0;
        if (!swap(&l->word_k, RW_WRITER, 0))
                rw_hand_over(l, 0);
}

static bool is_writer(const struct rwlock *l) { return load(&l->word_k) & RW_WRITER && l->writer_k == my_id(); }

void read_unlock(struct rwlock *l)
{
        if (__builtin_expect(!(load(&l->word_k) & RW_COUNT) || !held_pop(HELD_READ, l), 0))
                __builtin_trap();
        drop_reader(l);
}

void write_unlock(struct rwlock *l)
{
        if (__builtin_expect(!is_writer(l) || !held_pop(HELD_WRITE, l), 0))
                __builtin_trap();
        drop_writer(l);
}

void write_downgrade(struct rwlock *l)
{
        if (!is_writer(l) || !held_pop(HELD_WRITE, l))
                __builtin_trap();
        l->writer_k = 0;
        if (!swap(&l->word_k, RW_WRITER, 1))
                rw_hand_over(l, 1);
        held_push(HELD_READ, l);
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

        switch (kind) {
        case HELD_SPIN:
                if (load(&s->word_k) == cpu_id() + 1) {
                        s->flags_k |= FLAG_OOPSED;
                        __atomic_store_n(&s->word_k, 0, __ATOMIC_RELEASE);
                }
                break;
        case HELD_MUTEX:
                if (mutex_is_mine(m)) {
                        m->flags_k |= FLAG_OOPSED;
                        mutex_hand_over(m);
                }
                break;
        case HELD_READ:
                if (load(&l->word_k) & RW_COUNT) {
                        l->flags_k |= FLAG_OOPSED;
                        drop_reader(l);
                }
                break;
        case HELD_WRITE:
                if (is_writer(l)) {
                        l->flags_k |= FLAG_OOPSED;
                        drop_writer(l);
                }
                break;
        default:
                break;
        }
}
