/* SPDX-License-Identifier: Apache-2.0
 *
 * mount(2), umount2(2), pivot_root(2).
 *
 * Locking    mnt_ns.lock around each change of the tree; paths are looked up before it is
 *            taken, what they hold is dropped after.
 * Left out   Propagation between peers: MS_SHARED and MS_SLAVE are remembered and shown,
 *            and every mount acts as a private one.
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

static err_t attach_locked(struct mnt_ns *ns, struct mount *m, const struct path *at)
{
        struct dentry *d = at->dentry;

        if (at->mnt->ns != ns)
                return ERR(EINVAL);
        if ((LOAD(d->flags) & DENTRY_DELETED) != 0 || !d->inode || (d->inode->flags & INODE_DEAD) != 0)
                return ERR(ENOENT);
        if (!same_kind(m->root, d))
                return ERR(ENOTDIR);
        if (mount_peek(at->mnt, d))
                return ERR(EBUSY);      /* someone was quicker: the walk would have gone on into it */
        mount_hold(m);
        mount_link_locked(ns, m, at->mnt, d);
        return OK;
}

static err_t attach(const struct actor *who, struct mount *m, const struct path *at)
{
        struct mnt_ns *ns = who->ns->mnt;

        GUARD(&ns->lock);
        TRY(attach_locked(ns, m, at));
        waitq_wake_all(&ns->changed);
        return OK;
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
        err_t err = attach(who, m, at);
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

        if (bytes_len(a->type) == 0)
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

/* Copies the mounts below `from`'s tree that lie under its dentry, onto `top`. */
static err_t bind_children_locked(const struct actor *who, struct mnt_ns *ns, struct mount *from, struct mount *to, struct dentry *below)
{
        for (struct mount *m = ns->first; m; m = m->next) {
                if (m->parent != from || m == to || m->id > to->id || !dentry_is_below(m->point, below))
                        continue;
                struct mount *c = mount_new(who->payer, m->sb, m->root, LOAD(m->flags));
                if (!c)
                        return ERR(ENOMEM);
                mount_link_locked(ns, c, to, m->point);
        }
        return OK;
}

/* Level by level: copies get higher ids than what was there, so a round only sees originals. */
static err_t bind_tree_locked(const struct actor *who, struct mnt_ns *ns, struct mount *from, struct mount *top)
{
        u32 last_original = top->id;

        TRY(bind_children_locked(who, ns, from, top, top->root));
        for (struct mount *c = top->next; c; c = c->next) {
                if (c->id <= last_original)
                        continue;
                /* The original of c: same superblock part at the same point, older. */
                for (struct mount *m = ns->first; m; m = m->next) {
                        if (m->id < last_original && m->sb == c->sb && m->root == c->root && m->point == c->point) {
                                TRY(bind_children_locked(who, ns, m, c, c->root));
                                break;
                        }
                }
        }
        return OK;
}

static err_t bind(const struct actor *who, const struct mount_args *a, const struct path *at)
{
        struct mnt_ns *ns = who->ns->mnt;
        struct path from = { };

        if (bytes_len(a->source) == 0)
                return ERR(EINVAL);
        TRY(look(who, a->source, LOOK_FOLLOW, &from));
        struct mount *m = NULL;
        err_t err = OK;
        if (from.mnt->ns != ns || from.mnt->propagation == MS_UNBINDABLE)
                err = ERR(EINVAL);
        if (succeeded(err)) {
                m = mount_new(who->payer, from.mnt->sb, from.dentry, LOAD(from.mnt->flags));
                err = m ? OK : ERR(ENOMEM);
        }
        if (succeeded(err)) {
                GUARD(&ns->lock);
                err = attach_locked(ns, m, at);
                if (succeeded(err) && (a->flags & MS_REC) != 0)
                        err = bind_tree_locked(who, ns, from.mnt, m);
                waitq_wake_all(&ns->changed);
        }
        mount_drop(m);
        path_drop(&from);
        return err;
}

/* ---- Changing what is there ---- */

static err_t remount(const struct mount_args *a, const struct path *at)
{
        struct superblock *sb = at->mnt->sb;

        if (!is_mount_root(at))
                return ERR(EINVAL);
        if ((a->flags & MS_RDONLY) != 0 && LOAD(at->mnt->writers) != 0)
                return ERR(EBUSY);
        if ((a->flags & MS_BIND) == 0) {
                GUARD(&sb->lock);
                if (sb->ops->remount)
                        TRY(sb->ops->remount(sb, (u32)a->flags, a->options));
                if ((a->flags & MS_RDONLY) != 0)
                        FETCH_OR(sb->flags, MS_RDONLY);
                else
                        FETCH_AND(sb->flags, ~(u32)MS_RDONLY);
                STORE(at->mnt->flags, mount_flags(a->flags & ~(u64)MS_RDONLY));
                return OK;
        }
        STORE(at->mnt->flags, mount_flags(a->flags));
        return OK;
}

static err_t set_propagation(const struct actor *who, const struct mount_args *a, const struct path *at)
{
        struct mnt_ns *ns = who->ns->mnt;
        u32 kind = (u32)a->flags & PROPAGATION;

        if (bit_count(kind) != 1 || !is_mount_root(at))
                return ERR(EINVAL);
        GUARD(&ns->lock);
        at->mnt->propagation = kind;
        if (a->flags & MS_REC)
                for (struct mount *m = ns->first; m; m = m->next)
                        for (struct mount *up = m->parent; up; up = up->parent)
                                if (up == at->mnt)
                                        m->propagation = kind;
        return OK;
}

static bool is_under(struct mount *m, struct mount *top)
{
        while (m && m != top)
                m = m->parent;
        return m != NULL;
}

static err_t move_locked(struct mnt_ns *ns, struct mount *m, const struct path *to, struct path *was)
{
        if (m->ns != ns || to->mnt->ns != ns || !m->parent)
                return ERR(EINVAL);
        if (is_under(to->mnt, m))
                return ERR(ELOOP);
        if (!same_kind(m->root, to->dentry))
                return ERR(ENOTDIR);
        *was = mount_unplace_locked(ns, m);
        mount_place_locked(ns, m, to->mnt, to->dentry);
        return OK;
}

static err_t move(const struct actor *who, const struct mount_args *a, const struct path *to)
{
        struct mnt_ns *ns = who->ns->mnt;
        struct path from = { }, was = { };

        if (bytes_len(a->source) == 0)
                return ERR(EINVAL);
        TRY(look(who, a->source, LOOK_FOLLOW, &from));
        err_t err = ERR(EINVAL);
        if (is_mount_root(&from)) {
                mutex_lock(&ns->lock);
                err = move_locked(ns, from.mnt, to, &was);
                waitq_wake_all(&ns->changed);
                mutex_unlock(&ns->lock);
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
                err = remount(&a, &at);
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

struct detached { struct mount *m; struct path was; };

/* The deepest mount under top (perhaps top itself) that nothing is mounted on. */
static struct mount *leaf_under(struct mnt_ns *ns, struct mount *top)
{
        for (struct mount *m = ns->last; m; m = m->prev)
                if (m->children == 0 && is_under(m, top))
                        return m;
        return NULL;
}

static void detach_tree(struct mnt_ns *ns, struct mount *top)
{
        for (bool more = true; more; ) {
                mutex_lock(&ns->lock);
                struct mount *m = top->ns == ns ? leaf_under(ns, top) : NULL;
                struct path was = { };
                if (m)
                        was = mount_unlink_locked(ns, m);
                mutex_unlock(&ns->lock);
                more = m != NULL && m != top;
                path_drop(&was);
                mount_drop(m);
        }
}

/* With `expire` only what was marked by the call before, and not used since; else it is marked. EBUSY, EAGAIN. */
static err_t detach_one(struct mnt_ns *ns, struct mount *m, bool expire)
{
        struct path was = { };

        mutex_lock(&ns->lock);
        /* Counted by the tree and by the caller's path only: nobody is in there. */
        bool busy = m->children > 0 || mount_refs(m) > 2 || m->ns != ns;
        bool stays = !busy && expire && (FETCH_OR(m->flags, MNT_EXPIRING) & MNT_EXPIRING) == 0;
        if (!busy && !stays)
                was = mount_unlink_locked(ns, m);
        mutex_unlock(&ns->lock);
        if (busy || stays)
                return ERR(busy ? EBUSY : EAGAIN);
        path_drop(&was);
        mount_drop(m);
        return OK;
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
                if ((flags & MNT_DETACH) != 0)
                        detach_tree(ns, m);
                else
                        err = detach_one(ns, m, (flags & MNT_EXPIRE) != 0);
                waitq_wake_all(&ns->changed);
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

        if (n->ns != ns || r->ns != ns || old->mnt->ns != ns)
                return ERR(EINVAL);
        if (n == r || old->mnt == r)
                return ERR(EBUSY);
        if (!is_mount_root(new) || !is_mount_root(root) || !n->parent || !r->parent)
                return ERR(EINVAL);
        if (!is_under(old->mnt, n))
                return ERR(EINVAL);
        was->new = mount_unplace_locked(ns, n);
        was->root = mount_unplace_locked(ns, r);
        mount_place_locked(ns, n, was->root.mnt, was->root.dentry);
        mount_place_locked(ns, r, old->mnt, old->dentry);
        return OK;
}

err_t vfs_pivot_root(const struct actor *who, bytes new_root, bytes put_old)
{
        struct mnt_ns *ns = who->ns->mnt;
        struct path root = fs_root(who->fs), cwd = fs_cwd(who->fs), new = { }, old = { };
        struct pivoted was = { };

        err_t err = may_mount(who);
        if (succeeded(err))
                err = look(who, new_root, LOOK_FOLLOW | LOOK_DIRECTORY, &new);
        if (succeeded(err))
                err = look(who, put_old, LOOK_FOLLOW | LOOK_DIRECTORY, &old);
        if (succeeded(err)) {
                mutex_lock(&ns->lock);
                err = pivot_locked(ns, &root, &new, &old, &was);
                mutex_unlock(&ns->lock);
        }
        if (succeeded(err)) {
                /* As the call does for whoever stands in the old root; here: the caller. */
                fs_set_root(who->fs, &new);
                if (path_same(&cwd, &root))
                        fs_set_cwd(who->fs, &new);
        }
        path_drop(&was.new);
        path_drop(&was.root);
        path_drop(&new);
        path_drop(&old);
        path_drop(&cwd);
        path_drop(&root);
        return err;
}
