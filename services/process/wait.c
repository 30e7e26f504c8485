/* SPDX-License-Identifier: Apache-2.0
 *
 * wait4(2) and waitid(2).
 *
 * A waiter looks at its children under the tree lock, having put itself on its process's
 * wait_children before: every change that may be waited for is made under that lock, or
 * under the child's own before the wake-up.  Taking a zombie off the tree is one step of
 * the same section, so that two waiters never get the same one.
 */
#include "services/process/pidfd.h"
#include "services/process/process_impl.h"
#include "services/security/cred.h"
#include "services/vfs/files.h"

/* pid: of the process or group, NULL for any; only: the process it names; counted by process_wait and look. */
struct wait_for { u32 which, options; u32 tid; struct pid *pid; struct process *only; };

static bool is_one(const struct wait_for *what) { return what->which == P_PID || what->which == P_PIDFD; }

static bool matches(const struct wait_for *what, struct process *child)
{
        if (what->which == P_PGID && child->pgrp != what->pid)
                return false;
        if ((what->options & WNOTHREAD) && child->parent_tid != what->tid)
                return false;
        /* "Clone children" report by another signal than SIGCHLD. */
        if (what->options & WALL)
                return true;
        return ((what->options & WCLONE) != 0) == (child->exit_signal != SIGCHLD);
}

static void tell_who(struct process *child, struct wait_found *found)
{
        struct cred *cred = thread_cred(child->leader);
        found->pid = child->tgid;
        found->uid = cred ? cred->uid : 0;
        cred_drop(cred);
}

/* A stop or continuation that has not been reported. */
static bool job_event(const struct wait_for *what, struct process *child, struct wait_found *found)
{
        bool any = false;
        bool keep = what->options & WNOWAIT;

        spin_lock(&child->lock);
        if ((what->options & WSTOPPED) && child->stopped && child->stop_status) {
                found->code = CLD_STOPPED;
                found->status = child->stop_status << 8 | 0x7f;
                if (!keep)
                        child->stop_status = 0;
                any = true;
        } else if ((what->options & WCONTINUED) && child->continued) {
                found->code = CLD_CONTINUED;
                found->status = 0xffff;
                if (!keep)
                        child->continued = false;
                any = true;
        }
        spin_unlock(&child->lock);
        return any;
}

static void exit_event(struct process *child, struct wait_found *found)
{
        found->status = child->exit_status;
        found->code = !(found->status & 0x7f) ? CLD_EXITED : found->status & WCOREFLAG ? CLD_DUMPED : CLD_KILLED;
}

/* Looks at one child; true: that is it.  A zombie that is not to stay is off the tree then. */
static bool look_tree(const struct wait_for *what, struct process *child, struct wait_found *found, bool *reaped)
{
        if (child->zombie) {
                exit_event(child, found);
                if (!(what->options & WNOWAIT)) {
                        process_unlink_tree(child);
                        *reaped = true;
                }
                return true;
        }
        return (what->options & (WSTOPPED | WCONTINUED)) && job_event(what, child, found);
}

/* Finds an event.  *child: it, counted (reaped: by the tree's count, else by one of its own), or NULL.
 * ECHILD: there is nobody to wait for. */
static err_t scan_tree(const struct wait_for *what, struct process *self, struct process **child,
                       struct wait_found *found, bool *reaped)
{
        struct process *only = what->only;
        bool any = false;

        if (is_one(what) && (!only || only->reaped || only->parent != self))
                return ERR(ECHILD);
        for (struct process *c = only ? only : self->children; c; c = only ? NULL : c->sibling_next) {
                /* As on Linux, a zombie whose end is not asked for is no child at all. */
                if (!matches(what, c) || (c->zombie && !(what->options & WEXITED)))
                        continue;
                any = true;
                if (look_tree(what, c, found, reaped)) {
                        *child = *reaped ? c : process_hold(c);
                        return OK;
                }
        }
        return any ? OK : ERR(ECHILD);
}

/* The usage of a reaped child and of its own reaped ones is the parent's from now on. */
static void inherit_usage(struct process *self, struct process *c)
{
        SPIN_GUARD(&self->lock);
        self->child_times.user += c->dead_times.user + c->child_times.user;
        self->child_times.system += c->dead_times.system + c->child_times.system;
        self->child_min_faults += c->dead_min_faults + c->child_min_faults;
        self->child_maj_faults += c->dead_maj_faults + c->child_maj_faults;
        self->child_vcsw += c->dead_vcsw + c->child_vcsw;
        self->child_ivcsw += c->dead_ivcsw + c->child_ivcsw;
        io_counts_add(&self->dead_io, &c->dead_io);
        self->child_max_rss = max_u64(self->child_max_rss, max_u64(c->max_rss, c->child_max_rss));
}

static err_t look(struct wait_for *what, struct process *self, struct wait_found *found)
{
        struct pid_ns *ns = ns_of(self);
        struct process *child = NULL;
        bool reaped = false;

        if (is_one(what))
                what->only = pid_process(what->pid);
        tree_lock(ns);
        err_t err = scan_tree(what, self, &child, found, &reaped);
        tree_unlock(ns);
        process_drop(what->only);
        what->only = NULL;
        if (!child)
                return err;
        tell_who(child, found);
        found->usage = process_rusage(child, RUSAGE_BOTH);
        if (reaped) {
                inherit_usage(self, child);
                process_release(child);
        } else {
                process_drop(child);
        }
        return OK;
}

static err_t wait_loop(struct wait_for *what, struct process *self, struct wait_found *found)
{
        TRY(look(what, self, found));
        if (found->pid || (what->options & WNOHANG))
                return OK;
        WAITER(w);
        waiter_add(&w, &self->wait_children);
        for (;;) {
                TRY(look(what, self, found));
                if (found->pid)
                        return OK;
                err_t err = waiter_sleep(&w, WAIT_INTERRUPTIBLE, NEVER);
                if (err_is(err, EINTR))
                        return ERR(ERESTARTSYS);
                TRY(err);
        }
}

/* *pid: counted.  *nowait: a pidfd that does not block. */
static err_t find_pid(struct thread *t, u32 which, u32 id, struct pid **pid, bool *nowait)
{
        struct pid_ns *ns = ns_of(t->process);

        if (which == P_PIDFD) {
                if ((i32)id < 0)
                        return ERR(EINVAL);
                struct fd_ref r = fd_get(t->files, id);
                struct pid *named = r.file ? pidfd_pid(r.file) : NULL;
                *pid = named ? pid_hold(named) : NULL;
                *nowait = named && file_nonblock(r.file);
                if (r.file)
                        fd_put(r);
                return named ? OK : ERR(EBADF);
        }
        if (which == P_PGID && !id) {
                tree_lock(ns);
                *pid = pid_hold(t->process->pgrp);
                tree_unlock(ns);
        } else if (which != P_ALL) {
                *pid = pid_find(ns, id);
        }
        return which == P_ALL || *pid ? OK : ERR(ECHILD);
}

err_t process_wait(u32 which, u32 id, u32 options, struct wait_found *found)
{
        struct thread *t = thread_current();
        struct wait_for what = { .which = which, .options = options, .tid = t->tid };
        bool nowait = false;

        *found = (struct wait_found){};
        TRY(find_pid(t, which, id, &what.pid, &nowait));
        if (nowait)
                what.options |= WNOHANG;
        err_t err = wait_loop(&what, t->process, found);
        pid_drop(what.pid);
        return succeeded(err) && nowait && !found->pid && !(options & WNOHANG) ? ERR(EAGAIN) : err;
}
