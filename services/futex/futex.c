/* SPDX-License-Identifier: Apache-2.0
 *
 * futex(2): threads that sleep until another says that a word of user memory has changed.
 *
 * A waiter is the thread itself, queued by its key in a bucket of one hash table; nothing is
 * allocated.  The word is compared under the bucket's lock, with a copy that does not fault,
 * and a waker takes the same lock: whoever changes the word and then wakes finds either the
 * waiter in the queue or one that has yet to compare.  If the word's page is not there, the
 * lock is let go, the page made present, and all is done again.
 *
 * A waker takes the waiter off the queue, sets `woken`, and wakes it: the waiter, seeing
 * that, need not take the lock.
 *
 * Keys      A private word: address space and address.  A shared one: the file's mapping and
 *           the offset.  The waiter holds its own key while it sleeps; a key it was requeued
 *           to is not held: should it die and its object be reused, a wake-up too many comes
 *           of it, which futexes allow.
 * Locking   bucket.lock, a leaf but for the run queues; of two buckets the lower is first.
 *           thread.futex is guarded by the lock of bucket thread.futex.bucket.
 */
#include "services/futex/futex.h"
#include "services/process/pid.h"
#include "services/sched/sched.h"
#include "services/time/clock.h"
#include "services/vm/vm.h"
#include "services/vfs/mapping.h"
#include "abi/linux/process.h"
#include "abi/const/process.h"
#include "abi/const/time.h"

#define BUCKETS 256u
#define ROBUST_MAX 2048u                /* entries of a robust list that are looked at */

STABLE(futex_bucket) {
        struct spinlock lock;
        u32 waiters;                    /* queued here or about to be; lock, LOAD: a waker need not look into an empty one */
        struct thread *first, *last;    /* lock */
} CACHE_ALIGNED;
LOCK_CLASS_DECLARE(futex_bucket);
LOCK_CLASS(futex_bucket, AFTER(futex_bucket));  /* of two the lower first */
/* Shared by all: keys tell address spaces and files apart, so namespaces share nothing here that they could name. */
static struct futex_bucket table[BUCKETS];

void futex_init(void)
{
        for (u32 i = 0; i < BUCKETS; i++)
                lock_init(&table[i].lock, futex_bucket);
}

/* ---- Keys ---- */

struct key { struct vm_key of; u32 bucket; };

static err_t key_get(u64 addr, bool shared, bool write, struct key *key)
{
        if (addr & 3)
                return ERR(EINVAL);
        TRY(vm_key_get(addr, shared, write, &key->of));
        /* Two words that differ only in their object share a bucket: so be it. */
        key->bucket = hash_u64(key->of.at) % BUCKETS;
        return OK;
}

static bool is_waiting_for(const struct thread *t, const struct key *key)
{
        return t->futex.at == key->of.at && t->futex.vm == key->of.vm && t->futex.mapping == key->of.mapping;
}

/* What a queued thread waits for: a wake-up; a PI lock; a wake-up that moves it to a PI lock. */
enum { WAKE_UP, PI_LOCK, TO_PI_LOCK };

static void let_go_of_owner(struct thread *t);

/* ---- Queues; the bucket's lock is held ---- */

static void queue_locked(struct thread *t, const struct key *key)
{
        struct futex_bucket *b = &table[key->bucket];

        t->futex.vm = key->of.vm;
        t->futex.mapping = key->of.mapping;
        t->futex.at = key->of.at;
        STORE(t->futex.bucket, key->bucket);
        t->futex.queued = true;
        t->futex.next = NULL;
        t->futex.prev = b->last;
        if (b->last)
                b->last->futex.next = t;
        else
                b->first = t;
        b->last = t;
}

static void unqueue_locked(struct thread *t)
{
        struct futex_bucket *b = &table[t->futex.bucket % BUCKETS];

        if (t->futex.prev)
                t->futex.prev->futex.next = t->futex.next;
        else
                b->first = t->futex.next;
        if (t->futex.next)
                t->futex.next->futex.prev = t->futex.prev;
        else
                b->last = t->futex.prev;
        t->futex.next = NULL;
        t->futex.prev = NULL;
        t->futex.queued = false;
        STORE(b->waiters, b->waiters - 1);
        if (t->futex.kind == PI_LOCK)
                let_go_of_owner(t);
}

static void wake_locked(struct thread *t)
{
        unqueue_locked(t);
        STORE(t->futex.woken, 1u);
        task_wake(t->base.task);
}

