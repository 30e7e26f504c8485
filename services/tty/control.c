/* SPDX-License-Identifier: Apache-2.0
 *
 * Terminal control: whose terminal it is, which group is in the foreground, and ioctl_tty(2).
 *
 * Locking    tty.session and tty.foreground are changed under the pid namespace's tree lock and
 *            read without it through PTR_LOAD and try_hold, so that bottom halves can signal.
 */
#include "services/tty/tty_impl.h"
#include "services/signal/signal.h"
#include "services/security/cred.h"
#include "services/vm/vm.h"
#include "abi/const/tty.h"
#include "abi/const/signal.h"
#include "abi/const/process.h"

/* ---- sessions and groups ---- */

static struct pid *foreground_of(struct tty *tty)       /* counted, or NULL */
{
        struct pid *pgrp = PTR_LOAD(tty->foreground);
        return pgrp && pid_try_hold(pgrp) ? pgrp : NULL;
}

void tty_signal_foreground(struct tty *tty, u32 sig)
{
        struct pid *pgrp = foreground_of(tty);
        if (!pgrp)
                return;
        ignore(signal_send_group(pgrp, (struct siginfo){ .signo = sig, .code = SI_KERNEL }));
        pid_drop(pgrp);
}

/* Exchanges the foreground group; takes over the count on `pgrp`. tree lock held; the old one is returned for dropping. */
static struct pid *swap_foreground_locked(struct tty *tty, struct pid *pgrp)
{
        struct pid *old = tty->foreground;
        PTR_STORE(tty->foreground, pgrp);
        return old;
}

/* The current session gets this terminal. tree lock held. Returns the old foreground group for dropping. */
static struct pid *attach_locked(struct tty *tty, struct process *p)
{
        p->session->tty = tty_hold(tty);
        PTR_STORE(tty->session, session_hold(p->session));
        return swap_foreground_locked(tty, pid_hold(p->pgrp));
}

void tty_take_if_free(struct tty *tty)
{
        struct process *p = thread_current()->process;
        struct pid_ns *ns = pid_ns_current();
        struct pid *old = NULL;

        tree_lock(ns);
        if (p->session->leader == p && !p->session->tty && !tty->session)
                old = attach_locked(tty, p);
        tree_unlock(ns);
        pid_drop(old);
}

/* The controlling terminal of p, borrowed; NULL: none.  tree lock held. */
static struct tty *tty_of_locked(const struct process *p) { return p->left_tty ? NULL : p->session->tty; }

struct tty *tty_of_current(void)
{
        struct process *p = thread_current()->process;
        struct pid_ns *ns = pid_ns_current();

        tree_lock(ns);
        struct tty *tty = tty_of_locked(p);
        if (tty)
                tty_hold(tty);
        tree_unlock(ns);
        return tty;
}

/* Takes the terminal from session s; what is to be dropped comes back. tree lock held. */
struct detached { struct session *session; struct pid *foreground; struct tty *tty; };
static struct detached detach_locked(struct session *s)
{
        struct tty *tty = s->tty;
        struct detached d = {};

        if (!tty)
                return d;
        s->tty = NULL;
        d.tty = tty;
        if (tty->session == s) {
                d.session = tty->session;
                PTR_STORE(tty->session, NULL);
                d.foreground = swap_foreground_locked(tty, NULL);
        }
        return d;
}

static void signal_group(struct pid *pgrp, u32 sig)
{
        if (pgrp)
                ignore(signal_send_group(pgrp, (struct siginfo){ .signo = sig, .code = SI_KERNEL }));
}

static void drop_detached(struct detached d)
{
        session_drop(d.session);
        pid_drop(d.foreground);
        tty_drop(d.tty);
}

static void cut_off(struct tty *tty)
{
        {
                SPIN_GUARD(&tty->lock);
                STORE(tty->hangups, tty->hangups + 1);
                ldisc_flush_input(&tty->ldisc);
        }
        tty_unredirect(tty);
        waitq_wake_all(&tty->readers);
        waitq_wake_all(&tty->writers);
}

