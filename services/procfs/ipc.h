/* SPDX-License-Identifier: Apache-2.0
 *
 * /proc/sysvipc, and entries of /proc/sys/kernel.
 */
#pragma once
#include "services/procfs/tree.h"

extern const struct proc_dir proc_sysvipc_dir;

/* Fields of struct ipc_limits, their types, and the largest value that may be written. */
#define IPC_LIMITS(X) \
        X(shmmax, u64, U64_MAX) X(shmall, u64, U64_MAX) X(shmmni, u32, 32768) X(shm_rmid_forced, u32, 1) \
        X(msgmax, u32, I32_MAX) X(msgmnb, u32, I32_MAX) X(msgmni, u32, 32768)

#define IPC_LIMIT_DECLARE(NAME, TYPE, MAX) \
        err_t proc_show_##NAME(struct text *t, const struct subject *s); \
        err_t proc_write_##NAME(bytes text, const struct subject *s);
IPC_LIMITS(IPC_LIMIT_DECLARE)
IPC_LIMIT_DECLARE(sem, u32, 0)
IPC_LIMIT_DECLARE(shm_next_id, u32, 0)
IPC_LIMIT_DECLARE(msg_next_id, u32, 0)
IPC_LIMIT_DECLARE(sem_next_id, u32, 0)

#define IPC_LIMIT_ENTRY(NAME, TYPE, MAX) { .name = #NAME, .mode = 0644, .show = proc_show_##NAME, .write = proc_write_##NAME },

/* /proc/sys/fs/mqueue: fields without "mq_", the least and the largest value. */
extern const struct proc_dir proc_mqueue_dir;
