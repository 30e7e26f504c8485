/* SPDX-License-Identifier: Apache-2.0
 *
 * Tasks: what the framework schedules.  A service's thread object begins with
 * a BASE(task_body); the framework keeps its own struct task beside it.
 *
 * A user task runs the framework's loop: run user code; on a system call, fault
 * or notification call one function of its user_ops, which handles it and
 * returns; then around again.  A kernel thread is a loop over a step function.
 * A task holds one reference on its body from task_new to its end.
 *
 * An oops (a failed check in a service) while working for a user task ends in
 * user_ops.died, called on a fresh stack with nothing held; it should make the
 * process exit and return.  A second oops there parks the task for ever.
 */
#pragma once

STABLE(task);                            /* the framework's; storable, never freed to another type */
BASE(task_body) { struct task *task K_READONLY; };     /* set by task_new */
BASE_DECLARE(task_body)
OBJECT(vmspace);
struct user_regs;

enum wait_mode {
        WAIT_UNINTERRUPTIBLE,
        WAIT_KILLABLE,          /* EINTR only when task_interrupt(.., INTR_KILL) was called */
        WAIT_INTERRUPTIBLE,     /* EINTR for any interrupt */
};
enum intr { INTR_SIGNAL = 1, INTR_KILL = 2 };

/* A user fault or exception; addr is CR2 for page faults. */
struct user_fault { u32 vector; u32 error; u64 addr; bool write; bool exec; bool present; };

/* Called on the task's own kernel stack, nothing held, may sleep.
 *   start      once, before user code first runs; fills *regs
 *   syscall    after a system call instruction
 *   fault      page fault in user mode
 *   exception  any other exception in user mode
 *   pending    before returning to user mode while the task is notified (task_notify)
 *   died       after an oops, instead of returning to user mode */
STABLE(user_ops) {
        void (*start)(struct task_body *self, struct user_regs *regs);
        void (*syscall)(struct task_body *self, struct user_regs *regs);
        void (*fault)(struct task_body *self, struct user_regs *regs, struct user_fault fault);
        void (*exception)(struct task_body *self, struct user_regs *regs, struct user_fault fault);
        void (*pending)(struct task_body *self, struct user_regs *regs);
        void (*died)(struct task_body *self, struct user_regs *regs);
};

/* A kernel thread.  step returns when to run again: 0 at once, a time, or NEVER:
 * when task_kick() says so (a kick before the step returns is not lost).
 * After an oops the framework calls restart (may be NULL: the thread ends). */
STABLE(kthread_ops) {
        u64  (*step)(struct task_body *self);
        void (*restart)(struct task_body *self);
};

/* Both: the new task is not running yet; NULL means no memory.  FPU state: a copy of the caller's if
 * copy_fpu, else reset.  The body gets a hold. */
SAFE_API struct task *task_new_user(struct task_body *body, const struct user_ops *ops, struct payer *payer, bool copy_fpu);
SAFE_API struct task *task_new_kernel(struct task_body *body, const struct kthread_ops *ops, struct payer *payer);
SAFE_API void task_start(struct task *t);                /* once; makes it runnable */
SAFE_API void task_discard(struct task *t);              /* instead of task_start */
SAFE_API void task_kick(struct task *t);                 /* kernel threads: run step again; in any context */
/* A wait queue of one.  The waker changes the word, then wakes the task; a wake-up in between is not lost, one too many
 * does no harm.  OK: the word is another; EINTR, ETIMEDOUT. */
SAFE_API err_t task_sleep_while(const u32 *word, u32 is, enum wait_mode mode, u64 deadline);
SAFE_API void task_wake(struct task *t);

/* The n-th allocation of the current task from now on fails, once, outside bottom halves; 0: none does.  Returns
 * how many were still to come.  Only the debug build counts those that a CPU's cache has an answer for.
 * FAIL_EACH_SITE (debug build): each call stack that allocates fails once in the life of the machine; tasks that
 * this one makes inherit it. */
#define FAIL_EACH_SITE U32_MAX
SAFE_API u32  task_fail_nth(u32 n);
SAFE_API u32  task_failed_sites(void);                   /* how many call stacks have failed so */
SAFE_API struct task_body *task_current(void);           /* the running task's body; NULL while services_start runs and in idle context */
/* The current task ends when the service function now running returns; user code
 * does not run again.  The last thing is dropping the body. */
SAFE_API void task_exit(void);
/* The calls and faults of t go to these functions from now on; nothing happens to a task that is none of a user. */
SAFE_API void task_set_ops(struct task *t, const struct user_ops *ops);
SAFE_API void task_set_name(struct task *t, bytes name); /* for traces; 15 bytes are kept */

