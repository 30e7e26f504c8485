/* SPDX-License-Identifier: Apache-2.0
 *
 * Attributes: stat, access, chmod, chown, truncate, utimens, statfs, and the working
 * directory.
 */
#include "services/vfs/vfs.h"
#include "services/vfs/locks.h"
#include "services/vfs/namei.h"
#include "services/vfs/notify.h"
#include "services/vfs/registry.h"
#include "abi/const/process.h"
#include "abi/const/signal.h"
#include "abi/const/time.h"

static struct file_owner owner_of(const struct inode *i) { return (struct file_owner){ i->uid, i->gid, LOAD_RELAXED(i->mode) }; }

static u32 how_of(u32 at_flags)
{
        return ((at_flags & AT_SYMLINK_NOFOLLOW) != 0 ? 0 : LOOK_FOLLOW) | ((at_flags & AT_EMPTY_PATH) != 0 ? LOOK_EMPTY : 0);
}

/* ---- Asking ---- */

static void stat_path(const struct path *p, struct stat_info *out)
{
        inode_stat(p->dentry->inode, out);
        out->mnt_id = p->mnt->id;
        if (p->dentry == p->mnt->root)
                out->attributes |= STATX_ATTR_MOUNT_ROOT;
}

err_t vfs_stat(const struct actor *who, i32 dfd, bytes path, u32 at_flags, struct stat_info *out)
{
        struct path at = { };
        u32 how = how_of(at_flags);
        err_t err;

        if ((dfd == AT_FDCWD || (bytes_len(path) > 0 && bytes_at(path, 0) == '/')) && path_stat_fast(who, path, how, out, &err))
                return err;
        TRY(path_lookup(who, walk_at(dfd, how), path, &at));
        stat_path(&at, out);
        path_drop(&at);
        return OK;
}

err_t vfs_fstat(struct file *f, struct stat_info *out)
{
        stat_path(&f->path, out);
        return OK;
}

static err_t access_place(const struct actor *who, const struct path *p, u32 mode)
{
        struct inode *inode = p->dentry->inode;
        u32 type = inode_type(inode);

        if ((mode & X_OK) != 0 && type == S_IFREG && (LOAD(p->mnt->flags) & MNT_NOEXEC) != 0)
                return ERR(EACCES);
        TRY(inode_permission(who, inode, mode));
        bool special = type == S_IFCHR || type == S_IFBLK || type == S_IFIFO || type == S_IFSOCK;
        return (mode & W_OK) != 0 && !special ? mount_want_write(p->mnt) : OK;
}

/* access(2) asks for the real ids, and root's capabilities only if the real id is root's. */
static struct cred *real_cred(const struct actor *who)
{
        struct cred *c = cred_copy(who->payer, who->cred);

        if (!c)
                return NULL;
        c->fsuid = c->uid;
        c->fsgid = c->gid;
        if ((c->securebits & SECBIT_NO_SETUID_FIXUP) == 0)
                c->cap_effective = c->uid == 0 ? c->cap_permitted : 0;
        cred_publish(c);
        return c;
}

