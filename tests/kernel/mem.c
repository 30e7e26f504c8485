/* SPDX-License-Identifier: Apache-2.0
 *
 * Self-test of frame/mem and frame/lib, in the kernel (SELFTEST=1): each check names the
 * invariant of SOUNDNESS.md that it would find broken.  A failure panics.
 */
#ifdef KEEL_SELFTEST
#pragma clang diagnostic ignored "-Wunused-function"
#include "impl.h"
#include "vmspace_impl.h"

#define CHECK(cond) do { if (!(cond)) k_panic("selftest: " #cond); } while (0)

OBJECT(st_small) { u64 a, b; };
OBJECT(st_odd)   { u8 bytes[200]; };
OBJECT(st_lines) { u64 words[16]; } CACHE_ALIGNED;
OBJECT(st_huge)  { u8 bytes[9000]; };
static u32 finis;
static void count_fini(struct st_small *p) { finis += p->a == 7; }
POOL_DECLARE(st_small) POOL_DECLARE(st_odd) POOL_DECLARE(st_lines) POOL_DECLARE(st_huge)
POOL_DEFINE(st_small, count_fini);
POOL_DEFINE(st_odd, NO_FINI);
POOL_DEFINE(st_lines, NO_FINI);
POOL_DEFINE(st_huge, NO_FINI);

/* True if fn(arg) fails a check. */
static bool traps(void (*fn)(void *), void *arg)
{
        return !contained(fn, arg);
}

#define MANY 1000u
static void *objects[MANY];

static bool is_zero(const void *p, usize n)
{
        for (usize i = 0; i < n; i++)
                if (((const u8 *)p)[i])
                        return false;
        return true;
}

/* O1, O2, O3: distinct slots, at slot places, zero, and back again. */
static void one_pool(struct pool *pool, u32 n, u32 align)
{
        struct pool_stats before, after;
        u32 id = (u32)(pool - k_pools_start);

        pool_stats(id, &before);
        for (u32 round = 0; round < 3; round++) {
                for (u32 i = 0; i < n; i++) {
                        u8 *p = objects[i] = k_pool_alloc(pool, NULL, MAY_RECLAIM);

                        CHECK(p && (u64)p % align == 0 && ((u64)p - pool->base_k) % pool->slot_k == 0);
                        CHECK(is_zero(p, pool->size_k) && k_refs(p) == 1 && !k_try_hold(p));
                        for (u32 k = 0; k < pool->size_k; k++)
                                p[k] = (u8)(i + k);
                }
                for (u32 i = 0; i < n; i++) {
                        const u8 *p = objects[i];

                        for (u32 k = 0; k < pool->size_k; k++)
                                CHECK(p[k] == (u8)(i + k));
                        k_publish(objects[i]);
                        CHECK(k_try_hold(objects[i]));
                        k_drop(objects[i]);
                }
                for (u32 i = 0; i < n; i += 2)
                        k_drop(objects[i]);
                for (u32 i = 1; i < n; i += 2)
                        k_drop(objects[i]);
                pool_stats(id, &after);
                CHECK(after.used == before.used);
        }
}

static void drop_it(void *p) { k_drop(p); }
static void hold_it(void *p) { k_hold(p); }
static void write_it(void *p) { *(volatile u64 *)p = 1; }

/* O1: what is not an object's place is not freed, whatever stands before it. */
static void test_foreign(void)
{
        struct st_odd *p = st_odd_alloc(NULL, NOWAIT);
        static struct { struct k_obj header; u8 body[64]; } outside;

        ((struct k_obj *)p->bytes)->refs = 1;
        CHECK(traps(drop_it, (struct k_obj *)p->bytes + 1) && k_refs(p) == 1);
        outside.header.refs = 1;
        CHECK(traps(drop_it, outside.body));
        st_odd_drop(p);
}

