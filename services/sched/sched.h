/* SPDX-License-Identifier: Apache-2.0
 *
 * Which thread runs next: the scheduling policy behind the framework's sched_ops.
 *
 * Classes, highest first: SCHED_DEADLINE, the earliest deadline first; SCHED_FIFO and SCHED_RR by priority;
 * kernel threads, each for a tick at most while others wait; SCHED_OTHER, BATCH and IDLE, fair by virtual deadlines.
 *
 * The functions below change and tell what a thread asks for; who may is seen to by
 * services/process (process_setpriority, process_sched_set …).
 */
#pragma once
#include "services/task/thread.h"

void sched_init(void);                  /* registers with the framework; at boot, before any thread */

#define NICE_MIN (-20)
#define NICE_MAX 19
#define RT_PRIORITY_MAX 99
#define RT_PRIORITY_DEADLINE (RT_PRIORITY_MAX + 1)      /* what a deadline thread is worth to who lends a priority */

struct sched_params {
        u32  policy;                    /* SCHED_NORMAL, FIFO, RR, BATCH, IDLE, DEADLINE */
        i32  nice;                      /* NORMAL, BATCH; kept while another is in force */
        u32  rt_priority;               /* FIFO, RR: 1 to 99; else 0 */
        u32  flags;                     /* DEADLINE: SCHED_FLAG_RECLAIM, SCHED_FLAG_DL_OVERRUN; else 0 */
        u64  runtime, deadline, period; /* DEADLINE: ns; period 0: the deadline */
        bool reset_on_fork;
        u8   pad[7];
};
struct sched_params sched_get(struct thread *t);
err_t sched_check(const struct sched_params *params);    /* EINVAL: the parts do not fit together */
/* EINVAL; for DEADLINE EPERM: t may not run everywhere, EBUSY: the processors' time is given away. */
err_t sched_set(struct thread *t, struct sched_params params);
/* t has left user code for good: what it had reserved is free. */
void  sched_exit(struct thread *t);
/* Priority inheritance: t runs as SCHED_FIFO of this priority (1 to 100) if that is more than its own, until another is lent
 * (0: none).  What it asked for itself is told and changed meanwhile without effect.  Any spin lock may be held. */
void  sched_boost(struct thread *t, u32 priority);
u32   sched_rt_priority(struct thread *t);               /* in force now; 0: a fair policy */
void  sched_set_nice(struct thread *t, i32 nice);        /* clamped */
static inline i32 sched_nice(struct thread *t) { return t->se.nice; }
/* Is the policy a real-time one: FIFO or RR. */
static inline bool sched_is_realtime(u32 policy) { return policy == 1 || policy == 2; }

/* CPUs it may run on.  EINVAL: none of them is there; EBUSY: DEADLINE threads run everywhere.  It moves at once if it must. */
err_t sched_set_affinity(struct thread *t, u64 mask);
u64   sched_affinity(struct thread *t);                  /* of the CPUs that are there */
u64   sched_rr_interval(struct thread *t);               /* ns; 0: FIFO */

#define SCHED_RR_SLICE     (100 * NSEC_PER_MSEC)        /* unless set */
#define SCHED_PERIOD_LEAST (100 * NSEC_PER_USEC)        /* of deadline threads */
#define SCHED_PERIOD_MOST  (4194304 * NSEC_PER_USEC)
/* For /proc/sys/kernel.  Real-time threads have a part of each period of a CPU, deadline threads may reserve that part. */
struct sched_limits { u64 rt_period, rt_runtime, rr_slice; };   /* ns; rt_runtime NEVER: no limit */
struct sched_limits sched_limits(void);
err_t sched_set_limits(struct sched_limits limits);      /* EINVAL; EBUSY: more than that is reserved */
/* RLIMIT_RTTIME: ns since t, which the caller is, slept last; 0 unless by a real-time policy. */
u64   sched_rt_ran(struct thread *t);
bool  sched_take_overrun_slow(struct thread *t);
static inline bool sched_take_overrun(struct thread *t)  /* t overran its budget and wants to be told; once */
{
        return LOAD(t->se.dl.overrun) && sched_take_overrun_slow(t);
}

/* A new thread, before task_start: what it inherits.  EAGAIN: the parent has a deadline of its own. */
err_t sched_fork(struct thread *child, struct thread *parent);
void  sched_first(struct thread *t);                     /* the same of a thread that nobody forks */

void  sched_yield(void);                                 /* others first; nothing when this CPU has none */
u32   sched_runnable(void);                              /* threads that run or want to, now */
/* The load averages over 1, 5 and 15 minutes, times 65536; sampled at the ticks of all CPUs, and here. */
struct sched_load { u64 of[3]; };
struct sched_load sched_load(void);
u64   sched_switches(void);                              /* since boot */
