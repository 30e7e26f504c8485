/* SPDX-License-Identifier: Apache-2.0
 *
 * The order in which the framework comes up.  It ends in the scheduler, with one kernel
 * thread that runs services_start().
 */
#include "arch.h"
#include "mem.h"
#include "task_impl.h"
#include "lib.h"

void pci_init(void);                    /* frame/io */
#ifdef KEEL_SELFTEST
void arch_selftest(void);
#endif

static void start_services(void)
{
#ifdef KEEL_SELFTEST
        arch_selftest();                        /* does not return if that is what was asked for */
#endif
        services_start();
}

/* On a stack with a guard below, which becomes the boot CPU's idle task's. */
static void go_on(void *unused_arg)
{
        (void)unused_arg;
        arch_stacks_init();
        arch_acpi_init();
        arch_irq_init();
        arch_clock_init();
        hash_init();
        pci_init();
        task_init();
        mem_init_cpus(arch_cpus_found());
        arch_smp_start();
        mmu_protect_boot();                     /* before an idle CPU runs the first thread */
        if (!task_boot_thread(start_services, "start"))
                k_panic("no memory for the first thread");
        task_idle_loop();
}

/* Boot CPU, IRQs off.  The architecture has set up this CPU, the console and boot_info. */
void frame_main(void)
{
        mem_init();
        u64 top = kstack_alloc(NULL);
        if (!top)
                k_panic("no memory for the first stack");
        arch_run_on(top, go_on, NULL);
}
