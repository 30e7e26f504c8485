/* SPDX-License-Identifier: Apache-2.0
 *
 * Actions, masks, and waiting for signals: what a thread says about its own.
 */
#include "services/signal/signal_impl.h"

LOCK_CLASS_DECLARE(tree);
LOCK_CLASS_DECLARE(process);
LOCK_CLASS(sigactions, AFTER2(tree, process));
POOL_DEFINE(sigactions, NO_FINI);

#define KNOWN_FLAGS (SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER | SA_RESETHAND | \
                     SA_EXPOSE_TAGBITS | SA_RESTORER)

/* ---- Actions ---- */

struct sigactions *sigactions_copy(struct sigactions *from, struct payer *payer)
{
        struct sigactions *a = sigactions_alloc(payer, MAY_RECLAIM);
        if (!a)
                return NULL;
        lock_init(&a->lock, sigactions);
        if (from) {                     /* the current process's */
                SPIN_GUARD(&thread_current()->process->lock);
                SPIN_GUARD(&from->lock);
                for (u32 i = 0; i < SIG_COUNT; i++)
                        a->act[i] = from->act[i];
        }
        sigactions_publish(a);
        return a;
}

void sigactions_clear_handlers(struct sigactions *a)
{
        SPIN_GUARD(&a->lock);
        for (u32 i = 0; i < SIG_COUNT; i++)
                if (a->act[i].handler != SIG_IGN)
                        a->act[i] = (struct sigaction){};
}

/* execve: as above, and flags and masks are forgotten, too. */
void signal_reset_for_exec(struct thread *t)
{
        struct sigactions *a = t->process->actions;

        spin_lock(&a->lock);
        for (u32 i = 0; i < SIG_COUNT; i++) {
                u64 handler = a->act[i].handler;
                a->act[i] = (struct sigaction){ .handler = handler == SIG_IGN ? SIG_IGN : SIG_DFL };
        }
        spin_unlock(&a->lock);
        t->altstack_sp = 0;
        t->altstack_size = 0;
        t->altstack_flags = SS_DISABLE | (t->altstack_flags & SS_FLAG_BITS);
}

static bool comes_to_nothing(u32 sig, u64 handler)
{
        return handler == SIG_IGN || (handler == SIG_DFL && is_ignored_by_default(sig));
}

static void get_action(struct sigactions *a, u32 sig, struct sigaction *old) { *old = a->act[sig - 1]; }

static void set_action(struct sigactions *a, u32 sig, const struct sigaction *new)
{
        STORE(a->act[sig - 1].handler, new->handler);
        STORE(a->act[sig - 1].flags, new->flags & KNOWN_FLAGS);
        a->act[sig - 1].restorer = new->restorer;
        a->act[sig - 1].mask = new->mask & ~UNBLOCKABLE;
}

err_t signal_action(u32 sig, const struct sigaction *new, struct sigaction *old)
{
        struct thread *t = thread_current();
        struct process *p = t->process;
        struct sigactions *a = p->actions;

        if (sig == 0 || sig > SIG_COUNT || (new && sig_in(UNBLOCKABLE, sig)))
                return ERR(EINVAL);
        /* Nobody but this thread acts upon them or makes another that does: senders only look at one word. */
        bool alone = PTR_LOAD(p->threads) == t && !PTR_LOAD(t->next) && sigactions_refs(a) == 1;
        if (alone && !(new && comes_to_nothing(sig, new->handler))) {
                get_action(a, sig, old);
                if (new)
                        set_action(a, sig, new);
                return OK;
        }
        spin_lock(&p->lock);
        bool locked = actions_lock(a);
        get_action(a, sig, old);
        if (new)
                set_action(a, sig, new);
        actions_unlock(a, locked);
        /* Ignoring throws away what is pending, blocked or not. */
        if (new && comes_to_nothing(sig, new->handler))
                queue_remove_all_locked(p, BIT(sig));
        spin_unlock(&p->lock);
        return OK;
}

/* ---- Masks ---- */

bool signal_pending(struct thread *t)
{
        return deliverable(t) != 0 || t->forced.signo || must_act(t);
}

bool signal_fatal_pending(struct thread *t)
{
        struct thread *exec = PTR_LOAD(t->process->exec_thread);
        return LOAD(t->process->exiting) || (exec && exec != t);
}

/* The current thread's interrupts are made to say what is so: all that could make it so is under the lock. */
void signal_recalc(struct thread *t)
{
        if (signal_fatal_pending(t)) {
                task_interrupt(t->base.task, INTR_KILL);
        } else if (signal_pending(t)) {
                task_clear_interrupts(INTR_KILL);
                task_interrupt(t->base.task, INTR_SIGNAL);
        } else {
                task_clear_interrupts(INTR_SIGNAL | INTR_KILL);
        }
}

static void set_blocked_locked(struct thread *t, u64 mask)
{
        u64 newly = mask & ~t->blocked;
        STORE(t->blocked, mask & ~UNBLOCKABLE);
        retarget_locked(t, newly);
        signal_recalc(t);
}

