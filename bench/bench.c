/* SPDX-License-Identifier: Apache-2.0
 *
 * bench: the operations that Keel and Linux are compared in. A static Linux program: process 1 of
 * the benchmark's machine (or an ordinary program, for trying it out).
 *
 *   as process 1       mounts /proc, /dev and a tmpfs on /tmp, does what bench.mode= on the kernel's
 *                      command line says and powers off
 *   bench ops [NAME…]  the operations of one CPU
 *   bench smp          what two CPUs do against one
 *   bench real         three real programs (the image must hold them)
 *   bench memory       /proc/meminfo as a shell prints it
 *   bench true         ends at once: what the exec operations run
 *
 * Output, one line each on the standard output:
 *   "op <TAB> NAME <TAB> unit <TAB> value"           instructions (TSC ticks) per unit, "not yet" (ENOSYS)
 *                                                   or "failed: reason"; "op2" for the second table's
 *   "count <TAB> NAME <TAB> counter <TAB> value"     what the kernel counted meanwhile, per unit
 *   "boot <TAB> ticks"                               TSC at this program's first instruction
 *   "smp <TAB> NAME <TAB> one <TAB> two"             seconds on one CPU, and for twice the work on two
 *   "smpcount <TAB> NAME <TAB> counter <TAB> value"  what the kernel counted in the latter, per operation
 *
 * Method: each operation runs in a process of its own under an alarm. It is warmed up, the number of
 * rounds is chosen so that the run takes about bench.budget= ticks, then it is measured once. The time
 * of an empty loop is subtracted.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

typedef uint64_t u64;

#define PAGE     4096ul
#define MIB      (1ul << 20)
#define CHUNK    65536
#define TICKS_NO (~0ul)

/* ---- the first instruction, time, raw calls ---- */

u64 first_tick;

/* The ELF entry: takes the time, then goes on as any program does. */
__asm__(".globl bench_entry\n"
        "bench_entry:\n"
        "    rdtsc\n"
        "    shl $32, %rdx\n"
        "    or %rdx, %rax\n"
        "    mov %rax, first_tick(%rip)\n"
        "    xor %edx, %edx\n"
        "    jmp _start\n");

static inline u64 ticks(void)
{
        unsigned lo, hi;

        __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
        return (u64)hi << 32 | lo;
}

