/* SPDX-License-Identifier: Apache-2.0
 *
 * sig_queue: sigqueue: real-time signals queue, in order, with their values.
 */
#include "abi.h"

static volatile int seen[32], values[32], n;

static void handler(int sig, siginfo_t *si, void *context)
{
        (void)context;
        seen[n & 31] = sig;
        values[n++ & 31] = si->si_value.sival_int;
}

static void queue(int sig, int value)
{
        must(sigqueue(getpid(), sig, (union sigval){ .sival_int = value }) == 0, "sigqueue");
}

int main(void)
{
        struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
        sigset_t         all;

        sigfillset(&sa.sa_mask);
        sigfillset(&all);
        sigaction(SIGUSR1, &sa, NULL);
        for (int s = 40; s < 44; s++)
                sigaction(s, &sa, NULL);
        sigprocmask(SIG_BLOCK, &all, NULL);
        queue(42, 1);
        queue(41, 2);
        queue(42, 3);
        queue(41, 4);
        queue(SIGUSR1, 5);
        queue(SIGUSR1, 6);
        sigprocmask(SIG_UNBLOCK, &all, NULL);
        CHECK("a standard signal once, the others each", n == 5);
        CHECK("lowest first", seen[0] == SIGUSR1 && seen[1] == 41 && seen[2] == 41 && seen[3] == 42 && seen[4] == 42);
        CHECK("in order", values[0] == 5 && values[1] == 2 && values[2] == 4 && values[3] == 1 && values[4] == 3);
        FAILS("nobody", ESRCH, sigqueue(999999, 40, (union sigval){ 0 }));
        FAILS("no signal", EINVAL, sigqueue(getpid(), 99, (union sigval){ 0 }));
        OKAY("signal 0", sigqueue(getpid(), 0, (union sigval){ 0 }));

        struct rlimit few = { 4, 4 };
        int           sent = 0;
        become_user(1000);
        setrlimit(RLIMIT_SIGPENDING, &few);
        sigprocmask(SIG_BLOCK, &all, NULL);
        while (sent < 20 && sigqueue(getpid(), 40, (union sigval){ 0 }) == 0)
                sent++;
        CHECK("RLIMIT_SIGPENDING: EAGAIN", sent == 4 && errno == EAGAIN);
        OKAY("kill works all the same", kill(getpid(), 40));
        return done();
}
