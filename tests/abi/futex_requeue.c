/* SPDX-License-Identifier: Apache-2.0
 *
 * futex_requeue: FUTEX_REQUEUE, CMP_REQUEUE, WAKE_OP and bit sets.
 */
#include "futex.h"

static volatile int a, b;
static int          back;

static void *on_a(void *bits)
{
        __atomic_fetch_add(&futex_waiting, 1, __ATOMIC_SEQ_CST);
        if (futex(&a, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, (int)(long)bits) == 0)
                __atomic_fetch_add(&back, 1, __ATOMIC_SEQ_CST);
        return NULL;
}

static void *on_b(void *arg)
{
        __atomic_fetch_add(&futex_waiting, 1, __ATOMIC_SEQ_CST);
        futex(&b, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
        return arg;
}

int main(void)
{
        pthread_t t[4];

        for (long i = 0; i < 4; i++)
                pthread_create(&t[i], NULL, on_a, (void *)(i < 2 ? 1L : 2L));
        wait_sleepers(4);
        CHECK("no bit in common", futex(&a, FUTEX_WAKE_BITSET_PRIVATE, 9, NULL, NULL, 4) == 0);
        CHECK("the first two", futex(&a, FUTEX_WAKE_BITSET_PRIVATE, 9, NULL, NULL, 1) == 2);
        FAILS("no bits", EINVAL, futex(&a, FUTEX_WAKE_BITSET_PRIVATE, 9, NULL, NULL, 0));
        FAILS("another value", EAGAIN, futex(&a, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)9, &b, 5));
        CHECK("one woken, one moved", futex(&a, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)9, &b, 0) == 2);
        CHECK("nobody here", futex(&a, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0) == 0);
        CHECK("one there", futex(&b, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0) == 1);
        for (int i = 0; i < 4; i++)
                pthread_join(t[i], NULL);
        CHECK("all back", back == 4);

        futex_waiting = 0;
        pthread_create(&t[0], NULL, on_b, NULL);
        wait_sleepers(1);
        CHECK("WAKE_OP adds and wakes", futex(&a, FUTEX_WAKE_OP_PRIVATE, 1, (void *)9, &b,
              FUTEX_OP(FUTEX_OP_ADD, 7, FUTEX_OP_CMP_EQ, 0)) == 1);
        CHECK("the sum", b == 7);
        pthread_join(t[0], NULL);
        CHECK("no match, no second wake", futex(&a, FUTEX_WAKE_OP_PRIVATE, 1, (void *)9, &b,
              FUTEX_OP(FUTEX_OP_SET, 3, FUTEX_OP_CMP_EQ, 0)) == 0 && b == 3);
        return done();
}
