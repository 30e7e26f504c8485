/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of services/process share.
 */
#pragma once
#include "services/process/process.h"
#include "services/process/account.h"
#include "services/signal/signal.h"
#include "abi/const/process.h"
#include "abi/const/signal.h"

LOCK_CLASS_DECLARE(tree);
LOCK_CLASS_DECLARE(process);
LOCK_CLASS_DECLARE(cpu_timers);

#define PIDS_PER_PAGE 2048u
#define PID_PAGES     (PID_MAX_LIMIT / PIDS_PER_PAGE)
#define PID_RESERVED  300u              /* a wrapped search begins here */
#define ACCOUNT_HEADS 64u

/* A part of the table of numbers. */
OBJECT(pid_page) {
        u64 used[PIDS_PER_PAGE / 64];   /* bit per number: given out; ns lock, LOAD */
        struct pid *slot[PIDS_PER_PAGE];        /* not counted; ns lock, PTR_LOAD */
};
POOL_DECLARE(pid_page)

/* The first program of a process that nobody forks: who asked waits on `done`. */
OBJECT(init_start) {
        struct init_args args;
        bool  is_done;                  /* ATOMIC; what follows is fixed by then */
        err_t err;
        struct waitq done;
};
POOL_DECLARE(init_start)

OBJECT(pid_ns) {
        u64 inum;                       /* fixed */
        struct spinlock tree;           /* class tree: the relations of processes */
        struct spinlock lock;           /* class pid_table: numbers */
        struct pid_page *page[PID_PAGES];       /* counted, until the end; lock, PTR_LOAD */
        u32 last, max;                  /* lock */
        u64 forks;                      /* ATOMIC */
        u32 threads, max_threads;       /* ATOMIC */
        struct spinlock accounts_lock;  /* class account, a leaf */
        struct account *accounts[ACCOUNT_HEADS];        /* not counted; accounts_lock */
        struct process *init;           /* number 1; borrowed; tree */
        const struct process_ops *ops;  /* fixed with the first process */
        const struct session_ops *session_ops;          /* fixed at boot; may be NULL */
        u8 core_pattern[CORE_PATTERN_LEN];      /* lock */
        struct core_settings core;      /* ATOMIC, each */
        u32 core_pipes;                 /* dumps that go into pipes now; ATOMIC */
};

static inline struct pid_ns *ns_of(const struct process *p) { return p->pid->ns; }

/* pid.c */
void pid_retire_tree(struct pid *p);                     /* lets go of the number if nothing has it; tree lock held */

/* thread.c */
/* The thread's part of the lists; process.lock held. */
void thread_link_locked(struct process *p, struct thread *t);
/* Takes a thread that has ended off everything that names it; tree lock held.  The caller drops the list's
 * count when it has let go of the lock. */
void thread_unlink_tree(struct thread *t);
/* The same for a process that nobody will wait for any more: returns it with the tree's count; its leader
 * has already been taken off.  Tree lock held. */
void process_unlink_tree(struct process *p);
/* Drops what process_unlink_tree left: leader and process. */
void process_release(struct process *p);

/* group.c */
void group_join_tree(struct process *p, struct pid *pgrp);       /* takes over a count; tree lock held */
void group_leave_tree(struct process *p);                        /* leaves p->pgrp as it is; tree lock held */
void child_add_tree(struct process *parent, struct process *child);
void child_remove_tree(struct process *child);
/* SIGHUP and SIGCONT to a group that is orphaned and has stopped members.  `without`: as if it were gone. */
void group_orphan_check_tree(struct pid *pgrp, struct process *without);

/* clone.c: one that has nothing yet; NULL: no memory. */
struct process *process_new(struct payer *payer);

/* exec.c */
void first_exec(struct thread *t, struct user_regs *regs);

/* exit.c */
void thread_exit_unborn(struct thread *t);               /* the first process, whose program could not be run, vanishes */

/* timers.c */
void timers_exit(struct process *p);                     /* the last thread ends */
void process_add_times_locked(struct process *p, struct thread *t);      /* an ended thread's usage */

/* unshare.c: the namespaces of a thread to be made with these CLONE_* flags; *out counted.  fs: its own, which
 * moves over to a new mount namespace.  EPERM, ENOMEM. */
#define NAMESPACES (CLONE_NEWNS | CLONE_NEWUTS)
struct fs_context;
err_t namespaces_make(struct payer *payer, struct ns_set *old, u64 flags, struct fs_context *fs, struct ns_set **out);
