/* SPDX-License-Identifier: Apache-2.0
 *
 * Extended attributes: name spaces and who may, then the file system's own operations.
 */
#include "services/vfs/vfs.h"
#include "services/vfs/namei.h"
#include "services/vfs/notify.h"

#define XATTR_NAME_MAX_LEN 255u
#define XATTR_SIZE_MAX_LEN 65536u

#define CAPS_NAME "security.capability"

static err_t check_name(bytes name)
{
        return bytes_len(name) == 0 || bytes_len(name) > XATTR_NAME_MAX_LEN ? ERR(ERANGE) : OK;
}

/* The value of security.capability: revision 2 or 3, each of its own size. capabilities(7), <linux/capability.h>. */
static err_t check_caps(bytes value)
{
        if (bytes_len(value) != XATTR_CAPS_SZ_2 && bytes_len(value) != XATTR_CAPS_SZ_3)
                return ERR(EINVAL);
        u32 revision = bytes_le32(value, 0) & VFS_CAP_REVISION_MASK;
        return revision == (bytes_len(value) == XATTR_CAPS_SZ_2 ? VFS_CAP_REVISION_2 : VFS_CAP_REVISION_3) ? OK : ERR(EINVAL);
}

bool inode_file_caps(struct inode *inode, struct cap_sets *caps)
{
        u8 room[XATTR_CAPS_SZ_3] = { };
        usize len = 0;

        READ_GUARD(&inode->lock);
        if ((inode->flags & INODE_FILE_CAPS) == 0 || failed(inode->ops->getxattr(inode, STR(CAPS_NAME), MBYTES_OF(room), &len)))
                return false;
        bytes v = bytes_take(BYTES_OF(room), min_u64(len, sizeof room));
        if (failed(check_caps(v)))
                return false;
        caps->permitted = (bytes_le32(v, 4) | (u64)bytes_le32(v, 12) << 32) & CAP_MASK_ALL;
        caps->inheritable = (bytes_le32(v, 8) | (u64)bytes_le32(v, 16) << 32) & CAP_MASK_ALL;
        caps->effective = (bytes_le32(v, 0) & VFS_CAP_FLAGS_EFFECTIVE) != 0 ? CAP_MASK_ALL : 0;
        return true;
}

/* xattr(7): user.* by permission, on files and directories; trusted.* for CAP_SYS_ADMIN; security.* to
 * read for all, to write for CAP_SYS_ADMIN (security.capability: CAP_SETFCAP). */
static err_t may_access(const struct actor *who, struct inode *inode, bytes name, u32 want)
{
        bool write = (want & MAY_WRITE) != 0;

        if (write && (inode->flags & (INODE_IMMUTABLE | INODE_APPEND)) != 0)
                return ERR(EPERM);
        if (bytes_len(name) == bytes_find(name, '.') + 1)
                return ERR(EINVAL);             /* a name space alone */
        if (bytes_starts(name, STR("security."))) {
                u32 cap = bytes_eq(name, STR(CAPS_NAME)) ? CAP_SETFCAP : CAP_SYS_ADMIN;
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
        bool caps = bytes_eq(name, STR(CAPS_NAME));
        if (caps)
                TRY(check_caps(value));
        write_lock(&inode->lock);
        err_t err = inode->ops->setxattr(inode, name, value, flags);
        if (succeeded(err) && caps)
                inode->flags |= INODE_FILE_CAPS;
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
