/* SPDX-License-Identifier: Apache-2.0
 *
 * Priority-inheriting futexes: FUTEX_LOCK_PI and what belongs to it.
 *
 * The word holds the owner's tid, FUTEX_WAITERS, FUTEX_OWNER_DIED.  A waiter is queued with `owner` set, and lends it its
 * real-time priority; the owner has the highest that those lend who wait for any of its locks now, and lends it on, if it
 * waits itself.  Unlocking gives the lock to the best waiter, in the word, under the bucket's lock.  A thread that ends sends
 * all that wait for it to look again.
 *
 * Locking    a bucket's lock; then the relations' (class futex_pi), one for all: who waits for whom, and what is lent.  Nobody
 *            gets there but by the contended locks; then the run queues'.
 * Invariants P1  who waits for an owner is counted in its holds_up; who sets an owner that may be ending looks afterwards
 *                whether it has (futex_pi.gone): either its end finds the waiter, or that look finds the end.
 *            P2  a new owner is woken when all that now wait for it are counted: it cannot end before.
 *            P3  what is done under buckets' locks is linear in their waiters; if fewer are moved than wait, times the
 *                priorities they have.  Under the relations' lock: in the chain of owners as far as what they are lent changes,
 *                and where that gets less, in those that wait for one.
 *            P4  nobody waits for one that waits for it, over any chain: those are refused that would close the circle.
 */
#include "services/futex/futex_impl.h"
#include "services/process/pid.h"
#include "services/sched/sched.h"

#define CHAIN_MAX 1025u                 /* owners that are followed: who would wait below more is refused, as on Linux */
#define NO_LEVEL  100u                  /* above every real-time priority */

LOCK_CLASS_DECLARE(futex_bucket);
LOCK_CLASS(futex_pi, AFTER(futex_bucket));
STABLE(pi_relations) { struct spinlock lock; } CACHE_ALIGNED;
static struct pi_relations relations;

void futex_pi_init(void) { lock_init(&relations.lock, futex_pi); }

/* ---- Who waits for whom; the relations' lock is held ---- */

/* The highest that those lend who wait for it, and how many do. */
static u32 highest_lent(struct thread *owner, u32 *best)
{
        u32 highest = 0;

        *best = 0;
        for (struct thread *t = owner->futex_pi.waiters; t; t = t->futex_pi.next) {
                if (t->futex_pi.lends > highest) {
                        highest = t->futex_pi.lends;
                        *best = 0;
                }
                *best += t->futex_pi.lends == highest;
        }
        return highest;
}

/* One that waits for it lends `now` instead of `was`; 0: nothing.  True: it runs by another loan. */
static bool relend(struct thread *owner, u32 was, u32 now)
{
        u32 lent = owner->futex_pi.lent, to = lent;

        if (now == was)
                return false;
        if (now > lent) {
                to = now;
                owner->futex_pi.best = 1;
        } else if (now == lent) {
                owner->futex_pi.best++;
        } else if (was == lent && --owner->futex_pi.best == 0) {
                to = highest_lent(owner, &owner->futex_pi.best);
        }
        if (to == lent)
                return false;
        owner->futex_pi.lent = to;
        sched_boost(owner, to);
        return true;
}

/* t has another priority, perhaps: so has whom it waits for, and so on. */
static void lend_on(struct thread *t)
{
        for (u32 i = 0; t->futex_pi.owner && i < CHAIN_MAX; i++) {
                struct thread *owner = t->futex_pi.owner;
                u32 was = t->futex_pi.lends;

                t->futex_pi.lends = sched_rt_priority(t);
                if (!relend(owner, was, t->futex_pi.lends))
                        return;
                t = owner;
        }
}

/* keeps P1 */
static void link_to(struct thread *t, struct thread *owner)
{
        FETCH_ADD(owner->futex_pi.holds_up, 1u);
        t->futex_pi.owner = owner;
        t->futex_pi.lends = 0;
        t->futex_pi.prev = NULL;
        t->futex_pi.next = owner->futex_pi.waiters;
        if (t->futex_pi.next)
                t->futex_pi.next->futex_pi.prev = t;
        owner->futex_pi.waiters = t;
        lend_on(t);
}

