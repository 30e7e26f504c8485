/* SPDX-License-Identifier: Apache-2.0
 *
 * Process groups and sessions.
 *
 * A group is the list of processes that begins at its pid's `group`; a session is an
 * object that its processes hold.  All of it is guarded by the tree lock.
 */
#include "services/process/process_impl.h"

static void session_fini(struct session *s)
{
        struct pid *sid = s->sid;
        pid_drop(s->hung_up);
        if (!sid)
                return;
        tree_lock(sid->ns);
        if (sid->session == s) {
                sid->session = NULL;
                pid_retire_tree(sid);
        }
        tree_unlock(sid->ns);
        pid_drop(sid);
}
POOL_DEFINE(session, session_fini);

void group_join_tree(struct process *p, struct pid *pgrp)
{
        p->pgrp = pgrp;
        p->pgrp_prev = NULL;
        p->pgrp_next = pgrp->group;
        if (pgrp->group)
                pgrp->group->pgrp_prev = p;
        pgrp->group = p;
}

void group_leave_tree(struct process *p)
{
        if (p->pgrp_prev)
                p->pgrp_prev->pgrp_next = p->pgrp_next;
        else
                p->pgrp->group = p->pgrp_next;
        if (p->pgrp_next)
                p->pgrp_next->pgrp_prev = p->pgrp_prev;
        p->pgrp_next = NULL;
        p->pgrp_prev = NULL;
        pid_retire_tree(p->pgrp);
}

/* No member has a parent in the same session but in another group. */
static bool orphaned(struct pid *pgrp, struct process *without)
{
        for (struct process *p = pgrp->group; p; p = p->pgrp_next) {
                struct process *parent = p->parent;
                if (p == without || p->zombie || !parent || parent->is_init)
                        continue;
                if (parent->pgrp != pgrp && parent->session == p->session)
                        return false;
        }
        return true;
}

bool process_group_orphaned(struct pid *pgrp) { return orphaned(pgrp, NULL); }

void group_orphan_check_tree(struct pid *pgrp, struct process *without)
{
        bool any_stopped = false;
        for (struct process *p = pgrp->group; p && !any_stopped; p = p->pgrp_next)
                any_stopped = p != without && LOAD(p->stopped);
        if (!any_stopped || !orphaned(pgrp, without))
                return;
        for (struct process *p = pgrp->group; p; p = p->pgrp_next) {
                ignore(signal_send_process_locked_tree(p, (struct siginfo){ .signo = SIGHUP, .code = SI_KERNEL }));
                ignore(signal_send_process_locked_tree(p, (struct siginfo){ .signo = SIGCONT, .code = SI_KERNEL }));
        }
}

/* The process `nr` (0: the caller), counted, or NULL. */
static struct process *named(u32 nr)
{
        return nr ? process_find(pid_ns_current(), nr) : process_hold(thread_current()->process);
}

/* The checks of setpgid, in the order its man page's errors come out on Linux. */
static err_t may_setpgid_tree(struct process *self, struct process *p, struct pid *pgrp)
{
        if (p->reaped)
                return ERR(ESRCH);
        if (p != self) {
                if (p->parent != self)
                        return ERR(ESRCH);
                if (p->session != self->session)
                        return ERR(EPERM);
                if (LOAD(p->did_exec))
                        return ERR(EACCES);
        }
        if (p->session->sid == p->pid)
                return ERR(EPERM);
        if (pgrp != p->pid && (!pgrp->group || pgrp->group->session != self->session))
                return ERR(EPERM);
        return OK;
}

err_t process_setpgid(u32 pid, u32 pgid)
{
        struct process *self = thread_current()->process;
        struct pid_ns *ns = ns_of(self);
        struct pid *old = NULL;
        struct process *p = named(pid);

        if (!p)
                return ERR(ESRCH);
        struct pid *pgrp = pgid && pgid != p->tgid ? pid_find(ns, pgid) : pid_hold(p->pid);
        tree_lock(ns);
        err_t err = pgrp ? may_setpgid_tree(self, p, pgrp) : ERR(EPERM);
        if (succeeded(err) && p->pgrp != pgrp) {
                old = p->pgrp;
                group_leave_tree(p);
                group_join_tree(p, pid_hold(pgrp));
        }
        tree_unlock(ns);
        pid_drop(old);
        pid_drop(pgrp);
        process_drop(p);
        return err;
}

static err_t ask_group(u32 pid, bool session, u32 *nr)
{
        struct process *p = named(pid);
        if (!p)
                return ERR(ESRCH);
        struct pid_ns *ns = ns_of(p);
        tree_lock(ns);
        *nr = session ? p->session->sid->nr : p->pgrp->nr;
        tree_unlock(ns);
        process_drop(p);
        return OK;
}

err_t process_getpgid(u32 pid, u32 *pgid) { return ask_group(pid, false, pgid); }
err_t process_getsid(u32 pid, u32 *sid)   { return ask_group(pid, true, sid); }

err_t process_setsid(u32 *sid)
{
        struct thread *t = thread_current();
        struct process *p = t->process;
        struct pid_ns *ns = ns_of(p);
        struct session *new = session_alloc(t->payer, MAY_RECLAIM), *old = NULL;
        struct pid *old_group = NULL;

        if (!new)
                return ERR(ENOMEM);
        new->sid = pid_hold(p->pid);
        new->leader = p;
        tree_lock(ns);
        err_t err = p->pid->group || p->pid->session ? ERR(EPERM) : OK;
        if (succeeded(err)) {
                session_publish(new);
                old = p->session;
                old_group = p->pgrp;
                p->session = new;
                p->left_tty = false;
                p->pid->session = new;
                group_leave_tree(p);
                group_join_tree(p, pid_hold(p->pid));
        }
        tree_unlock(ns);
        if (failed(err)) {
                session_drop(new);
                return err;
        }
        session_drop(old);
        pid_drop(old_group);
        *sid = p->tgid;
        return OK;
}
