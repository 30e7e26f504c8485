/* SPDX-License-Identifier: Apache-2.0
 *
 * exec_signals: what an execve does to signals.
 */
#include "abi.h"

static void handler(int sig) { (void)sig; }

static int disposition(int sig)
{
        struct sigaction sa;

        sigaction(sig, NULL, &sa);
        return sa.sa_handler == SIG_DFL ? 0 : sa.sa_handler == SIG_IGN ? 1 : 2;
}

int main(int argc, char **argv)
{
        sigset_t set, pending;

        if (argc > 1) {
                stack_t ss;

                CHECK("a handler becomes the default", disposition(SIGUSR1) == 0);
                CHECK("ignored stays ignored", disposition(SIGUSR2) == 1);
                sigprocmask(SIG_SETMASK, NULL, &set);
                CHECK("the mask stays", sigismember(&set, SIGTERM) && !sigismember(&set, SIGINT));
                sigpending(&pending);
                CHECK("pending stays", sigismember(&pending, SIGTERM));
                sigaltstack(NULL, &ss);
                CHECK("no alternate stack", ss.ss_flags == SS_DISABLE);
                return done();
        }
        stack_t ss = { .ss_sp = malloc(SIGSTKSZ), .ss_size = SIGSTKSZ };

        sigaltstack(&ss, NULL);
        on(SIGUSR1, handler, SA_ONSTACK);
        on(SIGUSR2, SIG_IGN, 0);
        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigprocmask(SIG_SETMASK, &set, NULL);
        raise(SIGTERM);
        execl(argv[0], argv[0], "child", NULL);
        return 1;
}
