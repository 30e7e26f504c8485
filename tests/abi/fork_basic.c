/* SPDX-License-Identifier: Apache-2.0
 *
 * fork_basic: what a child has in common with its parent, and what not.
 */
#include "abi.h"

static int value = 1;

int main(void)
{
        int   p[2], fd = open("file", O_RDWR | O_CREAT, 0644);
        pid_t me = getpid(), seen[3];

        pipe(p);
        umask(027);
        mkdir("sub", 0755);
        write(fd, "abcdef", 6);
        pid_t pid = fork();
        if (pid == 0) {
                value = 2;
                pid_t mine[3] = { getpid(), getppid(), getpgrp() };
                write(p[1], mine, sizeof mine);
                lseek(fd, 2, SEEK_SET);
                close(p[0]);
                chdir("sub");
                _exit(umask(0) == 027 ? 9 : 1);
        }
        read(p[0], seen, sizeof seen);
        CHECK("fork returns the child's pid", pid > 0 && seen[0] == pid);
        CHECK("the child's parent", seen[1] == me);
        CHECK("the same process group", seen[2] == getpgrp());
        CHECK("umask is inherited", result_of(pid) == 9);
        CHECK("memory is not shared", value == 1);
        CHECK("umask is not shared", umask(022) == 027);
        CHECK("the file offset is shared", lseek(fd, 0, SEEK_CUR) == 2);
        CHECK("descriptors are not shared", fcntl(p[0], F_GETFD) >= 0);
        CHECK("the directory is not shared", access("sub", F_OK) == 0);
        on(SIGUSR1, SIG_IGN, 0);
        pid = fork();
        if (pid == 0) {
                raise(SIGUSR1);
                _exit(4);
        }
        CHECK("dispositions are inherited", result_of(pid) == 4);
        alarm(100);
        pid = fork();
        if (pid == 0)
                _exit(alarm(0) == 0 ? 5 : 6);
        CHECK("alarms are not inherited", result_of(pid) == 5);
        CHECK("and stay", alarm(0) > 0);
        return done();
}
