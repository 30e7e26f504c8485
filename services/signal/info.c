/* SPDX-License-Identifier: Apache-2.0
 *
 * What is told of signals: siginfo in Linux's layout, and the masks of /proc/PID/status.
 */
#include "services/signal/signal_impl.h"

static struct linux_si_kill sender(const struct siginfo *i)
{
        return (struct linux_si_kill){ .pid = (i32)i->pid, .uid = i->uid };
}

/* Codes that say what the kernel saw, whose meaning depends on the signal. */
static void put_kernel_code(struct linux_siginfo *out, const struct siginfo *i)
{
        switch (i->signo) {
        case SIGCHLD:
                out->f.sigchld = (struct linux_si_sigchld){ .pid = (i32)i->pid, .uid = i->uid, .status = (i32)i->status,
                                                            .utime = (i64)i->utime, .stime = (i64)i->stime };
                break;
        case SIGILL:
        case SIGFPE:
        case SIGSEGV:
        case SIGBUS:
        case SIGTRAP:
                out->f.sigfault = (struct linux_si_sigfault){ .addr = i->addr };
                break;
        case SIGPOLL:
                out->f.sigpoll = (struct linux_si_sigpoll){ .band = i->band, .fd = (i32)i->fd };
                break;
        case SIGSYS:
                out->f.sigsys = (struct linux_si_sigsys){ .call_addr = i->addr, .syscall = (i32)i->status, .arch = i->fd };
                break;
        default:
                /* An exit signal other than SIGCHLD. */
                out->f.sigchld = (struct linux_si_sigchld){ .pid = (i32)i->pid, .uid = i->uid, .status = (i32)i->status,
                                                            .utime = (i64)i->utime, .stime = (i64)i->stime };
                break;
        }
}

struct linux_siginfo siginfo_to_linux(const struct siginfo *i)
{
        struct linux_siginfo out = { .si_signo = (i32)i->signo, .si_errno = i->errno_value, .si_code = i->code };

        if (i->code > SI_USER && i->code < SI_KERNEL)
                put_kernel_code(&out, i);
        else if (i->code == SI_TIMER)
                out.f.timer = (struct linux_si_timer){ .tid = (i32)i->pid, .overrun = (i32)i->status, .sigval = { i->value } };
        else if (i->code == SI_SIGIO)
                out.f.sigpoll = (struct linux_si_sigpoll){ .band = i->band, .fd = (i32)i->fd };
        else if (i->code < 0 && i->code != SI_TKILL)
                out.f.rt = (struct linux_si_rt){ .pid = (i32)i->pid, .uid = i->uid, .sigval = { i->value } };
        else
                out.f.kill = sender(i);
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