static void test_pools(void)
{
        one_pool(&k_pool_st_small, MANY, 16);
        one_pool(&k_pool_st_odd, MANY, 16);
        one_pool(&k_pool_st_lines, MANY, 64);
        one_pool(&k_pool_st_huge, 40, 16);
        test_foreign();

        struct st_small *p = st_small_alloc(NULL, NOWAIT);
        p->a = 7;
        st_small_drop(st_small_hold(p));
        CHECK(finis == 0);
        st_small_drop(p);
        CHECK(finis == 1);
        CHECK(traps(drop_it, p) && traps(hold_it, p) && traps(drop_it, p));     /* O2: dead */
        CHECK(!k_try_hold(p) && finis == 1);

        /* O4: pages given back read as zeros, refuse writes, and return. */
        struct mem_stats before = mem_stats();
        while (pools_release(U32_MAX) > 0) {                    /* the last look at the page before is recent: no stale translation */
                CHECK(p->a == 0);
                if (mmu_kpte((u64)p)[0] & PTE_W)
                        *(volatile u64 *)p = 0;
                else
                        CHECK(traps(write_it, p));
        }
        CHECK(mem_stats().pools < before.pools);
        CHECK(!k_try_hold(p) && k_refs(p) == 0 && p->a == 0);
        CHECK(traps(write_it, p) && traps(hold_it, p) && traps(drop_it, p));
        one_pool(&k_pool_st_small, MANY, 16);
        one_pool(&k_pool_st_odd, MANY, 16);
        one_pool(&k_pool_st_huge, 40, 16);
}

static u64 payer_used(struct payer *p)
{
        i64 n = (i64)LOAD(p->used);

        for (u32 c = 0; c < MAX_CPUS; c++) {
                struct stock *st = mem_cpu_of[c] ? stock_with(mem_cpu_of[c], p, 1) : NULL;
                n -= st ? LOAD_RELAXED(st->bytes) : 0;
        }
        return n > 0 ? (u64)n : 0;
}

static void drop_payer(void *p) { payer_drop(p); }
static void hold_payer(void *p) { payer_hold(p); }

static void test_payers(void)
{
        struct payer *top = payer_new(NULL, 1ul << 30), *p = payer_new(top, 64 * 1024);
        u32 n = 0;

        while (n < MANY && (objects[n] = k_pool_alloc(&k_pool_st_odd, p, NOWAIT)))
                n++;
        CHECK(n == 64 * 1024 / k_pool_st_odd.slot_k);                           /* O5 */
        CHECK(payer_used(p) == n * k_pool_st_odd.slot_k);
        CHECK(payer_used(top) == payer_used(p));
        while (n)
                k_drop(objects[--n]);
        CHECK(payer_used(p) == 0 && payer_used(top) == 0);
        struct frame *f = frame_alloc(top, 0);

        CHECK(payer_used(top) == PAGE_SIZE);
        payer_drop(p);
        payer_drop(top);                                        /* lives on, by its charge */
        CHECK(traps(drop_payer, top) && traps(hold_payer, top) && payer_used(top) == PAGE_SIZE);
        frame_drop(f);

        /* Services that drop too often do not take away what a space relies on. */
        top = payer_new(NULL, 1ul << 20);
        struct vmspace *s = vmspace_new(top);

        payer_drop(top);
        CHECK(traps(drop_payer, top) && k_refs(top) > 0 && traps(drop_payer, top));
        for (u64 at = VM_MIN; at < VM_MIN + (1ul << 33); at += 1ul << 30) {
                VM_CURSOR(c, s, at);
                CHECK(succeeded(cursor_map(&c, frame_zero_page(), VM_READ)));
        }
        vmspace_drop(s);
        CHECK(k_refs(top) == 0);
}

static void pin_dead(void *p)
{
        PIN(pin, p);
        CHECK(mbytes_len(pin_bytes(&pin)) == 0);
}

static void drop_frame(void *f) { frame_drop(f); }
static void hold_frame(void *f) { (void)frame_hold(f); }
static void write_zero_page(void *f) { frame_fill(f, 0, 1, 1); }
static void write_beyond(void *f) { frame_fill(f, PAGE_SIZE - 1, 2, 1); }

