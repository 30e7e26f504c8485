/* SPDX-License-Identifier: Apache-2.0
 *
 * rlimit_as: RLIMIT_AS, RLIMIT_DATA and RLIMIT_STACK.
 */
#include "abi.h"

#define MIB (1UL << 20)

static int deep(int n)
{
        volatile char page[PAGE];

        page[0] = n;
        return n == 0 ? 0 : deep(n - 1) + page[0];
}

static int small_stack(void)
{
        struct rlimit r = { MIB, MIB };

        setrlimit(RLIMIT_STACK, &r);
        return deep(400) ? 1 : 0;
}

int main(void)
{
        struct rlimit r = { 64 * MIB, RLIM_INFINITY };
        void         *p;

        OKAY("set", setrlimit(RLIMIT_AS, &r));
        FAILS("too much", ENOMEM, (long)mmap(NULL, 80 * MIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        CHECK("enough left", (p = mmap(NULL, 30 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) != MAP_FAILED);
        FAILS("reserved memory counts", ENOMEM, (long)mmap(NULL, 40 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        FAILS("mremap", ENOMEM, (long)mremap(p, 30 * MIB, 70 * MIB, MREMAP_MAYMOVE));
        munmap(p, 30 * MIB);
        char *b = (char *)syscall(SYS_brk, 0);
        CHECK("brk", (char *)syscall(SYS_brk, b + 80 * MIB) == b);
        r.rlim_cur = RLIM_INFINITY;
        setrlimit(RLIMIT_AS, &r);
        OKAY("unlimited again", (long)mmap(NULL, 80 * MIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        CHECK("a small stack", in_child(small_stack) == KILLED(SIGSEGV));
        getrlimit(RLIMIT_STACK, &r);
        CHECK("8 MiB by default", r.rlim_cur == 8 * MIB && r.rlim_max == RLIM_INFINITY);
        r.rlim_cur = 1000;
        setrlimit(RLIMIT_DATA, &r);
        b = (char *)syscall(SYS_brk, 0);
        CHECK("RLIMIT_DATA stops brk", (char *)syscall(SYS_brk, b + MIB) == b);
        return done();
}
