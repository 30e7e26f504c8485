/* SPDX-License-Identifier: Apache-2.0
 *
 * Terminals as files: reading, writing, polling, and what drivers bring in.
 * Control (ioctl, job control, sessions) is control.c.
 *
 * The table of serial terminals and the console's choice are properties of the machine,
 * set at boot: the one file-scope variable here.
 */
#include "services/tty/tty_impl.h"
#include "services/tty/pty.h"
#include "services/signal/signal.h"
#include "services/process/process.h"
#include "services/vfs/chrdev.h"
#include "services/vfs/dentry.h"
#include "abi/const/tty.h"
#include "abi/const/event.h"
#include "abi/const/signal.h"

LOCK_CLASS(tty_io);
LOCK_CLASS(tty);

static void tty_fini(struct tty *tty) { tty_port_drop(tty->port); }
POOL_DEFINE(tty, tty_fini);

OBJECT(tty_file) {
        struct file base;
        struct tty *tty;                /* counted; fixed */
        u32  hangups;                   /* tty's when it was opened; fixed */
        bool console;                   /* /dev/console: a hang-up spares it; fixed */
};
POOL_DECLARE(tty_file)
DOWNCASTABLE(tty_file, file);

STABLE(tty_table) {
        struct tty *serial[4];          /* as all here: counted, set once, PTR_LOAD */
        struct tty *virtual[8];
        struct tty *console;
        struct tty *redirect;           /* TIOCCONS: gets what is written to /dev/console; counted, or NULL; lock */
        struct spinlock lock;           /* redirect's changes */
};
static struct tty_table ttys;
LOCK_CLASS(tty_redirect, LEAF);

bool tty_is_hung_up(struct file *f)
{
        if (!IS_A(tty_file, f))
                return false;
        struct tty_file *tf = DOWNCAST(tty_file, f);
        return !tf->console && tf->hangups != LOAD(tf->tty->hangups);
}

/* ---- between the discipline and the port ---- */

static void echo(struct ldisc *d, bytes text)
{
        struct tty *tty = OWNER_OF(tty, ldisc, d);
        tty->port->ops->write(tty->port, text);
}

static void typed_signal(struct ldisc *d, u32 sig)
{
        struct tty *tty = OWNER_OF(tty, ldisc, d);
        tty->pending_signals |= 1u << sig;
        if (!(d->termios.c_lflag & NOFLSH)) {
                tty->port->ops->flush(tty->port);
                if (tty->port->ops->flushed)
                        tty->port->ops->flushed(tty->port);
        }
}

static void typed_flow(struct ldisc *d, bool stop)
{
        struct tty *tty = OWNER_OF(tty, ldisc, d);
        tty->flow_stopped = stop || tty->tco_stopped;
        tty->port->ops->stop(tty->port, tty->flow_stopped);
}

static const struct ldisc_ops discipline = { .output = echo, .signal = typed_signal, .flow = typed_flow };

/* Signals cannot be sent under tty.lock: they are collected there and sent here. */
static void send_signals(struct tty *tty, u32 signals)
{
        while (signals) {
                u32 sig = bit_lowest(signals);
                signals &= signals - 1;
                tty_signal_foreground(tty, sig);
        }
}

void tty_flush_input_locked(struct tty *tty)
{
        ldisc_flush_input(&tty->ldisc);
        if (tty->port->ops->flushed)
                tty->port->ops->flushed(tty->port);
}

/* all: what there is no room for is lost. */
static usize type(struct tty *tty, bytes typed, bool all)
{
        u32 signals;
        usize n = bytes_len(typed);
        bool readable;
        {
                SPIN_GUARD(&tty->lock);
                if (!all)
                        n = min_u64(n, ldisc_room(&tty->ldisc));
                readable = ldisc_receive(&tty->ldisc, bytes_take(typed, n));
                signals = tty->pending_signals;
                tty->pending_signals = 0;
        }
        send_signals(tty, signals);
        if (readable) {
                waitq_wake_all(&tty->readers);
                async_signal(&tty->tell, POLL_IN);
        }
        waitq_wake_all(&tty->writers);          /* START may have been typed */
        return n;
}

void tty_received(struct tty *tty, bytes typed)
{
        (void)type(tty, typed, true);
        tty_settled(tty);
}

usize tty_offered(struct tty *tty, bytes typed) { return type(tty, typed, false); }

usize tty_type(struct tty *tty, bytes typed)
{
        usize n = type(tty, typed, false);
        if (n)                                  /* else nothing has changed, and whoever types is to sleep until it has */
                tty_settled(tty);
        return n;
}