static u32 wake_key_locked(const struct key *key, u32 n, u32 bitset)
{
        u32 woken = 0;

        for (struct thread *t = table[key->bucket].first; t && woken < n;) {
                struct thread *next = t->futex.next;
                if (is_waiting_for(t, key) && (t->futex.bitset & bitset) && t->futex.kind == WAKE_UP) {
                        wake_locked(t);
                        woken++;
                }
                t = next;
        }
        return woken;
}

/* Somebody waits there for a PI lock: not to be woken or moved by the plain operations. */
static bool has_pi_locked(const struct key *key)
{
        for (struct thread *t = table[key->bucket].first; t; t = t->futex.next)
                if (is_waiting_for(t, key) && t->futex.kind != WAKE_UP)
                        return true;
        return false;
}

static void lock_two(const struct key *a, const struct key *b)
{
        u32 low = min_u32(a->bucket, b->bucket), high = a->bucket ^ b->bucket ^ low;
        spin_lock(&table[low].lock);
        if (high != low)
                spin_lock(&table[high].lock);
}

static void unlock_two(const struct key *a, const struct key *b)
{
        spin_unlock(&table[a->bucket].lock);
        if (a->bucket != b->bucket)
                spin_unlock(&table[b->bucket].lock);
}

/* ---- Waiting ---- */

/* deadline: ns since boot, or if `wall`, on the wall clock, which may be set meanwhile; NEVER. */
struct wait { u64 addr; u32 val, bitset; bool shared, wall; u64 deadline; };

/* Queues the current thread if the word is val.  EAGAIN: it is not. */
static err_t wait_begin(struct thread *t, const struct wait *w, const struct key *key)
{
        struct futex_bucket *b = &table[key->bucket];

        for (;;) {
                u32 now = 0;
                spin_lock(&b->lock);
                FETCH_ADD(b->waiters, 1u);      /* before the word is read: pairs with wake's barrier */
                bool present = user_load32(w->addr, &now);
                if (present && now == w->val) {
                        t->futex.bitset = w->bitset;
                        STORE(t->futex.woken, 0u);
                        queue_locked(t, key);
                } else {
                        STORE(b->waiters, b->waiters - 1);
                }
                spin_unlock(&b->lock);
                if (present)
                        return now == w->val ? OK : ERR(EAGAIN);
                TRY(vm_fault_in(w->addr, 4, false));
        }
}

/* Off the queue, wherever a requeue has put it.  True: it was woken before. */
static bool wait_end(struct thread *t)
{
        while (!LOAD(t->futex.woken)) {
                u32 bucket = LOAD(t->futex.bucket);
                spin_lock(&table[bucket].lock);
                bool here = t->futex.bucket == bucket && t->futex.queued;
                if (here)
                        unqueue_locked(t);
                spin_unlock(&table[bucket].lock);
                if (here)
                        return false;
        }
        return true;
}

#define CLOCK_WAS_SET 2u                /* futex.woken: look at the deadline again */

static void clock_set(struct notifier *n)
{
        struct thread *t = OWNER_OF(thread, futex_clock, n);

        if (CMPXCHG(t->futex.woken, 0u, CLOCK_WAS_SET))
                task_wake(t->base.task);
}

/* As sleep_woken, till a time of the wall clock, which may be set meanwhile. */
static err_t sleep_wall(struct thread *t, const struct wait *w, const struct key *key)
{
        err_t err = OK;

        TRY(notifier_init(&t->futex_clock, clock_set));
        struct waiter on_set = notifier_waiter(&t->futex_clock);
        waiter_add(&on_set, clock_changed());
        err_t begun = wait_begin(t, w, key);
        if (succeeded(begun)) {
                do {
                        (void)CMPXCHG(t->futex.woken, CLOCK_WAS_SET, 0u);
                        err = task_sleep_while(&t->futex.woken, 0, WAIT_INTERRUPTIBLE, clock_deadline(CLOCK_REALTIME, true, w->deadline));
                } while (succeeded(err) && LOAD(t->futex.woken) == CLOCK_WAS_SET);
        }
        notifier_fini(&t->futex_clock);
        if (failed(begun))
                return begun;
        (void)CMPXCHG(t->futex.woken, CLOCK_WAS_SET, 0u);
        return wait_end(t) ? OK : err;
}

static err_t sleep_woken(struct thread *t, const struct wait *w, const struct key *key)
{
        if (w->wall)
                return sleep_wall(t, w, key);
        TRY(wait_begin(t, w, key));
        err_t err = task_sleep_while(&t->futex.woken, 0, WAIT_INTERRUPTIBLE, w->deadline);
        return wait_end(t) ? OK : err;
}

