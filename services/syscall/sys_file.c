/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls on descriptors: reading and writing, positions, duplication, flags.
 */
#include "services/syscall/calls.h"
#include "services/vfs/vfs.h"
#include "services/vfs/locks.h"
#include "services/process/process.h"
#include "services/pipe/pipe.h"
#include "services/tmpfs/tmpfs.h"
#include "services/signal/signal.h"
#include "abi/linux/file.h"
#include "abi/const/process.h"
#include "abi/const/signal.h"
#include "abi/const/fcntl.h"
#include "abi/const/fs.h"
#include "abi/const/tty.h"

static u64 nofile_limit(struct call *c) { return rlimit_get(c->t->process, RLIMIT_NOFILE); }

/* ---- read and write ---- */

/* Each piece of a vector by itself, until one is not filled. */
static noinline err_t transfer_pieces(struct file *f, bytes vec, const struct io *io, bool is_write, u64 *done)
{
        err_t err = OK;

        for (usize at = 0; at < bytes_len(vec) && succeeded(err); at += sizeof(struct linux_iovec)) {
                struct linux_iovec v;
                usize n = 0;
                POD_READ(&v, bytes_skip(vec, at));
                struct io one = io_user(v.iov_base, v.iov_len);
                one.nowait = io->nowait;
                err = is_write ? file_write(f, &one, &n) : file_read(f, &one, &n);
                *done += n;
                if (n < v.iov_len)
                        break;
        }
        return *done > 0 ? OK : err;
}

static inline err_t transfer(struct call *c, struct io *io, bool is_write)
{
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        bool pieces = (r.file->ops->flags & (is_write ? FOPS_WRITE_PIECES : FOPS_READ_PIECES)) != 0;
        err_t err = pieces ? transfer_pieces(r.file, io->from, io, is_write, &c->result)
                  : is_write ? file_write(r.file, io, &c->result) : file_read(r.file, io, &c->result);
        fd_put(r);
        return err;
}

/* Lengths that no user space has: as Linux asks before it asks the file.  OK: go on, a stream at an offset to its ESPIPE. */
static noinline err_t check_huge(struct call *c, bool is_write, bool at_offset)
{
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        bool may = is_write ? file_may_write(r.file) : file_may_read(r.file);
        bool can = is_write ? r.file->ops->write != NULL : r.file->ops->read || inode_is_dir(r.file->inode);
        bool stream = at_offset && (r.file->ops->flags & FOPS_STREAM);
        fd_put(r);
        if (stream)
                return OK;
        if (!may)
                return ERR(EBADF);
        if (!can)
                return ERR(EINVAL);
        return vm_in_lower_half(arg(c, 1), arg(c, 2)) ? OK : ERR(EFAULT);
}

/* The two most frequent calls are written out. */
err_t sys_read(struct call *c)
{
        if (arg(c, 2) > IO_MAX_BYTES)
                TRY(check_huge(c, false, false));
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        struct io io = io_user(arg(c, 1), arg(c, 2));
        err_t err = file_read(r.file, &io, &c->result);
        fd_put(r);
        return count_read(c, err);
}

err_t sys_write(struct call *c)
{
        if (arg(c, 2) > IO_MAX_BYTES)
                TRY(check_huge(c, true, false));
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        struct io io = io_user(arg(c, 1), arg(c, 2));
        err_t err = file_write(r.file, &io, &c->result);
        fd_put(r);
        return count_write(c, err);
}

static inline err_t transfer_at(struct call *c, struct io *io, u64 pos, bool is_write)
{
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        err_t err = is_write ? file_pwrite(r.file, io, pos, &c->result) : file_pread(r.file, io, pos, &c->result);
        fd_put(r);
        return err;
}

err_t sys_pread64(struct call *c)
{
        if ((i64)arg(c, 3) < 0)
                return ERR(EINVAL);
        if (arg(c, 2) > IO_MAX_BYTES)
                TRY(check_huge(c, false, true));
        struct io io = io_user(arg(c, 1), arg(c, 2));
        return count_read(c, transfer_at(c, &io, arg(c, 3), false));
}

err_t sys_pwrite64(struct call *c)
{
        if ((i64)arg(c, 3) < 0)
                return ERR(EINVAL);
        if (arg(c, 2) > IO_MAX_BYTES)
                TRY(check_huge(c, true, true));
        struct io io = io_user(arg(c, 1), arg(c, 2));
        return count_write(c, transfer_at(c, &io, arg(c, 3), true));
}

