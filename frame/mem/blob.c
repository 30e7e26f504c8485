/* SPDX-License-Identifier: Apache-2.0
 *
 * Blobs: bytes on the heap, in one pool per capacity.  A slot's bytes are never anything else
 * and its capacity is its pool's, so a slice of a stale blob is still a slice of blob bytes.
 */
#include "impl.h"

OBJECT(blob) {
        u32 len;                /* content; at most the capacity */
        u32 size;               /* the capacity asked for; read through capacity_of */
        u64 words[];
};

/* The capacities leave room for header and length in round slots. */
#define CLASSES(X) X(40) X(104) X(168) X(232) X(488) X(1000) X(2024) X(4072) X(8168) X(16360) X(32744) X(65536)
#define DEFINE(n) \
        OBJECT(blob_##n) { u32 len; u32 spare; u8 bytes[n]; }; \
        struct pool k_pool_blob_##n __attribute__((section(".keel.pools"), used)) = \
        { .slot_k = (n + 8 + 16 + 15) & ~15u, .size_k = n + 8, .name_k = "blob_" #n };
CLASSES(DEFINE)
#define CAPACITY(n) n,
static const u32 capacity[] = { CLASSES(CAPACITY) };
#define POOL(n) &k_pool_blob_##n,
static struct pool *const pools[] = { CLASSES(POOL) };

/* What was asked for, but never more than the slot has: a stale blob may say anything. */
static u64 capacity_of(struct blob *b)
{
        u32 id = (u32)((u64)b >> K_REGION_SHIFT) & 255;
        struct pool *pool = &k_pools_start[id];

        k_range(id < (u32)(k_pools_end - k_pools_start));
        return min_u64(LOAD_RELAXED(b->size), pool->size_k - 8);
}

struct blob *blob_alloc(struct payer *payer, usize want)
{
        for (u32 i = 0; i < ARRAY_SIZE(capacity); i++)
                if (want <= capacity[i]) {
                        struct blob *b = k_pool_alloc(pools[i], payer, may_reclaim() ? MAY_RECLAIM : NOWAIT);

                        if (b)
                                b->len = b->size = (u32)want;
                        return b;
                }
        return NULL;
}

struct blob *blob_copy(struct payer *payer, bytes content)
{
        struct blob *b = blob_alloc(payer, content.n_k);

        if (b)
                __builtin_memcpy(b->words, content.p_k, content.n_k);
        return b;
}

struct blob *blob_hold(struct blob *b) { k_hold(b); return b; }
void   blob_drop(struct blob *b)       { k_drop(b); }
usize  blob_len(struct blob *b)        { return min_u64(LOAD_RELAXED(b->len), capacity_of(b)); }
/* SAFETY: O1: these bytes are blob bytes of this capacity for ever */
bytes  blob_bytes(struct blob *b)      { return (bytes){ (u8 *)b->words, blob_len(b) }; }
mbytes blob_mbytes(struct blob *b)     { return (mbytes){ (u8 *)b->words, capacity_of(b) }; }

void blob_set_len(struct blob *b, usize n)
{
        k_range(n <= capacity_of(b));
        STORE(b->len, (u32)n);
}
