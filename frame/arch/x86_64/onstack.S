/* SPDX-License-Identifier: Apache-2.0
 *
 * arch_run_on(top, fn, arg): calls fn(arg) on another stack and comes back.
 */
#include "x86.h"

        .text
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
