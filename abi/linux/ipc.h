/* SPDX-License-Identifier: Apache-2.0
 *
 * System V IPC and POSIX message queues as user space lays them out.
 */
#pragma once
#include "abi/linux/ipc_perm.h"
#include "abi/cpu/ipc.h"                /* struct linux_semid_ds */

struct linux_shmid_ds {
        struct linux_ipc_perm shm_perm;
        u64 shm_segsz;
        i64 shm_atime;
        i64 shm_dtime;
        i64 shm_ctime;
        i32 shm_cpid;
        i32 shm_lpid;
        u64 shm_nattch;
        u64 unused4;
        u64 unused5;
};

struct linux_msqid_ds {
        struct linux_ipc_perm msg_perm;
        i64 msg_stime;
        i64 msg_rtime;
        i64 msg_ctime;
        u64 msg_cbytes;
        u64 msg_qnum;
        u64 msg_qbytes;
        i32 msg_lspid;
        i32 msg_lrpid;
        u64 unused4;
        u64 unused5;
};

struct linux_sembuf {
        u16 sem_num;
        i16 sem_op;
        i16 sem_flg;
};

struct linux_seminfo {
        i32 semmap;
        i32 semmni;
        i32 semmns;
        i32 semmnu;
        i32 semmsl;
        i32 semopm;
        i32 semume;
        i32 semusz;
        i32 semvmx;
        i32 semaem;
};

struct linux_msginfo {
        i32 msgpool;
        i32 msgmap;
        i32 msgmax;
        i32 msgmnb;
        i32 msgmni;
        i32 msgssz;
        i32 msgtql;
        u16 msgseg;
        u16 pad;
};

struct linux_shminfo {                  /* IPC_INFO */
        u64 shmmax;
        u64 shmmin;
        u64 shmmni;
        u64 shmseg;
        u64 shmall;
        u64 unused1;
        u64 unused2;
        u64 unused3;
        u64 unused4;
};

struct linux_shm_info {                 /* SHM_INFO */
        i32 used_ids;
        u32 pad;
        u64 shm_tot;
        u64 shm_rss;
        u64 shm_swp;
        u64 swap_attempts;
        u64 swap_successes;
};

struct linux_mq_attr {
        i64 mq_flags;
        i64 mq_maxmsg;
        i64 mq_msgsize;
        i64 mq_curmsgs;
        i64 reserved[4];
};
