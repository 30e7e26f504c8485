/* SPDX-License-Identifier: Apache-2.0
 *
 * Pools, payers, blobs, frames.
 */
#include "tests/host/frame/host_impl.h"

void *mmap(void *, usize, int, int, int, long);
void *aligned_alloc(usize, usize);
void __asan_poison_memory_region(const volatile void *, usize);
void __asan_unpoison_memory_region(const volatile void *, usize);

u64  host_allocs, host_fail_at, host_live_objects, host_live_frames, host_live_others;
bool host_fail_rest, host_poison = true, host_spends;
static bool one_failed;

void host_fail_from(u64 n)  { host_allocs = 0; host_fail_at = n; one_failed = false; }
bool host_failed_one(void)  { return one_failed; }
u64  host_live(void)        { return host_live_objects + host_live_frames + host_live_others; }

bool host_alloc_fails(void)
{
        host_allocs++;
        if (!host_fail_at || !(host_allocs == host_fail_at || (host_fail_rest && host_allocs > host_fail_at)))
                return false;
        one_failed = true;
        return true;
}

/* ---- pools ---- */

#define REGION     (1ul << K_REGION_SHIFT)
#define MAX_POOLS  256
#define REST       64                           /* freed slots that rest before one is used again */

struct host_pool { struct pool *pool; u64 used, live; u32 *free; u64 free_from, free_to, free_cap; };
static struct host_pool pools[MAX_POOLS];
static u32 n_pools;
static u64 regions;

static struct host_pool *pool_of(const void *p)
{
        u64 i = ((u64)p - regions) / REGION;
        CHECK(regions && i < n_pools);
        CHECK(((u64)p - pools[i].pool->base_k) % pools[i].pool->slot_k == 0);
        return &pools[i];
}

static struct host_pool *pool_state(struct pool *pool)
{
        if (pool->state_k)
                return pool->state_k;
        if (!regions)
                regions = (u64)mmap(NULL, REGION * MAX_POOLS, 3, 0x4022, -1, 0);        /* private, anonymous, no reserve */
        CHECK((i64)regions > 0 && n_pools < MAX_POOLS);
        struct host_pool *h = &pools[n_pools];
        h->pool = pool;
        pool->base_k = regions + REGION * n_pools++ + 64;
        pool->state_k = h;
        return h;
}

static void give_back(struct host_pool *h, u32 slot)
{
        if (h->free_to - h->free_from == h->free_cap) {
                u64 cap = h->free_cap ? h->free_cap * 2 : 256;
                u32 *grown = malloc(cap * sizeof *grown);
                for (u64 i = h->free_from; i < h->free_to; i++)
                        grown[i % cap] = h->free[i % h->free_cap];
                free(h->free);
                h->free = grown;
                h->free_cap = cap;
        }
        h->free[h->free_to++ % h->free_cap] = slot;
}

void *k_pool_alloc(struct pool *pool, struct payer *payer, enum alloc_mode mode)
{
        if (mode == MAY_RECLAIM)
                host_may_sleep();
        struct host_pool *h = pool_state(pool);
        if (host_alloc_fails() || !host_charge(payer, pool->slot_k))
                return NULL;
        u64 rest = host_poison ? REST : 0;
        u64 slot = h->free_to - h->free_from > rest ? h->free[h->free_from++ % h->free_cap] : h->used++;
        CHECK(slot * pool->slot_k + pool->slot_k < REGION);
        void *p = (void *)(pool->base_k + slot * pool->slot_k);
        __asan_unpoison_memory_region(p, pool->size_k);
        for (u32 i = 0; i < pool->size_k; i++)
                CHECK(!((u8 *)p)[i]);           /* nobody wrote to a dead object */
        *k_hdr(p) = (struct k_obj){ .refs = 1 | K_UNPUBLISHED, .charge = host_spends && payer ? pool->slot_k : 0, .payer = payer };
        host_live_objects++;
        h->live++;
        return p;
}

void k_pool_free(void *p)
{
        struct host_pool *h = pool_of(p);
        if (h->pool->fini_k)
                h->pool->fini_k(p);
        CHECK(k_hdr(p)->refs == K_FREE);
        memset(p, 0, h->pool->size_k);
        if (k_hdr(p)->charge)
                host_uncharge(k_hdr(p)->payer, k_hdr(p)->charge);
        k_hdr(p)->charge = 0;
        if (host_poison)
                __asan_poison_memory_region(p, h->pool->size_k);
        give_back(h, (u32)(((u64)p - h->pool->base_k) / h->pool->slot_k));
        host_live_objects--;
        h->live--;
}

void k_count_trap(void *p)
{
        host_fail(pool_of(p)->pool->name_k, (int)k_hdr(p)->refs, "hold or drop of a dead object");
}

bool k_try_hold(void *p)
{
        if (!p)
                return false;
        u32 old = k_hdr(p)->refs;
        if (old == 0 || old >= K_SATURATED - 1)
                return false;
        k_hdr(p)->refs++;
        return true;
}

