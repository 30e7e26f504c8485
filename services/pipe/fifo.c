/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening FIFOs: fifo(7).  An inode points to its pipe while the FIFO is open, and does not
 * count it: the last end to close takes the pointer away.
 *
 * The pipes of pipe2 come here too, through /proc/PID/fd: a new end of the same pipe.  Their
 * opens never wait, and never fail for want of the other side.
 */
#include "services/pipe/pipe_impl.h"
#include "services/vfs/dentry.h"
#include "services/vfs/registry.h"

static bool has_a_name(const struct inode *inode) { return inode->sb != registry_anon(); }

/* A pipe opened again through /proc: it waits for nobody. */
static bool is_anonymous(const struct path *at) { return (LOAD(at->dentry->flags) & DENTRY_ANON) != 0; }

/* The inode's pipe, counted; made if it is closed. */
static struct pipe *pipe_of_locked(const struct actor *who, struct inode *inode)
{
        struct pipe *p = NULL;

        if (inode->pipe)
                return pipe_hold(inode->pipe);
        if (failed(pipe_make(who->payer, &p)))
                return NULL;
        inode->pipe = p;
        return p;
}

static err_t open_locked(const struct actor *who, const struct path *at, u32 flags, struct pipe_file **out)
{
        struct inode *inode = at->dentry->inode;
        bool was_open = inode->pipe != NULL;
        struct pipe *p = pipe_of_locked(who, inode);

        if (!p)
                return ERR(ENOMEM);
        err_t err = OK;
        if (has_a_name(inode) && (flags & O_ACCMODE) == O_WRONLY && (flags & O_NONBLOCK) != 0 && p->readers == 0)
                err = ERR(ENXIO);
        if (succeeded(err))
                err = pipe_file_new(who, p, at, flags, out);
        if (succeeded(err)) {
                (*out)->fifo = has_a_name(inode);
                if ((flags & O_ACCMODE) == O_WRONLY)
                        (*out)->other_seen = p->reader_opens;
                else
                        (*out)->other_seen = p->writers > 0 ? p->writer_opens - 1 : p->writer_opens;
                waitq_wake_all(&p->opened);
        } else if (!was_open) {
                inode->pipe = NULL;
        }
        pipe_drop(p);
        return err;
}

/* Sleeps until the other side has been opened, if only for a moment. */
static err_t wait_for_other(struct pipe_file *pf, bool for_writer)
{
        struct pipe *p = pf->pipe;

        GUARD(&p->lock);
        while ((for_writer ? p->writers : p->readers) == 0 && (for_writer ? p->writer_opens : p->reader_opens) == pf->other_seen)
                if (failed(waitq_sleep(&p->opened, &p->lock, WAIT_INTERRUPTIBLE, NEVER)))
                        return ERR(ERESTARTSYS);
        return OK;
}

static err_t fifo_open(const struct actor *who, const struct path *at, u32 flags, struct file **out)
{
        struct inode *inode = at->dentry->inode;
        struct pipe_file *pf = NULL;
        u32 acc = flags & O_ACCMODE;

        if (acc == O_ACCMODE)
                return ERR(EINVAL);
        write_lock(&inode->lock);
        err_t err = open_locked(who, at, flags & ~(u32)O_DIRECT, &pf);
        write_unlock(&inode->lock);
        TRY(err);
        if (has_a_name(inode) && acc != O_RDWR && (flags & O_NONBLOCK) == 0)
                err = wait_for_other(pf, acc == O_RDONLY);
        if (failed(err)) {
                pipe_file_drop(pf);
                return err;
        }
        *out = &pf->base;
        return OK;
}

const struct file_ops fifo_ops = { .open = fifo_open, .flags = FOPS_STREAM | FOPS_NOLOCK };
