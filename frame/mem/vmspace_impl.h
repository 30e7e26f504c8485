/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of an address space: vmspace.c and the architecture's mmu.c.
 */
#pragma once
#include "mem.h"

/* Never freed to its pool: a dead space waits on a list for its next life, so a stale user
 * of the lock and a new owner agree on it (V5). */
struct vmspace {
        u64   counts;                   /* bits 0-31 services' holds, 32-63 uses by tasks; 0: dead */
        u64   root;                     /* physical address of the top table; 0: dead; guard: lock */
        u64   cpus;                     /* CPUs that may have it loaded; atomic */
        u32   lock;
        u32   spare;
        u64   mapped;                   /* pages; lock */
        u64   tables;                   /* page-table pages; lock */
        struct payer *payer;            /* lock; fixed while alive */
        struct vmspace *next_free;
};

#define VM_FLUSH_PAGES 8                /* more than these: the whole space */

/* Makes every CPU forget: n addresses, or all if n > VM_FLUSH_PAGES. */
void mmu_flush_space(struct vmspace *s, const u64 *va, u32 n);
void mmu_space_evict(struct vmspace *s);                        /* no CPU has it loaded on return */
