/* SPDX-License-Identifier: Apache-2.0
 *
 * Making, ending and awaiting processes and threads: clone(2), execve(2), exit(2),
 * wait4(2), and what names them to each other.  Objects: services/task/thread.h.
 */
#pragma once
#include "services/process/pid.h"
#include "services/process/session.h"
#include "abi/linux/process.h"

OBJECT(vm_domain);                      /* vm/vm.h */
STABLE(vm_oom_ops);

void process_init(void);                                /* at boot */

/* What process calls above itself, and what the framework calls for a user task; services/init makes
 * one const table of each and hands them in with the first process:
 *      static const struct user_ops user = { .start = user_start, .syscall = syscall_dispatch, .fault = user_fault,
 *              .exception = user_exception, .pending = user_pending, .died = user_died };
 *      static const struct process_ops ops = { .user = &user, .robust_exit = futex_exit_robust, .wake_address = futex_wake_addr,
 *              .priority_changed = futex_pi_changed,
 *              .undo_share = sem_undo_share, .undo_exit = sem_undo_exit,
 *              .shm_exit = shm_exit }; */
STABLE(process_ops) {
        const struct user_ops *user;
        const struct user_ops *watched;                 /* of a thread whose calls are looked at first (syscall/watched.c) */
        void (*robust_exit)(struct thread *t);          /* the current thread exits or executes: its robust futexes, and who waits for its PI locks */
        u32  (*wake_address)(u64 addr, u32 n);          /* futex wake in the current address space */
        void (*priority_changed)(struct thread *t);     /* its scheduling: whom it waits for is lent the new priority */
        bool (*dump)(struct thread *t, const struct user_regs *regs, const struct siginfo *info);       /* a core dump; all other threads stand */
        void (*timers_end)(struct process *p);          /* p ends, or executes: its POSIX timers */
        void (*cpu_check)(struct process *p);           /* cpu_timers: which are due? */
        void (*timer_taken)(struct ptimer *t, struct siginfo *info);    /* its signal is taken; p->lock held */
        err_t (*undo_share)(struct thread *from, struct thread *child);         /* semaphores: CLONE_SYSVSEM; ENOMEM */
        void (*undo_exit)(struct thread *t);            /* semaphores: the thread is gone, or never was */
        void (*shm_exit)(struct thread *t);             /* shared memory: who made it is gone */
};
const struct process_ops *process_ops_of(struct process *p);
void user_start(struct task_body *self, struct user_regs *regs);
void user_fault(struct task_body *self, struct user_regs *regs, struct user_fault fault);
void user_exception(struct task_body *self, struct user_regs *regs, struct user_fault fault);
void user_pending(struct task_body *self, struct user_regs *regs);
void user_died(struct task_body *self, struct user_regs *regs);

/* The first process: pid 1 of ns->pid, which must be fresh; runs `path` with argv/envp blobs of
 * NUL-ended strings.  Waits until the program has been loaded, not for its end.  An error of the exec is
 * returned: then nothing was started, and another program may be tried.  All arguments are borrowed;
 * the process shares fs and files. */
struct init_args {
        struct blob *path, *argv, *envp; u32 argc, envc;
        struct vm_domain *domain;
        struct payer *payer;
        const struct process_ops *ops;
};
err_t process_start_init(struct init_args args, struct ns_set *ns, struct fs_context *fs, struct files *files);

/* A program that the kernel runs: root, in the first process's namespaces and root directory, with `input` as its only
 * descriptor and a core limit of 1, which a collector's end goes by.  args.ops is not looked at.  *helper counted: it is
 * reaped when it ends.  Waits for the exec.  ENOMEM, EAGAIN, and the exec's errors. */
err_t process_start_helper(struct init_args args, struct file *input, struct process **helper);

/* Replaces the current thread's credentials by a published cred, which is taken over.  With other effective or file system
 * ids or more capabilities the process is no longer dumpable, and loses its parent-death signal: prctl(2). */
