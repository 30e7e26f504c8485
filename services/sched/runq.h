/* SPDX-License-Identifier: Apache-2.0
 *
 * The run queues, for the files of this folder.  sched.c: queues, virtual time, and what the framework calls; balance.c: which CPU;
 * settings.c: what threads ask for.  See sched.c.
 */
#pragma once
#include "services/sched/deadline.h"

#define SLICE      (3 * NSEC_PER_MSEC)  /* real time of nice 0 between two deadlines */
#define KERNEL_RING 256u
#define RT_LEVELS  (RT_PRIORITY_DEADLINE + 1)
#define URGENCY_DEADLINE RT_LEVELS      /* se.urgency */
/* How much what runs or waits matters: of a thread, RANK_OTHER and its urgency. */
enum { RANK_NONE, RANK_OTHER, RANK_DEADLINE = RANK_OTHER + URGENCY_DEADLINE };

STABLE(rt_list) { struct thread *first, *last; };
STABLE(thread_heap) { struct thread *root; };

STABLE(runq) {
        struct spinlock lock;
        u32 queued;                             /* all that is queued; lock, LOAD by others */
        struct task_body *current;              /* not counted; lock, PTR_LOAD; NULL: idle */
        struct thread *running;                 /* the same, if it is a thread; lock */
        u64 picked_at;                          /* when current began; lock */
        u64 min_vruntime;                       /* never goes back; lock, LOAD_RELAXED */
        struct thread_heap fair;                /* lock */
        u32 rank, urgent_rank;                  /* of current; of the best urgent one that is queued; lock, LOAD by others */
        struct task_body *kernel[KERNEL_RING];  /* kernel threads; lock */
        u32 kernel_first, kernel_count;
        bool fair_next;                         /* a kernel thread has had its tick; lock */
        u64 rt_used[2];                         /* bit per priority with threads; lock */
        struct rt_list rt[RT_LEVELS];
        u64 switches;                           /* lock */
        struct thread_heap deadlines, refills;  /* by se.deadline; lock */
        struct timer timer;                     /* for what budgets and throttling need */
        u64 alarm;                              /* when it is set to; NEVER: not; lock, LOAD_RELAXED */
        u64 rt_since, rt_ran;                   /* the period under way, and what real-time threads had of it; lock */
        bool throttled;                         /* they have had their part; lock, LOAD by others */
        u32 behind;                             /* balancings in a row that found a longer queue; this CPU's ticks only */
        u64 balance_at;                         /* when to look at the others again; the same */
} CACHE_ALIGNED;

extern struct runq runqs[MAX_CPUS];             /* per CPU */
extern struct reservations reservations;        /* the machine's */

static inline u64 online(void) { return cpu_count() >= 64 ? ~0ul : (1ul << cpu_count()) - 1; }

static inline bool is_fair(const struct thread *t)     { return t->se.urgency == 0; }
static inline bool is_deadline(const struct thread *t) { return t->se.urgency == URGENCY_DEADLINE; }
static inline bool is_rt(const struct thread *t)       { return !is_fair(t) && !is_deadline(t); }
static inline u32  rank_of(const struct thread *t)     { return RANK_OTHER + t->se.urgency; }
static inline bool allows(const struct thread *t, u32 cpu) { return (t->se.affinity >> cpu & 1) != 0; }
static inline struct thread *thread_of(struct task_body *body) { return IS_A(thread, body) ? DOWNCAST(thread, body) : NULL; }

static inline bool before(const struct thread *a, const struct thread *b) { return (i64)(a->se.deadline - b->se.deadline) < 0; }

/* The highest priority with a thread; 0: none (there is no priority 0 here). */
static inline u32 rt_highest(const struct runq *rq)
{
        if (rq->rt_used[1])
                return 64 + bit_highest(rq->rt_used[1]);
        return rq->rt_used[0] ? bit_highest(rq->rt_used[0]) : 0;
}

/* sched.c; the queue's lock is held */
void runq_insert(struct runq *rq, struct thread *t, bool front);
void runq_take_out(struct runq *rq, struct thread *t);
struct task_body *runq_kernel_pop(struct runq *rq);      /* there is one */
/* A fair thread that comes into a queue: near the queue's time, whatever it did elsewhere or before. */
void runq_place(struct runq *rq, struct thread *t, bool woken);

/* balance.c; no queue's lock is held */
struct runq *runq_join(struct thread *t, u32 last, bool woken); /* finds t, which is in no queue, a CPU; its queue is locked */
void runq_settle_anew(struct thread *t, u32 was, u32 cpu);
/* t, which is in no queue, belongs to that of `cpu` from now on. */
static inline void runq_settle(struct thread *t, u32 cpu)
{
        u32 was = LOAD(t->se.cpu);

        if (was != cpu)
                runq_settle_anew(t, was, cpu);
}
void runq_put_elsewhere(struct thread *t);               /* t, which is in no queue, may not stay where it was */
struct task_body *runq_pull(u32 cpu);                    /* for an idle CPU: taken from elsewhere; NULL: nothing */
void runq_balance(struct runq *rq, u32 cpu, u64 now);    /* at a tick */
void runq_fetch_urgent(struct runq *rq, u32 cpu, u32 mine);      /* what runs here is of rank `mine` */
void runq_offer_urgent(struct runq *rq, u32 here);

/* load.c */
void load_init(void);
void load_sample(void);                                  /* at a tick */