static void test_frames(void)
{
        struct mem_stats before = mem_stats();
        struct frame *f = frame_alloc(NULL, 0), *g = frame_alloc(NULL, FRAME_FILL);
        u64 word = 0x1122334455667788;

        CHECK(f && g && frame_refs(f) == 1 && frame_mappings(f) == 0);
        CHECK(mem_stats().byte_frames == before.byte_frames + 2);
        CHECK(is_zero(pfn_virt(pfn_of(f)), PAGE_SIZE));
        frame_write(f, PAGE_SIZE - 8, BYTES_OF(word));
        frame_copy(g, f);
        u64 seen = 0;
        frame_read(g, PAGE_SIZE - 8, MBYTES_OF(seen));
        CHECK(seen == word);
        {
                PIN(pin, f);
                frame_drop(f);                                  /* F3: the pin keeps it */
                CHECK(bytes_le64(bytes_const(pin_bytes(&pin)), PAGE_SIZE - 8) == word);
                CHECK(frame_refs(f) == 0 && mem_stats().byte_frames == before.byte_frames + 2);
        }
        CHECK(mem_stats().byte_frames == before.byte_frames + 1);
        CHECK(!frame_try_hold(f) && traps(drop_frame, f) && traps(hold_frame, f));      /* F2 */
        pin_dead(f);
        struct st_huge *h = st_huge_alloc(NULL, NOWAIT);
        struct frame *typed = frame_of((*mmu_kpte((u64)h + 8192) & PTE_ADDR) >> PAGE_SHIFT);
        CHECK(!frame_try_hold(typed) && traps(drop_frame, typed) && frame_refs(typed) == 0);
        pin_dead(typed);
        st_huge_drop(h);
        frame_drop(g);
        CHECK(traps(write_zero_page, frame_zero_page()));       /* F4 */
        CHECK(frame_try_hold(frame_zero_page()));
        f = frame_alloc(NULL, 0);
        CHECK(traps(write_beyond, f));
        frame_drop(f);
        CHECK(mem_stats().byte_frames == before.byte_frames);
        for (u32 i = 0; i < 20; i++) {                          /* the second has what the first left: F5 */
                CHECK((f = frame_alloc(NULL, 0)) && is_zero(pfn_virt(pfn_of(f)), PAGE_SIZE));
                frame_fill(f, 0, PAGE_SIZE, 0xaa);
                frame_drop(f);
        }
        for (u32 order = 0; order < MAX_ORDER; order++) {       /* M3 */
                u64 pfn = block_take(order, NO_RESERVE);
                CHECK(pfn && pfn % (1u << order) == 0 && kind_of(frame_of(pfn)) == F_CACHED);
                block_give(pfn, order);
        }
}

static struct vm_page get(struct vmspace *s, u64 va)
{
        VM_CURSOR(c, s, va);
        return cursor_get(&c);
}

struct map_call { struct vmspace *s; u64 va; struct frame *f; u32 prot; bool ok; };
static void map_it(void *p)
{
        struct map_call *m = p;
        VM_CURSOR(c, m->s, m->va);
        m->ok = succeeded(cursor_map(&c, m->f, m->prot));
}
static bool map(struct vmspace *s, u64 va, struct frame *f, u32 prot)
{
        struct map_call m = { s, va, f, prot, false };
        return !traps(map_it, &m) && m.ok;
}

struct run_call { struct vmspace *s; u64 va; struct frame_run run; u32 prot; };
static void map_run(void *p)
{
        struct run_call *m = p;
        VM_CURSOR(c, m->s, m->va);
        ignore(cursor_map_run(&c, &m->run, m->prot, NULL, 0));
}

/* V2, V4: runs leave out what is no frame or has a page already, and stay in their table. */
static void test_run(struct vmspace *s, u64 va, struct frame *f, struct frame *big)
{
        struct frame *dead = frame_alloc(NULL, 0);
        struct run_call call = { s, va, { .n = 6, .frame = { f, NULL, frame_of(1), big, dead, frame_zero_page() } }, VM_READ };
        u64 seq = 2, mapped = vmspace_mapped(s), tables = vmspace_tables(s);
        u32 of_f = frame_refs(f), of_big = frame_refs(big);

        frame_drop(dead);
        {
                VM_CURSOR(c, s, va);
                CHECK(err_is(cursor_map_run(&c, &call.run, VM_READ, &seq, 1), EAGAIN));
        }
        CHECK(vmspace_mapped(s) == mapped && frame_refs(f) == of_f && frame_refs(big) == of_big && !get(s, va).frame);
        CHECK(map(s, va + 3 * PAGE_SIZE, f, VM_READ));
        {
                VM_CURSOR(c, s, va);
                CHECK(succeeded(cursor_map_run(&c, &call.run, VM_READ | VM_WRITE | VM_COW, &seq, 2)));
        }
        CHECK(vmspace_mapped(s) == mapped + 2 && frame_refs(f) == of_f + 2 && frame_refs(big) == of_big);
        CHECK(get(s, va).frame == f && get(s, va).prot == (VM_READ | VM_WRITE | VM_COW) && !get(s, va + 4 * PAGE_SIZE).frame);
        call.va = va + 507 * PAGE_SIZE;
        CHECK(traps(map_run, &call));
        call.va = VM_MAX - 5 * PAGE_SIZE;
        CHECK(traps(map_run, &call));
        call = (struct run_call){ s, va, { .n = VM_RUN + 1 }, VM_READ };
        CHECK(traps(map_run, &call));
        call = (struct run_call){ s, va, { .n = 1 }, VM_NEW };
        CHECK(traps(map_run, &call));
        vmspace_unmap(s, va, va + 0x200000);
        CHECK(vmspace_mapped(s) == mapped);
        CHECK(frame_refs(f) == of_f);
        CHECK(vmspace_tables(s) <= tables + 1);
}

