/* SPDX-License-Identifier: Apache-2.0
 *
 * The clocks and sleeping.  See clock.h.
 *
 * The one piece of state is the offset of wall-clock time from time since boot: a
 * property of the machine, so the one file-scope variable here.  Readers load it
 * with one atomic load; writers store it and refresh the vDSO's page under the lock.
 */
#include "services/time/clock.h"
#include "services/time/vvar.h"
#include "services/process/process.h"
#include "abi/const/time.h"

LOCK_CLASS(timekeeper);

STABLE(timekeeper) {
        struct spinlock lock;           /* writers */
        u64 offset;                     /* ATOMIC: realtime - boot time, ns */
        struct vvar *page;              /* counted; fixed: the vDSO's data */
};
static struct timekeeper keeper;

static void set_offset(u64 offset)
{
        STORE(keeper.offset, offset);
        vvar_update(keeper.page, clock_params(), (struct vvar_offsets){ .realtime = (i64)offset });
}

void clock_init(struct vvar *page)
{
        keeper.page = page;
        lock_init(&keeper.lock, timekeeper);
        u64 rtc = rtc_read();
        u64 now = time_now();

        set_offset(rtc ? rtc * NSEC_PER_SEC - now : 0);
}

u64 clock_realtime_offset(void) { return LOAD(keeper.offset); }
u64 clock_realtime(void)        { return time_now() + LOAD(keeper.offset); }
u64 clock_realtime_coarse(void) { return time_coarse() + LOAD(keeper.offset); }

err_t clock_set_realtime(u64 ns)
{
        u64 now = time_now();
        if (ns < now || ns > (u64)I64_MAX)
                return ERR(EINVAL);
        SPIN_GUARD(&keeper.lock);
        set_offset(ns - now);
        return OK;
}

/* clock_getcpuclockid(3): ~pid << 3 | 4 (thread) | 2 (schedule clock, the usual), … */
static err_t cpu_clock(u32 id, u64 *ns)
{
        u32  nr = ~(u32)((i32)id >> 3);
        bool per_thread = id & 4;
        u32  which = id & 3;

        if ((i32)id >= 0 || which == 3)
                return ERR(EINVAL);
        struct pid_ns *pids = pid_ns_current();
        struct thread *self = thread_current();
        struct thread *t = nr ? thread_find(pids, nr) : thread_hold(self);
        if (!t)
                return ERR(EINVAL);
        bool may = per_thread ? t->process == self->process : !nr || t->tid == t->process->tgid;
        struct task_times times = per_thread ? task_times(t->base.task) : process_times(t->process);
        thread_drop(t);
        if (!may)
                return ERR(EINVAL);
        *ns = which == 1 ? times.user : times.user + times.system;
        return OK;
}

err_t clock_get(u32 id, u64 *ns)
{
        switch (id) {
        case CLOCK_REALTIME:
        case CLOCK_REALTIME_ALARM:
        case CLOCK_TAI:
                *ns = clock_realtime();
                return OK;
        case CLOCK_REALTIME_COARSE:
                *ns = clock_realtime_coarse();
                return OK;
        case CLOCK_MONOTONIC:
        case CLOCK_MONOTONIC_RAW:
        case CLOCK_BOOTTIME:
        case CLOCK_BOOTTIME_ALARM:
                *ns = time_now();
                return OK;
        case CLOCK_MONOTONIC_COARSE:
                *ns = time_coarse();
                return OK;
        case CLOCK_PROCESS_CPUTIME_ID: {
                struct task_times times = process_times(thread_current()->process);
                *ns = times.user + times.system;
                return OK;
        }
        case CLOCK_THREAD_CPUTIME_ID: {
                struct task_times times = task_times(thread_current()->base.task);
                *ns = times.user + times.system;
                return OK;
        }
        default:
                return cpu_clock(id, ns);
        }
}

err_t clock_resolution(u32 id, u64 *ns)
{
        u64 now;
        TRY(clock_get(id, &now));
        *ns = id == CLOCK_REALTIME_COARSE || id == CLOCK_MONOTONIC_COARSE ? SCHED_TICK : 1;
        return OK;
}

err_t clock_deadline(u32 id, bool absolute, u64 ns, u64 *deadline)
{
        u64 now = time_now();

        switch (id) {
        case CLOCK_MONOTONIC:
        case CLOCK_BOOTTIME:
                break;
        case CLOCK_REALTIME:
        case CLOCK_TAI:
                if (absolute) {
                        u64 offset = clock_realtime_offset();
                        *deadline = ns > offset ? ns - offset : 0;
                        return OK;
                }
                break;
        case CLOCK_THREAD_CPUTIME_ID:
                return ERR(EINVAL);
        case CLOCK_MONOTONIC_RAW:
        case CLOCK_REALTIME_COARSE:
        case CLOCK_MONOTONIC_COARSE:
        case CLOCK_PROCESS_CPUTIME_ID:          /* sleeping by a CPU clock: not there yet */
        case CLOCK_REALTIME_ALARM:
        case CLOCK_BOOTTIME_ALARM:
                return ERR(EOPNOTSUPP);
        default:
                return ERR(EINVAL);
        }
        *deadline = absolute ? ns : add_overflows(now, ns) ? NEVER : now + ns;
        return OK;
}

err_t clock_sleep(u32 id, bool absolute, u64 ns, u64 user_remain)
{
        u64 deadline;
        TRY(clock_deadline(id, absolute, ns, &deadline));
        err_t err = sleep_until(deadline, WAIT_INTERRUPTIBLE);
        if (!err_is(err, EINTR))
                return err;
        if (absolute)
                return ERR(ERESTARTNOHAND);
        struct thread *t = thread_current();
        t->restart.kind = RESTART_NANOSLEEP;
        t->restart.clock = id;
        t->restart.deadline = deadline;
        t->restart.arg[0] = user_remain;
        return ERR(ERESTART_RESTARTBLOCK);
}

err_t ns_from_timespec(struct linux_timespec ts, u64 *ns)
{
        if (ts.tv_sec < 0 || (u64)ts.tv_nsec >= NSEC_PER_SEC)
                return ERR(EINVAL);
        u64 sec = (u64)ts.tv_sec;
        *ns = sec > U64_MAX / NSEC_PER_SEC - 1 ? NEVER - 1 : sec * NSEC_PER_SEC + (u64)ts.tv_nsec;
        return OK;
}

err_t ns_from_timeval(struct linux_timeval tv, u64 *ns)
{
        if ((u64)tv.tv_usec >= 1000000)
                return ERR(EINVAL);
        return ns_from_timespec((struct linux_timespec){ .tv_sec = tv.tv_sec, .tv_nsec = tv.tv_usec * 1000 }, ns);
}

struct linux_timespec timespec_from_ns(u64 ns)
{
        return (struct linux_timespec){ .tv_sec = (i64)(ns / NSEC_PER_SEC), .tv_nsec = (i64)(ns % NSEC_PER_SEC) };
}

struct linux_timeval timeval_from_ns(u64 ns)
{
        return (struct linux_timeval){ .tv_sec = (i64)(ns / NSEC_PER_SEC), .tv_usec = (i64)(ns % NSEC_PER_SEC / 1000) };
}
