/* SPDX-License-Identifier: Apache-2.0
 *
 * Pseudo-terminals, as pty(7), pts(4) and ioctl_tty(2) describe them.
 *
 * A pty is the port of a terminal, the slave; what the slave sends goes into a ring that the master
 * reads, and what the master writes is typed into the slave.
 *
 * Entry points  ptmx_ops (opening makes a pair and the master's file), pty_slave_ops
 * Lifetime      The master's file and the slave's files count the slave's tty, and it the pty; its
 *               index is free again when both are closed.  The node in devpts goes with the master.
 * Locking       Everything shared is guarded by the slave's tty.lock; its port operations hold it
 *               already.  Nobody is woken under it: settled() comes after.  write_mutex before it.
 * Invariants    Y1  head - tail <= PTY_SIZE
 *               Y2  status is 0 unless packet mode is on
 */
#include "services/tty/pty.h"
#include "services/signal/signal.h"
#include "services/vfs/chrdev.h"
#include "services/vfs/dentry.h"
#include "services/vfs/files.h"
#include "services/vfs/mount.h"
#include "services/vfs/vfs.h"
#include "services/vm/vm.h"
#include "abi/const/event.h"
#include "abi/const/process.h"
#include "abi/const/signal.h"
#include "abi/const/tty.h"

LOCK_CLASS_DECLARE(tty_io);

static void pty_fini(struct pty *p)
{
        superblock_drop(p->instance);
        dentry_drop(p->node);
}
POOL_DEFINE(pty, pty_fini);

OBJECT(master) {
        struct file base;
        struct tty *tty;                /* the slave, counted; fixed */
        struct pty *pty;                /* its port; fixed */
};
POOL_DECLARE(master)
DOWNCASTABLE(master, file);

static struct master *master_of(struct file *f) { return DOWNCAST(master, f); }

/* ---- the slave's port ---- */

/* Takes status bits away and adds others, if the master wants to know; keeps Y2. */
static void note(struct pty *p, u32 remove, u32 add)
{
        if (p->packet)
                p->status = (u8)((p->status & ~remove) | add);
}

static usize port_write(struct tty_port *port, bytes text)
{
        struct pty *p = DOWNCAST(pty, port);
        usize n = min_u64(bytes_len(text), PTY_SIZE - (p->head - p->tail));

        for (usize i = 0; i < n; i++)
                p->ring[p->head++ % PTY_SIZE] = bytes_at(text, i);
        return n;
}

static u32 port_room(struct tty_port *port)
{
        struct pty *p = DOWNCAST(pty, port);
        return PTY_SIZE - (p->head - p->tail);
}

/* What is in the ring has arrived: tcdrain(3) does not wait for a reader. */
static u32 port_queued(struct tty_port *port)
{
        (void)port;
        return 0;
}

static void port_stop(struct tty_port *port, bool stop)
{
        struct pty *p = DOWNCAST(pty, port);

        if (p->stopped == stop)
                return;
        p->stopped = stop;
        note(p, TIOCPKT_STOP | TIOCPKT_START, stop ? TIOCPKT_STOP : TIOCPKT_START);
}

/* As on Linux, what has arrived at the master stays: the first PTY_ARRIVED bytes. */
static void port_flush(struct tty_port *port)
{
        struct pty *p = DOWNCAST(pty, port);
        p->head = p->tail + (u32)min_u64(p->head - p->tail, PTY_ARRIVED);
        note(p, 0, TIOCPKT_FLUSHWRITE);
}

static void port_flushed(struct tty_port *port) { note(DOWNCAST(pty, port), 0, TIOCPKT_FLUSHREAD); }

static err_t port_opened(struct tty_port *port)
{
        struct pty *p = DOWNCAST(pty, port);

        if (p->locked || !p->master_open)
                return ERR(EIO);
        p->slave_closed = false;
        return OK;
}

static void port_closed(struct tty_port *port)
{
        struct pty *p = DOWNCAST(pty, port);

        p->slave_closed = true;
        if (!p->master_open)
                devpts_free_index(p);
}

static bool has_usual_flow(const struct linux_termios *t)
{
        return (t->c_iflag & IXON) && t->c_cc[VSTOP] == 19 && t->c_cc[VSTART] == 17;
}

static void port_set(struct tty_port *port, struct linux_termios old, struct linux_termios new)
{
        struct pty *p = DOWNCAST(pty, port);
        bool was = has_usual_flow(&old), is = has_usual_flow(&new);

        if (was != is)
                note(p, TIOCPKT_DOSTOP | TIOCPKT_NOSTOP, is ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP);
        if ((old.c_lflag | new.c_lflag) & EXTPROC)
                note(p, 0, TIOCPKT_IOCTL);
}

