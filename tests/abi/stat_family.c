/* SPDX-License-Identifier: Apache-2.0
 *
 * stat_family: stat, lstat, fstat, newfstatat, statx.
 */
#include "abi.h"
#include <sys/sysmacros.h>

int main(void)
{
        struct stat a, b;
        int         fd = open("file", O_RDWR | O_CREAT, 0640);

        write(fd, "12345", 5);
        OKAY("stat", stat("file", &a));
        CHECK("fields", S_ISREG(a.st_mode) && (a.st_mode & 07777) == 0640 && a.st_size == 5 && a.st_nlink == 1 &&
              a.st_uid == 0 && a.st_gid == 0);
        CHECK("block size", a.st_blksize == 4096);
        CHECK("blocks", a.st_blocks == 8);
        fstat(fd, &b);
        CHECK("fstat says the same", a.st_ino == b.st_ino && a.st_dev == b.st_dev && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec);
        CHECK("times", a.st_mtime > 1000000000 && a.st_ctime >= a.st_mtime - 1 && a.st_atime > 1000000000);
        stat("/dev/null", &b);
        CHECK("device", S_ISCHR(b.st_mode) && b.st_rdev == makedev(1, 3));
        stat(".", &b);
        CHECK("directory", S_ISDIR(b.st_mode) && b.st_dev == a.st_dev && b.st_ino != a.st_ino);
        symlink("file", "link");
        fstatat(AT_FDCWD, "link", &b, AT_SYMLINK_NOFOLLOW);
        CHECK("AT_SYMLINK_NOFOLLOW", S_ISLNK(b.st_mode));
        OKAY("AT_EMPTY_PATH", fstatat(fd, "", &b, AT_EMPTY_PATH));
        CHECK("the file", b.st_ino == a.st_ino);
        FAILS("flags", EINVAL, fstatat(AT_FDCWD, "file", &b, 0x1));
        FAILS("missing", ENOENT, stat("missing", &b));
        FAILS("empty", ENOENT, stat("", &b));
        FAILS("below a file", ENOTDIR, stat("file/x", &b));
        FAILS("descriptor", EBADF, fstat(99, &b));
        FAILS("pointer", EFAULT, syscall(SYS_stat, "file", BAD_PTR));
        FAILS("name pointer", EFAULT, stat(BAD_PTR, &b));
        struct {
                uint32_t mask, blksize;
                uint64_t attributes;
                uint32_t nlink, uid, gid;
                uint16_t mode, spare;
                uint64_t ino, size, blocks, amask;
                char     rest[176];
        } x;
        OKAY("statx", syscall(332, AT_FDCWD, "file", 0, 0x7ff, &x));
        CHECK("its fields", (x.mask & 0x7ff) == 0x7ff && x.size == 5 && x.mode == a.st_mode && x.ino == a.st_ino && x.nlink == 1);
        FAILS("statx, reserved", EINVAL, syscall(332, AT_FDCWD, "file", 0, 0x80000000, &x));
        return done();
}