/* The foreground group hears of it first; readers find the end of file until the terminal is opened anew.  A
 * pseudo-terminal goes on for those who have it open. */
void tty_session_leader_exit(struct session *s)
{
        struct pid_ns *ns = s->sid->ns;

        tree_lock(ns);
        struct detached d = detach_locked(s);
        struct pid *hung_up = s->hung_up;
        s->hung_up = NULL;
        tree_unlock(ns);
        if (d.tty) {
                bool goes_on = d.tty->port->ops->outlives_leader;
                signal_group(d.foreground, SIGHUP);
                if (!goes_on) {
                        signal_group(d.foreground, SIGCONT);
                        cut_off(d.tty);
                }
        } else {
                signal_group(hung_up, SIGHUP);
                signal_group(hung_up, SIGCONT);
        }
        pid_drop(hung_up);
        drop_detached(d);
}

void tty_hang_up(struct tty *tty, bool port_gone)
{
        struct siginfo hup = { .signo = SIGHUP, .code = SI_KERNEL }, cont = { .signo = SIGCONT, .code = SI_KERNEL };
        struct session *s = PTR_LOAD(tty->session);
        struct detached d = {};

        if (port_gone)
                STORE(tty->port_gone, true);
        cut_off(tty);
        if (!s || !session_try_hold(s))
                return;
        struct pid_ns *ns = s->sid->ns;
        tree_lock(ns);
        if (s->tty == tty) {
                d = detach_locked(s);
                if (s->leader) {
                        ignore(signal_send_process_locked_tree(s->leader, hup));
                        ignore(signal_send_process_locked_tree(s->leader, cont));
                        struct pid *old = s->hung_up;
                        s->hung_up = d.foreground;
                        d.foreground = old;
                }
        }
        tree_unlock(ns);
        drop_detached(d);
        session_drop(s);
}

err_t tty_vhangup(void)
{
        if (!capable(CAP_SYS_TTY_CONFIG))
                return ERR(EPERM);
        struct tty *tty = tty_of_current();
        if (!tty)
                return OK;
        tty_hang_up(tty, false);
        if (tty->port->ops->outlives_leader) {
                SPIN_GUARD(&tty->lock);
                tty_reset_locked(tty);
        }
        tty_drop(tty);
        return OK;
}

void tty_of_process(struct process *p, u32 *device, i32 *foreground)
{
        struct pid_ns *ns = p->pid->ns;

        *device = 0;
        *foreground = -1;
        tree_lock(ns);
        struct tty *tty = p->session ? tty_of_locked(p) : NULL;
        if (tty) {
                *device = (u32)dev_make(tty->major, tty->minor);
                if (tty->foreground)
                        *foreground = (i32)tty->foreground->nr;
        }
        tree_unlock(ns);
}

/* ---- job control ---- */

static bool is_ignored_or_blocked(struct thread *t, u32 sig)
{
        if (t->blocked & sig_bit(sig))
                return true;
        struct sigaction now = {};
        return succeeded(signal_action(sig, NULL, &now)) && now.handler == SIG_IGN;
}

/* Is the current process in a background group of its controlling terminal `tty`? pgrp: its group, counted then. */
static bool is_background(struct tty *tty, struct pid **pgrp, bool *orphaned)
{
        struct process *p = thread_current()->process;
        struct pid_ns *ns = pid_ns_current();
        bool is;

        tree_lock(ns);
        is = tty_of_locked(p) == tty && tty->foreground && p->pgrp != tty->foreground;
        if (is) {
                *pgrp = pid_hold(p->pgrp);
                *orphaned = process_group_orphaned(p->pgrp);
        }
        tree_unlock(ns);
        return is;
}

