/* SPDX-License-Identifier: Apache-2.0
 *
 * Open files: life, reading and writing, and the small calls on them.  See file.h.
 */
#include "services/vfs/file.h"
#include "services/vfs/dentry.h"
#include "services/vfs/locks.h"
#include "services/vfs/mount.h"
#include "services/vfs/notify.h"
#include "services/vfs/registry.h"
#include "abi/const/mm.h"
#include "abi/const/tty.h"

LOCK_CLASS(file_pos);

/* A file without state of its own. */
OBJECT(plain_file) { struct file base; };
POOL_DECLARE(plain_file)
DOWNCASTABLE(plain_file, file);
static void plain_file_fini(struct plain_file *f) { file_fini(&f->base); }
POOL_DEFINE(plain_file, plain_file_fini);

#define KEPT_FLAGS ((u32)(O_ACCMODE | O_APPEND | O_NONBLOCK | O_SYNC | O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_TMPFILE | O_NOFOLLOW | O_NOATIME | O_PATH))

void file_init(struct file *f, const struct file_ops *ops, const struct path *p, struct cred *cred, u32 flags)
{
        f->ops = ops;
        f->path = path_hold(p);
        f->inode = p->dentry->inode;
        f->flags = flags & KEPT_FLAGS;
        f->mode = (flags & O_PATH) != 0 ? FILE_PATH : ((flags & O_ACCMODE) + 1) & (FILE_READ | FILE_WRITE);
        f->cred = cred_hold(cred);
        lock_init(&f->pos_lock, file_pos);
}

