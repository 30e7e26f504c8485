/* SPDX-License-Identifier: Apache-2.0
 *
 * brk_basic: the program break.
 */
#include "fault.h"

static char *brk_to(char *to)
{
        return (char *)syscall(SYS_brk, to);
}

int main(void)
{
        char *start = brk_to(NULL), *p;

        catch_faults();
        CHECK("asks", start != NULL);
        CHECK("grows", (p = brk_to(start + 10 * PAGE)) == start + 10 * PAGE);
        CHECK("zero", start[0] == 0 && start[10 * PAGE - 1] == 0);
        memset(start, 7, 10 * PAGE);
        CHECK("by bytes", brk_to(start + 10 * PAGE + 100) == start + 10 * PAGE + 100);
        CHECK("shrinks", brk_to(start + PAGE) == start + PAGE);
        char *edge = (char *)(((uintptr_t)start + 2 * PAGE - 1) & -PAGE);
        CHECK("gone", FAULTS(SIGSEGV, SEGV_MAPERR, edge + PAGE, READS(edge + PAGE)));
        CHECK("kept", start[0] == 7);
        brk_to(start + 10 * PAGE);
        CHECK("zero again", start[5 * PAGE] == 0);
        CHECK("too low: no change", brk_to((char *)PAGE) == start + 10 * PAGE);
        CHECK("too high: no change", brk_to((char *)0x7ffffffff000) == start + 10 * PAGE);
        char *end = (char *)(((uintptr_t)start + 11 * PAGE - 1) & -PAGE);
        char *q = mmap(end + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        CHECK("a mapping in the way: no change", brk_to(q + PAGE) == start + 10 * PAGE);
        return done();
}
