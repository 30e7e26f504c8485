/* SPDX-License-Identifier: Apache-2.0
 *
 * Pipes and FIFOs: a ring of frames between readers and writers.
 *
 * Lifetime   A pipe lives as long as its files (and, for a FIFO, as long as it is open).
 * Locking    pipe.lock (mutex, class pipe); after file_pos; before mmap_lock.
 */
#pragma once
#include "services/vfs/file.h"

void  pipe_init(void);                  /* at boot: FIFOs, pipefs */
/* pipe2(2): flags O_CLOEXEC (ignored here), O_NONBLOCK, O_DIRECT.  Both counted.  EINVAL, ENFILE, ENOMEM. */
err_t pipe_new(const struct actor *who, u32 flags, struct file **reader, struct file **writer);
bool  file_is_pipe(struct file *f);
/* fs.pipe-max-size, of the machine: what F_SETPIPE_SZ may ask for without CAP_SYS_RESOURCE; bytes, a power of two. */
u32   pipe_max_size(void);
/* fs.pipe-user-pages-soft, -hard: pages that a user's pipes may hold together, 0: any number; not of who has CAP_SYS_RESOURCE
 * or CAP_SYS_ADMIN.  Above the soft one new pipes are small; above the hard one there are none. */
u64   pipe_user_pages(bool hard);
void  pipe_set_user_pages(bool hard, u64 pages);
err_t pipe_set_max_size(u64 bytes);                      /* rounded up; EINVAL: more than there can be */
err_t pipe_get_size(struct file *f, u32 *bytes_out);     /* F_GETPIPE_SZ; EBADF: not a pipe */
err_t pipe_set_size(const struct actor *who, struct file *f, u64 size, u32 *bytes_out);  /* F_SETPIPE_SZ; EBUSY, EPERM, ENOMEM */

/* splice(2): offsets NULL: where the files stand.  tee(2).  *done: bytes; with an error none.  EBADF, EINVAL, ESPIPE, EAGAIN,
 * EPIPE, ENOMEM, ERESTARTSYS, and what the other file says. */
err_t pipe_splice(struct file *in, u64 *in_pos, struct file *out, u64 *out_pos, u64 len, u32 flags, u64 *done);
err_t pipe_tee(struct file *in, struct file *out, u64 len, u32 flags, u64 *done);

/* vmsplice(2) into a pipe that is open for writing.  room: is there a free slot?  EAGAIN, EPIPE (and SIGPIPE), ERESTARTSYS.
 * lend: bytes [off, off + len) of the page become a slot; takes over the count on it, also on an error, which is as above.  What is
 * written to the page before it is read shows. */
err_t pipe_room(struct file *f, bool wait);
err_t pipe_take(struct file *f, struct io *io, bool wait);       /* out of one that is open for reading, as read(2), but packets are bytes like others */
err_t pipe_lend(struct file *f, struct frame *page, u32 off, u32 len);
