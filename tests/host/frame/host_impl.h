/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the host framework share.
 */
#pragma once
#include "tests/host/frame/host.h"

void host_uncharge(struct payer *p, u64 bytes);
bool host_charge(struct payer *p, u64 bytes);
u32  host_interrupts(void);
bool host_run_timers(u64 until);                /* the next one due by then; false: none */
void host_may_sleep(void);
u32  host_held(void);
mbytes host_frame_bytes(struct frame *f);
void host_map_frame(struct frame *f);
void host_unmap_frame(struct frame *f);
