/* SPDX-License-Identifier: Apache-2.0
 *
 * Object pools: one region of 16 GiB of addresses per type, a true array of slots.
 *
 * Slot i's header lies at region + 48 + i * slot, its object at region + 64 + i * slot: objects of
 * 64-byte aligned types are aligned.  A slot may straddle pages.  A free slot is either in a CPU's
 * magazine (pool_mag) or marked in `avail` of the frame of the page that its header lies in;
 * nothing about freedom is kept where services can write.
 *
 * States of a slot's count: 0 never used (or its page was given back), K_FREE, or living.  Only
 * k_drop's compare-and-swap from the last reference to K_FREE frees, so an object is freed once.
 *
 * Giving back: a page all of whose slots are avail is replaced by the page of zeros
 * (frames.c), read-only, and freed when every CPU has forgotten it.  A stale reader sees a count of 0; a stale
 * writer faults.  It comes back only to its own pool.
 *
 * Invariants O1  a region's pages hold only slots of its type, at the same places for ever
 *            O2  a slot is in one place: living, one magazine, or one avail bit
 *            O3  a free slot is zero but for its count (unless a stale writer stored typed values)
 *            O4  pages below `next_page` of a region are mapped: its own, or the page of zeros
 * Locking    pool lock: avail bits, the partial list, mapping.  Magazines: their CPU, in a section.
 */
#include "impl.h"

#define FIRST_HEADER 48ul

struct pool_state {
        struct klock lock;
        u32 partial;            /* page number of the first page with avail != 0 */
        struct pool *pool;
        u64 region;
        u64 recip;              /* ceil(2^64 / slot) */
        u32 slot;
        u32 words;              /* between headers: what is zeroed */
        u32 mag_max;
        u32 next_page;
        u32 released;           /* pages below next_page that are the page of zeros: */
        u32 first_released;     /* none is below this one */
        u64 pages;
        u64 avail;              /* bits set */
        u64 slots;              /* usable: all their pages are here */
} __attribute__((aligned(64)));

static struct pool_state *states RO_AFTER_BOOT;
static u32 n_pools RO_AFTER_BOOT;

static inline u32 id_of(const struct pool *pool) { return (u32)(pool->base_k >> K_REGION_SHIFT) & 255; }
static inline u64 div_slot(const struct pool_state *st, u64 x) { return (u64)((unsigned __int128)x * st->recip >> 64); }
/* SAFETY: O1: where slot i is; O4: page_of is asked of pages below next_page. */
static inline struct k_obj *header_at(const struct pool_state *st, u64 i)
{ return (struct k_obj *)(st->region + FIRST_HEADER + i * st->slot); }
static inline struct frame *page_of(u64 va) { return frame_of((*mmu_kpte(va) & PTE_ADDR) >> PAGE_SHIFT); }
static inline u64 bit_of(const struct k_obj *o) { return 1ul << (((u64)o & PAGE_MASK) >> 6); }

/* Zeroes n words, n even.  SAFETY: O3: word by word, so that a stale reader sees whole words of its type */
static inline void zero_words(u64 *p, u32 n)
{
        volatile u64 *w = p;

        if (n > 24) {
                u64 count = n;
                __asm__ volatile ("rep stosq" : "+D"(p), "+c"(count) : "a"(0ul) : "memory");
                return;
        }
        if (n & 2) {
                w[0] = w[1] = 0;
                w += 2;
        }
#pragma clang loop unroll(disable)
        for (n &= ~3u; n; n -= 4, w += 4)
                w[0] = w[1] = w[2] = w[3] = 0;
}

/* ---- pages, under the pool's lock ---- */

static void partial_add(struct pool_state *st, struct frame *f)
{
        f->prev = 0;
        f->next = st->partial;
        if (f->next)
                frame_of(f->next)->prev = pfn_of(f);
        st->partial = pfn_of(f);
}

static void partial_remove(struct pool_state *st, struct frame *f)
{
        if (f->next)
                frame_of(f->next)->prev = f->prev;
        if (f->prev)
                frame_of(f->prev)->next = f->next;
        else
                st->partial = f->next;
}

static void avail_set(struct pool_state *st, struct k_obj *o)
{
        struct frame *f = page_of((u64)o);

        if (f->avail == 0)
                partial_add(st, f);
        f->avail |= bit_of(o);
        st->avail++;
}