static err_t wait(struct thread *t, const struct wait *w)
{
        struct key key = {};

        TRY(key_get(w->addr, w->shared, false, &key));
        err_t err = sleep_woken(t, w, &key);
        vm_key_put(&key.of);
        if (!err_is(err, EINTR))
                return err;
        if (w->deadline == NEVER)
                return ERR(ERESTARTSYS);
        t->restart.kind = RESTART_FUTEX;
        t->restart.deadline = w->deadline;
        t->restart.clock = w->wall ? CLOCK_REALTIME : CLOCK_MONOTONIC;
        t->restart.arg[0] = w->addr;
        t->restart.arg[1] = w->val;
        t->restart.arg[2] = w->bitset;
        t->restart.arg[3] = w->shared;
        return ERR(ERESTART_RESTARTBLOCK);
}

err_t futex_resume(struct thread *t)
{
        struct wait w = {
                .addr = t->restart.arg[0], .val = (u32)t->restart.arg[1], .bitset = (u32)t->restart.arg[2],
                .shared = t->restart.arg[3] != 0, .wall = t->restart.clock == CLOCK_REALTIME, .deadline = t->restart.deadline,
        };
        return wait(t, &w);
}

/* ---- Waking and moving ---- */

static err_t wake(u64 addr, bool shared, u32 n, u32 bitset, u64 *result)
{
        struct key key = {};
        bool misused = false;

        if (!bitset)
                return ERR(EINVAL);
        TRY(key_get(addr, shared, false, &key));
        *result = 0;
        /* The caller's store to the word comes before the look at the queue. */
        if (!LOAD(table[key.bucket].waiters))
                memory_barrier();
        if (LOAD(table[key.bucket].waiters)) {
                SPIN_GUARD(&table[key.bucket].lock);
                *result = wake_key_locked(&key, n, bitset);
                misused = *result < n && has_pi_locked(&key);
        }
        vm_key_put(&key.of);
        return misused ? ERR(EINVAL) : OK;
}

u32 futex_wake_addr(u64 addr, u32 n)
{
        u64 private = 0, shared = 0;

        ignore(wake(addr, false, n, FUTEX_BITSET_MATCH_ANY, &private));
        if (private < n)
                ignore(wake(addr, true, n - (u32)private, FUTEX_BITSET_MATCH_ANY, &shared));
        return (u32)(private + shared);
}

struct requeue { u64 from, to; u32 wake, move; bool shared, compare; u32 expected; };

/* Both buckets are locked.  EINVAL: somebody waits there for a PI lock, whom this must not move. */
static err_t requeue_locked(const struct requeue *r, const struct key *from, const struct key *to, u64 *result)
{
        if (has_pi_locked(from))
                return ERR(EINVAL);
        bool onto_itself = from->of.at == to->of.at && from->of.vm == to->of.vm && from->of.mapping == to->of.mapping;
        u64  n = wake_key_locked(from, r->wake, FUTEX_BITSET_MATCH_ANY);
        u32  moved = 0;

        /* What is put behind the others in the same bucket waits for another key then, so the walk ends. */
        for (struct thread *t = table[from->bucket].first; t && moved < r->move;) {
                struct thread *next = t->futex.next;
                if (is_waiting_for(t, from)) {
                        if (!onto_itself) {
                                unqueue_locked(t);
                                FETCH_ADD(table[to->bucket].waiters, 1u);
                                queue_locked(t, to);
                        }
                        moved++;
                }
                t = next;
        }
        *result = n + moved;
        return OK;
}

static err_t requeue(const struct requeue *r, u64 *result)
{
        struct key from = {}, to = {};
        err_t err;

        if (r->wake > I32_MAX || r->move > I32_MAX)
                return ERR(EINVAL);
        TRY(key_get(r->from, r->shared, false, &from));
        err = key_get(r->to, r->shared, true, &to);
        if (failed(err)) {
                vm_key_put(&from.of);
                return err;
        }
        for (;;) {
                u32 now = 0;
                lock_two(&from, &to);
                bool present = !r->compare || user_load32(r->from, &now);
                bool same = !r->compare || now == r->expected;
                err = same ? OK : ERR(EAGAIN);
                if (present && same)
                        err = requeue_locked(r, &from, &to, result);
                unlock_two(&from, &to);
                if (present)
                        break;
                err = vm_fault_in(r->from, 4, false);
                if (failed(err))
                        break;
        }
        vm_key_put(&to.of);
        vm_key_put(&from.of);
        return err;
}

/* ---- FUTEX_WAKE_OP ---- */

struct word_op { u32 op, cmp; u32 oparg, cmparg; };

static i32 sign_extend12(u32 v) { return (i32)(v << 20) >> 20; }

