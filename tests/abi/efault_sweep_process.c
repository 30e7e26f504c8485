/* SPDX-License-Identifier: Apache-2.0
 *
 * efault_sweep_process: each pointer of each call about processes, signals, time, memory and IPC, bad in each way that there is.
 */
#include "sweep.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

int main(void)
{
        static char     text[PAGE];
        struct timespec none = { 0, 0 };
        sigset_t        set;
        int             s[2], shm, sem, msg, t, id = 0;

        start_sweep();
        sigemptyset(&set);
        must(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, s) == 0, "socketpair");
        shm = shmget(IPC_PRIVATE, PAGE, 0600);
        sem = semget(IPC_PRIVATE, 1, 0600);
        msg = msgget(IPC_PRIVATE, 0600);
        t = timerfd_create(CLOCK_MONOTONIC, 0);
        must(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id) == 0, "timer_create");

        SWEEP("execve: path", syscall(SYS_execve, bad, NULL, NULL));
        SWEEP("execve: arguments", bad ? syscall(SYS_execve, "/nowhere", bad, NULL) : -1);
        SWEEP("wait4: status", syscall(SYS_wait4, -1, bad, WNOHANG, NULL));
        SWEEP("waitid: info", syscall(SYS_waitid, P_ALL, 0, bad, WEXITED | WNOHANG, NULL));
        SWEEP("waitid: info, wrong options", syscall(SYS_waitid, P_ALL, 0, bad, WNOHANG, NULL));
        SWEEP("getrusage", syscall(SYS_getrusage, 0, bad));
        SWEEP("getrlimit", syscall(SYS_getrlimit, RLIMIT_NOFILE, bad));
        SWEEP("setrlimit", syscall(SYS_setrlimit, 99, bad));
        SWEEP("prlimit64: old", syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, bad));
        SWEEP("getgroups", ({ gid_t g = 3; setgroups(1, &g); syscall(SYS_getgroups, 1, bad); }));
        SWEEP("setgroups", syscall(SYS_setgroups, 1, bad));
        SWEEP("getresuid", syscall(SYS_getresuid, bad, bad, bad));
        SWEEP("capget: header", syscall(SYS_capget, bad, text));
        SWEEP("capset: header", syscall(SYS_capset, bad, text));
        SWEEP("uname", syscall(SYS_uname, bad));
        SWEEP("sysinfo", syscall(SYS_sysinfo, bad));
        SWEEP("times", syscall(SYS_times, bad) < 0 ? -1 : 0);
        SWEEP("getrandom", syscall(SYS_getrandom, bad, 8, 0));
        SWEEP("getcpu", syscall(SYS_getcpu, bad, NULL, NULL));
        SWEEP("sethostname", syscall(SYS_sethostname, bad, 65));
        SWEEP("PR_SET_NAME", syscall(SYS_prctl, PR_SET_NAME, bad));
        SWEEP("PR_GET_NAME", syscall(SYS_prctl, PR_GET_NAME, bad));
        SWEEP("PR_GET_PDEATHSIG", syscall(SYS_prctl, PR_GET_PDEATHSIG, bad));
        SWEEP("arch_prctl: get", syscall(SYS_arch_prctl, 0x1003, bad));
        SWEEP("sched_getparam", syscall(SYS_sched_getparam, 0, bad));
        SWEEP("sched_setscheduler", syscall(SYS_sched_setscheduler, 0, 0, bad));
        SWEEP("sched_getaffinity", syscall(SYS_sched_getaffinity, 0, 128, bad) < 0 ? -1 : 0);
        SWEEP("sched_setaffinity", syscall(SYS_sched_setaffinity, 0, 8, bad) < 0 && errno != EINVAL ? -1 : 0);
        SWEEP("sched_rr_get_interval", syscall(SYS_sched_rr_get_interval, 0, bad));
        SWEEP("sched_getattr", syscall(SYS_sched_getattr, 0, bad, 48, 0));
        SWEEP("rt_sigaction: old", syscall(SYS_rt_sigaction, SIGUSR1, NULL, bad, 8));
        SWEEP("rt_sigprocmask: new", bad ? syscall(SYS_rt_sigprocmask, 99, bad, NULL, 8) : -1);
        SWEEP("rt_sigprocmask: old", syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, bad, 8));
        SWEEP("rt_sigpending", syscall(SYS_rt_sigpending, bad, 8));
        SWEEP("rt_sigtimedwait: set", bad == bad_way[4] ? 0 : syscall(SYS_rt_sigtimedwait, bad, NULL, &none, 8));
        SWEEP("rt_sigtimedwait: time", bad ? syscall(SYS_rt_sigtimedwait, &set, NULL, bad, 8) : -1);
        SWEEP("rt_sigqueueinfo", syscall(SYS_rt_sigqueueinfo, getpid(), 0, bad));
        SWEEP("sigaltstack: old", syscall(SYS_sigaltstack, NULL, bad));
        SWEEP("clock_gettime", syscall(SYS_clock_gettime, 0, bad));
        SWEEP("clock_getres", syscall(SYS_clock_getres, 0, bad));
        SWEEP("clock_settime", bad == bad_way[4] ? 0 : syscall(SYS_clock_settime, 0, bad));
        SWEEP("gettimeofday", syscall(SYS_gettimeofday, bad, NULL));
        SWEEP("nanosleep", syscall(SYS_nanosleep, bad, NULL));
        SWEEP("getitimer", syscall(SYS_getitimer, 0, bad));
        SWEEP("setitimer: new", syscall(SYS_setitimer, 0, bad, NULL));
        SWEEP("setitimer: old", ({ struct itimerval z = { 0 }; syscall(SYS_setitimer, 0, &z, bad); }));
        SWEEP("timer_create: event", bad ? syscall(SYS_timer_create, 0, bad == bad_way[4] ? BAD_PTR : bad, text) : -1);
        SWEEP("timer_settime: new", syscall(SYS_timer_settime, id, 0, bad, NULL));
        SWEEP("timer_gettime", syscall(SYS_timer_gettime, id, bad));
        SWEEP("timerfd_settime", syscall(SYS_timerfd_settime, t, 0, bad, NULL));
        SWEEP("timerfd_gettime", syscall(SYS_timerfd_gettime, t, bad));
        SWEEP("futex wait", syscall(SYS_futex, bad, 0, 1, &none, NULL, 0));
        SWEEP("futex wake", syscall(SYS_futex, bad, 1, 1, NULL, NULL, 0));
        SWEEP("futex private wake", syscall(SYS_futex, bad, 129, 1, NULL, NULL, 0));
        SWEEP("get_robust_list", syscall(SYS_get_robust_list, 0, bad, text));
        SWEEP("mincore", syscall(SYS_mincore, bad_way[4], PAGE, bad));
        SWEEP("process_vm_readv: vector", syscall(SYS_process_vm_readv, getpid(), bad, 1, NULL, 0, 0));
        SWEEP("socketpair", syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, bad));
        SWEEP("bind", syscall(SYS_bind, s[0], bad, 10));
        SWEEP("connect", syscall(SYS_connect, s[0], bad, 10));
        SWEEP("getsockname", syscall(SYS_getsockname, s[0], text, bad));
        SWEEP("getsockopt: length", syscall(SYS_getsockopt, s[0], SOL_SOCKET, SO_TYPE, text, bad));
        SWEEP("setsockopt", syscall(SYS_setsockopt, s[0], SOL_SOCKET, SO_PASSCRED, bad, 4));
        SWEEP("sendto: data", syscall(SYS_sendto, s[0], bad, 20, MSG_DONTWAIT, NULL, 0));
        SWEEP("sendmsg: header", syscall(SYS_sendmsg, s[0], bad, MSG_DONTWAIT));
        SWEEP("recvmsg: header", syscall(SYS_recvmsg, s[0], bad, MSG_DONTWAIT));
        SWEEP("shmctl", syscall(SYS_shmctl, shm, IPC_STAT, bad));
        SWEEP("msgctl", syscall(SYS_msgctl, msg, IPC_STAT, bad));
        SWEEP("msgsnd", syscall(SYS_msgsnd, msg, bad, 4, IPC_NOWAIT));
        SWEEP("semctl", syscall(SYS_semctl, sem, 0, IPC_STAT, bad));
        SWEEP("semop", syscall(SYS_semop, sem, bad, 1));
        SWEEP("semtimedop: time", bad ? ({ struct sembuf b = { 0, 0, 0 }; syscall(SYS_semtimedop, sem, &b, 1, bad); }) : -1);
        SWEEP("mq_open: name", syscall(SYS_mq_open, bad, O_RDONLY, 0, NULL));
        SWEEP("mq_unlink", syscall(SYS_mq_unlink, bad));
        shmctl(shm, IPC_RMID, NULL);
        semctl(sem, 0, IPC_RMID);
        msgctl(msg, IPC_RMID, NULL);
        CHECK("all were tried", 1);
        return done();
}
