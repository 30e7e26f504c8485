/* SPDX-License-Identifier: Apache-2.0
 *
 * failnth: makes the 1st, 2nd, 3rd ... allocation of a system call fail, until none is left to fail, for calls of
 * many kinds.  The debug kernel's /proc/self/fail-nth does it: the n-th allocation of the writing thread from
 * then on fails, once; what is read is how many are still to come.
 *
 * Nothing must hang or oops (the log is looked at afterwards), and nothing must leak: after a first
 * round, which fills caches, further rounds must leave the pools of /proc/slabinfo as they were.
 *
 * Use: failnth [NAME]           one operation only
 *      failnth programs SECONDS [FIRST]     the programs of /tests/abi, from FIRST on, for so long: each call stack that allocates, in
 *                               whatever process of theirs, fails once in the life of the machine (see task_fail_nth).  A
 *                               program runs until a run has met no new one
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
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
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define WHO "failnth"
#include "leaks.h"

#define PAGE   4096
#define ROUNDS 6                        /* with the leaks counted, after one without */
#define MOST   4000                     /* allocations of one operation */
#define REPLACED 40                     /* those of an exec are tried up to here */

static int  knob;
static char page[64 * PAGE], path300[320];

static void arm(unsigned n)
{
        char text[16];
        int  len = snprintf(text, sizeof text, "%u", n);

        if (pwrite(knob, text, len, 0) != len)
                _exit(97);
}

/* Was there a failure?  Reading allocates, too: if that is what fails, there was none before. */
static int hit(void)
{
        char text[32] = "";
        int  n = pread(knob, text, sizeof text - 1, 0);

        return n > 0 && atoi(text) == 0;
}

static void close_all(int *fd, int n)
{
        for (int i = 0; i < n; i++)
                if (fd[i] >= 0)
                        close(fd[i]);
}

static void reap(pid_t pid)
{
        if (pid > 0)
                while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                        ;
}

/* ---- files ---- */

static void op_create(void)   { int fd = open("new", O_RDWR | O_CREAT, 0644); if (fd >= 0) close(fd); unlink("new"); }
static void op_longname(void) { int fd = open(path300 + 60, O_RDWR | O_CREAT, 0644); if (fd >= 0) close(fd); unlink(path300 + 60); }
static void op_mkdir(void)    { mkdir("dir", 0755); mkdir("dir/sub", 0755); rmdir("dir/sub"); rmdir("dir"); }
static void op_symlink(void)  { char b[100]; symlink("there", "sym"); readlink("sym", b, sizeof b); open("sym", O_RDONLY); unlink("sym"); }
static void op_link(void)     { link("file", "hard"); unlink("hard"); }
static void op_rename(void)   { rename("file", "other"); rename("other", "file"); renameat2(AT_FDCWD, "file", AT_FDCWD, "two", RENAME_EXCHANGE); renameat2(AT_FDCWD, "file", AT_FDCWD, "two", RENAME_EXCHANGE); }
static void op_stat(void)     { struct stat st; stat("nothing/here", &st); stat(path300, &st); stat("file", &st); access("file", R_OK); }
static void op_mknod(void)    { mknod("fifo", S_IFIFO | 0644, 0); int fd = open("fifo", O_RDWR | O_NONBLOCK); if (fd >= 0) { write(fd, "x", 1); close(fd); } unlink("fifo"); }
static void op_xattr(void)    { setxattr("file", "trusted.one", "value", 5, 0); setxattr("file", "trusted.two", page, 3000, 0); getxattr("file", "trusted.two", page, 4000); listxattr("file", page, 4000); removexattr("file", "trusted.one"); removexattr("file", "trusted.two"); }
static void op_truncate(void) { truncate("file", 1 << 20); truncate("file", 5000); }
static void op_chmod(void)    { chmod("file", 0600); chown("file", 5, 5); utimensat(AT_FDCWD, "file", NULL, 0); chown("file", 0, 0); }
static void op_chdir(void)    { chdir("."); getcwd(page, PAGE); chroot("/"); }
static void op_getdents(void) { int fd = open(".", O_RDONLY); if (fd >= 0) { syscall(SYS_getdents64, fd, page, sizeof page); close(fd); } }