/* The address space of the current task.  The task holds a reference; NULL: none. */
SAFE_API void task_set_space(struct vmspace *space);
SAFE_API void task_set_space_of(struct task *t, struct vmspace *space);  /* only before task_start */

/* Interrupts: wake the task from a sleep of a fitting mode, and call pending before it
 * next runs user code.  They stay until task_clear_interrupts (current task only). */
SAFE_API void task_interrupt(struct task *t, enum intr why);
SAFE_API void task_clear_interrupts(u32 mask);           /* bits of enum intr, of the current task */
SAFE_API u32  task_interrupts(void);                     /* of the current task */
/* Calls pending() soon, without waking a sleeper. */
SAFE_API void task_notify(struct task *t);

/* Processor time used, ns.  The sum is exact; user and system are told apart by ticks: what lies between two of them,
 * or before a sleep, counts as the last one found it. */
struct task_times { u64 user; u64 system; u64 start; };
SAFE_API struct task_times task_times(struct task *t);
SAFE_API u64  task_switches(struct task *t, bool voluntary);
SAFE_API u32  task_cpu(struct task *t);                  /* the CPU it runs or last ran on */
SAFE_API u32  cpu_id(void);                              /* a hint unless preemption is off */
SAFE_API u32  cpu_count(void);                           /* online; fixed after boot */
/* What a CPU did since boot. Interrupts are counted where they are sent, waits for a lock once each. */
enum cpu_counter {
        CPU_SWITCHES, CPU_FAULTS, CPU_PAGES, CPU_OBJECTS,       /* switches, user page faults; pages and objects allocated, */
        CPU_PAGE_REFILLS, CPU_OBJECT_REFILLS,                   /* and how often the CPU's own stock of them was empty */
        CPU_RESCHED_IPIS, CPU_TLB_IPIS, CPU_TLB_FLUSHES, CPU_SPACE_LOADS,       /* flushes of this CPU's TLB; CR3 loads */
        CPU_SPIN_WAITS, CPU_LOCK_WAITS, CPU_TIMER_IRQS, CPU_COUNTERS    /* spin locks; mutexes and rwlocks; this CPU's timer */
};
SAFE_API u64  cpu_counter(u32 cpu, enum cpu_counter which);     /* 0 for a CPU that is not there */
SAFE_API void cpu_barrier(void);                         /* each CPU has passed a full, serializing barrier */
SAFE_API void task_yield(void);
enum task_state { TASK_NEW, TASK_RUNNABLE, TASK_RUNNING, TASK_SLEEPING, TASK_ENDED };
SAFE_API enum task_state task_state(struct task *t);
SAFE_API bool task_sleeps_interruptibly(struct task *t);

/* Scheduling policy: a service.  The framework calls it with preemption off; it may
 * take spin locks.  Whatever it answers, a task runs on one CPU at a time; a bad
 * answer is logged and the idle task runs.  After an oops in it the framework goes
 * round robin.
 *   enqueue  t became runnable; choose a CPU's queue and insert.  Returns the CPU
 *            whose running task should be preempted now, or NO_CPU.
 *   pick     the task that `cpu` should run next, removed from its queue, or NULL: idle.  First, if prev is not NULL:
 *            it ran for `ran` ns since it was picked and was PREV_PREEMPTED or PREV_YIELDED: insert it again; or
 *            PREV_STOPPED: it sleeps or ended.  Then, if woken is not NULL: it
 *            became runnable here, as if by enqueue.  Not `want`: that is all, and the answer is NULL.
 *   tick     about every SCHED_TICK ns while `current` runs; true: preempt it */
#define NO_CPU U32_MAX
#define SCHED_TICK (4 * NSEC_PER_MSEC)
enum prev_was { PREV_PREEMPTED, PREV_YIELDED, PREV_STOPPED };
STABLE(sched_ops) {
        u32  (*enqueue)(struct task_body *t, u32 last_cpu, bool woken);
        struct task_body *(*pick)(u32 cpu, struct task_body *prev, enum prev_was was, u64 ran, struct task_body *woken, bool want);
        bool (*tick)(struct task_body *current, u32 cpu, u64 ran);
};
SAFE_API void sched_register(const struct sched_ops *ops);      /* once, at boot */
SAFE_API void sched_resched(u32 cpu);                    /* make that CPU pick again soon */
/* When it is woken, enqueue is called at once.  (Others may have to wait until their waker sleeps or a tick comes.) */
SAFE_API void task_set_urgent(struct task *t, bool urgent);
SAFE_API u64  cpu_idle_time(u32 cpu);                    /* ns */
SAFE_API u64  cpu_user_time(u32 cpu);                    /* ns in user code, as task_times divides it */
