/* SPDX-License-Identifier: Apache-2.0
 *
 * Job control: stopping and continuing a process.
 *
 * A stop begins when a thread meets a stop signal (stop_begin_locked): every thread is
 * interrupted, comes to signal_deliver, and sleeps there (stop_here_locked).  The last to
 * arrive, or to exit instead, completes it.  SIGCONT, when it is sent, ends the stop at
 * once; SIGKILL by making the process exit.  The parent is told by a thread of the process
 * itself, since a sender may be a bottom half and cannot take the tree lock.
 *
 * Invariants S1  stopping != 0  <=>  a stop is under way or complete
 *            S2  stop_count is the number of threads not exiting, and not asleep in
 *                stop_here_locked, while stopping != 0 and the stop is not complete
 *            S3  stopped  =>  stopping != 0 and stop_count == 0
 * All under process.lock.
 */
#include "services/signal/signal_impl.h"

static void complete_locked(struct process *p)
{
        STORE(p->stopped, true);
        p->stop_status = p->stopping;
        p->continued = false;
        p->tell_stopped = true;
}

void stop_begin_locked(struct thread *t, u32 sig)
{
        struct process *p = t->process;

        if (p->stopping)
                return;
        STORE(p->stopping, sig);
        p->stop_count = 0;
        for (struct thread *other = p->threads; other; other = other->next) {
                if (other->exiting || other->stop_signal)
                        continue;
                p->stop_count++;
                if (other != t)
                        task_interrupt(other->base.task, INTR_SIGNAL);
        }
}

void stop_continue_locked(struct process *p)
{
        p->continues++;
        if (p->stopped) {
                p->continued = true;
                p->tell_continued = true;
        }
        signal_end_stop_locked(p);
}

void signal_end_stop_locked(struct process *p)
{
        if (!p->stopping)
                return;
        p->tell_stopped = false;
        p->stop_status = 0;
        p->stop_count = 0;
        STORE(p->stopped, false);
        STORE(p->stopping, 0u);
        waitq_wake_all(&p->stop_wait);
}

void signal_tell_parent(struct process *p)
{
        struct pid_ns *ns = p->pid->ns;
        u32 code = 0, status = 0;

        tree_lock(ns);
        spin_lock(&p->lock);
        if (p->tell_stopped) {
                code = CLD_STOPPED;
                status = p->stopping;
        } else if (p->tell_continued) {
                code = CLD_CONTINUED;
                status = SIGCONT;
        }
        p->tell_stopped = false;
        if (code == CLD_CONTINUED)
                p->tell_continued = false;
        spin_unlock(&p->lock);
        if (code && p->parent)
                signal_child_event(p, p->parent, (i32)code, status);
        tree_unlock(ns);
}

static bool stays(struct thread *t)
{
        struct process *p = t->process;
        struct thread *exec = p->exec_thread;
        return p->stopping && !p->exiting && (!exec || exec == t);
}

void stop_here_locked(struct thread *t)
{
        struct process *p = t->process;

        t->stop_signal = p->stopping;
        if (--p->stop_count == 0)
                complete_locked(p);
        while (stays(t)) {
                if (p->tell_stopped) {
                        spin_unlock(&p->lock);
                        signal_tell_parent(p);
                        spin_lock(&p->lock);
                        continue;
                }
                err_t err = waitq_sleep_spin(&p->stop_wait, &p->lock, WAIT_KILLABLE, NEVER);
                if (err_is(err, EINTR) && stays(t)) {
                        task_clear_interrupts(INTR_KILL);       /* a kill that is none any more: exec gave up */
                } else if (failed(err) && stays(t)) {
                        spin_unlock(&p->lock);
                        ignore(sleep_until(time_now() + NSEC_PER_MSEC, WAIT_UNINTERRUPTIBLE));
                        spin_lock(&p->lock);
                }
        }
        t->stop_signal = 0;
        /* Left for another reason than the stop's end (exec): it counts as not stopped again. */
        if (p->stopping && !p->stopped)
                p->stop_count++;
}

bool signal_thread_exits_locked(struct thread *t)
{
        struct process *p = t->process;

        retarget_locked(t, ~t->blocked);
        dump_exits_locked(t);
        if (!p->stopping || p->stopped || t->stop_signal)
                return false;
        /* t has been marked exiting: it was counted, and is no more. */
        if (p->stop_count && --p->stop_count == 0 && p->running)
                complete_locked(p);
        return p->tell_stopped;
}
