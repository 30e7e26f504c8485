/* SPDX-License-Identifier: Apache-2.0
 *
 * mount(2), umount2(2), pivot_root(2).
 *
 * Locking    The family's lock around each change of a tree; paths are looked up before it is
 *            taken, what they hold is dropped after.
 */
#include "services/vfs/mount_impl.h"
#include "services/vfs/dentry.h"
#include "services/vfs/fs_context.h"
#include "services/vfs/inode.h"
#include "services/vfs/chrdev.h"
#include "services/vfs/registry.h"

#define PROPAGATION ((u32)(MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE))

static err_t may_mount(const struct actor *who) { return cred_has(who->cred, CAP_SYS_ADMIN) ? OK : ERR(EPERM); }

static err_t look(const struct actor *who, bytes name, u32 how, struct path *out)
{
        return path_lookup(who, walk_at(AT_FDCWD, how), name, out);
}

static u32 mount_flags(u64 flags)
{
        u32 f = (u32)flags & (MNT_FLAGS & ~MNT_RELATIME);

        if ((flags & (MS_NOATIME | MS_STRICTATIME)) == 0)
                f |= MNT_RELATIME;
        return f;
}

static bool is_mount_root(const struct path *p) { return p->dentry == p->mnt->root; }

static bool same_kind(const struct dentry *a, const struct dentry *b)
{
        return a->inode && b->inode && inode_is_dir(a->inode) == inode_is_dir(b->inode);
}

/* ---- Attaching ---- */

/* Where `at` leads by now: someone may have been quicker. */
static struct path descended(const struct path *at)
{
        struct path p = *at;

        for (struct mount *m; (m = mount_peek(p.mnt, p.dentry)) != NULL; p.dentry = m->root)
                p.mnt = m;
        return p;
}

static bool is_gone(struct dentry *d)
{
        return (LOAD(d->flags) & DENTRY_DELETED) != 0 || !d->inode || (d->inode->flags & INODE_DEAD) != 0;
}

/* May something with this root be mounted there?  *to is the place. */
static err_t may_attach_locked(struct mnt_ns *ns, const struct dentry *root, const struct path *at, struct path *to)
{
        if (at->mnt->ns != ns)
                return ERR(EINVAL);
        *to = descended(at);
        if (is_gone(to->dentry))
                return ERR(ENOENT);
        return same_kind(root, to->dentry) ? OK : ERR(ENOTDIR);
}

/* Counts the mount that is to come.  Whoever removes the name after this waits for us and takes what is mounted
 * there (see forget_mounts); if it went before, we see it. */
static err_t reserve(struct dentry *d)
{
        FETCH_ADD(d->mounted, 1);
        if (!is_gone(d))
                return OK;
        FETCH_SUB(d->mounted, 1);
        return ERR(ENOENT);
}

static err_t put_there(const struct actor *who, struct mount *m, const struct path *to, struct path *was)
{
        TRY(reserve(to->dentry));
        err_t err = mount_attach(who->payer, who->ns->mnt->family, m, to, was);
        FETCH_SUB(to->dentry->mounted, 1);
        return err;
}

/* A new tree; the caller's count becomes the namespace's. */
static err_t attach_locked(const struct actor *who, struct mount *m, const struct path *at)
{
        struct mnt_ns *ns = who->ns->mnt;
        struct path to = { }, was = { };

        TRY(may_attach_locked(ns, m->root, at, &to));
        return put_there(who, m, &to, &was);
}

static err_t mount_at_place(const struct actor *who, struct superblock *sb, const struct path *at, u32 flags)
{
        /* The same file system on top of itself. */
        if (at->mnt->sb == sb && is_mount_root(at))
                return ERR(EBUSY);
        if (!sb->root)
                return ERR(EBUSY);      /* the last mount of it is just going away */
        struct mount *m = mount_new(who->payer, sb, sb->root, flags);
        if (!m)
                return ERR(ENOMEM);
        struct mount_family *family = who->ns->mnt->family;
        mutex_lock(&family->lock);
        err_t err = attach_locked(who, m, at);
        mutex_unlock(&family->lock);
        if (failed(err))
                mount_drop(m);
        return err;
}

