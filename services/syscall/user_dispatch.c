/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls that a program answers itself: prctl(2), PR_SET_SYSCALL_USER_DISPATCH.
 *
 * A thread that asks for it gets other user_ops, whose system calls come by here first: all others pay nothing. A call made from
 * outside the range is not executed while the thread's byte says so, but is SIGSYS, with the registers as they were.
 *
 * Locking    none: thread.dispatch is the thread's own. Exec puts the ordinary operations back; a child begins with them.
 */
#include "services/syscall/calls.h"
#include "services/process/process.h"
#include "services/signal/signal.h"
#include "services/vm/vm.h"
#include "abi/linux/x86_64/sysargs.h"
#include "abi/const/process.h"
#include "abi/const/signal.h"

#define ARCH_X86_64 0xc000003eu         /* AUDIT_ARCH_X86_64 */

/* What cannot be caught ends the process. */
static bool goes_through(struct thread *t, struct user_regs *regs)
{
        u8 byte = SYSCALL_DISPATCH_FILTER_BLOCK;

        if (user_ip(regs) - t->dispatch.from < t->dispatch.len)
                return true;
        if (t->dispatch.byte && failed(GET_USER(byte, t->dispatch.byte))) {
                process_exit_group(SIGSEGV);
                return false;
        }
        if (byte == SYSCALL_DISPATCH_FILTER_ALLOW)
                return true;
        if (byte != SYSCALL_DISPATCH_FILTER_BLOCK) {
                process_exit_group(SIGSYS);
                return false;
        }
        syscall_set_result(regs, syscall_nr(regs));
        signal_force((struct siginfo){ .signo = SIGSYS, .code = SYS_USER_DISPATCH, .addr = user_ip(regs), .status = (u32)syscall_nr(regs),
                                       .fd = ARCH_X86_64 });
        forget_syscall(regs);
        return false;
}

static void dispatch(struct task_body *self, struct user_regs *regs)
{
        if (goes_through(DOWNCAST(thread, self), regs))
                syscall_dispatch(self, regs);
}

static const struct user_ops user_dispatched = {
        .start = user_start, .syscall = dispatch, .fault = user_fault,
        .exception = user_exception, .pending = user_pending, .died = user_died,
};

/* EINVAL: no such mode, or a range that is none; EFAULT: the byte is not in user memory. */
err_t call_user_dispatch(struct call *c)
{
        struct thread *t = c->t;
        u64 from = arg(c, 2), len = arg(c, 3), byte = arg(c, 4);

        switch (arg(c, 1)) {
        case PR_SYS_DISPATCH_OFF:
                if (from || len || byte)
                        return ERR(EINVAL);
                task_set_ops(process_ops_of(t->process)->user);
                return OK;
        case PR_SYS_DISPATCH_ON:
                if (from && from + len <= from)
                        return ERR(EINVAL);
                if (byte && !vm_is_user(byte, 1))
                        return ERR(EFAULT);
                t->dispatch.from = from;
                t->dispatch.len = len;
                t->dispatch.byte = byte;
                task_set_ops(&user_dispatched);
                return OK;
        default:
                return ERR(EINVAL);
        }
}
