/* SPDX-License-Identifier: Apache-2.0
 *
 * signalfd(2): signals that are read.
 */
#pragma once
#include "services/vfs/vfs.h"

/* flags: SFD_CLOEXEC (ignored here), SFD_NONBLOCK.  *out counted.  EINVAL, ENOMEM. */
err_t signalfd_new(const struct actor *who, u64 mask, u32 flags, struct file **out);
err_t signalfd_set(struct file *f, u64 mask);            /* EINVAL: f is none */
