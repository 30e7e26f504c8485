/* SPDX-License-Identifier: Apache-2.0
 *
 * A random system-call fuzzer: fuzz SECONDS [SEED]
 *
 * A supervisor keeps WORKERS processes going.  Each makes a few files, pipes and mappings in a
 * folder of its own and then calls the kernel at random, from several threads, with arguments that
 * are now and then right.  A worker that dies or stands still is replaced.  The seed is printed
 * first; a worker's own seed is derived from it and its number.  Half of the workers give up root,
 * and only those make processes.
 *
 * It finds what makes the kernel oops, hang or lose its supervisor: the exit status is 0 when the
 * time is over and the supervisor can still fork, write and wait.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 4, THREADS = 3, ARENA = 64 * 4096, WORKER_SECONDS = 3 };

static unsigned char *arena;            /* ARENA bytes, then a page without rights */
static int spare_fd[16];
static int null_fd;                     /* opened before a worker can take /dev/null away */
static struct counters { uint64_t calls, workers; } *counters;

struct rng { uint64_t s; };
static uint64_t next(struct rng *r)
{
        r->s += 0x9e3779b97f4a7c15ull;
        uint64_t z = r->s;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
        return z ^ (z >> 31);
}
static uint64_t below(struct rng *r, uint64_t n) { return next(r) % n; }

/* Calls that would end or bend the machine, the test or its clock; and those that only wait for ever. */
static const int never[] = {
        SYS_reboot, SYS_kexec_load, SYS_kexec_file_load, SYS_init_module, SYS_finit_module, SYS_delete_module,
        SYS_swapon, SYS_swapoff, SYS_settimeofday, SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime, SYS_vhangup,
        SYS_umount2, SYS_pivot_root, SYS_mount, SYS_iopl, SYS_ioperm, SYS_acct, SYS_syslog, SYS_pause, SYS_exit_group,
        SYS_exit, SYS_ptrace, SYS_bpf, SYS_perf_event_open, SYS_setsid, SYS_personality, SYS_chroot, SYS_kcmp,
        SYS_process_madvise, SYS_sethostname, SYS_setdomainname, SYS_lookup_dcookie, SYS_userfaultfd,
        SYS_move_mount, SYS_open_tree, SYS_fsmount, SYS_fsopen, SYS_fsconfig, SYS_fspick, SYS_mount_setattr,
        SYS_rt_sigreturn, SYS_restart_syscall, SYS_setns, SYS_unshare, SYS_quotactl, SYS_nfsservctl,
};
static const int makes_processes[] = { SYS_fork, SYS_vfork, SYS_clone, SYS_clone3, SYS_execve, SYS_execveat };
static const int takes_pid[] = {
        SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_setpgid, SYS_setpriority,
        SYS_sched_setscheduler, SYS_sched_setparam, SYS_sched_setaffinity, SYS_sched_setattr, SYS_prlimit64,
        SYS_process_vm_readv, SYS_process_vm_writev, SYS_migrate_pages, SYS_move_pages, SYS_ioprio_set, SYS_pidfd_open,
};

static int in(const int *list, size_t n, long nr)
{
        for (size_t i = 0; i < n; i++)
                if (list[i] == nr)
                        return 1;
        return 0;
}
#define IN(list, nr) in(list, sizeof(list) / sizeof(list)[0], nr)

static const char *paths[] = {
        "a", "b", "dir", "dir/x", "link", "fifo", ".", "..", "", "/", "/dev/null", "/dev/zero", "/dev/full", "/proc/self/maps",
        "/proc/self/fd/5", "/proc/self", "nowhere/at/all", "a/b", "link/", "/dev/tty", "./././a", "dir/../b", "loop",
};

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
        default: return (uint64_t)arena + (below(r, ARENA) & (below(r, 2) ? ~7ull : ~0ull));
        }
}

static uint64_t path(struct rng *r)
{
        if (below(r, 8) == 0)
                return address(r);
        const char *p = paths[below(r, sizeof paths / sizeof paths[0])];
        unsigned char *to = arena + below(r, ARENA - 64);
        memcpy(to, p, strlen(p) + 1);
        return (uint64_t)to;
}

