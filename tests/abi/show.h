/* SPDX-License-Identifier: Apache-2.0
 *
 * show: facts that are values: the oracle's answer is the expected one, whatever it is.
 *
 *   SHOW(name, call)    "name: n", or "name: errno n" if it is -1
 *   PLACED(name, call)  the same for calls that return addresses: "name: done"
 */
#pragma once
#include "abi.h"

#define SHOW(name, call)                                                        \
        do {                                                                    \
                errno = 0;                                                      \
                long r_ = (long)(call);                                         \
                if (r_ == -1)                                                   \
                        say("%s: errno %d\n", name, errno);                     \
                else                                                            \
                        say("%s: %ld\n", name, r_);                             \
        } while (0)

#define PLACED(name, call)                                                      \
        do {                                                                    \
                errno = 0;                                                      \
                long r_ = (long)(call);                                         \
                if (r_ == -1)                                                   \
                        say("%s: errno %d\n", name, errno);                     \
                else                                                            \
                        say("%s: done\n", name);                                \
        } while (0)

/* kB of a line of /proc/self/status (or another file of its form), -1: no such line. */
UNUSED static long kb_of(const char *file, const char *key)
{
        const char *p = strstr(text_of(file), key);

        return p ? strtol(p + strlen(key), NULL, 10) : -1;
}

UNUSED static long status_kb(const char *key) { return kb_of("/proc/self/status", key); }
