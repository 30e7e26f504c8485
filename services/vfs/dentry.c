/* SPDX-License-Identifier: Apache-2.0
 *
 * The dentry cache.  See dentry.h for lifetime, look-up and locking.
 *
 * Invariants  D1  a dentry that can be found through the table has DENTRY_HASHED, one count of
 *                 the cache, and stands in the superblock's ring.
 *             D2  name, hash, parent and inode change only while seq is 0, and seq then gets
 *                 a value no dentry ever had.
 *             D3  sb.dcache_moves is odd while an entry leaves or changes its chain.
 *             D4  dropping a dentry never recurses more than once, however deep it lay.
 */
#include "services/vfs/dentry_impl.h"
#include "services/vfs/inode.h"
#include "services/vfs/notify.h"
#include "services/vfs/path.h"
#include "services/vfs/registry.h"

static void dentry_fini(struct dentry *d)
{
        struct dentry *p = d->flags & DENTRY_ROOT ? NULL : d->parent;

        d->parent = NULL;
        if (d->inode)
                notify_gone(d->inode);
        inode_drop(d->inode);
        blob_drop(d->long_name);
        /* Removed directories hold each other upwards only: take that chain apart here (D4). */
        while (p && (LOAD(p->flags) & (DENTRY_HASHED | DENTRY_ROOT)) == 0 && dentry_refs(p) == 1) {
                struct dentry *up = p->parent;
                p->parent = NULL;
                dentry_drop(p);
                p = up;
        }
        dentry_drop(p);
}
POOL_DEFINE(dentry, dentry_fini);
POOL_DEFINE(dentry_segment, NO_FINI);

static void dentry_table_fini(struct dentry_table *t)
{
        for (u32 i = 0; i < DSEGS; i++)
                dentry_segment_drop(t->segment[i]);
}
POOL_DEFINE(dentry_table, dentry_table_fini);

struct dentry_table *dentry_table_new(struct payer *payer)
{
        struct dentry_table *t = dentry_table_alloc(payer, MAY_RECLAIM);

        if (!t)
                return NULL;
        t->segment[0] = dentry_segment_alloc(payer, MAY_RECLAIM);
        if (!t->segment[0]) {
                dentry_table_drop(t);
                return NULL;
        }
        t->buckets = DSEG;
        t->mask = DSEG - 1;
        return t;
}

/* ---- Names ---- */

bytes dentry_name(struct dentry *d)
{
        u32 len = LOAD_RELAXED(d->len);

        if (len <= DNAME_INLINE)
                return bytes_take(BYTES_OF(d->name), len);
        struct blob *b = PTR_LOAD(d->long_name);
        if (!b)
                return bytes_take(BYTES_OF(d->name), 0);        /* being changed: the reader's seq check sees to it */
        return blob_bytes(b);
}

bool dentry_long_name_is(struct dentry *d, bytes name) { return bytes_eq(dentry_name(d), name); }

/* ---- The table ---- */

static void chain_add(struct dentry_table *t, struct dentry *d)
{
        u32 b = bucket_of(t, d->hash);
        struct dentry_segment *s = t->segment[b / DSEG];

        PTR_STORE(d->chain, s->head[b % DSEG]);
        PTR_STORE(s->head[b % DSEG], d);
}

static void chain_remove(struct dentry_table *t, struct dentry *d)
{
        u32 b = bucket_of(t, d->hash);
        struct dentry_segment *s = t->segment[b / DSEG];
        struct dentry *at = s->head[b % DSEG];

        if (at == d) {
                PTR_STORE(s->head[b % DSEG], d->chain);
                return;
        }
        while (at->chain != d)
                at = at->chain;
        PTR_STORE(at->chain, d->chain);
}

