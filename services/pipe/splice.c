/* SPDX-License-Identifier: Apache-2.0
 *
 * splice(2) and tee(2): bytes from file to pipe, pipe to file and pipe to pipe.
 *
 * Frames move by reference from pipe to pipe, and from the pages of a file into a pipe; a slot whose frame is
 * somebody else's, too, is never written behind (pipe.c).  What leaves a pipe for another file is written from the frame itself.
 *
 * Locking    One pipe's lock at a time, and none while another file is read or written.  Who takes bytes out marks the
 *            pipe as being drained meanwhile: the first slot is his then, and readers wait as if it were empty.
 */
#include "services/pipe/pipe_impl.h"
#include "services/vfs/registry.h"
#include "abi/const/signal.h"

#define BATCH 16u                       /* slots that are looked at together by tee */

static struct pipe *pipe_of(struct file *f) { return DOWNCAST(pipe_file, f)->pipe; }

static bool may_wait(struct file *f, u32 flags) { return (flags & SPLICE_F_NONBLOCK) == 0 && !file_nonblock(f); }

static err_t wait_on(struct pipe *p, struct waitq *q, bool wait)
{
        if (!wait)
                return ERR(EAGAIN);
        return failed(waitq_sleep(q, &p->lock, WAIT_INTERRUPTIBLE, NEVER)) ? ERR(ERESTARTSYS) : OK;
}

/* ---- Out of a pipe ---- */

/* What writes from bad memory left goes. */
static bool is_empty_locked(struct pipe *p)
{
        bool was_full = pipe_is_full(p);
        struct pipe_slot *s;

        if (p->draining)
                return true;
        while (!pipe_is_empty(p) && (s = pipe_slot_at(p, p->tail))->len == 0) {
                struct frame *f = s->frame;
                s->frame = NULL;
                STORE(p->tail, p->tail + 1);
                pipe_give_frame(p, f);
        }
        if (was_full && !pipe_is_full(p))
                waitq_wake_all(&p->writable);
        return pipe_is_empty(p);
}

/* Takes a reference on the first slot's bytes, at most `most`, and begins to drain.  s->len 0: the end of the pipe. */
static err_t drain_begin(struct pipe *p, u64 most, bool wait, struct pipe_slot *s)
{
        GUARD(&p->lock);
        s->len = 0;
        while (is_empty_locked(p)) {
                if (!p->draining && p->writers == 0)
                        return OK;
                TRY(wait_on(p, &p->readable, wait));
        }
        *s = *pipe_slot_at(p, p->tail);
        s->len = (u16)min_u64(s->len, most);
        frame_hold(s->frame);
        p->draining = true;
        return OK;
}

/* `taken` bytes of it are gone. */
static void drain_end(struct pipe *p, struct pipe_slot *taken_from, u32 taken)
{
        struct frame *f = NULL;

        {
                GUARD(&p->lock);
                struct pipe_slot *s = pipe_slot_at(p, p->tail);
                bool was_full = pipe_is_full(p);
                s->off += (u16)taken;
                s->len -= (u16)taken;
                if (s->len == 0 || (s->packet != 0 && taken > 0)) {
                        f = s->frame;
                        s->frame = NULL;
                        STORE(p->tail, p->tail + 1);
                }
                p->draining = false;
                if (was_full && !pipe_is_full(p))
                        waitq_wake_all(&p->writable);
                waitq_wake_all(&p->readable);           /* who waited for the draining to end */
                if (taken > 0)
                        async_signal(&p->tell_writers, POLL_OUT);
        }
        frame_drop(f);
        frame_drop(taken_from->frame);
}

/* ---- Into a pipe ---- */

/* OK: there is room, *slots of it; the lock is held. */
static err_t room_locked(struct pipe *p, bool wait, u32 *slots)
{
        for (;;) {
                if (p->readers == 0) {
                        registry_raise(SIGPIPE);
                        return ERR(EPIPE);
                }
                if (!pipe_is_full(p)) {
                        *slots = p->size - (p->head - p->tail);
                        return OK;
                }
                TRY(wait_on(p, &p->writable, wait));
        }
}

/* Takes over the count on s->frame, also on an error. */
static err_t push(struct pipe *p, struct pipe_slot s, bool wait)
{
        u32 slots = 0;

        mutex_lock(&p->lock);
        err_t err = room_locked(p, wait, &slots);
        if (succeeded(err)) {
                bool was_empty = pipe_is_empty(p);
                *pipe_slot_at(p, p->head) = s;
                STORE(p->head, p->head + 1);
                if (was_empty || LOAD(p->polled))
                        waitq_wake_all(&p->readable);
                async_signal(&p->tell_readers, POLL_IN);
        }
        mutex_unlock(&p->lock);
        if (failed(err))
                frame_drop(s.frame);
        return err;
}

