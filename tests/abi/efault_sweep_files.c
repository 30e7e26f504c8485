/* SPDX-License-Identifier: Apache-2.0
 *
 * efault_sweep_files: each pointer of each call about files and paths, bad in each way that there is.
 */
#include "sweep.h"
#include <sys/epoll.h>
#include <sys/stat.h>

int main(void)
{
        static char  text[PAGE];
        static struct iovec v = { text, 4 };
        int          p[2], dir;

        start_sweep();
        put_text("file", "0123456789");
        mkdir("dir", 0755);
        symlink("file", "link");
        int fd = open("file", O_RDWR);
        dir = open(".", O_RDONLY);
        must(pipe2(p, O_NONBLOCK) == 0, "pipe");
        write(p[1], "0123456789", 10);
        int e = epoll_create1(0);

        SWEEP("read", syscall(SYS_read, fd, bad, 16));
        SWEEP("read of a pipe", syscall(SYS_read, p[0], bad, 1));
        SWEEP("pread64", syscall(SYS_pread64, fd, bad, 16, 0));
        SWEEP("write", syscall(SYS_write, p[1], bad, 1));
        SWEEP("pwrite64", syscall(SYS_pwrite64, fd, bad, 1, 0));
        SWEEP("readv: vector", syscall(SYS_readv, fd, bad, 1));
        SWEEP("preadv: base", ({ struct iovec w = { bad, 8 }; syscall(SYS_preadv, fd, &w, 1, 0, 0); }));
        SWEEP("pwritev: base", ({ struct iovec w = { bad, 1 }; syscall(SYS_pwritev, fd, &w, 1, 0, 0); }));
        SWEEP("open", syscall(SYS_open, bad, 0));
        SWEEP("openat", syscall(SYS_openat, AT_FDCWD, bad, 0));
        SWEEP("openat2: how", syscall(SYS_openat2, AT_FDCWD, "file", bad, 24));
        SWEEP("creat", syscall(SYS_creat, bad, 0));
        SWEEP("stat: path", syscall(SYS_stat, bad, text));
        SWEEP("stat: buffer", syscall(SYS_stat, "file", bad));
        SWEEP("fstat", syscall(SYS_fstat, fd, bad));
        SWEEP("lstat", syscall(SYS_lstat, "link", bad));
        SWEEP("newfstatat", syscall(SYS_newfstatat, AT_FDCWD, "file", bad, 0));
        SWEEP("statx: buffer", syscall(SYS_statx, AT_FDCWD, "file", 0, 0x7ff, bad));
        SWEEP("statfs", syscall(SYS_statfs, ".", bad));
        SWEEP("fstatfs", syscall(SYS_fstatfs, fd, bad));
        SWEEP("access", syscall(SYS_access, bad, 0));
        SWEEP("mkdir", syscall(SYS_mkdir, bad, 0));
        SWEEP("rmdir", syscall(SYS_rmdir, bad));
        SWEEP("mknod", syscall(SYS_mknod, bad, S_IFREG, 0));
        SWEEP("unlink", syscall(SYS_unlink, bad));
        SWEEP("rename: old", syscall(SYS_rename, bad, "x"));
        SWEEP("rename: new", syscall(SYS_rename, "file", bad));
        SWEEP("link: old", syscall(SYS_link, bad, "x"));
        SWEEP("link: new", syscall(SYS_link, "file", bad));
        SWEEP("symlink: target", syscall(SYS_symlink, bad, "dir"));
        SWEEP("readlink: path", syscall(SYS_readlink, bad, text, 10));
        SWEEP("readlink: buffer", syscall(SYS_readlink, "link", bad, 100));
        SWEEP("chdir", syscall(SYS_chdir, bad));
        SWEEP("chroot", syscall(SYS_chroot, bad));
        SWEEP("getcwd", syscall(SYS_getcwd, bad, 4096));
        SWEEP("chmod", syscall(SYS_chmod, bad, 0));
        SWEEP("chown", syscall(SYS_chown, bad, 0, 0));
        SWEEP("truncate", syscall(SYS_truncate, bad, 0));
        SWEEP("utimensat: times", syscall(SYS_utimensat, AT_FDCWD, "file", bad, 0));
        SWEEP("utime", syscall(SYS_utime, "file", bad));
        SWEEP("utimes", syscall(SYS_utimes, "file", bad));
        SWEEP("getdents64", ({ lseek(dir, 0, SEEK_SET); syscall(SYS_getdents64, dir, bad, 4096); }));
        SWEEP("setxattr: name", syscall(SYS_setxattr, "file", bad, "1", 1, 0));
        SWEEP("setxattr: value", syscall(SYS_setxattr, "file", "trusted.x", bad, 4, 2));
        SWEEP("getxattr: name", syscall(SYS_getxattr, "file", bad, text, 10));
        SWEEP("listxattr: path", syscall(SYS_listxattr, bad, text, 10));
        SWEEP("removexattr", syscall(SYS_removexattr, "file", bad));
        SWEEP("pipe2", syscall(SYS_pipe2, bad, 0));
        SWEEP("sendfile: offset", syscall(SYS_sendfile, p[1], fd, bad, 0));
        SWEEP("splice: offset", syscall(SYS_splice, fd, bad, p[1], NULL, 1, 2));
        SWEEP("copy_file_range: offset", syscall(SYS_copy_file_range, fd, bad, fd, NULL, 0, 0));
        SWEEP("vmsplice: vector", syscall(SYS_vmsplice, p[1], bad, 1, 2));
        SWEEP("F_GETLK", syscall(SYS_fcntl, fd, F_GETLK, bad));
        SWEEP("F_SETLK", syscall(SYS_fcntl, fd, F_SETLK, bad));
        SWEEP("F_GETOWN_EX", syscall(SYS_fcntl, fd, F_GETOWN_EX, bad));
        SWEEP("FIONREAD", syscall(SYS_ioctl, p[0], FIONREAD, bad));
        SWEEP("FIONBIO", syscall(SYS_ioctl, p[0], FIONBIO, bad));
        SWEEP("poll", syscall(SYS_poll, bad, 1, 0));
        SWEEP("ppoll: time", bad ? syscall(SYS_ppoll, NULL, 0, bad, NULL, 8) : -1);
        SWEEP("ppoll: mask", ({ struct timespec t = { 0, 0 }; syscall(SYS_ppoll, NULL, 0, &t, bad, 8); }));
        SWEEP("select: time", bad ? syscall(SYS_select, 0, NULL, NULL, NULL, bad) : -1);
        SWEEP("epoll_ctl", syscall(SYS_epoll_ctl, e, EPOLL_CTL_ADD, p[0], bad) == 0 ? epoll_ctl(e, EPOLL_CTL_DEL, p[0], NULL) : -1);
        SWEEP("epoll_wait", syscall(SYS_epoll_wait, e, bad, 1, 0));
        SWEEP("inotify_add_watch", syscall(SYS_inotify_add_watch, inotify_init_once(), bad, 2));
        SWEEP("mount: source", syscall(SYS_mount, bad, "dir", "nosuchfs", 0, NULL));
        SWEEP("mount: target", syscall(SYS_mount, "none", bad, "nosuchfs", 0, NULL));
        SWEEP("mount: type", syscall(SYS_mount, "none", "dir", bad, 0, NULL));
        SWEEP("umount2", syscall(SYS_umount2, bad, 0));
        SWEEP("memfd_create", syscall(SYS_memfd_create, bad, 0x100));
        (void)v;
        CHECK("all were tried", 1);
        return done();
}
