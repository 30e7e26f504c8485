/* SPDX-License-Identifier: Apache-2.0
 *
 * What adjtimex(2) keeps.  All under the timekeeper's lock.
 */
#pragma once
#include "abi/linux/time.h"

struct clock_discipline {
        i64 freq;                       /* 2^-16 ppm */
        i64 tick;                       /* us in 1/100 s */
        i64 offset;                     /* ns yet to be slewed by the PLL */
        i64 single;                     /* ns yet to be slewed for adjtime(3) */
        i64 maxerror, esterror;         /* us; maxerror: at error_at */
        i64 constant;
        u32 status;                     /* STA_* */
        u64 error_at;                   /* ns since boot */
        u64 slewed_at;                  /* ns since boot: until then `single` and `offset` have been slewed */
        u32 leap;                       /* TIME_OK, INS, DEL, OOP, WAIT */
        u64 leap_at;                    /* second since 1970 at which the leap second comes */
        u64 second;                     /* the second since 1970 that was looked at last */
};

/* In: the time of the clock, ns; the TAI offset, seconds.  Out: that; and what to add to the clock, ns. */
struct clock_adjustment { u64 now; i32 tai; i64 step; };

struct clock_discipline clock_discipline_at_boot(void);
void  clock_discipline_set(struct clock_discipline *d);  /* the clock has been set: what is under way is over */
/* EINVAL, EPERM.  Fills *tx but for the time. */
err_t clock_discipline_adjust(struct clock_discipline *d, struct linux_timex *tx, struct clock_adjustment *a, u32 *state);
/* At `now`, in this second since 1970: what was due is slewed; the leap second's states go on.  1, -1: the clock is to be set
 * forward or back by a second. */
i32   clock_discipline_advance(struct clock_discipline *d, u64 now, u64 second);
/* What the clock gains from now on, times 2^32; *until: when to ask again, ns since boot; NEVER. */
i64   clock_discipline_rate(const struct clock_discipline *d, u64 now, u64 realtime, u64 *until);
