/* SPDX-License-Identifier: Apache-2.0
 *
 * The x86-64 processor: layout constants shared by C and assembly, privileged
 * instructions, and what the files of this folder know of each other.
 *
 * Early address space (boot.S), until mmu_init() loads its own tables:
 *      0                     identity, first 4 GiB, writable and executable
 *      DIRECT_BASE           the same 4 GiB
 *      IMAGE_BASE           the first 1 GiB (the image)
 * Application processors come up on the same early tables.
 */
#pragma once

#include "mmu.h"                        /* DIRECT_BASE, IMAGE_BASE */

#define USER_TOP        0x7ffffffff000          /* VM_MAX */
#define USER_LOW        0x10000                 /* VM_MIN */

#define KERNEL_CS 0x10
#define KERNEL_SS 0x18
#define USER_SS   0x2b
#define USER_CS   0x33
#define TSS_SEL   0x40

#define FLAG_TF 0x100
#define FLAG_IF 0x200
#define FLAG_RF 0x10000
#define FLAG_AC 0x40000
/* What user space may have in RFLAGS: CF PF AF ZF SF TF DF OF NT RF AC ID. */
#define FLAGS_USER 0x254dd5

#define PERCPU_KERNEL_SP 8
#define PERCPU_USER_SP   16
#define PERCPU_PREEMPT   28
#define PERCPU_CURRENT   32
#define PERCPU_RESCHED   40             /* and bh_pending */
#define PERCPU_IRQ_STACK 64
#define TASK_WORK        56             /* and n_held: struct task */
#define TASK_SPACE       64             /* space */
#define PERCPU_GDT       320            /* struct cpu_block in cpu.c */

#define MSR_EFER          0xc0000080
#define MSR_STAR          0xc0000081
#define MSR_LSTAR         0xc0000082
#define MSR_CSTAR         0xc0000083
#define MSR_SFMASK        0xc0000084
#define MSR_FS_BASE       0xc0000100
#define MSR_GS_BASE       0xc0000101
#define MSR_KERNEL_GS     0xc0000102
#define MSR_TSC_AUX       0xc0000103

#define VEC_NMI      2
#define VEC_PF       14
#define VEC_DEVICE   32                 /* 32 + IO-APIC line */
#define VEC_MSI      48                 /* up to 0xdf: messages, each CPU its own */
#define MSI_VECTORS  (0xe0 - VEC_MSI)
#define VEC_TIMER    0xf0
#define VEC_RESCHED  0xf1
#define VEC_TLB      0xf2
#define VEC_SPURIOUS 0xff

#define KSTACK_BOOT  16384              /* the boot CPU starts on it */

#define REGS_SIZE    168                /* sizeof(struct user_regs) */
#define REGS_RCX     88
#define REGS_R11     48
#define REGS_ORIG    120
#define REGS_RIP     128
#define REGS_CS      136
#define REGS_FLAGS   144
#define REGS_SS      160

#ifdef __ASSEMBLER__

/* A function that C calls directly; indirect calls would need a kcfi type. */
.macro FUNC name
        .globl \name
        .type \name, @function
        .balign 16
\name:
.endm
.macro ENDFUNC name
        .size \name, . - \name
.endm
/* A fault at `from` continues at `to` (trap.c). */
.macro EX_TABLE from, to
        .pushsection .ex_table, "a"
        .balign 4
        .long \from - .
        .long \to - .
        .popsection
.endm
/* Three bytes of nothing that cpu.c turns into STAC or CLAC where there is SMAP. */
.macro AC_SITE last
777:    .byte 0x0f, 0x1f, 0x00
        .pushsection .keel.smap, "a"
        .balign 4
        .long 777b - .
        .long \last
        .popsection
.endm
#define CLAC AC_SITE 0xca
#define STAC AC_SITE 0xcb

#else

#include "arch.h"

struct regs {                           /* the entry code's frame; for user entries a struct user_regs */
        u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
        u64 error;                      /* for user entries orig_rax */
        u64 rip, cs, rflags, rsp, ss;
};
_Static_assert(sizeof(struct regs) == REGS_SIZE && sizeof(struct user_regs) == REGS_SIZE, "register frame");
_Static_assert(__builtin_offsetof(struct user_regs, rip) == REGS_RIP, "register frame");
_Static_assert(__builtin_offsetof(struct user_regs, rcx) == REGS_RCX, "register frame");
_Static_assert(__builtin_offsetof(struct user_regs, r11) == REGS_R11, "register frame");
#define AT(field, off) (__builtin_offsetof(struct percpu, field) == (off))
_Static_assert(AT(kernel_sp, PERCPU_KERNEL_SP) && AT(user_sp, PERCPU_USER_SP) && AT(irq_stack, PERCPU_IRQ_STACK) && AT(preempt, PERCPU_PREEMPT) &&
        AT(current, PERCPU_CURRENT) && AT(resched, PERCPU_RESCHED) && AT(bh_pending, PERCPU_RESCHED + 4), "percpu");
#undef AT

/* Physical addresses.  SAFETY: A1: early_ptr: below 4 GiB, while the early tables are loaded. */
static inline void *early_ptr(u64 phys)        { return (void *)(phys + DIRECT_BASE); }

