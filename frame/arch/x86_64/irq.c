/* SPDX-License-Identifier: Apache-2.0
 *
 * Interrupt controllers: local APICs (xAPIC) and I/O APICs; the 8259s are shut up.
 * Device interrupts go to the boot CPU.  A level-triggered line is masked from its
 * interrupt until its handler has run (arch_irq_done).
 */
#include "x86.h"
#include "mem.h"
#include "lib.h"

#define LAPIC_ID    0x20
#define LAPIC_TPR   0x80
#define LAPIC_EOI   0xb0
#define LAPIC_SVR   0xf0
#define LAPIC_ICR0  0x300
#define LAPIC_ICR1  0x310
#define LAPIC_LVT_TIMER 0x320
#define LAPIC_LVT_LINT0 0x350
#define LAPIC_LVT_LINT1 0x360
#define LAPIC_LVT_ERROR 0x370
#define LVT_MASKED  0x10000

#define ENTRY_LOW_ACTIVE 0x2000
#define ENTRY_LEVEL      0x8000
#define ENTRY_MASKED     0x10000

/* Counters beside the ISA lines', for irq_count(). */
enum { COUNT_TIMER = ISA_LINES, COUNT_RESCHED, COUNT_TLB, COUNT_OTHER, COUNT_MSI, COUNT_LINES };

static volatile u32 *lapic RO_AFTER_BOOT;
static volatile u32 *ioapic[8] RO_AFTER_BOOT;
static struct klock ioapic_lock;
static u64 counts[MAX_CPUS][COUNT_LINES];
u32 halt_all;

/* ---- local APIC ---- SAFETY: I2: `lapic` is the local APIC's page, mapped uncached. */

u32  lapic_read(u32 reg)             { return lapic[reg / 4]; }
void lapic_write(u32 reg, u32 v)     { lapic[reg / 4] = v; }
u32  lapic_id(void)                  { return lapic[LAPIC_ID / 4] >> 24; }

void lapic_send(u32 apic_id, u32 icr)
{
        u64 f = arch_irq_save();

        while (lapic_read(LAPIC_ICR0) & 0x1000)         /* the one before is not delivered yet */
                cpu_pause();
        lapic_write(LAPIC_ICR1, apic_id << 24);
        lapic_write(LAPIC_ICR0, icr);
        arch_irq_restore(f);
}

void arch_send_ipi(u32 cpu, enum ipi kind)
{
        static const u32 icr[] = {
                [IPI_RESCHED] = 0x4000 | VEC_RESCHED,
                [IPI_TLB]     = 0x4000 | VEC_TLB,
                [IPI_HALT]    = 0x4400,                 /* an NMI */
        };
        if (kind == IPI_HALT)
                __atomic_store_n(&halt_all, 1, __ATOMIC_RELEASE);
        else
                this_cpu()->counted[kind == IPI_TLB ? CPU_TLB_IPIS : CPU_RESCHED_IPIS]++;
        lapic_send(percpu_of[cpu]->apic_id, icr[kind]);
}

void irq_halt_others(void)
{
        for (u32 c = 0; lapic && c < MAX_CPUS; c++)
                if (percpu_of[c] && percpu_of[c]->online && c != this_cpu()->cpu)
                        arch_send_ipi(c, IPI_HALT);
}

void irq_setup_cpu(void)
{
        if (!lapic)
                return;
        lapic_write(LAPIC_TPR, 0);
        lapic_write(LAPIC_LVT_TIMER, LVT_MASKED | VEC_TIMER);
        lapic_write(LAPIC_LVT_LINT0, LVT_MASKED);
        lapic_write(LAPIC_LVT_LINT1, 0x400);            /* NMI */
        lapic_write(LAPIC_LVT_ERROR, LVT_MASKED);
        lapic_write(LAPIC_SVR, 0x100 | VEC_SPURIOUS);
        this_cpu()->apic_id = lapic_id();
}

/* ---- I/O APIC ---- SAFETY: I2. */

static u32  io_read(u32 n, u32 reg)         { ioapic[n][0] = reg; return ioapic[n][4]; }
static void io_write(u32 n, u32 reg, u32 v) { ioapic[n][0] = reg; ioapic[n][4] = v; }

/* The I/O APIC and pin of an ISA line; false: none. */
static bool find_pin(u32 line, u32 *n, u32 *pin)
{
        u32 gsi = acpi.isa[line].gsi;

        for (u32 i = 0; i < acpi.n_ioapics; i++) {
                if (!ioapic[i] || gsi < acpi.ioapic[i].gsi_base)
                        continue;
                *n = i;
                *pin = gsi - acpi.ioapic[i].gsi_base;
                if (*pin <= (io_read(i, 1) >> 16 & 255))
                        return true;
        }
        return false;
}

bool arch_irq_line(u32 line, bool on)
{
        u32 n, pin;

        if (line >= ISA_LINES)
                return false;
        u64 f = klock_lock_irq(&ioapic_lock);
        bool found = find_pin(line, &n, &pin);
        if (found) {
                u32 low = VEC_DEVICE + line;
                low |= acpi.isa[line].low ? ENTRY_LOW_ACTIVE : 0;
                low |= acpi.isa[line].level ? ENTRY_LEVEL : 0;
                low |= on ? 0 : ENTRY_MASKED;
                io_write(n, 0x11 + 2 * pin, percpu_of[0]->apic_id << 24);
                io_write(n, 0x10 + 2 * pin, low);
        }
        klock_unlock_irq(&ioapic_lock, f);
        return found;
}

