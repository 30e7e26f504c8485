/* SPDX-License-Identifier: Apache-2.0
 *
 * The clocks and sleeping.  See clock.h.
 *
 * The one piece of state is the offset of wall-clock time from time since boot, and what
 * adjtimex(2) keeps beside it: a property of the machine, so the one file-scope variable here.
 * The clock runs straight from one moment, `base`, to the next that changes its rate: realtime = boot time + offset +
 * (boot time - base) * rate.  Readers load the three under a sequence count; writers store them and refresh the vDSO's page
 * under the lock, then, if the clock was set, wake `changed`.  While the clock is slewed or a leap second is to come, a timer
 * ends each such piece: after a second, or with the second, or when what was to be slewed is done.
 */
#include "services/time/clock.h"
#include "services/time/adjust.h"
#include "services/time/vvar.h"
#include "services/process/process.h"
#include "services/security/cred.h"
#include "abi/const/process.h"
#include "abi/const/time.h"

LOCK_CLASS(timekeeper);

STABLE(timekeeper) {
        struct spinlock lock;           /* writers */
        u32 seq;                        /* ATOMIC: odd while the next three change; lock */
        u64 offset;                     /* ATOMIC: realtime - boot time at base, ns */
        u64 base;                       /* ATOMIC: ns since boot */
        i64 rate;                       /* ATOMIC: what the clock gains, times 2^32 */
        i32 tai;                        /* ATOMIC: TAI - realtime, seconds */
        struct clock_zone zone;         /* lock */
        struct clock_discipline ntp;    /* lock */
        struct waitq changed;           /* the clock has been set */
        struct timer turn;              /* the end of this piece */
        struct vvar *page;              /* counted; fixed: the vDSO's data */
};
static struct timekeeper keeper;

/* What the clock has gained since `base`. */
static u64 gained(u64 now, u64 base, i64 rate)
{
        if (!rate || now <= base)
                return 0;
        return rate > 0 ? mul_shift(now - base, (u64)rate, 32) : 0 - mul_shift(now - base, (u64)-rate, 32);
}

/* realtime - boot time, at boot time `now`. */
static u64 offset_at(u64 now)
{
        if (!LOAD(keeper.rate))         /* stored last: the offset is this piece's, or a later one's */
                return LOAD(keeper.offset);
        for (;;) {
                u32 seq = LOAD(keeper.seq);
                u64 offset = LOAD(keeper.offset), base = LOAD(keeper.base);
                i64 rate = LOAD(keeper.rate);
                if (!(seq & 1) && LOAD(keeper.seq) == seq)
                        return offset + gained(now, base, rate);
                cpu_relax();
        }
}

static void tell_locked(void)
{
        struct vvar_offsets o = { .realtime = (i64)keeper.offset, .tai = keeper.tai * (i64)NSEC_PER_SEC,
                                  .minuteswest = keeper.zone.minuteswest, .dsttime = keeper.zone.dsttime,
                                  .slew_base = keeper.base, .slew_rate = keeper.rate };
        vvar_update(keeper.page, clock_params(), o);
}

/* A new piece: from now on, this offset and what the discipline says. */
static void turn_locked(u64 now, u64 offset)
{
        u64 until = NEVER;
        i64 rate = clock_discipline_rate(&keeper.ntp, now, now + offset, &until);

        STORE(keeper.seq, keeper.seq + 1);
        memory_barrier();
        STORE(keeper.offset, offset);
        STORE(keeper.base, now);
        STORE(keeper.rate, rate);
        STORE(keeper.seq, keeper.seq + 1);
        tell_locked();
        timer_arm(&keeper.turn, until);
}

/* Up to now.  True: a leap second has come to its end, which is a setting of the clock. */
static bool advance_locked(void)
{
        u64 now = time_now(), offset = offset_at(now);
        i32 leap = clock_discipline_advance(&keeper.ntp, now, (now + offset) / NSEC_PER_SEC);

        STORE(keeper.tai, keeper.tai - leap);
        turn_locked(now, offset + (u64)(leap * (i64)NSEC_PER_SEC));
        return leap != 0;
}

static void turn(struct timer *timer)
{
        bool leapt;

        (void)timer;
        {
                SPIN_GUARD(&keeper.lock);
                leapt = advance_locked();
        }
        if (leapt)
                waitq_wake_all(&keeper.changed);
}

void clock_init(struct vvar *page)
{
        keeper.page = page;
        lock_init(&keeper.lock, timekeeper);
        u64 rtc = rtc_read();
        u64 now = time_now();

        keeper.ntp = clock_discipline_at_boot();
        if (failed(timer_init(&keeper.turn, turn)))
                machine_panic(STR("clock: no timer"));
        turn_locked(now, rtc ? rtc * NSEC_PER_SEC - now : 0);
}

struct waitq *clock_changed(void) { return &keeper.changed; }
bool clock_is_wall(u32 id) { return id == CLOCK_REALTIME || id == CLOCK_REALTIME_ALARM || id == CLOCK_TAI; }

u64 clock_offset(u32 id)
{
        if (!clock_is_wall(id))
                return 0;
        return offset_at(time_now()) + (id == CLOCK_TAI ? (u64)((i64)LOAD(keeper.tai) * (i64)NSEC_PER_SEC) : 0);
}

