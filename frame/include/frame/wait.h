/* SPDX-License-Identifier: Apache-2.0
 *
 * Wait queues.  A waitq holds no links; waiters are keyed by its address.
 * Waking an empty one costs a load.
 *
 *      WAITER(w);                              a waiter of the current task
 *      waiter_add(&w, &pipe->readers);         as often as there are queues
 *      while (!condition)
 *              TRY(waiter_sleep(&w, WAIT_INTERRUPTIBLE, NEVER));
 *
 * A wake-up of any of its queues after waiter_add makes the next waiter_sleep
 * return at once, so checking the condition after waiter_add loses nothing.
 * The block's end takes the waiter off all queues.  WAITER traps where sleeping is not allowed; a copy
 * of a waiter means the same one, and nothing in another task or after the block.
 *
 * poll contract for all file types:  u32 poll(file, struct waiter *w or NULL):
 * adds w to every queue whose wake-up may change the answer, returns the mask.
 */
#pragma once

struct K_OPAQUE __attribute__((btf_decl_tag("keel:stable"))) waitq { u32 waiters_k; u32 spare_k; };

struct K_OPAQUE K_BORROW waiter { u32 index_k; u32 gen_k; };
struct waiter k_waiter_begin(void);
void k_waiter_end(struct waiter *w);
#define WAITER(NAME) struct waiter NAME __attribute__((cleanup(k_waiter_end))) = k_waiter_begin()

/* Out of memory is remembered: the next waiter_sleep returns ENOMEM. NULL w is ignored. */
void k_waiter_add(struct waiter *w, struct waitq *q);
SAFE_API static inline void waiter_add(struct waiter *w, struct waitq *q) { if (w) k_waiter_add(w, q); }
/* The same, but one wake-up of waitq_wake_one is consumed by this waiter (accept, futex, …). */
SAFE_API void  waiter_add_exclusive(struct waiter *w, struct waitq *q);
/* OK: woken (or a wake-up came since the last sleep); EINTR: interrupted, see enum
 * wait_mode; ETIMEDOUT: now >= deadline.  Nothing but mutexes may be held. */
SAFE_API err_t waiter_sleep(struct waiter *w, enum wait_mode mode, u64 deadline);

/* Sleeps on q with m let go of meanwhile (m is held again on return, also on error). */
SAFE_API err_t waitq_sleep(struct waitq *q, struct mutex *m, enum wait_mode mode, u64 deadline);
SAFE_API err_t waitq_sleep_spin(struct waitq *q, struct spinlock *l, enum wait_mode mode, u64 deadline);

/* Callable from anywhere, bottom halves included.  Return how many were woken. */
SAFE_API u32 waitq_wake_one(struct waitq *q);            /* all non-exclusive, and one exclusive */
SAFE_API u32 waitq_wake_all(struct waitq *q);

/* A waiter that is not a task: epoll items, signalfd, … notify runs in the waker's context
 * (perhaps a bottom half), preemption off; it may take spin locks and wake, not sleep. */
STABLE(notifier) { u32 index_k; u32 gen_k; };
SAFE_API err_t notifier_init(struct notifier *n, void (*notify)(struct notifier *n));   /* ENOMEM */
/* A waiter that stands for n: hand it to poll(); it stays armed until notifier_fini. */
SAFE_API struct waiter notifier_waiter(struct notifier *n);
/* The same, but waitq_wake_one runs one of these, if no exclusive waiter of a task is there (EPOLLEXCLUSIVE); who does not
 * use the wake-up passes it on itself. */
SAFE_API struct waiter notifier_waiter_alone(struct notifier *n);
SAFE_API void notifier_fini(struct notifier *n);         /* disarms, and frees; waits for a running notify */

SAFE_API err_t sleep_until(u64 deadline, enum wait_mode mode);   /* OK at the deadline, or EINTR */
