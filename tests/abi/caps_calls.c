/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: which call asks for which capability: each is made by an ordinary user with all capabilities, with all but that one,
 * with that one alone, and with none.  capabilities(7).
 */
#include "caps.h"
#include <linux/fs.h>
#include <linux/ioprio.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <sys/xattr.h>

static pid_t roots;                     /* a process of root's that sleeps */
static int   shm, sem, msg;             /* root's alone */

/* ---- Files.  What root has prepared: see main. ---- */

static long chown_own(void) { return chown("mine", 500, -1); }
static long chown_roots(void) { return chown("roots", 1000, -1); }
static long chgrp_own(void) { return chown("mine", -1, 500); }
static long write_roots(void) { return open("roots", O_WRONLY) < 0 ? -1 : 0; }
static long read_roots(void) { return open("roots", O_RDONLY) < 0 ? -1 : 0; }
static long create_in_roots(void) { return open("rootsdir/new", O_CREAT | O_EXCL | O_WRONLY, 0600) < 0 ? -1 : unlink("rootsdir/new"); }
static long search_closed(void) { struct stat st; return stat("closed/file", &st); }
static long list_closed(void) { return open("closed", O_RDONLY | O_DIRECTORY) < 0 ? -1 : 0; }
static long exec_access(void) { return access("roots", X_OK); }
static long link_by_fd(void)
{
        int fd = open("mine", O_RDONLY);
        return linkat(fd, "", AT_FDCWD, "linked", AT_EMPTY_PATH) < 0 ? -1 : unlink("linked");
}
static long chmod_roots(void) { return chmod("roots", 0600); }
static long utimes_roots(void) { struct timespec t[2] = { { 5, 0 }, { 5, 0 } }; return utimensat(AT_FDCWD, "roots", t, 0); }
static long touch_roots(void) { return utimensat(AT_FDCWD, "roots", NULL, 0); }
static long noatime(void) { return open("readable", O_RDONLY | O_NOATIME) < 0 ? -1 : 0; }
static long fcntl_noatime(void) { int fd = open("readable", O_RDONLY); return fcntl(fd, F_SETFL, O_NOATIME); }
static long unlink_sticky(void)
{
        long r = unlink("sticky/roots");
        return r;
}
static long rename_sticky(void) { return rename("sticky/roots", "sticky/other") < 0 ? -1 : rename("sticky/other", "sticky/roots"); }
static long setgid_bit(void)
{
        struct stat st;
        return chmod("othergroup", 02755) < 0 || stat("othergroup", &st) < 0 ? -1 : (long)((st.st_mode & 07000) >> 9);
}
static long write_keeps(void)
{
        struct stat st;
        chmod("mine", 06777);
        int fd = open("mine", O_WRONLY);
        return write(fd, "x", 1) < 0 || fstat(fd, &st) < 0 ? -1 : (long)((st.st_mode & 07000) >> 9);
}
static long chown_keeps(void)
{
        struct stat st;
        chmod("mine", 06777);
        return chown("mine", 1000, 1000) < 0 || stat("mine", &st) < 0 ? -1 : (long)((st.st_mode & 07000) >> 9);
}
static long truncate_keeps(void)
{
        struct stat st;
        chmod("mine", 06777);
        return truncate("mine", 0) < 0 || stat("mine", &st) < 0 ? -1 : (long)((st.st_mode & 07000) >> 9);
}
static long make_device(void) { return mknod("dev", S_IFCHR | 0600, 0x103) < 0 ? -1 : unlink("dev"); }
static long make_block(void) { return mknod("dev", S_IFBLK | 0600, 0x103) < 0 ? -1 : unlink("dev"); }
static long make_fifo(void) { return mkfifo("fifo", 0600) < 0 ? -1 : unlink("fifo"); }
static long whiteout(void) { return mknod("dev", S_IFCHR | 0600, 0) < 0 ? -1 : unlink("dev"); }
static long set_file_caps(void)
{
        struct vfs_cap_data d = { .magic_etc = VFS_CAP_REVISION_2 };
        return setxattr("mine", "security.capability", &d, XATTR_CAPS_SZ_2, 0);
}
static long trusted_set(void) { return setxattr("mine", "trusted.x", "1", 1, 0); }
static long trusted_get(void) { char c; return getxattr("readable", "trusted.there", &c, 1); }
static long trusted_list(void) { char b[200]; return listxattr("readable", b, sizeof b) > 0; }
static long change_root(void) { return chroot("."); }

