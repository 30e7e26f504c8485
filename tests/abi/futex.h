/* SPDX-License-Identifier: Apache-2.0
 *
 * futex: the raw call, and threads that wait.
 */
#pragma once
#include "abi.h"
#include <linux/futex.h>
#include <pthread.h>

UNUSED static long futex(volatile int *word, int op, int v, const void *t, volatile int *word2, int v3)
{
        return syscall(SYS_futex, word, op, v, t, word2, v3);
}

static int futex_waiting;                       /* threads on their way to sleep; no others but the caller */

/* Waits until n threads of this process are asleep in a futex call. */
UNUSED static void wait_sleepers(int n)
{
        while (__atomic_load_n(&futex_waiting, __ATOMIC_SEQ_CST) < n)
                sleep_ms(1);
        threads_asleep(n);
}
