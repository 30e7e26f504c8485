/* SPDX-License-Identifier: Apache-2.0
 *
 * mmap_anon: anonymous memory: zero at first, kept, given back.
 */
#include "fault.h"

#define RW (PROT_READ | PROT_WRITE)
#define AN (MAP_PRIVATE | MAP_ANONYMOUS)

int main(void)
{
        size_t n = 64 * PAGE;
        char  *p = mmap(NULL, n, RW, AN, -1, 0), sum = 0;

        catch_faults();
        CHECK("page aligned", p != MAP_FAILED && ((uintptr_t)p & (PAGE - 1)) == 0);
        for (size_t i = 0; i < n; i++)
                sum |= p[i];
        CHECK("zero", sum == 0);
        memset(p, 5, n);
        CHECK("kept", p[0] == 5 && p[n - 1] == 5);
        char *q = mmap(NULL, 100, RW, AN, -1, 0);
        q[PAGE - 1] = 1;
        CHECK("lengths are rounded up", q[PAGE - 1] == 1);
        OKAY("unmap", munmap(p, n));
        CHECK("gone", FAULTS(SIGSEGV, SEGV_MAPERR, p, READS(p)));
        OKAY("unmap of nothing", munmap(p, n));
        char *r = mmap(NULL, 1UL << 36, PROT_NONE, AN | MAP_NORESERVE, -1, 0);
        CHECK("64 GiB reserved", r != MAP_FAILED);
        CHECK("but not accessible", FAULTS(SIGSEGV, SEGV_ACCERR, r + (1UL << 35), READS(r + (1UL << 35))));
        OKAY("given back", munmap(r, 1UL << 36));
        p = mmap(NULL, n, RW, AN | MAP_POPULATE, -1, 0);
        CHECK("populated", p != MAP_FAILED && p[n - 1] == 0);
        p = mmap((void *)0x10000000, PAGE, RW, AN, -1, 0);
        CHECK("a free hint is taken", p == (void *)0x10000000);
        q = mmap((void *)0x10000000, PAGE, RW, AN, -1, 0);
        CHECK("a used one is not", q != MAP_FAILED && q != p);
        q = mmap((void *)0x20000123, PAGE, RW, AN, -1, 0);
        CHECK("a crooked one is rounded", q == (void *)0x20000000);
        return done();
}
