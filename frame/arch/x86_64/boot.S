/* SPDX-License-Identifier: Apache-2.0
 *
 * The first instructions: PVH entry (32-bit protected mode, no paging, EBX = the
 * physical address of hvm_start_info) and the application processors' entry
 * (real mode, below 64 KiB), both into long mode in the high half.
 *
 * SAFETY: A1, A4.
 */
#include "x86.h"

#define PHYS(sym) (sym - IMAGE_BASE)

        .section .note.pvh, "a", @note
        .balign 4
        .long 4, 4, 18                  /* name size, descriptor size, XEN_ELFNOTE_PHYS32_ENTRY */
        .asciz "Xen"
        .long PHYS(boot_entry32)

/* Early page tables: the first 4 GiB at 0 and DIRECT_BASE, the first GiB at IMAGE_BASE. */
        .section .data.early_tables, "aw"
        .balign 4096
        .globl early_pml4
early_pml4:
        .quad PHYS(early_pdpt) + 3
        .fill 255, 8, 0
        .quad PHYS(early_pdpt) + 3      /* entry 256: DIRECT_BASE */
        .fill 254, 8, 0
        .quad PHYS(early_pdpt_image) + 3
early_pdpt:
        .quad PHYS(early_pd) + 3, PHYS(early_pd) + 0x1003, PHYS(early_pd) + 0x2003, PHYS(early_pd) + 0x3003
        .fill 508, 8, 0
early_pdpt_image:
        .fill 510, 8, 0
        .quad PHYS(early_pd) + 3
        .quad 0                         /* the last GiB stays unmapped */
early_pd:
        .set page, 0
        .rept 2048
        .quad page + 0x83               /* present, writable, 2 MiB */
        .set page, page + 0x200000
        .endr

        .section .rodata.boot, "a"
        .balign 8
early_gdt:
        .quad 0, 0
        .quad 0x00af9a000000ffff        /* KERNEL_CS: 64-bit code */
        .quad 0x00cf92000000ffff        /* KERNEL_SS: data */
        .quad 0x00cf9a000000ffff        /* 0x20: 32-bit code, for the way up */
early_gdt_end:
early_gdtr:
        .word early_gdt_end - early_gdt - 1
        .quad PHYS(early_gdt)

        .section .bss.boot_stack, "aw", @nobits
        .balign 4096
        .globl boot_stack_top
        .skip KSTACK_BOOT
boot_stack_top:

        .section .text.boot, "ax"
        .code32
        .globl boot_entry32
boot_entry32:
        cld
        cli
        movl $PHYS(boot_stack_top), %esp
        movl %ebx, %edi                 /* boot_main's argument */
        lgdtl PHYS(early_gdtr)
        leal PHYS(boot_high), %esi
/* Paging on and to the 64-bit address in ESI + IMAGE_BASE; EDI and ESP pass through. */
to_long_mode:
        movl $0x20, %eax                /* CR4.PAE */
        movl %eax, %cr4
        movl $PHYS(early_pml4), %eax
        movl %eax, %cr3
        movl $MSR_EFER, %ecx
        rdmsr
        orl $0x100, %eax                /* LME */
        wrmsr
        movl %cr0, %eax
        orl $0x80010001, %eax           /* PG, WP, PE */
        movl %eax, %cr0
        ljmpl $KERNEL_CS, $PHYS(1f)
        .code64
1:      movl $KERNEL_SS, %eax
        movl %eax, %ds
        movl %eax, %es
        movl %eax, %ss
        xorl %eax, %eax
        movl %eax, %fs
        movl %eax, %gs
        movl %edi, %edi
        movabsq $IMAGE_BASE, %rax
        addq %rax, %rsi
        jmpq *%rsi

boot_high:
        movq $boot_stack_top, %rsp
        xorl %ebp, %ebp
        call boot_main
        ud2

/* ---- application processors ----
 * Copied to a page below 64 KiB by smp.c; CS is its segment, IP is 0. */
        .globl ap_trampoline, ap_trampoline_end
        .code16
        .balign 16
ap_trampoline:
        cli
        cld
        movw %cs, %ax
        movw %ax, %ds
        lgdtl ap_gdtr - ap_trampoline
        movl %cr0, %eax
        orl $1, %eax
        movl %eax, %cr0
        .byte 0x66, 0xea                /* ljmpl to 32-bit code in the image, mapped 1:1 */
        .long PHYS(ap_entry32)
        .word 0x20
        .balign 8
ap_gdtr:
        .word early_gdt_end - early_gdt - 1
        .long PHYS(early_gdt)
ap_trampoline_end:

        .code32
ap_entry32:
        movl $KERNEL_SS, %eax
        movl %eax, %ds
        movl %eax, %ss
        leal PHYS(ap_high), %esi
        jmp to_long_mode

        .code64
ap_high:
        /* One at a time: smp.c starts the next when this one has said that it stands. */
        movl $MSR_EFER, %ecx
        rdmsr
        orl $0x800, %eax                /* NXE: the final tables use it */
        wrmsr
        movq mmu_kernel_cr3(%rip), %rax
        movq %rax, %cr3
        movq ap_stack(%rip), %rsp
        movq ap_percpu(%rip), %rdi
        xorl %ebp, %ebp
        call ap_main
        ud2

        .section .note.GNU-stack, "", @progbits
