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
/* Between pipes either's O_NONBLOCK counts for both, as on Linux. */
static bool may_both_wait(struct file *in, struct file *out, u32 flags) { return may_wait(in, flags) && may_wait(out, flags); }

static err_t wait_on(struct pipe *p, struct waitq *q, bool wait)
{
        if (!wait)
                return ERR(EAGAIN);
        return failed(waitq_sleep(q, &p->lock, WAIT_INTERRUPTIBLE, NEVER)) ? ERR(ERESTARTSYS) : OK;
}

/* ---- Out of a pipe ---- */

/* What writes from bad memory left goes. */
static void drop_hollow_locked(struct pipe *p)
{
        bool was_full = pipe_is_full(p);
        struct pipe_slot *s;

        while (!pipe_is_empty(p) && (s = pipe_slot_at(p, p->tail))->len == 0) {
                struct frame *f = s->frame;
                s->frame = NULL;
                STORE(p->tail, p->tail + 1);
                pipe_give_frame(p, f);
        }
        if (was_full && !pipe_is_full(p))
                waitq_wake_all(&p->writable);
}

/* Waits for a slot: without bytes (hollow) it counts, or else goes.  OK with an empty pipe: the end. */
static err_t await_slot(struct pipe *p, bool wait, bool hollow)
{
        for (;;) {
                if (!p->draining && !hollow)
                        drop_hollow_locked(p);
                if (!p->draining && (!pipe_is_empty(p) || p->writers == 0))
                        return OK;
                TRY(wait_on(p, &p->readable, wait));
        }
}

/* Takes a reference on the first slot's bytes, at most `most`, and begins to drain.  s->frame NULL: the end of the pipe. */
static err_t drain_begin(struct pipe *p, u64 most, bool wait, bool hollow, struct pipe_slot *s)
{
        GUARD(&p->lock);
        TRY(await_slot(p, wait, hollow));
        if (pipe_is_empty(p))
                return OK;
        *s = *pipe_slot_at(p, p->tail);
        s->len = (u16)min_u64(s->len, most);
        frame_hold(s->frame);
        p->draining = true;
        return OK;
}

