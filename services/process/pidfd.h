/* SPDX-License-Identifier: Apache-2.0
 *
 * pidfd_open(2): descriptors of processes.
 */
#pragma once
#include "services/process/pid.h"
#include "services/vfs/file.h"

/* flags: PIDFD_NONBLOCK.  *out counted.  EINVAL: the pid names no process; ENOMEM. */
err_t pidfd_new(const struct actor *who, struct pid *pid, u32 flags, struct file **out);
/* The pid of a pidfd: lives as long as the file is held.  NULL: it is none. */
struct pid *pidfd_pid(struct file *f);
/* The process a pid names, counted, or NULL: it has been reaped. */
struct process *pid_process(struct pid *pid);
