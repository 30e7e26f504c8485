/* SPDX-License-Identifier: Apache-2.0
 *
 * Waiting for any of many files: poll(2), select(2) and their kin.
 *
 * One waiter is put on every queue on the first pass; later passes only ask again.
 * No allocation per call but the framework's own nodes for many queues.
 */
#pragma once
#include "services/vfs/files.h"

/* poll(2): the linux_pollfd array at user address `at` is read at each pass and its revents are
 * written at the end.  *ready: how many are.  EINTR: a signal came first. EFAULT, EINVAL (count over
 * RLIMIT_NOFILE), ENOMEM. */
err_t poll_call(struct files *files, u64 at, u64 count, u64 deadline, u64 *ready);

/* select(2): three bit sets of n bits (as whole u64 words); *ready: bits set in `found` on return.
 * A set that is not wanted is empty bytes in both.  EBADF, EINTR, ENOMEM. */
struct select_sets { mbytes in, out, ex; };
err_t select_call(struct files *files, u32 n, const struct select_sets *want, const struct select_sets *found, u64 deadline, u64 *ready);
