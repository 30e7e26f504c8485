/* SPDX-License-Identifier: Apache-2.0
 *
 * sig_mask: blocking: sigprocmask, sigpending, order of delivery, sa_mask.
 */
#include "abi.h"

static volatile int order[16], n;
static volatile int blocked_inside;

static void note(int sig)
{
        sigset_t now;

        order[n++ & 15] = sig;
        sigprocmask(SIG_BLOCK, NULL, &now);
        blocked_inside = sigismember(&now, sig) && sigismember(&now, SIGHUP);
}

static sigset_t set_of(int a, int b)
{
        sigset_t s;

        sigemptyset(&s);
        if (a)
                sigaddset(&s, a);
        if (b)
                sigaddset(&s, b);
        return s;
}

int main(void)
{
        struct sigaction sa = { .sa_handler = note };
        sigset_t         both = set_of(SIGUSR1, SIGTERM), old, pending, kill_set = set_of(SIGKILL, SIGSTOP);

        sigaddset(&sa.sa_mask, SIGHUP);
        sigaction(SIGUSR1, &sa, NULL);
        sigaction(SIGTERM, &sa, NULL);
        sigprocmask(SIG_BLOCK, &both, NULL);
        raise(SIGTERM);
        raise(SIGUSR1);
        raise(SIGUSR1);
        CHECK("blocked", n == 0);
        sigpending(&pending);
        CHECK("pending", sigismember(&pending, SIGUSR1) && sigismember(&pending, SIGTERM) &&
              !sigismember(&pending, SIGHUP));
        sigprocmask(SIG_UNBLOCK, &both, &old);
        CHECK("the old mask", sigismember(&old, SIGUSR1));
        CHECK("each once", n == 2);
        CHECK("both came", order[0] + order[1] == SIGUSR1 + SIGTERM);
        CHECK("itself and sa_mask are blocked inside", blocked_inside);
        sigpending(&pending);
        CHECK("none pending", !sigismember(&pending, SIGUSR1));
        sigprocmask(SIG_SETMASK, NULL, &old);
        CHECK("the mask is restored", !sigismember(&old, SIGUSR1) && !sigismember(&old, SIGHUP));

        sigprocmask(SIG_BLOCK, &kill_set, NULL);
        sigprocmask(SIG_SETMASK, NULL, &old);
        CHECK("SIGKILL and SIGSTOP cannot be blocked", !sigismember(&old, SIGKILL) && !sigismember(&old, SIGSTOP));
        sigprocmask(SIG_BLOCK, &both, NULL);
        raise(SIGTERM);
        signal(SIGTERM, SIG_IGN);
        sigpending(&pending);
        CHECK("ignoring drops what is pending", !sigismember(&pending, SIGTERM));
        FAILS("how", EINVAL, syscall(SYS_rt_sigprocmask, 9, &both, NULL, 8));
        FAILS("size", EINVAL, syscall(SYS_rt_sigprocmask, SIG_BLOCK, &both, NULL, 16));
        FAILS("pointer", EFAULT, syscall(SYS_rt_sigprocmask, SIG_BLOCK, BAD_PTR, NULL, 8));
        return done();
}
