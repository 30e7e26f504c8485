/* SPDX-License-Identifier: Apache-2.0
 *
 * policy.h: what the programs about scheduling share.
 */
#pragma once
#include "abi.h"

#define DEADLINE 6
#define RESET    0x01
#define RECLAIM  0x02
#define OVERRUN  0x04
#define KEEP_POLICY 0x08
#define KEEP_PARAMS 0x10
#define CLAMP_MIN   0x20
#define CLAMP_MAX   0x40
#define MS 1000000ull

struct attr {
        uint32_t size, policy;
        uint64_t flags;
        int32_t  nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
        uint32_t util_min, util_max;
        uint64_t tail[4];
};

UNUSED static long setattr_of(pid_t pid, struct attr a)
{
        if (!a.size)
                a.size = 48;
        return syscall(SYS_sched_setattr, pid, &a, 0);
}
UNUSED static long setattr(struct attr a) { return setattr_of(0, a); }

UNUSED static struct attr getattr(pid_t pid)
{
        struct attr a = {};

        must(syscall(SYS_sched_getattr, pid, &a, 56, 0) == 0, "sched_getattr");
        return a;
}

UNUSED static struct attr dl(uint64_t runtime, uint64_t deadline, uint64_t period)
{
        return (struct attr){ .policy = DEADLINE, .runtime = runtime, .deadline = deadline, .period = period };
}

UNUSED static int fair(void)
{
        return setattr((struct attr){ .policy = SCHED_OTHER });
}

UNUSED static int fifo(pid_t pid, int policy, int priority)
{
        struct sched_param p = { .sched_priority = priority };

        return syscall(SYS_sched_setscheduler, pid, policy, &p);
}

UNUSED static int on_cpu(pid_t pid, int cpu)
{
        cpu_set_t set;

        CPU_ZERO(&set);
        CPU_SET(cpu, &set);
        return sched_setaffinity(pid, sizeof set, &set);
}

UNUSED static double clock_s(clockid_t id)
{
        struct timespec t;

        clock_gettime(id, &t);
        return t.tv_sec + t.tv_nsec / 1e9;
}

/* Uses the processor for some real time. */
UNUSED static void burn_until(double at)
{
        while (clock_s(CLOCK_MONOTONIC) < at)
                ;
}
