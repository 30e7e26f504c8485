/* SPDX-License-Identifier: Apache-2.0
 *
 * Mounts: a superblock (or a part of it) at a place, in a mount namespace.
 *
 * Lifetime   A mount in a namespace's tree holds one count for the tree; paths, open files and
 *            child mounts (on their parent) hold further ones.
 * Locking    mount_family.lock (mutex, class mount_ns) for changes, as they spread from namespace to
 *            namespace; readers walk a namespace's table without lock and re-check mnt_ns.changes.
 */
#pragma once
#include "services/vfs/path.h"
#include "services/vfs/super.h"
#include "services/namespace/namespace.h"

#define MNT_RDONLY      1u              /* as MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC */
#define MNT_NOSUID      2u
#define MNT_NODEV       4u
#define MNT_NOEXEC      8u
#define MNT_NOSYMFOLLOW 0x100u
#define MNT_NOATIME     0x400u
#define MNT_NODIRATIME  0x800u
#define MNT_RELATIME    0x200000u
#define MNT_EXPIRING    0x80000000u     /* marked by MNT_EXPIRE; an open through it takes the mark away */
#define MNT_FLAGS (MNT_RDONLY | MNT_NOSUID | MNT_NODEV | MNT_NOEXEC | MNT_NOSYMFOLLOW | MNT_NOATIME | MNT_NODIRATIME | MNT_RELATIME)

/* The namespaces that descend from one: mounts of theirs may be peers. */
OBJECT(mount_family) {
        struct mutex lock;              /* class mount_ns */
        u64 next_group;                 /* lock */
        u32 max;                        /* mounts in one namespace: fs.mount-max; ATOMIC */
        struct mnt_ns *first;           /* not counted; lock */
};
POOL_DECLARE(mount_family)
#define MOUNT_MAX_DEFAULT 100000u

OBJECT(peer_group);                     /* mount_impl.h */

OBJECT(mount) {
        struct superblock *sb;          /* counted; fixed */
        struct dentry *root;            /* counted; fixed: the part of sb that is seen */
        u32 flags;                      /* MNT_*; ATOMIC */
        u32 id;                         /* mount id of mountinfo; fixed */
        u64 writers;                    /* ATOMIC: files open for writing through it */
        /* the family's lock; PTR_LOAD by walkers */
        struct mnt_ns *ns;              /* not counted: NULL when detached */
        struct mount *parent;           /* counted; NULL: the namespace's root, or detached */
        struct dentry *point;           /* counted: where it is mounted */
        struct mount *chain;            /* hash chain by (parent, point) */
        struct mount *next, *prev;      /* all of the namespace, in mount order; of others: a list of whoever works on them */
        struct mount *children, *last_child, *next_sibling, *prev_sibling;
        struct peer_group *group;       /* its peers and whom it receives from; NULL: private */
        struct mount *peer_next, *peer_prev;
        struct peer_group *spare;       /* owned, while propagation is changed: a group made beforehand */
        bool unbindable;
        bool going;                     /* while an umount is under way: it goes too, */
        struct mount *next_going;       /* in a list */
};
POOL_DECLARE(mount)

#define MNT_HASH 64
OBJECT(mnt_ns) {
        u64 inum;                       /* fixed */
        struct user_ns *user;           /* counted; fixed */
        struct mount_family *family;    /* counted; fixed */
        struct mnt_ns *next_ns, *prev_ns;       /* the family's list */
        u64 changes;                    /* ATOMIC: odd while the table changes; also poll of /proc/mounts */
        struct waitq changed;
        /* the family's lock */
        struct mount *root;             /* counted; PTR_LOAD */
        struct mount *first, *last;
        u32 count;
        u32 pending;                    /* mounts about to come */
        struct mount *table[MNT_HASH];  /* PTR_LOAD */
};

/* A namespace with sb as its root; takes its own count on sb. */
err_t mnt_ns_new(struct payer *payer, struct user_ns *user, struct superblock *root, struct mnt_ns **out);
/* CLONE_NEWNS: a copy of the tree; *fs (if not NULL) is moved over to it. */
struct fs_context;
err_t mnt_ns_copy(struct payer *payer, struct mnt_ns *old, struct user_ns *user, struct fs_context *fs, struct mnt_ns **out);

/* What is mounted on (mnt, dentry), or NULL.  Counted. */
struct mount *mount_at(struct mount *mnt, struct dentry *d);
/* The same without counting, for a walk that checks ns->changes at its end. */
struct mount *mount_peek(struct mount *mnt, struct dentry *d);
/* What it is mounted on; false: a namespace's root, or detached.  *out counted. */
bool mount_above(struct mount *mnt, struct path *out);
/* Exchanges *p for the root of what is mounted there, as often as something is. */
void path_descend(struct path *p);
static inline bool mount_is_readonly(struct mount *m) { return (LOAD_RELAXED(m->flags) & MNT_RDONLY) != 0 || super_is_readonly(m->sb); }
err_t mount_want_write(struct mount *m);                 /* EROFS */

/* Is anything of this namespace mounted on d? */
bool mount_is_on(struct mnt_ns *ns, struct dentry *d);
/* Takes away what is mounted on d, in all namespaces of the family. */
void mount_forget_point(struct mount_family *family, struct dentry *d);

/* mount(2) and umount2(2), as their man pages say.  The caller's CAP_SYS_ADMIN is checked here. */
struct mount_args { bytes source, target, type, options; u64 flags; bool no_type; };
err_t vfs_mount(const struct actor *who, const struct mount_args *args);
err_t vfs_umount(const struct actor *who, bytes target, u32 flags);
err_t vfs_pivot_root(const struct actor *who, bytes new_root, bytes put_old);
err_t vfs_chroot(const struct actor *who, bytes path);
/* For init: mounts sb at path. */
err_t mount_super(const struct actor *who, struct superblock *sb, bytes target, u32 flags);

/* A mount outside any namespace (pipes and the like). Takes a count on sb. */
struct mount *mount_new_internal(struct superblock *sb, u32 flags);       /* MNT_* */
#define MNT_INTERNAL_FLAGS (MNT_NOSUID | MNT_NODEV)

/* For /proc/PID/{mounts,mountinfo}: the mount of the namespace behind the cursor, as seen from `root`; ENOENT: that was the last;
 * *len 0: not reachable from there, skip it.  ENAMETOOLONG: out is too small. */
enum mount_format { MOUNTS_LINE, MOUNTINFO_LINE, MOUNTSTATS_LINE };
struct mount_cursor { struct mount *at; u64 n; };        /* n: how many came before; at: the last of them, counted, or NULL */
err_t mount_describe(struct mnt_ns *ns, const struct path *root, struct mount_cursor *c, enum mount_format how, mbytes out, usize *len);