static void unlink(struct thread *t)
{
        struct thread *owner = t->futex_pi.owner, *next = t->futex_pi.next, *prev = t->futex_pi.prev;
        u32 was = t->futex_pi.lends;

        if (!owner)
                return;
        if (prev)
                prev->futex_pi.next = next;
        else
                owner->futex_pi.waiters = next;
        if (next)
                next->futex_pi.prev = prev;
        t->futex_pi.owner = NULL;
        t->futex_pi.next = NULL;
        t->futex_pi.prev = NULL;
        t->futex_pi.lends = 0;
        if (relend(owner, was, 0))
                lend_on(owner);
        FETCH_SUB(owner->futex_pi.holds_up, 1u);        /* the last thing: it may go */
}

/* Would it wait for itself, or at the end of too long a chain? */
static bool closes_circle(struct thread *t, struct thread *owner)
{
        for (u32 i = 0; owner && i < CHAIN_MAX; i++) {
                if (owner == t)
                        return true;
                owner = owner->futex_pi.owner;
        }
        return owner != NULL;
}

/* ---- The same, with its lock ---- */

void futex_pi_changed(struct thread *t)
{
        SPIN_GUARD(&relations.lock);
        lend_on(t);
}

void futex_pi_let_go(struct thread *t)
{
        SPIN_GUARD(&relations.lock);
        unlink(t);
}

/* The best waiter of this kind: of the highest priority the one that came first. */
static struct futex_waiter *best_locked(const struct futex_key *key, u32 kind)
{
        struct futex_waiter *best = NULL;
        u32 highest = 0;

        for (struct futex_waiter *w = futex_bucket_of(key)->first; w; w = w->next) {
                if (!futex_is_for(w, key) || w->kind != kind)
                        continue;
                u32 priority = sched_rt_priority(w->thread);
                if (best && priority <= highest)
                        continue;
                best = w;
                highest = priority;
        }
        return best;
}

/* All that wait for the lock now wait for `owner`. */
static void adopt_locked(const struct futex_key *key, struct thread *owner)
{
        SPIN_GUARD(&relations.lock);
        for (struct futex_waiter *w = futex_bucket_of(key)->first; w; w = w->next) {
                struct thread *t = w->thread;
                if (!futex_is_for(w, key) || w->kind != PI_LOCK || t->futex_pi.owner == owner)
                        continue;
                unlink(t);
                link_to(t, owner);
        }
}

/* All in the bucket that wait for `owner` look again. */
static void send_away_locked(struct futex_bucket *b, struct thread *owner)
{
        struct futex_waiter *next;

        for (struct futex_waiter *w = b->first; w; w = next) {
                next = w->next;
                if (w->kind == PI_LOCK && w->thread->futex_pi.owner == owner)
                        futex_wake_locked(w);
        }
}

/* Of one that is off its queue: the lock is its.  keeps P2 */
static void give(struct futex_waiter *w)
{
        w->thread->futex_pi.given = true;
        futex_tell(w);
}

/* ---- Locking ---- */

enum pi_step { PI_DONE, PI_AGAIN, PI_QUEUED };

static bool exchange(u64 addr, u32 old, u32 new)
{
        u32 seen = 0;
        return user_cmpxchg32(addr, old, new, &seen) && seen == old;
}

static err_t take_free_locked(struct thread *t, const struct futex_pi *p, const struct futex_key *key, u32 word, enum pi_step *step)
{
        bool others = best_locked(key, PI_LOCK) != NULL;

        if (exchange(p->addr, word, t->tid | (word & FUTEX_OWNER_DIED) | (others ? FUTEX_WAITERS : 0))) {
                adopt_locked(key, t);
                *step = PI_DONE;
        }
        return OK;
}

/* The relations' lock is held. */
static void queue_for_locked(struct thread *t, const struct futex_key *key, struct thread *owner)
{
        struct futex_bucket *b = futex_bucket_of(key);

        STORE(b->waiters, b->waiters + 1);
        t->futex.thread = t;
        t->futex.kind = PI_LOCK;
        t->futex.bitset = FUTEX_BITSET_MATCH_ANY;
        futex_queue_locked(&t->futex, key);
        link_to(t, owner);
}

