/* SPDX-License-Identifier: Apache-2.0
 *
 * eventfd: a file whose bytes are one counter.
 *
 * Entry points  eventfd_new; reading, writing and poll through file_ops.
 * Locking       lock (spin, class eventfd): a leaf but for the wait queues.
 * Invariants    E1  count <= COUNT_MAX
 *               E2  what makes it readable wakes `readable`; what lets a sleeping writer go on, or ends
 *                   the time when no write would fit, wakes `writable`.  Every write wakes readers: each
 *                   is an edge for epoll.
 */
#include "services/eventfd/eventfd.h"
#include "abi/const/event.h"
#include "lib/num.h"

LOCK_CLASS(eventfd);

#define COUNT_MAX (U64_MAX - 1)         /* U64_MAX itself is never a count */

OBJECT(eventfd) {
        struct file base;
        bool semaphore;                 /* fixed */
        u32  id;                        /* fixed: told by fdinfo */
        struct spinlock lock;
        u64  count;                     /* lock; LOAD by poll */
        u32  writers;                   /* asleep; lock */
        struct waitq readable, writable;
};
POOL_DECLARE(eventfd)
DOWNCASTABLE(eventfd, file);
static void eventfd_fini(struct eventfd *ev) { file_fini(&ev->base); }
POOL_DEFINE(eventfd, eventfd_fini);

/* The file-scope state (reviewed list): the next id. */
static u32 next_id;

static struct eventfd *of(struct file *f) { return DOWNCAST(eventfd, f); }

static void set_count_locked(struct eventfd *ev, u64 count)
{
        assert(count <= COUNT_MAX);     /* E1 */
        u64 before = ev->count;
        STORE(ev->count, count);
        if (count > before)
                waitq_wake_one(&ev->readable);
        else if (ev->writers > 0 || before == COUNT_MAX)
                waitq_wake_one(&ev->writable);
}

static err_t sleep_on(struct eventfd *ev, struct waitq *q, bool wait)
{
        if (!wait)
                return ERR(EAGAIN);
        return failed(waitq_sleep_spin(q, &ev->lock, WAIT_INTERRUPTIBLE, NEVER)) ? ERR(ERESTARTSYS) : OK;
}

static err_t take(struct eventfd *ev, bool wait, u64 *taken)
{
        SPIN_GUARD(&ev->lock);
        while (ev->count == 0)
                TRY(sleep_on(ev, &ev->readable, wait));
        *taken = ev->semaphore ? 1 : ev->count;
        set_count_locked(ev, ev->count - *taken);
        return OK;
}

static err_t add(struct eventfd *ev, bool wait, u64 n)
{
        SPIN_GUARD(&ev->lock);
        while (n > COUNT_MAX - ev->count) {
                STORE(ev->writers, ev->writers + 1);
                err_t err = sleep_on(ev, &ev->writable, wait);
                STORE(ev->writers, ev->writers - 1);
                TRY(err);
        }
        if (n > 0)
                set_count_locked(ev, ev->count + n);
        else
                waitq_wake_one(&ev->readable);          /* as on Linux, 0 is a write, too */
        return OK;
}

static bool may_wait(struct file *f, struct io *io) { return !file_nonblock(f) && !io->nowait; }

static err_t eventfd_read(struct file *f, struct io *io, u64 *pos)
{
        u64 taken = 0;

        (void)pos;
        if (io_left(io) < sizeof taken)
                return ERR(EINVAL);
        TRY(take(of(f), may_wait(f, io), &taken));
        /* As on Linux, a bad address loses the count: it is already taken. */
        return io_copy_out(io, BYTES_OF(taken)) < sizeof taken ? ERR(EFAULT) : OK;
}

static err_t eventfd_write(struct file *f, struct io *io, u64 *pos)
{
        u64 n = 0;

        (void)pos;
        if (io_left(io) < sizeof n)
                return ERR(EINVAL);
        if (io_copy_in(io, MBYTES_OF(n)) < sizeof n)
                return ERR(EFAULT);
        err_t err = n > COUNT_MAX ? ERR(EINVAL) : add(of(f), may_wait(f, io), n);
        if (failed(err))
                io->done -= sizeof n;                   /* or the error would be dropped */
        return err;
}

static u32 eventfd_poll(struct file *f, struct waiter *w)
{
        struct eventfd *ev = of(f);

        waiter_add(w, &ev->readable);
        waiter_add(w, &ev->writable);
        u64 count = LOAD(ev->count);
        /* A count of U64_MAX would be POLLERR; only the kernel's own signalling could make one. */
        return (count > 0 ? EPOLLIN : 0) | (count < COUNT_MAX ? EPOLLOUT : 0) | (count > COUNT_MAX ? EPOLLERR : 0);
}

/* "eventfd-count:                5\neventfd-id: 1\n" */
static usize eventfd_fdinfo(struct file *f, mbytes out)
{
        struct eventfd *ev = of(f);
        struct writer w = writer_of(out);
        u64 count = LOAD(ev->count);
        u32 digits = 1;

        while (digits < 16 && count >> (4 * digits) != 0)
                digits++;
        writer_put(&w, STR("eventfd-count: "));
        for (u32 i = digits; i < 16; i++)
                writer_u8(&w, ' ');
        num_write(&w, count, 16, 1);
        writer_put(&w, STR("\neventfd-id: "));
        num_write(&w, ev->id, 10, 1);
        writer_u8(&w, '\n');
        return w.at;
}

static const struct file_ops eventfd_ops = {
        .read = eventfd_read, .write = eventfd_write, .poll = eventfd_poll, .llseek = generic_noop_llseek,
        .show_fdinfo = eventfd_fdinfo, .flags = FOPS_STREAM | FOPS_NOLOCK | FOPS_NOWAIT | FOPS_WRITE_PIECES,
};

err_t eventfd_new(const struct actor *who, u32 count, u32 flags, struct file **out)
{
        if ((flags & ~(u32)(EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK)) != 0)
                return ERR(EINVAL);
        struct eventfd *ev = eventfd_alloc(who->payer, MAY_RECLAIM);
        if (!ev)
                return ERR(ENOMEM);
        lock_init(&ev->lock, eventfd);
        ev->semaphore = (flags & EFD_SEMAPHORE) != 0;
        ev->count = count;
        ev->id = FETCH_ADD(next_id, 1);
        err_t err = file_init_anon(&ev->base, &eventfd_ops, who->cred, O_RDWR | (flags & EFD_NONBLOCK), STR("anon_inode:[eventfd]"));
        if (failed(err)) {
                eventfd_drop(ev);
                return err;
        }
        eventfd_publish(ev);
        *out = &ev->base;
        return OK;
}
