/* SPDX-License-Identifier: Apache-2.0
 *
 * The end of threads and processes.
 *
 * A thread exits in two steps.  First, on its own, it lets go of what it has: robust
 * futexes, memory, descriptors.  The last one to begin this also does what the process
 * does once (timers, controlling terminal).  Then, under the tree lock, it is counted
 * out; the last one to get there turns the process into a zombie, gives its children
 * away, and tells the parent.  A thread that leads stays visible until its process is
 * reaped; others vanish at once.
 *
 * Races     Whoever waits for a zombie sees it only when `zombie` is set, under the tree
 *           lock, at which time nothing of the process is used but by counted references.
 *           exec waits for `live` to be 1: the count goes down in the same section in which
 *           a thread is unlinked.
 */
#include "services/process/process_impl.h"
#include "services/sched/sched.h"
#include "services/security/cred.h"
#include "services/vfs/files.h"
#include "services/vfs/fs_context.h"
#include "services/vm/vm.h"

void process_kill_locked(struct process *p, u32 status)
{
        if (!p->exiting) {
                p->exiting = true;
                p->exit_status = status;
                signal_end_stop_locked(p);
        }
        for (struct thread *t = p->threads; t; t = t->next)
                if (!t->dead)
                        task_interrupt(t->base.task, INTR_KILL);
}

void process_exit_group(u32 status)
{
        struct process *p = thread_current()->process;

        spin_lock(&p->lock);
        if (!p->exiting) {
                if (p->running > 1)
                        process_kill_locked(p, status);
                p->exiting = true;
                p->exit_status = status;
        }
        status = p->exit_status;
        spin_unlock(&p->lock);
        thread_exit(status);
}

void thread_release_mm(struct thread *t)
{
        const struct process_ops *ops = ns_of(t->process)->ops;

        ops->robust_exit(t);
        t->robust_list = 0;
        if (t->clear_child_tid) {
                /* Of use only to those who share the memory. */
                if (t->vm && vm_refs(t->vm) > 1 && succeeded(vm_store32(t->clear_child_tid, 0)))
                        ops->wake_address(t->clear_child_tid, 1);
                t->clear_child_tid = 0;
        }
        if (PTR_LOAD(t->vfork_parent)) {
                PTR_STORE(t->vfork_parent, NULL);
                waitq_wake_all(&t->vfork_done);
        }
}

/* ---- Step 1 ---- */

/* True: this is the last thread of the process to begin its exit. */
static bool begin(struct thread *t, struct process *p, u32 status)
{
        spin_lock(&p->lock);
        /* What is to come must not be cut short by the kill that caused it. */
        task_clear_interrupts(INTR_SIGNAL | INTR_KILL);
        t->exiting = true;
        t->exit_status = status;
        bool last = --p->running == 0;
        /* Without exit_group or a signal, the process ends with the status of the last thread to exit. */
        if (last && !p->exiting) {
                p->exiting = true;
                p->exit_status = status;
        }
        bool tell = signal_thread_exits_locked(t);
        spin_unlock(&p->lock);
        if (tell)
                signal_tell_parent(p);
        return last;
}

static void put_hex(mbytes out, u32 v)
{
        for (u32 i = 0; i < 8; i++) {
                u32 d = v >> (28 - 4 * i) & 15;
                mbytes_put(out, i, (u8)(d < 10 ? '0' + d : 'a' + d - 10));
        }
}

static void init_died(u32 status)
{
        u8 text[64];
        mbytes m = MBYTES_OF(text);
        usize n = format(m, "Attempted to kill init! exitcode=0x");
        put_hex(mbytes_skip(m, n), status);
        machine_panic(bytes_take(bytes_const(m), n + 8));
}

/* What a process does once, by its last thread. */
static void leave_process(struct process *p)
{
        struct pid_ns *ns = ns_of(p);
        struct session *led = NULL;
        struct file *exe = NULL;

        timers_exit(p);
        ns->ops->timers_end(p);
        spin_lock(&p->lock);
        exe = p->exe;
        p->exe = NULL;
        spin_unlock(&p->lock);
        file_drop(exe);

        tree_lock(ns);
        if (p->session->leader == p)
                led = session_hold(p->session);
        tree_unlock(ns);
        if (led && ns->session_ops)
                ns->session_ops->leader_exit(led);
        session_drop(led);
}

static void let_go(struct thread *t, struct process *p)
{
        if (t->vm)
                thread_release_mm(t);
        u64 rss = t->vm ? vm_rss(t->vm) : 0;

        spin_lock(&p->lock);
        p->max_rss = max_u64(p->max_rss, rss);
        struct vm *vm = t->vm;
        struct files *files = t->files;
        struct fs_context *fs = t->fs;
        PTR_STORE(t->vm, NULL);
        PTR_STORE(t->files, NULL);
        spin_unlock(&p->lock);
        if (vm) {
                task_set_space(NULL);
                vm_drop(vm);
        }
        ns_of(p)->ops->undo_exit(t);
        ns_of(p)->ops->shm_exit(t);
        files_drop(files);
        /* Last: closing files may still walk paths. */
        spin_lock(&p->lock);
        PTR_STORE(t->fs, NULL);
        fs_leave(fs);
        spin_unlock(&p->lock);
        fs_context_drop(fs);
}