/* One bucket more; the entries of its elder brother are dealt out anew. */
static void grow_locked(struct superblock *sb)
{
        struct dentry_table *t = sb->table;
        u32 n = t->buckets;

        if (n == DSEG * DSEGS)
                return;
        if (n % DSEG == 0 && !t->segment[n / DSEG]) {
                struct dentry_segment *s = dentry_segment_alloc(sb->payer, NOWAIT);
                if (!s)
                        return;         /* chains grow instead */
                PTR_STORE(t->segment[n / DSEG], s);
        }
        FETCH_ADD(sb->dcache_moves, 1);
        if (n > t->mask)
                STORE(t->mask, 2 * t->mask + 1);
        u32 old = n & t->mask >> 1;     /* what bucket n's hashes fell into so far */
        struct dentry_segment *s = t->segment[old / DSEG];
        struct dentry *d = s->head[old % DSEG];
        PTR_STORE(s->head[old % DSEG], NULL);
        STORE(t->buckets, n + 1);
        while (d) {
                struct dentry *next = d->chain;
                chain_add(t, d);
                d = next;
        }
        FETCH_ADD(sb->dcache_moves, 1);
}

static struct dentry *find_locked(struct dentry *parent, const struct qname *q)
{
        u64 seq;

        return dentry_peek(parent, q->name, q->hash, &seq);
}

static void mark_used(struct dentry *d)
{
        if ((LOAD_RELAXED(d->flags) & DENTRY_REFERENCED) == 0)
                FETCH_OR(d->flags, DENTRY_REFERENCED);
}

struct dentry *dentry_find(struct dentry *parent, const struct qname *q)
{
        struct superblock *sb = parent->sb;
        u64 at = LOAD(sb->dcache_moves), seq = 0;
        struct dentry *d = dentry_peek(parent, q->name, q->hash, &seq);

        if (d && seq != 0 && dentry_try_hold(d)) {
                if (LOAD(d->seq) == seq && (LOAD(d->flags) & DENTRY_HASHED) != 0) {
                        mark_used(d);
                        return d;
                }
                dentry_drop(d);
        } else if (!d && (at & 1) == 0 && LOAD(sb->dcache_moves) == at) {
                return NULL;
        }
        SPIN_GUARD(&sb->dcache);
        d = find_locked(parent, q);
        return d ? dentry_hold(d) : NULL;
}

/* ---- Making ---- */

static struct dentry *new_dentry(struct superblock *sb, bytes name)
{
        struct dentry *d = dentry_alloc(payer_current(), MAY_RECLAIM);

        if (!d)
                return NULL;
        d->sb = sb;
        d->id = unique_u64();
        d->seq = unique_u64();
        d->len = (u32)bytes_len(name);
        if (d->len <= DNAME_INLINE) {
                mbytes_copy(MBYTES_OF(d->name), name);
        } else {
                d->long_name = blob_copy(payer_current(), name);
                if (!d->long_name) {
                        dentry_drop(d);
                        return NULL;
                }
        }
        return d;
}

struct dentry *dentry_new(struct dentry *parent, bytes name, u32 hash)
{
        struct dentry *d = new_dentry(parent->sb, name);

        if (!d)
                return NULL;
        d->parent = dentry_hold(parent);
        d->hash = hash;
        dentry_publish(d);
        return d;
}

static struct dentry *new_rooted(struct superblock *sb, bytes name, struct inode *inode, u32 flags)
{
        struct dentry *d = new_dentry(sb, name);

        if (!d) {
                inode_drop(inode);
                return NULL;
        }
        d->flags = DENTRY_ROOT | flags;
        d->parent = d;
        d->inode = inode;
        dentry_publish(d);
        return d;
}

struct dentry *dentry_new_root(struct superblock *sb, struct inode *inode)
{
        return new_rooted(sb, STR("/"), inode, 0);
}

struct dentry *dentry_new_anon(struct superblock *sb, bytes name, struct inode *inode)
{
        return new_rooted(sb, name, inode, DENTRY_ANON);
}

static void ring_add(struct superblock *sb, struct dentry *d)
{
        if (!sb->newest) {
                d->ring_next = d;
                d->ring_prev = d;
        } else {
                d->ring_prev = sb->newest;
                d->ring_next = sb->newest->ring_next;
                d->ring_prev->ring_next = d;
                d->ring_next->ring_prev = d;
        }
        sb->newest = d;
        sb->dentries++;
}