/* PI_AGAIN: the word has changed. */
static err_t wait_for_locked(struct thread *t, const struct futex_pi *p, const struct futex_key *key, u32 word, struct thread *owner,
                             enum pi_step *step)
{
        SPIN_GUARD(&relations.lock);
        if (closes_circle(t, owner))
                return ERR(EDEADLK);            /* keeps P4 */
        if (!(word & FUTEX_WAITERS) && !exchange(p->addr, word, word | FUTEX_WAITERS))
                return OK;
        t->futex_pi.given = false;
        STORE(t->futex_woken, 0u);
        queue_for_locked(t, key, owner);
        *step = PI_QUEUED;
        return OK;
}

/* inherit: the owner has ended while this thread waited for it. */
static err_t take_or_queue_locked(struct thread *t, const struct futex_pi *p, const struct futex_key *key, u32 word, struct thread *owner,
                                  bool inherit, enum pi_step *step)
{
        if (!(word & FUTEX_TID_MASK))
                return take_free_locked(t, p, key, word, step);
        if (!owner || LOAD(owner->futex_pi.gone)) {
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
        TRY(wait_for_locked(t, p, key, word, owner, step));
        memory_barrier();               /* keeps P1 */
        if (*step == PI_QUEUED && LOAD(owner->futex_pi.gone)) {
                futex_unqueue_locked(&t->futex);
                *step = PI_AGAIN;
        }
        return OK;
}

static err_t pi_step(struct thread *t, const struct futex_pi *p, const struct futex_key *key, bool inherit, enum pi_step *step)
{
        u32 word = 0, now = 0;

        *step = PI_AGAIN;
        TRY(vm_fault_in(p->addr, 4, true));
        TRY(vm_load32(p->addr, &word));
        if ((word & FUTEX_TID_MASK) == t->tid)
                return ERR(EDEADLK);
        struct thread *owner = word & FUTEX_TID_MASK ? thread_find(pid_ns_current(), word & FUTEX_TID_MASK) : NULL;
        spin_lock(&futex_bucket_of(key)->lock);
        err_t err = OK;
        if (user_load32(p->addr, &now) && now == word)
                err = take_or_queue_locked(t, p, key, word, owner, inherit, step);
        spin_unlock(&futex_bucket_of(key)->lock);
        thread_drop(owner);
        return err;
}

static err_t pi_lock_key(struct thread *t, const struct futex_pi *p, const struct futex_key *key, bool inherit)
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
                err_t err = futex_sleep(t, false, p->deadline);
                if (!futex_wait_end(t))
                        return err_is(err, EINTR) ? ERR(ERESTARTNOINTR) : err;
                if (t->futex_pi.given)
                        return OK;
                inherit = true;
        }
}

err_t futex_pi_lock(const struct futex_pi *p)
{
        struct thread *t = thread_current();
        struct futex_key key = {};

        TRY(futex_key_get(p->addr, p->shared, true, &key));
        err_t err = pi_lock_key(t, p, &key, false);
        t->futex.kind = WAKE_UP;
        vm_key_put(&key.of);
        return err;
}

/* True: done, or *err says why not; false: again. */
static bool unlock_locked(u64 addr, const struct futex_key *key, u32 word, err_t *err)
{
        struct futex_waiter *top = best_locked(key, PI_LOCK);

        if (!top) {
                if (best_locked(key, WAKE_UP) || best_locked(key, TO_PI_LOCK)) {
                        *err = ERR(EINVAL);
                        return true;
                }
                return exchange(addr, word, 0);
        }
        if (!exchange(addr, word, FUTEX_WAITERS | top->thread->tid))
                return false;
        futex_unqueue_locked(top);
        adopt_locked(key, top->thread);
        give(top);
        return true;
}