/* ---- Processes ---- */

static long kill_roots(void) { return kill(roots, 0); }
static long kill_cont(void) { return kill(roots, SIGCONT); }
static long set_uid(void) { return setuid(77); }
static long set_res_uid(void) { return setresuid(-1, 77, -1); }
static long set_fs_uid(void) { syscall(SYS_setfsuid, 77); return syscall(SYS_setfsuid, -1); }
static long set_gid(void) { return setgid(77); }
static long set_groups(void) { gid_t g = 77; return setgroups(1, &g); }
static long drop_bounding(void) { return prctl(PR_CAPBSET_DROP, CAP_MKNOD); }
static long set_bits(void) { return prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP); }
static long raise_inheritable(void) { struct caps c = caps_get(); return caps_set(c.effective, c.permitted, CAP(CAP_NET_ADMIN)); }
static long nice_up(void) { return setpriority(PRIO_PROCESS, 0, -5); }
static long nice_other(void) { return setpriority(PRIO_PROCESS, roots, 5); }
static long fifo_policy(void) { struct sched_param p = { .sched_priority = 5 }; return sched_setscheduler(0, SCHED_FIFO, &p); }
static long fifo_other(void) { struct sched_param p = { .sched_priority = 0 }; return sched_setscheduler(roots, SCHED_OTHER, &p); }
static long affinity_other(void) { cpu_set_t s; sched_getaffinity(roots, sizeof s, &s); return sched_setaffinity(roots, sizeof s, &s); }
static long io_realtime(void) { return syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_RT, 3)); }
static long io_other(void) { return syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, roots, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 3)); }
static long raise_hard(void)
{
        struct rlimit r = { 100, 100 };
        setrlimit(RLIMIT_NOFILE, &r);
        r.rlim_cur = r.rlim_max = 200;
        return setrlimit(RLIMIT_NOFILE, &r);
}
static long limit_other(void) { struct rlimit r; return prlimit(roots, RLIMIT_NOFILE, NULL, &r); }
static long oom_lower(void) { return set_text("/proc/self/oom_score_adj", "-500"); }
static long io_flusher(void) { return prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0); }
static long set_mm(void) { return prctl(PR_SET_MM, PR_SET_MM_START_STACK, 0, 0, 0); }
static long fork_over_limit(void)
{
        struct rlimit r = { 1, 1 };
        setrlimit(RLIMIT_NPROC, &r);
        pid_t pid = fork();
        if (pid == 0)
                _exit(0);
        return pid < 0 ? -1 : result_of(pid);
}
static long read_memory(void)
{
        char path[64], c;
        snprintf(path, sizeof path, "/proc/%d/mem", roots);
        (void)c;
        return open(path, O_RDONLY) < 0 ? -1 : 0;
}
static long read_maps(void)
{
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/maps", roots);
        return open(path, O_RDONLY) < 0 ? -1 : 0;
}
static long read_exe(void)
{
        char path[64], to[64];
        snprintf(path, sizeof path, "/proc/%d/exe", roots);
        return readlink(path, to, sizeof to) < 0 ? -1 : 0;
}
static long vm_read(void)
{
        static char from, to;
        struct iovec l = { &to, 1 }, r = { &from, 1 };
        return syscall(SYS_process_vm_readv, roots, &l, 1, &r, 1, 0);
}
static long robust(void) { void *h; size_t n; return syscall(SYS_get_robust_list, roots, &h, &n); }
static long pid_getfd(void)
{
        int fd = (int)syscall(SYS_pidfd_open, roots, 0);
        return syscall(SYS_pidfd_getfd, fd, 1, 0) < 0 ? -1 : 0;
}
static long clone_tid(void)
{
        pid_t want = 31000;
        struct clone_args a = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&want, .set_tid_size = 1 };
        long pid = syscall(SYS_clone3, &a, sizeof a);
        if (pid == 0)
                _exit(0);
        return pid < 0 ? -1 : result_of((pid_t)pid);
}

/* ---- Memory, System V IPC, queues ---- */

