/* SPDX-License-Identifier: Apache-2.0
 *
 * mremap_basic: mremap: growing, shrinking, moving.
 */
#include "fault.h"

#define RW (PROT_READ | PROT_WRITE)
#define AN (MAP_PRIVATE | MAP_ANONYMOUS)

int main(void)
{
        char *p = mmap(NULL, 16 * PAGE, RW, AN, -1, 0);

        catch_faults();
        memset(p, 1, 16 * PAGE);
        CHECK("shrinks in place", mremap(p, 16 * PAGE, 4 * PAGE, 0) == p);
        CHECK("the rest is gone", FAULTS(SIGSEGV, SEGV_MAPERR, p + 4 * PAGE, READS(p + 4 * PAGE)));
        CHECK("grows in place", mremap(p, 4 * PAGE, 8 * PAGE, 0) == p);
        CHECK("old and new", p[0] == 1 && p[4 * PAGE] == 0);
        mmap(p + 8 * PAGE, PAGE, RW, AN | MAP_FIXED, -1, 0);
        mmap(p + 8 * PAGE, PAGE, PROT_NONE, AN | MAP_FIXED, -1, 0);
        FAILS("no room", ENOMEM, (long)mremap(p, 8 * PAGE, 12 * PAGE, 0));
        char *q = mremap(p, 8 * PAGE, 12 * PAGE, MREMAP_MAYMOVE);
        CHECK("moves", q != MAP_FAILED && q != p && q[0] == 1 && q[4 * PAGE - 1] == 1 && q[11 * PAGE] == 0);
        CHECK("the old place is empty", FAULTS(SIGSEGV, SEGV_MAPERR, p, READS(p)));
        char *to = mmap(NULL, 12 * PAGE, RW, AN, -1, 0);
        CHECK("to a place", mremap(q, 12 * PAGE, 12 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
        CHECK("with its contents", to[0] == 1 && to[11 * PAGE] == 0);
        FAILS("crooked", EINVAL, (long)mremap(to + 1, PAGE, PAGE, 0));
        FAILS("to nothing", EINVAL, (long)mremap(to, PAGE, 0, 0));
        FAILS("unknown flag", EINVAL, (long)mremap(to, PAGE, PAGE, 64));
        FAILS("overlapping", EINVAL, (long)mremap(to, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + PAGE));
        FAILS("not mapped", EFAULT, (long)mremap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
        return done();
}
