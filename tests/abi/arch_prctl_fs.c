/* SPDX-License-Identifier: Apache-2.0
 *
 * arch_prctl_fs: arch_prctl: the FS and GS bases, kept over switches.
 */
#include "abi.h"
#include <asm/prctl.h>

static long arch(int code, unsigned long v) { return syscall(SYS_arch_prctl, code, v); }

static unsigned long gs_word(void)
{
        unsigned long v;

        asm volatile("mov %%gs:8, %0" : "=r"(v));
        return v;
}

int main(void)
{
        unsigned long fs = 0, gs = 1, block[4] = { 1, 0x1234, 3, 4 }, other[4] = { 0, 0x5678, 0, 0 };
        pid_t         pids[3];
        int           good = 0;

        OKAY("ask for FS", arch(ARCH_GET_FS, (unsigned long)&fs));
        CHECK("is the thread's block", fs != 0 && *(unsigned long *)fs == fs);
        OKAY("ask for GS", arch(ARCH_GET_GS, (unsigned long)&gs));
        CHECK("zero", gs == 0);
        OKAY("set GS", arch(ARCH_SET_GS, (unsigned long)block));
        CHECK("used", gs_word() == 0x1234);
        for (int c = 0; c < 3; c++)
                if ((pids[c] = fork()) == 0) {
                        other[1] = c;
                        arch(ARCH_SET_GS, (unsigned long)other);
                        for (int i = 0; i < 300; i++) {
                                sched_yield();
                                if (gs_word() != (unsigned long)c)
                                        _exit(1);
                        }
                        _exit(9);
                }
        for (int c = 0; c < 3; c++)
                good += result_of(pids[c]) == 9;
        CHECK("kept over switches", good == 3 && gs_word() == 0x1234);
        FAILS("a kernel address", EPERM, arch(ARCH_SET_GS, 0xffff800000000000));
        FAILS("a kernel address for FS", EPERM, arch(ARCH_SET_FS, 0xffff800000000000));
        CHECK("unchanged", gs_word() == 0x1234);
        FAILS("pointer", EFAULT, arch(ARCH_GET_FS, (unsigned long)BAD_PTR));
        FAILS("code", EINVAL, arch(0x9999, 0));
        return done();
}
