/* SPDX-License-Identifier: Apache-2.0
 *
 * timerfd_create(2): timers that are read.
 */
#pragma once
#include "services/vfs/vfs.h"

struct timerfd_time { u64 value, interval; };    /* ns; value 0: disarmed */

/* flags: TFD_CLOEXEC (ignored here), TFD_NONBLOCK.  *out counted.  EINVAL, EPERM, ENOMEM. */
err_t timerfd_new(const struct actor *who, u32 clock, u32 flags, struct file **out);
/* flags: TFD_TIMER_*.  *old: what gettime would have said.  EINVAL (also: f is no timerfd). */
err_t timerfd_set(struct file *f, u32 flags, struct timerfd_time new, struct timerfd_time *old);
err_t timerfd_get(struct file *f, struct timerfd_time *now);     /* EINVAL */
