/* SPDX-License-Identifier: Apache-2.0
 *
 * The mount tree's inside, for mount_ops.c.  REQUIRES(ns->lock) where it says _locked.
 */
#pragma once
#include "services/vfs/mount.h"

struct mount *mount_new(struct payer *payer, struct superblock *sb, struct dentry *root, u32 flags);
/* Into the namespace, at a place (parent NULL: as its root). The caller's count becomes the tree's. */
void mount_link_locked(struct mnt_ns *ns, struct mount *m, struct mount *parent, struct dentry *point);
/* Out of it: the tree's count, and those in the result, are the caller's to drop. */
struct path mount_unlink_locked(struct mnt_ns *ns, struct mount *m);
/* From one place to another within the namespace. */
struct path mount_unplace_locked(struct mnt_ns *ns, struct mount *m);
void mount_place_locked(struct mnt_ns *ns, struct mount *m, struct mount *parent, struct dentry *point);
