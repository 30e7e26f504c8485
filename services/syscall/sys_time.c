/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls of clocks, sleeping and interval timers.
 */
#include "services/syscall/calls.h"
#include "services/process/process.h"
#include "services/futex/futex.h"
#include "services/ptimer/ptimer.h"
#include "services/security/cred.h"
#include "services/time/clock.h"
#include "abi/const/time.h"
#include "abi/linux/signal.h"
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
        u32 clock = arg_uint(c, 0);
        u64 ns;
        if (clock != CLOCK_REALTIME && ((i32)clock >= 0 || !clock_is_cpu(clock)))
                return ERR(EINVAL);
        TRY(get_timespec_ns(arg(c, 1), &ns));
        if (clock != CLOCK_REALTIME)
                TRY(clock_get(clock, &ns));             /* is there such a clock?  None of them can be set. */
        if (clock != CLOCK_REALTIME || !capable(CAP_SYS_TIME))
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
                struct clock_zone zone = clock_zone();
                struct linux_timezone tz = { .tz_minuteswest = zone.minuteswest, .tz_dsttime = zone.dsttime };
                TRY(PUT_USER(arg(c, 1), tz));
        }
        return OK;
}

err_t sys_settimeofday(struct call *c)
{
        struct linux_timeval tv = {};
        struct linux_timezone tz = {};
        u64 ns = 0;

        if (arg(c, 0)) {
                TRY(GET_USER(tv, arg(c, 0)));
                TRY(ns_from_timeval(tv, &ns));
        }
        if (arg(c, 1))
                TRY(GET_USER(tz, arg(c, 1)));
        if (!capable(CAP_SYS_TIME))
                return ERR(EPERM);
        if (arg(c, 1)) {
                if (tz.tz_minuteswest > 15 * 60 || tz.tz_minuteswest < -15 * 60)
                        return ERR(EINVAL);
                clock_set_zone((struct clock_zone){ tz.tz_minuteswest, tz.tz_dsttime });
        }
        return arg(c, 0) ? clock_set_realtime(ns) : OK;
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

/* By processor time. */
static err_t cpu_sleep(struct call *c, u32 clock, bool absolute, u64 ns, u64 remain_at)
{
        u64 left = 0, now = 0;
        err_t err = ptimer_cpu_sleep(clock, absolute, ns, &left);

        if (!err_is(err, EINTR))
                return err;
        if (absolute && !remain_at)
                return ERR(ERESTARTNOHAND);
        TRY(clock_get(clock, &now));
        c->t->restart.kind = RESTART_CPU_SLEEP;
        c->t->restart.clock = clock;
        c->t->restart.deadline = now + left;
        c->t->restart.arg[0] = remain_at;
        if (remain_at) {
                struct linux_timespec ts = timespec_from_ns(left);
                TRY(PUT_USER(remain_at, ts));
        }
        return ERR(ERESTART_RESTARTBLOCK);
}

/* The names that a thread's own clock can have: one cannot sleep by it. */
static bool is_own_thread(struct call *c, u32 clock)
{
        u32 nr = ~(u32)((i32)clock >> 3);
        return clock_is_cpu(clock) && (i32)clock < 0 && (clock & 4) && (nr == 0 || nr == c->t->tid);
}

err_t sys_clock_nanosleep(struct call *c)
{
        u32 clock = arg_uint(c, 0);
        bool absolute = arg_uint(c, 1) & TIMER_ABSTIME;
        if (clock_is_cpu(clock) && clock != CLOCK_THREAD_CPUTIME_ID) {
                u64 ns;
                TRY(get_timespec_ns(arg(c, 2), &ns));
                return is_own_thread(c, clock) ? ERR(EINVAL) : cpu_sleep(c, clock, absolute, ns, absolute ? 0 : arg(c, 3));
        }
        TRY(clock_may_sleep(clock));
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

/* ---- The clock adjusted ---- */

static err_t adjust(struct call *c, u64 at)
{
        struct linux_timex tx = {};
        u32 state = 0;

        TRY(GET_USER(tx, at));
        TRY(clock_adjust(&tx, &state));
        c->result = state;
        return PUT_USER(at, tx);
}

err_t sys_adjtimex(struct call *c) { return adjust(c, arg(c, 0)); }

err_t sys_clock_adjtime(struct call *c)
{
        u64 ns;
        struct linux_timex tx = {};

        if (arg_uint(c, 0) == CLOCK_REALTIME)
                return adjust(c, arg(c, 1));
        TRY(GET_USER(tx, arg(c, 1)));
        if (!clock_is_cpu(arg_uint(c, 0)))
                TRY(clock_get(arg_uint(c, 0), &ns));
        return ERR(EOPNOTSUPP);
}

/* ---- POSIX timers ---- */

err_t sys_timer_create(struct call *c)
{
        struct linux_sigevent ev = {};
        u32 id = 0;

        if (arg(c, 1))
                TRY(GET_USER(ev, arg(c, 1)));
        struct ptimer_event event = { .notify = (u32)ev.sigev_notify, .signo = (u32)ev.sigev_signo, .tid = (u32)ev.sigev_tid,
                                      .value = ev.sigev_value.sival_ptr };
        TRY(ptimer_create(arg_uint(c, 0), arg(c, 1) ? &event : NULL, &id));
        err_t err = PUT_USER(arg(c, 2), id);
        if (failed(err))
                ignore(ptimer_delete(id));
        return err;
}

static err_t put_itimerspec(u64 at, struct ptimer_time t)
{
        struct linux_itimerspec spec = { .it_interval = timespec_from_ns(t.interval), .it_value = timespec_from_ns(t.value) };
        return PUT_USER(at, spec);
}

err_t sys_timer_settime(struct call *c)
{
        struct linux_itimerspec spec = {};
        struct ptimer_time new = {}, old = {};

        if (!arg(c, 2))
                return ERR(EINVAL);
        TRY(GET_USER(spec, arg(c, 2)));
        TRY(ns_from_timespec(spec.it_value, &new.value));
        TRY(ns_from_timespec(spec.it_interval, &new.interval));
        TRY(ptimer_settime(arg_uint(c, 0), arg_uint(c, 1) & TIMER_ABSTIME, new, &old));
        return arg(c, 3) ? put_itimerspec(arg(c, 3), old) : OK;
}

err_t sys_timer_gettime(struct call *c)
{
        struct ptimer_time now = {};

        TRY(ptimer_gettime(arg_uint(c, 0), &now));
        return put_itimerspec(arg(c, 1), now);
}

err_t sys_timer_getoverrun(struct call *c)
{
        u32 count = 0;

        TRY(ptimer_overrun(arg_uint(c, 0), &count));
        c->result = count;
        return OK;
}

err_t sys_timer_delete(struct call *c) { return ptimer_delete(arg_uint(c, 0)); }

/* restart_syscall(2): goes on with what a signal that ran no handler interrupted. */
err_t sys_restart_syscall(struct call *c)
{
        struct thread *t = c->t;
        u32 kind = t->restart.kind;
        t->restart.kind = RESTART_NONE;
        switch (kind) {
        case RESTART_NANOSLEEP: {
                u64 deadline = t->restart.deadline, remain_at = t->restart.arg[0];
                err_t err = sleep_until(thread_slack(deadline), WAIT_INTERRUPTIBLE);
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
        case RESTART_CPU_SLEEP:
                return cpu_sleep(c, t->restart.clock, true, t->restart.deadline, t->restart.arg[0]);
        case RESTART_POLL:
                return poll_restart(c);
        case RESTART_FUTEX:
                return futex_resume(t);
        default:
                return ERR(EINTR);
        }
}
