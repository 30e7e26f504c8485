/* SPDX-License-Identifier: Apache-2.0
 *
 * dup_basic: dup, dup2, dup3 and fcntl's way.
 */
#include "abi.h"

int main(void)
{
        int fd = open("file", O_RDWR | O_CREAT, 0644), a = dup(fd);

        CHECK("lowest free", fd == 3 && a == 4);
        write(fd, "abc", 3);
        CHECK("one offset", lseek(a, 0, SEEK_CUR) == 3);
        CHECK("dup2", dup2(fd, 20) == 20);
        CHECK("to itself", dup2(fd, fd) == fd);
        FAILS("closed, to itself", EBADF, dup2(50, 50));
        FAILS("dup3 to itself", EINVAL, dup3(fd, fd, 0));
        FAILS("dup3's flags", EINVAL, syscall(SYS_dup3, fd, 21, O_APPEND));
        FAILS("closed", EBADF, dup(50));
        FAILS("negative", EBADF, dup2(fd, -1));
        FAILS("far too high", EBADF, dup2(fd, 1 << 30));
        CHECK("F_DUPFD", fcntl(fd, F_DUPFD, 20) == 21);
        FAILS("F_DUPFD, negative", EINVAL, fcntl(fd, F_DUPFD, -1));
        int p[2];
        pipe(p);
        dup2(fd, p[1]);
        CHECK("dup2 closes the old one", read(p[0], &(char){ 0 }, 1) == 0);
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        CHECK("close-on-exec is the descriptor's", fcntl(a, F_GETFD) == 0);
        fcntl(fd, F_SETFL, O_APPEND);
        CHECK("O_APPEND is the open file's", fcntl(a, F_GETFL) & O_APPEND);
        close(4);
        CHECK("lowest again", dup(fd) == 4);
        FAILS("fcntl command", EINVAL, fcntl(fd, 9999));
        FAILS("fcntl of a closed one", EBADF, fcntl(77, F_GETFL));
        return done();
}
