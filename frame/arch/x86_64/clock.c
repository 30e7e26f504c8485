/* SPDX-License-Identifier: Apache-2.0
 *
 * The clock is the TSC, the timer the local APIC's one-shot counter.  Both rates are
 * measured against the PIT in windows of under half a millisecond, by least squares, until
 * two agree.  Should the local APIC's counter stand still, the
 * PIT is the timer and the boot CPU the only one (timer_is_pit).
 *
 * Invariant C1   time = (tsc - base) * mult >> shift does not run backwards: base and
 *                mult are set once, before the second CPU starts.
 */
#include "x86.h"
#include "mem.h"

#define PIT_HZ      1193182u
#define PIT_CH0     0x40
#define PIT_CH2     0x42
#define PIT_CMD     0x43
#define PIT_GATE    0x61
#define WINDOW      430                 /* PIT counts: 0.36 ms */
#define TRIES       8

#define LAPIC_LVT_TIMER 0x320
#define LAPIC_INITIAL   0x380
#define LAPIC_CURRENT   0x390
#define LAPIC_DIVIDE    0x3e0
#define DIVIDE_BY_1     0xb

#define TSC_SHIFT   28
static struct { u64 base; u32 mult; } tsc RO_AFTER_BOOT;        /* ns per cycle, TSC_SHIFT fraction bits */
static u64 tsc_hz, lapic_hz;            /* measured */
static u64 lapic_mult RO_AFTER_BOOT;    /* timer counts per ns, 32 fraction bits */
static u64 rtc_at_boot RO_AFTER_BOOT;
bool timer_is_pit RO_AFTER_BOOT;

static u32 pit_count(void)
{
        out8(PIT_CMD, 0x80);            /* latch channel 2 */
        u32 low = in8(PIT_CH2);
        return low | (u32)in8(PIT_CH2) << 8;
}

static void pit_start(void)
{
        out8(PIT_GATE, (u8)((in8(PIT_GATE) & ~2u) | 1));        /* gate on, speaker off */
        out8(PIT_CMD, 0xb0);                                    /* channel 2, both bytes, mode 0 */
        out8(PIT_CH2, 0xff);
        out8(PIT_CH2, 0xff);
}

/* Sums for the slope of y over x by least squares. */
struct line { u64 n, x, xx, y, xy; };

static void line_add(struct line *l, u64 x, u64 y)
{
        l->n++;
        l->x += x;
        l->xx += x * x;
        l->y += y;
        l->xy += x * y;
}

/* Slope times PIT_HZ. */
static u64 line_rate(const struct line *l)
{
        u64 dy = l->n * l->xy - l->x * l->y, dx = l->n * l->xx - l->x * l->x;
        return dx && dy < 1ul << 63 ? mul_div(dy, PIT_HZ, dx) : 0;
}

/* One window.  A reading during which the host took the CPU away is left out.  False: it was away
 * for too long, or *moved is false: the PIT stands still. */
static bool measure(u64 *tsc_rate, u64 *lapic_rate, bool *moved)
{
        struct line t = { }, c = { };
        u64 t0 = read_tsc(), least = U64_MAX, x = 0;
        u32 c0 = lapic_read(LAPIC_CURRENT);

        pit_start();
        u32 x0 = pit_count();
        for (u32 i = 0; i < 50000 && x < WINDOW; i++) {
                u64 before = read_tsc();
                x = x0 - pit_count() & 0xffff;
                u32 count = lapic_read(LAPIC_CURRENT);
                u64 took = read_tsc() - before;
                least = min_u64(least, took);
                if (i >= 8 && took < 2 * least) {
                        line_add(&t, x, before - t0);
                        line_add(&c, x, c0 - count);
                }
        }
        *tsc_rate = line_rate(&t);
        *lapic_rate = line_rate(&c);
        *moved = x > 0;
        return x >= WINDOW && x < 2 * WINDOW && *tsc_rate > 10000000;
}

static bool agree(u64 a, u64 b)
{
        u64 d = a > b ? a - b : b - a;
        return d < a / 4000;
}

/* The mean of two windows that agree; else of the last good ones.  False: there is no PIT. */
static bool calibrate(void)
{
        u64 last = 0, last_timer = 0;
        bool moved = true;

        for (u32 i = 0; moved && (i < TRIES || !last); i++) {
                u64 rate, timer;
                if (!measure(&rate, &timer, &moved))
                        continue;
                tsc_hz = last ? (rate + last) / 2 : rate;
                lapic_hz = last ? (timer + last_timer) / 2 : timer;
                if (agree(rate, last))
                        break;
                last = rate;
                last_timer = timer;
        }
        return moved;
}

/* A hypervisor that tells (leaf 0x40000010) knows better than a measurement: kHz of TSC and of the APIC bus. */
static void ask_hypervisor(void)
{
        if (!(cpuid(1, 0).ecx >> 31) || cpuid(0x40000000, 0).eax < 0x40000010)
                return;
        struct cpuid r = cpuid(0x40000010, 0);
        if (r.eax > 100000 && agree(r.eax * 1000ul, tsc_hz))
                tsc_hz = r.eax * 1000ul;
        if (r.ebx > 1000 && agree(r.ebx * 1000ul, lapic_hz))
                lapic_hz = r.ebx * 1000ul;
}