static void no_lock(void) { struct rlimit r = { 0, 0 }; setrlimit(RLIMIT_MEMLOCK, &r); }
static long lock_one(void) { static char page[PAGE]; no_lock(); return mlock(page, 1); }
static long lock_all(void) { no_lock(); return mlockall(MCL_CURRENT); }
static long map_locked(void)
{
        no_lock();
        return mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0) == MAP_FAILED ? -1 : 0;
}
static long shm_lock(void) { no_lock(); return shmctl(shm, SHM_LOCK, NULL); }
static long shm_attach(void) { return shmat(shm, NULL, SHM_RDONLY) == (void *)-1 ? -1 : 0; }
static long shm_stat(void) { struct shmid_ds d; return shmctl(shm, IPC_STAT, &d); }
static long shm_stat_any(void) { struct shmid_ds d; return shmctl(0, SHM_STAT_ANY, &d) < 0 ? -1 : 0; }
static long shm_set(void) { struct shmid_ds d = { .shm_perm.mode = 0600 }; return shmctl(shm, IPC_SET, &d); }
static long sem_op(void) { struct sembuf b = { 0, 1, 0 }; return semop(sem, &b, 1); }
static long sem_get(void) { return semctl(sem, 0, GETVAL) < 0 ? -1 : 0; }
static long sem_set(void) { union { struct semid_ds *p; } u; struct semid_ds d = { .sem_perm.mode = 0600 }; u.p = &d; return semctl(sem, 0, IPC_SET, u); }
static long msg_send(void) { struct { long t; char c; } m = { 1, 2 }; return msgsnd(msg, &m, 1, IPC_NOWAIT); }
static long msg_receive(void) { struct { long t; char c; } m; return msgrcv(msg, &m, 1, 99, IPC_NOWAIT); }
static long msg_more(void)
{
        int own = msgget(IPC_PRIVATE, 0600);
        struct msqid_ds d;
        msgctl(own, IPC_STAT, &d);
        d.msg_qbytes = 1 << 20;
        long r = msgctl(own, IPC_SET, &d);
        int e = errno;
        msgctl(own, IPC_RMID, NULL);
        errno = e;
        return r;
}
static long mq_more(void)
{
        struct mq_attr a = { .mq_maxmsg = 20, .mq_msgsize = 10 };
        mqd_t q = mq_open("/caps", O_CREAT | O_RDWR, 0600, &a);
        int e = errno;
        if (q >= 0)
                mq_unlink("/caps");
        errno = e;
        return q < 0 ? -1 : 0;
}

/* ---- The machine ---- */

static long mount_tmpfs(void) { return mount("none", "mnt", "tmpfs", 0, NULL) < 0 ? -1 : umount("mnt"); }
static long unmount(void) { return umount("mounted") < 0 ? -1 : 0; }
static long host_name(void) { char h[65]; gethostname(h, sizeof h); return sethostname(h, strlen(h)); }
static long domain_name(void) { char h[65]; getdomainname(h, sizeof h); return setdomainname(h, strlen(h)); }
static long reboot_cad(void) { return syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_CAD_OFF, NULL); }
static long reboot_bad(void) { return syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, 12345, NULL); }
static long set_clock(void) { struct timespec t = { -1, 0 }; return clock_settime(CLOCK_REALTIME, &t); }
static long set_day(void) { struct timeval t = { 0, 2000000 }; return syscall(SYS_settimeofday, &t, NULL); }
static long set_zone(void) { struct timezone z = { 0, 0 }; return syscall(SYS_settimeofday, NULL, &z); }
static long adjust_tick(void) { struct timex x = { .modes = ADJ_TICK, .tick = 1 }; return adjtimex(&x); }
static long adjust_read(void) { struct timex x = { .modes = 0 }; return adjtimex(&x) < 0 ? -1 : 0; }
static long alarm_timer(void) { return timerfd_create(CLOCK_REALTIME_ALARM, 0) < 0 ? -1 : 0; }
static long alarm_posix(void) { timer_t t; struct sigevent e = { .sigev_notify = SIGEV_NONE }; return timer_create(CLOCK_BOOTTIME_ALARM, &e, &t); }
static long log_level(void) { return klogctl(8, NULL, 0); }

static int a_socket(void) { return socket(AF_UNIX, SOCK_DGRAM, 0); }
static long so_int(int option, int value) { return setsockopt(a_socket(), SOL_SOCKET, option, &value, sizeof value); }
static long so_priority(void) { return so_int(SO_PRIORITY, 7); }
static long so_priority_low(void) { return so_int(SO_PRIORITY, 6); }
static long so_mark(void) { return so_int(SO_MARK, 1); }
static long so_force(void) { return so_int(SO_RCVBUFFORCE, 1 << 20); }
static long so_sndforce(void) { return so_int(SO_SNDBUFFORCE, 1 << 20); }
static long so_debug(void) { return so_int(SO_DEBUG, 1); }

