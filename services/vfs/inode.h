/* SPDX-License-Identifier: Apache-2.0
 *
 * Inodes: what a file is, whatever its names.  Each file system embeds a struct inode
 * first in its own OBJECT and gives it an operations table.
 *
 * Lifetime   A positive dentry and an open file each hold one count.  The file system may
 *            hold one of its own (a directory entry in tmpfs).  The pool's fini of the
 *            embedding object frees content, then calls inode_fini.
 * Locking    inode.lock (rwlock, class inode).  Directories: shared for lookup and reading,
 *            exclusive for changing entries.  Files: exclusive for writing data and
 *            attributes.  Order: sb.rename, a directory before its child, two directories
 *            of one level by ascending id (lock_two), then the files in them.
 */
#pragma once
#include "services/vfs/mapping.h"
#include "services/vfs/super.h"
#include "abi/const/fs.h"
#include "abi/const/fcntl.h"

BASE(inode);
BASE(file);
OBJECT(dentry);
OBJECT(pipe);
BASE(sock);                     /* services/net/socket */
OBJECT(inotify_watch);
OBJECT(inode_locks);
OBJECT(cred);
STABLE(file_ops);
STABLE(inode_ops);
struct actor;
struct path;
struct stat_info;
struct attr_change;

struct rename_op {                      /* both directories locked, checks done */
        struct inode *old_dir, *new_dir;
        struct dentry *old, *new;       /* new may be negative; with RENAME_EXCHANGE it is not */
        u32 flags;                      /* RENAME_NOREPLACE was checked; EXCHANGE, WHITEOUT */
        const struct actor *who;
};

/*              locks held on call                 on success
 * lookup       dir shared                         dentry_set(d, inode), counted inode passed; or left negative
 * create       dir exclusive                      dentry_set; mode has its S_IFMT bits: regular, device, fifo, socket
 * mkdir, symlink   dir exclusive                  dentry_set
 * link         dir and target exclusive           dentry_set with a count of its own; nlink raised
 * unlink, rmdir    dir and victim exclusive       entry gone, nlink lowered; the caller unhashes the dentry
 * rename       both dirs and, if there, the victim exclusive;   entries moved; the caller moves the dentries
 * tmpfile      nothing                            *out: a new inode with nlink 0
 * readlink     nothing                            target copied to buf, its length in *len (if inode.link is NULL)
 * follow       nothing                            magic link: *out is the place it leads to, counted
 * setattr      inode exclusive                    applied, with generic part by inode_apply (NULL: just that)
 * getattr      nothing                            completes *st, which has the generic part (NULL: nothing to add)
 * permission   nothing                            NULL: by owner, group and mode
 * open         nothing                            before a file is made of it: may refuse (NULL: fine)
 * get/set/list/removexattr  inode shared/exclusive/shared/exclusive; get, list: *len is what it takes; out shorter: ERANGE, empty: only *len */
STABLE(inode_ops) {
        err_t (*lookup)(struct inode *dir, struct dentry *d);
        err_t (*create)(const struct actor *who, struct inode *dir, struct dentry *d, u32 mode, u64 dev);
        err_t (*mkdir)(const struct actor *who, struct inode *dir, struct dentry *d, u32 mode);
        err_t (*symlink)(const struct actor *who, struct inode *dir, struct dentry *d, bytes target);
        err_t (*link)(struct inode *target, struct inode *dir, struct dentry *d);
        err_t (*unlink)(struct inode *dir, struct dentry *d);
        err_t (*rmdir)(struct inode *dir, struct dentry *d);
        err_t (*rename)(const struct rename_op *op);
        err_t (*tmpfile)(const struct actor *who, struct inode *dir, u32 mode, struct inode **out);
        err_t (*readlink)(struct inode *inode, mbytes buf, usize *len);
        err_t (*follow)(struct inode *inode, struct path *out);
        err_t (*setattr)(struct inode *inode, const struct attr_change *change);
        void  (*getattr)(struct inode *inode, struct stat_info *st);
        err_t (*permission)(const struct actor *who, struct inode *inode, u32 want);
        err_t (*getxattr)(struct inode *inode, bytes name, mbytes out, usize *len);
        err_t (*setxattr)(struct inode *inode, bytes name, bytes value, u32 flags);
        err_t (*listxattr)(struct inode *inode, bool trusted, mbytes out, usize *len);
        err_t (*removexattr)(struct inode *inode, bytes name);
};

struct timestamp { i64 sec; u32 nsec; u32 pad; };        /* wall clock */

BASE(inode) {
        /* fixed */
        const struct inode_ops *ops;
        const struct file_ops *fops;    /* of files opened on it; char devices and fifos: by vfs */
        struct superblock *sb;          /* counted */
        u64 ino;
        u64 id;                         /* unique, never reused: lock order, keys */
        u64 rdev;                       /* devices */
        /* ATOMIC reads; written under lock */
        u32 mode;                       /* with S_IFMT */
        u32 uid, gid;
        u32 nlink;                      /* inode_set_nlink */
        u64 size;                       /* bytes */
        u32 flags;                      /* INODE_* */
        u32 writers;                    /* ATOMIC: open for writing; INODE_DENY_WRITE … see inode_deny_write */
        u32 readers;                    /* ATOMIC: regular files open for reading only, for write leases */
        /* lock */
        struct timestamp atime, mtime, ctime, btime;
        u64 version;                    /* counts changes of a directory */
        struct pipe *pipe;              /* not counted: an open FIFO's; lock */
        struct sock *sock;              /* not counted: services/net/unix's, bound to this inode; PTR_LOAD */
        struct inode_locks *locks;      /* owned: file locks, from the first on; PTR_LOAD */
        struct blob *link;              /* counted: a symlink's target; fixed; NULL: ask readlink or follow */
        struct inotify_watch *watches;  /* not counted: services/inotify's list; PTR_LOAD */
        struct rwlock lock;
        struct mapping mapping;
};
BASE_DECLARE(inode)

