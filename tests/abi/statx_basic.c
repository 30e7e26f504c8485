/* SPDX-License-Identifier: Apache-2.0
 * statx(2): masks, flags, attributes and errors. */
#include "abi.h"
#include <linux/stat.h>
#include <sys/sysmacros.h>

static int sx(int d, const char *p, int f, unsigned m, struct statx *out) { return syscall(SYS_statx, d, p, f, m, out); }

int main(void)
{
        struct statx x;
        struct stat  st;

        umask(0);
        int fd = open("f", O_CREAT | O_RDWR, 0640);
        write(fd, "hello", 5);
        symlink("f", "l");
        OKAY("basic", sx(AT_FDCWD, "f", 0, STATX_BASIC_STATS, &x));
        stat("f", &st);
        CHECK("all basic fields told", (x.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
        CHECK("as stat", x.stx_ino == st.st_ino && x.stx_mode == st.st_mode && x.stx_size == 5 && x.stx_nlink == 1 && x.stx_blocks == (unsigned long)st.st_blocks &&
              x.stx_blksize == (unsigned long)st.st_blksize && x.stx_uid == 0 && x.stx_mtime.tv_sec == st.st_mtim.tv_sec && x.stx_mtime.tv_nsec == st.st_mtim.tv_nsec);
        CHECK("device", makedev(x.stx_dev_major, x.stx_dev_minor) == st.st_dev);
        OKAY("birth time", sx(AT_FDCWD, "f", 0, STATX_BTIME, &x));
        CHECK("is told", x.stx_mask & STATX_BTIME && x.stx_btime.tv_sec > 0 && x.stx_btime.tv_sec <= x.stx_ctime.tv_sec);
        OKAY("no mask", sx(AT_FDCWD, "f", 0, 0, &x));
        CHECK("basic all the same", (x.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
        OKAY("link itself", sx(AT_FDCWD, "l", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &x));
        CHECK("is a link", S_ISLNK(x.stx_mode));
        OKAY("by descriptor", sx(fd, "", AT_EMPTY_PATH, STATX_SIZE, &x));
        FAILS("empty without the flag", ENOENT, sx(fd, "", 0, STATX_SIZE, &x));
        OKAY("force sync", sx(AT_FDCWD, "f", AT_STATX_FORCE_SYNC, STATX_SIZE, &x));
        OKAY("don't sync", sx(AT_FDCWD, "f", AT_STATX_DONT_SYNC, STATX_SIZE, &x));
        FAILS("both", EINVAL, sx(AT_FDCWD, "f", AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC, STATX_SIZE, &x));
        FAILS("reserved mask", EINVAL, sx(AT_FDCWD, "f", 0, 0x80000000u, &x));
        FAILS("unknown flag", EINVAL, sx(AT_FDCWD, "f", 0x10000, STATX_SIZE, &x));
        FAILS("bad buffer", EFAULT, sx(AT_FDCWD, "f", 0, STATX_SIZE, BAD_PTR));
        FAILS("missing", ENOENT, sx(AT_FDCWD, "none", 0, STATX_SIZE, &x));
        FAILS("bad descriptor", EBADF, sx(99, "f", 0, STATX_SIZE, &x));
        FAILS("not a directory", ENOTDIR, sx(fd, "f", 0, STATX_SIZE, &x));
        OKAY("root of a mount", sx(AT_FDCWD, "/proc", 0, STATX_BASIC_STATS, &x));
        CHECK("says so", x.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT && x.stx_attributes & STATX_ATTR_MOUNT_ROOT);
        OKAY("not a root", sx(AT_FDCWD, "f", 0, STATX_BASIC_STATS | STATX_MNT_ID, &x));
        CHECK("neither says so", !(x.stx_attributes & STATX_ATTR_MOUNT_ROOT));
        CHECK("mount id", x.stx_mask & STATX_MNT_ID && x.stx_mnt_id > 0);
        OKAY("device file", sx(AT_FDCWD, "/dev/null", 0, STATX_BASIC_STATS, &x));
        CHECK("its number", x.stx_rdev_major == 1 && x.stx_rdev_minor == 3);
        return done();
}
