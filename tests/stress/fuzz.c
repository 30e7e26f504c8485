/* SPDX-License-Identifier: Apache-2.0
 *
 * A random system-call fuzzer: fuzz SECONDS [SEED [SLOT GENERATION]]
 *
 * A supervisor keeps WORKERS processes going.  Each makes files, sockets, mappings and a mount namespace
 * of its own and then calls the kernel at random, from several threads and from children, with
 * arguments made for each call (`calls` below says how) and now and then with any others.  A worker lives
 * WORKER_SECONDS.  Worker g of slot s has the seed hash(SEED, s, g): the same calls in the same order in each of
 * its threads; SLOT and GENERATION run that one alone, again and again.  Slot 0 is root, the others have given it up, more or less.
 *
 * It fails when the kernel oopses (the log is looked at afterwards), when what was killed does not die, or when
 * objects stay behind: the pools of /proc/slabinfo and the free pages are compared with what was there after a
 * first round of WARM seconds, and each class that grew is named.  On the debug kernel allocations fail, too (/proc/self/fail-nth).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/netlink.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WHO "fuzz"
#include "leaks.h"

enum { WORKERS = 4, THREADS = 3, ARENA = 64 * 4096, WORKER_SECONDS = 3, WARM = 8, FDS = 48, MOST_FDS = 200 };
#define MAPS 0x100000000000ull          /* where mappings are played with: MAP_PAGES pages */
#define MAP_PAGES 2048

static unsigned char *arena;            /* ARENA bytes, then a page without rights */
static int  null_fd, knob = -1;         /* opened before a worker can take /dev/null away; /proc/self/fail-nth */
static int  slot, supervisor;
static struct shared {                  /* by all workers */
        uint64_t calls, workers;
        int      pid[16], ipc[16];      /* the last that were made */
} *shared;

struct rng { uint64_t s; };
static uint64_t mix(uint64_t z)
{
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
        return z ^ (z >> 31);
}
static uint64_t next(struct rng *r) { return mix(r->s += 0x9e3779b97f4a7c15ull); }
static uint64_t below(struct rng *r, uint64_t n) { return next(r) % n; }
#define OF(r, list) ((list)[below(r, sizeof(list) / sizeof(list)[0])])

/* ---- the calls ----
 * A letter per argument:
 *   f descriptor   d descriptor of a folder   p path   b buffer   n its length   i small number   x anything   z zero
 *   F an OR of values from the call's list   K one of the list   P process   s signal   u user or group   c clock
 *   t timespec   T timeval(s)   v iovec   V their number   m msghdr   M mmsghdrs   S socket address   L its length
 *   O offset   A address of a mapping   l its length   o pollfds   k signal set   8 its size   q ipc id   y ipc key
 *   j timer   w futex word   N name   g groups   h capability header   C clone_args   e epoll_event   E sigevent
 *   Q sigaction   W open_how   D descriptor that a call may put something at   H signal stack   R rlimits
 *   a sched_attr   U what userfaultfd's ioctls take   B a netlink message   Y words of futex_waitv
 */
struct call { short nr; const char *args; int n; const long *list; };
#define C(name, args)       { SYS_##name, args, 0, NULL }
#define L(name, args, ...)  { SYS_##name, args, sizeof((long[]){ __VA_ARGS__ }) / sizeof(long), (const long[]){ __VA_ARGS__ } }
#define OPEN_FLAGS 0, 1, 2, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_NONBLOCK, O_DIRECTORY, O_NOFOLLOW, O_CLOEXEC, O_PATH, O_TMPFILE, O_DSYNC, O_NOATIME, O_ASYNC
#define AT_FLAGS 0, 0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000, 0x4000
#define FUTEXES 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 128, 129, 131, 132, 256

