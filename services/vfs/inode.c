/* SPDX-License-Identifier: Apache-2.0
 *
 * Inodes: what all file systems share of them.  See inode.h.
 */
#include "services/vfs/inode.h"
#include "services/vfs/mount.h"
#include "services/vfs/path.h"
#include "services/vfs/registry.h"
#include "services/vfs/locks.h"

LOCK_CLASS_DECLARE(file_pos);
LOCK_CLASS_DECLARE(rename);
LOCK_CLASS_DECLARE(inode);
LOCK_CLASS(inode, AFTER3(rename, file_pos, inode));   /* of two inodes: a directory before its child, else by id */

#define WRITERS_DENIED 0x80000000u      /* inode.writers: this bit set, the rest counts who denies writing */

void inode_init(struct inode *inode, const struct inode_init *init)
{
        struct timestamp now = time_wall();

        inode->ops = init->ops;
        inode->fops = init->fops;
        inode->sb = superblock_hold(init->sb);
        inode->ino = init->ino;
        inode->id = unique_u64();
        inode->rdev = init->rdev;
        inode->mode = init->mode;
        inode->uid = init->uid;
        inode->gid = init->gid;
        inode->nlink = 1;
        inode->flags = init->ops->permission || init->sb->ops->revalidate ? 0 : INODE_PLAIN;
        inode->atime = now;
        inode->mtime = now;
        inode->ctime = now;
        inode->btime = now;
        lock_init(&inode->lock, inode);
        mapping_init(&inode->mapping, inode, init->pages);
}

void inode_fini(struct inode *inode)
{
        mapping_fini(&inode->mapping);
        if (inode->locks)
                locks_free(inode);
        blob_drop(inode->link);
        if (inode->sb && inode->nlink == 0)
                FETCH_SUB(inode->sb->nameless, 1);
        superblock_drop(inode->sb);
}

void inode_set_nlink(struct inode *inode, u32 n)
{
        if (n == 0 && inode->nlink != 0)
                FETCH_ADD(inode->sb->nameless, 1);
        if (n != 0 && inode->nlink == 0)
                FETCH_SUB(inode->sb->nameless, 1);
        STORE(inode->nlink, n);
}