void arch_irq_done(u32 line)
{
        if (line < ISA_LINES && acpi.isa[line].level)
                arch_irq_line(line, true);
}

static void mask_all_pins(u32 n)
{
        u32 last = io_read(n, 1) >> 16 & 255;

        for (u32 pin = 0; pin <= last; pin++)
                io_write(n, 0x10 + 2 * pin, ENTRY_MASKED);
}

/* Moves the 8259s' vectors out of the way and masks every line. */
static void pic_off(void)
{
        out8(0x20, 0x11); out8(0xa0, 0x11);
        out8(0x21, 0xe0); out8(0xa1, 0xe8);
        out8(0x21, 4);    out8(0xa1, 2);
        out8(0x21, 1);    out8(0xa1, 1);
        out8(0x21, 0xff); out8(0xa1, 0xff);
}

void arch_irq_init(void)
{
        pic_off();
        if (!cpu_has.apic)
                k_panic("this processor has no local APIC");
        lapic = mmio_map(acpi.lapic, PAGE_SIZE);
        if (!lapic)
                k_panic("no memory to map the local APIC");
        for (u32 i = 0; i < acpi.n_ioapics; i++) {
                ioapic[i] = mmio_map(acpi.ioapic[i].addr, 32);
                if (ioapic[i])
                        mask_all_pins(i);
        }
        irq_setup_cpu();
}

/* ---- messages ---- */

static u16 msi_line[MAX_CPUS][MSI_VECTORS];     /* written by who holds the lock of msi.c; 0: free */

bool arch_msi_alloc(u32 line, u32 cpu, struct msi_message *m)
{
        if (!lapic || cpu >= MAX_CPUS || !percpu_of[cpu])
                return false;
        for (u32 v = 0; v < MSI_VECTORS; v++) {
                if (msi_line[cpu][v])
                        continue;
                __atomic_store_n(&msi_line[cpu][v], (u16)line, __ATOMIC_RELEASE);
                *m = (struct msi_message){ 0xfee00000 | (u64)percpu_of[cpu]->apic_id << 12, VEC_MSI + v };
                return true;
        }
        return false;
}

void arch_msi_free(u32 line, u32 cpu)
{
        for (u32 v = 0; cpu < MAX_CPUS && v < MSI_VECTORS; v++)
                if (msi_line[cpu][v] == line)
                        __atomic_store_n(&msi_line[cpu][v], 0, __ATOMIC_RELEASE);
}

static u32 line_of_message(u32 vector)
{
        if (vector < VEC_MSI || vector >= VEC_MSI + MSI_VECTORS)
                return 0;
        return __atomic_load_n(&msi_line[this_cpu()->cpu][vector - VEC_MSI], __ATOMIC_ACQUIRE);
}

/* ---- dispatch ---- */

/* STI takes effect after the instruction behind it, so no interrupt comes in between. */
void arch_halt_wait(void)
{
        /* SAFETY: T6: this is no hard interrupt. */
        __asm__ volatile ("sti; hlt" ::: "memory");
}

static void count(u32 what)
{
        u64 *c = &counts[this_cpu()->cpu][what];
        __atomic_store_n(c, *c + 1, __ATOMIC_RELAXED);
}

/* Hard interrupt, IRQs off.  Also from user mode. */
void irq_dispatch(u32 vector)
{
        u32 line;

        if (vector == VEC_SPURIOUS)
                return;                                 /* not acknowledged */
#ifdef KEEL_DEBUG
        /* T6: on the interrupt stack; from user mode on the task's, which has nothing but the registers. */
        u64 sp = (u64)__builtin_frame_address(0);
        if (this_cpu()->irq_stack - sp > KSTACK_SIZE && this_cpu()->kernel_sp - sp > 512)
                k_panic("a hard interrupt on a stack in use");
#endif
        k_irq_enter();
        if (vector == VEC_TIMER || (timer_is_pit && vector == VEC_DEVICE)) {
                count(COUNT_TIMER);
                lapic_write(LAPIC_EOI, 0);
                k_on_timer();
        } else if (vector == VEC_RESCHED || vector == VEC_TLB) {
                count(vector == VEC_TLB ? COUNT_TLB : COUNT_RESCHED);
                lapic_write(LAPIC_EOI, 0);
                k_on_ipi(vector == VEC_TLB ? IPI_TLB : IPI_RESCHED);
        } else if (vector >= VEC_DEVICE && vector < VEC_DEVICE + ISA_LINES) {
                line = vector - VEC_DEVICE;
                count(line);
                if (acpi.isa[line].level)
                        arch_irq_line(line, false);
                lapic_write(LAPIC_EOI, 0);
                random_event(read_tsc());
                k_on_device_irq(line);
        } else if ((line = line_of_message(vector))) {
                count(COUNT_MSI);
                lapic_write(LAPIC_EOI, 0);
                random_event(read_tsc());
                k_on_device_irq(line);
        } else {
                count(COUNT_OTHER);                     /* an 8259's, or nobody's */
                lapic_write(LAPIC_EOI, 0);
        }
#ifdef KEEL_DEBUG
        if (arch_irq_save() & FLAG_IF)
                k_panic("a hard interrupt turned interrupts on");       /* T6 */
#endif
        preempt_sub_nocheck(PREEMPT_IRQ);
}

/* Lines 0-15: ISA; 16: timer, 17: reschedule, 18: TLB, 19: others, 20: messages (MSI). */
u64 irq_count(u32 line, u32 cpu)
{
        if (line >= COUNT_LINES || cpu >= MAX_CPUS)
                return 0;
        return __atomic_load_n(&counts[cpu][line], __ATOMIC_RELAXED);
}