void tty_break(struct tty *tty)
{
        u32 signals;
        {
                SPIN_GUARD(&tty->lock);
                ldisc_break(&tty->ldisc);
                signals = tty->pending_signals;
                tty->pending_signals = 0;
        }
        send_signals(tty, signals);
        waitq_wake_all(&tty->readers);
}

void tty_written(struct tty *tty)
{
        waitq_wake_all(&tty->writers);
        async_signal(&tty->tell, POLL_OUT);
}

void tty_log_write(bytes text)
{
        struct tty *tty = PTR_LOAD(ttys.console);
        usize at = 0;

        if (!tty)
                return;
        SPIN_GUARD(&tty->lock);
        for (u32 tries = 0; at < bytes_len(text) && tries < 100000; tries++) {
                u8 c = bytes_at(text, at);
                u8 pair[2] = { '\r', '\n' };
                if (c == '\n' && tty->port->ops->room(tty->port) >= 2)
                        at += tty->port->ops->write(tty->port, BYTES_OF(pair)) / 2;
                else if (c != '\n')
                        at += tty->port->ops->write(tty->port, bytes_take(bytes_skip(text, at), bytes_find(bytes_skip(text, at), '\n')));
        }
}

usize tty_console_name(mbytes out)
{
        struct tty *tty = PTR_LOAD(ttys.console);       /* fixed after boot */
        bytes name = tty ? BYTES_OF(tty->name) : STR("");
        return mbytes_copy(out, bytes_take(name, bytes_find(name, 0)));
}

static const struct console_ops console = { .write = tty_log_write };

void tty_set_console(struct tty *tty)
{
        PTR_STORE(ttys.console, tty);
        console_register(&console);
}

/* ---- reading ---- */

struct read_rule { bool canonical; u32 min; u64 time; };        /* VMIN, VTIME in ns */

static struct read_rule rule_of(struct tty *tty)
{
        SPIN_GUARD(&tty->lock);
        struct linux_termios *t = &tty->ldisc.termios;
        if (t->c_lflag & ICANON)
                return (struct read_rule){ .canonical = ldisc_is_canonical(&tty->ldisc), .min = 1 };
        return (struct read_rule){ .min = t->c_cc[VMIN], .time = t->c_cc[VTIME] * 100 * NSEC_PER_MSEC };
}

/* Takes up to a chunk of input into io. *end: the call is complete. EFAULT. */
static err_t take(struct tty *tty, struct file *f, struct io *io, usize *got, bool *end)
{
        u8 chunk[256] = {};
        usize n;
        {
                SPIN_GUARD(&tty->lock);
                n = ldisc_read(&tty->ldisc, mbytes_take(MBYTES_OF(chunk), min_u64(sizeof chunk, io_left(io))), end);
                if (tty_is_hung_up(f))
                        *end = true;
        }
        if (n || *end)
                tty_settled(tty);
        *got = n;
        return io_copy_out(io, bytes_take(BYTES_OF(chunk), n)) == n ? OK : ERR(EFAULT);
}

/* Is the call done, with `total` bytes so far and the last take giving n? */
static bool is_enough(struct read_rule rule, usize total, bool more_may_be_there)
{
        if (more_may_be_there || rule.canonical)
                return false;
        return rule.min ? total >= rule.min : total || !rule.time;
}

static err_t read_locked(struct tty *tty, struct file *f, struct io *io)
{
        struct read_rule rule = rule_of(tty);
        bool slept = false;
        u64 deadline = !rule.canonical && !rule.min && rule.time ? time_now() + rule.time : NEVER;
        WAITER(w);

        waiter_add(&w, &tty->readers);
        for (;;) {
                bool end = false;
                usize n = 0;
                TRY(take(tty, f, io, &n, &end));
                if (slept && !io_done(io) && LOAD(tty->port_gone))
                        return ERR(EIO);        /* as on Linux: who waits while the master is closed; later reads find the end */
                if (end || !io_left(io) || is_enough(rule, io_done(io), n == 256))
                        return OK;
                if (n)
                        continue;
                if (file_nonblock(f))
                        return io_done(io) ? OK : ERR(EAGAIN);
                if (!rule.canonical && rule.min && rule.time && io_done(io))
                        deadline = time_now() + rule.time;
                err_t err = waiter_sleep(&w, WAIT_INTERRUPTIBLE, deadline);
                slept = true;
                if (err_is(err, ETIMEDOUT) || (failed(err) && io_done(io)))
                        return OK;
                if (failed(err))
                        return err_is(err, EINTR) ? ERR(ERESTARTSYS) : err;
                rule = rule_of(tty);
        }
}

