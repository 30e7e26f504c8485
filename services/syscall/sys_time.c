/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls of clocks, sleeping and interval timers.
 */
#include "services/syscall/calls.h"
#include "services/process/process.h"
#include "services/futex/futex.h"
#include "services/security/cred.h"
#include "services/time/clock.h"
#include "abi/const/time.h"
#include "abi/const/process.h"

#define USER_HZ 100

static err_t get_timespec_ns(u64 at, u64 *ns)
{
        struct linux_timespec ts = {};
        TRY(GET_USER(ts, at));
        return ns_from_timespec(ts, ns);
}

err_t sys_clock_gettime(struct call *c)
{
        u64 ns;
        TRY(clock_get(arg_uint(c, 0), &ns));
        struct linux_timespec ts = timespec_from_ns(ns);
        return PUT_USER(arg(c, 1), ts);
}

err_t sys_clock_getres(struct call *c)
{
        u64 ns;
        TRY(clock_resolution(arg_uint(c, 0), &ns));
        struct linux_timespec ts = timespec_from_ns(ns);
        return arg(c, 1) ? PUT_USER(arg(c, 1), ts) : OK;
}

err_t sys_clock_settime(struct call *c)
{
        u64 ns;
        TRY(get_timespec_ns(arg(c, 1), &ns));
        if (arg_uint(c, 0) != CLOCK_REALTIME)
                return ERR(EINVAL);
        if (!capable(CAP_SYS_TIME))
                return ERR(EPERM);
        return clock_set_realtime(ns);
}

err_t sys_gettimeofday(struct call *c)
{
        if (arg(c, 0)) {
                struct linux_timeval tv = timeval_from_ns(clock_realtime());
                TRY(PUT_USER(arg(c, 0), tv));
        }
        if (arg(c, 1)) {
                struct linux_timezone tz = {};
                TRY(PUT_USER(arg(c, 1), tz));
        }
        return OK;
}

err_t sys_settimeofday(struct call *c)
{
        struct linux_timeval tv = {};
        u64 ns;
        if (!capable(CAP_SYS_TIME))
                return ERR(EPERM);
        if (!arg(c, 0))
                return OK;
        TRY(GET_USER(tv, arg(c, 0)));
        TRY(ns_from_timeval(tv, &ns));
        return clock_set_realtime(ns);
}

err_t sys_time(struct call *c)
{
        u64 sec = clock_realtime_coarse() / NSEC_PER_SEC;
        c->result = sec;
        return arg(c, 0) ? PUT_USER(arg(c, 0), sec) : OK;
}

static err_t sleep_and_tell(u32 clock, bool absolute, u64 request_at, u64 remain_at)
{
        u64 ns;
        TRY(get_timespec_ns(request_at, &ns));
        err_t err = clock_sleep(clock, absolute, ns, remain_at);
        if (err_is(err, ERESTART_RESTARTBLOCK) && remain_at) {
                u64 now = time_now(), deadline = thread_current()->restart.deadline;
                struct linux_timespec left = timespec_from_ns(deadline > now ? deadline - now : 0);
                TRY(PUT_USER(remain_at, left));
        }
        return err;
}

err_t sys_nanosleep(struct call *c)
{
        return sleep_and_tell(CLOCK_MONOTONIC, false, arg(c, 0), arg(c, 1));
}

err_t sys_clock_nanosleep(struct call *c)
{
        bool absolute = arg_uint(c, 1) & TIMER_ABSTIME;
        return sleep_and_tell(arg_uint(c, 0), absolute, arg(c, 2), absolute ? 0 : arg(c, 3));
}

err_t sys_times(struct call *c)
{
        struct process *p = c->t->process;
        if (arg(c, 0)) {
                struct task_times own = process_times(p);
                struct linux_tms tms = {
                        .tms_utime = (i64)(own.user / (NSEC_PER_SEC / USER_HZ)),
                        .tms_stime = (i64)(own.system / (NSEC_PER_SEC / USER_HZ)),
                        .tms_cutime = (i64)(p->child_times.user / (NSEC_PER_SEC / USER_HZ)),
                        .tms_cstime = (i64)(p->child_times.system / (NSEC_PER_SEC / USER_HZ)),
                };
                TRY(PUT_USER(arg(c, 0), tms));
        }
        c->result = time_now() / (NSEC_PER_SEC / USER_HZ);
        return OK;
}

err_t sys_getitimer(struct call *c)
{
        u64 value, interval;
        if (arg_uint(c, 0) > ITIMER_PROF)
                return ERR(EINVAL);
        process_getitimer(arg_uint(c, 0), &value, &interval);
        struct linux_itimerval it = { .it_value = timeval_from_ns(value), .it_interval = timeval_from_ns(interval) };
        return PUT_USER(arg(c, 1), it);
}

err_t sys_setitimer(struct call *c)
{
        struct linux_itimerval it = {};
        u64 value = 0, interval = 0, old_value = 0, old_interval = 0;

        if (arg_uint(c, 0) > ITIMER_PROF)
                return ERR(EINVAL);
        if (arg(c, 1)) {
                TRY(GET_USER(it, arg(c, 1)));
                TRY(ns_from_timeval(it.it_value, &value));
                TRY(ns_from_timeval(it.it_interval, &interval));
        }
        TRY(process_setitimer(arg_uint(c, 0), value, interval, &old_value, &old_interval));
        if (!arg(c, 2))
                return OK;
        it = (struct linux_itimerval){ .it_value = timeval_from_ns(old_value), .it_interval = timeval_from_ns(old_interval) };
        return PUT_USER(arg(c, 2), it);
}

/* alarm(2): whole seconds; what was left is rounded up, at least 1 when armed. */
err_t sys_alarm(struct call *c)
{
        u64 old = 0, old_interval = 0;
        TRY(process_setitimer(ITIMER_REAL, (u64)arg_uint(c, 0) * NSEC_PER_SEC, 0, &old, &old_interval));
        c->result = (old + NSEC_PER_SEC / 2) / NSEC_PER_SEC;
        if (old && !c->result)
                c->result = 1;
        return OK;
}

/* restart_syscall(2): goes on with what a signal that ran no handler interrupted. */
err_t sys_restart_syscall(struct call *c)
{
        struct thread *t = c->t;
        u32 kind = t->restart.kind;
        t->restart.kind = RESTART_NONE;
        switch (kind) {
        case RESTART_NANOSLEEP: {
                u64 deadline = t->restart.deadline, remain_at = t->restart.arg[0];
                err_t err = sleep_until(deadline, WAIT_INTERRUPTIBLE);
                if (!err_is(err, EINTR))
                        return err;
                if (remain_at) {
                        u64 now = time_now();
                        struct linux_timespec left = timespec_from_ns(deadline > now ? deadline - now : 0);
                        TRY(PUT_USER(remain_at, left));
                }
                t->restart.kind = RESTART_NANOSLEEP;
                return ERR(ERESTART_RESTARTBLOCK);
        }
        case RESTART_POLL:
                return poll_restart(c);
        case RESTART_FUTEX:
                return futex_resume(t);
        default:
                return ERR(EINTR);
        }
}