static void port_settled(struct tty_port *port) { waitq_wake_all(&DOWNCAST(pty, port)->changed); }

static const struct tty_port_ops port_ops = {
        .write = port_write, .room = port_room, .queued = port_queued, .stop = port_stop, .flush = port_flush,
        .opened = port_opened, .closed = port_closed, .flushed = port_flushed, .set = port_set,
        .settled = port_settled, .outlives_leader = true,
};

/* ---- the master's reading and writing ---- */

/* What one read may have at once: a status byte alone, or bytes (in packet mode behind a zero). */
struct taken { usize n; bool whole, closed; };

static struct taken take(struct master *m, mbytes out, bool first)
{
        struct pty *p = m->pty;
        struct taken t = {};
        SPIN_GUARD(&m->tty->lock);

        if (first && p->status) {
                mbytes_put(out, 0, p->status);
                p->status = 0;
                return (struct taken){ .n = 1, .whole = true };
        }
        t.closed = p->slave_closed;
        if (p->head == p->tail)
                return t;
        if (first && p->packet)
                mbytes_put(out, t.n++, TIOCPKT_DATA);
        while (t.n < mbytes_len(out) && p->head != p->tail)
                mbytes_put(out, t.n++, p->ring[p->tail++ % PTY_SIZE]);
        t.whole = p->head == p->tail;
        return t;
}

static err_t sleep(struct waiter *w)
{
        err_t err = waiter_sleep(w, WAIT_INTERRUPTIBLE, NEVER);
        return err_is(err, EINTR) ? ERR(ERESTARTSYS) : err;
}

static err_t read_master(struct file *f, struct io *io, u64 *pos)
{
        struct master *m = master_of(f);
        WAITER(w);

        (void)pos;
        waiter_add(&w, &m->pty->changed);
        while (io_left(io)) {
                u8 chunk[512] = {};
                struct taken t = take(m, mbytes_take(MBYTES_OF(chunk), min_u64(sizeof chunk, io_left(io))), io_done(io) == 0);
                if (t.n) {
                        tty_written(m->tty);
                        if (io_copy_out(io, bytes_take(BYTES_OF(chunk), t.n)) < t.n)
                                return ERR(EFAULT);
                        if (t.whole)
                                return OK;
                        continue;
                }
                if (io_done(io))
                        return OK;
                if (t.closed)
                        return ERR(EIO);
                if (file_nonblock(f))
                        return ERR(EAGAIN);
                TRY(sleep(&w));
        }
        return OK;
}

static usize type(struct master *m, bytes text)
{
        {
                SPIN_GUARD(&m->tty->lock);
                if (m->pty->typing_stopped)
                        return 0;
        }
        return tty_type(m->tty, text);
}

static err_t write_locked(struct master *m, struct file *f, struct io *io)
{
        WAITER(w);

        waiter_add(&w, &m->pty->changed);
        while (io_left(io)) {
                u8 chunk[256] = {};
                struct io before = *io;
                usize n = io_copy_in(io, mbytes_take(MBYTES_OF(chunk), min_u64(sizeof chunk, io_left(io))));
                if (!n)
                        return ERR(EFAULT);
                usize used = type(m, bytes_take(BYTES_OF(chunk), n));
                if (used < n) {
                        *io = before;
                        io_skip(io, used);
                }
                if (used)
                        continue;
                if (file_nonblock(f))
                        return ERR(EAGAIN);
                TRY(sleep(&w));
        }
        return OK;
}

static err_t write_master(struct file *f, struct io *io, u64 *pos)
{
        struct master *m = master_of(f);

        (void)pos;
        TRY(mutex_lock_killable(&m->pty->write_mutex));
        err_t err = write_locked(m, f, io);
        mutex_unlock(&m->pty->write_mutex);
        return io_done(io) ? OK : err;
}

static u32 poll_master(struct file *f, struct waiter *w)
{
        struct master *m = master_of(f);
        struct pty *p = m->pty;
        u32 mask = 0;

        waiter_add(w, &p->changed);
        SPIN_GUARD(&m->tty->lock);
        if (p->head != p->tail)
                mask |= EPOLLIN | EPOLLRDNORM;
        if (p->status)
                mask |= EPOLLIN | EPOLLRDNORM | EPOLLPRI;
        if (p->slave_closed)
                mask |= EPOLLHUP;
        if (!p->typing_stopped && ldisc_room(&m->tty->ldisc))
                mask |= EPOLLOUT | EPOLLWRNORM;
        return mask;
}