err_t mount_super(const struct actor *who, struct superblock *sb, bytes target, u32 flags)
{
        struct path at = { };

        TRY(look(who, target, LOOK_FOLLOW, &at));
        err_t err = mount_at_place(who, sb, &at, mount_flags(flags));
        path_drop(&at);
        return err;
}

static err_t mount_new_fs(const struct actor *who, const struct mount_args *a, const struct path *at)
{
        const struct fs_type *type = fs_find(a->type);
        struct superblock *sb = NULL;
        struct mount_request req = { .flags = (u32)a->flags, .source = a->source, .options = a->options, .payer = who->payer };

        if (a->no_type)
                return ERR(EINVAL);
        if (!type || (type->flags & FS_KERNEL_ONLY) != 0)
                return ERR(ENODEV);
        TRY(type->mount(type, &req, &sb));
        if (LOAD(sb->mounts) == 0) {
                mbytes_copy(mbytes_take(MBYTES_OF(sb->source), sizeof sb->source - 1), a->source);
                FETCH_OR(sb->flags, (u32)a->flags & (u32)(MS_RDONLY | MS_SYNCHRONOUS | MS_DIRSYNC | MS_SILENT));
        }
        err_t err = mount_at_place(who, sb, at, mount_flags(a->flags));
        /* Never mounted: it goes as if it had been. */
        superblock_get_mount(sb);
        superblock_put_mount(sb);
        superblock_drop(sb);
        return err;
}

/* ---- Binding ---- */

static err_t bind_locked(const struct actor *who, const struct path *from, const struct path *at, bool rec)
{
        struct mount_family *family = who->ns->mnt->family;

        if (from->mnt->ns != who->ns->mnt || from->mnt->unbindable)
                return ERR(EINVAL);
        struct mount *m = mount_copy(who->payer, family, from->mnt, from->dentry, rec ? 0 : COPY_ONE);
        if (!m)
                return ERR(ENOMEM);
        err_t err = attach_locked(who, m, at);
        if (failed(err))
                mount_forget(m);
        return err;
}

static err_t bind(const struct actor *who, const struct mount_args *a, const struct path *at)
{
        struct mount_family *family = who->ns->mnt->family;
        struct path from = { };

        if (bytes_len(a->source) == 0)
                return ERR(EINVAL);
        TRY(look(who, a->source, LOOK_FOLLOW, &from));
        mutex_lock(&family->lock);
        err_t err = bind_locked(who, &from, at, (a->flags & MS_REC) != 0);
        mutex_unlock(&family->lock);
        path_drop(&from);
        return err;
}

/* ---- Changing what is there ---- */

/* Whoever opens a file for writing is counted before looking at the flag (open.c): one of the two sees the other.  What is
 * nameless (NULL: none of this mount's concern) would still be written to, when it goes; an unlink that is past its own look
 * at the flag slips through.  EBUSY. */
static err_t forbid_writing(u32 *flags, u32 flag, u64 *writers, u64 *nameless)
{
        bool was = (FETCH_OR(*flags, flag) & flag) != 0;

        if (LOAD(*writers) == 0 && (!nameless || LOAD(*nameless) == 0))
                return OK;
        if (!was)
                FETCH_AND(*flags, ~flag);
        return ERR(EBUSY);
}

static err_t remount_super(struct superblock *sb, u32 flags, bytes options)
{
        bool was = (LOAD(sb->flags) & MS_RDONLY) != 0;

        if ((flags & MS_RDONLY) != 0)
                TRY(forbid_writing(&sb->flags, MS_RDONLY, &sb->writers, &sb->nameless));
        err_t err = sb->ops->remount ? sb->ops->remount(sb, flags, options) : OK;
        if (failed(err) && !was)
                FETCH_AND(sb->flags, ~(u32)MS_RDONLY);
        if (succeeded(err) && (flags & MS_RDONLY) == 0)
                FETCH_AND(sb->flags, ~(u32)MS_RDONLY);
        return err;
}

