/* SPDX-License-Identifier: Apache-2.0
 *
 * tmpfs's objects.
 */
#pragma once
#include "services/tmpfs/tmpfs.h"
#include "services/vfs/dentry.h"
#include "services/vfs/file.h"
#include "services/vfs/path.h"
#include "lib/radix.h"
#include "lib/rbtree.h"

OBJECT(tmpfs_inode);
OBJECT(mount);

/* A name in a directory.  Directory's lock. */
OBJECT(tmpfs_entry) {
        struct tmpfs_inode *inode;      /* counted */
        u64 cookie;                     /* where readdir finds it: grows with each new name; fixed */
        u32 hash, len;                  /* fixed, as the name */
        u8  name[DNAME_INLINE];
        struct blob *long_name;         /* counted; len > DNAME_INLINE */
        struct tmpfs_entry *name_left, *name_right, *name_up;
        struct tmpfs_entry *cookie_left, *cookie_right, *cookie_up;
        bool name_red, cookie_red;
};
POOL_DECLARE(tmpfs_entry)

RBTREE_HEAD(tmpfs_names, tmpfs_entry);          /* by hash, length, bytes */
RBTREE_HEAD(tmpfs_cookies, tmpfs_entry);        /* by cookie */

OBJECT(tmpfs_xattr) {
        struct tmpfs_xattr *next;
        struct blob *name, *value;      /* counted; value NULL: empty */
};
POOL_DECLARE(tmpfs_xattr)

OBJECT(tmpfs_inode) {
        struct inode base;
        /* directories; base.lock */
        struct tmpfs_names names;
        struct tmpfs_cookies cookies;
        u64 next_cookie;
        struct tmpfs_inode *parent;     /* not counted: where it got its last name.  Of a directory that has one: surely that
                                         * directory; of others a hint.  PTR_LOAD; the directory's lock */
        bool has_handle;                /* is in tmpfs_super.handles; handles_lock */
        /* base.lock */
        struct tmpfs_xattr *xattrs;     /* owned list */
        u32 seals;                      /* F_SEAL_*; only ever more; LOAD without the lock by mmap */
};
POOL_DECLARE(tmpfs_inode)
DOWNCASTABLE(tmpfs_inode, inode);

RADIX_TYPES(tmpfs_handles, tmpfs_inode)

OBJECT(tmpfs_super) {
        struct superblock base;
        u64 max_pages, max_inodes;      /* 0: no limit; changed by remount, under base.lock; LOAD */
        u64 used_pages, used_inodes;    /* ATOMIC */
        u64 default_pages, default_inodes;      /* fixed */
        u32 mode, uid, gid;             /* of the root; fixed */
        struct mount *internal;         /* counted, for files without names */
        struct spinlock handles_lock;
        struct tmpfs_handles handles;   /* not counted, by number: inodes that a handle was asked of; handles_lock */
};
POOL_DECLARE(tmpfs_super)
DOWNCASTABLE(tmpfs_super, superblock);

static inline struct tmpfs_inode *tmpfs_of(struct inode *i) { return DOWNCAST(tmpfs_inode, i); }
static inline struct tmpfs_super *tmpfs_super_of(struct superblock *sb) { return DOWNCAST(tmpfs_super, sb); }

/* What a name adds to its directory's size, as Linux says. */
static inline u64 tmpfs_entry_size(const struct tmpfs_inode *dir) { return dir->base.sb->magic == RAMFS_MAGIC ? 0 : 20; }

/* inode.c: a new inode, published, counted, nlink 1 (directories 2). ENOSPC, ENOMEM. */
struct tmpfs_owner { u32 mode, uid, gid; };
/* nr_inodes counts inodes, and names beyond an inode's first. ENOSPC. */
err_t tmpfs_take_inode(struct tmpfs_super *s);
void  tmpfs_give_inode(struct tmpfs_super *s);
err_t tmpfs_take_pages(struct tmpfs_super *s, u64 pages);       /* ENOSPC */
void  tmpfs_give_pages(struct tmpfs_super *s, u64 pages);
#define TMPFS_LONG_LINK 128u            /* bytes of a symbolic link that takes a page, as on Linux */
err_t tmpfs_new_inode(struct tmpfs_super *sb, struct tmpfs_owner owner, u64 rdev, struct tmpfs_inode **out);
extern const struct inode_ops tmpfs_file_inode_ops, tmpfs_link_inode_ops;
extern const struct file_ops tmpfs_file_ops;

/* seal.c: what seals forbid: EPERM.  base.lock held for writing; may_write cuts io to what lies within the file. */
err_t tmpfs_seals_may_write(struct tmpfs_inode *i, struct io *io, u64 at);
err_t tmpfs_seals_may_resize(struct tmpfs_inode *i, u64 size);
err_t tmpfs_seals_may_punch(struct tmpfs_inode *i);
err_t tmpfs_seals_may_map(struct tmpfs_inode *i, struct map_request *req);      /* no lock */

/* dir.c */
extern const struct inode_ops tmpfs_dir_inode_ops;
extern const struct file_ops tmpfs_dir_ops;
/* A name of inode in dir, into buf; its length, 0: it has none there.  Takes dir's lock, shared. */
usize tmpfs_name_in(struct tmpfs_inode *dir, struct tmpfs_inode *inode, mbytes buf);
void tmpfs_empty_tree(struct tmpfs_inode *top);  /* drops all names below, without recursion */

/* handle.c: see super_ops. */
err_t tmpfs_handle_of(struct inode *inode, struct inode_handle *out);
err_t tmpfs_handle_find(struct superblock *sb, const struct inode_handle *h, struct dentry **out);
void  tmpfs_handles_init(struct tmpfs_super *s);
void  tmpfs_handle_end(struct tmpfs_inode *i);   /* nobody has it any more */

/* xattr.c */
err_t tmpfs_getxattr(struct inode *inode, bytes name, mbytes out, usize *len);
err_t tmpfs_setxattr(struct inode *inode, bytes name, bytes value, u32 flags);
err_t tmpfs_listxattr(struct inode *inode, bool trusted, mbytes out, usize *len);
err_t tmpfs_removexattr(struct inode *inode, bytes name);
void  tmpfs_free_xattrs(struct tmpfs_inode *i);
