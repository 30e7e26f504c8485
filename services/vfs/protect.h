/* SPDX-License-Identifier: Apache-2.0
 *
 * fs.protected_*: what a user may not do in directories in which others make names too, so that nobody is led to
 * files that he did not mean.  Not even root may, but for hard links.  The rules are those of proc(5).
 */
#pragma once
#include "services/vfs/inode.h"
#include "services/vfs/path.h"

enum protect { PROTECT_HARDLINKS, PROTECT_SYMLINKS, PROTECT_FIFOS, PROTECT_REGULAR };
u32  protect_get(enum protect which);
void protect_set(enum protect which, u32 level);

/* Another name for this inode.  EPERM. */
err_t protect_hardlink(const struct actor *who, struct inode *inode);
/* Is `who` kept from following this link in `dir` at the end of a path?  Takes no count and no lock. */
bool  protect_symlink(const struct actor *who, const struct inode *dir, const struct inode *link);
/* O_CREAT of what exists in `dir`.  EACCES. */
err_t protect_create(const struct actor *who, const struct inode *dir, const struct inode *inode);
