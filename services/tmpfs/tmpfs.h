/* SPDX-License-Identifier: Apache-2.0
 *
 * Files in memory: "tmpfs", and the root that the initramfs is unpacked into ("rootfs").
 */
#pragma once
#include "services/vfs/super.h"

BASE(file);
struct actor;

void  tmpfs_init(void);                 /* at boot: registers tmpfs and ramfs */
/* An instance, root in place; counted.  type: what it shows as (NULL: tmpfs).  options as mount's.  EINVAL, ENOMEM. */
err_t tmpfs_new(const struct fs_type *type, struct payer *payer, bytes options, struct superblock **out);
err_t tmpfs_new_root(struct payer *payer, struct superblock **out);      /* shows as "rootfs" */
/* The kernel's own instance for files without names; it is never unmounted. */
err_t tmpfs_new_shmem(struct superblock **out);
/* An unlinked file of such an instance, open read-write; counted.  memfd: shows as "/memfd:name (deleted)". */
err_t tmpfs_new_file(const struct actor *who, struct superblock *sb, bytes name, u64 size, struct file **out);
/* Its seals (F_SEAL_*), which all files of tmpfs but those of tmpfs_let_seal have one of: F_SEAL_SEAL.  EINVAL: not such a file.
 * Adding: EPERM: not open for writing, or sealed; EBUSY: F_SEAL_WRITE while a shared mapping may write. */
void  tmpfs_let_seal(struct file *f);   /* a new file of tmpfs_new_file */
err_t tmpfs_get_seals(struct file *f, u32 *seals);
err_t tmpfs_add_seals(struct file *f, u32 seals);
/* The same, shown as `shown`. */
err_t tmpfs_new_nameless(const struct actor *who, struct superblock *sb, bytes shown, u64 size, struct file **out);
/* Shared anonymous memory of the current thread: "/dev/zero (deleted)". */
err_t tmpfs_shmem_file(struct superblock *sb, u64 size, struct file **out);
