/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls on paths: opening, making, removing, attributes, mounts.
 */
#include "services/syscall/calls.h"
#include "services/vfs/vfs.h"
#include "services/vfs/chrdev.h"
#include "services/inotify/inotify.h"
#include "services/process/process.h"
#include "services/security/cred.h"
#include "services/time/clock.h"
#include "abi/linux/file.h"
#include "abi/linux/stat.h"
#include "abi/const/fcntl.h"
#include "abi/const/fs.h"
#include "abi/const/process.h"

/* ---- open ---- */

static err_t open_at(struct call *c, i32 dfd, u64 path_at, struct open_how how)
{
        PATH_ARG(path, path_at);
        struct actor who = actor_current();
        u32 fd = 0, fd_flags = how.flags & O_CLOEXEC ? FD_CLOEXEC : 0;
        struct file *f = NULL;

        TRY(files_reserve(c->t->files, fd_flags, 0, rlimit_get(c->t->process, RLIMIT_NOFILE), &fd));
        err_t err = vfs_open(&who, dfd, path.text, how, &f);
        if (failed(err)) {
                files_unreserve(c->t->files, fd);
                return restartable(err);
        }
        files_set(c->t->files, fd, f);
        c->result = fd;
        return OK;
}

static struct open_how plain_how(u32 flags, u32 mode)
{
        bool makes = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
        return (struct open_how){ .flags = flags, .mode = makes ? mode & S_IALLUGO : 0 };
}

err_t sys_open(struct call *c)   { return open_at(c, AT_FDCWD, arg(c, 0), plain_how(arg_uint(c, 1), arg_uint(c, 2))); }
err_t sys_openat(struct call *c) { return open_at(c, arg_int(c, 0), arg(c, 1), plain_how(arg_uint(c, 2), arg_uint(c, 3))); }
err_t sys_creat(struct call *c)  { return open_at(c, AT_FDCWD, arg(c, 0), plain_how(O_CREAT | O_WRONLY | O_TRUNC, arg_uint(c, 1))); }

err_t sys_openat2(struct call *c)
{
        struct linux_open_how abi = {};
        u64 size = arg(c, 3);

        if (size < sizeof abi)
                return ERR(EINVAL);
        if (size > PAGE_SIZE)
                return ERR(E2BIG);
        TRY(call_get_versioned(MBYTES_OF(abi), arg(c, 2), size));
        if (abi.flags > U32_MAX || (abi.flags & ~(u64)VALID_OPEN_FLAGS) || (abi.mode & ~(u64)S_IALLUGO))
                return ERR(EINVAL);
        bool makes = (abi.flags & O_CREAT) || (abi.flags & O_TMPFILE) == O_TMPFILE;
        if (!makes && abi.mode)
                return ERR(EINVAL);
        if (abi.resolve & ~(u64)(RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH |
                                 RESOLVE_IN_ROOT | RESOLVE_CACHED))
                return ERR(EINVAL);
        if ((abi.resolve & RESOLVE_BENEATH) && (abi.resolve & RESOLVE_IN_ROOT))
                return ERR(EINVAL);
        if ((abi.flags & O_PATH) && (abi.flags & ~(u64)(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)))
                return ERR(EINVAL);
        if ((abi.flags & O_DIRECTORY) && (abi.flags & O_CREAT))
                return ERR(EINVAL);
        if ((abi.resolve & RESOLVE_CACHED) && (makes || (abi.flags & O_TRUNC)))
                return ERR(EAGAIN);
        return open_at(c, arg_int(c, 0), arg(c, 1),
                       (struct open_how){ .flags = (u32)abi.flags, .mode = (u32)abi.mode, .resolve = (u32)abi.resolve });
}

/* ---- handles ---- */

#define HANDLE_LEN   12u                /* generation and inode number, and so their type is 1 */
#define HANDLE_TYPE  1
#define HANDLE_NONE  255                /* the type that goes with EOVERFLOW */
#define HANDLE_MAX   128u
struct handle_head { u32 bytes; i32 type; };    /* struct file_handle; what follows is at HEAD_LEN */
struct handle_body { u32 generation, ino_low, ino_high; };
#define HEAD_LEN     sizeof(struct handle_head)

