/* SPDX-License-Identifier: Apache-2.0
 *
 * Making, removing and moving names.
 *
 * Locking    The directory exclusively, then the inode that loses a name.  Renames between
 *            directories: sb.rename, then the two directories: an ancestor first, else by id.
 *            What a removed name leaves behind is freed after the locks are gone.
 */
#include "services/vfs/namei.h"
#include "services/vfs/locks.h"
#include "services/vfs/notify.h"
#include "services/vfs/dentry.h"
#include "services/vfs/fs_context.h"
#include "services/vfs/mount.h"
#include "services/vfs/protect.h"
#include "services/vfs/vfs.h"

static struct file_owner owner_of(const struct inode *i) { return (struct file_owner){ i->uid, i->gid, LOAD_RELAXED(i->mode) }; }

err_t may_create(const struct actor *who, struct inode *dir)
{
        if (dir->flags & INODE_DEAD)
                return ERR(ENOENT);
        return inode_permission(who, dir, MAY_WRITE | MAY_EXEC);
}

/* May `d` lose its name?  As unlink and rmdir check it, in this order. */
static err_t may_delete(const struct actor *who, struct inode *dir, struct dentry *d, bool want_dir)
{
        struct inode *inode = d->inode;

        if (!inode)
                return ERR(ENOENT);
        TRY(inode_permission(who, dir, MAY_WRITE | MAY_EXEC));
        if (dir->flags & INODE_APPEND)
                return ERR(EPERM);
        if (!cred_sticky_allows(who->cred, owner_of(dir), owner_of(inode)) || (inode->flags & (INODE_APPEND | INODE_IMMUTABLE)) != 0)
                return ERR(EPERM);
        if (want_dir && !inode_is_dir(inode))
                return ERR(ENOTDIR);
        if (!want_dir && inode_is_dir(inode))
                return ERR(EISDIR);
        if (dir->flags & INODE_DEAD)
                return ERR(ENOENT);
        return LOAD(d->mounted) != 0 && mount_is_on(who->ns->mnt, d) ? ERR(EBUSY) : OK;
}

/* d lost its name: what other namespaces have mounted on it goes. */
static void forget_mounts(const struct actor *who, struct dentry *d)
{
        if (LOAD(d->mounted) != 0)
                mount_forget_point(who->ns->mnt->family, d);
}

/* ---- Making ---- */

enum make_kind { MAKE_NODE, MAKE_DIR, MAKE_SYMLINK };
struct make {
        enum make_kind kind;
        u32 mode;
        u64 dev;
        bytes target;
        struct path *made;              /* NULL, or where the new place goes, counted */
};

static err_t make_locked(const struct actor *who, const struct path *at, const struct last *last, const struct make *make)
{
        struct dentry *dir = at->dentry;
        struct inode *inode = dir->inode;
        struct dentry *d = NULL;

        TRY(path_child_locked(dir, last->name, &d));
        err_t err = OK;
        if (d->inode)
                err = ERR(EEXIST);
        else if (last->slash && make->kind != MAKE_DIR)
                err = ERR(ENOENT);
        else
                err = may_create(who, inode);
        if (succeeded(err)) {
                switch (make->kind) {
                case MAKE_NODE:
                        err = inode->ops->create ? inode->ops->create(who, inode, d, make->mode, make->dev)
                              : (make->mode & S_IFMT) == S_IFREG ? ERR(EACCES) : ERR(EPERM);
                        break;
                case MAKE_DIR:
                        err = inode->ops->mkdir ? inode->ops->mkdir(who, inode, d, make->mode) : ERR(EPERM);
                        break;
                case MAKE_SYMLINK:
                        err = inode->ops->symlink ? inode->ops->symlink(who, inode, d, make->target) : ERR(EPERM);
                        break;
                }
        }
        if (succeeded(err) && make->made) {
                struct path made = { at->mnt, d };
                *make->made = path_hold(&made);
        }
        dentry_drop(d);
        return err;
}

