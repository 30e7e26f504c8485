/* SPDX-License-Identifier: Apache-2.0
 *
 * The ways out: power-off, reset, halt, the debug exit, and panic.
 * Power-off is not immediate: after asking, the CPU halts; the next method comes only
 * when this one cannot be tried.
 */
#include "x86.h"
#include "mem.h"
#include "lib.h"

#define SLP_EN      0x2000
#define SCI_EN      1

static i32 panic_timeout;               /* seconds; panic= */
static u32 panicking;

void arch_stop_cpu(void)
{
        for (;;)
                /* SAFETY: I3: the end of this CPU. */
                __asm__ volatile ("cli; hlt" ::: "memory");
}

static void stop_others(void)
{
        arch_irq_off();
        irq_halt_others();
}

/* SAFETY: I3: sleep and reset registers are firmware's; writing them ends the machine. */
static bool write_reg(const struct acpi_reg *r, u8 v)
{
        if (r->at)
                *r->at = v;
        else if (r->addr && r->space == 1)
                out8((u16)r->addr, v);
        else
                return false;
        return true;
}

void power_off(void)
{
        log_sync();
        stop_others();
        if (acpi.s5 && acpi.hw_reduced && write_reg(&acpi.sleep, (u8)(acpi.s5_a << 2 | 0x20)))
                arch_stop_cpu();
        if (acpi.s5 && acpi.pm1a) {
                if (acpi.smi_port && acpi.acpi_enable && !(in16((u16)acpi.pm1a) & SCI_EN)) {
                        out8((u16)acpi.smi_port, acpi.acpi_enable);
                        for (u32 i = 0; i < 100000 && !(in16((u16)acpi.pm1a) & SCI_EN); i++)
                                cpu_pause();
                }
                out16((u16)acpi.pm1a, (u16)(acpi.s5_a << 10 | SLP_EN));
                if (acpi.pm1b)
                        out16((u16)acpi.pm1b, (u16)(acpi.s5_b << 10 | SLP_EN));
                arch_stop_cpu();
        }
        power_reset();                  /* no way to power off: with -no-reboot this ends QEMU too */
}

/* A trap with no gates for it: the processor shuts down and the machine resets. */
static void triple_fault(void)
{
        /* SAFETY: I3: the machine resets. */
        struct { u16 limit; u64 base; } __attribute__((packed)) none = { };
        __asm__ volatile ("lidt %0; ud2" :: "m"(none));
}

void power_reset(void)
{
        log_sync();
        stop_others();
        write_reg(&acpi.reset, acpi.reset_value);
        for (u32 i = 0; i < 10000; i++) /* the keyboard controller, if it is there and takes a command */
                if (!(in8(0x64) & 2))
                        break;
        out8(0x64, 0xfe);
        clock_wait_us(1000);
        out8(0xcf9, 6);
        clock_wait_us(1000);
        triple_fault();
        arch_stop_cpu();
}

void power_halt(void)
{
        log_sync();
        stop_others();
        arch_stop_cpu();
}

/* ---- panic ---- */

void machine_set_panic_timeout(i32 seconds) { __atomic_store_n(&panic_timeout, seconds, __ATOMIC_RELAXED); }

static void say(const char *before, const char *why, usize n, const char *after)
{
        usize nb = 0, na = 0;

        while (before[nb])
                nb++;
        while (after[na])
                na++;
        console_write(before, nb);
        console_write(why, n);
        console_write(after, na);
}

static void panic_end(const char *why, usize n)
{
        i32 seconds = __atomic_load_n(&panic_timeout, __ATOMIC_RELAXED);

        say("---[ end Kernel panic - not syncing: ", why, n, " ]---\n");
        if (seconds > 0)
                for (i32 i = 0; i < seconds; i++)
                        clock_wait_us(1000000);
        if (seconds != 0)
                power_reset();
        arch_stop_cpu();
}

static noinline void panic_text(const char *why, usize n)
{
        stop_others();
        if (__atomic_exchange_n(&panicking, 1, __ATOMIC_ACQ_REL)) {
                if (__atomic_exchange_n(&panicking, 2, __ATOMIC_ACQ_REL) == 1)
                        panic_end(why, n);      /* a panic while panicking: no trace this time */
                arch_stop_cpu();
        }
        log_panic_mode();
        log_flush_console();
        say("Kernel panic - not syncing: ", why, n, "\n");
        /* SAFETY: T5: this function's own frame; what it leads to is peeked at. */
        u64 *frame = __builtin_frame_address(0);        /* the caller's RBP, the return address */
        arch_backtrace(frame[1], frame[0]);
        panic_end(why, n);
}

void machine_panic(bytes why)
{
        panic_text((const char *)why.p_k, why.n_k);
}

void k_panic(const char *why)
{
        usize n = 0;

        while (why[n])
                n++;
        panic_text(why, n);
        arch_stop_cpu();
}
