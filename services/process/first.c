/* SPDX-License-Identifier: Apache-2.0
 *
 * Processes that nobody forks: the first one, and the helpers that the kernel runs itself (core(5)'s collectors).
 *
 * Each is root's, in a group and a session numbered 0, which nobody leads, so it may setsid().  Its thread begins with
 * the exec (process.starting says of what); who asked waits until that has succeeded or failed.
 *
 * Lifetime   A helper has no parent: it is reaped when it ends.
 */
#include "services/process/process_impl.h"
#include "services/sched/sched.h"
#include "services/security/cred.h"
#include "services/vfs/files.h"
#include "services/vfs/fs_context.h"
#include "services/vm/vm.h"

POOL_DEFINE(init_start, NO_FINI);

static void own_limits(struct process *p)
{
        u64 threads = LOAD(ns_of(p)->max_threads) / 2;

        for (u32 i = 0; i < RLIMITS; i++)
                p->rlimit[i] = (struct rlimit){ RLIM_INFINITY, RLIM_INFINITY };
        p->rlimit[RLIMIT_STACK].cur = STK_LIM;
        p->rlimit[RLIMIT_CORE].cur = 0;
        p->rlimit[RLIMIT_NPROC] = (struct rlimit){ threads, threads };
        p->rlimit[RLIMIT_NOFILE] = (struct rlimit){ 1024, 4096 };
        p->rlimit[RLIMIT_MEMLOCK] = (struct rlimit){ MLOCK_LIMIT, MLOCK_LIMIT };
        p->rlimit[RLIMIT_SIGPENDING] = (struct rlimit){ threads, threads };
        p->rlimit[RLIMIT_MSGQUEUE] = (struct rlimit){ 819200, 819200 };
        p->rlimit[RLIMIT_NICE] = (struct rlimit){ 0, 0 };
        p->rlimit[RLIMIT_RTPRIO] = (struct rlimit){ 0, 0 };
        if (!p->is_init)
                p->rlimit[RLIMIT_CORE] = (struct rlimit){ 1, 1 };       /* a collector's own end is not collected: core(5) */
}

/* Number 1 may still belong to a first process whose program could not be run, and which is vanishing. */
static struct pid_result number_one(struct pid_ns *ns, struct payer *payer)
{
        for (u32 tries = 0; tries < 10000; tries++) {
                spin_lock(&ns->lock);
                ns->last = 0;
                spin_unlock(&ns->lock);
                struct pid_result r = pid_new(ns, payer);
                if (failed(r.err) || r.p->nr == 1)
                        return r;
                pid_drop(r.p);
                ignore(sleep_until(time_now() + NSEC_PER_MSEC, WAIT_UNINTERRUPTIBLE));
        }
        return (struct pid_result){ .err = ERR(EAGAIN) };
}

/* The process of a thread that has nothing yet.  What was made goes with the thread. */
static err_t own_make(struct thread *t, struct ns_set *ns, struct payer *payer, bool first)
{
        struct process *p = process_new(payer);
        if (!p)
                return ERR(ENOMEM);
        t->process = p;
        p->is_init = first;
        p->dumpable = DUMP_USER;
        p->dump_filter = 0x33;          /* private and shared anonymous memory, ELF headers, private huge pages */
        p->exit_signal = SIGCHLD;
        t->timer_slack = t->default_slack = 50 * NSEC_PER_USEC;
        p->actions = sigactions_copy(NULL, payer);
        p->session = session_alloc(payer, MAY_RECLAIM);
        t->cred = cred_new_root(payer, ns->user);
        t->account = account_get(ns->pid, 0);
        if (!p->actions || !p->session || !t->cred || !t->account)
                return ERR(ENOMEM);
        struct pid_result pid = first ? number_one(ns->pid, payer) : pid_new(ns->pid, payer);
        TRY(pid.err);
        t->pid = pid.p;
        t->tid = pid.p->nr;
        p->pid = pid_hold(pid.p);
        p->tgid = pid.p->nr;
        own_limits(p);
        p->pgrp = pid_alloc(payer, MAY_RECLAIM);
        if (!p->pgrp)
                return ERR(ENOMEM);
        p->pgrp->ns = pid_ns_hold(ns->pid);
        p->session->sid = pid_hold(p->pgrp);
        pid_publish(p->pgrp);
        session_publish(p->session);
        t->altstack_flags = SS_DISABLE;
        sched_first(t);
        return OK;
}