static err_t make(const struct actor *who, i32 dfd, bytes path, const struct make *what)
{
        struct parent p = path_parent(who, walk_at(dfd, 0), path);

        TRY(p.err);
        struct inode *dir = p.dir.dentry->inode;
        err_t err = p.last.kind != LAST_NORM ? ERR(EEXIST) : path_may_search(who, &p.dir);
        if (succeeded(err)) {
                write_lock(&dir->lock);
                err = mount_want_write(p.dir.mnt);
                err_t made = succeeded(err) ? make_locked(who, &p.dir, &p.last, what) : OK;
                /* On a read-only mount what exists is still EEXIST. */
                if (failed(err)) {
                        struct dentry *d = NULL;
                        if (succeeded(path_child_locked(p.dir.dentry, p.last.name, &d)) && d->inode)
                                err = ERR(EEXIST);
                        dentry_drop(d);
                } else {
                        err = made;
                }
                write_unlock(&dir->lock);
        }
        if (succeeded(err))
                notify_name(dir, p.last.name, what->kind == MAKE_DIR ? IN_CREATE | IN_ISDIR : IN_CREATE, 0);
        path_drop(&p.dir);
        return err;
}

err_t vfs_mkdir(const struct actor *who, i32 dfd, bytes path, u32 mode)
{
        struct make m = { .kind = MAKE_DIR, .mode = S_IFDIR | (mode & (01777 & ~fs_umask(who->fs))) };

        return make(who, dfd, path, &m);
}

err_t vfs_mknod_at(const struct actor *who, i32 dfd, bytes path, u32 mode, struct path *made)
{
        struct make m = { .kind = MAKE_NODE, .mode = (mode & S_IFMT) | (mode & 07777 & ~fs_umask(who->fs)), .made = made };

        return make(who, dfd, path, &m);
}

err_t vfs_mknod(const struct actor *who, i32 dfd, bytes path, u32 mode, u64 dev)
{
        struct make m = { .kind = MAKE_NODE, .mode = (mode & S_IFMT) | (mode & 07777 & ~fs_umask(who->fs)) };

        switch (mode & S_IFMT) {
        case 0:
                m.mode |= S_IFREG;
                break;
        case S_IFREG:
        case S_IFIFO:
        case S_IFSOCK:
                break;
        case S_IFCHR:
        case S_IFBLK:
                if (!cred_has(who->cred, CAP_MKNOD) && ((mode & S_IFMT) != S_IFCHR || dev))     /* 0, 0 is a whiteout */
                        return ERR(EPERM);
                m.dev = dev;
                break;
        case S_IFDIR:
                return ERR(EPERM);
        default:
                return ERR(EINVAL);
        }
        return make(who, dfd, path, &m);
}

err_t vfs_symlink(const struct actor *who, bytes target, i32 dfd, bytes path)
{
        struct make m = { .kind = MAKE_SYMLINK, .mode = S_IFLNK | 0777, .target = target };

        if (bytes_len(target) == 0)
                return ERR(ENOENT);
        if (bytes_len(target) >= PATH_MAX_LEN)
                return ERR(ENAMETOOLONG);
        return make(who, dfd, path, &m);
}

static err_t link_locked(const struct actor *who, const struct path *from, const struct path *at, const struct last *last)
{
        struct inode *inode = at->dentry->inode, *target = from->dentry->inode;
        struct dentry *d = NULL;

        TRY(path_child_locked(at->dentry, last->name, &d));
        err_t err = OK;
        if (d->inode)
                err = ERR(EEXIST);
        else if (last->slash)
                err = ERR(ENOENT);
        else
                err = mount_want_write(at->mnt);
        if (succeeded(err) && from->mnt != at->mnt)
                err = ERR(EXDEV);
        if (succeeded(err))
                err = protect_hardlink(who, target);
        if (succeeded(err))
                err = may_create(who, inode);
        if (succeeded(err) && (target->flags & (INODE_APPEND | INODE_IMMUTABLE)) != 0)
                err = ERR(EPERM);
        if (succeeded(err) && (!inode->ops->link || inode_is_dir(target)))
                err = ERR(EPERM);
        if (succeeded(err)) {
                WRITE_GUARD(&target->lock);
                err = inode->ops->link(target, inode, d);
                if (succeeded(err))
                        target->flags &= ~INODE_LINKABLE;       /* once */
        }
        dentry_drop(d);
        return err;
}

