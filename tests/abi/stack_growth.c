/* SPDX-License-Identifier: Apache-2.0
 *
 * stack_growth: the stack grows by itself, to its limit, and not beyond.
 */
#include "abi.h"

static int deep(int n)
{
        volatile char page[PAGE];

        page[0] = n;
        page[PAGE - 1] = n;
        return n == 0 ? 0 : deep(n - 1) + (page[0] == (char)n);
}

static int grows(void)
{
        return deep(1000) > 0 ? 5 : 6;                  /* 4 MiB of 8 */
}

static int too_deep(void)
{
        return deep(3000);
}

static int far_below(void)
{
        char *sp = __builtin_frame_address(0);

        *(volatile char *)(sp - (1 << 20)) = 1;         /* within the limit: allowed */
        return 7;
}


static void handler(int sig)
{
        _exit(sig == SIGSEGV ? 9 : 8);
}

/* The handler of an overflow needs another stack; without it the signal kills. */
static int overflow_caught(void)
{
        stack_t ss = { .ss_sp = malloc(65536), .ss_size = 65536 };

        sigaltstack(&ss, NULL);
        on(SIGSEGV, handler, SA_ONSTACK);
        return deep(3000);
}

static int overflow_uncaught(void)
{
        on(SIGSEGV, handler, 0);
        return deep(3000);
}

int main(void)
{
        CHECK("4 MiB deep", in_child(grows) == 5);
        CHECK("beyond 8 MiB", in_child(too_deep) == KILLED(SIGSEGV));
        CHECK("far below the pointer", in_child(far_below) == 7);
        CHECK("caught on another stack", in_child(overflow_caught) == 9);
        CHECK("not caught on this one", in_child(overflow_uncaught) == KILLED(SIGSEGV));
        return done();
}