static void ring_remove(struct superblock *sb, struct dentry *d)
{
        if (d->ring_next == d) {
                sb->newest = NULL;
                sb->hand = NULL;
        } else {
                d->ring_prev->ring_next = d->ring_next;
                d->ring_next->ring_prev = d->ring_prev;
                if (sb->newest == d)
                        sb->newest = d->ring_prev;
                if (sb->hand == d)
                        sb->hand = d->ring_next;
        }
        d->ring_next = NULL;
        d->ring_prev = NULL;
        sb->dentries--;
}

static struct dentry *hash_locked(struct dentry *d)
{
        struct superblock *sb = d->sb;
        struct qname q = { .name = dentry_name(d), .hash = d->hash };
        struct dentry *old = find_locked(d->parent, &q);

        if (old)
                return dentry_hold(old);
        dentry_hold(d);                                         /* D1 */
        FETCH_OR(d->flags, DENTRY_HASHED);
        ring_add(sb, d);
        chain_add(sb->table, d);
        if (sb->dentries > sb->table->buckets)
                grow_locked(sb);
        return d;
}

struct dentry *dentry_hash(struct dentry *d)
{
        spin_lock(&d->sb->dcache);
        struct dentry *at = hash_locked(d);
        spin_unlock(&d->sb->dcache);
        if (at != d)
                dentry_drop(d);
        return at;
}

/* Opens and closes a change of d: D2. */
static void change_begin(struct dentry *d) { XCHG(d->seq, 0); }
static void change_end(struct dentry *d)   { STORE(d->seq, unique_u64()); }

void dentry_set(struct dentry *d, struct inode *inode)
{
        SPIN_GUARD(&d->sb->dcache);
        assert(!d->inode);
        change_begin(d);
        PTR_STORE(d->inode, inode);
        change_end(d);
}

/* Takes it out of table and ring; true: the cache's count is now the caller's to drop. */
static bool unhash_locked(struct dentry *d)
{
        struct superblock *sb = d->sb;

        if ((d->flags & DENTRY_HASHED) == 0)
                return false;
        FETCH_ADD(sb->dcache_moves, 1);
        change_begin(d);
        chain_remove(sb->table, d);
        FETCH_AND(d->flags, ~DENTRY_HASHED);
        change_end(d);
        FETCH_ADD(sb->dcache_moves, 1);
        ring_remove(sb, d);
        return true;
}

static void unhash_and_mark(struct dentry *d, u32 mark)
{
        spin_lock(&d->sb->dcache);
        if (mark)
                FETCH_OR(d->flags, mark);
        bool was = unhash_locked(d);
        spin_unlock(&d->sb->dcache);
        if (was)
                dentry_drop(d);
}

void dentry_unhash(struct dentry *d) { unhash_and_mark(d, 0); }
void dentry_delete(struct dentry *d) { unhash_and_mark(d, DENTRY_DELETED); }

/* ---- Renaming ---- */

static void swap_places(struct dentry *a, struct dentry *b)
{
        u8 name[DNAME_INLINE];
        u32 len = a->len, hash = a->hash;
        struct blob *long_name = a->long_name;
        struct dentry *parent = a->parent;

        mbytes_copy(MBYTES_OF(name), BYTES_OF(a->name));
        mbytes_copy(MBYTES_OF(a->name), BYTES_OF(b->name));
        mbytes_copy(MBYTES_OF(b->name), BYTES_OF(name));
        a->len = b->len;
        b->len = len;
        a->hash = b->hash;
        b->hash = hash;
        PTR_STORE(a->long_name, b->long_name);
        PTR_STORE(b->long_name, long_name);
        PTR_STORE(a->parent, b->parent);
        PTR_STORE(b->parent, parent);
}

static bool move_locked(struct dentry *d, struct dentry *target, bool exchange)
{
        struct superblock *sb = d->sb;
        bool drop = !exchange && unhash_locked(target);
        bool d_hashed = (d->flags & DENTRY_HASHED) != 0, t_hashed = (target->flags & DENTRY_HASHED) != 0;

        FETCH_ADD(sb->dcache_moves, 1);
        change_begin(d);
        change_begin(target);
        if (d_hashed)
                chain_remove(sb->table, d);
        if (t_hashed)
                chain_remove(sb->table, target);
        swap_places(d, target);
        if (d_hashed)
                chain_add(sb->table, d);
        if (t_hashed)
                chain_add(sb->table, target);
        if (!exchange && target->inode)
                FETCH_OR(target->flags, DENTRY_DELETED);
        change_end(target);
        change_end(d);
        FETCH_ADD(sb->dcache_moves, 1);
        return drop;
}

