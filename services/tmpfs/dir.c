/* SPDX-License-Identifier: Apache-2.0
 *
 * tmpfs directories: a tree of names to find one, a tree of cookies (by age) to list them.
 *
 * Locking     The directory's inode lock: shared to look up and list, exclusive to change.
 * Invariants  T1  an entry stands in both trees of one directory and counts its inode.
 *             T2  a directory's size is an entry's size for each entry and two more; its nlink 2 and one per subdirectory.
 *             T3  a cookie is never used again in its directory, so a listing that goes on after
 *                 removals neither repeats nor skips what stayed.
 *
 * Listing goes from the newest name to the oldest, as on Linux: programs show the difference
 * (which of two hard links tar finds first).  A file's position is POSITIONS - cookie.
 */
#include "services/tmpfs/tmpfs_impl.h"

#define POSITIONS  (1ul << 62)

static void tmpfs_entry_fini(struct tmpfs_entry *e)
{
        tmpfs_inode_drop(e->inode);
        blob_drop(e->long_name);
}
POOL_DEFINE(tmpfs_entry, tmpfs_entry_fini);

static bytes name_of(struct tmpfs_entry *e)
{
        if (e->len > DNAME_INLINE)
                return blob_bytes(e->long_name);
        return bytes_take(BYTES_OF(e->name), e->len);
}

static int compare(u32 hash, bytes name, struct tmpfs_entry *e)
{
        if (hash != e->hash)
                return hash < e->hash ? -1 : 1;
        return bytes_cmp(name, name_of(e));
}

static bool name_less(struct tmpfs_entry *a, struct tmpfs_entry *b) { return compare(a->hash, name_of(a), b) < 0; }
static bool cookie_less(struct tmpfs_entry *a, struct tmpfs_entry *b) { return a->cookie < b->cookie; }
RBTREE_FUNCTIONS(tmpfs_names, tmpfs_entry, name_left, name_right, name_up, name_red, name_less, RBTREE_NO_UPDATE)
RBTREE_FUNCTIONS(tmpfs_cookies, tmpfs_entry, cookie_left, cookie_right, cookie_up, cookie_red, cookie_less, RBTREE_NO_UPDATE)

static struct tmpfs_entry *find(struct tmpfs_inode *dir, bytes name)
{
        u32 hash = bytes_hash(name);
        struct tmpfs_entry *e = dir->names.root;

        while (e) {
                int c = compare(hash, name, e);
                if (c == 0)
                        return e;
                e = c < 0 ? e->name_left : e->name_right;
        }
        return NULL;
}

/* The newest entry with this cookie or an older one. */
static struct tmpfs_entry *find_cookie(struct tmpfs_inode *dir, u64 cookie)
{
        struct tmpfs_entry *e = dir->cookies.root, *best = NULL;

        while (e) {
                if (e->cookie <= cookie) {
                        best = e;
                        e = e->cookie_right;
                } else {
                        e = e->cookie_left;
                }
        }
        return best;
}

/* ---- Entries ---- */

/* Not yet in a directory; takes no count on the inode yet. */
static struct tmpfs_entry *new_entry(bytes name)
{
        struct tmpfs_entry *e = tmpfs_entry_alloc(payer_current(), MAY_RECLAIM);

        if (!e)
                return NULL;
        e->len = (u32)bytes_len(name);
        e->hash = bytes_hash(name);
        if (e->len <= DNAME_INLINE) {
                mbytes_copy(MBYTES_OF(e->name), name);
                return e;
        }
        e->long_name = blob_copy(payer_current(), name);
        if (!e->long_name) {
                tmpfs_entry_drop(e);
                return NULL;
        }
        return e;
}

/* Takes over the count on inode. */
static void insert(struct tmpfs_inode *dir, struct tmpfs_entry *e, struct tmpfs_inode *inode)
{
        e->inode = inode;
        e->cookie = dir->next_cookie++;
        tmpfs_names_insert(&dir->names, e);
        tmpfs_cookies_insert(&dir->cookies, e);
        dir->base.size += tmpfs_entry_size(dir);
        PTR_STORE(inode->parent, dir);
        if (inode_is_dir(&inode->base))
                dir->base.nlink++;
        inode_touch_mtime(&dir->base);
}

/* Out of the directory; the entry, with its count on the inode, is the caller's. */
static void take_out(struct tmpfs_inode *dir, struct tmpfs_entry *e)
{
        tmpfs_names_remove(&dir->names, e);
        tmpfs_cookies_remove(&dir->cookies, e);
        dir->base.size -= tmpfs_entry_size(dir);
        if (inode_is_dir(&e->inode->base))
                dir->base.nlink--;
        inode_touch_mtime(&dir->base);
}

usize tmpfs_name_in(struct tmpfs_inode *dir, struct tmpfs_inode *inode, mbytes buf)
{
        READ_GUARD(&dir->base.lock);
        for (struct tmpfs_entry *e = tmpfs_names_first(&dir->names); e; e = tmpfs_names_next(e))
                if (e->inode == inode)
                        return mbytes_copy(buf, name_of(e));
        return 0;
}

