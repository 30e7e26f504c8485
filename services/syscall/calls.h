/* SPDX-License-Identifier: Apache-2.0
 *
 * The handlers there are, by file.  ALL_CALLS makes the table.
 */
#pragma once
#include "services/syscall/call.h"

OBJECT(process);

#define CALLS_EVENT(X) \
        X(eventfd) X(eventfd2) X(epoll_create) X(epoll_create1) X(epoll_ctl) X(epoll_wait) X(epoll_pwait) \
        X(epoll_pwait2) X(timerfd_create) X(timerfd_settime) X(timerfd_gettime) X(signalfd) X(signalfd4)
#define CALLS_FILE(X) \
        X(read) X(write) X(pread64) X(pwrite64) X(readv) X(writev) X(preadv) X(pwritev) X(preadv2) \
        X(pwritev2) X(lseek) X(close) X(close_range) X(dup) X(dup2) X(dup3) X(pipe) X(pipe2) \
        X(fcntl) X(ioctl) X(fsync) X(fdatasync) X(sync) X(syncfs) X(ftruncate) X(fallocate) X(fadvise64) X(readahead) X(sync_file_range) \
        X(getdents) X(getdents64) X(flock)
#define CALLS_FS(X) \
        X(open) X(openat) X(creat) X(openat2) X(name_to_handle_at) X(open_by_handle_at) X(mkdir) X(mkdirat) X(mknod) X(mknodat) X(symlink) \
        X(symlinkat) X(link) X(linkat) X(unlink) X(rmdir) X(unlinkat) X(rename) X(renameat) X(renameat2) \
        X(ustat) X(sysfs) X(readlink) X(readlinkat) X(chdir) X(fchdir) X(chroot) X(getcwd) X(umask) X(stat) X(lstat) \
        X(newfstatat) X(fstat) X(statx) X(statfs) X(fstatfs) X(access) X(faccessat) X(faccessat2) X(chmod) \
        X(fchmodat) X(fchmod) X(chown) X(lchown) X(fchownat) X(fchown) X(truncate) X(utimensat) X(utimes) \
        X(futimesat) X(utime) X(mount) X(umount2) X(pivot_root) X(getxattr) X(lgetxattr) X(fgetxattr) \
        X(setxattr) X(lsetxattr) X(fsetxattr) X(listxattr) X(llistxattr) X(flistxattr) X(removexattr) \
        X(lremovexattr) X(fremovexattr) X(inotify_init) X(inotify_init1) X(inotify_add_watch) X(inotify_rm_watch)
#define CALLS_IPC(X) \
        X(shmget) X(shmat) X(shmdt) X(shmctl) X(msgget) X(msgsnd) X(msgrcv) X(msgctl) X(semget) X(semop) \
        X(semtimedop) X(semctl) X(mq_open) X(mq_unlink) X(mq_timedsend) X(mq_timedreceive) X(mq_notify) \
        X(mq_getsetattr)
#define CALLS_MISC(X) \
        X(uname) X(sethostname) X(vhangup) X(setdomainname) X(sysinfo) X(getrandom) X(getcpu) X(reboot) X(syslog) \
        X(getuid) X(geteuid) X(getgid) X(getegid) X(getresuid) X(getresgid) X(setuid) X(setgid) X(setreuid) \
        X(setregid) X(setresuid) X(setresgid) X(setfsuid) X(setfsgid) X(getgroups) X(setgroups) X(capget) \
        X(capset) X(futex) X(futex_waitv) X(sched_yield) X(sched_setscheduler) X(sched_setparam) X(sched_getscheduler) \
        X(sched_getparam) X(sched_setattr) X(sched_getattr) X(sched_get_priority_max) \
        X(sched_get_priority_min) X(sched_rr_get_interval) X(sched_setaffinity) X(sched_getaffinity)
#define CALLS_MM(X) \
        X(mmap) X(munmap) X(mprotect) X(brk) X(msync) X(mincore) X(madvise) X(mlock) X(munlock) X(mlockall) \
        X(munlockall) X(mlock2) X(mremap) X(memfd_create) X(remap_file_pages) X(process_madvise) X(process_vm_readv) \
        X(process_vm_writev) X(mbind) X(set_mempolicy) X(get_mempolicy) X(migrate_pages) X(move_pages) \
        X(set_mempolicy_home_node) X(pkey_alloc) X(pkey_free) X(pkey_mprotect) X(userfaultfd)
#define CALLS_NET(X) \
        X(socket) X(socketpair) X(bind) X(connect) X(listen) X(accept) X(accept4) X(getsockname) X(getpeername) \
        X(shutdown) X(setsockopt) X(getsockopt) X(sendto) X(recvfrom) X(sendmsg) X(recvmsg) X(sendmmsg) X(recvmmsg)
