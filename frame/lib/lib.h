/* SPDX-License-Identifier: Apache-2.0
 *
 * frame/lib, as the rest of the framework sees it.
 */
#pragma once
#include "frame/frame.h"

void random_event(u64 tsc);             /* the time of a hard interrupt; any context */
void hash_init(void);                   /* once, before any hash is kept */

void log_flush_console(void);           /* BH_LOG's: console output and wake-ups that could not be done at once */
void log_sync(void);                    /* before power goes: what was logged is on the console */
void log_panic_mode(void);              /* from now on: no locks, straight to the early console */
bool log_is_sound(void);                /* the self-test's: the ring's records, one by one */