err_t vfs_link(const struct actor *who, i32 old_dfd, bytes old, i32 new_dfd, bytes new, u32 at_flags)
{
        struct path from = { };
        u32 how = (at_flags & AT_SYMLINK_FOLLOW) != 0 ? LOOK_FOLLOW : 0;

        if ((at_flags & ~(u32)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) != 0)
                return ERR(EINVAL);
        if ((at_flags & AT_EMPTY_PATH) != 0) {
                if (!cred_has(who->cred, CAP_DAC_READ_SEARCH))
                        return ERR(ENOENT);
                how |= LOOK_EMPTY;
        }
        TRY(path_lookup(who, walk_at(old_dfd, how), old, &from));
        struct parent p = path_parent(who, walk_at(new_dfd, 0), new);
        err_t err = p.err;
        if (succeeded(err) && p.last.kind != LAST_NORM)
                err = ERR(EEXIST);
        if (succeeded(err))
                err = path_may_search(who, &p.dir);
        if (succeeded(err)) {
                WRITE_GUARD(&p.dir.dentry->inode->lock);
                err = link_locked(who, &from, &p.dir, &p.last);
        }
        if (succeeded(err)) {
                notify_inode(from.dentry->inode, IN_ATTRIB);
                notify_name(p.dir.dentry->inode, p.last.name, IN_CREATE, 0);
        }
        path_drop(&p.dir);
        path_drop(&from);
        return err;
}

/* ---- Removing ---- */

static err_t call_remove(struct inode *dir, struct dentry *d, bool is_dir)
{
        WRITE_GUARD(&d->inode->lock);
        err_t err = is_dir ? dir->ops->rmdir(dir, d) : dir->ops->unlink(dir, d);
        if (succeeded(err) && is_dir)
                d->inode->flags |= INODE_DEAD;
        return err;
}

/* *gone: the dentry, counted, to be dropped when the directory is unlocked. */
static err_t remove_locked(const struct actor *who, struct dentry *dir, const struct last *last, bool is_dir, struct dentry **gone)
{
        struct inode *inode = dir->inode;

        TRY(path_child_locked(dir, last->name, gone));
        struct dentry *d = *gone;
        if (!d->inode)
                return ERR(ENOENT);
        if (!is_dir && last->slash)
                return ERR(inode_is_dir(d->inode) ? EISDIR : ENOTDIR);
        TRY(may_delete(who, inode, d, is_dir));
        if (is_dir ? !inode->ops->rmdir : !inode->ops->unlink)
                return ERR(EPERM);
        TRY(call_remove(inode, d, is_dir));
        dentry_delete(d);
        return OK;
}

static err_t remove_name(const struct actor *who, struct parent *p, bool is_dir)
{
        struct inode *dir = p->dir.dentry->inode;
        struct dentry *gone = NULL;

        TRY(path_may_search(who, &p->dir));
        TRY(mount_want_write(p->dir.mnt));
        write_lock(&dir->lock);
        err_t err = remove_locked(who, p->dir.dentry, &p->last, is_dir, &gone);
        write_unlock(&dir->lock);
        if (succeeded(err) && !is_dir)
                notify_inode(gone->inode, IN_ATTRIB);
        if (succeeded(err))
                forget_mounts(who, gone);
        dentry_drop(gone);
        if (succeeded(err))
                notify_name(dir, p->last.name, is_dir ? IN_DELETE | IN_ISDIR : IN_DELETE, 0);
        return err;
}

err_t vfs_unlink(const struct actor *who, i32 dfd, bytes path)
{
        struct parent p = path_parent(who, walk_at(dfd, 0), path);

        TRY(p.err);
        err_t err = p.last.kind != LAST_NORM ? ERR(EISDIR) : remove_name(who, &p, false);
        path_drop(&p.dir);
        return err;
}

