/* SPDX-License-Identifier: Apache-2.0
 *
 * futex(2): threads that sleep until another says that a word of user memory has changed.
 *
 * A waiter is a place in the queue of its key, in a bucket of one hash table: the thread's own (thread.futex), so that
 * nothing is allocated; or one of several, of futex_waitv (waitv.c).  The word is compared under the bucket's lock, with a
 * copy that does not fault, and a waker takes the same lock: whoever changes the word and then wakes finds either the
 * waiter in the queue or one that has yet to compare.  If the word's page is not there, the
 * lock is let go, the page made present, and all is done again.
 *
 * A waker takes the waiter off the queue, sets its thread's `futex_woken`, and wakes that: the thread, seeing
 * it, need not take the lock.
 *
 * Keys      A private word: address space and address.  A shared one: the file's mapping and
 *           the offset.  The waiter holds its own key while it sleeps; a key it was requeued
 *           to is not held: should it die and its object be reused, a wake-up too many comes
 *           of it, which futexes allow.
 * Locking   bucket.lock, a leaf but for pi.c's and the run queues; of two buckets the lower is first.
 *           A futex_waiter is guarded by the lock of bucket futex_waiter.bucket.
 */
#include "services/futex/futex_impl.h"
#include "services/time/clock.h"
#include "services/vfs/mapping.h"
#include "abi/linux/process.h"
#include "abi/const/time.h"

#define ROBUST_MAX 2048u                /* entries of a robust list that are looked at */

LOCK_CLASS_DECLARE(futex_bucket);
LOCK_CLASS(futex_bucket, AFTER(futex_bucket));  /* of two the lower first */
/* Shared by all: keys tell address spaces and files apart, so namespaces share nothing here that they could name. */
static struct futex_bucket table[FUTEX_BUCKETS];

void futex_init(void)
{
        for (u32 i = 0; i < FUTEX_BUCKETS; i++)
                lock_init(&table[i].lock, futex_bucket);
        futex_pi_init();
}

/* ---- Keys ---- */

err_t futex_key_get(u64 addr, bool shared, bool write, struct futex_key *key)
{
        if (addr & 3)
                return ERR(EINVAL);
        TRY(vm_key_get(addr, shared, write, &key->of));
        /* Two words that differ only in their object share a bucket: so be it. */
        key->bucket = hash_u64(key->of.at) % FUTEX_BUCKETS;
        return OK;
}

struct futex_bucket *futex_bucket_at(u32 i) { return &table[i % FUTEX_BUCKETS]; }
struct futex_bucket *futex_bucket_of(const struct futex_key *key) { return &table[key->bucket]; }

/* ---- Queues; the bucket's lock is held ---- */

void futex_queue_locked(struct futex_waiter *w, const struct futex_key *key)
{
        struct futex_bucket *b = &table[key->bucket];

        w->vm = key->of.vm;
        w->mapping = key->of.mapping;
        w->at = key->of.at;
        STORE(w->bucket, key->bucket);
        w->queued = true;
        w->next = NULL;
        w->prev = b->last;
        if (b->last)
                b->last->next = w;
        else
                b->first = w;
        b->last = w;
}

void futex_unqueue_locked(struct futex_waiter *w)
{
        struct futex_bucket *b = &table[w->bucket % FUTEX_BUCKETS];

        if (w->prev)
                w->prev->next = w->next;
        else
                b->first = w->next;
        if (w->next)
                w->next->prev = w->prev;
        else
                b->last = w->prev;
        w->next = NULL;
        w->prev = NULL;
        w->queued = false;
        STORE(b->waiters, b->waiters - 1);
        if (w->kind == PI_LOCK)
                futex_pi_let_go(w->thread);
}

void futex_tell(struct futex_waiter *w)
{
        struct thread *t = w->thread;
        struct task *task = t->base.task;       /* told, the thread may end, and be gone */

        STORE(t->futex_woken, 1u);
        task_wake(task);
}

static u32 wake_key_locked(const struct futex_key *key, u32 n, u32 bitset)
{
        u32 woken = 0;

        for (struct futex_waiter *w = table[key->bucket].first; w && woken < n;) {
                struct futex_waiter *next = w->next;
                if (futex_is_for(w, key) && (w->bitset & bitset) && w->kind == WAKE_UP) {
                        futex_wake_locked(w);
                        woken++;
                }
                w = next;
        }
        return woken;
}

/* Somebody waits there for a PI lock: not to be woken or moved by the plain operations. */
static bool has_pi_locked(const struct futex_key *key)
{
        for (struct futex_waiter *w = table[key->bucket].first; w; w = w->next)
                if (futex_is_for(w, key) && w->kind != WAKE_UP)
                        return true;
        return false;
}

