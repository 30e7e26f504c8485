/* SPDX-License-Identifier: Apache-2.0
 *
 * Nice values to weights: 1024 at 0, and a factor of about 1.25 per step, so that one step
 * moves a tenth of the processor between two threads.
 */
#pragma once

#define WEIGHT_0    1024u
#define WEIGHT_IDLE 3u

static inline u32 weight_of_nice(i32 nice)
{
        /* 1024 * 1.25^n, n = 0 … 20, rounded. */
        static const u32 up[21] = {
                1024, 1280, 1600, 2000, 2500, 3125, 3906, 4883, 6104, 7629, 9537, 11921, 14901, 18626, 23283,
                29104, 36380, 45475, 56843, 71054, 88818,
        };
        /* 1024 / 1.25^n */
        static const u32 down[20] = {
                1024, 819, 655, 524, 419, 336, 268, 215, 172, 137, 110, 88, 70, 56, 45, 36, 29, 23, 18, 15,
        };
        return nice < 0 ? up[-nice <= 20 ? -nice : 20] : down[nice <= 19 ? nice : 19];
}