static void avail_clear(struct pool_state *st, struct k_obj *o)
{
        struct frame *f = page_of((u64)o);

        f->avail &= ~bit_of(o);
        st->avail--;
        if (f->avail == 0)
                partial_remove(st, f);
}

/* SAFETY: O4: below next_page there is a table. */
static bool page_here(const struct pool_state *st, u64 page)
{ return page < st->next_page && *mmu_kpte(st->region + (page << PAGE_SHIFT)) & PTE_W; }

/* Slots that overlap a page: first_slot() to last_slot(). */
static u64 first_slot(const struct pool_state *st, u64 page) { return page ? div_slot(st, (page << PAGE_SHIFT) - FIRST_HEADER) : 0; }
static u64 last_slot(const struct pool_state *st, u64 page)  { return div_slot(st, (page << PAGE_SHIFT) + PAGE_MASK - FIRST_HEADER); }

static bool slot_usable(const struct pool_state *st, u64 i)
{
        u64 from = (u64)header_at(st, i) - st->region, to = from + st->slot - 1;

        for (u64 page = from >> PAGE_SHIFT; page <= to >> PAGE_SHIFT; page++)
                if (!page_here(st, page))
                        return false;
        return true;
}

static u64 find_released(struct pool_state *st)
{
        for (; st->first_released < st->next_page; st->first_released++)
                if (!page_here(st, st->first_released))
                        return st->first_released;
        k_panic("pool: count of released pages");
}

static bool grow(struct pool_state *st, enum reserve r)
{
        bool again = st->released > 0;
        u64 page = again ? find_released(st) : st->next_page;
        u64 va = st->region + (page << PAGE_SHIFT);

        if ((page + 1) >> (K_REGION_SHIFT - PAGE_SHIFT))
                return false;
        u64 pfn = page_take(r);
        if (!pfn)
                return false;
        struct frame *f = frame_of(pfn);
        u8 *mem = pfn_virt(pfn);

        zero_page(mem);
        /* Free slots bear K_FREE before anyone can see the page: a stray hold cannot make a free slot live. */
        for (u64 i = first_slot(st, page); i <= last_slot(st, page); i++)
                if ((u64)header_at(st, i) >> PAGE_SHIFT == va >> PAGE_SHIFT)
                        /* SAFETY: O1: within the new page, through the direct map */
                        ((struct k_obj *)(mem + ((u64)header_at(st, i) & PAGE_MASK)))->refs = K_FREE;
        if (!mmu_kmap(va, pfn << PAGE_SHIFT, PTE_W | PTE_NX)) {
                page_give(pfn);
                return false;
        }
        f->avail = 0;
        f->next = f->prev = 0;
        set_word(f, KIND(F_POOL) | page);
        kind_count(mem_cpu(), F_POOL, 1);
        st->pages++;
        if (again) {
                mmu_flush_kernel(va, 1);        /* nobody may still see the page of zeros */
                st->released--;
        } else {
                st->next_page++;
        }
        for (u64 i = first_slot(st, page); i <= last_slot(st, page); i++)
                if (slot_usable(st, i)) {
                        st->slots++;
                        avail_set(st, header_at(st, i));
                }
        return true;
}

/* ---- magazines ---- */

static bool mag_refill(struct pool_state *st, struct pool_mag *m, enum reserve r)
{
        u32 want = (st->mag_max + 1) / 2;

        COUNT(CPU_OBJECT_REFILLS);
        klock_lock(&st->lock);
        while (m->n < want) {
                if (!st->partial) {
                        if (m->n > 0 || !grow(st, r))
                                break;
                        continue;
                }
                struct frame *f = frame_of(st->partial);
                u64 at = ((word_of(f) & COUNT_MASK) << PAGE_SHIFT) + (u64)bit_lowest(f->avail) * 64;
                struct k_obj *o = header_at(st, div_slot(st, at + st->slot - 1 - FIRST_HEADER));

                avail_clear(st, o);
                m->slot[m->n++] = o + 1;
        }
        klock_unlock(&st->lock);
        return m->n > 0;
}

static void mag_flush(struct pool_state *st, struct pool_mag *m, u32 keep)
{
        klock_lock(&st->lock);
        while (m->n > keep)
                avail_set(st, k_hdr(m->slot[--m->n]));
        klock_unlock(&st->lock);
}

/* ---- allocation ---- */

