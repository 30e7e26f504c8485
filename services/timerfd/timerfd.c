/* SPDX-License-Identifier: Apache-2.0
 *
 * timerfd: a file around one timer of the framework.
 *
 * Entry points  timerfd_new, timerfd_set, timerfd_get; reading and poll through file_ops.
 * Locking       lock (spin, class timerfd): a leaf but for timer and wait queue; the timer's function
 *               takes it in a bottom half.
 * Invariants    T1  `due` is the next expiration that is not in `ticks`, NEVER if there is none.  The timer is set
 *                   to it, unless an earlier one waits to be read: as on Linux, what nobody reads wakes once;
 *                   who reads or asks counts what has passed by, and sets the timer.
 *               T2  what makes ticks greater than 0 wakes `readable`.
 */
#include "services/timerfd/timerfd.h"
#include "services/time/clock.h"
#include "abi/const/event.h"
#include "abi/const/process.h"
#include "abi/const/time.h"
#include "lib/num.h"

LOCK_CLASS(timerfd);

OBJECT(timerfd) {
        struct file base;
        u32 clock;                      /* CLOCK_*; fixed */
        struct spinlock lock;
        struct timer timer;
        struct waitq readable;
        /* lock */
        u64 due;                        /* ns since boot; NEVER: none */
        u64 interval;                   /* ns; 0: one shot */
        u64 ticks;                      /* expirations not yet read; LOAD by poll */
        u32 flags;                      /* of the last timerfd_set, for fdinfo */
};
POOL_DECLARE(timerfd)
DOWNCASTABLE(timerfd, file);

static void timerfd_fini(struct timerfd *t)
{
        timer_fini(&t->timer);
        file_fini(&t->base);
}
POOL_DEFINE(timerfd, timerfd_fini);

static struct timerfd *of(struct file *f) { return DOWNCAST(timerfd, f); }

/* Counts what has expired by now; keeps T1, T2. */
static void advance_locked(struct timerfd *t)
{
        u64 now = time_now(), n = 1;

        if (t->due > now)
                return;
        if (t->interval) {
                n += (now - t->due) / t->interval;
                t->due += n * t->interval;
        } else {
                t->due = NEVER;
        }
        STORE(t->ticks, t->ticks + n);
        waitq_wake_all(&t->readable);
}

static void expired(struct timer *timer)
{
        struct timerfd *t = OWNER_OF(timerfd, timer, timer);

        SPIN_GUARD(&t->lock);
        advance_locked(t);
}

/* ---- The calls ---- */

static struct timerfd_time time_locked(struct timerfd *t)
{
        u64 now = time_now();

        advance_locked(t);
        timer_arm(&t->timer, t->due);
        return (struct timerfd_time){ .value = t->due == NEVER ? 0 : t->due > now ? t->due - now : 1, .interval = t->interval };
}

err_t timerfd_get(struct file *f, struct timerfd_time *now)
{
        if (!IS_A(timerfd, f))
                return ERR(EINVAL);
        struct timerfd *t = of(f);
        SPIN_GUARD(&t->lock);
        *now = time_locked(t);
        return OK;
}

static u64 deadline_of(struct timerfd *t, u32 flags, u64 value)
{
        u64 now = time_now(), offset = t->clock == CLOCK_REALTIME || t->clock == CLOCK_REALTIME_ALARM ? clock_realtime_offset() : 0;

        if (value == 0)
                return NEVER;
        if (flags & TFD_TIMER_ABSTIME)
                return value > offset ? value - offset : 0;
        return value >= NEVER - now ? NEVER - 1 : now + value;
}

