/* SPDX-License-Identifier: Apache-2.0
 *
 * Pages of RAM: the loader's map, the array of frames, a buddy allocator, per-CPU caches.
 *
 * Entry points  mem_init (boot), page_take/page_give (one page, through the CPU's cache),
 *               block_take/block_give (2^order pages), kpages_alloc.
 * Locking       `buddy` guards free lists, free_pages and the words of FREE frames.  A CPU's
 *               cache belongs to the CPU, inside a section.
 * Invariants    M1  a page is in exactly one place: a free list, a cache, or its owner's hands;
 *                   only its owner changes its frame's kind
 *               M2  what is reserved (image, firmware, low memory) never enters a list
 *               M3  a FREE word with order n heads a block whose other words are 0
 */
#include "impl.h"

#define MAX_REGIONS 130
struct boot_region mem_regions[MAX_REGIONS];
u32 mem_region_count;
u64 mem_total_pages;
struct mem_cpu *mem_cpu_of[MAX_CPUS];

__attribute__((preserve_most)) void section_look(void) { preempt_sub_check(0); }

static struct klock buddy;
static u32 free_head[MAX_ORDER + 1];
static u64 free_pages;
static u64 reserve_pages;

/* ---- the map ---- */

/* Memory still free while booting: what mem_regions has less the reserved parts. */
static struct boot_region spare[MAX_REGIONS];
static u32 n_spare;

static u32 cut(struct boot_region *list, u32 n, u64 start, u64 end)
{
        for (u32 i = 0; i < n; i++) {
                struct boot_region *r = &list[i];

                if (end <= r->start || start >= r->end)
                        continue;
                if (start > r->start && end < r->end) {
                        if (n == MAX_REGIONS)
                                k_panic("memory map: too many regions");
                        list[n++] = (struct boot_region){ .start = end, .end = r->end };
                        r->end = start;
                } else if (start > r->start) {
                        r->end = start;
                } else {
                        r->start = min_u64(end, r->end);
                }
        }
        return n;
}

static void sort(struct boot_region *list, u32 n)
{
        for (u32 i = 1; i < n; i++)
                for (u32 j = i; j > 0 && list[j - 1].start > list[j].start; j--) {
                        struct boot_region t = list[j];
                        list[j] = list[j - 1];
                        list[j - 1] = t;
                }
}

/* Usable RAM: whole pages that some entry calls usable and none calls anything else. */
static void read_map(void)
{
        u32 n = 0;

        for (u32 i = 0; i < boot_info.n_regions; i++) {
                struct boot_region r = boot_info.regions[i];

                r = (struct boot_region){ .start = page_up(r.start), .end = min_u64(page_down(r.end), 1ul << 44), .type = r.type };
                if (r.type == 1 && r.start < r.end && n < MAX_REGIONS - 2)
                        mem_regions[n++] = r;
        }
        for (u32 i = 0; i < boot_info.n_regions; i++)
                if (boot_info.regions[i].type != 1)
                        n = cut(mem_regions, n, page_down(boot_info.regions[i].start), page_up(boot_info.regions[i].end));
        sort(mem_regions, n);
        for (u32 i = 0; i < n; i++) {           /* merge; drop the empty */
                struct boot_region r = mem_regions[i];
                struct boot_region *last = mem_region_count ? &mem_regions[mem_region_count - 1] : NULL;

                if (r.start >= r.end)
                        continue;
                if (last && r.start <= last->end)
                        last->end = max_u64(last->end, r.end);
                else
                        mem_regions[mem_region_count++] = r;
        }
        for (u32 i = 0; i < mem_region_count; i++)
                mem_total_pages += (mem_regions[i].end - mem_regions[i].start) >> PAGE_SHIFT;
}

/* The initrd begins on a page: move it down if the loader did not see to that. */
static void place_initrd(void)
{
        u64 start = boot_info.initrd_start, len = boot_info.initrd_end - start;

        if (boot_info.initrd_end <= start || boot_info.initrd_end > 1ul << 32) {
                boot_info.initrd_start = boot_info.initrd_end = 0;
                return;
        }
        /* SAFETY: M2: RAM that the loader filled. */
        u8 *to = phys_to_virt(page_down(start));

        /* SAFETY: M2: the initrd's own pages, below 4 GiB, mapped by the early tables */
        if (start & PAGE_MASK)
                memmove(to, phys_to_virt(start), len);
        boot_info.initrd_start = page_down(start);
        boot_info.initrd_end = page_down(start) + len;
        __builtin_memset(to + len, 0, page_up(len) - len);
}

bool pfn_is_ram(u64 pfn)
{
        for (u32 i = 0; i < mem_region_count; i++)
                if (pfn << PAGE_SHIFT >= mem_regions[i].start && pfn << PAGE_SHIFT < mem_regions[i].end)
                        return true;
        return false;
}