static err_t stop_group(struct pid *pgrp, u32 sig)
{
        ignore(signal_send_group(pgrp, (struct siginfo){ .signo = sig, .code = SI_KERNEL }));
        pid_drop(pgrp);
        return ERR(ERESTARTSYS);
}

err_t tty_check_read(struct tty *tty)
{
        struct pid *pgrp = NULL;
        bool orphaned = false;

        if (!is_background(tty, &pgrp, &orphaned))
                return OK;
        if (orphaned || is_ignored_or_blocked(thread_current(), SIGTTIN)) {
                pid_drop(pgrp);
                return ERR(EIO);
        }
        return stop_group(pgrp, SIGTTIN);
}

err_t tty_check_change(struct tty *tty)
{
        struct pid *pgrp = NULL;
        bool orphaned = false;

        if (!is_background(tty, &pgrp, &orphaned))
                return OK;
        if (is_ignored_or_blocked(thread_current(), SIGTTOU)) {
                pid_drop(pgrp);
                return OK;
        }
        if (orphaned) {
                pid_drop(pgrp);
                return ERR(EIO);
        }
        return stop_group(pgrp, SIGTTOU);
}

/* ---- ioctl ---- */

static err_t get_termios(struct tty *tty, struct linux_termios *t)
{
        SPIN_GUARD(&tty->lock);
        *t = ldisc_termios(&tty->ldisc);
        return OK;
}

enum set_when { SET_NOW, SET_DRAINED, SET_FLUSHED };

/* Waits until all output has been sent. */
static err_t drain(struct tty *tty)
{
        u32 hangups = LOAD(tty->hangups);
        WAITER(w);
        waiter_add(&w, &tty->writers);
        for (;;) {
                {
                        SPIN_GUARD(&tty->lock);
                        if (!tty->port->ops->queued(tty->port) || tty->hangups != hangups)
                                return OK;
                }
                err_t err = waiter_sleep(&w, WAIT_INTERRUPTIBLE, NEVER);
                if (failed(err))
                        return err_is(err, EINTR) ? ERR(ERESTARTSYS) : err;
        }
}

/* What TIOCSLCKTRMIOS holds stays as it was. */
static struct linux_termios keep_locked(struct linux_termios old, struct linux_termios t, const struct linux_termios *locked)
{
        t.c_iflag = (t.c_iflag & ~locked->c_iflag) | (old.c_iflag & locked->c_iflag);
        t.c_oflag = (t.c_oflag & ~locked->c_oflag) | (old.c_oflag & locked->c_oflag);
        t.c_cflag = (t.c_cflag & ~locked->c_cflag) | (old.c_cflag & locked->c_cflag);
        t.c_lflag = (t.c_lflag & ~locked->c_lflag) | (old.c_lflag & locked->c_lflag);
        t.c_line = locked->c_line ? old.c_line : t.c_line;
        for (u32 i = 0; i < NCCS; i++)
                t.c_cc[i] = locked->c_cc[i] ? old.c_cc[i] : t.c_cc[i];
        return t;
}

static err_t set_termios(struct tty *tty, struct linux_termios t, enum set_when when)
{
        TRY(tty_check_change(tty));
        if (when != SET_NOW)
                TRY(drain(tty));
        {
                SPIN_GUARD(&tty->lock);
                struct linux_termios old = ldisc_termios(&tty->ldisc);
                if (when == SET_FLUSHED)
                        tty_flush_input_locked(tty);
                ldisc_set_termios(&tty->ldisc, keep_locked(old, t, &tty->locked));
                if (tty->port->ops->set)
                        tty->port->ops->set(tty->port, old, ldisc_termios(&tty->ldisc));
        }
        waitq_wake_all(&tty->readers);
        tty_settled(tty);
        return OK;
}

static err_t get_locked(struct tty *tty, u64 arg)
{
        struct linux_termios t;
        {
                SPIN_GUARD(&tty->lock);
                t = tty->locked;
        }
        return VM_PUT(arg, t);
}

