/* SPDX-License-Identifier: Apache-2.0
 *
 * userfaultfd(2): page faults that a program handles.
 */
#pragma once
#include "services/vfs/vfs.h"

/* For the current thread's address space.  flags: O_NONBLOCK, UFFD_USER_MODE_ONLY; O_CLOEXEC is ignored here.  *out
 * counted.  EPERM, EINVAL, ENOMEM. */
err_t userfaultfd_new(const struct actor *who, u32 flags, struct file **out);