/* Boot memory: from the first spare region above the image that lies below 4 GiB. */
u64 early_page(void)
{
        for (u32 i = 0; i < n_spare; i++) {
                struct boot_region *r = &spare[i];

                if (r->start < 0x100000 || r->start >= r->end || r->start >= 1ul << 32)
                        continue;
                u64 pa = r->start;

                r->start += PAGE_SIZE;
                /* SAFETY: M2, A1: taken out of `spare`, and below 4 GiB. */
                zero_page(phys_to_virt(pa));
                return pa;
        }
        k_panic("out of memory while booting");
}

/* ---- words of 4 KiB: instruction counts and real processors both like the string forms ---- */

void zero_page(void *p)
{
        u64 n = PAGE_SIZE / 8;
        /* SAFETY: M1: p is a page of the caller's */
        __asm__ volatile ("rep stosq" : "+D"(p), "+c"(n) : "a"(0ul) : "memory");
}

/* SAFETY: F1: two pages that the caller has pinned. */
void copy_page(void *dst, const void *src)
{
        u64 n = PAGE_SIZE / 8;
        __asm__ volatile ("rep movsq" : "+D"(dst), "+S"(src), "+c"(n) :: "memory");
}

/* ---- buddy ---- */

static void list_push(u32 order, u32 pfn)
{
        struct frame *f = frame_of(pfn);

        f->prev = 0;
        f->next = free_head[order];
        if (f->next)
                frame_of(f->next)->prev = pfn;
        free_head[order] = pfn;
        set_word(f, KIND(F_FREE) | order);
}

static void list_remove(u32 order, u32 pfn)
{
        struct frame *f = frame_of(pfn);

        if (f->next)
                frame_of(f->next)->prev = f->prev;
        if (f->prev)
                frame_of(f->prev)->next = f->next;
        else
                free_head[order] = f->next;
        set_word(f, 0);
}

static u32 take_locked(u32 order, u64 keep)
{
        u32 o = order;

        if (free_pages < keep + (1ul << order))
                return 0;
        while (o <= MAX_ORDER && !free_head[o])
                o++;
        if (o > MAX_ORDER)
                return 0;
        u32 pfn = free_head[o];

        list_remove(o, pfn);
        while (o > order) {
                o--;
                list_push(o, pfn + (1u << o));
        }
        free_pages -= 1ul << order;
        set_word(frame_of(pfn), KIND(F_CACHED));
        return pfn;
}

static void give_locked(u32 pfn, u32 order)
{
        free_pages += 1ul << order;
        set_word(frame_of(pfn), 0);
        while (order < MAX_ORDER) {
                u32 other = pfn ^ 1u << order;

                if (word_of(frame_of(other)) != (KIND(F_FREE) | order))
                        break;
                list_remove(order, other);
                pfn &= ~(1u << order);
                order++;
        }
        list_push(order, pfn);
}

static u64 keep_of(enum reserve r)
{ return r == KEEP_RESERVE ? reserve_pages : r == HALF_RESERVE ? reserve_pages / 2 : 0; }

u64 block_take(u32 order, enum reserve r)
{
        klock_lock(&buddy);
        u64 pfn = take_locked(order, keep_of(r));
        klock_unlock(&buddy);
        return pfn;
}

void block_give(u64 pfn, u32 order)
{
        klock_lock(&buddy);
        give_locked((u32)pfn, order);
        klock_unlock(&buddy);
}

static bool refill(struct mem_cpu *mc, enum reserve r)
{
        u64 keep = keep_of(r);
        u32 want = mc->cap / 4;

        COUNT(CPU_PAGE_REFILLS);
        klock_lock(&buddy);
        while (mc->n < want) {
                u32 order = bit_highest(want - mc->n), pfn = 0;

                for (; !(pfn = take_locked(order, keep)) && order > 0; order--)
                        ;
                if (!pfn)
                        break;
                for (u32 i = 1u << order; i-- > 0; ) {          /* lowest on top */
                        set_word(frame_of(pfn + i), KIND(F_CACHED));
                        mc->pages[mc->n++] = pfn + i;
                }
        }
        klock_unlock(&buddy);
        for (struct tables *t = mc->tables; mc->n == 0 && t < mc->tables + 2; t++)
                if (t->n)
                        mc->pages[mc->n++] = t->page[--t->n];
        return mc->n > 0;
}

u64 page_take(enum reserve r)
{
        struct mem_cpu *mc = mem_cpu();

        if (__builtin_expect(mc->n == 0, 0) && !refill(mc, r))
                return 0;
        COUNT(CPU_PAGES);
        /* SAFETY: M1. */
        return *(mc->pages + --mc->n);
}

void cache_drain(struct mem_cpu *mc, u32 keep)
{
        klock_lock(&buddy);
        while (mc->n > keep)
                give_locked(mc->pages[--mc->n], 0);
        klock_unlock(&buddy);
}

u64 mem_free_pages(void)
{
        u64 n = __atomic_load_n(&free_pages, __ATOMIC_RELAXED);

        for (u32 c = 0; c < MAX_CPUS; c++)
                if (mem_cpu_of[c])
                        n += mem_cpu_of[c]->n + mem_cpu_of[c]->tables[0].n + mem_cpu_of[c]->tables[1].n;
        return n;
}

