/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of frame/mem share: struct frame, the page allocator, per-CPU state.
 *
 * A struct frame describes a page of RAM; its first word carries the kind in the top
 * bits and changes kind only by the owner of the page (M1).  For BYTES it also has the
 * three counts, so one compare-and-swap tests the kind and takes a reference:
 *      bits  0-21  holds      the services' references
 *      bits 22-45  mappings   page-table entries that name it
 *      bits 46-59  pins       slices in use, DMA
 * A BYTES frame whose counts are all 0 belongs to who brought the last one to 0.
 */
#pragma once
#include "mem.h"
#include "task_impl.h"

enum frame_kind { F_RESERVED, F_FREE, F_CACHED, F_BYTES, F_ZERO, F_POOL, F_TABLE, F_STACK, F_OTHER, F_KINDS };

struct frame {
        u64 word;               /* kind << KIND_SHIFT | ... ; FREE: order; POOL: page index in the region; TABLE: entries */
        union {
                struct payer *payer;    /* BYTES */
                u64 groups;             /* TABLE: bit n is 0: the n-th eight entries of user space are 0 */
                u64 avail;              /* POOL: bit n: the slot whose header begins in the n-th 64 bytes is free and here */
        };
        u32 next, prev;         /* FREE, POOL: page numbers of the list's neighbours, 0: none */
        u64 flags;              /* BYTES: FRAME_INITRD */
};
_Static_assert(sizeof(struct frame) == 32, "struct frame");

#define KIND_SHIFT   60
#define KIND(k)      ((u64)(k) << KIND_SHIFT)
#define HOLD_ONE     1ul
#define HOLD_MASK    0x3ffffful
#define MAP_ONE      (1ul << 22)
#define MAP_MASK     (0xfffffful << 22)
#define PIN_ONE      (1ul << 46)
#define PIN_MASK     (0x3ffful << 46)
#define COUNT_MASK   (KIND(1) - 1)
#define FRAME_INITRD 1ul
#define MAX_ORDER    10u

/* SAFETY: M2: the frame array is there for every page of RAM, and is never taken away; M1: for the pages. */
static inline struct frame *frame_of(u64 pfn)    { return (struct frame *)FRAMES_BASE + pfn; }
static inline u32 pfn_of(const struct frame *f)  { return (u32)(f - (struct frame *)FRAMES_BASE); }
static inline void *pfn_virt(u64 pfn)            { return phys_to_virt(pfn << PAGE_SHIFT); }
static inline u64 word_of(const struct frame *f) { return __atomic_load_n(&f->word, __ATOMIC_ACQUIRE); }
static inline u32 kind_of(const struct frame *f) { return (u32)(word_of(f) >> KIND_SHIFT); }
static inline void set_word(struct frame *f, u64 w) { __atomic_store_n(&f->word, w, __ATOMIC_RELEASE); }

/* ---- per CPU ---- */
#define MAG_SLOTS 15
struct pool_mag { u64 n; void *slot[MAG_SLOTS]; };
#define STOCKS    8
#define STOCK_MAX 131072
#define CACHE_MAX 1024
#define GATHER    1024
struct stock { struct payer *payer; i64 bytes; };       /* charged, not used */
struct tables { u32 n, page[7]; };                      /* pages ready for use (M6) */
struct mem_cpu {
        u32 n, cap;                             /* pages[] in use, and how many may be */
        i64 kinds[F_KINDS];                     /* pages; the sum over the CPUs counts */
        struct stock stock[STOCKS];
        struct tables tables[2];                /* lower tables, all zero; and top ones */
        u32 gather[GATHER];                     /* pages on their way out, within a section */
        u32 pages[CACHE_MAX];
        struct pool_mag mags[] __attribute__((aligned(64)));    /* by pool */
};
extern struct mem_cpu *mem_cpu_of[MAX_CPUS];
/* SAFETY: T2: the CPU's number, below MAX_CPUS. */
static inline struct mem_cpu *mem_cpu(void)     /* in a section */
{ u32 c; __asm__ volatile ("movl %%gs:24, %0" : "=r"(c)); return *(mem_cpu_of + c); }
static inline struct pool_mag *mag_of(struct mem_cpu *mc, u32 pool) { return mc->mags + pool; }

static inline void section_enter(void) { stack_room(); preempt_add(PREEMPT_SECTION); }
__attribute__((preserve_most)) void section_look(void);         /* the count is 0 and something waits */
/* Subtracts a constant; at 0 looks whether something waits (resched, bh_pending).  SAFETY: T2. */
#define COUNT_LEAVE(n) \
        __asm__ volatile goto ("subl %0, %%gs:28\n\tjne 1f\n\tcmpq $0, %%gs:40\n\tjne %l[look]\n1:" \
                               :: "i"(n) : "memory", "cc" : look); \
        return; \
look:   section_look()
static inline void section_leave(void) { COUNT_LEAVE(PREEMPT_SECTION); }
static inline void preempt_leave(void) { COUNT_LEAVE(PREEMPT_ONE); }

