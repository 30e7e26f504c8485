/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls of processes: clone, exec, exit, wait, ids, groups, limits, usage, prctl.
 */
#include "services/syscall/calls.h"
#include "services/namespace/namespace.h"
#include "services/process/pidfd.h"
#include "services/process/process.h"
#include "services/procfs/procfs.h"
#include "services/signal/signal.h"
#include "services/security/cred.h"
#include "services/vfs/files.h"
#include "services/vm/vm.h"
#include "abi/const/process.h"
#include "abi/const/signal.h"
#include "abi/const/fcntl.h"
#include "abi/cpu/const.h"

err_t sys_clone(struct call *c)
{
        u32 tid = 0;
        u64 flags = (u32)arg(c, 0);
        struct clone_args args = {
                .flags = flags & ~(u64)CSIGNAL, .exit_signal = flags & CSIGNAL, .stack = arg(c, 1),
                .parent_tid = arg(c, 2), .pidfd = arg(c, 2), .child_tid = arg(c, 3), .tls = arg(c, 4),
        };
        TRY(process_clone(c->regs, args, &tid));
        c->result = tid;
        return OK;
}

#define CLONE_ARGS_SIZE_ALL 88u
#define SET_TID_MAX 32u

static err_t setns_to(struct thread *t, struct file *f, u32 kinds)
{
        struct ns_change to = {};
        struct pid *pid = pidfd_pid(f);
        u32 kind = procfs_namespace(f, &to);

        if (kind)
                return kinds != 0 && kinds != kind ? ERR(EINVAL) : process_setns(t, kind, &to);
        if (!pid)
                return ERR(EINVAL);
        struct process *p = pid_process(pid);
        err_t err = p ? process_setns_of(t, p, kinds) : ERR(ESRCH);
        process_drop(p);
        return err;
}

err_t sys_setns(struct call *c)
{
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        err_t err = setns_to(c->t, r.file, arg_uint(c, 1));
        fd_put(r);
        return err;
}

err_t sys_unshare(struct call *c) { return process_unshare(c->t, arg(c, 0)); }

static err_t check_clone3(const struct linux_clone_args *a, u64 size)
{
        u64 f = a->flags;

        if (a->set_tid_size > SET_TID_MAX || (a->set_tid == 0) != (a->set_tid_size == 0))
                return ERR(EINVAL);
        if (a->exit_signal > SIG_COUNT)
                return ERR(EINVAL);
        if ((f & CLONE_INTO_CGROUP) && (a->cgroup > I32_MAX || size < CLONE_ARGS_SIZE_ALL))
                return ERR(EINVAL);
        if ((f & (CSIGNAL | CLONE_DETACHED)) || ((f & (CLONE_THREAD | CLONE_PARENT)) && a->exit_signal))
                return ERR(EINVAL);
        if (!a->stack ? a->stack_size != 0 : !a->stack_size || !vm_is_user(a->stack, a->stack_size))
                return ERR(EINVAL);
        return OK;
}

/* set_tid: in one pid namespace there is one number. */
static err_t wanted_number(const struct linux_clone_args *a, u32 *nr)
{
        if (!a->set_tid_size)
                return OK;
        if (a->set_tid_size > 1)
                return ERR(EINVAL);
        TRY(GET_USER(*nr, a->set_tid));
        if ((i32)*nr < 1)
                return ERR(EINVAL);
        return capable(CAP_SYS_ADMIN) || capable(CAP_CHECKPOINT_RESTORE) ? OK : ERR(EPERM);
}

err_t sys_clone3(struct call *c)
{
        struct linux_clone_args abi = {};
        u64 size = arg(c, 1);
        u32 tid = 0;

        if (size > PAGE_SIZE)
                return ERR(E2BIG);
        if (size < CLONE_ARGS_SIZE_VER0)
                return ERR(EINVAL);
        TRY(call_get_versioned(MBYTES_OF(abi), arg(c, 0), size));
        TRY(check_clone3(&abi, size));
        struct clone_args args = {
                .flags = abi.flags, .exit_signal = abi.exit_signal, .stack = abi.stack + abi.stack_size,
                .stack_size = abi.stack_size, .parent_tid = abi.parent_tid, .pidfd = abi.pidfd,
                .child_tid = abi.child_tid, .tls = abi.tls,
        };
        TRY(wanted_number(&abi, &args.set_tid));
        if (abi.flags & CLONE_INTO_CGROUP)
                return ERR(EBADF);                      /* nothing can be a descriptor of a cgroup */
        TRY(process_clone(c->regs, args, &tid));
        c->result = tid;
        return OK;
}

static err_t clone_simple(struct call *c, u64 flags)
{
        u32 tid = 0;
        struct clone_args args = { .flags = flags, .exit_signal = SIGCHLD };
        TRY(process_clone(c->regs, args, &tid));
        c->result = tid;
        return OK;
}