static void op_write(void)
{
        int fd = open("big", O_RDWR | O_CREAT | O_TRUNC, 0644);

        if (fd < 0)
                return;
        pwrite(fd, page, 20 * PAGE + 100, 0);
        pwrite(fd, page, 10, 1 << 24);
        fallocate(fd, 0, 0, 64 * PAGE);
        fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE, 3 * PAGE);
        pread(fd, page, 8 * PAGE, 0);
        close(fd);
        unlink("big");
}

static void op_vector(void)
{
        struct iovec v[100];
        int          fd = open("/dev/null", O_RDWR);

        for (int i = 0; i < 100; i++)
                v[i] = (struct iovec){ page, 1 };
        if (fd < 0)
                return;
        writev(fd, v, 100);
        readv(fd, v, 100);
        close(fd);
}

static void op_locks(void)
{
        struct flock l = { .l_type = F_WRLCK, .l_start = 10, .l_len = 10 }, m = { .l_type = F_UNLCK, .l_start = 14, .l_len = 2 };
        int          fd = open("file", O_RDWR);

        if (fd < 0)
                return;
        fcntl(fd, F_SETLK, &l);
        fcntl(fd, F_SETLK, &m);
        fcntl(fd, F_OFD_SETLK, &l);
        flock(fd, LOCK_EX | LOCK_NB);
        flock(fd, LOCK_UN);
        close(fd);
}

static void op_fds(void)
{
        int fd = fcntl(0, F_DUPFD, 900), d = dup(0), e = dup2(0, 700);

        close_all((int[]){ fd, d, e }, 3);
        pid_t pid = fork();
        if (pid == 0)
                _exit(fcntl(0, F_DUPFD, 1000));
        reap(pid);
}

static void op_mount(void)
{
        mkdir("mnt", 0755);
        if (mount("none", "mnt", "tmpfs", 0, "size=1m") == 0) {
                int fd = open("mnt/file", O_RDWR | O_CREAT, 0644);
                if (fd >= 0)
                        close(fd);
                while (umount2("mnt", 0) < 0 && errno == ENOMEM)
                        ;
        }
        if (mount(".", "mnt", NULL, MS_BIND, NULL) == 0)
                while (umount2("mnt", MNT_DETACH) < 0 && errno == ENOMEM)
                        ;
        rmdir("mnt");
}

/* ---- descriptors of other kinds ---- */

static void op_pipe(void)
{
        int p[2] = { -1, -1 };

        if (pipe2(p, O_NONBLOCK) == 0) {
                fcntl(p[1], F_SETPIPE_SZ, 1 << 17);
                write(p[1], page, sizeof page);
                read(p[0], page, sizeof page);
        }
        close_all(p, 2);
}

static void op_epoll(void)
{
        struct epoll_event ev = { .events = EPOLLIN };
        int                e = epoll_create1(0), f = eventfd(1, EFD_NONBLOCK), g = epoll_create1(0);

        epoll_ctl(e, EPOLL_CTL_ADD, f, &ev);
        epoll_ctl(g, EPOLL_CTL_ADD, e, &ev);
        epoll_wait(g, &ev, 1, 0);
        epoll_ctl(e, EPOLL_CTL_MOD, f, &ev);
        close_all((int[]){ f, e, g }, 3);
}

static void op_timerfd(void)
{
        struct itimerspec t = { .it_value.tv_nsec = 1 };
        int               fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);

        timerfd_settime(fd, 0, &t, NULL);
        close_all(&fd, 1);
}

static void op_signalfd(void)
{
        sigset_t s;

        sigemptyset(&s);
        sigaddset(&s, SIGUSR1);
        int fd = signalfd(-1, &s, SFD_NONBLOCK);
        close_all(&fd, 1);
}

static void op_inotify(void)
{
        int fd = inotify_init1(IN_NONBLOCK);

        inotify_add_watch(fd, ".", IN_ALL_EVENTS);
        inotify_add_watch(fd, "file", IN_ALL_EVENTS);
        op_create();
        read(fd, page, PAGE);
        close_all(&fd, 1);
}

