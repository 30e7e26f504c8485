/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls of files that stand for events: eventfd.
 */
#include "services/syscall/calls.h"
#include "services/eventfd/eventfd.h"
#include "services/process/process.h"
#include "abi/const/event.h"
#include "abi/const/process.h"

/* A descriptor for a file just made, which it takes over. */
static err_t add_file(struct call *c, struct file *f, bool cloexec)
{
        u32 fd = 0;
        err_t err = files_add(c->t->files, f, cloexec ? FD_CLOEXEC : 0, 0, rlimit_get(c->t->process, RLIMIT_NOFILE), &fd);

        if (failed(err))
                file_drop(f);
        c->result = fd;
        return err;
}

/* ---- eventfd ---- */

static err_t make_eventfd(struct call *c, u32 flags)
{
        struct actor who = actor_current();
        struct file *f = NULL;

        TRY(eventfd_new(&who, arg_uint(c, 0), flags, &f));
        return add_file(c, f, (flags & EFD_CLOEXEC) != 0);
}

err_t sys_eventfd(struct call *c)  { return make_eventfd(c, 0); }
err_t sys_eventfd2(struct call *c) { return make_eventfd(c, arg_uint(c, 1)); }
