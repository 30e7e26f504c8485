/* SPDX-License-Identifier: Apache-2.0
 *
 * segv_codes: what SIGSEGV and SIGBUS tell: code, address, error.
 */
#include "fault.h"

static volatile int rip_seen;

static void context_handler(int sig, siginfo_t *si, void *context)
{
        greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;

        (void)sig;
        fault_addr = si->si_addr;
        fault_code = r[REG_ERR];
        fault_sig = r[REG_TRAPNO];
        rip_seen = r[REG_CR2] == (greg_t)si->si_addr;
        siglongjmp(fault_back, 1);
}

static void touch_deep(char *p) { READS(p); }

int main(void)
{
        char *ro = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        catch_faults();
        CHECK("unmapped: MAPERR", FAULTS(SIGSEGV, SEGV_MAPERR, 0x123456, READS(0x123456)));
        CHECK("null", FAULTS(SIGSEGV, SEGV_MAPERR, 0, READS(bad_ptr = (char *)bad_ptr - 8)));
        CHECK("read-only: ACCERR", FAULTS(SIGSEGV, SEGV_ACCERR, ro + 33, WRITES(ro + 33, 1)));
        CHECK("kernel address", FAULTS(SIGSEGV, SEGV_MAPERR, 0xffff800000001000, READS(0xffff800000001000)));
        CHECK("non-canonical: no address", FAULTS(SIGSEGV, SI_KERNEL, 0, READS(0x800000000000000)));
        CHECK("jump to nothing", FAULTS(SIGSEGV, SEGV_MAPERR, 0x123000, ((void (*)(void))0x123000)()));
        CHECK("privileged instruction", FAULTS(SIGSEGV, SI_KERNEL, 0, asm volatile("hlt")));
        CHECK("port access", FAULTS(SIGSEGV, SI_KERNEL, 0, asm volatile("inb $0x80, %%al" ::: "eax")));

        struct sigaction sa = { .sa_sigaction = context_handler, .sa_flags = SA_SIGINFO | SA_NODEFER };
        sigaction(SIGSEGV, &sa, NULL);
        CHECK("trap 14, read of nothing: 4", FAULTS(14, 4, 0x9999000, touch_deep((char *)0x9999000)));
        CHECK("cr2", rip_seen);
        CHECK("write to read-only: 7", (READS(ro), FAULTS(14, 7, ro, WRITES(ro, 1))));
        CHECK("trap 13", FAULTS(13, 0, 0, asm volatile("hlt")));
        return done();
}
