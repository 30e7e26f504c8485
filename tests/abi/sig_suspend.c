/* SPDX-License-Identifier: Apache-2.0
 *
 * sig_suspend: sigsuspend: opens the mask for the wait alone.
 */
#include "abi.h"

static volatile int usr1, usr2;

static void handler(int sig)
{
        if (sig == SIGUSR1)
                usr1++;
        else
                usr2++;
}

int main(void)
{
        sigset_t both, only2, now;

        on(SIGUSR1, handler, 0);
        on(SIGUSR2, handler, 0);
        sigemptyset(&both);
        sigaddset(&both, SIGUSR1);
        sigaddset(&both, SIGUSR2);
        sigprocmask(SIG_BLOCK, &both, NULL);
        raise(SIGUSR1);
        raise(SIGUSR2);
        sigemptyset(&only2);
        sigaddset(&only2, SIGUSR2);                     /* SIGUSR1 is let through */
        FAILS("pending: at once", EINTR, sigsuspend(&only2));
        CHECK("the one let through", usr1 == 1 && usr2 == 0);
        sigprocmask(SIG_SETMASK, NULL, &now);
        CHECK("the mask is back", sigismember(&now, SIGUSR1) && sigismember(&now, SIGUSR2));
        sigemptyset(&only2);
        FAILS("the other", EINTR, sigsuspend(&only2));
        CHECK("once", usr1 == 1 && usr2 == 1);
        pid_t pid = fork();
        if (pid == 0) {
                sleep_ms(50);
                kill(getppid(), SIGUSR1);
                _exit(0);
        }
        FAILS("later", EINTR, sigsuspend(&only2));
        CHECK("came", usr1 == 2);
        result_of(pid);
        FAILS("size", EINVAL, syscall(SYS_rt_sigsuspend, &only2, 4));
        FAILS("pointer", EFAULT, syscall(SYS_rt_sigsuspend, BAD_PTR, 8));
        return done();
}
