/* SPDX-License-Identifier: Apache-2.0
 *
 * fd_fork_race: a process is copied while another thread opens descriptors all over its table.
 */
#include "abi.h"
#include <pthread.h>
#include <sys/resource.h>

enum { ROUNDS = 40, FORKS = 30, TOP = 65535, STEP = 256 };

static volatile int opened;

/* From the highest down: the table has its full size at once. */
static void *opens(void *arg)
{
        (void)arg;
        for (int fd = TOP; fd > STEP; fd -= STEP) {
                dup2(0, fd);
                opened = fd;
        }
        return NULL;
}

/* A table of its own, copied FORKS times while it grows: 0, or how many children missed what was open before. */
static int one_round(void)
{
        pthread_t th;
        int       bad = 0;

        opened = 0;
        must(pthread_create(&th, NULL, opens, NULL) == 0, "thread");
        for (int i = 0; i < FORKS; i++) {
                int   known = opened, status = -1;
                pid_t pid = fork();
                if (pid == 0)
                        _exit(known && (fcntl(known, F_GETFD) != 0 || fcntl(TOP, F_GETFD) != 0));
                bad += waitpid(pid, &status, 0) != pid || status != 0;
        }
        pthread_join(th, NULL);
        return bad;
}

int main(void)
{
        struct rlimit many = { TOP + 1, TOP + 1 };
        int bad = 0;

        must(setrlimit(RLIMIT_NOFILE, &many) == 0, "setrlimit");
        for (int i = 0; i < ROUNDS; i++) {
                int   status = -1;
                pid_t pid = fork();
                if (pid == 0)
                        _exit(one_round());
                bad += waitpid(pid, &status, 0) != pid || status != 0;
        }
        CHECK("what was open is open in the copy", bad == 0);
        return done();
}
