/* SPDX-License-Identifier: Apache-2.0
 *
 * x86-64: register sets as ptrace and core files show them.
 */
#pragma once

/* PTRACE_GETREGS, NT_PRSTATUS */
struct linux_user_regs {
        u64 r15;
        u64 r14;
        u64 r13;
        u64 r12;
        u64 rbp;
        u64 rbx;
        u64 r11;
        u64 r10;
        u64 r9;
        u64 r8;
        u64 rax;
        u64 rcx;
        u64 rdx;
        u64 rsi;
        u64 rdi;
        u64 orig_rax;
        u64 rip;
        u64 cs;
        u64 eflags;
        u64 rsp;
        u64 ss;
        u64 fs_base;
        u64 gs_base;
        u64 ds;
        u64 es;
        u64 fs;
        u64 gs;
};

/* PTRACE_GETFPREGS, NT_PRFPREG: the image that FXSAVE writes */
struct linux_user_fpregs {
        u16 cwd;
        u16 swd;
        u16 ftw;
        u16 fop;
        u64 rip;
        u64 rdp;
        u32 mxcsr;
        u32 mxcr_mask;
        u32 st_space[32];               /* 8 x87 registers, 16 bytes each */
        u32 xmm_space[64];              /* 16 SSE registers, 16 bytes each */
        u32 padding[24];
};

/* arch_prctl's ancestor: set_thread_area(2), modify_ldt(2) */
struct linux_user_desc {
        u32 entry_number;
        u32 base_addr;
        u32 limit;
        u32 flags;                      /* LINUX_USER_DESC_* */
};
#define LINUX_USER_DESC_SEG_32BIT       0x01u
#define LINUX_USER_DESC_CONTENTS        0x06u
#define LINUX_USER_DESC_READ_EXEC_ONLY  0x08u
#define LINUX_USER_DESC_LIMIT_IN_PAGES  0x10u
#define LINUX_USER_DESC_SEG_NOT_PRESENT 0x20u
#define LINUX_USER_DESC_USEABLE         0x40u
#define LINUX_USER_DESC_LM              0x80u
