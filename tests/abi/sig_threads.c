/* SPDX-License-Identifier: Apache-2.0
 *
 * sig_threads: signals and threads: to whom they go.
 */
#include "abi.h"
#include <pthread.h>

static volatile pid_t ran_in, tids[2];
static volatile int   count, stop;

static void handler(int sig)
{
        (void)sig;
        ran_in = syscall(SYS_gettid);
        __atomic_fetch_add(&count, 1, __ATOMIC_SEQ_CST);
}

static void *body(void *arg)
{
        sigset_t set;

        sigemptyset(&set);
        if (arg) {
                sigaddset(&set, SIGUSR1);
                pthread_sigmask(SIG_BLOCK, &set, NULL);
        }
        tids[arg != NULL] = syscall(SYS_gettid);
        while (!stop)
                sleep_ms(5);
        return NULL;
}

static void wait_count(int want)
{
        for (int i = 0; i < 1000 && count < want; i++)
                sleep_ms(5);
}

int main(void)
{
        pthread_t t[2];
        sigset_t  set, pending;

        on(SIGUSR1, handler, SA_RESTART);
        pthread_create(&t[0], NULL, body, NULL);
        pthread_create(&t[1], NULL, body, (void *)1);
        while (!tids[0] || !tids[1])
                sleep_ms(1);
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        pthread_sigmask(SIG_BLOCK, &set, NULL);
        kill(getpid(), SIGUSR1);
        wait_count(1);
        CHECK("to the one thread that takes it", ran_in == tids[0]);
        syscall(SYS_tgkill, getpid(), tids[0], SIGUSR1);
        wait_count(2);
        CHECK("to a thread by name", ran_in == tids[0]);
        syscall(SYS_tgkill, getpid(), tids[1], SIGUSR1);
        sleep_ms(30);
        CHECK("blocked there: nobody else takes it", count == 2);
        sigpending(&pending);
        CHECK("not pending here", !sigismember(&pending, SIGUSR1));
        ran_in = 0;
        syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1);
        sigpending(&pending);
        CHECK("pending here", sigismember(&pending, SIGUSR1));
        pthread_sigmask(SIG_UNBLOCK, &set, NULL);
        CHECK("taken here", ran_in == getpid() && count == 3);
        stop = 1;
        pthread_join(t[0], NULL);
        pthread_join(t[1], NULL);
        return done();
}