static void op_pty(void)
{
        int n = 0, fd = open("/dev/ptmx", O_RDWR | O_NOCTTY), s = -1;
        char name[32];

        if (fd >= 0 && ioctl(fd, 0x40045431 /* TIOCSPTLCK */, &n) == 0 && ioctl(fd, 0x80045430 /* TIOCGPTN */, &n) == 0) {
                snprintf(name, sizeof name, "/dev/pts/%d", n);
                s = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK);
                if (s >= 0) {
                        write(fd, "hello\n", 6);
                        read(s, page, 100);
                        write(s, page, 100);
                }
        }
        close_all((int[]){ s, fd }, 2);
}

static void op_sockets(void)
{
        int s[2] = { -1, -1 }, d[2] = { -1, -1 };

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s) == 0) {
                union { struct cmsghdr h; char room[CMSG_SPACE(sizeof(int))]; } c = { 0 };
                struct iovec  v = { page, 5000 };
                struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof c };
                c.h = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
                memcpy(CMSG_DATA(&c.h), &knob, sizeof knob);
                sendmsg(s[0], &m, 0);
                m.msg_controllen = sizeof c;
                if (recvmsg(s[1], &m, 0) > 0 && m.msg_controllen >= CMSG_LEN(sizeof(int))) {
                        int got;
                        memcpy(&got, CMSG_DATA(&c.h), sizeof got);
                        close(got);
                }
        }
        if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, d) == 0) {
                write(d[0], page, 300);
                read(d[1], page, 300);
        }
        close_all(s, 2);
        close_all(d, 2);
        struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "sock" };
        int l = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), c = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), t = -1;
        if (l >= 0 && bind(l, (struct sockaddr *)&a, sizeof a) == 0 && listen(l, 5) == 0) {
                connect(c, (struct sockaddr *)&a, sizeof a);
                t = accept(l, NULL, NULL);
        }
        close_all((int[]){ t, c, l }, 3);
        unlink("sock");
}

static void op_splice(void)
{
        int p[2] = { -1, -1 }, fd = open("two", O_RDWR), to = open("/dev/null", O_WRONLY);

        if (pipe2(p, O_NONBLOCK) == 0) {
                off_t off = 0;
                sendfile(p[1], fd, &off, 3000);
                splice(p[0], NULL, to, NULL, 2000, SPLICE_F_NONBLOCK);
                struct iovec v = { page, 2000 };
                vmsplice(p[1], &v, 1, SPLICE_F_NONBLOCK);
        }
        close_all((int[]){ p[0], p[1], fd, to }, 4);
}

static void op_poll(void)
{
        struct pollfd f[200];
        fd_set        r;

        for (int i = 0; i < 200; i++)
                f[i] = (struct pollfd){ .fd = knob, .events = POLLIN };
        poll(f, 200, 0);
        FD_ZERO(&r);
        FD_SET(0, &r);
        select(1000, &r, NULL, NULL, &(struct timeval){ 0, 0 });
}

/* ---- memory ---- */

