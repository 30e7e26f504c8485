/* SPDX-License-Identifier: Apache-2.0
 *
 * The contract between the machine-independent framework and a CPU architecture.
 * frame/arch/<cpu>/ implements arch_*; the k_on_* are implemented outside of it
 * and called by its entry code.  mmu_* (frame/arch/<cpu>/mmu.c) serves frame/mem.
 *
 * Preempt count (percpu.preempt): one word says what may happen here.
 *   bits  0- 7  preempt_disable and service spin locks held
 *   bits  8-15  framework sections: internal locks held, an update under way.
 *               A failed check while this is not zero is a panic, never an oops.
 *   bits 16-19  inside a bottom half
 *   bits 20-23  inside a hard interrupt
 * Zero: may be preempted; bottom halves run when it returns to zero.
 */
#pragma once
#include "frame/frame.h"

#define PREEMPT_ONE     0x1u
#define PREEMPT_SECTION 0x100u
#define PREEMPT_BH      0x10000u
#define PREEMPT_IRQ     0x100000u

#define KSTACK_SIZE     16384u          /* per task; guard page below */

struct percpu {                 /* at %gs:0 in the kernel; one page-aligned block per CPU */
        struct percpu *self;            /* offset 0 */
        u64   kernel_sp;                /* offset 8: top of the current task's stack, for entry from user mode */
        u64   user_sp;                  /* offset 16: scratch of the system-call entry */
        u32   cpu;                      /* offset 24 */
        u32   preempt;                  /* offset 28 */
        struct task *current;           /* offset 32 */
        u32   resched;                  /* offset 40: pick again before user mode / when preempt is 0 */
        u32   bh_pending;               /* offset 44: bit mask of frame/irq bottom-half kinds; both: preempt_due() */
        struct task *idle;
        struct vmspace *space;          /* whose page tables are loaded (perhaps lazily) */
        u64   irq_stack;                /* top */
        u32   apic_id;
        u32   online;
        void *tss;                      /* arch */
        struct recover *recover;        /* innermost recovery point, see oops.c */
        u64   timer_deadline;           /* what the hardware timer is set to, ns */
        u64   tick_deadline;            /* the scheduler's next tick, ns; NEVER while idle */
        u64   idle_since, idle_ns;
        u64   user_cycles;              /* of tasks that the tick found in user code */
        u64   switch_ns;                /* when current was switched to */
        u64   stack_low;                /* a section is not begun with the stack pointer below this */
        u64   bh_stack;                 /* top: bottom halves and reports of traps run on it */
        struct task *woken;             /* held back from the policy, see sched.c */
        u64   counted[CPU_COUNTERS];
};
extern struct percpu *percpu_of[MAX_CPUS];
extern u32 cpus_online;
/* Stable only with preemption off.  SAFETY: T2: GS is this CPU's struct percpu. */
static inline struct percpu *this_cpu(void)
{ struct percpu *p; __asm__ volatile ("movq %%gs:0, %0" : "=r"(p)); return p; } /* volatile: a switch may have moved us */
static inline struct task *current_task(void)
{ struct task *t; __asm__ volatile ("movq %%gs:32, %0" : "=r"(t)); return t; }
/* SAFETY: T2.  One instruction: no other CPU writes the word. */
#define COUNT(which) __asm__ volatile ("incq %%gs:%c0" :: "i"(__builtin_offsetof(struct percpu, counted[which])) : "cc")
static inline void preempt_add(u32 n) { __asm__ volatile ("addl %0, %%gs:28" :: "ri"(n) : "memory", "cc"); }
static inline u32  preempt_count(void) { u32 n; __asm__ volatile ("movl %%gs:28, %0" : "=r"(n) :: "memory"); return n; }
static inline void preempt_sub_nocheck(u32 n) { __asm__ volatile ("subl %0, %%gs:28" :: "ri"(n) : "memory", "cc"); }
/* Is resched or bh_pending set? */
static inline bool preempt_due(void) { bool no; __asm__ volatile ("cmpq $0, %%gs:40" : "=@ccz"(no) :: "memory"); return !no; }
void preempt_at_zero(void);             /* runs pending bottom halves and reschedules */
/* Irqs must be on. */
static inline void preempt_sub_check(u32 n)
{
        bool zero;
        __asm__ volatile ("subl %1, %%gs:28" : "=@ccz"(zero) : "ri"(n) : "memory");
        if (__builtin_expect(zero && preempt_due(), 0))
                preempt_at_zero();
}

/* A framework section must not run into the guard page of its stack: that would be a panic.  So the outermost
 * one begins only with this much room; else it is an oops, before anything has changed (SOUNDNESS, E4). */
#define STACK_ROOM 3072u
void k_stack_is_low(void);
static inline void stack_room(void)
{
        bool low;
        /* SAFETY: T2. */
        __asm__ volatile ("cmpq %%gs:%c1, %%rsp" : "=@ccb"(low) : "i"(__builtin_offsetof(struct percpu, stack_low)));
        if (__builtin_expect(low, 0))
                k_stack_is_low();
}