static uint64_t argument(struct rng *r)
{
        switch (below(r, 12)) {
        case 0: case 1: case 2: return address(r);
        case 3: case 4: return path(r);
        case 5: case 6: return below(r, 24);                            /* often a descriptor */
        case 7: return spare_fd[below(r, 16)];
        case 8: return 1ull << below(r, 64);
        case 9: return below(r, 8192);
        case 10: return below(r, 4) ? (uint64_t)-100 : (uint64_t)-1;    /* AT_FDCWD */
        default: return next(r) >> below(r, 64);
        }
}

/* Structs that the kernel reads are whatever lies in the arena: stir it. */
static void stir(struct rng *r)
{
        uint64_t *w = (uint64_t *)(arena + (below(r, ARENA - 256) & ~7ull));
        for (int i = 0; i < 8; i++)
                w[i] = below(r, 3) ? below(r, 4096) : argument(r);
}

/* ---- Sockets: addresses, messages and options that mean something ---- */

static struct sockaddr_un *socket_address(struct rng *r, uint64_t *len)
{
        static const char *names[] = { "s0", "s1", "dir/s2", "\0a", "\0b", "\0c", "a", "link" };
        struct sockaddr_un *at = (void *)(arena + (below(r, ARENA - 256) & ~7ull));
        const char *name = names[below(r, 8)];

        at->sun_family = below(r, 16) ? AF_UNIX : below(r, 50);
        memcpy(at->sun_path, name, 7);
        *len = below(r, 8) ? 2 + (name[0] ? strlen(name) + 1 : 2) : below(r, 130);
        return at;
}

/* A header with a vector, perhaps a name, perhaps descriptors or credentials. */
static struct msghdr *message(struct rng *r)
{
        unsigned char *at = arena + (below(r, ARENA - 4096) & ~7ull);
        struct msghdr *h = (void *)at;
        struct iovec *v = (void *)(at + 128);
        struct cmsghdr *c = (void *)(at + 256);
        uint64_t len = 0;

        memset(at, 0, 512);
        h->msg_iov = v;
        h->msg_iovlen = below(r, 4);
        for (int i = 0; i < 4; i++)
                v[i] = (struct iovec){ arena + below(r, ARENA - 4096), below(r, 2) ? below(r, 64) : below(r, 4096) };
        if (below(r, 4) == 0) {
                h->msg_name = socket_address(r, &len);
                h->msg_namelen = len;
        }
        if (below(r, 2)) {
                int n = (int)below(r, 6);
                h->msg_control = c;
                h->msg_controllen = CMSG_SPACE(n * 4) + (below(r, 8) ? 0 : below(r, 32));
                c->cmsg_level = SOL_SOCKET;
                c->cmsg_type = below(r, 8) ? SCM_RIGHTS : (int)below(r, 4);
                c->cmsg_len = below(r, 8) ? CMSG_LEN(n * 4) : below(r, 64);
                for (int i = 0; i < n; i++)
                        ((int *)CMSG_DATA(c))[i] = (int)(below(r, 2) ? below(r, 32) : (uint64_t)spare_fd[below(r, 16)]);
        }
        return h;
}

static void socket_arguments(struct rng *r, long nr, uint64_t *a)
{
        static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM };
        uint64_t len = 0;

        switch (nr) {
        case SYS_socket:
        case SYS_socketpair:
                a[0] = below(r, 16) ? AF_UNIX : below(r, 50);
                a[1] = (uint64_t)types[below(r, 4)] | (below(r, 8) ? SOCK_NONBLOCK : 0);
                a[2] = 0;
                if (nr == SYS_socketpair)
                        a[3] = below(r, 8) ? (uint64_t)arena + (below(r, ARENA - 64) & ~3ull) : address(r);
                break;
        case SYS_bind:
        case SYS_connect:
                a[1] = (uint64_t)socket_address(r, &len);
                a[2] = len;
                break;
        case SYS_listen:
        case SYS_shutdown:
                a[1] = below(r, 4);
                break;
        case SYS_sendto:
                a[2] = below(r, 8192);
                a[3] &= 0xffff;
                a[4] = below(r, 2) ? 0 : (uint64_t)socket_address(r, &len);
                a[5] = len;
                break;
        case SYS_recvfrom:
                a[2] = below(r, 8192);
                a[3] = (a[3] & 0xffff) | (below(r, 8) ? MSG_DONTWAIT : 0);
                break;
        case SYS_sendmsg:
        case SYS_recvmsg:
                a[1] = (uint64_t)message(r);
                a[2] = (a[2] & 0xffff) | (below(r, 8) ? MSG_DONTWAIT : 0);
                break;
        case SYS_setsockopt:
        case SYS_getsockopt:
                a[1] = SOL_SOCKET;
                a[2] = below(r, 80);
                if (nr == SYS_setsockopt)
                        a[4] = below(r, 4) ? 4 : below(r, 24);
                break;
        }
}

