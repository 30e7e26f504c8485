/* SPDX-License-Identifier: Apache-2.0
 *
 * /proc/keel/counters: what the CPUs counted since boot, a line each: the name, the sum, then each
 * CPU's own. Interrupts (ipis) are counted where they are sent; a wait for a lock counts once, however
 * long it lasts; refills are how often a CPU's own stock of pages or objects was empty. Linux has no
 * such file: nothing but the benchmark and people should depend on it.
 */
#include "services/procfs/tree.h"

STABLE(counter_name) { u8 name[20]; };
static const struct counter_name names[CPU_COUNTERS] = {
        [CPU_SWITCHES]       = { "switches" },
        [CPU_FAULTS]         = { "faults" },
        [CPU_PAGES]          = { "pages" },
        [CPU_OBJECTS]        = { "objects" },
        [CPU_PAGE_REFILLS]   = { "page_refills" },
        [CPU_OBJECT_REFILLS] = { "object_refills" },
        [CPU_RESCHED_IPIS]   = { "resched_ipis" },
        [CPU_TLB_IPIS]       = { "tlb_ipis" },
        [CPU_TLB_FLUSHES]    = { "tlb_flushes" },
        [CPU_SPACE_LOADS]    = { "cr3_loads" },
        [CPU_SPIN_WAITS]     = { "spin_waits" },
        [CPU_LOCK_WAITS]     = { "lock_waits" },
        [CPU_TIMER_IRQS]     = { "timer_irqs" },
};

static err_t show_counters(struct text *t, const struct subject *s)
{
        (void)s;
        for (u32 i = 0; i < CPU_COUNTERS; i++) {
                u64 sum = 0;

                for (u32 cpu = 0; cpu < cpu_count(); cpu++)
                        sum += cpu_counter(cpu, i);
                SAY(t, "{} {}", padded(BYTES_OF(names[i].name)), sum);
                for (u32 cpu = 0; cpu < cpu_count(); cpu++)
                        SAY(t, " {}", cpu_counter(cpu, i));
                text_char(t, '\n');
        }
        return OK;
}

const struct proc_dir proc_keel_dir = { .dynamic = DYN_NONE, .entry = {
        { .name = "counters", .mode = 0444, .show = show_counters },
} };
