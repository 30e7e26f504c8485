/* SPDX-License-Identifier: Apache-2.0
 *
 * exit_group: exit of threads and of the whole process.
 */
#include "abi.h"
#include <pthread.h>

static void *forever(void *arg)
{
        for (;;)
                pause();
        return arg;
}

static void *busy(void *arg)
{
        for (volatile long i = 0;; i++)
                ;
        return arg;
}

static void *ends_all(void *arg)
{
        _exit(21);
        return arg;
}

static void start(void *(*fn)(void *))
{
        pthread_t t;

        must(pthread_create(&t, NULL, fn, NULL) == 0, "pthread_create");
}

static int by_thread(void)
{
        start(forever);
        start(busy);
        start(ends_all);
        forever(NULL);
        return 1;
}

static int by_main(void)
{
        start(forever);
        start(busy);
        return 22;
}

static void *last(void *arg)
{
        sleep_ms(30);
        syscall(SYS_exit, 23);
        return arg;
}

/* The leader goes first: the process lives on until the last thread has gone. */
static int leader_first(void)
{
        start(last);
        syscall(SYS_exit, 24);
        return 1;
}

static int by_signal(void)
{
        start(busy);
        start(forever);
        kill(getpid(), SIGTERM);
        forever(NULL);
        return 1;
}

int main(void)
{
        CHECK("a thread ends all", in_child(by_thread) == 21);
        CHECK("the main thread ends all", in_child(by_main) == 22);
        CHECK("the last one's status counts", in_child(leader_first) == 23);
        CHECK("a signal ends all", in_child(by_signal) == KILLED(SIGTERM));
        return done();
}
