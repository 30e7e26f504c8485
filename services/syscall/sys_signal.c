/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls of signals: rt_sig*, kill and its kin, pause, sigaltstack.
 */
#include "services/syscall/calls.h"
#include "services/signal/signal.h"
#include "services/security/cred.h"
#include "services/time/clock.h"
#include "abi/const/signal.h"
#include "abi/const/time.h"

static err_t check_sigset_size(u64 size) { return size == 8 ? OK : ERR(EINVAL); }

err_t sys_rt_sigaction(struct call *c)
{
        u64 new_at = arg(c, 1), old_at = arg(c, 2);
        struct linux_sigaction abi = {};
        struct sigaction new = {}, old = {};

        TRY(check_sigset_size(arg(c, 3)));
        if (new_at) {
                TRY(GET_USER(abi, new_at));
                new = (struct sigaction){ .handler = abi.sa_handler, .flags = abi.sa_flags,
                                          .restorer = abi.sa_restorer, .mask = abi.sa_mask };
                TRY(signal_action(arg_uint(c, 0), &new, &old));
        } else {
                TRY(signal_action(arg_uint(c, 0), NULL, &old));
        }
        if (!old_at)
                return OK;
        abi = (struct linux_sigaction){ .sa_handler = old.handler, .sa_flags = old.flags,
                                        .sa_restorer = old.restorer, .sa_mask = old.mask };
        return PUT_USER(old_at, abi);
}

err_t sys_rt_sigprocmask(struct call *c)
{
        u64 new_at = arg(c, 1), old_at = arg(c, 2);
        u64 new = 0, old = 0;

        TRY(check_sigset_size(arg(c, 3)));
        if (new_at) {
                TRY(GET_USER(new, new_at));
                TRY(signal_mask(arg_uint(c, 0), &new, &old));
        } else {
                TRY(signal_mask(arg_uint(c, 0), NULL, &old));
        }
        return old_at ? PUT_USER(old_at, old) : OK;
}

err_t sys_rt_sigpending(struct call *c)
{
        if (arg(c, 1) > 8)
                return ERR(EINVAL);
        u64 set = signal_pending_mask();
        return vm_copy_out(arg(c, 0), bytes_take(BYTES_OF(set), arg(c, 1)));
}

err_t sys_rt_sigsuspend(struct call *c)
{
        u64 mask = 0;
        TRY(check_sigset_size(arg(c, 1)));
        TRY(GET_USER(mask, arg(c, 0)));
        return signal_suspend(mask);
}

err_t sys_pause(struct call *c)
{
        (void)c;
        return signal_suspend(c->t->blocked);
}

err_t sys_rt_sigtimedwait(struct call *c)
{
        u64 set = 0, deadline = NEVER;
        struct linux_timespec ts = {};
        struct siginfo info = {};

        TRY(check_sigset_size(arg(c, 3)));
        TRY(GET_USER(set, arg(c, 0)));
        if (arg(c, 2)) {
                u64 ns;
                TRY(GET_USER(ts, arg(c, 2)));
                TRY(ns_from_timespec(ts, &ns));
                deadline = clock_deadline(CLOCK_MONOTONIC, false, ns);
        }
        TRY(signal_timedwait(set, deadline, &info));
        c->result = info.signo;
        if (!arg(c, 1))
                return OK;
        struct linux_siginfo abi = siginfo_to_linux(&info);
        return PUT_USER(arg(c, 1), abi);
}

err_t sys_rt_sigreturn(struct call *c)
{
        TRY(signal_return(c->regs));
        c->result = c->regs->rax;
        return OK;
}

err_t sys_sigaltstack(struct call *c)
{
        struct linux_stack new = {}, old = {};
        if (arg(c, 0)) {
                TRY(GET_USER(new, arg(c, 0)));
                TRY(signal_altstack(&new, &old, c->regs->rsp));
        } else {
                TRY(signal_altstack(NULL, &old, c->regs->rsp));
        }
        return arg(c, 1) ? PUT_USER(arg(c, 1), old) : OK;
}

struct siginfo call_sender_info(struct call *c, u32 sig, i32 code)
{
        return (struct siginfo){ .signo = sig, .code = code, .pid = c->t->process->tgid, .uid = cred_current()->uid };
}

err_t sys_kill(struct call *c)
{
        return signal_kill(arg_int(c, 0), call_sender_info(c, arg_uint(c, 1), SI_USER));
}

err_t sys_tkill(struct call *c)
{
        if (arg_int(c, 0) <= 0)
                return ERR(EINVAL);
        return signal_tgkill(-1, arg_int(c, 0), call_sender_info(c, arg_uint(c, 1), SI_TKILL));
}

err_t sys_tgkill(struct call *c)
{
        if (arg_int(c, 0) <= 0 || arg_int(c, 1) <= 0)
                return ERR(EINVAL);
        return signal_tgkill(arg_int(c, 0), arg_int(c, 1), call_sender_info(c, arg_uint(c, 2), SI_TKILL));
}

err_t call_queued_info(struct call *c, u32 sig, u64 at, bool own, bool same, struct siginfo *info)
{
        struct linux_siginfo abi = {};
        TRY(GET_USER(abi, at));
        if (same && (u32)abi.si_signo != sig)
                return ERR(EINVAL);
        if ((abi.si_code >= 0 || abi.si_code == SI_TKILL) && !own)
                return ERR(EPERM);
        *info = (struct siginfo){ .signo = sig, .code = abi.si_code, .errno_value = abi.si_errno,
                                  .pid = (u32)abi.f.rt.pid, .uid = abi.f.rt.uid, .value = abi.f.rt.sigval.sival_ptr, .raw = true };
        return OK;
}

err_t sys_rt_sigqueueinfo(struct call *c)
{
        struct siginfo info = {};
        TRY(call_queued_info(c, arg_uint(c, 1), arg(c, 2), arg_uint(c, 0) == c->t->tid, false, &info));
        if (arg_int(c, 0) <= 0)
                return ERR(ESRCH);
        return signal_kill(arg_int(c, 0), info);
}

err_t sys_rt_tgsigqueueinfo(struct call *c)
{
        struct siginfo info = {};
        if (arg_int(c, 0) <= 0 || arg_int(c, 1) <= 0)
                return ERR(EINVAL);
        TRY(call_queued_info(c, arg_uint(c, 2), arg(c, 3), arg_uint(c, 0) == c->t->tid, false, &info));
        return signal_tgkill(arg_int(c, 0), arg_int(c, 1), info);
}