void tmpfs_empty_tree(struct tmpfs_inode *top)
{
        struct tmpfs_inode *at = top;

        for (;;) {
                struct tmpfs_entry *e = tmpfs_names_first(&at->names);
                if (e && e->inode->names.root) {
                        at = e->inode;
                        continue;
                }
                if (e) {
                        take_out(at, e);
                        tmpfs_entry_drop(e);
                } else if (at == top) {
                        return;
                } else {
                        at = at->parent;
                }
        }
}

/* ---- Operations ---- */

static err_t tmpfs_lookup(struct inode *dir, struct dentry *d)
{
        struct tmpfs_entry *e = find(tmpfs_of(dir), dentry_name(d));

        if (e)
                dentry_set(d, inode_hold(&e->inode->base));
        return OK;
}

static err_t make(const struct actor *who, struct inode *dir, u32 mode, u64 dev, struct tmpfs_inode **out)
{
        struct tmpfs_owner owner = { .mode = mode };

        inode_owner_for_new(who, dir, &owner.mode, &owner.uid, &owner.gid);
        return tmpfs_new_inode(tmpfs_super_of(dir->sb), owner, dev, out);
}

static err_t make_named(const struct actor *who, struct inode *dir, struct dentry *d, u32 mode, u64 dev, struct blob *link)
{
        struct tmpfs_inode *i = NULL;
        struct tmpfs_entry *e = new_entry(dentry_name(d));

        if (!e)
                return ERR(ENOMEM);
        err_t err = make(who, dir, mode, dev, &i);
        if (failed(err)) {
                tmpfs_entry_drop(e);
                return err;
        }
        if (link) {
                i->base.link = blob_hold(link);
                i->base.size = blob_len(link);
        }
        inode_hold(&i->base);
        insert(tmpfs_of(dir), e, i);
        dentry_set(d, &i->base);
        return OK;
}

static err_t tmpfs_create(const struct actor *who, struct inode *dir, struct dentry *d, u32 mode, u64 dev)
{
        return make_named(who, dir, d, mode, dev, NULL);
}

static err_t tmpfs_mkdir(const struct actor *who, struct inode *dir, struct dentry *d, u32 mode)
{
        return make_named(who, dir, d, mode, 0, NULL);
}

static err_t tmpfs_symlink(const struct actor *who, struct inode *dir, struct dentry *d, bytes target)
{
        bool is_long = bytes_len(target) >= TMPFS_LONG_LINK;
        struct blob *link = blob_copy(payer_current(), target);

        if (!link)
                return ERR(ENOMEM);
        err_t err = is_long ? tmpfs_take_pages(tmpfs_super_of(dir->sb), 1) : OK;
        if (succeeded(err)) {
                err = make_named(who, dir, d, S_IFLNK | 0777, 0, link);
                if (is_long && failed(err))
                        tmpfs_give_pages(tmpfs_super_of(dir->sb), 1);
        }
        blob_drop(link);
        return err;
}

static err_t tmpfs_link(struct inode *target, struct inode *dir, struct dentry *d)
{
        struct tmpfs_entry *e;

        if (target->nlink == 0 && (target->flags & INODE_LINKABLE) == 0)
                return ERR(ENOENT);
        if (target->nlink > 0)
                TRY(tmpfs_take_inode(tmpfs_super_of(target->sb)));
        e = new_entry(dentry_name(d));
        if (!e) {
                if (target->nlink > 0)
                        tmpfs_give_inode(tmpfs_super_of(target->sb));
                return ERR(ENOMEM);
        }
        inode_set_nlink(target, target->nlink + 1);
        inode_touch_ctime(target);
        insert(tmpfs_of(dir), e, tmpfs_of(inode_hold(target)));
        dentry_set(d, inode_hold(target));
        return OK;
}

/* One name fewer. */
static void forget_name(struct inode *inode)
{
        if (inode_is_dir(inode)) {
                inode_set_nlink(inode, 0);
        } else {
                if (inode->nlink > 1)
                        tmpfs_give_inode(tmpfs_super_of(inode->sb));
                inode_set_nlink(inode, inode->nlink - 1);
        }
        inode_touch_ctime(inode);
}

static err_t tmpfs_unlink(struct inode *dir, struct dentry *d)
{
        struct tmpfs_entry *e = find(tmpfs_of(dir), dentry_name(d));

        if (!e)
                return ERR(ENOENT);
        take_out(tmpfs_of(dir), e);
        forget_name(d->inode);
        tmpfs_entry_drop(e);
        return OK;
}

static err_t tmpfs_rmdir(struct inode *dir, struct dentry *d)
{
        return tmpfs_of(d->inode)->names.root ? ERR(ENOTEMPTY) : tmpfs_unlink(dir, d);
}

