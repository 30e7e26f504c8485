/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames of bytes: allocation, counts, pins, access; statistics and reclaim.
 *
 * Lifetime   A BYTES frame lives while any of its three counts (impl.h) is not zero.  Services move
 *            holds only; a service that drops too often traps at zero, or frees a frame that
 *            it still thinks it has, but never one that is mapped, pinned or in DMA.
 * Invariants F1  bytes are read and written only through the direct map, under a pin
 *            F2  only a CAS that sees kind BYTES and a count that is not 0 adds a reference
 *            F3  what brings the counts to 0 owns the frame, and gives it back once
 *            F4  the zero page (kind ZERO) is never written and never freed
 */
#include "impl.h"

struct frame *zero_frame RO_AFTER_BOOT;

/* ---- counts ---- */

/* The last reference is gone: nobody else can add one (F2). */
noinline void frame_free(struct frame *f)
{
        struct payer *payer = f->payer;

        section_enter();
        struct mem_cpu *mc = mem_cpu();

        kind_count(mc, F_BYTES, -1);
        page_give_to(mc, pfn_of(f));
        bool paid = !payer || stock_return(mc, payer, PAGE_SIZE);
        section_leave();
        if (!paid)
                payer_uncharge_slow(payer, PAGE_SIZE);
}

/* SAFETY: F3: the frames that come back are this function's; M1. */
void frames_map_drop(const u32 *pfn, u32 n)
{
        struct payer *payer = NULL;             /* lives by the bytes it is still charged */
        u64 bytes = 0;

        section_enter();
        struct mem_cpu *mc = mem_cpu();

        for (u32 i = 0; i < n; i++) {
                struct frame *f = frame_map_put(*(pfn + i));

                if (!f)
                        continue;
                if (f->payer != payer || bytes >= STOCK_MAX) {
                        payer_uncharge(payer, bytes);
                        payer = f->payer;
                        bytes = 0;
                }
                bytes += PAGE_SIZE;
                kind_count(mc, F_BYTES, -1);
                page_give_to(mc, pfn_of(f));
        }
        payer_uncharge(payer, bytes);
        section_leave();
}

