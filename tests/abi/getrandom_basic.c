/* SPDX-License-Identifier: Apache-2.0
 *
 * getrandom_basic: getrandom.
 */
#include "abi.h"

static long rnd(void *p, size_t n, unsigned flags)
{
        return syscall(SYS_getrandom, p, n, flags);
}

int main(void)
{
        static unsigned char a[100000], b[100000];
        int                  counts[256] = { 0 }, good = 1;

        CHECK("few", rnd(a, 16, 0) == 16 && rnd(b, 16, 0) == 16 && memcmp(a, b, 16));
        CHECK("GRND_NONBLOCK", rnd(a, 16, 1) == 16);
        CHECK("GRND_RANDOM", rnd(a, 16, 2) == 16);
        CHECK("many", rnd(a, sizeof a, 0) == sizeof a);
        for (size_t i = 0; i < sizeof a; i++)
                counts[a[i]]++;
        for (int i = 0; i < 256; i++)
                good &= counts[i] > 200 && counts[i] < 600;
        CHECK("even", good);
        CHECK("none", rnd(a, 0, 0) == 0);
        FAILS("flags", EINVAL, rnd(a, 16, 0x100));
        FAILS("pointer", EFAULT, rnd(BAD_PTR, 16, 0));
        return done();
}