/* Exchanges what two names lead to. */
static void exchange(struct tmpfs_inode *a_dir, struct tmpfs_entry *a, struct tmpfs_inode *b_dir, struct tmpfs_entry *b)
{
        struct tmpfs_inode *a_inode = a->inode, *b_inode = b->inode;
        bool a_is_dir = inode_is_dir(&a_inode->base), b_is_dir = inode_is_dir(&b_inode->base);

        a->inode = b_inode;
        b->inode = a_inode;
        PTR_STORE(a_inode->parent, b_dir);
        PTR_STORE(b_inode->parent, a_dir);
        if (a_is_dir) {
                a_dir->base.nlink--;
                b_dir->base.nlink++;
        }
        if (b_is_dir) {
                b_dir->base.nlink--;
                a_dir->base.nlink++;
        }
        inode_touch_mtime(&a_dir->base);
        inode_touch_mtime(&b_dir->base);
        inode_touch_ctime(&a_inode->base);
        inode_touch_ctime(&b_inode->base);
}

/* The old name becomes a character device 0:0. */
static err_t make_whiteout(const struct rename_op *op, struct tmpfs_entry *e)
{
        struct tmpfs_inode *i = NULL;

        TRY(make(op->who, op->old_dir, S_IFCHR, 0, &i));
        insert(tmpfs_of(op->old_dir), e, i);
        return OK;
}

static void replace(const struct rename_op *op, struct tmpfs_entry *old, struct tmpfs_entry *victim, struct tmpfs_entry *fresh)
{
        struct tmpfs_inode *moved = old->inode;

        if (victim) {
                struct inode *v = &victim->inode->base;
                take_out(tmpfs_of(op->new_dir), victim);
                forget_name(v);
                tmpfs_entry_drop(victim);
        }
        take_out(tmpfs_of(op->old_dir), old);
        old->inode = NULL;              /* its count goes to the new entry */
        tmpfs_entry_drop(old);
        insert(tmpfs_of(op->new_dir), fresh, moved);
        inode_touch_ctime(&moved->base);
}

static err_t tmpfs_rename(const struct rename_op *op)
{
        struct tmpfs_inode *old_dir = tmpfs_of(op->old_dir), *new_dir = tmpfs_of(op->new_dir);
        struct tmpfs_entry *old = find(old_dir, dentry_name(op->old)), *victim = find(new_dir, dentry_name(op->new));
        struct tmpfs_entry *white = NULL;

        if (!old)
                return ERR(ENOENT);
        if (op->flags & RENAME_EXCHANGE) {
                if (!victim)
                        return ERR(ENOENT);
                exchange(old_dir, old, new_dir, victim);
                return OK;
        }
        if (victim && inode_is_dir(&victim->inode->base) && victim->inode->names.root)
                return ERR(ENOTEMPTY);
        struct tmpfs_entry *fresh = new_entry(dentry_name(op->new));
        if (!fresh)
                return ERR(ENOMEM);
        if (op->flags & RENAME_WHITEOUT) {
                white = new_entry(dentry_name(op->old));
                /* It may stand beside the old name for a moment: equal names are allowed in the tree. */
                err_t err = white ? make_whiteout(op, white) : ERR(ENOMEM);
                if (failed(err)) {
                        tmpfs_entry_drop(white);
                        tmpfs_entry_drop(fresh);
                        return err;
                }
        }
        replace(op, old, victim, fresh);
        return OK;
}

static err_t tmpfs_tmpfile(const struct actor *who, struct inode *dir, u32 mode, struct inode **out)
{
        struct tmpfs_inode *i = NULL;

        TRY(make(who, dir, mode, 0, &i));
        inode_set_nlink(&i->base, 0);
        i->base.flags |= INODE_LINKABLE;
        *out = &i->base;
        return OK;
}

static u32 dtype(const struct tmpfs_entry *e) { return (e->inode->base.mode & S_IFMT) >> 12; }

static err_t tmpfs_readdir(struct file *f, struct dir_out *out)
{
        struct tmpfs_inode *dir = tmpfs_of(f->inode);

        if (!dir_emit_dots(f, out))
                return OK;
        if (out->pos > POSITIONS)
                return OK;
        struct tmpfs_entry *e = find_cookie(dir, POSITIONS - out->pos);
        while (e && dir_emit(out, name_of(e), e->inode->base.ino, dtype(e), POSITIONS - e->cookie + 1))
                e = tmpfs_cookies_prev(e);
        return OK;
}

static err_t tmpfs_dir_llseek(struct file *f, i64 off, u32 whence, u64 *pos)
{
        if (whence == SEEK_CUR)
                off += (i64)f->pos;
        else if (whence != SEEK_SET)
                return ERR(EINVAL);
        if (off < 0)
                return ERR(EINVAL);
        *pos = (u64)off;
        return OK;
}

const struct inode_ops tmpfs_dir_inode_ops = {
        .lookup = tmpfs_lookup, .create = tmpfs_create, .mkdir = tmpfs_mkdir, .symlink = tmpfs_symlink, .link = tmpfs_link,
        .unlink = tmpfs_unlink, .rmdir = tmpfs_rmdir, .rename = tmpfs_rename, .tmpfile = tmpfs_tmpfile,
        .getxattr = tmpfs_getxattr, .setxattr = tmpfs_setxattr, .listxattr = tmpfs_listxattr, .removexattr = tmpfs_removexattr,
};

const struct file_ops tmpfs_dir_ops = { .readdir = tmpfs_readdir, .llseek = tmpfs_dir_llseek };