static const struct call calls[] = {
        C(eventfd, "i"), L(eventfd2, "iF", 0, 1, EFD_NONBLOCK, EFD_CLOEXEC), C(epoll_create, "i"), L(epoll_create1, "F", 0, EPOLL_CLOEXEC),
        L(epoll_ctl, "fKfe", 1, 2, 3, 1), C(epoll_wait, "fbii"), C(epoll_pwait, "fbiik8"), C(epoll_pwait2, "fbitk8"),
        L(timerfd_create, "cF", 0, TFD_NONBLOCK, TFD_CLOEXEC), L(timerfd_settime, "fKtb", 0, 1, 2, 3), C(timerfd_gettime, "fb"),
        C(signalfd, "fk8"), L(signalfd4, "fk8F", 0, SFD_NONBLOCK, SFD_CLOEXEC),

        C(read, "fbn"), C(write, "fbn"), C(pread64, "fbnO"), C(pwrite64, "fbnO"), C(readv, "fvV"), C(writev, "fvV"), C(preadv, "fvVOz"),
        C(pwritev, "fvVOz"), L(preadv2, "fvVOzF", 0, 1, 2, 4, 8, 16), L(pwritev2, "fvVOzF", 0, 1, 2, 4, 8, 16), L(lseek, "fOK", 0, 1, 2, 3, 4),
        C(sendfile, "ffbn"), C(close, "f"), L(close_range, "DDF", 0, 2, 4), C(dup, "f"), C(dup2, "fD"), L(dup3, "fDF", 0, O_CLOEXEC),
        C(pipe, "b"), L(pipe2, "bF", O_NONBLOCK, O_CLOEXEC, O_DIRECT),
        L(fcntl, "fKi", 0, 1, 2, 3, 4, 8, 9, 10, 11, 15, 16, 17, 1024, 1025, 1026, 1030, 1031, 1032, 1033, 1034, 1036, 1038),
        L(fcntl, "fKb", 5, 6, 7, 36, 37, 38, 15, 16, 1035, 1036, 1037, 1039, 1040),
        L(ioctl, "fKb", 0x5401, 0x5402, 0x5403, 0x5404, 0x5405, 0x5406, 0x5407, 0x5408, 0x540f, 0x5410, 0x5411, 0x5412, 0x5413, 0x5414, 0x5415, 0x5416,
          0x5417, 0x5418, 0x541b, 0x541c, 0x541d, 0x5420, 0x5421, 0x5424, 0x5429, 0x5450, 0x5451, 0x5452, 0x5460, 0x80045430, 0x40045431, 0x80045438, 0x5441,
          0x8901, 0x8902, 0x8903, 0x8904, 0x8905, 0x8906, 0x8910, 0x8912, 0x8927, 0x80086601, 0xc020660b, 0x5437, 0xb703),
        L(ioctl, "fKU", 0xc018aa3f, 0xc020aa00, 0xc020aa00, 0x8010aa01, 0x8010aa02, 0xc028aa03, 0xc020aa04, 0xc018aa06, 0xc020aa07),
        L(fcntl, "fKK", 1024, 1024, 1025, 1026, 0, 1, 2),
        L(ioctl, "fKi", 0x540a, 0x540b, 0x5409, 0x5425, 0x540c, 0x540d, 0x540e, 0x5422, 0x5441, 0x5450, 0x5451, 0x5437),
        C(fsync, "f"), C(fdatasync, "f"), C(sync, ""), C(syncfs, "f"), C(ftruncate, "fO"), L(fallocate, "fFOO", 0, 1, 2, 3, 8, 16, 32), L(fadvise64, "fOOK", 0, 1, 2, 3, 4, 5, 6),
        C(readahead, "fOn"), L(sync_file_range, "fOOF", 0, 1, 2, 4), C(getdents, "fbn"), C(getdents64, "fbn"), L(flock, "fK", 1 | 4, 2 | 4, 8, 4, 32),
        L(splice, "fzfznF", 2, 3, 6), L(splice, "fbfbnF", 2, 3, 6), L(tee, "ffnF", 2, 3), L(vmsplice, "fvVF", 2, 10, 3), C(copy_file_range, "fbfbnz"), C(copy_file_range, "fzfznz"),

        L(open, "pFi", OPEN_FLAGS), L(openat, "dpFi", OPEN_FLAGS), C(creat, "pi"), C(openat2, "dpWn"), C(mkdir, "pi"), C(mkdirat, "dpi"),
        L(mknod, "pKi", S_IFREG | 0666, S_IFIFO | 0666, S_IFSOCK | 0666, S_IFCHR | 0666, S_IFBLK | 0666), L(mknodat, "dpKi", S_IFREG | 0666, S_IFIFO | 0666, S_IFSOCK | 0666),
        C(symlink, "pp"), C(symlinkat, "pdp"), C(link, "pp"), L(linkat, "dpdpF", AT_FLAGS), C(unlink, "p"), C(rmdir, "p"), L(unlinkat, "dpF", 0, 0x200),
        C(rename, "pp"), C(renameat, "dpdp"), L(renameat2, "dpdpF", 0, 1, 2, 4), C(ustat, "ib"), C(sysfs, "ibb"), C(readlink, "pbn"), C(readlinkat, "dpbn"),
        C(chdir, "p"), C(fchdir, "d"), C(chroot, "p"), C(getcwd, "bn"), C(umask, "i"), C(stat, "pb"), C(lstat, "pb"), L(newfstatat, "dpbF", AT_FLAGS), C(fstat, "fb"),
        L(statx, "dpFxb", AT_FLAGS), C(statfs, "pb"), C(fstatfs, "fb"), C(access, "pi"), C(faccessat, "dpi"), L(faccessat2, "dpiF", AT_FLAGS), C(chmod, "pi"), C(fchmodat, "dpi"),
        C(fchmod, "fi"), C(chown, "puu"), C(lchown, "puu"), L(fchownat, "dpuuF", AT_FLAGS), C(fchown, "fuu"), C(truncate, "pO"), L(utimensat, "dptF", AT_FLAGS), C(utimes, "pT"),
        C(futimesat, "dpT"), C(utime, "pb"),
        L(umount2, "pF", 0, 1, 2, 4, 8), C(pivot_root, "pp"), C(getxattr, "pNbn"), C(lgetxattr, "pNbn"), C(fgetxattr, "fNbn"), L(setxattr, "pNbnK", 0, 1, 2),
        L(lsetxattr, "pNbnK", 0, 1, 2), L(fsetxattr, "fNbnK", 0, 1, 2), C(listxattr, "pbn"), C(llistxattr, "pbn"), C(flistxattr, "fbn"), C(removexattr, "pN"), C(lremovexattr, "pN"),
        C(fremovexattr, "fN"), C(inotify_init, ""), L(inotify_init1, "F", 0, IN_NONBLOCK, IN_CLOEXEC), C(inotify_add_watch, "fpx"), C(inotify_rm_watch, "fi"),
        L(open_tree, "dpF", 0, 1, O_CLOEXEC, 0x8000, 0x1000), L(move_mount, "dpdpF", 0, 1, 2, 4, 0x10, 0x40, 0x100), C(fsopen, "Nz"), L(fsconfig, "fKNbi", 0, 1, 2, 3, 4, 5, 6, 7), L(fsmount, "fFF", 0, 1, 2, 4),
        C(fspick, "dpi"), L(mount_setattr, "dpFbn", AT_FLAGS, 0x8000), C(name_to_handle_at, "dpbbi"), L(open_by_handle_at, "dbF", OPEN_FLAGS), C(fanotify_init, "xx"), C(fanotify_mark, "fxxdp"), C(quotactl, "xpib"), C(quotactl_fd, "fxib"),

        L(shmget, "ylF", 0600, 01000 | 0666, 02000, 010000), L(shmat, "qzF", 0, 010000, 020000), L(shmat, "qAF", 0, 010000, 020000, 040000), C(shmdt, "A"),
        L(shmctl, "qKb", 0, 1, 2, 3, 11, 12, 13, 14, 15), L(msgget, "yF", 0600, 01000 | 0666, 02000), L(msgsnd, "qbnK", 04000), L(msgrcv, "qbniK", 04000, 014000, 024000, 044000),
        L(msgctl, "qKb", 0, 1, 2, 3, 11, 12, 13), L(semget, "yiF", 0600, 01000 | 0666, 02000), C(semop, "qbi"), C(semtimedop, "qbit"),
        L(semctl, "qiKb", 0, 1, 2, 3, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20), L(mq_open, "NFib", O_RDWR, O_CREAT, O_EXCL, O_NONBLOCK), C(mq_unlink, "N"), C(mq_timedsend, "fbnit"),
        C(mq_timedreceive, "fbnbt"), C(mq_notify, "fE"), C(mq_getsetattr, "fbb"),

        C(uname, "b"), C(sethostname, "bi"), C(setdomainname, "bi"), C(sysinfo, "b"), L(getrandom, "bnF", 0, 1, 2, 4), C(getcpu, "bbb"), C(reboot, "iiii"), L(syslog, "Kbn", 3, 9, 10, 11),
        C(getuid, ""), C(geteuid, ""), C(getgid, ""), C(getegid, ""), C(getresuid, "bbb"), C(getresgid, "bbb"), C(setuid, "u"), C(setgid, "u"), C(setreuid, "uu"), C(setregid, "uu"),
        C(setresuid, "uuu"), C(setresgid, "uuu"), C(setfsuid, "u"), C(setfsgid, "u"), C(getgroups, "ib"), C(setgroups, "ig"), C(capget, "hb"), C(capset, "hb"),
        L(futex, "wKitwi", FUTEXES), L(futex, "wKiiwi", FUTEXES), C(futex_waitv, "biitc"), C(futex_waitv, "Yiztc"), C(sched_yield, ""), L(sched_setscheduler, "PKb", 0, 1, 2, 3, 5, 0x40000000), C(sched_setparam, "Pb"), C(sched_getscheduler, "P"),
        C(sched_getparam, "Pb"), C(sched_setattr, "Pbz"), C(sched_setattr, "Paz"), C(sched_getattr, "Pbnz"), C(sched_get_priority_max, "i"), C(sched_get_priority_min, "i"), C(sched_rr_get_interval, "Pb"),
        C(sched_setaffinity, "Pib"), C(sched_getaffinity, "Pnb"),

        L(mmap, "AlKKfO", 1, 3, 0x22, 0x21, 0x12, 0x11, 0x8022, 0x2021, 0x100022, 0x4022, 2, 1, 0x32), C(munmap, "Al"), L(mprotect, "AlK", 0, 1, 3, 5, 7, 2), C(brk, "x"), L(msync, "AlF", 1, 2, 4), C(mincore, "Alb"),
        L(madvise, "AlK", 0, 1, 2, 3, 4, 8, 9, 10, 11, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24), C(mlock, "Al"), C(munlock, "Al"), L(mlockall, "F", 1, 2, 4), C(munlockall, ""), L(mlock2, "AlF", 0, 1),
        L(mremap, "AllFA", 0, 1, 2, 4), L(memfd_create, "NF", 0, 1, 2, 4), L(remap_file_pages, "Alzii", 0), L(process_madvise, "fvVKz", 20, 21), C(process_vm_readv, "PvVvVz"), C(process_vm_writev, "PvVvVz"),
        L(mbind, "AlKbiF", 0, 1, 2, 3, 4), C(set_mempolicy, "ibi"), C(get_mempolicy, "bbiAi"), C(migrate_pages, "Pibb"), C(move_pages, "Pibbbi"), C(set_mempolicy_home_node, "Alii"), C(pkey_alloc, "ii"), C(pkey_free, "i"),
        L(pkey_mprotect, "AlKi", 0, 1, 3), C(memfd_secret, "i"), C(userfaultfd, "x"),

        L(socket, "KFK", 1, 1, 1, 1, 2, 3, 5, 16, 17, 0x802, 0x801, 0x805, 0), L(socketpair, "KKzb", 1, 1, 1, 2, 5, 0x801, 0x802, 0x805), C(bind, "fSL"), C(connect, "fSL"), C(listen, "fi"), C(accept, "fbb"), L(accept4, "fbbF", 0, 0x800, 0x80000),
        C(getsockname, "fbb"), C(getpeername, "fbb"), L(shutdown, "fK", 0, 1, 2), L(setsockopt, "fKibi", 1, 0, 6, 41, 270), L(getsockopt, "fKibb", 1, 0, 6, 41, 270), L(sendto, "fbnFSL", 0x40, 0x4000, 1, 0x80), L(recvfrom, "fbnFbb", 0x40, 1, 2, 0x20, 0x100),
        L(sendto, "fBKzSL", 16, 20, 32, 40, 100), L(sendmsg, "fmF", 0x40, 0x4000, 1, 0x80), L(recvmsg, "fmF", 0x40, 1, 2, 0x20, 0x40000000), L(sendmmsg, "fMiF", 0x40, 0x4000), L(recvmmsg, "fMiFt", 0x40, 0x10000, 2),

        C(poll, "oii"), C(ppoll, "oitk8"), C(select, "ibbbT"), C(pselect6, "ibbbtb"),

        C(fork, ""), C(vfork, ""), L(clone, "Fzbbz", 17, 0x200, 0x400, 0x800, 0x1000, 0x2000, 0x4000, 0x8000, 0x10000, 0x20000, 0x40000, 0x80000, 0x100000, 0x200000, 0x1000000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000),
        C(clone3, "Cn"), C(execve, "pbb"), L(execveat, "dpbbF", AT_FLAGS), L(wait4, "PbKb", 1, 3, 11, 0x40000001, 0x80000001), L(waitid, "KPbKb", 0, 1, 2, 3, 1 | 4, 1 | 2, 0x1000005, 1 | 8),
        C(getpid, ""), C(gettid, ""), C(getppid, ""), C(getpgid, "P"), C(getpgrp, ""), C(setpgid, "PP"), C(getsid, "P"), C(setsid, ""), C(set_tid_address, "b"), C(set_robust_list, "bn"),
        C(get_robust_list, "Pbb"), L(getrusage, "Kb", 0, -1, 1, -2), L(getrlimit, "Kb", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), L(setrlimit, "KR", 1, 2, 3, 4, 8, 10, 12, 13, 14, 15), L(prlimit64, "PKRb", 1, 4, 8, 10, 12, 13, 14, 15),
        L(arch_prctl, "Kb", 0x1001, 0x1003, 0x1004, 0x1011), L(arch_prctl, "Ki", 0x1012),
        L(prctl, "Kbizz", 1, 2, 3, 4, 7, 8, 13, 14, 15, 16, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 47, 52, 53, 62), L(prctl, "Kiizz", 1, 3, 4, 5, 8, 13, 14, 23, 24, 28, 29, 36, 38, 41, 47, 52, 53, 62),
        L(prctl, "KKAlz", 35, 35, 35, 35, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13), L(prctl, "KKbnz", 35, 35, 35, 12, 13, 14, 15),
        C(personality, "i"), L(setpriority, "KPi", 0, 1), L(getpriority, "KP", 0, 1, 2), L(ioprio_set, "KPx", 1, 2), L(ioprio_get, "KP", 1, 2, 3), C(rseq, "biii"), L(membarrier, "KFz", 0, 1, 2, 4, 8, 16, 32, 64),
        C(pidfd_open, "Pz"), C(pidfd_send_signal, "fsbz"), C(pidfd_getfd, "fDz"), L(kcmp, "PPKii", 0, 1, 2, 3, 4, 5, 6, 7), C(seccomp, "iib"), C(landlock_create_ruleset, "bni"), C(landlock_add_rule, "fibi"), C(landlock_restrict_self, "fi"),
        L(unshare, "F", 0x200, 0x400, 0x20000, 0x40000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000), C(setns, "fx"),

        C(rt_sigaction, "sQb8"), L(rt_sigprocmask, "Kkb8", 0, 1, 2), C(rt_sigpending, "b8"), C(rt_sigsuspend, "k8"), C(pause, ""), C(rt_sigtimedwait, "kbt8"), C(sigaltstack, "Hb"),
        C(kill, "Ps"), C(tkill, "Ps"), C(tgkill, "PPs"), C(rt_sigqueueinfo, "Psb"), C(rt_tgsigqueueinfo, "PPsb"),

        C(clock_gettime, "cb"), C(clock_getres, "cb"), C(clock_settime, "cb"), C(gettimeofday, "bb"), C(settimeofday, "bb"), C(time, "b"), C(nanosleep, "tb"), L(clock_nanosleep, "cKtb", 0, 1),
        C(times, "b"), L(getitimer, "Kb", 0, 1, 2), L(setitimer, "KTb", 0, 1, 2), C(alarm, "i"), C(restart_syscall, ""), C(adjtimex, "b"), C(clock_adjtime, "cb"), C(timer_create, "cEb"),
        L(timer_settime, "jFtb", 0, 1), C(timer_gettime, "jb"), C(timer_getoverrun, "j"), C(timer_delete, "j"),
        C(io_setup, "ib"), C(io_destroy, "x"), C(io_uring_setup, "ib"), C(io_uring_enter, "fiiik8"), C(bpf, "ibn"), C(perf_event_open, "bPiix"), C(add_key, "NNbni"), C(request_key, "NNNi"), C(keyctl, "ibbbb"), C(modify_ldt, "ibn"), C(acct, "z"), C(vhangup, ""),
};
enum { CALLS = sizeof calls / sizeof calls[0] };

