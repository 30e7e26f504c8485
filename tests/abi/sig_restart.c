/* SPDX-License-Identifier: Apache-2.0
 *
 * sig_restart: SA_RESTART: which calls go on, which give EINTR.
 */
#include "abi.h"

static volatile int hits;
static int          p[2];

static void hit(int sig)
{
        (void)sig;
        hits++;
}

/* A child that signals us twice and then writes. */
static pid_t disturber(void)
{
        pid_t pid = fork();

        if (pid == 0) {
                for (int i = 0; i < 2; i++) {
                        sleep_ms(80);
                        kill(getppid(), SIGUSR1);
                }
                sleep_ms(80);
                write(p[1], "x", 1);
                _exit(3);
        }
        return pid;
}

int main(void)
{
        char            c;
        int             st;
        struct pollfd   pf = { .events = POLLIN };
        fd_set          fds;
        struct timespec one = { 5, 0 };

        pipe(p);
        pf.fd = p[0];
        on(SIGUSR1, hit, SA_RESTART);
        pid_t pid = disturber();
        CHECK("read goes on", read(p[0], &c, 1) == 1 && hits == 2);
        result_of(pid);

        hits = 0;
        pid = disturber();
        CHECK("wait goes on", waitpid(pid, &st, 0) == pid && hits == 2);
        read(p[0], &c, 1);

        hits = 0;
        pid = disturber();
        FAILS("poll never does", EINTR, poll(&pf, 1, -1));
        FD_ZERO(&fds);
        FD_SET(p[0], &fds);
        FAILS("select never does", EINTR, select(p[0] + 1, &fds, NULL, NULL, NULL));
        result_of(pid);
        read(p[0], &c, 1);

        pid = disturber();
        FAILS("nanosleep never does", EINTR, nanosleep(&one, NULL));
        FAILS("pause never does", EINTR, pause());
        result_of(pid);
        read(p[0], &c, 1);

        on(SIGUSR1, hit, 0);
        pid = disturber();
        FAILS("read without it", EINTR, read(p[0], &c, 1));
        FAILS("wait without it", EINTR, waitpid(pid, &st, 0));
        result_of(pid);
        read(p[0], &c, 1);

        on(SIGUSR1, SIG_IGN, 0);
        pid = disturber();
        CHECK("an ignored signal interrupts nothing", poll(&pf, 1, -1) == 1);
        result_of(pid);
        return done();
}
