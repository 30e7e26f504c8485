/* SPDX-License-Identifier: Apache-2.0
 *
 * Files in memory: "tmpfs", and the root that the initramfs is unpacked into ("rootfs").
 */
#pragma once
#include "services/vfs/super.h"

void  tmpfs_init(void);                 /* at boot: registers tmpfs, ramfs and rootfs */
/* An instance for the kernel's own use (root, shared memory).  options as mount's; payer may be NULL.  Counted. */
err_t tmpfs_new(struct payer *payer, bytes options, struct superblock **out);
err_t tmpfs_new_root(struct payer *payer, struct superblock **out);      /* shows as "rootfs" */
/* An unlinked file (memfd_create, shared anonymous memory): open read-write, counted. */
struct actor;
BASE(file);
err_t tmpfs_new_file(const struct actor *who, struct superblock *sb, bytes name, u64 size, struct file **out);
