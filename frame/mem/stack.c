/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernel stacks, in slots of twice their size: the lower half is never mapped.
 *
 * Freed stacks stay mapped on a short list (linked through their lowest word) for the next task; of a long list BATCH
 * lose their pages at a time.
 * A slot without pages is linked through its first entry's page-table word (not present).
 *
 * Invariant  M4  a slot's pages belong to one living stack, to the list, or are not there
 */
#include "impl.h"

#define SLOT        (2ul * KSTACK_SIZE)
#define STACK_PAGES (KSTACK_SIZE / PAGE_SIZE)
#define MAX_STACKS  (1u << 22)
#define BATCH       16          /* stacks that lose their pages together */

static struct klock lock;
static u64 ready;               /* lowest address of the first mapped, free stack */
static u32 n_ready;
static u32 empty;               /* 1 + index of the first slot that lost its pages */
static u32 next;

static u64 low_of(u32 i)  { return STACKS_BASE + i * SLOT + KSTACK_SIZE; }
static u32 index_of(u64 low) { return (u32)((low - STACKS_BASE) / SLOT); }

/* The first `pages` pages of each of n stacks go, after one flush for all: the other CPUs' answers are what takes time. */
static void unmap(const u64 *low, u32 n, u32 pages)
{
        u64 pfn[BATCH * STACK_PAGES];

        for (u32 i = 0; i < n * pages; i++)
                pfn[i] = (mmu_kunmap(low[i / pages] + i % pages * PAGE_SIZE) & PTE_ADDR) >> PAGE_SHIFT;
        mmu_flush_kernel(low[0], n == 1 ? pages : U32_MAX);
        section_enter();
        for (u32 i = 0; i < n * pages; i++)
                page_give(pfn[i]);
        kind_count(mem_cpu(), F_STACK, -(i64)(n * pages));
        section_leave();
}

/* SAFETY: M4: no page is there; the word is not present, as bit 0 is not set. */
static void slot_free(u64 low)
{
        klock_lock(&lock);
        *mmu_kpte(low) = (u64)empty << PAGE_SHIFT;
        empty = index_of(low) + 1;
        klock_unlock(&lock);
}

/* SAFETY: M4, M1: a slot that nobody has, pages that were just taken. */
static u64 slot_new(void)
{
        klock_lock(&lock);
        u64 low = 0;

        if (empty) {
                low = low_of(empty - 1);
                empty = (u32)(*mmu_kpte(low) >> PAGE_SHIFT);
        } else if (next < MAX_STACKS && mmu_ktable(low_of(next))) {
                low = low_of(next++);
        }
        klock_unlock(&lock);
        if (!low)
                return 0;
        for (u32 i = 0; i < STACK_PAGES; i++) {
                section_enter();
                u64 pfn = page_take(KEEP_RESERVE);

                if (pfn) {
                        zero_page(pfn_virt(pfn));
                        set_word(frame_of(pfn), KIND(F_STACK));
                        kind_count(mem_cpu(), F_STACK, 1);
                }
                section_leave();
                if (pfn)        /* cannot fail: slot 'next' got its table, and a table serves whole slots */
                        mmu_kmap(low + i * PAGE_SIZE, pfn << PAGE_SHIFT, PTE_W | PTE_NX);
                else {
                        unmap(&low, 1, i);
                        slot_free(low);
                        return 0;
                }
        }
        return low;
}

u64 kstack_alloc(struct payer *payer)
{
        if (!payer_charge(payer, KSTACK_SIZE))
                return 0;
        for (u32 tries = 0; tries < 8; tries++) {
                klock_lock(&lock);
                u64 low = ready;

                if (low) {
                        /* SAFETY: M4: a free stack is mapped and ours */
                        ready = *(u64 *)low;
                        n_ready--;
                }
                klock_unlock(&lock);
                if (!low)
                        low = slot_new();
                if (low)
                        return low + KSTACK_SIZE;
                if (!mem_reclaim(64))
                        break;
        }
        payer_uncharge(payer, KSTACK_SIZE);
        return 0;
}

/* Up to BATCH stacks of the list lose their pages: how many pages. */
static u64 release(void)
{
        u64 low[BATCH];
        u32 n = 0;

        klock_lock(&lock);
        for (; n < BATCH && ready; n++, n_ready--) {
                low[n] = ready;
                ready = *(u64 *)ready;  /* SAFETY: M4: a free stack is mapped */
        }
        klock_unlock(&lock);
        if (n)
                unmap(low, n, STACK_PAGES);
        for (u32 i = 0; i < n; i++)
                slot_free(low[i]);
        return n * STACK_PAGES;
}

void kstack_free(u64 top, struct payer *payer)
{
        u64 low = top - KSTACK_SIZE;

        if (low < STACKS_BASE || low != low_of(index_of(low)))
                k_panic("freed stack is none");
        payer_uncharge(payer, KSTACK_SIZE);
        klock_lock(&lock);
        /* SAFETY: M4: nobody's from here on, and mapped. */
        *(u64 *)low = ready;
        ready = low;
        bool many = ++n_ready > min_u64(mem_total_pages / 1024, 64);
        klock_unlock(&lock);
        if (many)
                release();
}

u64 kstacks_release(void)
{
        u64 done = 0;

        for (u64 n; (n = release());)
                done += n;
        return done;
}

bool kstack_is_guard(u64 addr)
{ return addr >= STACKS_BASE && addr < STACKS_BASE + (1ul << 39) && (addr - STACKS_BASE) % SLOT < KSTACK_SIZE; }
