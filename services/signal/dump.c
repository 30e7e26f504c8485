/* SPDX-License-Identifier: Apache-2.0
 *
 * A signal that dumps core: one thread of the process writes, the others stand still meanwhile.
 *
 * The process is exiting from the moment the signal is acted upon, so every thread comes to signal_deliver, or exits
 * otherwise.  Those that come leave their registers in the thread and wait; dump_left counts those that have done neither.
 */
#include "services/signal/signal_impl.h"
#include "services/vm/vm.h"
#include "abi/const/process.h"

bool signal_stand(struct thread *t, const struct user_regs *regs)
{
        if (!signal_fpu_ready(t))
                return false;
        fpu_save(mbytes_take(blob_mbytes(t->fpu_buffer), fpu_size()));
        t->start_regs = *regs;
        t->stands_fs = user_get_fs(t->base.task);
        t->stands_gs = user_get_gs(t->base.task);
        STORE(t->stands, true);
        return true;
}

bool dump_begin_locked(struct thread *t, u32 sig)
{
        struct process *p = t->process;
        bool dumps = p->dumpable != DUMP_NONE && !p->exec_thread;

        process_kill_locked(p, sig);
        if (!dumps)
                return false;
        PTR_STORE(p->dumper, t);
        p->dump_left = 0;
        for (struct thread *other = p->threads; other; other = other->next)
                p->dump_left += other != t && !other->exiting;
        return true;
}

static void left_one_locked(struct process *p)
{
        if (--p->dump_left == 0)
                waitq_wake_all(&p->exec_wait);
}

void dump_exits_locked(struct thread *t)
{
        if (t->process->dumper && t->process->dumper != t && !t->stands)
                left_one_locked(t->process);
}

/* A sleep that nothing but its cause ends; out of memory it looks again soon. */
static void sleep_locked(struct process *p)
{
        if (succeeded(waitq_sleep_spin(&p->exec_wait, &p->lock, WAIT_UNINTERRUPTIBLE, NEVER)))
                return;
        spin_unlock(&p->lock);
        ignore(sleep_until(time_now() + NSEC_PER_MSEC, WAIT_UNINTERRUPTIBLE));
        spin_lock(&p->lock);
}

void dump_stand_by(struct thread *t, const struct user_regs *regs)
{
        struct process *p = t->process;
        bool stands = signal_stand(t, regs);

        spin_lock(&p->lock);
        if (stands && p->dumper) {
                left_one_locked(p);
                while (p->dumper)
                        sleep_locked(p);
        }
        spin_unlock(&p->lock);
}

void dump_process(struct thread *t, const struct user_regs *regs, const struct siginfo *info)
{
        struct process *p = t->process;

        spin_lock(&p->lock);
        while (p->dump_left)
                sleep_locked(p);
        task_clear_interrupts(INTR_SIGNAL | INTR_KILL);         /* what writes the file is not to be cut short */
        spin_unlock(&p->lock);
        bool done = process_ops_of(p)->dump(t, regs, info);
        spin_lock(&p->lock);
        if (done && p->exit_status == info->signo)      /* else it was killed meanwhile */
                p->exit_status |= WCOREFLAG;
        PTR_STORE(p->dumper, NULL);
        waitq_wake_all(&p->exec_wait);
}
