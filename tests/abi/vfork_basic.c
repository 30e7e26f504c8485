/* SPDX-License-Identifier: Apache-2.0
 *
 * vfork_basic: vfork: the parent waits, memory is shared.
 */
#include "abi.h"

static volatile int value;

int main(int argc, char **argv)
{
        if (argc > 1)
                return 6;
        pid_t pid = vfork();
        if (pid == 0) {
                value = 1;
                _exit(5);
        }
        CHECK("the parent went on after the exit", value == 1);
        CHECK("its status", result_of(pid) == 5);
        pid = vfork();
        if (pid == 0) {
                value = 2;
                execl(argv[0], argv[0], "child", NULL);
                _exit(7);
        }
        CHECK("after the execve", value == 2 && result_of(pid) == 6);
        pid = vfork();
        if (pid == 0) {
                value = 3;
                execl("/missing", "x", NULL);
                value = errno;
                _exit(8);
        }
        CHECK("after a failing execve", value == ENOENT && result_of(pid) == 8);
        pid = vfork();
        if (pid == 0)
                syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
        CHECK("after a signal", result_of(pid) == KILLED(SIGKILL));
        return done();
}
