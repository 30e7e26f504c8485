/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's own page tables, and forgetting translations on all CPUs.
 *
 * Shootdown: each CPU has one request of its own and a mask of CPUs that want something
 * of it.  A sender fills its request, sets its bit at each target, sends IPIs, and spins
 * until every target has answered, serving what others want of it meanwhile.  It is in a
 * section, so one request per CPU is enough.
 */
#include "mmu.h"
#include "x86.h"
#include "impl.h"
#include "vmspace_impl.h"

u64 mmu_kernel_cr3;
static u64 *kernel_pml4;                /* by the direct map */
static struct klock tables_lock;
static bool tables_ready;               /* after mmu_init: pages come from the allocator */

static u64 new_table(void)
{
        return tables_ready ? table_page(false, NO_RESERVE) : early_page();
}

/* The entry for va at `level` (1: 4 KiB, 2: 2 MiB, 3: 1 GiB, 4: top), making the tables above. */
static u64 *entry_at(u64 va, u32 level)
{
        u64 *t = kernel_pml4;

        for (u32 l = 4; ; l--) {
                u64 *e = &t[va >> (12 + 9 * (l - 1)) & 511];

                if (l == level)
                        return e;
                if (!(*e & PTE_P)) {
                        u64 pa = new_table();

                        if (!pa)
                                return NULL;
                        /* SAFETY: V1: an entry that was empty; nobody uses the range yet */
                        *(volatile u64 *)e = pa | PTE_P | PTE_W | PTE_A;
                }
                if (*e & PTE_PS)
                        k_panic("mmu: large page in the way");
                t = phys_to_virt(*e & PTE_ADDR);
        }
}

static void map_boot(u64 va, u64 pa, u64 len, u64 bits, u32 max_level)
{
        for (u64 off = 0, size; off < len; off += size) {
                u32 level = max_level;

                while (level > 1 && (((va + off) | (pa + off)) & ((1ul << (12 + 9 * (level - 1))) - 1) ||
                       len - off < 1ul << (12 + 9 * (level - 1))))
                        level--;
                size = 1ul << (12 + 9 * (level - 1));
                *entry_at(va + off, level) = (pa + off) | bits | PTE_P | PTE_G | PTE_A | PTE_D | (level > 1 ? PTE_PS : 0);
        }
}

/* The direct map: RAM in large pages, the image's text and constants read-only there too. */
static void map_ram(void)
{
        u64 text = image_to_phys(k_image_start), data = image_to_phys(k_rodata_end), done = 0;
        u32 level = cpu_has.gib_pages ? 3 : 2;

        for (u32 i = 0; i < mem_region_count; i++) {
                u64 start = mem_regions[i].start & ~0x1ffffful, end = (mem_regions[i].end + 0x1fffff) & ~0x1ffffful;

                if (start < done)
                        start = done;
                if (start >= end)
                        continue;
                done = end;
                if (text >= start && text < end) {
                        map_boot(DIRECT_BASE + start, start, text - start, PTE_W | PTE_NX, 2);
                        map_boot(DIRECT_BASE + text, text, data - text, PTE_NX, 2);
                        start = data;
                }
                map_boot(DIRECT_BASE + start, start, end - start, PTE_W | PTE_NX, level);
        }
}

static void map_image(void)
{
        u64 start = (u64)k_image_start, text = (u64)k_text_end, ro = (u64)k_rodata_end, end = (u64)k_image_end;

        map_boot(start, start - IMAGE_BASE, text - start, 0, 2);
        map_boot(text, text - IMAGE_BASE, ro - text, PTE_NX, 2);
        map_boot(ro, ro - IMAGE_BASE, end - ro, PTE_W | PTE_NX, 2);
}

void mmu_init(void)
{
        /* SAFETY: V1: these tables are loaded by nobody yet. */
        mmu_kernel_cr3 = early_page();
        kernel_pml4 = phys_to_virt(mmu_kernel_cr3);
        kernel_pml4[PTES_BASE >> 39 & 511] = mmu_kernel_cr3 | PTE_P | PTE_W | PTE_A | PTE_NX;
        map_ram();
        map_image();
        /* Every top-level entry that will ever be needed, since spaces copy them once. */
        entry_at(STACKS_BASE, 3);
        entry_at(MMIO_BASE, 3);
        for (u64 va = POOLS_BASE; va < POOLS_BASE + ((u64)(k_pools_end - k_pools_start) << K_REGION_SHIFT); va += 1ul << 39)
                entry_at(va, 3);
        /* The frame array, sparse, in whole blocks of 2^MAX_ORDER pages. */
        for (u32 i = 0; i < mem_region_count; i++) {
                u64 block = PAGE_SIZE << MAX_ORDER;
                u64 first = (mem_regions[i].start & ~(block - 1)) >> PAGE_SHIFT;
                u64 end = ((mem_regions[i].end + block - 1) & ~(block - 1)) >> PAGE_SHIFT;

                for (u64 va = (u64)frame_of(first); va < (u64)frame_of(end); va += PAGE_SIZE) {
                        u64 *e = entry_at(va, 1);
                        if (!*e)
                                *e = early_page() | PTE_P | PTE_W | PTE_G | PTE_A | PTE_D | PTE_NX;
                }
        }
        tables_ready = true;
        write_cr4(read_cr4() & ~0x80ul);
        mmu_load_cr3(mmu_kernel_cr3);
        write_cr4(read_cr4() | 0x80);           /* PGE */
}

