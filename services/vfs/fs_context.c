/* SPDX-License-Identifier: Apache-2.0
 *
 * Root, working directory and umask of threads.  See fs_context.h.
 */
#include "services/vfs/fs_context.h"
#include "services/vfs/dentry.h"
#include "services/vfs/mount.h"

LOCK_CLASS(fs_context);

static void fs_context_fini(struct fs_context *fs)
{
        path_drop(&fs->root);
        path_drop(&fs->cwd);
}
POOL_DEFINE(fs_context, fs_context_fini);

struct path path_hold(const struct path *p)
{
        struct path copy = { };

        if (p->mnt) {
                copy.mnt = mount_hold(p->mnt);
                copy.dentry = dentry_hold(p->dentry);
        }
        return copy;
}

void path_drop(struct path *p)
{
        struct dentry *d = p->dentry;
        struct mount *m = p->mnt;

        p->dentry = NULL;
        p->mnt = NULL;
        dentry_drop(d);
        mount_drop(m);
}

struct fs_context *fs_context_new(struct payer *payer, const struct path *root, const struct path *cwd)
{
        struct fs_context *fs = fs_context_alloc(payer, MAY_RECLAIM);

        if (!fs)
                return NULL;
        lock_init(&fs->lock, fs_context);
        fs->umask = 022;
        fs->root = path_hold(root);
        fs->cwd = path_hold(cwd);
        fs_context_publish(fs);
        return fs;
}

struct fs_context *fs_context_copy(struct payer *payer, struct fs_context *old)
{
        struct path root = fs_root(old), cwd = fs_cwd(old);
        struct fs_context *fs = fs_context_new(payer, &root, &cwd);

        if (fs)
                fs->umask = fs_umask(old);
        path_drop(&root);
        path_drop(&cwd);
        return fs;
}

struct path fs_root(struct fs_context *fs)
{
        SPIN_GUARD(&fs->lock);
        return path_hold(&fs->root);
}

struct path fs_cwd(struct fs_context *fs)
{
        SPIN_GUARD(&fs->lock);
        return path_hold(&fs->cwd);
}

static struct path exchange(struct fs_context *fs, struct path *place, const struct path *p)
{
        struct path new = path_hold(p);
        SPIN_GUARD(&fs->lock);
        struct path old = *place;

        FETCH_ADD(fs->seq, 1);
        PTR_STORE(place->mnt, new.mnt);
        PTR_STORE(place->dentry, new.dentry);
        FETCH_ADD(fs->seq, 1);
        return old;
}

void fs_set_root(struct fs_context *fs, const struct path *p)
{
        struct path old = exchange(fs, &fs->root, p);
        path_drop(&old);
}

void fs_set_cwd(struct fs_context *fs, const struct path *p)
{
        struct path old = exchange(fs, &fs->cwd, p);
        path_drop(&old);
}

void fs_move(struct fs_context *fs, const struct path *old, const struct path *new)
{
        struct path root = fs_root(fs), cwd = fs_cwd(fs);

        if (path_same(&root, old))
                fs_set_root(fs, new);
        if (path_same(&cwd, old))
                fs_set_cwd(fs, new);
        path_drop(&root);
        path_drop(&cwd);
}

u32 fs_umask(struct fs_context *fs) { return LOAD_RELAXED(fs->umask); }

u32 fs_set_umask(struct fs_context *fs, u32 mask) { return XCHG(fs->umask, mask & 0777); }
