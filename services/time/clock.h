/* SPDX-License-Identifier: Apache-2.0
 *
 * The clocks of clock_gettime(2), and sleeping by them.  Times are ns; CLOCK_REALTIME
 * counts from 1970, the others from boot (this machine does not suspend, so BOOTTIME
 * is MONOTONIC).  TAI is REALTIME until adjtimex sets an offset.
 */
#pragma once
#include "services/task/thread.h"
#include "abi/linux/time.h"

OBJECT(vvar);
void clock_init(struct vvar *page);                     /* reads the machine's clock; at boot. page: the vDSO's data, taken over */
u64  clock_realtime(void);                              /* ns since 1970 */
u64  clock_realtime_coarse(void);                       /* at the last tick: for time stamps of files */
u64  clock_realtime_offset(void);                       /* realtime - time_now() */
err_t clock_set_realtime(u64 ns);                       /* EINVAL: before boot */
/* clock_gettime(2), clock_getres(2). EINVAL: no such clock. The CPU clocks: the caller's, or by the
 * encoded ids of clock_getcpuclockid(3): found through `cpu_clock`, which process registers. */
err_t clock_get(u32 id, u64 *ns);
err_t clock_resolution(u32 id, u64 *ns);
/* To a deadline for sleeping: ns since boot; NEVER when too far. EINVAL: no such clock; EOPNOTSUPP: not to sleep by. */
err_t clock_deadline(u32 id, bool absolute, u64 ns, u64 *deadline);
/* clock_nanosleep(2). *left: what remained when interrupted (relative only). Interrupted: ERESTARTNOHAND when
 * absolute, else ERESTART_RESTARTBLOCK with the thread's restart record set. */
err_t clock_sleep(u32 id, bool absolute, u64 ns, u64 user_remain);

/* A timespec or timeval from user space: EINVAL unless normal and not negative. */
err_t ns_from_timespec(struct linux_timespec ts, u64 *ns);      /* saturates at NEVER - 1 */
err_t ns_from_timeval(struct linux_timeval tv, u64 *ns);
struct linux_timespec timespec_from_ns(u64 ns);
struct linux_timeval  timeval_from_ns(u64 ns);