/* As clone's join: nobody is above or beside it. */
static void own_join(struct thread *t, struct pid_ns *ns)
{
        struct process *p = t->process;

        tree_lock(ns);
        p->leader = t;
        if (p->is_init)
                ns->init = p;
        p->pgrp->session = p->session;
        group_join_tree(p, p->pgrp);
        PTR_STORE(p->pid->process, p);
        process_publish(process_hold(p));
        spin_lock(&p->lock);
        thread_link_locked(p, t);
        spin_unlock(&p->lock);
        FETCH_ADD(ns->threads, 1u);
        FETCH_ADD(t->account->threads, 1ul);
        thread_publish(t);
        PTR_STORE(t->pid->thread, t);
        tree_unlock(ns);
}

/* Until its program has been loaded, or could not be. */
static err_t wait_for_start(struct init_start *start)
{
        WAITER(w);
        waiter_add(&w, &start->done);
        while (!LOAD(start->is_done))
                if (failed(waiter_sleep(&w, WAIT_UNINTERRUPTIBLE, NEVER)))
                        ignore(sleep_until(time_now() + NSEC_PER_MSEC, WAIT_UNINTERRUPTIBLE));
        return start->err;
}

struct surroundings { struct ns_set *ns; struct fs_context *fs; struct files *files; };         /* borrowed */

/* out: NULL, or where the process goes, counted. */
static err_t start_own(struct init_args args, const struct surroundings *in, bool first, struct process **out)
{
        struct init_start *start = init_start_alloc(args.payer, MAY_RECLAIM);
        struct thread *t = thread_alloc(args.payer, MAY_RECLAIM);

        if (!start || !t) {
                init_start_drop(start);
                thread_drop(t);
                return ERR(ENOMEM);
        }
        start->args = args;
        t->ns = ns_set_hold(in->ns);
        t->fs = fs_context_hold(in->fs);
        fs_enter(t->fs);
        t->files = files_hold(in->files);
        t->payer = args.payer ? payer_hold(args.payer) : NULL;
        err_t err = own_make(t, in->ns, args.payer, first);
        struct task *task = succeeded(err) ? task_new_user(&t->base, args.ops->user, args.payer, false) : NULL;
        if (!task) {
                thread_drop(t);
                init_start_drop(start);
                return failed(err) ? err : ERR(ENOMEM);
        }
        struct process *p = process_hold(t->process);
        p->starting = init_start_hold(start);
        own_join(t, in->ns->pid);
        task_start(task);
        err = wait_for_start(start);
        init_start_drop(start);
        if (failed(err) || !out)
                process_drop(p);
        else
                *out = p;
        return err;
}

err_t process_start_init(struct init_args args, struct ns_set *ns, struct fs_context *fs, struct files *files)
{
        ns->pid->ops = args.ops;
        return start_own(args, &(struct surroundings){ ns, fs, files }, true, NULL);
}

/* Where the first process stands: its namespaces, and its root as root and working directory.  Counted; false: it is ending. */
static bool beside_init(struct pid_ns *ns, struct payer *payer, struct surroundings *out)
{
        struct fs_context *fs = NULL;

        tree_lock(ns);
        struct process *init = ns->init ? process_hold(ns->init) : NULL;
        tree_unlock(ns);
        if (!init)
                return false;
        spin_lock(&init->lock);
        struct thread *t = init->threads;
        while (t && !(t->fs && t->ns))          /* its leader may have ended before the others */
                t = t->next;
        if (t) {
                fs = fs_context_hold(t->fs);
                out->ns = ns_set_hold(t->ns);
        }
        spin_unlock(&init->lock);
        process_drop(init);
        if (!fs)
                return false;
        struct path root = fs_root(fs);
        out->fs = fs_context_new(payer, &root, &root);
        path_drop(&root);
        fs_context_drop(fs);
        return out->fs != NULL;
}

err_t process_start_helper(struct init_args args, struct file *input, struct process **out)
{
        struct thread *self = thread_current();
        struct surroundings in = { .files = files_new(args.payer) };
        u32 fd = 0;
        err_t err = ERR(ENOMEM);

        args.ops = ns_of(self->process)->ops;
        if (in.files && beside_init(ns_of(self->process), args.payer, &in)) {
                err = files_add(in.files, file_hold(input), 0, 0, 1, &fd);
                if (failed(err))
                        file_drop(input);
        }
        if (succeeded(err))
                err = start_own(args, &in, false, out);
        files_drop(in.files);
        fs_context_drop(in.fs);
        ns_set_drop(in.ns);
        return err;
}
