/* SPDX-License-Identifier: Apache-2.0
 *
 * futex_basic: FUTEX_WAIT and FUTEX_WAKE, private and shared.
 */
#include "futex.h"

static volatile int word;
static int          woken;

static void *waiter(void *op)
{
        __atomic_fetch_add(&futex_waiting, 1, __ATOMIC_SEQ_CST);
        if (futex(&word, (long)op, 0, NULL, NULL, 0) == 0)
                __atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST);
        return NULL;
}

static void three(long op, int wake_op)
{
        pthread_t t[3];

        futex_waiting = woken = 0;
        for (int i = 0; i < 3; i++)
                pthread_create(&t[i], NULL, waiter, (void *)op);
        wait_sleepers(3);
        CHECK("wakes one", futex(&word, wake_op, 1, NULL, NULL, 0) == 1);
        CHECK("wakes the others", futex(&word, wake_op, 100, NULL, NULL, 0) == 2);
        CHECK("nobody left", futex(&word, wake_op, 100, NULL, NULL, 0) == 0);
        for (int i = 0; i < 3; i++)
                pthread_join(t[i], NULL);
        CHECK("all say 0", woken == 3);
}

int main(void)
{
        three(FUTEX_WAIT_PRIVATE, FUTEX_WAKE_PRIVATE);
        three(FUTEX_WAIT, FUTEX_WAKE);
        FAILS("another value", EAGAIN, futex(&word, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0));
        FAILS("not mapped", EFAULT, futex(BAD_PTR, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
        FAILS("crooked", EINVAL, futex((int *)((char *)&word + 1), FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
        FAILS("unknown operation", ENOSYS, futex(&word, 99, 0, NULL, NULL, 0));

        volatile int *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        pid_t pid = fork();
        if (pid == 0) {
                shared[1] = 1;
                _exit(futex(&shared[0], FUTEX_WAIT, 0, NULL, NULL, 0) == 0 ? 5 : 6);
        }
        while (!shared[1])
                sleep_ms(1);
        while (futex(&shared[0], FUTEX_WAKE, 1, NULL, NULL, 0) == 0)
                sleep_ms(1);
        CHECK("between processes", result_of(pid) == 5);
        return done();
}