static void test_spaces(void)
{
        vmspace_drop(vmspace_new(NULL));                        /* the pool has its tables now */
        struct payer *payer = payer_new(NULL, 1ul << 30);
        struct mem_stats before = mem_stats();
        struct vmspace *s = vmspace_new(payer), *t = vmspace_new(payer);
        struct frame *f = frame_alloc(payer, 0), *big = frame_alloc(payer, 0);
        u64 base = 0x7f0000000000;

        CHECK(map(s, base, f, VM_READ | VM_WRITE) && map(s, VM_MIN, f, VM_READ) && map(s, VM_MAX - PAGE_SIZE, f, VM_NONE));
        CHECK(frame_refs(f) == 4 && frame_mappings(f) == 3 && vmspace_mapped(s) == 3);
        CHECK(!map(s, VM_MIN - PAGE_SIZE, f, VM_READ) && !map(s, VM_MAX, f, VM_READ) && !map(s, 0, f, VM_READ));  /* V4 */
        CHECK(!map(s, DIRECT_BASE, f, VM_READ) && !map(s, base + 1, f, VM_READ) && !map(s, base, f, 64));
        CHECK(!map(s, base, f, VM_READ | VM_NEW) && map(s, base + 0x10000, f, VM_READ | VM_NEW));
        vmspace_unmap(s, base + 0x10000, base + 0x11000);
        CHECK(!map(s, base, frame_of(1), VM_READ) && !map(s, base, frame_of(image_to_phys(k_image_start) >> 12), VM_READ)); /* V2 */
        struct vm_page pg = get(s, base);
        CHECK(pg.frame == f && pg.prot == (VM_READ | VM_WRITE) && !pg.dirty);
        pg = get(s, VM_MAX - PAGE_SIZE);
        CHECK(pg.frame == f && pg.prot == VM_NONE);
        CHECK(!get(s, base + PAGE_SIZE).frame);
        for (u32 i = 0; i < 4; i++) {
                VM_CURSOR(c, s, base + 0x100000);
                cursor_seek(&c, base + 0x200000 + i * PAGE_SIZE);
                CHECK(succeeded(cursor_map(&c, big, VM_READ | VM_WRITE | VM_COW)));
        }
        pg = get(s, base + 0x202000);
        CHECK(pg.frame == big && pg.prot & VM_COW);
        u64 word = 1;
        task_set_space(s);
        CHECK(user_load64(base, &word) && word == 0 && user_store64(base, 5) && user_load64(base, &word) && word == 5);
        CHECK(get(s, base).dirty && !user_load64(base + PAGE_SIZE, &word) && !user_store64(base + 0x200000, 1));
        task_set_space(NULL);
        {
                VM_CURSOR(c, s, VM_MIN);
                cursor_unmap(&c);
                CHECK(cursor_find(&c, VM_MAX) && cursor_addr(&c) == base);
                cursor_seek(&c, base + PAGE_SIZE);
                CHECK(cursor_find(&c, VM_MAX) && cursor_addr(&c) == base + 0x200000);
                CHECK(!frame_zero_page() || succeeded(cursor_map(&c, frame_zero_page(), VM_READ | VM_WRITE)));
                cursor_protect(&c, VM_READ);
        }
        CHECK(get(s, base + 0x200000).frame == frame_zero_page() && frame_refs(big) == 4);
        CHECK(succeeded(vmspace_clone(t, s, VM_MIN, VM_MAX, true)));
        CHECK(vmspace_mapped(t) == vmspace_mapped(s) && frame_mappings(f) == 4 && frame_mappings(big) == 6);
        CHECK(get(t, base).prot == (VM_READ | VM_WRITE | VM_COW) && get(s, base).prot == get(t, base).prot);
        CHECK(succeeded(vmspace_move(s, base, base + 0x40000000, 0x400000)));
        CHECK(!get(s, base).frame && get(s, base + 0x40000000).frame == f && vmspace_mapped(s) == 6);
        vmspace_protect(s, base, base + 0x80000000, VM_READ);
        CHECK(get(s, base + 0x40000000).prot == (VM_READ | VM_COW));
        frame_drop(f);
        vmspace_unmap(s, VM_MIN, VM_MAX);
        CHECK(vmspace_mapped(s) == 0 && frame_mappings(f) == 2);
        for (u64 i = 0; i < 2000; i++) {
                struct frame *x = frame_alloc(payer, 0);
                CHECK(x && map(s, base + i * PAGE_SIZE, x, VM_READ | VM_WRITE));
                frame_drop(x);
        }
        CHECK(vmspace_mapped(s) == 2000);
        vmspace_unmap(s, base + 5 * PAGE_SIZE, base + 1990 * PAGE_SIZE);
        CHECK(vmspace_mapped(s) == 15);
        test_run(s, base + 0x40000000, f = frame_alloc(payer, 0), big);
        frame_drop(f);
        vmspace_drop(s);
        struct map_call stale = { s, base, big, VM_READ, false };
        CHECK(traps(map_it, &stale));                           /* V5 */
        vmspace_drop(t);
        frame_drop(big);
        CHECK(payer_used(payer) == 0);
        payer_drop(payer);
        struct mem_stats after = mem_stats();
        CHECK(after.byte_frames == before.byte_frames && after.page_tables == before.page_tables);       /* V3 */
}