static inline u64 bh_stack_low(const struct percpu *p) { return p->bh_stack - KSTACK_SIZE + STACK_ROOM; }
static inline bool on_bh_stack(const struct percpu *p) { return p->stack_low == bh_stack_low(p); }

/* SAFETY: T2: the stack's own word. */
static inline void full_barrier(void) { __asm__ volatile ("lock; addl $0, (%%rsp)" ::: "memory", "cc"); }

/* Framework-internal spin lock: a framework section.  Taken with interrupts off (irq variants)
 * only where hard interrupt code takes it too. */
struct klock { u32 word; };
static inline void klock_lock_anyhow(struct klock *l)   /* room was found earlier */
{
        preempt_add(PREEMPT_SECTION);
        while (__atomic_exchange_n(&l->word, 1, __ATOMIC_SEQ_CST))
                while (__atomic_load_n(&l->word, __ATOMIC_RELAXED))
                        __builtin_ia32_pause();
}
static inline void klock_lock(struct klock *l)
{
        stack_room();
        klock_lock_anyhow(l);
}
static inline void klock_unlock(struct klock *l)
{
        __atomic_store_n(&l->word, 0, __ATOMIC_RELEASE);
        preempt_sub_check(PREEMPT_SECTION);
}
/* SAFETY: T6: on is called in no hard interrupt. */
static inline u64 arch_irq_save(void)
{ u64 f; __asm__ volatile ("pushfq; popq %0; cli" : "=r"(f) :: "memory"); return f; }
static inline void arch_irq_restore(u64 f) { if (f & 0x200) __asm__ volatile ("sti" ::: "memory"); }
static inline void arch_irq_on(void)  { __asm__ volatile ("sti" ::: "memory"); }
static inline void arch_irq_off(void) { __asm__ volatile ("cli" ::: "memory"); }
static inline u64 klock_lock_irq(struct klock *l)
{
        u64 f = arch_irq_save();
        preempt_add(PREEMPT_SECTION);
        while (__atomic_exchange_n(&l->word, 1, __ATOMIC_ACQUIRE))
                __builtin_ia32_pause();
        return f;
}
static inline void klock_unlock_irq(struct klock *l, u64 f)
{
        __atomic_store_n(&l->word, 0, __ATOMIC_RELEASE);
        preempt_sub_nocheck(PREEMPT_SECTION);
        arch_irq_restore(f);
}

/* ---- provided by the architecture (frame/arch/<cpu>) ---- */

/* boot.c, after boot.S: calls frame_main(). What the loader said, copied to safe memory: */
struct boot_region { u64 start, end; u32 type; u32 spare; };    /* type 1: usable RAM */
struct boot_info {
        char cmdline[4096];
        u64  initrd_start, initrd_end;          /* physical */
        u64  rsdp;
        u32  n_regions;
        struct boot_region regions[128];        /* the loader's map, unsorted, not page-aligned */
};
extern struct boot_info boot_info;
extern u8 k_image_start[], k_text_end[], k_rodata_end[], k_image_end[];          /* linker script */

void arch_cpu_early(void);              /* per CPU: GDT, IDT, TSS, CR0/CR4/EFER, syscall MSRs, XCR0 */
void arch_console_init(void);           /* com1, as early as possible */
void console_write(const char *s, usize n);     /* to it, at any time */
void arch_acpi_init(void);              /* MADT, FADT; after mmu_init */
void arch_irq_init(void);               /* LAPIC, IO-APIC */
#define ISA_LINES 16u
bool arch_irq_line(u32 line, bool on);  /* unmasks or masks an ISA interrupt; false: there is no such line */
void arch_irq_done(u32 line);           /* its handler has run: a level-triggered line is unmasked again */
/* Messages: lines from ISA_LINES on.  A vector of that CPU for the line, and what the device writes to raise it. */
#define MSI_LINES 256u
#define IRQ_LINES (ISA_LINES + MSI_LINES)
struct msi_message { u64 addr; u32 data; };
bool arch_msi_alloc(u32 line, u32 cpu, struct msi_message *m);  /* false: none is left */
void arch_msi_free(u32 line, u32 cpu);
/* PCI configuration space.  bdf: bus << 8 | slot << 3 | function; off below 256, a multiple of size (1, 2, 4). */
bool arch_pci_bus(u32 bus);             /* at boot, bus 0 first: makes it reachable; false: it is not */
u32  arch_pci_read(u32 bdf, u32 off, u32 size);                 /* all ones: nobody there */
void arch_pci_write(u32 bdf, u32 off, u32 size, u32 v);
bool arch_mmio_ok(u64 phys, u64 len);   /* a device's registers may lie there: nothing of the machine's own does */
void arch_clock_init(void);             /* TSC calibration */
u32  arch_cpus_found(void);             /* processors that the firmware lists, at least 1; after arch_acpi_init */
void arch_stacks_init(void);            /* boot CPU, after mem_init: guarded stacks for interrupts */
void arch_smp_start(void);              /* all APs; each ends in k_cpu_main() */
u64  arch_clock_now(void);              /* ns since boot */
u64  arch_clock_at(u64 cycles);         /* the same, when arch_cycles() gave that */
static inline u64 arch_cycles(void) { return __builtin_ia32_rdtsc(); }          /* in units of clock_params() */
void arch_timer_set(u64 deadline);      /* this CPU's one-shot; ns; irqs off; NEVER: stop. Past: fires at once */
enum ipi { IPI_RESCHED, IPI_TLB, IPI_HALT };
void arch_send_ipi(u32 cpu, enum ipi kind);
void arch_halt_wait(void);              /* irqs off on entry: sti; hlt; returns after an interrupt, irqs on */
void arch_stop_cpu(void) __attribute__((noreturn));