u64 clock_realtime_offset(void) { return offset_at(time_now()); }

u64 clock_realtime(void)
{
        u64 now = time_now();
        return now + offset_at(now);
}

u64 clock_realtime_coarse(void)
{
        u64 now = time_coarse();
        return now + offset_at(now);
}

/* As on Linux: the last 30 years that nanoseconds can count to are for going on. */
#define SET_MAX ((u64)I64_MAX - 30ul * 365 * 24 * 3600 * NSEC_PER_SEC)

err_t clock_set_realtime(u64 ns)
{
        {
                SPIN_GUARD(&keeper.lock);
                u64 now = time_now();
                if (ns < now || ns >= SET_MAX)
                        return ERR(EINVAL);
                clock_discipline_set(&keeper.ntp);
                turn_locked(now, ns - now);
        }
        waitq_wake_all(&keeper.changed);
        return OK;
}

struct clock_zone clock_zone(void)
{
        SPIN_GUARD(&keeper.lock);
        return keeper.zone;
}

void clock_set_zone(struct clock_zone zone)
{
        SPIN_GUARD(&keeper.lock);
        keeper.zone = zone;
        tell_locked();
}

err_t clock_adjust(struct linux_timex *tx, u32 *state)
{
        bool set;
        {
                SPIN_GUARD(&keeper.lock);
                set = advance_locked();
                u64 now = keeper.base, offset = keeper.offset;
                struct clock_adjustment a = { .now = now + offset, .tai = keeper.tai };
                TRY(clock_discipline_adjust(&keeper.ntp, tx, &a, state));
                if (a.step) {
                        u64 at = a.now + (u64)a.step;
                        if ((i64)at < 0 || at < now || at >= SET_MAX)
                                return ERR(EINVAL);
                        offset = at - now;
                        clock_discipline_set(&keeper.ntp);
                }
                set |= a.step || a.tai != keeper.tai;
                STORE(keeper.tai, a.tai);
                turn_locked(now, offset);
                u64 at = now + offset;
                tx->time = timeval_from_ns(at);
                if (tx->status & STA_NANO)
                        tx->time.tv_usec = (i64)(at % NSEC_PER_SEC);
        }
        if (set)
                waitq_wake_all(&keeper.changed);
        return OK;
}

static err_t cpu_clock(u32 id, u64 *ns)
{
        struct cpu_clock c = {};

        TRY(cpu_clock_find(id, &c));
        *ns = cpu_clock_read(&c);
        cpu_clock_drop(&c);
        return OK;
}

err_t clock_get(u32 id, u64 *ns)
{
        switch (id) {
        case CLOCK_REALTIME:
        case CLOCK_REALTIME_ALARM:
                *ns = clock_realtime();
                return OK;
        case CLOCK_TAI:
                *ns = time_now() + clock_offset(id);
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

err_t clock_may_sleep(u32 id)
{
        switch (id) {
        case CLOCK_MONOTONIC:
        case CLOCK_BOOTTIME:
        case CLOCK_REALTIME:
        case CLOCK_TAI:
                return OK;
        case CLOCK_REALTIME_ALARM:
        case CLOCK_BOOTTIME_ALARM:
                return capable(CAP_WAKE_ALARM) ? OK : ERR(EPERM);
        case CLOCK_MONOTONIC_RAW:
        case CLOCK_REALTIME_COARSE:
        case CLOCK_MONOTONIC_COARSE:
        case CLOCK_THREAD_CPUTIME_ID:
                return ERR(EOPNOTSUPP);
        default:
                return ERR(EINVAL);
        }
}

u64 clock_deadline(u32 id, bool absolute, u64 ns)
{
        u64 now = time_now(), offset = clock_offset(id);

        if (absolute)
                return min_u64(ns > offset ? ns - offset : 0, NEVER - 1);
        return add_overflows(now, ns) ? NEVER : now + ns;
}

/* Until the wall clock says so, however often it is set meanwhile. */
static err_t sleep_wall(u32 id, u64 ns)
{
        WAITER(w);
        waiter_add(&w, &keeper.changed);
        for (;;) {
                u64 deadline = clock_deadline(id, true, ns);
                if (deadline <= time_now())
                        return OK;
                err_t err = waiter_sleep(&w, WAIT_INTERRUPTIBLE, thread_slack(deadline));
                if (failed(err) && !err_is(err, ETIMEDOUT))
                        return err_is(err, EINTR) ? ERR(ERESTARTNOHAND) : err;
        }
}

err_t clock_sleep(u32 id, bool absolute, u64 ns, u64 user_remain)
{
        TRY(clock_may_sleep(id));
        if (absolute && clock_is_wall(id))
                return sleep_wall(id, ns);
        u64 deadline = clock_deadline(id, absolute, ns);
        err_t err = sleep_until(thread_slack(deadline), WAIT_INTERRUPTIBLE);
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
        *ns = sec >= (u64)I64_MAX / NSEC_PER_SEC ? (u64)I64_MAX : sec * NSEC_PER_SEC + (u64)ts.tv_nsec;
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
