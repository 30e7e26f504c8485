/* SPDX-License-Identifier: Apache-2.0
 *
 * The dentry cache: (parent, name) → inode, or the knowledge that there is none.
 *
 * Lifetime   A hashed dentry has one count of the cache; a child holds its parent.  The
 *            shrinker takes out those that nobody else holds.
 * Look-up    takes no lock and writes nothing: a dentry's `seq` is unique to one state of
 *            one dentry (a new value at every change, 0 when freed), so a walk reads seq, uses
 *            the fields, and believes them if seq is still the same.  A miss is believed if
 *            sb.dcache_moves did not move.
 * Locking    sb.dcache (spin) for links and changes; name and parent change only with both
 *            directories' locks held exclusively; negative to positive with the directory's.
 */
#pragma once

BASE(inode);
BASE(superblock);
OBJECT(mount);

#define NAME_MAX_LEN 255u
#define DNAME_INLINE 40

OBJECT(dentry) {
        u64 seq;                        /* ATOMIC: names this state; see above */
        struct dentry *chain;           /* next in the hash chain; PTR_LOAD; sb.dcache */
        struct dentry *parent;          /* counted; itself (not counted) for a root; sb.dcache */
        struct inode *inode;            /* counted; NULL: negative; PTR_LOAD */
        u32 hash;
        u32 len;                        /* of the name */
        u8  name[DNAME_INLINE];         /* len <= DNAME_INLINE: the name */
        struct blob *long_name;         /* else: here; counted */
        struct superblock *sb;          /* counted through the inode or parent; fixed */
        u64 id;                         /* unique, never reused; fixed */
        u32 flags;                      /* DENTRY_*; ATOMIC */
        u32 mounted;                    /* ATOMIC: mounts on this dentry, all namespaces */
        struct dentry *ring_next, *ring_prev;   /* sb.dcache */
};
POOL_DECLARE(dentry)

#define DENTRY_HASHED     1u            /* can be found */
#define DENTRY_DELETED    2u            /* was unlinked: d_path says " (deleted)" */
#define DENTRY_REFERENCED 4u            /* used since the shrinker came by */
#define DENTRY_ROOT       8u            /* the root of its file system */
#define DENTRY_ANON       0x10u         /* no name in any directory: pipes, sockets: "pipe:[123]" */

/* A path component with its hash. */
struct qname { bytes name; u32 hash; };
static inline u32 dentry_name_hash(const struct dentry *parent, u32 hash) { return hash ^ (u32)(parent->id * 0x9e3779b97f4a7c15ul >> 32); }
static inline struct qname qname(const struct dentry *parent, bytes name)
{
        return (struct qname){ .name = name, .hash = dentry_name_hash(parent, bytes_hash(name)) };
}

static inline bool dentry_is_negative(const struct dentry *d) { return PTR_LOAD(d->inode) == NULL; }
/* The name; a borrow of the dentry, stable while its directory's lock is held. */
bytes dentry_name(struct dentry *d);

/* The child if it is cached, counted (it may be negative); NULL: not cached. */
struct dentry *dentry_find(struct dentry *parent, const struct qname *q);
/* A new dentry, negative, not hashed, count 1.  NULL: no memory. */
struct dentry *dentry_new(struct dentry *parent, bytes name, u32 hash);
struct dentry *dentry_new_root(struct superblock *sb, struct inode *inode);    /* takes over the count on inode, also on failure; NULL: no memory */
struct dentry *dentry_new_anon(struct superblock *sb, bytes name, struct inode *inode);  /* the same */
/* Makes it findable; if another came first, returns that one, counted, and drops d. */
struct dentry *dentry_hash(struct dentry *d);
/* negative → positive: takes over the count on inode. */
void dentry_set(struct dentry *d, struct inode *inode);
void dentry_unhash(struct dentry *d);                    /* can no longer be found; open users keep it */
void dentry_delete(struct dentry *d);                    /* after unlink or rmdir: unhash, DELETED */
/* After a rename: d takes the place of `target` (unhashed if `exchange` is false, else they swap). ENOMEM is
 * impossible: names move. */
void dentry_move(struct dentry *d, struct dentry *target, bool exchange);
/* For file systems whose entries vanish by themselves (procfs): drops those that nobody uses and `stale`, called with sb.dcache held,
 * says are of no more use.  Children go before their directories, but some may be left behind. */
void dentry_forget(struct superblock *sb, bool (*stale)(struct dentry *d));
bool dentry_is_below(struct dentry *d, struct dentry *ancestor);        /* or the same; sb.rename held, or a hint */
u64  dentry_shrink(struct superblock *sb, u64 count);    /* drops up to count unused ones; returns how many */
