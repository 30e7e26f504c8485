/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls of files that stand for events: eventfd, epoll, timerfd, signalfd.
 */
#include "services/syscall/calls.h"
#include "services/epoll/epoll.h"
#include "services/eventfd/eventfd.h"
#include "services/userfaultfd/userfaultfd.h"
#include "services/process/process.h"
#include "services/signal/signal.h"
#include "services/signalfd/signalfd.h"
#include "services/time/clock.h"
#include "services/timerfd/timerfd.h"
#include "abi/const/event.h"
#include "abi/const/signal.h"
#include "abi/const/time.h"

/* ---- eventfd ---- */

static err_t make_eventfd(struct call *c, u32 flags)
{
        struct actor who = actor_current();
        struct file *f = NULL;

        TRY(eventfd_new(&who, arg_uint(c, 0), flags, &f));
        return call_add_file(c, f, (flags & EFD_CLOEXEC) != 0);
}

err_t sys_eventfd(struct call *c)  { return make_eventfd(c, 0); }
err_t sys_eventfd2(struct call *c) { return make_eventfd(c, arg_uint(c, 1)); }

/* ---- epoll ---- */

static err_t make_epoll(struct call *c, bool cloexec)
{
        struct actor who = actor_current();
        struct file *f = NULL;

        TRY(epoll_new(&who, &f));
        return call_add_file(c, f, cloexec);
}

/* The size is no more than a hint, but must be one. */
err_t sys_epoll_create(struct call *c) { return arg_int(c, 0) <= 0 ? ERR(EINVAL) : make_epoll(c, false); }

err_t sys_epoll_create1(struct call *c)
{
        u32 flags = arg_uint(c, 0);

        return (flags & ~(u32)EPOLL_CLOEXEC) != 0 ? ERR(EINVAL) : make_epoll(c, flags != 0);
}

err_t sys_epoll_ctl(struct call *c)
{
        struct linux_epoll_event ev = {};
        u32 op = arg_uint(c, 1), fd = arg_uint(c, 2);

        if (op != EPOLL_CTL_DEL)
                TRY(GET_USER(ev, arg(c, 3)));
        struct fd_ref epoll = fd_get(c->t->files, arg_uint(c, 0));
        if (!epoll.file)
                return ERR(EBADF);
        struct fd_ref target = fd_get(c->t->files, fd);
        err_t err = target.file ? epoll_control(epoll.file, op, target.file, fd, ev) : ERR(EBADF);
        if (target.file)
                fd_put(target);
        fd_put(epoll);
        return err;
}

#define EPOLL_MAX_EVENTS (I32_MAX / (i32)sizeof(struct linux_epoll_event))

static err_t epoll_until(struct call *c, u64 deadline)
{
        i32 max = arg_int(c, 2);
        u32 n = 0;

        if (max <= 0 || max > EPOLL_MAX_EVENTS)
                return ERR(EINVAL);
        if (!vm_in_lower_half(arg(c, 1), (u64)max * sizeof(struct linux_epoll_event)))
                return ERR(EFAULT);
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        err_t err = epoll_wait_events(r.file, arg(c, 1), (u32)max, deadline, &n);
        fd_put(r);
        c->result = n;
        return err;
}

static u64 deadline_in(u64 ns)
{
        u64 now = time_now();
        return ns == 0 ? 0 : add_overflows(now, ns) ? NEVER : now + ns;
}

static u64 deadline_ms(i32 ms) { return ms < 0 ? NEVER : deadline_in((u64)ms * NSEC_PER_MSEC); }

err_t sys_epoll_wait(struct call *c) { return epoll_until(c, deadline_ms(arg_int(c, 3))); }

/* With the mask of argument 5 (its size: 6) meanwhile. */
static err_t epoll_masked(struct call *c, u64 deadline)
{
        u64 mask = 0;

        if (arg(c, 4)) {
                if (arg(c, 5) != sizeof mask)
                        return ERR(EINVAL);
                TRY(GET_USER(mask, arg(c, 4)));
                signal_set_temporary_mask(mask);
        }
        err_t err = epoll_until(c, deadline);
        signal_restore_mask(err_is(err, EINTR));
        return err;
}

err_t sys_epoll_pwait(struct call *c) { return epoll_masked(c, deadline_ms(arg_int(c, 3))); }

err_t sys_epoll_pwait2(struct call *c)
{
        struct linux_timespec ts = {};
        u64 ns = 0;

        if (!arg(c, 3))
                return epoll_masked(c, NEVER);
        TRY(GET_USER(ts, arg(c, 3)));
        TRY(ns_from_timespec(ts, &ns));
        return epoll_masked(c, deadline_in(ns));
}

/* ---- userfaultfd ---- */

err_t sys_userfaultfd(struct call *c)
{
        struct actor who = actor_current();
        struct file *f = NULL;

        TRY(userfaultfd_new(&who, arg_uint(c, 0), &f));
        return call_add_file(c, f, (arg_uint(c, 0) & O_CLOEXEC) != 0);
}

/* ---- timerfd ---- */

err_t sys_timerfd_create(struct call *c)
{
        struct actor who = actor_current();
        struct file *f = NULL;
        u32 flags = arg_uint(c, 1);

        TRY(timerfd_new(&who, arg_uint(c, 0), flags, &f));
        return call_add_file(c, f, (flags & TFD_CLOEXEC) != 0);
}

static err_t put_itimerspec(u64 at, struct timerfd_time t)
{
        struct linux_itimerspec spec = { .it_interval = timespec_from_ns(t.interval), .it_value = timespec_from_ns(t.value) };
        return PUT_USER(at, spec);
}

err_t sys_timerfd_settime(struct call *c)
{
        struct linux_itimerspec spec = {};
        struct timerfd_time new = {}, old = {};

        TRY(GET_USER(spec, arg(c, 2)));
        TRY(ns_from_timespec(spec.it_value, &new.value));
        TRY(ns_from_timespec(spec.it_interval, &new.interval));
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        err_t err = timerfd_set(r.file, arg_uint(c, 1), new, &old);
        fd_put(r);
        return succeeded(err) && arg(c, 3) ? put_itimerspec(arg(c, 3), old) : err;
}

err_t sys_timerfd_gettime(struct call *c)
{
        struct timerfd_time now = {};
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));

        if (!r.file)
                return ERR(EBADF);
        err_t err = timerfd_get(r.file, &now);
        fd_put(r);
        return succeeded(err) ? put_itimerspec(arg(c, 1), now) : err;
}

/* ---- signalfd ---- */

static err_t signalfd_call(struct call *c, u32 flags)
{
        struct actor who = actor_current();
        struct file *f = NULL;
        u64 mask = 0;

        if (arg(c, 2) != sizeof mask)
                return ERR(EINVAL);
        TRY(GET_USER(mask, arg(c, 1)));
        if (flags & ~(u32)(SFD_CLOEXEC | SFD_NONBLOCK))
                return ERR(EINVAL);
        if (arg_int(c, 0) == -1) {
                TRY(signalfd_new(&who, mask, flags, &f));
                return call_add_file(c, f, (flags & SFD_CLOEXEC) != 0);
        }
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        err_t err = signalfd_set(r.file, mask);
        fd_put(r);
        c->result = arg_uint(c, 0);
        return err;
}

err_t sys_signalfd(struct call *c)  { return signalfd_call(c, 0); }
err_t sys_signalfd4(struct call *c) { return signalfd_call(c, arg_uint(c, 3)); }