/* ---- phys.c ---- */
enum reserve { KEEP_RESERVE, HALF_RESERVE, NO_RESERVE };        /* what an allocation leaves */
u64  page_take(enum reserve r);                                 /* one page, CACHED, not zeroed; in a section; 0: none */
void cache_drain(struct mem_cpu *mc, u32 keep);                 /* in a section */
/* SAFETY: M1: n < cap of the CPU's cache, or it was drained. */
static inline void page_give_to(struct mem_cpu *mc, u64 pfn)    /* in a section */
{
        set_word(frame_of(pfn), KIND(F_CACHED));
        if (__builtin_expect(mc->n >= mc->cap, 0))
                cache_drain(mc, mc->cap / 2);
        *(mc->pages + mc->n++) = (u32)pfn;
}
static inline void page_give(u64 pfn) { page_give_to(mem_cpu(), pfn); }
u64  block_take(u32 order, enum reserve r);                     /* likewise, head word CACHED */
void block_give(u64 pfn, u32 order);
/* SAFETY: M1: kind < F_KINDS. */
static inline void kind_count(struct mem_cpu *mc, u32 kind, i64 pages) { *(mc->kinds + kind) += pages; }
extern u64 mem_total_pages;
u64  mem_free_pages(void);
bool pfn_is_ram(u64 pfn);
u64  early_page(void);                                          /* physical address, zeroed; boot only */
u64  table_page(bool top, enum reserve r);                      /* physical address of an empty F_TABLE page; 0: none */
void table_page_free(u64 pa, bool top);                         /* empty again */
extern u32 mem_region_count;
extern struct boot_region mem_regions[];                        /* usable RAM, sorted, page-aligned */

void zero_page(void *p);
void copy_page(void *dst, const void *src);

/* ---- frames.c ---- */
void frames_init(void);
extern struct frame *zero_frame;                                /* the page of zeros that user space may see */
bool may_reclaim(void);                                         /* sleeping is allowed here */
/* One more reference; false: freed, or too many. */
static inline bool ref_add(struct frame *f, u64 one, u64 mask)
{
        u64 w = __atomic_load_n(&f->word, __ATOMIC_RELAXED);

        do {
                if (__builtin_expect(w >> KIND_SHIFT != F_BYTES || !(w & COUNT_MASK) || (w & mask) == mask, 0))
                        return false;
        } while (!__atomic_compare_exchange_n(&f->word, &w, w + one, true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
        return true;
}
static inline bool frame_map_take(struct frame *f) { return ref_add(f, MAP_ONE, MAP_MASK - MAX_CPUS * MAP_ONE); }
void frame_free(struct frame *f);                               /* its counts are 0, and this is who made them so */
/* One more for a frame that is mapped already (the caller has its leaf locked). */
static inline bool frame_map_again(u64 pfn)
{
        struct frame *f = frame_of(pfn);
        u64 old = __atomic_fetch_add(&f->word, MAP_ONE, __ATOMIC_RELAXED);

        if (__builtin_expect((old & MAP_MASK) < MAP_MASK - MAX_CPUS * MAP_ONE, 1))      /* all CPUs at once do not overflow it */
                return true;
        __atomic_fetch_sub(&f->word, MAP_ONE, __ATOMIC_RELAXED);
        return false;
}
static inline struct frame *frame_map_put(u64 pfn)              /* the frame, if that was its last reference: for frame_free */
{
        struct frame *f = frame_of(pfn);
        u64 old = __atomic_fetch_sub(&f->word, MAP_ONE, __ATOMIC_ACQ_REL);

        if (__builtin_expect(!(old & MAP_MASK) || old >> KIND_SHIFT != F_BYTES, 0))
                k_panic("a frame is less often mapped than there are mappings");
        return (old & COUNT_MASK) == MAP_ONE ? f : NULL;
}
static inline void frame_map_drop(u64 pfn)
{
        struct frame *f = frame_map_put(pfn);
        if (f)
                frame_free(f);
}
void frames_map_drop(const u32 *pfn, u32 n);                    /* the same, for many */

/* ---- pool.c ---- */
void pools_init(void);
u64  pools_release(u64 pages);                                  /* empty pages back to the page allocator; may shoot down */

/* ---- stack.c ---- */
u64  kstacks_release(void);

/* ---- payer.c ---- */
OBJECT(payer) {
        u64 used;               /* atomic; bytes, stocks included */
        u64 limit;              /* fixed, as parent, which is counted */
        struct payer *parent;
        u32 holds;              /* atomic; the services' */
};
bool payer_take_slow(struct payer *p, u64 bytes);
void payer_uncharge_slow(struct payer *p, u64 bytes);
/* SAFETY: O5: one of the STOCKS, by bits of the address. */
static inline struct stock *stock_at(struct mem_cpu *mc, const struct payer *p)
{ return (struct stock *)((u8 *)mc->stock + ((u64)p >> 2 & (STOCKS - 1) * sizeof(struct stock))); }
/* In a section: this CPU's stock of p, or NULL if it has less than `bytes` of it. */
static inline struct stock *stock_with(struct mem_cpu *mc, const struct payer *p, u64 bytes)
{
        struct stock *st = stock_at(mc, p);
        return st->payer == p && st->bytes >= (i64)bytes ? st : NULL;
}
/* In a section: takes bytes back into the stock if there is one and it is not full. */
static inline bool stock_return(struct mem_cpu *mc, const struct payer *p, u64 bytes)
{
        struct stock *st = stock_with(mc, p, 1);        /* one that was used up is refilled by the slow way */
        if (!st || st->bytes > 2 * STOCK_MAX)
                return false;
        st->bytes += (i64)bytes;
        return true;
}