enum { AT_POSITION, AT_OFFSET };

static bool has_file(struct call *c)
{
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        bool has = r.file != NULL;
        fd_put(r);
        return has;
}

/* The vector is bad: as on Linux the descriptor is asked for before it is looked at. */
static noinline err_t bad_vec(struct call *c, u32 where, err_t err)
{
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        bool stream = where == AT_OFFSET && (r.file->ops->flags & FOPS_STREAM);
        fd_put(r);
        return stream ? ERR(ESPIPE) : err;
}

/* What comes before the first byte, in Linux's order; *nothing: there is nothing to do. */
static err_t check_vec(struct call *c, u32 where, bool is_write, u32 flags, usize total, bool *nothing)
{
        u32 known = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_APPEND;
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        const struct file_ops *ops = r.file->ops;
        bool may = is_write ? file_may_write(r.file) : file_may_read(r.file);
        bool can = is_write ? ops->write != NULL : ops->read || inode_is_dir(r.file->inode);
        bool stream = where == AT_OFFSET && (ops->flags & FOPS_STREAM);
        fd_put(r);
        if (ops->flags & FOPS_NOWAIT)
                known |= RWF_NOWAIT;
        if (ops->flags & (is_write ? FOPS_WRITE_PIECES : FOPS_READ_PIECES))
                known = RWF_HIPRI;
        *nothing = total == 0;
        return stream ? ERR(ESPIPE) : !may ? ERR(EBADF) : !can ? ERR(EINVAL) : total > 0 && (flags & ~known) ? ERR(EOPNOTSUPP) : OK;
}

/* flags: of preadv2 and pwritev2. What is in memory is as synchronous as can be: RWF_SYNC, RWF_DSYNC and RWF_HIPRI ask
 * for nothing; of the files that are here those with FOPS_NOWAIT take RWF_NOWAIT, as in Linux 6.1. */
static err_t transfer_vec(struct call *c, bytes vec, u32 where, bool is_write, u32 flags)
{
        usize total = 0;
        err_t err = io_vec_check(vec, true, &total);
        if (failed(err))
                return bad_vec(c, where, err);
        struct io io = io_vec(vec, total);
        if (flags != 0 || total == 0) {
                bool nothing = false;
                TRY(check_vec(c, where, is_write, flags, total, &nothing));
                if (nothing)
                        return OK;
        }
        io.append = (flags & RWF_APPEND) != 0;
        io.nowait = (flags & RWF_NOWAIT) != 0;
        return where == AT_OFFSET ? transfer_at(c, &io, arg(c, 3), is_write) : transfer(c, &io, is_write);
}

/* The iovec array is on the stack up to VEC_SMALL entries. */
#define VEC_SMALL 8u

/* vec: room for them all. */
static err_t vector_in(struct call *c, mbytes vec, u32 where, bool is_write, u32 flags)
{
        err_t err = vm_copy_in(vec, arg(c, 1));
        return failed(err) ? bad_vec(c, where, err) : transfer_vec(c, bytes_const(vec), where, is_write, flags);
}

static err_t vector_call(struct call *c, u32 where, bool is_write, u32 flags)
{
        u32 count = arg_uint(c, 2);
        struct linux_iovec small[VEC_SMALL] = {};

        if (count > IO_MAX_VECS)
                return bad_vec(c, where, ERR(EINVAL));
        usize size = count * sizeof(struct linux_iovec);
        if (count <= VEC_SMALL)
                return vector_in(c, mbytes_take(MBYTES_OF(small), size), where, is_write, flags);
        struct blob *big CLEANUP(drop_blob) = blob_alloc(c->t->payer, size);
        if (!big)
                return ERR(ENOMEM);
        return vector_in(c, mbytes_take(blob_mbytes(big), size), where, is_write, flags);
}

err_t sys_readv(struct call *c)  { return count_read(c, vector_call(c, AT_POSITION, false, 0)); }
err_t sys_writev(struct call *c) { return count_write(c, vector_call(c, AT_POSITION, true, 0)); }
err_t sys_preadv(struct call *c)
{
        return (i64)arg(c, 3) < 0 ? ERR(EINVAL) : count_read(c, vector_call(c, AT_OFFSET, false, 0));
}
err_t sys_pwritev(struct call *c)
{
        return (i64)arg(c, 3) < 0 ? ERR(EINVAL) : count_write(c, vector_call(c, AT_OFFSET, true, 0));
}

