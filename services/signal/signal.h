/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals: actions, queues, delivery, and the stops of job control.
 *
 * Who calls what:  senders call signal_send_*; the user loop's `pending` calls
 * signal_deliver, which may stop, kill, or push a frame (abi/linux/x86_64/sigframe.h).
 * System calls that were interrupted return ERESTART*; signal_deliver settles them.
 */
#pragma once
#include "services/task/thread.h"
#include "abi/linux/signal.h"

#define SIG_COUNT 64
static inline u64 sig_bit(u32 sig) { return 1ul << ((sig - 1) & 63); }

struct sigaction { u64 handler; u64 flags; u64 restorer; u64 mask; };   /* handler: SIG_DFL 0, SIG_IGN 1 */

OBJECT(sigactions) { struct spinlock lock; struct sigaction act[SIG_COUNT]; };   /* index sig - 1 */
POOL_DECLARE(sigactions)
struct sigactions *sigactions_copy(struct sigactions *from, struct payer *payer);       /* from NULL: defaults; NULL: no memory */
void  sigactions_clear_handlers(struct sigactions *a);  /* what is caught becomes default; ignored stays */
void signal_reset_for_exec(struct thread *t);           /* handlers to default, altstack off */

/* Sends without permission checks. OK also when the signal is ignored; EAGAIN: RLIMIT_SIGPENDING (real-time with info only). */
err_t signal_send_thread(struct thread *t, struct siginfo info);
err_t signal_send_process(struct process *p, struct siginfo info);
err_t signal_send_group(struct pid *pgrp, struct siginfo info);         /* takes the tree lock; ESRCH: empty */
err_t signal_send_process_locked_tree(struct process *p, struct siginfo info);  /* tree lock already held */
/* To whom F_SETOWN named, as far as who named it may send there; false: EAGAIN of one of them. */
bool  signal_send_owner(const struct signal_target *to, const struct siginfo *info);
/* For the current thread's own faults: cannot be ignored or blocked. */
void  signal_force(struct siginfo info);
/* The same, and no handler averts it either: the process ends, with a core dump if the signal makes one. */
void  signal_end(struct siginfo info);
/* SIGPIPE and the like, to the current thread. */
void  signal_raise(u32 sig);
bool  signal_may_send(struct thread *from, struct process *to, u32 sig);

/* POSIX timers: a signal made beforehand, charged to the user of t (NULL: RLIMIT_SIGPENDING, no memory).  begin: it is the
 * timer's; end: no more; both and send with process.lock held.  One that is queued stays. */
struct sigqueued *signal_timer_new(struct thread *t);
void signal_timer_begin_locked(struct sigqueued *q, struct ptimer *timer, struct siginfo info);
void signal_timer_end_locked(struct sigqueued *q);       /* q may be NULL */
void signal_timer_drop(struct sigqueued *q OWNED);       /* NULL ignored */
enum timer_sent { TIMER_SENT, TIMER_IGNORED, TIMER_NOBODY };    /* sent also: it was queued already, one more overrun is told */
enum timer_sent signal_send_timer_locked(struct process *p, struct thread *only, struct sigqueued *q);

/* kill(2), tgkill(2), tkill(2), rt_sigqueueinfo(2) with permission checks; sig 0 only checks. */
err_t signal_kill(i32 pid, struct siginfo info);
err_t signal_kill_process(struct process *p, struct siginfo info);
err_t signal_tgkill(i32 tgid, i32 tid, struct siginfo info);            /* tgid -1: any */

/* Before user code runs. nr: the system call returned from (or ~0ul), regs->rax its result. */
void  signal_deliver(struct thread *t, struct user_regs *regs);
bool  signal_pending(struct thread *t);                 /* unblocked, deliverable */
bool  signal_fatal_pending(struct thread *t);
void  signal_recalc(struct thread *t);                  /* after blocked changed: sets or clears task interrupts; lock held */

/* System calls. */
err_t signal_action(u32 sig, const struct sigaction *new, struct sigaction *old);
err_t signal_mask(u32 how, const u64 *new, u64 *old);
err_t signal_suspend(u64 mask);                         /* always ERESTARTNOHAND */
void  signal_set_temporary_mask(u64 mask);              /* ppoll, pselect: restored by signal_deliver or signal_restore_mask */
void  signal_restore_mask(bool interrupted);
u64   signal_pending_mask(void);
/* Takes the next of t's pending signals in `set`; t is the current thread.  False: there is none. */
bool  signal_take(struct thread *t, u64 set, struct siginfo *info);
err_t signal_timedwait(u64 set, u64 deadline, struct siginfo *info);    /* EAGAIN on time-out */
err_t signal_altstack(const struct linux_stack *new, struct linux_stack *old, u64 sp);
err_t signal_return(struct user_regs *regs);            /* rt_sigreturn; a bad frame raises SIGSEGV */
/* Moves siginfo to Linux's layouts. */
struct linux_siginfo siginfo_to_linux(const struct siginfo *info);
struct linux_signalfd_siginfo siginfo_to_signalfd(const struct siginfo *info);

/* Exit and stop support for services/process. */
void  signal_flush_thread(struct thread *t);            /* frees its queue */
void  signal_flush_process(struct process *p);
void  signal_child_event(struct process *child, struct process *parent, i32 code, u32 status);  /* SIGCHLD; tree lock held */
u64   signal_shown(struct process *p, u32 which);       /* /proc status: 0 pending 1 shared 2 blocked 3 ignored 4 caught */
/* process.lock held: t begins to exit.  Others take over the signals it might have handled; true: the stop under
 * way is complete without it, and signal_tell_parent is to be called without locks. */
bool  signal_thread_exits_locked(struct thread *t);
void  signal_end_stop_locked(struct process *p);        /* process.lock held: continued or killed */
void  signal_tell_parent(struct process *p);            /* of a stop or continuation, once */
bool  signal_child_ignored(struct process *parent);     /* SIGCHLD is ignored, or SA_NOCLDWAIT: children leave no zombies */
/* Leaves the current thread's registers in start_regs, stands_fs, stands_gs and fpu_buffer, for others.  False: no memory. */
bool  signal_stand(struct thread *t, const struct user_regs *regs);
/* Makes sure that the current thread has fpu_buffer: room for the FPU state in a signal frame.  False: no memory. */
bool  signal_fpu_ready(struct thread *t);