void  thread_set_cred(struct cred *cred OWNED);

/* clone(2), clone3(2), fork, vfork: args as clone3 has them (flags, exit_signal separate; a number that is no signal
 * sends none; set_tid: the number, 0: the next, EEXIST, EINVAL).
 * stack: the first stack pointer (0: the parent's); stack_size: not looked at.
 * *tid is the child's in the caller's namespace.  EINVAL, EAGAIN (RLIMIT_NPROC, pids), ENOMEM, EPERM;
 * ERESTARTNOINTR: a signal came first. */
struct clone_args { u64 flags; u64 pidfd, child_tid, parent_tid; u64 exit_signal; u64 stack, stack_size, tls; u32 set_tid; };
err_t process_clone(struct user_regs *regs, struct clone_args args, u32 *tid);
/* unshare(2) of the current thread.  EINVAL: flags that are not known, or need a process of one thread; EPERM; ENOMEM. */
err_t process_unshare(struct thread *t, u64 flags);
/* setns(2) of the current thread: to those of the kinds (CLONE_NEW*) that `to` has, or to p's.  EINVAL, EPERM, ESRCH, ENOMEM. */
struct ns_change;
err_t process_setns(struct thread *t, u32 kinds, const struct ns_change *to);
err_t process_setns_of(struct thread *t, struct process *p, u32 kinds);

/* execve(2)/execveat(2): path from user memory, argv/envp user arrays. On OK regs are the new program's. */
err_t process_exec(struct user_regs *regs, i32 dirfd, u64 path, u64 argv, u64 envp, u32 flags);

/* _exit(2): the calling thread; exit_group(2): the whole process. status as wait(2) encodes it
 * (code << 8, or signal number | 0x80 for a core). Return to the framework's loop, which ends the task. */
void thread_exit(u32 status);
/* After pivot_root: whoever among the processes of ns has its root or working directory at `old` is moved to `new`. */
struct path;
void process_move_root(struct pid_ns *ns, const struct path *old, const struct path *new);
void process_exit_group(u32 status);
/* Makes every thread of p exit with status (fatal signals, exec, oops). process.lock held. */
void process_kill_locked(struct process *p, u32 status);

/* wait4(2)/waitid(2). which: P_ALL, P_PID, P_PGID (id 0: own group), P_PIDFD (EAGAIN: one that does not block; EBADF). found.pid 0: nothing (WNOHANG).
 * status as wait4 tells it, code as waitid does (CLD_*).  ECHILD, ERESTARTSYS, EINVAL. */
struct wait_found { u32 pid; u32 uid; u32 status; u32 code; struct linux_rusage usage; };
err_t process_wait(u32 which, u32 id, u32 options, struct wait_found *found);

/* Process groups and sessions: setpgid(2), getpgid(2), setsid(2), getsid(2). */
err_t process_setpgid(u32 pid, u32 pgid);
err_t process_getpgid(u32 pid, u32 *pgid);
err_t process_setsid(u32 *sid);
err_t process_getsid(u32 pid, u32 *sid);
bool  process_group_orphaned(struct pid *pgrp);         /* tree lock held */
u32   process_ppid(struct process *p);

struct linux_rusage process_rusage(struct process *p, i32 who);        /* RUSAGE_SELF, CHILDREN, THREAD (current) */
struct task_times   process_times(struct process *p);                  /* live and ended threads */
struct io_counts    process_io(struct process *p);                     /* the same, and children that were waited for */
u64   rlimit_get(struct process *p, u32 which);                        /* soft limit */
err_t process_prlimit(u32 pid, u32 which, const struct rlimit *new, struct rlimit *old);
err_t process_setitimer(u32 which, u64 value, u64 interval, u64 *old_value, u64 *old_interval);  /* ns */
void  process_getitimer(u32 which, u64 *value, u64 *interval);
/* A CPU clock: the time of a process, or of a thread of it (clock_getcpuclockid(3)).  Counted. */
struct cpu_clock { struct process *process; struct thread *thread; u32 which; };        /* thread NULL: of all; which: CPUCLOCK_* */
bool  clock_is_cpu(u32 id);
err_t cpu_clock_find(u32 id, struct cpu_clock *out);     /* EINVAL: no such clock, or none that the caller may use */
u64   cpu_clock_read(const struct cpu_clock *c);         /* ns */
u64   cpu_clock_of(const struct cpu_clock *c, struct task_times all);    /* the same with process_times known; takes no lock */
void  cpu_clock_drop(struct cpu_clock *c);
/* Sends what the processor time of the current process is due: SIGVTALRM, SIGPROF, SIGXCPU. */
void  cpu_timers_check(struct process *p);

