/* SPDX-License-Identifier: Apache-2.0
 *
 * fs.protected_*.  See protect.h.
 */
#include "services/vfs/protect.h"

STABLE(protect_settings) { u32 level[4]; };     /* ATOMIC; by enum protect: xor what is usual */
static struct protect_settings settings;

static const u32 usual[] = { [PROTECT_HARDLINKS] = 1, [PROTECT_SYMLINKS] = 1, [PROTECT_FIFOS] = 0, [PROTECT_REGULAR] = 0 };

u32  protect_get(enum protect which)            { return LOAD_RELAXED(settings.level[which]) ^ usual[which]; }
void protect_set(enum protect which, u32 level) { STORE(settings.level[which], level ^ usual[which]); }

err_t protect_hardlink(const struct actor *who, struct inode *inode)
{
        u32 mode = LOAD_RELAXED(inode->mode);

        if (protect_get(PROTECT_HARDLINKS) == 0 || cred_owns(who->cred, (struct file_owner){ inode->uid, inode->gid, mode }))
                return OK;
        bool plain = (mode & (S_IFMT | S_ISUID)) == S_IFREG && (mode & (S_ISGID | S_IXGRP)) != (S_ISGID | S_IXGRP);
        return plain && succeeded(inode_permission(who, inode, MAY_READ | MAY_WRITE)) ? OK : ERR(EPERM);
}

bool protect_symlink(const struct actor *who, const struct inode *dir, const struct inode *link)
{
        return (LOAD_RELAXED(dir->mode) & (S_ISVTX | S_IWOTH)) == (S_ISVTX | S_IWOTH) && link->uid != who->cred->fsuid &&
               link->uid != dir->uid && protect_get(PROTECT_SYMLINKS) != 0;
}

err_t protect_create(const struct actor *who, const struct inode *dir, const struct inode *inode)
{
        u32 mode = LOAD_RELAXED(dir->mode), type = inode_type(inode);

        if ((mode & S_ISVTX) == 0 || inode->uid == dir->uid || inode->uid == who->cred->fsuid || (type != S_IFREG && type != S_IFIFO))
                return OK;
        u32 level = protect_get(type == S_IFREG ? PROTECT_REGULAR : PROTECT_FIFOS);
        return level != 0 && ((mode & S_IWOTH) != 0 || (level > 1 && (mode & S_IWGRP) != 0)) ? ERR(EACCES) : OK;
}
