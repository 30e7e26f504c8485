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
                if (is_waiting_for(t, key) && (t->futex.bitset & bitset)) {
                        wake_locked(t);
                        woken++;
                }
                t = next;
        }
        return woken;
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
        }
        vm_key_put(&key.of);
        return OK;
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

/* Both buckets are locked. */
static u64 requeue_locked(const struct requeue *r, const struct key *from, const struct key *to)
{
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
        return n + moved;
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
                if (present && same)
                        *result = requeue_locked(r, &from, &to);
                unlock_two(&from, &to);
                err = same ? OK : ERR(EAGAIN);
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
        if ((a.op & FUTEX_CLOCK_REALTIME) && cmd != FUTEX_WAIT && cmd != FUTEX_WAIT_BITSET)
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
        default:
                return ERR(ENOSYS);
        }
}

/* ---- Robust lists ---- */

/* The dead owner's mark goes into a word that is still its, and one waiter is told.  pending: the thread may have
 * died between unlocking (the word is 0) and waking. */
static void owner_died(struct thread *t, u64 addr, bool pending)
{
        u32 old = 0, seen = 0;

        if ((addr & 3) || failed(vm_load32(addr, &old)))
                return;
        if (pending && old == 0) {
                (void)futex_wake_addr(addr, 1);
                return;
        }
        while ((old & FUTEX_TID_MASK) == t->tid) {
                if (failed(vm_cmpxchg32(addr, old, (old & FUTEX_WAITERS) | FUTEX_OWNER_DIED, &seen)))
                        return;
                if (seen == old) {
                        if (old & FUTEX_WAITERS)
                                (void)futex_wake_addr(addr, 1);
                        return;
                }
                old = seen;
        }
}

/* Bit 0 of an entry says "priority inheriting": those are not there yet, and their words stay. */
static bool is_pi(u64 entry) { return entry & 1; }

void futex_exit_robust(struct thread *t)
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
                if (entry != head.list_op_pending && !is_pi(entry))
                        owner_died(t, at + (u64)head.futex_offset, false);
                if (!more)
                        return;
                entry = next;
        }
        entry = head.list_op_pending;
        if (entry & ~1ul && !is_pi(entry))
                owner_died(t, (entry & ~1ul) + (u64)head.futex_offset, true);
}
