/* SPDX-License-Identifier: Apache-2.0
 *
 * Switching between kernel stacks, calling on another one, and going back to a recovery point.
 */
#include "x86.h"

        .text

/* arch_switch(from, to): IRQs off.  SAFETY: K3: `to` was saved here, and nobody else runs on it. */
FUNC arch_switch
        pushq %rbp
        pushq %rbx
        pushq %r12
        pushq %r13
        pushq %r14
        pushq %r15
        movq %rsp, (%rdi)
        movq (%rsi), %rsp
        popq %r15
        popq %r14
        popq %r13
        popq %r12
        popq %rbx
        popq %rbp
        retq
ENDFUNC arch_switch

/* arch_contained(fn, arg, r): 0; or 1, when arch_recover_go(r) has ended it.  SAFETY: E1. */
FUNC arch_contained
        pushq %rbp
        movq %rsp, %rbp
        pushq %rbx
        pushq %r12
        pushq %r13
        pushq %r14
        pushq %r15
        pushq %r15                      /* alignment */
        movq %rsp, (%rdx)
        leaq 1f(%rip), %rax
        movq %rax, 8(%rdx)
        movq %rdi, %rax
        movq %rsi, %rdi
        callq *%rax
        xorl %eax, %eax
1:      popq %r15
        popq %r15
        popq %r14
        popq %r13
        popq %r12
        popq %rbx
        popq %rbp
        retq
ENDFUNC arch_contained

/* SAFETY: E1: the frames below r->sp are given up. */
FUNC arch_recover_go
        movq (%rdi), %rsp
        movl $1, %eax
        jmpq *8(%rdi)
ENDFUNC arch_recover_go

/* arch_run_on(top, fn, arg): calls fn(arg) on another stack and comes back.
 * SAFETY: E4: the CPU's own, which nobody is on. */
FUNC arch_run_on
        pushq %rbp
        movq %rsp, %rbp
        movq %rdi, %rsp
        movq %rdx, %rdi
        pushq 8(%rbp)                   /* a frame, for backtraces through the change of stacks */
        pushq (%rbp)
        callq *%rsi
        movq %rbp, %rsp
        popq %rbp
        retq
ENDFUNC arch_run_on

        .section .note.GNU-stack, "", @progbits
