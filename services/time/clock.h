/* SPDX-License-Identifier: Apache-2.0
 *
 * The clocks of clock_gettime(2), and sleeping by them.  Times are ns; CLOCK_REALTIME
 * counts from 1970, the others from boot (this machine does not suspend, so BOOTTIME
 * is MONOTONIC).  TAI is REALTIME until adjtimex sets an offset: whole seconds.
 */
#pragma once
#include "services/task/thread.h"
#include "abi/linux/time.h"

OBJECT(vvar);
void clock_init(struct vvar *page);                     /* reads the machine's clock; at boot. page: the vDSO's data, taken over */
u64  clock_realtime(void);                              /* ns since 1970 */
u64  clock_realtime_coarse(void);                       /* at the last tick: for time stamps of files */
u64  clock_realtime_offset(void);                       /* realtime - time_now() */
bool clock_is_wall(u32 id);                             /* REALTIME and its kin: they can be set */
u64  clock_offset(u32 id);                              /* wall clocks: what they say - time_now(); 0 for others */
/* Wakes when a wall clock has been set: who waits for an absolute time of one looks again. */
struct waitq *clock_changed(void);
err_t clock_set_realtime(u64 ns);                       /* EINVAL: before boot, or too far */
struct clock_zone { i32 minuteswest, dsttime; };        /* settimeofday(2)'s time zone */
struct clock_zone clock_zone(void);
void clock_set_zone(struct clock_zone zone);
/* adjtimex(2), permission checked: changes by tx->modes, then fills *tx.  *state: TIME_*.  EINVAL. */
err_t clock_adjust(struct linux_timex *tx, u32 *state);
/* clock_gettime(2), clock_getres(2). EINVAL: no such clock. CPU clocks: by the encoded ids of clock_getcpuclockid(3), too. */
err_t clock_get(u32 id, u64 *ns);
err_t clock_resolution(u32 id, u64 *ns);
/* EINVAL: no such clock; EOPNOTSUPP: not to sleep by.  CPU clocks: services/ptimer. */
err_t clock_may_sleep(u32 id);
/* ns since boot; NEVER when too far. */
u64   clock_deadline(u32 id, bool absolute, u64 ns);
/* clock_nanosleep(2). *left: what remained when interrupted (relative only). Interrupted: ERESTARTNOHAND when
 * absolute, else ERESTART_RESTARTBLOCK with the thread's restart record set. */
err_t clock_sleep(u32 id, bool absolute, u64 ns, u64 user_remain);

/* A timespec or timeval from user space: EINVAL unless normal and not negative. */
err_t ns_from_timespec(struct linux_timespec ts, u64 *ns);      /* saturates at I64_MAX: added to a time, it does not wrap */
err_t ns_from_timeval(struct linux_timeval tv, u64 *ns);
struct linux_timespec timespec_from_ns(u64 ns);
struct linux_timeval  timeval_from_ns(u64 ns);