/* Known and not called: what ends the caller at once, bends the machine, or is done by an `act` below.
 * NOT_CALLED: rt_sigreturn exit exit_group mount ptrace kexec_load init_module finit_module delete_module swapon swapoff iopl ioperm */

static const char *const paths[] = {
        "a", "b", "dir", "dir/x", "link", "fifo", ".", "..", "", "/", "/dev/null", "/dev/zero", "/dev/full", "/proc/self/maps", "mnt", "mnt/x", "mnt/d", "mnt/d/e",
        "/proc/self/fd/5", "/proc/self", "nowhere/at/all", "a/b", "link/", "/dev/tty", "./././a", "dir/../b", "loop", "/dev/ptmx", "/dev/pts/0", "/proc/self/mem", "/bin/true", "s0",
        "/proc/self/smaps", "/proc/self/status", "/proc/self/task", "/proc/self/mountinfo", "/proc/self/comm", "/proc/self/oom_score_adj", "/proc/self/clear_refs", "/proc/self/pagemap",
        "/proc/self/coredump_filter", "/proc/self/fdinfo/5", "/proc/self/ns/mnt", "/proc/self/exe", "/proc/self/environ", "/proc/self/timers", "/proc/self/limits", "/proc/net/unix", "/proc/locks",
        "/proc/sysvipc/shm", "/proc/sysvipc/sem", "/proc/sysvipc/msg", "/proc/slabinfo", "/proc/stat", "/proc/interrupts", "/proc/sys/kernel/hostname", "/sys", "/sys/devices/system/cpu",
        "/sys/devices/system/cpu/online", "/sys/kernel", "/dev/shm", "/dev/mqueue", "/dev/mqueue/q1", "/proc/thread-self", "/dev/random", "/dev/urandom", "/proc/keel/counters", "long",
        "/dev/hvc0", "/dev/vport0p1", "/dev/console", "/proc/net/netlink", "/proc/self/ns/net", "/proc/self/ns/pid", "/proc/self/ns/user", "/proc/self/ns/uts", "/proc/sys/vm/swappiness", "/proc/sys/vm/mmap_min_addr",
};
static const char *const names[] = { "user.a", "trusted.b", "security.capability", "system.posix_acl_access", "/q1", "/q2", "q3", "tmpfs", "proc", "size", "user.long", "security.x", "" };