/* setpriority(2), sched_*(2) by process or thread id, with permission checks; pid 0: the caller. */
struct sched_params;
/* ioprio_set(2): which: IOPRIO_WHO_*.  EINVAL, EPERM, ESRCH.  get: the highest of them. */
err_t process_ioprio_set(u32 which, u32 who, u32 ioprio);
err_t process_ioprio_get(u32 which, u32 who, u32 *ioprio);
err_t process_setpriority(u32 which, u32 who, i32 nice);
err_t process_getpriority(u32 which, u32 who, i32 *nice);               /* -20 .. 19 */
enum {                                  /* what of it stays as it is; CLAMP: utilization is to be clamped, which is EOPNOTSUPP */
        PROCESS_SCHED_KEEP_NICE = 1, PROCESS_SCHED_KEEP_POLICY = 2, PROCESS_SCHED_KEEP_PARAMS = 4, PROCESS_SCHED_CLAMP = 8,
};
err_t process_sched_set(u32 tid, struct sched_params params, u32 keep);
err_t process_sched_get(u32 tid, struct sched_params *params);
err_t process_sched_rr_interval(u32 tid, u64 *ns);
err_t process_set_affinity(u32 tid, u64 mask);
err_t process_get_affinity(u32 tid, u64 *mask);

/* For vm_domain_set_oom. */
extern const struct vm_oom_ops process_oom_ops;

/* State letter of /proc/pid/stat: R S D T Z X. */
u8    thread_state_letter(struct thread *t);
u8    process_state_letter(struct process *p);

/* What core(5) says of /proc/sys/kernel/core_* and proc(5) of fs/suid_dumpable, in p's namespace. */
#define CORE_PATTERN_LEN 128u

struct core_settings { u32 uses_pid, pipe_limit, suid_dumpable; };
struct core_settings process_core_settings(struct process *p);
struct core_settings *core_settings_of(struct pid_ns *ns);             /* each is written by itself, STORE */
void  process_core_pattern(struct process *p, mbytes out);              /* CORE_PATTERN_LEN bytes, NUL-padded */
void  process_set_core_pattern(bytes pattern);           /* cut to CORE_PATTERN_LEN - 1; the current process's */
/* One more dump goes into a pipe (or one less): how many do now. */
u32   process_core_pipes(struct process *p, i32 change);
/* rseq(2).  EINVAL, EPERM, EBUSY, EFAULT.  resume: before user code runs again. */
err_t process_rseq(u64 area, u32 len, u32 flags, u32 sig);
void  rseq_resume(struct thread *t, struct user_regs *regs);
/* membarrier(2); cpu: with MEMBARRIER_CMD_FLAG_CPU.  EINVAL, EPERM: not registered. */
err_t process_membarrier(u32 cmd, u32 flags, u32 cpu, u64 *result);
/* The descriptor table of a live thread of p, counted, or NULL. */
struct files *process_files(struct process *p);
/* The address space of a live thread of p, counted, or NULL. */
struct vm *process_vm(struct process *p);
/* May the current thread look into p as a tracer may?  real: by its real ids. */
bool  process_may_trace(struct process *p, bool real);

/* Unsets what dies with the mm: clears and wakes clear_child_tid, wakes the vfork parent. */
void  thread_release_mm(struct thread *t);
