/* SPDX-License-Identifier: Apache-2.0
 *
 * getdents64 and getdents: records from a directory's cookies.
 *
 * A record's d_off is the cookie after it, so telldir's values stay good however the
 * directory changes.
 */
#include "services/vfs/file.h"
#include "services/vfs/dentry.h"
#include "services/vfs/notify.h"
#include "abi/linux/file.h"

#define RECORD_MAX 288                  /* header, 255 bytes of name, NUL, alignment */

static usize record_len(enum dir_format format, usize name)
{
        usize n = format == DIR_64 ? LINUX_DIRENT64_NAME + name + 1 : LINUX_DIRENT_NAME + name + 2;

        return (n + 7) & ~7ul;
}

bool dir_emit(struct dir_out *out, bytes name, u64 ino, u32 dtype, u64 next)
{
        u8 record[RECORD_MAX] = { };
        mbytes r = MBYTES_OF(record);
        usize len = record_len(out->format, bytes_len(name));

        if (out->format == DIR_COUNT) {
                out->any = true;
                out->pos = next;
                return true;
        }
        if (len > sizeof record || len > io_left(out->io)) {
                out->full = true;
                return false;
        }
        mbytes_put_le64(r, 0, ino);
        mbytes_put_le64(r, 8, next);
        mbytes_put_le16(r, 16, (u16)len);
        if (out->format == DIR_64) {
                mbytes_put(r, 18, (u8)dtype);
                mbytes_copy(mbytes_skip(r, LINUX_DIRENT64_NAME), name);
        } else {
                mbytes_copy(mbytes_skip(r, LINUX_DIRENT_NAME), name);
                mbytes_put(r, len - 1, (u8)dtype);
        }
        if (io_copy_out(out->io, bytes_take(BYTES_OF(record), len)) < len) {
                out->full = true;
                out->fault = true;
                return false;
        }
        out->any = true;
        out->pos = next;
        return true;
}

bool dir_emit_dots(struct file *f, struct dir_out *out)
{
        struct dentry *d = f->path.dentry;

        if (out->pos == 0 && !dir_emit(out, STR("."), f->inode->ino, DT_DIR, 1))
                return false;
        if (out->pos == 1) {
                struct dentry *up = PTR_LOAD(d->parent);
                struct inode *inode = up ? PTR_LOAD(up->inode) : NULL;
                if (!dir_emit(out, STR(".."), inode ? inode->ino : f->inode->ino, DT_DIR, 2))
                        return false;
        }
        return true;
}

static err_t readdir_locked(struct file *f, struct dir_out *out)
{
        READ_GUARD(&f->inode->lock);
        if (f->inode->flags & INODE_DEAD)
                return ERR(ENOENT);
        return f->ops->readdir(f, out);
}

err_t file_readdir(struct file *f, struct io *io, enum dir_format format, usize *done)
{
        if (f->mode & FILE_PATH)
                return ERR(EBADF);
        if (!f->ops->readdir)
                return ERR(ENOTDIR);
        GUARD(&f->pos_lock);
        struct dir_out out = { .pos = f->pos, .io = io, .format = format };
        err_t err = readdir_locked(f, &out);
        f->pos = out.pos;
        inode_touch_atime(f->inode);
        notify_file(f, IN_ACCESS);
        *done = io_done(io);
        if (out.any)
                return OK;
        if (failed(err))
                return err;
        return out.fault ? ERR(EFAULT) : out.full ? ERR(EINVAL) : OK;
}
