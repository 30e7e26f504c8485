/* SPDX-License-Identifier: Apache-2.0
 *
 * sig_child: SIGCHLD: when it comes, SA_NOCLDSTOP, SA_NOCLDWAIT.
 */
#include "abi.h"

static volatile int count;

static void handler(int sig)
{
        (void)sig;
        count++;
}

static pid_t stopping(void)
{
        pid_t pid = fork();

        if (pid == 0) {
                raise(SIGSTOP);
                _exit(0);
        }
        return pid;
}

int main(void)
{
        int st;

        on(SIGCHLD, handler, SA_RESTART);
        pid_t pid = fork();
        if (pid == 0)
                _exit(0);
        result_of(pid);
        CHECK("at the end", count == 1);
        count = 0;
        pid = stopping();
        waitpid(pid, &st, WUNTRACED);
        CHECK("at a stop", count == 1);
        kill(pid, SIGCONT);
        result_of(pid);
        CHECK("going on and ending", count >= 2 && count <= 3);
        count = 0;
        on(SIGCHLD, handler, SA_RESTART | SA_NOCLDSTOP);
        pid = stopping();
        waitpid(pid, &st, WUNTRACED);
        CHECK("SA_NOCLDSTOP", count == 0);
        kill(pid, SIGCONT);
        result_of(pid);
        CHECK("the end all the same", count == 1);
        on(SIGCHLD, handler, SA_NOCLDWAIT | SA_RESTART);
        pid = fork();
        if (pid == 0)
                _exit(0);
        FAILS("SA_NOCLDWAIT: no zombie", ECHILD, waitpid(pid, &st, 0));
        return done();
}
