/* SPDX-License-Identifier: Apache-2.0
 *
 * tmpfs inodes: making and ending them, regular files, symlinks; pages and inodes against
 * the instance's limits.
 */
#include "services/tmpfs/tmpfs_impl.h"

static void tmpfs_inode_fini(struct tmpfs_inode *i)
{
        struct superblock *sb = i->base.sb;

        tmpfs_free_xattrs(i);
        if (sb && i->base.link && blob_len(i->base.link) >= TMPFS_LONG_LINK)
                tmpfs_give_pages(tmpfs_super_of(sb), 1);
        if (i->has_handle)
                tmpfs_handle_end(i);
        if (sb)
                tmpfs_give_inode(tmpfs_super_of(sb));
        inode_fini(&i->base);
}
POOL_DEFINE(tmpfs_inode, tmpfs_inode_fini);

/* ---- Limits ---- */

err_t tmpfs_take_pages(struct tmpfs_super *s, u64 pages)
{
        u64 max = LOAD_RELAXED(s->max_pages);

        if (FETCH_ADD(s->used_pages, pages) + pages > max && max != 0) {
                FETCH_SUB(s->used_pages, pages);
                return ERR(ENOSPC);
        }
        return OK;
}

void tmpfs_give_pages(struct tmpfs_super *s, u64 pages) { FETCH_SUB(s->used_pages, pages); }

static err_t reserve_pages(struct mapping *m, u64 pages) { return tmpfs_take_pages(tmpfs_super_of(m->host->sb), pages); }
static void  release_pages(struct mapping *m, u64 pages) { tmpfs_give_pages(tmpfs_super_of(m->host->sb), pages); }

static const struct mapping_ops tmpfs_pages = { .reserve = reserve_pages, .release = release_pages };

/* ---- Making ---- */

err_t tmpfs_take_inode(struct tmpfs_super *s)
{
        u64 max = LOAD_RELAXED(s->max_inodes);

        if (FETCH_ADD(s->used_inodes, 1) + 1 > max && max != 0) {
                tmpfs_give_inode(s);
                return ERR(ENOSPC);
        }
        return OK;
}

void tmpfs_give_inode(struct tmpfs_super *s) { FETCH_SUB(s->used_inodes, 1); }

err_t tmpfs_new_inode(struct tmpfs_super *s, struct tmpfs_owner owner, u64 rdev, struct tmpfs_inode **out)
{
        struct inode_init init = { .sb = &s->base, .ino = super_new_ino(&s->base), .mode = owner.mode, .uid = owner.uid,
                                   .gid = owner.gid, .rdev = rdev, .ops = &tmpfs_file_inode_ops };

        TRY(tmpfs_take_inode(s));
        struct tmpfs_inode *i = tmpfs_inode_alloc(payer_current(), MAY_RECLAIM);
        if (!i) {
                tmpfs_give_inode(s);
                return ERR(ENOMEM);
        }
        switch (owner.mode & S_IFMT) {
        case S_IFREG:
                init.fops = &tmpfs_file_ops;
                init.pages = &tmpfs_pages;
                break;
        case S_IFDIR:
                init.ops = &tmpfs_dir_inode_ops;
                init.fops = &tmpfs_dir_ops;
                break;
        case S_IFLNK:
                init.ops = &tmpfs_link_inode_ops;
                break;
        default:
                break;
        }
        i->seals = F_SEAL_SEAL;
        inode_init(&i->base, &init);
        if (inode_is_dir(&i->base)) {
                i->base.nlink = 2;
                i->base.size = 2 * tmpfs_entry_size(i);
                i->next_cookie = 2;
        }
        tmpfs_inode_publish(i);
        *out = i;
        return OK;
}

/* ---- Regular files ---- */

/* All or, but for what was promised before, nothing. */
static err_t allocate(struct mapping *m, u64 first, u64 end)
{
        for (u64 at = first; at < end; at++) {
                err_t err = task_interrupts() ? ERR(EINTR) : mapping_promise(m, at);
                if (failed(err)) {
                        mapping_take_back(m, first, at);
                        return err;
                }
        }
        return OK;
}

static err_t tmpfs_fallocate(struct file *f, u32 mode, u64 off, u64 len)
{
        struct inode *inode = f->inode;
        u64 end = off + len;

        if ((mode & ~(u32)(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)) != 0)
                return ERR(EOPNOTSUPP);
        WRITE_GUARD(&inode->lock);
        if (mode & FALLOC_FL_PUNCH_HOLE) {
                TRY(tmpfs_seals_may_punch(tmpfs_of(inode)));
                mapping_punch(&inode->mapping, off, end);
                inode_touch_mtime(inode);
                return OK;
        }
        struct tmpfs_super *s = tmpfs_super_of(inode->sb);
        TRY(inode_may_have_size(inode, end));           /* KEEP_SIZE or not, as on Linux */
        if (end > inode->size)
                TRY(tmpfs_seals_may_resize(tmpfs_of(inode), end));
        u64 max = LOAD(s->max_pages), pages = (page_up(end) - page_down(off)) >> PAGE_SHIFT;
        if (max != 0 && pages > max)
                return ERR(ENOSPC);     /* before trying for minutes */
        TRY(allocate(&inode->mapping, off >> PAGE_SHIFT, page_up(end) >> PAGE_SHIFT));
        if ((mode & FALLOC_FL_KEEP_SIZE) == 0 && end > inode->size)
                STORE(inode->size, end);
        inode_touch_mtime(inode);
        return OK;
}

static err_t tmpfs_write(struct file *f, struct io *io, u64 *pos)
{
        struct inode *inode = f->inode;

        WRITE_GUARD(&inode->lock);
        if (tmpfs_of(inode)->seals != F_SEAL_SEAL)
                TRY(tmpfs_seals_may_write(tmpfs_of(inode), io,
                                          LOAD_RELAXED(f->flags) & O_APPEND || io->append ? inode->size : *pos));
        return generic_write_locked(f, io, pos);
}

static err_t tmpfs_mmap(struct file *f, struct map_request *req)
{
        TRY(tmpfs_seals_may_map(tmpfs_of(f->inode), req));
        return generic_mmap(f, req);
}

static err_t tmpfs_setattr(struct inode *inode, const struct attr_change *c)
{
        if (c->which & ATTR_SIZE)
                TRY(tmpfs_seals_may_resize(tmpfs_of(inode), c->size));
        inode_setattr_plain(inode, c);
        return OK;
}

static err_t tmpfs_fsync(struct file *f, bool data_only)
{
        (void)f;
        (void)data_only;
        return OK;
}

const struct file_ops tmpfs_file_ops = {
        .read = generic_read, .write = tmpfs_write, .mmap = tmpfs_mmap, .llseek = generic_llseek,
        .fallocate = tmpfs_fallocate, .fsync = tmpfs_fsync,
};

const struct inode_ops tmpfs_file_inode_ops = {
        .setattr = tmpfs_setattr,
        .getxattr = tmpfs_getxattr, .setxattr = tmpfs_setxattr, .listxattr = tmpfs_listxattr, .removexattr = tmpfs_removexattr,
};

/* The target is inode.link; a long one counts as a page. */
const struct inode_ops tmpfs_link_inode_ops = {
        .getxattr = tmpfs_getxattr, .setxattr = tmpfs_setxattr, .listxattr = tmpfs_listxattr, .removexattr = tmpfs_removexattr,
};