void mmu_protect_boot(void)
{
        /* SAFETY: V1: the image's own range; the split entry says what the large one said. */
        u64 start = (u64)k_ro_boot_start, end = (u64)k_ro_boot_end;
        struct klock *l = &tables_lock;

        klock_lock(l);
        for (u64 va = start; va < end; va += PAGE_SIZE) {
                u64 *pd = entry_at(va, 2);

                if (*pd & PTE_PS) {             /* split: the same translation, in 4 KiB pages */
                        u64 pa = new_table(), *t = phys_to_virt(pa), old = *pd;

                        if (!pa)
                                break;
                        for (u32 i = 0; i < 512; i++)
                                t[i] = (old & ~(u64)PTE_PS) + (u64)i * PAGE_SIZE;
                        *(volatile u64 *)pd = pa | PTE_P | PTE_W | PTE_A;
                }
                *(volatile u64 *)entry_at(va, 1) &= ~(u64)PTE_W;
        }
        klock_unlock(l);
        mmu_flush_kernel(start, U32_MAX);
}

bool mmu_ktable(u64 va)
{
        klock_lock(&tables_lock);
        bool ok = entry_at(va, 1) != NULL;
        klock_unlock(&tables_lock);
        return ok;
}

bool mmu_kmap(u64 va, u64 phys, u64 bits)
{
        if (!mmu_ktable(va))
                return false;
        /* SAFETY: V1: the caller owns va, which lies in a window of the kernel half */
        *(volatile u64 *)mmu_kpte(va) = phys | bits | PTE_P | PTE_G | PTE_A | PTE_D;
        return true;
}

u64 mmu_kunmap(u64 va)
{
        /* SAFETY: V1: the caller owns va. */
        return __atomic_exchange_n(mmu_kpte(va), 0, __ATOMIC_SEQ_CST);
}

void *mmio_map(u64 phys, usize len)
{
        /* SAFETY: V1: a range that nobody had before. */
        static u64 next = MMIO_BASE;
        u64 off = phys & PAGE_MASK, n = page_up(off + len);

        klock_lock(&tables_lock);
        u64 va = next;
        next += n + PAGE_SIZE;
        klock_unlock(&tables_lock);
        for (u64 i = 0; i < n; i += PAGE_SIZE)
                if (!mmu_kmap(va + i, phys - off + i, PTE_W | PTE_NX | PTE_PCD | PTE_PWT))
                        return NULL;
        return (void *)(va + off);
}

/* ---- forgetting translations ---- */

enum tlb_kind { TLB_KERNEL, TLB_SPACE, TLB_LEAVE };
static struct tlb_request {
        struct vmspace *space;
        const u64 *va;                          /* n addresses (SPACE), or one and n pages (KERNEL) */
        u32 n;
        u32 kind;
        u64 waiting;                            /* CPUs that have not answered */
} __attribute__((aligned(64))) request[MAX_CPUS];
static struct { u64 from; } __attribute__((aligned(64))) wanted[MAX_CPUS];      /* CPUs that want something of this one */

void mmu_flush_all_local(void)
{
        u64 cr4 = read_cr4();

        write_cr4(cr4 & ~0x80ul);
        write_cr4(cr4 | 0x80);
}

static void reload_cr3(void) { mmu_load_cr3(read_cr3()); }

static void flush_space_local(const u64 *va, u32 n)
{
        if (n > VM_FLUSH_PAGES) {
                reload_cr3();
                return;
        }
        for (u32 i = 0; i < n; i++)
                mmu_flush_page(va[i]);
}

static void flush_kernel_local(u64 va, u32 pages)
{
        if (pages > 32) {
                mmu_flush_all_local();
                return;
        }
        for (u32 i = 0; i < pages; i++)
                mmu_flush_page(va + i * PAGE_SIZE);
}

static void serve(const struct tlb_request *r, u32 me)
{
        struct percpu *pc = this_cpu();

        if (r->kind == TLB_KERNEL) {
                flush_kernel_local(*r->va, r->n);
        } else if (pc->space != r->space) {
                __atomic_fetch_and(&r->space->cpus, ~(1ul << me), __ATOMIC_SEQ_CST);
        } else if (r->kind == TLB_LEAVE || !pc->current || pc->current->space != r->space) {
                vmspace_leave();                /* loaded lazily */
        } else {
                flush_space_local(r->va, r->n);
        }
}