/* ---- Step 2 ---- */

/* Who adopts: the nearest ancestor that asked to, else the namespace's first process. */
static struct process *find_reaper_tree(struct process *p)
{
        for (struct process *at = p->parent; at; at = at->parent)
                if (at->child_subreaper && !at->zombie && LOAD(at->running))
                        return at;
        struct process *init = ns_of(p)->init;
        return init != p ? init : NULL;
}

/* Tells the parent of a zombie; true: nobody will wait for it, so it is off the tree and the caller's to release. */
static bool announce_tree(struct process *p)
{
        struct process *parent = p->parent;
        u32 status = p->exit_status;
        bool nobody = !parent || (p->exit_signal == SIGCHLD && signal_child_ignored(parent));

        if (parent) {
                u32 sig = status & 0x7f;
                signal_child_event(p, parent, !sig ? CLD_EXITED : status & WCOREFLAG ? CLD_DUMPED : CLD_KILLED, sig ? sig : status >> 8 & 0xff);
        }
        if (nobody)
                process_unlink_tree(p);
        if (parent)
                waitq_wake_all(&parent->wait_children);
        return nobody;
}

/* Each thread of the child that asked for it has its signal sent: the thread of p that made the child has ended. */
static void tell_orphan_tree(struct process *child, struct process *p)
{
        for (struct thread *t = child->threads; t; t = t->next) {
                u32 sig = LOAD(t->pdeath_signal);
                if (sig)
                        ignore(signal_send_process_locked_tree(child, (struct siginfo){ .signo = sig, .pid = p->tgid }));
        }
}

static void give_away_tree(struct process *p, struct process *child, struct process *reaper, struct process **unwanted)
{
        child_remove_tree(child);
        child->exit_signal = SIGCHLD;
        child->parent_tid = 0;
        if (!reaper) {
                PTR_STORE(child->parent, NULL);
                return;
        }
        child_add_tree(reaper, child);
        tell_orphan_tree(child, p);
        if (child->zombie) {
                if (announce_tree(child)) {
                        child->orphan_next = *unwanted;
                        *unwanted = child;
                }
        } else if (child->pgrp != p->pgrp && child->session == p->session) {
                group_orphan_check_tree(child->pgrp, NULL);
        }
}

/* The process has no live thread any more.  Returns those, perhaps itself, that nobody waits for. */
static struct process *become_zombie_tree(struct process *p)
{
        struct process *reaper = find_reaper_tree(p), *unwanted = NULL;

        while (p->children)
                give_away_tree(p, p->children, reaper, &unwanted);
        if (p->parent && p->parent->pgrp != p->pgrp && p->parent->session == p->session)
                group_orphan_check_tree(p->pgrp, p);
        if (p->session->leader == p)
                p->session->leader = NULL;
        spin_lock(&p->lock);
        signal_flush_process(p);
        spin_unlock(&p->lock);
        STORE(p->zombie, true);
        waitq_wake_all(&p->pid->exited);
        if (announce_tree(p)) {
                p->orphan_next = unwanted;
                unwanted = p;
        }
        return unwanted;
}

/* A thread ends, but not its process: to those that it made, their parent has ended. */
static void tell_children_tree(struct thread *t, struct process *p)
{
        for (struct process *c = p->children; c; c = c->sibling_next) {
                if (c->parent_tid != t->tid)
                        continue;
                c->parent_tid = p->threads->tid;
                tell_orphan_tree(c, p);
        }
}

/* Counts the thread out. */
static void leave_tree(struct thread *t, struct process *p)
{
        struct pid_ns *ns = ns_of(p);
        struct process *unwanted = NULL;

        tree_lock(ns);
        spin_lock(&p->lock);
        signal_flush_thread(t);
        process_add_times_locked(p, t);
        t->dead = true;
        bool all = --p->live == 0;
        spin_unlock(&p->lock);
        bool gone = t != p->leader;
        if (gone)
                thread_unlink_tree(t);
        if (all) {
                unwanted = become_zombie_tree(p);
        } else {
                tell_children_tree(t, p);
                if (PTR_LOAD(p->exec_thread))
                        waitq_wake_all(&p->exec_wait);
        }
        tree_unlock(ns);

        if (gone)
                thread_drop(t);                 /* the task still holds it */
        while (unwanted) {
                struct process *next = unwanted->orphan_next;
                unwanted->orphan_next = NULL;
                process_release(unwanted);
                unwanted = next;
        }
}

void thread_exit(u32 status)
{
        struct thread *t = thread_current();
        struct process *p = t->process;

        if (t->exiting)
                return;
        bool last = begin(t, p, status);
        sched_exit(t);
        if (last && p->is_init)
                init_died(p->exit_status);
        if (last)
                leave_process(p);
        let_go(t, p);
        leave_tree(t, p);
        task_exit();
}

void thread_exit_unborn(struct thread *t)
{
        struct process *p = t->process;
        struct pid_ns *ns = ns_of(p);

        begin(t, p, 0);
        leave_process(p);
        let_go(t, p);
        tree_lock(ns);
        ns->init = NULL;
        tree_unlock(ns);
        leave_tree(t, p);
        task_exit();
}
