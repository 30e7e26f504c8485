/* SPDX-License-Identifier: Apache-2.0
 *
 * Application processors: INIT, SIPI, one after the other.  Each comes up through
 * ap_trampoline on the early page tables, loads the final ones and ends in k_cpu_main().
 */
#include "x86.h"
#include "mem.h"
#include "task_impl.h"

#define TRAMPOLINE 0x8000u              /* below TRAMPOLINE_LIMIT: never handed out */

extern const u8 ap_trampoline[], ap_trampoline_end[];
u64 ap_stack;                           /* read by boot.S */
struct percpu *ap_percpu;
void ap_main(struct percpu *p);

static u32 closed;                      /* one did not come in time: whoever comes now stops */

void ap_main(struct percpu *p)
{
        if (__atomic_load_n(&closed, __ATOMIC_ACQUIRE))
                arch_stop_cpu();
        wrmsr(MSR_GS_BASE, (u64)p);
        arch_cpu_early();
        irq_setup_cpu();
        timer_setup_cpu();
        p->online = 1;
        __atomic_store_n(&cpus_online, cpus_online + 1, __ATOMIC_RELEASE);
        k_cpu_main();
}

/* Waits until n CPUs stand.  The host may not have run that CPU at all yet: seconds, not milliseconds. */
static bool wait_arrival(u32 n, u64 ns)
{
        u64 end = arch_clock_now() + ns;

        while (__atomic_load_n(&cpus_online, __ATOMIC_ACQUIRE) < n) {
                if (arch_clock_now() > end)
                        return false;
                cpu_pause();
        }
        return true;
}

static bool start_one(u32 cpu, u32 apic_id)
{
        struct percpu *p = cpu_new(cpu, apic_id);
        struct task *idle = p ? task_idle_new(cpu) : NULL;

        if (!idle)
                return false;
        p->idle = p->current = idle;
        p->kernel_sp = idle->stack_top;
        percpu_of[cpu] = p;
        ap_stack = idle->stack_top;
        ap_percpu = p;
        lapic_send(apic_id, 0xc500);                    /* INIT, level, assert */
        clock_wait_us(10);
        for (u32 tries = 0; tries < 2; tries++) {
                lapic_send(apic_id, 0x4600 | TRAMPOLINE >> 12); /* SIPI */
                if (wait_arrival(cpu + 1, tries ? 20 * NSEC_PER_SEC : NSEC_PER_SEC))
                        return true;
        }
        __atomic_store_n(&closed, 1, __ATOMIC_RELEASE);
        k_print("smp: CPU with APIC id %d did not start\n", apic_id, 0, 0);
        return false;
}

u32 arch_cpus_found(void) { return acpi.n_cpus ? min_u32(acpi.n_cpus, MAX_CPUS) : 1; }

void arch_smp_start(void)
{
        u32 limit = timer_is_pit ? 0 : min_u32(acpi.n_cpus, MAX_CPUS), cpu = 1;
        u8 *to = phys_to_virt(TRAMPOLINE);

        /* SAFETY: A4: the page is below TRAMPOLINE_LIMIT, so nobody's. */
        __builtin_memcpy(to, ap_trampoline, (usize)(ap_trampoline_end - ap_trampoline));
        for (u32 i = 0; i < limit && !closed; i++)
                if (acpi.apic_id[i] != this_cpu()->apic_id && start_one(cpu, acpi.apic_id[i]))
                        cpu++;
}
