/* SPDX-License-Identifier: Apache-2.0
 * O_PATH descriptors, close_range, faccessat2, AT_EMPTY_PATH: what works on them and what does not. */
#include "abi.h"
#include <sys/statfs.h>

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2
#define CLOSE_RANGE_CLOEXEC 4
#endif
static long range(unsigned a, unsigned b, unsigned f) { return syscall(SYS_close_range, a, b, f); }
static long fa2(int d, const char *p, int m, int f) { return syscall(SYS_faccessat2, d, p, m, f); }

int main(void)
{
        struct stat   st;
        struct statfs fs;
        char          buf[16];

        close(open("f", O_CREAT | O_WRONLY, 0000));
        mkdir("d", 0755);
        symlink("f", "l");
        int p = open("f", O_PATH), l = open("l", O_PATH | O_NOFOLLOW), d = open("d", O_PATH);

        CHECK("opened", p >= 0 && l >= 0 && d >= 0);
        FAILS("read", EBADF, read(p, buf, 1));
        FAILS("write", EBADF, write(p, buf, 1));
        FAILS("fchmod", EBADF, syscall(SYS_fchmod, p, 0644));
        FAILS("fchown", EBADF, syscall(SYS_fchown, p, 0, 0));
        FAILS("ftruncate", EBADF, ftruncate(p, 0));
        FAILS("ioctl", EBADF, ioctl(p, 0x5401, buf));
        FAILS("mmap", EBADF, (long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, p, 0));
        FAILS("lseek", EBADF, lseek(p, 0, SEEK_SET));
        FAILS("fsync", EBADF, fsync(p));
        FAILS("getdents", EBADF, syscall(SYS_getdents64, d, buf, sizeof buf));
        OKAY("fstat", fstat(p, &st));
        OKAY("fstatfs", fstatfs(p, &fs));
        OKAY("dup", close(dup(p)));
        OKAY("fcntl F_GETFD", fcntl(p, F_GETFD));
        CHECK("F_GETFL shows O_PATH", fcntl(p, F_GETFL) & O_PATH);
        FAILS("F_SETFL", EBADF, fcntl(p, F_SETFL, O_NONBLOCK));
        FAILS("F_GETLK", EBADF, fcntl(p, F_GETLK, &(struct flock){ .l_type = F_RDLCK }));
        OKAY("fchdir", fchdir(d));
        chdir("..");
        CHECK("link itself", !fstat(l, &st) && S_ISLNK(st.st_mode));
        CHECK("its text", readlinkat(l, "", buf, sizeof buf) == 1);
        OKAY("fstatat empty", fstatat(p, "", &st, AT_EMPTY_PATH));
        FAILS("empty without the flag", ENOENT, fstatat(p, "", &st, 0));
        OKAY("chownat empty", fchownat(p, "", -1, -1, AT_EMPTY_PATH));
        OKAY("reopened", close(openat(AT_FDCWD, "f", O_RDONLY)));
        snprintf(buf, sizeof buf, "/proc/self/fd");
        char proc[40];
        snprintf(proc, sizeof proc, "/proc/self/fd/%d", p);
        OKAY("reopened through proc", close(open(proc, O_RDONLY)));
        snprintf(proc, sizeof proc, "/proc/self/fd/%d", l);
        FAILS("but not a link", ELOOP, open(proc, O_RDONLY));
        CHECK("other flags are ignored", (fcntl(open("f", O_PATH | O_RDWR | O_APPEND | O_TRUNC), F_GETFL) & (3 | O_APPEND)) == 0);

        OKAY("faccessat2", fa2(AT_FDCWD, "d", R_OK | X_OK, 0));
        FAILS("no execution for root either", EACCES, fa2(AT_FDCWD, "f", X_OK, 0));
        FAILS("unknown flags", EINVAL, fa2(AT_FDCWD, "d", R_OK, 0x8000));
        FAILS("unknown mode", EINVAL, fa2(AT_FDCWD, "d", 8, 0));
        OKAY("empty path", fa2(d, "", X_OK, AT_EMPTY_PATH));
        OKAY("a dangling link itself", (symlink("none", "dang"), fa2(AT_FDCWD, "dang", F_OK, AT_SYMLINK_NOFOLLOW)));
        pid_t pid = fork();
        int   status;
        if (!pid) {
                setresuid(0, 1000, 0);
                OKAY("real id", fa2(AT_FDCWD, "f", R_OK, 0));
                FAILS("effective id", EACCES, fa2(AT_FDCWD, "f", R_OK, AT_EACCESS));
                _exit(failures);
        }
        waitpid(pid, &status, 0);
        CHECK("child", status == 0);

        for (int i = 20; i < 30; i++)
                dup2(p, i);
        OKAY("close a range", range(22, 24, 0));
        CHECK("closed", fcntl(22, F_GETFD) < 0 && fcntl(24, F_GETFD) < 0 && fcntl(21, F_GETFD) == 0 && fcntl(25, F_GETFD) == 0);
        OKAY("close on exec", range(25, ~0u, CLOSE_RANGE_CLOEXEC));
        CHECK("set", fcntl(29, F_GETFD) == FD_CLOEXEC && fcntl(21, F_GETFD) == 0);
        FAILS("backwards", EINVAL, range(30, 20, 0));
        FAILS("unknown flag", EINVAL, range(20, 30, 1));
        OKAY("unshare", range(20, ~0u, CLOSE_RANGE_UNSHARE));
        FAILS("all gone", EBADF, fcntl(25, F_GETFD));
        return done();
}
