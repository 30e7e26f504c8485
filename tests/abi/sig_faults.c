/* SPDX-License-Identifier: Apache-2.0
 *
 * sig_faults: SIGFPE, SIGILL, SIGTRAP: codes and addresses.
 */
#include "fault.h"

static volatile int zero;

int main(void)
{
        extern char ill_here[];

        catch_faults();
        fault_sig = 0;
        if (sigsetjmp(fault_back, 1) == 0)
                asm volatile("xor %%edx, %%edx; mov $1, %%eax; idivl %0" :: "m"(zero) : "eax", "edx");
        CHECK("division by zero", fault_sig == SIGFPE && fault_code == FPE_INTDIV && fault_addr != NULL);
        if (sigsetjmp(fault_back, 1) == 0)
                asm volatile(".globl ill_here\nill_here: ud2");
        CHECK("bad instruction", fault_sig == SIGILL && fault_code == ILL_ILLOPN && fault_addr == ill_here);
        if (sigsetjmp(fault_back, 1) == 0)
                asm volatile("int3");
        CHECK("breakpoint", fault_sig == SIGTRAP && fault_code == SI_KERNEL);
        return done();
}
