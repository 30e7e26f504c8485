/* SPDX-License-Identifier: Apache-2.0
 *
 * Extended attributes: name spaces and who may, then the file system's own operations.
 */
#include "services/vfs/vfs.h"
#include "services/vfs/namei.h"
#include "services/vfs/notify.h"

#define XATTR_NAME_MAX_LEN 255u
#define XATTR_SIZE_MAX_LEN 65536u

static err_t check_name(bytes name)
{
        return bytes_len(name) == 0 || bytes_len(name) > XATTR_NAME_MAX_LEN ? ERR(ERANGE) : OK;
}

/* xattr(7): user.* by permission, on files and directories; trusted.* for CAP_SYS_ADMIN; security.* to
 * read for all, to write for CAP_SYS_ADMIN (security.capability: CAP_SETFCAP). */
static err_t may_access(const struct actor *who, struct inode *inode, bytes name, u32 want)
{
        bool write = (want & MAY_WRITE) != 0;

        if (write && (inode->flags & (INODE_IMMUTABLE | INODE_APPEND)) != 0)
                return ERR(EPERM);
        if (bytes_starts(name, STR("security."))) {
                u32 cap = bytes_eq(name, STR("security.capability")) ? CAP_SETFCAP : CAP_SYS_ADMIN;
                return write && !cred_has(who->cred, cap) ? ERR(EPERM) : OK;
        }
        if (bytes_starts(name, STR("trusted."))) {
                if (cred_has(who->cred, CAP_SYS_ADMIN))
                        return OK;
                return write ? ERR(EPERM) : ERR(ENODATA);
        }
        if (bytes_starts(name, STR("user."))) {
                if (!inode_is_regular(inode) && !inode_is_dir(inode))
                        return write ? ERR(EPERM) : ERR(ENODATA);
                if (inode_is_dir(inode) && (inode->mode & S_ISVTX) != 0 && write &&
                    !cred_owns(who->cred, (struct file_owner){ inode->uid, inode->gid, inode->mode }))
                        return ERR(EPERM);
                return inode_permission(who, inode, want);
        }
        return ERR(EOPNOTSUPP);
}

err_t vfs_getxattr(const struct actor *who, const struct path *p, bytes name, mbytes out, usize *len)
{
        struct inode *inode = p->dentry->inode;

        TRY(check_name(name));
        TRY(may_access(who, inode, name, MAY_READ));
        if (!inode->ops->getxattr)
                return ERR(EOPNOTSUPP);
        READ_GUARD(&inode->lock);
        return inode->ops->getxattr(inode, name, out, len);
}

err_t vfs_setxattr(const struct actor *who, const struct path *p, bytes name, bytes value, u32 flags)
{
        struct inode *inode = p->dentry->inode;

        if ((flags & ~(u32)(XATTR_CREATE | XATTR_REPLACE)) != 0)
                return ERR(EINVAL);
        TRY(check_name(name));
        if (bytes_len(value) > XATTR_SIZE_MAX_LEN)
                return ERR(E2BIG);
        TRY(mount_want_write(p->mnt));
        TRY(may_access(who, inode, name, MAY_WRITE));
        if (!inode->ops->setxattr)
                return ERR(EOPNOTSUPP);
        write_lock(&inode->lock);
        err_t err = inode->ops->setxattr(inode, name, value, flags);
        write_unlock(&inode->lock);
        if (succeeded(err))
                notify_place(p->dentry, IN_ATTRIB);
        return err;
}

err_t vfs_listxattr(const struct actor *who, const struct path *p, mbytes out, usize *len)
{
        struct inode *inode = p->dentry->inode;

        *len = 0;
        if (!inode->ops->listxattr)
                return OK;
        READ_GUARD(&inode->lock);
        return inode->ops->listxattr(inode, cred_has(who->cred, CAP_SYS_ADMIN), out, len);
}

err_t vfs_removexattr(const struct actor *who, const struct path *p, bytes name)
{
        struct inode *inode = p->dentry->inode;

        TRY(check_name(name));
        TRY(mount_want_write(p->mnt));
        TRY(may_access(who, inode, name, MAY_WRITE));
        if (!inode->ops->removexattr)
                return ERR(EOPNOTSUPP);
        write_lock(&inode->lock);
        err_t err = inode->ops->removexattr(inode, name);
        write_unlock(&inode->lock);
        if (succeeded(err))
                notify_place(p->dentry, IN_ATTRIB);
        return err;
}
