/* SPDX-License-Identifier: Apache-2.0
 *
 * devtmpfs: a tmpfs that is there once, with nodes for registered devices.
 *
 * Lifetime   Made at boot and pinned by a mount of its own, so it outlives its users' mounts.
 */
#include "services/devfs/devfs_impl.h"
#include "services/tmpfs/tmpfs.h"
#include "services/vfs/dentry.h"
#include "services/vfs/mount.h"
#include "services/vfs/namei.h"
#include "lib/split.h"

static err_t devfs_mount(const struct fs_type *type, const struct mount_request *req, struct superblock **out);
static const struct fs_type devtmpfs = { .name = "devtmpfs", .flags = FS_NODEV, .mount = devfs_mount };

/* Root makes the nodes, whoever asks for the mount. */
static err_t kernel_actor(struct actor *who)
{
        struct user_ns *users = user_ns_first(NULL);

        if (!users)
                return ERR(ENOMEM);
        who->cred = cred_new_root(NULL, users);
        user_ns_drop(users);
        return who->cred ? OK : ERR(ENOMEM);
}

/* The entry `name` in dir, made if it is not there; counted.  mode with its type. */
static err_t make_locked(const struct actor *who, struct dentry *dir, bytes name, u32 mode, u64 dev, struct dentry **out)
{
        struct inode *inode = dir->inode;

        TRY(path_child_locked(dir, name, out));
        if ((*out)->inode)
                return OK;
        if ((mode & S_IFMT) == S_IFDIR)
                return inode->ops->mkdir(who, inode, *out, mode);
        return inode->ops->create(who, inode, *out, mode, dev);
}

static err_t make(const struct actor *who, struct dentry *dir, bytes name, u32 mode, u64 dev, struct dentry **out)
{
        WRITE_GUARD(&dir->inode->lock);
        err_t err = make_locked(who, dir, name, mode, dev, out);
        if (failed(err)) {
                dentry_drop(*out);
                *out = NULL;
        }
        return err;
}

static err_t make_path(const struct actor *who, struct superblock *sb, bytes name, u32 mode, u64 dev)
{
        struct dentry *at = dentry_hold(sb->root);

        while (bytes_len(name) > 0) {
                struct split s = split_component(name);
                struct dentry *next = NULL;
                bool last = bytes_len(s.rest) == 0;
                err_t err = make(who, at, s.head, last ? mode : S_IFDIR | 0755, last ? dev : 0, &next);
                dentry_drop(at);
                TRY(err);
                at = next;
                name = s.rest;
        }
        dentry_drop(at);
        return OK;
}

static err_t add_node(struct superblock *sb, bytes name, u32 mode, u64 dev)
{
        struct actor who = { };

        TRY(kernel_actor(&who));
        err_t err = make_path(&who, sb, name, S_IFCHR | mode, dev);
        cred_drop(who.cred);
        return err;
}

static err_t fill(struct superblock *sb)
{
        const struct chrdev *c;

        for (u32 i = 0; (c = chrdev_at(i)) != NULL; i++) {
                bytes name = split_nul(BYTES_OF(c->name));
                if (bytes_len(name) > 0)
                        TRY(add_node(sb, name, c->mode, dev_make(c->major, c->minor)));
        }
        return OK;
}

static err_t devfs_mount(const struct fs_type *type, const struct mount_request *req, struct superblock **out)
{
        struct superblock *sb = fs_single(type);

        (void)req;
        if (!sb)
                return ERR(ENODEV);
        *out = sb;
        return OK;
}

void devfs_fill(void)
{
        struct superblock *sb = fs_single(&devtmpfs);
        err_t err = sb ? fill(sb) : ERR(ENODEV);

        superblock_drop(sb);
        if (failed(err))
                klog(LOG_ERR, "devfs: nodes are missing: error {}", err);
}

err_t devfs_add(bytes name, u32 mode, u64 dev)
{
        struct superblock *sb = fs_single(&devtmpfs);

        if (!sb)
                return ERR(ENODEV);
        err_t err = add_node(sb, name, mode, dev);
        superblock_drop(sb);
        return err;
}

void devfs_init(void)
{
        struct superblock *sb = NULL;

        mem_init();
        kmsg_init();
        fs_register(&devtmpfs);
        err_t err = tmpfs_new(&devtmpfs, NULL, STR("mode=0755"), &sb);
        if (succeeded(err) && !mount_new_internal(sb, MNT_INTERNAL_FLAGS))          /* kept for ever: it pins the instance */
                err = ERR(ENOMEM);
        if (failed(err)) {
                klog(LOG_ERR, "devfs: no instance: error {}", err);
                return;
        }
        mbytes_copy(MBYTES_OF(sb->source), STR("devtmpfs"));
        superblock_drop(sb);
}
