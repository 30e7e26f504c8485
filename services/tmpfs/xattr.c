/* SPDX-License-Identifier: Apache-2.0
 *
 * Extended attributes in memory: a list per inode, under the inode's lock.
 */
#include "services/tmpfs/tmpfs_impl.h"
#include "lib/cursor.h"

static void tmpfs_xattr_fini(struct tmpfs_xattr *x)
{
        blob_drop(x->name);
        blob_drop(x->value);
}
POOL_DEFINE(tmpfs_xattr, tmpfs_xattr_fini);

void tmpfs_free_xattrs(struct tmpfs_inode *i)
{
        while (i->xattrs) {
                struct tmpfs_xattr *x = i->xattrs;
                i->xattrs = x->next;
                tmpfs_xattr_drop(x);
        }
}

static struct tmpfs_xattr *find(struct tmpfs_inode *i, bytes name)
{
        struct tmpfs_xattr *x = i->xattrs;

        while (x && !bytes_eq(blob_bytes(x->name), name))
                x = x->next;
        return x;
}

static usize size_of(struct tmpfs_xattr *x) { return x->value ? blob_len(x->value) : 0; }

/* As Linux's tmpfs: no user.*. */
static bool is_kept(bytes name) { return bytes_starts(name, STR("trusted.")) || bytes_starts(name, STR("security.")); }

err_t tmpfs_getxattr(struct inode *inode, bytes name, mbytes out, usize *len)
{
        struct tmpfs_xattr *x = find(tmpfs_of(inode), name);

        if (!is_kept(name))
                return ERR(EOPNOTSUPP);
        if (!x)
                return ERR(ENODATA);
        *len = size_of(x);
        if (mbytes_len(out) == 0)
                return OK;
        if (mbytes_len(out) < *len)
                return ERR(ERANGE);
        if (x->value)
                mbytes_copy(out, blob_bytes(x->value));
        return OK;
}

static err_t add(struct tmpfs_inode *i, bytes name, struct blob *value)
{
        struct tmpfs_xattr *x = tmpfs_xattr_alloc(payer_current(), MAY_RECLAIM);

        if (!x)
                return ERR(ENOMEM);
        x->name = blob_copy(payer_current(), name);
        if (!x->name) {
                tmpfs_xattr_drop(x);
                return ERR(ENOMEM);
        }
        x->value = value;
        x->next = i->xattrs;
        i->xattrs = x;
        return OK;
}

err_t tmpfs_setxattr(struct inode *inode, bytes name, bytes value, u32 flags)
{
        struct tmpfs_inode *i = tmpfs_of(inode);
        struct tmpfs_xattr *x = find(i, name);
        struct blob *new = NULL;

        if (!is_kept(name))
                return ERR(EOPNOTSUPP);
        if (x && (flags & XATTR_CREATE) != 0)
                return ERR(EEXIST);
        if (!x && (flags & XATTR_REPLACE) != 0)
                return ERR(ENODATA);
        if (bytes_len(value) > 0) {
                new = blob_copy(payer_current(), value);
                if (!new)
                        return ERR(ENOMEM);
        }
        if (x) {
                blob_drop(x->value);
                x->value = new;
        } else {
                err_t err = add(i, name, new);
                if (failed(err)) {
                        blob_drop(new);
                        return err;
                }
        }
        inode_touch_ctime(inode);
        return OK;
}

err_t tmpfs_listxattr(struct inode *inode, bool trusted, mbytes out, usize *len)
{
        struct writer w = writer_of(out);

        *len = 0;
        for (struct tmpfs_xattr *x = tmpfs_of(inode)->xattrs; x; x = x->next) {
                if (!trusted && bytes_starts(blob_bytes(x->name), STR("trusted.")))
                        continue;
                *len += blob_len(x->name) + 1;
                writer_put(&w, blob_bytes(x->name));
                writer_u8(&w, 0);
        }
        return mbytes_len(out) > 0 && w.full ? ERR(ERANGE) : OK;
}

err_t tmpfs_removexattr(struct inode *inode, bytes name)
{
        struct tmpfs_inode *i = tmpfs_of(inode);
        struct tmpfs_xattr *x = find(i, name), *before = i->xattrs;

        if (!is_kept(name))
                return ERR(EOPNOTSUPP);
        if (!x)
                return ERR(ENODATA);
        if (before == x) {
                i->xattrs = x->next;
        } else {
                while (before->next != x)
                        before = before->next;
                before->next = x->next;
        }
        tmpfs_xattr_drop(x);
        inode_touch_ctime(inode);
        return OK;
}
