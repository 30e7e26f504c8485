/* SPDX-License-Identifier: Apache-2.0
 *
 * exec_cloexec: which descriptors an execve closes.
 */
#include "abi.h"

static int is_open(int fd)
{
        return fcntl(fd, F_GETFD) >= 0;
}

int main(int argc, char **argv)
{
        if (argc > 1) {
                CHECK("plain stays", is_open(10));
                CHECK("O_CLOEXEC is closed", !is_open(11));
                CHECK("FD_CLOEXEC is closed", !is_open(12));
                CHECK("a duplicate stays", is_open(13));
                CHECK("dup3 O_CLOEXEC is closed", !is_open(14));
                CHECK("F_DUPFD_CLOEXEC is closed", !is_open(15));
                CHECK("cleared again stays", is_open(16));
                CHECK("the pipe's end stays", is_open(20));
                CHECK("the other is closed", !is_open(21));
                return done();
        }
        int p[2], fd = open("/dev/null", O_RDWR | O_CLOEXEC);

        dup2(fd, 10);
        dup3(fd, 11, O_CLOEXEC);
        dup2(fd, 12);
        fcntl(12, F_SETFD, FD_CLOEXEC);
        dup2(11, 13);
        dup3(fd, 14, O_CLOEXEC);
        CHECK("lowest free from 15", fcntl(fd, F_DUPFD_CLOEXEC, 15) == 15);
        dup3(fd, 16, O_CLOEXEC);
        fcntl(16, F_SETFD, 0);
        pipe2(p, O_CLOEXEC);
        dup2(p[0], 20);
        dup3(p[1], 21, O_CLOEXEC);
        CHECK("the flag is on", fcntl(fd, F_GETFD) == FD_CLOEXEC);
        CHECK("a failing execve closes nothing", execl("/missing", "x", NULL) < 0 && is_open(11));
        execl(argv[0], argv[0], "child", NULL);
        return 1;
}
