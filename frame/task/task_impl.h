/* SPDX-License-Identifier: Apache-2.0
 *
 * Tasks inside the framework: struct task, what a task holds, the scheduler's
 * own entry points.  For frame/ only; services see frame/task.h.
 *
 * Boot, on the boot CPU:
 *      task_init()             after mem_init; makes task 0 (idle) of the running context
 *      task_idle_new(cpu)      per AP, before it starts; its stack_top is the AP's stack
 *      task_boot_thread(fn)    fn (services_start) in a kernel thread
 *      task_idle_loop()        never returns: what frame_main and k_cpu_main end in
 */
#pragma once
#include "arch.h"
#include "table.h"

/* The word `state`: one of these, and for the parked ones the wait mode above bit 8. */
enum {
        TS_FREE,                /* zeroed: nobody's */
        TS_NEW,                 /* made, not started */
        TS_SETUP,               /* not started, and being changed by task_claim_new's caller */
        TS_QUEUED,              /* runnable: the policy (or round robin) has it */
        TS_RUNNING,             /* a CPU runs it */
        TS_PARKING,             /* runs, about to sleep; a wake-up makes it RUNNING */
        TS_SLEEPING,            /* off its CPU; a wake-up makes it QUEUED */
        TS_ENDED,
};
#define TS_MASK      0xffu
#define TS_MODE(m)   ((u32)(m) << 8)
#define TS_LOCK      TS_MODE(8)                 /* waits for a mutex or rwlock: its grant alone wakes */
#define TS_KILL_OK   TS_MODE(1)
#define TS_SIGNAL_OK TS_MODE(2)
#define TS_KICK_OK   TS_MODE(4)
#define TS_WAIT      TS_MODE(16)                /* sleeps on a waiter */

enum { WORK_NOTIFY = 1, WORK_EXIT = 2, WORK_DIED = 4 };        /* bits of task.work */

/* SAFETY: S2: an entry is the address that was pushed, aligned to 8, and in its low bits the kind.
 * What a task holds, innermost last, so that an oops can give it back.  Bottom halves push
 * on the task they interrupted, above its own, with a HELD_BASE below theirs. */
enum held_kind { HELD_SPIN, HELD_MUTEX, HELD_READ, HELD_WRITE, HELD_PREEMPT, HELD_PIN, HELD_CURSOR, HELD_BASE };
static inline u64 held_entry(enum held_kind kind, const void *what) { return (u64)what | kind; }
static inline enum held_kind held_kind_of(u64 entry) { return (enum held_kind)(entry & 7); }
static inline void *held_what(u64 entry) { return (void *)(entry & ~7ul); }
#define HELD_BORROWED 24
#define HELD_SLOTS (1 + MAX_HELD + HELD_BORROWED + 16)  /* the last are for HELD_BASE alone, which passes the limit */

struct tnode {                                  /* a timer's node; frame/time/timer.c */
        u64 deadline;
        struct tnode *child, *next, *prev;      /* pairing heap */
        void (*fire)(struct tnode *n);
        u32 cpu;                                /* whose heap */
        u32 state;
};

struct kwaiter {                                /* one WAITER of a task, or a notifier's */
        struct wnode *nodes;
        struct task *task;                      /* NULL: a notifier's */
        u32 woken;                              /* a wake-up came since the last sleep: atomic */
        u32 gen;                                /* 0: not in use */
        u32 nomem;
        u32 spare;
};

struct wnode {                                  /* one waiter on one queue; frame/sync/waitq.c */
        const void *key;                        /* the queue's or lock's address */
        struct wnode *next, *prev;              /* in the bucket */
        struct wnode *more;                     /* of the same waiter; or free */
        struct kwaiter *waiter;                 /* NULL: waits for a lock */
        struct task *task;                      /* of a lock's waiter */
        u32 kind;
        u32 table_index;                        /* 0: embedded in its task */
};

#define TASK_WAITERS 4
#define TASK_NODES   6

struct task {
        struct tentry entry;                    /* index: the owner word of locks */
        /* system calls and switches */
        struct arch_context ctx;
        u64   stack_low;                        /* see struct percpu */
        u64   stack_top;                        /* user_regs lie just below, struct arch_ustate above */
        struct task_body *body;                 /* counted until the end; NULL: the framework's own thread */
        const struct user_ops *uops;            /* NULL: kernel thread */
        u32   work;                             /* WORK_*: atomic; offsets known to trap.S and ucopy.S */
        u32   n_held;
        struct vmspace *space;                  /* counted */
        u64   stamp;                            /* cycles up to which its time is counted */
        u64   cycles[2];                        /* system, user: each stretch up to a tick or switch, as tick_user says */
        u32   tick_user;                        /* the last tick came from user code */
        u32   in_user;                          /* interrupted there: until k_before_user */
        u32   state;                            /* TS_*: atomic */
        u32   on_cpu;                           /* its stack is in use by a CPU */
        u32   cpu;                              /* runs or last ran there */
        u32   intr;                             /* enum intr bits: atomic */
        struct arch_ustate *ustate;             /* NULL: kernel thread */
        u32   ustate_cpu;                       /* whose registers may still hold it */
        u32   in_policy;                        /* given to the registered policy (else: round robin) */
        u32   ending;                           /* left the policy for good: its body is being let go of */
        u32   is_idle;
        u32   hands_off;                        /* it slept soon after the last time that it woke somebody */
        u32   urgent;                           /* is not held back when it is woken */
        u64   woke_at;                          /* cycles, when it did */

