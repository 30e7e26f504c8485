/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of this folder share: keys, the buckets' queues, one thread's waiting.  Who locks what: futex.c.
 */
#pragma once
#include "services/futex/futex.h"
#include "services/vm/vm.h"
#include "abi/const/process.h"

#define FUTEX_BUCKETS 256u

/* What a queued thread waits for: a wake-up; a PI lock; a wake-up that moves it to a PI lock. */
enum { WAKE_UP, PI_LOCK, TO_PI_LOCK };

STABLE(futex_bucket) {
        struct spinlock lock;
        u32 waiters;                    /* queued here or about to be; lock, LOAD: a waker need not look into an empty one */
        struct futex_waiter *first, *last;      /* lock */
} CACHE_ALIGNED;

/* ---- Keys ---- */

struct futex_key { struct vm_key of; u32 bucket; };

/* As vm_key_get, whose key it holds until vm_key_put(&key->of); EINVAL: not aligned. */
err_t futex_key_get(u64 addr, bool shared, bool write, struct futex_key *key);
struct futex_bucket *futex_bucket_at(u32 i);     /* i < FUTEX_BUCKETS */
struct futex_bucket *futex_bucket_of(const struct futex_key *key);

static inline bool futex_is_for(const struct futex_waiter *w, const struct futex_key *key)
{
        return w->at == key->of.at && w->vm == key->of.vm && w->mapping == key->of.mapping;
}

static inline bool futex_same_key(const struct futex_key *a, const struct futex_key *b)
{
        return a->of.at == b->of.at && a->of.vm == b->of.vm && a->of.mapping == b->of.mapping;
}

/* ---- Queues; the buckets' locks are held ---- */

void futex_lock_two(const struct futex_key *a, const struct futex_key *b);
void futex_unlock_two(const struct futex_key *a, const struct futex_key *b);
/* Who queues has counted itself in bucket.waiters; unqueueing takes that back. */
void futex_queue_locked(struct futex_waiter *w, const struct futex_key *key);
void futex_unqueue_locked(struct futex_waiter *w);
void futex_tell(struct futex_waiter *w);        /* wakes its thread; w is off its queue, and not touched any more once that is told */
static inline void futex_wake_locked(struct futex_waiter *w)
{
        futex_unqueue_locked(w);
        futex_tell(w);
}

/* ---- Waiting ---- */

/* deadline: ns since boot, or if `wall`, on the wall clock, which may be set meanwhile; NEVER. */
struct futex_wait { u64 addr; u32 val, bitset; bool shared, wall; u64 deadline; };

/* Queues w, which is the current thread t's, if the word is val.  EAGAIN: it is not. */
err_t futex_wait_begin(struct thread *t, struct futex_waiter *w, const struct futex_wait *what, const struct futex_key *key);
/* Off the queue, wherever a requeue has put it.  True: it was woken before. */
bool  futex_wait_end(struct thread *t);
bool  futex_take_off(struct futex_waiter *w);   /* the same of any waiter; true: it was still queued */
/* Till futex_woken or the deadline.  With `wall` between clock_watch and clock_unwatch. */
err_t futex_sleep(struct thread *t, bool wall, u64 deadline);
err_t futex_clock_watch(struct thread *t);
void  futex_clock_unwatch(struct thread *t);

/* ---- pi.c ---- */

struct futex_pi { u64 addr; bool shared, try; u64 deadline; };

err_t futex_pi_lock(const struct futex_pi *p);
err_t futex_pi_unlock(u64 addr, bool shared);
err_t futex_pi_wait_requeue(const struct futex_args *a, bool shared, u64 deadline);
err_t futex_pi_requeue(const struct futex_args *a, bool shared, u64 *result);
void  futex_pi_init(void);
void  futex_pi_let_go(struct thread *t);        /* it waits for its owner no more; the bucket's lock */
void  futex_pi_exit(struct thread *t);          /* t ends: all that wait for it look again */
