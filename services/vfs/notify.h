/* SPDX-License-Identifier: Apache-2.0
 *
 * Telling watchers what happens to files.  vfs calls these where Linux makes events; who
 * watches is services/inotify's affair, which registers itself (hooks.h).
 *
 * While nobody watches anything, each call is one load.  Events are IN_* of abi/const/fs.h,
 * without IN_ISDIR, which is added here.  None may be called with a spin lock held.
 */
#pragma once
#include "services/vfs/file.h"
#include "services/vfs/dentry.h"
#include "services/vfs/hooks.h"

STABLE(notify_state) {
        const struct vfs_notify_ops *ops;       /* fixed after boot */
        u32 watches;                    /* ATOMIC: how many there are, of all users */
};
extern struct notify_state notify_state;        /* vfs's entry in the list of reviewed globals; notify.c */

static inline bool notify_is_on(void) { return LOAD_RELAXED(notify_state.watches) != 0; }

void notify_place_slow(struct dentry *d, u32 mask);
void notify_name_slow(struct inode *dir, bytes name, u32 mask, u32 cookie);
void notify_inode_slow(struct inode *inode, u32 mask);
void notify_gone_slow(struct inode *inode);
void notify_unmount_slow(struct superblock *sb);
u32  notify_new_cookie(void);

/* Something happened to what d names: watchers of its directory are told with the name, then its own. */
static inline void notify_place(struct dentry *d, u32 mask) { if (notify_is_on()) notify_place_slow(d, mask); }
/* The same through an open file; not one that was never announced as opened (pipes, O_PATH). */
static inline void notify_file(struct file *f, u32 mask)
{
        if (notify_is_on() && (f->mode & FILE_OPENED) != 0)
                notify_place_slow(f->path.dentry, mask);
}
/* An entry of dir appeared or went; mask with IN_ISDIR if it is a directory's. */
static inline void notify_name(struct inode *dir, bytes name, u32 mask, u32 cookie)
{
        if (notify_is_on())
                notify_name_slow(dir, name, mask, cookie);
}
/* Something happened to the inode alone, whatever its names. */
static inline void notify_inode(struct inode *inode, u32 mask) { if (notify_is_on()) notify_inode_slow(inode, mask); }
/* A name of the inode is no longer in use by anyone: if it has no other, its watches end. */
static inline void notify_gone(struct inode *inode) { if (notify_is_on()) notify_gone_slow(inode); }
static inline void notify_unmount(struct superblock *sb) { if (notify_is_on()) notify_unmount_slow(sb); }

static inline u32 notify_isdir(const struct inode *inode) { return inode_is_dir(inode) ? IN_ISDIR : 0; }
