/* SPDX-License-Identifier: Apache-2.0
 *
 * adjtimex(2): what is told and what is done.  The frequency, the tick and offsets slew CLOCK_REALTIME alone: they are a rate,
 * and clock.c runs the clock by it.  Leap seconds: with STA_INS the day's last second is told twice, with STA_DEL it is left out; the
 * states follow the seconds.  There is no PPS, and the PLL does not learn a frequency.
 */
#include "services/time/adjust.h"
#include "services/task/thread.h"
#include "services/security/cred.h"
#include "abi/const/time.h"

#define TICK_USEC       10000l
#define ERROR_LIMIT     16000000l       /* us */
#define FREQ_LIMIT      32768000l       /* 500 ppm */
#define FREQ_MOST       (I64_MAX / 65536000)    /* more than that is an error, not clamped */
#define OFFSET_LIMIT    (500 * (i64)NSEC_PER_MSEC)
#define SINGLE_LIMIT    (I64_MAX / 1000000)
#define DAY             86400ul
#define TAI_LIMIT       100000l
#define CONSTANT_MAX    10l
#define ADJ_ADJTIME     0x8000u
#define ADJ_READONLY    0x2000u         /* with ADJ_ADJTIME */

static i64 clamp(i64 v, i64 low, i64 high) { return v < low ? low : v > high ? high : v; }

struct clock_discipline clock_discipline_at_boot(void)
{
        return (struct clock_discipline){ .tick = TICK_USEC, .maxerror = ERROR_LIMIT, .esterror = ERROR_LIMIT,
                                          .constant = 2, .status = STA_UNSYNC };
}

void clock_discipline_set(struct clock_discipline *d)
{
        d->single = 0;
        d->offset = 0;
        d->leap_at = NEVER;             /* as on Linux: no leap second before its flag has been taken away and given again */
        d->status |= STA_UNSYNC;
        d->maxerror = ERROR_LIMIT;
        d->esterror = ERROR_LIMIT;
}

/* Nobody looking after the clock, it may be off by 500 ppm more. */
static void age(struct clock_discipline *d)
{
        u64 seconds = (time_now() - d->error_at) / NSEC_PER_SEC;

        d->error_at += seconds * NSEC_PER_SEC;
        d->maxerror += (i64)min_u64(seconds, (u64)ERROR_LIMIT) * 500;
        if (d->maxerror > ERROR_LIMIT) {
                d->maxerror = ERROR_LIMIT;
                d->status |= STA_UNSYNC;
        }
}

static err_t check(const struct linux_timex *tx)
{
        u32 modes = tx->modes;
        bool may = capable(CAP_SYS_TIME);

        if (modes & ADJ_ADJTIME) {
                if (!(modes & ADJ_OFFSET))
                        return ERR(EINVAL);
                if (!(modes & ADJ_READONLY) && !may)
                        return ERR(EPERM);
        } else {
                if (modes && !may)
                        return ERR(EPERM);
                if ((modes & ADJ_TICK) && (tx->tick < 9000 || tx->tick > 11000))
                        return ERR(EINVAL);
        }
        if ((modes & ADJ_FREQUENCY) && (tx->freq > FREQ_MOST || tx->freq < -FREQ_MOST))
                return ERR(EINVAL);
        if (modes & ADJ_SETOFFSET) {
                if (!may)
                        return ERR(EPERM);
                if (tx->time.tv_usec < 0 || tx->time.tv_usec >= (modes & ADJ_NANO ? (i64)NSEC_PER_SEC : 1000000))
                        return ERR(EINVAL);
        }
        return OK;
}

static void set_status(struct clock_discipline *d, u32 status)
{
        if ((d->status & STA_PLL) && !(status & STA_PLL)) {
                d->status = STA_UNSYNC;
                d->leap = TIME_OK;
        }
        d->status = (d->status & STA_RONLY) | (status & ~(u32)STA_RONLY);
}

static void set_modes(struct clock_discipline *d, const struct linux_timex *tx, struct clock_adjustment *a)
{
        u32 modes = tx->modes;

        if (modes & ADJ_STATUS)
                set_status(d, (u32)tx->status);
        if (modes & ADJ_NANO)
                d->status |= STA_NANO;
        if (modes & ADJ_MICRO)
                d->status &= ~(u32)STA_NANO;
        if (modes & ADJ_FREQUENCY)
                d->freq = clamp(tx->freq, -FREQ_LIMIT, FREQ_LIMIT);
        if (modes & ADJ_MAXERROR) {
                d->maxerror = tx->maxerror;
                d->error_at = time_now();
        }
        if (modes & ADJ_ESTERROR)
                d->esterror = tx->esterror;
        if (modes & ADJ_TIMECONST)
                d->constant = clamp(clamp(tx->constant, 0, CONSTANT_MAX) + (d->status & STA_NANO ? 0 : 4), 0, CONSTANT_MAX);
        if ((modes & ADJ_TAI) && tx->constant >= 0 && tx->constant <= TAI_LIMIT)
                a->tai = (i32)tx->constant;
        if ((modes & ADJ_OFFSET) && (d->status & STA_PLL))
                d->offset = d->status & STA_NANO ? clamp(tx->offset, -OFFSET_LIMIT, OFFSET_LIMIT)
                                                 : clamp(tx->offset, -OFFSET_LIMIT / 1000, OFFSET_LIMIT / 1000) * 1000;
        if (modes & ADJ_TICK)
                d->tick = tx->tick;
}

