/* SPDX-License-Identifier: Apache-2.0
 *
 * eventfd(2): a counter that processes wait on.
 */
#pragma once
#include "services/vfs/vfs.h"

/* flags: EFD_*, EFD_CLOEXEC is ignored here.  *out counted.  EINVAL, ENOMEM. */
err_t eventfd_new(const struct actor *who, u32 count, u32 flags, struct file **out);