void dentry_move(struct dentry *d, struct dentry *target, bool exchange)
{
        spin_lock(&d->sb->dcache);
        bool drop = move_locked(d, target, exchange);
        spin_unlock(&d->sb->dcache);
        if (drop)
                dentry_drop(target);
}

bool dentry_is_below(struct dentry *d, struct dentry *ancestor)
{
        while (d && d != ancestor) {
                struct dentry *up = PTR_LOAD(d->parent);
                if (up == d)
                        return false;
                d = up;
        }
        return d == ancestor;
}

/* ---- Forgetting ---- */

#define SHRINK_BATCH 32
#define LOOKS 512                       /* under one hold of the lock */
struct doomed { u32 n, seen; struct dentry *d[SHRINK_BATCH]; };

/* Takes up to a batch of unused dentries out. all: recently used ones too. */
static void shrink_locked(struct superblock *sb, u64 count, bool all, struct doomed *out)
{
        u32 looks = sb->dentries < LOOKS / 2 ? 2 * sb->dentries : LOOKS;

        for (u32 i = 0; i < looks && out->n < SHRINK_BATCH && out->n < count; i++) {
                struct dentry *d = sb->hand ? sb->hand : sb->newest;
                if (!d)
                        break;
                sb->hand = d->ring_next;
                if (dentry_refs(d) != 1)
                        continue;
                if (!all && (d->flags & DENTRY_REFERENCED) != 0) {
                        FETCH_AND(d->flags, ~DENTRY_REFERENCED);
                        continue;
                }
                if (unhash_locked(d))
                        out->d[out->n++] = d;
        }
}

/* One round over the whole ring, for a file system that goes away. */
static void shrink_all_locked(struct superblock *sb, struct doomed *out)
{
        u32 left = sb->dentries;
        struct dentry *d = sb->newest;

        for (; d && left > 0 && out->n < SHRINK_BATCH; left--) {
                struct dentry *prev = d->ring_prev;
                if (dentry_refs(d) == 1 && unhash_locked(d))
                        out->d[out->n++] = d;
                d = prev;
        }
}

u64 dentry_shrink(struct superblock *sb, u64 count)
{
        u64 done = 0, looks = 0, enough = 2 * (u64)LOAD_RELAXED(sb->dentries);   /* the first look may only take a mark off */

        for (;;) {
                struct doomed b = { };
                if (!spin_trylock(&sb->dcache))
                        return done;
                if (count == U64_MAX)
                        shrink_all_locked(sb, &b);
                else
                        shrink_locked(sb, count - done, false, &b);
                spin_unlock(&sb->dcache);
                for (u32 i = 0; i < b.n; i++)
                        dentry_drop(b.d[i]);
                done += b.n;
                looks += LOOKS;
                if ((b.n == 0 && looks > enough) || done >= count)
                        return done;
        }
}

void dentry_forget(struct superblock *sb, bool (*stale)(struct dentry *d))
{
        struct dentry *at = NULL;       /* counted: where the next hold of the lock goes on */
        u32 left = LOAD_RELAXED(sb->dentries);

        do {
                struct doomed b = { };
                spin_lock(&sb->dcache);
                struct dentry *d = at ? at : sb->newest, *from = at;
                for (u32 looks = LOOKS; d && left > 0 && looks > 0 && b.n < SHRINK_BATCH; left--, looks--) {
                        struct dentry *prev = d->ring_prev;
                        if (dentry_refs(d) == 1 + (d == from) && stale(d) && unhash_locked(d))
                                b.d[b.n++] = d;
                        d = prev;
                }
                at = d && (LOAD(d->flags) & DENTRY_HASHED) != 0 ? dentry_hold(d) : NULL;
                spin_unlock(&sb->dcache);
                dentry_drop(from);
                for (u32 i = 0; i < b.n; i++)
                        dentry_drop(b.d[i]);
        } while (at && left > 0);
        dentry_drop(at);
}
