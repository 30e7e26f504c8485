/* SPDX-License-Identifier: Apache-2.0
 *
 * A fork bomb, as a user with a limit and then as root without one: it must end in EAGAIN or ENOMEM
 * (or an OOM kill of its own processes), and afterwards this program must still be able to fork.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Forks until it fails; children sleep. Returns how many, and the error. */
static int bomb(int max, int *error)
{
        int n = 0;
        *error = 0;
        while (n < max) {
                pid_t pid = fork();
                if (pid < 0) {
                        *error = errno;
                        break;
                }
                if (pid == 0) {
                        for (;;)
                                pause();
                }
                n++;
        }
        return n;
}

static int run(int limited, int max)
{
        int status = 0;
        pid_t top = fork();

        if (top == 0) {
                int error = 0;
                setpgid(0, 0);
                if (limited) {
                        struct rlimit procs = { 50, 50 };
                        setrlimit(RLIMIT_NPROC, &procs);
                        if (setuid(4321) != 0)
                                _exit(2);
                }
                int n = bomb(max, &error);
                if (limited)
                        printf("limited: %s after %s\n", error == EAGAIN ? "EAGAIN" : strerror(error),
                               n == 49 ? "49 children" : "another number of children");
                else
                        printf("root: %s\n", error == EAGAIN || error == ENOMEM ? "failed with an error" :
                               error ? strerror(error) : "no error");
                fflush(stdout);
                signal(SIGTERM, SIG_IGN);
                kill(0, SIGTERM);
                while (wait(NULL) > 0)
                        ;
                _exit(0);
        }
        waitpid(top, &status, 0);
        kill(-top, SIGKILL);
        return status;
}

int main(void)
{
        int status = run(1, 1000);
        printf("limited: status %x\n", status);
        fflush(stdout);
        run(0, 100000);                 /* its own end may be an OOM kill */
        for (int tries = 0; tries < 100; tries++) {
                pid_t pid = fork();
                if (pid == 0)
                        _exit(7);
                if (pid > 0 && waitpid(pid, &status, 0) == pid) {
                        printf("afterwards: %s\n", WIFEXITED(status) && WEXITSTATUS(status) == 7 ? "fork works" : "fork is broken");
                        return 0;
                }
                usleep(50000);
        }
        printf("afterwards: no fork\n");
        return 1;
}