static void op_mmap(void)
{
        char *p = mmap(NULL, 600 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0), *q;

        if (p == MAP_FAILED)
                return;
        mprotect(p + 10 * PAGE, PAGE, PROT_READ);
        madvise(p + 20 * PAGE, PAGE, MADV_DONTFORK);
        mlock(p + 30 * PAGE, PAGE);
        q = mremap(p + 40 * PAGE, 10 * PAGE, 20 * PAGE, MREMAP_MAYMOVE);
        if (q != MAP_FAILED)
                while (munmap(q, 20 * PAGE) < 0)
                        ;
        mmap(p + 100 * PAGE, 5 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        munmap(p + 200 * PAGE, PAGE);
        while (munmap(p, 600 * PAGE) < 0)
                ;
}

static void op_shared(void)
{
        char *p = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        int   fd = open("file", O_RDWR), m = syscall(SYS_memfd_create, "m", 2);

        if (p != MAP_FAILED)
                munmap(p, 8 * PAGE);
        p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
        if (p != MAP_FAILED) {
                madvise(p, PAGE, 23 /* MADV_POPULATE_WRITE */);
                munmap(p, PAGE);
        }
        ftruncate(m, 3 * PAGE);
        fcntl(m, F_ADD_SEALS, F_SEAL_WRITE);
        close_all((int[]){ fd, m }, 2);
}

static void op_brk(void) { char *b = sbrk(0); if (syscall(SYS_brk, b + 9 * PAGE) == (long)b + 9 * PAGE) syscall(SYS_brk, b); }

static void op_remote(void)
{
        struct iovec v[20];

        for (int i = 0; i < 20; i++)
                v[i] = (struct iovec){ page + i * 100, 50 };
        syscall(SYS_process_vm_readv, getpid(), v, 20, v, 20, 0);
        syscall(SYS_mbind, page, PAGE, 0, NULL, 0, 0);
}

/* ---- processes and signals ---- */

static void op_fork(void)
{
        pid_t pid = fork();

        if (pid == 0)
                _exit(0);
        reap(pid);
}

static void op_exec(void)
{
        pid_t pid = vfork();

        if (pid == 0) {
                execl("/bin/true", "true", "an argument", NULL);
                _exit(1);
        }
        reap(pid);
}

/* The failing thread executes itself: it is gone afterwards, or an error comes back. */
static void op_exec_fails(void)
{
        execl("/nowhere/at/all", "x", NULL);
        execl("file", "x", NULL);
}

static void op_exec_hit(unsigned n)
{
        pid_t pid = fork();

        if (pid == 0) {
                arm(n);
                execl("/bin/true", "true", NULL);
                _exit(1);
        }
        reap(pid);
}

static void *nothing(void *arg) { return arg; }

static void op_thread(void)
{
        pthread_t t;

        if (pthread_create(&t, NULL, nothing, NULL) == 0)
                pthread_join(t, NULL);
}

static void op_signals(void)
{
        sigset_t        s;
        siginfo_t       si;
        struct timespec now = { 0, 0 };

        sigemptyset(&s);
        sigaddset(&s, SIGRTMIN + 1);
        sigaddset(&s, SIGUSR1);
        sigprocmask(SIG_BLOCK, &s, NULL);
        for (int i = 0; i < 3; i++)
                sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = i });
        kill(getpid(), SIGUSR1);
        while (sigtimedwait(&s, &si, &now) > 0)
                ;
        sigprocmask(SIG_UNBLOCK, &s, NULL);
}

static void op_timers(void)
{
        struct itimerval t = { { 0, 0 }, { 100, 0 } }, off = { 0 };
        timer_t          id;

        setitimer(ITIMER_REAL, &t, NULL);
        setitimer(ITIMER_REAL, &off, NULL);
        struct sigevent ev = { .sigev_notify = SIGEV_NONE };
        if (timer_create(CLOCK_MONOTONIC, &ev, &id) == 0)
                timer_delete(id);
}

static void op_creds(void)
{
        gid_t g[100];

        for (int i = 0; i < 100; i++)
                g[i] = 1000 + i;
        setfsuid(5);
        setfsuid(0);
        syscall(SYS_setgroups, 100, g);
        syscall(SYS_setgroups, 0, g);
        setresgid(-1, 7, -1);
        setresgid(-1, 0, -1);
}

static void op_proc(void)
{
        static const char *const name[] = { "maps", "smaps", "status", "stat", "mountinfo", "limits", "fd", "cmdline", "environ", "auxv", "statm" };
        char path[64];

        for (unsigned i = 0; i < sizeof name / sizeof *name; i++) {
                snprintf(path, sizeof path, "/proc/self/%s", name[i]);
                int fd = open(path, O_RDONLY);
                if (fd >= 0) {
                        read(fd, page, sizeof page);
                        close(fd);
                }
        }
}

static void op_pidfd(void)
{
        int fd = syscall(434, getpid(), 0), got = fd < 0 ? -1 : syscall(438, fd, knob, 0);

        close_all((int[]){ got, fd }, 2);
}

