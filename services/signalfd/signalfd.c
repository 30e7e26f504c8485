/* SPDX-License-Identifier: Apache-2.0
 *
 * signalfd: a file that reads as pending signals.
 *
 * Entry points  signalfd_new, signalfd_set; reading and poll through file_ops.
 * Locking       none of its own: the mask is one word.
 * Waking        process.signals_queued wakes when a signal is queued to any thread of the process, or the mask of a
 *               signalfd of it has changed.  Who polls waits there; another process's readiness is not seen.
 */
#include "services/signalfd/signalfd.h"
#include "services/signal/signal.h"
#include "abi/const/signal.h"
#include "lib/num.h"

OBJECT(signalfd) {
        struct file base;
        u64 mask;                       /* what is read; ATOMIC */
};
POOL_DECLARE(signalfd)
DOWNCASTABLE(signalfd, file);
static void signalfd_fini(struct signalfd *s) { file_fini(&s->base); }
POOL_DEFINE(signalfd, signalfd_fini);

static struct signalfd *of(struct file *f) { return DOWNCAST(signalfd, f); }

/* ---- Reading ---- */

/* EAGAIN: none and it may not wait; ERESTARTSYS. */
static err_t take(struct signalfd *s, bool wait, struct siginfo *info)
{
        struct thread *t = thread_current();

        if (signal_take(t, LOAD(s->mask), info))
                return OK;
        if (!wait)
                return ERR(EAGAIN);
        WAITER(w);
        waiter_add(&w, &t->process->signals_queued);
        for (;;) {
                if (signal_take(t, LOAD(s->mask), info))
                        return OK;
                err_t err = waiter_sleep(&w, WAIT_INTERRUPTIBLE, NEVER);
                if (failed(err))
                        return err_is(err, EINTR) ? ERR(ERESTARTSYS) : err;
        }
}

/* Waits for the first signal only.  As on Linux, a bad address loses the one that was to go there. */
static err_t signalfd_read(struct file *f, struct io *io, u64 *pos)
{
        bool wait = !file_nonblock(f) && !io->nowait;
        struct siginfo info = {};

        (void)pos;
        if (io_left(io) < sizeof(struct linux_signalfd_siginfo))
                return ERR(EINVAL);
        while (io_left(io) >= sizeof(struct linux_signalfd_siginfo)) {
                err_t err = take(of(f), wait && io_done(io) == 0, &info);
                if (failed(err))
                        return io_done(io) ? OK : err;
                struct linux_signalfd_siginfo out = siginfo_to_signalfd(&info);
                if (io_copy_out(io, BYTES_OF(out)) < sizeof out)
                        return ERR(EFAULT);
        }
        return OK;
}

static u32 signalfd_poll(struct file *f, struct waiter *w)
{
        struct thread *t = thread_current();

        waiter_add(w, &t->process->signals_queued);
        return (LOAD(t->pending.mask) | LOAD(t->process->pending.mask)) & LOAD(of(f)->mask) ? EPOLLIN : 0;
}

/* "sigmask:\t0000000000000200\n" */
static usize signalfd_fdinfo(struct file *f, mbytes out)
{
        struct writer w = writer_of(out);

        writer_put(&w, STR("sigmask:\t"));
        num_write(&w, LOAD(of(f)->mask), 16, 16);
        writer_u8(&w, '\n');
        return w.at;
}

static const struct file_ops signalfd_ops = {
        .read = signalfd_read, .poll = signalfd_poll, .llseek = generic_noop_llseek, .show_fdinfo = signalfd_fdinfo,
        .flags = FOPS_STREAM | FOPS_NOLOCK | FOPS_READ_PIECES,
};

/* ---- The calls ---- */

static u64 readable(u64 mask) { return mask & ~(sig_bit(SIGKILL) | sig_bit(SIGSTOP)); }

err_t signalfd_new(const struct actor *who, u64 mask, u32 flags, struct file **out)
{
        struct signalfd *s = signalfd_alloc(who->payer, MAY_RECLAIM);

        if (!s)
                return ERR(ENOMEM);
        s->mask = readable(mask);
        err_t err = file_init_anon(&s->base, &signalfd_ops, who->cred, O_RDWR | (flags & SFD_NONBLOCK),
                                   STR("anon_inode:[signalfd]"));
        if (failed(err)) {
                signalfd_drop(s);
                return err;
        }
        signalfd_publish(s);
        *out = &s->base;
        return OK;
}

err_t signalfd_set(struct file *f, u64 mask)
{
        if (!IS_A(signalfd, f))
                return ERR(EINVAL);
        STORE(of(f)->mask, readable(mask));
        waitq_wake_all(&thread_current()->process->signals_queued);
        return OK;
}
