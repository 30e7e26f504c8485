/* SPDX-License-Identifier: Apache-2.0
 *
 * open(2), openat2(2), and opening for execve.
 */
#include "services/vfs/vfs.h"
#include "services/vfs/locks.h"
#include "services/vfs/namei.h"
#include "services/vfs/notify.h"
#include "services/vfs/protect.h"
#include "services/vfs/registry.h"

static const struct file_ops path_file_ops = { .flags = FOPS_NOLOCK };         /* O_PATH: no operation at all */

/* What the inode's type opens: ENXIO if nothing does. */
static const struct file_ops *ops_for(struct inode *inode)
{
        const struct chrdev *dev;

        switch (inode_type(inode)) {
        case S_IFCHR:
                dev = inode->fops ? NULL : chrdev_find(inode->rdev);
                return inode->fops ? inode->fops : dev ? dev->ops : NULL;
        case S_IFIFO:
                return registry_fifo();
        case S_IFBLK:
        case S_IFSOCK:
                return NULL;
        default:
                return inode->fops;
        }
}

static u32 wanted(u32 flags)
{
        u32 acc = flags & O_ACCMODE, want = 0;

        if (acc != O_WRONLY)
                want |= MAY_READ;
        if (acc != O_RDONLY || (flags & O_TRUNC) != 0)
                want |= MAY_WRITE;
        return want;
}

/* Type, permission, mount and flags against each other; created: it is the caller's own new file. */
static err_t may_open(const struct actor *who, const struct path *p, u32 flags, bool created)
{
        struct inode *inode = p->dentry->inode;
        u32 type = inode_type(inode), want = wanted(flags);

        if (type == S_IFLNK)
                return ERR(ELOOP);
        if (type == S_IFDIR && ((want & MAY_WRITE) != 0 || (flags & O_CREAT) != 0))
                return ERR(EISDIR);
        if ((LOAD_RELAXED(p->mnt->flags) & MNT_EXPIRING) != 0)
                FETCH_AND(p->mnt->flags, ~MNT_EXPIRING);
        if ((type == S_IFCHR || type == S_IFBLK) && (LOAD(p->mnt->flags) & MNT_NODEV) != 0)
                return ERR(EACCES);
        bool writes = (want & MAY_WRITE) != 0 && type == S_IFREG;
        if (writes && (flags & O_TRUNC) != 0)
                TRY(mount_want_write(p->mnt));
        if (!created)
                TRY(inode_permission(who, inode, want));
        if (writes)
                TRY(mount_want_write(p->mnt));
        if ((inode->flags & INODE_APPEND) != 0 &&
            (((flags & O_ACCMODE) != O_RDONLY && (flags & O_APPEND) == 0) || (flags & O_TRUNC) != 0))
                return ERR(EPERM);
        if ((flags & O_NOATIME) != 0 && !cred_owns(who->cred, (struct file_owner){ inode->uid, inode->gid, inode->mode }))
                return ERR(EPERM);
        return OK;
}

/* What it opens to: by the type's own way, or a plain file; *spare: one made beforehand, NULL once it is used, or none. */
static err_t open_file(const struct actor *who, const struct path *p, const struct file_ops *ops, u32 flags, struct file **spare, struct file **out)
{
        if (ops->open)
                return ops->open(who, p, flags, out);
        if (!*spare)
                return file_open_plain(who, p, ops, flags, out);
        *out = *spare;
        *spare = NULL;
        file_open_new(*out, who, p, ops, flags);
        return OK;
}

static void put_write(struct mount *mnt, struct inode *inode)
{
        FETCH_SUB(mnt->writers, 1);
        FETCH_SUB(inode->sb->writers, 1);
        inode_put_write(inode);
}

/* One more writer.  Counted before it is looked whether that is allowed: a remount looks at the counts after it forbade it. */
static err_t get_write(struct mount *mnt, struct inode *inode)
{
        TRY(inode_get_write(inode));
        FETCH_ADD(inode->sb->writers, 1);
        FETCH_ADD(mnt->writers, 1);
        if (!mount_is_readonly(mnt))
                return OK;
        put_write(mnt, inode);
        return ERR(EROFS);
}

/* Counts a writer, or a regular file's reader: before leases are looked at, see take_locked() there. */
static err_t get_use(const struct path *p, struct inode *inode, u32 use)
{
        if (use == FILE_READER)
                FETCH_ADD(inode->readers, 1);
        return use == FILE_WRITER ? get_write(p->mnt, inode) : OK;
}

static void put_use(const struct path *p, struct inode *inode, u32 use)
{
        if (use == FILE_READER)
                FETCH_SUB(inode->readers, 1);
        if (use == FILE_WRITER)
                put_write(p->mnt, inode);
}