static err_t vector_call2(struct call *c, bool is_write)
{
        u32 flags = arg_uint(c, 5);

        if ((i64)arg(c, 3) == -1)
                return vector_call(c, AT_POSITION, is_write, flags);
        return (i64)arg(c, 3) < 0 ? ERR(EINVAL) : vector_call(c, AT_OFFSET, is_write, flags);
}
err_t sys_preadv2(struct call *c)  { return count_read(c, vector_call2(c, false)); }
err_t sys_pwritev2(struct call *c) { return count_write(c, vector_call2(c, true)); }

err_t sys_lseek(struct call *c)
{
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        u64 pos = 0;
        err_t err = file_lseek(r.file, (i64)arg(c, 1), arg_uint(c, 2), &pos);
        fd_put(r);
        c->result = pos;
        return err;
}

/* ---- descriptors ---- */

err_t sys_close(struct call *c)
{
        return files_close(c->t->files, arg_uint(c, 0));
}

err_t sys_close_range(struct call *c)
{
        u32 first = arg_uint(c, 0), last = arg_uint(c, 1), flags = arg_uint(c, 2);
        if ((flags & ~(u32)(CLOSE_RANGE_CLOEXEC | CLOSE_RANGE_UNSHARE)) || first > last)
                return ERR(EINVAL);
        if ((flags & CLOSE_RANGE_UNSHARE) && files_refs(c->t->files) > 1) {
                struct files *own = files_copy(c->t->payer, c->t->files);
                if (!own)
                        return ERR(ENOMEM);
                struct files *old = c->t->files;
                {
                        SPIN_GUARD(&c->t->process->lock);
                        c->t->files = own;
                }
                files_drop(old);
        }
        return files_close_range(c->t->files, first, last, flags & CLOSE_RANGE_CLOEXEC);
}

static err_t dup_from(struct call *c, u32 fd, u32 from, u32 fd_flags)
{
        struct file *f = files_get(c->t->files, fd);
        u32 new = 0;

        if (!f)
                return ERR(EBADF);
        err_t err = files_add(c->t->files, f, fd_flags, from, nofile_limit(c), &new);
        if (failed(err))
                file_drop(f);
        c->result = new;
        return err;
}

err_t sys_dup(struct call *c) { return dup_from(c, arg_uint(c, 0), 0, 0); }

err_t sys_dup2(struct call *c)
{
        u32 old = arg_uint(c, 0), new = arg_uint(c, 1), fd_flags = 0;
        c->result = new;
        if (old == new)
                return files_get_flags(c->t->files, old, &fd_flags);
        return files_dup_to(c->t->files, old, new, 0, nofile_limit(c));
}

err_t sys_dup3(struct call *c)
{
        u32 old = arg_uint(c, 0), new = arg_uint(c, 1), flags = arg_uint(c, 2);
        if (old == new || (flags & ~(u32)O_CLOEXEC))
                return ERR(EINVAL);
        c->result = new;
        return files_dup_to(c->t->files, old, new, flags & O_CLOEXEC ? FD_CLOEXEC : 0, nofile_limit(c));
}

err_t call_install_pair(struct call *c, struct file *a, struct file *b, u32 fd_flags, u64 at)
{
        u32 fds[2] = {};
        u64 limit = nofile_limit(c);

        err_t err = files_reserve(c->t->files, fd_flags, 0, limit, &fds[0]);
        if (failed(err))
                return err;
        err = files_reserve(c->t->files, fd_flags, 0, limit, &fds[1]);
        if (succeeded(err)) {
                err = PUT_USER(at, fds);
                if (succeeded(err)) {
                        files_set(c->t->files, fds[0], a);
                        files_set(c->t->files, fds[1], b);
                        return OK;
                }
                files_unreserve(c->t->files, fds[1]);
        }
        files_unreserve(c->t->files, fds[0]);
        return err;
}

