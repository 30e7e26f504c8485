/* SPDX-License-Identifier: Apache-2.0
 *
 * Superblocks: what all file systems share of them.
 *
 * Lifetime   superblock → root dentry → inode → superblock is a cycle of counts; the last
 *            mount's end breaks it (superblock_put_mount).
 */
#include "services/vfs/super.h"
#include "services/vfs/dentry_impl.h"
#include "services/vfs/inode.h"
#include "services/vfs/notify.h"
#include "services/vfs/registry.h"

LOCK_CLASS(super);
LOCK_CLASS(rename);
LOCK_CLASS(dcache);
LOCK_CLASS(sb_locks);

err_t superblock_init(struct superblock *sb, const struct super_ops *ops, const struct fs_type *type, struct payer *payer)
{
        sb->ops = ops;
        sb->type = type;
        if (payer)
                sb->payer = payer_hold(payer);
        sb->dev = super_new_dev();
        sb->block_size = PAGE_SIZE;
        sb->name_max = NAME_MAX_LEN;
        sb->max_bytes = I64_MAX;
        sb->next_ino = 1;
        lock_init(&sb->lock, super);
        lock_init(&sb->rename, rename);
        lock_init(&sb->dcache, dcache);
        lock_init(&sb->locks_lock, sb_locks);
        sb->table = dentry_table_new(payer);
        return sb->table ? OK : ERR(ENOMEM);
}

void superblock_fini(struct superblock *sb)
{
        superblock_unlist(sb);
        dentry_table_drop(sb->table);
        if (sb->payer)
                payer_drop(sb->payer);
}

err_t superblock_set_root(struct superblock *sb, struct inode *root)
{
        inode_publish(root);
        sb->root = dentry_new_root(sb, root);
        if (!sb->root)
                return ERR(ENOMEM);
        superblock_publish(sb);
        superblock_list(sb);
        return OK;
}

u64 super_new_ino(struct superblock *sb) { return FETCH_ADD(sb->next_ino, 1); }

void superblock_get_mount(struct superblock *sb) { FETCH_ADD(sb->mounts, 1); }

void superblock_put_mount(struct superblock *sb)
{
        if (FETCH_SUB(sb->mounts, 1) != 1 || !sb->root)
                return;
        superblock_unlist(sb);
        notify_unmount(sb);
        if (sb->ops->sync)
                ignore(sb->ops->sync(sb));
        while (dentry_shrink(sb, U64_MAX) > 0)
                ;
        if (sb->ops->kill)
                sb->ops->kill(sb);
        struct dentry *root = sb->root;
        sb->root = NULL;
        dentry_drop(root);
}