/* Makes the file and counts it as what it is. */
static err_t make_file(const struct actor *who, const struct path *p, u32 flags, struct file **spare, struct file **out)
{
        struct inode *inode = p->dentry->inode;
        const struct file_ops *ops = ops_for(inode);
        u32 use = !inode_is_regular(inode) ? 0 : (flags & O_ACCMODE) != O_RDONLY ? FILE_WRITER : FILE_READER;

        if (!ops)
                return ERR(ENXIO);
        TRY(get_use(p, inode, use));
        err_t err = lease_break(inode, (wanted(flags) & MAY_WRITE) != 0, (flags & O_NONBLOCK) == 0);
        if (succeeded(err))
                err = open_file(who, p, ops, flags, spare, out);
        if (failed(err)) {
                put_use(p, inode, use);
                return err;
        }
        (*out)->mode |= use;
        return OK;
}

/* From here on watchers are told what is done with f. */
static void announce(struct file *f)
{
        f->mode |= FILE_OPENED;
        notify_file(f, IN_OPEN);
}

/* O_TRUNC, which is writing whatever else the file is opened for.  ETXTBSY. */
static noinline err_t cut(const struct actor *who, const struct path *p)
{
        struct inode *inode = p->dentry->inode;

        TRY(inode_get_write(inode));
        err_t err = truncate_inode(inode, 0, who->cred);
        inode_put_write(inode);
        if (succeeded(err))
                notify_place(p->dentry, IN_MODIFY);
        return err;
}

static err_t open_place(const struct actor *who, const struct path *p, u32 flags, bool created, struct file **spare, struct file **out)
{
        struct file *f = NULL;

        if (flags & O_PATH)
                return file_open_plain(who, p, &path_file_ops, flags, out);
        TRY(may_open(who, p, flags, created));
        TRY(make_file(who, p, flags, spare, &f));
        if ((flags & O_TRUNC) != 0 && !created && inode_is_regular(f->inode)) {
                err_t err = cut(who, p);
                if (failed(err)) {
                        file_drop(f);
                        return err;
                }
        }
        announce(f);
        *out = f;
        return OK;
}

err_t vfs_open_path(const struct actor *who, const struct path *p, u32 flags, struct file **out)
{
        struct file *none = NULL;

        return make_file(who, p, flags, &none, out);
}

/* ---- O_CREAT ---- */

static err_t create_locked(const struct actor *who, struct parent *p, u32 mode, struct dentry **out, bool *created)
{
        struct inode *dir = p->dir.dentry->inode;

        TRY(path_child_locked(p->dir.dentry, p->last.name, out));
        if ((*out)->inode)
                return OK;
        TRY(mount_want_write(p->dir.mnt));
        TRY(may_create(who, dir));
        if (!dir->ops->create)
                return ERR(EACCES);
        mode = (mode & 07777 & ~fs_umask(who->fs)) | S_IFREG;
        TRY(dir->ops->create(who, dir, *out, mode, 0));
        *created = true;
        return OK;
}

/* The last component of an O_CREAT open: what is there, or a new file.  *at counted. */
static err_t create_or_find(const struct actor *who, struct parent *p, u32 mode, struct path *at, bool *created)
{
        struct inode *dir = p->dir.dentry->inode;
        struct qname q = qname(p->dir.dentry, p->last.name);
        struct dentry *d = NULL;

        *created = false;
        TRY(path_may_search(who, &p->dir));
        if (!p->dir.dentry->sb->ops->revalidate)
                d = dentry_find(p->dir.dentry, &q);
        if (!d || dentry_is_negative(d)) {
                dentry_drop(d);
                d = NULL;
                write_lock(&dir->lock);
                err_t err = create_locked(who, p, mode, &d, created);
                write_unlock(&dir->lock);
                if (failed(err)) {
                        dentry_drop(d);
                        return err;
                }
                if (*created)
                        notify_name(dir, p->last.name, IN_CREATE, 0);
        }
        at->mnt = mount_hold(p->dir.mnt);
        at->dentry = d;
        path_descend(at);
        return OK;
}

/* An O_CREAT open under way. */
struct creating {
        struct parent p;                /* p.dir counted */
        struct path at;                 /* counted, once found or made */
        struct blob *text;              /* counted: the link's words that p.last points into */
        bool created;
        u32 links;
};

static err_t check_last(const struct creating *c)
{
        return c->p.last.kind != LAST_NORM || c->p.last.slash ? ERR(EISDIR) : OK;
}

/* c->at is a symlink: the parent that its words lead to. */
static struct parent follow_created(const struct actor *who, struct creating *c, u32 resolve)
{
        struct walk from = { .dfd = AT_FDCWD, .resolve = resolve, .base = &c->p.dir };
        struct parent next = { };
        struct blob *text = NULL;