static const int sockets[] = {
        SYS_socket, SYS_socketpair, SYS_bind, SYS_connect, SYS_listen, SYS_accept4, SYS_shutdown, SYS_sendto, SYS_recvfrom,
        SYS_sendmsg, SYS_recvmsg, SYS_setsockopt, SYS_getsockopt, SYS_sendmsg, SYS_recvmsg, SYS_close,
};

static int unprivileged;

static void one_call(struct rng *r)
{
        long nr = below(r, 8) ? (long)below(r, 451) : sockets[below(r, sizeof sockets / sizeof sockets[0])];
        uint64_t a[6];

        if (IN(never, nr) || (!unprivileged && IN(makes_processes, nr)))
                return;
        for (int i = 0; i < 6; i++)
                a[i] = argument(r);
        if (below(r, 8))
                socket_arguments(r, nr, a);
        if (IN(takes_pid, nr))
                a[0] = below(r, 4) ? (uint64_t)getpid() : 4000000 + below(r, 100000);
        if (nr == SYS_kill || nr == SYS_tkill) {
                static const int gentle[] = { 0, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH, SIGCHLD, SIGURG, 40 };
                a[1] = gentle[below(r, 8)];
        }
        if (nr == SYS_setpriority || nr == SYS_ioprio_set)
                a[1] = getpid();
        if (nr == SYS_mmap || nr == SYS_mremap || nr == SYS_munmap)
                a[1] &= (64 << 20) - 1;
        if (nr == SYS_mmap || nr == SYS_munmap || nr == SYS_mprotect || nr == SYS_mremap || nr == SYS_brk) {
                if (below(r, 16))                                       /* mostly beside what we live on */
                        a[0] = 0x100000000000ull + (below(r, 256) << 12);
                if (nr == SYS_mmap)
                        a[3] = below(r, 2) ? MAP_PRIVATE | MAP_ANONYMOUS | (a[3] & MAP_FIXED) : a[3];
        }
        if (nr == SYS_alarm)
                a[0] = 1;
        if (nr == SYS_nanosleep || nr == SYS_clock_nanosleep || nr == SYS_poll || nr == SYS_epoll_wait)
                a[2] = below(r, 50);
        if (nr == SYS_setrlimit || nr == SYS_prlimit64)
                return;
        if (nr == SYS_clone)
                a[0] &= ~0x200ull;                                      /* CLONE_FS is fine, CLONE_UNTRACED too: no ptrace here */
        syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
        __atomic_fetch_add(&counters->calls, 1, __ATOMIC_RELAXED);
}

static void on_signal(int sig) { (void)sig; }

static void *worker_thread(void *seed)
{
        struct rng r = { (uint64_t)seed };
        for (;;) {
                if (below(&r, 4) == 0)
                        stir(&r);
                one_call(&r);
        }
        return NULL;
}

