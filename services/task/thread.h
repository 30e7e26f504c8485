/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads and processes: the objects that tie a task to everything it has.  This
 * folder holds the definitions and look-ups that all services share; creating,
 * ending and waiting are services/process, signal delivery is services/signal.
 *
 * Lifetime   A thread lives from clone to its reaping (a thread-group leader: until its
 *            parent has waited); its task holds one reference.  A process lives as long
 *            as a thread, a zombie entry or a struct pid points to it.
 * Locking    process.lock (spin, class process) guards the lists and signal state marked
 *            with it; namespace-wide relations (parent, children, groups, sessions) are
 *            guarded by the pid namespace's `tree` lock (spin), taken before process.lock.
 */
#pragma once

OBJECT(thread);
OBJECT(process);
OBJECT(pid);                    /* a number in a pid namespace: process/pid.h */
OBJECT(cred);                   /* security/cred.h */
OBJECT(files);                  /* vfs/files.h */
OBJECT(fs_context);             /* vfs/fs_context.h */
OBJECT(vm);                     /* vm/vm.h */
OBJECT(ns_set);                 /* namespace/namespace.h */
OBJECT(sigactions);             /* signal/signal.h: the action table, shared by CLONE_SIGHAND */
OBJECT(sigqueued);              /* signal/signal.h: one queued signal */
OBJECT(tty);                    /* tty/tty.h */
OBJECT(session);                /* process/session.h: session id, controlling tty, foreground group */
BASE(file);                     /* vfs/file.h */

/* Pending signals of a thread or a process: a mask and the queue behind it. */
STABLE(sigpending) {
        u64 mask;                               /* bit n-1: signal n; process.lock */
        struct sigqueued *first, *last;         /* process.lock */
};

#define COMM_LEN 16

OBJECT(thread) {
        struct task_body base;
        struct process *process;                /* counted; fixed */
        u32   tid;                              /* in its own pid namespace; fixed */
        struct pid *pid;                        /* counted; fixed */
        struct payer *payer;                    /* who pays for what it makes; counted */

        /* what it has: counted; changed by the thread itself only; others read them under process.lock */
        struct cred *cred;                      /* subjective credentials; PTR_LOAD */
        struct files *files;
        struct fs_context *fs;
        struct vm *vm;
        struct ns_set *ns;

        /* owner thread only */
        u64   clear_child_tid;                  /* user address, 0: none */
        u64   set_child_tid;
        u64   robust_list;                      /* user address, 0: none */
        u64   robust_list_len;
        u64   rseq_area;
        u32   rseq_sig, rseq_len;
        struct {                                /* restart_syscall: what to go on with */
                u32 kind;                       /* RESTART_NONE, RESTART_NANOSLEEP, RESTART_FUTEX, RESTART_POLL */
                u32 clock;
                u64 deadline;                   /* ns since boot */
                u64 arg[4];
        } restart;

        /* signal state; process.lock unless said otherwise */
        u64   blocked;                          /* written by the thread itself under the lock; itself may read without */
        u64   saved_blocked;                    /* owner only: mask to restore after sigsuspend, ppoll … */
        bool  restore_blocked;                  /* owner only */
        struct sigpending pending;
        u64   altstack_sp, altstack_size;       /* owner only */
        u32   altstack_flags;
        u32   stop_signal;                      /* not 0: stopped (group stop in effect for it) */
        struct waitq sig_wait;                  /* sigtimedwait and signalfd sleep here */

        /* thread list of the process; process.lock */
        struct thread *next, *prev;
        bool  exiting;                          /* do_exit has begun */
        bool  dead;                             /* off the list's live count */
        u32   exit_status;                      /* as wait(2) encodes it */
        u8    comm[COMM_LEN];                   /* racy reads are fine; NUL-padded */
        struct waitq vfork_done;                /* the parent of vfork sleeps here */
        struct thread *vfork_parent;            /* counted; owner only */
        u64   min_faults, maj_faults;           /* ATOMIC adds */
        u64   personality;

        /* scheduling entity: services/sched alone */
        struct {
                u64 vruntime, deadline, slice_used;
                u32 weight, cpu;
                i32 nice;
                u32 policy, rt_priority;
                bool queued;
                u64 affinity;                   /* bit per CPU */
                struct thread *left, *right, *up;       /* tree of the run queue */
                u32 color;
                struct thread *next, *prev;     /* fifo lists */
        } se;
};
POOL_DECLARE(thread)
DOWNCASTABLE(thread, task_body);

struct rlimit { u64 cur, max; };
#define RLIMITS 16

OBJECT(process) {
        struct spinlock lock;                   /* class process */
        u32   tgid;                             /* fixed */
        struct pid *pid;                        /* counted; fixed */
        struct thread *leader;                  /* counted; changes at exec by a non-leader */
        struct thread *threads;                 /* list by thread.next; lock */
        u32   live;                             /* threads that have not exited; lock */

        /* relations; the pid namespace's tree lock */
        struct process *parent;                 /* counted */
        struct process *children;               /* first child; list by sibling_* */
        struct process *sibling_next, *sibling_prev;
        struct pid *pgrp;                       /* counted: the process group's id */
        struct process *pgrp_next, *pgrp_prev;  /* members of the group, from pid.group */
        struct session *session;                /* counted */
        u32   exit_signal;                      /* to the parent; SIGCHLD mostly, 0 none */
        bool  child_subreaper, did_exec;
        bool  zombie;                           /* all threads gone; waits for its parent */

        /* exit; lock */
        bool  exiting;                          /* group exit under way: all threads end with exit_status */
        u32   exit_status;
        struct waitq wait_children;             /* parents sleep here in wait4 */

        /* job control; lock */
        bool  stopped;                          /* group stop complete */
        u32   stop_status;                      /* signal, for wait's WSTOPPED; 0: reported */
        bool  continued;                        /* for WCONTINUED; until reported */
        u32   stop_count;                       /* threads yet to stop */
        u32   stopping;                         /* signal of the stop under way or in effect; 0 none */
        struct waitq stop_wait;                 /* stopped threads sleep here */

        /* signals; lock */
        struct sigactions *actions;             /* counted; shared by CLONE_SIGHAND */
        struct sigpending pending;

        struct rlimit rlimit[RLIMITS];          /* lock */

        /* the program; lock */
        struct file *exe;                       /* counted */
        struct blob *cmdline_copy;              /* unused when vm tells; counted or NULL */

        /* usage of threads that have ended and of waited-for children; lock */
        struct task_times dead_times, child_times;
        u64   dead_min_faults, dead_maj_faults, child_min_faults, child_maj_faults;
        u64   dead_vcsw, dead_ivcsw, child_vcsw, child_ivcsw;
        u64   max_rss, child_max_rss;           /* pages */
        u64   start_time;                       /* ns since boot */

        struct timer itimer_real;               /* armed by setitimer/alarm */
        u64   itimer_interval, itimer_value;    /* ns; lock */
        bool  itimer_ready;                     /* timer_init was done */
        i32   oom_score_adj;
        bool  dumpable, no_new_privs;
};
POOL_DECLARE(process)

static inline struct thread *thread_current(void) { return DOWNCAST(thread, task_current()); }

enum { RESTART_NONE, RESTART_NANOSLEEP, RESTART_FUTEX, RESTART_POLL };