static inline void ref_sub(struct frame *f, u64 one, u64 mask)
{
        u64 w = __atomic_load_n(&f->word, __ATOMIC_RELAXED);

        do {
                if (__builtin_expect(w >> KIND_SHIFT != F_BYTES || !(w & mask), 0))
                        __builtin_trap();
        } while (!__atomic_compare_exchange_n(&f->word, &w, w - one, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
        if (((w - one) & COUNT_MASK) == 0)
                frame_free(f);
}

static inline bool is_zero_page(struct frame *f) { return f == zero_frame; }

struct frame *frame_hold(struct frame *f)
{
        if (!ref_add(f, HOLD_ONE, HOLD_MASK) && !is_zero_page(f))
                __builtin_trap();
        return f;
}

bool frame_try_hold(struct frame *f) { return f && (ref_add(f, HOLD_ONE, HOLD_MASK) || is_zero_page(f)); }

void frame_drop(struct frame *f)
{
        if (f && !is_zero_page(f))
                ref_sub(f, HOLD_ONE, HOLD_MASK);
}

u32 frame_mappings(struct frame *f)
{
        u64 w = word_of(f);
        return w >> KIND_SHIFT == F_BYTES ? (u32)((w & MAP_MASK) / MAP_ONE) : 0;
}

u32 frame_refs(struct frame *f)
{
        u64 w = word_of(f);
        return w >> KIND_SHIFT == F_BYTES ? (u32)(w & HOLD_MASK) + (u32)((w & MAP_MASK) / MAP_ONE) : 0;
}

u64   frame_number(struct frame *f)   { return pfn_of(f); }
struct frame *frame_zero_page(void)   { return zero_frame; }

/* ---- allocation ---- */

bool may_reclaim(void)
{
        u64 f;
        __asm__ volatile ("pushfq; popq %0" : "=r"(f));
        return preempt_count() == 0 && (f & 0x200);
}

static u64 take(enum reserve r)
{
        section_enter();
        u64 pfn = page_take(r);

        if (pfn)
                kind_count(mem_cpu(), F_BYTES, 1);
        section_leave();
        return pfn;
}

/* Paid for, and in this CPU's hands: nobody can name it yet. */
static inline struct frame *make_bytes(struct frame *f, struct payer *payer, u32 flags)
{
        f->flags = 0;
        f->payer = payer;
        if (!(flags & FRAME_FILL))
                zero_page(pfn_virt(pfn_of(f)));         /* SAFETY: F5, M1. */
        set_word(f, KIND(F_BYTES) | HOLD_ONE);
        return f;
}

static noinline struct frame *alloc_slow(struct payer *payer, u32 flags)
{
        bool sleep = !(flags & FRAME_NOWAIT) && may_reclaim();

        if (!payer_charge(payer, PAGE_SIZE))
                return NULL;
        u64 pfn = take(flags & FRAME_NOWAIT ? HALF_RESERVE : KEEP_RESERVE);

        for (u32 tries = 0; !pfn && sleep && tries < 8 && mem_reclaim(32); tries++)
                pfn = take(KEEP_RESERVE);
        if (pfn)
                return make_bytes(frame_of(pfn), payer, flags);
        payer_uncharge(payer, PAGE_SIZE);
        return NULL;
}

struct frame *frame_alloc(struct payer *payer, u32 flags)
{
        struct stock *st = NULL;

#ifdef KEEL_DEBUG
        return alloc_slow(payer, flags);        /* for task_fail_nth */
#endif
        section_enter();
        struct mem_cpu *mc = mem_cpu();

        if (__builtin_expect(mc->n == 0 || (payer && !(st = stock_with(mc, payer, PAGE_SIZE))), 0)) {
                section_leave();
                return alloc_slow(payer, flags);
        }
        if (payer)
                st->bytes -= PAGE_SIZE;
        /* SAFETY: M1: n > 0 of the CPU's cache. */
        struct frame *f = frame_of(*(mc->pages + --mc->n));

        kind_count(mc, F_BYTES, 1);
        section_leave();
        return make_bytes(f, payer, flags);
}

/* ---- pins and bytes ---- */

struct pin k_pin(struct frame *f)
{
        if (!f)
                __builtin_trap();
        struct task *t = held_room();
        if (!ref_add(f, PIN_ONE, PIN_MASK))
                return (struct pin){ NULL };
        /* An interrupt's bottom half may push and pop in between; it leaves things as they were. */
        held_push(t, HELD_PIN, f);
        return (struct pin){ f };
}

void k_unpin(struct pin *p)
{
        struct frame *f = p->f_k;

        if (!f)
                return;
        p->f_k = NULL;
        if (!held_pop(HELD_PIN, f))
                __builtin_trap();
        ref_sub(f, PIN_ONE, PIN_MASK);
}

void frame_unpin_recorded(struct frame *f) { ref_sub(f, PIN_ONE, PIN_MASK); }

bool frame_dma_pin(struct frame *f)   { return ref_add(f, PIN_ONE, PIN_MASK); }
void frame_dma_unpin(struct frame *f) { ref_sub(f, PIN_ONE, PIN_MASK); }

mbytes pin_bytes(struct pin *p)
{
        struct frame *f = p->f_k;

        /* SAFETY: F1: pinned, so the frame stays BYTES */
        return f ? (mbytes){ pfn_virt(pfn_of(f)), PAGE_SIZE } : (mbytes){ pfn_virt(pfn_of(zero_frame)), 0 };
}

/* A reference for the time of a copy that cannot fault: needs no record in the task.
 * In a section: a fault in it would be the framework's. */
static bool access_begin(struct frame *f, usize off, usize len, bool write)
{
        if (!f || (write && is_zero_page(f)))
                __builtin_trap();
        k_range(off <= PAGE_SIZE && len <= PAGE_SIZE - off);
        return is_zero_page(f) || ref_add(f, PIN_ONE, PIN_MASK);
}

static void access_end(struct frame *f)
{
        if (!is_zero_page(f))
                ref_sub(f, PIN_ONE, PIN_MASK);
}

void frame_read(struct frame *f, usize off, mbytes dst)
{
        if (!access_begin(f, off, dst.n_k, false)) {
                mbytes_fill(dst, 0);
                return;
        }
        /* SAFETY: F1: pinned and in range; dst is the caller's */
        __builtin_memcpy(dst.p_k, (u8 *)pfn_virt(pfn_of(f)) + off, dst.n_k);
        access_end(f);
}

void frame_write(struct frame *f, usize off, bytes src)
{
        if (!access_begin(f, off, src.n_k, true))
                return;
        /* SAFETY: F1 */
        __builtin_memcpy((u8 *)pfn_virt(pfn_of(f)) + off, src.p_k, src.n_k);
        access_end(f);
}

void frame_fill(struct frame *f, usize off, usize len, u8 value)
{
        if (!access_begin(f, off, len, true))
                return;
        /* SAFETY: F1 */
        __builtin_memset((u8 *)pfn_virt(pfn_of(f)) + off, value, len);
        access_end(f);
}

/* SAFETY: F1: pinned and in range; U5: the user side is user_copy's affair, whose faults it answers itself. */
usize user_copy_from_frame(u64 addr, struct frame *f, usize off, usize len)
{
        k_range(access_begin(f, off, len, false));
        usize n = user_copy_out(addr, (bytes){ (u8 *)pfn_virt(pfn_of(f)) + off, len });        /* SAFETY: F1 */

        access_end(f);
        return n;
}

usize user_copy_to_frame(struct frame *f, usize off, u64 addr, usize len)
{
        k_range(access_begin(f, off, len, true));
        usize n = user_copy_in((mbytes){ (u8 *)pfn_virt(pfn_of(f)) + off, len }, addr);        /* SAFETY: F1 */

        access_end(f);
        return n;
}

usize user_zero(u64 addr, usize len)
{
        usize done = 0, n;

        do
                done += n = user_copy_out(addr + done, (bytes){ pfn_virt(pfn_of(zero_frame)), min_u64(len - done, PAGE_SIZE) });        /* SAFETY: F4 */
        while (n == PAGE_SIZE);
        return done;
}

void frame_copy(struct frame *dst, struct frame *src)
{
        k_range(src != NULL);                   /* before dst has a reference that a trap would leave */
        if (!access_begin(dst, 0, 0, true))
                return;
        if (access_begin(src, 0, 0, false)) {
                copy_page(pfn_virt(pfn_of(dst)), pfn_virt(pfn_of(src)));        /* SAFETY: F1: both pinned */
                access_end(src);
        }
        access_end(dst);
}

/* ---- the initrd ---- */

u64 boot_initrd_size(void) { return boot_info.initrd_end - boot_info.initrd_start; }

struct frame *boot_initrd_frame(u64 i)
{
        if (i >= page_up(boot_initrd_size()) >> PAGE_SHIFT)
                return NULL;
        struct frame *f = frame_of((boot_info.initrd_start >> PAGE_SHIFT) + i);

        /* The flag goes with the boot's reference; a frame that was freed and came back has it not. */
        return __atomic_fetch_and(&f->flags, ~FRAME_INITRD, __ATOMIC_SEQ_CST) & FRAME_INITRD ? f : NULL;
}

void frames_init(void)
{
        u64 start = boot_info.initrd_start >> PAGE_SHIFT, end = page_up(boot_info.initrd_end) >> PAGE_SHIFT, pfn;

        for (pfn = start; pfn < end; pfn++) {
                struct frame *f = frame_of(pfn);

                if (!pfn_is_ram(pfn))
                        k_panic("the initrd is not in usable memory");
                f->flags = FRAME_INITRD;
                set_word(f, KIND(F_BYTES) | HOLD_ONE);
                mem_cpu_of[0]->kinds[F_BYTES]++;
        }
        /* SAFETY: F4, M1. */
        zero_frame = frame_of(block_take(0, NO_RESERVE));
        zero_page(pfn_virt(pfn_of(zero_frame)));
        set_word(zero_frame, KIND(F_ZERO));
}

/* ---- statistics ---- */

struct mem_stats mem_stats(void)
{
        i64 k[F_KINDS] = { 0 };

        for (u32 c = 0; c < MAX_CPUS; c++)
                for (u32 i = 0; mem_cpu_of[c] && i < F_KINDS; i++)
                        k[i] += mem_cpu_of[c]->kinds[i];
        struct mem_stats s = {
                .total = mem_total_pages, .free = mem_free_pages(), .byte_frames = (u64)k[F_BYTES],
                .pools = (u64)k[F_POOL], .page_tables = (u64)k[F_TABLE], .stacks = (u64)k[F_STACK],
        };
        s.other = s.total - min_u64(s.total, s.free + s.byte_frames + s.pools + s.page_tables + s.stacks);
        return s;
}

/* ---- reclaim ---- */

static const struct shrinker *shrinkers[16];
static u32 n_shrinkers;
static struct task *reclaimer;          /* one at a time */
static u32 reclaimer_oopses;            /* of the reclaimer when it began */

void shrinker_register(const struct shrinker *s)
{
        k_range(s && s->scan);
        u32 i = __atomic_fetch_add(&n_shrinkers, 1, __ATOMIC_SEQ_CST);

        k_range(i < ARRAY_SIZE(shrinkers));
        __atomic_store_n(&shrinkers[i], s, __ATOMIC_RELEASE);
}

/* The reclaimer may have died in a shrinker: its oops count moved. */
static bool reclaimer_lives(struct task *t)
{ return t && LOAD_RELAXED(t->oopses) == LOAD_RELAXED(reclaimer_oopses); }

/* May return more than 0 because somebody else reclaimed: the caller tries again. */
u64 mem_reclaim(u64 pages)
{
        struct task *me = current_task(), *owner = PTR_LOAD(reclaimer);
        u64 done = 0, before = mem_free_pages();

        if (!me || !may_reclaim() || (owner == me && reclaimer_lives(owner)))
                return 0;               /* not here; or from within a shrinker */
        while (!CMPXCHG(reclaimer, reclaimer_lives(owner) ? NULL : owner, me)) {
                task_yield();
                if (mem_free_pages() > before)
                        return mem_free_pages() - before;
                owner = PTR_LOAD(reclaimer);
        }
        STORE(reclaimer_oopses, me->oopses);
        for (u32 i = 0; i < ARRAY_SIZE(shrinkers) && done < pages; i++) {
                const struct shrinker *s = __atomic_load_n(&shrinkers[i], __ATOMIC_ACQUIRE);

                if (s)
                        done += s->scan(pages - done);
        }
        if (done < pages)
                done += pools_release(pages - done) + kstacks_release();
        __atomic_store_n(&reclaimer, NULL, __ATOMIC_RELEASE);
        u64 after = mem_free_pages();

        return max_u64(after > before ? after - before : 0, done);
}
