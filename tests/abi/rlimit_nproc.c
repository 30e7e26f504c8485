/* SPDX-License-Identifier: Apache-2.0
 *
 * rlimit_nproc: RLIMIT_NPROC counts a user's processes.
 */
#include "abi.h"

static int as_user(void)
{
        struct rlimit r = { 4, 4 };
        int           n = 0;
        pid_t         pid;

        become_user(1000);
        setrlimit(RLIMIT_NPROC, &r);
        while (n < 20 && (pid = fork()) >= 0) {
                if (pid == 0)
                        for (;;)
                                pause();
                n++;
        }
        CHECK("EAGAIN", n < 20 && errno == EAGAIN);
        CHECK("three beside this one", n == 3);
        kill(0, SIGCONT);
        signal(SIGTERM, SIG_IGN);
        kill(0, SIGTERM);
        while (n-- > 0)
                wait(NULL);
        CHECK("room again", result_of(({ pid = fork(); if (pid == 0) _exit(5); pid; })) == 5);
        return done();
}

static int as_root(void)
{
        struct rlimit r = { 1, 1 };

        setrlimit(RLIMIT_NPROC, &r);
        pid_t pid = fork();
        if (pid == 0)
                _exit(6);
        CHECK("root is not bound", result_of(pid) == 6);
        return done();
}

int main(void)
{
        pid_t pid = fork();

        if (pid == 0) {
                setpgid(0, 0);
                _exit(as_user());
        }
        CHECK("user", result_of(pid) == 0);
        CHECK("root", in_child(as_root) == 0);
        return done();
}
