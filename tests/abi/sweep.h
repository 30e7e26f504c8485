/* SPDX-License-Identifier: Apache-2.0
 *
 * sweep: a call with one pointer that is bad in each way there is.
 *
 *   SWEEP(name, call)   the call with `bad` as each of them: one line, with the result or errno of each
 */
#pragma once
#include "abi.h"
#include <sys/inotify.h>

enum { WAYS = 9 };
static char *bad_way[WAYS];     /* NULL, low, the page after the last of a mapping, a pointer whose second half is not there, read-only,
                                   without rights, the last byte of user space, not canonical, the kernel's */

static void start_sweep(void)
{
        char *m = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        must(m != MAP_FAILED, "mmap");
        munmap(m + PAGE, PAGE);
        mprotect(m + 3 * PAGE, PAGE, PROT_READ);
        mprotect(m + 5 * PAGE, PAGE, PROT_NONE);
        bad_way[0] = NULL;
        bad_way[1] = (char *)8;
        bad_way[2] = m + PAGE;
        bad_way[3] = m + PAGE - 1;
        bad_way[4] = m + 3 * PAGE;
        bad_way[5] = m + 5 * PAGE;
        bad_way[6] = (char *)0x7fffffffefff;
        bad_way[7] = (char *)0x8000000000000000;
        bad_way[8] = (char *)0xffff888000000000;
}

UNUSED static int inotify_init_once(void)
{
        static int fd = -1;

        if (fd < 0)
                fd = inotify_init1(IN_NONBLOCK);
        return fd;
}

/* 0: no failure, whatever it returned. */
#define SWEEP(name, ...)                                                        \
        do {                                                                    \
                char line_[200];                                                \
                int  at_ = snprintf(line_, sizeof line_, "%s:", name);          \
                for (int i_ = 0; i_ < WAYS; i_++) {                             \
                        char *volatile bad_ = bad_way[i_];                      \
                        char          *bad = bad_;                              \
                        if (i_ == 3)                                            \
                                *bad = 'z';                                     \
                        errno = 0;                                              \
                        long r_ = (long)(__VA_ARGS__);                          \
                        at_ += snprintf(line_ + at_, sizeof line_ - at_, " %d", r_ == -1 ? errno : 0); \
                }                                                               \
                say("%s\n", line_);                                             \
        } while (0)
