/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls that move bytes from one descriptor to another, or between a pipe and memory by the page.
 */
#include "services/syscall/calls.h"
#include "services/vfs/vfs.h"
#include "services/pipe/pipe.h"
#include "services/vm/vm.h"
#include "abi/linux/file.h"
#include "abi/const/fcntl.h"

err_t sys_sendfile(struct call *c)
{
        u64 pos = 0;
        usize done = 0;

        if (arg(c, 2))
                TRY(GET_USER(pos, arg(c, 2)));
        struct fd_ref out = fd_get(c->t->files, arg_uint(c, 0));
        if (!out.file)
                return ERR(EBADF);
        struct fd_ref in = fd_get(c->t->files, arg_uint(c, 1));
        err_t err = ERR(EBADF);
        usize len = arg(c, 3);
        if (in.file) {
                if (arg(c, 2))
                        err = file_sendfile(out.file, in.file, &pos, len, &done);
                else if (file_is_pipe(out.file) && !file_is_pipe(in.file) && !file_is_seekable(in.file))
                        err = pipe_splice(in.file, NULL, out.file, NULL, min_u64(len, IO_MAX_BYTES), 0, &done);        /* a pipe takes from what is no file, too */
                else
                        err = file_sendfile(out.file, in.file, NULL, len, &done);
                fd_put(in);
        }
        fd_put(out);
        c->result = done;
        err = count_write(c, count_read(c, err));
        if (arg(c, 2))                  /* after an error, too */
                TRY(PUT_USER(arg(c, 2), pos));
        return err;
}

#define SPLICE_FLAGS ((u32)(SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT))

/* Two files with optional offsets in user memory. */
struct two { struct file *in, *out; u64 in_pos, out_pos; };
typedef err_t move_fn(struct call *c, struct two *t, u64 *in_pos, u64 *out_pos);

static err_t get_offset(u64 at, u64 *pos)
{
        if (!at)
                return OK;
        TRY(GET_USER(*pos, at));
        return OK;
}

static err_t copy_files(struct call *c, struct two *t, u64 *in_pos, u64 *out_pos)
{
        err_t err = arg_uint(c, 5) ? ERR(EINVAL) : file_copy_range(t->in, in_pos, t->out, out_pos, arg(c, 4), &c->result);
        return count_write(c, count_read(c, err));
}

static err_t splice_files(struct call *c, struct two *t, u64 *in_pos, u64 *out_pos)
{
        return pipe_splice(t->in, in_pos, t->out, out_pos, arg(c, 4), arg_uint(c, 5), &c->result);
}

static err_t get_offsets(struct call *c, struct two *t, move_fn *move)
{
        u64 in_at = arg(c, 1), out_at = arg(c, 3);

        if (move == splice_files && ((in_at && file_is_pipe(t->in)) || (out_at && file_is_pipe(t->out))))
                return ERR(ESPIPE);
        TRY(get_offset(out_at, &t->out_pos));
        return get_offset(in_at, &t->in_pos);
}

static err_t move_between(struct call *c, move_fn *move)
{
        u64 in_at = arg(c, 1), out_at = arg(c, 3);
        struct two t = {};

        struct fd_ref in = fd_get(c->t->files, arg_uint(c, 0));
        if (!in.file)
                return ERR(EBADF);
        struct fd_ref out = fd_get(c->t->files, arg_uint(c, 2));
        err_t err = ERR(EBADF);
        if (out.file) {
                t.in = in.file;
                t.out = out.file;
                err = get_offsets(c, &t, move);
                if (succeeded(err))
                        err = in_at && out_at ? move(c, &t, &t.in_pos, &t.out_pos) : in_at ? move(c, &t, &t.in_pos, NULL)
                            : out_at ? move(c, &t, NULL, &t.out_pos) : move(c, &t, NULL, NULL);
                fd_put(out);
        }
        fd_put(in);
        TRY(restartable(err));
        if (move == copy_files && !c->result)
                return OK;                      /* of nothing copied no offset is written */
        if (in_at)
                TRY(PUT_USER(in_at, t.in_pos));
        return out_at ? PUT_USER(out_at, t.out_pos) : OK;
}

