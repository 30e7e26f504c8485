/* SPDX-License-Identifier: Apache-2.0
 *
 * x86-64: what a signal puts on the user stack.
 */
#pragma once
#include "abi/linux/signal.h"

struct linux_sigcontext {
        u64 r8;
        u64 r9;
        u64 r10;
        u64 r11;
        u64 r12;
        u64 r13;
        u64 r14;
        u64 r15;
        u64 rdi;
        u64 rsi;
        u64 rbp;
        u64 rbx;
        u64 rdx;
        u64 rax;
        u64 rcx;
        u64 rsp;
        u64 rip;
        u64 eflags;
        u16 cs;
        u16 gs;
        u16 fs;
        u16 ss;                         /* valid if UC_SIGCONTEXT_SS */
        u64 err;
        u64 trapno;
        u64 oldmask;
        u64 cr2;
        u64 fpstate;                    /* 0, or where the FPU state is: 64-aligned */
        u64 reserved1[8];
};

struct linux_ucontext {
        u64 uc_flags;
        u64 uc_link;
        struct linux_stack uc_stack;
        struct linux_sigcontext uc_mcontext;
        linux_sigset uc_sigmask;
};

/* From the stack pointer upward, when the handler starts.  The FPU state lies above. */
struct linux_rt_sigframe {
        u64 pretcode;                   /* sa_restorer: the handler returns there */
        struct linux_ucontext uc;
        struct linux_siginfo info;
};

/* The bytes of the FXSAVE image that software may use: says how much XSAVE state follows. */
struct linux_fpx_sw_bytes {
        u32 magic1;                     /* FP_XSTATE_MAGIC1, or 0: no extended state */
        u32 extended_size;              /* of all of it, with FP_XSTATE_MAGIC2 behind */
        u64 xfeatures;
        u32 xstate_size;
        u32 padding[7];
};

struct linux_fpstate {
        u16 cwd;
        u16 swd;
        u16 twd;
        u16 fop;
        u64 rip;
        u64 rdp;
        u32 mxcsr;
        u32 mxcsr_mask;
        u32 st_space[32];
        u32 xmm_space[64];
        u32 reserved2[12];
        struct linux_fpx_sw_bytes sw_reserved;
};

struct linux_xstate_header {
        u64 xfeatures;
        u64 reserved1[2];               /* [0] is XCOMP_BV: 0 in the standard format */
        u64 reserved2[5];
};

/* The start of the extended state: the AVX half registers and more follow. */
struct linux_xstate {
        struct linux_fpstate fpstate;
        struct linux_xstate_header xstate_hdr;
        u32 ymmh_space[64];
};