static void worker(uint64_t seed, int number)
{
        struct rng r = { seed };
        char name[32];
        pid_t self = getpid();

        setsid();                               /* no terminal, no group but its own */
        for (int fd = 0; fd < 3; fd++)
                if (dup2(null_fd, fd) != fd)
                        _exit(1);
        snprintf(name, sizeof name, "w%d.%d", number, (int)self);
        mkdir(name, 0777);
        if (chdir(name) != 0)
                _exit(1);
        syscall(SYS_close_range, 3, ~0u, 0);            /* nothing of ours to write to */
        arena = mmap(NULL, ARENA + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        mprotect(arena + ARENA, 4096, PROT_NONE);
        mkdir("dir", 0777);
        symlink("a", "link");
        symlink("loop", "loop");
        mkfifo("fifo", 0666);
        for (int i = 0; i < 16; i += 4) {
                int pair[2] = { -1, -1 };
                spare_fd[i] = open("a", O_RDWR | O_CREAT, 0666);
                if (pipe2(pair, O_NONBLOCK) == 0) {
                        spare_fd[i + 1] = pair[0];
                        spare_fd[i + 2] = pair[1];
                }
                spare_fd[i + 3] = open(i & 4 ? "." : "/dev/null", O_RDONLY);
        }
        struct rlimit as = { 512 << 20, 512 << 20 }, size = { 8 << 20, 8 << 20 }, procs = { 24, 24 }, files = { 256, 256 };
        setrlimit(RLIMIT_AS, &as);
        setrlimit(RLIMIT_FSIZE, &size);
        setrlimit(RLIMIT_NOFILE, &files);
        struct sigaction sa = { .sa_handler = on_signal };
        for (int sig = 1; sig < 65; sig++)
                if (sig != SIGSEGV && sig != SIGBUS && sig != SIGILL && sig != SIGFPE)
                        sigaction(sig, &sa, NULL);
        unprivileged = number & 1;
        if (unprivileged) {
                setrlimit(RLIMIT_NPROC, &procs);
                setgroups(0, NULL);
                if (setgid(1000 + number) || setuid(1000 + number))
                        _exit(1);
        }
        for (int i = 1; i < THREADS; i++) {
                pthread_t t;
                pthread_create(&t, NULL, worker_thread, (void *)next(&r));
        }
        worker_thread((void *)next(&r));
}

static uint64_t now_ms(void)
{
        struct timespec ts;
        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
        uint64_t seconds = argc > 1 ? strtoull(argv[1], NULL, 0) : 60;
        uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
        struct { pid_t pid; uint64_t since; } running[WORKERS] = { 0 };

        printf("fuzz: seed %llu, %llu s\n", (unsigned long long)seed, (unsigned long long)seconds);
        fflush(stdout);
        counters = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        mkdir("/tmp/fuzz", 0777);
        chmod("/tmp/fuzz", 0777);
        if (chdir("/tmp/fuzz") != 0) {
                perror("fuzz: /tmp/fuzz");
                return 1;
        }
        umask(0);
        null_fd = open("/dev/null", O_RDWR);
        if (null_fd < 0) {
                perror("fuzz: /dev/null");
                return 1;
        }
        uint64_t start = now_ms(), fork_failures = 0;
        struct rng seeds = { seed };
        while (now_ms() - start < seconds * 1000) {
                for (int i = 0; i < WORKERS; i++) {
                        if (running[i].pid && now_ms() - running[i].since > WORKER_SECONDS * 1000)
                                kill(running[i].pid, SIGKILL);
                        if (running[i].pid)
                                continue;
                        uint64_t s = next(&seeds);
                        pid_t pid = fork();
                        if (pid == 0)
                                worker(s, i);
                        if (pid < 0) {
                                if (++fork_failures > 1000) {
                                        perror("fuzz: fork");
                                        return 1;
                                }
                                usleep(10000);
                                continue;
                        }
                        running[i].pid = pid;
                        running[i].since = now_ms();
                        counters->workers++;
                }
                pid_t gone;
                while ((gone = waitpid(-1, NULL, WNOHANG)) > 0)
                        for (int i = 0; i < WORKERS; i++)
                                if (running[i].pid == gone) {
                                        kill(-gone, SIGKILL);           /* what it left in its group */
                                        running[i].pid = 0;
                                }
                usleep(20000);
        }
        for (int i = 0; i < WORKERS; i++)
                if (running[i].pid) {
                        kill(-running[i].pid, SIGKILL);
                        kill(running[i].pid, SIGKILL);
                }
        for (int tries = 0; tries < 500; tries++) {
                pid_t gone = waitpid(-1, NULL, WNOHANG);
                if (gone < 0)
                        break;
                if (gone == 0)
                        usleep(20000);
        }
        if (chdir("/") != 0 || system("rm -rf /tmp/fuzz") != 0)
                printf("fuzz: could not clean up\n");
        printf("\nfuzz: %llu calls by %llu workers, done\n", (unsigned long long)counters->calls,
               (unsigned long long)counters->workers);
        return counters->calls ? 0 : 1;
}