#define CALLS_POLL(X) \
        X(poll) X(ppoll) X(select) X(pselect6)
#define CALLS_PROCESS(X) \
        X(clone) X(clone3) X(unshare) X(setns) X(fork) X(vfork) X(execve) X(execveat) X(exit) X(exit_group) X(wait4) X(waitid) \
        X(getpid) X(gettid) X(getppid) X(getpgid) X(getpgrp) X(setpgid) X(getsid) X(setsid) \
        X(set_tid_address) X(set_robust_list) X(get_robust_list) X(getrusage) X(getrlimit) X(setrlimit) \
        X(prlimit64) X(arch_prctl) X(prctl) X(personality) X(setpriority) X(getpriority) \
        X(ioprio_set) X(ioprio_get) X(rseq) X(membarrier) X(pidfd_open) X(pidfd_send_signal) X(pidfd_getfd) X(kcmp) X(seccomp)
#define CALLS_SIGNAL(X) \
        X(rt_sigaction) X(rt_sigprocmask) X(rt_sigpending) X(rt_sigsuspend) X(pause) X(rt_sigtimedwait) \
        X(rt_sigreturn) X(sigaltstack) X(kill) X(tkill) X(tgkill) X(rt_sigqueueinfo) X(rt_tgsigqueueinfo)
#define CALLS_SPLICE(X) \
        X(sendfile) X(splice) X(tee) X(vmsplice) X(copy_file_range)
#define CALLS_TIME(X) \
        X(clock_gettime) X(clock_getres) X(clock_settime) X(gettimeofday) X(settimeofday) X(time) \
        X(nanosleep) X(clock_nanosleep) X(times) X(getitimer) X(setitimer) X(alarm) X(restart_syscall) X(adjtimex) \
        X(clock_adjtime) X(timer_create) X(timer_settime) X(timer_gettime) X(timer_getoverrun) X(timer_delete)
#define ALL_CALLS(X) CALLS_EVENT(X) CALLS_FILE(X) CALLS_FS(X) CALLS_IPC(X) CALLS_MISC(X) CALLS_MM(X) CALLS_NET(X) CALLS_POLL(X) CALLS_PROCESS(X) CALLS_SIGNAL(X) CALLS_SPLICE(X) CALLS_TIME(X)

#define CALL_DECLARE(name) err_t sys_##name(struct call *c);
ALL_CALLS(CALL_DECLARE)

/* Parts of restart_syscall(2) that live with their calls. */
err_t poll_restart(struct call *c);
/* A copy of the caller's credentials to be changed, NULL: no memory; and what puts it in their place, or with an
 * error drops it. */
struct cred *call_own_cred(struct call *c);
err_t call_set_mm(struct call *c);              /* sys_set_mm.c */
err_t call_user_dispatch(struct call *c);       /* watched.c */
err_t call_seccomp_filter(struct call *c, u64 flags, u64 at);    /* sys_seccomp.c */
err_t call_seccomp_strict(struct call *c);
err_t call_install_cred(struct call *c, struct cred *new, err_t err);
/* What kill and its kin tell the receiver of their sender. */
struct siginfo call_sender_info(struct call *c, u32 sig, i32 code);
/* A siginfo from user space.  own: the receiver is the calling thread, to which anything may be told: else EPERM for what
 * only the kernel says.  same: EINVAL unless it is of `sig`. */
err_t call_queued_info(struct call *c, u32 sig, u64 at, bool own, bool same, struct siginfo *info);
/* The process of a descriptor, counted.  proc: one of /proc/PID will do.  EBADF; ESRCH: it has been reaped. */
err_t call_process_of_fd(struct call *c, u32 fd, bool proc, struct process **out);
/* An array of `count` iovecs from user space, at most IO_MAX_VECS, to be dropped; its bytes in all; local: see io_vec_check.
 * EINVAL, EFAULT, ENOMEM. */
err_t call_get_vec(struct call *c, u64 addr, u32 count, bool local, struct blob **vec, usize *total);
/* Installs a pair of new files, taken over on success; user memory at `at` gets the two numbers. */
err_t call_install_pair(struct call *c, struct file *a, struct file *b, u32 fd_flags, u64 at);
void  drop_blob(struct blob **b);               /* for CLEANUP */

/* Interrupted before anything was done: restarted if the signal's action says so (what reads or writes says it itself). */
static inline err_t restartable(err_t err) { return err_is(err, EINTR) ? ERR(ERESTARTSYS) : err; }

/* For /proc/PID/io: what a call did is in c->result by now. */
static inline err_t count_read(struct call *c, err_t err)
{
        c->t->io.read += c->result;
        c->t->io.reads++;
        return err;
}

static inline err_t count_write(struct call *c, err_t err)
{
        c->t->io.written += c->result;
        c->t->io.writes++;
        return err;
}
