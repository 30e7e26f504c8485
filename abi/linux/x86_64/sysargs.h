/* SPDX-License-Identifier: Apache-2.0
 *
 * x86-64: where a system call's number, arguments and result stand in the user
 * registers, and how an interrupted one is made to run again.
 */
#pragma once
#include "abi/linux/restart.h"

#define NO_SYSCALL U64_MAX              /* orig_rax when the kernel was not entered by a system call */
#define SYSCALL_INSN_LEN 2              /* bytes: 0f 05 */

static inline u64  syscall_nr(const struct user_regs *r)     { return r->orig_rax; }
static inline bool in_syscall(const struct user_regs *r)     { return r->orig_rax != NO_SYSCALL; }
static inline void forget_syscall(struct user_regs *r)       { r->orig_rax = NO_SYSCALL; }
static inline u64  syscall_result(const struct user_regs *r) { return r->rax; }
static inline void syscall_set_result(struct user_regs *r, u64 v)   { r->rax = v; }
static inline void syscall_set_error(struct user_regs *r, u32 code) { r->rax = 0 - (u64)code; }
/* The E* number that the result is, or 0. */
static inline u32  syscall_error(const struct user_regs *r)  { return r->rax > 0 - 4096ul ? (u32)(0 - r->rax) : 0; }

struct syscall_args { u64 a[6]; };
static inline struct syscall_args syscall_args(const struct user_regs *r)
{
        return (struct syscall_args){ { r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9 } };
}

/* The instruction runs again, with the same number and arguments, or as call `nr`. */
static inline void syscall_again(struct user_regs *r)
{
        r->rax = r->orig_rax;
        r->rip -= SYSCALL_INSN_LEN;
}
static inline void syscall_again_as(struct user_regs *r, u64 nr)
{
        r->rax = nr;
        r->rip -= SYSCALL_INSN_LEN;
}

/* What else services need of the registers without naming a CPU. */
static inline u64  user_sp(const struct user_regs *r)             { return r->rsp; }
static inline void user_set_sp(struct user_regs *r, u64 sp)       { r->rsp = sp; }
static inline u64  user_ip(const struct user_regs *r)             { return r->rip; }
static inline void user_set_ip(struct user_regs *r, u64 ip)       { r->rip = ip; }