static struct word_op decode_op(u32 code)
{
        struct word_op o = {
                .op = code >> 28 & 7, .cmp = code >> 24 & 15,
                .oparg = (u32)sign_extend12(code >> 12 & 0xfff), .cmparg = (u32)sign_extend12(code & 0xfff),
        };
        if (code >> 28 & FUTEX_OP_OPARG_SHIFT)
                o.oparg = 1u << (o.oparg & 31);
        return o;
}

static u32 op_value(const struct word_op *o, u32 old)
{
        switch (o->op) {
        case FUTEX_OP_SET:
                return o->oparg;
        case FUTEX_OP_ADD:
                return old + o->oparg;
        case FUTEX_OP_OR:
                return old | o->oparg;
        case FUTEX_OP_ANDN:
                return old & ~o->oparg;
        default:
                return old ^ o->oparg;
        }
}

static bool op_compare(const struct word_op *o, u32 old)
{
        i32 a = (i32)old, b = (i32)o->cmparg;
        switch (o->cmp) {
        case FUTEX_OP_CMP_EQ:
                return a == b;
        case FUTEX_OP_CMP_NE:
                return a != b;
        case FUTEX_OP_CMP_LT:
                return a < b;
        case FUTEX_OP_CMP_LE:
                return a <= b;
        case FUTEX_OP_CMP_GT:
                return a > b;
        default:
                return a >= b;
        }
}

/* The word is changed, both buckets locked.  False: its page is not there. */
static bool change_locked(u64 addr, const struct word_op *o, u32 *old)
{
        u32 seen = 0;
        if (!user_load32(addr, old))
                return false;
        for (;;) {
                if (!user_cmpxchg32(addr, *old, op_value(o, *old), &seen))
                        return false;
                if (seen == *old)
                        return true;
                *old = seen;
        }
}

static err_t wake_op_keys(const struct futex_args *a, const struct key *first, const struct key *second, u64 *result)
{
        struct word_op o = decode_op(a->val3);
        u32 old = 0;

        if (o.op > FUTEX_OP_XOR || o.cmp > FUTEX_OP_CMP_GE)
                return ERR(ENOSYS);
        for (;;) {
                lock_two(first, second);
                bool done = change_locked(a->addr2, &o, &old);
                if (done) {
                        *result = wake_key_locked(first, a->val, FUTEX_BITSET_MATCH_ANY);
                        if (op_compare(&o, old))
                                *result += wake_key_locked(second, a->val2, FUTEX_BITSET_MATCH_ANY);
                }
                unlock_two(first, second);
                if (done)
                        return OK;
                TRY(vm_fault_in(a->addr2, 4, true));
        }
}

static err_t wake_op(const struct futex_args *a, bool shared, u64 *result)
{
        struct key first = {}, second = {};

        TRY(key_get(a->addr, shared, false, &first));
        err_t err = key_get(a->addr2, shared, true, &second);
        if (succeeded(err)) {
                err = wake_op_keys(a, &first, &second, result);
                vm_key_put(&second.of);
        }
        vm_key_put(&first.of);
        return err;
}

/* ---- Priority inheritance ----
 *
 * The word holds the owner's tid, FUTEX_WAITERS, FUTEX_OWNER_DIED.  A waiter is queued with `owner` set, and lends it its
 * real-time priority; the owner keeps the highest that was lent until nobody waits for any of its locks.  Unlocking gives the lock to the
 * best waiter, in the word, under the bucket's lock.  A thread that ends sends all that wait for it to look again. */

#define CHAIN_MAX 1024u                 /* how far a chain of owners is followed */

static void lend(struct thread *owner, u32 priority)
{
        for (u32 i = 0; owner && priority && i < CHAIN_MAX; i++) {
                sched_boost(owner, priority);
                owner = LOAD(owner->futex.queued) && owner->futex.kind == PI_LOCK ? PTR_LOAD(owner->futex.owner) : NULL;
        }
}

static void let_go_of_owner(struct thread *t)
{
        struct thread *owner = t->futex.owner;

        t->futex.owner = NULL;
        if (owner && FETCH_SUB(owner->futex.holds_up, 1u) == 1)
                sched_boost(owner, 0);
}

static void set_owner_locked(struct thread *t, struct thread *owner)
{
        FETCH_ADD(owner->futex.holds_up, 1u);
        PTR_STORE(t->futex.owner, owner);
        lend(owner, sched_rt_priority(t));
}

/* The best waiter of this kind: of the highest priority the one that came first. */
static struct thread *best_locked(const struct key *key, u32 kind)
{
        struct thread *best = NULL;