void inode_owner_for_new(const struct actor *who, const struct inode *dir, u32 *mode, u32 *uid, u32 *gid)
{
        *uid = who->cred->fsuid;
        *gid = who->cred->fsgid;
        if ((dir->mode & S_ISGID) == 0)
                return;
        *gid = dir->gid;
        if ((*mode & S_IFMT) == S_IFDIR)
                *mode |= S_ISGID;
        else if ((*mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && !cred_in_group(who->cred, *gid) &&
                 !cred_has(who->cred, CAP_FSETID))
                *mode &= ~(u32)S_ISGID;
}

void inode_touch_mtime(struct inode *inode)
{
        struct timestamp now = time_wall();

        inode->mtime = now;
        inode->ctime = now;
        inode->version++;
}

void inode_touch_ctime(struct inode *inode) { inode->ctime = time_wall(); }

static bool is_before(struct timestamp a, struct timestamp b) { return a.sec < b.sec || (a.sec == b.sec && a.nsec <= b.nsec); }

/* As relatime does: only when older than the last change, or a day old. */
void inode_touch_atime(struct inode *inode)
{
        if ((inode->flags & INODE_NOATIME) != 0 || (LOAD_RELAXED(inode->sb->flags) & (MS_NOATIME | MS_RDONLY)) != 0)
                return;
        if (!is_before(inode->atime, inode->mtime) && !is_before(inode->atime, inode->ctime)) {
                struct timestamp now = time_wall();
                if (now.sec - inode->atime.sec < 24 * 60 * 60)
                        return;
                inode->atime = now;
                return;
        }
        inode->atime = time_wall();
}

void file_touch_atime(struct file *f)
{
        struct inode *inode = f->inode;
        u32 mnt = f->path.mnt ? LOAD_RELAXED(f->path.mnt->flags) : 0;

        if ((LOAD_RELAXED(f->flags) & O_NOATIME) != 0 || (mnt & MNT_NOATIME) != 0 ||
            ((mnt & MNT_NODIRATIME) != 0 && inode_is_dir(inode)))
                return;
        inode_touch_atime(inode);
}

u32 mode_without_setid(u32 mode, u32 gid, const struct cred *cred)
{
        bool keeps = (mode & S_IXGRP) == 0 && (cred_in_group(cred, gid) || cred_has(cred, CAP_FSETID));
        return mode & ~(u32)(S_ISUID | (keeps ? 0 : S_ISGID));
}

void inode_drop_file_caps(struct inode *inode)
{
        if ((inode->flags & INODE_FILE_CAPS) == 0)
                return;
        inode->flags &= ~INODE_FILE_CAPS;
        if (inode->ops->removexattr)
                (void)inode->ops->removexattr(inode, STR("security.capability"));
}

err_t inode_permission(const struct actor *who, struct inode *inode, u32 want)
{
        u32 mode = LOAD_RELAXED(inode->mode);

        if (want & MAY_WRITE) {
                u32 type = mode & S_IFMT;
                if (super_is_readonly(inode->sb) && (type == S_IFREG || type == S_IFDIR || type == S_IFLNK))
                        return ERR(EROFS);
                if (inode->flags & INODE_IMMUTABLE)
                        return ERR(EPERM);
        }
        if (inode->ops->permission)
                return inode->ops->permission(who, inode, want);
        return cred_may_access(who->cred, (struct file_owner){ inode->uid, inode->gid, mode }, want);
}

err_t inode_deny_write(struct inode *inode)
{
        for (;;) {
                u32 n = LOAD(inode->writers);
                if (n != 0 && (n & WRITERS_DENIED) == 0)
                        return ERR(ETXTBSY);
                if (CMPXCHG(inode->writers, n, (n | WRITERS_DENIED) + 1))
                        return OK;
        }
}

void inode_allow_write(struct inode *inode)
{
        for (;;) {
                u32 n = LOAD(inode->writers);
                if (CMPXCHG(inode->writers, n, n - 1 == WRITERS_DENIED ? 0 : n - 1))
                        return;
        }
}

err_t inode_get_write(struct inode *inode)
{
        for (;;) {
                u32 n = LOAD(inode->writers);
                if (n & WRITERS_DENIED)
                        return ERR(ETXTBSY);
                if (CMPXCHG(inode->writers, n, n + 1))
                        return OK;
        }
}

bool inode_has_writers(const struct inode *inode)
{
        u32 n = LOAD(inode->writers);

        return n != 0 && (n & WRITERS_DENIED) == 0;
}

void inode_put_write(struct inode *inode) { FETCH_SUB(inode->writers, 1); }

void inode_apply(struct inode *inode, const struct attr_change *c)
{
        struct timestamp now = time_wall();

        if (c->which & ATTR_MODE)
                STORE(inode->mode, (inode->mode & S_IFMT) | (c->mode & 07777));
        if (c->which & ATTR_UID)
                inode->uid = c->uid;
        if (c->which & ATTR_GID)
                inode->gid = c->gid;
        if (c->which & ATTR_SIZE)
                STORE(inode->size, c->size);
        if (c->which & ATTR_ATIME)
                inode->atime = c->atime;
        if (c->which & ATTR_MTIME)
                inode->mtime = c->mtime;
        if (c->which & ATTR_ATIME_NOW)
                inode->atime = now;
        if (c->which & ATTR_MTIME_NOW)
                inode->mtime = now;
        inode->ctime = now;
}

void inode_setattr_plain(struct inode *inode, const struct attr_change *c)
{
        inode_apply(inode, c);
        if ((c->which & ATTR_SIZE) != 0 && inode_is_regular(inode))
                mapping_truncate(&inode->mapping, c->size);
}

err_t inode_setattr(struct inode *inode, const struct attr_change *c)
{
        if (inode->ops->setattr)
                return inode->ops->setattr(inode, c);
        inode_setattr_plain(inode, c);
        return OK;
}

static inline void fill_stat(struct inode *inode, struct superblock *sb, struct stat_info *out)
{
        out->dev = sb->dev;
        out->ino = inode->ino;
        out->rdev = inode->rdev;
        out->size = LOAD(inode->size);
        out->blocks = mapping_pages(&inode->mapping) * (PAGE_SIZE / 512);
        out->mode = LOAD_RELAXED(inode->mode);
        out->nlink = inode->nlink;
        out->uid = inode->uid;
        out->gid = inode->gid;
        out->blksize = sb->block_size;
        out->mask = STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID;
        out->atime = inode->atime;
        out->mtime = inode->mtime;
        out->ctime = inode->ctime;
        out->btime = inode->btime;
        out->attributes_mask = STATX_ATTR_MOUNT_ROOT | STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND;
        u32 flags = inode->flags;
        out->attributes = (flags & INODE_IMMUTABLE ? STATX_ATTR_IMMUTABLE : 0) | (flags & INODE_APPEND ? STATX_ATTR_APPEND : 0);
}

void inode_stat(struct inode *inode, struct stat_info *out)
{
        fill_stat(inode, inode->sb, out);
        if (inode->ops->getattr)
                inode->ops->getattr(inode, out);
}

bool inode_stat_unheld(struct inode *inode, struct stat_info *out)
{
        const struct inode_ops *ops = PTR_LOAD(inode->ops);
        struct superblock *sb = PTR_LOAD(inode->sb);

        if (!ops || !sb || ops->getattr)
                return false;
        fill_stat(inode, sb, out);
        return true;
}
