/* SPDX-License-Identifier: Apache-2.0
 *
 * Sending signals: from a sender to a queue, and to the thread that shall act.
 *
 * Under process.lock: the effects a signal has by being sent (SIGCONT continues, stops and
 * SIGCONT cancel each other), then it is ignored or queued, then a thread that does not
 * block it is interrupted.  A signal that kills by default does so at once: the process
 * begins to exit here, whatever its threads are doing.
 */
#include "services/signal/signal_impl.h"
#include "services/security/cred.h"
#include "abi/const/fcntl.h"

/* Would it be thrown away?  Not while it is blocked: the action may change before it is unblocked. */
static bool is_ignored(struct process *p, struct thread *t, u32 sig)
{
        u64 handler = handler_of(p, sig);

        if (sig_in(LOAD(t->blocked), sig))
                return p->is_init && sig_in(UNBLOCKABLE, sig);
        if (handler == SIG_IGN)
                return true;
        /* The first process gets only what it has a handler for. */
        return handler == SIG_DFL && (is_ignored_by_default(sig) || p->is_init);
}

/* Nobody asks about SIGKILL; otherwise a thread takes a signal that it does not block, or waits for. */
static bool takes(struct thread *t, u32 sig)
{
        if (t->exiting || (t->stop_signal && sig != SIGKILL))
                return false;           /* a stopped one looks when it is continued */
        return sig == SIGKILL || !sig_in(t->blocked & ~t->wanted, sig);
}

static struct thread *choose_locked(struct process *p, struct thread *only, u32 sig)
{
        if (only)
                return takes(only, sig) ? only : NULL;
        for (struct thread *t = p->threads; t; t = t->next)
                if (takes(t, sig))
                        return t;
        return NULL;
}

static bool kills_by_default(u32 sig)
{
        return sig == SIGKILL || !sig_in(IGNORED | STOPS | DUMPS, sig);
}

static void wake_locked(struct process *p, struct thread *only, u32 sig)
{
        struct thread *t = choose_locked(p, only, sig);

        if (!t || (p->dumper && sig != SIGKILL))
                return;                 /* only SIGKILL cuts a core dump short */
        bool waits = sig_in(t->wanted, sig);
        if (!waits && kills_by_default(sig) && handler_of(p, sig) == SIG_DFL) {
                if (p->dumper)
                        p->exit_status = sig;
                process_kill_locked(p, sig);
                return;
        }
        if (waits)
                waitq_wake_all(&t->sig_wait);
        task_interrupt(t->base.task, INTR_SIGNAL);
}

/* What a signal does by being sent.  The thread that stands for the receivers, or NULL: it comes to nothing. */
static inline struct thread *prepare_locked(struct process *p, struct thread *only, u32 sig)
{
        struct thread *t = only ? only : p->threads;    /* the leader is first; it may have ended before others */

        if (p->live == 0 || !t)
                return NULL;
        if (t->dead && t->next)
                t = t->next;
        if (sig == SIGCONT) {
                queue_remove_all_locked(p, STOPS);
                stop_continue_locked(p);
        } else if (sig_in(STOPS, sig)) {
                queue_remove_all_locked(p, BIT(SIGCONT));
        }
        return is_ignored(p, t, sig) ? NULL : t;
}

/* only: for this thread, or NULL: for any of p. */
static err_t send_locked(struct process *p, struct thread *only, const struct siginfo *info)
{
        u32 sig = info->signo;
        struct sigpending *pending = only ? &only->pending : &p->pending;
        struct thread *t = prepare_locked(p, only, sig);

        if (!t || (sig < SIGRTMIN && sig_in(pending->mask, sig)))
                return OK;              /* a standard signal is pending once */
        TRY(queue_add_locked(t, pending, info));
        waitq_wake_all(&p->signals_queued);
        wake_locked(p, only, sig);
        return OK;
}

enum timer_sent signal_send_timer_locked(struct process *p, struct thread *only, struct sigqueued *q)
{
        if (p->live == 0 || (only && only->exiting))
                return TIMER_NOBODY;
        if (!prepare_locked(p, only, q->info.signo))
                return TIMER_IGNORED;
        if (q->queued) {
                q->info.status++;
                return TIMER_SENT;
        }
        q->info.status = 0;
        queue_add_timer_locked(only ? &only->pending : &p->pending, q);
        waitq_wake_all(&p->signals_queued);
        wake_locked(p, only, q->info.signo);
        return TIMER_SENT;
}

err_t signal_send_thread(struct thread *t, struct siginfo info)
{
        SPIN_GUARD(&t->process->lock);
        return t->exiting ? OK : send_locked(t->process, t, &info);
}

