/* SPDX-License-Identifier: Apache-2.0
 *
 * The objects of threads and processes: their pools, their lists, and simple questions.
 *
 * Counts: a thread is held by its process's list until it has ended (a leader: until the
 * process is reaped) and by its task until that is gone; it holds its process.  A process
 * is held besides by the tree, until it is reaped.
 */
#include "services/process/process_impl.h"
#include "services/seccomp/seccomp.h"
#include "services/security/cred.h"
#include "services/vfs/files.h"
#include "services/vfs/fs_context.h"
#include "services/vm/vm.h"

static void thread_fini(struct thread *t)
{
        if (t->sem_undos)               /* made, but never started; without a pid yet only its maker knows it */
                (t->pid ? t->pid->ns : ns_of(thread_current()->process))->ops->undo_exit(t);
        signal_flush_thread(t);
        vm_drop(t->vm);
        files_drop(t->files);
        if (t->fs)                      /* never started */
                fs_leave(t->fs);
        fs_context_drop(t->fs);
        ns_set_drop(t->ns);
        cred_drop(t->cred);
        seccomp_filter_drop(t->seccomp);
        blob_drop(t->fpu_buffer);
        pid_drop(t->pid);
        account_drop(t->account);
        process_drop(t->process);
        payer_drop(t->payer);
}
POOL_DEFINE(thread, thread_fini);

static void process_fini(struct process *p)
{
        signal_flush_process(p);
        timer_fini(&p->itimer_real);
        file_drop(p->exe);
        sigactions_drop(p->actions);
        session_drop(p->session);
        pid_drop(p->pgrp);
        pid_drop(p->pid);
        init_start_drop(p->starting);
}
POOL_DEFINE(process, process_fini);

void process_init(void) {}

/* ---- Lists ---- */

void thread_link_locked(struct process *p, struct thread *t)
{
        struct thread *leader = p->leader;

        /* Behind the leader, which stays first. */
        if (!leader || leader == t) {
                t->next = p->threads;
                t->prev = NULL;
                p->threads = t;
        } else {
                t->prev = leader;
                t->next = leader->next;
                leader->next = t;
        }
        if (t->next)
                t->next->prev = t;
        p->live++;
        p->running++;
}

static void thread_unlink_locked(struct process *p, struct thread *t)
{
        if (t->prev)
                t->prev->next = t->next;
        else
                p->threads = t->next;
        if (t->next)
                t->next->prev = t->prev;
        t->next = NULL;
        t->prev = NULL;
}

void thread_unlink_tree(struct thread *t)
{
        struct process *p = t->process;

        spin_lock(&p->lock);
        thread_unlink_locked(p, t);
        spin_unlock(&p->lock);
        PTR_STORE(t->pid->thread, NULL);
        pid_retire_tree(t->pid);
        FETCH_SUB(ns_of(p)->threads, 1u);
        FETCH_SUB(t->account->threads, 1ul);
}

void process_unlink_tree(struct process *p)
{
        child_remove_tree(p);
        group_leave_tree(p);
        PTR_STORE(p->pid->process, NULL);
        STORE(p->reaped, true);
        thread_unlink_tree(p->leader);
}

void process_release(struct process *p)
{
        thread_drop(p->leader);
        process_drop(p);
}

void child_add_tree(struct process *parent, struct process *child)
{
        PTR_STORE(child->parent, parent);
        child->sibling_next = NULL;
        child->sibling_prev = parent->children_last;
        if (parent->children_last)
                parent->children_last->sibling_next = child;
        else
                parent->children = child;
        parent->children_last = child;
}

void child_remove_tree(struct process *child)
{
        if (child->sibling_prev)
                child->sibling_prev->sibling_next = child->sibling_next;
        else if (child->parent)
                child->parent->children = child->sibling_next;
        if (child->sibling_next)
                child->sibling_next->sibling_prev = child->sibling_prev;
        else if (child->parent)
                child->parent->children_last = child->sibling_prev;
        child->sibling_next = NULL;
        child->sibling_prev = NULL;
}

/* ---- Questions ---- */

struct thread *process_thread_next(struct process *p, u32 nr)
{
        struct thread *found = NULL;
        SPIN_GUARD(&p->lock);
        for (struct thread *t = p->threads; t; t = t->next)
                if (t->tid >= nr && (!found || t->tid < found->tid))
                        found = t;
        return found ? thread_hold(found) : NULL;
}

struct files *process_files(struct process *p)
{
        SPIN_GUARD(&p->lock);
        for (struct thread *t = p->threads; t; t = t->next)
                if (t->files)
                        return files_hold(t->files);
        return NULL;
}

struct vm *process_vm(struct process *p)
{
        SPIN_GUARD(&p->lock);
        for (struct thread *t = p->threads; t; t = t->next)
                if (t->vm)
                        return vm_hold(t->vm);
        return NULL;
}

u32 process_ppid(struct process *p)
{
        for (;;) {
                struct process *parent = PTR_LOAD(p->parent);
                u32 ppid = parent && !LOAD(p->reaped) ? parent->tgid : 0;
                /* A parent gives its children away before it is freed: still the parent, it had its number. */
                if (PTR_LOAD(p->parent) == parent)
                        return ppid;
        }
}

u8 thread_state_letter(struct thread *t)
{
        if (t->dead)
                return 'Z';
        if (t->stop_signal && LOAD(t->process->stopping))      /* not if it has been continued, and has not run since */
                return 'T';
        switch (task_state(t->base.task)) {
        case TASK_SLEEPING:
                return task_sleeps_interruptibly(t->base.task) ? 'S' : 'D';
        case TASK_ENDED:
                return 'X';
        default:
                return 'R';
        }
}

u8 process_state_letter(struct process *p)
{
        if (p->zombie)
                return 'Z';
        if (p->stopped)
                return 'T';
        SPIN_GUARD(&p->lock);
        return p->leader && p->threads ? thread_state_letter(p->leader) : 'X';
}

u64 rlimit_get(struct process *p, u32 which)
{
        return which < RLIMITS ? LOAD(p->rlimit[which].cur) : U64_MAX;
}
