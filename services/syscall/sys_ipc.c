/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls of System V IPC and POSIX message queues.
 */
#include "services/syscall/calls.h"
#include "services/ipc/ipc.h"
#include "services/net/netlink/netlink.h"
#include "services/ipc/mqueue.h"
#include "services/process/process.h"
#include "services/time/clock.h"
#include "services/signal/signal.h"
#include "services/vfs/vfs.h"
#include "abi/const/ipc.h"
#include "abi/const/process.h"
#include "abi/const/signal.h"
#include "abi/const/time.h"

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
        if (count < 1)
                return ERR(EINVAL);
        if (count > ipc_limits_of(ipc_ns_current())->semopm)
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

/* ---- POSIX message queues ---- */

/* rights: as for every descriptor; always closed by exec. */
static err_t open_queue(struct call *c, const struct mq_opening *o)
{
        struct file *f = NULL;
        u32 fd = 0;

        TRY(files_reserve(c->t->files, FD_CLOEXEC, 0, rlimit_get(c->t->process, RLIMIT_NOFILE), &fd));
        err_t err = mq_open_file(o, &f);
        if (failed(err))
                files_unreserve(c->t->files, fd);
        else
                files_set(c->t->files, fd, f);
        c->result = fd;
        return err;
}

err_t sys_mq_open(struct call *c)
{
        struct linux_mq_attr attr = {};
        u64 at = arg(c, 3);

        if (at)
                TRY(GET_USER(attr, at));
        PATH_ARG(name, arg(c, 0));
        struct mq_opening o = { .name = name.text, .flags = arg_uint(c, 1), .mode = arg_uint(c, 2) };
        struct mq_opening with = { .name = name.text, .flags = arg_uint(c, 1), .mode = arg_uint(c, 2), .attr = &attr };
        return at ? open_queue(c, &with) : open_queue(c, &o);
}

err_t sys_mq_unlink(struct call *c)
{
        PATH_ARG(name, arg(c, 0));
        return mq_unlink_name(name.text);
}

/* An absolute time of CLOCK_REALTIME; at 0: for ever. */
static err_t deadline_at(u64 at, u64 *deadline)
{
        struct linux_timespec ts = {};
        u64 ns = 0;

        *deadline = NEVER;
        if (!at)
                return OK;
        TRY(GET_USER(ts, at));
        TRY(ns_from_timespec(ts, &ns));
        *deadline = clock_deadline(CLOCK_REALTIME, true, ns);
        return OK;
}

err_t sys_mq_timedsend(struct call *c)
{
        u64 deadline = 0;

        TRY(deadline_at(arg(c, 4), &deadline));
        if (arg_uint(c, 3) >= MQ_PRIO_MAX)
                return ERR(EINVAL);
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        err_t err = mq_send(r.file, arg(c, 1), arg(c, 2), arg_uint(c, 3), deadline);
        fd_put(r);
        return err;
}

err_t sys_mq_timedreceive(struct call *c)
{
        u64 deadline = 0;
        u32 priority = 0;

        TRY(deadline_at(arg(c, 4), &deadline));
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        err_t err = mq_receive(r.file, arg(c, 1), arg(c, 2), deadline, &priority, &c->result);
        fd_put(r);
        TRY(err);
        return arg(c, 3) ? PUT_USER(arg(c, 3), priority) : OK;
}

/* struct sigevent's head. */
struct sigevent_head { u64 value; i32 signo, notify; };

static err_t set_notify(struct call *c, const struct mq_notification *n)
{
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));
        if (!r.file)
                return ERR(EBADF);
        err_t err = mq_set_notify(r.file, n);
        fd_put(r);
        return err;
}

/* SIGEV_THREAD: by the netlink socket `signo`, with the cookie at `value`. */
static err_t set_notify_thread(struct call *c, const struct sigevent_head *ev)
{
        struct { u8 b[MQ_COOKIE]; } cookie = {};
        struct mq_notification n = { .kind = SIGEV_THREAD };

        TRY(GET_USER(cookie, ev->value));
        struct fd_ref r = fd_get(c->t->files, (u32)ev->signo);
        if (!r.file)
                return ERR(EBADF);
        err_t err = netlink_note_new(r.file, BYTES_OF(cookie), &n.note);
        fd_put(r);
        TRY(err);
        err = set_notify(c, &n);
        if (failed(err))
                netlink_note_drop(n.note);
        return err;
}

err_t sys_mq_notify(struct call *c)
{
        struct sigevent_head ev = {};

        if (!arg(c, 1))
                return set_notify(c, NULL);
        TRY(GET_USER(ev, arg(c, 1)));
        switch (ev.notify) {
        case SIGEV_THREAD:
                return set_notify_thread(c, &ev);
        case SIGEV_SIGNAL:
                if (ev.signo < 0 || ev.signo > SIG_COUNT)
                        return ERR(EINVAL);
                fallthrough;
        case SIGEV_NONE:
                break;
        default:
                return ERR(EINVAL);
        }
        struct mq_notification n = { .kind = (u32)ev.notify, .sig = (u32)ev.signo, .value = ev.value };
        return set_notify(c, &n);
}

static err_t attributes(struct call *c, const struct linux_mq_attr *new)
{
        struct linux_mq_attr old = {};
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0));

        if (!r.file)
                return ERR(EBADF);
        err_t err = mq_attributes(r.file, new, &old);
        fd_put(r);
        TRY(err);
        return arg(c, 2) ? PUT_USER(arg(c, 2), old) : OK;
}

err_t sys_mq_getsetattr(struct call *c)
{
        struct linux_mq_attr new = {};

        if (!arg(c, 1))
                return attributes(c, NULL);
        TRY(GET_USER(new, arg(c, 1)));
        return attributes(c, &new);
}