err_t timerfd_set(struct file *f, u32 flags, struct timerfd_time new, struct timerfd_time *old)
{
        if ((flags & ~(u32)(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) != 0 || !IS_A(timerfd, f))
                return ERR(EINVAL);
        struct timerfd *t = of(f);
        SPIN_GUARD(&t->lock);
        *old = time_locked(t);
        STORE(t->ticks, 0);
        t->flags = flags;
        t->interval = new.interval;
        t->due = deadline_of(t, flags, new.value);
        timer_arm(&t->timer, t->due);
        return OK;
}

/* ---- The file ---- */

static err_t take(struct timerfd *t, bool wait, u64 *ticks)
{
        SPIN_GUARD(&t->lock);
        while (t->ticks == 0) {
                if (!wait)
                        return ERR(EAGAIN);
                if (failed(waitq_sleep_spin(&t->readable, &t->lock, WAIT_INTERRUPTIBLE, NEVER)))
                        return ERR(ERESTARTSYS);
        }
        advance_locked(t);
        timer_arm(&t->timer, t->due);
        *ticks = t->ticks;
        STORE(t->ticks, 0);
        return OK;
}

static err_t timerfd_read(struct file *f, struct io *io, u64 *pos)
{
        u64 ticks = 0;

        (void)pos;
        if (io_left(io) < sizeof ticks)
                return ERR(EINVAL);
        TRY(take(of(f), !file_nonblock(f) && !io->nowait, &ticks));
        return io_copy_out(io, BYTES_OF(ticks)) < sizeof ticks ? ERR(EFAULT) : OK;
}

static u32 timerfd_poll(struct file *f, struct waiter *w)
{
        struct timerfd *t = of(f);

        waiter_add(w, &t->readable);
        return LOAD(t->ticks) ? EPOLLIN : 0;
}

static void put_pair(struct writer *w, bytes name, u64 ns)
{
        writer_put(w, name);
        num_write(w, ns / NSEC_PER_SEC, 10, 1);
        writer_put(w, STR(", "));
        num_write(w, ns % NSEC_PER_SEC, 10, 1);
        writer_put(w, STR(")\n"));
}

static usize timerfd_fdinfo(struct file *f, mbytes out)
{
        struct timerfd *t = of(f);
        struct writer w = writer_of(out);

        SPIN_GUARD(&t->lock);
        struct timerfd_time now = time_locked(t);
        writer_put(&w, STR("clockid: "));
        num_write(&w, t->clock, 10, 1);
        writer_put(&w, STR("\nticks: "));
        num_write(&w, t->ticks, 10, 1);
        writer_put(&w, STR("\nsettime flags: 0"));
        num_write(&w, t->flags, 8, 1);
        put_pair(&w, STR("\nit_value: ("), now.value);
        put_pair(&w, STR("it_interval: ("), now.interval);
        return w.at;
}

static const struct file_ops timerfd_ops = {
        .read = timerfd_read, .poll = timerfd_poll, .llseek = generic_noop_llseek, .show_fdinfo = timerfd_fdinfo,
        .flags = FOPS_STREAM | FOPS_NOLOCK,
};

static err_t check_clock(u32 clock)
{
        switch (clock) {
        case CLOCK_REALTIME:
        case CLOCK_MONOTONIC:
        case CLOCK_BOOTTIME:
                return OK;
        case CLOCK_REALTIME_ALARM:
        case CLOCK_BOOTTIME_ALARM:
                return capable(CAP_WAKE_ALARM) ? OK : ERR(EPERM);
        default:
                return ERR(EINVAL);
        }
}

static err_t fill(struct timerfd *t, const struct actor *who, u32 flags)
{
        TRY(timer_init(&t->timer, expired));
        return file_init_anon(&t->base, &timerfd_ops, who->cred, O_RDWR | (flags & TFD_NONBLOCK), STR("anon_inode:[timerfd]"));
}

err_t timerfd_new(const struct actor *who, u32 clock, u32 flags, struct file **out)
{
        if ((flags & ~(u32)(TFD_CLOEXEC | TFD_NONBLOCK)) != 0)
                return ERR(EINVAL);
        TRY(check_clock(clock));
        struct timerfd *t = timerfd_alloc(who->payer, MAY_RECLAIM);
        if (!t)
                return ERR(ENOMEM);
        lock_init(&t->lock, timerfd);
        t->clock = clock;
        t->due = NEVER;
        err_t err = fill(t, who, flags);
        if (failed(err)) {
                timerfd_drop(t);
                return err;
        }
        timerfd_publish(t);
        *out = &t->base;
        return OK;
}
