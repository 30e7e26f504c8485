/* SPDX-License-Identifier: Apache-2.0
 *
 * Resource limits, and how much has been used.
 */
#include "services/process/process_impl.h"
#include "services/security/cred.h"
#include "services/vm/vm.h"

#define NR_OPEN 1048576ul

/* ---- Limits ---- */

/* Same user and group throughout, or the capability. */
static bool may_limit(struct thread *self, struct process *p)
{
        if (p == self->process || capable(CAP_SYS_RESOURCE))
                return true;
        struct cred *mine = self->cred, *its = thread_cred(p->leader);
        bool may = its && mine->uid == its->euid && mine->uid == its->suid && mine->uid == its->uid &&
                   mine->gid == its->egid && mine->gid == its->sgid && mine->gid == its->gid;
        cred_drop(its);
        return may;
}

static err_t set_limit_locked(struct process *p, u32 which, struct rlimit new, bool may_raise)
{
        struct rlimit *limit = &p->rlimit[which];

        if (new.max > limit->max && !may_raise)
                return ERR(EPERM);
        limit->max = new.max;
        STORE(limit->cur, new.cur);
        if ((which == RLIMIT_CPU || which == RLIMIT_RTTIME) && new.cur != RLIM_INFINITY)
                p->cpu_watch = true;
        return OK;
}

err_t process_prlimit(u32 pid, u32 which, const struct rlimit *new, struct rlimit *old)
{
        struct thread *self = thread_current();

        if (which >= RLIMITS || (new && new->cur > new->max))
                return ERR(EINVAL);
        if (new && which == RLIMIT_NOFILE && new->max > NR_OPEN)
                return ERR(EPERM);
        struct thread *t = pid ? thread_find(pid_ns_current(), pid) : thread_hold(self);
        if (!t)
                return ERR(ESRCH);
        struct process *p = t->process;
        err_t err = may_limit(self, p) ? OK : ERR(EPERM);
        if (succeeded(err)) {
                bool may_raise = capable(CAP_SYS_RESOURCE);
                spin_lock(&p->lock);
                *old = p->rlimit[which];
                if (new)
                        err = set_limit_locked(p, which, *new, may_raise);
                spin_unlock(&p->lock);
        }
        thread_drop(t);
        return err;
}

/* ---- Usage ---- */

struct usage { u64 user, system, min_faults, maj_faults, vcsw, ivcsw, rss; };

static void add_thread(struct usage *u, struct thread *t)
{
        struct task_times times = task_times(t->base.task);
        u->user += times.user;
        u->system += times.system;
        u->min_faults += LOAD_RELAXED(t->min_faults);
        u->maj_faults += LOAD_RELAXED(t->maj_faults);
        u->vcsw += task_switches(t->base.task, true);
        u->ivcsw += task_switches(t->base.task, false);
}

static void add_dead_locked(struct usage *u, struct process *p)
{
        u->user += p->dead_times.user;
        u->system += p->dead_times.system;
        u->min_faults += p->dead_min_faults;
        u->maj_faults += p->dead_maj_faults;
        u->vcsw += p->dead_vcsw;
        u->ivcsw += p->dead_ivcsw;
        u->rss = max_u64(u->rss, p->max_rss);
}

static void add_children_locked(struct usage *u, struct process *p)
{
        u->user += p->child_times.user;
        u->system += p->child_times.system;
        u->min_faults += p->child_min_faults;
        u->maj_faults += p->child_maj_faults;
        u->vcsw += p->child_vcsw;
        u->ivcsw += p->child_ivcsw;
        u->rss = max_u64(u->rss, p->child_max_rss);
}

static void add_live_locked(struct usage *u, struct process *p)
{
        for (struct thread *t = p->threads; t; t = t->next)
                if (!t->dead)
                        add_thread(u, t);
}

void process_add_times_locked(struct process *p, struct thread *t)
{
        struct usage u = {};
        add_thread(&u, t);
        p->dead_times.user += u.user;
        p->dead_times.system += u.system;
        p->dead_min_faults += u.min_faults;
        p->dead_maj_faults += u.maj_faults;
        p->dead_vcsw += u.vcsw;
        p->dead_ivcsw += u.ivcsw;
        io_counts_add(&p->dead_io, &t->io);
}

struct io_counts process_io(struct process *p)
{
        SPIN_GUARD(&p->lock);
        struct io_counts n = p->dead_io;

        for (struct thread *t = p->threads; t; t = t->next)
                if (!t->dead)
                        io_counts_add(&n, &t->io);
        return n;
}

struct task_times process_times(struct process *p)
{
        struct usage u = {};
        SPIN_GUARD(&p->lock);
        add_dead_locked(&u, p);
        add_live_locked(&u, p);
        return (struct task_times){ .user = u.user, .system = u.system, .start = p->start_time };
}

/* The address space of any live thread, counted, or NULL. */
static struct vm *any_vm_locked(struct process *p)
{
        for (struct thread *t = p->threads; t; t = t->next)
                if (t->vm)
                        return vm_hold(t->vm);
        return NULL;
}

static struct linux_timeval timeval(u64 ns)
{
        return (struct linux_timeval){ .tv_sec = (i64)(ns / NSEC_PER_SEC), .tv_usec = (i64)(ns % NSEC_PER_SEC / 1000) };
}

struct linux_rusage process_rusage(struct process *p, i32 who)
{
        struct usage u = {};
        struct vm *vm = NULL;

        spin_lock(&p->lock);
        if (who == RUSAGE_THREAD) {
                add_thread(&u, thread_current());
                u.rss = p->max_rss;
        }
        if (who == RUSAGE_SELF || who == RUSAGE_BOTH) {
                add_dead_locked(&u, p);
                add_live_locked(&u, p);
        }
        if (who == RUSAGE_CHILDREN || who == RUSAGE_BOTH)
                add_children_locked(&u, p);
        if (who != RUSAGE_CHILDREN)
                vm = any_vm_locked(p);
        spin_unlock(&p->lock);
        if (vm)
                u.rss = max_u64(u.rss, vm_rss(vm));
        vm_drop(vm);
        return (struct linux_rusage){
                .ru_utime = timeval(u.user), .ru_stime = timeval(u.system),
                .ru_maxrss = (i64)(u.rss * (PAGE_SIZE / 1024)),
                .ru_minflt = (i64)u.min_faults, .ru_majflt = (i64)u.maj_faults,
                .ru_nvcsw = (i64)u.vcsw, .ru_nivcsw = (i64)u.ivcsw,
        };
}