void mmu_tlb_poll(void)
{
        u64 f = arch_irq_save();
        u32 me = this_cpu()->cpu;
        u64 from = wanted[me].from ? __atomic_exchange_n(&wanted[me].from, 0, __ATOMIC_SEQ_CST) : 0;

        while (from) {
                u32 c = bit_lowest(from);

                from &= from - 1;
                serve(&request[c], me);
                __atomic_fetch_and(&request[c].waiting, ~(1ul << me), __ATOMIC_SEQ_CST);
        }
        arch_irq_restore(f);
}

/* In a section.  Asks the CPUs of `mask` and waits for their answers. */
static void ask(u64 mask, enum tlb_kind kind, struct vmspace *space, const u64 *va, u32 n)
{
        u32 me = this_cpu()->cpu;
        struct tlb_request *r = &request[me];

        *r = (struct tlb_request){ .space = space, .va = va, .n = n, .kind = kind };
        __atomic_store_n(&r->waiting, mask, __ATOMIC_SEQ_CST);
        for (u64 m = mask; m; m &= m - 1) {
                u32 c = bit_lowest(m);

                if (!__atomic_fetch_or(&wanted[c].from, 1ul << me, __ATOMIC_SEQ_CST))
                        arch_send_ipi(c, IPI_TLB);
        }
        while (__atomic_load_n(&r->waiting, __ATOMIC_ACQUIRE)) {
                mmu_tlb_poll();
                __builtin_ia32_pause();
        }
}

/* The CPUs that run, as a mask. */
static u64 online_mask(void)
{
        u64 m = 0;

        for (u32 c = 0; c < MAX_CPUS; c++)
                if (percpu_of[c] && __atomic_load_n(&percpu_of[c]->online, __ATOMIC_ACQUIRE))
                        m |= 1ul << c;
        return m;
}

void mmu_flush_kernel(u64 va, u32 pages)
{
        section_enter();
        u64 others = cpus_online > 1 ? online_mask() & ~(1ul << this_cpu()->cpu) : 0;

        COUNT(CPU_TLB_FLUSHES);
        flush_kernel_local(va, pages);
        if (others)
                ask(others, TLB_KERNEL, NULL, &va, pages);
        section_leave();
}

void cpu_barrier(void) { mmu_flush_kernel(0, 1); }       /* they return from an interrupt */

void mmu_flush_space(struct vmspace *s, const u64 *va, u32 n)
{
        section_enter();
        __atomic_thread_fence(__ATOMIC_SEQ_CST);        /* page-table writes, then the mask: see vmspace_switch_to */
        u32 me = this_cpu()->cpu;
        u64 others = __atomic_load_n(&s->cpus, __ATOMIC_ACQUIRE) & ~(1ul << me);

        if (this_cpu()->space == s) {
                COUNT(CPU_TLB_FLUSHES);
                flush_space_local(va, n);
        }
        if (others)
                ask(others, TLB_SPACE, s, va, n);
        section_leave();
}

void mmu_space_evict(struct vmspace *s)
{
        section_enter();
        u32 me = this_cpu()->cpu;
        u64 f = arch_irq_save();

        if (this_cpu()->space == s)
                vmspace_leave();
        arch_irq_restore(f);
        u64 others = __atomic_load_n(&s->cpus, __ATOMIC_SEQ_CST) & ~(1ul << me);
        if (others)
                ask(others, TLB_LEAVE, s, NULL, 0);
        __atomic_store_n(&s->cpus, 0, __ATOMIC_RELEASE);
        section_leave();
}

void mmu_space_init_top(u64 *pml4)
{
        for (u32 i = 256; i < 512; i++)
                pml4[i] = kernel_pml4[i];
}

void vmspace_switch_to(struct vmspace *s)
{
        struct percpu *pc = this_cpu();

        if (!s || pc->space == s)
                return;
        u64 bit = 1ul << pc->cpu;

        /* The bit first, then the root and CR3: who changes the tables, or takes the root away, after this sees the bit. */
        if (!(__atomic_load_n(&s->cpus, __ATOMIC_RELAXED) & bit))
                __atomic_fetch_or(&s->cpus, bit, __ATOMIC_SEQ_CST);
        u64 root = __atomic_load_n(&s->root, __ATOMIC_ACQUIRE);

        if (!root) {                    /* dropped too often while a task still names it: that task will fault */
                vmspace_leave();
                return;
        }
        pc->space = s;
        COUNT(CPU_SPACE_LOADS);
        mmu_load_cr3(root);
}

void vmspace_leave(void)
{
        u64 f = arch_irq_save();
        struct percpu *pc = this_cpu();
        struct vmspace *s = pc->space;

        if (s) {
                COUNT(CPU_SPACE_LOADS);
                mmu_load_cr3(mmu_kernel_cr3);
                pc->space = NULL;
                __atomic_fetch_and(&s->cpus, ~(1ul << pc->cpu), __ATOMIC_SEQ_CST);
        }
        arch_irq_restore(f);
}