struct arch_context { u64 sp; };        /* callee-saved registers lie on the stack */
void arch_context_init(struct arch_context *c, u64 stack_top, void (*fn)(void));
void arch_run_on(u64 top, void (*fn)(void *), void *arg);                       /* fn(arg) on another stack */
void arch_switch(struct arch_context *from, struct arch_context *to);           /* irqs off */
void arch_set_kernel_stack(u64 top);    /* TSS.rsp0 and percpu.kernel_sp */
/* user state that is not in user_regs; memory of arch_ustate_size() bytes, 64-aligned */
struct arch_ustate;
usize arch_ustate_size(void);
void arch_ustate_init(struct arch_ustate *u);                                   /* reset state */
void arch_ustate_copy(struct arch_ustate *dst, struct arch_ustate *src_current);/* src: live registers or saved */
void arch_ustate_save(struct arch_ustate *u);                                   /* at switch away: FPU, fs, gs */
void arch_ustate_load(struct arch_ustate *u);                                   /* at switch to */
/* Runs user code with *regs (on the top of this task's stack, as k_regs_of(stack_top)); never returns here: the
 * next entry calls k_on_*(regs), then, if the task's work, n_held or the CPU's resched, bh_pending or preempt is not 0,
 * k_before_user(regs), then user code again.  The first time too. */
void arch_enter_user(struct user_regs *regs) __attribute__((noreturn));
/* SAFETY: T3, K4: the top of a task's own stack. */
static inline struct user_regs *k_regs_of(u64 stack_top) { return (struct user_regs *)(stack_top - sizeof(struct user_regs)); }

/* Oops containment. */
struct recover { u64 sp, ip; struct recover *outer; u32 preempt; u32 held; };
bool arch_contained(void (*fn)(void *), void *arg, struct recover *r);  /* fn(arg); true: arch_recover_go(r) ended it */
void arch_recover_go(struct recover *r) __attribute__((noreturn));

/* backtrace with frame pointers or ORC-less scan: text addresses from (ip, bp), symbolised by k_symbol() */
void arch_backtrace(u64 ip, u64 bp);
const char *k_symbol(u64 addr, u64 *offset);            /* the function addr lies in; NULL: none */
void arch_random_seed(u8 out[64]);      /* RDSEED, RDRAND, TSC jitter: whatever there is */

/* mmu.c: kernel mappings and page-table words.  See frame/arch/x86_64/mmu.h. */

/* ---- called by the architecture's entry code ---- */
void frame_main(void);                                  /* boot CPU, boot stack, irqs off, early page tables */
void k_cpu_main(void) __attribute__((noreturn));        /* an AP, set up, on its idle task's stack: joins the scheduler */
void k_on_syscall(struct user_regs *regs);              /* irqs on */
void k_on_user_fault(struct user_regs *regs, struct user_fault *f);             /* irqs on; page faults too */
void k_before_user(struct user_regs *regs);             /* returns with irqs off, nothing pending */
struct kernel_trap { u64 vector, error, addr, ip, sp, bp; };
const char *arch_trap_cause(const struct kernel_trap *t);        /* in words */
void k_on_kernel_trap(struct kernel_trap *t);           /* no exception-table entry fits: oops or panic; does not return */
void k_on_timer(void);                                  /* hard interrupt, irqs off */
void k_on_ipi(enum ipi kind);                           /* hard interrupt */
void k_on_device_irq(u32 line);                         /* hard interrupt, acknowledged: queue its bottom half; line < IRQ_LINES */
void k_irq_enter(void);                                 /* before the above: adds PREEMPT_IRQ.  After them the entry code
                                                           takes it off itself, with preempt_sub_nocheck */
void k_irq_exit_to_kernel(void);                        /* then, on the way back to kernel code: if the count is 0, runs
                                                           bottom halves and preempts (on the task's stack, irqs off on entry and exit) */
void *memmove(void *dst, const void *src, usize n);     /* lib/bytes.c; __builtin_memmove with a variable size is refused */
void k_panic(const char *why) __attribute__((noreturn));
void k_print(const char *fmt, u64 a, u64 b, u64 c);     /* framework's own log: %s %d %x, up to three */
