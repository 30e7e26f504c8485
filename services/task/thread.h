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
STABLE(mapping);                /* vfs/mapping.h */
OBJECT(ptimer);                 /* ptimer/ptimer.c: a POSIX timer */
OBJECT(sem_undos);                /* ipc/sem.c: what semaphores get back when it ends */
OBJECT(init_start);             /* process/first.c */
OBJECT(seccomp_filter);         /* seccomp/seccomp.h */
OBJECT(account);                /* process/account.h: what a user has in use */

/* What is sent with a signal: the fields a siginfo of this kind has. */
struct siginfo { u32 signo; i32 code; i32 errno_value; u32 pid, uid; u64 value; u64 addr; u32 status; u64 utime, stime; i64 band; u32 fd;
                 bool raw; /* a program made it: it has pid, uid and value, whatever its code says */
                 bool ends; /* of a forced one: no handler averts it */ };

/* Whom F_SETOWN named, and who named it: kind F_OWNER_*, id its number in ns, 0: nobody. */
OBJECT(pid_ns);
struct signal_target { struct pid_ns *ns; u32 kind, id, uid, euid; };

/* Pending signals of a thread or a process: a mask and the queue behind it. */
STABLE(sigpending) {
        u64 mask;                               /* bit n-1: signal n; process.lock */
        struct sigqueued *first, *last;         /* process.lock */
        struct siginfo one;                     /* the standard signal that came when no other stood here; signo 0: none; process.lock */
};

/* What was moved by read(2), write(2) and their kin: bytes, and calls.  As /proc/PID/io shows it. */
struct io_counts { u64 read, written, reads, writes; };
static inline void io_counts_add(struct io_counts *to, const struct io_counts *from)
{
        to->read += from->read;
        to->written += from->written;
        to->reads += from->reads;
        to->writes += from->writes;
}

#define COMM_LEN 16

/* A thread's place in a queue of futex(2): its own, or one of those of futex_waitv.  The bucket's lock. */
STABLE(futex_waiter) {
        struct thread *thread;                  /* whose it is */
        struct vm *vm;                          /* the key: not counted, not followed */
        struct mapping *mapping;
        u64 at;
        u32 bitset;
        u32 bucket;                             /* where it is queued; ATOMIC */
        struct futex_waiter *next, *prev;
        u32 kind;                               /* what it waits for: futex_impl.h */
        bool queued;
};