static err_t remount(const struct actor *who, const struct mount_args *a, const struct path *at)
{
        struct superblock *sb = at->mnt->sb;

        if (!is_mount_root(at) || PTR_LOAD(at->mnt->ns) != who->ns->mnt)
                return ERR(EINVAL);
        GUARD(&sb->lock);
        if ((a->flags & MS_BIND) == 0) {
                TRY(remount_super(sb, (u32)a->flags, a->options));
        } else if ((a->flags & MS_RDONLY) != 0) {
                TRY(forbid_writing(&at->mnt->flags, MNT_RDONLY, &at->mnt->writers, NULL));
        }
        STORE(at->mnt->flags, mount_flags(a->flags));
        return OK;
}

static err_t set_propagation(const struct actor *who, const struct mount_args *a, const struct path *at)
{
        struct mount_family *family = who->ns->mnt->family;
        u32 kind = (u32)a->flags & ~(u32)(MS_REC | MS_SILENT);

        if ((kind & ~PROPAGATION) != 0 || bit_count(kind) != 1 || !is_mount_root(at))
                return ERR(EINVAL);
        GUARD(&family->lock);
        if (at->mnt->ns != who->ns->mnt)
                return ERR(EINVAL);
        return peer_change(who->payer, family, at->mnt, kind, (a->flags & MS_REC) != 0);
}

static bool has_unbindable(struct mount *top)
{
        for (struct mount *m = top; m; m = mount_below(m, top))
                if (m->unbindable)
                        return true;
        return false;
}

static err_t move_locked(const struct actor *who, struct mount *m, const struct path *at, struct path *was)
{
        struct mnt_ns *ns = who->ns->mnt;
        struct path to = { };

        if (m->ns != ns || !m->parent || mount_is_shared(m->parent))
                return ERR(EINVAL);
        err_t err = may_attach_locked(ns, m->root, at, &to);
        TRY(err_is(err, ENOTDIR) ? ERR(EINVAL) : err);
        if (mount_is_shared(to.mnt) && has_unbindable(m))
                return ERR(EINVAL);
        if (mount_is_under(to.mnt, m))
                return ERR(ELOOP);
        return put_there(who, m, &to, was);
}

static err_t move(const struct actor *who, const struct mount_args *a, const struct path *to)
{
        struct mount_family *family = who->ns->mnt->family;
        struct path from = { }, was = { };

        if (bytes_len(a->source) == 0)
                return ERR(EINVAL);
        TRY(look(who, a->source, LOOK_FOLLOW, &from));
        err_t err = ERR(EINVAL);
        if (is_mount_root(&from)) {
                mutex_lock(&family->lock);
                err = move_locked(who, from.mnt, to, &was);
                mutex_unlock(&family->lock);
        }
        path_drop(&was);
        path_drop(&from);
        return err;
}

err_t vfs_mount(const struct actor *who, const struct mount_args *args)
{
        struct mount_args a = *args;
        struct path at = { };

        if ((a.flags & MS_MGC_MSK) == MS_MGC_VAL)
                a.flags &= ~(u64)MS_MGC_MSK;
        TRY(look(who, a.target, LOOK_FOLLOW, &at));
        err_t err = may_mount(who);
        if (failed(err)) {
                path_drop(&at);
                return err;
        }
        if (a.flags & MS_REMOUNT)
                err = remount(who, &a, &at);
        else if (a.flags & MS_BIND)
                err = bind(who, &a, &at);
        else if (a.flags & PROPAGATION)
                err = set_propagation(who, &a, &at);
        else if (a.flags & MS_MOVE)
                err = move(who, &a, &at);
        else
                err = mount_new_fs(who, &a, &at);
        path_drop(&at);
        return err;
}

/* ---- Detaching ---- */