err_t vfs_access(const struct actor *who, i32 dfd, bytes path, u32 mode, u32 at_flags)
{
        struct actor real = *who;
        struct cred *made = NULL;
        struct path at = { };

        if ((mode & ~(u32)(R_OK | W_OK | X_OK)) != 0 || (at_flags & ~(u32)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0)
                return ERR(EINVAL);
        bool same = who->cred->uid == who->cred->fsuid && who->cred->gid == who->cred->fsgid;
        if ((at_flags & AT_EACCESS) == 0 && !same) {
                made = real_cred(who);
                if (!made)
                        return ERR(ENOMEM);
                real.cred = made;
        }
        err_t err = path_lookup(&real, walk_at(dfd, how_of(at_flags)), path, &at);
        if (succeeded(err))
                err = access_place(&real, &at, mode);
        path_drop(&at);
        cred_drop(made);
        return err;
}

err_t vfs_readlink(const struct actor *who, i32 dfd, bytes path, struct io *out)
{
        struct path at = { };

        TRY(path_lookup(who, walk_at(dfd, LOOK_EMPTY), path, &at));
        struct inode *inode = at.dentry->inode;
        struct blob *text = NULL;
        err_t err = ERR(bytes_len(path) == 0 ? ENOENT : EINVAL);
        if (inode_is_symlink(inode))
                err = link_text(inode, &text);
        if (succeeded(err)) {
                bytes words = blob_bytes(text);
                usize want = min_u64(bytes_len(words), io_left(out));
                inode_touch_atime(inode);
                if (io_copy_out(out, words) < want)
                        err = ERR(EFAULT);
        }
        blob_drop(text);
        path_drop(&at);
        return err;
}

/* ---- Changing ---- */

static err_t change(struct inode *inode, const struct attr_change *c)
{
        WRITE_GUARD(&inode->lock);
        if ((c->which & (ATTR_SIZE | ATTR_UID | ATTR_GID)) != 0)
                inode_drop_file_caps(inode);
        return inode_setattr(inode, c);
}

/* Times that change alone tell of what usually changes them, as on Linux. */
static u32 event_of(u32 which)
{
        u32 access = ATTR_ATIME | ATTR_ATIME_NOW, modify = ATTR_MTIME | ATTR_MTIME_NOW;

        if ((which & ~(access | modify)) != 0 || ((which & access) != 0 && (which & modify) != 0))
                return IN_ATTRIB;
        return (which & access) != 0 ? IN_ACCESS : IN_MODIFY;
}

static err_t change_place(const struct path *p, const struct attr_change *c)
{
        TRY(change(p->dentry->inode, c));
        if (c->which)
                notify_place(p->dentry, event_of(c->which));
        return OK;
}

static err_t may_change(const struct path *p)
{
        TRY(mount_want_write(p->mnt));
        return (p->dentry->inode->flags & (INODE_IMMUTABLE | INODE_APPEND)) != 0 ? ERR(EPERM) : OK;
}

static err_t chmod_place(const struct actor *who, const struct path *p, u32 mode)
{
        struct inode *inode = p->dentry->inode;

        if (inode_is_symlink(inode))
                return ERR(EOPNOTSUPP);
        TRY(may_change(p));
        if (!cred_owns(who->cred, owner_of(inode)))
                return ERR(EPERM);
        if (!cred_in_group(who->cred, inode->gid) && !cred_has(who->cred, CAP_FSETID))
                mode &= ~(u32)S_ISGID;
        struct attr_change c = { .which = ATTR_MODE, .mode = mode };
        return change_place(p, &c);
}

err_t vfs_chmod(const struct actor *who, i32 dfd, bytes path, u32 mode, u32 at_flags)
{
        struct path at = { };

        TRY(path_lookup(who, walk_at(dfd, how_of(at_flags)), path, &at));
        err_t err = chmod_place(who, &at, mode);
        path_drop(&at);
        return err;
}

err_t vfs_fchmod(const struct actor *who, struct file *f, u32 mode) { return chmod_place(who, &f->path, mode); }

static err_t may_chown(const struct actor *who, const struct inode *inode, u32 uid, u32 gid)
{
        bool owner = who->cred->fsuid == inode->uid;

        if (cred_has(who->cred, CAP_CHOWN))
                return OK;
        if (uid != NO_ID && !(owner && uid == inode->uid))
                return ERR(EPERM);
        if (gid != NO_ID && !(owner && (gid == inode->gid || cred_in_group(who->cred, gid))))
                return ERR(EPERM);
        return OK;
}

static err_t chown_place(const struct actor *who, const struct path *p, u32 uid, u32 gid)
{
        struct inode *inode = p->dentry->inode;
        struct attr_change c = { .uid = uid, .gid = gid, .mode = inode->mode };

        TRY(may_change(p));
        TRY(may_chown(who, inode, uid, gid));
        if (uid != NO_ID)
                c.which |= ATTR_UID;
        if (gid != NO_ID)
                c.which |= ATTR_GID;
        if (!inode_is_dir(inode) && (inode->mode & (S_ISUID | S_ISGID)) != 0) {
                c.mode = mode_without_setid(c.mode, inode->gid, who->cred);
                if (c.mode != inode->mode)
                        c.which |= ATTR_MODE;
        }
        return change_place(p, &c);
}

err_t vfs_chown(const struct actor *who, i32 dfd, bytes path, u32 uid, u32 gid, u32 at_flags)
{
        struct path at = { };

        if ((at_flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0)
                return ERR(EINVAL);
        TRY(path_lookup(who, walk_at(dfd, how_of(at_flags)), path, &at));
        err_t err = chown_place(who, &at, uid, gid);
        path_drop(&at);
        return err;
}

err_t vfs_fchown(const struct actor *who, struct file *f, u32 uid, u32 gid) { return chown_place(who, &f->path, uid, gid); }

err_t inode_may_have_size(struct inode *inode, u64 size)
{
        struct task_body *body = task_current();

        if (size > inode->size && IS_A(thread, body) && size > DOWNCAST(thread, body)->process->rlimit[RLIMIT_FSIZE].cur) {
                registry_raise(SIGXFSZ);
                return ERR(EFBIG);
        }
        return size > inode->sb->max_bytes ? ERR(EFBIG) : OK;
}

err_t truncate_inode(struct inode *inode, u64 len, const struct cred *cred)
{
        struct attr_change c = { .which = ATTR_SIZE | ATTR_MTIME_NOW, .size = len, .mode = inode->mode };

        TRY(inode_may_have_size(inode, len));
        if ((c.mode & (S_ISUID | S_ISGID)) != 0 && !cred_has(cred, CAP_FSETID)) {
                c.mode = mode_without_setid(c.mode, inode->gid, cred);
                c.which |= ATTR_MODE;
        }
        return change(inode, &c);
}

static err_t truncate_place(const struct actor *who, const struct path *p, u64 len)
{
        struct inode *inode = p->dentry->inode;

        if (inode_is_dir(inode))
                return ERR(EISDIR);
        if (!inode_is_regular(inode))
                return ERR(EINVAL);
        TRY(mount_want_write(p->mnt));
        TRY(inode_permission(who, inode, MAY_WRITE));
        if (inode->flags & INODE_APPEND)
                return ERR(EPERM);
        TRY(inode_get_write(inode));
        err_t err = lease_break(inode, true, true);
        if (succeeded(err))
                err = truncate_inode(inode, len, who->cred);
        inode_put_write(inode);
        if (succeeded(err))
                notify_place(p->dentry, IN_MODIFY);
        return err;
}

err_t vfs_truncate(const struct actor *who, bytes path, i64 len)
{
        struct path at = { };

        if (len < 0)
                return ERR(EINVAL);
        TRY(path_lookup(who, walk_at(AT_FDCWD, LOOK_FOLLOW), path, &at));
        err_t err = truncate_place(who, &at, (u64)len);
        path_drop(&at);
        return err;
}

err_t file_truncate(const struct actor *who, struct file *f, i64 len)
{
        if (len < 0 || !inode_is_regular(f->inode) || !file_may_write(f))
                return ERR(EINVAL);
        if (f->inode->flags & INODE_APPEND)
                return ERR(EPERM);
        TRY(truncate_inode(f->inode, (u64)len, who->cred));
        notify_file(f, IN_MODIFY);
        return OK;
}

static err_t utimens_place(const struct actor *who, const struct path *p, const struct utimes *t)
{
        struct inode *inode = p->dentry->inode;
        struct attr_change c = { };
        bool now = !t || (t->atime.nsec == UTIME_NOW && t->mtime.nsec == UTIME_NOW);

        if (t) {
                bool ok = (t->atime.nsec < NSEC_PER_SEC || t->atime.nsec == UTIME_NOW || t->atime.nsec == UTIME_OMIT) &&
                        (t->mtime.nsec < NSEC_PER_SEC || t->mtime.nsec == UTIME_NOW || t->mtime.nsec == UTIME_OMIT);
                if (!ok)
                        return ERR(EINVAL);
                c.atime = t->atime;
                c.mtime = t->mtime;
        }
        if (now) {
                c.which = ATTR_ATIME_NOW | ATTR_MTIME_NOW;
        } else {
                if (t->atime.nsec != UTIME_OMIT)
                        c.which |= t->atime.nsec == UTIME_NOW ? ATTR_ATIME_NOW : ATTR_ATIME;
                if (t->mtime.nsec != UTIME_OMIT)
                        c.which |= t->mtime.nsec == UTIME_NOW ? ATTR_MTIME_NOW : ATTR_MTIME;
                if (c.which == 0)
                        return OK;
        }
        TRY(mount_want_write(p->mnt));
        if ((inode->flags & INODE_IMMUTABLE) != 0 || (!now && (inode->flags & INODE_APPEND) != 0))
                return ERR(EPERM);
        if (!cred_owns(who->cred, owner_of(inode))) {
                if (!now)
                        return ERR(EPERM);
                if (failed(inode_permission(who, inode, MAY_WRITE)))
                        return ERR(EACCES);
        }
        return change_place(p, &c);
}

err_t vfs_utimens(const struct actor *who, i32 dfd, bytes path, const struct utimes *times, u32 at_flags)
{
        struct path at = { };

        if ((at_flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0)
                return ERR(EINVAL);
        TRY(path_lookup(who, walk_at(dfd, how_of(at_flags)), path, &at));
        err_t err = utimens_place(who, &at, times);
        path_drop(&at);
        return err;
}

err_t vfs_futimens(const struct actor *who, struct file *f, const struct utimes *times)
{
        return utimens_place(who, &f->path, times);
}

/* ---- File systems ---- */

static err_t statfs_place(const struct path *p, struct linux_statfs *out)
{
        u32 mnt = LOAD(p->mnt->flags);

        TRY(p->mnt->sb->ops->statfs(p->mnt->sb, out));
        out->f_flags = ST_VALID | (i64)(mnt & (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC)) |
                (mount_is_readonly(p->mnt) ? ST_RDONLY : 0) | ((mnt & MNT_RELATIME) != 0 ? ST_RELATIME : 0) |
                ((mnt & MNT_NOATIME) != 0 ? ST_NOATIME : 0) | ((mnt & MNT_NODIRATIME) != 0 ? ST_NODIRATIME : 0);
        return OK;
}

err_t vfs_statfs(const struct actor *who, bytes path, struct linux_statfs *out)
{
        struct path at = { };

        TRY(path_lookup(who, walk_at(AT_FDCWD, LOOK_FOLLOW), path, &at));
        err_t err = statfs_place(&at, out);
        path_drop(&at);
        return err;
}

err_t vfs_fstatfs(struct file *f, struct linux_statfs *out) { return statfs_place(&f->path, out); }

err_t vfs_ustat(u32 dev, struct linux_statfs *out)
{
        struct superblock *sb = superblock_next(NULL);

        while (sb && (u32)sb->dev != dev)
                sb = superblock_next(sb);
        if (!sb)
                return ERR(EINVAL);
        err_t err = sb->ops->statfs ? sb->ops->statfs(sb, out) : ERR(ENOSYS);
        superblock_drop(sb);
        return err;
}

void vfs_sync(void)
{
        for (struct superblock *sb = superblock_next(NULL); sb; sb = superblock_next(sb))
                if (sb->ops->sync)
                        ignore(sb->ops->sync(sb));
}

/* ---- The working directory ---- */

static err_t chdir_to(const struct actor *who, const struct path *p)
{
        TRY(path_may_search(who, p));
        fs_set_cwd(who->fs, p);
        return OK;
}

err_t vfs_chdir(const struct actor *who, bytes path)
{
        struct path at = { };

        TRY(path_lookup(who, walk_at(AT_FDCWD, LOOK_FOLLOW | LOOK_DIRECTORY), path, &at));
        err_t err = chdir_to(who, &at);
        path_drop(&at);
        return err;
}

err_t vfs_fchdir(const struct actor *who, struct file *f) { return chdir_to(who, &f->path); }

err_t vfs_chroot(const struct actor *who, bytes path)
{
        struct path at = { };

        TRY(path_lookup(who, walk_at(AT_FDCWD, LOOK_FOLLOW | LOOK_DIRECTORY), path, &at));
        err_t err = path_may_search(who, &at);
        if (succeeded(err) && !cred_has(who->cred, CAP_SYS_CHROOT))
                err = ERR(EPERM);
        if (succeeded(err))
                fs_set_root(who->fs, &at);
        path_drop(&at);
        return err;
}

err_t vfs_getcwd(const struct actor *who, mbytes buf, usize *len)
{
        struct blob *text = blob_alloc(who->payer, PATH_MAX_LEN);

        if (!text)
                return ERR(ENOMEM);
        struct path root = fs_root(who->fs), cwd = fs_cwd(who->fs);
        usize start = 0;
        mbytes room = mbytes_take(blob_mbytes(text), PATH_MAX_LEN);
        err_t err = path_text(&cwd, &root, PATH_NO_DELETED | PATH_UNREACHABLE, room, &start);
        if (succeeded(err)) {
                bytes words = bytes_skip(bytes_const(room), start);
                *len = bytes_len(words) + 1;
                if (*len > mbytes_len(buf)) {
                        err = ERR(ERANGE);
                } else {
                        mbytes_copy(buf, words);
                        mbytes_put(buf, *len - 1, 0);
                }
        }
        path_drop(&root);
        path_drop(&cwd);
        blob_drop(text);
        return err;
}
