/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading from and writing to pipes: pipe(7).
 *
 * Entry points  pipe_new, F_SETPIPE_SZ and F_GETPIPE_SZ; the rest through file_ops.
 * Locking       pipe.lock (mutex) for one read or write; it is held while user memory is copied,
 *               and let go of while waiting.
 * Invariants    P1  a write of at most PIPE_BUF bytes goes into one slot, whole.
 *               P2  readers are woken when bytes come into an empty pipe, writers when a slot
 *                   of a full one becomes free, both when the other side's last end closes.
 *               P3  a slot's bytes count whole or not at all where user memory is bad.
 */
#include "services/pipe/pipe_impl.h"
#include "services/vfs/anon.h"
#include "services/vfs/chrdev.h"
#include "services/vfs/dentry.h"
#include "services/vfs/mount.h"
#include "services/vfs/registry.h"
#include "abi/const/signal.h"
#include "abi/const/tty.h"

static struct pipe_file *of(struct file *f) { return DOWNCAST(pipe_file, f); }

/* ---- Reading ---- */

/* Bad memory in the middle of a slot's bytes, `got` of which are copied: none of them count (P3). */
static err_t missed(struct io *io, usize got)
{
        io->done -= got;
        return ERR(EFAULT);
}

/* The first slot's bytes into io, all that are wanted or (P3) none: EFAULT.  cut: the rest goes. */
static err_t read_slot(struct pipe *p, struct io *io, bool cut)
{
        struct pipe_slot *s = pipe_slot_at(p, p->tail);
        usize want = min_u64(s->len, io_left(io));
        usize got = io_from_frame(io, s->frame, s->off, want);

        if (got < want)
                return missed(io, got);
        s->off += (u16)got;
        s->len -= (u16)got;
        if (s->len == 0 || cut) {
                struct frame *f = s->frame;
                s->frame = NULL;
                STORE(p->tail, p->tail + 1);
                pipe_give_frame(p, f);
        }
        return OK;
}

static err_t wait_for(struct pipe *p, struct waitq *q)
{
        return failed(waitq_sleep(q, &p->lock, WAIT_INTERRUPTIBLE, NEVER)) ? ERR(ERESTARTSYS) : OK;
}

/* packets: one at a time, and whole or cut. */
static err_t read_locked(struct pipe *p, struct io *io, bool nonblock, bool packets)
{
        while (io_left(io) > 0) {
                if (pipe_is_empty(p) || p->draining) {
                        if (io_done(io) > 0 || (p->writers == 0 && !p->draining))
                                return OK;
                        if (nonblock || io->nowait)
                                return ERR(EAGAIN);
                        TRY(wait_for(p, &p->readable));
                        continue;
                }
                bool was_full = pipe_is_full(p), packet = packets && pipe_slot_at(p, p->tail)->packet != 0;
                TRY(read_slot(p, io, packet));
                if (was_full && !pipe_is_full(p))
                        waitq_wake_one(&p->writable);   /* P2; one: of EPOLLEXCLUSIVE watchers */
                if (packet)
                        return OK;
        }
        return OK;
}

static err_t take(struct file *f, struct io *io, bool wait, bool packets)
{
        struct pipe *p = of(f)->pipe;

        GUARD(&p->lock);
        err_t err = read_locked(p, io, !wait, packets);
        if (io_done(io) > 0)
                async_signal(&p->tell_writers, POLL_OUT);
        return err;
}

err_t pipe_take(struct file *f, struct io *io, bool wait) { return take(f, io, wait, false); }

static err_t pipe_read(struct file *f, struct io *io, u64 *pos)
{
        (void)pos;
        return io_left(io) == 0 ? OK : take(f, io, !file_nonblock(f), true);
}

/* ---- Writing ---- */

/* Behind the last slot's bytes, if they fit there (P1) or the write is long. */
static err_t write_behind(struct pipe *p, struct io *io)
{
        struct pipe_slot *s = pipe_slot_at(p, p->head - 1);
        usize at = (usize)s->off + s->len, room = PAGE_SIZE - at;
        usize want = io_left(io) & PAGE_MASK;

        if (want == 0 || want > room || s->packet != 0 || frame_refs(s->frame) != 1)
                return OK;
        usize got = io_to_frame(io, s->frame, at, want);
        if (got < want)
                return missed(io, got);
        s->len += (u16)want;
        return OK;
}

/* A slot for which the memory is bad stays in the pipe, without bytes, as on Linux: readers pass over it, poll sees it, and
 * the next write may go into it. */
static err_t write_slot(struct pipe *p, struct io *io, bool packet)
{
        struct frame *f = pipe_take_frame(p);
        usize want = min_u64(PAGE_SIZE, io_left(io));

        if (!f)
                return ERR(ENOMEM);
        usize got = io_to_frame(io, f, 0, want);
        *pipe_slot_at(p, p->head) = (struct pipe_slot){ .frame = f, .len = got == want ? (u16)want : 0, .packet = packet };
        STORE(p->head, p->head + 1);
        return got == want ? OK : missed(io, got);
}