static err_t read_tty(struct file *f, struct io *io, u64 *pos)
{
        struct tty *tty = DOWNCAST(tty_file, f)->tty;

        (void)pos;
        TRY(tty_check_read(tty));
        if (!io_left(io))
                return OK;
        TRY(mutex_lock_killable(&tty->read_mutex));
        err_t err = read_locked(tty, f, io);
        mutex_unlock(&tty->read_mutex);
        return err;
}

/* ---- writing ---- */

/* Renders and sends as much of text as there is room for; returns how much of it was taken. */
static usize send_some(struct tty *tty, struct file *f, bytes text, bool *hung_up)
{
        u8 out[512] = {};
        usize used = 0;
        SPIN_GUARD(&tty->lock);

        *hung_up = tty_is_hung_up(f) || (tty != DOWNCAST(tty_file, f)->tty && tty != PTR_LOAD(ttys.redirect));
        if (*hung_up || tty->flow_stopped)
                return 0;
        usize room = min_u64(sizeof out, tty->port->ops->room(tty->port));
        usize n = ldisc_render(&tty->ldisc, mbytes_take(MBYTES_OF(out), room), text, &used);
        tty->port->ops->write(tty->port, bytes_take(BYTES_OF(out), n));
        return used;
}

static err_t write_locked(struct tty *tty, struct file *f, struct io *io)
{
        WAITER(w);

        waiter_add(&w, &tty->writers);
        while (io_left(io)) {
                u8 chunk[256] = {};
                bool hung_up = false;
                struct io before = *io;
                usize n = io_copy_in(io, mbytes_take(MBYTES_OF(chunk), min_u64(sizeof chunk, io_left(io))));
                if (!n)
                        return ERR(EFAULT);
                usize used = send_some(tty, f, bytes_take(BYTES_OF(chunk), n), &hung_up);
                if (used < n) {
                        *io = before;
                        io_skip(io, used);
                }
                if (used)
                        tty_settled(tty);
                if (hung_up)
                        return ERR(EIO);
                if (used)
                        continue;
                if (file_nonblock(f))
                        return ERR(EAGAIN);
                err_t err = waiter_sleep(&w, WAIT_INTERRUPTIBLE, NEVER);
                if (failed(err))
                        return err_is(err, EINTR) ? ERR(ERESTARTSYS) : err;
        }
        return OK;
}

static err_t write_to(struct tty *tty, struct file *f, struct io *io)
{
        bool checks;

        if (tty_is_hung_up(f))
                return ERR(EIO);
        {
                SPIN_GUARD(&tty->lock);
                checks = tty->ldisc.termios.c_lflag & TOSTOP;
        }
        if (checks)
                TRY(tty_check_change(tty));
        TRY(mutex_lock_killable(&tty->write_mutex));
        err_t err = write_locked(tty, f, io);
        mutex_unlock(&tty->write_mutex);
        return io_done(io) ? OK : err;
}

/* Counted; NULL: what is written to /dev/console stays there. */
static struct tty *redirect_hold(void)
{
        if (!PTR_LOAD(ttys.redirect))
                return NULL;
        SPIN_GUARD(&ttys.lock);
        return ttys.redirect ? tty_hold(ttys.redirect) : NULL;
}

static err_t write_tty(struct file *f, struct io *io, u64 *pos)
{
        struct tty_file *tf = DOWNCAST(tty_file, f);
        struct tty *to = tf->console ? redirect_hold() : NULL;

        (void)pos;
        err_t err = write_to(to ? to : tf->tty, f, io);
        tty_drop(to);
        return err;
}

/* ---- TIOCCONS ---- */

/* The redirection ends, if it is to this one (NULL: whichever). */
void tty_unredirect(struct tty *tty)
{
        struct tty *old = NULL;

        if (!PTR_LOAD(ttys.redirect))
                return;
        {
                SPIN_GUARD(&ttys.lock);
                if (!tty || ttys.redirect == tty) {
                        old = ttys.redirect;
                        PTR_STORE(ttys.redirect, NULL);
                }
        }
        if (old)
                waitq_wake_all(&old->writers);
        tty_drop(old);
}

err_t tty_redirect(struct tty *tty, struct file *f)
{
        if (!capable(CAP_SYS_ADMIN))
                return ERR(EPERM);
        if (DOWNCAST(tty_file, f)->console) {
                tty_unredirect(NULL);
                return OK;
        }
        SPIN_GUARD(&ttys.lock);
        if (ttys.redirect)
                return ERR(EBUSY);
        PTR_STORE(ttys.redirect, tty_hold(tty));
        return OK;
}