static err_t room(struct pipe *p, bool wait)
{
        u32 slots = 0;

        GUARD(&p->lock);
        return room_locked(p, wait, &slots);
}

/* ---- Pages of a program ---- */

err_t pipe_room(struct file *f, bool wait) { return room(pipe_of(f), wait); }

err_t pipe_lend(struct file *f, struct frame *page, u32 off, u32 len)
{
        return push(pipe_of(f), (struct pipe_slot){ .frame = page, .off = (u16)off, .len = (u16)len }, false);
}

/* ---- Pipe to file ---- */

static err_t write_slot(struct file *out, u64 *pos, struct pipe_slot *s, usize *n)
{
        PIN(pin, s->frame);
        struct io io = io_from_kernel(bytes_const(mbytes_sub(pin_bytes(&pin), s->off, s->len)));

        if (!pos)
                return file_write(out, &io, n);
        err_t err = file_pwrite(out, &io, *pos, n);
        *pos += *n;
        return err;
}

static err_t pipe_to_file(struct file *in, struct file *out, u64 *pos, u64 len, u32 flags, u64 *done)
{
        struct pipe *p = pipe_of(in);
        err_t err = OK;

        while (succeeded(err) && *done < len) {
                struct pipe_slot s = {};
                usize n = 0;
                err = drain_begin(p, len - *done, may_wait(in, flags) && *done == 0, &s);
                if (failed(err) || s.len == 0)
                        break;
                err = write_slot(out, pos, &s, &n);
                drain_end(p, &s, (u32)n);
                *done += n;
                if (n < s.len)
                        break;
        }
        return *done > 0 ? OK : err;
}

/* ---- File to pipe ---- */

/* A page of the file with the bytes from pos on; s->len 0: the end. */
static err_t page_of(struct inode *inode, u64 pos, u64 most, struct pipe_slot *s)
{
        u64 size = LOAD(inode->size), off = pos & PAGE_MASK;

        if (pos >= size)
                return OK;
        most = min_u64(most, size - pos);
        s->off = (u16)off;
        s->len = (u16)min_u64(most, PAGE_SIZE - off);
        s->frame = mapping_find(&inode->mapping, pos >> PAGE_SHIFT);
        if (!s->frame)                          /* a hole */
                s->frame = frame_alloc(payer_current(), FRAME_ZERO);
        return s->frame ? OK : ERR(ENOMEM);
}

/* The same by reading, at *pos or (NULL) where the file stands. */
static err_t read_page(struct file *in, const u64 *pos, u64 most, struct pipe_slot *s)
{
        struct frame *f = frame_alloc(payer_current(), FRAME_ZERO);
        usize n = 0;

        if (!f)
                return ERR(ENOMEM);
        err_t err = OK;
        {
                PIN(pin, f);
                struct io io = io_to_kernel(mbytes_take(pin_bytes(&pin), min_u64(most, PAGE_SIZE)));
                err = pos ? file_pread(in, &io, *pos, &n) : file_read(in, &io, &n);
        }
        if (failed(err) || n == 0) {
                frame_drop(f);
                return err;
        }
        *s = (struct pipe_slot){ .frame = f, .len = (u16)n };
        return OK;
}

static err_t next_page(struct file *in, u64 *pos, u64 most, struct pipe_slot *s)
{
        bool cached = in->ops->read == generic_read && !in->inode->mapping.ops->fill;

        if (!cached)
                return read_page(in, pos, most, s);
        inode_touch_atime(in->inode);
        return page_of(in->inode, pos ? *pos : in->pos, most, s);
}

static err_t file_to_pipe(struct file *in, u64 *pos, struct file *out, u64 len, u32 flags, u64 *done)
{
        struct pipe *p = pipe_of(out);
        bool wait = may_wait(out, flags), cached = in->ops->read == generic_read && !in->inode->mapping.ops->fill;
        err_t err = OK;

        while (succeeded(err) && *done < len) {
                struct pipe_slot s = {};
                err = room(p, wait && *done == 0);
                if (succeeded(err))
                        err = next_page(in, pos, len - *done, &s);
                if (failed(err) || s.len == 0)
                        break;
                /* What was read from a stream is not to be lost: it waits, if others took the room. */
                err = push(p, s, wait || !cached);
                if (failed(err))
                        break;
                *done += s.len;
                if (pos)
                        *pos += s.len;
                else if (cached)
                        in->pos += s.len;
                if (s.len < PAGE_SIZE && !cached)
                        break;
        }
        return *done > 0 ? OK : err;
}

