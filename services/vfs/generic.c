/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading, writing and mapping files whose content is their mapping's pages: tmpfs and
 * its like.
 *
 * Reading takes no lock: it believes the size it saw, and a page that is not there is zeros.
 * Writing holds the inode's lock exclusively, also while it waits for user memory.
 */
#include "services/vfs/file.h"
#include "services/vfs/registry.h"
#include "abi/const/process.h"
#include "abi/const/signal.h"

err_t generic_read(struct file *f, struct io *io, u64 *pos)
{
        struct inode *inode = f->inode;
        u64 at = *pos;
        err_t err = OK;

        while (io_left(io) > 0) {
                u64 size = LOAD(inode->size);
                if (at >= size)
                        break;
                usize off = at & PAGE_MASK;
                usize n = min_u64(min_u64(PAGE_SIZE - off, size - at), io_left(io)), got;
                struct frame *page = mapping_find(&inode->mapping, at >> PAGE_SHIFT);
                if (!page && inode->mapping.ops && inode->mapping.ops->fill) {
                        err = mapping_get(&inode->mapping, at >> PAGE_SHIFT, &page);
                        if (failed(err))
                                break;
                }
                if (page) {
                        got = io_from_frame(io, page, off, n);
                        frame_drop(page);
                } else {
                        got = io_zero(io, n);
                }
                at += got;
                if (got < n) {
                        err = ERR(EFAULT);
                        break;
                }
        }
        *pos = at;
        file_touch_atime(f);
        return err;
}

/* A new page with the io's next n bytes at off; the rest is zeros, or what the file system says. */
static err_t write_new(struct inode *inode, struct io *io, u64 index, usize off, usize n, usize *got)
{
        struct mapping *m = &inode->mapping;
        bool whole = n == PAGE_SIZE;
        struct frame *f = frame_alloc(payer_current(), whole ? FRAME_FILL : FRAME_ZERO), *in = NULL;
        struct io before = *io;
        err_t err = OK;

        if (!f)
                return ERR(ENOMEM);
        if (!whole && m->ops && m->ops->fill)
                err = m->ops->fill(m, index, f);
        if (succeeded(err)) {
                *got = io_to_frame(io, f, off, n);
                if (whole && *got < n)
                        frame_fill(f, *got, PAGE_SIZE - *got, 0);
                if (*got == 0 && n > 0)
                        err = ERR(EFAULT);
        }
        if (succeeded(err))
                err = mapping_add(m, index, f, &in);
        if (succeeded(err) && in != f)          /* a fault brought the page meanwhile */
                frame_copy(in, f);
        if (failed(err)) {                      /* what was copied is nowhere */
                *io = before;
                *got = 0;
        }
        frame_drop(in);
        frame_drop(f);
        return err;
}

static err_t write_page(struct inode *inode, struct io *io, u64 at, usize *got)
{
        usize off = at & PAGE_MASK, n = min_u64(PAGE_SIZE - off, io_left(io));
        struct frame *page = mapping_find(&inode->mapping, at >> PAGE_SHIFT);

        *got = 0;
        if (!page)
                return write_new(inode, io, at >> PAGE_SHIFT, off, n, got);
        *got = io_to_frame(io, page, off, n);
        frame_drop(page);
        return *got < n ? ERR(EFAULT) : OK;
}

/* Cuts io to what limits allow at `at`; EFBIG when that is nothing. */
static err_t check_limits(struct inode *inode, struct io *io, u64 at)
{
        struct task_body *body = task_current();
        u64 limit = U64_MAX;

        if (IS_A(thread, body))
                limit = LOAD_RELAXED(DOWNCAST(thread, body)->process->rlimit[RLIMIT_FSIZE].cur);
        if (at >= limit && io_left(io) > 0) {
                registry_raise(SIGXFSZ);
                return ERR(EFBIG);
        }
        if (at >= inode->sb->max_bytes && io_left(io) > 0)
                return ERR(EFBIG);
        io_truncate(io, min_u64(limit - at, inode->sb->max_bytes - at));
        return OK;
}

