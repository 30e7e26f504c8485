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