void host_report_live(void)
{
        for (u32 i = 0; i < n_pools; i++)
                if (pools[i].live)
                        printf("  alive: %lu %s\n", pools[i].live, pools[i].pool->name_k);
        if (host_live_frames)
                printf("  alive: %lu frames\n", host_live_frames);
        if (host_live_others)
                printf("  alive: %lu others (blobs, payers, spaces, timers)\n", host_live_others);
}

bool pool_stats(u32 i, struct pool_stats *out)
{
        if (i >= n_pools)
                return false;
        *out = (struct pool_stats){ .name = { (const u8 *)pools[i].pool->name_k, strlen(pools[i].pool->name_k) },
                .used = pools[i].live, .slots = pools[i].used, .size = pools[i].pool->size_k };
        return true;
}

/* ---- payers: as in frame/mem, without stocks ---- */

OBJECT(payer) { u64 used, limit; struct payer *parent; };
static void payer_fini(struct payer *p) { k_drop(p->parent); }
POOL_DEFINE(payer, payer_fini);

struct payer *payer_new(struct payer *parent, u64 limit)
{
        struct payer *p = k_pool_alloc(&k_pool_payer, NULL, MAY_RECLAIM);
        if (!p)
                return NULL;
        if (parent)
                k_hold(parent);
        p->parent = parent;
        p->limit = limit;
        k_publish(p);
        return p;
}
struct payer *payer_hold(struct payer *p) { k_hold(p); return p; }
void payer_drop(struct payer *p)          { k_drop(p); }
u64  host_payer_used(struct payer *p)     { return p->used; }
void host_payer_limit(struct payer *p, u64 limit) { p->limit = limit; }

bool host_charge(struct payer *p, u64 n)
{
        if (p)
                CHECK(k_refs(p));
        if (!host_spends || !p)
                return true;
        for (struct payer *q = p; q; q = q->parent)
                if (q->used + n > q->limit)
                        return false;
        if (!p->used)
                k_hold(p);
        for (struct payer *q = p; q; q = q->parent)
                q->used += n;
        return true;
}

void host_uncharge(struct payer *p, u64 n)
{
        if (!p || !n)
                return;
        for (struct payer *q = p; q; q = q->parent) {
                CHECK(q->used >= n);
                q->used -= n;
        }
        if (!p->used)
                k_drop(p);
}

/* ---- blobs ---- */

struct blob { u32 refs; usize cap, len; struct payer *payer; u8 b[]; };

struct blob *blob_alloc(struct payer *payer, usize cap)
{
        if (cap > BLOB_MAX || host_alloc_fails() || !host_charge(payer, cap))
                return NULL;
        struct blob *b = calloc(1, sizeof *b + cap);
        b->refs = 1;
        b->cap = b->len = cap;
        b->payer = host_spends ? payer : NULL;
        host_live_others++;
        return b;
}
struct blob *blob_copy(struct payer *payer, bytes s)
{
        struct blob *b = blob_alloc(payer, s.n_k);
        if (b && s.n_k)
                memcpy(b->b, s.p_k, s.n_k);
        return b;
}
struct blob *blob_hold(struct blob *b) { CHECK(b->refs); b->refs++; return b; }
void blob_drop(struct blob *b)
{
        if (!b)
                return;
        CHECK(b->refs);
        if (--b->refs)
                return;
        host_uncharge(b->payer, b->cap);
        host_live_others--;
        free(b);
}
bytes  blob_bytes(struct blob *b)  { return (bytes){ b->b, b->len }; }
mbytes blob_mbytes(struct blob *b) { return (mbytes){ b->b, b->cap }; }
usize  blob_len(struct blob *b)    { return b->len; }
void   blob_set_len(struct blob *b, usize n) { k_range(n <= b->cap); b->len = n; }

/* ---- frames: handles are for ever, bytes are malloc'ed ---- */

struct frame { u32 refs, maps, pins, next_free; u8 *data; struct payer *payer; };
#define FRAMES (1u << 20)
static struct frame *frames;
static u32 frames_used, frames_free;            /* index + 1, as next_free */
static u8 zeros[PAGE_SIZE] __attribute__((aligned(4096)));
static struct frame zero = { .refs = 1, .data = zeros };

struct frame *frame_zero_page(void) { return &zero; }

struct frame *frame_alloc(struct payer *payer, u32 flags)
{
        if (!(flags & FRAME_NOWAIT))
                host_may_sleep();
        if (host_alloc_fails() || !host_charge(payer, PAGE_SIZE))
                return NULL;
        if (!frames)
                frames = mmap(NULL, FRAMES * sizeof *frames, 3, 0x4022, -1, 0);
        u32 i = frames_free ? frames_free - 1 : frames_used++;
        CHECK(i < FRAMES);
        struct frame *f = &frames[i];
        if (frames_free)
                frames_free = f->next_free;
        *f = (struct frame){ .refs = 1, .data = aligned_alloc(PAGE_SIZE, PAGE_SIZE), .payer = host_spends ? payer : NULL };
        memset(f->data, flags & FRAME_ZERO ? 0 : 0xdd, PAGE_SIZE);
        host_live_frames++;
        return f;
}