static void op_ipc(void)
{
        int shm = shmget(IPC_PRIVATE, 3 * PAGE, 0600), sem = semget(IPC_PRIVATE, 3, 0600), msg = msgget(IPC_PRIVATE, 0600);
        struct { long type; char text[200]; } m = { 1, "x" };

        if (shm >= 0) {
                char *p = shmat(shm, NULL, 0);
                if (p != (void *)-1)
                        shmdt(p);
                while (shmctl(shm, IPC_RMID, NULL) < 0 && errno == ENOMEM)
                        ;
        }
        if (sem >= 0) {
                struct sembuf b = { 0, 1, SEM_UNDO };
                semop(sem, &b, 1);
                semctl(sem, 0, IPC_RMID);
        }
        if (msg >= 0) {
                msgsnd(msg, &m, sizeof m.text, IPC_NOWAIT);
                msgrcv(msg, &m, sizeof m.text, 0, IPC_NOWAIT);
                msgctl(msg, IPC_RMID, NULL);
        }
}

static const struct op { const char *name; void (*fn)(void); } ops[] = {
#define OP(name) { #name, op_##name }
        OP(create), OP(longname), OP(mkdir), OP(symlink), OP(link), OP(rename), OP(stat), OP(mknod), OP(xattr), OP(truncate),
        OP(chmod), OP(chdir), OP(getdents), OP(write), OP(vector), OP(locks), OP(fds), OP(mount), OP(pipe), OP(epoll),
        OP(timerfd), OP(signalfd), OP(inotify), OP(pty), OP(sockets), OP(splice), OP(poll), OP(mmap), OP(shared), OP(brk),
        OP(remote), OP(fork), OP(exec), OP(exec_fails), OP(thread), OP(signals), OP(timers), OP(creds), OP(proc), OP(pidfd),
        OP(ipc),
};
#define OPS (sizeof ops / sizeof *ops)

/* ---- the rounds ---- */

static void count_pools(struct pools *p)
{
        usleep(60000);                          /* the dead are buried */
        drop_caches("2");
        read_pools(p);
}

static unsigned sweep(const struct op *op)
{
        unsigned n = 1;

        for (; n < MOST; n++) {
                arm(n);
                op->fn();
                int was = hit();
                arm(0);
                if (!was)
                        break;
        }
        for (int fd = 10; fd < 40; fd++)        /* what an interrupted operation left open */
                if (fd != knob)
                        close(fd);
        return n - 1;
}

static unsigned sweep_exec(const struct op *op)
{
        (void)op;
        for (unsigned n = 1; n < REPLACED; n++)
                op_exec_hit(n);
        return REPLACED - 1;
}

/* A leak shows in each round. */
static int rounds_leak(const char *name, const struct pools *a, const struct pools *b)
{
        int bad = 0;

        for (int i = 0; i < a->n && i < b->n; i++)
                if (b->pool[i].used >= a->pool[i].used + ROUNDS) {
                        printf("failnth: %s leaks %s: %ld, %ld after %d rounds\n", name, a->pool[i].name, a->pool[i].used, b->pool[i].used, ROUNDS);
                        bad = 1;
                }
        return bad;
}

static int run(const struct op *op, unsigned (*how)(const struct op *))
{
        static struct pools first, last;
        unsigned            n = how(op), m = 0;

        how(op);
        count_pools(&first);
        for (int i = 0; i < ROUNDS; i++)
                m = how(op);
        count_pools(&last);
        printf("failnth: %s: %u, %u sites\n", op->name, n, m);
        fflush(stdout);
        return rounds_leak(op->name, &first, &last);
}

/* ---- the programs of tests/abi ---- */

#define EACH_SITE "4294967295"
enum { RUNS = 12, RUN_SECONDS = 20, AT_A_TIME = 10 };

/* How many call stacks have failed so far. */
static unsigned long sites(void)
{
        char          text[64] = "";
        unsigned long left = 0, n = 0;

        pread(knob, text, sizeof text - 1, 0);
        sscanf(text, "%lu %lu", &left, &n);
        return n;
}