static long send_creds(pid_t pid, uid_t uid, gid_t gid)
{
        int s[2];
        char c = 0;
        struct iovec io = { &c, 1 };
        struct ucred u = { pid, uid, gid };
        union { char b[CMSG_SPACE(sizeof u)]; struct cmsghdr h; } m = { };
        struct msghdr h = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = &m, .msg_controllen = sizeof m };

        socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        m.h = (struct cmsghdr){ CMSG_LEN(sizeof u), SOL_SOCKET, SCM_CREDENTIALS };
        memcpy(CMSG_DATA(&m.h), &u, sizeof u);
        return sendmsg(s[0], &h, 0);
}
static long creds_uid(void) { return send_creds(getpid(), 77, 1000); }
static long creds_gid(void) { return send_creds(getpid(), 1000, 77); }
static long creds_pid(void) { return send_creds(1, 1000, 1000); }

#define CALL(cap, fn) { #cap, CAP_##cap, #fn, fn }
static const struct { const char *cap; int bit; const char *name; long (*fn)(void); } calls[] = {
        CALL(CHOWN, chown_own), CALL(CHOWN, chown_roots), CALL(CHOWN, chgrp_own),
        CALL(DAC_OVERRIDE, write_roots), CALL(DAC_OVERRIDE, read_roots), CALL(DAC_OVERRIDE, create_in_roots),
        CALL(DAC_OVERRIDE, search_closed), CALL(DAC_OVERRIDE, list_closed), CALL(DAC_OVERRIDE, exec_access), CALL(DAC_OVERRIDE, touch_roots),
        CALL(DAC_READ_SEARCH, read_roots), CALL(DAC_READ_SEARCH, write_roots), CALL(DAC_READ_SEARCH, search_closed),
        CALL(DAC_READ_SEARCH, list_closed), CALL(DAC_READ_SEARCH, link_by_fd),
        CALL(FOWNER, chmod_roots), CALL(FOWNER, utimes_roots), CALL(FOWNER, touch_roots), CALL(FOWNER, noatime), CALL(FOWNER, fcntl_noatime),
        CALL(FOWNER, rename_sticky), CALL(FOWNER, unlink_sticky), 
        CALL(FSETID, setgid_bit), CALL(FSETID, write_keeps), CALL(FSETID, chown_keeps), CALL(FSETID, truncate_keeps),
        CALL(KILL, kill_roots), CALL(KILL, kill_cont),
        CALL(SETGID, set_gid), CALL(SETGID, set_groups), CALL(SETGID, creds_gid),
        CALL(SETUID, set_uid), CALL(SETUID, set_res_uid), CALL(SETUID, set_fs_uid), CALL(SETUID, creds_uid),
        CALL(SETPCAP, drop_bounding), CALL(SETPCAP, set_bits), CALL(SETPCAP, raise_inheritable),
        CALL(NET_ADMIN, so_priority), CALL(NET_ADMIN, so_priority_low), CALL(NET_ADMIN, so_mark), CALL(NET_ADMIN, so_force),
        CALL(NET_ADMIN, so_sndforce), CALL(NET_ADMIN, so_debug), CALL(NET_RAW, so_mark), CALL(NET_RAW, so_priority),
        CALL(IPC_LOCK, lock_one), CALL(IPC_LOCK, lock_all), CALL(IPC_LOCK, map_locked), CALL(IPC_LOCK, shm_lock),
        CALL(IPC_OWNER, shm_attach), CALL(IPC_OWNER, shm_stat), CALL(IPC_OWNER, shm_stat_any), CALL(IPC_OWNER, sem_op), CALL(IPC_OWNER, sem_get),
        CALL(IPC_OWNER, msg_send), CALL(IPC_OWNER, msg_receive), CALL(IPC_OWNER, shm_set),
        CALL(SYS_CHROOT, change_root),
        CALL(SYS_PTRACE, read_memory), CALL(SYS_PTRACE, read_maps), CALL(SYS_PTRACE, read_exe), CALL(SYS_PTRACE, vm_read), CALL(SYS_PTRACE, robust),
        CALL(SYS_PTRACE, pid_getfd),
        CALL(SYS_ADMIN, mount_tmpfs), CALL(SYS_ADMIN, unmount), CALL(SYS_ADMIN, host_name), CALL(SYS_ADMIN, domain_name),
        CALL(SYS_ADMIN, trusted_set), CALL(SYS_ADMIN, trusted_get), CALL(SYS_ADMIN, trusted_list), CALL(SYS_ADMIN, shm_set), CALL(SYS_ADMIN, sem_set),
        CALL(SYS_ADMIN, creds_pid), CALL(SYS_ADMIN, io_realtime), CALL(SYS_ADMIN, fork_over_limit), CALL(SYS_ADMIN, clone_tid),
        CALL(SYS_BOOT, reboot_cad), CALL(SYS_BOOT, reboot_bad),
        CALL(SYS_NICE, nice_up), CALL(SYS_NICE, nice_other), CALL(SYS_NICE, fifo_policy), CALL(SYS_NICE, fifo_other), CALL(SYS_NICE, affinity_other),
        CALL(SYS_NICE, io_realtime), CALL(SYS_NICE, io_other),
        CALL(SYS_RESOURCE, raise_hard), CALL(SYS_RESOURCE, limit_other), CALL(SYS_RESOURCE, oom_lower), CALL(SYS_RESOURCE, io_flusher),
        CALL(SYS_RESOURCE, set_mm), CALL(SYS_RESOURCE, fork_over_limit), CALL(SYS_RESOURCE, msg_more), CALL(SYS_RESOURCE, mq_more),
        CALL(SYS_TIME, set_clock), CALL(SYS_TIME, set_day), CALL(SYS_TIME, set_zone), CALL(SYS_TIME, adjust_tick), CALL(SYS_TIME, adjust_read),
        CALL(MKNOD, make_device), CALL(MKNOD, make_block), CALL(MKNOD, make_fifo), CALL(MKNOD, whiteout),
        CALL(SETFCAP, set_file_caps),
        CALL(SYSLOG, log_level),
        CALL(WAKE_ALARM, alarm_timer), CALL(WAKE_ALARM, alarm_posix),
        CALL(CHECKPOINT_RESTORE, clone_tid),
};

