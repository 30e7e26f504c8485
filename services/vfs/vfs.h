/* SPDX-License-Identifier: Apache-2.0
 *
 * File system calls on paths.  Each does what the man page of its name says, for `who`;
 * path is the string from user space without its NUL (shorter than PATH_MAX_LEN).
 */
#pragma once
#include "services/vfs/file.h"
#include "services/vfs/files.h"
#include "services/vfs/fs_context.h"
#include "services/vfs/mount.h"
#include "services/vfs/dentry.h"
#include "services/vfs/chrdev.h"

void vfs_init(void);                    /* at boot, first */

struct open_how { u32 flags; u32 mode; u32 resolve; };           /* O_*, mode with O_CREAT, RESOLVE_* */
err_t vfs_open(const struct actor *who, i32 dfd, bytes path, struct open_how how, struct file **out);    /* *out counted */
/* For exec: a regular file, executable, on no noexec mount; writing is denied while it is open. */
err_t vfs_open_exec(const struct actor *who, i32 dfd, bytes path, u32 at_flags, struct file **out);
/* A place already found, without permission checks (kernel's own use). */
err_t vfs_open_path(const struct actor *who, const struct path *p, u32 flags, struct file **out);

/* name_to_handle_at(2): AT_SYMLINK_FOLLOW, AT_EMPTY_PATH.  *place: where it was found, counted; EOPNOTSUPP. */
err_t vfs_name_to_handle(const struct actor *who, i32 dfd, bytes path, u32 at_flags, struct inode_handle *out, struct path *place);
/* open_by_handle_at(2), for who has CAP_DAC_READ_SEARCH: through this mount.  ESTALE. */
err_t vfs_open_by_handle(const struct actor *who, struct mount *mnt, const struct inode_handle *h, u32 flags, struct file **out);

err_t vfs_mkdir(const struct actor *who, i32 dfd, bytes path, u32 mode);
err_t vfs_mknod(const struct actor *who, i32 dfd, bytes path, u32 mode, u64 dev);
/* A FIFO or socket; *made: the new place, counted. */
err_t vfs_mknod_at(const struct actor *who, i32 dfd, bytes path, u32 mode, struct path *made);
err_t vfs_symlink(const struct actor *who, bytes target, i32 dfd, bytes path);
err_t vfs_link(const struct actor *who, i32 old_dfd, bytes old, i32 new_dfd, bytes new, u32 at_flags);
err_t vfs_unlink(const struct actor *who, i32 dfd, bytes path);
err_t vfs_rmdir(const struct actor *who, i32 dfd, bytes path);
err_t vfs_rename(const struct actor *who, i32 old_dfd, bytes old, i32 new_dfd, bytes new, u32 flags);
/* *len: bytes of the target written to out (cut silently). */
err_t vfs_readlink(const struct actor *who, i32 dfd, bytes path, struct io *out);
err_t vfs_chdir(const struct actor *who, bytes path);
err_t vfs_fchdir(const struct actor *who, struct file *f);
/* The text of getcwd with its NUL, into buf; *len with the NUL.  ERANGE, ENOENT. */
err_t vfs_getcwd(const struct actor *who, mbytes buf, usize *len);

/* AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH (with "": dfd itself) in at_flags. */
err_t vfs_stat(const struct actor *who, i32 dfd, bytes path, u32 at_flags, struct stat_info *out);
err_t vfs_fstat(struct file *f, struct stat_info *out);
err_t vfs_access(const struct actor *who, i32 dfd, bytes path, u32 mode, u32 at_flags);          /* R_OK …; AT_EACCESS */
err_t vfs_chmod(const struct actor *who, i32 dfd, bytes path, u32 mode, u32 at_flags);
err_t vfs_chown(const struct actor *who, i32 dfd, bytes path, u32 uid, u32 gid, u32 at_flags);
err_t vfs_fchmod(const struct actor *who, struct file *f, u32 mode);
err_t vfs_fchown(const struct actor *who, struct file *f, u32 uid, u32 gid);
err_t vfs_truncate(const struct actor *who, bytes path, i64 len);
/* times: NULL: both now.  nsec UTIME_NOW and UTIME_OMIT as in utimensat(2). */
struct utimes { struct timestamp atime, mtime; };
err_t vfs_utimens(const struct actor *who, i32 dfd, bytes path, const struct utimes *times, u32 at_flags);
err_t vfs_futimens(const struct actor *who, struct file *f, const struct utimes *times);
err_t vfs_statfs(const struct actor *who, bytes path, struct linux_statfs *out);
err_t vfs_fstatfs(struct file *f, struct linux_statfs *out);
err_t vfs_ustat(u32 dev, struct linux_statfs *out);      /* of the mounted file system with this st_dev: EINVAL */
void  vfs_sync(void);

/* Extended attributes.  *len: size of the value or list; out empty: only that. */
err_t vfs_getxattr(const struct actor *who, const struct path *p, bytes name, mbytes out, usize *len);
/* What security.capability says; false: there is none.  effective: all bits or none.  Takes the inode's lock, shared. */
struct cap_sets;
bool  inode_file_caps(struct inode *inode, struct cap_sets *caps);
err_t vfs_setxattr(const struct actor *who, const struct path *p, bytes name, bytes value, u32 flags);
err_t vfs_listxattr(const struct actor *who, const struct path *p, mbytes out, usize *len);
err_t vfs_removexattr(const struct actor *who, const struct path *p, bytes name);
