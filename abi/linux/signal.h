/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals as user space lays them out; frames and contexts are in abi/cpu/ucontext.h.
 */
#pragma once

/* Signal n is bit n - 1. */
typedef u64 linux_sigset;

struct linux_sigaction {
        u64 sa_handler;                 /* SIG_DFL, SIG_IGN or a user address */
        u64 sa_flags;
        u64 sa_restorer;
        linux_sigset sa_mask;
};

struct linux_stack {
        u64 ss_sp;
        i32 ss_flags;
        u32 pad;
        u64 ss_size;
};

/* A value that user space attached: an int in the low half, or an address. */
struct linux_sigval {
        u64 sival_ptr;
};

/* What siginfo holds behind the three common words, by cause. */
struct linux_si_kill {                  /* kill, tgkill, SI_USER */
        i32 pid;
        u32 uid;
};

struct linux_si_timer {                 /* POSIX timers, SI_TIMER */
        i32 tid;
        i32 overrun;
        struct linux_sigval sigval;
        i32 sys_private;                /* the kernel's own; user space gets 0 */
        u32 pad;
};

struct linux_si_rt {                    /* sigqueue, mq_notify */
        i32 pid;
        u32 uid;
        struct linux_sigval sigval;
};

struct linux_si_sigchld {
        i32 pid;
        u32 uid;
        i32 status;
        u32 pad;
        i64 utime;
        i64 stime;
};

struct linux_si_sigfault {              /* SIGILL, SIGFPE, SIGSEGV, SIGBUS, SIGTRAP */
        u64 addr;
        i16 addr_lsb;                   /* BUS_MCEERR_* */
        u16 pad[3];
        u64 lower;                      /* SEGV_BNDERR; the low half is the key of SEGV_PKUERR */
        u64 upper;
};

struct linux_si_sigpoll {
        i64 band;
        i32 fd;
        u32 pad;
};

struct linux_si_sigsys {                /* seccomp */
        u64 call_addr;
        i32 syscall;
        u32 arch;
};

union linux_sifields {
        struct linux_si_kill kill;
        struct linux_si_timer timer;
        struct linux_si_rt rt;
        struct linux_si_sigchld sigchld;
        struct linux_si_sigfault sigfault;
        struct linux_si_sigpoll sigpoll;
        struct linux_si_sigsys sigsys;
        u64 words[14];
};

struct linux_siginfo {
        i32 si_signo;
        i32 si_errno;
        i32 si_code;
        u32 pad;
        union linux_sifields f;
};

/* timer_create(2), mq_notify(2) */
struct linux_sigevent {
        struct linux_sigval sigev_value;
        i32 sigev_signo;
        i32 sigev_notify;
        i32 sigev_tid;                  /* SIGEV_THREAD_ID */
        u32 pad[11];
};

/* Read from a signalfd. */
struct linux_signalfd_siginfo {
        u32 ssi_signo;
        i32 ssi_errno;
        i32 ssi_code;
        u32 ssi_pid;
        u32 ssi_uid;
        i32 ssi_fd;
        u32 ssi_tid;
        u32 ssi_band;
        u32 ssi_overrun;
        u32 ssi_trapno;
        i32 ssi_status;
        i32 ssi_int;
        u64 ssi_ptr;
        u64 ssi_utime;
        u64 ssi_stime;
        u64 ssi_addr;
        u16 ssi_addr_lsb;
        u16 pad2;
        i32 ssi_syscall;
        u64 ssi_call_addr;
        u32 ssi_arch;
        u8 pad[28];
};

/* The sixth argument of pselect6(2). */
struct linux_sigset_argpack {
        u64 p;
        u64 size;
};