err_t vfs_rmdir(const struct actor *who, i32 dfd, bytes path)
{
        struct parent p = path_parent(who, walk_at(dfd, 0), path);
        err_t err = p.err;

        TRY(err);
        switch (p.last.kind) {
        case LAST_DOT:    err = ERR(EINVAL); break;
        case LAST_DOTDOT: err = ERR(ENOTEMPTY); break;
        case LAST_ROOT:   err = ERR(EBUSY); break;
        case LAST_NORM:   err = remove_name(who, &p, true); break;
        }
        path_drop(&p.dir);
        return err;
}

/* ---- Renaming ---- */

struct renaming {
        const struct actor *who;
        struct dentry *old_dir, *new_dir;       /* borrowed */
        struct dentry *old, *new;               /* counted */
        u32 flags;
        bool old_slash, new_slash;
};

/* The victim loses its name; with RENAME_EXCHANGE nobody does, but it moves. */
static err_t call_rename(const struct renaming *r)
{
        struct rename_op op = { .old_dir = r->old_dir->inode, .new_dir = r->new_dir->inode, .old = r->old, .new = r->new,
                                .flags = r->flags, .who = r->who };
        struct inode *victim = r->new->inode;

        if (!op.old_dir->ops->rename)
                return ERR(EPERM);
        if (!victim)
                return op.old_dir->ops->rename(&op);
        WRITE_GUARD(&victim->lock);
        TRY(op.old_dir->ops->rename(&op));
        if ((r->flags & RENAME_EXCHANGE) == 0 && inode_is_dir(victim))
                victim->flags |= INODE_DEAD;
        return OK;
}

/* A directory that gets another parent must be writable: its ".." changes. */
static err_t may_reparent(const struct renaming *r, struct dentry *d)
{
        return r->old_dir != r->new_dir && inode_is_dir(d->inode) ? inode_permission(r->who, d->inode, MAY_WRITE) : OK;
}

static err_t check_rename(const struct renaming *r)
{
        bool exchange = (r->flags & RENAME_EXCHANGE) != 0;
        struct inode *new_dir = r->new_dir->inode;
        bool is_dir = inode_is_dir(r->old->inode);

        TRY(may_delete(r->who, r->old_dir->inode, r->old, is_dir));
        if (!r->new->inode) {
                TRY(may_create(r->who, new_dir));
        } else {
                bool new_is_dir = inode_is_dir(r->new->inode);
                TRY(may_delete(r->who, new_dir, r->new, exchange ? new_is_dir : is_dir));
                if (exchange)
                        TRY(may_reparent(r, r->new));
        }
        return may_reparent(r, r->old);
}

static err_t look_up_both(struct renaming *r, const struct last *old, const struct last *new)
{
        bool exchange = (r->flags & RENAME_EXCHANGE) != 0;

        TRY(path_child_locked(r->old_dir, old->name, &r->old));
        if (!r->old->inode)
                return ERR(ENOENT);
        TRY(path_target_locked(r->new_dir, new->name, &r->new));
        if ((r->flags & RENAME_NOREPLACE) != 0 && r->new->inode)
                return ERR(EEXIST);
        if (exchange && !r->new->inode)
                return ERR(ENOENT);
        if (exchange && !inode_is_dir(r->new->inode) && new->slash)
                return ERR(ENOTDIR);
        if (!inode_is_dir(r->old->inode) && (old->slash || (!exchange && new->slash)))
                return ERR(ENOTDIR);
        if (dentry_is_below(r->new_dir, r->old))
                return ERR(EINVAL);
        if (dentry_is_below(r->old_dir, r->new))
                return ERR(exchange ? EINVAL : ENOTEMPTY);
        return OK;
}

static err_t rename_locked(struct renaming *r, const struct last *old, const struct last *new)
{
        TRY(look_up_both(r, old, new));
        if (r->old->inode == r->new->inode)
                return OK;              /* two names of one file: nothing to do */
        TRY(check_rename(r));
        TRY(call_rename(r));
        dentry_move(r->old, r->new, (r->flags & RENAME_EXCHANGE) != 0);
        return OK;
}

