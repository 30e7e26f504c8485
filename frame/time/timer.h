/* SPDX-License-Identifier: Apache-2.0
 *
 * The framework's own timers: a node in a per-CPU heap, fired as a bottom half.
 */
#pragma once
#include "task_impl.h"

void tnode_arm(struct tnode *n, u64 deadline);  /* moves it if armed; NEVER cancels */
void tnode_cancel(struct tnode *n);             /* it may be running */
void tnode_cancel_wait(struct tnode *n);        /* and does not run on another CPU */
void timer_bh(struct percpu *pc);
void timer_leave_idle(struct percpu *pc, u64 now);      /* irqs off */
void timers_init(void);
