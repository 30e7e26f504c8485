/* SPDX-License-Identifier: Apache-2.0
 *
 * sig_handler: handlers: delivery, SA_RESETHAND, SA_NODEFER, nesting, errors of sigaction.
 */
#include "abi.h"

static volatile int count, depth, deepest, rounds;

static void counting(int sig)
{
        (void)sig;
        count++;
}

static void again(int sig)
{
        depth++;
        rounds++;
        if (depth > deepest)
                deepest = depth;
        if (rounds < 3)
                raise(sig);
        depth--;
}

int main(void)
{
        struct sigaction sa;

        on(SIGUSR1, counting, 0);
        raise(SIGUSR1);
        kill(getpid(), SIGUSR1);
        syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1);
        CHECK("three ways", count == 3);
        sigaction(SIGUSR1, NULL, &sa);
        CHECK("asked for", sa.sa_handler == counting);

        on(SIGUSR2, counting, SA_RESETHAND);
        raise(SIGUSR2);
        sigaction(SIGUSR2, NULL, &sa);
        CHECK("SA_RESETHAND", count == 4 && sa.sa_handler == SIG_DFL);

        on(SIGUSR1, again, SA_NODEFER);
        raise(SIGUSR1);
        CHECK("SA_NODEFER nests", deepest == 3);
        deepest = rounds = 0;
        on(SIGUSR1, again, 0);
        raise(SIGUSR1);
        CHECK("else one after the other", deepest == 1 && rounds == 3);

        on(SIGUSR1, SIG_IGN, 0);
        raise(SIGUSR1);
        CHECK("ignored", 1);
        FAILS("SIGKILL", EINVAL, sigaction(SIGKILL, &sa, NULL));
        FAILS("SIGSTOP", EINVAL, sigaction(SIGSTOP, &sa, NULL));
        OKAY("SIGKILL may be asked for", syscall(SYS_rt_sigaction, SIGKILL, NULL, NULL, 8));
        FAILS("signal 0", EINVAL, syscall(SYS_rt_sigaction, 0, NULL, NULL, 8));
        FAILS("signal 65", EINVAL, syscall(SYS_rt_sigaction, 65, NULL, NULL, 8));
        FAILS("size of the set", EINVAL, syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4));
        FAILS("bad pointer", EFAULT, syscall(SYS_rt_sigaction, SIGUSR1, BAD_PTR, NULL, 8));
        return done();
}
