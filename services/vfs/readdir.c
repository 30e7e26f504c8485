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
#define RECORD_SHORT 64                 /* most are shorter, and quicker to clear */

static usize record_len(enum dir_format format, usize name)
{
        usize n = format == DIR_64 ? LINUX_DIRENT64_NAME + name + 1 : LINUX_DIRENT_NAME + name + 2;

        return (n + 7) & ~7ul;
}

/* r: zeros, at least len. */
static inline bool emit(struct dir_out *out, mbytes r, usize len, bytes name, u64 ino, u32 dtype, u64 next)
{
        mbytes_put_le64(r, 0, ino);
        mbytes_put_le64(r, 8, next);
        if (out->format == DIR_64) {
                mbytes_put_le32(r, 16, (u16)len | dtype << 16);
                mbytes_copy(mbytes_skip(r, LINUX_DIRENT64_NAME), name);
        } else {
                mbytes_put_le16(r, 16, (u16)len);
                mbytes_copy(mbytes_skip(r, LINUX_DIRENT_NAME), name);
                mbytes_put(r, len - 1, (u8)dtype);
        }
        if (io_copy_out(out->io, bytes_take(bytes_const(r), len)) < len) {
                out->full = true;
                out->fault = true;
                return false;
        }
        out->any = true;
        out->pos = next;
        return true;
}

static noinline bool emit_long(struct dir_out *out, usize len, bytes name, u64 ino, u32 dtype, u64 next)
{
        u8 record[RECORD_MAX] = { };

        return emit(out, MBYTES_OF(record), len, name, ino, dtype, next);
}

bool dir_emit(struct dir_out *out, bytes name, u64 ino, u32 dtype, u64 next)
{
        u8 record[RECORD_SHORT] = { };
        usize len = record_len(out->format, bytes_len(name));

        if (out->format == DIR_COUNT) {
                out->any = true;
                out->pos = next;
                return true;
        }
        if (len > RECORD_MAX || len > io_left(out->io)) {
                out->full = true;
                return false;
        }
        if (len > RECORD_SHORT)
                return emit_long(out, len, name, ino, dtype, next);
        return emit(out, MBYTES_OF(record), len, name, ino, dtype, next);
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
        file_touch_atime(f);
        notify_file(f, IN_ACCESS);
        *done = io_done(io);
        if (out.any)
                return OK;
        if (failed(err))
                return err;
        return out.fault ? ERR(EFAULT) : out.full ? ERR(EINVAL) : OK;
}