static u32 poll_tty(struct file *f, struct waiter *w)
{
        struct tty *tty = DOWNCAST(tty_file, f)->tty;
        u32 mask = 0;

        waiter_add(w, &tty->readers);
        waiter_add(w, &tty->writers);
        SPIN_GUARD(&tty->lock);
        struct linux_termios *t = &tty->ldisc.termios;
        usize least = !(t->c_lflag & ICANON) && !t->c_cc[VTIME] && t->c_cc[VMIN] ? t->c_cc[VMIN] : 1;
        bool enough = t->c_lflag & ICANON ? ldisc_readable(&tty->ldisc) : ldisc_available(&tty->ldisc) >= least;
        if (enough)
                mask |= POLLIN | POLLRDNORM;
        if (tty_is_hung_up(f))
                mask |= POLLIN | POLLRDNORM | POLLERR | POLLHUP | POLLOUT | POLLWRNORM;
        if (!tty->flow_stopped && tty->port->ops->room(tty->port) >= 256)
                mask |= POLLOUT | POLLWRNORM;
        return mask;
}

static err_t ioctl_tty(struct file *f, u32 cmd, u64 arg, u64 *result)
{
        return tty_ioctl(DOWNCAST(tty_file, f)->tty, f, cmd, arg, result);
}

static struct async_list *async_tty(struct file *f, u32 side) { return side == 0 ? &DOWNCAST(tty_file, f)->tty->tell : NULL; }

/* Without F_SETOWN the foreground group is told, or else the caller. */
static err_t setfl_tty(struct file *f, u32 flags)
{
        struct tty *tty = DOWNCAST(tty_file, f)->tty;
        struct owner_id o = { F_OWNER_PID, thread_current()->process->tgid };
        struct pid_ns *ns = pid_ns_current();

        if ((flags & ~LOAD(f->flags) & FASYNC) == 0 || file_get_owner(f).id)
                return OK;
        tree_lock(ns);
        if (tty->foreground)
                o = (struct owner_id){ F_OWNER_PGRP, tty->foreground->nr };
        tree_unlock(ns);
        return file_set_owner(f, o);
}

/* ---- opening ---- */

static void tty_file_fini(struct tty_file *tf)
{
        struct tty *tty = tf->tty;
        if (tty) {
                {
                        SPIN_GUARD(&tty->lock);
                        if (--tty->opens == 0) {
                                tty->exclusive = false;
                                if (tty->port->ops->closed)
                                        tty->port->ops->closed(tty->port);
                        }
                }
                tty_settled(tty);
        }
        file_fini(&tf->base);
        tty_drop(tty);
}
POOL_DEFINE(tty_file, tty_file_fini);

static err_t open_serial(const struct actor *who, const struct path *p, u32 flags, struct file **out);
static err_t open_own(const struct actor *who, const struct path *p, u32 flags, struct file **out);
static err_t open_console(const struct actor *who, const struct path *p, u32 flags, struct file **out);

#define TTY_FILE_OPS(opener) { .open = opener, .read = read_tty, .write = write_tty, .poll = poll_tty, .ioctl = ioctl_tty, \
                               .async = async_tty, .setfl = setfl_tty, .llseek = generic_no_llseek, .flags = FOPS_STREAM | FOPS_NOLOCK }
static const struct file_ops serial_ops = TTY_FILE_OPS(open_serial);
static const struct file_ops own_ops = TTY_FILE_OPS(open_own);
static const struct file_ops console_file_ops = TTY_FILE_OPS(open_console);

/* May it be opened; one opening more. */
static err_t count_open(const struct actor *who, struct tty *tty)
{
        SPIN_GUARD(&tty->lock);
        if (tty->exclusive && !cred_has(who->cred, CAP_SYS_ADMIN))
                return ERR(EBUSY);
        if (tty->port->ops->opened)
                TRY(tty->port->ops->opened(tty->port));
        tty->opens++;
        return OK;
}

err_t tty_open(const struct actor *who, const struct path *p, u32 flags, struct tty *tty, struct file **out)
{
        struct tty_file *tf = tty_file_alloc(who->payer, MAY_RECLAIM);
        if (!tf)
                return ERR(ENOMEM);
        file_init(&tf->base, &serial_ops, p, who->cred, flags);
        err_t err = count_open(who, tty);
        if (failed(err)) {
                tty_file_drop(tf);
                return err;
        }
        tf->tty = tty_hold(tty);
        tf->hangups = LOAD(tty->hangups);
        tty_file_publish(tf);
        *out = &tf->base;
        tty_settled(tty);
        return OK;
}

