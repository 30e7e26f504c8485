/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls that are looked at before they are executed: of a thread that answers some itself (prctl(2), PR_SET_SYSCALL_USER_DISPATCH) or that
 * may not make all of them (seccomp(2)).
 *
 * Such a thread has other user_ops (process_ops.watched), whose system calls come by here first: all others pay nothing. A
 * call that its program is to see itself is not executed but is SIGSYS, with the registers as they were.
 *
 * Locking    none: thread.dispatch is the thread's own. Exec ends it; a child begins without. services/seccomp has the filters.
 */
#include "services/syscall/calls.h"
#include "services/process/process.h"
#include "services/seccomp/seccomp.h"
#include "services/signal/signal.h"
#include "services/vm/vm.h"
#include "abi/linux/x86_64/sysargs.h"
#include "abi/const/process.h"
#include "abi/const/signal.h"
#include "abi/syscall_nr.h"

#define ARCH_X86_64 0xc000003eu         /* AUDIT_ARCH_X86_64 */
#define MAX_ERRNO   4095u

/* SIGSYS instead of the call: its handler, or the core dump, finds the registers as the program had them. */
static struct siginfo undone(struct user_regs *regs, i32 code, u32 error)
{
        u64 nr = syscall_nr(regs);

        syscall_set_result(regs, nr);
        forget_syscall(regs);
        return (struct siginfo){ .signo = SIGSYS, .code = code, .errno_value = (i32)error, .addr = user_ip(regs),
                                 .status = (u32)nr, .fd = ARCH_X86_64 };
}

/* A filter that is none ends the process. */
static bool dispatch_lets(struct thread *t, struct user_regs *regs)
{
        u8 byte = SYSCALL_DISPATCH_FILTER_BLOCK;

        if (user_ip(regs) - t->dispatch.from < t->dispatch.len)
                return true;
        if (t->dispatch.byte && failed(GET_USER(byte, t->dispatch.byte))) {
                (void)undone(regs, 0, 0);
                signal_end((struct siginfo){ .signo = SIGSEGV, .code = SI_KERNEL });
                return false;
        }
        if (byte == SYSCALL_DISPATCH_FILTER_ALLOW)
                return true;
        if (byte != SYSCALL_DISPATCH_FILTER_BLOCK) {
                (void)undone(regs, 0, 0);
                signal_end((struct siginfo){ .signo = SIGSYS, .code = SI_KERNEL });
                return false;
        }
        signal_force(undone(regs, SYS_USER_DISPATCH, 0));
        return false;
}

static bool strict_lets(u64 nr)
{
        if (nr == SYS_read || nr == SYS_write || nr == SYS_exit || nr == SYS_rt_sigreturn)
                return true;
        thread_exit(SIGKILL);
        return false;
}

static bool filters_let(struct thread *t, struct user_regs *regs)
{
        struct syscall_args args = syscall_args(regs);
        struct linux_seccomp_data data = { .nr = (i32)(u32)syscall_nr(regs), .arch = ARCH_X86_64, .instruction_pointer = user_ip(regs) };

        for (u32 i = 0; i < ARRAY_SIZE(data.args); i++)
                data.args[i] = args.a[i];
        u32 verdict = seccomp_judge(t, &data), error = verdict & SECCOMP_RET_DATA;
        switch (verdict & SECCOMP_RET_ACTION_FULL) {
        case SECCOMP_RET_ALLOW:
        case SECCOMP_RET_LOG:
                return true;
        case SECCOMP_RET_ERRNO:
                syscall_set_error(regs, error < MAX_ERRNO ? error : MAX_ERRNO);
                return false;
        case SECCOMP_RET_TRACE:                 /* no tracer, */
        case SECCOMP_RET_USER_NOTIF:            /* no supervisor */
                syscall_set_error(regs, ENOSYS);
                return false;
        case SECCOMP_RET_TRAP:
                signal_force(undone(regs, SYS_SECCOMP, error));
                return false;
        case SECCOMP_RET_KILL_THREAD:
                if (LOAD(t->process->live) > 1) {
                        thread_exit(SIGSYS);
                        return false;
                }
                break;
        default:                                /* SECCOMP_RET_KILL_PROCESS, and what is none of these */
                break;
        }
        signal_end(undone(regs, SYS_SECCOMP, error));
        return false;
}

void syscall_dispatch_watched(struct task_body *self, struct user_regs *regs)
{
        struct thread *t = DOWNCAST(thread, self);
        u32 mode = LOAD(t->seccomp_mode);

        if (t->dispatch.on && !dispatch_lets(t, regs))
                return;
        if (mode == SECCOMP_MODE_STRICT && !strict_lets(syscall_nr(regs)))
                return;
        if (mode == SECCOMP_MODE_FILTER && !filters_let(t, regs))
                return;
        syscall_dispatch(self, regs);
}

/* EINVAL: no such mode, or a range that is none; EFAULT: the byte is not in user memory. */
err_t call_user_dispatch(struct call *c)
{
        struct thread *t = c->t;
        u64 from = arg(c, 2), len = arg(c, 3), byte = arg(c, 4);

        switch (arg(c, 1)) {
        case PR_SYS_DISPATCH_OFF:
                if (from || len || byte)
                        return ERR(EINVAL);
                t->dispatch.on = false;
                return OK;
        case PR_SYS_DISPATCH_ON:
                if (from && from + len <= from)
                        return ERR(EINVAL);
                if (byte && !vm_is_user(byte, 1))
                        return ERR(EFAULT);
                t->dispatch.from = from;
                t->dispatch.len = len;
                t->dispatch.byte = byte;
                t->dispatch.on = true;
                task_set_ops(t->base.task, process_ops_of(t->process)->watched);
                return OK;
        default:
                return ERR(EINVAL);
        }
}