static uint64_t address(struct rng *r)
{
        switch (below(r, 10)) {
        case 0: return 0;
        case 1: return next(r);                                         /* anywhere, mostly not canonical */
        case 2: return 0xffff800000000000ull + below(r, 1ull << 46);    /* the kernel's half */
        case 3: return 0xffffffff80000000ull + below(r, 1 << 24);       /* its image */
        case 4: return (uint64_t)arena + ARENA - below(r, 64);          /* over the edge */
        case 5: return below(r, 65536);
        case 6: return 0x7ffffffff000ull - below(r, 8192) + 4096;
        case 7: return MAPS + below(r, MAP_PAGES << 12);
        default: return (uint64_t)arena + (below(r, ARENA) & (below(r, 2) ? ~7ull : ~0ull));
        }
}

static unsigned char *room(struct rng *r) { return arena + (below(r, ARENA - 4096) & ~7ull); }

static uint64_t text(struct rng *r, const char *what)
{
        unsigned char *to = room(r);

        if (strcmp(what, "long") == 0) {
                memset(to, below(r, 2) ? 'l' : '/', 4095);
                to[below(r, 2) ? 300 : below(r, 4096)] = 0;
        } else {
                memcpy(to, what, strlen(what) + 1);
        }
        return (uint64_t)to;
}

static uint64_t any(struct rng *r)
{
        switch (below(r, 8)) {
        case 0: case 1: return address(r);
        case 2: return text(r, OF(r, paths));
        case 3: return below(r, 24);
        case 4: return 1ull << below(r, 64);
        case 5: return below(r, 8192);
        case 6: return below(r, 4) ? (uint64_t)-100 : (uint64_t)-1;
        default: return next(r) >> below(r, 64);
        }
}

static uint64_t descriptor(struct rng *r) { return below(r, 20) ? 3 + below(r, FDS) : below(r, 8) ? below(r, MOST_FDS) : any(r); }

static uint64_t process(struct rng *r)
{
        int pid = shared->pid[below(r, 16)];

        switch (below(r, 8)) {
        case 0: case 1: return (uint64_t)getpid();
        case 2: return (uint64_t)syscall(SYS_gettid);     /* the library remembers it where a child may have any memory */
        case 3: return 0;
        case 4: return below(r, 4) ? 0 : 4000000 + below(r, 100000);
        default: return pid;
        }
}

/* Structs that the kernel reads are whatever lies in the arena: stir it. */
static void stir(struct rng *r)
{
        uint64_t *w = (uint64_t *)room(r);

        for (int i = 0; i < 12; i++)
                w[i] = below(r, 3) ? below(r, 4096) : any(r);
}

static uint64_t iovecs(struct rng *r)
{
        struct iovec *v = (void *)room(r);

        for (int i = 0; i < 20; i++)
                v[i] = (struct iovec){ below(r, 16) ? room(r) : (void *)address(r), below(r, 32) ? below(r, 3000) : next(r) >> below(r, 64) };
        return (uint64_t)v;
}

static uint64_t socket_address(struct rng *r)
{
        static const char *const at[] = { "s0", "s1", "dir/s2", "\0a", "\0b", "\0c", "a", "link" };
        struct sockaddr_un *a = (void *)room(r);

        if (below(r, 6) == 0) {
                *(struct sockaddr_nl *)a = (struct sockaddr_nl){ .nl_family = AF_NETLINK, .nl_pid = below(r, 2) ? 0 : (unsigned)process(r), .nl_groups = (unsigned)(next(r) & next(r)) };
                return (uint64_t)a;
        }
        a->sun_family = below(r, 16) ? AF_UNIX : below(r, 50);
        memcpy(a->sun_path, OF(r, at), 3);
        return (uint64_t)a;
}

/* A header with a vector, perhaps a name, perhaps descriptors or credentials. */
static void fill_message(struct rng *r, struct msghdr *h)
{
        unsigned char  *at = room(r);
        struct cmsghdr *c = (void *)at;

        memset(h, 0, sizeof *h);
        memset(at, 0, 256);
        h->msg_iov = (void *)iovecs(r);
        h->msg_iovlen = below(r, 4);
        if (below(r, 4) == 0) {
                h->msg_name = (void *)socket_address(r);
                h->msg_namelen = below(r, 8) ? 5 : below(r, 130);
        }
        if (below(r, 2)) {
                int n = (int)below(r, 6);
                h->msg_control = c;
                h->msg_controllen = CMSG_SPACE(n * 4) + (below(r, 8) ? 0 : below(r, 32));
                c->cmsg_level = SOL_SOCKET;
                c->cmsg_type = below(r, 8) ? SCM_RIGHTS : (int)below(r, 4);
                c->cmsg_len = below(r, 8) ? CMSG_LEN(n * 4) : below(r, 64);
                for (int i = 0; i < n; i++)
                        ((int *)CMSG_DATA(c))[i] = (int)descriptor(r);
        }
}

