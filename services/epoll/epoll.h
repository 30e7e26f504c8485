/* SPDX-License-Identifier: Apache-2.0
 *
 * epoll(7): sets of files to wait for.
 */
#pragma once
#include "services/vfs/vfs.h"
#include "abi/linux/event.h"

void epoll_register(void);               /* at boot */
err_t epoll_new(const struct actor *who, struct file **out);     /* *out counted, published.  ENOMEM */
bool  epoll_is(struct file *f);
/* kcmp(2): the file that item `nth` of descriptor fd watches, counted.  EINVAL: no epoll file; ENOENT. */
err_t epoll_target(struct file *epoll, u32 fd, u32 nth, struct file **out);
/* fd: what `target` is called by the caller; an item is the pair of both.  op: EPOLL_CTL_*.
 * EINVAL, EPERM, EEXIST, ENOENT, ELOOP, ENOMEM; ENOSPC: too many items of the user who made the epoll. */
err_t epoll_control(struct file *epoll, u32 op, struct file *target, u32 fd, struct linux_epoll_event ev);
/* Up to max events (> 0) to user memory at `at`; *n: how many.  deadline: 0: do not wait.  EINVAL: not an epoll file;
 * EFAULT: none could be stored; EINTR. */
err_t epoll_wait_events(struct file *epoll, u64 at, u32 max, u64 deadline, u32 *n);
