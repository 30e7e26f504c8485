/* SPDX-License-Identifier: Apache-2.0
 *
 * The layout of the vDSO's data page, for services/time, which writes it, and user/vdso,
 * which reads it: seq, the data, seq again; anew if it was odd or has changed.
 */
#pragma once

#define VVAR_TSC    1u                  /* programs may read the TSC; else: make the system call */
#define VVAR_RDTSCP 2u                  /* RDTSCP is there and gives the CPU's number */

struct vvar_data {
        u32 seq;                        /* odd while it is being written */
        u32 flags;                      /* VVAR_* */
        u64 base_tsc, base_ns;          /* boottime = base_ns + ((tsc - base_tsc) * mult >> shift) */
        u32 mult, shift;
        i64 realtime_offset;            /* ns: realtime = boottime + realtime_offset */
        i64 monotonic_offset;           /* ns: monotonic = boottime + monotonic_offset */
        i64 tai_offset;                 /* ns: TAI = realtime + tai_offset */
        i32 minuteswest, dsttime;       /* gettimeofday's time zone */
        u64 slew_base;                  /* boottime; from then on realtime gains (boottime - slew_base) * slew_rate */
        i64 slew_rate;                  /* times 2^32; 0: none */
};