static inline long call3(long nr, long a, long b, long c)
{
        long r;

        __asm__ volatile("syscall" : "=a"(r) : "a"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
        return r;
}

static inline long call4(long nr, long a, long b, long c, long d)
{
        register long r10 __asm__("r10") = d;
        long          r;

        __asm__ volatile("syscall" : "=a"(r) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
        return r;
}

/* The measured stretch lies between these two: tools/bench/profile finds them by name. */
__attribute__((noinline)) u64 bench_begin(void)
{
        return ticks();
}

__attribute__((noinline)) u64 bench_end(void)
{
        return ticks();
}

/* ---- results ---- */

#define KEEL_COUNTERS 12
static const char *const keel_counter[KEEL_COUNTERS] = {
        "switches", "faults", "pages", "objects", "page_refills", "object_refills", "resched_ipis", "tlb_ipis",
        "tlb_flushes", "cr3_loads", "spin_waits", "lock_waits",
};

struct shared {
        u64    ticks, rounds;           /* of the measured run */
        double per_round;               /* units per round */
        int    error;                   /* errno of what failed, or 0 */
        char   what[64];
        u64    faults, switches, stat_ctxt, stat_intr, vm_fault, vm_alloc;
        u64    keel[KEEL_COUNTERS];     /* /proc/keel/counters, the sums over all CPUs */
        u64    child;                   /* ticks that a child measured */
};
static struct shared *shared;
static double         loop_cost;        /* ticks of one round of an empty loop */
static u64            budget = 4000000;
static int            wait_for_profiler;

__attribute__((noreturn)) static void fail(const char *what, int error)
{
        shared->error = error ? error : EIO;
        snprintf(shared->what, sizeof shared->what, "%s", what);
        _exit(1);
}

/* A raw call's or a libc call's result that must not be negative. */
static long must(const char *what, long r)
{
        if (r == -1 && errno)
                fail(what, errno);
        if (r < 0)
                fail(what, -r);
        return r;
}

static void *must_map(void *p)
{
        if (p == MAP_FAILED)
                fail("mmap", errno);
        return p;
}

/* ---- simple calls ---- */

static int  fd_a;
static char page[PAGE] __attribute__((aligned(4096)));
static char big[MIB] __attribute__((aligned(4096)));

#define LOOP(n, expr)                                   \
        u64 begin = bench_begin();                      \
        for (long i = 0; i < (n); i++)                  \
                expr;                                   \
        return bench_end() - begin

#define CALLS(n, what, expr)                            \
        must(what, expr);                               \
        long bad = 0;                                   \
        u64  begin = bench_begin();                     \
        for (long i = 0; i < (n); i++)                  \
                bad |= (expr);                          \
        u64 end = bench_end();                          \
        if (bad < 0)                                    \
                fail(what, EIO);                        \
        return end - begin

static u64 op_empty(long n)
{
        LOOP(n, __asm__ volatile("" : : : "memory"));
}

static u64 op_null(long n)
{
        CALLS(n, "getppid", call3(SYS_getppid, 0, 0, 0));
}

static void open_zero(void) { fd_a = must("/dev/zero", open("/dev/zero", O_RDWR)); }
static void open_null(void) { fd_a = must("/dev/null", open("/dev/null", O_RDWR)); }

static u64 op_read(long n)
{
        CALLS(n, "read", call3(SYS_read, fd_a, (long)page, 1));
}

static u64 op_write(long n)
{
        CALLS(n, "write", call3(SYS_write, fd_a, (long)page, 1));
}

static void make_file(const char *name, size_t size)
{
        fd_a = must("open", open(name, O_RDWR | O_CREAT | O_TRUNC, 0644));
        for (size_t done = 0; done < size; done += sizeof big < size ? sizeof big : size)
                must("write", write(fd_a, big, sizeof big < size ? sizeof big : size));
}

static void page_file(void) { make_file("/tmp/page", PAGE); }
static void mib_file(void)  { make_file("/tmp/mib", MIB); }
static void mib4_file(void) { make_file("/tmp/mib4", 4 * MIB); }

static u64 op_pread(long n)
{
        CALLS(n, "pread", call4(SYS_pread64, fd_a, (long)page, PAGE, 0));
}

static u64 op_stat(long n)
{
        struct stat st;

        CALLS(n, "stat", call3(SYS_stat, (long)"/tmp/page", (long)&st, 0));
}

static u64 op_fstat(long n)
{
        struct stat st;

        CALLS(n, "fstat", call3(SYS_fstat, fd_a, (long)&st, 0));
}

static u64 op_open_close(long n)
{
        CALLS(n, "open", ({
                long fd = call3(SYS_open, (long)"/tmp/page", O_RDONLY, 0);
                fd < 0 ? fd : call3(SYS_close, fd, 0, 0);
        }));
}

static void deep_path(void)
{
        char path[64] = "/tmp";

        for (int i = 0; i < 8; i++) {
                strcat(path, "/dir");
                if (mkdir(path, 0755) < 0 && errno != EEXIST)
                        fail("mkdir", errno);
        }
}

static u64 op_deep(long n)
{
        struct stat st;

        CALLS(n, "stat", call3(SYS_stat, (long)"/tmp/dir/dir/dir/dir/dir/dir/dir/dir", (long)&st, 0));
}

/* ---- poll and select ---- */

static struct pollfd polled[200];
static fd_set        set;
static int           top;

static void many(int count)
{
        FD_ZERO(&set);
        for (int i = 0; i < count; i++) {
                int fds[2];

                must("pipe", pipe(fds));
                polled[i] = (struct pollfd){ .fd = fds[0], .events = POLLIN };
                FD_SET(fds[0], &set);
                top = fds[0] + 1;
        }
}

static void many_10(void)  { many(10); }
static void many_200(void) { many(200); }

static u64 poll_n(long n, int count)
{
        CALLS(n, "poll", call3(SYS_poll, (long)polled, count, 0));
}

static u64 op_poll10(long n)  { return poll_n(n, 10); }
static u64 op_poll200(long n) { return poll_n(n, 200); }

static u64 op_select(long n)
{
        CALLS(n, "select", ({
                fd_set         in = set;
                struct timeval none = { 0, 0 };
                register long  r10 __asm__("r10") = 0;
                register long  r8 __asm__("r8") = (long)&none;
                long           r;

                __asm__ volatile("syscall" : "=a"(r) : "a"(SYS_select), "D"(top), "S"(&in), "d"(0), "r"(r10), "r"(r8)
                                 : "rcx", "r11", "memory");
                r;
        }));
}

/* ---- clocks, yield, signals ---- */

static u64 op_clock_vdso(long n)
{
        struct timespec t;

        LOOP(n, clock_gettime(CLOCK_MONOTONIC, &t));
}

static u64 op_clock_call(long n)
{
        struct timespec t;

        CALLS(n, "clock_gettime", call3(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&t, 0));
}

static u64 op_yield(long n)
{
        CALLS(n, "sched_yield", call3(SYS_sched_yield, 0, 0, 0));
}

static volatile long caught;

static void on_signal(int sig)
{
        (void)sig;
        caught++;
}

/* The faulting instruction below is three bytes long. */
static void on_fault(int sig, siginfo_t *info, void *context)
{
        (void)sig, (void)info;
        caught++;
        ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 3;
}

static u64 op_signal_install(long n)
{
        struct sigaction sa = { .sa_handler = on_signal };

        LOOP(n, sigaction(SIGUSR1, &sa, NULL));
}

static void catcher(void)
{
        struct sigaction sa = { .sa_handler = on_signal };

        must("sigaction", sigaction(SIGUSR1, &sa, NULL));
}

static u64 op_signal_catch(long n)
{
        long pid = getpid();

        caught = 0;
        u64 begin = bench_begin();
        for (long i = 0; i < n; i++)
                call3(SYS_kill, pid, SIGUSR1, 0);
        u64 end = bench_end();
        if (caught != n)
                fail("signals lost", EIO);
        return end - begin;
}

static void fault_catcher(void)
{
        struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

        must("sigaction", sigaction(SIGSEGV, &sa, NULL));
}

static u64 op_signal_fault(long n)
{
        char *p = must_map(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

        caught = 0;
        u64 begin = bench_begin();
        for (long i = 0; i < n; i++)
                __asm__ volatile("movb $0, (%0)" : : "a"(p) : "memory");
        u64 end = bench_end();
        munmap(p, PAGE);
        if (caught != n)
                fail("faults lost", EIO);
        return end - begin;
}

/* ---- round trips and context switches ---- */

/* One byte there and back between two processes. */
static u64 echo(long n, int to[2], int from[2])
{
        char  c = 0;
        pid_t pid = must("fork", fork());

        if (pid == 0) {
                for (long i = 0; i < n + 1; i++)
                        if (read(to[0], &c, 1) != 1 || write(from[1], &c, 1) != 1)
                                _exit(1);
                _exit(0);
        }
        must("write", write(to[1], &c, 1));
        must("read", read(from[0], &c, 1));
        u64 begin = bench_begin();
        for (long i = 0; i < n; i++) {
                call3(SYS_write, to[1], (long)&c, 1);
                call3(SYS_read, from[0], (long)&c, 1);
        }
        u64 end = bench_end();
        waitpid(pid, NULL, 0);
        return end - begin;
}

static u64 op_pipe(long n)
{
        int to[2], from[2];

        must("pipe", pipe(to));
        must("pipe", pipe(from));
        u64 t = echo(n, to, from);
        for (int i = 0; i < 2; i++)
                close(to[i]), close(from[i]);
        return t;
}

static u64 op_fifo(long n)
{
        int fds[2];

        for (int i = 0; i < 2; i++) {
                const char *name = i ? "/tmp/fifo1" : "/tmp/fifo0";

                if (mkfifo(name, 0600) < 0 && errno != EEXIST)
                        fail("mkfifo", errno);
                fds[i] = must("open fifo", open(name, O_RDWR));
        }
        u64 t = echo(n, (int[]){ fds[0], fds[0] }, (int[]){ fds[1], fds[1] });
        close(fds[0]);
        close(fds[1]);
        return t;
}

static int ball;        /* whose turn it is: 0 or 1 */

static void futex_turn(int mine)
{
        while (__atomic_load_n(&ball, __ATOMIC_ACQUIRE) != mine)
                call4(SYS_futex, (long)&ball, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, !mine, 0);
}

static void futex_pass(int mine)
{
        __atomic_store_n(&ball, !mine, __ATOMIC_RELEASE);
        call3(SYS_futex, (long)&ball, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1);
}

static void *futex_other(void *arg)
{
        for (long i = *(long *)arg; i; i--) {
                futex_turn(1);
                futex_pass(1);
        }
        return NULL;
}

static u64 op_futex(long n)
{
        pthread_t t;
        long      rounds = n + 1;

        ball = 0;
        must("thread", -pthread_create(&t, NULL, futex_other, &rounds));
        futex_pass(0);
        futex_turn(0);
        u64 begin = bench_begin();
        for (long i = 0; i < n; i++) {
                futex_pass(0);
                futex_turn(0);
        }
        u64 end = bench_end();
        pthread_join(t, NULL);
        return end - begin;
}

/* A token goes around a ring of processes; what the pipe itself costs is subtracted. */
static u64 ring(long n, int count)
{
        int   pipes[18][2];
        pid_t pids[18];
        char  c = 0;

        for (int i = 0; i < count; i++)
                must("pipe", pipe(pipes[i]));
        for (int i = 1; i < count; i++) {
                pids[i] = must("fork", fork());
                if (pids[i])
                        continue;
                for (long k = 0; k < n + 1; k++) {
                        if (read(pipes[i][0], &c, 1) != 1 || write(pipes[(i + 1) % count][1], &c, 1) != 1)
                                _exit(1);
                }
                _exit(0);
        }
        must("write", write(pipes[1 % count][1], &c, 1));
        must("read", read(pipes[0][0], &c, 1));
        u64 begin = bench_begin();
        for (long k = 0; k < n; k++) {
                call3(SYS_write, pipes[1 % count][1], (long)&c, 1);
                call3(SYS_read, pipes[0][0], (long)&c, 1);
        }
        u64 all = bench_end() - begin;
        for (int i = 1; i < count; i++)
                waitpid(pids[i], NULL, 0);
        begin = ticks();
        for (long k = 0; k < n; k++) {
                call3(SYS_write, pipes[0][1], (long)&c, 1);
                call3(SYS_read, pipes[0][0], (long)&c, 1);
        }
        u64 self = ticks() - begin;
        for (int i = 0; i < count; i++)
                close(pipes[i][0]), close(pipes[i][1]);
        return all - self * count;
}

static u64 op_switch2(long n)  { return ring(n, 2); }
static u64 op_switch18(long n) { return ring(n, 18); }

/* ---- processes ---- */

static void *thread_nothing(void *arg)
{
        return arg;
}

static u64 op_thread(long n)
{
        LOOP(n, ({
                pthread_t t;
                must("thread", -pthread_create(&t, NULL, thread_nothing, NULL));
                pthread_join(t, NULL);
        }));
}

static u64 op_fork(long n)
{
        LOOP(n, ({
                pid_t pid = fork();
                if (pid == 0)
                        _exit(0);
                must("fork", pid);
                must("wait", waitpid(pid, NULL, 0));
        }));
}

static void run_and_wait(char **argv, int by_vfork)
{
        int   status = 0;
        pid_t pid = by_vfork ? vfork() : fork();

        if (pid == 0) {
                execv(argv[0], argv);
                _exit(127);
        }
        must("fork", pid);
        must("wait", waitpid(pid, &status, 0));
        if (status)
                fail("exec", ENOENT);
}

static char *run_true[] = { "/bench", "true", NULL };
static char *run_shell[] = { "/bin/busybox", "sh", "-c", "/bench true; exit 0", NULL };

static u64 op_vfork_exec(long n) { LOOP(n, run_and_wait(run_true, 1)); }
static u64 op_fork_exec(long n)  { LOOP(n, run_and_wait(run_true, 0)); }
static u64 op_shell(long n)      { LOOP(n, run_and_wait(run_shell, 0)); }

/* ---- memory ---- */

static void touch_read(char *p, size_t size, size_t step)
{
        for (size_t i = 0; i < size; i += step)
                (void)*(volatile char *)(p + i);
}

static void touch_write(char *p, size_t size)
{
        for (size_t i = 0; i < size; i += PAGE)
                *(volatile char *)(p + i) = 1;
}

static u64 op_map_anon(long n)
{
        LOOP(n, ({
                char *p = must_map(mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
                touch_write(p, 4 * MIB);
                munmap(p, 4 * MIB);
        }));
}

/* Every tenth page, as lmbench does it. */
static u64 op_map_file(long n)
{
        LOOP(n, ({
                char *p = must_map(mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd_a, 0));
                touch_read(p, 4 * MIB, 10 * PAGE);
                munmap(p, 4 * MIB);
        }));
}

/* Faults alone: each round maps 1 MiB (too little for large pages) and touches 256 pages. */
static u64 op_fault_anon(long n)
{
        u64 sum = 0;

        for (long i = 0; i < n; i++) {
                char *p = must_map(mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
                u64   begin = bench_begin();

                touch_write(p, MIB);
                sum += bench_end() - begin;
                munmap(p, MIB);
        }
        return sum;
}

static u64 op_fault_file(long n)
{
        u64 sum = 0;

        for (long i = 0; i < n; i++) {
                char *p = must_map(mmap(NULL, MIB, PROT_READ, MAP_PRIVATE, fd_a, 0));
                u64   begin = bench_begin();

                touch_read(p, MIB, PAGE);
                sum += bench_end() - begin;
                munmap(p, MIB);
        }
        return sum;
}

static u64 op_fault_cow(long n)
{
        char *p = must_map(mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

        touch_write(p, MIB);
        shared->child = 0;
        for (long i = 0; i < n; i++) {
                pid_t pid = must("fork", fork());

                if (pid == 0) {
                        u64 begin = bench_begin();
                        touch_write(p, MIB);
                        shared->child += bench_end() - begin;
                        _exit(0);
                }
                waitpid(pid, NULL, 0);
        }
        munmap(p, MIB);
        return shared->child;
}

/* The middle four of 16 touched pages, read-only and back: two calls a round. */
static u64 op_mprotect(long n)
{
        char *p = must_map(mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        long  bad = 0;

        touch_write(p, 16 * PAGE);
        u64 begin = bench_begin();
        for (long i = 0; i < n; i++) {
                bad |= call3(SYS_mprotect, (long)(p + 6 * PAGE), 4 * PAGE, PROT_READ);
                bad |= call3(SYS_mprotect, (long)(p + 6 * PAGE), 4 * PAGE, PROT_READ | PROT_WRITE);
        }
        u64 end = bench_end();
        must("mprotect", bad);
        munmap(p, 16 * PAGE);
        return end - begin;
}

/* One page more and one less. */
static u64 op_brk(long n)
{
        long at = call3(SYS_brk, 0, 0, 0);

        if (call3(SYS_brk, at + PAGE, 0, 0) != at + (long)PAGE)
                fail("brk", ENOMEM);
        call3(SYS_brk, at, 0, 0);
        LOOP(n, (call3(SYS_brk, at + PAGE, 0, 0), call3(SYS_brk, at, 0, 0)));
}

/* ---- bandwidth: a round is 1 MiB in pieces of 64 KiB ---- */

static u64 stream(long n, int fds[2])
{
        size_t left = n * MIB;
        pid_t pid = must("fork", fork());
        if (pid == 0) {
                close(fds[0]);
                for (size_t done = 0; done < left + CHUNK;) {
                        ssize_t w = write(fds[1], big, CHUNK);

                        if (w <= 0)
                                _exit(1);
                        done += w;
                }
                _exit(0);
        }
        close(fds[1]);
        for (size_t got = 0; got < CHUNK;)
                got += must("read", read(fds[0], big + CHUNK, CHUNK - got));
        u64 begin = bench_begin();
        while (left) {
                long r = call3(SYS_read, fds[0], (long)(big + CHUNK), CHUNK < left ? CHUNK : left);

                if (r <= 0)
                        fail("read", EIO);
                left -= r;
        }
        u64 end = bench_end();
        close(fds[0]);
        waitpid(pid, NULL, 0);
        return end - begin;
}

static u64 op_pipe_bandwidth(long n)
{
        int fds[2];

        must("pipe", pipe(fds));
        return stream(n, fds);
}

static u64 op_unix_bandwidth(long n)
{
        int fds[2];

        must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
        return stream(n, fds);
}

static u64 op_file_read(long n)
{
        LOOP(n, ({
                for (unsigned at = 0; at < MIB; at += CHUNK)
                        call4(SYS_pread64, fd_a, (long)big, CHUNK, at);
        }));
}

static u64 op_file_write(long n)
{
        LOOP(n, ({
                for (unsigned at = 0; at < MIB; at += CHUNK)
                        call4(SYS_pwrite64, fd_a, (long)big, CHUNK, at);
        }));
}

/* ---- files ---- */

static char name_buf[32];

static const char *name_of(long i)
{
        char *p = name_buf + sizeof name_buf - 1;

        do
                *--p = '0' + i % 10;
        while (i /= 10);
        return memcpy(p - 8, "/tmp/d/f", 8);
}

/* Creates and deletes files in batches of 100; measures one of the two. */
static u64 files(long n, size_t size, int deletes)
{
        u64 sum = 0;

        if (mkdir("/tmp/d", 0755) < 0 && errno != EEXIST)
                fail("mkdir", errno);
        for (long done = 0; done < n; done += 100) {
                u64 t0 = deletes ? ticks() : bench_begin();
                for (long i = 0; i < 100; i++) {
                        long fd = call3(SYS_open, (long)name_of(i), O_RDWR | O_CREAT | O_EXCL, 0644);

                        if (fd < 0)
                                fail("create", -fd);
                        if (size)
                                call3(SYS_write, fd, (long)big, size);
                        call3(SYS_close, fd, 0, 0);
                }
                u64 t1 = deletes ? bench_begin() : bench_end();
                for (long i = 0; i < 100; i++)
                        must("unlink", call3(SYS_unlink, (long)name_of(i), 0, 0));
                u64 t2 = deletes ? bench_end() : ticks();
                sum += deletes ? t2 - t1 : t1 - t0;
        }
        return sum * n / ((n + 99) / 100 * 100);
}

static u64 op_create0(long n)  { return files(n, 0, 0); }
static u64 op_delete0(long n)  { return files(n, 0, 1); }
static u64 op_create10(long n) { return files(n, 10240, 0); }
static u64 op_delete10(long n) { return files(n, 10240, 1); }

static u64 op_rename(long n)
{
        int fd = must("create", open("/tmp/from", O_RDWR | O_CREAT, 0644));

        close(fd);
        unlink("/tmp/to");
        CALLS(n, "rename", ({
                long r = call3(SYS_rename, (long)"/tmp/from", (long)"/tmp/to", 0);
                r < 0 ? r : call3(SYS_rename, (long)"/tmp/to", (long)"/tmp/from", 0);
        }));
}

static void thousand(void)
{
        char path[32];

        must("mkdir", mkdir("/tmp/thousand", 0755));
        for (int i = 0; i < 1000; i++) {
                snprintf(path, sizeof path, "/tmp/thousand/entry%d", i);
                close(must("create", open(path, O_CREAT | O_RDWR, 0644)));
        }
        fd_a = must("open", open("/tmp/thousand", O_RDONLY | O_DIRECTORY));
}

static u64 op_readdir(long n)
{
        LOOP(n, ({
                long r;
                call3(SYS_lseek, fd_a, 0, SEEK_SET);
                while ((r = call3(SYS_getdents64, fd_a, (long)big, 32768)) > 0)
                        ;
                must("getdents64", r);
        }));
}

/* ---- the second table: events, sockets, semaphores, queues, timers, terminals ---- */

static int fd_b;

/* `count` eventfds are watched, the last of them is ready. */
static void watch(int count)
{
        fd_b = must("epoll_create1", epoll_create1(0));
        for (int i = 0; i < count; i++) {
                struct epoll_event ev = { .events = EPOLLIN };

                fd_a = must("eventfd", eventfd(i == count - 1, 0));
                must("epoll_ctl", epoll_ctl(fd_b, EPOLL_CTL_ADD, fd_a, &ev));
        }
}

static void watch_1(void)   { watch(1); }
static void watch_200(void) { watch(200); }

static u64 op_epoll_wait(long n)
{
        struct epoll_event got[8];

        CALLS(n, "epoll_wait", call4(SYS_epoll_wait, fd_b, (long)got, 8, -1));
}

static u64 op_epoll_ctl(long n)
{
        struct epoll_event ev = { .events = EPOLLIN };

        must("epoll_ctl", call4(SYS_epoll_ctl, fd_b, EPOLL_CTL_DEL, fd_a, (long)&ev));
        long bad = 0;
        u64  begin = bench_begin();
        for (long i = 0; i < n; i++) {
                bad |= call4(SYS_epoll_ctl, fd_b, EPOLL_CTL_ADD, fd_a, (long)&ev);
                bad |= call4(SYS_epoll_ctl, fd_b, EPOLL_CTL_DEL, fd_a, (long)&ev);
        }
        u64 end = bench_end();
        must("epoll_ctl", bad);
        must("epoll_ctl", call4(SYS_epoll_ctl, fd_b, EPOLL_CTL_ADD, fd_a, (long)&ev));
        return end - begin;
}

static void open_event(void) { fd_a = must("eventfd", eventfd(0, 0)); }

static u64 op_eventfd(long n)
{
        u64 one = 1, got;

        CALLS(n, "eventfd", call3(SYS_write, fd_a, (long)&one, 8) | call3(SYS_read, fd_a, (long)&got, 8));
}

/* A count of one there and back between two processes. */
static u64 op_eventfd_trip(long n)
{
        u64   one = 1;
        int   to = must("eventfd", eventfd(0, 0)), from = must("eventfd", eventfd(0, 0));
        pid_t pid = must("fork", fork());

        if (pid == 0) {
                for (long i = 0; i < n; i++)
                        if (read(to, &one, 8) != 8 || write(from, &one, 8) != 8)
                                _exit(1);
                _exit(0);
        }
        u64 begin = bench_begin();
        for (long i = 0; i < n; i++) {
                call3(SYS_write, to, (long)&one, 8);
                call3(SYS_read, from, (long)&one, 8);
        }
        u64 end = bench_end();
        waitpid(pid, NULL, 0);
        close(to);
        close(from);
        return end - begin;
}

static u64 socket_trip(long n, int type)
{
        int fds[2];

        must("socketpair", socketpair(AF_UNIX, type, 0, fds));
        u64 t = echo(n, (int[]){ fds[1], fds[0] }, (int[]){ fds[0], fds[1] });
        close(fds[0]);
        close(fds[1]);
        return t;
}

static u64 op_unix_stream(long n) { return socket_trip(n, SOCK_STREAM); }
static u64 op_unix_dgram(long n)  { return socket_trip(n, SOCK_DGRAM); }

static u64 op_socketpair(long n)
{
        LOOP(n, ({
                int fds[2];
                must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
                close(fds[0]);
                close(fds[1]);
        }));
}

static long semop_1(int id, int which, int by)
{
        struct sembuf b = { .sem_num = which, .sem_op = by };

        return call3(SYS_semop, id, (long)&b, 1);
}

static u64 op_semop(long n)
{
        int id = must("semget", semget(IPC_PRIVATE, 1, 0600));
        long bad = 0;
        u64  begin = bench_begin();

        for (long i = 0; i < n; i++)
                bad |= semop_1(id, 0, 1) | semop_1(id, 0, -1);
        u64 end = bench_end();
        semctl(id, 0, IPC_RMID);
        must("semop", bad);
        return end - begin;
}

static u64 op_semop_trip(long n)
{
        int   id = must("semget", semget(IPC_PRIVATE, 2, 0600));
        pid_t pid = must("fork", fork());

        if (pid == 0) {
                for (long i = 0; i < n; i++)
                        if (semop_1(id, 0, -1) < 0 || semop_1(id, 1, 1) < 0)
                                _exit(1);
                _exit(0);
        }
        u64 begin = bench_begin();
        for (long i = 0; i < n; i++) {
                semop_1(id, 0, 1);
                semop_1(id, 1, -1);
        }
        u64 end = bench_end();
        waitpid(pid, NULL, 0);
        semctl(id, 0, IPC_RMID);
        return end - begin;
}

/* Futexes in shared memory, between two processes. */
static u64 op_sem_trip(long n)
{
        sem_t *s = must_map(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));

        sem_init(s, 1, 0);
        sem_init(s + 1, 1, 0);
        pid_t pid = must("fork", fork());
        if (pid == 0) {
                for (long i = 0; i < n; i++)
                        sem_wait(s), sem_post(s + 1);
                _exit(0);
        }
        u64 begin = bench_begin();
        for (long i = 0; i < n; i++)
                sem_post(s), sem_wait(s + 1);
        u64 end = bench_end();
        waitpid(pid, NULL, 0);
        munmap(s, PAGE);
        return end - begin;
}

static mqd_t new_queue(const char *name)
{
        struct mq_attr attr = { .mq_maxmsg = 8, .mq_msgsize = 64 };
        mqd_t          q = mq_open(name, O_RDWR | O_CREAT, 0600, &attr);

        must("mq_open", q);
        mq_unlink(name);
        return q;
}

static u64 op_mqueue(long n)
{
        mqd_t q = new_queue("/bench");
        char  c[64] = { 0 };

        LOOP(n, (mq_send(q, c, 1, 0), must("mq_receive", mq_receive(q, c, sizeof c, NULL))));
}

static u64 op_mqueue_trip(long n)
{
        mqd_t to = new_queue("/bench-to"), from = new_queue("/bench-from");
        char  c[64] = { 0 };
        pid_t pid = must("fork", fork());

        if (pid == 0) {
                for (long i = 0; i < n; i++)
                        if (mq_receive(to, c, sizeof c, NULL) < 0 || mq_send(from, c, 1, 0) < 0)
                                _exit(1);
                _exit(0);
        }
        u64 begin = bench_begin();
        for (long i = 0; i < n; i++) {
                mq_send(to, c, 1, 0);
                mq_receive(from, c, sizeof c, NULL);
        }
        u64 end = bench_end();
        waitpid(pid, NULL, 0);
        mq_close(to);
        mq_close(from);
        return end - begin;
}

/* Armed for the next nanosecond: making, arming, the interrupt, taking it, and the end. */
static u64 op_timerfd(long n)
{
        struct itimerspec soon = { .it_value.tv_nsec = 1 };

        CALLS(n, "timerfd", ({
                u64  got;
                long fd = call3(SYS_timerfd_create, CLOCK_MONOTONIC, 0, 0), r = fd;
                if (fd >= 0) {
                        r = call4(SYS_timerfd_settime, fd, 0, (long)&soon, 0) | call3(SYS_read, fd, (long)&got, 8);
                        call3(SYS_close, fd, 0, 0);
                }
                r;
        }));
}

static u64 op_posix_timer(long n)
{
        struct itimerspec soon = { .it_value.tv_nsec = 1 };
        sigset_t          usr1;

        sigemptyset(&usr1);
        sigaddset(&usr1, SIGUSR1);
        sigprocmask(SIG_BLOCK, &usr1, NULL);
        CALLS(n, "timer_create", ({
                /* the kernel's own struct sigevent: value, signal, kind */
                struct { long value; int signo, notify; char rest[48]; } ev = { 0, SIGUSR1, SIGEV_SIGNAL, { 0 } };
                int  id = -1;
                long r = call3(SYS_timer_create, CLOCK_MONOTONIC, (long)&ev, (long)&id);
                if (r >= 0) {
                        r = call4(SYS_timer_settime, id, 0, (long)&soon, 0) |
                            call4(SYS_rt_sigtimedwait, (long)&usr1, 0, 0, 8);
                        call3(SYS_timer_delete, id, 0, 0);
                }
                r;
        }));
}

/* A raw terminal: a byte from the master to a program on the slave, and back. */
static u64 op_pty(long n)
{
        int            unlock = 0, number;
        char           path[32];
        struct termios raw;
        int            master = must("/dev/ptmx", open("/dev/ptmx", O_RDWR | O_NOCTTY));

        must("TIOCSPTLCK", ioctl(master, TIOCSPTLCK, &unlock));
        must("TIOCGPTN", ioctl(master, TIOCGPTN, &number));
        snprintf(path, sizeof path, "/dev/pts/%d", number);
        int slave = must(path, open(path, O_RDWR | O_NOCTTY));
        must("tcgetattr", tcgetattr(slave, &raw));
        cfmakeraw(&raw);
        must("tcsetattr", tcsetattr(slave, TCSANOW, &raw));
        u64 t = echo(n, (int[]){ slave, master }, (int[]){ master, slave });
        close(slave);
        close(master);
        return t;
}

/* ---- the tables ---- */

struct op {
        const char *name, *unit;
        u64       (*run)(long n);
        void      (*prepare)(void);
        double      per_round;          /* units per round, 0 for 1 */
        long        least;              /* rounds at least */
};

static const struct op ops[] = {
        { "null call", "call", op_null, NULL, 0, 0 },
        { "read /dev/zero", "call", op_read, open_zero, 0, 0 },
        { "read /dev/null", "call", op_read, open_null, 0, 0 },
        { "write /dev/zero", "call", op_write, open_zero, 0, 0 },
        { "write /dev/null", "call", op_write, open_null, 0, 0 },
        { "pread page", "call", op_pread, page_file, 0, 0 },
        { "stat", "call", op_stat, page_file, 0, 0 },
        { "fstat", "call", op_fstat, page_file, 0, 0 },
        { "open+close", "pair", op_open_close, page_file, 0, 0 },
        { "path 8 deep", "stat", op_deep, deep_path, 0, 0 },
        { "poll 10", "call", op_poll10, many_10, 0, 0 },
        { "poll 200", "call", op_poll200, many_200, 0, 0 },
        { "select 10", "call", op_select, many_10, 0, 0 },
        { "select 200", "call", op_select, many_200, 0, 0 },
        { "clock vdso", "call", op_clock_vdso, NULL, 0, 0 },
        { "clock call", "call", op_clock_call, NULL, 0, 0 },
        { "sched_yield", "call", op_yield, NULL, 0, 0 },
        { "signal install", "call", op_signal_install, NULL, 0, 0 },
        { "signal catch", "signal", op_signal_catch, catcher, 0, 0 },
        { "signal fault", "fault", op_signal_fault, fault_catcher, 0, 0 },
        { "pipe round trip", "trip", op_pipe, NULL, 0, 0 },
        { "fifo round trip", "trip", op_fifo, NULL, 0, 0 },
        { "futex round trip", "trip", op_futex, NULL, 0, 0 },
        { "switch 2 tasks", "switch", op_switch2, NULL, 2, 0 },
        { "switch 18 tasks", "switch", op_switch18, NULL, 18, 0 },
        { "thread create+join", "thread", op_thread, NULL, 0, 0 },
        { "fork+exit", "process", op_fork, NULL, 0, 10 },
        { "vfork+exec", "process", op_vfork_exec, NULL, 0, 10 },
        { "fork+exec", "process", op_fork_exec, NULL, 0, 10 },
        { "fork+shell", "process", op_shell, NULL, 0, 10 },
        { "mmap 4M anon", "round", op_map_anon, NULL, 0, 3 },
        { "mmap 4M file", "round", op_map_file, mib4_file, 0, 3 },
        { "anon fault", "fault", op_fault_anon, NULL, 256, 3 },
        { "file fault", "fault", op_fault_file, mib_file, 256, 3 },
        { "cow fault", "fault", op_fault_cow, NULL, 256, 3 },
        { "mprotect", "call", op_mprotect, NULL, 2, 0 },
        { "brk", "pair", op_brk, NULL, 0, 0 },
        { "pipe bandwidth", "KiB", op_pipe_bandwidth, NULL, 1024, 2 },
        { "file read", "KiB", op_file_read, mib_file, 1024, 2 },
        { "file write", "KiB", op_file_write, mib_file, 1024, 2 },
        { "create empty", "file", op_create0, NULL, 0, 200 },
        { "delete empty", "file", op_delete0, NULL, 0, 200 },
        { "create 10K", "file", op_create10, NULL, 0, 100 },
        { "delete 10K", "file", op_delete10, NULL, 0, 100 },
        { "rename", "call", op_rename, NULL, 2, 0 },
        { "readdir 1000", "pass", op_readdir, thousand, 0, 3 },
};
#define OPS (sizeof ops / sizeof *ops)

static const struct op ops2[] = {
        { "epoll wait 1", "call", op_epoll_wait, watch_1, 0, 0 },
        { "epoll wait 200", "call", op_epoll_wait, watch_200, 0, 0 },
        { "epoll add+del", "pair", op_epoll_ctl, watch_1, 0, 0 },
        { "eventfd write+read", "pair", op_eventfd, open_event, 0, 0 },
        { "eventfd round trip", "trip", op_eventfd_trip, NULL, 0, 0 },
        { "unix socketpair", "pair", op_socketpair, NULL, 0, 0 },
        { "unix round trip", "trip", op_unix_stream, NULL, 0, 0 },
        { "unix dgram trip", "trip", op_unix_dgram, NULL, 0, 0 },
        { "unix bandwidth", "KiB", op_unix_bandwidth, NULL, 1024, 2 },
        { "semop up+down", "pair", op_semop, NULL, 0, 0 },
        { "semop round trip", "trip", op_semop_trip, NULL, 0, 0 },
        { "POSIX sem trip", "trip", op_sem_trip, NULL, 0, 0 },
        { "mq send+receive", "pair", op_mqueue, NULL, 0, 0 },
        { "mq round trip", "trip", op_mqueue_trip, NULL, 0, 0 },
        { "timerfd fire", "timer", op_timerfd, NULL, 0, 0 },
        { "POSIX timer fire", "timer", op_posix_timer, NULL, 0, 0 },
        { "pty round trip", "trip", op_pty, NULL, 0, 0 },
};
#define OPS2 (sizeof ops2 / sizeof *ops2)

/* ---- counters that user space can read ---- */

static u64 field(const char *text, const char *name)
{
        size_t len = strlen(name);

        for (const char *p = text; p; p = strchr(p, '\n'), p = p ? p + 1 : NULL)
                if (!strncmp(p, name, len) && p[len] == ' ')
                        return strtoull(p + len, NULL, 10);
        return 0;
}

static const char *slurp(const char *path)
{
        static char buf[65536];
        size_t      n = 0;
        ssize_t     r;
        int         fd = open(path, O_RDONLY | O_CLOEXEC);

        while (fd >= 0 && n < sizeof buf - 1 && (r = read(fd, buf + n, sizeof buf - 1 - n)) > 0)
                n += r;
        buf[n] = 0;
        if (fd >= 0)
                close(fd);
        return buf;
}

static void counters(struct shared *c)
{
        struct rusage self = { 0 }, children = { 0 };
        const char   *t;

        getrusage(RUSAGE_SELF, &self);
        getrusage(RUSAGE_CHILDREN, &children);
        c->faults = self.ru_minflt + children.ru_minflt;
        c->switches = self.ru_nvcsw + self.ru_nivcsw + children.ru_nvcsw + children.ru_nivcsw;
        t = slurp("/proc/stat");
        c->stat_ctxt = field(t, "ctxt");
        c->stat_intr = field(t, "intr");
        t = slurp("/proc/vmstat");
        c->vm_fault = field(t, "pgfault");
        c->vm_alloc = field(t, "pgalloc_dma32") + field(t, "pgalloc_normal") + field(t, "pgalloc_dma");
        t = slurp("/proc/keel/counters");
        for (int i = 0; i < KEEL_COUNTERS; i++)
                c->keel[i] = field(t, keel_counter[i]);
}

/* ---- measuring one operation ---- */

static void sync_with_profiler(const char *name)
{
        char c = 0;

        /* Spinning: an idle machine's clock would leap to the alarm. */
        alarm(0);
        fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
        printf("profile\t%s\n", name);
        fflush(stdout);
        while (c != 'g')
                read(0, &c, 1);
        alarm(60);
}

/* In the child: warms up, chooses the rounds, measures. */
static void measure(const struct op *op)
{
        struct shared before = { 0 }, after = { 0 };
        long          rounds = op->least ? op->least : 10, most = 200000;

        alarm(60);
        if (op->prepare)
                op->prepare();
        u64 t = op->run(rounds);
        u64 each = t / rounds + 1;
        long n = budget / each;
        long least = op->least ? op->least : 20;
        n = n < least ? least : n > most ? most : n;
        op->run(n / 4 + 1);             /* warm */
        if (wait_for_profiler)
                sync_with_profiler(op->name);
        counters(&before);
        t = op->run(n);
        counters(&after);
        shared->ticks = t;
        shared->rounds = n;
        shared->per_round = op->per_round ? op->per_round : 1;
        shared->faults = after.faults - before.faults;
        shared->switches = after.switches - before.switches;
        shared->stat_ctxt = after.stat_ctxt - before.stat_ctxt;
        shared->stat_intr = after.stat_intr - before.stat_intr;
        shared->vm_fault = after.vm_fault - before.vm_fault;
        shared->vm_alloc = after.vm_alloc - before.vm_alloc;
        for (int i = 0; i < KEEL_COUNTERS; i++)
                shared->keel[i] = after.keel[i] - before.keel[i];
}

static void print_count(const struct op *op, const char *counter, double value, double units)
{
        if (value > 0)
                printf("count\t%s\t%s\t%.4f\n", op->name, counter, value / units);
}

static void report(const char *table, const struct op *op, int status)
{
        printf("%s\t%s\t%s\t", table, op->name, op->unit);
        if (WIFSIGNALED(status)) {
                printf("failed: signal %d\n", WTERMSIG(status));
        } else if (shared->error == ENOSYS) {
                printf("not yet\n");
        } else if (status || shared->error) {
                printf("failed: %s: %s\n", shared->what, strerror(shared->error));
        } else {
                double units = shared->rounds * shared->per_round;
                double value = (shared->ticks - loop_cost * shared->rounds) / units;

                printf("%.2f\n", value);
                print_count(op, "rounds", shared->rounds, 1);
                print_count(op, "units", units, 1);
                print_count(op, "faults", shared->faults, units);
                print_count(op, "switches", shared->switches, units);
                print_count(op, "stat.ctxt", shared->stat_ctxt, units);
                print_count(op, "stat.intr", shared->stat_intr, units);
                print_count(op, "vmstat.pgfault", shared->vm_fault, units);
                print_count(op, "vmstat.pgalloc", shared->vm_alloc, units);
                for (int i = 0; i < KEEL_COUNTERS; i++) {
                        char name[32];

                        snprintf(name, sizeof name, "keel.%s", keel_counter[i]);
                        print_count(op, name, shared->keel[i], units);
                }
        }
        fflush(stdout);
}

static void run_op(const char *table, const struct op *op)
{
        int status = 0;

        memset(shared, 0, sizeof *shared);
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) {
                measure(op);
                _exit(0);
        }
        if (pid < 0) {
                shared->error = errno;
                status = 1;
        } else {
                while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                        ;
        }
        report(table, op, status);
}

/* `only` is a comma-separated list of names or empty; a blank may be written as an underscore. */
static int wanted(const char *name, const char *only)
{
        char   word[64];
        size_t n;

        if (!*only)
                return 1;
        for (const char *p = only; *p; p += n + (p[n] == ',')) {
                n = strcspn(p, ",");
                snprintf(word, sizeof word, "%.*s", (int)n, p);
                for (char *q = word; *q; q++)
                        *q = *q == '_' && !strstr(name, "_") ? ' ' : *q;
                if (!strcmp(word, name))
                        return 1;
        }
        return 0;
}

static void mode_ops(const char *only)
{
        op_empty(1000);
        loop_cost = op_empty(100000) / 100000.0;
        for (size_t i = 0; i < OPS; i++)
                if (wanted(ops[i].name, only))
                        run_op("op", &ops[i]);
        for (size_t i = 0; i < OPS2; i++)
                if (wanted(ops2[i].name, only))
                        run_op("op2", &ops2[i]);
}

/* ---- two CPUs against one ---- */

struct worker {
        int       cpu;
        u64     (*run)(long n);
        long      n;
        pthread_t thread;
};
static volatile int go;

static void pin(int cpu)
{
        cpu_set_t one;

        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        sched_setaffinity(0, sizeof one, &one);
}

static void *worker_main(void *arg)
{
        struct worker *w = arg;

        pin(w->cpu);
        w->run(w->n / 8 + 1);
        __atomic_fetch_add(&go, 1, __ATOMIC_ACQ_REL);
        while (__atomic_load_n(&go, __ATOMIC_ACQUIRE) < 100)
                sched_yield();
        w->run(w->n);
        return NULL;
}

static double now(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return t.tv_sec + t.tv_nsec * 1e-9;
}

/* What the measured stretch makes the CPUs send to each other and wait for. Linux counts the interrupts where they arrive,
 * and no waits for locks. */
struct traffic {
        u64 ipis, waits;
};
static struct traffic traffic;

/* The sum over the CPUs of a row of /proc/interrupts. */
static u64 interrupts(const char *text, const char *row)
{
        const char *p = strstr(text, row);
        u64         sum = 0;

        if (!p)
                return 0;
        for (p += strlen(row);;) {
                char *end;
                u64   v = strtoull(p, &end, 10);

                if (end == p)
                        return sum;
                sum += v;
                p = end;
        }
}

static struct traffic traffic_now(void)
{
        const char *t = slurp("/proc/keel/counters");

        if (*t)
                return (struct traffic){ field(t, "resched_ipis") + field(t, "tlb_ipis"),
                                         field(t, "spin_waits") + field(t, "lock_waits") };
        t = slurp("/proc/interrupts");
        return (struct traffic){ interrupts(t, "RES:") + interrupts(t, "CAL:"), 0 };
}

static void traffic_since(struct traffic before)
{
        traffic = traffic_now();
        traffic.ipis -= before.ipis;
        traffic.waits -= before.waits;
}

/* Seconds that `count` threads of this process take for n rounds each. */
static double threads_take(int count, u64 (*run)(long), long n)
{
        struct worker w[2];

        go = 0;
        for (int i = 0; i < count; i++) {
                w[i] = (struct worker){ .cpu = i, .run = run, .n = n };
                must("thread", -pthread_create(&w[i].thread, NULL, worker_main, &w[i]));
        }
        while (__atomic_load_n(&go, __ATOMIC_ACQUIRE) < count)
                sched_yield();
        struct traffic before = traffic_now();
        double begin = now();
        __atomic_store_n(&go, 100, __ATOMIC_RELEASE);
        for (int i = 0; i < count; i++)
                pthread_join(w[i].thread, NULL);
        double end = now();
        traffic_since(before);
        return end - begin;
}

/* The same with processes: pairs that talk through pipes, each pair on one CPU. */
static double processes_take(int count, u64 (*run)(long), long n)
{
        struct traffic before = traffic_now();
        pid_t  pids[2];
        double begin = now();

        for (int i = 0; i < count; i++) {
                pids[i] = must("fork", fork());
                if (pids[i] == 0) {
                        pin(i);
                        run(n);
                        _exit(0);
                }
        }
        for (int i = 0; i < count; i++)
                waitpid(pids[i], NULL, 0);
        double end = now();
        traffic_since(before);
        return end - begin;
}

/* open and close of a file of the thread's own */
static u64 op_open_own(long n)
{
        char path[32];

        snprintf(path, sizeof path, "/tmp/own%d", (int)syscall(SYS_gettid));
        close(must(path, open(path, O_CREAT | O_RDWR, 0644)));
        CALLS(n, "open", ({
                long fd = call3(SYS_open, (long)path, O_RDONLY, 0);
                fd < 0 ? fd : call3(SYS_close, fd, 0, 0);
        }));
}

static u64 op_map_small(long n)
{
        LOOP(n, ({
                char *p = must_map(mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
                touch_write(p, 16 * PAGE);
                munmap(p, 16 * PAGE);
        }));
}

static void mode_smp(void)
{
        static const struct {
                const char *name;
                u64       (*run)(long);
                long        n;
                double    (*take)(int, u64 (*)(long), long);
                int         per_round;
        } all[] = {
                { "null call", op_null, 400000, threads_take, 1 },
                { "page faults", op_fault_anon, 80, threads_take, 256 },
                { "mmap/munmap", op_map_small, 1000, threads_take, 1 },
                { "file opens", op_open_own, 20000, threads_take, 1 },
                { "pipe pairs", op_pipe, 4000, processes_take, 1 },
        };

        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
                fflush(stdout);
                pid_t pid = fork();

                if (pid == 0) {
                        alarm(300);
                        double one = all[i].take(1, all[i].run, all[i].n);
                        double two = all[i].take(2, all[i].run, all[i].n);
                        double done = 2.0 * all[i].n * all[i].per_round;
                        printf("smp\t%s\t%.6f\t%.6f\n", all[i].name, one, two);
                        printf("smpcount\t%s\tipis\t%.4f\n", all[i].name, traffic.ipis / done);
                        printf("smpcount\t%s\twaits\t%.4f\n", all[i].name, traffic.waits / done);
                        fflush(stdout);
                        _exit(0);
                }
                int st = 0;
                waitpid(pid, &st, 0);
                if (st) {
                        printf("smp\t%s\tfailed: %s: %s\n", all[i].name, shared->what, strerror(shared->error));
                        memset(shared, 0, sizeof *shared);
                }
        }
}

/* ---- real programs ---- */

static void shell(const char *script)
{
        static char *argv[] = { "/bin/sh", "-c", NULL, NULL };

        argv[2] = (char *)script;
        if (execv(argv[0], argv))
                _exit(127);
}

static void mode_real(const char *only)
{
        static const struct { const char *name, *prepare, *run; } all[] = {
                { "shell pipelines", ":",
                  "cd /tmp; i=0; while [ $i -lt 25 ]; do"
                  " echo \"b a $i\" | tr ' ' '\\n' | sort | sed s/a/c/ | wc -l > out;"
                  " cat out | grep 3 | cut -c1 > /dev/null; i=$((i+1)); done" },
                { "awk 10 MB", "awk 'BEGIN { for (i = 0; i < 250000; i++)"
                  " printf \"%08d the quick brown fox, %05d\\n\", i, i * 7 % 99991 }' > /tmp/text",
                  "awk '{ n[substr($6, 1, 3)]++; s += $6 } END { for (k in n) c++; print c, s }' /tmp/text > /tmp/out" },
                { "gzip+gunzip 10 MB", "test -s /tmp/text || awk 'BEGIN { for (i = 0; i < 250000; i++)"
                  " printf \"%08d the quick brown fox, %05d\\n\", i, i * 7 % 99991 }' > /tmp/text",
                  "gzip -c /tmp/text > /tmp/text.gz && gunzip -c /tmp/text.gz | cmp - /tmp/text" },
        };

        setenv("PATH", "/usr/bin:/bin:/usr/sbin:/sbin", 1);
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
                int st = 0;
                u64 begin = 0;

                if (!wanted(all[i].name, only))
                        continue;
                for (int k = 0; k < 2; k++) {
                        fflush(stdout);
                        begin = ticks();
                        pid_t pid = fork();
                        if (pid == 0)
                                shell(k ? all[i].run : all[i].prepare);
                        while (waitpid(pid, &st, 0) != pid)
                                ;
                        if (st)
                                break;
                }
                if (st)
                        printf("op\t%s\trun\tfailed: status %d\n", all[i].name, st);
                else
                        printf("op\t%s\trun\t%lu\n", all[i].name, ticks() - begin);
        }
}

/* ---- memory, symbols ---- */

static void mode_memory(void)
{
        fflush(stdout);
        pid_t pid = fork();

        if (pid == 0) {
                execl("/bin/busybox", "sh", "-c", "while read -r l; do echo \"memory $l\"; done < /proc/meminfo", NULL);
                _exit(127);
        }
        waitpid(pid, NULL, 0);
}

/* The kernel's functions, for the profiler: address and name. */
static void mode_symbols(void)
{
        FILE *f = fopen("/proc/kallsyms", "r");
        char  line[512], type, name[256];
        u64   at;

        while (f && fgets(line, sizeof line, f))
                if (sscanf(line, "%lx %c %255s", &at, &type, name) == 3 && (type | 32) == 't')
                        printf("sym\t%lx\t%s\n", at, name);
}

/* ---- process 1 ---- */

static const char *word(const char *line, const char *name, char *out, size_t size)
{
        const char *p = strstr(line, name);

        if (!p)
                return "";
        p += strlen(name);
        snprintf(out, size, "%.*s", (int)strcspn(p, " \n"), p);
        return out;
}

static void set_up(void)
{
        mkdir("/proc", 0555);
        mkdir("/dev", 0755);
        mkdir("/tmp", 0777);
        mount("proc", "/proc", "proc", 0, NULL);
        mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
        mkdir("/dev/pts", 0755);
        mount("devpts", "/dev/pts", "devpts", 0, "ptmxmode=0666");
        if (mount("tmpfs", "/tmp", "tmpfs", 0, "size=200m") < 0)
                printf("note\ttmpfs: %s\n", strerror(errno));
        int fd = open("/dev/console", O_RDWR);
        if (fd >= 0)
                for (int i = 0; i < 3; i++)
                        dup2(fd, i);
        if (fd > 2)
                close(fd);
}

int main(int argc, char **argv)
{
        static char line[4096], mode_buf[64], only_buf[1024], number[32];
        const char *mode = argc > 1 ? argv[1] : "ops", *only = argc > 2 ? argv[2] : "";

        if (!strcmp(mode, "true"))
                return 0;
        if (getpid() == 1) {
                set_up();
                snprintf(line, sizeof line, "%s", slurp("/proc/cmdline"));
                mode = word(line, "bench.mode=", mode_buf, sizeof mode_buf);
                only = word(line, "bench.only=", only_buf, sizeof only_buf);
                if (*word(line, "bench.budget=", number, sizeof number))
                        budget = strtoull(number, NULL, 10);
        }
        printf("boot\t%lu\n", first_tick);
        shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (shared == MAP_FAILED) {
                printf("note\tshared memory: %s\n", strerror(errno));
        } else if (!strcmp(mode, "ops")) {
                mode_ops(only);
        } else if (!strcmp(mode, "profile")) {
                wait_for_profiler = 1;
                mode_ops(only);
        } else if (!strcmp(mode, "smp")) {
                mode_smp();
        } else if (!strcmp(mode, "real")) {
                mode_real(only);
        } else if (!strcmp(mode, "memory")) {
                mode_memory();
        } else if (!strcmp(mode, "symbols")) {
                mode_symbols();
        }
        printf("end\n");
        fflush(stdout);
        if (getpid() != 1)
                return 0;
        tcdrain(1);
        sync();
        reboot(RB_POWER_OFF);
        for (;;)
                pause();
}