static uint64_t timespecs(struct rng *r)
{
        struct timespec *t = (void *)room(r);

        for (int i = 0; i < 2; i++)
                t[i] = (struct timespec){ below(r, 32) ? 0 : (time_t)below(r, 3), below(r, 16) ? (long)below(r, 20000000) : (long)any(r) };
        return below(r, 16) ? (uint64_t)t : address(r);
}

static uint64_t argument(struct rng *r, const struct call *c, char kind)
{
        uint64_t *w = (uint64_t *)room(r), v = 0;

        if (below(r, 64) == 0)
                return any(r);
        switch (kind) {
        case 'f': return descriptor(r);
        case 'D': return below(r, 8) ? 3 + below(r, FDS) : below(r, 300);
        case 'd': return below(r, 3) ? (uint64_t)AT_FDCWD : descriptor(r);
        case 'p': return below(r, 24) ? text(r, OF(r, paths)) : address(r);
        case 'N': return below(r, 24) ? text(r, OF(r, names)) : address(r);
        case 'b': return below(r, 6) ? (uint64_t)w : below(r, 2) ? 0 : address(r);
        case 'n': return below(r, 6) ? below(r, 4096) : below(r, 4) ? below(r, 3 * 65536) : any(r);
        case 'i': return below(r, 3) ? below(r, 16) : below(r, 8) ? below(r, 1024) : any(r);
        case 'x': return any(r);
        case 'z': return 0;
        case 'F':
                for (uint64_t k = below(r, 4); k > 0; k--)
                        v |= (uint64_t)c->list[below(r, c->n)];
                return v;
        case 'K': return (uint64_t)c->list[below(r, c->n)];
        case 'P': return process(r);
        case 's': return below(r, 8) ? (uint64_t)OF(r, ((int[]){ 0, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH, SIGCHLD, SIGURG, 40, SIGCONT, SIGIO })) : below(r, 16) ? 34 + below(r, 30) : below(r, 66);
        case 'u': return below(r, 3) ? 1000 + below(r, 4) : below(r, 2) ? 0 : (uint64_t)-1;
        case 'c': return below(r, 8) ? below(r, 12) : below(r, 2) ? (uint64_t)(~(process(r)) << 3 | 2) : any(r);
        case 't': return timespecs(r);
        case 'T':
                for (int i = 0; i < 4; i++)
                        w[i] = i & 1 ? below(r, 20000) : below(r, 32) == 0;
                return below(r, 16) ? (uint64_t)w : address(r);
        case 'v': return below(r, 24) ? iovecs(r) : address(r);
        case 'V': return below(r, 24) ? below(r, 20) : below(r, 2) ? below(r, 1100) : any(r);
        case 'm': fill_message(r, (void *)w); return (uint64_t)w;
        case 'M':
                for (int i = 0; i < 8; i++)
                        fill_message(r, (void *)(w + 8 * i));
                return (uint64_t)w;
        case 'S': return below(r, 3) ? socket_address(r) : 0;
        case 'L': return below(r, 8) ? below(r, 4) ? 5 : sizeof(struct sockaddr_nl) : below(r, 130);
        case 'O': return below(r, 8) ? below(r, 70000) : below(r, 4) ? below(r, 9 << 20) : any(r);
        case 'A': return below(r, 32) ? MAPS + (below(r, MAP_PAGES) << 12) : below(r, 4) ? 0 : address(r);
        case 'l': return below(r, 16) ? (1 + below(r, 32)) << 12 : below(r, 4) ? below(r, 8 << 20) : any(r) & 0xfffffff;
        case 'o':
                for (int i = 0; i < 16; i++)
                        ((struct pollfd *)w)[i] = (struct pollfd){ (int)descriptor(r), (short)below(r, 1 << 14), 0 };
                return (uint64_t)w;
        case 'k': *w = below(r, 4) ? 1ull << below(r, 64) : next(r); return below(r, 8) ? (uint64_t)w : 0;
        case '8': return 8;
        case 'q': return shared->ipc[below(r, 16)];
        case 'y': return below(r, 3) ? 0x1000 + below(r, 6) : 0;
        case 'j': return below(r, 8);
        case 'w': return (uint64_t)arena + 4 * below(r, 16);
        case 'g':
                for (int i = 0; i < 64; i++)
                        ((int *)w)[i] = (int)below(r, 2000);
                return (uint64_t)w;
        case 'h': ((int *)w)[0] = OF(r, ((int[]){ 0x19980330, 0x20071026, 0x20080522, 0 })); ((int *)w)[1] = below(r, 2) ? 0 : (int)process(r); return (uint64_t)w;
        case 'C':
                memset(w, 0, 88);
                w[0] = OF(r, ((uint64_t[]){ 0, 0x200, 0x400, 0x1000, 0x200000, 0x1000000, 0x50f00, 0x100000000ull, 0x20000 })) | OF(r, ((uint64_t[]){ 0, 0x200, 0x400, 0x8000 }));
                for (int i = 1; i < 4; i++)
                        w[i] = (uint64_t)room(r);
                w[4] = below(r, 4) ? 17 : 0;
                if (w[0] & 0x100) {
                        w[5] = (uint64_t)room(r);
                        w[6] = 4096;
                }
                return (uint64_t)w;
        case 'e': ((struct epoll_event *)w)->events = below(r, 8) ? EPOLLIN | EPOLLOUT | (below(r, 4) << 30) : (uint32_t)next(r); return (uint64_t)w;
        case 'E':
                w[0] = next(r);
                ((int *)w)[2] = below(r, 4) ? SIGUSR1 + 2 * (int)below(r, 2) : (int)below(r, 70);
                ((int *)w)[3] = (int)OF(r, ((int[]){ 0, 1, 4, 2 }));
                ((int *)w)[4] = (int)process(r);
                return below(r, 8) ? (uint64_t)w : 0;
        case 'Q': w[0] = below(r, 2); w[1] = next(r) & 0x18000007 & next(r); w[3] = 0; return (uint64_t)w;
        case 'W': w[0] = OF(r, ((int[]){ OPEN_FLAGS })) | OF(r, ((int[]){ OPEN_FLAGS })); w[1] = below(r, 8) ? 0 : below(r, 010000); w[2] = below(r, 64); return (uint64_t)w;
        case 'H': w[0] = (uint64_t)room(r); w[1] = below(r, 4); w[2] = below(r, 8192); return (uint64_t)w;
        case 'a':                               /* mostly of a size and a policy that there is; the times in ns */
                w[0] = (below(r, 16) ? 48 : below(r, 100)) | OF(r, ((uint64_t[]){ 0, 3, 5, 6, 6 })) << 32;
                w[1] = below(r, 4) ? 0 : 1 << below(r, 7);
                w[2] = below(r, 20);
                for (int i = 0; i < 3; i++)
                        w[3 + i] = below(r, 16) ? (uint64_t)(i + 1) * 1000000 : next(r) >> below(r, 64);
                for (int i = 4; i < 6; i++)     /* the period: or what is killed takes minutes to end, a budget at a time */
                        if (w[i] > 50000000)
                                w[i] = 50000000;
                return (uint64_t)w;
        case 'U':                               /* start, length or source, mode or length, mode; or of the API */
                w[0] = below(r, 4) ? MAPS + (below(r, MAP_PAGES) << 12) : 0xaa;
                w[1] = below(r, 2) ? (1 + below(r, 8)) << 12 : below(r, 2) ? (uint64_t)room(r) & ~4095ull : 0;
                w[2] = below(r, 2) ? below(r, 8) : (1 + below(r, 8)) << 12;
                w[3] = below(r, 4);
                return (uint64_t)w;
        case 'B':                               /* length, type, flags, number, port; the rest is as it lies there */
                ((uint32_t *)w)[0] = below(r, 4) ? 16 + 4 * below(r, 8) : below(r, 128);
                ((uint16_t *)w)[2] = below(r, 8) ? 16 + below(r, 48) : below(r, 8);
                ((uint16_t *)w)[3] = below(r, 4) ? 0x301 : below(r, 0x1000);
                w[1] = below(r, 4);
                w[2] = below(r, 64);
                return (uint64_t)w;
        case 'Y':
                for (int i = 0; i < 8; i++) {
                        w[3 * i] = below(r, 4) == 0;
                        w[3 * i + 1] = (uint64_t)arena + 4 * below(r, 16);
                        w[3 * i + 2] = below(r, 16) ? 2 | 128 * below(r, 2) : below(r, 256);
                }
                return (uint64_t)w;
        case 'R': w[0] = below(r, 4) ? 1 << 20 : below(r, 100); w[1] = below(r, 16) ? 8 << 20 : below(r, 100); return (uint64_t)w;
        }
        return any(r);
}