static void lock_dirs(struct dentry *a, struct dentry *b)
{
        struct dentry *first = a, *second = b;

        if (a == b) {
                write_lock(&a->inode->lock);
                return;
        }
        mutex_lock(&a->sb->rename);
        if (dentry_is_below(a, b) || (!dentry_is_below(b, a) && b->inode->id < a->inode->id)) {
                first = b;
                second = a;
        }
        write_lock(&first->inode->lock);
        write_lock(&second->inode->lock);
}

static void unlock_dirs(struct dentry *a, struct dentry *b)
{
        write_unlock(&a->inode->lock);
        if (a == b)
                return;
        write_unlock(&b->inode->lock);
        mutex_unlock(&a->sb->rename);
}

static void tell_moved(struct dentry *from, bytes old, struct dentry *to, bytes new, struct inode *moved)
{
        u32 cookie = notify_new_cookie(), dir = notify_isdir(moved);

        notify_name(from->inode, old, IN_MOVED_FROM | dir, cookie);
        notify_name(to->inode, new, IN_MOVED_TO | dir, cookie);
}

static void tell_renamed(const struct renaming *r, bytes old, bytes new)
{
        bool exchange = (r->flags & RENAME_EXCHANGE) != 0;
        struct inode *moved = r->old->inode, *other = r->new->inode;

        tell_moved(r->old_dir, old, r->new_dir, new, moved);
        if (r->old_dir == r->new_dir)
                dnotify_tell(r->old_dir->inode, DN_RENAME);
        if (other && !exchange && !inode_is_dir(other))
                notify_inode(other, IN_ATTRIB);
        notify_inode(moved, IN_MOVE_SELF);
        if (exchange) {
                tell_moved(r->new_dir, new, r->old_dir, old, other);
                notify_inode(other, IN_MOVE_SELF);
        }
}

static err_t rename_between(const struct actor *who, const struct parent *from, const struct parent *to, u32 flags)
{
        struct renaming r = { .who = who, .old_dir = from->dir.dentry, .new_dir = to->dir.dentry, .flags = flags };

        if (from->dir.mnt != to->dir.mnt)
                return ERR(EXDEV);
        if (from->last.kind != LAST_NORM)
                return ERR(EBUSY);
        if (to->last.kind != LAST_NORM)
                return ERR((flags & RENAME_NOREPLACE) != 0 ? EEXIST : EBUSY);
        TRY(path_may_search(who, &from->dir));
        TRY(path_may_search(who, &to->dir));
        TRY(mount_want_write(from->dir.mnt));
        lock_dirs(r.old_dir, r.new_dir);
        err_t err = rename_locked(&r, &from->last, &to->last);
        unlock_dirs(r.old_dir, r.new_dir);
        if (succeeded(err) && r.old->inode != r.new->inode && notify_is_on())
                tell_renamed(&r, from->last.name, to->last.name);
        if (succeeded(err) && r.old->inode != r.new->inode && (flags & RENAME_EXCHANGE) == 0)
                forget_mounts(who, r.new);
        dentry_drop(r.old);
        dentry_drop(r.new);
        return err;
}

err_t vfs_rename(const struct actor *who, i32 old_dfd, bytes old, i32 new_dfd, bytes new, u32 flags)
{
        if ((flags & ~(u32)(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT)) != 0)
                return ERR(EINVAL);
        if ((flags & RENAME_EXCHANGE) != 0 && (flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)) != 0)
                return ERR(EINVAL);
        struct parent from = path_parent(who, walk_at(old_dfd, 0), old);
        TRY(from.err);
        struct parent to = path_sibling(who, &from.dir, old, walk_at(new_dfd, 0), old_dfd == new_dfd, new);
        err_t err = succeeded(to.err) ? rename_between(who, &from, &to, flags) : to.err;
        path_drop(&to.dir);
        path_drop(&from.dir);
        return err;
}