void file_fini(struct file *f)
{
        if (PTR_LOAD(f->epoll_items))
                registry_file_gone(f);
        notify_file(f, file_may_write(f) ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
        if (f->inode)
                locks_end(f->inode, f);
        if (f->owner)                   /* until then its lease may tell */
                async_file_gone(f);
        if (f->mode & FILE_WRITER) {
                inode_put_write(f->inode);
                FETCH_SUB(f->path.mnt->writers, 1);
                FETCH_SUB(f->inode->sb->writers, 1);
        }
        if (f->mode & FILE_READER)
                FETCH_SUB(f->inode->readers, 1);
        if (f->mode & FILE_EXEC)
                inode_allow_write(f->inode);
        path_drop(&f->path);
        cred_drop(f->cred);
}

struct file *file_new_plain(struct payer *payer)
{
        struct plain_file *f = plain_file_alloc(payer, MAY_RECLAIM);

        return f ? &f->base : NULL;
}

void file_open_new(struct file *f, const struct actor *who, const struct path *p, const struct file_ops *ops, u32 flags)
{
        file_init(f, ops, p, who->cred, flags);
        file_publish(f);
}

err_t file_open_plain(const struct actor *who, const struct path *p, const struct file_ops *ops, u32 flags, struct file **out)
{
        struct file *f = file_new_plain(who->payer);

        if (!f)
                return ERR(ENOMEM);
        file_open_new(f, who, p, ops, flags);
        *out = f;
        return OK;
}

/* ---- Reading and writing ---- */

/* Locks the position if anyone else could use it. */
static bool pos_begin(struct file *f)
{
        if ((f->ops->flags & (FOPS_NOLOCK | FOPS_STREAM)) != 0 || file_refs(f) == 1)
                return false;
        mutex_lock(&f->pos_lock);
        return true;
}

static void pos_end(struct file *f, bool locked)
{
        if (locked)
                mutex_unlock(&f->pos_lock);
}

/* event: what watchers are told if something was done. */
static err_t result(struct file *f, u32 event, err_t err, const struct io *io, usize *done)
{
        *done = io_done(io);
        if (*done == 0)
                return err;
        notify_file(f, event);
        return OK;
}

err_t file_read(struct file *f, struct io *io, usize *done)
{
        if (!file_may_read(f))
                return ERR(EBADF);
        if (!f->ops->read)
                return inode_is_dir(f->inode) ? ERR(EISDIR) : ERR(EINVAL);
        bool locked = pos_begin(f);
        err_t err = f->ops->read(f, io, &f->pos);
        pos_end(f, locked);
        return result(f, IN_ACCESS, err, io, done);
}

err_t file_write(struct file *f, struct io *io, usize *done)
{
        if (!file_may_write(f))
                return ERR(EBADF);
        if (!f->ops->write)
                return ERR(EINVAL);
        bool locked = pos_begin(f);
        err_t err = f->ops->write(f, io, &f->pos);
        pos_end(f, locked);
        return result(f, IN_MODIFY, err, io, done);
}

static err_t may_seek(const struct file *f, u64 pos, u64 len)
{
        if ((i64)pos < 0 || (i64)(pos + len) < 0)
                return ERR(EINVAL);
        return (f->ops->flags & FOPS_STREAM) != 0 ? ERR(ESPIPE) : OK;
}

static noinline err_t read_serial(struct file *f, struct io *io, u64 *pos)
{
        bool locked = pos_begin(f);
        err_t err = f->ops->read(f, io, pos);

        pos_end(f, locked);
        return err;
}

static err_t read_at(struct file *f, struct io *io, u64 *pos)
{
        return (f->ops->flags & FOPS_SERIAL) != 0 ? read_serial(f, io, pos) : f->ops->read(f, io, pos);
}

err_t file_pread(struct file *f, struct io *io, u64 pos, usize *done)
{
        TRY(may_seek(f, pos, io_left(io)));
        if (!file_may_read(f))
                return ERR(EBADF);
        if (!f->ops->read)
                return inode_is_dir(f->inode) ? ERR(EISDIR) : ERR(EINVAL);
        err_t err = read_at(f, io, &pos);
        return result(f, IN_ACCESS, err, io, done);
}

err_t file_pwrite(struct file *f, struct io *io, u64 pos, usize *done)
{
        TRY(may_seek(f, pos, io_left(io)));
        if (!file_may_write(f))
                return ERR(EBADF);
        if (!f->ops->write)
                return ERR(EINVAL);
        err_t err = f->ops->write(f, io, &pos);
        return result(f, IN_MODIFY, err, io, done);
}

err_t file_read_kernel(struct file *f, u64 off, mbytes dst, usize *done)
{
        struct io io = io_to_kernel(dst);

        if (!f->ops->read)
                return ERR(EINVAL);
        while (io_left(&io) > 0) {
                usize before = io_done(&io);
                err_t err = f->ops->read(f, &io, &off);
                if (failed(err) && io_done(&io) == before) {
                        *done = before;
                        return before ? OK : err;
                }
                if (io_done(&io) == before)
                        break;
        }
        return result(f, IN_ACCESS, OK, &io, done);
}

err_t file_write_kernel(struct file *f, u64 off, bytes src, usize *done)
{
        struct io io = io_from_kernel(src);

        if (!f->ops->write)
                return ERR(EINVAL);
        err_t err = f->ops->write(f, &io, &off);
        return result(f, IN_MODIFY, err, &io, done);
}

#define SENDFILE_CHUNK 16384u

/* Moves one buffer full; *n: bytes that reached `out`; 0 with OK: the end. */
static err_t send_chunk(struct file *out, struct file *in, u64 *pos, mbytes buf, usize *n)
{
        struct io from = io_to_kernel(buf);
        u64 at = *pos;
        usize got = 0;

        *n = 0;
        TRY(result(in, IN_ACCESS, read_at(in, &from, &at), &from, &got));
        if (got == 0)
                return OK;
        struct io to = io_from_kernel(bytes_take(bytes_const(buf), got));
        err_t err = file_write(out, &to, n);
        *pos += *n;
        return err;
}

static err_t send_all(struct file *out, struct file *in, u64 *pos, usize len, usize *done)
{
        struct blob *buf = blob_alloc(payer_current(), SENDFILE_CHUNK);
        err_t err = OK;

        if (!buf)
                return ERR(ENOMEM);
        while (*done < len) {
                usize n = 0, want = min_u64(len - *done, SENDFILE_CHUNK);
                err = send_chunk(out, in, pos, mbytes_take(blob_mbytes(buf), want), &n);
                *done += n;
                if (failed(err) || n < want)
                        break;
        }
        blob_drop(buf);
        return *done > 0 ? OK : err;
}

bool file_is_seekable(const struct file *f)
{
        return (f->ops->flags & FOPS_STREAM) == 0 || (f->ops->llseek && f->ops->llseek != generic_no_llseek);
}

err_t file_sendfile(struct file *out, struct file *in, u64 *in_pos, usize len, usize *done)
{
        u64 end = (in_pos ? *in_pos : in->pos) + len;

        *done = 0;
        if (!file_may_read(in) || !file_may_write(out))
                return ERR(EBADF);
        if (in_pos && (in->ops->flags & FOPS_STREAM))
                return ERR(ESPIPE);
        if ((in_pos && (i64)*in_pos < 0) || (i64)len < 0 || (i64)end < 0)
                return ERR(EINVAL);
        len = min_u64(len, IO_MAX_BYTES);
        if ((LOAD(out->flags) & O_APPEND) != 0 || !file_is_seekable(in))
                return ERR(EINVAL);
        if (len == 0)
                return OK;
        if (!in->ops->read || !out->ops->write || (in->ops->flags & (FOPS_STREAM | FOPS_NO_SPLICE_IN)) || (out->ops->flags & FOPS_NO_SPLICE_OUT))
                return ERR(EINVAL);
        if (in_pos)
                return send_all(out, in, in_pos, len, done);
        /* The position is read and stored, not locked meanwhile: out may be the same file, or wait for ever. */
        u64 pos = in->pos;
        err_t err = send_all(out, in, &pos, len, done);
        in->pos = pos;
        return err;
}

static err_t may_copy(struct file *in, struct file *out)
{
        if (inode_is_dir(in->inode) || inode_is_dir(out->inode))
                return ERR(EISDIR);
        if (!inode_is_regular(in->inode) || !inode_is_regular(out->inode))
                return ERR(EINVAL);
        if (!file_may_read(in) || !file_may_write(out) || (LOAD(out->flags) & O_APPEND) != 0)
                return ERR(EBADF);
        if (in->inode->sb != out->inode->sb)
                return ERR(EXDEV);
        return !in->ops->read || !out->ops->write ? ERR(EINVAL) : OK;
}

/* The bytes that there are to copy: *len may shrink. */
static err_t copy_span(struct file *in, u64 from, struct file *out, u64 to, u64 *len)
{
        u64 size = LOAD(in->inode->size), most = min_u64(out->inode->sb->max_bytes, I64_MAX);

        if (add_overflows(from, *len) || add_overflows(to, *len))
                return ERR(EOVERFLOW);
        if ((i64)from < 0 || (i64)to < 0)
                return ERR(EINVAL);
        *len = from >= size ? 0 : min_u64(min_u64(*len, size - from), IO_MAX_BYTES);
        if (*len > 0 && to >= most)
                return ERR(EFBIG);
        *len = min_u64(*len, most - to);
        if (in->inode == out->inode && to < from + *len && from < to + *len)
                return ERR(EINVAL);
        return OK;
}

static err_t copy_chunks(struct file *in, u64 *from, struct file *out, u64 *to, u64 len, mbytes buf, u64 *done)
{
        while (*done < len) {
                struct io src = io_to_kernel(mbytes_take(buf, min_u64(len - *done, mbytes_len(buf))));
                usize got = 0, put = 0;
                TRY(file_pread(in, &src, *from, &got));
                if (got == 0)
                        break;
                struct io dst = io_from_kernel(bytes_take(bytes_const(buf), got));
                TRY(file_pwrite(out, &dst, *to, &put));
                *from += put;
                *to += put;
                *done += put;
                if (put < got)
                        break;
        }
        return OK;
}

err_t file_copy_range(struct file *in, u64 *in_pos, struct file *out, u64 *out_pos, u64 len, u64 *done)
{
        u64 from = in_pos ? *in_pos : in->pos, to = out_pos ? *out_pos : out->pos;

        *done = 0;
        TRY(may_copy(in, out));
        TRY(copy_span(in, from, out, to, &len));
        if (len == 0)
                return OK;
        struct blob *buf = blob_alloc(payer_current(), SENDFILE_CHUNK);
        if (!buf)
                return ERR(ENOMEM);
        err_t err = copy_chunks(in, &from, out, &to, len, blob_mbytes(buf), done);
        blob_drop(buf);
        if (*done == 0)
                return err;
        if (in_pos)
                *in_pos = from;
        else
                in->pos = from;
        if (out_pos)
                *out_pos = to;
        else
                out->pos = to;
        return OK;
}

/* ---- Position ---- */

err_t file_lseek(struct file *f, i64 off, u32 whence, u64 *pos)
{
        if (whence > SEEK_MAX)
                return ERR(EINVAL);
        if (!file_is_seekable(f))
                return ERR(ESPIPE);
        bool locked = pos_begin(f);
        err_t err = f->ops->llseek ? f->ops->llseek(f, off, whence, pos) : generic_llseek(f, off, whence, pos);
        if (succeeded(err))
                f->pos = *pos;
        pos_end(f, locked);
        return err;
}

/* ---- The rest ---- */

static err_t set_flag(struct file *f, u32 flag, u64 arg)
{
        u32 on = 0;

        TRY(user_get(MBYTES_OF(on), arg));
        if (on)
                FETCH_OR(f->flags, flag);
        else
                FETCH_AND(f->flags, ~flag);
        return OK;
}

static err_t ioctl_async(struct file *f, u32 fd, u64 arg)
{
        u32 on = 0;

        TRY(user_get(MBYTES_OF(on), arg));
        if (((LOAD(f->flags) & FASYNC) != 0) == (on != 0))
                return OK;
        return file_set_async(f, fd, on != 0);
}

err_t file_ioctl(struct file *f, u32 fd, u32 cmd, u64 arg, u64 *result_out)
{
        u32 value;

        *result_out = 0;
        switch (cmd) {
        case FIONBIO:
                return set_flag(f, O_NONBLOCK, arg);
        case FIOASYNC:
                return ioctl_async(f, fd, arg);
        case FIGETBSZ:
                value = f->inode->sb->block_size;
                return user_put(arg, BYTES_OF(value));
        case FIBMAP:                    /* no file system here has blocks of a disk to tell of */
                if (inode_is_regular(f->inode))
                        return cred_has(actor_current().cred, CAP_SYS_RAWIO) ? ERR(EINVAL) : ERR(EPERM);
                break;
        case FS_IOC_FIEMAP:
                return ERR(EOPNOTSUPP);
        case FIONREAD:
                if (!inode_is_regular(f->inode))
                        break;
                value = (u32)(LOAD(f->inode->size) - f->pos);
                return user_put(arg, BYTES_OF(value));
        default:
                break;
        }
        return f->ops->ioctl ? f->ops->ioctl(f, cmd, arg, result_out) : ERR(ENOTTY);
}

err_t file_fsync(struct file *f, bool data_only)
{
        if (!f->ops->fsync)
                return inode_is_regular(f->inode) || inode_is_dir(f->inode) ? OK : ERR(EINVAL);
        return f->ops->fsync(f, data_only);
}

err_t file_no_fsync(struct file *f, bool data_only)
{
        (void)f;
        (void)data_only;
        return ERR(EINVAL);
}

err_t file_fallocate(struct file *f, u32 mode, i64 off, i64 len)
{
        if (off < 0 || len <= 0)
                return ERR(EINVAL);
        if ((mode & ~(u32)(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_ZERO_RANGE |
                           FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE)) != 0)
                return ERR(EOPNOTSUPP);
        if ((mode & FALLOC_FL_PUNCH_HOLE) != 0 && (mode & (FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE)) != FALLOC_FL_KEEP_SIZE)
                return ERR(EOPNOTSUPP);
        if (!file_may_write(f))
                return ERR(EBADF);
        if ((mode & ~(u32)FALLOC_FL_KEEP_SIZE) != 0 && (LOAD(f->flags) & O_APPEND) != 0 && (f->inode->flags & INODE_APPEND) != 0)
                return ERR(EPERM);
        if (inode_type(f->inode) == S_IFIFO)
                return ERR(ESPIPE);
        if (inode_is_dir(f->inode))
                return ERR(EISDIR);
        if (!inode_is_regular(f->inode))
                return ERR(ENODEV);
        if (add_overflows((u64)off, (u64)len) || (u64)off + (u64)len > f->inode->sb->max_bytes)
                return ERR(EFBIG);
        if (!f->ops->fallocate)
                return ERR(EOPNOTSUPP);
        TRY(f->ops->fallocate(f, mode, (u64)off, (u64)len));
        notify_file(f, IN_MODIFY);
        return OK;
}

#define SETFL_MASK ((u32)(O_APPEND | O_NONBLOCK | O_NDELAY | O_DIRECT | O_NOATIME))

err_t file_setfl(struct file *f, u32 fd, u32 flags)
{
        u32 old = LOAD(f->flags);

        if ((flags & O_NOATIME) != 0 && (old & O_NOATIME) == 0) {
                struct actor who = actor_current();
                if (!cred_owns(who.cred, (struct file_owner){ f->inode->uid, f->inode->gid, f->inode->mode }))
                        return ERR(EPERM);
        }
        if ((flags & O_DIRECT) != 0 && inode_type(f->inode) != S_IFIFO)
                return ERR(EINVAL);
        if (f->ops->setfl)
                TRY(f->ops->setfl(f, flags));
        if (((old ^ flags) & FASYNC) != 0 && f->ops->async)
                TRY(file_set_async(f, fd, (flags & FASYNC) != 0));
        do
                old = LOAD(f->flags);
        while (!CMPXCHG(f->flags, old, (old & ~SETFL_MASK) | (flags & SETFL_MASK)));
        return OK;
}

err_t file_mmap(struct file *f, struct map_request *req)
{
        u32 mnt = LOAD_RELAXED(f->path.mnt->flags);
        u32 type = req->flags & MAP_TYPE;

        if (f->mode & FILE_PATH)
                return ERR(EBADF);
        if ((type == MAP_SHARED || type == MAP_SHARED_VALIDATE) && (req->prot & PROT_WRITE) != 0 && !file_may_write(f))
                return ERR(EACCES);
        if (!file_may_read(f))
                return ERR(EACCES);
        if ((req->prot & PROT_EXEC) != 0 && ((mnt & MNT_NOEXEC) != 0 || (f->ops->flags & FOPS_NO_EXEC) != 0))
                return ERR(EPERM);
        if (!f->ops->mmap)
                return ERR(ENODEV);
        return f->ops->mmap(f, req);
}

err_t file_flush(struct file *f)
{
        return f->ops->flush ? f->ops->flush(f) : OK;
}
