/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may change whose scheduling: setpriority(2), ioprio_set(2), sched_setscheduler(2),
 * sched_setaffinity(2).
 * What the values mean is services/sched.
 */
#include "services/process/process_impl.h"
#include "services/sched/sched.h"
#include "services/security/cred.h"

/* The thread `tid` (0: the caller), counted, or NULL. */
static struct thread *named(u32 tid)
{
        return tid ? thread_find(pid_ns_current(), tid) : thread_hold(thread_current());
}

static bool same_owner(struct thread *t)
{
        struct cred *mine = cred_current(), *its = thread_cred(t);
        bool same = its && (its->uid == mine->euid || its->euid == mine->euid);
        cred_drop(its);
        return same || capable(CAP_SYS_NICE);
}

/* May t be given this nice value, as far as RLIMIT_NICE goes? */
static bool may_nice(struct thread *t, i32 nice)
{
        return nice >= sched_nice(t) || (u64)(20 - nice) <= rlimit_get(t->process, RLIMIT_NICE) || capable(CAP_SYS_NICE);
}

static err_t set_nice(struct thread *t, i32 nice)
{
        if (!same_owner(t))
                return ERR(EPERM);
        if (!may_nice(t, nice))
                return ERR(EACCES);
        sched_set_nice(t, nice);
        return OK;
}

/* ---- ioprio_* ----
 * There is no block layer yet: the value is kept and inherited, and that is all. */

static err_t check_ioprio(u32 ioprio)
{
        u32 class = ioprio >> IOPRIO_CLASS_SHIFT, level = ioprio & (u32)IOPRIO_PRIO_MASK;

        switch (class) {
        case IOPRIO_CLASS_RT:
                if (!capable(CAP_SYS_NICE) && !capable(CAP_SYS_ADMIN))
                        return ERR(EPERM);
                return level >= IOPRIO_NR_LEVELS ? ERR(EINVAL) : OK;
        case IOPRIO_CLASS_BE:
                return level >= IOPRIO_NR_LEVELS ? ERR(EINVAL) : OK;
        case IOPRIO_CLASS_IDLE:
                return OK;
        case IOPRIO_CLASS_NONE:
                return level ? ERR(EINVAL) : OK;
        default:
                return ERR(EINVAL);
        }
}

static err_t set_ioprio(struct thread *t, u32 ioprio)
{
        struct cred *mine = cred_current(), *its = thread_cred(t);
        bool same = its && (its->uid == mine->euid || its->uid == mine->uid);

        cred_drop(its);
        if (!same && !capable(CAP_SYS_NICE))
                return ERR(EPERM);
        STORE(t->ioprio, ioprio);
        return OK;
}

/* The one that goes first: a lower class, or a lower level; "none" counts as the middle of best effort. */
static u32 best_ioprio(u32 a, u32 b)
{
        u32 none = IOPRIO_CLASS_BE << IOPRIO_CLASS_SHIFT | IOPRIO_BE_NORM;

        return (a ? a : none) <= (b ? b : none) ? a : b;
}

/* ---- Whom it is about ----
 * Calls for the threads that which and who name: `set` gives each the value, else the highest priority is told. */
struct priority { bool set, io; i32 nice; u32 ioprio; bool any; err_t err; };

static void apply(struct priority *pr, struct thread *t)
{
        if (pr->io) {
                err_t err = pr->set ? set_ioprio(t, pr->ioprio) : OK;
                if (failed(err) || !pr->any)
                        pr->err = err;
                if (!pr->set)
                        pr->ioprio = pr->any ? best_ioprio(pr->ioprio, LOAD(t->ioprio)) : LOAD(t->ioprio);
        } else if (pr->set) {
                err_t err = set_nice(t, pr->nice);
                if (failed(err) || !pr->any)
                        pr->err = err;
        } else if (!pr->any || sched_nice(t) < pr->nice) {
                pr->nice = sched_nice(t);
        }
        pr->any = true;
}

/* To all threads of p, or those of one user; the tree's lock keeps their list as it is. */
static void apply_to_threads_tree(struct priority *pr, struct process *p, bool all, u32 uid)
{
        for (struct thread *t = p->threads; t; t = t->next) {
                struct cred *cred = all ? NULL : thread_cred(t);
                if (all || (cred && cred->uid == uid))
                        apply(pr, t);
                cred_drop(cred);
        }
}

static void apply_to_group(struct priority *pr, u32 who)
{
        struct process *self = thread_current()->process;
        struct pid_ns *ns = ns_of(self);
        struct pid *pgrp = who ? pid_find(ns, who) : NULL;

        if (who && !pgrp)
                return;
        tree_lock(ns);
        for (struct process *p = who ? pgrp->group : self->pgrp->group; p; p = p->pgrp_next)
                apply_to_threads_tree(pr, p, true, 0);
        tree_unlock(ns);
        pid_drop(pgrp);
}

static void apply_to_user(struct priority *pr, u32 uid)
{
        struct pid_ns *ns = pid_ns_current();

        for (struct process *p = process_next(ns, 1); p;) {
                u32 nr = p->tgid;
                tree_lock(ns);
                apply_to_threads_tree(pr, p, false, uid);
                tree_unlock(ns);
                process_drop(p);
                p = process_next(ns, nr + 1);
        }
}

static err_t priority(struct priority *pr, u32 which, u32 who)
{
        switch (which) {
        case PRIO_PROCESS: {
                struct thread *t = named(who);
                if (t)
                        apply(pr, t);
                thread_drop(t);
                break;
        }
        case PRIO_PGRP:
                apply_to_group(pr, who);
                break;
        case PRIO_USER:
                apply_to_user(pr, who ? who : cred_current()->uid);
                break;
        default:
                return ERR(EINVAL);
        }
        return pr->any ? pr->err : ERR(ESRCH);
}