static err_t set_locked(struct tty *tty, u64 arg)
{
        struct linux_termios t = {};

        if (!capable(CAP_SYS_ADMIN))
                return ERR(EPERM);
        TRY(VM_GET(arg, t));
        SPIN_GUARD(&tty->lock);
        tty->locked = t;
        return OK;
}

/* TIOCGSOFTCAR, TIOCSSOFTCAR: CLOCAL by another name. */
static err_t get_softcar(struct tty *tty, u64 arg)
{
        struct linux_termios t = {};
        TRY(get_termios(tty, &t));
        u32 on = (t.c_cflag & CLOCAL) != 0;
        return VM_PUT(arg, on);
}

static err_t set_softcar(struct tty *tty, u64 arg)
{
        struct linux_termios t = {};
        u32 on = 0;
        TRY(VM_GET(arg, on));
        TRY(get_termios(tty, &t));
        t.c_cflag = on ? t.c_cflag | CLOCAL : t.c_cflag & ~(u32)CLOCAL;
        return set_termios(tty, t, SET_NOW);
}

static u32 speed_bits(u32 cflag)
{
        static const u32 slow[16] = { 0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400 };
        static const u32 fast[16] = { 0, 57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000,
                                      2000000, 2500000, 3000000, 3500000, 4000000 };
        u32 code = cflag & CBAUD;
        return code & CBAUDEX ? fast[code & 15] : slow[code & 15];
}

static err_t get_termios2(struct tty *tty, u64 arg)
{
        struct linux_termios t = {};
        struct linux_termios2 t2 = {};
        TRY(get_termios(tty, &t));
        t2 = (struct linux_termios2){ .c_iflag = t.c_iflag, .c_oflag = t.c_oflag, .c_cflag = t.c_cflag, .c_lflag = t.c_lflag,
                                      .c_line = t.c_line, .c_ispeed = speed_bits(t.c_cflag), .c_ospeed = speed_bits(t.c_cflag) };
        for (u32 i = 0; i < NCCS; i++)
                t2.c_cc[i] = t.c_cc[i];
        return VM_PUT(arg, t2);
}

static err_t set_termios2(struct tty *tty, u64 arg, enum set_when when)
{
        struct linux_termios2 t2 = {};
        TRY(VM_GET(arg, t2));
        struct linux_termios t = { .c_iflag = t2.c_iflag, .c_oflag = t2.c_oflag, .c_cflag = t2.c_cflag, .c_lflag = t2.c_lflag,
                                   .c_line = t2.c_line };
        for (u32 i = 0; i < NCCS; i++)
                t.c_cc[i] = t2.c_cc[i];
        return set_termios(tty, t, when);
}

/* The old struct termio: low halves, eight control characters. */
static err_t get_termio(struct tty *tty, u64 arg)
{
        struct linux_termios t = {};
        TRY(get_termios(tty, &t));
        struct linux_termio old = { .c_iflag = (u16)t.c_iflag, .c_oflag = (u16)t.c_oflag, .c_cflag = (u16)t.c_cflag,
                                    .c_lflag = (u16)t.c_lflag, .c_line = t.c_line };
        for (u32 i = 0; i < 8; i++)
                old.c_cc[i] = t.c_cc[i];
        return VM_PUT(arg, old);
}

static err_t set_termio(struct tty *tty, u64 arg, enum set_when when)
{
        struct linux_termios t = {};
        struct linux_termio old = {};
        TRY(VM_GET(arg, old));
        TRY(get_termios(tty, &t));
        t.c_iflag = (t.c_iflag & 0xffff0000) | old.c_iflag;
        t.c_oflag = (t.c_oflag & 0xffff0000) | old.c_oflag;
        t.c_cflag = (t.c_cflag & 0xffff0000) | old.c_cflag;
        t.c_lflag = (t.c_lflag & 0xffff0000) | old.c_lflag;
        for (u32 i = 0; i < 8; i++)
                t.c_cc[i] = old.c_cc[i];
        return set_termios(tty, t, when);
}