static void prepare(void)
{
        chmod(".", 0777);
        unlink("mine");
        put_text("mine", "1");
        chown("mine", 1000, 1000);
        chmod("mine", 0644);
        put_text("roots", "1");
        chown("roots", 0, 0);
        chmod("roots", 0600);
        put_text("readable", "1");
        setxattr("readable", "trusted.there", "1", 1, 0);
        put_text("othergroup", "1");
        chown("othergroup", 1000, 500);
        mkdir("rootsdir", 0755);
        mkdir("closed", 0700);
        put_text("closed/file", "1");
        mkdir("sticky", 01777);
        chmod("sticky", 01777);
        put_text("sticky/roots", "1");
        mkdir("mnt", 0755);
        mkdir("mounted", 0755);
        mount("none", "mounted", "tmpfs", 0, NULL);
}

static void one(unsigned i)
{
        const uint64_t sets[4] = { CAP_ALL, CAP_ALL & ~CAP(calls[i].bit), CAP(calls[i].bit), 0 };
        char line[200];
        int n = sprintf(line, "%s %s:", calls[i].cap, calls[i].name), p[2];

        for (int k = 0; k < 4; k++) {
                long got[2] = { -1, -1 };
                prepare();
                pipe(p);
                pid_t pid = fork();
                if (pid == 0) {
                        setsid();
                        caps_user(sets[k]);
                        errno = 0;
                        got[0] = calls[i].fn();
                        got[1] = errno;
                        write(p[1], got, sizeof got);
                        _exit(0);
                }
                close(p[1]);
                read(p[0], got, sizeof got);
                close(p[0]);
                result_of(pid);
                while (umount("mounted") == 0)
                        ;
                n += got[0] == -1 ? sprintf(line + n, " e%ld", got[1]) : sprintf(line + n, " %ld", got[0]);
        }
        say("%s\n", line);
}

int main(void)
{
        umask(0);
        shm = shmget(IPC_PRIVATE, PAGE, 0600);
        sem = semget(IPC_PRIVATE, 1, 0600);
        msg = msgget(IPC_PRIVATE, 0600);
        roots = fork();
        if (roots == 0)
                for (;;)
                        pause();
        for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++)
                one(i);
        kill(roots, SIGKILL);
        result_of(roots);
        shmctl(shm, IPC_RMID, NULL);
        semctl(sem, 0, IPC_RMID);
        msgctl(msg, IPC_RMID, NULL);
        CHECK("to the end", 1);
        return done();
}
