/* SPDX-License-Identifier: Apache-2.0
 *
 * Core dumps.
 */
#pragma once
#include "services/task/thread.h"

/* Of the current thread's process, which ends by info->signo; all its other threads have stopped.  True: there is one. */
bool coredump_write(struct thread *t, const struct user_regs *regs, const struct siginfo *info);
