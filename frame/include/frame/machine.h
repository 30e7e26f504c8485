/* SPDX-License-Identifier: Apache-2.0
 *
 * The machine: boot parameters, CPUs, random numbers, power, last words.
 */
#pragma once

SAFE_API bytes boot_cmdline(void);                       /* static; without NUL */
SAFE_API u64   boot_initrd_size(void);                   /* bytes; 0: none */
/* Page i of the initrd; the boot's reference passes to the caller.  NULL: taken or past the end. */
SAFE_API struct frame *boot_initrd_frame(u64 i);
/* A file built into the kernel image, by name ("vdso.so"); static; empty: none. */
SAFE_API bytes boot_blob(bytes name);

struct cpu_info {
        u8  vendor[16]; u8 model_name[48];
        u32 family, model, stepping, apic_id, mhz;
        u32 phys_bits, virt_bits, cache_kib;
        u64 hwcap, hwcap2;                               /* AT_HWCAP, AT_HWCAP2 */
        u32 leaf1_ecx, leaf1_edx, leaf7_ebx, leaf7_ecx, leaf7_edx, ext1_ecx, ext1_edx, spare;
};
SAFE_API struct cpu_info cpu_info(u32 cpu);

/* What nobody outside can know, for services/random, which makes random numbers of it.  seed: from the hardware, where it can,
 * and from the time that it takes (some 100 us).  events: this CPU's interrupts since it was asked last; 0: none. */
#define ENTROPY_SEED 64u
SAFE_API void entropy_seed(mbytes out);
SAFE_API u64  entropy_events(void);

SAFE_API void power_off(void);                           /* do not return */
SAFE_API void power_reset(void);
SAFE_API void power_halt(void);
/* "Kernel panic - not syncing: …", then what panic= says.  For a dead init and the like. */
SAFE_API void machine_panic(bytes why);
SAFE_API void machine_set_panic_timeout(i32 seconds);    /* panic= : 0 wait for ever, <0 reset at once */
SAFE_API u64  oops_count(void);

/* Where log lines go, in place of the early console (com1, polled): called with preemption off, must not sleep. */
STABLE(console_ops) { void (*write)(bytes text); };
SAFE_API void console_register(const struct console_ops *ops);

/* Per-CPU arrays of services: STABLE(x) … CACHE_ALIGNED, indexed by cpu_id() inside NO_PREEMPT(). */

/* Defined by services/init: called once in a kernel thread when the framework stands. */
SERVICE_DEFINES void services_start(void);