err_t sys_fork(struct call *c)  { return clone_simple(c, 0); }
err_t sys_vfork(struct call *c) { return clone_simple(c, CLONE_VFORK | CLONE_VM); }

err_t sys_execve(struct call *c)
{
        TRY(process_exec(c->regs, AT_FDCWD, arg(c, 0), arg(c, 1), arg(c, 2), 0));
        c->result = c->regs->rax;
        return OK;
}

err_t sys_execveat(struct call *c)
{
        TRY(process_exec(c->regs, arg_int(c, 0), arg(c, 1), arg(c, 2), arg(c, 3), arg_uint(c, 4)));
        c->result = c->regs->rax;
        return OK;
}

err_t sys_exit(struct call *c)       { thread_exit((arg_uint(c, 0) & 0xff) << 8); return OK; }
err_t sys_exit_group(struct call *c) { process_exit_group((arg_uint(c, 0) & 0xff) << 8); return OK; }

err_t sys_wait4(struct call *c)
{
        i32 pid = arg_int(c, 0);
        u32 options = arg_uint(c, 2);
        struct wait_found found = {};

        if (options & ~(u32)(WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WCLONE | WALL))
                return ERR(EINVAL);
        if (pid == I32_MIN)
                return ERR(ESRCH);
        u32 which = pid == -1 ? P_ALL : pid <= 0 ? P_PGID : P_PID;
        u32 id = pid == -1 ? 0 : pid < 0 ? (u32)-pid : (u32)pid;
        TRY(process_wait(which, id, options | WEXITED, &found));
        c->result = found.pid;
        if (!found.pid)
                return OK;
        if (arg(c, 1))
                TRY(PUT_USER(arg(c, 1), found.status));
        return arg(c, 3) ? PUT_USER(arg(c, 3), found.usage) : OK;
}

static err_t wait_for(struct call *c, struct wait_found *found)
{
        u32 which = arg_uint(c, 0), options = arg_uint(c, 3);

        if (options & ~(u32)(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | WNOTHREAD | WCLONE | WALL))
                return ERR(EINVAL);
        if (!(options & (WEXITED | WSTOPPED | WCONTINUED)))
                return ERR(EINVAL);
        if (which > P_PIDFD || (which == P_PID && arg_int(c, 1) <= 0) || (which == P_PGID && arg_int(c, 1) < 0))
                return ERR(EINVAL);
        return process_wait(which, arg_uint(c, 1), options, found);
}

/* The information is written, as zeroes, if the call fails, too. */
err_t sys_waitid(struct call *c)
{
        struct wait_found found = {};
        err_t err = wait_for(c, &found);

        if (arg(c, 4) && succeeded(err) && found.pid)
                TRY(PUT_USER(arg(c, 4), found.usage));
        if (!arg(c, 2))
                return err;
        struct linux_siginfo info = {};
        if (succeeded(err) && found.pid) {
                /* si_status: the exit code or the signal, by si_code. */
                u32 status = found.code == CLD_EXITED ? found.status >> 8 & 0xff
                           : found.code == CLD_STOPPED ? found.status >> 8 & 0xff
                           : found.code == CLD_CONTINUED ? SIGCONT : found.status & 0x7f;
                struct siginfo what = { .signo = SIGCHLD, .code = (i32)found.code,
                                        .pid = found.pid, .uid = found.uid, .status = status };
                info = siginfo_to_linux(&what);
        }
        TRY(PUT_USER(arg(c, 2), info));
        return err;
}

err_t sys_getpid(struct call *c)  { c->result = c->t->process->tgid; return OK; }
err_t sys_gettid(struct call *c)  { c->result = c->t->tid; return OK; }
err_t sys_getppid(struct call *c) { c->result = process_ppid(c->t->process); return OK; }

err_t sys_getpgid(struct call *c)
{
        u32 id = 0;
        TRY(process_getpgid(arg_uint(c, 0), &id));
        c->result = id;
        return OK;
}

err_t sys_getpgrp(struct call *c)
{
        u32 id = 0;
        TRY(process_getpgid(0, &id));
        c->result = id;
        return OK;
}

err_t sys_setpgid(struct call *c)
{
        if (arg_int(c, 0) < 0)
                return ERR(ESRCH);
        if (arg_int(c, 1) < 0)
                return ERR(EINVAL);
        return process_setpgid(arg_uint(c, 0), arg_uint(c, 1));
}

err_t sys_getsid(struct call *c)
{
        u32 id = 0;
        TRY(process_getsid(arg_uint(c, 0), &id));
        c->result = id;
        return OK;
}

err_t sys_setsid(struct call *c)
{
        u32 id = 0;
        TRY(process_setsid(&id));
        c->result = id;
        return OK;
}

err_t sys_set_tid_address(struct call *c)
{
        c->t->clear_child_tid = arg(c, 0);
        c->result = c->t->tid;
        return OK;
}

