/* SPDX-License-Identifier: Apache-2.0
 *
 * What nobody outside can know: a seed, and when interrupts came.  services/random makes numbers of it.
 */
#include "arch.h"
#include "lib.h"

static u64 events[MAX_CPUS];                    /* timing of interrupts; racy on purpose */

void random_event(u64 tsc)
{
        u64 *e = &events[this_cpu()->cpu];
        *e = (*e << 7 | *e >> 57) ^ tsc * 0x9e3779b97f4a7c15ul;
}

u64 entropy_events(void) { return __atomic_exchange_n(&events[cpu_id()], 0, __ATOMIC_RELAXED); }

void entropy_seed(mbytes out)
{
        u8 seed[ENTROPY_SEED];

        arch_random_seed(seed);
        mbytes_copy(out, BYTES_OF(seed));
}
