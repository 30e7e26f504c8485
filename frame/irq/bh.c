/* SPDX-License-Identifier: Apache-2.0
 *
 * Bottom halves and device interrupts.
 *
 * A hard interrupt only sets bits; when the preempt count is 0 the bits are worked off, with
 * interrupts on and PREEMPT_BH in the count, on the CPU's stack for it; current_task() is who stands there.
 * Services' handlers run contained: one that fails is switched off.
 *
 * Invariants  H1  a handler runs on one CPU at a time and not after irq_detach has returned
 *             H2  it is called only if the object's handle still names the line
 */
#include "bh.h"
#include "timer.h"
#include "lib.h"

#define ROUNDS 4                        /* per run; then others go first */

struct line {
        struct irq_handler *owner;      /* atomic; NULL: free */
        void (*fn)(struct irq_handler *h);
        u32 gen;
        u32 running;                    /* CPU + 1: atomic */
        u32 again;                      /* it came while running: atomic */
        struct klock lock;              /* owner, fn, gen */
};
#define WORDS ((IRQ_LINES + 63) / 64)
static struct line lines[IRQ_LINES];    /* ISA's, then messages' */
static struct { u64 word[WORDS]; } pending_lines[MAX_CPUS] __attribute__((aligned(64)));       /* atomic */

void k_on_device_irq(u32 line)
{
        struct percpu *pc = this_cpu();

        if (line >= IRQ_LINES)
                return;
        __atomic_fetch_or(&pending_lines[pc->cpu].word[line / 64], 1ul << line % 64, __ATOMIC_RELAXED);
        bh_raise(pc, BH_IRQ);
}

static void line_off(u32 n)
{
        if (n < ISA_LINES)
                arch_irq_line(n, false);
        else
                msi_line_off(n);
}

/* True for one caller only, who then turns the line off. */
static bool disown(struct line *l, struct irq_handler *h, u32 gen)
{
        klock_lock(&l->lock);
        bool mine = l->owner == h && l->gen == gen;
        if (mine)
                l->owner = NULL;
        klock_unlock(&l->lock);
        return mine;
}

bool irq_line_own(u32 line, struct irq_handler *h, void (*fn)(struct irq_handler *h))
{
        struct line *l = &lines[line];

        klock_lock(&l->lock);
        bool is_free = !l->owner;
        if (is_free) {
                l->fn = fn;
                h->gen_k = ++l->gen;
                __atomic_store_n(&l->owner, h, __ATOMIC_RELEASE);
        }
        klock_unlock(&l->lock);
        return is_free;
}

void mmu_tlb_poll(void);
void k_on_ipi(enum ipi kind)
{
        if (kind == IPI_TLB)
                mmu_tlb_poll();
        else if (kind == IPI_HALT)
                arch_stop_cpu();
        /* IPI_RESCHED: the flag is set, or there is work for a task; the way out looks. */
}

struct irq_call { u32 gen; struct irq_handler *owner; void (*fn)(struct irq_handler *h); };

static void call_handler(void *arg)
{
        struct irq_call *c = arg;

        /* SAFETY: H2: the owner is stable memory of its type. */
        if (__atomic_load_n(&c->owner->gen_k, __ATOMIC_RELAXED) == c->gen)
                c->fn(c->owner);
}

static void run_line(u32 n)
{
        struct line *l = &lines[n];
        u32 none = 0;

        if (!__atomic_compare_exchange_n(&l->running, &none, cpu_id() + 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
                __atomic_store_n(&l->again, 1, __ATOMIC_SEQ_CST);
                if (__atomic_load_n(&l->running, __ATOMIC_SEQ_CST))
                        return;                         /* who runs it looks again */
                run_line(n);
                return;
        }
        __atomic_store_n(&l->again, 0, __ATOMIC_SEQ_CST);
        klock_lock(&l->lock);
        struct irq_call c = { l->gen, l->owner, l->fn };
        klock_unlock(&l->lock);
        if (c.owner && !contained(call_handler, &c)) {
                k_print("irq %d: the handler failed; it is switched off\n", n, 0, 0);
                if (disown(l, c.owner, c.gen))
                        line_off(n);
        } else if (n < ISA_LINES) {
                klock_lock(&l->lock);
                if (l->owner)                           /* else it is off, and stays so */
                        arch_irq_done(n);
                klock_unlock(&l->lock);
        }
        __atomic_store_n(&l->running, 0, __ATOMIC_SEQ_CST);
        if (__atomic_load_n(&l->again, __ATOMIC_SEQ_CST))
                k_on_device_irq(n);
}

void irq_bh(struct percpu *pc)
{
        for (u32 w = 0; w < WORDS; w++) {
                u64 *word = &pending_lines[pc->cpu].word[w];
                u64 pending = __atomic_load_n(word, __ATOMIC_RELAXED) ? __atomic_exchange_n(word, 0, __ATOMIC_ACQUIRE) : 0;

                for (; pending; pending &= pending - 1)
                        run_line(64 * w + bit_lowest(pending));
        }
}

static void run_pending(void *arg)
{
        struct percpu *pc = arg;

        for (u32 i = 0; i < ROUNDS && pc->bh_pending; i++) {
                u32 pending = __atomic_exchange_n(&pc->bh_pending, 0, __ATOMIC_ACQUIRE);
                if (pending & BH_TIMER)
                        timer_bh(pc);
                if (pending & BH_IRQ)
                        irq_bh(pc);
                if (pending & BH_LOG)
                        log_flush_console();
        }
}

/* On a stack of its own: the interrupted task's may be nearly full.  The caller's one is not in the count meanwhile. */
void bh_run(void)
{
        preempt_add(PREEMPT_BH - PREEMPT_ONE);
        struct percpu *pc = this_cpu();
        u64 low = pc->stack_low;
        pc->stack_low = bh_stack_low(pc);
        arch_run_on(pc->bh_stack, run_pending, pc);
        pc->stack_low = low;
        preempt_sub_nocheck(PREEMPT_BH - PREEMPT_ONE);
}

err_t irq_attach_isa(struct irq_handler *h, u32 line, void (*fn)(struct irq_handler *h))
{
        if (line >= ISA_LINES || !fn)
                return ERR(EINVAL);
        h->index_k = 0;
        if (!irq_line_own(line, h, fn))
                return ERR(EBUSY);
        h->index_k = line + 1;
        if (arch_irq_line(line, true))
                return OK;
        irq_detach(h);
        return ERR(EINVAL);
}

void irq_detach(struct irq_handler *h)
{
        u32 n = h->index_k - 1;

        if (n >= IRQ_LINES)
                return;
        struct line *l = &lines[n];
        bool mine = disown(l, h, h->gen_k);
        h->index_k = 0;
        if (!mine)
                return;
        line_off(n);
        preempt_add(PREEMPT_ONE);
        for (u32 r; (r = __atomic_load_n(&l->running, __ATOMIC_SEQ_CST)) && r != cpu_id() + 1;)
                __builtin_ia32_pause();         /* H1; on this CPU it is the caller itself */
        preempt_sub_check(PREEMPT_ONE);
}
