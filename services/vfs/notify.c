/* SPDX-License-Identifier: Apache-2.0
 *
 * The slow half of notify.h: finds the watched inodes that an event is about.
 */
#include "services/vfs/notify.h"
#include "services/vfs/locks.h"

struct notify_state notify_state;

STABLE(notify_cookies) { u32 next; };   /* ATOMIC */
static struct notify_cookies cookies;

void vfs_register_notify(const struct vfs_notify_ops *ops) { notify_state.ops = ops; }

u32 notify_new_cookie(void)
{
        u32 n = FETCH_ADD(cookies.next, 1) + 1;

        return n ? n : FETCH_ADD(cookies.next, 1) + 1;
}

static void tell(struct inode *inode, const struct notify_event *e)
{
        if (PTR_LOAD(inode->watches))
                notify_state.ops->event(inode, e);
}

void notify_name_slow(struct inode *dir, bytes name, u32 mask, u32 cookie)
{
        struct notify_event e = { .mask = mask, .cookie = cookie, .name = name };

        dnotify_event(dir, mask);
        tell(dir, &e);
}

void notify_inode_slow(struct inode *inode, u32 mask)
{
        struct notify_event e = { .mask = mask, .name = NO_BYTES };

        dnotify_event(inode, mask);
        tell(inode, &e);
}

/* d's directory, counted, if somebody watches it, and d's name there. */
static struct dentry *watched_parent(struct dentry *d, mbytes name, usize *len)
{
        SPIN_GUARD(&d->sb->dcache);
        struct dentry *up = d->parent;

        if (!up || up == d || !up->inode || (!PTR_LOAD(up->inode->watches) && !dnotify_is_on(up->inode)))
                return NULL;
        *len = mbytes_copy(name, dentry_name(d));
        return dentry_hold(up);
}

void notify_place_slow(struct dentry *d, u32 mask)
{
        struct inode *inode = PTR_LOAD(d->inode);
        u8 name[NAME_MAX_LEN + 1];
        usize len = 0;

        if (!inode)
                return;
        mask |= notify_isdir(inode);
        struct dentry *up = watched_parent(d, MBYTES_OF(name), &len);
        if (up) {
                struct notify_event e = { .mask = mask, .name = bytes_take(BYTES_OF(name), len),
                                          .unlinked = (LOAD(d->flags) & DENTRY_DELETED) != 0 };
                dnotify_event(up->inode, mask);
                tell(up->inode, &e);
                dentry_drop(up);
        }
        notify_inode_slow(inode, mask);
}

void notify_gone_slow(struct inode *inode)
{
        if (PTR_LOAD(inode->watches) && LOAD(inode->nlink) == 0)
                notify_state.ops->gone(inode);
}

void notify_unmount_slow(struct superblock *sb) { notify_state.ops->unmount(sb); }
