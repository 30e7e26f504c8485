/* SPDX-License-Identifier: Apache-2.0
 *
 * sched_exit: affinity, policy, nice value and loans of threads that begin, sleep, wake and end at the same time: nothing is
 * lost.  (No deadlines: Linux 6.1 loses some of what such threads had reserved.)
 */
#include "policy.h"
#include <linux/futex.h>
#include <pthread.h>

#define SLOTS 6
#define RUN_S 3.0

static volatile pid_t *tids;            /* two of each slot; 0: none */
static uint32_t *words;
static volatile int *stop;
static int cpus;

static unsigned seed = 12345;
static unsigned rnd(void) { return (seed = seed * 1103515245 + 12345) >> 8; }

static void *lives(void *arg)
{
        long slot = (long)arg;
        struct timespec t = { 0, rnd() % 300000 };
        uint32_t *w = &words[slot / 2];

        tids[slot] = gettid();
        for (unsigned i = 0, n = rnd() % 4; i < n; i++) {
                if (syscall(SYS_futex, w, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == 0) {
                        nanosleep(&t, NULL);
                        syscall(SYS_futex, w, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
                }
                for (volatile int k = 0; k < 2000; k++)
                        ;
                sched_yield();
        }
        if (slot % 2 == 0 && (rnd() & 1))       /* the other waits for its end */
                syscall(SYS_futex, w, FUTEX_LOCK_PI, 0, NULL, NULL, 0);        /* and ends with it */
        return NULL;
}

/* Processes of two threads, one after another. */
static void begins(int slot)
{
        while (!*stop) {
                pid_t p = fork();
                if (p == 0) {
                        pthread_t t;
                        seed += (unsigned)getpid();
                        if (pthread_create(&t, NULL, lives, (void *)(long)(2 * slot)) == 0) {
                                lives((void *)(long)(2 * slot + 1));
                                pthread_join(t, NULL);
                        }
                        _exit(0);
                }
                if (p > 0 && rnd() % 3 == 0) {
                        usleep(rnd() % 1000);
                        kill(p, SIGKILL);
                }
                if (p > 0)
                        waitpid(p, NULL, 0);
                words[slot] = 0;
        }
        _exit(0);
}

static void meddles(void)
{
        fifo(0, SCHED_FIFO, 98);
        while (!*stop) {
                for (int i = 0; i < 20; i++) {
                        pid_t t = tids[rnd() % (2 * SLOTS)];
                        cpu_set_t all;
                        if (!t)
                                continue;
                        memset(&all, 0xff, sizeof all);
                        switch (rnd() % 8) {
                        case 0:
                                on_cpu(t, rnd() % cpus);
                                break;
                        case 1:
                                sched_setaffinity(t, sizeof all, &all);
                                break;
                        case 2:
                                fifo(t, SCHED_FIFO, 1 + rnd() % 50);
                                break;
                        case 3:
                                fifo(t, SCHED_RR, 1 + rnd() % 50);
                                break;
                        case 4:
                                fifo(t, rnd() & 1 ? SCHED_OTHER : SCHED_IDLE, 0);
                                break;
                        case 5:
                                setpriority(PRIO_PROCESS, t, (int)(rnd() % 40) - 20);
                                break;
                        default:
                                syscall(SYS_ioprio_set, 1, t, 2 << 13 | 3);
                        }
                }
                usleep(200);
        }
        _exit(0);
}

int main(void)
{
        pid_t pids[SLOTS + 1];
        char *m = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        tids = (pid_t *)m, words = (uint32_t *)(m + 1024), stop = (int *)(m + 2048);
        cpus = sysconf(_SC_NPROCESSORS_ONLN);
        must(fifo(0, SCHED_FIFO, 99) == 0, "fifo");
        for (int i = 0; i <= SLOTS; i++)
                if ((pids[i] = fork()) == 0) {
                        seed += (unsigned)i * 77;
                        if (i == SLOTS)
                                meddles();
                        fair();
                        begins(i);
                }
        double end = clock_s(CLOCK_MONOTONIC) + RUN_S;
        while (clock_s(CLOCK_MONOTONIC) < end)
                sleep_ms(20);
        *stop = 1;
        int ended = 0;
        for (int i = 0; i <= SLOTS; i++)
                ended += result_of(pids[i]) == 0;
        CHECK("all end", ended == SLOTS + 1);
        CHECK("nobody is left", waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
        return done();
}
