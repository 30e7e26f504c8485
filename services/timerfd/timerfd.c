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
        struct notifier on_set;         /* of wall clocks */
        /* lock */
        u64 due;                        /* ns since boot, or if `wall`, on the wall clock; NEVER: none */
        bool wall;                      /* an absolute time of a wall clock: setting that moves it */
        bool cancels;                   /* TFD_TIMER_CANCEL_ON_SET is in force */
        bool cancelled;                 /* and the clock has been set since */
        u64 interval;                   /* ns; 0: one shot */
        u64 ticks;                      /* expirations not yet read; LOAD by poll */
        u32 flags;                      /* of the last timerfd_set, for fdinfo */
};
POOL_DECLARE(timerfd)
DOWNCASTABLE(timerfd, file);

/* Off before the timer goes: an expiry that runs now must not arm what is gone. */
static void timerfd_fini(struct timerfd *t)
{
        notifier_fini(&t->on_set);
        spin_lock(&t->lock);
        t->due = NEVER;
        spin_unlock(&t->lock);
        timer_fini(&t->timer);
        file_fini(&t->base);
}
POOL_DEFINE(timerfd, timerfd_fini);

static struct timerfd *of(struct file *f) { return DOWNCAST(timerfd, f); }

static u64 offset_of(struct timerfd *t) { return t->wall ? clock_offset(t->clock) : 0; }
static u64 now_of(struct timerfd *t)    { return time_now() + offset_of(t); }

static void arm_locked(struct timerfd *t)
{
        u64 offset = offset_of(t);
        timer_arm(&t->timer, t->due == NEVER ? NEVER : t->due > offset ? t->due - offset : 0);
}

/* Counts what has expired by now; keeps T1, T2. */
static void advance_locked(struct timerfd *t)
{
        u64 now = now_of(t), n = 1;

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
        if (t->due == NEVER)
                return;
        if (t->due > now_of(t))
                arm_locked(t);          /* the clock was set back */
        else
                advance_locked(t);
}

/* The wall clock was set; in the setter's context. */
static void clock_set(struct notifier *n)
{
        struct timerfd *t = OWNER_OF(timerfd, on_set, n);

        SPIN_GUARD(&t->lock);
        if (t->wall && t->due != NEVER && !t->ticks)
                arm_locked(t);
        if (t->cancels) {
                t->cancelled = true;
                STORE(t->ticks, t->ticks + 1);
                waitq_wake_all(&t->readable);
        }
}

/* True, once: the clock has been set, and this timer is to tell. */
static bool cancelled_locked(struct timerfd *t)
{
        bool was = t->cancelled;
        t->cancelled = false;
        return was;
}

/* ---- The calls ---- */

static struct timerfd_time time_locked(struct timerfd *t)
{
        advance_locked(t);
        arm_locked(t);
        u64 now = now_of(t);
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

static void set_locked(struct timerfd *t, u32 flags, struct timerfd_time new)
{
        bool absolute = flags & TFD_TIMER_ABSTIME;

        STORE(t->ticks, 0);
        t->flags = flags;
        t->interval = new.interval;
        t->wall = absolute && clock_is_wall(t->clock);
        t->cancels = t->wall && (flags & TFD_TIMER_CANCEL_ON_SET);
        if (!t->cancels)
                t->cancelled = false;
        u64 now = now_of(t);
        t->due = !new.value ? NEVER : absolute ? min_u64(new.value, NEVER - 1)
               : new.value >= NEVER - now ? NEVER - 1 : now + new.value;
        arm_locked(t);
}

err_t timerfd_set(struct file *f, u32 flags, struct timerfd_time new, struct timerfd_time *old)
{
        if ((flags & ~(u32)(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) != 0 || !IS_A(timerfd, f))
                return ERR(EINVAL);
        struct timerfd *t = of(f);
        SPIN_GUARD(&t->lock);
        *old = time_locked(t);
        set_locked(t, flags, new);
        return new.value && cancelled_locked(t) ? ERR(ECANCELED) : OK;
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
        if (cancelled_locked(t)) {
                STORE(t->ticks, 0);
                return ERR(ECANCELED);
        }
        advance_locked(t);
        arm_locked(t);
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
        .flags = FOPS_STREAM | FOPS_NOLOCK | FOPS_READ_PIECES,
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
        if (clock_is_wall(t->clock)) {
                TRY(notifier_init(&t->on_set, clock_set));
                struct waiter w = notifier_waiter(&t->on_set);
                waiter_add(&w, clock_changed());
        }
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
