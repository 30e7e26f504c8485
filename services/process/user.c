/* SPDX-License-Identifier: Apache-2.0
 *
 * What the framework calls for a user task: faults and exceptions become signals, and
 * `pending` is the last stop before user code.
 */
#include "services/process/process_impl.h"
#include "services/sched/sched.h"
#include "services/vm/vm.h"
#include "abi/cpu/sigframe.h"
#include "abi/cpu/sysargs.h"

#define VECTOR_PAGE_FAULT 14
#define PAGE_PRESENT      1u             /* in its error code */

static void note(struct thread *t, struct user_fault fault)
{
        t->fault.vector = fault.vector;
        t->fault.error = fault.error;
        t->fault.addr = fault.addr;
}

/* "bash[12]: segfault at 10 ip 401000 sp 7ffc… error 4", for a fault that no handler will see. */
static void log_fault(struct thread *t, const struct user_regs *regs, struct user_fault fault, u32 signo)
{
        struct sigaction now = {};
        bytes name = BYTES_OF(t->comm);

        if (succeeded(signal_action(signo, NULL, &now)) && now.handler > 1 && !(t->blocked & sig_bit(signo)))
                return;
        klog(LOG_INFO, "{}[{}]: segfault at {x} ip {x} sp {x} error {x}", bytes_take(name, bytes_find(name, 0)), t->tid,
             fault.addr, user_ip(regs), user_sp(regs), fault.error);
}

void user_fault(struct task_body *self, struct user_regs *regs, struct user_fault fault)
{
        struct thread *t = DOWNCAST(thread, self);
        u32 access = VM_USER | (fault.exec ? VM_EXEC : fault.write ? VM_WRITE : VM_READ);
        struct vm_fault_result r = vm_fault(t->vm, fault.addr, fault.present ? access : access | VM_ABSENT);

        if (r.major)
                t->maj_faults++;
        else
                t->min_faults++;
        if (!r.signal)
                return;
        note(t, fault);
        t->fault.vector = VECTOR_PAGE_FAULT;
        if (fault.addr >> 63)
                t->fault.error |= PAGE_PRESENT;         /* which pages the kernel has is not told */
        log_fault(t, regs, fault, r.signal);
        signal_force((struct siginfo){ .signo = r.signal, .code = (i32)r.code, .addr = fault.addr, .value = r.key });
}

void user_exception(struct task_body *self, struct user_regs *regs, struct user_fault fault)
{
        struct thread *t = DOWNCAST(thread, self);
        struct trap_signal s;

        note(t, fault);
        t->fault.addr = 0;
        if (trap_needs_fpu(fault.vector)) {
                if (!signal_fpu_ready(t)) {
                        signal_force((struct siginfo){ .signo = SIGKILL, .code = SI_KERNEL });
                        return;
                }
                mbytes state = blob_mbytes(t->fpu_buffer);
                fpu_save(state);
                s = trap_signal(fault.vector, fault.addr, bytes_const(state));
        } else {
                s = trap_signal(fault.vector, fault.addr, NO_BYTES);
        }
        signal_force((struct siginfo){ .signo = s.signo, .code = s.code, .addr = s.addr_is_ip ? user_ip(regs) : 0 });
}

/* Apart: it clears a siginfo. */
static noinline void tell_overrun(struct thread *t)
{
        ignore(signal_send_process(t->process, (struct siginfo){ .signo = SIGXCPU, .code = SI_KERNEL }));
}

void user_pending(struct task_body *self, struct user_regs *regs)
{
        struct thread *t = DOWNCAST(thread, self);

        if (t->process->cpu_watch)
                cpu_timers_check(t->process);
        if (sched_take_overrun(t))
                tell_overrun(t);
        if (t->rseq_area)
                rseq_resume(t, regs);
        signal_deliver(t, regs);
}

/* After an oops: the thread starts afresh here, with nothing held.  All of its process goes, as by SIGKILL;
 * what the dead stack had referred to stays allocated. */
void user_died(struct task_body *self, struct user_regs *regs)
{
        struct thread *t = DOWNCAST(thread, self);

        (void)regs;
        if (t->exiting) {
                task_exit();            /* it died in its own exit: what is left of it stays */
                return;
        }
        process_exit_group(SIGKILL);
}