/* ---- the master's ioctl ---- */

static err_t set_flag(struct master *m, u32 cmd, u64 arg)
{
        i32 v = 0;

        TRY(VM_GET(arg, v));
        SPIN_GUARD(&m->tty->lock);
        if (cmd == TIOCSPTLCK) {
                m->pty->locked = v;
                return OK;
        }
        if (!v || !m->pty->packet)
                m->pty->status = 0;
        m->pty->packet = v;
        return OK;
}

/* TIOCGPTPEER: the slave, even where its node cannot be reached by name. */
static err_t open_peer(struct master *m, u32 flags, u64 *result)
{
        struct thread *t = thread_current();
        struct actor who = actor_current();
        struct path root = {};
        struct file *f = NULL;
        u32 fd = 0;

        TRY(devpts_of(&who, &m->base.path, &root));
        struct path node = { root.mnt, m->pty->node };
        err_t err = root.dentry->sb == m->pty->instance ? vfs_open_path(&who, &node, flags & ~(u32)O_CLOEXEC, &f) : ERR(ENODEV);
        path_drop(&root);
        TRY(err);
        err = files_add(t->files, f, flags & O_CLOEXEC ? FD_CLOEXEC : 0, 0, rlimit_get(t->process, RLIMIT_NOFILE), &fd);
        if (failed(err)) {
                file_drop(f);
                return err;
        }
        *result = fd;
        return OK;
}

/* TIOCINQ: what the slave wrote. */
static err_t put_ready(struct master *m, u64 arg)
{
        u32 n;
        {
                SPIN_GUARD(&m->tty->lock);
                n = m->pty->head - m->pty->tail;
        }
        return VM_PUT(arg, n);
}

/* tcflush(3): the master's input is the slave's output.  What the master wrote has arrived at once. */
static err_t flush(struct master *m, u64 queue)
{
        struct pty *p = m->pty;

        if (queue > TCIOFLUSH)
                return ERR(EINVAL);
        {
                SPIN_GUARD(&m->tty->lock);
                if (queue != TCOFLUSH)
                        p->tail = p->head;
        }
        tty_written(m->tty);
        waitq_wake_all(&p->changed);
        return OK;
}

/* tcflow(3): TCOOFF and TCOON stop and start what the master types, TCIOFF and TCION type STOP and START. */
static err_t flow(struct master *m, u64 action)
{
        u8 c = 0;

        if (action > TCION)
                return ERR(EINVAL);
        {
                SPIN_GUARD(&m->tty->lock);
                if (action == TCOOFF || action == TCOON)
                        m->pty->typing_stopped = action == TCOOFF;
                else
                        c = m->tty->ldisc.termios.c_cc[action == TCIOFF ? VSTOP : VSTART];
        }
        if (c)
                tty_received(m->tty, BYTES_OF(c));
        waitq_wake_all(&m->pty->changed);
        return OK;
}

static err_t send_signal(struct master *m, u64 sig)
{
        if (sig != SIGINT && sig != SIGQUIT && sig != SIGTSTP)
                return ERR(EINVAL);
        tty_signal_foreground(m->tty, (u32)sig);
        return OK;
}

static err_t ioctl_master(struct file *f, u32 cmd, u64 arg, u64 *result)
{
        struct master *m = master_of(f);
        struct pty *p = m->pty;

        switch (cmd) {
        case TIOCGPTN:          return VM_PUT(arg, p->index);
        case TIOCSPTLCK:
        case TIOCPKT:           return set_flag(m, cmd, arg);
        case TIOCGPTLCK:
        case TIOCGPKT: {
                i32 v = LOAD(p->packet);
                if (cmd == TIOCGPTLCK)
                        v = LOAD(p->locked);
                return VM_PUT(arg, v);
        }
        case TIOCEXCL:
        case TIOCNXCL:                          /* the master's own: nobody else can open it anyway */
                STORE(p->exclusive, cmd == TIOCEXCL);
                return OK;
        case TIOCGEXCL: {
                u32 is = LOAD(p->exclusive);
                return VM_PUT(arg, is);
        }
        case TIOCGPTPEER:       return open_peer(m, (u32)arg, result);
        case TIOCSIG:           return send_signal(m, arg);
        case TIOCINQ:           return put_ready(m, arg);
        case TIOCOUTQ: {
                u32 none = 0;
                return VM_PUT(arg, none);
        }
        case TCFLSH:            return flush(m, arg);
        case TCXONC:            return flow(m, arg);
        case TIOCGPGRP:         return tty_get_group(m->tty, arg, false);
        case TIOCGSID:          return tty_get_group(m->tty, arg, true);
        case TIOCNOTTY:         return ERR(ENOTTY);
        case TIOCCONS:          return ERR(EINVAL);
        default:                return tty_ioctl(m->tty, f, cmd, arg, result);
        }
}

