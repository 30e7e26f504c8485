/* SPDX-License-Identifier: Apache-2.0
 *
 * vfs's own view of the registry: hooks of upper services, and the list of superblocks.
 */
#pragma once
#include "services/vfs/hooks.h"
#include "services/vfs/super.h"
#include "services/vfs/file.h"

void registry_init(void);
bool registry_fault_in(u64 addr, usize len, bool write);
void registry_unmap(struct mapping *m, u64 first, u64 last, bool cows);
/* See hooks.h. */
bool registry_signal_owner(const struct signal_target *to, const struct siginfo *info);
void registry_raise(u32 sig);
void registry_move_root(struct pid_ns *ns, const struct path *old, const struct path *new);    /* fs_move for all */
void registry_file_gone(struct file *f);
const struct file_ops *registry_fifo(void);
u32 registry_new_mount_id(void);

OBJECT(mount);
void superblock_list(struct superblock *sb);
void superblock_unlist(struct superblock *sb);
/* The next listed superblock after `from` (NULL: the first), counted; drops `from`. */
struct superblock *superblock_next(struct superblock *from);

/* The file system of things without a name: pipes, sockets, event descriptors.  Borrowed. */
struct superblock *registry_anon(void);
struct mount *registry_anon_mount(void);
struct inode *registry_anon_inode(void);
void registry_set_anon(struct superblock *sb, struct mount *m, struct inode *inode);
/* Numbers that are never given twice: ids, dentry states.  Per CPU, so no shared cache line. */
u64 unique_u64(void);
