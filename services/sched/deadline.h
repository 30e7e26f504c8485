/* SPDX-License-Identifier: Apache-2.0
 *
 * SCHED_DEADLINE's arithmetic, and what real-time threads may have of the processors; for sched.c.  See deadline.c.
 */
#pragma once
#include "services/sched/sched.h"

/* Admission.  The lock serialises all changes of policy: taken before a run queue's. */
STABLE(reservations) {
        struct spinlock lock;
        u64 reserved;                   /* sum of the bandwidths of all deadline threads; lock */
        struct sched_limits limits;     /* lock; LOAD_RELAXED each by the run queues */
        u32 urgent;                     /* deadline and real-time threads that wait for a CPU; ATOMIC */
} CACHE_ALIGNED;

void  reservations_init(struct reservations *r);
err_t deadline_check(const struct sched_params *p);     /* EINVAL */
u64   deadline_bandwidth(u64 runtime, u64 period);      /* of a CPU, times 2^20 */
/* Is there room, `was` being given back?  lock held. */
bool  deadline_fits_locked(const struct reservations *r, u64 was, u64 wanted);
err_t limits_check(const struct sched_limits *l);       /* EINVAL */

/* The server of one thread; the lock of its run queue is held, times are ns since boot. */
void  deadline_begin(struct thread *t, u64 now);        /* a new instance, with a full budget */
void  deadline_wake(struct thread *t, u64 now);         /* it slept */
/* It ran for so long.  True: its budget is used up. */
bool  deadline_charge(struct thread *t, u64 ran, u64 reserved, u64 part);
/* Its budget is used up, or given away.  True: it waits until t->se.deadline; else it goes on, filled again. */
bool  deadline_throttle(struct thread *t, u64 now);
void  deadline_refill(struct thread *t, u64 now);       /* the time to wait for has come */