/* With `expire` only what was marked by the call before, and not used since; else it is marked. EBUSY, EAGAIN. */
static err_t may_detach_locked(struct mnt_ns *ns, struct mount *m, u32 flags)
{
        if (m->ns != ns)
                return (flags & MNT_DETACH) != 0 ? OK : ERR(EBUSY);
        if ((flags & MNT_DETACH) != 0)
                return OK;
        /* Counted by the tree and by the caller's path only: nobody is in there. */
        if (mount_is_busy(m, 2))
                return ERR(EBUSY);
        return (flags & MNT_EXPIRE) != 0 && (FETCH_OR(m->flags, MNT_EXPIRING) & MNT_EXPIRING) == 0 ? ERR(EAGAIN) : OK;
}

static err_t detach(struct mnt_ns *ns, struct mount *m, u32 flags)
{
        struct mount *gone = NULL;

        mutex_lock(&ns->family->lock);
        err_t err = may_detach_locked(ns, m, flags);
        if (succeeded(err) && m->ns == ns)
                mount_detach(m, &gone);
        mutex_unlock(&ns->family->lock);
        mounts_drop(gone);
        return err;
}

err_t vfs_umount(const struct actor *who, bytes target, u32 flags)
{
        struct mnt_ns *ns = who->ns->mnt;
        struct path at = { };

        if ((flags & ~(u32)(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW)) != 0)
                return ERR(EINVAL);
        TRY(look(who, target, (flags & UMOUNT_NOFOLLOW) != 0 ? 0 : LOOK_FOLLOW, &at));
        err_t err = may_mount(who);
        if (succeeded(err) && (!is_mount_root(&at) || at.mnt->ns != ns || at.mnt == ns->root))
                err = ERR(EINVAL);
        if (succeeded(err) && (flags & MNT_EXPIRE) != 0 && (flags & (MNT_FORCE | MNT_DETACH)) != 0)
                err = ERR(EINVAL);
        if (succeeded(err)) {
                /* The path's dentry count would look like a user of the file system. */
                struct mount *m = mount_hold(at.mnt);
                path_drop(&at);
                err = detach(ns, m, flags);
                mount_drop(m);
        }
        path_drop(&at);
        return err;
}

/* ---- pivot_root ---- */

struct pivoted { struct path new, root; };      /* where they were: to be dropped */

static err_t pivot_locked(struct mnt_ns *ns, const struct path *root, const struct path *new, const struct path *old, struct pivoted *was)
{
        struct mount *n = new->mnt, *r = root->mnt;

        if (n->ns != ns || r->ns != ns || old->mnt->ns != ns || !n->parent)
                return ERR(EINVAL);
        if (n == r || old->mnt == r)
                return ERR(EBUSY);
        if (!is_mount_root(new) || !is_mount_root(root) || !r->parent)
                return ERR(EINVAL);
        if (mount_is_shared(old->mnt) || mount_is_shared(n->parent) || mount_is_shared(r->parent))
                return ERR(EINVAL);
        if (!mount_is_under(old->mnt, n) || !mount_is_under(n, r))
                return ERR(EINVAL);
        TRY(reserve(old->dentry));
        was->new = mount_unplace(n);
        was->root = mount_unplace(r);
        mount_place(n, was->root.mnt, was->root.dentry);
        mount_place(r, old->mnt, old->dentry);
        FETCH_SUB(old->dentry->mounted, 1);
        return OK;
}

err_t vfs_pivot_root(const struct actor *who, bytes new_root, bytes put_old)
{
        struct mnt_ns *ns = who->ns->mnt;
        struct path root = fs_root(who->fs), new = { }, old = { };
        struct pivoted was = { };

        err_t err = may_mount(who);
        if (succeeded(err))
                err = look(who, new_root, LOOK_FOLLOW | LOOK_DIRECTORY, &new);
        if (succeeded(err))
                err = look(who, put_old, LOOK_FOLLOW | LOOK_DIRECTORY, &old);
        if (succeeded(err)) {
                mutex_lock(&ns->family->lock);
                err = pivot_locked(ns, &root, &new, &old, &was);
                mutex_unlock(&ns->family->lock);
        }
        if (succeeded(err))
                registry_move_root(who->ns->pid, &root, &new);
        path_drop(&was.new);
        path_drop(&was.root);
        path_drop(&new);
        path_drop(&old);
        path_drop(&root);
        return err;
}