void signal_set_blocked(struct thread *t, u64 mask)
{
        mask &= ~UNBLOCKABLE;
        if (mask == t->blocked)
                return;
        SPIN_GUARD(&t->process->lock);
        set_blocked_locked(t, mask);
}

err_t signal_mask(u32 how, const u64 *new, u64 *old)
{
        struct thread *t = thread_current();

        *old = t->blocked;
        if (!new)
                return OK;
        switch (how) {
        case SIG_BLOCK:
                signal_set_blocked(t, t->blocked | *new);
                return OK;
        case SIG_UNBLOCK:
                signal_set_blocked(t, t->blocked & ~*new);
                return OK;
        case SIG_SETMASK:
                signal_set_blocked(t, *new);
                return OK;
        default:
                return ERR(EINVAL);
        }
}

void signal_set_temporary_mask(u64 mask)
{
        struct thread *t = thread_current();

        t->saved_blocked = t->blocked;
        t->restore_blocked = true;
        signal_set_blocked(t, mask);
}

void signal_restore_mask(bool interrupted)
{
        struct thread *t = thread_current();

        /* Interrupted: the handler runs with the temporary mask; its frame holds the old one. */
        if (!t->restore_blocked || interrupted)
                return;
        t->restore_blocked = false;
        signal_set_blocked(t, t->saved_blocked);
}

err_t signal_suspend(u64 mask)
{
        struct thread *t = thread_current();

        signal_set_temporary_mask(mask);
        while (!signal_pending(t))
                if (err_is(sleep_until(NEVER, WAIT_INTERRUPTIBLE), EINTR) && !signal_pending(t)) {
                        SPIN_GUARD(&t->process->lock);  /* another thread took the signal */
                        signal_recalc(t);
                }
        /* signal_deliver comes next and gives the old mask back, whether or not a handler runs. */
        task_notify(t->base.task);
        return ERR(ERESTARTNOHAND);
}

u64 signal_pending_mask(void)
{
        struct thread *t = thread_current();
        SPIN_GUARD(&t->process->lock);
        return (t->pending.mask | t->process->pending.mask) & t->blocked;
}

/* ---- Waiting ---- */

static u32 take(struct thread *t, u64 set, struct siginfo *info)
{
        SPIN_GUARD(&t->process->lock);
        u32 sig = queue_take_locked(t, set, info);
        if (!sig)
                t->wanted = set;
        return sig;
}

bool signal_take(struct thread *t, u64 set, struct siginfo *info)
{
        SPIN_GUARD(&t->process->lock);
        if (!queue_take_locked(t, set, info))
                return false;
        signal_recalc(t);
        return true;
}

static err_t wait_loop(struct thread *t, u64 set, u64 deadline, struct siginfo *info)
{
        WAITER(w);
        waiter_add(&w, &t->sig_wait);
        for (;;) {
                if (take(t, set, info))
                        return OK;
                err_t err = deadline <= time_now() ? ERR(EAGAIN) : waiter_sleep(&w, WAIT_INTERRUPTIBLE, thread_slack(deadline));
                if (succeeded(err))
                        continue;
                if (take(t, set, info))
                        return OK;
                return err_is(err, ETIMEDOUT) ? ERR(EAGAIN) : err;
        }
}

err_t signal_timedwait(u64 set, u64 deadline, struct siginfo *info)
{
        struct thread *t = thread_current();

        set &= ~UNBLOCKABLE;
        err_t err = take(t, set, info) ? OK : wait_loop(t, set, deadline, info);
        SPIN_GUARD(&t->process->lock);
        t->wanted = 0;
        signal_recalc(t);
        return err;
}

/* ---- The alternate stack ---- */

u32 altstack_state(struct thread *t, u64 sp)
{
        if (!t->altstack_size)
                return SS_DISABLE;
        /* One that disarms itself is never "in use". */
        if (t->altstack_flags & SS_AUTODISARM)
                return 0;
        return sp > t->altstack_sp && sp - t->altstack_sp <= t->altstack_size ? SS_ONSTACK : 0;
}

err_t signal_altstack(const struct linux_stack *new, struct linux_stack *old, u64 sp)
{
        struct thread *t = thread_current();
        u32 state = altstack_state(t, sp);
        struct linux_stack now = {
                .ss_sp = t->altstack_sp, .ss_size = t->altstack_size,
                .ss_flags = (i32)(state | (t->altstack_flags & SS_FLAG_BITS)),
        };

        if (new) {
                u32 flags = (u32)new->ss_flags, mode = flags & ~SS_FLAG_BITS;
                if (state & SS_ONSTACK)
                        return ERR(EPERM);
                if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
                        return ERR(EINVAL);
                if (mode == SS_DISABLE) {
                        t->altstack_sp = 0;
                        t->altstack_size = 0;
                } else {
                        if (new->ss_size < MINSIGSTKSZ)
                                return ERR(ENOMEM);
                        t->altstack_sp = new->ss_sp;
                        t->altstack_size = new->ss_size;
                }
                t->altstack_flags = flags;
        }
        *old = now;
        return OK;
}
