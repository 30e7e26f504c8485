/* SPDX-License-Identifier: Apache-2.0
 *
 * Between tty.c (files) and control.c (job control and ioctl).
 */
#pragma once
#include "services/tty/tty.h"
#include "services/process/process.h"
#include "services/vfs/file.h"

/* May the current process read; may it change settings (or write with TOSTOP)?  Sends SIGTTIN or SIGTTOU
 * to a background group: ERESTARTSYS; EIO: orphaned, or it ignores the signal (reading). */
err_t tty_check_read(struct tty *tty);
err_t tty_check_change(struct tty *tty);
void  tty_signal_foreground(struct tty *tty, u32 sig);  /* any context that may take spin locks */
/* Makes tty the controlling terminal of the current process if it is a session leader without one, and tty nobody's. */
void  tty_take_if_free(struct tty *tty);
struct tty *tty_of_current(void);                       /* counted, or NULL */
err_t tty_ioctl(struct tty *tty, struct file *f, u32 cmd, u64 arg, u64 *result);
/* Types what there is room for; returns how much that was. */
usize tty_type(struct tty *tty, bytes typed);
/* An open file of tty.  EBUSY: exclusive; EIO: its port says so; ENOMEM. */
err_t tty_open(const struct actor *who, const struct path *p, u32 flags, struct tty *tty, struct file **out);
/* Readers find the end, the session loses its terminal and its leader gets SIGHUP and SIGCONT.  port_gone: who sleeps in read
 * gets EIO. */
void  tty_hang_up(struct tty *tty, bool port_gone);
void  tty_reset_locked(struct tty *tty);                /* its settings are as at first */
/* The group (or session) of tty, whoever asks.  ENOTTY: none (session). */
err_t tty_get_group(struct tty *tty, u64 arg, bool session);
bool  tty_is_hung_up(struct file *f);                    /* f was opened before its terminal's last hang-up */
/* TIOCCONS by f: what is written to /dev/console goes to tty from now on; by /dev/console: no longer.  EPERM, EBUSY. */
err_t tty_redirect(struct tty *tty, struct file *f);
void  tty_unredirect(struct tty *tty);                  /* it is hung up */
/* tty.lock held. */
void  tty_flush_input_locked(struct tty *tty);
static inline void tty_settled(struct tty *tty) { if (tty->port->ops->settled) tty->port->ops->settled(tty->port); }
