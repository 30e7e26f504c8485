/* SPDX-License-Identifier: Apache-2.0
 *
 * A world with an address space, and files to map into it.
 */
#pragma once
#include "tests/host/world.h"
#include "services/vm/vm.h"
#include "services/vm/vm_impl.h"

extern struct world vmhost;

void vmhost_begin(void);                        /* once per program */
void host_use(struct vm *vm);                   /* the current thread's from now on; borrowed */
struct file *host_file(u32 pages);              /* without a name; page i is filled with i + 1; NULL: no memory */
