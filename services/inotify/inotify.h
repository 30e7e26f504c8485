/* SPDX-License-Identifier: Apache-2.0
 *
 * inotify(7): descriptors that tell what happens to files.
 */
#pragma once
#include "services/vfs/vfs.h"

/* Events queued per instance before the one that says more were lost; instances and watches per user: /proc/sys/fs/inotify. */
enum inotify_limit { INOTIFY_EVENTS, INOTIFY_INSTANCES, INOTIFY_WATCHES };
#define INOTIFY_LIMITS 3u
u32  inotify_limit(enum inotify_limit which);
void inotify_set_limit(enum inotify_limit which, u32 value);

void inotify_register(void);             /* at boot */
/* flags: IN_CLOEXEC (ignored here), IN_NONBLOCK.  *out counted.  EINVAL, EMFILE, ENOMEM. */
err_t inotify_new(const struct actor *who, u32 flags, struct file **out);
/* mask: IN_* with its options; *wd: new, or the one that watches this inode already.
 * EINVAL (also: f is no inotify), EEXIST, ENOSPC, ENOMEM, and those of a path look-up. */
err_t inotify_add(const struct actor *who, struct file *f, bytes path, u32 mask, i32 *wd);
err_t inotify_remove(struct file *f, i32 wd);            /* EINVAL */