/* ---- opening and closing ---- */

/* The node goes; the slave hangs up; its index is free if the slave is closed, too. */
static void close_master(struct master *m)
{
        struct pty *p = m->pty;

        devpts_remove_node(p);
        {
                SPIN_GUARD(&m->tty->lock);
                p->master_open = false;
                if (m->tty->opens == 0)
                        devpts_free_index(p);
        }
        tty_hang_up(m->tty, true);
}

static void master_fini(struct master *m)
{
        if (m->tty)
                close_master(m);
        file_fini(&m->base);
        tty_drop(m->tty);
}
POOL_DEFINE(master, master_fini);

static const struct file_ops master_ops = {
        .read = read_master, .write = write_master, .poll = poll_master, .ioctl = ioctl_master,
        .llseek = generic_no_llseek, .flags = FOPS_STREAM | FOPS_NOLOCK,
};

/* A pair with its index, locked, without a node. The slave is the caller's. */
static err_t new_pair(struct payer *payer, struct superblock *sb, struct tty **out)
{
        struct pty *p = pty_alloc(payer, MAY_RECLAIM);
        u8 name[16] = {};

        if (!p)
                return ERR(ENOMEM);
        p->base.ops = &port_ops;
        p->instance = superblock_hold(sb);
        p->locked = true;
        p->master_open = true;
        lock_init(&p->write_mutex, tty_io);
        pty_publish(p);
        err_t err = devpts_take_index(sb, p);
        if (failed(err)) {
                pty_drop(p);
                return err;
        }
        usize n = format(MBYTES_OF(name), "pts/{}", p->index);
        struct tty *tty = tty_new(payer, &p->base, 136, p->index, bytes_take(BYTES_OF(name), n));
        if (tty)
                p->base.tty = tty;
        else
                devpts_free_index(p);
        pty_drop(p);
        *out = tty;
        return tty ? OK : ERR(ENOMEM);
}

/* From here on closing the file undoes everything. */
static err_t open_in(const struct actor *who, const struct path *at, u32 flags, struct dentry *root, struct file **out)
{
        struct master *m = master_alloc(who->payer, MAY_RECLAIM);
        struct tty *tty = NULL;

        if (!m)
                return ERR(ENOMEM);
        file_init(&m->base, &master_ops, at, who->cred, flags);
        err_t err = new_pair(who->payer, root->sb, &tty);
        if (succeeded(err)) {
                m->tty = tty;
                m->pty = DOWNCAST(pty, tty->port);
                err = devpts_add_node(who, root, m->pty);
        }
        if (failed(err)) {
                master_drop(m);
                return err;
        }
        master_publish(m);
        *out = &m->base;
        return OK;
}

static err_t open_ptmx(const struct actor *who, const struct path *at, u32 flags, struct file **out)
{
        struct path root = {};

        TRY(devpts_of(who, at, &root));
        err_t err = open_in(who, at, flags, root.dentry, out);
        path_drop(&root);
        return err;
}

static err_t open_slave(const struct actor *who, const struct path *at, u32 flags, struct file **out)
{
        struct tty *tty = devpts_tty(at->dentry->inode);

        if (!tty)
                return ERR(EIO);
        TRY(tty_open(who, at, flags, tty, out));
        if (!(flags & O_NOCTTY))
                tty_take_if_free(tty);
        return OK;
}

const struct file_ops ptmx_ops = { .open = open_ptmx, .flags = FOPS_STREAM | FOPS_NOLOCK };
const struct file_ops pty_slave_ops = { .open = open_slave, .flags = FOPS_STREAM | FOPS_NOLOCK };

static const struct chrdev ptmx_device = { .name = "ptmx", .major = 5, .minor = 2, .mode = 0666, .ops = &ptmx_ops };
/* Nodes that mknod(2) made outside of devpts: no terminal is behind them. */
static const struct chrdev slave_devices = { .major = 136, .count = 1u << 20, .ops = &pty_slave_ops };

void pty_init(void)
{
        chrdev_register(&ptmx_device);
        chrdev_register(&slave_devices);
}