err_t process_setpriority(u32 which, u32 who, i32 nice)
{
        nice = nice < NICE_MIN ? NICE_MIN : nice > NICE_MAX ? NICE_MAX : nice;
        struct priority pr = { .set = true, .nice = nice, .err = OK };
        return priority(&pr, which, who);
}

err_t process_getpriority(u32 which, u32 who, i32 *nice)
{
        struct priority pr = { .err = OK };
        err_t err = priority(&pr, which, who);
        *nice = pr.nice;
        return err;
}

static bool ioprio_which(u32 which, u32 *prio)
{
        *prio = which == IOPRIO_WHO_PROCESS ? PRIO_PROCESS : which == IOPRIO_WHO_PGRP ? PRIO_PGRP : PRIO_USER;
        return which == IOPRIO_WHO_PROCESS || which == IOPRIO_WHO_PGRP || which == IOPRIO_WHO_USER;
}

err_t process_ioprio_set(u32 which, u32 who, u32 ioprio)
{
        struct priority pr = { .set = true, .io = true, .ioprio = ioprio, .err = OK };
        u32 kind = 0;

        TRY(check_ioprio(ioprio));
        return ioprio_which(which, &kind) ? priority(&pr, kind, who) : ERR(EINVAL);
}

err_t process_ioprio_get(u32 which, u32 who, u32 *ioprio)
{
        struct priority pr = { .io = true, .err = OK };
        u32 kind = 0;

        if (!ioprio_which(which, &kind))
                return ERR(EINVAL);
        err_t err = priority(&pr, kind, who);
        *ioprio = pr.ioprio;
        return err;
}

/* ---- sched_* ---- */

/* What an unprivileged caller may ask of a thread of its own. */
static err_t may_schedule(struct thread *t, struct sched_params old, struct sched_params new)
{
        u64 rt_limit = rlimit_get(t->process, RLIMIT_RTPRIO);

        if (capable(CAP_SYS_NICE))
                return OK;
        if (!same_owner(t))
                return ERR(EPERM);
        if (sched_is_realtime(new.policy)) {
                if (new.policy != old.policy && rt_limit == 0)
                        return ERR(EPERM);
                if (new.rt_priority > old.rt_priority && new.rt_priority > rt_limit)
                        return ERR(EPERM);
        } else if (new.policy == SCHED_DEADLINE) {
                return ERR(EPERM);
        } else if (new.policy != SCHED_IDLE && new.nice < old.nice && !may_nice(t, new.nice)) {
                return ERR(EPERM);
        }
        if (old.policy == SCHED_IDLE && new.policy != SCHED_IDLE &&
            (u64)(20 - old.nice) > rlimit_get(t->process, RLIMIT_NICE))
                return ERR(EPERM);
        return old.reset_on_fork && !new.reset_on_fork ? ERR(EPERM) : OK;
}

static err_t set_params(struct thread *t, struct sched_params p, u32 keep)
{
        struct sched_params old = sched_get(t);

        if (keep & PROCESS_SCHED_KEEP_POLICY) {
                p.policy = old.policy;
                p.reset_on_fork = old.reset_on_fork;
        }
        if (keep & PROCESS_SCHED_KEEP_NICE)
                p.nice = old.nice;
        if (keep & PROCESS_SCHED_KEEP_PARAMS) {
                if (sched_is_realtime(old.policy)) {
                        p.rt_priority = old.rt_priority;
                } else if (old.policy == SCHED_DEADLINE) {
                        p.runtime = old.runtime;
                        p.deadline = old.deadline;
                        p.period = old.period;
                } else {
                        p.nice = old.nice;
                }
        }
        TRY(sched_check(&p));
        TRY(may_schedule(t, old, p));
        if (keep & PROCESS_SCHED_CLAMP)
                return ERR(EOPNOTSUPP);
        if (keep & PROCESS_SCHED_KEEP_PARAMS) {         /* as on Linux, the policy stays as well */
                old.reset_on_fork = p.reset_on_fork;
                p = old;
        }
        return sched_set(t, p);
}

err_t process_sched_set(u32 tid, struct sched_params params, u32 keep)
{
        struct thread *t = named(tid);
        if (!t)
                return ERR(ESRCH);
        err_t err = set_params(t, params, keep);
        if (succeeded(err))
                ns_of(t->process)->ops->priority_changed(t);
        thread_drop(t);
        return err;
}

err_t process_sched_get(u32 tid, struct sched_params *params)
{
        struct thread *t = named(tid);
        if (!t)
                return ERR(ESRCH);
        *params = sched_get(t);
        thread_drop(t);
        return OK;
}

err_t process_sched_rr_interval(u32 tid, u64 *ns)
{
        struct thread *t = named(tid);
        if (!t)
                return ERR(ESRCH);
        *ns = sched_rr_interval(t);
        thread_drop(t);
        return OK;
}

err_t process_set_affinity(u32 tid, u64 mask)
{
        struct thread *t = named(tid);
        if (!t)
                return ERR(ESRCH);
        err_t err = same_owner(t) ? sched_set_affinity(t, mask) : ERR(EPERM);
        thread_drop(t);
        return err;
}

err_t process_get_affinity(u32 tid, u64 *mask)
{
        struct thread *t = named(tid);
        if (!t)
                return ERR(ESRCH);
        *mask = sched_affinity(t);
        thread_drop(t);
        return OK;
}