static err_t write_locked(struct pipe *p, struct io *io, bool nonblock, bool packet)
{
        bool was_empty = pipe_is_empty(p);
        err_t err = OK;

        if (p->readers > 0 && !was_empty && !packet)
                err = write_behind(p, io);
        while (succeeded(err) && io_left(io) > 0) {
                if (p->readers == 0) {
                        registry_raise(SIGPIPE);
                        err = ERR(EPIPE);
                } else if (!pipe_is_full(p)) {
                        err = write_slot(p, io, packet);
                } else if (nonblock || io->nowait) {
                        err = ERR(EAGAIN);
                } else {
                        if (was_empty)
                                waitq_wake_one(&p->readable);
                        err = wait_for(p, &p->writable);
                        was_empty = pipe_is_empty(p);
                }
        }
        if ((was_empty || (LOAD(p->polled) && io_done(io) > 0)) && !pipe_is_empty(p))
                waitq_wake_one(&p->readable);           /* P2 */
        return err;
}

static err_t pipe_write(struct file *f, struct io *io, u64 *pos)
{
        struct pipe *p = of(f)->pipe;

        (void)pos;
        if (io_left(io) == 0)
                return OK;
        GUARD(&p->lock);
        err_t err = write_locked(p, io, file_nonblock(f), (LOAD_RELAXED(f->flags) & O_DIRECT) != 0);
        if (io_done(io) > 0)
                async_signal(&p->tell_readers, POLL_IN);
        return err;
}

/* ---- The rest ---- */

static noinline void await_ends(struct file *f, struct waiter *w)
{
        struct pipe *p = of(f)->pipe;

        if (f->mode & FILE_READ) {
                if (!LOAD(p->polled))
                        STORE(p->polled, true);
                waiter_add(w, &p->readable);
        }
        if (f->mode & FILE_WRITE)
                waiter_add(w, &p->writable);
}

static u32 pipe_poll(struct file *f, struct waiter *w)
{
        if (w)
                await_ends(f, w);
        struct pipe_file *pf = of(f);
        struct pipe *p = pf->pipe;
        u32 mask = 0;

        if (f->mode & FILE_READ) {
                if (!pipe_is_empty(p))
                        mask |= EPOLLIN | EPOLLRDNORM;
                /* A FIFO nobody has written to yet has not hung up. */
                if (LOAD(p->writers) == 0 && (!pf->fifo || LOAD(p->writer_opens) != pf->other_seen))
                        mask |= EPOLLHUP;
        }
        if (f->mode & FILE_WRITE) {
                if (!pipe_is_full(p))
                        mask |= EPOLLOUT | EPOLLWRNORM;
                if (LOAD(p->readers) == 0)
                        mask |= EPOLLERR;
        }
        return mask;
}

static err_t pipe_ioctl(struct file *f, u32 cmd, u64 arg, u64 *result)
{
        struct pipe *p = of(f)->pipe;
        u32 n = 0;

        *result = 0;
        if (cmd != FIONREAD)
                return ERR(ENOTTY);
        mutex_lock(&p->lock);
        for (u32 i = p->tail; i != p->head; i++)
                n += pipe_slot_at(p, i)->len;
        mutex_unlock(&p->lock);
        return user_put(arg, BYTES_OF(n));
}

static struct async_list *pipe_async(struct file *f, u32 side)
{
        struct pipe *p = of(f)->pipe;

        if (side == 0)
                return f->mode & FILE_READ ? &p->tell_readers : NULL;
        return f->mode & FILE_WRITE ? &p->tell_writers : NULL;
}

const struct file_ops pipe_ops = {
        .read = pipe_read, .write = pipe_write, .poll = pipe_poll, .ioctl = pipe_ioctl, .async = pipe_async,
        .flags = FOPS_STREAM | FOPS_NOLOCK,
};

/* ---- Ends ---- */

static void close_end(struct pipe_file *pf)
{
        struct pipe *p = pf->pipe;

        GUARD(&p->lock);
        if (pf->base.mode & FILE_READ)
                STORE(p->readers, p->readers - 1);
        if (pf->base.mode & FILE_WRITE)
                STORE(p->writers, p->writers - 1);
        if (p->readers > 0 || p->writers > 0) {
                async_signal(&p->tell_readers, POLL_IN);
                async_signal(&p->tell_writers, POLL_OUT);
        }
        if (p->readers == 0)
                waitq_wake_all(&p->writable);
        if (p->writers == 0)
                waitq_wake_all(&p->readable);
        if (p->readers == 0 && p->writers == 0)
                pipe_clear_locked(p);
}

static void pipe_file_fini(struct pipe_file *pf)
{
        struct inode *inode = pf->base.inode;

        if (!pf->pipe) {
                file_fini(&pf->base);
                return;
        }
        async_end(&pf->base);
        write_lock(&inode->lock);
        close_end(pf);
        /* The next open of a FIFO begins with a new pipe. */
        if (pf->pipe->readers == 0 && pf->pipe->writers == 0 && inode->pipe == pf->pipe)
                inode->pipe = NULL;
        write_unlock(&inode->lock);
        pipe_drop(pf->pipe);
        file_fini(&pf->base);
}
POOL_DEFINE(pipe_file, pipe_file_fini);