/* ---- Pipe to pipe ---- */

static err_t pipe_to_pipe(struct file *in, struct file *out, u64 len, u32 flags, u64 *done)
{
        struct pipe *from = pipe_of(in), *to = pipe_of(out);
        err_t err = OK;

        while (succeeded(err) && *done < len) {
                struct pipe_slot s = {};
                err = room(to, may_wait(out, flags) && *done == 0);
                if (succeeded(err))
                        err = drain_begin(from, len - *done, may_wait(in, flags) && *done == 0, &s);
                if (failed(err) || s.len == 0)
                        break;
                frame_hold(s.frame);
                err = push(to, s, may_wait(out, flags));
                drain_end(from, &s, succeeded(err) ? s.len : 0);
                if (succeeded(err))
                        *done += s.len;
        }
        return *done > 0 ? OK : err;
}

/* ---- The calls ---- */

static err_t check_offset(struct file *f, const u64 *pos)
{
        if (!pos)
                return OK;
        if ((f->ops->flags & FOPS_STREAM) != 0)
                return ERR(EINVAL);
        return (i64)*pos < 0 ? ERR(EINVAL) : OK;
}

err_t pipe_splice(struct file *in, u64 *in_pos, struct file *out, u64 *out_pos, u64 len, u32 flags, u64 *done)
{
        *done = 0;
        if ((flags & ~(u32)(SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)) != 0)
                return ERR(EINVAL);
        bool from = file_is_pipe(in), to = file_is_pipe(out);
        if ((from && in_pos) || (to && out_pos))
                return ERR(ESPIPE);
        if (!file_may_read(in) || !file_may_write(out))
                return ERR(EBADF);
        TRY(check_offset(in, in_pos));
        TRY(check_offset(out, out_pos));
        len = min_u64(len, IO_MAX_BYTES);
        if (from && to)
                return pipe_of(in) == pipe_of(out) ? ERR(EINVAL) : pipe_to_pipe(in, out, len, flags, done);
        if (from) {
                if ((LOAD(out->flags) & O_APPEND) != 0 || !out->ops->write || (out->ops->flags & FOPS_NO_SPLICE_OUT))
                        return ERR(EINVAL);
                return pipe_to_file(in, out, out_pos, len, flags, done);
        }
        if (!to)
                return ERR(EINVAL);
        /* As Linux 6.1: files, sockets and terminals can, memory devices and event files cannot. */
        if (!in->ops->read || inode_type(in->inode) == 0 || (in->ops->flags & FOPS_NO_SPLICE_IN))
                return ERR(EINVAL);
        return file_to_pipe(in, in_pos, out, len, flags, done);
}

struct slots { u32 n; struct pipe_slot slot[BATCH]; };

/* The first slots of p, with counts of their own.  None: the end. */
static err_t look(struct pipe *p, bool wait, struct slots *out)
{
        GUARD(&p->lock);
        while (is_empty_locked(p)) {
                if (!p->draining && p->writers == 0)
                        return OK;
                TRY(wait_on(p, &p->readable, wait));
        }
        for (u32 i = p->tail; i != p->head && out->n < BATCH; i++) {
                struct pipe_slot s = *pipe_slot_at(p, i);
                if (s.len == 0)
                        continue;
                frame_hold(s.frame);
                out->slot[out->n++] = s;
        }
        return OK;
}

err_t pipe_tee(struct file *in, struct file *out, u64 len, u32 flags, u64 *done)
{
        struct slots s = {};
        u32 at = 0;

        *done = 0;
        if ((flags & ~(u32)(SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)) != 0)
                return ERR(EINVAL);
        if (!file_may_read(in) || !file_may_write(out))
                return ERR(EBADF);
        if (!file_is_pipe(in) || !file_is_pipe(out) || pipe_of(in) == pipe_of(out))
                return ERR(EINVAL);
        if (len == 0)
                return OK;
        TRY(look(pipe_of(in), may_wait(in, flags), &s));
        err_t err = OK;
        for (; at < s.n && *done < len && succeeded(err); at++) {
                s.slot[at].len = (u16)min_u64(s.slot[at].len, len - *done);
                err = push(pipe_of(out), s.slot[at], may_wait(out, flags) && *done == 0);
                if (succeeded(err))
                        *done += s.slot[at].len;
        }
        for (; at < s.n; at++)
                frame_drop(s.slot[at].frame);
        return *done > 0 ? OK : err;
}
