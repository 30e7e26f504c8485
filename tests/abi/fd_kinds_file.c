/* SPDX-License-Identifier: Apache-2.0
 *
 * fd_kinds_file: each kind of descriptor by each call about the file behind it.
 */
#include "fds.h"
#include <linux/stat.h>
#include <sys/file.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

static struct stat     st;
static struct statfs   sf;
static struct statx    sx;
static char            buf[4096];
static struct timespec times[2];

/* The type, and the rights where they are not the creator's choice of the day. */
static int mode_of(int fd) { return fstat(fd, &st) < 0 ? -1 : (int)(st.st_mode & 0177777); }

int main(void)
{
        int home = open(".", O_RDONLY);

        EACH("fstat", mode_of(fd));
        EACH("size", fstat(fd, &st) < 0 ? -1 : S_ISDIR(st.st_mode) ? 0 : st.st_size);
        EACH("links", fstat(fd, &st) < 0 ? -1 : S_ISDIR(st.st_mode) ? 0 : (long)st.st_nlink);
        EACH("fstatfs", fstatfs(fd, &sf) < 0 ? -1 : (long)(sf.f_type == 0x858458f6 ? 0x01021994 : sf.f_type == 0x50495045 ? 0x09041934 : sf.f_type));
        EACH("statx", syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &sx) < 0 ? -1 : sx.stx_mode);
        EACH("statx NULL path", syscall(SYS_statx, fd, NULL, AT_EMPTY_PATH, STATX_BASIC_STATS, &sx));
        EACH("fstatat x", fstatat(fd, "x", &st, 0));
        EACH("openat .", ({ int n = openat(fd, ".", O_RDONLY); if (n >= 0) close(n); n < 0 ? -1 : 0; }));
        EACH("ftruncate 5", ftruncate(fd, 5));
        EACH("ftruncate -1", ftruncate(fd, -1));
        EACH("fallocate", fallocate(fd, 0, 0, 100));
        EACH("fallocate 0", fallocate(fd, 0, 0, 0));
        EACH("fallocate punch", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 100));
        EACH("fallocate unknown", fallocate(fd, 0x100, 0, 100));
        EACH("fsync", fsync(fd));
        EACH("fdatasync", fdatasync(fd));
        EACH("syncfs", syncfs(fd));
        EACH("sync_file_range", sync_file_range(fd, 0, 0, 0));
        EACH("sync_file_range unknown", sync_file_range(fd, 0, 0, 64));
        EACH("fchdir", ({ int r = fchdir(fd), e = errno; must(fchdir(home) == 0, "home"); errno = e; r; }));
        EACH("flock SH", flock(fd, LOCK_SH | LOCK_NB));
        EACH("flock EX", flock(fd, LOCK_EX | LOCK_NB));
        EACH("flock UN", flock(fd, LOCK_UN));
        EACH("flock 0", flock(fd, 0));
        EACH("fgetxattr", fgetxattr(fd, "user.none", buf, 10));
        EACH("fgetxattr trusted", fgetxattr(fd, "trusted.none", buf, 10));
        EACH("fsetxattr user", fsetxattr(fd, "user.x", "1", 1, 0));
        EACH("fsetxattr bad name", fsetxattr(fd, "nothing", "1", 1, 0));
        EACH("flistxattr", flistxattr(fd, buf, sizeof buf) < 0 ? -1 : 0);
        EACH("fremovexattr", fremovexattr(fd, "user.none"));
        EACH("futimens", fd < 0 ? syscall(SYS_utimensat, fd, NULL, times, 0) : futimens(fd, times));
        CHECK("the table was gone through", 1);
        return done();
}