void futex_lock_two(const struct futex_key *a, const struct futex_key *b)
{
        u32 low = min_u32(a->bucket, b->bucket), high = a->bucket ^ b->bucket ^ low;
        spin_lock(&table[low].lock);
        if (high != low)
                spin_lock(&table[high].lock);
}

void futex_unlock_two(const struct futex_key *a, const struct futex_key *b)
{
        spin_unlock(&table[a->bucket].lock);
        if (a->bucket != b->bucket)
                spin_unlock(&table[b->bucket].lock);
}

/* ---- Waiting ---- */

err_t futex_wait_begin(struct thread *t, struct futex_waiter *w, const struct futex_wait *what, const struct futex_key *key)
{
        struct futex_bucket *b = &table[key->bucket];

        for (;;) {
                u32 now = 0;
                spin_lock(&b->lock);
                FETCH_ADD(b->waiters, 1u);      /* before the word is read: pairs with wake's barrier */
                bool present = user_load32(what->addr, &now);
                if (present && now == what->val) {
                        w->thread = t;
                        w->bitset = what->bitset;
                        futex_queue_locked(w, key);
                } else {
                        STORE(b->waiters, b->waiters - 1);
                }
                spin_unlock(&b->lock);
                if (present)
                        return now == what->val ? OK : ERR(EAGAIN);
                TRY(vm_fault_in(what->addr, 4, false));
        }
}

bool futex_take_off(struct futex_waiter *w)
{
        for (;;) {
                u32 bucket = LOAD(w->bucket) % FUTEX_BUCKETS;
                SPIN_GUARD(&table[bucket].lock);
                if (w->bucket == bucket) {
                        bool queued = w->queued;
                        if (queued)
                                futex_unqueue_locked(w);
                        return queued;
                }
        }
}

bool futex_wait_end(struct thread *t) { return LOAD(t->futex_woken) || !futex_take_off(&t->futex); }

#define CLOCK_WAS_SET 2u                /* futex_woken: look at the deadline again */

static void clock_set(struct notifier *n)
{
        struct thread *t = OWNER_OF(thread, futex_clock, n);

        if (CMPXCHG(t->futex_woken, 0u, CLOCK_WAS_SET))
                task_wake(t->base.task);
}

err_t futex_clock_watch(struct thread *t)
{
        TRY(notifier_init(&t->futex_clock, clock_set));
        struct waiter on_set = notifier_waiter(&t->futex_clock);
        waiter_add(&on_set, clock_changed());
        return OK;
}

void futex_clock_unwatch(struct thread *t)
{
        notifier_fini(&t->futex_clock);
        (void)CMPXCHG(t->futex_woken, CLOCK_WAS_SET, 0u);
}

err_t futex_sleep(struct thread *t, bool wall, u64 deadline)
{
        err_t err = OK;

        if (!wall)
                return task_sleep_while(&t->futex_woken, 0, WAIT_INTERRUPTIBLE, deadline);
        do {
                (void)CMPXCHG(t->futex_woken, CLOCK_WAS_SET, 0u);
                err = task_sleep_while(&t->futex_woken, 0, WAIT_INTERRUPTIBLE, clock_deadline(CLOCK_REALTIME, true, deadline));
        } while (succeeded(err) && LOAD(t->futex_woken) == CLOCK_WAS_SET);
        return err;
}

static err_t sleep_woken(struct thread *t, const struct futex_wait *w, const struct futex_key *key)
{
        STORE(t->futex_woken, 0u);
        if (w->wall)
                TRY(futex_clock_watch(t));
        err_t begun = futex_wait_begin(t, &t->futex, w, key);
        err_t err = succeeded(begun) ? futex_sleep(t, w->wall, w->deadline) : begun;
        if (w->wall)
                futex_clock_unwatch(t);
        if (failed(begun))
                return begun;
        return futex_wait_end(t) ? OK : err;
}

static err_t wait(struct thread *t, const struct futex_wait *w)
{
        struct futex_key key = {};

        TRY(futex_key_get(w->addr, w->shared, false, &key));
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
        struct futex_wait w = {
                .addr = t->restart.arg[0], .val = (u32)t->restart.arg[1], .bitset = (u32)t->restart.arg[2],
                .shared = t->restart.arg[3] != 0, .wall = t->restart.clock == CLOCK_REALTIME, .deadline = t->restart.deadline,
        };
        return wait(t, &w);
}

/* ---- Waking and moving ---- */

