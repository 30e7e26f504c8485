/* SPDX-License-Identifier: Apache-2.0
 *
 * x86-64 address layout, page-table words and the kernel's own mappings.
 *
 *   0000000000000000  user half: one vmspace, or nothing
 *   ffff800000000000  DIRECT   all RAM, physical address + DIRECT_BASE, RW NX
 *   ffffc00000000000  FRAMES   array of struct frame by page number, sparse
 *   ffffc80000000000  POOLS    256 regions of 16 GiB, one per object type
 *   ffffd00000000000  STACKS   kernel stacks, each above an unmapped guard
 *   ffffd80000000000  MMIO     device registers, uncached
 *   ffffe00000000000  PTES     the kernel half's page tables as one array
 *   ffffffff80000000  IMAGE    the kernel: physical address + IMAGE_BASE; text RX, rodata R, data RW NX
 *   fffffffffffff000  never mapped
 *
 * The boot tables (boot.S) map: the first 4 GiB at DIRECT_BASE, the first 1 GiB (at
 * least the image) at IMAGE_BASE, and the identity map that the switch needs.
 * mmu_init builds the final tables; APs load mmu_kernel_cr3 once they run high.
 * The kernel half is the same in every space: its top-level entries are fixed by mmu_init.
 */
#pragma once

#define DIRECT_BASE 0xffff800000000000
#define FRAMES_BASE 0xffffc00000000000
#define POOLS_BASE  0xffffc80000000000
#define STACKS_BASE 0xffffd00000000000
#define MMIO_BASE   0xffffd80000000000
#define PTES_BASE   0xffffe00000000000
#define IMAGE_BASE  0xffffffff80000000

#define PTE_P      0x1
#define PTE_W      0x2
#define PTE_U      0x4
#define PTE_PWT    0x8
#define PTE_PCD    0x10
#define PTE_A      0x20
#define PTE_D      0x40
#define PTE_PS     0x80                 /* 2 MiB or 1 GiB leaf */
#define PTE_G      0x100
#define PTE_ZERO   0x200                /* software: the shared zero page, not counted */
#define PTE_PROT   52                   /* from here on: what was asked for, as enum vm_prot has it; software's but for the key */
#define PTE_NX     0x8000000000000000
#define PTE_ADDR   0x000ffffffffff000

#ifndef __ASSEMBLER__
#include "arch.h"

/* SAFETY: V1, M1: no check; who converts owns the page or the table. */
static inline void *phys_to_virt(u64 pa)     { return (void *)(pa + DIRECT_BASE); }
static inline u64 direct_to_phys(const void *p) { return (u64)p - DIRECT_BASE; }
static inline u64 image_to_phys(const void *p)  { return (u64)p - IMAGE_BASE; }

extern u64 mmu_kernel_cr3;              /* the final tables, user half empty */

void mmu_init(void);                    /* boot CPU, called by mem_init */
void mmu_protect_boot(void);            /* makes what is fixed after boot read-only */
void mmu_space_init_top(u64 *pml4);     /* the kernel half */
void *mmio_map(u64 phys, usize len);    /* uncached; permanent; NULL: no memory */

/* Kernel pages of the POOLS, STACKS and FRAMES windows.  False: no memory for a table. */
bool mmu_kmap(u64 va, u64 phys, u64 bits);      /* bits: PTE_W, PTE_NX, … ; PTE_P and PTE_G are added */
u64  mmu_kunmap(u64 va);                        /* returns what the entry was; the caller flushes */
bool mmu_ktable(u64 va);                        /* makes the tables for va without mapping anything */
static inline u64 *mmu_kpte(u64 va)             /* valid once its table exists; SAFETY: V1 */
{ return (u64 *)(PTES_BASE + ((va & 0x0000fffffffff000) >> 9)); }

/* SAFETY: V3, V5: the words were changed before; a CR3 is the kernel's or a living space's.
 * TLB.  The remote ones wait until every CPU concerned has answered: irqs on, or nothing
 * held that an interrupts-off section elsewhere may spin for. */
static inline void mmu_flush_page(u64 va) { __asm__ volatile ("invlpg (%0)" :: "r"(va) : "memory"); }
void mmu_flush_all_local(void);                 /* global entries too */
void mmu_flush_kernel(u64 va, u32 pages);       /* on all CPUs */
void mmu_tlb_poll(void);                        /* k_on_ipi(IPI_TLB), irqs off; and in loops that wait with irqs off */
/* SAFETY: V5. */
static inline void mmu_load_cr3(u64 pa) { __asm__ volatile ("movq %0, %%cr3" :: "r"(pa) : "memory"); }
#endif