        for (struct thread *t = table[key->bucket].first; t; t = t->futex.next)
                if (is_waiting_for(t, key) && t->futex.kind == kind &&
                    (!best || sched_rt_priority(t) > sched_rt_priority(best)))
                        best = t;
        return best;
}

/* All that wait for the lock now wait for `owner`. */
static void adopt_locked(const struct key *key, struct thread *owner)
{
        for (struct thread *t = table[key->bucket].first; t; t = t->futex.next)
                if (is_waiting_for(t, key) && t->futex.kind == PI_LOCK && t->futex.owner != owner) {
                        let_go_of_owner(t);
                        set_owner_locked(t, owner);
                }
}

static void give_locked(struct thread *t)
{
        t->futex.given = true;
        wake_locked(t);
}

static bool waits_for(struct thread *at, struct thread *t)
{
        for (u32 i = 0; at && i < CHAIN_MAX; i++) {
                if (at == t)
                        return true;
                at = LOAD(at->futex.queued) && at->futex.kind == PI_LOCK ? PTR_LOAD(at->futex.owner) : NULL;
        }
        return false;
}

struct pi { u64 addr; bool shared, try; u64 deadline; };
enum pi_step { PI_DONE, PI_AGAIN, PI_QUEUED };

static bool exchange(u64 addr, u32 old, u32 new)
{
        u32 seen = 0;
        return user_cmpxchg32(addr, old, new, &seen) && seen == old;
}

static err_t take_free_locked(struct thread *t, const struct pi *p, const struct key *key, u32 word, enum pi_step *step)
{
        bool others = best_locked(key, PI_LOCK) != NULL;

        if (exchange(p->addr, word, t->tid | (word & FUTEX_OWNER_DIED) | (others ? FUTEX_WAITERS : 0))) {
                adopt_locked(key, t);
                *step = PI_DONE;
        }
        return OK;
}

/* inherit: the owner has ended while this thread waited for it. */
static err_t take_or_queue_locked(struct thread *t, const struct pi *p, const struct key *key, u32 word, struct thread *owner,
                                  bool inherit, enum pi_step *step)
{
        if (!(word & FUTEX_TID_MASK))
                return take_free_locked(t, p, key, word, step);
        if (!owner || LOAD(owner->futex.gone)) {
                if (!inherit)
                        return ERR(ESRCH);
                if (exchange(p->addr, word, t->tid | FUTEX_WAITERS | FUTEX_OWNER_DIED)) {
                        adopt_locked(key, t);
                        *step = PI_DONE;
                }
                return OK;
        }
        if (p->try)
                return ERR(EAGAIN);
        if (waits_for(owner, t))
                return ERR(EDEADLK);
        if (!(word & FUTEX_WAITERS) && !exchange(p->addr, word, word | FUTEX_WAITERS))
                return OK;
        struct futex_bucket *b = &table[key->bucket];
        STORE(b->waiters, b->waiters + 1);
        t->futex.kind = PI_LOCK;
        t->futex.given = false;
        t->futex.bitset = FUTEX_BITSET_MATCH_ANY;
        STORE(t->futex.woken, 0u);
        queue_locked(t, key);
        set_owner_locked(t, owner);
        memory_barrier();               /* it ends now: either it finds this thread, or this thread that it is gone */
        if (LOAD(owner->futex.gone))
                unqueue_locked(t);
        else
                *step = PI_QUEUED;
        return OK;
}

static err_t pi_step(struct thread *t, const struct pi *p, const struct key *key, bool inherit, enum pi_step *step)
{
        u32 word = 0, now = 0;

        *step = PI_AGAIN;
        TRY(vm_fault_in(p->addr, 4, true));
        TRY(vm_load32(p->addr, &word));
        if ((word & FUTEX_TID_MASK) == t->tid)
                return ERR(EDEADLK);
        struct thread *owner = word & FUTEX_TID_MASK ? thread_find(pid_ns_current(), word & FUTEX_TID_MASK) : NULL;
        spin_lock(&table[key->bucket].lock);
        err_t err = OK;
        if (user_load32(p->addr, &now) && now == word)
                err = take_or_queue_locked(t, p, key, word, owner, inherit, step);
        spin_unlock(&table[key->bucket].lock);
        thread_drop(owner);
        return err;
}

static err_t pi_lock_key(struct thread *t, const struct pi *p, const struct key *key, bool inherit)
{
        for (;;) {
                enum pi_step step = PI_AGAIN;
                TRY(pi_step(t, p, key, inherit, &step));
                if (step == PI_DONE)
                        return OK;
                if (step == PI_AGAIN) {
                        if (task_interrupts() & INTR_KILL)
                                return ERR(EINTR);
                        continue;
                }
                err_t err = task_sleep_while(&t->futex.woken, 0, WAIT_INTERRUPTIBLE, p->deadline);
                if (!wait_end(t))
                        return err_is(err, EINTR) ? ERR(ERESTARTNOINTR) : err;
                if (t->futex.given)
                        return OK;
                inherit = true;
        }
}

