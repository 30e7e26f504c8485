/* SPDX-License-Identifier: Apache-2.0
 *
 * Classic BPF over the 64 bytes that seccomp(2) tells of a system call.  A program is an array of struct linux_sock_filter.
 */
#pragma once
#include "abi/linux/process.h"

#define BPF_INSN sizeof(struct linux_sock_filter)

/* Is it a program: known instructions, jumps inside it, every way ends in a return, no memory read before it is written?
 * `spare`: two bytes for each instruction, zero. */
bool bpf_check(bytes program, mbytes spare);
/* What a program that passed says. */
u32  bpf_run(bytes program, const struct linux_seccomp_data *data);