/* SAFETY: I1: the instructions of this file reach devices and control registers only. */
static inline u8   in8(u16 p)          { u8 v;  __asm__ volatile ("inb %1, %0" : "=a"(v) : "Nd"(p)); return v; }
static inline u16  in16(u16 p)         { u16 v; __asm__ volatile ("inw %1, %0" : "=a"(v) : "Nd"(p)); return v; }
static inline u32  in32(u16 p)         { u32 v; __asm__ volatile ("inl %1, %0" : "=a"(v) : "Nd"(p)); return v; }
static inline void out8(u16 p, u8 v)   { __asm__ volatile ("outb %0, %1" :: "a"(v), "Nd"(p)); }
static inline void out16(u16 p, u16 v) { __asm__ volatile ("outw %0, %1" :: "a"(v), "Nd"(p)); }
static inline void out32(u16 p, u32 v) { __asm__ volatile ("outl %0, %1" :: "a"(v), "Nd"(p)); }

/* SAFETY: A5: so for MSRs and control registers. */
static inline u64 rdmsr(u32 msr)
{ u32 lo, hi; __asm__ volatile ("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr)); return (u64)hi << 32 | lo; }
static inline void wrmsr(u32 msr, u64 v)
{ __asm__ volatile ("wrmsr" :: "c"(msr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory"); }

struct cpuid { u32 eax, ebx, ecx, edx; };
static inline struct cpuid cpuid(u32 leaf, u32 sub)
{
        struct cpuid r;
        __asm__ volatile ("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(sub));
        return r;
}

/* SAFETY: A5. */
#define CR_RW(name) \
static inline u64  read_##name(void)    { u64 v; __asm__ volatile ("movq %%" #name ", %0" : "=r"(v)); return v; } \
static inline void write_##name(u64 v)  { __asm__ volatile ("movq %0, %%" #name :: "r"(v) : "memory"); }
CR_RW(cr0) CR_RW(cr2) CR_RW(cr3) CR_RW(cr4)
#undef CR_RW

static inline u64 read_tsc(void)        /* not before what precedes it */
{ u32 lo, hi; __asm__ volatile ("lfence; rdtsc" : "=a"(lo), "=d"(hi) :: "memory"); return (u64)hi << 32 | lo; }
static inline void cpu_pause(void)      { __builtin_ia32_pause(); }

#define XCR0_PKRU 0x200ul
/* cpu.c: what this machine's processors have; fixed once the boot CPU has run arch_cpu_early. */
struct cpu_features {
        bool smep, smap, umip, xsave, xsaveopt, fsgsbase, rdrand, rdseed, rdtscp, nx, apic, gib_pages, pku;
        u64  xcr0;
        u32  xsave_size;                /* bytes of the XSAVE (or FXSAVE) area */
        u32  xsave_main, pkru_at;       /* its bytes but PKRU's, behind which may be a hole; where PKRU's 8 are (pku) */
        u32  mxcsr_mask;
};
extern struct cpu_features cpu_has;
void cpu_setup_boot(void);              /* the boot CPU's first step: its struct percpu */
void cpu_identify(u32 cpu);             /* fills what cpu_info() returns */
void fpu_setup(void);                   /* per CPU: CR0, CR4, XCR0 */
/* Memory for an application processor; NULL: none.  Its struct percpu. */
struct percpu *cpu_new(u32 cpu, u32 apic_id);

/* trap.S: entered by the SYSCALL instruction, never called */
void entry_syscall(void);

/* boot.c */
void boot_main(u64 start_info);

/* acpi.c: what the tables said, read under the early page tables. */
struct acpi_reg { u64 addr; u8 space; volatile u8 *at; };       /* space 0: memory, mapped at; 1: port */
struct acpi_info {
        bool found;                     /* there is a MADT */
        bool hw_reduced;
        u32  n_cpus;
        u32  apic_id[MAX_CPUS];
        u64  lapic;
        u32  n_ioapics;
        struct { u64 addr; u32 gsi_base; } ioapic[8];
        u64  ecam;                      /* PCI configuration space of bus 0, were it there; 0: none */
        u32  ecam_first, ecam_last;     /* buses */
        struct { u32 gsi; bool low, level; } isa[ISA_LINES];
        u32  pm1a, pm1b, smi_port;
        u8   acpi_enable;
        bool s5;
        u8   s5_a, s5_b;                /* sleep types of soft-off */
        struct acpi_reg sleep, reset;   /* sleep: hardware-reduced machines */
        u8   reset_value;
};
extern struct acpi_info acpi;
void acpi_read_tables(void);

/* ucopy.S: one word of kernel memory; false: not mapped. */
bool arch_peek(u64 addr, u64 *value);

/* irq.c */
void irq_setup_cpu(void);               /* this CPU's local APIC */
void irq_dispatch(u32 vector);
u32  lapic_id(void);
void lapic_write(u32 reg, u32 v);
u32  lapic_read(u32 reg);
void lapic_send(u32 apic_id, u32 icr);
void irq_halt_others(void);             /* panic: NMI to all but this CPU */
extern u32 halt_all;

/* clock.c */
void clock_wait_us(u32 us);
void timer_setup_cpu(void);
extern bool timer_is_pit;               /* ISA line 0 stands in for the local APIC's timer; one CPU */

#endif
