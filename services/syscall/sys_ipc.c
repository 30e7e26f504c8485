/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls of System V IPC.
 */
#include "services/syscall/calls.h"
#include "services/ipc/ipc.h"
#include "services/time/clock.h"

static err_t got(struct call *c, i32 id, err_t err)
{
        c->result = (u64)(i64)id;
        return err;
}

/* ---- Shared memory ---- */

err_t sys_shmget(struct call *c)
{
        i32 id = 0;
        err_t err = shm_get(arg_int(c, 0), arg(c, 1), arg_uint(c, 2), &id);
        return got(c, id, err);
}

err_t sys_shmat(struct call *c)  { return shm_attach(arg_int(c, 0), arg(c, 1), arg_uint(c, 2), &c->result); }
err_t sys_shmdt(struct call *c)  { return shm_detach(arg(c, 0)); }
err_t sys_shmctl(struct call *c) { return shm_control(arg_int(c, 0), arg_uint(c, 1), arg(c, 2), &c->result); }

/* ---- Message queues ---- */

err_t sys_msgget(struct call *c)
{
        i32 id = 0;
        err_t err = msg_get(arg_int(c, 0), arg_uint(c, 1), &id);
        return got(c, id, err);
}

err_t sys_msgsnd(struct call *c) { return msg_send(arg_int(c, 0), arg(c, 1), arg(c, 2), arg_uint(c, 3)); }
err_t sys_msgrcv(struct call *c)
{
        return msg_receive(arg_int(c, 0), arg(c, 1), arg(c, 2), (i64)arg(c, 3), arg_uint(c, 4), &c->result);
}
err_t sys_msgctl(struct call *c) { return msg_control(arg_int(c, 0), arg_uint(c, 1), arg(c, 2), &c->result); }

/* ---- Semaphores ---- */

err_t sys_semget(struct call *c)
{
        i32 id = 0;
        err_t err = sem_get(arg_int(c, 0), arg_int(c, 1), arg_uint(c, 2), &id);
        return got(c, id, err);
}

err_t sys_semctl(struct call *c) { return sem_control(arg_int(c, 0), arg_int(c, 1), arg_uint(c, 2), arg(c, 3), &c->result); }

/* The operations are on the stack up to SOPS_SMALL. */
#define SOPS_SMALL 16u

static err_t operate(struct call *c, u64 timeout)
{
        u64 count = arg_uint(c, 2), ns = 0, deadline = NEVER;
        struct linux_sembuf small[SOPS_SMALL] = {};
        struct linux_timespec ts = {};

        if (timeout)
                TRY(GET_USER(ts, timeout));
        if (count < 1 || arg_int(c, 0) < 0)
                return ERR(EINVAL);
        if (count > ipc_limits(ipc_ns_current()).semopm)
                return ERR(E2BIG);
        if (timeout) {
                TRY(ns_from_timespec(ts, &ns));
                deadline = add_overflows(time_now(), ns) ? NEVER : time_now() + ns;
        }
        usize size = count * sizeof(struct linux_sembuf);
        if (count <= SOPS_SMALL) {
                TRY(vm_copy_in(mbytes_take(MBYTES_OF(small), size), arg(c, 1)));
                return sem_operate(arg_int(c, 0), bytes_take(BYTES_OF(small), size), deadline);
        }
        struct blob *big CLEANUP(drop_blob) = blob_alloc(c->t->payer, size);
        if (!big)
                return ERR(ENOMEM);
        TRY(vm_copy_in(mbytes_take(blob_mbytes(big), size), arg(c, 1)));
        return sem_operate(arg_int(c, 0), bytes_take(blob_bytes(big), size), deadline);
}

err_t sys_semop(struct call *c)      { return operate(c, 0); }
err_t sys_semtimedop(struct call *c) { return operate(c, arg(c, 3)); }