err_t futex_pi_unlock(u64 addr, bool shared)
{
        struct thread *t = thread_current();
        struct futex_key key = {};
        err_t err = OK;

        TRY(futex_key_get(addr, shared, true, &key));
        for (bool done = false; !done && succeeded(err);) {
                u32 word = 0, now = 0;
                err = vm_fault_in(addr, 4, true);
                if (succeeded(err))
                        err = vm_load32(addr, &word);
                if (succeeded(err) && (word & FUTEX_TID_MASK) != t->tid)
                        err = ERR(EPERM);
                if (failed(err))
                        break;
                spin_lock(&futex_bucket_of(&key)->lock);
                if (user_load32(addr, &now) && now == word)
                        done = unlock_locked(addr, &key, word, &err);
                spin_unlock(&futex_bucket_of(&key)->lock);
                if (!done && (task_interrupts() & INTR_KILL))
                        err = ERR(EINTR);       /* somebody keeps changing the word */
        }
        vm_key_put(&key.of);
        return err;
}

void futex_pi_exit(struct thread *t)
{
        if (t->exiting)
                STORE(t->futex_pi.gone, true);
        memory_barrier();               /* keeps P1 */
        for (u32 i = 0; i < FUTEX_BUCKETS && LOAD(t->futex_pi.holds_up); i++) {
                struct futex_bucket *b = futex_bucket_at(i);
                SPIN_GUARD(&b->lock);
                send_away_locked(b, t);
        }
}

/* ---- Moving to a PI lock ---- */

static err_t wait_moved(struct thread *t, const struct futex_wait *w, const struct futex_pi *p, const struct futex_key *from, const struct futex_key *to)
{
        t->futex.kind = TO_PI_LOCK;
        t->futex_pi.given = false;
        t->futex_pi.to.vm = to->of.vm;
        t->futex_pi.to.mapping = to->of.mapping;
        t->futex_pi.to.at = to->of.at;
        STORE(t->futex_woken, 0u);
        TRY(futex_wait_begin(t, &t->futex, w, from));
        err_t err = futex_sleep(t, false, w->deadline);
        if (futex_wait_end(t))
                return t->futex_pi.given ? OK : pi_lock_key(t, p, to, true);
        if (!err_is(err, EINTR))
                return err;
        /* Moved already, it cannot begin anew. */
        return t->futex.kind == PI_LOCK ? ERR(EAGAIN) : ERR(ERESTARTNOINTR);
}

err_t futex_pi_wait_requeue(const struct futex_args *a, bool shared, u64 deadline)
{
        struct thread *t = thread_current();
        struct futex_wait w = { .addr = a->addr, .val = a->val, .bitset = a->val3, .shared = shared, .deadline = deadline };
        struct futex_pi p = { .addr = a->addr2, .shared = shared, .deadline = deadline };
        struct futex_key from = {}, to = {};

        if (a->addr == a->addr2 || !a->val3)
                return ERR(EINVAL);
        TRY(futex_key_get(a->addr2, shared, true, &to));
        err_t err = futex_key_get(a->addr, shared, false, &from);
        if (succeeded(err)) {
                err = futex_same_key(&from, &to) ? ERR(EINVAL) : wait_moved(t, &w, &p, &from, &to);
                t->futex.kind = WAKE_UP;
                vm_key_put(&from.of);
        }
        vm_key_put(&to.of);
        return err;
}

static bool goes_to(const struct thread *t, const struct futex_key *to)
{
        return t->futex_pi.to.at == to->of.at && t->futex_pi.to.vm == to->of.vm && t->futex_pi.to.mapping == to->of.mapping;
}

/* False: it would wait for itself.  keeps P4 */
static bool move_one_locked(struct futex_waiter *w, const struct futex_key *to, struct thread *owner)
{
        SPIN_GUARD(&relations.lock);
        if (closes_circle(w->thread, owner))
                return false;
        futex_unqueue_locked(w);
        queue_for_locked(w->thread, to, owner);
        return true;
}

/* Up to n of those that wait at `from` now wait for the lock, the highest priority first.  Each round takes all down to a
 * level, the last one whoever is left, so a priority that changes meanwhile makes nobody stay behind.  EDEADLK: the next
 * would wait for itself. */