err_t clock_discipline_adjust(struct clock_discipline *d, struct linux_timex *tx, struct clock_adjustment *a, u32 *state)
{
        u32 modes = tx->modes;

        TRY(check(tx));
        age(d);
        if (modes & ADJ_SETOFFSET) {
                i64 far = I64_MAX / (i64)NSEC_PER_SEC - 1;
                a->step = clamp(tx->time.tv_sec, -far, far) * (i64)NSEC_PER_SEC + tx->time.tv_usec * (modes & ADJ_NANO ? 1 : 1000);
        }
        if (modes & ADJ_ADJTIME) {
                i64 left = d->single / 1000;
                if (!(modes & ADJ_READONLY))
                        d->single = clamp(tx->offset, -SINGLE_LIMIT, SINGLE_LIMIT) * 1000;
                tx->offset = left;
        } else {
                set_modes(d, tx, a);
                tx->offset = d->status & STA_NANO ? d->offset : d->offset / 1000;
        }
        *state = d->status & (STA_UNSYNC | STA_CLOCKERR) ? TIME_ERROR : d->leap;
        *tx = (struct linux_timex){
                .modes = modes, .offset = tx->offset, .freq = d->freq, .maxerror = d->maxerror, .esterror = d->esterror,
                .status = (i32)d->status, .constant = d->constant, .precision = 1, .tolerance = FREQ_LIMIT,
                .tick = d->tick, .tai = a->tai,
        };
        return OK;
}

#define SLEW_PPM 500                    /* for `single` and `offset`, each */

/* Takes what a slew of 500 ppm did in dt ns off what is left. */
static i64 less(i64 left, u64 dt)
{
        i64 most = (i64)(min_u64(dt, 1000 * NSEC_PER_SEC) * SLEW_PPM / 1000000);
        return left - clamp(left, -most, most);
}

/* A second has begun. */
static i32 next_second(struct clock_discipline *d, u64 second)
{
        u32 wanted = d->status & STA_INS ? TIME_INS : d->status & STA_DEL ? TIME_DEL : TIME_OK;

        switch (d->leap) {
        case TIME_OK:
                d->leap = wanted;
                d->leap_at = second - second % DAY + DAY - (wanted == TIME_DEL ? 1 : 0);
                return 0;
        case TIME_INS:
        case TIME_DEL:
                if (wanted != d->leap) {
                        d->leap = TIME_OK;
                        return 0;
                }
                if (second < d->leap_at)
                        return 0;
                d->leap = wanted == TIME_INS ? TIME_OOP : TIME_WAIT;
                return wanted == TIME_INS ? -1 : 1;
        case TIME_OOP:
                d->leap = TIME_WAIT;
                return 0;
        default:
                d->leap = wanted == TIME_OK ? TIME_OK : TIME_WAIT;
                return 0;
        }
}

i32 clock_discipline_advance(struct clock_discipline *d, u64 now, u64 second)
{
        u64 dt = now - d->slewed_at;

        d->slewed_at = now;
        d->single = less(d->single, dt);
        d->offset = less(d->offset, dt);
        if (second == d->second)
                return 0;
        i32 leap = next_second(d, second);
        d->second = second + (u64)(i64)leap;
        return leap;
}

i64 clock_discipline_rate(const struct clock_discipline *d, u64 now, u64 realtime, u64 *until)
{
        i64 ppb = (d->tick - TICK_USEC) * 100000, lefts[2] = { d->single, d->offset };
        u64 end = NEVER;

        for (u32 i = 0; i < 2; i++) {
                i64 left = lefts[i];
                if (!left)
                        continue;
                ppb += left > 0 ? SLEW_PPM * 1000 : -SLEW_PPM * 1000;
                u64 takes = min_u64((u64)(left > 0 ? left : -left), NSEC_PER_SEC) * (1000000 / SLEW_PPM);
                end = min_u64(end, now + max_u64(takes, NSEC_PER_USEC));
        }
        i64 rate = d->freq * 4294967 / 65536000 + ppb * 4294967 / 1000000;      /* 2^32 times 10^-6, times 2^32 times 10^-9 */
        if (rate)
                end = min_u64(end, now + 16 * NSEC_PER_SEC);
        if (d->leap != TIME_OK || (d->status & (STA_INS | STA_DEL)))
                end = min_u64(end, now + NSEC_PER_SEC - realtime % NSEC_PER_SEC);
        *until = end;
        return rate;
}
