/* SPDX-License-Identifier: Apache-2.0
 *
 * POSIX message queues: mq_overview(7).  A queue is a file of the "mqueue" file system, of which each IPC
 * namespace has one instance.  All may sleep and are called with nothing held.
 */
#pragma once
#include "services/vfs/vfs.h"
#include "abi/linux/ipc.h"

void  mqueue_init(void);                                /* at boot: registers the file system */
err_t mqueue_ns_init(struct ipc_ns *ns);                /* a new namespace's instance; ENOMEM */

/* mq_open(2): name without the leading slash; attr NULL: the defaults.  *out counted. */
struct mq_opening { bytes name; u32 flags, mode; const struct linux_mq_attr *attr; };
err_t mq_open_file(const struct mq_opening *o, struct file **out);
err_t mq_unlink_name(bytes name);                       /* mq_unlink(2) */

/* mq_timedsend(2), mq_timedreceive(2): user addresses; deadline: ns since boot.  EBADF: no queue, or not open so. */
err_t mq_send(struct file *f, u64 at, u64 len, u32 priority, u64 deadline);
err_t mq_receive(struct file *f, u64 at, u64 len, u64 deadline, u32 *priority, u64 *received);

/* mq_notify(2): NULL: no longer.  note: of SIGEV_THREAD, taken over on success: MQ_COOKIE bytes, the last of which will say
 * what has happened. */
OBJECT(netlink_msg);
#define MQ_COOKIE 32u
struct mq_notification { u32 kind, sig; u64 value; struct netlink_msg *note; };
err_t mq_set_notify(struct file *f, const struct mq_notification *n);
/* mq_getsetattr(2): new may be NULL. */
err_t mq_attributes(struct file *f, const struct linux_mq_attr *new, struct linux_mq_attr *old);
