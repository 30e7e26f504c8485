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

/* arch_recover_set(r): the fields in the order of struct recover.  SAFETY: E1. */
FUNC arch_recover_set
        movq %rbx, (%rdi)
        movq %rbp, 8(%rdi)
        movq %r12, 16(%rdi)
        movq %r13, 24(%rdi)
        movq %r14, 32(%rdi)
        movq %r15, 40(%rdi)
        leaq 8(%rsp), %rax
        movq %rax, 48(%rdi)
        movq (%rsp), %rax
        movq %rax, 56(%rdi)
        xorl %eax, %eax
        retq
ENDFUNC arch_recover_set

/* SAFETY: E1: the frames below r->sp are given up. */
FUNC arch_recover_go
        movq (%rdi), %rbx
        movq 8(%rdi), %rbp
        movq 16(%rdi), %r12
        movq 24(%rdi), %r13
        movq 32(%rdi), %r14
        movq 40(%rdi), %r15
        movq 48(%rdi), %rsp
        movl $1, %eax
        jmpq *56(%rdi)
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
