/* SPDX-License-Identifier: Apache-2.0
 *
 * Bottom halves: what interrupts leave to be done with interrupts on.
 */
#pragma once
#include "arch.h"

enum { BH_TIMER = 1, BH_IRQ = 2, BH_LOG = 4 };      /* bits of percpu.bh_pending */

/* Interrupts off, or on this CPU's own behalf with preemption off. */
static inline void bh_raise(struct percpu *pc, u32 kind) { __atomic_fetch_or(&pc->bh_pending, kind, __ATOMIC_RELAXED); }
void bh_run(void);                      /* irqs on; preempt count PREEMPT_ONE */
void irq_bh(struct percpu *pc);         /* the pending device lines */
/* h, fn become the line's; false: it has an owner.  The other way, for frame/io/msi.c: the line has lost its owner. */
bool irq_line_own(u32 line, struct irq_handler *h, void (*fn)(struct irq_handler *h));
void msi_line_off(u32 line);
