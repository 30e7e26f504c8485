/* SPDX-License-Identifier: Apache-2.0
 *
 * Handles: an inode's number and generation, by which it is found again as long as it lives.
 *
 * Only inodes that a handle was asked of can be found (no other number can come from user space but by guessing), so
 * the table of them is empty where nobody does that, and making and removing files costs nothing for it.
 *
 * What is found is opened through a dentry in its place: the way down from the root is asked of tmpfs_inode.parent, each
 * step under the directory's lock, anew if something was renamed meanwhile.  What has no name, or whose last given name is
 * gone while others are left, gets a dentry of its own beside the tree, as files of O_TMPFILE have.
 *
 * Lifetime   The table counts nothing: an inode that ends takes itself out, and until then may be held.
 * Locking    handles_lock (spin, class tmpfs_handles) is a leaf.
 */
#include "services/tmpfs/tmpfs_impl.h"
#include "services/vfs/path.h"
#include "abi/const/fs.h"

LOCK_CLASS(tmpfs_handles);
RADIX_POOLS(tmpfs_handles)
RADIX_FUNCTIONS(tmpfs_handles, tmpfs_inode)

#define TRIES 16                        /* against renames at the same time */

void tmpfs_handles_init(struct tmpfs_super *s) { lock_init(&s->handles_lock, tmpfs_handles); }

/* Differs for inodes of other instances with the same number. */
static u32 generation_of(const struct inode *inode) { return (u32)hash_u64(inode->id); }

err_t tmpfs_handle_of(struct inode *inode, struct inode_handle *out)
{
        struct tmpfs_super *s = tmpfs_super_of(inode->sb);
        struct tmpfs_inode *i = tmpfs_of(inode);

        if (s->base.magic == RAMFS_MAGIC)
                return ERR(EOPNOTSUPP);
        if (!LOAD(i->has_handle)) {
                SPIN_GUARD(&s->handles_lock);
                if (!i->has_handle && !tmpfs_handles_set(&s->handles, inode->ino, i, payer_current(), NOWAIT))
                        return ERR(ENOMEM);
                STORE(i->has_handle, true);
        }
        *out = (struct inode_handle){ .ino = inode->ino, .generation = generation_of(inode) };
        return OK;
}

void tmpfs_handle_end(struct tmpfs_inode *i)
{
        struct tmpfs_super *s = tmpfs_super_of(i->base.sb);

        SPIN_GUARD(&s->handles_lock);
        tmpfs_handles_clear(&s->handles, i->base.ino);
}

/* Counted, or NULL. */
static struct tmpfs_inode *find(struct tmpfs_super *s, const struct inode_handle *h)
{
        SPIN_GUARD(&s->handles_lock);
        struct tmpfs_inode *i = tmpfs_handles_get(&s->handles, h->ino);

        return i && generation_of(&i->base) == h->generation && tmpfs_inode_try_hold(i) ? i : NULL;
}

/* What lies right below `above` on the way to `target`: perhaps, since nothing is held.  Only to be compared. */
static struct tmpfs_inode *step_below(const struct tmpfs_super *s, struct tmpfs_inode *above, struct tmpfs_inode *target)
{
        u64 most = LOAD_RELAXED(s->used_inodes) + 1;
        struct tmpfs_inode *at = target;

        for (u64 i = 0; at && i < most; i++) {
                struct tmpfs_inode *up = PTR_LOAD(at->parent);
                if (up == above)
                        return at;
                at = up;
        }
        return NULL;
}

/* The dentry with a name, counted; NULL: there is none, or it moved while we went; ENOMEM. */
static err_t descend(struct tmpfs_super *s, struct tmpfs_inode *target, struct dentry **out)
{
        struct dentry *at = dentry_hold(s->base.root), *next = NULL;

        while (at && at->inode != &target->base) {
                struct tmpfs_inode *dir = tmpfs_of(at->inode), *step = step_below(s, dir, target);
                u8 name[NAME_MAX_LEN] = {};
                usize n = step ? tmpfs_name_in(dir, step, MBYTES_OF(name)) : 0;
                err_t err = n ? path_child_dentry(at, bytes_take(BYTES_OF(name), n), &next) : OK;
                dentry_drop(at);
                at = NULL;
                if (err_is(err, ENOMEM))
                        return err;
                if (n && succeeded(err)) {
                        struct inode *inode = PTR_LOAD(next->inode);
                        at = next;
                        if (!inode || (inode != &target->base && !inode_is_dir(inode))) {
                                dentry_drop(at);
                                at = NULL;
                        }
                }
        }
        *out = at;
        return OK;
}

/* A dentry beside the tree. */
static err_t nameless(struct tmpfs_super *s, struct tmpfs_inode *i, struct dentry **out)
{
        u8 text[24] = {};
        bytes name = bytes_take(BYTES_OF(text), format(MBYTES_OF(text), "#{}", i->base.ino));
        struct qname q = qname(s->base.root, name);
        struct dentry *d = dentry_new(s->base.root, q.name, q.hash);

        if (!d)
                return ERR(ENOMEM);
        dentry_set(d, inode_hold(&i->base));
        dentry_delete(d);
        *out = d;
        return OK;
}

/* A directory that lives has one dentry only: where it is mounted on, what ".." is. */
static err_t connect(struct tmpfs_super *s, struct tmpfs_inode *i, struct dentry **out)
{
        struct inode *inode = &i->base;

        for (u32 tries = 0; tries < TRIES && LOAD(inode->nlink) != 0; tries++) {
                TRY(descend(s, i, out));
                if (*out)
                        return OK;
        }
        return inode_is_dir(inode) && LOAD(inode->nlink) != 0 ? ERR(ESTALE) : nameless(s, i, out);
}

err_t tmpfs_handle_find(struct superblock *sb, const struct inode_handle *h, struct dentry **out)
{
        struct tmpfs_super *s = tmpfs_super_of(sb);
        struct tmpfs_inode *i = find(s, h);

        if (!i)
                return ERR(ESTALE);
        err_t err = connect(s, i, out);
        tmpfs_inode_drop(i);
        return err;
}
