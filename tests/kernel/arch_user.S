/* SPDX-License-Identifier: Apache-2.0
 *
 * The user program of arch.c.  R14 is where to go on after a fault; a system call
 * with number 0x100 reports RDI, 0x101 jumps to RDI, 0x102 yields, 0x103 ends, 0x104 does nothing.
 */
#ifdef KEEL_SELFTEST
        .section .rodata.selftest, "a"
        .globl selftest_user, selftest_user_end
.macro REPORT
        movl $0x100, %eax
        syscall
.endm
.macro CHECK_EQ a, b
        cmpq \a, \b
        jne bad
.endm
.macro MAY_FAULT insn:vararg
        leaq 1f(%rip), %r14
        \insn
1:
.endm
selftest_user:
        /* The task's number is at GS:0 and FS:0 and in RBX. */
        movl %cs, %edi
        REPORT
        pushfq
        popq %rdi
        REPORT
        /* Registers, SSE state, FS and GS over switches. */
        movq %rbx, %xmm5
        movq %rbx, %xmm15
        movl $2000, %r13d
        leaq 7(%rbx), %r8
        leaq 9(%rbx), %rbp
2:      movl $0x102, %eax
        syscall
        movq %xmm5, %rdx
        CHECK_EQ %rdx, %rbx
        movq %xmm15, %rdx
        CHECK_EQ %rdx, %rbx
        CHECK_EQ %gs:0, %rbx
        CHECK_EQ %fs:0, %rbx
        leaq -2(%rbp), %rdx
        CHECK_EQ %rdx, %r8
        decl %r13d
        jnz 2b
        testq %rbx, %rbx
        jnz done                        /* the rest is for one */
        MAY_FAULT ud2
        MAY_FAULT int3
        MAY_FAULT movb 0xffffffff80200000, %al
        MAY_FAULT movabsb %al, 0xffff800000100000
        MAY_FAULT movb 0, %al
        MAY_FAULT hlt
        MAY_FAULT cli
        MAY_FAULT inb $0x64, %al
        MAY_FAULT int $0x80
        MAY_FAULT int $14
        MAY_FAULT movq %cr3, %rax
        MAY_FAULT rdmsr
        movq $0x8000000000000000, %rsi
        MAY_FAULT movb (%rsi), %al
        /* A single step: one trap behind the instruction after POPFQ. */
        leaq 3f(%rip), %r14
        pushfq
        orq $0x100, (%rsp)
        popfq
        nop
3:      pushfq
        popq %rdi
        REPORT
        /* System calls and faults with AC, DF and NT set: user space keeps them, the kernel runs without. */
        pushfq
        orq $0x44400, (%rsp)
        popfq
        REPORT
        pushfq
        popq %rdi
        REPORT
        MAY_FAULT ud2
        cld
        pushfq
        andq $~0x44000, (%rsp)
        popfq
        /* Stacks that are not. */
        movq %rsp, %rbp
        movq $0xffff8000deadbeef, %rsp
        REPORT
        movq $0x8000000000000000, %rsp
        REPORT
        movq %rbp, %rsp
        /* Returns to places that are not: not canonical, the kernel's, just above the top. */
        leaq 4f(%rip), %r14
        movl $0x101, %eax
        movq $0x800000000000, %rdi
        syscall
4:      leaq 5f(%rip), %r14
        movl $0x101, %eax
        movq $0xffffffff80200000, %rdi
        syscall
5:      leaq 7f(%rip), %r14
        movl $0x101, %eax
        movq $0x7ffffffff000, %rdi
        syscall
7:      /* A thousand system calls that do nothing. */
        rdtsc
        movl %eax, %ebp
        movl $1000, %r13d
6:      movl $0x104, %eax
        syscall
        decl %r13d
        jnz 6b
        rdtsc
        subl %ebp, %eax
        movl %eax, %edi
        movl $0x105, %eax
        syscall
done:   movl $0x103, %eax
        syscall
bad:    movl $0xbad, %edi
        REPORT
        jmp done
selftest_user_end:
#endif
        .section .note.GNU-stack, "", @progbits
