/* SPDX-License-Identifier: Apache-2.0
 *
 * mmap_fixed: MAP_FIXED and MAP_FIXED_NOREPLACE.
 */
#include "fault.h"

#define RW (PROT_READ | PROT_WRITE)
#define AN (MAP_PRIVATE | MAP_ANONYMOUS)
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

int main(void)
{
        char *p = mmap(NULL, 8 * PAGE, RW, AN, -1, 0);

        catch_faults();
        memset(p, 1, 8 * PAGE);
        char *q = mmap(p + 2 * PAGE, 3 * PAGE, RW, AN | MAP_FIXED, -1, 0);
        CHECK("in the middle", q == p + 2 * PAGE);
        CHECK("fresh", q[0] == 0 && q[3 * PAGE - 1] == 0);
        CHECK("the rest stays", p[2 * PAGE - 1] == 1 && p[5 * PAGE] == 1);
        FAILS("crooked address", EINVAL, (long)mmap(p + 1, PAGE, RW, AN | MAP_FIXED, -1, 0));
        FAILS("no replacing", EEXIST, (long)mmap(p + 7 * PAGE, 2 * PAGE, RW, AN | MAP_FIXED_NOREPLACE, -1, 0));
        munmap(p + 4 * PAGE, 2 * PAGE);
        CHECK("a hole", FAULTS(SIGSEGV, SEGV_MAPERR, p + 4 * PAGE, READS(p + 4 * PAGE)));
        q = mmap(p + 4 * PAGE, 2 * PAGE, RW, AN | MAP_FIXED_NOREPLACE, -1, 0);
        CHECK("fills the hole", q == p + 4 * PAGE && q[0] == 0);
        q = mmap(p, 8 * PAGE, PROT_READ, AN | MAP_FIXED, -1, 0);
        CHECK("over several areas", q == p && p[0] == 0 && p[5 * PAGE] == 0);
        CHECK("read-only now", FAULTS(SIGSEGV, SEGV_ACCERR, p + PAGE, WRITES(p + PAGE, 1)));
        FAILS("beyond user space", ENOMEM, (long)mmap((void *)(1UL << 56), PAGE, RW, AN | MAP_FIXED, -1, 0));
        FAILS("the kernel's half", ENOMEM, (long)mmap((void *)-PAGE, PAGE, RW, AN | MAP_FIXED, -1, 0));
        return done();
}