/* V6: a check fails inside a cursor that has still to flush. */
static void unmap_and_fail(void *p)
{
        struct map_call *m = p;
        VM_CURSOR(c, m->s, m->va);
        cursor_unmap(&c);
        __builtin_trap();
}

static void test_cursor_oops(void)
{
        struct vmspace *s = vmspace_new(NULL);
        struct frame *f = frame_alloc(NULL, 0);
        struct map_call m = { s, 0x10000000, f, VM_READ | VM_WRITE, false };
        u64 word = 1;

        map_it(&m);
        task_set_space(s);
        CHECK(user_store64(m.va, 5) && user_load64(m.va, &word) && word == 5);
        CHECK(traps(unmap_and_fail, &m) && !user_load64(m.va, &word) && !get(s, m.va).frame);
        CHECK(frame_mappings(f) == 1);                          /* leaks: nobody knows what was flushed */
        task_set_space(NULL);
        vmspace_drop(s);
        frame_drop(f);
}

static void write_at(void *p) { *(volatile u8 *)p = 1; }
static void test_kernel_map(void)
{
        u64 top = kstack_alloc(NULL);

        CHECK(top && !traps(write_at, (u8 *)top - 1) && !traps(write_at, (u8 *)top - KSTACK_SIZE));
        CHECK(traps(write_at, (u8 *)top - KSTACK_SIZE - 1) && kstack_is_guard(top - KSTACK_SIZE - 1));  /* M4 */
        kstack_free(top, NULL);
        CHECK(kstack_alloc(NULL) == top);
        kstack_free(top, NULL);
        CHECK(traps(write_at, NULL) && traps(write_at, (void *)0xfff0) && traps(write_at, (void *)-1l));
        CHECK(traps(write_at, k_image_start) && traps(write_at, k_text_end) && traps(write_at, phys_to_virt(image_to_phys(k_image_start))));
}

static void test_lib(void)
{
        static u8 a[600], b[600];

        for (u32 n = 0; n < 260; n += n < 40 ? 1 : 13)
                for (u32 from = 0; from < 18; from++)
                        for (u32 to = 0; to < 18; to++) {
                                for (u32 i = 0; i < 300; i++)
                                        a[i] = b[i] = (u8)(i * 7 + n);
                                memmove(a + to, a + from, n);
                                for (u32 i = 0; i < 300; i++)
                                        CHECK(a[i] == (i >= to && i < to + n ? b[i - to + from] : b[i]));
                                __builtin_memcpy(a + 300, b, n);
                                CHECK(__builtin_memcmp(a + 300, b, n) == 0);
                                __builtin_memset(a + to, 0xee, n);
                                CHECK(n == 0 || (a[to] == 0xee && a[to + n - 1] == 0xee && a[to + n] == (u8)b[to + n]) || from != to);
                        }
        CHECK(mul_div(U64_MAX, 1000, 1000) == U64_MAX && mul_div(1ul << 63, 6, 3) == 0 && mul_shift(1ul << 63, 4, 2) == 1ul << 63);
        CHECK(bytes_find(STR("hello, world"), 'w') == 7 && bytes_find(STR("hello"), 'x') == 5 && bytes_cmp(STR("ab"), STR("abc")) < 0);
        u8 line[64];
        usize n = format(k_mbytes(line, sizeof line), "a {} b {x} c {} {", (i32)-5, 255, STR("text"));
        CHECK(bytes_eq(k_bytes(line, n), STR("a -5 b ff c text {")));
        CHECK(bytes_hash(STR("a")) != bytes_hash(STR("b")));
        struct blob *blob = blob_copy(NULL, STR("name"));
        CHECK(bytes_eq(blob_bytes(blob), STR("name")) && mbytes_len(blob_mbytes(blob)) == 4);
        ((u32 *)blob)[0] = ((u32 *)blob)[1] = U32_MAX;          /* O6: as if it were another life's */
        CHECK(bytes_len(blob_bytes(blob)) == 40 && mbytes_len(blob_mbytes(blob)) == 40);
        blob_drop(blob);
        CHECK(!blob_alloc(NULL, BLOB_MAX + 1) && (blob = blob_alloc(NULL, BLOB_MAX)));
        blob_drop(blob);
        CHECK(log_is_sound());                                  /* C1 too: all since boot */
        for (u32 i = 0; i < 40000; i++) {                       /* L1, L2: round the ring, which ends with any room left */
                struct log_record rec;
                u8 text[128];

                klog(LOG_DEBUG, "{}{}", bytes_take(STR("a record of some letters"), i % 23), i);
                if (i % 97 == 0) {
                        CHECK(log_is_sound());
                        CHECK(log_read(i, &rec, k_mbytes(text, sizeof text)));
                        CHECK(log_read(rec.seq + 1, &rec, k_mbytes(text, sizeof text)) || rec.seq > i);
                }
        }
}

