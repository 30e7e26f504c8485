/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's log for programs: syslog(2), proc(5) on kmsg, printk and dmesg_restrict.
 */
#pragma once
#include "services/vfs/vfs.h"

void  syslog_init(void);                 /* at boot, once the console's level is known */
/* May the current thread read the log, or (control) do more with it?  EPERM. */
err_t syslog_may(bool control);
/* The next records as "<level>[time] text\n"; who reads takes them from the others.  Waits for the first.
 * EAGAIN: nonblock and there is none; EFAULT, ERESTARTSYS. */
err_t syslog_read(struct io *io, bool nonblock);
u64   syslog_unread(void);              /* bytes */
bool  syslog_is_unread(void);
/* The newest records since they were cleared, as many whole ones as there is room for; clear: and clears them. EFAULT, ENOMEM. */
err_t syslog_read_all(struct io *io, bool clear);
void  syslog_clear(void);
u64   syslog_cleared(void);             /* the number of the first record that was not */
#define SYSLOG_BUFFER 131072u           /* bytes of the log */

/* kernel.printk: what is below `console` is shown there; `message` is a message's level that says none; `console` is no
 * less than `least`; `standard` is only kept. */
struct syslog_levels { u32 console, message, least, standard; };
struct syslog_levels syslog_levels(void);
void  syslog_set_levels(struct syslog_levels levels);
void  syslog_console_off(void);
void  syslog_console_on(void);
u32   syslog_restrict(void);            /* kernel.dmesg_restrict, 0 or 1 */
void  syslog_set_restrict(u32 restrict_);

extern const struct file_ops syslog_file_ops;            /* /proc/kmsg */