/* ---- what a table does not say ---- */

static int as_root;
static int depth;                       /* of processes under the worker */

/* A descriptor of each kind there is; -1 where it cannot be had. */
static int make_fd(struct rng *r)
{
        int      p[2] = { -1, -1 }, n = 0, kind = (int)below(r, 30);
        sigset_t s;

        switch (kind) {
        case 0: return open("a", O_RDWR | O_CREAT, 0666);
        case 1: return open("b", O_RDWR | O_CREAT | O_APPEND, 0666);
        case 2: return open(below(r, 2) ? "." : "dir", O_RDONLY | O_DIRECTORY);
        case 3: return open("a", O_PATH);
        case 4: pipe2(p, O_NONBLOCK); break;
        case 5: pipe2(p, O_NONBLOCK | O_DIRECT); break;
        case 6: case 7: case 8: socketpair(AF_UNIX, OF(r, ((int[]){ SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET })) | SOCK_NONBLOCK, 0, p); break;
        case 9: case 10: {
                int fd = socket(AF_UNIX, OF(r, ((int[]){ SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET })) | SOCK_NONBLOCK, 0);
                bind(fd, (void *)socket_address(r), 5);
                listen(fd, 3);
                return fd;
        }
        case 11: return eventfd((int)below(r, 3), EFD_NONBLOCK);
        case 12: return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
        case 13: sigemptyset(&s); sigaddset(&s, SIGUSR1); return signalfd(-1, &s, SFD_NONBLOCK);
        case 14: case 15: return epoll_create1(0);
        case 16: return inotify_init1(IN_NONBLOCK);
        case 17: return (int)syscall(SYS_memfd_create, "m", MFD_ALLOW_SEALING);
        case 18: return (int)syscall(SYS_pidfd_open, (int)process(r), 0);
        case 19:
                p[0] = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
                ioctl(p[0], TIOCSPTLCK, &n);
                p[1] = ioctl(p[0], TIOCGPTPEER, O_RDWR | O_NOCTTY | O_NONBLOCK);
                break;
        case 20: return open(OF(r, ((const char *[]){ "/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/dev/urandom" })), O_RDWR | O_NONBLOCK | O_NOCTTY);
        case 21: case 22: return open(OF(r, paths), O_RDONLY | O_NONBLOCK | O_NOCTTY);
        case 23: return open(OF(r, ((const char *[]){ "/proc/self/mem", "/proc/self/comm", "/proc/self/oom_score_adj", "/proc/self/clear_refs", "/proc/self/coredump_filter" })), O_RDWR);
        case 24: return open("fifo", O_RDWR | O_NONBLOCK);
        case 25: return (int)syscall(SYS_mq_open, "q1", O_RDWR | O_CREAT | O_NONBLOCK, 0666, NULL);
        case 26: return open(".", O_RDWR | O_TMPFILE, 0666);
        case 27: return socket(OF(r, ((int[]){ AF_INET, AF_INET6, AF_NETLINK, AF_PACKET })), OF(r, ((int[]){ SOCK_STREAM, SOCK_DGRAM, SOCK_RAW })) | SOCK_NONBLOCK, 0);
        case 28: return open(below(r, 2) ? "mnt" : "/proc/self/ns/mnt", O_RDONLY);
        case 29: return (int)syscall(SYS_userfaultfd, O_NONBLOCK | 1);
        }
        if (p[1] >= 0 && dup2(p[1], 3 + (int)below(r, FDS)) >= 0)
                close(p[1]);
        return p[0];
}

static void new_fd(struct rng *r)
{
        int fd = make_fd(r), to = 3 + (int)below(r, FDS);

        if (fd > 2 && fd != to && fd != knob && to != knob) {
                dup2(fd, to);
                close(fd);
        }
}

static void new_mount(struct rng *r)
{
        static const char *const types[] = { "tmpfs", "tmpfs", "proc", "sysfs", "devpts", "mqueue", "devtmpfs", "ext4" };
        static const char *const places[] = { "mnt", "mnt/d", "dir" };
        static const unsigned long flags[] = { MS_BIND, MS_BIND | MS_REC, MS_MOVE, MS_SHARED, MS_PRIVATE, MS_SLAVE, MS_UNBINDABLE, MS_REMOUNT | MS_BIND | MS_RDONLY, MS_REMOUNT | MS_BIND };

        mkdir("mnt/d", 0777);
        if (below(r, 3) == 0)
                mount("none", OF(r, places), OF(r, types), next(r) & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME) & next(r), below(r, 2) ? "size=1m" : below(r, 2) ? NULL : "nr_inodes=20,mode=0777,uid=5");
        else
                mount(below(r, 2) ? OF(r, places) : OF(r, paths), OF(r, places), NULL, OF(r, flags), NULL);
        if (below(r, 2))
                umount2(OF(r, places), below(r, 2) ? MNT_DETACH : 0);
}

static void loop_from(struct rng *r, uint64_t calls);

/* A child that goes on for a while, at most two deep. */
static void new_child(struct rng *r)
{
        uint64_t seed = next(r), which = below(r, 16);

        if (depth >= 2)
                return;
        pid_t pid = fork();
        if (pid == 0) {
                struct rng mine = { seed };
                depth++;
                loop_from(&mine, 200);
                if (below(&mine, 4) == 0)
                        execl("/bin/true", "true", NULL);
                _exit(0);
        }
        if (pid > 0)
                shared->pid[which] = pid;
}

static void *short_thread(void *seed)
{
        struct rng r = { (uint64_t)seed };

        loop_from(&r, 50);
        return NULL;
}

