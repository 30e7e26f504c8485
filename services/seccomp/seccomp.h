/* SPDX-License-Identifier: Apache-2.0
 *
 * seccomp(2): filters of system calls.  See README.md.
 */
#pragma once
#include "services/task/thread.h"
#include "abi/linux/process.h"

POOL_DECLARE(seccomp_filter)

/* A filter in front of the current thread's; `program` is checked here and taken over if that went well.  all: the
 * other threads of its process get it, too; *culprit is the thread of which the filters are no part of these, and nothing was
 * changed.  Whoever got one has its calls watched by `ops` from then on.
 * EINVAL: no program; ENOMEM: no memory, or the programs are too long in all. */
err_t seccomp_attach(struct blob *program, bool all, const struct user_ops *ops, u32 *culprit);
/* SECCOMP_MODE_STRICT for the current thread.  EINVAL: it has filters. */
err_t seccomp_strict(const struct user_ops *ops);

/* The filters' answer that counts: SECCOMP_RET_*.  Of a thread in SECCOMP_MODE_FILTER. */
u32   seccomp_judge(struct thread *t, const struct linux_seccomp_data *call);

/* A thread about to be joined to `from`'s process, or to one of its own, begins as `from` is, with its no_new_privs: another
 * thread may give both to `from` until then.  from->process->lock is held. */
void  seccomp_inherit_locked(struct thread *t, struct thread *from, const struct user_ops *ops);
/* How many filters a thread has; its process's lock is held. */
u32   seccomp_count_locked(struct thread *t);
