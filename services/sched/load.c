/* SPDX-License-Identifier: Apache-2.0
 *
 * How much there is to run: counts, and the load averages.  See sched.h.
 */
#include "services/sched/runq.h"

u32 sched_runnable(void)
{
        u32 n = 0;
        for (u32 i = 0; i < cpu_count(); i++)
                n += LOAD(runqs[i].queued) + (PTR_LOAD(runqs[i].current) ? 1 : 0);
        return n;
}

u64 sched_switches(void)
{
        u64 n = 0;
        for (u32 i = 0; i < cpu_count(); i++)
                n += LOAD_RELAXED(runqs[i].switches);
        return n;
}

#define LOAD_PERIOD (5 * NSEC_PER_SEC)
#define SLEPT       (100 * NSEC_PER_MSEC)       /* a CPU that has something to run looks at its ticks, so much more often */
/* How much of an average remains after a period, times 65536: e to the -5/60, -5/300, -5/900. */
STABLE(load_average) { struct spinlock lock; u64 next; u64 of[3]; } CACHE_ALIGNED;
LOCK_CLASS(load_average, LEAF);
static struct load_average average;

/* Every five seconds, as many as there are now; at those times at which nobody looked, there was nothing to run. */
void load_sample(void)
{
        u64 now = time_coarse();

        if (now < LOAD_RELAXED(average.next))
                return;
        u64 active = (u64)sched_runnable() << 16;
        SPIN_GUARD(&average.lock);
        for (u32 turns = 0; turns < 1000 && now >= average.next; turns++) {
                u64 then = now - average.next < SLEPT ? active : 0;
                average.of[0] = (average.of[0] * 60296 + then * 5240) >> 16;
                average.of[1] = (average.of[1] * 64453 + then * 1083) >> 16;
                average.of[2] = (average.of[2] * 65173 + then * 363) >> 16;
                STORE(average.next, average.next + LOAD_PERIOD);
        }
        if (now >= average.next)
                STORE(average.next, now + LOAD_PERIOD);
}

struct sched_load sched_load(void)
{
        struct sched_load l = {};
        load_sample();
        SPIN_GUARD(&average.lock);
        for (u32 i = 0; i < 3; i++)
                l.of[i] = average.of[i];
        return l;
}

void load_init(void) { lock_init(&average.lock, load_average); }