#define INODE_DEAD       1u             /* a removed directory: nothing can be made in it */
#define INODE_IMMUTABLE  2u
#define INODE_APPEND     4u
#define INODE_NOATIME    8u
#define INODE_MAGICLINK  0x10u          /* a link that follow() resolves, not text */
#define INODE_NOSEEK     0x20u
#define INODE_STALE_OK   0x40u          /* size and the like are whatever (procfs) */
#define INODE_PLAIN      0x100u         /* mode and owner alone say who may search it, and its dentries are never stale; fixed */
#define INODE_LINKABLE   0x80u          /* made by O_TMPFILE without O_EXCL: link may give it a name */
#define INODE_HINT       0x7000u        /* F_SET_RW_HINT: a number, of which nothing is made */
#define INODE_HINT_ONE   0x1000u
#define INODE_FILE_CAPS  0x200u         /* has security.capability; lock */

static inline u32  inode_type(const struct inode *i) { return LOAD_RELAXED(i->mode) & S_IFMT; }
static inline bool inode_is_dir(const struct inode *i)     { return inode_type(i) == S_IFDIR; }
static inline bool inode_is_regular(const struct inode *i) { return inode_type(i) == S_IFREG; }
static inline bool inode_is_symlink(const struct inode *i) { return inode_type(i) == S_IFLNK; }

/* For a new inode object (count 1): fills the common part, times now, nlink 1; takes a count on
 * sb.  Cannot fail.  inode_fini: what the pool's fini calls last. */
struct inode_init { const struct inode_ops *ops; const struct file_ops *fops; const struct mapping_ops *pages;
        struct superblock *sb; u64 ino; u32 mode, uid, gid; u64 rdev; };
void inode_init(struct inode *inode, const struct inode_init *init);
void inode_fini(struct inode *inode);
/* Owner of a new entry: fsuid, fsgid, or the directory's group if it is set-gid (and *mode gets it for directories). */
void inode_owner_for_new(const struct actor *who, const struct inode *dir, u32 *mode, u32 *uid, u32 *gid);

struct timestamp time_wall(void);       /* coarse: what inodes are stamped with */
void inode_touch_mtime(struct inode *inode);             /* mtime and ctime, now; lock or not, a race is harmless */
void inode_touch_ctime(struct inode *inode);
/* Reading through f: its mount's and its own flags say whether that counts. */
void file_touch_atime(struct file *f);
/* mode without the set-id bits that a write or a new owner takes away when `cred` causes it: set-user-id; set-group-id
 * where the group may execute, or cred is neither in the group gid nor has CAP_FSETID. */
u32  mode_without_setid(u32 mode, u32 gid, const struct cred *cred);
/* Takes security.capability away: the content or the owner changes.  Lock held exclusively. */
void inode_drop_file_caps(struct inode *inode);
void inode_touch_atime(struct inode *inode);             /* relatime */

/* MAY_* of vfs/path; the one door for permission: mode bits, capabilities, immutable, the file system's own. */
err_t inode_permission(const struct actor *who, struct inode *inode, u32 want);

/* Text files being run: writing is ETXTBSY, and while open for writing running it is. */
err_t inode_deny_write(struct inode *inode);             /* ETXTBSY */
void  inode_allow_write(struct inode *inode);
bool  inode_has_writers(const struct inode *inode);
/* Its names: one without any keeps its file system from becoming read-only (superblock.nameless).  Lock exclusive, or unpublished. */
void  inode_set_nlink(struct inode *inode, u32 n);
err_t inode_get_write(struct inode *inode);              /* ETXTBSY */
void  inode_put_write(struct inode *inode);

/* Attribute changes; which: ATTR_* bits. */
#define ATTR_MODE      1u
#define ATTR_UID       2u
#define ATTR_GID       4u
#define ATTR_SIZE      8u
#define ATTR_ATIME     0x10u
#define ATTR_MTIME     0x20u
#define ATTR_ATIME_NOW 0x40u
#define ATTR_MTIME_NOW 0x80u
struct attr_change { u32 which; u32 mode, uid, gid; u64 size; struct timestamp atime, mtime; };
/* The generic part of setattr: stores what `which` says (SIZE: the number only), ctime.  inode lock held. */
void inode_apply(struct inode *inode, const struct attr_change *c);

/* Changes attributes by the file system's setattr, or else stores them and cuts the pages. inode lock held. */
err_t inode_setattr(struct inode *inode, const struct attr_change *c);
void  inode_setattr_plain(struct inode *inode, const struct attr_change *c);    /* that; a file system may call it */
/* May the file become so long, as far as RLIMIT_FSIZE (SIGXFSZ) and the file system say?  EFBIG. */
err_t inode_may_have_size(struct inode *inode, u64 size);

/* What stat, statx and friends tell; syscall turns it into their structs. */
struct stat_info {
        u64 dev, ino, rdev, size, blocks, mnt_id, attributes, attributes_mask;
        u32 mode, nlink, uid, gid, blksize, mask;        /* mask: STATX_* that are meant */
        struct timestamp atime, mtime, ctime, btime;
};
void inode_stat(struct inode *inode, struct stat_info *out);
/* Of an inode that nobody holds: what it says counts only if the inode is found to have lived all the time.  False: ask
 * otherwise (the file system adds to it, or it is gone). */
bool inode_stat_unheld(struct inode *inode, struct stat_info *out);
