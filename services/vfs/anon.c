/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that no directory holds: event descriptors and the like share one inode and differ
 * by the name that /proc/PID/fd shows.
 */
#include "services/vfs/anon.h"
#include "services/vfs/dentry.h"
#include "services/vfs/mount.h"
#include "services/vfs/registry.h"

OBJECT(anon_super) { struct superblock base; };
POOL_DECLARE(anon_super)
DOWNCASTABLE(anon_super, superblock);
static void anon_super_fini(struct anon_super *s) { superblock_fini(&s->base); }
POOL_DEFINE(anon_super, anon_super_fini);

OBJECT(anon_inode) { struct inode base; };
POOL_DECLARE(anon_inode)
DOWNCASTABLE(anon_inode, inode);
static void anon_inode_fini(struct anon_inode *i) { inode_fini(&i->base); }
POOL_DEFINE(anon_inode, anon_inode_fini);

static err_t anon_statfs(struct superblock *sb, struct linux_statfs *out)
{
        *out = (struct linux_statfs){ .f_type = (i64)sb->magic, .f_bsize = PAGE_SIZE, .f_frsize = PAGE_SIZE, .f_namelen = NAME_MAX_LEN };
        return OK;
}

static const struct super_ops anon_super_ops = { .statfs = anon_statfs };
static const struct inode_ops anon_inode_ops = { };
static const struct file_ops anon_root_ops = { };
static const struct fs_type anon_type = { .name = "anon_inodefs", .flags = FS_NODEV | FS_KERNEL_ONLY };

err_t anon_inode_new(struct superblock *sb, u32 mode, const struct file_ops *fops, const struct cred *cred, struct inode **out)
{
        struct anon_inode *i = anon_inode_alloc(payer_current(), MAY_RECLAIM);
        struct inode_init init = { .ops = &anon_inode_ops, .fops = fops, .sb = sb, .ino = super_new_ino(sb), .mode = mode,
                                   .uid = cred ? cred->fsuid : 0, .gid = cred ? cred->fsgid : 0 };

        if (!i)
                return ERR(ENOMEM);
        inode_init(&i->base, &init);
        anon_inode_publish(i);
        *out = &i->base;
        return OK;
}

err_t anon_super_new(const struct fs_type *type, u64 magic, struct superblock **sb, struct mount **mnt)
{
        struct anon_super *s = anon_super_alloc(NULL, MAY_RECLAIM);
        struct inode *root = NULL;

        if (!s)
                return ERR(ENOMEM);
        err_t err = superblock_init(&s->base, &anon_super_ops, type, NULL);
        s->base.magic = magic;
        if (succeeded(err))
                err = anon_inode_new(&s->base, S_IFDIR | 0600, &anon_root_ops, NULL, &root);
        if (succeeded(err)) {
                s->base.root = dentry_new_root(&s->base, root);
                err = s->base.root ? OK : ERR(ENOMEM);
        }
        if (succeeded(err)) {
                anon_super_publish(s);
                *mnt = mount_new_internal(&s->base, MNT_INTERNAL_FLAGS);
                err = *mnt ? OK : ERR(ENOMEM);
        }
        if (failed(err)) {
                anon_super_drop(s);
                return err;
        }
        *sb = &s->base;
        return OK;
}

err_t file_init_anon(struct file *f, const struct file_ops *ops, struct cred *cred, u32 flags, bytes name)
{
        struct superblock *sb = registry_anon();
        struct dentry *d = dentry_new_anon(sb, name, inode_hold(registry_anon_inode()));

        if (!d)
                return ERR(ENOMEM);
        struct path p = { registry_anon_mount(), d };
        file_init(f, ops, &p, cred, flags);
        dentry_drop(d);
        return OK;
}

void anon_init(void)
{
        struct superblock *sb = NULL;
        struct mount *mnt = NULL;
        struct inode *inode = NULL;
        err_t err = anon_super_new(&anon_type, ANON_INODE_FS_MAGIC, &sb, &mnt);

        if (succeeded(err))
                err = anon_inode_new(sb, 0600, &anon_root_ops, NULL, &inode);
        assert(succeeded(err));
        registry_set_anon(sb, mnt, inode);
}
