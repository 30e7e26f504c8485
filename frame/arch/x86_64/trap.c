/* SPDX-License-Identifier: Apache-2.0
 *
 * What the entry code calls: user faults and interrupts go to the framework's loop,
 * kernel faults to the exception table, else to k_on_kernel_trap.
 */
#include "x86.h"

struct ex_entry { i32 from, to; };
extern struct ex_entry k_ex_table_start[], k_ex_table_end[];

void trap_from_user(struct user_regs *regs, u64 vector, u64 error);
void trap_bad_user_ip(struct user_regs *regs);
void trap_from_kernel(struct regs *regs, u64 vector);
void trap_paranoid(struct regs *regs, u64 vector);

static void user_fault(struct user_regs *regs, u32 vector, u32 error, u64 addr)
{
        struct user_fault f = { .vector = vector, .error = error, .addr = addr };

        if (vector == VEC_PF) {
                f.present = error & 1;
                f.write = error >> 1 & 1;
                f.exec = error >> 4 & 1;
        }
        arch_irq_on();
        k_on_user_fault(regs, &f);
}

/* IRQs off; leaves them on. */
void trap_from_user(struct user_regs *regs, u64 vector, u64 error)
{
        if (vector >= 32) {
                irq_dispatch((u32)vector);
                arch_irq_on();
                return;
        }
        user_fault(regs, (u32)vector, (u32)error, vector == VEC_PF ? read_cr2() : 0);
}

/* IRQs on.  The context has a RIP that IRET would refuse: a general protection fault of the user's. */
void trap_bad_user_ip(struct user_regs *regs)
{
        regs->orig_rax = ~0ul;          /* no longer a system call */
        user_fault(regs, 13, 0, 0);
}

/* Where to go on after a fault at ip; 0: nowhere. */
static u64 find_fixup(u64 ip)
{
        for (struct ex_entry *e = k_ex_table_start; e < k_ex_table_end; e++)
                if ((u64)&e->from + (u64)(i64)e->from == ip)
                        return (u64)&e->to + (u64)(i64)e->to;
        return 0;
}

static void kernel_trap(struct regs *regs, u64 vector)
{
        struct kernel_trap t = { vector, regs->error, vector == VEC_PF ? read_cr2() : 0, regs->rip, regs->rsp, regs->rbp };

        k_on_kernel_trap(&t);
        k_panic("a kernel trap was not handled");
}

void trap_from_kernel(struct regs *regs, u64 vector)
{
        u64 to = vector == VEC_PF || vector == 13 ? find_fixup(regs->rip) : 0;

        if (!to)
                kernel_trap(regs, vector);
        regs->rip = to;
        regs->rflags &= ~(u64)FLAG_AC;          /* the copy that failed had opened user memory */
}

/* On an IST stack, GS set right by the entry code; IRQs and further NMIs off. */
void trap_paranoid(struct regs *regs, u64 vector)
{
#ifdef KEEL_DEBUG
        if (percpu_of[this_cpu()->cpu] != this_cpu())
                k_panic("struct percpu is not this CPU's");      /* T4 */
#endif
        if (vector == VEC_NMI) {
                if (__atomic_load_n(&halt_all, __ATOMIC_ACQUIRE))
                        arch_stop_cpu();
                return;                         /* nobody else sends one; a stray is harmless */
        }
        if (vector == 18)
                k_panic("machine check");
        kernel_trap(regs, vector);
}
