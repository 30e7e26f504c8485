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

/* Leases.  set: F_RDLCK, F_WRLCK or F_UNLCK (give it back); fd: what signals shall tell.  EINVAL, EACCES, EAGAIN, ENOMEM.
 * get: what it is, or shall become. */
err_t file_lease_set(struct file *f, u32 fd, u32 type);
u32   file_lease_get(struct file *f);
/* Before an open or truncation: waits until leases allow it.  EAGAIN: not without waiting; ERESTARTSYS. */
err_t lease_break_slow(struct inode *inode, bool write, bool wait);
static inline err_t lease_break(struct inode *inode, bool write, bool wait)
{
        return PTR_LOAD(inode->locks) ? lease_break_slow(inode, write, wait) : OK;
}
/* fs.leases-enable, fs.lease-break-time (seconds; 0: for ever). */
bool leases_on(void);
void leases_set_on(bool on);
u32  leases_break_time(void);
void leases_set_break_time(u32 seconds);

/* F_NOTIFY: mask: DN_*, added to what was asked; 0: no more.  EINVAL: switched off, ENOTDIR, ENOMEM. */
err_t file_dnotify(struct file *f, struct files *files, u32 fd, u32 mask);
void  dnotify_close(struct file *f, struct files *files);        /* files.c: a descriptor closes */
/* For notify.c: an entry of dir; event: IN_*, kinds: DN_*. */
void  dnotify_event(struct inode *dir, u32 event);
void  dnotify_tell(struct inode *dir, u32 kinds);
bool  dnotify_is_on(struct inode *dir);
bool  dnotify_on(void);                  /* fs.dir-notify-enable */
void  dnotify_set_on(bool on);

void locks_init(void);                   /* at boot */
/* A descriptor of `files` closes, or closed while a lock was set through it; a file ends. */
void locks_close(struct inode *inode, struct files *files);
void locks_end(struct inode *inode, struct file *f);
void locks_free(struct inode *inode);    /* at the inode's end */

/* For /proc: locks of an inode, each followed by those that wait for it; n: how many were put into out, from the `from`-th on;
 * passed: how many there are before, at most `from`.  type: F_RDLCK, F_WRLCK; of a lease that shall go: what it shall become.  via: through which it was taken; files:
 * whose it is, POSIX ones only; not counted. */
enum lock_kind { LOCK_WHOLE, LOCK_POSIX, LOCK_OFD, LOCK_LEASE };
struct lock_info { enum lock_kind kind; u32 type; bool waits, breaking; u32 pid; u64 start, end; struct file *via; struct files *files; };
struct lock_list { u32 n, passed; struct lock_info lock[16]; };
void locks_list(struct inode *inode, u32 from, struct lock_list *out);
/* The next inode of sb that ever had a lock, counted; drops `from` (NULL: the first). */
struct inode *locks_next_inode(struct superblock *sb, struct inode *from);
#define LOCK_TO_THE_END ((u64)I64_MAX)
