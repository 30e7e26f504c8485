/* SPDX-License-Identifier: Apache-2.0
 *
 * x86-64: System V semaphores keep the i386 words for the high half of times.
 */
#pragma once
#include "abi/linux/ipc_perm.h"

struct linux_semid_ds {
        struct linux_ipc_perm sem_perm;
        i64 sem_otime;
        u64 unused1;
        i64 sem_ctime;
        u64 unused2;
        u64 sem_nsems;
        u64 unused3;
        u64 unused4;
};