static err_t pi_lock(const struct pi *p)
{
        struct thread *t = thread_current();
        struct key key = {};

        TRY(key_get(p->addr, p->shared, true, &key));
        err_t err = pi_lock_key(t, p, &key, false);
        t->futex.kind = WAKE_UP;
        vm_key_put(&key.of);
        return err;
}

/* True: done, or *err says why not; false: again. */
static bool pi_unlock_locked(struct thread *t, u64 addr, const struct key *key, u32 word, err_t *err)
{
        struct thread *top = best_locked(key, PI_LOCK);

        if (!top) {
                if (best_locked(key, WAKE_UP) || best_locked(key, TO_PI_LOCK)) {
                        *err = ERR(EINVAL);
                        return true;
                }
                return exchange(addr, word, 0);
        }
        if (!exchange(addr, word, FUTEX_WAITERS | top->tid))
                return false;
        (void)t;
        give_locked(top);
        adopt_locked(key, top);
        return true;
}

static err_t pi_unlock(u64 addr, bool shared)
{
        struct thread *t = thread_current();
        struct key key = {};
        err_t err = OK;

        TRY(key_get(addr, shared, true, &key));
        for (bool done = false; !done && succeeded(err);) {
                u32 word = 0, now = 0;
                err = vm_fault_in(addr, 4, true);
                if (succeeded(err))
                        err = vm_load32(addr, &word);
                if (succeeded(err) && (word & FUTEX_TID_MASK) != t->tid)
                        err = ERR(EPERM);
                if (failed(err))
                        break;
                spin_lock(&table[key.bucket].lock);
                if (user_load32(addr, &now) && now == word)
                        done = pi_unlock_locked(t, addr, &key, word, &err);
                spin_unlock(&table[key.bucket].lock);
        }
        vm_key_put(&key.of);
        return err;
}

/* t ends: all that wait for it look again. */
static void pi_exit(struct thread *t)
{
        if (t->exiting)
                STORE(t->futex.gone, true);
        memory_barrier();
        for (u32 i = 0; i < BUCKETS && LOAD(t->futex.holds_up); i++) {
                struct thread *next;
                SPIN_GUARD(&table[i].lock);
                for (struct thread *at = table[i].first; at; at = next) {
                        next = at->futex.next;
                        if (at->futex.kind == PI_LOCK && at->futex.owner == t)
                                wake_locked(at);
                }
        }
}

/* ---- Moving to a PI lock ---- */

static bool same_key(const struct key *a, const struct key *b)
{
        return a->of.at == b->of.at && a->of.vm == b->of.vm && a->of.mapping == b->of.mapping;
}

static err_t wait_moved(struct thread *t, const struct wait *w, const struct pi *p, const struct key *from, const struct key *to)
{
        t->futex.kind = TO_PI_LOCK;
        t->futex.given = false;
        t->futex.to.vm = to->of.vm;
        t->futex.to.mapping = to->of.mapping;
        t->futex.to.at = to->of.at;
        TRY(wait_begin(t, w, from));
        err_t err = task_sleep_while(&t->futex.woken, 0, WAIT_INTERRUPTIBLE, w->deadline);
        if (wait_end(t))
                return t->futex.given ? OK : pi_lock_key(t, p, to, true);
        if (!err_is(err, EINTR))
                return err;
        /* Moved already, it cannot begin anew. */
        return t->futex.kind == PI_LOCK ? ERR(EAGAIN) : ERR(ERESTARTNOINTR);
}

static err_t wait_requeue_pi(const struct futex_args *a, bool shared, u64 deadline)
{
        struct thread *t = thread_current();
        struct wait w = { .addr = a->addr, .val = a->val, .bitset = a->val3, .shared = shared, .deadline = deadline };
        struct pi p = { .addr = a->addr2, .shared = shared, .deadline = deadline };
        struct key from = {}, to = {};

        if (a->addr == a->addr2 || !a->val3)
                return ERR(EINVAL);
        TRY(key_get(a->addr2, shared, true, &to));
        err_t err = key_get(a->addr, shared, false, &from);
        if (succeeded(err)) {
                err = same_key(&from, &to) ? ERR(EINVAL) : wait_moved(t, &w, &p, &from, &to);
                t->futex.kind = WAKE_UP;
                vm_key_put(&from.of);
        }
        vm_key_put(&to.of);
        return err;
}