err_t sys_set_robust_list(struct call *c)
{
        struct linux_robust_list_head head;
        if (arg(c, 1) != sizeof head)
                return ERR(EINVAL);
        c->t->robust_list = arg(c, 0);
        c->t->robust_list_len = arg(c, 1);
        return OK;
}

err_t sys_get_robust_list(struct call *c)
{
        u32 tid = arg_uint(c, 0);
        u64 len = sizeof(struct linux_robust_list_head);
        struct thread *t = tid ? thread_find(pid_ns_current(), tid) : thread_hold(c->t);

        if (!t)
                return ERR(ESRCH);
        u64  list = t->robust_list;
        bool may = t == c->t || capable(CAP_SYS_PTRACE) || PTR_LOAD(t->cred)->uid == cred_current()->euid;
        thread_drop(t);
        if (!may)
                return ERR(EPERM);
        TRY(PUT_USER(arg(c, 2), len));
        return PUT_USER(arg(c, 1), list);
}

err_t sys_rseq(struct call *c)
{
        return process_rseq(arg(c, 0), arg_uint(c, 1), arg_uint(c, 2), arg_uint(c, 3));
}

err_t sys_membarrier(struct call *c)
{
        return process_membarrier(arg_uint(c, 0), arg_uint(c, 1), arg_uint(c, 2), &c->result);
}

err_t sys_getrusage(struct call *c)
{
        i32 who = arg_int(c, 0);
        if (who != RUSAGE_SELF && who != RUSAGE_CHILDREN && who != RUSAGE_THREAD)
                return ERR(EINVAL);
        struct linux_rusage usage = process_rusage(c->t->process, who);
        return PUT_USER(arg(c, 1), usage);
}

static err_t limits(struct call *c, u32 pid, u32 which, u64 new_at, u64 old_at)
{
        struct linux_rlimit abi = {};
        struct rlimit new = {}, old = {};

        if (new_at) {
                TRY(GET_USER(abi, new_at));
                new = (struct rlimit){ .cur = abi.rlim_cur, .max = abi.rlim_max };
                TRY(process_prlimit(pid, which, &new, &old));
        } else {
                TRY(process_prlimit(pid, which, NULL, &old));
        }
        (void)c;
        abi = (struct linux_rlimit){ .rlim_cur = old.cur, .rlim_max = old.max };
        return old_at ? PUT_USER(old_at, abi) : OK;
}

err_t sys_getrlimit(struct call *c)
{
        TRY(limits(c, 0, arg_uint(c, 0), 0, arg(c, 1)));
        return arg(c, 1) ? OK : ERR(EFAULT);
}
err_t sys_setrlimit(struct call *c)
{
        return arg(c, 1) ? limits(c, 0, arg_uint(c, 0), arg(c, 1), 0) : ERR(EFAULT);
}
err_t sys_prlimit64(struct call *c) { return limits(c, arg_uint(c, 0), arg_uint(c, 1), arg(c, 2), arg(c, 3)); }

err_t sys_arch_prctl(struct call *c)
{
        struct task *self = c->t->base.task;
        u64 value = 0;

        switch (arg_uint(c, 0)) {
        case ARCH_SET_FS:
                return user_set_fs(self, arg(c, 1));
        case ARCH_SET_GS:
                return user_set_gs(self, arg(c, 1));
        case ARCH_GET_FS:
                value = user_get_fs(self);
                return PUT_USER(arg(c, 1), value);
        case ARCH_GET_GS:
                value = user_get_gs(self);
                return PUT_USER(arg(c, 1), value);
        case ARCH_GET_CPUID:
                c->result = 1;
                return OK;
        case ARCH_SET_CPUID:
                return ERR(ENODEV);             /* as where the CPU cannot make CPUID fault */
        default:
                return ERR(EINVAL);
        }
}

err_t sys_personality(struct call *c)
{
        u32 wanted = arg_uint(c, 0);
        c->result = c->t->personality;
        if (wanted != U32_MAX)
                c->t->personality = wanted;
        return OK;
}

err_t sys_setpriority(struct call *c)
{
        return process_setpriority(arg_uint(c, 0), arg_uint(c, 1), arg_int(c, 2));
}

err_t sys_getpriority(struct call *c)
{
        i32 nice = 0;
        TRY(process_getpriority(arg_uint(c, 0), arg_uint(c, 1), &nice));
        c->result = (u64)(20 - nice);
        return OK;
}

/* Kept and told; without a block layer it changes nothing. */
err_t sys_ioprio_set(struct call *c)
{
        return process_ioprio_set(arg_uint(c, 0), arg_uint(c, 1), arg_uint(c, 2));
}

err_t sys_ioprio_get(struct call *c)
{
        u32 ioprio = 0;
        TRY(process_ioprio_get(arg_uint(c, 0), arg_uint(c, 1), &ioprio));
        c->result = ioprio;
        return OK;
}