static err_t move_locked(const struct futex_key *from, const struct futex_key *to, struct thread *owner, u32 n, u64 *moved)
{
        u32 level = NO_LEVEL;

        for (u32 left = n; left && level > 0;) {
                struct futex_waiter *best = best_locked(from, TO_PI_LOCK), *next;
                if (!best)
                        break;
                level = min_u32(sched_rt_priority(best->thread), level - 1);
                for (struct futex_waiter *w = futex_bucket_of(from)->first; w && left; w = next) {
                        next = w->next;
                        if (w->kind != TO_PI_LOCK || !futex_is_for(w, from) || !goes_to(w->thread, to) ||
                            sched_rt_priority(w->thread) < level)
                                continue;
                        if (!move_one_locked(w, to, owner))
                                return ERR(EDEADLK);
                        left--;
                        (*moved)++;
                }
        }
        return OK;
}

/* Both buckets are locked, the second word is `word`.  False: it has changed. */
static bool requeue_pi_locked(const struct futex_args *a, const struct futex_key *from, const struct futex_key *to, u32 word, struct thread *owner,
                              u64 *result, err_t *err)
{
        struct futex_waiter *top = best_locked(from, TO_PI_LOCK);
        bool is_free = (word & FUTEX_TID_MASK) == 0;

        if (best_locked(from, WAKE_UP) || best_locked(from, PI_LOCK) || (top && !goes_to(top->thread, to))) {
                *err = ERR(EINVAL);
                return true;
        }
        if (!top)
                return true;
        if (!is_free && (!owner || LOAD(owner->futex_pi.gone))) {
                *err = ERR(ESRCH);
                return true;
        }
        if (!exchange(a->addr2, word, is_free ? top->thread->tid | FUTEX_WAITERS | (word & FUTEX_OWNER_DIED) : word | FUTEX_WAITERS))
                return false;
        if (is_free) {
                futex_unqueue_locked(top);
                owner = top->thread;
        }
        /* Who could not be given the lock is moved besides those that were to be. */
        *result = is_free;
        *err = move_locked(from, to, owner, a->val2 + !is_free, result);
        if (is_free) {
                give(top);
                return true;
        }
        memory_barrier();               /* keeps P1: it may be ending */
        if (LOAD(owner->futex_pi.gone))
                send_away_locked(futex_bucket_of(to), owner);
        return true;
}

static err_t requeue_pi_keys(const struct futex_args *a, const struct futex_key *from, const struct futex_key *to, u64 *result)
{
        err_t err = OK;

        for (bool done = false; !done;) {
                u32 word = 0, now = 0, first = 0;
                TRY(vm_fault_in(a->addr2, 4, true));
                TRY(vm_fault_in(a->addr, 4, false));
                TRY(vm_load32(a->addr2, &word));
                struct thread *owner = word & FUTEX_TID_MASK ? thread_find(pid_ns_current(), word & FUTEX_TID_MASK) : NULL;
                futex_lock_two(from, to);
                if (user_load32(a->addr, &first) && user_load32(a->addr2, &now) && now == word) {
                        done = true;
                        if (first != a->val3)
                                err = ERR(EAGAIN);
                        else
                                done = requeue_pi_locked(a, from, to, word, owner, result, &err);
                }
                futex_unlock_two(from, to);
                thread_drop(owner);
                if (!done && (task_interrupts() & INTR_KILL))
                        return ERR(EINTR);
        }
        return err;
}

err_t futex_pi_requeue(const struct futex_args *a, bool shared, u64 *result)
{
        struct futex_key from = {}, to = {};

        if (a->addr == a->addr2 || a->val != 1 || a->val2 > I32_MAX)
                return ERR(EINVAL);
        TRY(futex_key_get(a->addr, shared, false, &from));
        err_t err = futex_key_get(a->addr2, shared, true, &to);
        if (succeeded(err)) {
                err = futex_same_key(&from, &to) ? ERR(EINVAL) : requeue_pi_keys(a, &from, &to, result);
                vm_key_put(&to.of);
        }
        vm_key_put(&from.of);
        return err;
}

