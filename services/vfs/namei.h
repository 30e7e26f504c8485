/* SPDX-License-Identifier: Apache-2.0
 *
 * What path.c, namei.c, open.c and attr.c share.
 */
#pragma once
#include "services/vfs/path.h"
#include "services/vfs/inode.h"

/* The child of dir, counted, perhaps negative.  REQUIRES(dir->inode->lock) exclusively. */
err_t path_child_locked(struct dentry *dir, bytes name, struct dentry **out);
/* The same for a name that something will be moved to: that it is free is not kept in mind (the dentry is not hashed). */
err_t path_target_locked(struct dentry *dir, bytes name, struct dentry **out);
/* The target of a symlink as text, counted.  EINVAL: it has none. */
err_t link_text(struct inode *inode, struct blob **out);
/* ENOTDIR, EACCES. */
err_t path_may_search(const struct actor *who, const struct path *at);
/* May entries be made in this directory?  ENOENT: it was removed.  lock held. */
err_t may_create(const struct actor *who, struct inode *dir);
/* Cuts or extends a regular file for someone who may write it: limits, set-id bits, times. */
err_t truncate_inode(struct inode *inode, u64 len, const struct cred *cred);
/* stat of a place that the fast walk finds, from the working directory, without holding it: *out, or *err (ENOENT).
 * False: it could not tell. */
bool path_stat_fast(const struct actor *who, bytes name, u32 how, struct stat_info *out, err_t *err);
