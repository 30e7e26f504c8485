/* SPDX-License-Identifier: Apache-2.0
 *
 * sig_return: a forged signal frame harms nobody but its owner.
 */
#include "abi.h"
#include <ucontext.h>

static int what;

static void handler(int sig, siginfo_t *si, void *context)
{
        greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;

        (void)sig;
        (void)si;
        switch (what) {
        case 0: r[REG_RIP] = 0xffffffff81000000; break;         /* the kernel's half */
        case 1: r[REG_RIP] = 0x8000000000000000; break;         /* not canonical */
        case 2: r[REG_CSGSFS] = 0x10; break;                    /* a kernel's selector */
        case 3: r[REG_EFL] |= 0x3000 | 0x200 | 0x20000; break;  /* IOPL 3, VM */
        case 4: r[REG_RSP] = 0xffff800000000000; break;
        case 5: ((ucontext_t *)context)->uc_mcontext.fpregs = (void *)0xffff800000000000; break;
        case 6: ((ucontext_t *)context)->uc_mcontext.fpregs = (void *)3; break;
        }
}

static int try(void)
{
        struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

        sigaction(SIGUSR1, &sa, NULL);
        raise(SIGUSR1);
        if (what == 3)
                asm volatile("inb $0x80, %%al" ::: "eax");      /* needs an IOPL it must not have */
        return 0;
}

static int no_frame(void)
{
        asm volatile("mov $8, %%rsp; mov %0, %%eax; syscall" :: "i"(SYS_rt_sigreturn) : "memory");
        return 0;
}

static int rubbish_frame(void)
{
        static unsigned char rubbish[8192] __attribute__((aligned(64)));

        memset(rubbish, 0xa5, sizeof rubbish);
        asm volatile("mov %0, %%rsp; mov %1, %%eax; syscall" :: "r"(rubbish + 4096), "i"(SYS_rt_sigreturn) : "memory");
        return 0;
}

int main(void)
{
        static const char *const names[] = { "kernel rip", "non-canonical rip", "kernel cs", "iopl",
                                             "kernel rsp", "kernel fpregs", "crooked fpregs" };

        for (what = 0; what < 7; what++)
                CHECK(names[what], in_child(try) == KILLED(SIGSEGV));
        CHECK("no frame", in_child(no_frame) == KILLED(SIGSEGV));
        CHECK("rubbish", in_child(rubbish_frame) == KILLED(SIGSEGV));
        return done();
}
