/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: seccomp(2) for all threads while one of them forks: whoever has the filter has no_new_privs, too.
 */
#include "seccomp.h"
#include <pthread.h>

enum { ROUNDS = 60 };
static volatile int begun, over;

/* A child's status: 0 without a filter, 1 with both, 2 with a filter alone. */
static int child_has(void)
{
        pid_t pid = fork();
        if (pid == 0) {
                int filter = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2, none_new = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
                _exit(!filter ? 0 : none_new ? 1 : 2);
        }
        int st = 0;
        waitpid(pid, &st, 0);
        return WIFEXITED(st) ? WEXITSTATUS(st) : 3;
}

static void *forks(void *worst)
{
        int has = 0;

        begun = 1;
        do {
                has = child_has();
                if (has > *(int *)worst)
                        *(int *)worst = has;
        } while (!over || has == 0);
        return NULL;
}

static int round_of_it(void)
{
        pthread_t t;
        int       worst = 0;

        become_user(1000);
        pthread_create(&t, NULL, forks, &worst);
        while (!begun)
                sched_yield();
        no_new_privs();
        OKAY("for all", INSTALL(SECCOMP_FILTER_FLAG_TSYNC, ALLOW));
        over = 1;
        pthread_join(t, NULL);
        CHECK("none has the filter alone", worst == 1);
        return done();
}

int main(void)
{
        for (int i = 0; i < ROUNDS; i++)
                CHECK("round", in_child(round_of_it) == 0);
        return done();
}
