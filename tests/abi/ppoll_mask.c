/* SPDX-License-Identifier: Apache-2.0
 *
 * ppoll_mask: ppoll: its mask and its time.
 */
#include "abi.h"

static volatile int hits;

static void count(int sig)
{
        (void)sig;
        hits++;
}

int main(void)
{
        sigset_t        mask, empty, now;
        struct timespec t = { 0, 20000000 }, bad = { 0, -1 };
        int             p[2];

        pipe(p);
        struct pollfd pf = { .fd = p[0], .events = POLLIN };
        on(SIGUSR1, count, SA_RESTART);
        sigemptyset(&mask);
        sigemptyset(&empty);
        sigaddset(&mask, SIGUSR1);
        sigprocmask(SIG_BLOCK, &mask, NULL);
        CHECK("time-out", ppoll(&pf, 1, &t, NULL) == 0);
        raise(SIGUSR1);
        CHECK("still blocked", ppoll(&pf, 1, &t, NULL) == 0 && hits == 0);
        FAILS("let through", EINTR, ppoll(&pf, 1, NULL, &empty));
        CHECK("handled", hits == 1);
        sigprocmask(SIG_BLOCK, NULL, &now);
        CHECK("the mask is back", sigismember(&now, SIGUSR1));
        raise(SIGUSR1);
        write(p[1], "x", 1);
        int r = ppoll(&pf, 1, NULL, &empty);
        CHECK("ready goes before the signal", r == 1 && hits == 1);
        sigprocmask(SIG_UNBLOCK, &mask, NULL);
        CHECK("which comes later", hits == 2);
        FAILS("bad time", EINVAL, ppoll(&pf, 1, &bad, NULL));
        FAILS("size of the set", EINVAL, syscall(SYS_ppoll, &pf, 1, &t, &empty, 3));
        return done();
}
