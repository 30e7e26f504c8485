/* SPDX-License-Identifier: Apache-2.0
 *
 * Processes, threads, scheduling and limits as user space lays them out.
 */
#pragma once
#include "abi/linux/time.h"

struct linux_rusage {
        struct linux_timeval ru_utime;
        struct linux_timeval ru_stime;
        i64 ru_maxrss;                  /* in KiB */
        i64 ru_ixrss;
        i64 ru_idrss;
        i64 ru_isrss;
        i64 ru_minflt;
        i64 ru_majflt;
        i64 ru_nswap;
        i64 ru_inblock;
        i64 ru_oublock;
        i64 ru_msgsnd;
        i64 ru_msgrcv;
        i64 ru_nsignals;
        i64 ru_nvcsw;
        i64 ru_nivcsw;
};

/* getrlimit(2) and prlimit64(2) alike */
struct linux_rlimit {
        u64 rlim_cur;
        u64 rlim_max;
};

struct linux_sysinfo {
        i64 uptime;
        u64 loads[3];
        u64 totalram;
        u64 freeram;
        u64 sharedram;
        u64 bufferram;
        u64 totalswap;
        u64 freeswap;
        u16 procs;
        u16 pad;
        u32 pad2;
        u64 totalhigh;
        u64 freehigh;
        u32 mem_unit;
        u32 pad3;
};

struct linux_utsname {
        u8 sysname[65];
        u8 nodename[65];
        u8 release[65];
        u8 version[65];
        u8 machine[65];
        u8 domainname[65];
};

/* clone3(2); sizes 64, 80 and 88 are in use */
struct linux_clone_args {
        u64 flags;
        u64 pidfd;
        u64 child_tid;
        u64 parent_tid;
        u64 exit_signal;
        u64 stack;
        u64 stack_size;
        u64 tls;
        u64 set_tid;
        u64 set_tid_size;
        u64 cgroup;
};

struct linux_sched_param {
        i32 sched_priority;
};

struct linux_sched_attr {
        u32 size;
        u32 sched_policy;
        u64 sched_flags;
        i32 sched_nice;
        u32 sched_priority;
        u64 sched_runtime;
        u64 sched_deadline;
        u64 sched_period;
        u32 sched_util_min;
        u32 sched_util_max;
};

struct linux_cap_header {
        u32 version;
        i32 pid;
};

struct linux_cap_data {
        u32 effective;
        u32 permitted;
        u32 inheritable;
};

/* The extended attribute security.capability, revisions 2 and 3. */
struct linux_vfs_cap_data {
        u32 magic_etc;
        u32 permitted0;
        u32 inheritable0;
        u32 permitted1;
        u32 inheritable1;
};

struct linux_vfs_ns_cap_data {
        u32 magic_etc;
        u32 permitted0;
        u32 inheritable0;
        u32 permitted1;
        u32 inheritable1;
        u32 rootid;
};

struct linux_robust_list_head {
        u64 list;                       /* the first entry's address */
        i64 futex_offset;
        u64 list_op_pending;
};

struct linux_futex_waitv {
        u64 val;
        u64 uaddr;
        u32 flags;
        u32 reserved;
};

struct linux_kcmp_epoll_slot {
        u32 efd;                        /* the epoll's */
        u32 tfd;                        /* the target's */
        u32 toff;                       /* which of those that had this number */
};

struct linux_rseq {
        u32 cpu_id_start;
        u32 cpu_id;
        u64 rseq_cs;
        u32 flags;
        u32 pad[3];
};

struct linux_rseq_cs {
        u32 version;
        u32 flags;
        u64 start_ip;
        u64 post_commit_offset;
        u64 abort_ip;
};

/* prctl(PR_SET_MM, PR_SET_MM_MAP) */
struct linux_prctl_mm_map {
        u64 start_code;
        u64 end_code;
        u64 start_data;
        u64 end_data;
        u64 start_brk;
        u64 brk;
        u64 start_stack;
        u64 arg_start;
        u64 arg_end;
        u64 env_start;
        u64 env_end;
        u64 auxv;
        u32 auxv_size;
        u32 exe_fd;
};

/* What a seccomp filter sees. */
struct linux_seccomp_data {
        i32 nr;
        u32 arch;
        u64 instruction_pointer;
        u64 args[6];
};

/* Classic BPF: seccomp and SO_ATTACH_FILTER. */
struct linux_sock_filter {
        u16 code;
        u8 jt;
        u8 jf;
        u32 k;
};

struct linux_sock_fprog {
        u16 len;                        /* in instructions */
        u16 pad[3];
        u64 filter;
};

/* PTRACE_GET_SYSCALL_INFO */
struct linux_ptrace_entry_info {
        u64 nr;
        u64 args[6];
};

struct linux_ptrace_exit_info {
        i64 rval;
        u8 is_error;
        u8 pad[7];
};

struct linux_ptrace_seccomp_info {
        u64 nr;
        u64 args[6];
        u32 ret_data;
        u32 pad;
};

union linux_ptrace_call {
        struct linux_ptrace_entry_info entry;
        struct linux_ptrace_exit_info exit;
        struct linux_ptrace_seccomp_info seccomp;
};

struct linux_ptrace_syscall_info {
        u8 op;
        u8 pad[3];
        u32 arch;
        u64 instruction_pointer;
        u64 stack_pointer;
        union linux_ptrace_call call;
};

struct linux_ptrace_peeksiginfo_args {
        u64 off;
        u32 flags;
        i32 nr;
};

struct linux_ptrace_rseq_configuration {
        u64 rseq_abi_pointer;
        u32 rseq_abi_size;
        u32 signature;
        u32 flags;
        u32 pad;
};
