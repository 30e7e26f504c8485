/* SPDX-License-Identifier: Apache-2.0
 *
 * pidfd: a file that means a process.
 *
 * It holds the pid, not the process: that may be reaped meanwhile, and its number be given out again.
 * Waking    pid.exited wakes under the tree lock when the process has become a zombie.
 */
#include "services/process/pidfd.h"
#include "services/process/process_impl.h"
#include "lib/num.h"

OBJECT(pidfd) {
        struct file base;
        struct pid *pid;                /* counted; fixed */
};
POOL_DECLARE(pidfd)
DOWNCASTABLE(pidfd, file);

static void pidfd_fini(struct pidfd *p)
{
        pid_drop(p->pid);
        file_fini(&p->base);
}
POOL_DEFINE(pidfd, pidfd_fini);

struct pid *pidfd_pid(struct file *f) { return IS_A(pidfd, f) ? DOWNCAST(pidfd, f)->pid : NULL; }

static u32 pidfd_poll(struct file *f, struct waiter *w)
{
        struct pid *pid = pidfd_pid(f);

        waiter_add(w, &pid->exited);
        struct process *p = pid_process(pid);
        bool lives = p && !LOAD(p->zombie);
        process_drop(p);
        return lives ? 0 : EPOLLIN | EPOLLRDNORM;
}

static usize pidfd_fdinfo(struct file *f, mbytes out)
{
        struct pid *pid = pidfd_pid(f);
        struct process *p = pid_process(pid);
        i32 nr = p ? (i32)pid->nr : -1;

        process_drop(p);
        return format(out, "Pid:\t{}\nNSpid:\t{}\n", nr, nr);
}

static const struct file_ops pidfd_ops = { .poll = pidfd_poll, .show_fdinfo = pidfd_fdinfo, .flags = FOPS_STREAM | FOPS_NOLOCK };

err_t pidfd_new(const struct actor *who, struct pid *pid, u32 flags, struct file **out)
{
        struct pidfd *p = pidfd_alloc(who->payer, MAY_RECLAIM);

        if (!p)
                return ERR(ENOMEM);
        p->pid = pid_hold(pid);
        err_t err = file_init_anon(&p->base, &pidfd_ops, who->cred, O_RDWR | (flags & PIDFD_NONBLOCK), STR("anon_inode:[pidfd]"));
        if (failed(err)) {
                pidfd_drop(p);
                return err;
        }
        pidfd_publish(p);
        *out = &p->base;
        return OK;
}