static int run_program(const char *name, int fails)
{
        char    path[300];
        int64_t start = now_ms();
        pid_t   pid = fork();

        if (pid == 0) {
                int null = open("/dev/null", O_RDWR);
                setsid();
                if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
                        _exit(1);               /* what a failing program leaves mounted goes with it */
                snprintf(path, sizeof path, "/tmp/failnth/%d", (int)getpid());
                mkdir(path, 0777);
                if (chdir(path) != 0)
                        _exit(1);
                for (int fd = 0; fd < 3; fd++)
                        dup2(null, fd);
                close(null);
                int own = open("/proc/self/fail-nth", O_RDWR);
                snprintf(path, sizeof path, "/tests/abi/%s", name);
                if (fails)
                        pwrite(own, EACH_SITE, sizeof EACH_SITE - 1, 0);
                execl(path, path, NULL);
                _exit(1);
        }
        while (waitpid(pid, NULL, WNOHANG) == 0 && (int64_t)now_ms() - start < RUN_SECONDS * 1000)
                usleep(5000);
        return kill_all();
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static int programs(int seconds, const char *from)
{
        static struct pools first, last;
        static char        *names[1000];
        int                 n = 0, bad = 0, alive = 1, done = 0;
        DIR                *d = opendir("/tests/abi");
        int64_t             end = now_ms() + seconds * 1000LL;

        for (struct dirent *e; d && (e = readdir(d)) && n < 1000;)
                if (e->d_name[0] != '.' && strcmp(e->d_name, from) >= 0)
                        names[n++] = strdup(e->d_name);
        closedir(d);
        qsort(names, n, sizeof *names, by_name);
        for (int sig = 1; sig < 65; sig++)
                if (sig != SIGCHLD && sig != SIGSEGV && sig != SIGBUS)
                        signal(sig, SIG_IGN);
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        remember();
        for (int i = 0; i < n && alive && (int64_t)now_ms() < end; i++, done++) {
                unsigned long was, at_first = sites();
                int           runs = 0;
                alive &= run_program(names[i], 0);
                count(&first);
                do {
                        was = sites();
                        alive &= run_program(names[i], 1);
                        runs++;
                } while (alive && sites() != was && runs < RUNS && (int64_t)now_ms() < end);
                count(&last);
                printf("failnth: %s: %lu sites in %d runs\n", names[i], sites() - at_first, runs);
                bad |= leaks(&first, &last);
        }
        printf("failnth: %d programs, %lu sites, %s\n", done, sites(), !alive ? "hangs" : bad ? "leaks" : "no leaks");
        return bad || !alive;
}

int main(int argc, char **argv)
{
        int bad = 0, done = 0;

        signal(SIGPIPE, SIG_IGN);
        memset(path300, 'p', sizeof path300 - 1);
        mkdir("/tmp/failnth", 0755);
        if (chdir("/tmp/failnth") < 0)
                return 2;
        close(open("file", O_RDWR | O_CREAT, 0755));
        int two = open("two", O_RDWR | O_CREAT, 0644);
        write(two, page, 5000);
        close(two);
        knob = open("/proc/self/fail-nth", O_RDWR);
        if (knob < 0 || pwrite(knob, "0", 1, 0) != 1) {
                printf("failnth: this kernel cannot\n");
                return 77;
        }
        knob = dup2(knob, 600);                 /* out of the way */
        if (argc > 2 && strcmp(argv[1], "programs") == 0)
                return programs(atoi(argv[2]), argc > 3 ? argv[3] : "");
        memset(page, 1, sizeof page);
        mlockall(MCL_CURRENT);
        for (unsigned i = 0; i < OPS; i++) {
                if (argc > 1 && strcmp(argv[1], ops[i].name) != 0)
                        continue;
                bad |= run(&ops[i], sweep);
                done++;
        }
        if (argc == 1 || strcmp(argv[1], "replaced") == 0)
                bad |= run(&(struct op){ "a program replaced", NULL }, sweep_exec);
        printf("failnth: %d operations, %s\n", done, bad ? "leaks" : "no leaks");
        return bad;
}
