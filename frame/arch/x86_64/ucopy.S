/* SPDX-License-Identifier: Apache-2.0
 *
 * Copies to and from user memory.  A fault ends a copy early; the callers (usercopy.c)
 * have checked that the user side lies below VM_MAX.  Every access between STAC and
 * CLAC has an exception-table entry.  Eight bytes at a time, by REP MOVSQ when long (as
 * fast as REP MOVSB where that is fast, and much faster where it is not).
 *
 * SAFETY: U5: between STAC and CLAC only the caller's buffer and user memory; T5: arch_peek.
 */
#include "x86.h"

        .text

/* SAFETY of all but arch_peek: U5.
 * usize ucopy(void *to, const void *from, usize n): bytes not copied. */
FUNC ucopy
        movq %rdx, %rcx
        shrq $3, %rcx
        STAC
        cmpq $128, %rdx
        jae 5f
        testl %ecx, %ecx
        jz 7f
1:      movq (%rsi), %rax
2:      movq %rax, (%rdi)
        addq $8, %rsi
        addq $8, %rdi
        decl %ecx
        jnz 1b
7:      andl $7, %edx
        jz 9f
3:      movb (%rsi), %al
4:      movb %al, (%rdi)
        incq %rsi
        incq %rdi
        decq %rdx
        jnz 3b
9:      CLAC
        xorl %eax, %eax
        retq
5:      rep movsq
        jmp 7b
/* A word faulted: its first bytes may still be there. RCX words and RDX & 7 bytes are left. */
6:      STAC
        andl $7, %edx
        leaq (%rdx, %rcx, 8), %rdx
        jmp 3b
8:      movq %rdx, %rax
        retq
        EX_TABLE 1b, 6b
        EX_TABLE 2b, 6b
        EX_TABLE 5b, 6b
        EX_TABLE 3b, 8b
        EX_TABLE 4b, 8b
ENDFUNC ucopy

/* usize uzero(u64 to, usize n): bytes not zeroed. */
FUNC uzero
        movq %rsi, %rcx
        movq %rsi, %rdx
        shrq $3, %rcx
        xorl %eax, %eax
        STAC
1:      rep stosq
        andl $7, %edx
        jz 9f
3:      movb %al, (%rdi)
        incq %rdi
        decq %rdx
        jnz 3b
9:      CLAC
        retq
6:      STAC
        andl $7, %edx
        leaq (%rdx, %rcx, 8), %rdx
        jmp 3b
8:      movq %rdx, %rax
        retq
        EX_TABLE 1b, 6b
        EX_TABLE 3b, 8b
ENDFUNC uzero

/* u64 ucopy_string(u8 *to, u64 from, usize max): bytes copied, and bit 63 when the NUL was among them.
 * Words once the source is aligned, so that none crosses into a page that is not there. */
FUNC ucopy_string
        movq %rdi, %r8
        movabsq $0x0101010101010101, %r9
        movabsq $0x8080808080808080, %r10
        STAC
1:      testl $7, %esi
        jnz 4f
        cmpq $8, %rdx
        jb 4f
2:      movq (%rsi), %rax
        movq %rax, %rcx
        subq %r9, %rcx
        notq %rax
        andq %rax, %rcx
        testq %r10, %rcx
        jnz 4f                          /* a NUL in this word */
        notq %rax
        movq %rax, (%rdi)
        addq $8, %rsi
        addq $8, %rdi
        subq $8, %rdx
        jmp 1b
4:      testq %rdx, %rdx
        jz 8f
3:      movb (%rsi), %al
        movb %al, (%rdi)
        incq %rsi
        incq %rdi
        decq %rdx
        testb %al, %al
        jnz 1b
        CLAC
        leaq (%rdi), %rax
        subq %r8, %rax
        btsq $63, %rax
        retq
8:      CLAC
        movq %rdi, %rax
        subq %r8, %rax
        retq
        EX_TABLE 2b, 8b
        EX_TABLE 3b, 8b
ENDFUNC ucopy_string

/* bool uload32(u64 from, u32 *value), and so on: false on a fault. */
.macro LOAD name, mov, reg
FUNC \name
        STAC
1:      \mov (%rdi), \reg
        CLAC
        \mov \reg, (%rsi)
        movl $1, %eax
        retq
        EX_TABLE 1b, ufailed
ENDFUNC \name
.endm
.macro STORE name, mov, reg
FUNC \name
        STAC
1:      \mov \reg, (%rdi)
        CLAC
        movl $1, %eax
        retq
        EX_TABLE 1b, ufailed
ENDFUNC \name
.endm
LOAD uload32, movl, %eax
LOAD uload64, movq, %rax
STORE ustore32, movl, %esi
STORE ustore64, movq, %rsi

/* bool ucmpxchg32(u64 at, u32 old, u32 new, u32 *seen) */
FUNC ucmpxchg32
        movl %esi, %eax
        STAC
1:      lock cmpxchgl %edx, (%rdi)
        CLAC
        movl %eax, (%rcx)
        movl $1, %eax
        retq
        EX_TABLE 1b, ufailed
ENDFUNC ucmpxchg32

/* bool arch_peek(u64 addr, u64 *value): kernel memory; user memory is shut. */
FUNC arch_peek
1:      movq (%rdi), %rax
        movq %rax, (%rsi)
        movl $1, %eax
        retq
        EX_TABLE 1b, ufailed
ENDFUNC arch_peek

ufailed:
        xorl %eax, %eax
        retq

        .section .note.GNU-stack, "", @progbits
