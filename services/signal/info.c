/* SPDX-License-Identifier: Apache-2.0
 *
 * What is told of signals: siginfo in Linux's layout, and the masks of /proc/PID/status.
 */
#include "services/signal/signal_impl.h"

/* Which fields a siginfo has: by its code, and for codes that say what the kernel saw, by the signal. */
enum kind { KIND_KILL, KIND_TIMER, KIND_POLL, KIND_RT, KIND_CHILD, KIND_FAULT, KIND_SYS };

static enum kind kind_of(const struct siginfo *i)
{
        if (i->code <= SI_USER || i->code >= SI_KERNEL)
                return i->code == SI_TIMER ? KIND_TIMER : i->code == SI_SIGIO ? KIND_POLL
                     : i->code < 0 && i->code != SI_TKILL ? KIND_RT : KIND_KILL;
        switch (i->signo) {
        case SIGILL:
        case SIGFPE:
        case SIGSEGV:
        case SIGBUS:
        case SIGTRAP:
                return KIND_FAULT;
        case SIGPOLL:
                return KIND_POLL;
        case SIGSYS:
                return KIND_SYS;
        default:
                return i->band ? KIND_POLL : KIND_CHILD;        /* F_SETSIG; SIGCHLD, or another exit signal */
        }
}

struct linux_siginfo siginfo_to_linux(const struct siginfo *i)
{
        struct linux_siginfo out = { .si_signo = (i32)i->signo, .si_errno = i->errno_value, .si_code = i->code };

        switch (i->raw ? KIND_RT : kind_of(i)) {
        case KIND_KILL:
                out.f.kill = (struct linux_si_kill){ .pid = (i32)i->pid, .uid = i->uid };
                break;
        case KIND_TIMER:
                out.f.timer = (struct linux_si_timer){ .tid = (i32)i->pid, .overrun = (i32)i->status, .sigval = { i->value } };
                break;
        case KIND_POLL:
                out.f.sigpoll = (struct linux_si_sigpoll){ .band = i->band, .fd = (i32)i->fd };
                break;
        case KIND_RT:
                out.f.rt = (struct linux_si_rt){ .pid = (i32)i->pid, .uid = i->uid, .sigval = { i->value } };
                break;
        case KIND_CHILD:
                out.f.sigchld = (struct linux_si_sigchld){ .pid = (i32)i->pid, .uid = i->uid, .status = (i32)i->status,
                                                           .utime = (i64)i->utime, .stime = (i64)i->stime };
                break;
        case KIND_FAULT:
                out.f.sigfault = (struct linux_si_sigfault){ .addr = i->addr, .lower = i->value };       /* of SEGV_PKUERR the key */
                break;
        case KIND_SYS:
                out.f.sigsys = (struct linux_si_sigsys){ .call_addr = i->addr, .syscall = (i32)i->status, .arch = i->fd };
                break;
        }
        return out;
}

struct linux_signalfd_siginfo siginfo_to_signalfd(const struct siginfo *i)
{
        struct linux_signalfd_siginfo out = { .ssi_signo = i->signo, .ssi_errno = i->errno_value, .ssi_code = i->code };
        enum kind kind = kind_of(i);

        if (kind == KIND_KILL || kind == KIND_RT || kind == KIND_CHILD) {
                out.ssi_pid = i->pid;
                out.ssi_uid = i->uid;
        }
        if (kind == KIND_RT || kind == KIND_TIMER) {
                out.ssi_ptr = i->value;
                out.ssi_int = (i32)(u32)i->value;
        }
        switch (kind) {
        case KIND_TIMER:
                out.ssi_tid = i->pid;
                out.ssi_overrun = i->status;
                break;
        case KIND_POLL:
                out.ssi_band = (u32)i->band;
                out.ssi_fd = (i32)i->fd;
                break;
        case KIND_CHILD:
                out.ssi_status = (i32)i->status;
                out.ssi_utime = i->utime;
                out.ssi_stime = i->stime;
                break;
        case KIND_FAULT:
                out.ssi_addr = i->addr;
                break;
        case KIND_SYS:
                out.ssi_call_addr = i->addr;
                out.ssi_syscall = (i32)i->status;
                out.ssi_arch = i->fd;
                break;
        case KIND_KILL:
        case KIND_RT:
                break;
        }
        return out;
}

static u64 actions_where(struct process *p, bool ignored)
{
        u64 set = 0;
        for (u32 sig = 1; sig <= SIG_COUNT; sig++) {
                u64 handler = handler_of(p, sig);
                if (ignored ? handler == SIG_IGN : handler > SIG_IGN)
                        set |= BIT(sig);
        }
        return set;
}

u64 signal_shown(struct process *p, u32 which)
{
        SPIN_GUARD(&p->lock);
        switch (which) {
        case 0:
                return p->leader->pending.mask;
        case 1:
                return p->pending.mask;
        case 2:
                return p->leader->blocked;
        case 3:
                return actions_where(p, true);
        default:
                return actions_where(p, false);
        }
}