static void new_thread(struct rng *r)
{
        static int made;
        pthread_t  t;
        pthread_attr_t a;

        if (__atomic_fetch_add(&made, 1, __ATOMIC_RELAXED) > 20)
                return;
        pthread_attr_init(&a);
        pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED);
        pthread_attr_setstacksize(&a, 128 << 10);
        pthread_create(&t, &a, short_thread, (void *)next(r));
}

static void one_call(struct rng *r)
{
        const struct call *c = &calls[below(r, CALLS)];
        uint64_t a[6] = { 0 }, which = below(r, 16), fails = below(r, 8);
        long nr = c->nr;

        for (int i = 0; c->args[i]; i++) {
                a[i] = argument(r, c, c->args[i]);
                if (c->args[i] == 'P' && (int)a[i] > 0 && (int)a[i] <= supervisor)      /* whatever it is, none of those outside of this */
                        a[i] = 0;
        }
        /* what would end the test instead of the kernel's good name */
        if (nr == SYS_fork || nr == SYS_vfork || nr == SYS_clone || nr == SYS_clone3) {
                if (depth >= 2)
                        return;
                if (nr == SYS_clone && below(r, 8))
                        a[0] &= ~0x10100ull;    /* not in our memory, on our stack */
                if (nr == SYS_vfork)
                        nr = SYS_fork;
        }
        if ((nr == SYS_execve || nr == SYS_execveat) && (depth == 0 || below(r, 4)))
                a[1] = 8;                       /* fails, mostly: else there would soon be nobody */
        if ((nr == SYS_kill || nr == SYS_wait4) && (int)a[0] == -1)
                return;
        if ((nr == SYS_kill || nr == SYS_tkill || nr == SYS_tgkill) && (int)a[0] < -1)
                a[0] = 0;
        /* nobody of us may be told by SIGIO, or what is set instead */
        if (nr == SYS_fcntl && a[1] == F_SETOWN)
                a[2] = process(r);
        if (nr == SYS_fcntl && a[1] == 10 /* F_SETSIG */ && a[2])
                a[2] = SIGURG;
        if ((nr == SYS_ioctl && (a[1] == 0x8901 || a[1] == 0x8902)) || (nr == SYS_fcntl && a[1] == 15 /* F_SETOWN_EX */)) {
                a[2] = (uint64_t)arena;
                ((int *)arena)[0] = nr == SYS_ioctl ? getpid() : 1;
                ((int *)arena)[1] = getpid();
        }
        if (nr == SYS_reboot)
                a[0] = a[1] = 0;
        if (nr == SYS_pause || nr == SYS_rt_sigsuspend)
                alarm(1);
        if (nr == SYS_close_range && a[1] - a[0] > 4)
                a[1] = a[0] + 1;
        if ((nr == SYS_mmap || nr == SYS_munmap || nr == SYS_mprotect || nr == SYS_mremap || nr == SYS_shmat || nr == SYS_madvise) && a[0] - MAPS > MAP_PAGES << 12 && below(r, 64))
                a[0] = nr == SYS_mmap || nr == SYS_shmat ? 0 : MAPS;
        if (nr == SYS_setpriority)
                a[2] &= 31;
        if ((nr == SYS_sched_setscheduler || nr == SYS_sched_setattr || nr == SYS_sched_setparam) && as_root)
                a[0] = 0;
        if (nr == SYS_poll || nr == SYS_epoll_wait || nr == SYS_epoll_pwait)
                a[nr == SYS_poll ? 2 : 3] &= 63;
        if (nr == SYS_syslog && (int)a[0] != 3)
                a[0] = 10;
        if (nr == SYS_acct || nr == SYS_alarm)
                a[0] = nr == SYS_alarm;
        if (knob >= 0 && fails == 0)
                pwrite(knob, OF(r, ((const char *[]){ "1", "2", "3", "4", "5", "6", "8", "10", "14", "20", "30" })), 2, 0);
        long got = syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
        __atomic_fetch_add(&shared->calls, 1, __ATOMIC_RELAXED);
        if (nr == SYS_fork || nr == SYS_clone || nr == SYS_clone3) {
                if (got == 0) {
                        struct rng mine = { next(r) };
                        depth++;
                        loop_from(&mine, 50);
                        _exit(0);
                }
                if (got > 0)
                        shared->pid[which] = (int)got;
        }
        if (got >= 0 && (nr == SYS_shmget || nr == SYS_semget || nr == SYS_msgget))
                shared->ipc[which] = (int)got;
}

static void loop_from(struct rng *r, uint64_t n)
{
        for (uint64_t i = 0; i < n; i++) {
                uint64_t what = below(r, 100);

                if (what < 12)
                        stir(r);
                else if (what < 20)
                        new_fd(r);
                else if (what == 20)
                        new_child(r);
                else if (what == 21)
                        new_thread(r);
                else if (what == 22 && as_root)
                        new_mount(r);
                else if (what == 23)
                        mmap((void *)(MAPS + (below(r, MAP_PAGES) << 12)), (1 + below(r, 64)) << 12, below(r, 8), OF(r, ((int[]){ 0x32, 0x31, 0x12, 0x11 })), (int)descriptor(r), 0);
                else
                        one_call(r);
        }
}

static void on_signal(int sig) { (void)sig; }

static void *worker_thread(void *seed)
{
        struct rng r = { (uint64_t)seed };

        loop_from(&r, ~0ull);
        return NULL;
}

static void own_folder(char name[32], int of, pid_t pid) { snprintf(name, 32, "w%d.%d", of, (int)pid); }

