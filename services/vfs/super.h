/* SPDX-License-Identifier: Apache-2.0
 *
 * Superblocks: one file system instance.  Each file system embeds one first in its own
 * OBJECT.  And file system types, as mount(2) names them.
 *
 * Lifetime   A superblock lives while a mount (or a dentry or inode of it) holds it.
 * Locking    `dcache` (spin) guards its dentry table; `lock` (mutex, class super) remounts.
 */
#pragma once
#include "abi/linux/stat.h"

BASE(superblock);
BASE(inode);
OBJECT(dentry);
OBJECT(dentry_table);
OBJECT(inode_locks);

/* What finds an inode again in its file system, as long as it lives: name_to_handle_at(2). */
struct inode_handle { u64 ino; u32 generation; u32 pad; };

/*                   called with           on error
 * statfs            nothing               out unset
 * remount           super lock            nothing changed        NULL: only the flags change
 * sync              nothing               EIO                    NULL: nothing to write
 * revalidate        a held dentry         false: the dentry is stale, look up again (NULL: never stale)
 * show_options      nothing               appends ",size=…" for /proc/mounts to out, returns bytes (NULL: none)
 * handle_of         a held inode          *out unset             NULL, or EOPNOTSUPP: none has one
 * handle_find       nothing               ESTALE                 *out: a counted dentry of it, below the root if it has a name
 * kill              last mount gone, dentries dropped but for the root's (NULL: nothing) */
STABLE(super_ops) {
        err_t (*statfs)(struct superblock *sb, struct linux_statfs *out);
        err_t (*remount)(struct superblock *sb, u32 flags, bytes options);
        err_t (*sync)(struct superblock *sb);
        bool  (*revalidate)(struct dentry *d);
        usize (*show_options)(struct superblock *sb, mbytes out);
        err_t (*handle_of)(struct inode *inode, struct inode_handle *out);
        err_t (*handle_find)(struct superblock *sb, const struct inode_handle *h, struct dentry **out);
        void  (*kill)(struct superblock *sb);
};

/* A mount request's words. */
struct mount_request {
        u32   flags;                    /* MS_* */
        bytes source;
        bytes options;                  /* the data string, comma separated */
        struct payer *payer;
};

STABLE(fs_type) {
        u8   name[16];
        u32  flags;
        /* Makes (or, for a single-instance one, holds) a superblock.  Counted. */
        err_t (*mount)(const struct fs_type *type, const struct mount_request *req, struct superblock **out);
};
#define FS_NODEV       1u               /* no block device: "nodev" in /proc/filesystems */
#define FS_USERNS      2u               /* may be mounted in a user namespace */
#define FS_KERNEL_ONLY 4u               /* mount(2) does not know it */

BASE(superblock) {
        const struct super_ops *ops;    /* fixed */
        const struct fs_type *type;     /* fixed */
        struct dentry *root;            /* counted; fixed once mounted */
        struct payer *payer;            /* counted, or NULL; fixed */
        u64 dev;                        /* st_dev, as Linux encodes it: linux_dev(); fixed */
        u64 magic;                      /* fixed */
        u32 block_size;                 /* fixed */
        u32 name_max;                   /* fixed */
        u64 max_bytes;                  /* largest file; fixed */
        u32 flags;                      /* MS_RDONLY, …; ATOMIC; changed under lock */
        struct mutex lock;              /* class super */
        u32 mounts;                     /* ATOMIC */
        u64 next_ino;                   /* ATOMIC: super_new_ino */
        u64 writers;                    /* ATOMIC: files open for writing, by all its mounts */
        u64 nameless;                   /* ATOMIC: inodes that have lost their last name, or never had one, and live on */
        u8  source[64];                 /* NUL-padded: the device as /proc/mounts shows it; fixed */

        struct mutex rename;            /* class rename: cross-directory renames and loops; see namei.c */
        struct spinlock dcache;         /* class dcache: the table, list and dentry links */
        struct dentry_table *table;     /* owned; fixed */
        u64 dcache_moves;               /* ATOMIC: odd while an entry is taken out or moved */
        struct dentry *hand, *newest;   /* all hashed dentries, a ring for the shrinker; dcache */
        u32 dentries;                   /* dcache */
        struct spinlock locks_lock;     /* class sb_locks */
        struct inode_locks *first_locks;        /* not counted: of the inodes that ever had a lock, until they end; locks_lock */
        struct superblock *next, *prev; /* all superblocks; the registry's lock */
        bool listed;
};
BASE_DECLARE(superblock)

/* For a new superblock object (count 1, unpublished): fills the common part; ENOMEM.  And what its
 * pool's fini calls last. */
err_t superblock_init(struct superblock *sb, const struct super_ops *ops, const struct fs_type *type, struct payer *payer);
void  superblock_fini(struct superblock *sb);
/* Gives it its root directory (takes over the count on it), lists and publishes it. ENOMEM: the inode is dropped. */
err_t superblock_set_root(struct superblock *sb, struct inode *root);
/* One mount more, or fewer: the last one takes the file system down (its dentries go; files are closed). */
void  superblock_get_mount(struct superblock *sb);
void  superblock_put_mount(struct superblock *sb);
u64   super_new_ino(struct superblock *sb);
u64   super_new_dev(void);              /* an anonymous device number (major 0) */
static inline bool super_is_readonly(struct superblock *sb) { return (LOAD_RELAXED(sb->flags) & 1) != 0; }

/* Device numbers as stat shows them. */
static inline u64 dev_make(u32 major, u32 minor) { return (minor & 0xff) | (u64)(major & 0xfff) << 8 | (u64)(minor & ~0xffu) << 12 | (u64)(major & ~0xfffu) << 32; }
static inline u32 dev_major(u64 dev) { return (u32)((dev >> 8 & 0xfff) | (dev >> 32 & ~0xffful)); }
static inline u32 dev_minor(u64 dev) { return (u32)((dev & 0xff) | (dev >> 12 & ~0xfful)); }
