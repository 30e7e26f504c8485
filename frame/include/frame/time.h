/* SPDX-License-Identifier: Apache-2.0
 *
 * Clock and timers.
 *
 * A timer is a STABLE member of an OBJECT; its state lives in a table of the framework (init may
 * return ENOMEM; arming cannot fail).  Timer functions run as bottom halves (no sleeping; spin
 * locks and NOWAIT only); what has to sleep is left to a kernel thread, which they kick
 * (task_new_kernel).  Use OWNER_OF(type, member, t) in them.
 */
#pragma once

SAFE_API u64 time_now(void);                             /* ns since boot, monotonic over all CPUs */
SAFE_API u64 time_coarse(void);                          /* the same at the last tick; cheap */
/* For the vDSO: ns = base_ns + ((tsc - base_tsc) * mult >> shift). */
struct clock_params { u64 base_tsc; u64 base_ns; u32 mult; u32 shift; bool user_readable; };
SAFE_API struct clock_params clock_params(void);
SAFE_API u64 rtc_read(void);                             /* seconds since 1970 by the machine's clock, at boot; 0: none */

STABLE(timer) { u32 index_k; u32 gen_k; };
SAFE_API err_t timer_init(struct timer *t, void (*fn)(struct timer *t));
SAFE_API void  timer_arm(struct timer *t, u64 deadline); /* moves it if armed; NEVER cancels */
SAFE_API void  timer_fini(struct timer *t);              /* it is not armed, runs on no other CPU, its state is freed; idempotent */