/* ---- the framework's own pages ---- */

/* SAFETY: M1: the pages were taken just now. */
static void *own_pages(u32 kind, u32 order, enum reserve r)
{
        section_enter();
        u64 pfn = order ? block_take(order, r) : page_take(r);

        if (pfn) {
                set_word(frame_of(pfn), KIND(kind));
                kind_count(mem_cpu(), kind, 1l << order);
        }
        section_leave();
        if (!pfn)
                return NULL;
        for (u64 i = 0; i < 1ul << order; i++)
                zero_page(pfn_virt(pfn + i));
        return pfn_virt(pfn);
}

void *kpages_alloc(u32 order) { return own_pages(F_OTHER, order, KEEP_RESERVE); }

/* M6: a page in mc->tables[top] is what such a table is when it is new. */
u64 table_page(bool top, enum reserve r)
{
        section_enter();
        struct mem_cpu *mc = mem_cpu();
        struct tables *t = mc->tables + top;
        void *p = NULL;

        if (t->n) {
                /* SAFETY: M1, M6. */
                u64 pfn = *(t->page + --t->n);

                p = pfn_virt(pfn);
                set_word(frame_of(pfn), KIND(F_TABLE));
                kind_count(mc, F_TABLE, 1);
        } else if ((p = own_pages(F_TABLE, 0, r)) && top) {
                mmu_space_init_top(p);
        }
        section_leave();
        if (p)
                frame_of(direct_to_phys(p) >> PAGE_SHIFT)->groups = 0;
        return p ? direct_to_phys(p) : 0;
}

/* SAFETY: M1, M6: an empty table of the caller's. */
void table_page_free(u64 pa, bool top)
{
        struct frame *f = frame_of(pa >> PAGE_SHIFT);

        section_enter();
        struct mem_cpu *mc = mem_cpu();
        struct tables *t = mc->tables + top;

        if (word_of(f) != KIND(F_TABLE))
                k_panic("a freed table is none, or not empty");
        set_word(f, KIND(F_CACHED));
        kind_count(mc, F_TABLE, -1);
        if (t->n < ARRAY_SIZE(t->page))
                *(t->page + t->n++) = pfn_of(f);
        else
                page_give_to(mc, pfn_of(f));
        section_leave();
}

/* ---- boot ---- */

/* SAFETY: M1. */
static struct mem_cpu *new_mem_cpu(void)
{
        u64 size = sizeof(struct mem_cpu) + (u64)(k_pools_end - k_pools_start) * sizeof(struct pool_mag);
        u32 order = size <= PAGE_SIZE ? 0 : bit_highest((size - 1) >> PAGE_SHIFT) + 1;
        u64 pfn = block_take(order, NO_RESERVE);

        if (!pfn)
                return NULL;
        for (u64 i = 0; i < 1ul << order; i++)
                zero_page(pfn_virt(pfn + i));
        set_word(frame_of(pfn), KIND(F_OTHER));
        struct mem_cpu *mc = pfn_virt(pfn);

        mc->cap = (u32)min_u64(max_u64(mem_total_pages / 128, 32), CACHE_MAX);
        mc->kinds[F_OTHER] += 1l << order;
        return mc;
}

void mem_init_cpus(u32 cpus)
{
        for (u32 c = 1; c < cpus && c < MAX_CPUS; c++)
                if (!mem_cpu_of[c] && !(mem_cpu_of[c] = new_mem_cpu()))
                        k_panic("no memory for another CPU");
}

void mem_init(void)
{
        read_map();
        place_initrd();
        for (u32 i = 0; i < mem_region_count; i++)
                spare[n_spare++] = mem_regions[i];
        n_spare = cut(spare, n_spare, 0, TRAMPOLINE_LIMIT);
        n_spare = cut(spare, n_spare, image_to_phys(k_image_start), page_up(image_to_phys(k_image_end)));
        n_spare = cut(spare, n_spare, boot_info.initrd_start, page_up(boot_info.initrd_end));
        sort(spare, n_spare);
        mmu_init();
        reserve_pages = min_u64(max_u64(mem_total_pages / 128, 48), 2048);
        /* SAFETY: M2: the frame array covers mem_regions, and what is left of spare is nobody's */
        klock_lock(&buddy);
        for (u32 i = 0; i < n_spare; i++) {
                u64 pfn = spare[i].start >> PAGE_SHIFT, end = spare[i].end >> PAGE_SHIFT;

                while (pfn < end) {
                        u32 order = pfn & ((1ul << MAX_ORDER) - 1) ? bit_lowest(pfn) : MAX_ORDER;

                        while (pfn + (1ul << order) > end)
                                order--;
                        give_locked((u32)pfn, order);
                        pfn += 1ul << order;
                }
        }
        preempt_sub_nocheck(PREEMPT_SECTION);
        buddy.word = 0;
        if (!(mem_cpu_of[0] = new_mem_cpu()))
                k_panic("out of memory while booting");
        frames_init();
        pools_init();
}