static err_t wake(u64 addr, bool shared, u32 n, u32 bitset, u64 *result)
{
        struct futex_key key = {};
        bool misused = false;

        if (!bitset)
                return ERR(EINVAL);
        TRY(futex_key_get(addr, shared, false, &key));
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
        u64 woken = 0;

        ignore(wake(addr, true, n, FUTEX_BITSET_MATCH_ANY, &woken));
        return (u32)woken;
}

struct requeue { u64 from, to; u32 wake, move; bool shared, compare; u32 expected; };

/* Both buckets are locked.  EINVAL: somebody waits there for a PI lock, whom this must not move. */
static err_t requeue_locked(const struct requeue *r, const struct futex_key *from, const struct futex_key *to, u64 *result)
{
        if (has_pi_locked(from))
                return ERR(EINVAL);
        bool onto_itself = futex_same_key(from, to);
        u64  n = wake_key_locked(from, r->wake, FUTEX_BITSET_MATCH_ANY);
        u32  moved = 0;

        /* What is put behind the others in the same bucket waits for another key then, so the walk ends. */
        for (struct futex_waiter *w = table[from->bucket].first; w && moved < r->move;) {
                struct futex_waiter *next = w->next;
                if (futex_is_for(w, from)) {
                        if (!onto_itself) {
                                futex_unqueue_locked(w);
                                FETCH_ADD(table[to->bucket].waiters, 1u);
                                futex_queue_locked(w, to);
                        }
                        moved++;
                }
                w = next;
        }
        *result = n + moved;
        return OK;
}

static err_t requeue(const struct requeue *r, u64 *result)
{
        struct futex_key from = {}, to = {};
        err_t err;

        if (r->wake > I32_MAX || r->move > I32_MAX)
                return ERR(EINVAL);
        TRY(futex_key_get(r->from, r->shared, false, &from));
        err = futex_key_get(r->to, r->shared, true, &to);
        if (failed(err)) {
                vm_key_put(&from.of);
                return err;
        }
        for (;;) {
                u32 now = 0;
                futex_lock_two(&from, &to);
                bool present = !r->compare || user_load32(r->from, &now);
                bool same = !r->compare || now == r->expected;
                err = same ? OK : ERR(EAGAIN);
                if (present && same)
                        err = requeue_locked(r, &from, &to, result);
                futex_unlock_two(&from, &to);
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

static err_t wake_op_keys(const struct futex_args *a, const struct futex_key *first, const struct futex_key *second, u64 *result)
{
        struct word_op o = decode_op(a->val3);
        u32 old = 0;

        if (o.op > FUTEX_OP_XOR || o.cmp > FUTEX_OP_CMP_GE)
                return ERR(ENOSYS);
        for (;;) {
                futex_lock_two(first, second);
                bool done = change_locked(a->addr2, &o, &old);
                if (done) {
                        *result = wake_key_locked(first, a->val, FUTEX_BITSET_MATCH_ANY);
                        if (op_compare(&o, old))
                                *result += wake_key_locked(second, a->val2, FUTEX_BITSET_MATCH_ANY);
                }
                futex_unlock_two(first, second);
                if (done)
                        return OK;
                TRY(vm_fault_in(a->addr2, 4, true));
        }
}

static err_t wake_op(const struct futex_args *a, bool shared, u64 *result)
{
        struct futex_key first = {}, second = {};

        TRY(futex_key_get(a->addr, shared, false, &first));
        err_t err = futex_key_get(a->addr2, shared, true, &second);
        if (succeeded(err)) {
                err = wake_op_keys(a, &first, &second, result);
                vm_key_put(&second.of);
        }
        vm_key_put(&first.of);
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
        struct futex_wait w = { .addr = a->addr, .val = a->val, .bitset = bitset, .shared = shared,
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
                struct futex_pi p = { .addr = a.addr, .shared = shared, .try = cmd == FUTEX_TRYLOCK_PI, .deadline = fixed_deadline(&a) };
                return futex_pi_lock(&p);
        }
        case FUTEX_UNLOCK_PI:
                return futex_pi_unlock(a.addr, shared);
        case FUTEX_WAIT_REQUEUE_PI:
                a.val3 = FUTEX_BITSET_MATCH_ANY;
                return futex_pi_wait_requeue(&a, shared, fixed_deadline(&a));
        case FUTEX_CMP_REQUEUE_PI:
                return futex_pi_requeue(&a, shared, result);
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

/* Bit 0 of an entry says "priority inheriting": futex_pi_exit wakes those. */
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
        futex_pi_exit(t);
}
