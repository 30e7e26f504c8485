/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls of pidfds.  CLONE_PIDFD and P_PIDFD are clone's and wait's.
 */
#include "services/syscall/calls.h"
#include "services/process/pidfd.h"
#include "services/process/process.h"
#include "services/procfs/procfs.h"
#include "services/signal/signal.h"
#include "services/security/cred.h"
#include "services/vfs/files.h"
#include "abi/const/process.h"
#include "abi/const/signal.h"

err_t sys_pidfd_open(struct call *c)
{
        struct actor who = actor_current();
        struct file *f = NULL;
        u32 flags = arg_uint(c, 1);

        if ((flags & ~(u32)PIDFD_NONBLOCK) || arg_int(c, 0) <= 0)
                return ERR(EINVAL);
        struct pid *pid = pid_find(pid_ns_current(), arg_uint(c, 0));
        if (!pid)
                return ERR(ESRCH);
        struct process *p = pid_process(pid);
        err_t err = p ? pidfd_new(&who, pid, flags, &f) : ERR(EINVAL);
        process_drop(p);
        pid_drop(pid);
        TRY(err);
        return call_add_file(c, f, true);
}

/* The process of a descriptor, counted.  proc: one of /proc/PID will do.  EBADF, ESRCH: it has been reaped. */
err_t call_process_of_fd(struct call *c, u32 fd, bool proc, struct process **out)
{
        struct fd_ref r = fd_get(c->t->files, fd);

        if (!r.file)
                return ERR(EBADF);
        struct pid *pid = pidfd_pid(r.file);
        struct process *named = pid || !proc ? NULL : procfs_process(r.file);
        if (!pid && named)
                pid = named->pid;
        *out = pid ? pid_process(pid) : NULL;
        process_drop(named);
        fd_put(r);
        return *out ? OK : ERR(pid ? ESRCH : EBADF);
}

err_t sys_pidfd_send_signal(struct call *c)
{
        u32 sig = arg_uint(c, 1);
        struct process *p = NULL;
        struct siginfo info = call_sender_info(c, sig, SI_USER);

        if (arg_uint(c, 3))
                return ERR(EINVAL);
        err_t err = call_process_of_fd(c, arg_uint(c, 0), true, &p);
        if (err_is(err, EBADF))
                return err;
        if (arg(c, 2)) {
                err_t bad = call_queued_info(c, sig, arg(c, 2), p && p->pid == c->t->pid, true, &info);
                if (failed(bad)) {
                        process_drop(p);
                        return bad;
                }
        }
        if (succeeded(err))
                err = signal_kill_process(p, info);
        process_drop(p);
        return err;
}

err_t sys_pidfd_getfd(struct call *c)
{
        struct process *p = NULL;

        if (arg_uint(c, 2))
                return ERR(EINVAL);
        TRY(call_process_of_fd(c, arg_uint(c, 0), false, &p));
        struct files *files = process_files(p);
        struct file *f = files ? files_get(files, arg_uint(c, 1)) : NULL;
        /* Asked once the file is taken: a program that gains rights in between keeps what it opens then. */
        err_t err = !process_may_trace(p, true) ? ERR(EPERM) : f ? OK : ERR(files ? EBADF : ESRCH);
        files_drop(files);
        process_drop(p);
        if (failed(err)) {
                file_drop(f);
                return err;
        }
        return call_add_file(c, f, true);
}
