/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may change whose scheduling: setpriority(2), sched_setscheduler(2), sched_setaffinity(2).
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

/* Calls for the threads that which and who name: `set` gives each the nice value, else the lowest is told. */
struct priority { bool set; i32 nice; bool any; err_t err; };

static void apply(struct priority *pr, struct thread *t)
{
        if (pr->set) {
                err_t err = set_nice(t, pr->nice);
                if (failed(err) || !pr->any)
                        pr->err = err;
        } else if (!pr->any || sched_nice(t) < pr->nice) {
                pr->nice = sched_nice(t);
        }
        pr->any = true;
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
                apply(pr, p->leader);
        tree_unlock(ns);
        pid_drop(pgrp);
}

static void apply_to_user(struct priority *pr, u32 uid)
{
        struct pid_ns *ns = pid_ns_current();
        struct process *p = process_next(ns, 1);

        while (p) {
                u32 nr = p->tgid;
                for (struct thread *t = process_thread_next(p, 1); t;) {
                        struct cred *cred = thread_cred(t);
                        if (cred && cred->uid == uid)
                                apply(pr, t);
                        cred_drop(cred);
                        u32 tid = t->tid;
                        thread_drop(t);
                        t = process_thread_next(p, tid + 1);
                }
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
        } else if (new.nice < old.nice && !may_nice(t, new.nice)) {
                return ERR(EPERM);
        }
        if (old.policy == SCHED_IDLE && new.policy != SCHED_IDLE &&
            (u64)(20 - new.nice) > rlimit_get(t->process, RLIMIT_NICE))
                return ERR(EPERM);
        return old.reset_on_fork && !new.reset_on_fork ? ERR(EPERM) : OK;
}

err_t process_sched_set(u32 tid, struct sched_params params)
{
        struct thread *t = named(tid);
        if (!t)
                return ERR(ESRCH);
        err_t err = may_schedule(t, sched_get(t), params);
        if (succeeded(err))
                err = sched_set(t, params);
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