static inline void *make_live(void *p, struct payer *payer, u32 charge)
{
        struct k_obj *o = k_hdr(p);

        o->payer = payer;
        o->charge = charge;
        __atomic_store_n(&o->refs, 1 | K_UNPUBLISHED, __ATOMIC_RELAXED);
        return p;
}

static noinline void *alloc_slow(struct pool_state *st, struct payer *payer, enum alloc_mode mode)
{
        u32 id = (u32)(st - states);
        void *p = NULL;

        if (!payer_charge(payer, st->slot))
                return NULL;
        for (u32 tries = 0; ; tries++) {
                section_enter();
                struct pool_mag *m = mag_of(mem_cpu(), id);

                if (m->n || mag_refill(st, m, mode == NOWAIT ? HALF_RESERVE : KEEP_RESERVE))
                        p = m->slot[--m->n];
                section_leave();
                if (p)
                        return make_live(p, payer, payer ? st->slot : 0);
                if (mode == NOWAIT || tries == 8 || mem_reclaim(32 + st->slot / PAGE_SIZE) == 0)
                        break;
        }
        payer_uncharge(payer, st->slot);
        return NULL;
}

void *k_pool_alloc(struct pool *pool, struct payer *payer, enum alloc_mode mode)
{
        u32 id = id_of(pool), slot = pool->slot_k;
        struct stock *st = NULL;

#ifdef KEEL_DEBUG
        if (mode == MAY_RECLAIM)
                assert_may_sleep();
        return alloc_slow(states + id, payer, mode);    /* for task_fail_nth */
#endif

        section_enter();
        struct mem_cpu *mc = mem_cpu();
        struct pool_mag *m = mag_of(mc, id);

        if (__builtin_expect(m->n == 0 || (payer && !(st = stock_with(mc, payer, slot))), 0)) {
                section_leave();
                return alloc_slow(states + id, payer, mode);
        }
        if (payer)
                st->bytes -= slot;
        /* SAFETY: O2: n > 0. */
        void *p = *(m->slot + --m->n);

        COUNT(CPU_OBJECTS);
        section_leave();
        return make_live(p, payer, payer ? slot : 0);
}

void k_pool_free(void *p)
{
        u64 off = (u64)p - POOLS_BASE, id = off >> K_REGION_SHIFT;

        if (__builtin_expect(id >= n_pools, 0))
                k_count_trap(p);
        struct pool_state *st = states + id;
        struct pool *pool = st->pool;
        struct k_obj *o = k_hdr(p);
        u64 at = (u64)p - pool->base_k;

        if (__builtin_expect(div_slot(st, at) * st->slot != at || LOAD_RELAXED(o->refs) < K_SATURATED, 0))
                k_count_trap(p);
        if (pool->fini_k)
                pool->fini_k(p);
        struct payer *payer = o->payer;
        u32 charge = o->charge;

        zero_words(p, st->words);
        o->payer = NULL;
        o->charge = 0;
        section_enter();
        struct mem_cpu *mc = mem_cpu();
        struct pool_mag *m = mag_of(mc, (u32)id);

        if (__builtin_expect(m->n >= st->mag_max, 0))
                mag_flush(st, m, st->mag_max * 2 / 3);         /* more than half: who takes and gives ten at a time finds them here */
        /* SAFETY: O2: n < mag_max. */
        *(m->slot + m->n++) = p;
        bool paid = !charge || stock_return(mc, payer, charge);
        section_leave();
        if (__builtin_expect(!paid, 0))
                payer_uncharge_slow(payer, charge);
}

void k_count_trap(void *p) { (void)p; __builtin_trap(); }

bool k_try_hold(void *p)
{
        if (!p)
                return false;
        u32 *refs = &k_hdr(p)->refs;

        for (;;) {
                /* SAFETY: O4: readable for ever; the write may find the page of zeros, and then goes on at 2 */
                u32 old = __atomic_load_n(refs, __ATOMIC_RELAXED), ok;

                if (old == 0 || old >= K_SATURATED - 1)
                        return false;
                __asm__ volatile ("xorl %[ok], %[ok]\n"
                                  "1: lock cmpxchgl %[new], %[refs]\n"
                                  "jne 2f\n"
                                  "movl $1, %[ok]\n"
                                  "2:\n"
                                  ".pushsection .ex_table, \"a\"\n.balign 4\n.long 1b - ., 2b - .\n.popsection"
                                  : [ok] "=&r"(ok), [refs] "+m"(*refs), "+a"(old) : [new] "r"(old + 1) : "memory", "cc");
                if (ok)
                        return true;
        }
}