        next.err = ++c->links > SYMLINKS_MAX ? ERR(ELOOP) : link_text(c->at.dentry->inode, &text);
        if (failed(next.err))
                return next;
        path_drop(&c->at);
        next = path_parent(who, from, blob_bytes(text));
        blob_drop(c->text);
        c->text = text;
        return next;
}

/* Finds or makes the last component; *again: it is a link to follow. */
static err_t create_step(const struct actor *who, struct creating *c, const struct open_how *how, bool *again)
{
        *again = false;
        TRY(check_last(c));
        TRY(create_or_find(who, &c->p, how->mode, &c->at, &c->created));
        struct inode *inode = c->at.dentry->inode;
        if (!c->created && (how->flags & O_EXCL) != 0)
                return ERR(EEXIST);
        if (!inode_is_symlink(inode))
                return c->created ? OK : protect_create(who, c->p.dir.dentry->inode, inode);
        if (how->flags & O_NOFOLLOW)
                return ERR(ELOOP);
        if (protect_symlink(who, c->p.dir.dentry->inode, inode))
                return ERR(EACCES);
        *again = (inode->flags & INODE_MAGICLINK) == 0;
        if (*again)
                return OK;
        struct path to = { };
        TRY(inode->ops->follow(inode, &to));
        path_drop(&c->at);
        c->at = to;
        return OK;
}

static err_t create_at(const struct actor *who, const struct walk *walk, bytes path, struct open_how how, struct file **out)
{
        struct creating c = { };
        bool again = true;

        c.p = path_parent(who, *walk, path);
        TRY(c.p.err);
        /* First of all: a name that was made is not taken back for want of memory. */
        struct file *spare = file_new_plain(who->payer);
        if (!spare) {
                path_drop(&c.p.dir);
                return ERR(ENOMEM);
        }
        err_t err = create_step(who, &c, &how, &again);
        while (succeeded(err) && again) {
                struct parent next = follow_created(who, &c, how.resolve);
                err = next.err;
                if (failed(err))
                        break;
                path_drop(&c.p.dir);
                c.p = next;
                err = create_step(who, &c, &how, &again);
        }
        if (succeeded(err) && (how.flags & O_DIRECTORY) != 0 && !inode_is_dir(c.at.dentry->inode))
                err = ERR(ENOTDIR);
        if (succeeded(err))
                err = open_place(who, &c.at, how.flags, c.created, &spare, out);
        path_drop(&c.at);
        path_drop(&c.p.dir);
        blob_drop(c.text);
        file_drop(spare);
        return err;
}

/* ---- O_TMPFILE ---- */

static err_t make_tmpfile(const struct actor *who, const struct path *dir, struct open_how how, struct file **out)
{
        struct inode *parent = dir->dentry->inode, *inode = NULL;

        if (!parent->ops->tmpfile)
                return ERR(EOPNOTSUPP);
        TRY(mount_want_write(dir->mnt));
        TRY(inode_permission(who, parent, MAY_WRITE | MAY_EXEC));
        TRY(parent->ops->tmpfile(who, parent, S_IFREG | (how.mode & 07777 & ~fs_umask(who->fs)), &inode));
        if (how.flags & O_EXCL)
                inode->flags &= ~INODE_LINKABLE;
        u8 name[24];
        usize n = format(MBYTES_OF(name), "#{}", inode->ino);
        struct qname q = qname(dir->dentry, bytes_take(BYTES_OF(name), n));
        struct dentry *d = dentry_new(dir->dentry, q.name, q.hash);
        if (!d) {
                inode_drop(inode);
                return ERR(ENOMEM);
        }
        dentry_set(d, inode);
        dentry_delete(d);               /* never hashed: only its " (deleted)" matters */
        struct path at = { dir->mnt, d };
        struct file *none = NULL;
        err_t err = open_place(who, &at, how.flags & ~(u32)(O_TMPFILE | O_CREAT | O_TRUNC), true, &none, out);
        if (succeeded(err))
                FETCH_OR((*out)->flags, (u32)O_TMPFILE);        /* F_GETFL tells */
        dentry_drop(d);
        return err;
}

/* ---- Entry points ---- */

static err_t check_flags(const struct open_how *how)
{
        if ((how->flags & O_TMPFILE_BIT) != 0 &&
            ((how->flags & O_DIRECTORY) == 0 || (how->flags & O_CREAT) != 0 || (how->flags & O_ACCMODE) == O_RDONLY))
                return ERR(EINVAL);
        if ((how->resolve & ~(u32)(RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH | RESOLVE_IN_ROOT | RESOLVE_CACHED)) != 0)
                return ERR(EINVAL);
        if ((how->resolve & RESOLVE_BENEATH) != 0 && (how->resolve & RESOLVE_IN_ROOT) != 0)
                return ERR(EINVAL);
        return OK;
}