err_t signal_send_process(struct process *p, struct siginfo info)
{
        SPIN_GUARD(&p->lock);
        return send_locked(p, NULL, &info);
}

err_t signal_send_process_locked_tree(struct process *p, struct siginfo info)
{
        return signal_send_process(p, info);
}

err_t signal_send_group(struct pid *pgrp, struct siginfo info)
{
        struct pid_ns *ns = pgrp->ns;
        bool any = false;

        tree_lock(ns);
        for (struct process *p = pgrp->group; p; p = p->pgrp_next) {
                any = true;
                ignore(signal_send_process(p, info));
        }
        tree_unlock(ns);
        return any ? OK : ERR(ESRCH);
}

void retarget_locked(struct thread *t, u64 set)
{
        struct process *p = t->process;
        u64 left = p->pending.mask & set;

        if (!left)
                return;
        for (struct thread *other = p->threads; other; other = other->next)
                if (other != t && !other->exiting && (left & ~other->blocked))
                        task_interrupt(other->base.task, INTR_SIGNAL);
}

/* ---- The thread's own ---- */

void signal_force(struct siginfo info)
{
        struct thread *t = thread_current();
        struct process *p = t->process;
        u32 sig = info.signo;

        spin_lock(&p->lock);
        if (t->forced.ends) {
                /* Nothing takes its place: what comes of bad memory on the way out (rseq) may have a handler. */
        } else if (sig == SIGKILL) {
                process_kill_locked(p, SIGKILL);
        } else {
                /* Blocked or ignored, it would come again for ever. */
                if (sig_in(t->blocked, sig) || handler_of(p, sig) == SIG_IGN) {
                        bool locked = actions_lock(p->actions);
                        STORE(p->actions->act[sig - 1].handler, SIG_DFL);
                        actions_unlock(p->actions, locked);
                }
                STORE(t->blocked, t->blocked & ~BIT(sig));
                t->forced = info;
                task_interrupt(t->base.task, INTR_SIGNAL);
        }
        spin_unlock(&p->lock);
}

void signal_end(struct siginfo info)
{
        struct thread *t = thread_current();

        info.ends = true;
        SPIN_GUARD(&t->process->lock);
        t->forced = info;
        task_interrupt(t->base.task, INTR_SIGNAL);
}

void signal_raise(u32 sig)
{
        struct thread *t = thread_current();
        struct siginfo info = { .signo = sig, .code = SI_USER, .pid = t->process->tgid, .uid = cred_current()->uid };
        ignore(signal_send_thread(t, info));
}

/* ---- kill(2) and its kin ---- */

bool signal_may_send(struct thread *from, struct process *to, u32 sig)
{
        if (from->process == to)
                return true;
        struct cred *its = thread_cred(to->leader);
        bool may = its && cred_may_signal(from->cred, its);
        cred_drop(its);
        return may || (sig == SIGCONT && from->process->session == to->session);
}

/* Checks, then sends; sig 0 only checks. */
static err_t kill_one(struct thread *self, struct process *p, const struct siginfo *info)
{
        if (!signal_may_send(self, p, info->signo))
                return ERR(EPERM);
        if (!info->signo)
                return OK;
        SPIN_GUARD(&p->lock);
        return send_locked(p, NULL, info);
}

/* What a kill of many comes to: OK if any could be had, else EPERM, else ESRCH. */
struct many { bool any, done; err_t last; };

static void count_one(struct many *m, err_t err)
{
        m->any = true;
        m->last = err;
        m->done = m->done || succeeded(err);
}

static err_t many_result(const struct many *m)
{
        return m->done ? OK : m->any ? m->last : ERR(ESRCH);
}

static err_t kill_group(struct thread *self, u32 nr, struct siginfo info)
{
        struct pid_ns *ns = pid_ns_current();
        struct pid *pgrp = nr ? pid_find(ns, nr) : NULL;
        struct many m = { .last = OK };

        if (nr && !pgrp)
                return ERR(ESRCH);
        tree_lock(ns);
        for (struct process *p = nr ? pgrp->group : self->process->pgrp->group; p; p = p->pgrp_next)
                count_one(&m, kill_one(self, p, &info));
        tree_unlock(ns);
        pid_drop(pgrp);
        return many_result(&m);
}

/* Everyone but the first process and the caller's own. */
static err_t kill_all(struct thread *self, struct siginfo info)
{
        struct pid_ns *ns = pid_ns_current();
        struct process *p = process_next(ns, 2);
        struct many m = { .last = OK };

        while (p) {
                u32 nr = p->tgid;
                if (p != self->process && !p->is_init)
                        count_one(&m, kill_one(self, p, &info));
                process_drop(p);
                p = process_next(ns, nr + 1);
        }
        return many_result(&m);
}