/* `taken` bytes of it are gone; what is left of a packet is one. */
static void drain_end(struct pipe *p, struct pipe_slot *taken_from, u32 taken)
{
        struct frame *f = NULL;

        {
                GUARD(&p->lock);
                struct pipe_slot *s = pipe_slot_at(p, p->tail);
                bool was_full = pipe_is_full(p);
                s->off += (u16)taken;
                s->len -= (u16)taken;
                if (s->len == 0) {
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
                err = drain_begin(p, len - *done, may_wait(in, flags) && *done == 0, false, &s);
                if (failed(err) || !s.frame)
                        break;
                err = write_slot(out, pos, &s, &n);
                drain_end(p, &s, (u32)n);
                *done += n;
                if (n == 0)
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

/* The same by reading, at *pos or (NULL) where the file stands.  A socket is asked not to wait, if we may not. */
static err_t read_page(struct file *in, const u64 *pos, u64 most, bool wait, struct pipe_slot *s)
{
        struct frame *f = frame_alloc(payer_current(), FRAME_ZERO);
        usize n = 0;

        if (!f)
                return ERR(ENOMEM);
        err_t err = OK;
        {
                PIN(pin, f);
                struct io io = io_to_kernel(mbytes_take(pin_bytes(&pin), min_u64(most, PAGE_SIZE)));
                io.nowait = !wait && inode_type(in->inode) == S_IFSOCK;
                err = pos ? file_pread(in, &io, *pos, &n) : file_read(in, &io, &n);
        }
        if (failed(err) || n == 0) {
                frame_drop(f);
                return err;
        }
        *s = (struct pipe_slot){ .frame = f, .len = (u16)n };
        return OK;
}

static bool is_cached(struct file *in) { return in->ops->read == generic_read && !in->inode->mapping.ops->fill; }

static err_t next_page(struct file *in, u64 *pos, u64 most, bool wait, struct pipe_slot *s)
{
        if (!is_cached(in))
                return read_page(in, pos, most, wait, s);
        inode_touch_atime(in->inode);
        return page_of(in->inode, pos ? *pos : in->pos, most, s);
}

static err_t file_to_pipe(struct file *in, u64 *pos, struct file *out, u64 len, u32 flags, u64 *done)
{
        struct pipe *p = pipe_of(out);
        bool wait = may_wait(out, flags), cached = is_cached(in);
        err_t err = OK;

        while (succeeded(err) && *done < len) {
                struct pipe_slot s = {};
                err = room(p, wait && *done == 0);
                if (succeeded(err))
                        err = next_page(in, pos, len - *done, wait && *done == 0, &s);
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

/* Slots without bytes move, too, as on Linux.  While one drains, nothing is waited for: who took the room that there was may
 * be waiting for this very pipe. */
static err_t pipe_to_pipe(struct file *in, struct file *out, u64 len, u32 flags, u64 *done)
{
        struct pipe *from = pipe_of(in), *to = pipe_of(out);
        bool wait = may_both_wait(in, out, flags);
        err_t err = OK;

        while (succeeded(err) && *done < len) {
                struct pipe_slot s = {};
                err = room(to, wait && *done == 0);
                if (succeeded(err))
                        err = drain_begin(from, len - *done, wait && *done == 0, true, &s);
                if (failed(err) || !s.frame)
                        break;
                frame_hold(s.frame);
                err = push(to, s, false);
                drain_end(from, &s, succeeded(err) ? s.len : 0);
                if (succeeded(err))
                        *done += s.len;
                else if (err_is(err, EAGAIN) && wait)
                        err = OK;               /* room() waits */
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

struct slots {
        u32 n, next;                    /* next: number of the slot behind these */
        struct pipe_slot slot[BATCH];
};

/* The next slots of p, with counts of their own.  None: the end. */
static err_t look(struct pipe *p, bool first, bool wait, struct slots *s)
{
        GUARD(&p->lock);
        TRY(await_slot(p, first && wait, true));
        if (first || (i32)(s->next - p->tail) < 0)
                s->next = p->tail;
        for (s->n = 0; (i32)(p->head - s->next) > 0 && s->n < BATCH; s->next++) {
                s->slot[s->n] = *pipe_slot_at(p, s->next);
                frame_hold(s->slot[s->n++].frame);
        }
        return OK;
}

/* Copies as many slots as there is room for, those without bytes, too, as on Linux; the first may be waited for. */
static err_t copy_slots(struct pipe *from, struct pipe *to, u64 len, bool wait, u64 *done)
{
        struct slots s = {};
        err_t err = OK;
        u32 copied = 0;

        do {
                u32 at = 0;
                err = look(from, copied == 0, wait, &s);
                for (; at < s.n && *done < len && succeeded(err); at++) {
                        s.slot[at].len = (u16)min_u64(s.slot[at].len, len - *done);
                        err = push(to, s.slot[at], wait && copied == 0);
                        if (failed(err))
                                continue;
                        *done += s.slot[at].len;
                        copied++;
                }
                for (; at < s.n; at++)
                        frame_drop(s.slot[at].frame);
        } while (succeeded(err) && s.n == BATCH && *done < len);
        return copied > 0 ? OK : err;
}

err_t pipe_tee(struct file *in, struct file *out, u64 len, u32 flags, u64 *done)
{
        *done = 0;
        if ((flags & ~(u32)(SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)) != 0)
                return ERR(EINVAL);
        if (!file_may_read(in) || !file_may_write(out))
                return ERR(EBADF);
        if (!file_is_pipe(in) || !file_is_pipe(out) || pipe_of(in) == pipe_of(out))
                return ERR(EINVAL);
        return len == 0 ? OK : copy_slots(pipe_of(in), pipe_of(out), len, may_both_wait(in, out, flags), done);
}
