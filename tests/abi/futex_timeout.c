/* SPDX-License-Identifier: Apache-2.0
 *
 * futex_timeout: futex waits that time out or are interrupted.
 */
#include "futex.h"

static volatile int word;

static void nothing(int sig) { (void)sig; }

int main(void)
{
        struct timespec rel = { 0, 30000000 }, bad = { 0, 1000000000 }, neg = { -1, 0 }, abs;
        int64_t         start = now_ms();

        FAILS("relative", ETIMEDOUT, futex(&word, FUTEX_WAIT_PRIVATE, 0, &rel, NULL, 0));
        CHECK("took its time", now_ms() - start >= 29);
        clock_gettime(CLOCK_MONOTONIC, &abs);
        abs.tv_sec++;
        start = now_ms();
        FAILS("absolute, monotonic", ETIMEDOUT,
              futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &abs, NULL, FUTEX_BITSET_MATCH_ANY));
        CHECK("a second", now_ms() - start >= 990);
        FAILS("in the past", ETIMEDOUT,
              futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &abs, NULL, FUTEX_BITSET_MATCH_ANY));
        clock_gettime(CLOCK_REALTIME, &abs);
        FAILS("absolute, real time", ETIMEDOUT,
              futex(&word, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 0, &abs, NULL, FUTEX_BITSET_MATCH_ANY));
        FAILS("bad time", EINVAL, futex(&word, FUTEX_WAIT_PRIVATE, 0, &bad, NULL, 0));
        FAILS("negative time", EINVAL, futex(&word, FUTEX_WAIT_PRIVATE, 0, &neg, NULL, 0));
        FAILS("bad pointer", EFAULT, futex(&word, FUTEX_WAIT_PRIVATE, 0, BAD_PTR, NULL, 0));
        on(SIGALRM, nothing, 0);
        ALARMED("interrupted", futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
        on(SIGALRM, nothing, SA_RESTART);
        rel.tv_sec = 60;
        ALARMED("with a time also in spite of SA_RESTART", futex(&word, FUTEX_WAIT_PRIVATE, 0, &rel, NULL, 0));
        return done();
}