/* Writing takes away file capabilities and, by someone without CAP_FSETID, set-id bits. */
static void drop_privileges(struct file *f)
{
        struct inode *inode = f->inode;
        u32 mode = inode->mode;

        inode_drop_file_caps(inode);
        if ((mode & (S_ISUID | S_ISGID)) != 0 && !cred_has(f->cred, CAP_FSETID))
                STORE(inode->mode, mode_without_setid(mode, inode->gid, f->cred));
}

err_t generic_write_locked(struct file *f, struct io *io, u64 *pos)
{
        struct inode *inode = f->inode;
        err_t err = OK;
        u64 at = *pos;

        if ((LOAD_RELAXED(f->flags) & O_APPEND) != 0 || io->append)
                at = inode->size;
        TRY(check_limits(inode, io, at));
        if (io_left(io) == 0)
                return OK;
        drop_privileges(f);
        inode_touch_mtime(inode);
        while (io_left(io) > 0 && succeeded(err)) {
                usize got = 0;
                err = write_page(inode, io, at, &got);
                at += got;
                if (at > inode->size)
                        STORE(inode->size, at);
        }
        *pos = at;
        return err;
}

err_t generic_write(struct file *f, struct io *io, u64 *pos)
{
        WRITE_GUARD(&f->inode->lock);
        return generic_write_locked(f, io, pos);
}

err_t generic_mmap(struct file *f, struct map_request *req)
{
        req->kind = MAP_PAGES;
        req->mapping = &f->inode->mapping;
        file_touch_atime(f);
        return OK;
}

static err_t seek_data(struct inode *inode, u64 off, u32 whence, u64 *pos)
{
        u64 size = LOAD(inode->size), end = page_up(size) >> PAGE_SHIFT, index = off >> PAGE_SHIFT;

        if (off >= size)
                return ERR(ENXIO);
        if (inode->mapping.ops == NULL) {
                *pos = whence == SEEK_DATA ? off : size;
                return OK;
        }
        u64 found = whence == SEEK_DATA ? mapping_next_page(&inode->mapping, index, end) : mapping_next_hole(&inode->mapping, index, end);
        if (whence == SEEK_DATA && found >= end)
                return ERR(ENXIO);
        *pos = found == index ? off : min_u64(found << PAGE_SHIFT, size);
        return OK;
}

err_t generic_seek_base(const struct file *f, u32 whence, u64 *base)
{
        if (whence != SEEK_SET && whence != SEEK_CUR && whence != SEEK_END)
                return ERR(EINVAL);
        *base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? f->pos : LOAD(f->inode->size);
        return OK;
}

err_t generic_llseek(struct file *f, i64 off, u32 whence, u64 *pos)
{
        u64 base = 0;

        if (whence == SEEK_DATA || whence == SEEK_HOLE)
                return off < 0 ? ERR(ENXIO) : seek_data(f->inode, (u64)off, whence, pos);
        TRY(generic_seek_base(f, whence, &base));
        i64 sum = (i64)(base + (u64)off);
        if (sum < 0)
                return ERR(EINVAL);
        *pos = (u64)sum;
        return OK;
}

err_t generic_no_llseek(struct file *f, i64 off, u32 whence, u64 *pos)
{
        (void)f;
        (void)off;
        (void)whence;
        (void)pos;
        return ERR(ESPIPE);
}

err_t generic_noop_llseek(struct file *f, i64 off, u32 whence, u64 *pos)
{
        (void)off;
        (void)whence;
        *pos = f->pos;
        return OK;
}

err_t generic_read_bytes(struct io *io, u64 *pos, bytes text)
{
        if (*pos >= bytes_len(text))
                return OK;
        bytes part = bytes_skip(text, *pos);
        usize want = min_u64(bytes_len(part), io_left(io));
        usize got = io_copy_out(io, part);
        *pos += got;
        return got < want && got == 0 ? ERR(EFAULT) : OK;
}