err_t pipe_file_new(const struct actor *who, struct pipe *p, const struct path *at, u32 flags, struct pipe_file **out)
{
        struct pipe_file *pf = pipe_file_alloc(who->payer, MAY_RECLAIM);

        if (!pf)
                return ERR(ENOMEM);
        file_init(&pf->base, &pipe_ops, at, who->cred, flags);
        pf->pipe = pipe_hold(p);
        mutex_lock(&p->lock);
        if (pf->base.mode & FILE_READ) {
                STORE(p->readers, p->readers + 1);
                p->reader_opens++;
        }
        if (pf->base.mode & FILE_WRITE) {
                STORE(p->writers, p->writers + 1);
                STORE(p->writer_opens, p->writer_opens + 1);
        }
        mutex_unlock(&p->lock);
        pipe_file_publish(pf);
        *out = pf;
        return OK;
}

static err_t new_ends(const struct actor *who, struct pipe *p, const struct path *at, u32 flags, struct file **reader, struct file **writer)
{
        struct pipe_file *r = NULL, *w = NULL;

        TRY(pipe_file_new(who, p, at, O_RDONLY | (flags & O_NONBLOCK), &r));
        err_t err = pipe_file_new(who, p, at, O_WRONLY | (flags & (O_NONBLOCK | O_DIRECT)), &w);
        if (failed(err)) {
                pipe_file_drop(r);
                return err;
        }
        *reader = &r->base;
        *writer = &w->base;
        return OK;
}

err_t pipe_new(const struct actor *who, u32 flags, struct file **reader, struct file **writer)
{
        struct superblock *sb = registry_anon();
        struct inode *inode = NULL;
        u8 name[32];

        if ((flags & ~(u32)(O_CLOEXEC | O_NONBLOCK | O_DIRECT)) != 0)
                return ERR(EINVAL);
        struct pipe *p = NULL;
        TRY(pipe_make(who->payer, &p));
        err_t err = anon_inode_new(sb, S_IFIFO | 0600, &pipe_ops, who->cred, &inode);
        if (succeeded(err)) {
                usize n = format(MBYTES_OF(name), "pipe:[{}]", inode->ino);
                inode->pipe = p;        /* for those who open it again, through /proc */
                struct dentry *d = dentry_new_anon(sb, bytes_take(BYTES_OF(name), n), inode);
                struct path at = { registry_anon_mount(), d };
                err = d ? new_ends(who, p, &at, flags, reader, writer) : ERR(ENOMEM);
                dentry_drop(d);
        }
        pipe_drop(p);
        return err;
}

/* The file-scope state (reviewed list): fs.pipe-max-size and pipe-user-pages-*. */
STABLE(pipe_limits) {
        u32 max_size;                   /* bytes, as all: ATOMIC */
        u64 soft, hard;                 /* pages of a user; 0: any number */
};
static struct pipe_limits limits = { .max_size = PIPE_PART * (u32)PAGE_SIZE, .soft = 16384 };

u32  pipe_max_size(void) { return LOAD(limits.max_size); }
u64  pipe_user_pages(bool hard) { return hard ? LOAD(limits.hard) : LOAD(limits.soft); }
void pipe_set_user_pages(bool hard, u64 pages)
{
        if (hard)
                STORE(limits.hard, pages);
        else
                STORE(limits.soft, pages);
}

static u32 slots_for(u64 size)
{
        u32 slots = 1;

        while (slots <= PIPE_ASK_MAX && (u64)slots * PAGE_SIZE < size)
                slots *= 2;
        return slots;
}

err_t pipe_set_max_size(u64 bytes)
{
        u32 slots = slots_for(bytes);

        if (slots > PIPE_ASK_MAX)
                return ERR(EINVAL);
        STORE(limits.max_size, slots * (u32)PAGE_SIZE);
        return OK;
}

bool file_is_pipe(struct file *f) { return IS_A(pipe_file, f); }

err_t pipe_get_size(struct file *f, u32 *bytes_out)
{
        if (!file_is_pipe(f))
                return ERR(EBADF);
        *bytes_out = LOAD(of(f)->pipe->size) * (u32)PAGE_SIZE;
        return OK;
}

err_t pipe_set_size(const struct actor *who, struct file *f, u64 size, u32 *bytes_out)
{
        u32 slots = slots_for(size);

        if (!file_is_pipe(f))
                return ERR(EBADF);
        if (size > 1ul << 31)
                return ERR(EINVAL);
        struct pipe *p = of(f)->pipe;
        GUARD(&p->lock);
        if (slots > p->size && slots * (u32)PAGE_SIZE > pipe_max_size() && !capable(CAP_SYS_RESOURCE))
                return ERR(EPERM);
        if (slots != p->size) {
                bool was_full = pipe_is_full(p);
                TRY(pipe_resize_locked(p, who->payer, slots));
                if (was_full && !pipe_is_full(p))
                        waitq_wake_all(&p->writable);
        }
        *bytes_out = slots * (u32)PAGE_SIZE;
        return OK;
}

void pipe_init(void) { fifo_register(&fifo_ops); }
