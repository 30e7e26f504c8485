/* SPDX-License-Identifier: Apache-2.0
 *
 * Entry and exit: SYSCALL, exceptions, interrupts, and the way back to user code.
 *
 * From user mode every entry ends on the task's own stack with its registers at the
 * stack's top (struct user_regs), calls one C function with a pointer to them, and leaves
 * through return_to_user.  From kernel mode the registers are saved where the stack
 * stands; interrupts run on the CPU's interrupt stack.  In the kernel GS is the CPU's
 * struct percpu; SWAPGS happens once on each way in from user mode and once out.
 *
 * NMI, machine check, double fault and debug may strike where GS or the stack is still
 * the user's: they have stacks of their own (IST) and find struct percpu by SGDT.
 * There the GS base is saved and restored as a number (T4).
 *
 * SAFETY: T1, T2, T3, T4 on the way in, U1, U2, U3 on the way out; T6 between.
 */
#include "x86.h"

        .section .text.entry, "ax"

/* Saves all but what lies above: orig_rax or an error code, and the CPU's frame.  \rax is stored as RAX. */
.macro PUSH_REGS rax=%rax
        pushq %rdi
        pushq %rsi
        PUSH_REST \rax
.endm
/* The same where the vector stands in RDI's place; RDI becomes the vector. */
.macro PUSH_REGS_VECTOR
        pushq %rsi
        movq 8(%rsp), %rsi
        movq %rdi, 8(%rsp)
        movq %rsi, %rdi
        PUSH_REST %rax
.endm
.macro PUSH_REST rax
        .irp reg, %rdx, %rcx, \rax, %r8, %r9, %r10, %r11, %rbx, %rbp, %r12, %r13, %r14, %r15
        pushq \reg
        .endr
.endm
.macro POP_REGS
        .irp reg, %r15, %r14, %r13, %r12, %rbp, %rbx, %r11, %r10, %r9, %r8, %rax, %rcx, %rdx, %rsi, %rdi
        popq \reg
        .endr
.endm

/* ---- system calls ---- SFMASK has cleared IF, DF, AC, TF, NT. */
FUNC entry_syscall
        swapgs
        movq %rsp, %gs:PERCPU_USER_SP
        movq %gs:PERCPU_KERNEL_SP, %rsp
        pushq $USER_SS
        pushq %gs:PERCPU_USER_SP
        pushq %r11
        pushq $USER_CS
        pushq %rcx
        pushq %rax                      /* orig_rax */
        PUSH_REGS $-38                  /* RAX: ENOSYS until somebody says otherwise */
        xorl %ebp, %ebp
        movq %rsp, %rdi
        movq %rsp, %rbx
        subq $8, %rsp                   /* 16-byte alignment */
        sti
        call k_on_syscall
        /* falls into return_to_user: RBX = the registers */
ENDFUNC entry_syscall

/* IRQs on, RBX = struct user_regs at the top of this stack.  Nothing is pending but rarely: then k_before_user sees to it. */
FUNC return_to_user
        cli
        movq %gs:PERCPU_CURRENT, %rax
        movl %gs:PERCPU_PREEMPT, %ecx
        orq TASK_WORK(%rax), %rcx       /* and n_held */
        orq %gs:PERCPU_RESCHED, %rcx    /* and bh_pending */
        jnz 3f
0:      movq %rbx, %rsp
        /* SYSRET gives RCX = RIP and R11 = RFLAGS, takes CS and SS from constants, and cannot set TF or RF reliably
         * (U2): it serves where services changed neither. */
        movq REGS_RIP(%rsp), %rcx
        movabsq $USER_TOP, %rdx
        cmpq %rdx, %rcx
        jae 1f
        cmpq %rcx, REGS_RCX(%rsp)
        jne 1f
        movq REGS_R11(%rsp), %r11
        cmpq %r11, REGS_FLAGS(%rsp)
        jne 1f
        movl %r11d, %eax
        xorl $FLAG_IF + 2, %eax         /* both are set */
        testl $~(FLAGS_USER - FLAG_TF - FLAG_RF), %eax
        jnz 1f
        POP_REGS
        movq 32(%rsp), %rsp             /* past orig_rax, rip, cs, rflags */
        swapgs
        sysretq
        /* Whatever services wrote, CS, SS and the system flags are ours (U1). */
1:      andq $FLAGS_USER, REGS_FLAGS(%rsp)
        orq $FLAG_IF + 2, REGS_FLAGS(%rsp)
        movq $USER_CS, REGS_CS(%rsp)
        movq $USER_SS, REGS_SS(%rsp)
        /* RIP not below the user top: an address in the kernel's half faults in user mode, but IRET itself
         * would fault on one that is not canonical: it becomes the user's fault here (U3). */
        movq %rcx, %rax
        shlq $16, %rax
        sarq $16, %rax
        cmpq %rcx, %rax
        jne 2f
        POP_REGS
        addq $8, %rsp
        swapgs
        .globl user_iretq
