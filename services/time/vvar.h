/* SPDX-License-Identifier: Apache-2.0
 *
 * The data page of the vDSO ("[vvar]"): what user space needs to tell the time without a
 * system call.  One page, read only for programs, written here under a sequence count.
 *
 * The time service calls vvar_update at boot, whenever the realtime offset is set or the clock's
 * parameters change, and may do so at each second.
 */
#pragma once

/* The page's layout; user/vdso reads the same struct. */
struct vvar_data {
        u32 seq;                        /* odd while it is being written */
        u32 usable;                     /* 1: the TSC may be read by programs; 0: make the system call */
        u64 base_tsc, base_ns;          /* boottime = base_ns + ((tsc - base_tsc) * mult >> shift) */
        u32 mult, shift;
        i64 realtime_offset;            /* ns: realtime = boottime + realtime_offset */
        i64 monotonic_offset;           /* ns: monotonic = boottime + monotonic_offset */
        i64 tai_offset;                 /* s: TAI = realtime + tai_offset */
        i32 minuteswest, dsttime;       /* gettimeofday's time zone */
};

OBJECT(vvar);
POOL_DECLARE(vvar)

struct vvar *vvar_new(void);            /* count 1; NULL: no memory */
struct frame *vvar_frame(struct vvar *v);       /* borrowed: what exec maps */

struct vvar_offsets { i64 realtime, monotonic, tai; i32 minuteswest, dsttime; };
/* Any context that may take a spin lock. */
void  vvar_update(struct vvar *v, struct clock_params clock, struct vvar_offsets offsets);
