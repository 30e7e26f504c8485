/* SPDX-License-Identifier: Apache-2.0
 *
 * kcmp(2): whether two threads share something, and in which order two things that they do not share stand.
 */
#include "services/syscall/calls.h"
#include "services/epoll/epoll.h"
#include "services/process/pid.h"
#include "services/process/process.h"
#include "services/vfs/files.h"
#include "abi/linux/process.h"
#include "abi/const/process.h"

/* 0: the same, 1: a before b, 2: behind it. */
#define ORDER(a, b) ((a) == (b) ? 0u : OBJECT_BEFORE(a, b) ? 1u : 2u)

/* The file of a thread's descriptor, counted. */
static err_t file_of(struct thread *t, u32 fd, struct file **out)
{
        spin_lock(&t->process->lock);
        struct files *files = t->files ? files_hold(t->files) : NULL;
        spin_unlock(&t->process->lock);
        *out = files ? files_get(files, fd) : NULL;
        files_drop(files);
        return *out ? OK : ERR(EBADF);
}

static err_t compare_files(struct call *c, struct thread *a, struct thread *b)
{
        struct file *x = NULL, *y = NULL;

        err_t err = file_of(a, arg_uint(c, 3), &x);
        if (succeeded(err))
                err = file_of(b, arg_uint(c, 4), &y);
        if (succeeded(err))
                c->result = ORDER(x, y);
        file_drop(x);
        file_drop(y);
        return err;
}

/* a's file beside what b's epoll watches as descriptor tfd, the toff'th of that number. */
static err_t compare_watched(struct call *c, struct thread *a, struct thread *b)
{
        struct linux_kcmp_epoll_slot slot = {};
        struct file *x = NULL, *epoll = NULL, *y = NULL;

        TRY(GET_USER(slot, arg(c, 4)));
        err_t err = file_of(a, arg_uint(c, 3), &x);
        if (succeeded(err))
                err = file_of(b, slot.efd, &epoll);
        if (succeeded(err))
                err = epoll_target(epoll, slot.tfd, slot.toff, &y);
        if (succeeded(err))
                c->result = ORDER(x, y);
        file_drop(x);
        file_drop(epoll);
        file_drop(y);
        return err;
}

/* Who has never set an I/O priority has no I/O context; contexts are not shared. */
static u32 compare_io(struct thread *a, struct thread *b)
{
        return LOAD(a->ioprio) == 0 && LOAD(b->ioprio) == 0 ? 0 : ORDER(a, b);
}

static err_t compare(struct call *c, struct thread *a, struct thread *b)
{
        switch (arg_int(c, 2)) {
        case KCMP_FILE:
                return compare_files(c, a, b);
        case KCMP_EPOLL_TFD:
                return compare_watched(c, a, b);
        case KCMP_VM:
                c->result = ORDER(PTR_LOAD(a->vm), PTR_LOAD(b->vm));
                return OK;
        case KCMP_FILES:
                c->result = ORDER(PTR_LOAD(a->files), PTR_LOAD(b->files));
                return OK;
        case KCMP_FS:
                c->result = ORDER(PTR_LOAD(a->fs), PTR_LOAD(b->fs));
                return OK;
        case KCMP_SIGHAND:
                c->result = ORDER(PTR_LOAD(a->process->actions), PTR_LOAD(b->process->actions));
                return OK;
        case KCMP_IO:
                c->result = compare_io(a, b);
                return OK;
        case KCMP_SYSVSEM:
                c->result = ORDER(PTR_LOAD(a->sem_undos), PTR_LOAD(b->sem_undos));
                return OK;
        default:
                return ERR(EINVAL);
        }
}

err_t sys_kcmp(struct call *c)
{
        struct thread *a = thread_find(pid_ns_current(), arg_uint(c, 0));
        struct thread *b = thread_find(pid_ns_current(), arg_uint(c, 1));
        err_t err = !a || !b ? ERR(ESRCH) : OK;

        if (succeeded(err) && (!process_may_trace(a->process, true) || !process_may_trace(b->process, true)))
                err = ERR(EPERM);
        if (succeeded(err))
                err = compare(c, a, b);
        thread_drop(a);
        thread_drop(b);
        return err;
}