/* Memory runs out, and comes back through a shrinker. */
static struct vmspace *hog;
static u64 hog_next;
static bool hog_frame(struct vmspace *s, u64 va, u32 flags)
{
        struct frame *f = frame_alloc(NULL, flags | FRAME_FILL);
        bool ok = false;

        if (f) {
                VM_CURSOR(c, s, va);
                ok = succeeded(cursor_map(&c, f, VM_READ));
        }
        frame_drop(f);
        return ok;
}

static u32 scans;
static u64 give_back(u64 pages)
{
        u64 had = hog ? vmspace_mapped(hog) : 0;

        scans++;
        CHECK(mem_reclaim(pages) == 0);                         /* no reclaim within reclaim */
        if (hog && scans > 1)
                vmspace_unmap(hog, VM_MIN, VM_MIN + min_u64(hog_next, (u64)scans * 2 * pages) * PAGE_SIZE);
        return hog ? had - vmspace_mapped(hog) : 0;
}
static const struct shrinker hog_shrinker = { .scan = give_back };

static void test_exhaustion(void)
{
        struct mem_stats before = mem_stats();

        if (mem_total_pages > 1ul << 18)                        /* takes too long */
                return;
        hog = vmspace_new(NULL);
        shrinker_register(&hog_shrinker);
        while (hog_frame(hog, VM_MIN + hog_next * PAGE_SIZE, FRAME_NOWAIT))
                hog_next++;
        CHECK(hog_next > mem_total_pages / 2 && scans == 0);
        struct st_odd *p = st_odd_alloc(NULL, NOWAIT);
        st_odd_drop(p);                                         /* may be NULL; no panic */
        CHECK(!hog_frame(hog, VM_MIN + hog_next * PAGE_SIZE, FRAME_NOWAIT));
        scans = 1;
        for (u32 i = 0; i < 1000; i++)
                CHECK(hog_frame(hog, VM_MIN + (hog_next + i) * PAGE_SIZE, 0));
        CHECK(scans > 1 && (p = st_odd_alloc(NULL, MAY_RECLAIM)));
        st_odd_drop(p);
        vmspace_drop(hog);
        hog = NULL;
        k_print("selftest: %d pages of %d, free again %d\n", hog_next, mem_total_pages, mem_free_pages());
        CHECK(mem_stats().byte_frames == before.byte_frames);
}

/* ---- several CPUs at once ---- */

OBJECT(st_worker) { struct task_body base; u32 kind, round; u64 seed; };
POOL_DECLARE(st_worker) DOWNCASTABLE(st_worker, task_body);
POOL_DEFINE(st_worker, NO_FINI);
#define SHARED 64u
static struct st_odd *shared_objects[SHARED];
static struct frame *shared_frames[SHARED];
static struct vmspace *arena;
static struct payer *arena_payer;
static u32 running, stale_reads, good_reads;
static u64 work_end;
#define ARENA  0x10000000ul
#define POISON 0xdeadbeefdeadbeeful

static u64 rnd(struct st_worker *w) { return w->seed = w->seed * 6364136223846793005ul + 1442695040888963407ul; }

