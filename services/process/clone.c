/* SPDX-License-Identifier: Apache-2.0
 *
 * clone(2) and its kin: new threads and processes.
 *
 * Everything that can fail is done on objects that nobody else can see: a thread, with
 * its task, its number and, unless CLONE_THREAD, its process.  Then `join` makes them part
 * of the tree in one step under the tree lock, or refuses: the maker is being killed, or a
 * signal came first.  Undoing is dropping the thread: its fini drops what it has.
 */
#include "services/process/pidfd.h"
#include "services/process/process_impl.h"
#include "services/seccomp/seccomp.h"
#include "services/exec/exec.h"
#include "services/sched/sched.h"
#include "services/security/cred.h"
#include "services/vfs/files.h"
#include "services/vfs/fs_context.h"
#include "services/vm/vm.h"
#include "abi/cpu/sysargs.h"

/* What there is; CLONE_INTO_CGROUP and the other namespaces are not yet: EINVAL. */
#define KNOWN (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_PTRACE | CLONE_VFORK | CLONE_PARENT | CLONE_THREAD | \
               CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_DETACHED | \
               CLONE_UNTRACED | CLONE_CHILD_SETTID | CLONE_IO | CLONE_CLEAR_SIGHAND | CLONE_PIDFD | NAMESPACES)

static err_t check_args(struct thread *self, const struct clone_args *args)
{
        u64 f = args->flags;

        if (f & ~(u64)KNOWN)
                return ERR(EINVAL);
        if (((f & CLONE_THREAD) && !(f & CLONE_SIGHAND)) || ((f & CLONE_SIGHAND) && !(f & CLONE_VM)))
                return ERR(EINVAL);
        if ((f & CLONE_CLEAR_SIGHAND) && (f & CLONE_SIGHAND))
                return ERR(EINVAL);
        if ((f & CLONE_NEWNS) && (f & CLONE_FS))
                return ERR(EINVAL);
        if ((f & CLONE_PIDFD) && (f & (CLONE_THREAD | CLONE_DETACHED)))
                return ERR(EINVAL);
        if ((f & CLONE_PIDFD) && (f & CLONE_PARENT_SETTID) && args->pidfd == args->parent_tid)
                return ERR(EINVAL);
        /* A sibling of init would have no parent in this namespace. */
        if ((f & CLONE_PARENT) && self->process->is_init)
                return ERR(EINVAL);
        return OK;
}

static err_t check_limits(struct thread *self)
{
        struct pid_ns *ns = ns_of(self->process);
        u64 limit = rlimit_get(self->process, RLIMIT_NPROC);

        if (LOAD(self->account->threads) >= limit && self->cred->uid != 0 &&
            !capable(CAP_SYS_RESOURCE) && !capable(CAP_SYS_ADMIN))
                return ERR(EAGAIN);
        return LOAD(ns->threads) >= LOAD(ns->max_threads) ? ERR(EAGAIN) : OK;
}

/* ---- The new process ---- */

struct process *process_new(struct payer *payer)
{
        struct process *p = process_alloc(payer, MAY_RECLAIM);
        if (!p)
                return NULL;
        lock_init(&p->lock, process);
        lock_init(&p->cpu_lock, cpu_timers);
        p->start_time = time_now();
        return p;
}

static err_t process_inherit(struct process *p, struct thread *from, const struct clone_args *args)
{
        struct process *parent = from->process;

        if (args->flags & CLONE_SIGHAND) {
                SPIN_GUARD(&parent->lock);
                p->actions = sigactions_hold(parent->actions);
        } else {
                p->actions = sigactions_copy(parent->actions, from->payer);
                if (!p->actions)
                        return ERR(ENOMEM);
                if (args->flags & CLONE_CLEAR_SIGHAND)
                        sigactions_clear_handlers(p->actions);
        }
        spin_lock(&parent->lock);
        for (u32 i = 0; i < RLIMITS; i++)
                p->rlimit[i] = parent->rlimit[i];
        p->exe = parent->exe ? file_hold(parent->exe) : NULL;
        spin_unlock(&parent->lock);
        p->exit_signal = (u32)args->exit_signal;
        p->oom_score_adj = parent->oom_score_adj;
        p->oom_score_adj_min = parent->oom_score_adj_min;
        p->dumpable = parent->dumpable;
        p->dump_filter = LOAD(parent->dump_filter);
        p->membarrier = args->flags & CLONE_VM ? LOAD(parent->membarrier) : 0;
        p->thp_disable = parent->thp_disable;
        p->cpu_watch = p->rlimit[RLIMIT_CPU].cur != RLIM_INFINITY || p->rlimit[RLIMIT_RTTIME].cur != RLIM_INFINITY;
        p->parent_tid = from->tid;
        return OK;
}

/* ---- The new thread ---- */