err_t sys_splice(struct call *c)
{
        if (arg(c, 4) == 0)
                return OK;
        if (arg_uint(c, 5) & ~SPLICE_FLAGS)
                return ERR(EINVAL);
        return move_between(c, splice_files);
}

err_t sys_copy_file_range(struct call *c) { return move_between(c, copy_files); }

err_t sys_tee(struct call *c)
{
        if ((arg_uint(c, 3) & ~SPLICE_FLAGS) != 0)
                return ERR(EINVAL);
        if (arg(c, 2) == 0)
                return OK;
        struct fd_ref in = fd_get(c->t->files, arg_uint(c, 0));
        if (!in.file)
                return ERR(EBADF);
        struct fd_ref out = fd_get(c->t->files, arg_uint(c, 1));
        err_t err = ERR(EBADF);
        if (out.file) {
                err = pipe_tee(in.file, out.file, arg(c, 2), arg_uint(c, 3), &c->result);
                fd_put(out);
        }
        fd_put(in);
        return restartable(err);
}

/* The page at addr, counted, to be lent; of memory that was never written to, zeros of our own.  EFAULT, ENOMEM. */
static err_t page_to_lend(u64 addr, struct frame **out)
{
        TRY(vm_fault_in(addr, 1, false));
        *out = vm_grab(vm_current(), addr, false);
        if (!*out)
                return ERR(EFAULT);
        if (*out == frame_zero_page())
                *out = frame_alloc(payer_current(), FRAME_ZERO);
        return *out ? OK : ERR(ENOMEM);
}

/* A range into the pipe, a slot for each page; *done: bytes. */
static err_t lend_range(struct file *pipe, struct linux_iovec range, u64 *done)
{
        for (u64 at = range.iov_base, left = range.iov_len; left > 0;) {
                u64 off = at & PAGE_MASK, n = min_u64(PAGE_SIZE - off, left);
                struct frame *f = NULL;
                TRY(page_to_lend(at, &f));
                TRY(pipe_lend(pipe, f, (u32)off, (u32)n));
                at += n;
                left -= n;
                *done += n;
        }
        return OK;
}

/* As much as there is room for at once. */
static err_t lend_some(struct file *pipe, bytes vec, bool wait, u64 *done)
{
        err_t err = pipe_room(pipe, wait);

        for (usize at = 0; at < bytes_len(vec) && succeeded(err); at += sizeof(struct linux_iovec)) {
                struct linux_iovec range;
                POD_READ(&range, bytes_skip(vec, at));
                err = lend_range(pipe, range, done);
        }
        return *done > 0 ? OK : err;
}

static err_t lend(struct file *pipe, bytes vec, bool wait, u64 *done)
{
        err_t err;

        do
                err = lend_some(pipe, vec, wait, done);
        while (wait && err_is(err, EAGAIN));            /* others took the room that there was */
        return err;
}

static err_t vmsplice(struct call *c, struct file *f)
{
        struct blob *vec CLEANUP(drop_blob) = NULL;
        bool wait = !(arg_uint(c, 3) & SPLICE_F_NONBLOCK);      /* whatever O_NONBLOCK says */
        usize total = 0;

        TRY(call_get_vec(c, arg(c, 1), arg_uint(c, 2), true, &vec, &total));
        if (total == 0)
                return OK;
        if (!file_is_pipe(f))
                return ERR(EBADF);
        if (file_may_write(f))
                return lend(f, blob_bytes(vec), wait, &c->result);
        struct io io = io_vec(blob_bytes(vec), total);
        err_t err = pipe_take(f, &io, wait);
        c->result = io_done(&io);
        return c->result ? OK : err;
}

err_t sys_vmsplice(struct call *c)
{
        u32 flags = arg_uint(c, 3);

        if ((flags & ~SPLICE_FLAGS) != 0)
                return ERR(EINVAL);
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        err_t err = vmsplice(c, r.file);
        fd_put(r);
        return restartable(err);
}
