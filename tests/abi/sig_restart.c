/* SPDX-License-Identifier: Apache-2.0
 *
 * sig_restart: SA_RESTART: which calls go on, which give EINTR.
 */
#include "abi.h"

/* Shared with the disturber: signals that were handled; how many of its acts we are ready for: the next call that sleeps is
 * the one to be disturbed. */
static struct { volatile int hits, ready; } *s;
static int p[2];

static void hit(int sig)
{
        (void)sig;
        s->hits++;
}

/* Waits until the parent has handled `hits` signals and sleeps in what its act i is for. */
static void await(int i, int hits)
{
        while (s->ready <= i || s->hits < hits)
                sleep_ms(1);
        must(state_becomes(getppid(), 'S'), "the parent sleeps");
}

/* A child that signals us twice and then writes, each time when we sleep. */
static pid_t disturber(int handled, int ready)
{
        s->hits = 0;
        s->ready = ready;
        pid_t pid = fork();

        if (pid == 0) {
                for (int i = 0; i < 2; i++) {
                        await(i, handled ? i : 0);
                        kill(getppid(), SIGUSR1);
                }
                await(2, handled ? 2 : 0);
                write(p[1], "x", 1);
                _exit(3);
        }
        return pid;
}

/* Act i interrupts the call. */
#define INTERRUPTED(name, i, call) do { s->ready = (i) + 1; FAILS(name, EINTR, call); } while (0)

static void end(pid_t pid)
{
        char c;

        s->ready = 3;
        result_of(pid);
        read(p[0], &c, 1);
}

int main(void)
{
        char            c;
        int             st;
        struct pollfd   pf = { .events = POLLIN };
        fd_set          fds;
        struct timespec longer = { 60, 0 };

        s = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        pipe(p);
        pf.fd = p[0];
        on(SIGUSR1, hit, SA_RESTART);
        pid_t pid = disturber(1, 3);
        CHECK("read goes on", read(p[0], &c, 1) == 1 && s->hits == 2);
        result_of(pid);

        pid = disturber(1, 3);
        CHECK("wait goes on", waitpid(pid, &st, 0) == pid && s->hits == 2);
        read(p[0], &c, 1);

        pid = disturber(1, 0);
        INTERRUPTED("poll never does", 0, poll(&pf, 1, -1));
        FD_ZERO(&fds);
        FD_SET(p[0], &fds);
        INTERRUPTED("select never does", 1, select(p[0] + 1, &fds, NULL, NULL, NULL));
        end(pid);

        pid = disturber(1, 0);
        INTERRUPTED("nanosleep never does", 0, nanosleep(&longer, NULL));
        INTERRUPTED("pause never does", 1, pause());
        end(pid);

        on(SIGUSR1, hit, 0);
        pid = disturber(1, 0);
        INTERRUPTED("read without it", 0, read(p[0], &c, 1));
        INTERRUPTED("wait without it", 1, waitpid(pid, &st, 0));
        end(pid);

        on(SIGUSR1, SIG_IGN, 0);
        pid = disturber(0, 3);
        CHECK("an ignored signal interrupts nothing", poll(&pf, 1, -1) == 1);
        result_of(pid);
        return done();
}