static err_t set_termios_from(struct tty *tty, u64 arg, enum set_when when)
{
        struct linux_termios t = {};
        TRY(VM_GET(arg, t));
        return set_termios(tty, t, when);
}

void tty_resized(struct tty *tty, struct linux_winsize size)
{
        {
                SPIN_GUARD(&tty->lock);
                if (size.ws_row == tty->size.ws_row && size.ws_col == tty->size.ws_col &&
                    size.ws_xpixel == tty->size.ws_xpixel && size.ws_ypixel == tty->size.ws_ypixel)
                        return;
                tty->size = size;
        }
        tty_signal_foreground(tty, SIGWINCH);
}

static err_t set_size(struct tty *tty, u64 arg)
{
        struct linux_winsize size = {};
        TRY(VM_GET(arg, size));
        tty_resized(tty, size);
        return OK;
}

static err_t flush(struct tty *tty, u64 queue)
{
        if (queue > TCIOFLUSH)
                return ERR(EINVAL);
        TRY(tty_check_change(tty));
        {
                SPIN_GUARD(&tty->lock);
                if (queue == TCIFLUSH || queue == TCIOFLUSH)
                        tty_flush_input_locked(tty);
                if (queue == TCOFLUSH || queue == TCIOFLUSH)
                        tty->port->ops->flush(tty->port);
        }
        waitq_wake_all(&tty->writers);
        tty_settled(tty);
        return OK;
}

/* TCOON undoes TCOOFF (and a STOP with it), but not a STOP alone.  Lock held. */
static void stop_output(struct tty *tty, bool stop)
{
        if (tty->tco_stopped == stop)
                return;
        tty->tco_stopped = tty->flow_stopped = stop;
        if (!stop)
                tty->ldisc.stopped = false;
        tty->port->ops->stop(tty->port, stop);
}

/* Goes out although STOP was typed, but not past TCOOFF.  Lock held. */
static void send_flow_byte(struct tty *tty, u32 which)
{
        u8 c = tty->ldisc.termios.c_cc[which];

        if (c && !tty->tco_stopped)
                tty->port->ops->write(tty->port, BYTES_OF(c));
}

/* tcflow(3): TCOOFF and TCOON stop and start output, TCIOFF and TCION send STOP and START. */
static err_t flow(struct tty *tty, u64 action)
{
        if (action > TCION)
                return ERR(EINVAL);
        TRY(tty_check_change(tty));
        {
                SPIN_GUARD(&tty->lock);
                if (action == TCOOFF || action == TCOON)
                        stop_output(tty, action == TCOOFF);
                else
                        send_flow_byte(tty, action == TCIOFF ? VSTOP : VSTART);
        }
        waitq_wake_all(&tty->writers);
        tty_settled(tty);
        return OK;
}

/* TIOCSCTTY: arg 1 lets root steal it from another session. */
static err_t take_controlling(struct tty *tty, u64 arg)
{
        struct process *p = thread_current()->process;
        struct pid_ns *ns = pid_ns_current();
        struct detached stolen = {};
        struct pid *old = NULL;
        bool may_steal = arg == 1 && capable(CAP_SYS_ADMIN);

        tree_lock(ns);
        if (p->session->leader == p && tty->session == p->session) {
                tree_unlock(ns);
                return OK;
        }
        if (p->session->leader != p || p->session->tty || (tty->session && !may_steal)) {
                tree_unlock(ns);
                return ERR(EPERM);
        }
        if (tty->session)
                stolen = detach_locked(tty->session);
        old = attach_locked(tty, p);
        tree_unlock(ns);
        drop_detached(stolen);
        pid_drop(old);
        return OK;
}

