/* SPDX-License-Identifier: Apache-2.0
 *
 * Oops containment: what happens when a check fails in a service.
 *
 * Entry points  k_on_kernel_trap   from the entry code; does not return
 *               contained          runs a service's callback with a recovery point
 *
 * Where it happened decides (E1 … E7):
 *      inside a framework section or a hard interrupt   panic: frame/ itself is wrong
 *      inside contained(): bottom half, timer, notifier, policy
 *                                          contained() returns false; the caller switches it off
 *      a task                              its stack is abandoned; it starts afresh (task_after_oops)
 * The trap is reported where it struck, perhaps on the double fault's stack; giving back what was held
 * happens on the stack that is gone back to.
 */
#include "task_impl.h"
#include "lock_impl.h"
#include "timer.h"
#include "mem.h"

static u64 oopses;
static u32 reporting[MAX_CPUS];         /* a trap inside the report of a trap ends here */

u64 oops_count(void) { return __atomic_load_n(&oopses, __ATOMIC_RELAXED); }

/* ---- the held array ---- */

/* Not the innermost: those above move down by one. */
/* SAFETY: E3. */
bool held_pop_deep(enum held_kind kind, const void *what)
{
        struct task *t = current_task();
        u64 entry = held_entry(kind, what);
        u32 i = t->n_held;

        while (t->held[i] != entry && t->held[i] != HELD_BASE)
                i--;
        if (t->held[i] == HELD_BASE)
                return false;
        for (; i < t->n_held; i++)
                t->held[i] = t->held[i + 1];
        held_drop_top(t);
        return true;
}

bool held_has(enum held_kind kind, const void *what)
{
        struct task *t = current_task();

        for (u32 i = t->n_held; i > 0; i--)
                if (t->held[i] == held_entry(kind, what))
                        return true;
        return false;
}

/* Gives back what lies above `keep`.  Count > 0, no framework lock. */
static void held_release(struct task *t, u32 keep)
{
        while (t->n_held > keep) {
                u64 entry = *held_top(t);
                enum held_kind kind = held_kind_of(entry);
                void *what = held_what(entry);

                held_drop_top(t);
                if (kind == HELD_PIN)
                        frame_unpin_recorded(what);
                else if (kind == HELD_CURSOR)
                        vmspace_unlock_recorded(what);
                else
                        lock_release_oopsed(kind, what);
        }
}

/* The stack is nearly full.  Inside a section there is the room that its beginning found. */
void k_stack_is_low(void)
{
        if (!(preempt_count() & PREEMPT_SECTION * 0xff))
                __builtin_trap();
}

/* ---- recovery points ---- */

static void left_behind(void *arg) { (void)arg; __builtin_trap(); }

/* A guard that fn leaves behind is an oops too. */
bool contained(void (*fn)(void *), void *arg)
{
        preempt_add(PREEMPT_ONE);
        struct task *t = current_task();
        struct percpu *pc = this_cpu();
        u32 limit = t->held_limit;

        if (__builtin_expect(t->n_held >= HELD_SLOTS - 1, 0)) {
                preempt_sub_check(PREEMPT_ONE);
                return false;                           /* E3: no room for another base */
        }
        u64 low = pc->stack_low;
        struct recover r __attribute__((uninitialized));

        r.outer = pc->recover;
        r.preempt = pc->preempt;
        r.held = t->n_held;
        t->held_limit = MAX_HELD + HELD_BORROWED;
        held_push(t, HELD_BASE, NULL);
        pc->recover = &r;
        bool oopsed = arch_contained(fn, arg, &r);
        if (__builtin_expect(!oopsed && (t->n_held != r.held + 1 || pc->preempt != r.preempt), 0))
                oopsed = arch_contained(left_behind, NULL, &r);
        pc->recover = r.outer;
        if (__builtin_expect(oopsed, 0)) {
                pc->stack_low = low;
                held_release(t, r.held);
        } else
                held_drop_top(t);
        t->held_limit = limit;
        preempt_sub_check(PREEMPT_ONE);
        return !oopsed;
}

/* ---- the trap ---- */

struct trap_report { const struct kernel_trap *k; const struct task *t; u32 count; };
static void report(void *arg)
{
        const struct trap_report *r = arg;
        const struct kernel_trap *k = r->k;
        u64 off = 0;
        const char *name = k_symbol(k->ip, &off);

        if (name)
                k_print("Oops: %s in %s+0x%x\n", (u64)arch_trap_cause(k), (u64)name, off);
        else
                k_print("Oops: %s at %x\n", (u64)arch_trap_cause(k), k->ip, 0);
        k_print("  task %s, cpu %d, address 0x%x\n", (u64)(r->t ? (const char *)r->t->name : "?"), this_cpu()->cpu, k->addr);
        k_print("  preempt count 0x%x, vector %d, error 0x%x\n", r->count, k->vector, k->error);
        arch_backtrace(k->ip, k->bp);
}

/* The task's first act on its abandoned stack: count is PREEMPT_ONE. */
static void finish(void)
{
        struct task *t = current_task();

        t->held_limit = MAX_HELD;
        held_release(t, 0);
        sched_park_cancel();
        tnode_cancel(&t->timer);
        waiters_reset(t);
        preempt_sub_check(PREEMPT_ONE);
        task_after_oops(t);
}

/* Irqs off on entry. */
void k_on_kernel_trap(struct kernel_trap *k)
{
        struct percpu *pc = this_cpu();
        struct task *t = pc->current;
        u32 count = pc->preempt;
        bool ours = (count & (PREEMPT_IRQ * 0xf | PREEMPT_SECTION * 0xff)) || !t ||
                    (!pc->recover && (t->is_idle || (count & PREEMPT_BH * 0xf)));

        if (__atomic_exchange_n(&reporting[pc->cpu], 1, __ATOMIC_RELAXED))
                k_panic("a trap while reporting a trap");
        pc->preempt = count + PREEMPT_ONE;
        if (ours)
                log_panic_mode();
        else
                arch_irq_on();
        __atomic_fetch_add(&oopses, 1, __ATOMIC_RELAXED);
        struct trap_report rep = { k, t, count };
        bool move = pc->bh_stack && !on_bh_stack(pc);
        pc->stack_low = 0;
        if (move)
                arch_run_on(pc->bh_stack, report, &rep);
        else
                report(&rep);
        if (ours)
                k_panic("a trap in the framework");
        reporting[pc->cpu] = 0;

        struct recover *r = pc->recover;
        if (r) {
                pc->preempt = r->preempt;
                arch_recover_go(r);
        }
        /* SAFETY: E1: this task's own stack; nothing on it will be used again. */
        struct recover fresh = { .sp = ((t->stack_top - sizeof(struct user_regs)) & ~15ul) - 8, .ip = (u64)finish };
        pc->stack_low = t->stack_low;
        pc->preempt = PREEMPT_ONE;
        arch_recover_go(&fresh);
}
