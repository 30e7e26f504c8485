/* SPDX-License-Identifier: Apache-2.0
 *
 * open_flags: the flags of open.
 */
#include "abi.h"

int main(void)
{
        char buf[10];
        int  fd;

        FAILS("missing", ENOENT, open("file", O_RDONLY));
        CHECK("O_CREAT", (fd = open("file", O_CREAT | O_WRONLY, 0644)) >= 0);
        FAILS("write-only does not read", EBADF, read(fd, buf, 1));
        write(fd, "12345", 5);
        FAILS("O_EXCL", EEXIST, open("file", O_CREAT | O_EXCL | O_WRONLY, 0644));
        CHECK("O_CREAT of an old file keeps it", (fd = open("file", O_CREAT | O_RDONLY, 0600)) >= 0 && read(fd, buf, 10) == 5);
        FAILS("read-only does not write", EBADF, write(fd, "x", 1));
        struct stat st;
        fstat(fd, &st);
        CHECK("and its mode", (st.st_mode & 0777) == 0644);
        OKAY("O_TRUNC", fd = open("file", O_TRUNC | O_WRONLY));
        fstat(fd, &st);
        CHECK("empties", st.st_size == 0);
        FAILS("O_DIRECTORY of a file", ENOTDIR, open("file", O_RDONLY | O_DIRECTORY));
        mkdir("dir", 0755);
        OKAY("O_DIRECTORY", open("dir", O_RDONLY | O_DIRECTORY));
        FAILS("writing a directory", EISDIR, open("dir", O_WRONLY));
        FAILS("reading a directory", EISDIR, read(open("dir", O_RDONLY), buf, 1));
        FAILS("O_CREAT of a directory", EISDIR, open("dir", O_CREAT | O_RDONLY, 0644));
        symlink("file", "link");
        symlink("nothing", "dangling");
        FAILS("O_NOFOLLOW", ELOOP, open("link", O_RDONLY | O_NOFOLLOW));
        FAILS("O_EXCL of a dangling link", EEXIST, open("dangling", O_CREAT | O_EXCL | O_WRONLY, 0644));
        OKAY("O_CREAT through one", open("dangling", O_CREAT | O_WRONLY, 0644));
        OKAY("makes its target", access("nothing", F_OK));
        fd = open("link", O_PATH | O_NOFOLLOW);
        CHECK("O_PATH of a link", fd >= 0 && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode));
        FAILS("O_PATH does not read", EBADF, read(fd, buf, 1));
        fd = open(".", O_TMPFILE | O_RDWR, 0600);
        CHECK("O_TMPFILE", fd >= 0 && write(fd, "x", 1) == 1 && fstat(fd, &st) == 0 && st.st_nlink == 0);
        FAILS("empty name", ENOENT, open("", O_RDONLY));
        FAILS("bad pointer", EFAULT, open(BAD_PTR, O_RDONLY));
        fd = open("file", O_RDWR | O_APPEND | O_NONBLOCK | O_CLOEXEC);
        CHECK("flags are told", (fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK | O_CREAT)) == (O_RDWR | O_APPEND | O_NONBLOCK));
        CHECK("close-on-exec", fcntl(fd, F_GETFD) == FD_CLOEXEC);
        close(fd);
        FAILS("closed", EBADF, close(fd));
        return done();
}