static err_t thread_share(struct thread *t, struct thread *from, u64 flags)
{
        t->cred = cred_hold(from->cred);
        t->account = from->account->uid == from->cred->uid ? account_hold(from->account)
                                                           : account_get(ns_of(from->process), from->cred->uid);
        t->files = flags & CLONE_FILES ? files_hold(from->files) : files_copy(t->payer, from->files);
        t->fs = flags & CLONE_FS ? fs_context_hold(from->fs) : fs_context_copy(t->payer, from->fs);
        if (t->fs)
                fs_enter(t->fs);
        if (!t->account || !t->files || !t->fs)
                return ERR(ENOMEM);
        TRY(namespaces_make(t->payer, from->ns, flags, t->fs, &t->ns));
        if (flags & CLONE_SYSVSEM)
                TRY(ns_of(from->process)->ops->undo_share(from, t));
        if (!(flags & CLONE_VM))
                return vm_clone(from->vm, t->payer, &t->vm);
        t->vm = vm_hold(from->vm);
        return OK;
}

static err_t thread_inherit(struct thread *t, struct thread *from, const struct clone_args *args)
{
        u64 f = args->flags;

        t->blocked = from->blocked;
        t->personality = from->personality;
        t->timer_slack = t->default_slack = from->timer_slack;
        t->mempolicy = from->mempolicy;
        t->ioprio = LOAD(from->ioprio);
        t->io_flusher = from->io_flusher;
        t->mce_kill = from->mce_kill;
        for (u32 i = 0; i < COMM_LEN; i++)
                t->comm[i] = from->comm[i];
        /* A thread that shares the memory but is no vfork child must not share the signal stack. */
        if ((f & (CLONE_VM | CLONE_VFORK)) != CLONE_VM) {
                t->altstack_sp = from->altstack_sp;
                t->altstack_size = from->altstack_size;
                t->altstack_flags = from->altstack_flags;
        } else {
                t->altstack_flags = SS_DISABLE;
        }
        if (!(f & CLONE_VM)) {
                t->rseq_area = from->rseq_area;
                t->rseq_sig = from->rseq_sig;
                t->rseq_len = from->rseq_len;
        }
        if (f & CLONE_CHILD_SETTID)
                t->set_child_tid = args->child_tid;
        if (f & CLONE_CHILD_CLEARTID)
                t->clear_child_tid = args->child_tid;
        return sched_fork(t, from);
}

/* The task, and the registers it begins with.  On failure there is none. */
static err_t task_make(struct thread *t, struct thread *from, const struct user_regs *regs, const struct clone_args *args)
{
        struct task *self = from->base.task;
        struct task *task = task_new_user(&t->base, ns_of(from->process)->ops->user, t->payer, true);

        if (!task)
                return ERR(ENOMEM);
        task_set_space_of(task, vm_space(t->vm));
        task_set_name(task, BYTES_OF(t->comm));
        t->start_regs = *regs;
        syscall_set_result(&t->start_regs, 0);
        forget_syscall(&t->start_regs);
        if (args->stack)
                user_set_sp(&t->start_regs, args->stack);
        err_t err = user_set_fs(task, args->flags & CLONE_SETTLS ? args->tls : user_get_fs(self));
        if (succeeded(err))
                err = user_set_gs(task, user_get_gs(self));
        if (failed(err))
                task_discard(task);
        return err;
}

/* A thread of `from`'s making, whole but invisible: no task yet.  The caller drops it. */
static err_t thread_make(struct thread *from, const struct clone_args *args, struct thread **out)
{
        struct thread *t = thread_alloc(from->payer, MAY_RECLAIM);
        if (!t)
                return ERR(ENOMEM);
        *out = t;
        t->payer = from->payer ? payer_hold(from->payer) : NULL;
        if (args->flags & CLONE_THREAD) {
                t->process = process_hold(from->process);
        } else {
                t->process = process_new(t->payer);
                if (!t->process)
                        return ERR(ENOMEM);
                TRY(process_inherit(t->process, from, args));
        }
        TRY(thread_share(t, from, args->flags));
        TRY(thread_inherit(t, from, args));
        struct pid_result pid = args->set_tid ? pid_new_as(ns_of(from->process), t->payer, args->set_tid)
                                              : pid_new(ns_of(from->process), t->payer);
        TRY(pid.err);
        t->pid = pid.p;
        t->tid = pid.p->nr;
        if (!(args->flags & CLONE_THREAD)) {
                t->process->pid = pid_hold(pid.p);
                t->process->tgid = pid.p->nr;
        }
        return OK;
}

/* The tree lock is held, the maker's process lock, too. */
static void join_process_locked(struct process *p, struct thread *t, struct thread *from, u64 flags)
{
        struct process *maker = from->process;
        struct process *parent = flags & CLONE_PARENT ? maker->parent : maker;

        if (flags & CLONE_PARENT)
                p->exit_signal = maker->exit_signal;
        p->leader = t;
        p->session = session_hold(maker->session);
        p->left_tty = maker->left_tty;
        group_join_tree(p, pid_hold(maker->pgrp));
        child_add_tree(parent, p);
        PTR_STORE(p->pid->process, p);
        process_publish(process_hold(p));       /* the tree's count */
}