static err_t make_pipe(struct call *c, u64 at, u32 flags)
{
        struct file *reader = NULL, *writer = NULL;
        if (flags & ~(u32)(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
                return ERR(EINVAL);
        struct actor who = actor_current();
        TRY(pipe_new(&who, flags & (u32)(O_NONBLOCK | O_DIRECT), &reader, &writer));
        err_t err = call_install_pair(c, reader, writer, flags & O_CLOEXEC ? FD_CLOEXEC : 0, at);
        if (failed(err)) {
                file_drop(reader);
                file_drop(writer);
        }
        return err;
}

err_t sys_pipe(struct call *c)  { return make_pipe(c, arg(c, 0), 0); }
err_t sys_pipe2(struct call *c) { return make_pipe(c, arg(c, 0), arg_uint(c, 1)); }

static err_t get_owner(struct file *f, u64 *result)
{
        struct owner_id o = file_get_owner(f);
        *result = (u64)(o.kind == F_OWNER_PGRP ? -(i64)o.id : (i64)o.id);
        return OK;
}

/* Is there such a thread, process or group? */
static bool owner_exists(struct owner_id o)
{
        struct pid *p = pid_find(pid_ns_current(), o.id);
        if (!p)
                return false;
        tree_lock(pid_ns_current());
        bool is = o.kind == F_OWNER_PGRP ? p->group != NULL : o.kind == F_OWNER_TID ? p->thread != NULL : p->process != NULL;
        tree_unlock(pid_ns_current());
        pid_drop(p);
        return is;
}

static err_t set_owner(struct file *f, struct owner_id o)
{
        if (o.id && !owner_exists(o))
                return ERR(ESRCH);
        return file_set_owner(f, o);
}

static err_t set_own(struct file *f, i32 id)
{
        if (id == I32_MIN)
                return ERR(EINVAL);
        return set_owner(f, id < 0 ? (struct owner_id){ F_OWNER_PGRP, (u32)-id } : (struct owner_id){ F_OWNER_PID, (u32)id });
}

struct owner_ex { i32 type, pid; };     /* struct f_owner_ex */

static err_t set_own_ex(struct file *f, u64 at)
{
        struct owner_ex o = {};
        TRY(GET_USER(o, at));
        if (o.type < F_OWNER_TID || o.type > F_OWNER_PGRP)
                return ERR(EINVAL);
        return o.pid < 0 ? ERR(ESRCH) : set_owner(f, (struct owner_id){ (u32)o.type, (u32)o.pid });
}

static err_t get_own_ex(struct file *f, u64 at)
{
        struct owner_id id = file_get_owner(f);
        struct owner_ex o = { (i32)id.kind, (i32)id.id };
        return PUT_USER(at, o);
}

static err_t get_own_uids(struct file *f, u64 at)
{
        struct owner_id u = file_owner_uids(f);
        u32 uids[2] = { u.kind, u.id };
        return PUT_USER(at, uids);
}

static err_t pipe_size(struct call *c, struct file *f, u64 size, bool set)
{
        struct actor who = actor_current();
        u32 now = 0;
        err_t err = set ? pipe_set_size(&who, f, size, &now) : pipe_get_size(f, &now);
        c->result = now;
        return err;
}

/* ---- locks ---- */

err_t sys_flock(struct call *c)
{
        u32 kind = arg_uint(c, 1) & ~(u32)LOCK_NB;

        if (kind & LOCK_MAND)
                return OK;              /* as of Linux 5.15: there are no such locks any more, and nobody is told */
        if (kind != LOCK_SH && kind != LOCK_EX && kind != LOCK_UN)
                return ERR(EINVAL);
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        err_t err = file_flock(r.file, arg_uint(c, 1));
        fd_put(r);
        return err;
}

static err_t get_lock(struct call *c, struct file *f, bool ofd, u64 at)
{
        struct linux_flock fl = {};
        TRY(GET_USER(fl, at));
        TRY(file_lock_get(f, c->t->files, ofd, &fl));
        return PUT_USER(at, fl);
}

/* A lock taken while another thread closed the descriptor would have no end: that close is made good.  (Unlocking
 * the range would not do: the position that it is counted from may have moved, and it may need memory.) */
static err_t set_lock(struct call *c, struct file *f, bool ofd, bool wait, u64 at)
{
        struct linux_flock fl = {};
        TRY(GET_USER(fl, at));
        TRY(file_lock_set(f, c->t->files, ofd, &fl, wait));
        if (ofd || fl.l_type == F_UNLCK)
                return OK;
        struct fd_ref now = fd_get(c->t->files, arg_uint(c, 0));
        bool same = now.file == f;
        if (now.file)
                fd_put(now);
        if (same)
                return OK;
        locks_close(f->inode, c->t->files);
        return ERR(EBADF);
}

static err_t get_seals(struct file *f, u64 *result)
{
        u32 seals = 0;

        TRY(tmpfs_get_seals(f, &seals));
        *result = seals;
        return OK;
}

static err_t get_hint(struct inode *inode, u64 at)
{
        u64 hint = (LOAD(inode->flags) & INODE_HINT) / INODE_HINT_ONE;
        return PUT_USER(at, hint);
}

static err_t set_hint(struct inode *inode, u64 at)
{
        u64 hint = 0;
        TRY(GET_USER(hint, at));
        if (hint > RWH_WRITE_LIFE_EXTREME)
                return ERR(EINVAL);
        WRITE_GUARD(&inode->lock);
        STORE(inode->flags, (inode->flags & ~INODE_HINT) | (u32)hint * INODE_HINT_ONE);
        return OK;
}

static err_t fcntl_file(struct call *c, struct file *f, u32 cmd, u64 arg)
{
        switch (cmd) {
        case F_GETFL:
                c->result = LOAD(f->flags);
                return OK;
        case F_SETFL:
                return file_setfl(f, arg_uint(c, 0), (u32)arg);
        case F_GETOWN:
                return get_owner(f, &c->result);
        case F_SETOWN:
                return set_own(f, (i32)(u32)arg);
        case F_SETOWN_EX:
                return set_own_ex(f, arg);
        case F_GETOWN_EX:
                return get_own_ex(f, arg);
        case F_GETOWNER_UIDS:
                return get_own_uids(f, arg);
        case F_GETSIG:
                c->result = file_get_signal(f);
                return OK;
        case F_SETSIG:
                if (arg > SIG_COUNT)
                        return ERR(EINVAL);
                return file_set_signal(f, (u32)arg);
        case F_GETLK:
        case F_OFD_GETLK:
                return get_lock(c, f, cmd == F_OFD_GETLK, arg);
        case F_SETLK:
        case F_SETLKW:
                return set_lock(c, f, false, cmd == F_SETLKW, arg);
        case F_OFD_SETLK:
        case F_OFD_SETLKW:
                return set_lock(c, f, true, cmd == F_OFD_SETLKW, arg);
        case F_SETLEASE:
                return file_lease_set(f, arg_uint(c, 0), (u32)arg);
        case F_GETLEASE:
                c->result = file_lease_get(f);
                return OK;
        case F_NOTIFY:
                return file_dnotify(f, c->t->files, arg_uint(c, 0), (u32)arg);
        case F_GET_RW_HINT:
                return get_hint(f->inode, arg);
        case F_SET_RW_HINT:
                return set_hint(f->inode, arg);
        case F_ADD_SEALS:
                return tmpfs_add_seals(f, (u32)arg);
        case F_GET_SEALS:
                return get_seals(f, &c->result);
        case F_GETPIPE_SZ:
                return pipe_size(c, f, 0, false);
        case F_SETPIPE_SZ:
                return pipe_size(c, f, (u32)arg, true);
        default:
                return ERR(EINVAL);
        }
}

err_t sys_fcntl(struct call *c)
{
        u32 fd = arg_uint(c, 0), cmd = arg_uint(c, 1), fd_flags = 0;
        u64 value = arg(c, 2);

        switch (cmd) {
        case F_DUPFD:
        case F_DUPFD_CLOEXEC:
                return dup_from(c, fd, (u32)value, cmd == F_DUPFD_CLOEXEC ? FD_CLOEXEC : 0);
        case F_GETFD:
                TRY(files_get_flags(c->t->files, fd, &fd_flags));
                c->result = fd_flags;
                return OK;
        case F_SETFD:
                return files_set_flags(c->t->files, fd, (u32)value & FD_CLOEXEC);
        }
        bool path_too = cmd == F_GETFL;
        struct fd_ref r = path_too ? fd_get_path(c->t->files, fd) : fd_get(c->t->files, fd);
        if (!r.file)
                return ERR(EBADF);
        err_t err = fcntl_file(c, r.file, cmd, value);
        fd_put(r);
        return err;
}

/* FICLONE: no file system here shares blocks. */
static err_t clone_from(struct call *c, struct file *to, u32 fd)
{
        struct fd_ref r = fd_get(c->t->files, fd);
        if (!r.file)
                return ERR(EBADF);
        struct inode *a = r.file->inode, *b = to->inode;
        err_t err = a->sb != b->sb ? ERR(EXDEV) : inode_is_dir(a) || inode_is_dir(b) ? ERR(EISDIR)
                  : !inode_is_regular(a) || !inode_is_regular(b) ? ERR(EINVAL)
                  : !file_may_read(r.file) || !file_may_write(to) || (LOAD(to->flags) & O_APPEND) ? ERR(EBADF) : ERR(EOPNOTSUPP);
        fd_put(r);
        return err;
}

err_t sys_ioctl(struct call *c)
{
        u32 fd = arg_uint(c, 0), cmd = arg_uint(c, 1);

        struct fd_ref r = fd_get(c->t->files, fd);
        if (!r.file)
                return ERR(EBADF);
        err_t err = OK;
        switch (cmd) {
        case FIOCLEX:
                err = files_set_flags(c->t->files, fd, FD_CLOEXEC);
                break;
        case FIONCLEX:
                err = files_set_flags(c->t->files, fd, 0);
                break;
        case FICLONE:
                err = clone_from(c, r.file, arg_uint(c, 2));
                break;
        default:
                err = file_ioctl(r.file, fd, cmd, arg(c, 2), &c->result);
        }
        fd_put(r);
        return restartable(err);
}

static err_t sync_one(struct call *c, bool data_only)
{
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        err_t err = file_fsync(r.file, data_only);
        fd_put(r);
        return err;
}

err_t sys_fsync(struct call *c)     { return sync_one(c, false); }
err_t sys_fdatasync(struct call *c) { return sync_one(c, true); }
err_t sys_sync(struct call *c)      { (void)c; vfs_sync(); return OK; }

/* The whole file system of whatever file; what is no file of a disk's has nothing to write. */
err_t sys_syncfs(struct call *c)
{
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        u32 type = inode_type(r.file->inode);
        err_t err = (type == S_IFREG || type == S_IFDIR) && r.file->ops->fsync != file_no_fsync ? file_fsync(r.file, false) : OK;
        fd_put(r);
        return err;
}

err_t sys_ftruncate(struct call *c)
{
        if ((i64)arg(c, 1) < 0)
                return ERR(EINVAL);
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        struct actor who = actor_current();
        err_t err = file_truncate(&who, r.file, (i64)arg(c, 1));
        fd_put(r);
        return err;
}

err_t sys_fallocate(struct call *c)
{
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        err_t err = file_fallocate(r.file, arg_uint(c, 1), (i64)arg(c, 2), (i64)arg(c, 3));
        fd_put(r);
        return restartable(err);
}

err_t sys_fadvise64(struct call *c)
{
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        bool stream = r.file->inode && inode_type(r.file->inode) == S_IFIFO;
        fd_put(r);
        if (stream)
                return ERR(ESPIPE);
        if ((i64)arg(c, 2) < 0 || arg_uint(c, 3) > POSIX_FADV_NOREUSE)
                return ERR(EINVAL);
        return OK;                              /* advice: everything here is in memory anyway */
}

err_t sys_readahead(struct call *c)
{
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        err_t err = !file_may_read(r.file) ? ERR(EBADF) : !r.file->inode || !inode_is_regular(r.file->inode) ? ERR(EINVAL) : OK;
        fd_put(r);
        return err;                             /* everything here is in memory anyway */
}

err_t sys_sync_file_range(struct call *c)
{
        i64 off = (i64)arg(c, 1), len = (i64)arg(c, 2);

        if (!has_file(c))
                return ERR(EBADF);
        if (arg(c, 3) & ~(u64)(SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER))
                return ERR(EINVAL);
        if (off < 0 || len < 0 || len > I64_MAX - off)
                return ERR(EINVAL);
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        u32 type = r.file->inode ? inode_type(r.file->inode) : 0;
        err_t err = type == S_IFREG || type == S_IFBLK || type == S_IFDIR || type == S_IFLNK
                  ? r.file->ops->fsync == file_no_fsync ? OK : file_fsync(r.file, true) : ERR(ESPIPE);
        fd_put(r);
        return err;
}

static err_t read_directory(struct call *c, enum dir_format format)
{
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        /* Linux's count is an int: there is no room in a negative one. */
        struct io io = io_user(arg(c, 1), arg_int(c, 2) < 0 ? 0 : arg_uint(c, 2));
        usize done = 0;
        err_t err = file_readdir(r.file, &io, format, &done);
        fd_put(r);
        c->result = done;
        return err;
}

err_t sys_getdents(struct call *c)   { return read_directory(c, DIR_OLD); }
err_t sys_getdents64(struct call *c) { return read_directory(c, DIR_64); }

void drop_blob(struct blob **b) { blob_drop(*b); }