static err_t put_handle(struct call *c, const struct inode_handle *h, u32 mount_id)
{
        u64 at = arg(c, 2);
        struct handle_head head = {};
        struct handle_body body = { h->generation, (u32)h->ino, (u32)(h->ino >> 32) };

        TRY(GET_USER(head, at));
        if (head.bytes > HANDLE_MAX)
                return ERR(EINVAL);
        bool fits = head.bytes >= HANDLE_LEN;
        head = (struct handle_head){ HANDLE_LEN, fits ? HANDLE_TYPE : HANDLE_NONE };
        TRY(PUT_USER(arg(c, 3), mount_id));
        TRY(PUT_USER(at, head));
        return fits ? PUT_USER(at + HEAD_LEN, body) : ERR(EOVERFLOW);
}

err_t sys_name_to_handle_at(struct call *c)
{
        u32 flags = arg_uint(c, 4);
        struct actor who = actor_current();
        struct inode_handle h = {};
        struct path place = {};

        if (flags & ~(u32)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
                return ERR(EINVAL);
        PATH_ARG(path, arg(c, 1));
        TRY(vfs_name_to_handle(&who, arg_int(c, 0), path.text, flags, &h, &place));
        u32 mount_id = place.mnt->id;
        path_drop(&place);
        return put_handle(c, &h, mount_id);
}

static err_t get_handle(u64 at, struct inode_handle *h)
{
        struct handle_head head = {};
        struct handle_body body = {};

        TRY(GET_USER(head, at));
        if (head.bytes == 0 || head.bytes > HANDLE_MAX)
                return ERR(EINVAL);
        u8 raw[HANDLE_MAX] = {};
        TRY(vm_copy_in(mbytes_take(MBYTES_OF(raw), head.bytes), at + HEAD_LEN));
        mbytes_copy(MBYTES_OF(body), BYTES_OF(raw));
        if (head.bytes >= HANDLE_LEN)
                *h = (struct inode_handle){ .ino = body.ino_low | (u64)body.ino_high << 32, .generation = body.generation };
        return OK;
}

err_t sys_open_by_handle_at(struct call *c)
{
        struct actor who = actor_current();
        struct inode_handle h = {};             /* no inode has number 0 */
        u32 flags = arg_uint(c, 2);
        struct path cwd = {};
        struct fd_ref r = {};
        struct file *f = NULL;

        if (!cred_has(who.cred, CAP_DAC_READ_SEARCH))
                return ERR(EPERM);
        TRY(get_handle(arg(c, 1), &h));
        if (arg_int(c, 0) == AT_FDCWD) {
                cwd = fs_cwd(who.fs);
        } else {
                r = fd_get(c->t->files, arg_uint(c, 0));
                if (!r.file)
                        return ERR(EBADF);
        }
        err_t err = vfs_open_by_handle(&who, r.file ? r.file->path.mnt : cwd.mnt, &h, flags, &f);
        if (r.file)
                fd_put(r);
        path_drop(&cwd);
        TRY(restartable(err));
        return call_add_file(c, f, (flags & O_CLOEXEC) != 0);
}

/* ---- names ---- */

static err_t make_directory(i32 dfd, u64 path_at, u32 mode)
{
        PATH_ARG(path, path_at);
        struct actor who = actor_current();
        return vfs_mkdir(&who, dfd, path.text, mode);
}

err_t sys_mkdir(struct call *c)   { return make_directory(AT_FDCWD, arg(c, 0), arg_uint(c, 1)); }
err_t sys_mkdirat(struct call *c) { return make_directory(arg_int(c, 0), arg(c, 1), arg_uint(c, 2)); }

static err_t make_node(i32 dfd, u64 path_at, u32 mode, u64 dev)
{
        PATH_ARG(path, path_at);
        struct actor who = actor_current();
        return vfs_mknod(&who, dfd, path.text, mode, dev);
}

err_t sys_mknod(struct call *c)   { return make_node(AT_FDCWD, arg(c, 0), arg_uint(c, 1), arg_uint(c, 2)); }
err_t sys_mknodat(struct call *c) { return make_node(arg_int(c, 0), arg(c, 1), arg_uint(c, 2), arg_uint(c, 3)); }

static err_t make_symlink(u64 target_at, i32 dfd, u64 path_at)
{
        PATH_ARG(target, target_at);
        PATH_ARG(path, path_at);
        struct actor who = actor_current();
        return vfs_symlink(&who, target.text, dfd, path.text);
}

err_t sys_symlink(struct call *c)   { return make_symlink(arg(c, 0), AT_FDCWD, arg(c, 1)); }
err_t sys_symlinkat(struct call *c) { return make_symlink(arg(c, 0), arg_int(c, 1), arg(c, 2)); }

static err_t make_link(i32 old_dfd, u64 old_at, i32 new_dfd, u64 new_at, u32 flags)
{
        if (flags & ~(u32)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
                return ERR(EINVAL);
        PATH_ARG(old, old_at);
        PATH_ARG(new, new_at);
        struct actor who = actor_current();
        return vfs_link(&who, old_dfd, old.text, new_dfd, new.text, flags);
}

err_t sys_link(struct call *c)   { return make_link(AT_FDCWD, arg(c, 0), AT_FDCWD, arg(c, 1), 0); }
err_t sys_linkat(struct call *c) { return make_link(arg_int(c, 0), arg(c, 1), arg_int(c, 2), arg(c, 3), arg_uint(c, 4)); }

static err_t remove_name(i32 dfd, u64 path_at, bool directory)
{
        PATH_ARG(path, path_at);
        struct actor who = actor_current();
        return directory ? vfs_rmdir(&who, dfd, path.text) : vfs_unlink(&who, dfd, path.text);
}

err_t sys_unlink(struct call *c) { return remove_name(AT_FDCWD, arg(c, 0), false); }
err_t sys_rmdir(struct call *c)  { return remove_name(AT_FDCWD, arg(c, 0), true); }
err_t sys_unlinkat(struct call *c)
{
        if (arg_uint(c, 2) & ~(u32)AT_REMOVEDIR)
                return ERR(EINVAL);
        return remove_name(arg_int(c, 0), arg(c, 1), arg_uint(c, 2) & AT_REMOVEDIR);
}

static err_t rename_to(i32 old_dfd, u64 old_at, i32 new_dfd, u64 new_at, u32 flags)
{
        PATH_ARG(old, old_at);
        PATH_ARG(new, new_at);
        struct actor who = actor_current();
        return vfs_rename(&who, old_dfd, old.text, new_dfd, new.text, flags);
}

err_t sys_rename(struct call *c)    { return rename_to(AT_FDCWD, arg(c, 0), AT_FDCWD, arg(c, 1), 0); }
err_t sys_renameat(struct call *c)  { return rename_to(arg_int(c, 0), arg(c, 1), arg_int(c, 2), arg(c, 3), 0); }
err_t sys_renameat2(struct call *c) { return rename_to(arg_int(c, 0), arg(c, 1), arg_int(c, 2), arg(c, 3), arg_uint(c, 4)); }

static err_t read_link(struct call *c, i32 dfd, u64 path_at, u64 buf, i32 size)
{
        if (size <= 0)
                return ERR(EINVAL);
        PATH_ARG(path, path_at);
        struct actor who = actor_current();
        struct io io = io_user(buf, (usize)size);
        TRY(vfs_readlink(&who, dfd, path.text, &io));
        c->result = io_done(&io);
        return OK;
}

err_t sys_readlink(struct call *c)   { return read_link(c, AT_FDCWD, arg(c, 0), arg(c, 1), arg_int(c, 2)); }
err_t sys_readlinkat(struct call *c) { return read_link(c, arg_int(c, 0), arg(c, 1), arg(c, 2), arg_int(c, 3)); }

/* ---- where the process stands ---- */

err_t sys_chdir(struct call *c)
{
        PATH_ARG(path, arg(c, 0));
        struct actor who = actor_current();
        return vfs_chdir(&who, path.text);
}

err_t sys_fchdir(struct call *c)
{
        struct fd_ref r = fd_get_path(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        struct actor who = actor_current();
        err_t err = vfs_fchdir(&who, r.file);
        fd_put(r);
        return err;
}

err_t sys_chroot(struct call *c)
{
        PATH_ARG(path, arg(c, 0));
        struct actor who = actor_current();
        return vfs_chroot(&who, path.text);
}

err_t sys_getcwd(struct call *c)
{
        struct blob *buf CLEANUP(drop_blob) = blob_alloc(c->t->payer, PATH_MAX_LEN);
        usize len = 0;
        if (!buf)
                return ERR(ENOMEM);
        struct actor who = actor_current();
        TRY(vfs_getcwd(&who, mbytes_take(blob_mbytes(buf), min_u64(PATH_MAX_LEN, arg(c, 1))), &len));
        c->result = len;
        return vm_copy_out(arg(c, 0), bytes_take(blob_bytes(buf), len));
}

err_t sys_umask(struct call *c)
{
        c->result = fs_set_umask(c->t->fs, arg_uint(c, 0) & 0777);
        return OK;
}

/* ---- stat ---- */

static err_t put_stat(u64 at, const struct stat_info *st)
{
        struct linux_stat abi = {
                .st_dev = st->dev, .st_ino = st->ino, .st_nlink = st->nlink, .st_mode = st->mode,
                .st_uid = st->uid, .st_gid = st->gid, .st_rdev = st->rdev, .st_size = (i64)st->size,
                .st_blksize = (i64)st->blksize, .st_blocks = (i64)st->blocks,
                .st_atime = (u64)st->atime.sec, .st_atime_nsec = st->atime.nsec,
                .st_mtime = (u64)st->mtime.sec, .st_mtime_nsec = st->mtime.nsec,
                .st_ctime = (u64)st->ctime.sec, .st_ctime_nsec = st->ctime.nsec,
        };
        return PUT_USER(at, abi);
}

static err_t stat_path(i32 dfd, u64 path_at, u32 flags, u64 at)
{
        PATH_ARG(path, path_at);
        struct actor who = actor_current();
        struct stat_info st = {};
        TRY(vfs_stat(&who, dfd, path.text, flags, &st));
        return put_stat(at, &st);
}

err_t sys_stat(struct call *c)  { return stat_path(AT_FDCWD, arg(c, 0), 0, arg(c, 1)); }
err_t sys_lstat(struct call *c) { return stat_path(AT_FDCWD, arg(c, 0), AT_SYMLINK_NOFOLLOW, arg(c, 1)); }

err_t sys_newfstatat(struct call *c)
{
        if (arg_uint(c, 3) & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
                return ERR(EINVAL);
        return stat_path(arg_int(c, 0), arg(c, 1), arg_uint(c, 3), arg(c, 2));
}

err_t sys_fstat(struct call *c)
{
        struct fd_ref r = fd_get_path(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        struct stat_info st = {};
        err_t err = vfs_fstat(r.file, &st);
        fd_put(r);
        TRY(err);
        return put_stat(arg(c, 1), &st);
}

static struct linux_statx_timestamp statx_time(struct timestamp t)
{
        return (struct linux_statx_timestamp){ .tv_sec = t.sec, .tv_nsec = t.nsec };
}

err_t sys_statx(struct call *c)
{
        u32 flags = arg_uint(c, 2), mask = arg_uint(c, 3);
        if ((mask & STATX__RESERVED) || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE ||
            (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE)))
                return ERR(EINVAL);
        PATH_ARG(path, arg(c, 1));
        struct actor who = actor_current();
        struct stat_info st = {};
        TRY(vfs_stat(&who, arg_int(c, 0), path.text, flags, &st));
        struct linux_statx abi = {
                .stx_mask = STATX_BASIC_STATS | st.mask, .stx_blksize = st.blksize, .stx_attributes = st.attributes,
                .stx_attributes_mask = st.attributes_mask, .stx_nlink = st.nlink, .stx_uid = st.uid, .stx_gid = st.gid,
                .stx_mode = (u16)st.mode, .stx_ino = st.ino, .stx_size = st.size, .stx_blocks = st.blocks,
                .stx_atime = statx_time(st.atime), .stx_btime = statx_time(st.btime),
                .stx_ctime = statx_time(st.ctime), .stx_mtime = statx_time(st.mtime),
                .stx_rdev_major = dev_major(st.rdev), .stx_rdev_minor = dev_minor(st.rdev),
                .stx_dev_major = dev_major(st.dev), .stx_dev_minor = dev_minor(st.dev), .stx_mnt_id = st.mnt_id,
        };
        return PUT_USER(arg(c, 4), abi);
}

static err_t put_statfs(u64 at, const struct linux_statfs *st)
{
        struct linux_statfs abi = *st;
        return PUT_USER(at, abi);
}

static bytes name_of_type(const struct fs_type *type)
{
        bytes name = BYTES_OF(type->name);
        return bytes_take(name, bytes_find(name, 0));
}

err_t sys_statfs(struct call *c)
{
        PATH_ARG(path, arg(c, 0));
        struct actor who = actor_current();
        struct linux_statfs st = {};
        TRY(vfs_statfs(&who, path.text, &st));
        return put_statfs(arg(c, 1), &st);
}

err_t sys_fstatfs(struct call *c)
{
        struct fd_ref r = fd_get_path(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        struct linux_statfs st = {};
        err_t err = vfs_fstatfs(r.file, &st);
        fd_put(r);
        TRY(err);
        return put_statfs(arg(c, 1), &st);
}

err_t sys_ustat(struct call *c)
{
        struct linux_ustat out = {};
        struct linux_statfs st = {};

        TRY(vfs_ustat(arg_uint(c, 0), &st));
        out.f_tfree = (i32)st.f_bfree;
        out.f_tinode = (u64)st.f_ffree;
        return PUT_USER(arg(c, 1), out);
}

/* sysfs(2): 1 the index of a type's name, 2 the name of an index, 3 how many there are. */
err_t sys_sysfs(struct call *c)
{
        const struct fs_type *type;

        switch (arg_uint(c, 0)) {
        case 1: {
                PATH_ARG(name, arg(c, 1));
                for (u32 i = 0; (type = fs_at(i)); i++) {
                        if (bytes_eq(name_of_type(type), name.text)) {
                                c->result = i;
                                return OK;
                        }
                }
                return ERR(EINVAL);
        }
        case 2: {
                type = fs_at(arg_uint(c, 1));
                if (!type)
                        return ERR(EINVAL);
                u8 text[sizeof type->name + 1] = {};
                usize n = mbytes_copy(MBYTES_OF(text), name_of_type(type));
                return vm_copy_out(arg(c, 2), bytes_take(BYTES_OF(text), n + 1));
        }
        case 3:
                while (fs_at((u32)c->result))
                        c->result++;
                return OK;
        default:
                return ERR(EINVAL);
        }
}

static err_t check_access(i32 dfd, u64 path_at, u32 mode, u32 flags)
{
        if ((mode & ~7u) || (flags & ~(u32)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
                return ERR(EINVAL);
        PATH_ARG(path, path_at);
        struct actor who = actor_current();
        return vfs_access(&who, dfd, path.text, mode, flags);
}

err_t sys_access(struct call *c)     { return check_access(AT_FDCWD, arg(c, 0), arg_uint(c, 1), 0); }
err_t sys_faccessat(struct call *c)  { return check_access(arg_int(c, 0), arg(c, 1), arg_uint(c, 2), 0); }
err_t sys_faccessat2(struct call *c) { return check_access(arg_int(c, 0), arg(c, 1), arg_uint(c, 2), arg_uint(c, 3)); }

/* ---- changing attributes ---- */

static err_t change_mode(i32 dfd, u64 path_at, u32 mode)
{
        PATH_ARG(path, path_at);
        struct actor who = actor_current();
        return vfs_chmod(&who, dfd, path.text, mode & S_IALLUGO, 0);
}

err_t sys_chmod(struct call *c)    { return change_mode(AT_FDCWD, arg(c, 0), arg_uint(c, 1)); }
err_t sys_fchmodat(struct call *c) { return change_mode(arg_int(c, 0), arg(c, 1), arg_uint(c, 2)); }

err_t sys_fchmod(struct call *c)
{
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        struct actor who = actor_current();
        err_t err = vfs_fchmod(&who, r.file, arg_uint(c, 1) & S_IALLUGO);
        fd_put(r);
        return err;
}

static err_t change_owner(i32 dfd, u64 path_at, u32 uid, u32 gid, u32 flags)
{
        if (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
                return ERR(EINVAL);
        PATH_ARG(path, path_at);
        struct actor who = actor_current();
        return vfs_chown(&who, dfd, path.text, uid, gid, flags);
}

err_t sys_chown(struct call *c)    { return change_owner(AT_FDCWD, arg(c, 0), arg_uint(c, 1), arg_uint(c, 2), 0); }
err_t sys_lchown(struct call *c)   { return change_owner(AT_FDCWD, arg(c, 0), arg_uint(c, 1), arg_uint(c, 2), AT_SYMLINK_NOFOLLOW); }
err_t sys_fchownat(struct call *c) { return change_owner(arg_int(c, 0), arg(c, 1), arg_uint(c, 2), arg_uint(c, 3), arg_uint(c, 4)); }

err_t sys_fchown(struct call *c)
{
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        struct actor who = actor_current();
        err_t err = vfs_fchown(&who, r.file, arg_uint(c, 1), arg_uint(c, 2));
        fd_put(r);
        return err;
}

err_t sys_truncate(struct call *c)
{
        if ((i64)arg(c, 1) < 0)
                return ERR(EINVAL);
        PATH_ARG(path, arg(c, 0));
        struct actor who = actor_current();
        return vfs_truncate(&who, path.text, (i64)arg(c, 1));
}

static err_t set_times(i32 dfd, u64 path_at, const struct utimes *times, u32 flags)
{
        struct actor who = actor_current();
        if (!path_at && dfd != AT_FDCWD) {              /* utimensat(fd, NULL): the descriptor itself */
                if (flags)
                        return ERR(EINVAL);
                struct fd_ref r = fd_get(thread_current()->files, (u32)dfd);
                if (!r.file)
                        return ERR(EBADF);
                err_t err = vfs_futimens(&who, r.file, times);
                fd_put(r);
                return err;
        }
        PATH_ARG(path, path_at);
        return vfs_utimens(&who, dfd, path.text, times, flags);
}

static bool is_valid_nsec(i64 nsec)
{
        return (nsec >= 0 && nsec < (i64)NSEC_PER_SEC) || nsec == UTIME_NOW || nsec == UTIME_OMIT;
}

err_t sys_utimensat(struct call *c)
{
        struct linux_timespec ts[2] = {};
        struct utimes times = {};
        u32 flags = arg_uint(c, 3);

        if (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
                return ERR(EINVAL);
        if (!arg(c, 2))
                return set_times(arg_int(c, 0), arg(c, 1), NULL, flags);
        TRY(GET_USER(ts, arg(c, 2)));
        if (!is_valid_nsec(ts[0].tv_nsec) || !is_valid_nsec(ts[1].tv_nsec))
                return ERR(EINVAL);
        if (ts[0].tv_nsec == UTIME_OMIT && ts[1].tv_nsec == UTIME_OMIT)
                return OK;
        times.atime = (struct timestamp){ .sec = ts[0].tv_sec, .nsec = (u32)ts[0].tv_nsec };
        times.mtime = (struct timestamp){ .sec = ts[1].tv_sec, .nsec = (u32)ts[1].tv_nsec };
        return set_times(arg_int(c, 0), arg(c, 1), &times, flags);
}

static err_t set_timevals(i32 dfd, u64 path_at, u64 tv_at)
{
        struct linux_timeval tv[2] = {};
        struct utimes times = {};

        if (!tv_at)
                return set_times(dfd, path_at, NULL, 0);
        TRY(GET_USER(tv, tv_at));
        if ((u64)tv[0].tv_usec >= 1000000 || (u64)tv[1].tv_usec >= 1000000)
                return ERR(EINVAL);
        times.atime = (struct timestamp){ .sec = tv[0].tv_sec, .nsec = (u32)tv[0].tv_usec * 1000 };
        times.mtime = (struct timestamp){ .sec = tv[1].tv_sec, .nsec = (u32)tv[1].tv_usec * 1000 };
        return set_times(dfd, path_at, &times, 0);
}

err_t sys_utimes(struct call *c)    { return set_timevals(AT_FDCWD, arg(c, 0), arg(c, 1)); }
err_t sys_futimesat(struct call *c) { return set_timevals(arg_int(c, 0), arg(c, 1), arg(c, 2)); }

err_t sys_utime(struct call *c)
{
        struct linux_utimbuf buf = {};
        struct utimes times = {};

        if (!arg(c, 1))
                return set_times(AT_FDCWD, arg(c, 0), NULL, 0);
        TRY(GET_USER(buf, arg(c, 1)));
        times.atime.sec = buf.actime;
        times.mtime.sec = buf.modtime;
        return set_times(AT_FDCWD, arg(c, 0), &times, 0);
}

/* ---- mounts ---- */

/* The data string of mount(2): a page at most, cut at its end. */
static err_t get_options(u64 at, struct blob *into, usize *len)
{
        *len = 0;
        if (!at)
                return OK;
        err_t err = vm_copy_string(mbytes_take(blob_mbytes(into), PAGE_SIZE), at, len);
        if (err_is(err, ENAMETOOLONG))
                *len = PAGE_SIZE;
        return err_is(err, ENAMETOOLONG) ? OK : err;
}

/* A source or type: no name in the tree, though it is as long as one. */
static struct path_arg optional_path(struct scratch *small, u64 at)
{
        if (!at)
                return (struct path_arg){ .text = NO_BYTES };
        struct path_arg a = path_arg_get(small, at);
        if (err_is(a.err, ENAMETOOLONG))
                a.err = ERR(EINVAL);
        return a;
}

err_t sys_mount(struct call *c)
{
        struct blob *options CLEANUP(drop_blob) = blob_alloc(c->t->payer, PAGE_SIZE);
        usize len = 0;

        if (!options)
                return ERR(ENOMEM);
        SCRATCH(type_scratch);
        struct path_arg type CLEANUP(path_arg_drop) = optional_path(&type_scratch, arg(c, 2));
        TRY(type.err);
        SCRATCH(source_scratch);
        struct path_arg source CLEANUP(path_arg_drop) = optional_path(&source_scratch, arg(c, 0));
        TRY(source.err);
        TRY(get_options(arg(c, 4), options, &len));
        PATH_ARG(target, arg(c, 1));
        struct actor who = actor_current();
        struct mount_args args = {
                .source = source.text, .target = target.text, .type = type.text, .no_type = arg(c, 2) == 0,
                .options = bytes_take(blob_bytes(options), len), .flags = arg(c, 3),
        };
        return vfs_mount(&who, &args);
}

err_t sys_umount2(struct call *c)
{
        PATH_ARG(path, arg(c, 0));
        struct actor who = actor_current();
        return vfs_umount(&who, path.text, arg_uint(c, 1));
}

err_t sys_pivot_root(struct call *c)
{
        PATH_ARG(root, arg(c, 0));
        PATH_ARG(old, arg(c, 1));
        struct actor who = actor_current();
        return vfs_pivot_root(&who, root.text, old.text);
}

/* ---- extended attributes ---- */

#define XATTR_NAME_LEN 255u
#define XATTR_VALUE_LEN 65536u

struct xattr_name { u8 text[XATTR_NAME_LEN + 1]; usize len; };

static err_t get_xattr_name(u64 at, struct xattr_name *name)
{
        err_t err = vm_copy_string(MBYTES_OF(name->text), at, &name->len);
        if (err_is(err, ENAMETOOLONG) || (succeeded(err) && !name->len))
                return ERR(ERANGE);
        return err;
}

enum xattr_verb { XATTR_GET, XATTR_SET, XATTR_LIST, XATTR_REMOVE };
struct xattr_call { enum xattr_verb verb; u64 name, value, size; u32 flags; };

static err_t xattr_on(struct call *c, const struct path *p, struct xattr_call x)
{
        struct xattr_name name = {};
        struct actor who = actor_current();
        usize len = 0;
        err_t err;

        if (x.verb != XATTR_LIST)
                TRY(get_xattr_name(x.name, &name));
        bytes text = bytes_take(BYTES_OF(name.text), name.len);
        if (x.verb == XATTR_REMOVE)
                return vfs_removexattr(&who, p, text);
        if (x.verb == XATTR_SET && x.size > XATTR_VALUE_LEN)
                return ERR(E2BIG);
        usize size = min_u64(x.size, XATTR_VALUE_LEN);
        struct blob *value CLEANUP(drop_blob) = blob_alloc(c->t->payer, size ? size : 1);
        if (!value)
                return ERR(ENOMEM);
        mbytes buf = mbytes_take(blob_mbytes(value), size);
        if (x.verb == XATTR_SET) {
                TRY(vm_copy_in(buf, x.value));
                return vfs_setxattr(&who, p, text, bytes_const(buf), x.flags);
        }
        if (x.verb == XATTR_GET)
                TRY(vfs_getxattr(&who, p, text, buf, &len));
        else if (failed(err = vfs_listxattr(&who, p, buf, &len)))
                return err_is(err, ERANGE) && size == XATTR_VALUE_LEN ? ERR(E2BIG) : err;       /* there is no more room to be had */
        c->result = len;
        return size ? vm_copy_out(x.value, bytes_take(bytes_const(buf), len)) : OK;
}

static err_t xattr_path(struct call *c, u64 path_at, bool follow, struct xattr_call x)
{
        PATH_ARG(path, path_at);
        struct actor who = actor_current();
        struct path p CLEANUP(path_drop) = {};
        TRY(path_lookup(&who, walk_at(AT_FDCWD, follow ? LOOK_FOLLOW : 0), path.text, &p));
        return xattr_on(c, &p, x);
}

static err_t xattr_fd(struct call *c, struct xattr_call x)
{
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        struct path p CLEANUP(path_drop) = path_hold(&r.file->path);
        fd_put(r);
        return xattr_on(c, &p, x);
}

static struct xattr_call x_get(struct call *c)  { return (struct xattr_call){ XATTR_GET, arg(c, 1), arg(c, 2), arg(c, 3), 0 }; }
static struct xattr_call x_set(struct call *c)  { return (struct xattr_call){ XATTR_SET, arg(c, 1), arg(c, 2), arg(c, 3), arg_uint(c, 4) }; }
static struct xattr_call x_list(struct call *c) { return (struct xattr_call){ XATTR_LIST, 0, arg(c, 1), arg(c, 2), 0 }; }
static struct xattr_call x_del(struct call *c)  { return (struct xattr_call){ XATTR_REMOVE, arg(c, 1), 0, 0, 0 }; }

err_t sys_getxattr(struct call *c)     { return xattr_path(c, arg(c, 0), true, x_get(c)); }
err_t sys_lgetxattr(struct call *c)    { return xattr_path(c, arg(c, 0), false, x_get(c)); }
err_t sys_fgetxattr(struct call *c)    { return xattr_fd(c, x_get(c)); }
err_t sys_setxattr(struct call *c)     { return xattr_path(c, arg(c, 0), true, x_set(c)); }
err_t sys_lsetxattr(struct call *c)    { return xattr_path(c, arg(c, 0), false, x_set(c)); }
err_t sys_fsetxattr(struct call *c)    { return xattr_fd(c, x_set(c)); }
err_t sys_listxattr(struct call *c)    { return xattr_path(c, arg(c, 0), true, x_list(c)); }
err_t sys_llistxattr(struct call *c)   { return xattr_path(c, arg(c, 0), false, x_list(c)); }
err_t sys_flistxattr(struct call *c)   { return xattr_fd(c, x_list(c)); }
err_t sys_removexattr(struct call *c)  { return xattr_path(c, arg(c, 0), true, x_del(c)); }
err_t sys_lremovexattr(struct call *c) { return xattr_path(c, arg(c, 0), false, x_del(c)); }
err_t sys_fremovexattr(struct call *c) { return xattr_fd(c, x_del(c)); }

/* ---- inotify ---- */

static err_t make_inotify(struct call *c, u32 flags)
{
        struct actor who = actor_current();
        struct file *f = NULL;
        u32 fd = 0;

        TRY(inotify_new(&who, flags, &f));
        err_t err = files_add(c->t->files, f, flags & IN_CLOEXEC ? FD_CLOEXEC : 0, 0, rlimit_get(c->t->process, RLIMIT_NOFILE), &fd);
        if (failed(err))
                file_drop(f);
        c->result = fd;
        return err;
}

err_t sys_inotify_init(struct call *c)  { return make_inotify(c, 0); }
err_t sys_inotify_init1(struct call *c) { return make_inotify(c, arg_uint(c, 0)); }

err_t sys_inotify_add_watch(struct call *c)
{
        struct actor who = actor_current();
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        i32 wd = 0;

        if (!r.file)
                return ERR(EBADF);
        PATH_ARG_GET(path, arg(c, 1));
        err_t err = path.err;
        if (succeeded(err))
                err = inotify_add(&who, r.file, path.text, arg_uint(c, 2), &wd);
        fd_put(r);
        c->result = (u64)wd;
        return err;
}

err_t sys_inotify_rm_watch(struct call *c)
{
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        err_t err = inotify_remove(r.file, arg_int(c, 1));
        fd_put(r);
        return err;
}