/* Objects and frames change hands between CPUs. */
static void churn(struct st_worker *w)
{
        u32 i = (u32)(rnd(w) >> 33) % SHARED;
        struct st_odd *p = st_odd_alloc(arena_payer, MAY_RECLAIM), *old;
        struct frame *f = frame_alloc(arena_payer, FRAME_FILL), *g;
        u32 order = (u32)(rnd(w) >> 40) % 3;
        u64 block = block_take(order, KEEP_RESERVE);

        CHECK(p && f && is_zero(p, sizeof *p));
        p->bytes[i] = 1;
        st_odd_publish(p);
        if ((old = XCHG(shared_objects[i], p))) {
                CHECK(old->bytes[i] == 1);
                old->bytes[i] = 0;
        }
        st_odd_drop(old);
        if (st_odd_try_hold(old = PTR_LOAD(shared_objects[(i + 1) % SHARED])))
                st_odd_drop(old);
        frame_drop(XCHG(shared_frames[i], f));
        g = PTR_LOAD(shared_frames[(i + 1) % SHARED]);
        if (frame_try_hold(g))
                frame_drop(g);
        if (block)
                block_give(block, order);
        if (rnd(w) >> 56 == 0)
                pools_release(8);
}

/* One maps and unmaps, frees the frame and poisons what it gets next; the others may never read poison (V3). */
static void remap(struct st_worker *w)
{
        u64 va = ARENA + (rnd(w) >> 33) % 4 * PAGE_SIZE, good = 1, poison = POISON;
        struct frame *f = frame_alloc(NULL, 0);

        CHECK(f);
        frame_write(f, 0, BYTES_OF(good));
        {
                VM_CURSOR(c, arena, va);
                struct frame_run run = { .n = 1, .frame = { f } };
                CHECK(succeeded(w->round & 2 ? cursor_map(&c, f, VM_READ) : cursor_map_run(&c, &run, VM_READ, NULL, 0)));
        }
        frame_drop(f);
        for (u32 i = 0; i < 3000; i++)
                cpu_relax();
        if (w->round & 1) {
                vmspace_unmap(arena, ARENA, ARENA + 4 * PAGE_SIZE);
        } else {
                VM_CURSOR(c, arena, va);
                cursor_unmap(&c);
        }
        CHECK((f = frame_alloc(NULL, FRAME_FILL)));
        frame_write(f, 0, BYTES_OF(poison));
        for (u32 i = 0; i < 3000; i++)
                cpu_relax();
        frame_fill(f, 0, 8, 0);
        frame_drop(f);
}

static void look(struct st_worker *w)
{
        for (u32 i = 0; i < 200; i++) {
                u64 v = 1;
                if (user_load64(ARENA + (rnd(w) >> 33) % 4 * PAGE_SIZE, &v)) {
                        __atomic_fetch_add(v == 1 ? &good_reads : &stale_reads, 1, __ATOMIC_RELAXED);
                }
        }
}

/* Forks and drops copies of the arena while others use it. */
static void fork_space(struct st_worker *w)
{
        struct vmspace *copy = vmspace_new(arena_payer);

        CHECK(copy && succeeded(vmspace_clone(copy, arena, VM_MIN, VM_MAX, true)));
        task_set_space(copy);
        look(w);
        task_set_space(arena);
        vmspace_drop(copy);
}

