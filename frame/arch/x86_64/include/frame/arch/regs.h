/* SPDX-License-Identifier: Apache-2.0
 *
 * The user registers of a task, as services see them while it is in the kernel.
 * Any values may be written: what user space may not control is masked or refused
 * when they are restored (frame/SOUNDNESS.md, U*).  The order is the entry code's.
 */
#pragma once

struct user_regs {
        u64 r15, r14, r13, r12, rbp, rbx;
        u64 r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
        u64 orig_rax;           /* system call number; ~0: not from a system call */
        u64 rip, cs, rflags, rsp, ss;
};
