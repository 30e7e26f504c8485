/* SPDX-License-Identifier: Apache-2.0
 *
 * What an interrupted system call returns inside the kernel; user space never sees these.
 */
#pragma once

#define ERESTARTSYS             512     /* restart if the handler has SA_RESTART, else EINTR */
#define ERESTARTNOINTR          513     /* always restart */
#define ERESTARTNOHAND          514     /* restart if no handler ran, else EINTR */
#define ERESTART_RESTARTBLOCK   516     /* restart by restart_syscall(2), which knows the time left */