/* TIOCNOTTY: a leader gives the terminal up for its whole session; others leave it alone. */
static err_t give_up(struct tty *tty)
{
        struct process *p = thread_current()->process;
        struct pid_ns *ns = pid_ns_current();

        tree_lock(ns);
        bool mine = tty_of_locked(p) == tty, leads = p->session->leader == p;
        if (mine && !leads)
                p->left_tty = true;
        tree_unlock(ns);
        if (!mine)
                return ERR(ENOTTY);
        if (leads) {
                struct detached d = {};
                tree_lock(ns);
                d = detach_locked(p->session);
                tree_unlock(ns);
                signal_group(d.foreground, SIGHUP);
                signal_group(d.foreground, SIGCONT);
                drop_detached(d);
        }
        return OK;
}

err_t tty_get_group(struct tty *tty, u64 arg, bool session)
{
        struct pid_ns *ns = pid_ns_current();
        u32 nr = 0;

        tree_lock(ns);
        bool none = session && !tty->session;
        if (!none)
                nr = session ? tty->session->sid->nr : tty->foreground ? tty->foreground->nr : 0;
        tree_unlock(ns);
        return none ? ERR(ENOTTY) : VM_PUT(arg, nr);
}

static err_t get_group(struct tty *tty, u64 arg, bool session)
{
        struct process *p = thread_current()->process;
        struct pid_ns *ns = pid_ns_current();
        u32 nr = 0;

        tree_lock(ns);
        bool mine = tty_of_locked(p) == tty;
        if (mine)
                nr = session ? p->session->sid->nr : tty->foreground ? tty->foreground->nr : 0;
        tree_unlock(ns);
        return mine ? VM_PUT(arg, nr) : ERR(ENOTTY);
}

static err_t set_group(struct tty *tty, u64 arg)
{
        struct process *p = thread_current()->process;
        struct pid_ns *ns = pid_ns_current();
        i32 nr = 0;
        err_t err = OK;

        err_t check = tty_check_change(tty);
        TRY(check);
        TRY(VM_GET(arg, nr));
        if (nr < 0)
                return ERR(EINVAL);
        struct pid *pgrp = pid_find(ns, (u32)nr);
        tree_lock(ns);
        if (tty_of_locked(p) != tty)
                err = ERR(ENOTTY);
        else if (!pgrp || (!pgrp->group && !pgrp->process))
                err = ERR(ESRCH);
        else if ((pgrp->group ? pgrp->group : pgrp->process)->session != p->session)
                err = ERR(EPERM);
        else
                pgrp = swap_foreground_locked(tty, pgrp);
        tree_unlock(ns);
        pid_drop(pgrp);
        return err;
}

static bool is_own(struct tty *tty)
{
        struct pid_ns *ns = pid_ns_current();

        tree_lock(ns);
        bool own = tty_of_locked(thread_current()->process) == tty;
        tree_unlock(ns);
        return own;
}

static err_t type_in(struct tty *tty, u64 arg)
{
        u8 c = 0;
        if (!is_own(tty) && !capable(CAP_SYS_ADMIN))
                return ERR(EPERM);
        TRY(VM_GET(arg, c));
        tty_received(tty, BYTES_OF(c));
        return OK;
}

static err_t put_count(struct tty *tty, u64 arg, bool input)
{
        u32 n;
        {
                SPIN_GUARD(&tty->lock);
                n = input ? (u32)ldisc_available(&tty->ldisc) : tty->port->ops->queued(tty->port);
        }
        return VM_PUT(arg, n);
}