static void frame_end(struct frame *f)
{
        if (f->refs || f->pins)
                return;
        CHECK(!f->maps);
        host_uncharge(f->payer, PAGE_SIZE);
        free(f->data);
        *f = (struct frame){ .next_free = frames_free };
        frames_free = (u32)(f - frames) + 1;
        host_live_frames--;
}
struct frame *frame_hold(struct frame *f) { CHECK(f->refs); if (f != &zero) f->refs++; return f; }
bool frame_try_hold(struct frame *f)      { if (!f || !f->refs) return false; frame_hold(f); return true; }
void frame_drop(struct frame *f)
{
        if (!f || f == &zero)
                return;
        CHECK(f->refs > f->maps);
        f->refs--;
        frame_end(f);
}
void host_map_frame(struct frame *f)   { if (f != &zero) frame_hold(f)->maps++; }
void host_unmap_frame(struct frame *f) { if (f != &zero) { CHECK(f->maps); f->maps--; frame_drop(f); } }

u32   frame_refs(struct frame *f)     { return f->refs; }
u32   frame_mappings(struct frame *f) { return f->maps; }
u64   frame_number(struct frame *f)   { return f == &zero ? 1 : 2 + (u64)(f - frames); }
mbytes host_frame_bytes(struct frame *f) { CHECK(f->refs); return (mbytes){ f->data, PAGE_SIZE }; }

struct pin k_pin(struct frame *f)      { if (f && f->refs && f != &zero) f->pins++; return (struct pin){ f && f->refs ? f : NULL }; }
void k_unpin(struct pin *p)            { if (p->f_k && p->f_k != &zero) { CHECK(p->f_k->pins); p->f_k->pins--; frame_end(p->f_k); } }
mbytes pin_bytes(struct pin *p)        { return p->f_k ? (mbytes){ p->f_k->data, PAGE_SIZE } : NO_MBYTES; }

void frame_read(struct frame *f, usize off, mbytes dst) { mbytes_copy(dst, bytes_sub(bytes_const(host_frame_bytes(f)), off, dst.n_k)); }
void frame_write(struct frame *f, usize off, bytes src) { CHECK(f != &zero); mbytes_copy(mbytes_sub(host_frame_bytes(f), off, src.n_k), src); }
void frame_fill(struct frame *f, usize off, usize len, u8 v) { CHECK(f != &zero); mbytes_fill(mbytes_sub(host_frame_bytes(f), off, len), v); }
void frame_copy(struct frame *d, struct frame *s) { CHECK(d != &zero); mbytes_copy(host_frame_bytes(d), bytes_const(host_frame_bytes(s))); }

struct mem_stats mem_stats(void)
{
        u64 total = 1ul << 20;
        return (struct mem_stats){ .total = total, .free = total - host_live_frames, .byte_frames = host_live_frames };
}

static const struct shrinker *shrinkers[16];
static u32 n_shrinkers;
void shrinker_register(const struct shrinker *s)
{
        for (u32 i = 0; i < n_shrinkers; i++)
                if (shrinkers[i] == s)
                        return;
        CHECK(n_shrinkers < 16);
        shrinkers[n_shrinkers++] = s;
}
u64 mem_reclaim(u64 pages)
{
        u64 got = 0;
        for (u32 i = 0; i < n_shrinkers; i++)
                got += shrinkers[i]->scan(pages);
        return got;
}

/* ---- the initrd ---- */

static struct frame **initrd;
static u64 initrd_size;

void host_initrd(bytes content)
{
        for (u64 i = 0; i < page_up(initrd_size) / PAGE_SIZE; i++)
                frame_drop(initrd[i]);
        free(initrd);
        initrd_size = content.n_k;
        initrd = calloc(page_up(initrd_size) / PAGE_SIZE + 1, sizeof *initrd);
        u64 at = host_fail_at;
        host_fail_at = 0;
        for (u64 i = 0; i * PAGE_SIZE < initrd_size; i++) {
                initrd[i] = frame_alloc(NULL, 0);
                frame_write(initrd[i], 0, bytes_sub(content, i * PAGE_SIZE, min_u64(PAGE_SIZE, initrd_size - i * PAGE_SIZE)));
        }
        host_fail_at = at;
}
u64 boot_initrd_size(void) { return initrd_size; }
struct frame *boot_initrd_frame(u64 i)
{
        if (i >= page_up(initrd_size) / PAGE_SIZE)
                return NULL;
        struct frame *f = initrd[i];
        initrd[i] = NULL;
        return f;
}
