/* SPDX-License-Identifier: Apache-2.0
 *
 * The data page of the vDSO ("[vvar]"): what user space needs to tell the time without a
 * system call.  One page, read only for programs, written here under a sequence count.
 *
 * The time service calls vvar_update at boot, whenever the realtime offset is set or the clock's
 * parameters change, and may do so at each second.
 */
#pragma once
#include "services/time/vvar_data.h"

OBJECT(vvar);
POOL_DECLARE(vvar)

struct vvar *vvar_new(void);            /* count 1; NULL: no memory */
struct frame *vvar_frame(struct vvar *v);       /* borrowed: what exec maps */

/* Nanoseconds, but for the time zone: see vvar_data.h. */
struct vvar_offsets { i64 realtime, monotonic, tai; i32 minuteswest, dsttime; u64 slew_base; i64 slew_rate; };
/* Any context that may take a spin lock.  NULL is ignored. */
void  vvar_update(struct vvar *v, struct clock_params clock, struct vvar_offsets offsets);
