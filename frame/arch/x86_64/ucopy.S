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
 * Goes on if [\addr, \addr + \n) lies in user space and the task has one, else at \part. */
.macro REACH addr, n, part
        movabsq $USER_TOP, %rax
        subq \addr, %rax
        jb \part
        cmpq %rax, \n
        ja \part
        cmpq $USER_LOW, \addr
        jb \part
        movq %gs:PERCPU_CURRENT, %rax
        cmpq $0, TASK_SPACE(%rax)
        je \part
.endm

/* usize user_copy_in(mbytes dst, u64 addr), usize user_copy_out(u64 addr, bytes src) */
FUNC user_copy_in
        REACH %rdx, %rsi, user_copy_in_part
        movq %rsi, %rcx
        movq %rdx, %rsi
        movq %rcx, %rdx
        jmp ucopy
ENDFUNC user_copy_in
FUNC user_copy_out
        REACH %rdi, %rdx, user_copy_out_part
        jmp ucopy
ENDFUNC user_copy_out

/* usize ucopy(void *to, const void *from, usize n): bytes copied. */
FUNC ucopy
        movq %rdi, %r8
        leaq (%rdi, %rdx), %r9
        STAC
        movl %edx, %ecx
        cmpq $128, %rdx
        jae 5f
        shrl $4, %ecx
        jz 7f
1:      movq (%rsi), %rax
2:      movq 8(%rsi), %r10
3:      movq %rax, (%rdi)
4:      movq %r10, 8(%rdi)
        addq $16, %rsi
        addq $16, %rdi
        decl %ecx
        jnz 1b
7:      testb $15, %dl
        jz 9f
        testb $8, %dl
        jz 8f
10:     movq (%rsi), %rax
11:     movq %rax, (%rdi)
        addq $8, %rsi
        addq $8, %rdi
8:      andl $7, %edx
        jz 9f
        cmpl $4, %edx
        jne 14f
12:     movl (%rsi), %eax
13:     movl %eax, (%rdi)
9:      CLAC
        movq %r9, %rax
        subq %r8, %rax
        retq
5:      movq %rdx, %rcx
        shrq $3, %rcx
6:      rep movsq
        jmp 8b
/* Bytes: what is left, or after a fault in a word, whose first bytes may still be there. */
20:     STAC
14:     cmpq %r9, %rdi
        jae 9b
15:     movb (%rsi), %al
16:     movb %al, (%rdi)
        incq %rsi
        incq %rdi
        jmp 14b
21:     movq %rdi, %rax
        subq %r8, %rax
        retq
        .irp at, 1b, 2b, 3b, 4b, 6b, 10b, 11b, 12b, 13b
        EX_TABLE \at, 20b
        .endr
        EX_TABLE 15b, 21b
        EX_TABLE 16b, 21b
ENDFUNC ucopy

/* usize user_copy_string(mbytes dst, u64 addr, bool *found) */
FUNC user_copy_string
        REACH %rdx, %rsi, user_copy_string_part
        jmp ucopy_string
ENDFUNC user_copy_string

/* usize ucopy_string(u8 *to, usize max, u64 from, bool *found): bytes copied, with the NUL if it was found.
 * Words as long as none crosses into the next page, which may not be there; the last brings bytes from behind the NUL. */
FUNC ucopy_string
        movb $0, (%rcx)
        pushq %rcx
        xorl %r8d, %r8d                 /* done */
        movabsq $0x0101010101010101, %r9
        movabsq $0x8080808080808080, %r10
        STAC
1:      leaq (%rdx, %r8), %rcx
        orq $0xfff, %rcx
        subq %rdx, %rcx
        subq $7, %rcx                   /* the last place for a word in this page, */
        leaq -8(%rsi), %rax             /* or in the buffer */
        cmpq %rax, %rcx
        cmovgq %rax, %rcx
        jmp 3f
2:      movq (%rdx, %r8), %r11
        movq %r11, (%rdi, %r8)
        movq %r11, %rax
        subq %r9, %rax
        testq %r10, %rax
        jnz 5f                          /* a NUL, or bytes above 0x80 */
6:      addq $8, %r8
3:      cmpq %rcx, %r8
        jle 2b
        cmpq %rsi, %r8
        jae 9f
4:      movb (%rdx, %r8), %al
        movb %al, (%rdi, %r8)
        incq %r8
        testb %al, %al
        jnz 1b
7:      movq (%rsp), %rcx
        movb $1, (%rcx)
9:      CLAC
        popq %rcx
        movq %r8, %rax
        retq
5:      notq %r11
        andq %r10, %rax
        andq %r11, %rax
        jz 6b
        bsfq %rax, %rax
        shrl $3, %eax
        leaq 1(%r8, %rax), %r8
        jmp 7b
        EX_TABLE 2b, 9b
        EX_TABLE 4b, 9b
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

/* bool uxsave(u64 to, u64 components) */
FUNC uxsave
        movl %esi, %eax
        movq %rsi, %rdx
        shrq $32, %rdx
        STAC
1:      xsaveq (%rdi)
        CLAC
        movl $1, %eax
        retq
        EX_TABLE 1b, ufailed
ENDFUNC uxsave

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
