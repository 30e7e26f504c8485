/* SPDX-License-Identifier: Apache-2.0
 *
 * open(2), openat2(2), and opening for execve.
 */
#include "services/vfs/vfs.h"
#include "services/vfs/namei.h"
#include "services/vfs/notify.h"
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
        if ((type == S_IFCHR || type == S_IFBLK) && (LOAD(p->mnt->flags) & MNT_NODEV) != 0)
                return ERR(EACCES);
        if ((want & MAY_WRITE) != 0 && type == S_IFREG)
                TRY(mount_want_write(p->mnt));
        if (!created)
                TRY(inode_permission(who, inode, want));
        if ((inode->flags & INODE_APPEND) != 0 &&
            (((flags & O_ACCMODE) != O_RDONLY && (flags & O_APPEND) == 0) || (flags & O_TRUNC) != 0))
                return ERR(EPERM);
        if ((flags & O_NOATIME) != 0 && !cred_owns(who->cred, (struct file_owner){ inode->uid, inode->gid, inode->mode }))
                return ERR(EPERM);
        return OK;
}

/* Makes the file and counts it as a writer. */
static err_t make_file(const struct actor *who, const struct path *p, u32 flags, struct file **out)
{
        struct inode *inode = p->dentry->inode;
        const struct file_ops *ops = ops_for(inode);
        bool writer = (flags & O_ACCMODE) != O_RDONLY && inode_is_regular(inode);

        if (!ops)
                return ERR(ENXIO);
        if (writer)
                TRY(inode_get_write(inode));
        err_t err = ops->open ? ops->open(who, p, flags, out) : file_open_plain(who, p, ops, flags, out);
        if (failed(err)) {
                if (writer)
                        inode_put_write(inode);
                return err;
        }
        if (writer) {
                FETCH_ADD(p->mnt->writers, 1);
                (*out)->mode |= FILE_WRITER;
        }
        return OK;
}

/* From here on watchers are told what is done with f. */
static void announce(struct file *f)
{
        f->mode |= FILE_OPENED;
        notify_file(f, IN_OPEN);
}

static err_t open_place(const struct actor *who, const struct path *p, u32 flags, bool created, struct file **out)
{
        struct file *f = NULL;

        if (flags & O_PATH)
                return file_open_plain(who, p, &path_file_ops, flags, out);
        TRY(may_open(who, p, flags, created));
        TRY(make_file(who, p, flags, &f));
        if ((flags & O_TRUNC) != 0 && !created && inode_is_regular(f->inode)) {
                err_t err = truncate_inode(f->inode, 0, who->cred);
                if (failed(err)) {
                        file_drop(f);
                        return err;
                }
                notify_place(p->dentry, IN_MODIFY);
        }
        announce(f);
        *out = f;
        return OK;
}

err_t vfs_open_path(const struct actor *who, const struct path *p, u32 flags, struct file **out)
{
        return make_file(who, p, flags, out);
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

/* Follows the link `at`, which lies in p->dir: p and *text become what it says (both owned by the caller). */
static err_t follow_last(struct parent *p, const struct path *at, struct blob **text)
{
        struct inode *inode = at->dentry->inode;

        (void)p;
        if (inode->link) {
                *text = blob_hold(inode->link);
                return OK;
        }
        if (!inode->ops->readlink)
                return ERR(ELOOP);
        struct blob *b = blob_alloc(payer_current(), PATH_MAX_LEN);
        if (!b)
                return ERR(ENOMEM);
        usize len = 0;
        err_t err = inode->ops->readlink(inode, blob_mbytes(b), &len);
        if (failed(err)) {
                blob_drop(b);
                return err;
        }
        blob_set_len(b, len);
        *text = b;
        return OK;
}

static err_t create_at(const struct actor *who, const struct walk *walk, bytes path, struct open_how how, struct file **out)
{
        struct parent p = path_parent(who, *walk, path);
        struct path at = { };
        struct blob *text = NULL;
        bool created = false;

        TRY(p.err);
        err_t err = OK;
        if (p.last.kind != LAST_NORM || p.last.slash)
                err = ERR(EISDIR);
        for (u32 links = 0; succeeded(err); links++) {
                err = create_or_find(who, &p, how.mode, &at, &created);
                if (failed(err))
                        break;
                if (!created && (how.flags & O_EXCL) != 0)
                        err = ERR(EEXIST);
                else if (inode_is_symlink(at.dentry->inode) && ((how.flags & O_NOFOLLOW) != 0 || links >= SYMLINKS_MAX))
                        err = ERR(ELOOP);
                if (failed(err) || !inode_is_symlink(at.dentry->inode))
                        break;
                if ((at.dentry->inode->flags & INODE_MAGICLINK) != 0) {
                        struct path to = { };
                        err = at.dentry->inode->ops->follow(at.dentry->inode, &to);
                        path_drop(&at);
                        at = to;
                        break;
                }
                struct blob *old = text;
                text = NULL;
                err = follow_last(&p, &at, &text);
                path_drop(&at);
                if (failed(err)) {
                        blob_drop(old);
                        break;
                }
                struct walk from = { .dfd = AT_FDCWD, .resolve = walk->resolve, .base = &p.dir };
                struct parent next = path_parent(who, from, blob_bytes(text));
                blob_drop(old);
                err = next.err;
                if (succeeded(err)) {
                        path_drop(&p.dir);
                        p = next;
                        if (p.last.kind != LAST_NORM || p.last.slash)
                                err = ERR(EISDIR);
                }
        }
        if (succeeded(err) && (how.flags & O_DIRECTORY) != 0 && !inode_is_dir(at.dentry->inode))
                err = ERR(ENOTDIR);
        if (succeeded(err))
                err = open_place(who, &at, how.flags, created, out);
        path_drop(&at);
        path_drop(&p.dir);
        blob_drop(text);
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
        err_t err = open_place(who, &at, how.flags & ~(u32)(O_TMPFILE | O_CREAT | O_TRUNC), true, out);
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
        TRY(path_lookup(who, walk, path, &at));
        err_t err = (how.flags & O_TMPFILE_BIT) != 0 ? make_tmpfile(who, &at, how, out) : open_place(who, &at, how.flags, false, out);
        path_drop(&at);
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
        TRY(inode_deny_write(inode));
        err_t err = inode->fops->open ? inode->fops->open(who, p, O_RDONLY, out) : file_open_plain(who, p, inode->fops, O_RDONLY, out);
        if (failed(err)) {
                inode_allow_write(inode);
                return err;
        }
        (*out)->mode |= FILE_EXEC;
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
