/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory, as the rest of the framework sees it (services see frames.h, object.h, vmspace.h).
 *
 * Order at boot, on the boot CPU:
 *      arch_cpu_early, arch_console_init, mem_init      pools, frames and log work from here on
 *      arch_acpi_init, …, mem_init_cpus(n)              before the first AP runs
 *      … mmu_protect_boot()                             when everything RO_AFTER_BOOT is set
 *
 * Nothing here may be called in a hard interrupt or with interrupts off, but for what says so.
 * The linker script gives: k_pools_start/k_pools_end around .keel.pools,
 * k_ro_boot_start/k_ro_boot_end (page-aligned, in data) around .keel.ro_boot and .keel.pools.
 */
#pragma once
#include "arch.h"
#include "mmu.h"
#include "lib.h"

#define RO_AFTER_BOOT __attribute__((section(".keel.ro_boot")))
#define TRAMPOLINE_LIMIT 0x10000        /* pages below are never handed out: AP trampolines go there */

extern struct pool k_pools_start[], k_pools_end[];
extern u8 k_ro_boot_start[], k_ro_boot_end[];

void mem_init(void);                    /* ends with the final page tables loaded */
void mem_init_cpus(u32 cpus);           /* per-CPU caches for CPUs 1 .. cpus-1 */


/* Whole pages of the framework's own, in the direct map, zeroed.  NULL: no memory. */
void *kpages_alloc(u32 order);

/* Kernel stacks, KSTACK_SIZE with an unmapped guard of the same size below; returns the top, 0: no memory.
 * Not zeroed by the second use. */
u64   kstack_alloc(struct payer *payer);
void  kstack_free(u64 top, struct payer *payer);
bool  kstack_is_guard(u64 addr);        /* for messages: addr lies in a guard page */

/* Charges for what is not a pool object or frame. charge: false over a limit. NULL payer: nothing. */
bool  payer_charge(struct payer *p, u64 bytes);
void  payer_uncharge(struct payer *p, u64 bytes);

/* Pools made by frame/ itself are ordinary POOL_DEFINEs.  A pool whose objects are freed in contexts
 * that may not sleep has a fini that does not. */

/* Pins: references recorded in the task so that an oops can give them back (F3 calls it). */
void  frame_unpin_recorded(struct frame *f);
/* A device's pin: while it is there the frame stays BYTES and where it is. false: no live frame of bytes, or too many. */
bool  frame_dma_pin(struct frame *f);
void  frame_dma_unpin(struct frame *f);

/* A task's use of a space, counted apart from the services' holds: set_space takes one. Traps on a dead space. */
void  vmspace_use(struct vmspace *s);
void  vmspace_unuse(struct vmspace *s); /* the last of both frees; irqs on, may shoot down */
/* Address spaces.  vmspace_switch_to: at context switch, irqs off; NULL: any will do (kernel thread): stays lazily. */
void  vmspace_switch_to(struct vmspace *s);
void  vmspace_leave(void);              /* before a task gives up its space: loads the kernel's own tables */
void  vmspace_unlock_recorded(struct vmspace *s);               /* an oops hit inside a cursor */

