/* SPDX-License-Identifier: Apache-2.0
 *
 * POSIX timers: timer_create(2) and its kin, for the current process; and sleeping by CPU clocks.
 */
#pragma once
#include "services/task/thread.h"

struct ptimer_event { u32 notify; u32 signo; u32 tid; u64 value; };    /* SIGEV_*; tid: of SIGEV_THREAD_ID */
struct ptimer_time  { u64 value, interval; };                           /* ns; value 0: disarmed */

/* event NULL: SIGALRM with the timer's number.  *id: its number.  EINVAL, EOPNOTSUPP: no such clock, not for timers; EPERM;
 * EAGAIN: RLIMIT_SIGPENDING; ENOMEM. */
err_t ptimer_create(u32 clock, const struct ptimer_event *event, u32 *id);
err_t ptimer_settime(u32 id, bool absolute, struct ptimer_time new, struct ptimer_time *old);  /* EINVAL; ESRCH: its process is gone */
err_t ptimer_gettime(u32 id, struct ptimer_time *now);   /* EINVAL */
err_t ptimer_overrun(u32 id, u32 *count);                /* EINVAL */
err_t ptimer_delete(u32 id);                             /* EINVAL */

/* clock_nanosleep(2) by a CPU clock.  *left: what remained.  EINVAL, EINTR, ENOMEM. */
err_t ptimer_cpu_sleep(u32 clock, bool absolute, u64 ns, u64 *left);

/* For process_ops. */
void ptimers_end(struct process *p);                     /* the process ends, or executes */
void ptimer_cpu_check(struct process *p);                /* a thread of p looks which of the timers of its time are due */
void ptimer_taken(struct ptimer *t, struct siginfo *info);       /* its signal is taken from a queue; owner's process.lock held */

/* /proc/PID/timers: the first with a number >= id; false: none. */
struct ptimer_shown { u32 id, signo, notify, clock, tid; u64 value; };
bool ptimer_next(struct process *p, u32 id, struct ptimer_shown *out);
