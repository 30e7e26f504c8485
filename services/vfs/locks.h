/* SPDX-License-Identifier: Apache-2.0
 *
 * Advisory file locks: flock(2), and fcntl(2)'s record locks, owned by a descriptor table
 * (POSIX) or by an open file description (OFD).
 */
#pragma once
#include "services/vfs/file.h"
#include "abi/linux/file.h"

/* flock(2): LOCK_SH, LOCK_EX or LOCK_UN, and LOCK_NB.  EINVAL, EBADF (O_PATH), EAGAIN, ERESTARTSYS, ENOMEM. */
err_t file_flock(struct file *f, u32 operation);
/* F_GETLK, F_OFD_GETLK: *fl becomes what stands in the way, or l_type F_UNLCK. */
err_t file_lock_get(struct file *f, struct files *files, bool ofd, struct linux_flock *fl);
/* F_SETLK, F_SETLKW and their OFD kin.  EAGAIN, EBADF, EDEADLK, EINVAL, EOVERFLOW, ENOMEM, ERESTARTSYS. */
err_t file_lock_set(struct file *f, struct files *files, bool ofd, const struct linux_flock *fl, bool wait);

void locks_init(void);                   /* at boot */
/* For files.c and file.c: a descriptor of `files` closes; a file ends. */
void locks_close(struct inode *inode, struct files *files);
void locks_end(struct inode *inode, struct file *f);
void locks_free(struct inode *inode);    /* at the inode's end */

/* For /proc/locks: the n-th lock of an inode; false past the end. */
struct lock_info { bool flock, ofd, write; u32 pid; u64 start, end; };
bool locks_at(struct inode *inode, u32 n, struct lock_info *out);