        u32   held_limit;                       /* of n_held: borrowed contexts (bottom halves, policy) have some more */
        u64   held[HELD_SLOTS];                 /* the first is HELD_BASE, for ever; n_held follow */

        const struct kthread_ops *kops;
        void (*boot_fn)(void);
        u32   kicked;
        u32   oopses;
        u32   fail_nth;                         /* this allocation from now fails; 0: none */
        u32   restarting;                       /* in kthread_ops.restart */
        struct task *wake_next;                 /* chain of a waker that has made it QUEUED */
        struct task *rr_next;                   /* round robin's queue */
        u32   on_rr;
        struct tnode timer;                     /* deadline of its sleep */
        struct kwaiter waiter[TASK_WAITERS];
        u32   waiter_gen;
        u32   lock_granted;
        struct wnode lock_node;                 /* waits for a lock */
        struct wnode *free_nodes;
        struct wnode node[TASK_NODES];
        u64   started;                          /* ns */
        u64   stack;                            /* as kstack_alloc gave it */
        struct payer *payer;                    /* counted */
        u64   switches[2];                      /* involuntary, voluntary */
        struct task *ended_next;
        u8    name[16];
};

/* Before an acquisition that could not be undone: room for one more, or a trap. */
static inline struct task *held_room(void)
{
        struct task *t = current_task();
        if (__builtin_expect(t->n_held >= t->held_limit, 0))
                __builtin_trap();
        return t;
}
/* The innermost.  SAFETY: E3: n_held is at most held_limit. */
static inline volatile u64 *held_top(struct task *t) { return (u64 *)t->held + t->n_held; }
/* After held_room().  First makes room, then fills it: a bottom half in between goes above (E3). */
static inline void held_push(struct task *t, enum held_kind kind, const void *what)
{
        u32 n = t->n_held + 1;

        *(volatile u32 *)&t->n_held = n;
        *(volatile u64 *)((u64 *)t->held + n) = held_entry(kind, what);
}
static inline void held_drop_top(struct task *t)
{
        *held_top(t) = 0;
        *(volatile u32 *)&t->n_held = t->n_held - 1;
}
/* False: not held here; what the task that stands below a borrowed context holds is not that context's. */
bool held_pop_deep(enum held_kind kind, const void *what);
static inline bool held_pop(enum held_kind kind, const void *what)
{
        struct task *t = current_task();

        if (__builtin_expect(*held_top(t) != held_entry(kind, what), 0))
                return held_pop_deep(kind, what);
        held_drop_top(t);
        return true;
}
bool held_has(enum held_kind kind, const void *what);    /* by the task, or the context that borrows it */

/* Boot, see above. */
void task_init(void);
struct task *task_idle_new(u32 cpu);            /* NULL: no memory */
/* A thread of the framework's own: after an oops the machine panics. */
struct task *task_boot_thread(void (*fn)(void), const char *name);
void task_idle_loop(void) __attribute__((noreturn));

/* The saved user state of a task that is current or not started; traps for any other.
 * Until task_unclaim_new the task can neither start nor be discarded. */
struct arch_ustate *task_claim_ustate(struct task *t);
void task_unclaim_ustate(struct task *t);

/* task.c */
void task_reap(struct task *t);                 /* ended, off its stack; count PREEMPT_ONE */
void task_for_each(void (*fn)(struct task *t, void *arg), void *arg);
void task_end(void) __attribute__((noreturn));  /* current */
void task_after_oops(struct task *t) __attribute__((noreturn));         /* current, on a fresh stack, nothing held */
struct task *task_by_id(u32 id);                /* by owner word; NULL: never was */

/* sched.c */
void sched_wake(struct task *t, u32 modes);     /* wakes t if it sleeps in a mode that `modes` covers */
void sched_wake_chain(struct task *t);          /* enqueues a chain of tasks made QUEUED by sched_claim */
bool sched_claim(struct task *t, u32 modes);    /* wakes t; true: the caller must sched_wake_chain it */
/* The same after a plain store to what t looks at: a claim is barrier enough, other answers need one (W1). */
static inline bool sched_claim_stored(struct task *t, u32 modes)
{
        u32 s = __atomic_load_n(&t->state, __ATOMIC_RELAXED);

        if ((s & TS_MASK) == TS_SLEEPING && s & modes & ~TS_MASK &&
            __atomic_compare_exchange_n(&t->state, &s, TS_QUEUED, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
                return true;
        full_barrier();
        return sched_claim(t, modes);
}
void sched_park_begin(u32 mode_bits);           /* current: RUNNING -> PARKING */
void sched_park_cancel(void);                   /* and back */
void sched_park(void);                          /* sleeps unless woken since sched_park_begin */
void sched_enqueue_new(struct task *t);
void sched_preempt(void);                       /* count 0, irqs on, resched set */
void sched_leave_policy(void);                  /* current: ends; from now on the policy never sees its body again */
void sched_end(void) __attribute__((noreturn)); /* current: switches away for ever */
void sched_first_run(void);                     /* the tail of the switch that starts a task */
void sched_tick(struct percpu *pc, u64 now);    /* bottom half */
void task_count_time(struct task *t);           /* current: its time up to now */

/* waitq.c */
void waiters_init(struct task *t);
void waiters_reset(struct task *t);             /* current (an oops) or ended: leaves all queues */

/* oops.c: runs fn(arg) with a recovery point; false: it oopsed, and what it held is released. */
bool contained(void (*fn)(void *), void *arg);
#define MODE_ANY (~0u)
