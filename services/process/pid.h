/* SPDX-License-Identifier: Apache-2.0
 *
 * Process identifiers.  A struct pid is a number in a pid namespace; it names a thread,
 * the process it leads, a process group and a session, as long as any of them exists.
 *
 * Lifetime   A pid found by pid_find is held for the caller.  Its number is free for reuse when nothing
 *            has it any more: whoever takes a thread, process, group or session off it calls pid_retire_tree.
 *            Finding takes no lock: what a slot of the table names is try_held, then checked.
 * Locking    pid.thread, .process, .group and the relations in process.h marked so are
 *            guarded by pid_ns.tree (spin, class tree); lock order: tree, process, futex.
 */
#pragma once
#include "services/task/thread.h"
#include "services/namespace/namespace.h"       /* the pool of pid_ns is declared there */

#define PID_MAX_DEFAULT 32768u
#define PID_MAX_LIMIT   4194304u

OBJECT(pid) {
        u32 nr;                         /* fixed */
        struct pid_ns *ns;              /* counted; fixed */
        struct thread *thread;          /* the thread with this tid, or NULL; tree */
        struct process *process;        /* the process with this tgid (also as a zombie), or NULL; tree */
        struct process *group;          /* first member of the process group, by pgrp_next; tree */
        struct session *session;        /* the session with this id, or NULL; tree */
        bool retired;                   /* the number is another's, perhaps; tree */
        struct waitq exited;            /* who polls a pidfd: the process has become a zombie */
};
POOL_DECLARE(pid)

struct pid_ns *pid_ns_new(struct payer *payer);         /* published; NULL: no memory */
u64  pid_ns_inum(struct pid_ns *ns);
/* Takes the next free number; published.  EAGAIN: none free; ENOMEM. */
struct pid_result { struct pid *p; err_t err; };
struct pid_result pid_new(struct pid_ns *ns, struct payer *payer);
/* The same with this number: EEXIST, EINVAL. */
struct pid_result pid_new_as(struct pid_ns *ns, struct payer *payer, u32 nr);
struct pid *pid_find(struct pid_ns *ns, u32 nr);        /* counted, or NULL */
/* Counted, or NULL if there is none (a pid may outlive its thread or process). */
struct thread  *thread_find(struct pid_ns *ns, u32 tid);
struct process *process_find(struct pid_ns *ns, u32 tgid);
/* For /proc: the process with the smallest tgid >= nr, counted; NULL: none. */
struct process *process_next(struct pid_ns *ns, u32 nr);
/* The thread of p with the smallest tid >= nr, counted; NULL: none. */
struct thread  *process_thread_next(struct process *p, u32 nr);

void tree_lock(struct pid_ns *ns);
void tree_unlock(struct pid_ns *ns);
struct pid_ns *pid_ns_current(void);                    /* borrowed from the current thread */
u32  pid_ns_threads(struct pid_ns *ns);                 /* live threads, for /proc/loadavg and sysinfo */
u64  pid_ns_forks(struct pid_ns *ns);                   /* since boot */
u32  pid_ns_last(struct pid_ns *ns);                    /* the last number given out */
u32  pid_ns_max(struct pid_ns *ns);                     /* /proc/sys/kernel/pid_max */
err_t pid_ns_set_max(struct pid_ns *ns, u32 max);       /* EINVAL: out of range */
u32  pid_ns_max_threads(struct pid_ns *ns);             /* /proc/sys/kernel/threads-max */
void pid_ns_set_max_threads(struct pid_ns *ns, u32 max);
