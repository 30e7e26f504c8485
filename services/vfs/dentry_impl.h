/* SPDX-License-Identifier: Apache-2.0
 *
 * The dentry cache's inside: the hash table, and the look-up without counts that the path
 * walk uses.
 *
 * The table grows by linear hashing: bucket by bucket, as entries come in.  Buckets lie in
 * segments, which never move.
 */
#pragma once
#include "services/vfs/dentry.h"
#include "services/vfs/super.h"

#define DSEG 512u
#define DSEGS 128u                      /* 65536 buckets; then chains grow */

OBJECT(dentry_segment) { struct dentry *head[DSEG]; };
POOL_DECLARE(dentry_segment)
OBJECT(dentry_table) {
        u32 buckets;                    /* ATOMIC; dcache */
        u32 mask;                       /* ATOMIC: below the power of two that is not below buckets; dcache */
        struct dentry_segment *segment[DSEGS];  /* PTR_LOAD; dcache; owned */
};
POOL_DECLARE(dentry_table)

struct dentry_table *dentry_table_new(struct payer *payer);

static inline u32 bucket_of(const struct dentry_table *t, u32 hash)
{
        u32 mask = LOAD(t->mask), b = hash & mask;

        return b < LOAD(t->buckets) ? b : b & mask >> 1;
}

bool dentry_long_name_is(struct dentry *d, bytes name);
/* Does d (whose seq was read before) have this name and parent? */
static inline bool dentry_matches(struct dentry *d, struct dentry *parent, bytes name, u32 hash)
{
        if (LOAD_RELAXED(d->hash) != hash || PTR_LOAD(d->parent) != parent || LOAD_RELAXED(d->len) != bytes_len(name))
                return false;
        return bytes_len(name) <= DNAME_INLINE ? bytes_eq(bytes_take(BYTES_OF(d->name), bytes_len(name)), name) :
                dentry_long_name_is(d, name);
}

/* The child, not counted: believe it after reading its seq, comparing again what matters, and
 * finding the parent's and its own seq unchanged.  *seq is its seq before the comparison.
 * hash: dentry_name_hash(parent, bytes_hash(name)). */
#define CHAIN_LIMIT 4096                /* a stale chain might turn in circles */
static inline struct dentry *dentry_peek(struct dentry *parent, bytes name, u32 hash, u64 *seq)
{
        struct superblock *sb = parent->sb;
        struct dentry_table *t = sb ? PTR_LOAD(sb->table) : NULL;
        if (!t)
                return NULL;
        u32 b = bucket_of(t, hash);
        struct dentry_segment *s = PTR_LOAD(t->segment[b / DSEG % DSEGS]);
        struct dentry *d = s ? PTR_LOAD(s->head[b % DSEG]) : NULL;

        for (u32 i = 0; d && i < CHAIN_LIMIT; i++) {
                *seq = LOAD(d->seq);
                if (dentry_matches(d, parent, name, hash))
                        return d;
                d = PTR_LOAD(d->chain);
        }
        return NULL;
}
