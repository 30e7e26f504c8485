/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of services/signal share.
 *
 * Locking    process.lock guards pending signals, masks and stops, and the actions. Where
 *            several processes share these, sigactions.lock, taken under it, does as well; a
 *            process comes to share its parent's under the parent's process.lock.
 */
#pragma once
#include "services/signal/signal.h"
#include "services/process/process.h"
#include "services/process/account.h"
#include "abi/const/signal.h"

OBJECT(sigqueued) {
        struct siginfo info;
        struct sigqueued *next;
        struct ptimer *timer;           /* whose signal this is, and who is told when it is taken, or NULL; process.lock */
        bool queued;                    /* a timer's is in a queue; process.lock */
        struct account *account;        /* counted: whose RLIMIT_SIGPENDING it is */
};
POOL_DECLARE(sigqueued)

#define BIT(sig)      (1ul << ((sig) - 1))
#define UNBLOCKABLE   (BIT(SIGKILL) | BIT(SIGSTOP))
#define STOPS         (BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU))
#define IGNORED       (BIT(SIGCONT) | BIT(SIGCHLD) | BIT(SIGWINCH) | BIT(SIGURG))     /* by default */
#define DUMPS         (BIT(SIGQUIT) | BIT(SIGILL) | BIT(SIGTRAP) | BIT(SIGABRT) | BIT(SIGFPE) | BIT(SIGSEGV) | \
                       BIT(SIGBUS) | BIT(SIGSYS) | BIT(SIGXCPU) | BIT(SIGXFSZ))
/* What the thread's own instructions raise; delivered first. */
#define SYNCHRONOUS   (BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGILL) | BIT(SIGTRAP) | BIT(SIGFPE) | BIT(SIGSYS))

static inline bool sig_in(u64 set, u32 sig) { return (set & BIT(sig)) != 0; }

/* queue.c; process.lock held */
err_t queue_add_locked(struct thread *t, struct sigpending *pending, const struct siginfo *info);
void  queue_add_timer_locked(struct sigpending *pending, struct sigqueued *q);
/* Takes the next signal in `set` from the thread's or the process's queue; 0: none. */
u32   queue_take_locked(struct thread *t, u64 set, struct siginfo *info);
void  queue_remove_locked(struct sigpending *pending, u64 set);
/* The same from every queue of the process. */
void  queue_remove_all_locked(struct process *p, u64 set);

/* send.c */
/* The handler that is in force: racy reads are good enough to decide on ignoring. */
static inline u64 handler_of(struct process *p, u32 sig) { return LOAD(p->actions->act[sig - 1].handler); }
static inline bool is_ignored_by_default(u32 sig) { return sig_in(IGNORED, sig); }
/* Other threads of t's process look at the shared signals in `set`, which t no longer takes. */
void  retarget_locked(struct thread *t, u64 set);
/* Signals that t would handle now. */
static inline u64 deliverable(struct thread *t)
{
        return (LOAD(t->pending.mask) | LOAD(t->process->pending.mask)) & ~LOAD(t->blocked);
}
/* What else keeps t from user code: its process ends, or stops, or another thread is in exec. */
static inline bool must_act(struct thread *t)
{
        struct process *p = t->process;
        struct thread *exec = PTR_LOAD(p->exec_thread);
        return LOAD(p->exiting) || LOAD(p->stopping) || (exec && exec != t);
}

/* process.lock held: the lock of the actions too, if another process shares them; false: it is not needed. */
static inline bool actions_lock(struct sigactions *a)
{
        if (sigactions_refs(a) == 1)
                return false;
        spin_lock(&a->lock);
        return true;
}
static inline void actions_unlock(struct sigactions *a, bool locked) { if (locked) spin_unlock(&a->lock); }

/* action.c */
void signal_set_blocked(struct thread *t, u64 mask);     /* of the current thread; without locks */

/* dump.c */
/* p begins to exit by sig; true: t is to write a core first: dump_process, without locks; returns with process.lock held. */
bool dump_begin_locked(struct thread *t, u32 sig);
void dump_process(struct thread *t, const struct user_regs *regs, const struct siginfo *info);
void dump_stand_by(struct thread *t, const struct user_regs *regs);      /* another thread of such a process, until that is done */
void dump_exits_locked(struct thread *t);                /* it exits instead */

/* stop.c */
void stop_begin_locked(struct thread *t, u32 sig);
/* Stays stopped until continued or killed; lets go of process.lock meanwhile. */
void stop_here_locked(struct thread *t);
void stop_continue_locked(struct process *p);

/* frame.c */
/* Pushes a frame for the handler; false: the stack is no good. */
struct frame_request { const struct sigaction *action; const struct siginfo *info; u64 old_mask; };
bool frame_push(struct thread *t, struct user_regs *regs, const struct frame_request *req);
u32  altstack_state(struct thread *t, u64 sp);           /* SS_ONSTACK, SS_DISABLE or 0, and SS_AUTODISARM */
