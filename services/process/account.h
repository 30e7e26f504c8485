/* SPDX-License-Identifier: Apache-2.0
 *
 * Accounts: what a real user has in use in a pid namespace, for RLIMIT_NPROC,
 * RLIMIT_SIGPENDING and the limits of inotify and epoll.
 *
 * Lifetime   Counted by each thread, queued signal, inotify instance and watch, and epoll of the user.
 * Locking    The counts are atomic; finding takes the namespace's accounts_lock.
 */
#pragma once
#include "services/process/pid.h"

OBJECT(account) {
        u32 uid;                        /* fixed */
        struct pid_ns *ns;              /* counted; fixed */
        u64 threads;                    /* ATOMIC */
        u64 signals;                    /* queued; ATOMIC */
        u32 inotify_instances, inotify_watches;         /* services/inotify's; ATOMIC */
        u32 epoll_items;                /* services/epoll's; ATOMIC */
        u32 unix_inflight;              /* descriptors under way in SCM_RIGHTS, services/net/unix's; ATOMIC */
        u32 pipe_pages;                 /* what its pipes may hold, services/pipe's; ATOMIC */
        u64 mq_bytes;                   /* services/ipc's: against RLIMIT_MSGQUEUE; ATOMIC */
        u64 shm_locked;                 /* services/ipc's: pages under SHM_LOCK; ATOMIC */
        struct account *next;           /* accounts_lock */
};
POOL_DECLARE(account)

struct account *account_get(struct pid_ns *ns, u32 uid);         /* counted; NULL: no memory */
/* The credentials of another thread, counted; NULL only for a stale thread. */
struct cred *thread_cred(struct thread *t);
