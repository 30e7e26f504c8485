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
        u32 spare;
        struct dentry_segment *segment[DSEGS];  /* PTR_LOAD; dcache; owned */
};
POOL_DECLARE(dentry_table)

struct dentry_table *dentry_table_new(struct payer *payer);

/* The child, not counted: believe it after reading its seq, comparing again what matters, and
 * finding the parent's and its own seq unchanged.  *seq is its seq before the comparison. */
struct dentry *dentry_peek(struct dentry *parent, const struct qname *q, u64 *seq);
/* Does d (whose seq was read before) have this name and parent? */
bool dentry_matches(struct dentry *d, struct dentry *parent, const struct qname *q);