/* ---- the machine's clock ---- */

static u8 cmos(u8 reg)
{
        out8(0x70, reg | 0x80);
        return in8(0x71);
}

static u32 from_bcd(u32 v, bool bcd) { return bcd ? (v >> 4) * 10 + (v & 15) : v; }

/* Days since 1970-01-01 of a date in the Gregorian calendar. */
static u64 days(u32 year, u32 month, u32 day)
{
        u32 y = month <= 2 ? year - 1 : year;
        u32 shifted = (month + 9) % 12;                 /* March is 0 */
        u32 era = y / 400, of_era = y % 400;
        u32 of_year = (153 * shifted + 2) / 5 + day - 1;
        return era * 146097ul + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* Read until two readings are the same, as an update may come between; no waiting for a second's edge. */
static u64 read_cmos_clock(void)
{
        static const u8 regs[7] = { 0, 2, 4, 7, 8, 9, 0x32 };
        u32 v[7] = { }, old[7];
        bool same = false;

        for (u32 tries = 0; tries < 8 && !same; tries++) {
                same = tries > 0;
                for (u32 i = 0; i < 7; i++) {
                        old[i] = v[i];
                        v[i] = cmos(regs[i]);
                        same = same && old[i] == v[i];
                }
        }
        u8 mode = cmos(0xb);
        bool bcd = !(mode & 4), pm = !(mode & 2) && v[2] & 0x80;
        u32 hour = from_bcd(v[2] & 0x7f, bcd);
        if (!(mode & 2))
                hour = hour % 12 + (pm ? 12 : 0);
        u32 century = from_bcd(v[6], bcd), year = from_bcd(v[5], bcd), month = from_bcd(v[4], bcd), day = from_bcd(v[3], bcd);
        if (month < 1 || month > 12 || day < 1 || day > 31)
                return 0;
        year += century >= 19 && century < 25 ? century * 100 : 2000;
        return (days(year, month, day) * 24 + hour) * 3600 + from_bcd(v[1], bcd) * 60 + from_bcd(v[0], bcd);
}

u64 rtc_read(void) { return rtc_at_boot; }

/* ---- start and use ---- */

void timer_setup_cpu(void)
{
        lapic_write(LAPIC_DIVIDE, DIVIDE_BY_1);
        lapic_write(LAPIC_LVT_TIMER, VEC_TIMER);        /* one-shot */
        lapic_write(LAPIC_INITIAL, 0);
}

void arch_clock_init(void)
{
        lapic_write(LAPIC_DIVIDE, DIVIDE_BY_1);
        lapic_write(LAPIC_INITIAL, U32_MAX);            /* masked: only counts */
        u64 start = read_tsc();
        if (!calibrate())
                k_panic("no PIT to measure the TSC with");
        ask_hypervisor();
        tsc.mult = (u32)mul_div(NSEC_PER_SEC, 1ul << TSC_SHIFT, tsc_hz);
        tsc.base = start;
        lapic_mult = mul_div(lapic_hz, 1ul << 32, NSEC_PER_SEC);
        rtc_at_boot = read_cmos_clock();
        timer_is_pit = lapic_hz < 1000000 && arch_irq_line(0, true);
        timer_setup_cpu();
}

u64 arch_clock_at(u64 cycles) { return tsc.mult ? mul_shift(cycles - tsc.base, tsc.mult, TSC_SHIFT) : 0; }
u64 arch_clock_now(void) { return arch_clock_at(read_tsc()); }

struct clock_params clock_params(void)
{
        return (struct clock_params){ tsc.base, 0, tsc.mult, TSC_SHIFT, true };
}

/* Channel 0, mode 0: an interrupt when the count is over.  Stopped by half a count. */
static void pit_timer_set(u64 deadline, u64 now)
{
        u64 ns = deadline > now ? min_u64(deadline - now, 50 * NSEC_PER_MSEC) : 0;
        u64 n = ns * PIT_HZ / NSEC_PER_SEC + 1;

        out8(PIT_CMD, 0x30);
        if (deadline == NEVER)
                return;
        out8(PIT_CH0, (u8)n);
        out8(PIT_CH0, (u8)(n >> 8));
}

/* A deadline beyond the counter's range fires early; the caller looks and sets it again. */
void arch_timer_set(u64 deadline)
{
        u64 now = arch_clock_now();

        if (timer_is_pit) {
                pit_timer_set(deadline, now);
                return;
        }
        if (deadline == NEVER) {
                lapic_write(LAPIC_INITIAL, 0);
                return;
        }
        u64 ns = deadline > now ? min_u64(deadline - now, NSEC_PER_SEC) : 0;
        u64 n = mul_shift(ns, lapic_mult, 32) + 1;      /* not before its time */
        lapic_write(LAPIC_INITIAL, (u32)min_u64(n, U32_MAX));
}

void clock_wait_us(u32 us)
{
        u64 end = arch_clock_now() + us * NSEC_PER_USEC;

        while (arch_clock_now() < end)
                cpu_pause();
}