user_iretq:
        iretq
2:      movq %rsp, %rdi
        subq $8, %rsp
        sti
        call trap_bad_user_ip
        jmp return_to_user
3:      movq %rbx, %rdi
        call k_before_user
        jmp 0b
ENDFUNC return_to_user

/* arch_enter_user(regs): regs is the top of this stack. */
FUNC arch_enter_user
        movq %rdi, %rbx
        leaq -8(%rdi), %rsp
        xorl %ebp, %ebp
        jmp return_to_user
ENDFUNC arch_enter_user

/* ---- exceptions and interrupts ---- */

/* One stub per vector, 16 bytes apart; an error code of 0 where the CPU pushes none. */
        .globl trap_stubs
        .balign 16
trap_stubs:
        .set vec, 0
        .rept 256
        .balign 16, 0xcc
        .if vec == 1
        jmp entry_debug
        .elseif vec == 2 || vec == 8 || vec == 18
        .if vec != 8
        pushq $0
        .endif
        pushq $vec
        jmp entry_paranoid
        .else
        .if !(vec == 10 || vec == 11 || vec == 12 || vec == 13 || vec == 14 || vec == 17 || vec == 21)
        pushq $0
        .endif
        pushq $vec
        jmp entry_common
        .endif
        .set vec, vec + 1
        .endr
        .balign 16, 0xcc

/* Stack: vector, error, RIP, CS, RFLAGS, RSP, SS. */
FUNC entry_common
        cld
        CLAC
        testb $3, 24(%rsp)
        jz entry_from_kernel
        swapgs
entry_from_user:
        PUSH_REGS_VECTOR
        xorl %ebp, %ebp
        movq %rsp, %rbx
        movq REGS_ORIG(%rsp), %rdx      /* error code */
        movq $-1, REGS_ORIG(%rsp)       /* not a system call */
        movq %rdi, %rsi
        movq %rsp, %rdi
        subq $8, %rsp
        call trap_from_user             /* (regs, vector, error): IRQs off on entry, on at return */
        jmp return_to_user
ENDFUNC entry_common

FUNC entry_from_kernel
        PUSH_REGS_VECTOR
        movq %rsp, %rbx
        cmpl $32, %edi
        jb 1f
        /* A hard interrupt: IRQs are off until the way out, so the interrupt stack is free. */
        movq %gs:PERCPU_IRQ_STACK, %rsp
        pushq REGS_RIP(%rbx)            /* a frame for backtraces */
        pushq %rbp
        movq %rsp, %rbp
        call irq_dispatch
        movq %rbx, %rsp
        movq 32(%rbx), %rbp
        andq $-16, %rsp
        call k_irq_exit_to_kernel
        movq %rbx, %rsp
        jmp 2f
1:      movq %rdi, %rsi
        movq %rsp, %rdi
        andq $-16, %rsp
        call trap_from_kernel           /* (regs, vector); returns when the exception table had an answer */
        movq %rbx, %rsp
2:      POP_REGS
        addq $8, %rsp
        iretq
ENDFUNC entry_from_kernel

/* #DB, on its own stack: from user code it moves to the task's. Stack: RIP, CS, RFLAGS, RSP, SS. */
FUNC entry_debug
        pushq $0
        pushq $1
        testb $3, 24(%rsp)
        jz entry_paranoid
        cld
        CLAC
        swapgs
        pushq %rax
        movq %rsp, %rax
        movq %gs:PERCPU_KERNEL_SP, %rsp
        pushq 56(%rax)                  /* SS */
        pushq 48(%rax)
        pushq 40(%rax)
        pushq 32(%rax)
        pushq 24(%rax)                  /* RIP */
        pushq 16(%rax)
        pushq 8(%rax)
        movq (%rax), %rax
        jmp entry_from_user
ENDFUNC entry_debug

/* NMI, machine check, double fault; debug in the kernel.  GS may be anybody's. */
FUNC entry_paranoid
        cld
        CLAC
        PUSH_REGS_VECTOR
        movq %rsp, %rbx
        movl $MSR_GS_BASE, %ecx
        rdmsr
        shlq $32, %rdx
        leaq (%rax, %rdx), %r12         /* the GS base that was */
        andq $-16, %rsp
        subq $16, %rsp
        sgdt 6(%rsp)
        movq 8(%rsp), %rax
        subq $PERCPU_GDT, %rax
        movq %rax, %rdx
        shrq $32, %rdx
        wrmsr
        movq %rdi, %rsi
        movq %rbx, %rdi
        call trap_paranoid              /* (regs, vector) */
        movq %rbx, %rsp
        movl $MSR_GS_BASE, %ecx
        movq %r12, %rax
        movq %r12, %rdx
        shrq $32, %rdx
        wrmsr
        POP_REGS
        addq $8, %rsp
        iretq
ENDFUNC entry_paranoid

        .section .note.GNU-stack, "", @progbits
