/* SPDX-License-Identifier: Apache-2.0
 *
 * struct io: where a read puts its bytes, or a write takes them: user memory (one range
 * or an array of them) or kernel bytes.  It advances as it is used; what was done is
 * io_done().  A stack value: it never outlives the call.
 *
 * The io_ functions fault user pages in and may sleep: call them with no spin lock held
 * (mutexes and inode locks are fine).  The _now ones never sleep, and stop at the first
 * page that is not there: for use under spin locks, then io_fault_in() without.
 */
#pragma once

enum io_kind { IO_USER, IO_VEC, IO_TO_KERNEL, IO_FROM_KERNEL };
struct io {
        enum io_kind kind;
        bool  nowait;                   /* RWF_NOWAIT and the like: EAGAIN instead of sleeping for data */
        bool  append;                   /* RWF_APPEND: to the file's end, whatever the position */
        u64   addr;                     /* IO_USER, IO_VEC: the current range */
        usize range;                    /* bytes left in it */
        usize left;                     /* bytes left in all */
        usize done;                     /* bytes transferred */
        bytes from;                     /* IO_FROM_KERNEL: what is left.  IO_VEC: struct linux_iovec yet to come, checked by io_vec_check */
        mbytes to;                      /* IO_TO_KERNEL: what is left */
};

#define IO_MAX_BYTES 0x7ffff000ul       /* what one call transfers at most */
#define IO_MAX_VECS  1024u

/* Lengths above IO_MAX_BYTES are cut.  A range that is not user space fails at use: EFAULT. */
static inline struct io io_user(u64 addr, usize len)
{
        len = min_u64(len, IO_MAX_BYTES);
        return (struct io){ .kind = IO_USER, .addr = addr, .range = len, .left = len };
}
struct io io_to_kernel(mbytes to);
struct io io_from_kernel(bytes from);
/* vec: `struct linux_iovec`s already copied from user space.  First check them: EINVAL: a negative length;
 * EFAULT: local, that is of this address space, and a range reaches the kernel's half. */
err_t io_vec_check(bytes vec, bool local, usize *total);
struct io io_vec(bytes vec, usize total);

static inline usize io_left(const struct io *io) { return io->left; }
static inline usize io_done(const struct io *io) { return io->done; }
void  io_truncate(struct io *io, usize left);            /* lets at most this many more through */
static inline bool io_is_kernel(const struct io *io) { return io->kind >= IO_TO_KERNEL; }

/* All return how many bytes were done: min(what is asked, io_left), less only where user
 * memory is bad (EFAULT) or, for _now, not present.  One range of user memory that is present is the short way. */
usize io_copy_out_slow(struct io *io, bytes src);
usize io_copy_in_slow(struct io *io, mbytes dst);
usize io_zero_slow(struct io *io, usize len);
usize io_from_frame_slow(struct io *io, struct frame *f, usize off, usize len);
usize io_to_frame_slow(struct io *io, struct frame *f, usize off, usize len);
static inline bool io_is_short(const struct io *io, usize len) { return io->kind == IO_USER && len <= io->left; }
/* n of the len bytes are done: the rest is `slow`. */
static inline void io_took(struct io *io, usize n)
{
        io->addr += n;
        io->range -= n;
        io->left -= n;
        io->done += n;
}
static inline usize io_copy_out(struct io *io, bytes src)                /* src → io */
{
        usize n = 0;
        if (io_is_short(io, bytes_len(src)))
                io_took(io, n = user_copy_out(io->addr, src));
        return n == bytes_len(src) ? n : n + io_copy_out_slow(io, bytes_skip(src, n));
}
static inline usize io_copy_in(struct io *io, mbytes dst)                /* io → dst */
{
        usize n = 0;
        if (io_is_short(io, mbytes_len(dst)))
                io_took(io, n = user_copy_in(dst, io->addr));
        return n == mbytes_len(dst) ? n : n + io_copy_in_slow(io, mbytes_skip(dst, n));
}
static inline usize io_zero(struct io *io, usize len)                    /* zeros → io */
{
        usize n = 0;
        if (io_is_short(io, len))
                io_took(io, n = user_zero(io->addr, len));
        return n == len ? n : n + io_zero_slow(io, len - n);
}
/* frame → io; [off, off+len) inside f, or traps */
static inline usize io_from_frame(struct io *io, struct frame *f, usize off, usize len)
{
        usize n = 0;
        if (io_is_short(io, len))
                io_took(io, n = user_copy_from_frame(io->addr, f, off, len));
        return n == len ? n : n + io_from_frame_slow(io, f, off + n, len - n);
}
/* io → frame */
static inline usize io_to_frame(struct io *io, struct frame *f, usize off, usize len)
{
        usize n = 0;
        if (io_is_short(io, len))
                io_took(io, n = user_copy_to_frame(f, off, io->addr, len));
        return n == len ? n : n + io_to_frame_slow(io, f, off + n, len - n);
}
usize io_copy_out_now(struct io *io, bytes src);
usize io_copy_in_now(struct io *io, mbytes dst);
usize io_from_frame_now(struct io *io, struct frame *f, usize off, usize len);
usize io_to_frame_now(struct io *io, struct frame *f, usize off, usize len);
/* Makes the next page of the io present; write: it will be written to.  EFAULT. May sleep. */
err_t io_fault_in(struct io *io, bool write);
void  io_skip(struct io *io, usize n);                   /* advances without copying; n <= left */

/* Plain user memory for those below vm: fault in as needed, EFAULT. */
err_t user_get(mbytes dst, u64 addr);
err_t user_put(u64 addr, bytes src);
