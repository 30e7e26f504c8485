/* SPDX-License-Identifier: Apache-2.0
 *
 * pkey_basic: what holds of protection keys whether or not the CPU has them.
 */
#include "show.h"
#include "fault.h"

int main(void)
{
        char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        catch_faults();
        SHOW("pkey_alloc, flags", syscall(SYS_pkey_alloc, 1, 0));
        SHOW("pkey_alloc, unknown rights", syscall(SYS_pkey_alloc, 0, 4));
        SHOW("pkey_free of none", syscall(SYS_pkey_free, 9));
        SHOW("pkey_free of what cannot be", syscall(SYS_pkey_free, 77));
        SHOW("pkey_free, negative", syscall(SYS_pkey_free, -1));
        SHOW("pkey_mprotect without a key", syscall(SYS_pkey_mprotect, p, PAGE, PROT_READ, -1));
        CHECK("protects", FAULTS(SIGSEGV, SEGV_ACCERR, p, WRITES(p, 1)));
        SHOW("pkey_mprotect, a key of nobody", syscall(SYS_pkey_mprotect, p, PAGE, PROT_READ, 9));
        SHOW("pkey_mprotect, what cannot be", syscall(SYS_pkey_mprotect, p, PAGE, PROT_READ, 77));
        SHOW("pkey_mprotect, crooked", syscall(SYS_pkey_mprotect, p + 1, PAGE, PROT_READ, -1));
        SHOW("pkey_mprotect, nothing", syscall(SYS_pkey_mprotect, p, 0, PROT_READ, -1));
        int key = syscall(SYS_pkey_alloc, 0, 0), saw = errno;
        CHECK("a key, or the CPU has none", key > 0 || saw == ENOSPC);
        return done();
}
