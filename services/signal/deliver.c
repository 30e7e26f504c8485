/* SPDX-License-Identifier: Apache-2.0
 *
 * The last stop before user code: pending signals are acted upon, stops obeyed, and an
 * interrupted system call is settled.
 *
 * Each turn of the loop takes process.lock, looks, and does one thing.  A system call that
 * returned one of the restart errors is settled once: before the first handler's frame, by
 * that handler's flags, or at the end when no handler runs.
 */
#include "services/signal/signal_impl.h"
#include "abi/cpu/sysargs.h"
#include "abi/syscall_nr.h"

enum what { NOTHING, AGAIN, GONE, HANDLE, DUMP };

struct turn { struct sigaction action; struct siginfo info; };

/* With a handler: run again only if its flags and the kind of call say so. */
static void settle_for_handler(struct user_regs *regs, u64 flags)
{
        if (!in_syscall(regs))
                return;
        switch (syscall_error(regs)) {
        case ERESTART_RESTARTBLOCK:
        case ERESTARTNOHAND:
                syscall_set_error(regs, EINTR);
                break;
        case ERESTARTSYS:
                if (!(flags & SA_RESTART)) {
                        syscall_set_error(regs, EINTR);
                        break;
                }
                syscall_again(regs);
                break;
        case ERESTARTNOINTR:
                syscall_again(regs);
                break;
        }
        forget_syscall(regs);
}

static void settle_without_handler(struct user_regs *regs)
{
        if (!in_syscall(regs))
                return;
        switch (syscall_error(regs)) {
        case ERESTARTNOHAND:
        case ERESTARTSYS:
        case ERESTARTNOINTR:
                syscall_again(regs);
                break;
        case ERESTART_RESTARTBLOCK:
                syscall_again_as(regs, SYS_restart_syscall);
                break;
        }
        forget_syscall(regs);
}

/* The next signal to act upon; *forced: the thread's own fault, which nothing can avert. */
static u32 next_locked(struct thread *t, struct siginfo *info, bool *forced)
{
        *forced = t->forced.signo != 0;
        if (!*forced)
                return queue_take_locked(t, ~t->blocked, info);
        *info = t->forced;
        t->forced = (struct siginfo){};
        return info->signo;
}

/* A stop signal by default.  Only SIGSTOP stops a process in an orphaned group.  Lets go of the lock meanwhile. */
static void default_stop_locked(struct thread *t, u32 sig)
{
        struct process *p = t->process;
        struct pid_ns *ns = p->pid->ns;
        u32 seen = p->continues;
        bool orphaned = false;

        if (sig != SIGSTOP) {
                spin_unlock(&p->lock);
                tree_lock(ns);
                orphaned = process_group_orphaned(p->pgrp);
                tree_unlock(ns);
                spin_lock(&p->lock);
        }
        if (!orphaned && p->continues == seen && !p->exiting)
                stop_begin_locked(t, sig);
}

static enum what act_locked(struct thread *t, struct turn *turn)
{
        struct process *p = t->process;
        struct sigactions *a = p->actions;
        bool forced;
        u32 sig = next_locked(t, &turn->info, &forced);

        if (!sig) {
                signal_recalc(t);
                return NOTHING;
        }
        bool locked = actions_lock(a);
        turn->action = a->act[sig - 1];
        if (turn->info.ends)
                turn->action.handler = SIG_DFL;
        if (turn->action.handler > SIG_IGN && (turn->action.flags & SA_RESETHAND))
                STORE(a->act[sig - 1].handler, SIG_DFL);
        actions_unlock(a, locked);

        if (turn->action.handler > SIG_IGN)
                return HANDLE;
        if (turn->action.handler == SIG_IGN || is_ignored_by_default(sig) || (p->is_init && !forced))
                return AGAIN;
        if (sig_in(STOPS, sig))
                default_stop_locked(t, sig);
        else if (sig_in(DUMPS, sig))
                return dump_begin_locked(t, sig) ? DUMP : AGAIN;
        else
                process_kill_locked(p, sig);
        return AGAIN;
}

/* One turn; process.lock is held, and held again on return. */
static enum what turn_locked(struct thread *t, struct turn *turn)
{
        struct process *p = t->process;

        if (signal_fatal_pending(t))
                return GONE;
        if (p->tell_continued || (p->tell_stopped && p->stopped)) {
                spin_unlock(&p->lock);
                signal_tell_parent(p);
                spin_lock(&p->lock);
                return AGAIN;
        }
        if (p->stopping) {
                stop_here_locked(t);
                return AGAIN;
        }
        return act_locked(t, turn);
}

/* The stack is no good for a frame: SIGSEGV, and its handler, if that is what failed, is no good either. */
static void frame_failed(struct thread *t, u32 sig)
{
        struct process *p = t->process;

        if (sig == SIGSEGV) {
                SPIN_GUARD(&p->lock);
                SPIN_GUARD(&p->actions->lock);
                STORE(p->actions->act[SIGSEGV - 1].handler, SIG_DFL);
        }
        signal_force((struct siginfo){ .signo = SIGSEGV, .code = SI_KERNEL });
}

/* Runs without process.lock, which is held again on return. */
static void handle(struct thread *t, struct user_regs *regs, const struct turn *turn)
{
        struct process *p = t->process;
        u32 sig = turn->info.signo;
        struct frame_request req = {
                .action = &turn->action, .info = &turn->info,
                .old_mask = t->restore_blocked ? t->saved_blocked : t->blocked,
        };

        settle_for_handler(regs, turn->action.flags);
        if (!frame_push(t, regs, &req)) {
                frame_failed(t, sig);
                spin_lock(&p->lock);
                return;
        }
        t->restore_blocked = false;
        u64 mask = t->blocked | turn->action.mask | (turn->action.flags & SA_NODEFER ? 0 : BIT(sig));
        spin_lock(&p->lock);
        retarget_locked(t, mask & ~t->blocked);
        STORE(t->blocked, mask & ~UNBLOCKABLE);
}

void signal_deliver(struct thread *t, struct user_regs *regs)
{
        struct process *p = t->process;
        struct turn turn;

        for (;;) {
                enum what what;
                spin_lock(&p->lock);
                for (;;) {
                        what = turn_locked(t, &turn);
                        if (what == GONE || what == NOTHING)
                                break;
                        if (what == DUMP) {
                                spin_unlock(&p->lock);
                                dump_process(t, regs, &turn.info);
                        }
                        if (what == HANDLE) {
                                spin_unlock(&p->lock);
                                handle(t, regs, &turn);
                        }
                }
                spin_unlock(&p->lock);
                if (what == GONE) {
                        if (PTR_LOAD(p->dumper))
                                dump_stand_by(t, regs);
                        thread_exit(p->exit_status);
                        return;
                }
                settle_without_handler(regs);
                if (!t->restore_blocked)
                        return;
                /* The old mask may let more through. */
                signal_restore_mask(false);
                if (!signal_pending(t))
                        return;
        }
}
