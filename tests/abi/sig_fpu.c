/* SPDX-License-Identifier: Apache-2.0
 *
 * sig_fpu: vector registers survive handlers and other processes.
 */
#include "abi.h"
#include <cpuid.h>

static volatile int hits;

static void handler(int sig)
{
        (void)sig;
        asm volatile("pcmpeqd %%xmm0, %%xmm0; movaps %%xmm0, %%xmm7; movaps %%xmm0, %%xmm15; fninit; fldpi"
                     ::: "xmm0", "xmm7", "xmm15", "memory");
        unsigned csr = 0x9fc0;
        asm volatile("ldmxcsr %0" :: "m"(csr));
        hits++;
}

static int have_avx(void)
{
        unsigned a, b, c, d;

        return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_OSXSAVE) && (c & bit_AVX);
}

/* Fills registers, makes one system call, compares. The call is made between the two, in one
 * block, so that the compiler's own code has no chance to use the registers. */
static int kept(unsigned seed, long nr, long a, long b, long c)
{
        unsigned in[16] __attribute__((aligned(16))), out[16] __attribute__((aligned(16))), csr0, csr1;
        double   x = seed, y = 0;
        long     r;

        for (int i = 0; i < 16; i++)
                in[i] = seed * 31 + i;
        asm volatile("stmxcsr %0" : "=m"(csr0));
        asm volatile("movaps (%2), %%xmm0; movaps 16(%2), %%xmm7; movaps 32(%2), %%xmm8; movaps 48(%2), %%xmm15\n\t"
                     "fninit; fldl %4\n\t"
                     "syscall\n\t"
                     "fstpl %1\n\t"
                     "movaps %%xmm0, (%3); movaps %%xmm7, 16(%3); movaps %%xmm8, 32(%3); movaps %%xmm15, 48(%3)"
                     : "=a"(r), "=m"(y)
                     : "r"(in), "r"(out), "m"(x), "a"(nr), "D"(a), "S"(b), "d"(c)
                     : "xmm0", "xmm7", "xmm8", "xmm15", "memory", "rcx", "r11", "cc");
        asm volatile("stmxcsr %0" : "=m"(csr1));
        return r == 0 && !memcmp(in, out, sizeof in) && x == y && csr0 == csr1;
}

int main(void)
{
        pid_t pids[4];
        int   good = 0, me = getpid();

        on(SIGUSR1, handler, 0);
        CHECK("over a handler", kept(5, SYS_tgkill, me, me, SIGUSR1) && hits == 1);
        for (int c = 0; c < 4; c++)
                if ((pids[c] = fork()) == 0) {
                        int ok = 1;
                        for (int i = 0; i < 500; i++)
                                ok &= kept(c * 1000 + i, SYS_sched_yield, 0, 0, 0);
                        _exit(ok);
                }
        for (int c = 0; c < 4; c++)
                good += result_of(pids[c]) == 1;
        CHECK("over switches between processes", good == 4);

        good = 1;
        if (have_avx()) {
                unsigned long in[4] = { 1, 2, 3, 4 }, out[4] = { 0 };
                long          r;
                asm volatile("vmovups (%1), %%ymm3; syscall; vmovups %%ymm3, (%2)"
                             : "=a"(r)
                             : "r"(in), "r"(out), "a"((long)SYS_tgkill), "D"((long)me), "S"((long)me), "d"((long)SIGUSR1)
                             : "rcx", "r11", "xmm3", "memory");
                good = !memcmp(in, out, sizeof in);
        }
        CHECK("upper halves, where there are any", good);
        return done();
}