static void worker(uint64_t seed)
{
        struct rng r = { seed };
        char       name[32];

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (setsid() < 0)                       /* no terminal, no group but its own: no memory for it? */
                _exit(1);
        snprintf(name, sizeof name, "/proc/self/fd/%d", null_fd);
        int null = open(name, O_RDWR);          /* not the supervisor's description: locks and owners stay with it */
        for (int fd = 0; fd < 3; fd++)
                if (dup2(null, fd) != fd)
                        _exit(1);
        own_folder(name, slot, getpid());
        mkdir(name, 0777);
        if (chdir(name) != 0)
                _exit(1);
        syscall(SYS_close_range, 3, ~0u, 0);            /* nothing of ours to write to */
        knob = open("/proc/self/fail-nth", O_RDWR);
        if (knob >= 0 && pwrite(knob, "0", 1, 0) == 1)
                knob = dup2(knob, 700);
        else
                knob = -1;
        close(3);
        arena = mmap(NULL, ARENA + 4096, PROT_READ | PROT_WRITE, below(&r, 2) ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        mprotect(arena + ARENA, 4096, PROT_NONE);
        mkdir("dir", 0777);
        mkdir("mnt", 0777);
        symlink("a", "link");
        symlink("loop", "loop");
        mkfifo("fifo", 0666);
        int oom = open("/proc/self/oom_score_adj", O_WRONLY);
        write(oom, "900", 3);
        close(oom);
        /* Mounts of its own, for whoever may enter them; who may change anything changes a folder and a file system of its own only. */
        char here[64];
        snprintf(here, sizeof here, "/tmp/fuzz/%s", name);
        if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount(here, here, NULL, MS_BIND, NULL) ||
            mount("none", "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) || mount("none", "/dev", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) || chdir(here))
                _exit(1);
        as_root = slot == 0;
        if (as_root && mount("none", "mnt", "tmpfs", 0, "size=4m") != 0)
                _exit(1);
        for (int i = 0; i < FDS; i++)
                new_fd(&r);
        struct rlimit as = { 256 << 20, 256 << 20 }, size = { 2 << 20, 2 << 20 }, procs = { 24, 24 }, files = { MOST_FDS, MOST_FDS };
        setrlimit(RLIMIT_AS, &as);
        setrlimit(RLIMIT_FSIZE, &size);
        setrlimit(RLIMIT_NOFILE, &files);
        struct sigaction sa = { .sa_handler = on_signal };
        for (int sig = 1; sig < 65; sig++)
                if (sig != SIGSEGV && sig != SIGBUS && sig != SIGILL && sig != SIGFPE)
                        sigaction(sig, &sa, NULL);
        if (!as_root) {
                setrlimit(RLIMIT_NPROC, &procs);
                setgroups(0, NULL);
                if (slot == 3) {
                        if (setresgid(1003, 1002, 0) || setresuid(1003, 1003, 0))     /* may go back and forth */
                                _exit(1);
                } else if (setgid(1000 + slot) || setuid(1000 + slot)) {
                        _exit(1);
                }
        }
        for (int i = 1; i < THREADS; i++) {
                pthread_t t;
                pthread_create(&t, NULL, worker_thread, (void *)next(&r));
        }
        worker_thread((void *)next(&r));
}

/* ---- the supervisor ---- */

struct running { pid_t pid; uint64_t since, generation; };
static int ended[128];                   /* workers, by the signal that killed them */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
        (void)st;
        (void)kind;
        (void)ftw;
        remove(path);
        return 0;
}

/* What a worker leaves: processes, which are the supervisor's children soon, in a session of their own perhaps, and files. */
static void clean_after(int of, pid_t pid)
{
        char name[32];

        kill(-pid, SIGKILL);
        own_folder(name, of, pid);
        nftw(name, remove_one, 20, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* Kills the supervisor's children that are no workers. */
static void kill_strays(const struct running *running)
{
        DIR *d = opendir("/proc");

        for (struct dirent *e; d && (e = readdir(d));) {
                int  pid = atoi(e->d_name), parent = 0, known = 0;
                char path[64], stat[256] = "";
                if (pid <= supervisor)
                        continue;
                snprintf(path, sizeof path, "/proc/%d/stat", pid);
                int fd = open(path, O_RDONLY);
                read(fd, stat, sizeof stat - 1);
                close(fd);
                char *end = strrchr(stat, ')');
                if (!end || sscanf(end, ") %*c %d", &parent) != 1 || parent != supervisor)
                        continue;
                for (int i = 0; i < WORKERS; i++)
                        known |= running[i].pid == pid;
                if (!known)
                        kill(pid, SIGKILL);
        }
        if (d)
                closedir(d);
}

/* Workers for a while.  `only`: one slot and generation again and again. */
static int work(uint64_t ms, uint64_t seed, int only_slot, int only_generation)
{
        struct running running[WORKERS] = { 0 };
        uint64_t start = now_ms(), fork_failures = 0;

        while (now_ms() - start < ms) {
                for (int i = 0; i < WORKERS; i++) {
                        if (only_slot >= 0 && i != only_slot)
                                continue;
                        if (running[i].pid && now_ms() - running[i].since > WORKER_SECONDS * 1000)
                                kill(running[i].pid, SIGKILL);
                        if (running[i].pid && now_ms() - running[i].since > (WORKER_SECONDS + DIES_WITHIN) * 1000) {
                                printf("fuzz: worker %d of slot %d does not die (seed %llu)\n", (int)running[i].generation, i, (unsigned long long)seed);
                                show_process(running[i].pid);
                                return 0;
                        }
                        if (running[i].pid)
                                continue;
                        uint64_t g = only_slot >= 0 ? (uint64_t)only_generation : running[i].generation++;
                        pid_t    pid = fork();
                        if (pid == 0) {
                                slot = i;
                                worker(mix(seed ^ mix(g * WORKERS + (uint64_t)i + 1)));
                        }
                        if (pid < 0) {
                                if (++fork_failures > 1000) {
                                        perror("fuzz: fork");
                                        return 0;
                                }
                                usleep(10000);
                                continue;
                        }
                        running[i].pid = shared->pid[i] = pid;
                        running[i].since = now_ms();
                        shared->workers++;
                }
                pid_t gone;
                int   status;
                while ((gone = waitpid(-1, &status, WNOHANG)) > 0)
                        for (int i = 0; i < WORKERS; i++)
                                if (running[i].pid == gone) {
                                        ended[WIFSIGNALED(status) ? WTERMSIG(status) : 0]++;
                                        running[i].pid = 0;
                                        clean_after(i, gone);
                                        kill_strays(running);
                                }
                usleep(20000);
        }
        return kill_all();
}

static void spare(int pid)
{
        char path[64];

        snprintf(path, sizeof path, "/proc/%d/oom_score_adj", pid);
        int fd = open(path, O_WRONLY);
        write(fd, "-1000", 5);
        close(fd);
}

int main(int argc, char **argv)
{
        static struct pools first, last;
        uint64_t seconds = argc > 1 ? strtoull(argv[1], NULL, 0) : 60;
        uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
        int      only_slot = argc > 4 ? atoi(argv[3]) : -1, only_generation = argc > 4 ? atoi(argv[4]) : 0;

        setvbuf(stdout, NULL, _IOLBF, 0);
        printf("fuzz: seed %llu, %llu s\n", (unsigned long long)seed, (unsigned long long)seconds);
        shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        supervisor = getpid();
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        spare(getpid());
        spare(getppid());
        umask(0);
        mkdir("/tmp/fuzz", 0777);
        null_fd = open("/dev/null", O_RDWR);
        if (chdir("/tmp/fuzz") != 0 || null_fd < 0) {
                perror("fuzz: /tmp/fuzz");
                return 1;
        }
        for (int sig = 1; sig < 65; sig++)
                if (sig != SIGCHLD && sig != SIGSEGV)
                        signal(sig, SIG_IGN);
        remember();
        if (!work(WARM * 1000, ~seed, -1, 0))
                return 1;
        count(&first);
        count(&first);
        int alive = work(seconds * 1000, seed, only_slot, only_generation);
        count(&last);
        int left = leaks(&first, &last);
        printf("fuzz: workers by what ended them:");
        for (int i = 0; i < 128; i++)
                if (ended[i])
                        printf(" %s %d", i ? strsignal(i) : "exit", ended[i]);
        puts("");
        chdir("/");
        rmdir("/tmp/fuzz");
        printf("\nfuzz: %llu calls by %llu workers, %s\n", (unsigned long long)shared->calls, (unsigned long long)shared->workers,
               !alive ? "hangs" : left ? "leaks" : "done");
        return !alive || left || !shared->calls;
}
