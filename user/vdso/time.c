/* SPDX-License-Identifier: Apache-2.0
 *
 * The vDSO: telling the time without a system call.
 *
 * This is user code in one page or two: position independent, without library, relocations
 * or writable data.  The data page lies just below the ELF header (services/exec maps it
 * so); what cannot be answered from it is asked of the kernel.
 */
#include "frame/marks.h"
#include "frame/types.h"
#include "abi/const/time.h"
#include "abi/syscall_nr.h"
#include "abi/linux/time.h"
#include "services/time/vvar_data.h"

#define TICK_NS 4000000                 /* what the coarse clocks claim as their resolution */

extern char __ehdr_start[] __attribute__((visibility("hidden")));

/* Volatile: the kernel writes it at any time, and no read may move past the checks of seq. */
typedef const volatile struct vvar_data *vvar_t;

static inline vvar_t data(void)
{
        return (vvar_t)(__ehdr_start - PAGE_SIZE);
}

static long syscall3(long nr, const void *a, const void *b, const void *c)
{
        long ret;
        __asm__ volatile("syscall" : "=a"(ret) : "0"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
        return ret;
}

/* Not before the loads that come first. */
static inline u64 read_tsc(void)
{
        u32 low, high;
        __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
        return (u64)high << 32 | low;
}

static inline u32 begin(vvar_t v)
{
        u32 seq;
        while ((seq = __atomic_load_n(&v->seq, __ATOMIC_ACQUIRE)) & 1)
                __asm__ volatile("pause");
        return seq;
}

static inline bool changed(vvar_t v, u32 seq)
{
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        return __atomic_load_n(&v->seq, __ATOMIC_RELAXED) != seq;
}

/* Nanoseconds of the clock whose offset from boot time `offset` computes; false: ask the kernel. */
static inline __attribute__((always_inline)) bool now(u32 clock, u64 *ns)
{
        vvar_t v = data();
        u32 seq;
        do {
                seq = begin(v);
                if (!(v->flags & VVAR_TSC))
                        return false;
                u64 tsc = read_tsc(), base = v->base_tsc;
                u64 ticks = tsc > base ? tsc - base : 0;
                u64 t = v->base_ns + (u64)((unsigned __int128)ticks * v->mult >> (v->shift & 63));
                if (clock == CLOCK_REALTIME || clock == CLOCK_TAI) {
                        i64 rate = v->slew_rate;
                        if (rate)
                                t += (u64)((__int128)(i64)(t - v->slew_base) * rate >> 32);
                        t += (u64)v->realtime_offset;
                        if (clock == CLOCK_TAI)
                                t += (u64)v->tai_offset;
                } else if (clock == CLOCK_MONOTONIC)
                        t += (u64)v->monotonic_offset;
                *ns = t;
        } while (changed(v, seq));
        return true;
}

static inline void store(struct linux_timespec *ts, u64 ns)
{
        u64 sec = ns / NSEC_PER_SEC;
        ts->tv_sec = (i64)sec;
        ts->tv_nsec = (i64)(ns - sec * NSEC_PER_SEC);
}

int __vdso_clock_gettime(int clock, struct linux_timespec *ts)
{
        u64 ns;
        bool known;
        switch (clock) {
        case CLOCK_REALTIME:
        case CLOCK_REALTIME_COARSE:
                known = now(CLOCK_REALTIME, &ns);
                break;
        case CLOCK_MONOTONIC:
        case CLOCK_MONOTONIC_COARSE:
        case CLOCK_MONOTONIC_RAW:
                known = now(CLOCK_MONOTONIC, &ns);
                break;
        case CLOCK_BOOTTIME:
                known = now(CLOCK_BOOTTIME, &ns);
                break;
        case CLOCK_TAI:
                known = now(CLOCK_TAI, &ns);
                break;
        default:
                known = false;
        }
        if (!known)
                return (int)syscall3(SYS_clock_gettime, (void *)(long)clock, ts, NULL);
        store(ts, ns);
        return 0;
}

int __vdso_clock_getres(int clock, struct linux_timespec *ts)
{
        i64 ns;
        switch (clock) {
        case CLOCK_REALTIME:
        case CLOCK_MONOTONIC:
        case CLOCK_MONOTONIC_RAW:
        case CLOCK_BOOTTIME:
        case CLOCK_TAI:
                ns = 1;
                break;
        case CLOCK_REALTIME_COARSE:
        case CLOCK_MONOTONIC_COARSE:
                ns = TICK_NS;
                break;
        default:
                return (int)syscall3(SYS_clock_getres, (void *)(long)clock, ts, NULL);
        }
        if (ts)
                *ts = (struct linux_timespec){ .tv_nsec = ns };
        return 0;
}

int __vdso_gettimeofday(struct linux_timeval *tv, struct linux_timezone *tz)
{
        vvar_t v = data();
        if (tv) {
                u64 ns;
                if (!now(CLOCK_REALTIME, &ns))
                        return (int)syscall3(SYS_gettimeofday, tv, tz, NULL);
                u64 sec = ns / NSEC_PER_SEC;
                tv->tv_sec = (i64)sec;
                tv->tv_usec = (i64)((ns - sec * NSEC_PER_SEC) / NSEC_PER_USEC);
        }
        if (tz) {
                tz->tz_minuteswest = v->minuteswest;
                tz->tz_dsttime = v->dsttime;
        }
        return 0;
}

i64 __vdso_time(i64 *out)
{
        u64 ns;
        if (!now(CLOCK_REALTIME, &ns))
                return syscall3(SYS_time, out, NULL, NULL);
        i64 sec = (i64)(ns / NSEC_PER_SEC);
        if (out)
                *out = sec;
        return sec;
}

long __vdso_getcpu(u32 *cpu, u32 *node, void *cache)
{
        if (!(data()->flags & VVAR_RDTSCP))
                return syscall3(SYS_getcpu, cpu, node, cache);
        u32 low, high, aux;
        __asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(aux));
        if (cpu)
                *cpu = aux & 0xfff;
        if (node)
                *node = aux >> 12;
        return 0;
}

/* The plain names, for programs that link against the vDSO by hand. */
int  clock_gettime(int, struct linux_timespec *) __attribute__((weak, alias("__vdso_clock_gettime")));
int  clock_getres(int, struct linux_timespec *) __attribute__((weak, alias("__vdso_clock_getres")));
int  gettimeofday(struct linux_timeval *, struct linux_timezone *) __attribute__((weak, alias("__vdso_gettimeofday")));
i64  time(i64 *) __attribute__((weak, alias("__vdso_time")));
long getcpu(u32 *, u32 *, void *) __attribute__((weak, alias("__vdso_getcpu")));
