/* SPDX-License-Identifier: Apache-2.0
 *
 * System V IPC: sysvipc(7).  Objects are those of the current thread's IPC namespace.
 *
 * Entry points  ipc_ns_new; the calls of shmget(2), msgget(2), semget(2) and their kin; limits for
 *               /proc/sys/kernel; walks for /proc/sysvipc; what clone and exit do about SEM_UNDO.
 * Locking       nothing is held by callers; all but the walks may sleep.
 */
#pragma once
#include "services/task/thread.h"
#include "services/namespace/namespace.h"
#include "abi/linux/ipc.h"

struct ipc_ns *ipc_ns_new(struct payer *payer, struct user_ns *user, u64 inum);  /* published; NULL: no memory */
struct ipc_ns *ipc_ns_current(void);                    /* borrowed */

/* /proc/sys/kernel: bytes, but shmall: pages; the rest are counts.  Racy reads are fine: each stands alone. */
struct ipc_limits {
        u64 shmmax, shmall;
        u32 shmmni, shm_rmid_forced;
        u32 msgmax, msgmnb, msgmni;
        u32 semmsl, semmns, semopm, semmni;
        u32 mq_msg_default, mq_msg_max, mq_msgsize_default, mq_msgsize_max, mq_queues_max;      /* /proc/sys/fs/mqueue */
};
struct ipc_limits *ipc_limits_of(struct ipc_ns *ns);    /* each is written by itself, STORE; the caller has checked its range */

/* kernel.shm_next_id and so on: the id that the next object shall have, -1: any; id <= I32_MAX. */
enum ipc_what { IPC_SHM, IPC_MSG, IPC_SEM };
i64  ipc_next_id(struct ipc_ns *ns, enum ipc_what what);
void ipc_set_next_id(struct ipc_ns *ns, enum ipc_what what, u32 id);

/* shmget(2), msgget(2), semget(2): *id >= 0.  EACCES, EEXIST, EINVAL, ENOENT, ENOMEM, ENOSPC. */
err_t shm_get(i32 key, u64 size, u32 flags, i32 *id);
err_t msg_get(i32 key, u32 flags, i32 *id);
err_t sem_get(i32 key, i32 count, u32 flags, i32 *id);

/* shmctl(2), msgctl(2): arg is a user address; semctl(2): or a value.  *result: what the call returns. */
err_t shm_control(i32 id, u32 cmd, u64 arg, u64 *result);
err_t msg_control(i32 id, u32 cmd, u64 arg, u64 *result);
err_t sem_control(i32 id, i32 num, u32 cmd, u64 arg, u64 *result);

err_t shm_attach(i32 id, u64 addr, u32 flags, u64 *at);                 /* shmat(2) */
err_t shm_detach(u64 addr);                                             /* shmdt(2) */

/* msgsnd(2), msgrcv(2): at: a struct msgbuf in user memory.  ERESTARTNOHAND: a signal came first. */
err_t msg_send(i32 id, u64 at, u64 size, u32 flags);
err_t msg_receive(i32 id, u64 at, u64 size, i64 type, u32 flags, u64 *received);

/* semtimedop(2): ops: `struct linux_sembuf`s, 1 to semopm of them; deadline: ns since boot, NEVER. */
err_t sem_operate(i32 id, bytes ops, u64 deadline);

/* Undo lists, for process: clone with CLONE_SYSVSEM (the child is not running yet), and a thread's end: what the last
 * thread that shares a list leaves behind is undone. */
err_t sem_undo_share(struct thread *from, struct thread *child);
void  sem_undo_exit(struct thread *t);

/* For process: a thread has ended, and its memory is gone. */
void  shm_exit(struct thread *t);
/* kernel.shm_rmid_forced was written: segments go that nobody uses and whose makers have ended. */
void  shm_forced(struct ipc_ns *ns);

/* The object with the smallest index >= *index, which is moved behind it; false: none. */
struct shm_info { i32 id; struct linux_shmid_ds ds; u64 rss; };         /* rss: bytes */
struct msg_info { i32 id; struct linux_msqid_ds ds; };
struct sem_info { i32 id; struct linux_semid_ds ds; };
bool shm_next(struct ipc_ns *ns, u32 *index, struct shm_info *out);
bool msg_next(struct ipc_ns *ns, u32 *index, struct msg_info *out);
bool sem_next(struct ipc_ns *ns, u32 *index, struct sem_info *out);