static u64 latest;
static u64 work_step(struct task_body *self)
{
        struct st_worker *w = DOWNCAST(st_worker, self);
        u64 seen = __atomic_load_n(&latest, __ATOMIC_ACQUIRE), now = time_now();

        CHECK(now >= seen);                                     /* C1: one clock */
        while (seen < now && !__atomic_compare_exchange_n(&latest, &seen, now, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
                ;

        if (w->round == 0)
                task_set_space(arena);
        w->round++;
        if (time_now() > work_end) {
                __atomic_fetch_sub(&running, 1, __ATOMIC_SEQ_CST);
                task_exit();
                return NEVER;
        }
        if (w->kind == 0)
                churn(w);
        else if (w->kind == 1)
                remap(w);
        else if (w->kind == 2)
                look(w);
        else
                fork_space(w);
        return 0;
}
static const struct kthread_ops work_ops = { .step = work_step };

static void test_cpus(void)
{
        struct mem_stats before;
        u32 n = 2 * cpu_count() + 2;

        arena_payer = payer_new(NULL, U64_MAX);
        arena = vmspace_new(arena_payer);
        before = mem_stats();
        running = n;
        work_end = time_now() + 2 * NSEC_PER_SEC;
        for (u32 i = 0; i < n; i++) {
                struct st_worker *w = st_worker_alloc(NULL, MAY_RECLAIM);

                w->kind = i % 4 == 3 ? 3 : i < 2 ? i : i % 3 == 0 ? 0 : 2;
                w->seed = i * 77 + 1;
                struct task *t = task_new_kernel(&w->base, &work_ops, NULL);
                CHECK(t);
                st_worker_drop(w);
                task_start(t);
        }
        while (LOAD(running))
                ignore(sleep_until(time_now() + 10 * NSEC_PER_MSEC, WAIT_UNINTERRUPTIBLE));
        ignore(sleep_until(time_now() + 100 * NSEC_PER_MSEC, WAIT_UNINTERRUPTIBLE));
        for (u32 i = 0; i < SHARED; i++) {
                st_odd_drop(shared_objects[i]);
                frame_drop(shared_frames[i]);
        }
        vmspace_drop(arena);
        CHECK(payer_used(arena_payer) == 0);
        payer_drop(arena_payer);
        k_print("selftest: %d reads, %d of them stale\n", good_reads, stale_reads, 0);
        CHECK(stale_reads == 0);
        CHECK(mem_stats().byte_frames == before.byte_frames);
        u64 ipis = 0;
        for (u32 i = 0; i < cpu_count(); i++)
                ipis += cpu_counter(i, CPU_TLB_IPIS);
        k_print("selftest: %d TLB interrupts on %d CPUs\n", ipis, cpu_count(), 0);
}

/* Each page is where its word says, once: M1, M2, M3.  Nothing else runs. */
static void audit(void)
{
        i64 pages[F_KINDS] = { 0 };
        struct mem_stats s = mem_stats();

        for (u32 r = 0; r < mem_region_count; r++)
                for (u64 pfn = mem_regions[r].start >> PAGE_SHIFT, n; pfn < mem_regions[r].end >> PAGE_SHIFT; pfn += n) {
                        u64 w = word_of(frame_of(pfn)), kind = w >> KIND_SHIFT;

                        n = kind == F_FREE ? 1ul << (w & COUNT_MASK) : 1;
                        for (u64 i = 1; i < n; i++)
                                CHECK(word_of(frame_of(pfn + i)) == 0);
                        bool image = pfn + n > image_to_phys(k_image_start) >> PAGE_SHIFT && pfn < page_up(image_to_phys(k_image_end)) >> PAGE_SHIFT;
                        CHECK(kind == F_RESERVED || (!image && pfn >= TRAMPOLINE_LIMIT >> PAGE_SHIFT && pfn_is_ram(pfn + n - 1)));
                        pages[kind] += (i64)n;
                }
        CHECK((u64)(pages[F_FREE] + pages[F_CACHED]) == s.free);
        for (u32 c = 0; c < MAX_CPUS; c++)                      /* M6 */
                for (u32 i = 0; mem_cpu_of[c] && i < 14; i++) {
                        struct tables *t = &mem_cpu_of[c]->tables[i / 7];
                        const u64 *page = pfn_virt(t->page[i % 7]), *kernel = phys_to_virt(mmu_kernel_cr3);

                        for (u32 k = 0; i % 7 < t->n && k < 512; k++)
                                CHECK(page[k] == (i < 7 || k < 256 ? 0 : kernel[k]));
                }
        CHECK((u64)pages[F_BYTES] == s.byte_frames && (u64)pages[F_TABLE] == s.page_tables);
        CHECK((u64)pages[F_POOL] == s.pools && (u64)pages[F_STACK] == s.stacks && pages[F_ZERO] == 1);
}

/* V1: the oldest space has the kernel half that the newest would get. */
static void same_kernel_half(struct vmspace *s)
{
        const u64 *top = phys_to_virt(s->root), *kernel = phys_to_virt(mmu_kernel_cr3);

        for (u32 i = 256; i < 512; i++)
                CHECK(top[i] == kernel[i]);
        for (u32 i = 0; i < 256; i++)
                CHECK(kernel[i] == 0);
}

void mem_selftest(void);
void mem_selftest(void)
{
        struct vmspace *oldest = vmspace_new(NULL);

        log_set_console_level(LOG_INFO);
        audit();
        test_lib();
        test_pools();
        test_payers();
        test_frames();
        test_kernel_map();
        test_spaces();
        test_cursor_oops();
        test_exhaustion();
        test_cpus();
        audit();
        same_kernel_half(oldest);
        k_print("selftest: memory passed\n", 0, 0, 0);
}
#endif
