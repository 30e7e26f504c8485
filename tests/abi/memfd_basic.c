/* SPDX-License-Identifier: Apache-2.0
 *
 * memfd_basic: memfd_create: arguments, what the file is, how it is seen, and its pages.
 */
#include "abi.h"
#include <linux/memfd.h>

static char name250[251], name249[250];

static int memfd(const char *name, unsigned flags) { return syscall(SYS_memfd_create, name, flags); }

int main(void)
{
        char        link[64], path[64];
        struct stat st;

        memset(name250, 'n', 250);
        memset(name249, 'n', 249);
        FAILS("unknown flag", EINVAL, memfd("x", 0x100));
        FAILS("unknown flag, bad name", EINVAL, memfd(BAD_PTR, 0x100));
        FAILS("a size without huge pages", EINVAL, memfd("x", MFD_HUGE_2MB));
        FAILS("bad name", EFAULT, memfd(BAD_PTR, 0));
        FAILS("name too long", EINVAL, memfd(name250, 0));
        OKAY("longest name", memfd(name249, 0));
        OKAY("no name", memfd("", 0));
        OKAY("a slash in the name", memfd("a/b", 0));
        int fd = memfd("file", MFD_CLOEXEC), other = memfd("file", 0);
        CHECK("closes at exec", fcntl(fd, F_GETFD) == FD_CLOEXEC && fcntl(other, F_GETFD) == 0);
        CHECK("open for both, large", fcntl(fd, F_GETFL) == (O_RDWR | 0100000));
        CHECK("an unlinked file", fstat(fd, &st) == 0 && st.st_nlink == 0 && st.st_mode == (S_IFREG | 0777));
        CHECK("empty, root's", st.st_size == 0 && st.st_blocks == 0 && st.st_uid == 0 && st.st_blksize == PAGE);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(path, link, sizeof link - 1);
        link[n > 0 ? n : 0] = 0;
        CHECK("shown", strcmp(link, "/memfd:file (deleted)") == 0);
        struct stat so;
        fstat(other, &so);
        CHECK("two of one name are two files", so.st_dev == st.st_dev && so.st_ino != st.st_ino);
        CHECK("write", write(fd, "hello", 5) == 5 && lseek(fd, 0, SEEK_CUR) == 5);
        CHECK("grows by ftruncate", ftruncate(fd, 3 * PAGE) == 0 && fstat(fd, &st) == 0 && st.st_size == 3 * PAGE);
        CHECK("sparse", st.st_blocks == 8);
        char *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        CHECK("mapped", memcmp(p, "hello", 6) == 0);
        p[2 * PAGE] = 'x';
        char c = 0;
        CHECK("seen by read", pread(fd, &c, 1, 2 * PAGE) == 1 && c == 'x');
        CHECK("holes are known", lseek(fd, 0, SEEK_HOLE) == PAGE && lseek(fd, PAGE, SEEK_DATA) == 2 * PAGE);
        int again = open(path, O_RDONLY);
        CHECK("opened again by its link", again >= 0 && pread(again, &c, 1, 0) == 1 && c == 'h');
        FAILS("which is read-only", EBADF, write(again, "x", 1));
        FAILS("not linkable", EXDEV, linkat(AT_FDCWD, path, AT_FDCWD, "name", AT_SYMLINK_FOLLOW));
        OKAY("fchmod", fchmod(fd, 0600));
        OKAY("fchown", fchown(fd, 5, 6));
        CHECK("both kept", fstat(fd, &st) == 0 && st.st_mode == (S_IFREG | 0600) && st.st_uid == 5 && st.st_gid == 6);
        FAILS("not a directory", ENOTDIR, openat(fd, "x", O_RDONLY));
        FAILS("written past the largest offset", EINVAL, pwrite(fd, "x", 1, LONG_MAX));
        FAILS("truncated to less than nothing", EINVAL, ftruncate(fd, -1));
        CHECK("mapped to execute", mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0) != MAP_FAILED);
        OKAY("becomes executable", mprotect(p, PAGE, PROT_READ | PROT_EXEC));
        /* Runs a program from a memfd. */
        pid_t pid = fork();
        if (pid == 0) {
                int exe = memfd("script", 0);
                dprintf(exe, "#!/bin/sh\nexit 7\n");
                char *argv[] = { "x", NULL }, *envp[] = { NULL };
                syscall(SYS_execveat, exe, "", argv, envp, AT_EMPTY_PATH);
                _exit(91);
        }
        CHECK("a script is run, though open for writing", result_of(pid) == 7);
        return done();
}