/* Makes t part of the world.  From here on it is killed and reaped like any other; t's first count is the
 * list's.  ERESTARTNOINTR: a signal is to be handled first. */
static err_t join(struct thread *t, struct thread *from, u64 flags)
{
        struct process *maker = from->process, *p = t->process;
        struct pid_ns *ns = ns_of(maker);
        err_t err = OK;

        tree_lock(ns);
        spin_lock(&maker->lock);
        if (signal_pending(from)) {
                err = ERR(ERESTARTNOINTR);
        } else if (p == maker) {
                thread_link_locked(p, t);
        } else {
                join_process_locked(p, t, from, flags);
        }
        if (succeeded(err))
                seccomp_inherit_locked(t, from, ns->ops->watched);
        spin_unlock(&maker->lock);
        if (succeeded(err)) {
                if (p != maker) {
                        spin_lock(&p->lock);
                        thread_link_locked(p, t);
                        spin_unlock(&p->lock);
                }
                FETCH_ADD(ns->threads, 1u);
                FETCH_ADD(ns->forks, 1ul);
                FETCH_ADD(t->account->threads, 1ul);
                thread_publish(t);
                PTR_STORE(t->pid->thread, t);
        }
        tree_unlock(ns);
        return err;
}

/* Until the child has let go of the memory it borrows.  A killed parent does not wait. */
static void wait_for_vfork(struct thread *child)
{
        WAITER(w);
        waiter_add(&w, &child->vfork_done);
        while (PTR_LOAD(child->vfork_parent)) {
                err_t err = waiter_sleep(&w, WAIT_KILLABLE, NEVER);
                if (err_is(err, EINTR))
                        break;
                if (failed(err) && failed(sleep_until(time_now() + NSEC_PER_MSEC, WAIT_KILLABLE)))
                        break;
        }
}

/* CLONE_PIDFD: a descriptor, which nobody sees until the child is there, and its file. */
struct new_pidfd { u32 fd; struct file *file; };

static void pidfd_undo(struct thread *self, struct new_pidfd *new)
{
        if (!new->file)
                return;
        files_unreserve(self->files, new->fd);
        file_drop(new->file);
        new->file = NULL;
}

static err_t pidfd_make(struct thread *self, struct thread *t, u64 to, struct new_pidfd *new)
{
        struct actor who = actor_current();

        TRY(files_reserve(self->files, FD_CLOEXEC, 0, rlimit_get(self->process, RLIMIT_NOFILE), &new->fd));
        err_t err = pidfd_new(&who, t->pid, 0, &new->file);
        if (failed(err)) {
                files_unreserve(self->files, new->fd);
                return err;
        }
        err = vm_copy_out(to, BYTES_OF(new->fd));
        if (failed(err))
                pidfd_undo(self, new);
        return err;
}

err_t process_clone(struct user_regs *regs, struct clone_args args, u32 *tid)
{
        struct thread *self = thread_current(), *t = NULL;

        TRY(check_args(self, &args));
        TRY(check_limits(self));
        err_t err = thread_make(self, &args, &t);
        struct new_pidfd pidfd = {};
        if (succeeded(err) && (args.flags & CLONE_PIDFD))
                err = pidfd_make(self, t, args.pidfd, &pidfd);
        if (failed(err)) {
                thread_drop(t);
                return err;
        }
        bool vfork = args.flags & CLONE_VFORK;
        if (vfork)
                t->vfork_parent = self;
        err = task_make(t, self, regs, &args);
        if (failed(err)) {
                pidfd_undo(self, &pidfd);
                thread_drop(t);
                return err;
        }
        struct task *task = t->base.task;
        thread_hold(t);
        err = join(t, self, args.flags);
        if (failed(err)) {
                task_discard(task);
                pidfd_undo(self, &pidfd);
                thread_drop(t);
                thread_drop(t);
                return err;
        }
        *tid = t->tid;
        if (pidfd.file)
                files_set(self->files, pidfd.fd, pidfd.file);
        if (args.flags & CLONE_PARENT_SETTID)
                ignore(vm_copy_out(args.parent_tid, BYTES_OF(t->tid)));
        task_start(task);
        if (vfork)
                wait_for_vfork(t);
        thread_drop(t);
        return OK;
}

/* ---- Where user code begins ---- */

void user_start(struct task_body *self, struct user_regs *regs)
{
        struct thread *t = DOWNCAST(thread, self);

        if (PTR_LOAD(t->process->starting)) {
                first_exec(t, regs);
                return;
        }
        *regs = t->start_regs;
        if (t->set_child_tid)
                ignore(vm_copy_out(t->set_child_tid, BYTES_OF(t->tid)));
}
