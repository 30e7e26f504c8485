/* SPDX-License-Identifier: Apache-2.0
 *
 * The system-call table of x86-64 and the one function that every call goes through.
 */
#include "services/syscall/call.h"
#include "services/syscall/calls.h"
#include "abi/linux/x86_64/regs.h"
#include "abi/syscall_nr.h"

STABLE(syscall_entry) {
        call_fn *fn;            /* NULL: not there yet */
};

#define ENTRY(name) [SYS_##name] = { sys_##name },
static const struct syscall_entry table[SYS_MAX + 1] = { ALL_CALLS(ENTRY) };

STABLE(syscall_name) { u8 text[24]; };
#define SYSCALL(nr, name) [nr] = { #name },
static const struct syscall_name names[SYS_MAX + 1] = {
#include "abi/syscalls.inc"
};
