/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: seccomp(2) and threads: a filter is one thread's, unless it asks for all (SECCOMP_FILTER_FLAG_TSYNC).
 */
#include "seccomp.h"
#include <pthread.h>

#define N 4
static pthread_barrier_t meet;
static int tids[N];
static long said[N][2];
static int mode[N];

static void *asks(void *arg)
{
        int i = (int)(long)arg;

        tids[i] = (int)syscall(SYS_gettid);
        pthread_barrier_wait(&meet);
        pthread_barrier_wait(&meet);
        said[i][0] = syscall(7001) < 0 ? errno : 0;
        said[i][1] = syscall(7002) < 0 ? errno : 0;
        mode[i] = prctl(PR_GET_SECCOMP, 0, 0, 0, 0);
        pthread_barrier_wait(&meet);
        return NULL;
}

static pthread_t threads[N];
static void begin(void)
{
        pthread_barrier_init(&meet, NULL, N + 1);
        for (long i = 0; i < N; i++)
                pthread_create(&threads[i], NULL, asks, (void *)i);
        pthread_barrier_wait(&meet);
}

static void end(void)
{
        pthread_barrier_wait(&meet);
        pthread_barrier_wait(&meet);
        for (int i = 0; i < N; i++)
                pthread_join(threads[i], NULL);
}

static int all_say(int a, int b, int m)
{
        for (int i = 0; i < N; i++)
                if (said[i][0] != a || said[i][1] != b || mode[i] != m)
                        return 0;
        return 1;
}

static int alone(void)
{
        begin();
        OKAY("one thread's", INSTALL(0, CALL(7001, SECCOMP_RET_ERRNO | EDOM), ALLOW));
        end();
        CHECK("others have none", all_say(ENOSYS, ENOSYS, 0));
        begin();
        OKAY("its threads begin with it", INSTALL(0, CALL(7002, SECCOMP_RET_ERRNO | EDOM), ALLOW));
        end();
        CHECK("with what there was then", all_say(EDOM, ENOSYS, 2));
        return done();
}

static int together(void)
{
        begin();
        OKAY("all", INSTALL(SECCOMP_FILTER_FLAG_TSYNC, CALL(7001, SECCOMP_RET_ERRNO | EDOM), ALLOW));
        OKAY("once more", INSTALL(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH, CALL(7002, SECCOMP_RET_ERRNO | EXDEV), ALLOW));
        end();
        CHECK("have both", all_say(EDOM, EXDEV, 2));
        begin();
        OKAY("its own first", INSTALL(0, CALL(7003, SECCOMP_RET_ERRNO | EXDEV), ALLOW));
        OKAY("then all: theirs are part of its own", INSTALL(SECCOMP_FILTER_FLAG_TSYNC, ALLOW));
        end();
        return done();
}

static int stranger_tid;
static pthread_barrier_t strange;
static void *stranger(void *arg)
{
        stranger_tid = (int)syscall(SYS_gettid);
        INSTALL(0, ALLOW);
        pthread_barrier_wait(&strange);
        pthread_barrier_wait(&strange);
        CHECK("the stranger has no more than its own", syscall(7001) < 0 && errno == ENOSYS);
        return arg;
}

static int strangers(void)
{
        pthread_t t;

        pthread_barrier_init(&strange, NULL, 2);
        pthread_create(&t, NULL, stranger, NULL);
        pthread_barrier_wait(&strange);
        CHECK("who has others is told", INSTALL(SECCOMP_FILTER_FLAG_TSYNC, CALL(7001, SECCOMP_RET_ERRNO | EDOM), ALLOW) == stranger_tid);
        FAILS("or not", ESRCH, INSTALL(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH, ALLOW));
        FAILS("nothing was changed", ENOSYS, syscall(7001));
        CHECK("no mode", prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0);
        pthread_barrier_wait(&strange);
        pthread_join(t, NULL);
        OKAY("when it is gone", INSTALL(SECCOMP_FILTER_FLAG_TSYNC, CALL(7001, SECCOMP_RET_ERRNO | EDOM), ALLOW));
        return done();
}

static int to_main[2];
static volatile int killed_tid;
static void *killed_alone(void *arg)
{
        killed_tid = (int)syscall(SYS_gettid);
        INSTALL(0, CALL(7100, SECCOMP_RET_KILL_THREAD), ALLOW);
        syscall(7100);
        write(to_main[1], "x", 1);
        return arg;
}

/* Its thread is killed, which pthread_join does not see in every C library, but the process lives. */
static int kill_thread(void)
{
        pthread_t t;
        struct pollfd p = { .events = POLLIN };

        pipe(to_main);
        pthread_create(&t, NULL, killed_alone, NULL);
        while (syscall(SYS_tgkill, getpid(), killed_tid, 0) == 0 || killed_tid == 0)
                usleep(10000);
        p.fd = to_main[0];
        CHECK("it did not go on", poll(&p, 1, 0) == 0);
        return done() ? 1 : 5;
}

static void *killed_with_all(void *arg)
{
        INSTALL(0, CALL(7100, SECCOMP_RET_KILL_PROCESS), ALLOW);
        syscall(7100);
        return arg;
}

static int __attribute__((noreturn)) kill_process(void)
{
        pthread_t t;

        pthread_create(&t, NULL, killed_with_all, NULL);
        for (;;)
                pause();
}

/* Threads come and go while a filter is made everybody's: none escapes. */
static volatile int stop, installed, escaped;
static void *short_life(void *arg)
{
        return (void *)(long)(arg && syscall(7200) < 0 && errno != EDOM);
}

static void *breeds(void *arg)
{
        while (!stop) {
                int was = installed;
                pthread_t t;
                void *r = NULL;
                if (pthread_create(&t, NULL, short_life, (void *)(long)was) == 0)
                        pthread_join(t, &r);
                escaped += r != NULL;
        }
        return arg;
}

static int race(void)
{
        pthread_t t[2];

        for (int i = 0; i < 2; i++)
                pthread_create(&t[i], NULL, breeds, NULL);
        OKAY("in the middle of it", INSTALL(SECCOMP_FILTER_FLAG_TSYNC, CALL(7200, SECCOMP_RET_ERRNO | EDOM), ALLOW));
        installed = 1;
        for (int i = 0; i < 30; i++) {
                INSTALL(SECCOMP_FILTER_FLAG_TSYNC, ALLOW);
                sched_yield();
        }
        stop = 1;
        for (int i = 0; i < 2; i++)
                pthread_join(t[i], NULL);
        CHECK("none escaped", escaped == 0);
        return done();
}

int main(void)
{
        no_new_privs();
        CHECK("alone", in_child(alone) == 0);
        CHECK("together", in_child(together) == 0);
        CHECK("strangers", in_child(strangers) == 0);
        CHECK("a thread that is killed", in_child(kill_thread) == 5);
        CHECK("a process that is killed", in_child(kill_process) == KILLED(SIGSYS));
        for (int i = 0; i < 10; i++)
                CHECK("race", in_child(race) == 0);
        return done();
}
