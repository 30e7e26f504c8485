/* SPDX-License-Identifier: Apache-2.0
 *
 * File systems without names, for pipes, sockets and event descriptors.
 */
#pragma once
#include "services/vfs/file.h"

OBJECT(mount);

/* An instance with its internal mount; both counted. */
err_t anon_super_new(const struct fs_type *type, u64 magic, struct superblock **sb, struct mount **mnt);
/* An inode in it (no type bits: anon_inode); counted, published. */
err_t anon_inode_new(struct superblock *sb, u32 mode, const struct file_ops *fops, const struct cred *cred, struct inode **out);
void anon_init(void);