static err_t open_serial(const struct actor *who, const struct path *p, u32 flags, struct file **out)
{
        u64 dev = p->dentry->inode->rdev;
        u32 index = dev_minor(dev) - 64;
        struct tty *tty = NULL;

        if (dev_major(dev) == TTY_VIRTUAL_MAJOR)
                tty = tty_virtual(dev_minor(dev));
        else if (index < ARRAY_SIZE(ttys.serial))
                tty = PTR_LOAD(ttys.serial[index]);
        if (!tty)
                return dev_major(dev) == TTY_VIRTUAL_MAJOR ? ERR(ENODEV) : ERR(EIO);
        TRY(tty_open(who, p, flags, tty, out));
        if (!(flags & O_NOCTTY))
                tty_take_if_free(tty);
        return OK;
}

static err_t open_own(const struct actor *who, const struct path *p, u32 flags, struct file **out)
{
        struct tty *tty = tty_of_current();             /* counted */
        if (!tty)
                return ERR(ENXIO);
        err_t err = tty_open(who, p, flags, tty, out);
        tty_drop(tty);
        return err;
}

static err_t open_console(const struct actor *who, const struct path *p, u32 flags, struct file **out)
{
        struct tty *tty = PTR_LOAD(ttys.console);
        if (!tty)
                return ERR(ENODEV);
        TRY(tty_open(who, p, flags, tty, out));
        DOWNCAST(tty_file, *out)->console = true;
        return OK;
}

/* ---- registering ---- */

static const struct chrdev own_device = { .name = "tty", .major = 5, .minor = 0, .mode = 0666, .ops = &own_ops };
static const struct chrdev console_device = { .name = "console", .major = 5, .minor = 1, .mode = 0600, .ops = &console_file_ops };
static const struct chrdev serial_devices[4] = {
        { .name = "ttyS0", .major = 4, .minor = 64, .mode = 0620, .ops = &serial_ops },
        { .name = "ttyS1", .major = 4, .minor = 65, .mode = 0620, .ops = &serial_ops },
        { .name = "ttyS2", .major = 4, .minor = 66, .mode = 0620, .ops = &serial_ops },
        { .name = "ttyS3", .major = 4, .minor = 67, .mode = 0620, .ops = &serial_ops },
};

static const struct chrdev virtual_devices = { .major = TTY_VIRTUAL_MAJOR, .count = 8, .ops = &serial_ops };

void tty_reset_locked(struct tty *tty)
{
        ldisc_init(&tty->ldisc, &discipline);
        if (tty->major == TTY_SERIAL_MAJOR)     /* a serial console's settings, as Linux has them */
                tty->ldisc.termios.c_cflag = B9600 | CS8 | CREAD | HUPCL | CLOCAL;
        else if (tty->major != TTY_VIRTUAL_MAJOR)
                tty->ldisc.termios.c_cflag = B38400 | CS8 | CREAD;
}

struct tty *tty_new(struct payer *payer, struct tty_port *port, u32 major, u32 minor, bytes name)
{
        struct tty *tty = tty_alloc(payer, MAY_RECLAIM);
        if (!tty)
                return NULL;
        tty->port = tty_port_hold(port);
        tty->major = major;
        tty->minor = minor;
        mbytes_copy(mbytes_take(MBYTES_OF(tty->name), sizeof tty->name - 1), name);
        async_init(&tty->tell, 0);
        lock_init(&tty->lock, tty);
        lock_init(&tty->read_mutex, tty_io);
        lock_init(&tty->write_mutex, tty_io);
        tty_reset_locked(tty);
        tty_publish(tty);
        return tty;
}

struct tty *tty_register(struct tty_port *port, u32 major, u32 minor, bytes name)
{
        struct tty *tty = tty_new(NULL, port, major, minor, name);
        u32 index = minor - 64;

        if (tty && major == TTY_SERIAL_MAJOR && index < ARRAY_SIZE(ttys.serial)) {
                PTR_STORE(ttys.serial[index], tty_hold(tty));
                chrdev_register(&serial_devices[index]);
        }
        if (tty && major == TTY_VIRTUAL_MAJOR && minor < ARRAY_SIZE(ttys.virtual))
                PTR_STORE(ttys.virtual[minor], tty_hold(tty));
        return tty;
}

struct tty *tty_virtual(u32 index) { return index < ARRAY_SIZE(ttys.virtual) ? PTR_LOAD(ttys.virtual[index]) : NULL; }

void tty_init(void)
{
        lock_init(&ttys.lock, tty_redirect);
        chrdev_register(&own_device);
        chrdev_register(&console_device);
        chrdev_register(&virtual_devices);
        pty_init();
        devpts_init();
}