OBJECT(thread) {
        struct task_body base;
        struct process *process;                /* counted; fixed */
        u32   tid;                              /* in its own pid namespace; fixed, but exec may take over the leader's */
        struct pid *pid;                        /* counted; the same */
        struct payer *payer;                    /* who pays for what it makes; counted; fixed */
        struct account *account;                /* of its real user; counted; changes with cred */

        /* what it has: counted; changed by the thread itself only; others read them under process.lock */
        struct cred *cred;                      /* subjective credentials; PTR_LOAD */
        struct files *files;
        struct fs_context *fs;
        struct vm *vm;
        struct ns_set *ns;
        struct sem_undos *sem_undos;            /* counted; shared by CLONE_SYSVSEM; NULL: none yet; owner thread only */
        bool  made_shm;                         /* System V segments, which are told when it ends; owner thread only */

        /* owner thread only */
        u64   clear_child_tid;                  /* user address, 0: none */
        u64   set_child_tid;
        u64   robust_list;                      /* user address, 0: none */
        u32   mempolicy;                        /* set_mempolicy(2), as vm.h has it; written by the thread itself */
        u64   robust_list_len;
        u64   rseq_area;                        /* user address, 0: none; LOAD */
        u32   rseq_sig, rseq_len;
        u32   pdeath_signal;                    /* PR_SET_PDEATHSIG; LOAD */
        bool  no_new_privs;                     /* others may set it, too (SECCOMP_FILTER_FLAG_TSYNC); LOAD */
        bool  io_flusher;                       /* kept for prctl, as the next */
        u8    mce_kill;                         /* PR_MCE_KILL + 1; 0: default */
        struct { u64 from, len, byte; bool on; } dispatch;      /* PR_SET_SYSCALL_USER_DISPATCH: syscall/watched.c alone */
        struct {                                /* restart_syscall: what to go on with */
                u32 kind;                       /* RESTART_* */
                u32 clock;
                u64 deadline;                   /* ns since boot */
                u64 arg[4];
        } restart;

        struct user_regs start_regs;            /* what user code begins with, until it does; or where it stands, for a core dump */
        u64   stands_fs, stands_gs;
        bool  stands;                           /* start_regs, those and fpu_buffer are what a core dump tells; ATOMIC */
        struct { u64 vector, error, addr; } fault;      /* the last exception, for signal frames */
        struct blob *fpu_buffer;                /* counted; where signal frames are put together; NULL until needed */

        /* signal state; process.lock unless said otherwise */
        u64   blocked;                          /* written by the thread itself under the lock; itself may read without */
        u64   saved_blocked;                    /* owner only: mask to restore after sigsuspend, ppoll … */
        bool  restore_blocked;                  /* owner only */
        struct sigpending pending;
        u64   altstack_sp, altstack_size;       /* owner only */
        u32   altstack_flags;
        u32   stop_signal;                      /* not 0: stopped (group stop in effect for it) */
        struct waitq sig_wait;                  /* sigtimedwait sleeps here */
        u64   wanted;                           /* sigtimedwait: blocked signals that shall wake it */
        struct siginfo forced;                  /* the thread's own fault: pending if signo is not 0; needs no memory */

        /* thread list of the process; process.lock */
        struct thread *next, *prev;
        bool  exiting;                          /* do_exit has begun */
        bool  dead;                             /* off the list's live count */
        u32   exit_status;                      /* as wait(2) encodes it */
        u8    comm[COMM_LEN];                   /* racy reads are fine; NUL-padded */
        u32   seccomp_mode;                     /* SECCOMP_MODE_*: services/seccomp; process.lock; LOAD by the thread itself */
        struct seccomp_filter *seccomp;         /* counted; NULL: none; the same */
        struct waitq vfork_done;                /* the parent of vfork sleeps here */
        struct thread *vfork_parent;            /* not NULL while the parent of vfork waits: a mark, not followed; PTR_LOAD */
        u64   min_faults, maj_faults;           /* ATOMIC adds */
        struct io_counts io;                    /* written by the thread itself; others read them as they are */
        u64   personality;
        u64   timer_slack, default_slack;       /* ns: PR_SET_TIMERSLACK */
        u32   ioprio;                           /* as ioprio_set(2) encodes it; 0: none was set; ATOMIC */

        /* waiting in futex(2): services/futex alone */
        struct futex_waiter futex;
        u32  futex_woken;                       /* 0: the thread sleeps; LOAD */
        struct {                                /* PI locks */
                bool given;                     /* it was woken with the PI lock being its; the lock of its bucket */
                struct { struct vm *vm; struct mapping *mapping; u64 at; } to;  /* the PI lock it shall be moved to; the same */
                u32  holds_up;                  /* threads that wait for a PI lock of this one; ATOMIC */
                bool gone;                      /* has let go of them; nobody waits for it any more; LOAD */
                /* who waits for whom: the relations' lock (futex/pi.c) */
                struct thread *owner;           /* waits for a PI lock: who has it; not counted: it lets go of all that wait at its end */
                u32  lends;                     /* the priority that `owner` has from it */
                u32  lent, best;                /* the highest that it has from those that wait for it, and how many lend that */
                struct thread *waiters;         /* those; list by next */
                struct thread *next, *prev;
        } futex_pi;

        struct notifier futex_clock;            /* of one that waits till a time of the wall clock */

        /* scheduling entity: services/sched alone; the lock of the run queue of se.cpu */
        struct {
                u64 vruntime, deadline;         /* virtual ns */
                u64 slice_used;                 /* ns; SCHED_RR */
                u32 weight;                     /* 1024: nice 0 */
                u32 cpu;                        /* ATOMIC: the run queue it is or was last in */
                i32 nice;
                u32 policy, rt_priority;
                u32 urgency;                    /* of both: 0: fair; real-time priority; URGENCY_DEADLINE */
                bool queued, placed, reset_on_fork;
                bool boosted; u32 lent, own_policy, own_priority;       /* inherits a priority; what it asked for itself */
                u64 affinity;                   /* bit per CPU */
                struct thread *child, *sibling, *up;    /* heap of the run queue */
                struct thread *next, *prev;     /* real-time list */
                u64 rt_ran;                     /* ns by a real-time policy since it slept, at the last look; LOAD: RLIMIT_RTTIME */
                struct {                        /* SCHED_DEADLINE; ns */
                        u64 runtime, deadline, period;  /* also the lock of the limits */
                        u32 flags;              /* SCHED_FLAG_RECLAIM, SCHED_FLAG_DL_OVERRUN */
                        bool waits;             /* its budget is used up: queued until deadline above, when it is filled */
                        bool overrun;           /* SIGXCPU is due; ATOMIC */
                        u64 due;                /* its deadline, since boot */
                        i64 left;               /* of the budget; below 0: overdrawn */
                } dl;
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
        struct thread *leader;                  /* borrowed from the list; changes at exec by a non-leader; PTR_LOAD */
        struct thread *threads;                 /* list by thread.next; lock */
        u32   live;                             /* threads that have not ended; lock */
        u32   running;                          /* threads that have not begun to exit; lock */

        /* relations; the pid namespace's tree lock */
        struct process *parent;                 /* borrowed: it outlives the child, or gives it away; PTR_LOAD */
        u32   parent_tid;                       /* the thread that made it: WNOTHREAD */
        struct process *children, *children_last;       /* oldest first; list by sibling_* */
        struct process *sibling_next, *sibling_prev;
        struct pid *pgrp;                       /* counted: the process group's id */
        struct process *pgrp_next, *pgrp_prev;  /* members of the group, from pid.group */
        struct session *session;                /* counted */
        bool   left_tty;                        /* TIOCNOTTY of one that is no leader; tree lock */
        u32   exit_signal;                      /* to the parent; SIGCHLD mostly, 0 none */
        bool  child_subreaper, did_exec;
        bool  zombie;                           /* all threads gone; waits for its parent */
        bool  reaped;                           /* no longer among its parent's children; LOAD */
        struct process *orphan_next;            /* exit's own list */

        /* exit; lock */
        bool  exiting;                          /* group exit under way: all threads end with exit_status */
        u32   exit_status;
        struct thread *exec_thread;             /* the thread in exec that waits for all others to end; NULL: none */
        struct waitq exec_wait;                 /* it sleeps here; and all that a core dump waits for */
        struct thread *dumper;                  /* the thread that writes a core dump, or NULL; PTR_LOAD */
        u32   dump_left;                        /* threads that neither stand still for it nor exit yet */
        u32   dump_filter;                      /* /proc/PID/coredump_filter; ATOMIC */
        struct waitq wait_children;             /* parents sleep here in wait4 */
        bool  is_init;                          /* number 1 of its namespace; fixed */
        struct init_start *starting;            /* counted: what its first thread begins with executing; NULL once that runs; PTR_LOAD */

        /* job control; lock */
        bool  stopped;                          /* group stop complete */
        u32   stop_status;                      /* signal, for wait's WSTOPPED; 0: reported */
        bool  continued;                        /* for WCONTINUED; until reported */
        u32   stop_count;                       /* threads yet to stop */
        u32   stopping;                         /* signal of the stop under way or in effect; 0 none */
        u32   continues;                        /* counts SIGCONTs: a stop decided before one is void */
        bool  tell_stopped, tell_continued;     /* the parent is to be told by the next thread that can */
        struct waitq stop_wait;                 /* stopped threads sleep here */

        /* signals; lock */
        struct sigactions *actions;             /* counted; shared by CLONE_SIGHAND */
        struct sigpending pending;
        struct waitq signals_queued;            /* who reads or polls a signalfd: wakes when a signal is queued, to the process or a thread */

        struct rlimit rlimit[RLIMITS];          /* lock */

        /* the program; lock */
        struct file *exe;                       /* counted */

        /* usage of threads that have ended and of waited-for children; lock */
        struct task_times dead_times, child_times;
        u64   dead_min_faults, dead_maj_faults, child_min_faults, child_maj_faults;
        struct io_counts dead_io;               /* of its threads that have ended, and of its children that were waited for */
        u64   dead_vcsw, dead_ivcsw, child_vcsw, child_ivcsw;
        u64   max_rss, child_max_rss;           /* pages */
        u64   start_time;                       /* ns since boot */

        struct timer itimer_real;               /* armed by setitimer/alarm */
        u64   itimer_interval, itimer_value;    /* ns; lock */
        u32   itimer_state;                     /* of itimer_real: 0 not there, 1 being made, 2 there; lock */
        struct { u64 at, interval; } cpu_timer[2];      /* ITIMER_VIRTUAL, ITIMER_PROF: processor time, 0: off; lock */
        bool  cpu_watch;                        /* any of those is on, or cpu_timers: sched looks at each tick; set under both locks */
        struct ptimer *timers;                  /* services/ptimer's list, counted; lock */
        u32   timer_next;                       /* the number of the next one; lock */
        struct spinlock cpu_lock;               /* class cpu_timers: after lock */
        struct ptimer *cpu_timers;              /* those that measure this process or a thread of it, not counted; cpu_lock, PTR_LOAD */
        i32   oom_score_adj_min;                /* what a privileged one set last: ordinary ones go no lower; racy, as the next */
        i32   oom_score_adj;
        bool  oom_victim;
        u32   membarrier;                       /* what it has registered for; ATOMIC */
        u8    dumpable;                         /* DUMP_* */
        bool  thp_disable;                      /* kept for prctl */
};
POOL_DECLARE(process)

static inline struct thread *thread_current(void) { return DOWNCAST(thread, task_current()); }
static inline struct cred *cred_current(void)     { return thread_current()->cred; }
/* The time to wake the current thread at that wanted `deadline`: later by no more than its slack, which real-time threads do
 * not have; the roundest there is, so that many wake at one time (PR_SET_TIMERSLACK). */
static inline u64 thread_slack(u64 deadline)
{
        struct thread *t = thread_current();
        u64 end = deadline + t->timer_slack;

        if (end <= deadline || t->se.policy == 1 || t->se.policy == 2 || t->se.policy == 6 || deadline <= time_now())
                return deadline;
        return end & (~0ul << bit_highest((deadline - 1) ^ end));
}
bool capable(u32 cap);                          /* does the current thread have it? (process/account.c) */

/* May others look into it, and may it leave a core file?  prctl(2), PR_SET_DUMPABLE; ROOT: only root may. */
enum { DUMP_NONE, DUMP_USER, DUMP_ROOT };

enum { RESTART_NONE, RESTART_NANOSLEEP, RESTART_FUTEX, RESTART_POLL, RESTART_CPU_SLEEP };
