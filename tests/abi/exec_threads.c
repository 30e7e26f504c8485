/* SPDX-License-Identifier: Apache-2.0
 *
 * exec_threads: an execve by a second thread: one thread and the same pid remain.
 */
#include "abi.h"
#include <pthread.h>

static char *self;

static void *spin(void *arg)
{
        for (;;)
                pause();
        return arg;
}

static void *run(void *arg)
{
        char pid[32];

        snprintf(pid, sizeof pid, "%d", getpid());
        execl(self, self, pid, NULL);
        return arg;
}

static int thread_count(void)
{
        const char *p = strstr(text_of("/proc/self/status"), "Threads:");

        return p ? atoi(p + 8) : -1;
}

int main(int argc, char **argv)
{
        pthread_t t;

        if (argc > 1) {
                CHECK("the same pid", getpid() == atoi(argv[1]));
                CHECK("the thread is the leader", syscall(SYS_gettid) == getpid());
                CHECK("alone", thread_count() == 1);
                return done();
        }
        self = argv[0];
        for (int i = 0; i < 3; i++)
                pthread_create(&t, NULL, spin, NULL);
        CHECK("four threads", thread_count() == 4);
        pthread_create(&t, NULL, run, NULL);
        pthread_join(t, NULL);
        return 1;
}
