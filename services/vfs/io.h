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
        u64   addr;                     /* IO_USER, IO_VEC: the current range */
        usize range;                    /* bytes left in it */
        usize left;                     /* bytes left in all */
        usize done;                     /* bytes transferred */
        usize next;                     /* IO_VEC: offset of the next entry in vec */
        bytes vec;                      /* IO_VEC: struct linux_iovec, checked by io_vec */
        mbytes to;                      /* IO_TO_KERNEL: what is left */
        bytes from;                     /* IO_FROM_KERNEL: what is left */
};

#define IO_MAX_BYTES 0x7ffff000ul       /* what one call transfers at most */
#define IO_MAX_VECS  1024u

/* Lengths above IO_MAX_BYTES are cut.  A range that is not user space fails at use: EFAULT. */
struct io io_user(u64 addr, usize len);
struct io io_to_kernel(mbytes to);
struct io io_from_kernel(bytes from);
/* vec: `struct linux_iovec`s already copied from user space.  First check them: EINVAL: a negative length. */
err_t io_vec_check(bytes vec, usize *total);
struct io io_vec(bytes vec, usize total);

static inline usize io_left(const struct io *io) { return io->left; }
static inline usize io_done(const struct io *io) { return io->done; }
void  io_truncate(struct io *io, usize left);            /* lets at most this many more through */
static inline bool io_is_kernel(const struct io *io) { return io->kind >= IO_TO_KERNEL; }

/* All return how many bytes were done: min(what is asked, io_left), less only where user
 * memory is bad (EFAULT) or, for _now, not present. */
usize io_copy_out(struct io *io, bytes src);             /* src → io */
usize io_copy_in(struct io *io, mbytes dst);             /* io → dst */
usize io_zero(struct io *io, usize len);                 /* zeros → io */
usize io_from_frame(struct io *io, struct frame *f, usize off, usize len);      /* frame → io; [off, off+len) inside f, or traps */
usize io_to_frame(struct io *io, struct frame *f, usize off, usize len);        /* io → frame */
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