static bool goes_to(const struct thread *t, const struct key *to)
{
        return t->futex.kind == TO_PI_LOCK && t->futex.to.at == to->of.at && t->futex.to.vm == to->of.vm && t->futex.to.mapping == to->of.mapping;
}

static void move_locked(struct thread *t, const struct key *to, struct thread *owner)
{
        unqueue_locked(t);
        STORE(table[to->bucket].waiters, table[to->bucket].waiters + 1);
        t->futex.kind = PI_LOCK;
        queue_locked(t, to);
        set_owner_locked(t, owner);
}

/* Both buckets are locked, the second word is `word`.  False: it has changed. */
static bool requeue_pi_locked(const struct futex_args *a, const struct key *from, const struct key *to, u32 word, struct thread *owner,
                              u64 *result, err_t *err)
{
        struct thread *top = best_locked(from, TO_PI_LOCK);
        u32 moved = 0;

        if (best_locked(from, WAKE_UP) || best_locked(from, PI_LOCK) || (top && !goes_to(top, to))) {
                *err = ERR(EINVAL);
                return true;
        }
        if (!top)
                return true;
        bool is_free = (word & FUTEX_TID_MASK) == 0;
        if (!is_free && (!owner || LOAD(owner->futex.gone))) {
                *err = ERR(ESRCH);
                return true;
        }
        if (!exchange(a->addr2, word, is_free ? top->tid | FUTEX_WAITERS | (word & FUTEX_OWNER_DIED) : word | FUTEX_WAITERS))
                return false;
        if (is_free) {
                owner = top;
                give_locked(top);
                *result = 1;
        }
        /* Who could not be given the lock is moved besides those that were to be. */
        while (*result + moved < 1ul + a->val2 && (top = best_locked(from, TO_PI_LOCK)) && goes_to(top, to)) {
                move_locked(top, to, owner);
                moved++;
        }
        *result += moved;
        return true;
}

static err_t requeue_pi_keys(const struct futex_args *a, const struct key *from, const struct key *to, u64 *result)
{
        err_t err = OK;

        for (bool done = false; !done;) {
                u32 word = 0, now = 0, first = 0;
                TRY(vm_fault_in(a->addr2, 4, true));
                TRY(vm_fault_in(a->addr, 4, false));
                TRY(vm_load32(a->addr2, &word));
                struct thread *owner = word & FUTEX_TID_MASK ? thread_find(pid_ns_current(), word & FUTEX_TID_MASK) : NULL;
                lock_two(from, to);
                if (user_load32(a->addr, &first) && user_load32(a->addr2, &now) && now == word) {
                        done = true;
                        if (first != a->val3)
                                err = ERR(EAGAIN);
                        else
                                done = requeue_pi_locked(a, from, to, word, owner, result, &err);
                }
                unlock_two(from, to);
                thread_drop(owner);
        }
        return err;
}

static err_t requeue_pi(const struct futex_args *a, bool shared, u64 *result)
{
        struct key from = {}, to = {};

        if (a->addr == a->addr2 || a->val != 1 || a->val2 > I32_MAX)
                return ERR(EINVAL);
        TRY(key_get(a->addr, shared, false, &from));
        err_t err = key_get(a->addr2, shared, true, &to);
        if (succeeded(err)) {
                err = same_key(&from, &to) ? ERR(EINVAL) : requeue_pi_keys(a, &from, &to, result);
                vm_key_put(&to.of);
        }
        vm_key_put(&from.of);
        return err;
}

/* ---- futex(2) ---- */

/* Relative for FUTEX_WAIT, absolute for the others. */
static u64 deadline_of(const struct futex_args *a, bool absolute)
{
        u64 ns = a->timeout_ns;

        if (!a->has_timeout)
                return NEVER;
        if (!absolute) {
                u64 now = time_now();
                return add_overflows(now, ns) ? NEVER - 1 : now + ns;
        }
        return min_u64(ns, NEVER - 1);
}

/* As ns since boot, for good: who sets the clock later moves nothing. */
static u64 fixed_deadline(const struct futex_args *a)
{
        if (!a->has_timeout)
                return NEVER;
        return clock_deadline(a->op & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC, true, a->timeout_ns);
}

static err_t call_wait(const struct futex_args *a, bool shared, u32 bitset, bool absolute)
{
        if (!bitset)
                return ERR(EINVAL);
        struct wait w = { .addr = a->addr, .val = a->val, .bitset = bitset, .shared = shared,
                          .wall = absolute && a->has_timeout && (a->op & FUTEX_CLOCK_REALTIME),
                          .deadline = deadline_of(a, absolute) };
        return wait(thread_current(), &w);
}