/* ---- giving pages back ---- */

static bool may_release(struct pool_state *st, u64 page)
{
        for (u64 i = first_slot(st, page); i <= last_slot(st, page); i++) {
                struct k_obj *o = header_at(st, i);

                if (slot_usable(st, i) && !(page_of((u64)o)->avail & bit_of(o)))
                        return false;
        }
        return true;
}

#define RELEASE_BATCH 32
#define RELEASE_LOOKS 1024              /* pages looked at under one hold of the lock */
/* From page *at on, which moves. */
static u64 release_from(struct pool_state *st, u64 *at, u64 pages)
{
        u32 pfn[RELEASE_BATCH], n = 0;

        section_enter();
        mag_flush(st, mag_of(mem_cpu(), (u32)(st - states)), 0);
        klock_lock(&st->lock);
        u64 page = *at, end = min_u64(st->next_page, page + RELEASE_LOOKS);

        for (; page < end && n < min_u64(pages, RELEASE_BATCH); page++) {
                u64 va = st->region + (page << PAGE_SHIFT);

                if (!page_here(st, page) || !may_release(st, page))
                        continue;
                for (u64 i = first_slot(st, page); i <= last_slot(st, page); i++)
                        if (slot_usable(st, i)) {
                                avail_clear(st, header_at(st, i));
                                st->slots--;
                        }
                pfn[n++] = pfn_of(page_of(va));
                mmu_kmap(va, (u64)pfn_of(zero_frame) << PAGE_SHIFT, PTE_NX);
                st->released++;
                st->first_released = (u32)min_u64(st->first_released, page);
        }
        if (n)
                mmu_flush_kernel(st->region, U32_MAX);
        for (u32 i = 0; i < n; i++)
                page_give(pfn[i]);              /* SAFETY: O4: no CPU can reach it as a pool page any more */
        st->pages -= n;
        kind_count(mem_cpu(), F_POOL, -(i64)n);
        klock_unlock(&st->lock);
        section_leave();
        *at = page;
        return n;
}

u64 pools_release(u64 pages)
{
        u64 done = 0;

        for (u32 i = 0; i < n_pools; i++) {
                struct pool_state *st = &states[i];

                for (u64 at = 0; done < pages && at < LOAD_RELAXED(st->next_page) && LOAD_RELAXED(st->avail) * st->slot >= PAGE_SIZE; )
                        done += release_from(st, &at, pages - done);
        }
        return done;
}

bool pool_stats(u32 index, struct pool_stats *out)
{
        if (index >= n_pools)
                return false;
        struct pool_state *st = &states[index];
        u64 free = LOAD_RELAXED(st->avail), slots = LOAD_RELAXED(st->slots);
        usize len = 0;

        for (u32 c = 0; c < MAX_CPUS; c++)
                if (mem_cpu_of[c])
                        free += LOAD_RELAXED(mag_of(mem_cpu_of[c], index)->n);
        while (st->pool->name_k[len])
                len++;
        *out = (struct pool_stats){
                .name = k_bytes(st->pool->name_k, len),
                .used = slots - min_u64(free, slots), .slots = slots, .size = st->slot,
        };
        return true;
}

void pools_init(void)
{
        u32 n = (u32)(k_pools_end - k_pools_start), order = 0;

        if (n > 256)
                k_panic("too many object pools");
        while (PAGE_SIZE << order < n * sizeof(struct pool_state))
                order++;
        states = kpages_alloc(order);
        for (u32 i = 0; i < n; i++) {
                struct pool *pool = &k_pools_start[i];
                struct pool_state *st = &states[i];

                st->pool = pool;
                st->region = POOLS_BASE + ((u64)i << K_REGION_SHIFT);
                st->slot = pool->slot_k;
                st->words = (pool->slot_k - 16) / 8;
                st->recip = U64_MAX / pool->slot_k + 1;
                st->mag_max = pool->slot_k >= 4096 ? 1 : pool->slot_k >= 1024 ? 4 : MAG_SLOTS;
                pool->base_k = st->region + 64;
                pool->state_k = st;
        }
        n_pools = n;
}