err_t tty_ioctl(struct tty *tty, struct file *f, u32 cmd, u64 arg, u64 *result)
{
        (void)result;
        if (tty_is_hung_up(f))
                return cmd == TIOCSPGRP ? ERR(ENOTTY) : ERR(EIO);
        switch (cmd) {
        case TCGETS: {
                struct linux_termios t = {};
                TRY(get_termios(tty, &t));
                return VM_PUT(arg, t);
        }
        case TCSETS:    return set_termios_from(tty, arg, SET_NOW);
        case TCSETSW:   return set_termios_from(tty, arg, SET_DRAINED);
        case TCSETSF:   return set_termios_from(tty, arg, SET_FLUSHED);
        case TCGETS2:   return get_termios2(tty, arg);
        case TCSETS2:   return set_termios2(tty, arg, SET_NOW);
        case TCSETSW2:  return set_termios2(tty, arg, SET_DRAINED);
        case TCSETSF2:  return set_termios2(tty, arg, SET_FLUSHED);
        case TCGETA:    return get_termio(tty, arg);
        case TCSETA:    return set_termio(tty, arg, SET_NOW);
        case TCSETAW:   return set_termio(tty, arg, SET_DRAINED);
        case TCSETAF:   return set_termio(tty, arg, SET_FLUSHED);
        case TIOCGWINSZ: {
                struct linux_winsize size = {};
                {
                        SPIN_GUARD(&tty->lock);
                        size = tty->size;
                }
                return VM_PUT(arg, size);
        }
        case TIOCSWINSZ: return set_size(tty, arg);
        case TIOCSCTTY:  return take_controlling(tty, arg);
        case TIOCNOTTY:  return give_up(tty);
        case TIOCGPGRP:  return get_group(tty, arg, false);
        case TIOCGSID:   return get_group(tty, arg, true);
        case TIOCSPGRP:  return set_group(tty, arg);
        case TIOCINQ:    return put_count(tty, arg, true);
        case TIOCOUTQ:   return put_count(tty, arg, false);
        case TIOCSTI:    return type_in(tty, arg);
        case TCFLSH:     return flush(tty, arg);
        case TCXONC:     return flow(tty, arg);
        case TCSBRK:                            /* the break itself is not sent; tcdrain(3) is TCSBRK 1 */
        case TCSBRKP:
                TRY(tty_check_change(tty));
                return drain(tty);
        case TIOCEXCL:
        case TIOCNXCL: {
                SPIN_GUARD(&tty->lock);
                tty->exclusive = cmd == TIOCEXCL;
                return OK;
        }
        case TIOCGEXCL: {
                u32 is;
                {
                        SPIN_GUARD(&tty->lock);
                        is = tty->exclusive;
                }
                return VM_PUT(arg, is);
        }
        case TIOCGETD: {
                u32 n_tty = 0;
                return VM_PUT(arg, n_tty);
        }
        case TIOCSETD: {
                u32 n = 0;
                TRY(VM_GET(arg, n));
                return n == 0 ? OK : ERR(EINVAL);
        }
        case TIOCGLCKTRMIOS: return get_locked(tty, arg);
        case TIOCSLCKTRMIOS: return set_locked(tty, arg);
        case TIOCGSOFTCAR: return get_softcar(tty, arg);
        case TIOCSSOFTCAR: return set_softcar(tty, arg);
        case TIOCCONS:   return tty_redirect(tty, f);
        case TIOCSSERIAL: {                     /* no port here has anything to set */
                struct linux_serial_struct serial = {};
                TRY(VM_GET(arg, serial));
                return ERR(ENOTTY);
        }
        case TIOCSBRK:                          /* no port here has a line to hold */
        case TIOCCBRK:  return OK;
        case TIOCGDEV: {
                u32 dev = (tty->minor & 0xff) | tty->major << 8 | (tty->minor & ~0xffu) << 12;
                return VM_PUT(arg, dev);
        }
        case TIOCMGET: {
                if (tty->major != TTY_SERIAL_MAJOR)
                        return ERR(ENOTTY);
                u32 lines = TIOCM_DTR | TIOCM_RTS | TIOCM_CAR | TIOCM_CTS | TIOCM_DSR;
                return VM_PUT(arg, lines);
        }
        default:
                return ERR(ENOTTY);
        }
}