err_t futex_call(struct futex_args a, u64 *result)
{
        bool shared = !(a.op & FUTEX_PRIVATE_FLAG);
        u32  cmd = a.op & ~(u32)(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
        u32  wakes = a.val ? a.val : 1;         /* as on Linux: waking none wakes one */

        *result = 0;
        if ((a.op & FUTEX_CLOCK_REALTIME) && cmd != FUTEX_WAIT && cmd != FUTEX_WAIT_BITSET && cmd != FUTEX_WAIT_REQUEUE_PI &&
            cmd != FUTEX_LOCK_PI2)
                return ERR(ENOSYS);
        switch (cmd) {
        case FUTEX_WAIT:
                return call_wait(&a, shared, FUTEX_BITSET_MATCH_ANY, false);
        case FUTEX_WAIT_BITSET:
                return call_wait(&a, shared, a.val3, true);
        case FUTEX_WAKE:
                return wake(a.addr, shared, wakes, FUTEX_BITSET_MATCH_ANY, result);
        case FUTEX_WAKE_BITSET:
                return wake(a.addr, shared, wakes, a.val3, result);
        case FUTEX_REQUEUE:
        case FUTEX_CMP_REQUEUE: {
                struct requeue r = { .from = a.addr, .to = a.addr2, .wake = a.val, .move = a.val2, .shared = shared,
                                     .compare = cmd == FUTEX_CMP_REQUEUE, .expected = a.val3 };
                return requeue(&r, result);
        }
        case FUTEX_WAKE_OP:
                return wake_op(&a, shared, result);
        case FUTEX_LOCK_PI:
                a.op |= FUTEX_CLOCK_REALTIME;
                fallthrough;
        case FUTEX_LOCK_PI2:
        case FUTEX_TRYLOCK_PI: {
                struct pi p = { .addr = a.addr, .shared = shared, .try = cmd == FUTEX_TRYLOCK_PI, .deadline = fixed_deadline(&a) };
                return pi_lock(&p);
        }
        case FUTEX_UNLOCK_PI:
                return pi_unlock(a.addr, shared);
        case FUTEX_WAIT_REQUEUE_PI:
                a.val3 = FUTEX_BITSET_MATCH_ANY;
                return wait_requeue_pi(&a, shared, fixed_deadline(&a));
        case FUTEX_CMP_REQUEUE_PI:
                return requeue_pi(&a, shared, result);
        default:
                return ERR(ENOSYS);
        }
}

/* ---- Robust lists ---- */

/* The dead owner's mark goes into a word that is still its, and one waiter is told.  pending: the thread may have
 * died between unlocking (the word is 0) and waking. */
static void owner_died(struct thread *t, u64 addr, bool pending, bool pi)
{
        u32 old = 0, seen = 0;

        if ((addr & 3) || failed(vm_load32(addr, &old)))
                return;
        if (pending && old == 0) {
                if (!pi)
                        (void)futex_wake_addr(addr, 1);
                return;
        }
        while ((old & FUTEX_TID_MASK) == t->tid) {
                if (failed(vm_cmpxchg32(addr, old, (old & FUTEX_WAITERS) | FUTEX_OWNER_DIED, &seen)))
                        return;
                if (seen == old) {
                        if ((old & FUTEX_WAITERS) && !pi)
                                (void)futex_wake_addr(addr, 1);
                        return;
                }
                old = seen;
        }
}

/* Bit 0 of an entry says "priority inheriting": pi_exit wakes those. */
static bool is_pi(u64 entry) { return entry & 1; }

static void walk_robust(struct thread *t)
{
        struct linux_robust_list_head head = {};
        u64 entry, list = t->robust_list;

        if (failed(VM_GET(list, head)))
                return;
        entry = head.list;
        for (u32 i = 0; i < ROBUST_MAX && (entry & ~1ul) != list; i++) {
                u64 next = 0, at = entry & ~1ul;
                /* Read before the word is given up: the memory may be gone then. */
                bool more = succeeded(VM_GET(at, next));
                if (entry != head.list_op_pending)
                        owner_died(t, at + (u64)head.futex_offset, false, is_pi(entry));
                if (!more)
                        return;
                entry = next;
        }
        entry = head.list_op_pending;
        if (entry & ~1ul)
                owner_died(t, (entry & ~1ul) + (u64)head.futex_offset, true, is_pi(entry));
}

void futex_exit_robust(struct thread *t)
{
        if (t->robust_list)
                walk_robust(t);
        pi_exit(t);
}