err_t signal_kill(i32 pid, struct siginfo info)
{
        struct thread *self = thread_current();

        if (info.signo > SIG_COUNT)
                return ERR(EINVAL);
        if (pid == -1)
                return kill_all(self, info);
        if (pid <= 0)
                return pid == (i32)0x80000000u ? ERR(ESRCH) : kill_group(self, (u32)-pid, info);
        struct process *p = process_find(pid_ns_current(), (u32)pid);
        if (!p)
                return ERR(ESRCH);
        err_t err = kill_one(self, p, &info);
        process_drop(p);
        return err;
}

err_t signal_kill_process(struct process *p, struct siginfo info)
{
        return info.signo > SIG_COUNT ? ERR(EINVAL) : kill_one(thread_current(), p, &info);
}

err_t signal_tgkill(i32 tgid, i32 tid, struct siginfo info)
{
        struct thread *self = thread_current();

        if (info.signo > SIG_COUNT)
                return ERR(EINVAL);
        struct thread *t = thread_find(pid_ns_current(), (u32)tid);
        if (!t)
                return ERR(ESRCH);
        err_t err = OK;
        if (tgid != -1 && t->process->tgid != (u32)tgid)
                err = ERR(ESRCH);
        else if (!signal_may_send(self, t->process, info.signo))
                err = ERR(EPERM);
        else if (info.signo)
                err = signal_send_thread(t, info);
        thread_drop(t);
        return err;
}

/* ---- Owners of files ---- */

static bool owner_may_signal(const struct signal_target *to, struct process *p)
{
        struct cred *its = thread_cred(p->leader);

        if (!its)
                return false;
        bool may = to->euid == 0 || to->euid == its->suid || to->euid == its->uid || to->uid == its->suid || to->uid == its->uid;
        cred_drop(its);
        return may;
}

static bool send_to_thread(const struct signal_target *to, const struct siginfo *info)
{
        struct thread *t = thread_find(to->ns, to->id);
        bool room = true;

        if (t && owner_may_signal(to, t->process))
                room = !err_is(signal_send_thread(t, *info), EAGAIN);
        thread_drop(t);
        return room;
}

static bool send_to_process(const struct signal_target *to, const struct siginfo *info)
{
        struct process *p = process_find(to->ns, to->id);
        bool room = true;

        if (p && owner_may_signal(to, p))
                room = !err_is(signal_send_process(p, *info), EAGAIN);
        process_drop(p);
        return room;
}

static bool send_to_group(const struct signal_target *to, const struct siginfo *info)
{
        struct pid *pgrp = pid_find(to->ns, to->id);
        bool room = true;

        if (!pgrp)
                return true;
        tree_lock(to->ns);
        for (struct process *p = pgrp->group; p; p = p->pgrp_next)
                if (owner_may_signal(to, p) && err_is(signal_send_process(p, *info), EAGAIN))
                        room = false;
        tree_unlock(to->ns);
        pid_drop(pgrp);
        return room;
}

bool signal_send_owner(const struct signal_target *to, const struct siginfo *info)
{
        switch (to->kind) {
        case F_OWNER_TID:
                return send_to_thread(to, info);
        case F_OWNER_PGRP:
                return send_to_group(to, info);
        default:
                return send_to_process(to, info);
        }
}

/* ---- Children ---- */

bool signal_child_ignored(struct process *parent)
{
        struct sigactions *a = parent->actions;
        SPIN_GUARD(&a->lock);
        return a->act[SIGCHLD - 1].handler == SIG_IGN || (a->act[SIGCHLD - 1].flags & SA_NOCLDWAIT);
}

#define USER_HZ 100

void signal_child_event(struct process *child, struct process *parent, i32 code, u32 status)
{
        bool job = code == CLD_STOPPED || code == CLD_CONTINUED;
        u32 sig = job ? SIGCHLD : child->exit_signal;

        if (sig && sig <= SIG_COUNT && !(job && (LOAD(parent->actions->act[SIGCHLD - 1].flags) & SA_NOCLDSTOP))) {
                struct task_times times = process_times(child);
                struct cred *cred = thread_cred(child->leader);
                struct siginfo info = {
                        .signo = sig, .code = code, .pid = child->tgid, .uid = cred ? cred->uid : 0, .status = status,
                        .utime = times.user / (NSEC_PER_SEC / USER_HZ), .stime = times.system / (NSEC_PER_SEC / USER_HZ),
                };
                cred_drop(cred);
                ignore(signal_send_process(parent, info));
        }
        waitq_wake_all(&parent->wait_children);
}
