/* SPDX-License-Identifier: Apache-2.0
 *
 * frame/lib, as the rest of the framework sees it.
 */
#pragma once
#include "frame/frame.h"

void random_init(void);                 /* once, after arch_clock_init (timing seeds it too) and before user code */
void random_event(u64 tsc);             /* the time of a hard interrupt; any context */
void hash_set_key(u64 a, u64 b);        /* random_init's: before any hash is kept */

/* The log's console output and wake-ups are postponed where they cannot be done (interrupts off, in a section,
 * hard interrupt).  log_pending says so; whoever sees it in a good context (the end of bh_run, the idle loop)
 * calls log_flush_console: preempt count 0 or a bottom half's, interrupts on. */
extern u32 log_pending;
void log_flush_console(void);
void log_panic_mode(void);              /* from now on: no locks, straight to the early console */