err_t vfs_open(const struct actor *who, i32 dfd, bytes path, struct open_how how, struct file **out)
{
        struct walk walk = { .dfd = dfd, .resolve = how.resolve };
        struct path at = { };

        if (how.flags & O_PATH)
                how.flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
        TRY(check_flags(&how));
        if ((how.flags & O_CREAT) != 0)
                return create_at(who, &walk, path, how, out);
        if ((how.flags & O_NOFOLLOW) == 0)
                walk.how |= LOOK_FOLLOW;
        if ((how.flags & O_DIRECTORY) != 0)
                walk.how |= LOOK_DIRECTORY;
        struct file *none = NULL;
        TRY(path_lookup(who, walk, path, &at));
        err_t err = (how.flags & O_TMPFILE_BIT) != 0 ? make_tmpfile(who, &at, how, out) : open_place(who, &at, how.flags, false, &none, out);
        path_drop(&at);
        return err;
}

/* ---- Handles ---- */

err_t vfs_name_to_handle(const struct actor *who, i32 dfd, bytes path, u32 at_flags, struct inode_handle *out, struct path *place)
{
        u32 how = ((at_flags & AT_SYMLINK_FOLLOW) != 0 ? LOOK_FOLLOW : 0) | ((at_flags & AT_EMPTY_PATH) != 0 ? LOOK_EMPTY : 0);

        TRY(path_lookup(who, walk_at(dfd, how), path, place));
        struct inode *inode = place->dentry->inode;
        err_t err = inode->sb->ops->handle_of ? inode->sb->ops->handle_of(inode, out) : ERR(EOPNOTSUPP);
        if (failed(err))
                path_drop(place);
        return err;
}

/* As an open of the name would, with the name already followed. */
static err_t open_found(const struct actor *who, const struct path *at, struct open_how how, struct file **out)
{
        struct file *none = NULL;

        TRY(check_flags(&how));
        if ((how.flags & (O_DIRECTORY | O_TMPFILE_BIT)) != 0 && !inode_is_dir(at->dentry->inode))
                return ERR(ENOTDIR);
        if ((how.flags & O_TMPFILE_BIT) != 0)
                return make_tmpfile(who, at, how, out);
        if ((how.flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
                return ERR(EEXIST);
        return open_place(who, at, how.flags, false, &none, out);
}

err_t vfs_open_by_handle(const struct actor *who, struct mount *mnt, const struct inode_handle *h, u32 flags, struct file **out)
{
        struct superblock *sb = mnt->sb;
        struct path at = { .mnt = mnt };

        if (flags & O_PATH)
                flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
        if (!sb->ops->handle_find)
                return ERR(ESTALE);
        TRY(sb->ops->handle_find(sb, h, &at.dentry));
        err_t err = open_found(who, &at, (struct open_how){ .flags = flags }, out);
        dentry_drop(at.dentry);
        return err;
}

/* Writing is denied from here on. */
static err_t make_exec_file(const struct actor *who, const struct path *p, struct file **out)
{
        struct inode *inode = p->dentry->inode;

        TRY(inode_deny_write(inode));
        err_t err = inode->fops->open ? inode->fops->open(who, p, O_RDONLY, out) : file_open_plain(who, p, inode->fops, O_RDONLY, out);
        if (failed(err))
                inode_allow_write(inode);
        return err;
}

static err_t open_exec(const struct actor *who, const struct path *p, struct file **out)
{
        struct inode *inode = p->dentry->inode;

        if (inode_is_symlink(inode))
                return ERR(ELOOP);
        if (!inode_is_regular(inode) || (LOAD(p->mnt->flags) & MNT_NOEXEC) != 0)
                return ERR(EACCES);
        TRY(inode_permission(who, inode, MAY_EXEC));
        if (!inode->fops)
                return ERR(EACCES);
        TRY(get_use(p, inode, FILE_READER));
        err_t err = lease_break(inode, false, true);
        if (succeeded(err))
                err = make_exec_file(who, p, out);
        if (failed(err)) {
                put_use(p, inode, FILE_READER);
                return err;
        }
        (*out)->mode |= FILE_EXEC | FILE_READER;
        announce(*out);
        return OK;
}

err_t vfs_open_exec(const struct actor *who, i32 dfd, bytes path, u32 at_flags, struct file **out)
{
        struct path at = { };
        u32 how = ((at_flags & AT_SYMLINK_NOFOLLOW) != 0 ? 0 : LOOK_FOLLOW) | ((at_flags & AT_EMPTY_PATH) != 0 ? LOOK_EMPTY : 0);

        if ((at_flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0)
                return ERR(EINVAL);
        TRY(path_lookup(who, walk_at(dfd, how), path, &at));
        err_t err = open_exec(who, &at, out);
        path_drop(&at);
        return err;
}
