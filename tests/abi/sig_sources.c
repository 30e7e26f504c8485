/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: siginfo by source: each field of what kill, tgkill, sigqueue, timers, message queues, I/O, children, faults and limits
 * send; what rt_sigqueueinfo lets one forge.
 */
#include "show.h"
#include <mqueue.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/socket.h>

static volatile sig_atomic_t got;
static siginfo_t info;
static uintptr_t rip;

#include <ucontext.h>
static void handler(int sig, siginfo_t *si, void *context)
{
        ucontext_t *uc = context;
        info = *si;
        rip = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
        got = sig;
}

static void take(int sig)
{
        struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
        got = 0;
        memset(&info, 0x55, sizeof info);
        sigaction(sig, &sa, NULL);
}

static void come(void)
{
        for (int i = 0; i < 1000 && !got; i++)
                sleep_ms(2);
}

static const char *whose(pid_t pid, pid_t child)
{
        return pid == getpid() ? "self" : pid == getppid() ? "parent" : pid == 0 ? "0" : pid == child ? "child" : "other";
}

/* The bytes of a siginfo after `from` are zero. */
static int rest(unsigned from)
{
        const unsigned char *p = (const unsigned char *)&info;
        for (unsigned i = from; i < sizeof info; i++)
                if (p[i])
                        return (int)i;
        return 0;
}

static void kill_like(const char *title, pid_t child)
{
        come();
        say("%s: signo %d errno %d code %d pid %s uid %d value %llx rest %d\n", title, info.si_signo, info.si_errno, info.si_code,
            whose(info.si_pid, child), info.si_uid, (long long)info.si_value.sival_ptr, rest(32));
}

static void child_like(const char *title, pid_t child)
{
        come();
        say("%s: signo %d errno %d code %d pid %s uid %d status %d rest %d\n", title, info.si_signo, info.si_errno, info.si_code,
            whose(info.si_pid, child), info.si_uid, info.si_status, rest(48));
}

static void io_like(const char *title, int fd)
{
        come();
        say("%s: signo %d errno %d code %d band %lx fd %s rest %d\n", title, info.si_signo, info.si_errno, info.si_code, info.si_band,
            info.si_fd == fd ? "it" : info.si_fd == 0 ? "0" : "other", rest(32));
}

static void fault_like(const char *title, uintptr_t addr)
{
        say("%s: signo %d errno %d code %d addr %s at rip %d\n", title, info.si_signo, info.si_errno, info.si_code,
            (uintptr_t)info.si_addr == addr ? "it" : info.si_addr == 0 ? "0" : "other", (uintptr_t)info.si_addr == rip);
}

static void sent(void)
{
        union sigval v = { .sival_ptr = (void *)0x123456789abcdef };
        pid_t pid;

        take(SIGUSR1);
        kill(getpid(), SIGUSR1);
        kill_like("kill", 0);
        take(SIGUSR1);
        raise(SIGUSR1);
        kill_like("raise", 0);
        take(SIGUSR1);
        syscall(SYS_tkill, getpid(), SIGUSR1);
        kill_like("tkill", 0);
        take(SIGRTMIN + 1);
        syscall(SYS_tgkill, getpid(), getpid(), SIGRTMIN + 1);
        kill_like("tgkill real-time", 0);
        take(SIGRTMIN + 1);
        kill(getpid(), SIGRTMIN + 1);
        kill_like("kill real-time", 0);
        take(SIGUSR1);
        sigqueue(getpid(), SIGUSR1, v);
        kill_like("sigqueue", 0);
        take(SIGRTMIN);
        sigqueue(getpid(), SIGRTMIN, v);
        kill_like("sigqueue real-time", 0);
        take(SIGRTMIN);
        queue_here(SIGRTMIN, v);
        kill_like("pthread_sigqueue", 0);
        take(SIGUSR1);
        pid = fork();
        if (pid == 0) {
                become_user(0);
                setresuid(500, 0, 0);
                kill(getppid(), SIGUSR1);
                _exit(0);
        }
        result_of(pid);
        kill_like("kill by a child of another real uid", pid);
        take(SIGUSR1);
        pid = fork();
        if (pid == 0) {
                kill(0, SIGUSR1);
                _exit(0);
        }
        result_of(pid);
        kill_like("kill of the group", pid);

        /* Forged. */
        static const int codes[] = { SI_QUEUE, SI_USER, SI_TKILL, SI_KERNEL, SI_TIMER, SI_MESGQ, SI_ASYNCIO, SI_SIGIO, -60, -100, 1, 5 };
        for (unsigned i = 0; i < sizeof codes / sizeof *codes; i++) {
                siginfo_t f = { .si_signo = 77, .si_errno = 9, .si_code = codes[i] };
                char title[64];
                f.si_pid = 12345;
                f.si_uid = 678;
                f.si_value = v;
                take(SIGUSR2);
                snprintf(title, sizeof title, "forged %d to oneself", codes[i]);
                SHOW(title, syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR2, &f));
                if (got)
                        say("  signo %d errno %d code %d pid %d uid %d value %llx\n", info.si_signo, info.si_errno, info.si_code, info.si_pid, info.si_uid, (long long)info.si_value.sival_ptr);
                take(SIGUSR2);
                SHOW("  to the thread", syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGUSR2, &f));
                pid = fork();
                if (pid == 0) {
                        SHOW("  to another", syscall(SYS_rt_sigqueueinfo, getppid(), 0, &f));
                        SHOW("  to another's thread", syscall(SYS_rt_tgsigqueueinfo, getppid(), getppid(), 0, &f));
                        _exit(0);
                }
                result_of(pid);
        }
        siginfo_t f = { .si_code = SI_QUEUE };
        SHOW("signal 65", syscall(SYS_rt_sigqueueinfo, getpid(), 65, &f));
        SHOW("signal -1", syscall(SYS_rt_sigqueueinfo, getpid(), -1, &f));
        SHOW("bad pointer", syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR2, BAD_PTR));
        SHOW("no such process", syscall(SYS_rt_sigqueueinfo, 999999, SIGUSR2, &f));
        SHOW("pid 0", syscall(SYS_rt_sigqueueinfo, 0, SIGUSR2, &f));
        SHOW("tgid 0", syscall(SYS_rt_tgsigqueueinfo, 0, getpid(), SIGUSR2, &f));
        SHOW("tid 0", syscall(SYS_rt_tgsigqueueinfo, getpid(), 0, SIGUSR2, &f));
        SHOW("another's tid", syscall(SYS_rt_tgsigqueueinfo, getpid(), 1, SIGUSR2, &f));
        SHOW("tgkill tgid 0", syscall(SYS_tgkill, 0, getpid(), 0));
        SHOW("tgkill tid -1", syscall(SYS_tgkill, getpid(), -1, 0));
        SHOW("tkill 0", syscall(SYS_tkill, 0, 0));
}

static void timers(void)
{
        timer_t t;
        struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 3, .sigev_value.sival_int = 42 };
        struct itimerspec once = { .it_value = { 0, 5000000 } };
        struct itimerval old = { .it_value = { 0, 5000 } };

        take(SIGRTMIN + 3);
        timer_create(CLOCK_MONOTONIC, &e, &t);
        timer_settime(t, 0, &once, NULL);
        come();
        say("timer: signo %d errno %d code %d overrun %d value %d rest %d\n", info.si_signo, info.si_errno, info.si_code, info.si_overrun, info.si_int, rest(32));
        timer_delete(t);
        take(SIGALRM);
        timer_create(CLOCK_MONOTONIC, NULL, &t);
        timer_settime(t, 0, &once, NULL);
        come();
        say("timer by default: signo %d code %d value is the id %d\n", info.si_signo, info.si_code, info.si_int == (int)(intptr_t)t);
        timer_delete(t);
        take(SIGALRM);
        setitimer(ITIMER_REAL, &old, NULL);
        kill_like("setitimer", 0);
        take(SIGVTALRM);
        setitimer(ITIMER_VIRTUAL, &old, NULL);
        while (!got)
                ;
        kill_like("virtual", 0);
        take(SIGPROF);
        setitimer(ITIMER_PROF, &old, NULL);
        while (!got)
                ;
        kill_like("prof", 0);
}

static void queues(void)
{
        struct mq_attr a = { .mq_maxmsg = 2, .mq_msgsize = 8 };
        struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 99 };
        mqd_t q = mq_open("/sources", O_CREAT | O_RDWR, 0600, &a);

        mq_unlink("/sources");
        take(SIGUSR1);
        mq_notify(q, &e);
        pid_t pid = fork();
        if (pid == 0) {
                setresuid(500, 500, 500);
                mq_send(q, "x", 1, 0);
                _exit(0);
        }
        result_of(pid);
        kill_like("message queue", pid);
}

static void io(void)
{
        int p[2], s[2];
        char c;

        pipe(p);
        socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        fcntl(p[0], F_SETOWN, getpid());
        fcntl(p[0], F_SETFL, O_ASYNC);
        take(SIGIO);
        write(p[1], "x", 1);
        io_like("SIGIO", p[0]);
        read(p[0], &c, 1);
        fcntl(p[0], F_SETSIG, SIGIO);
        take(SIGIO);
        write(p[1], "x", 1);
        io_like("F_SETSIG SIGIO", p[0]);
        read(p[0], &c, 1);
        fcntl(p[0], F_SETSIG, SIGRTMIN + 4);
        take(SIGRTMIN + 4);
        write(p[1], "x", 1);
        io_like("F_SETSIG", p[0]);
        fcntl(s[0], F_SETOWN, getpid());
        fcntl(s[0], F_SETSIG, SIGRTMIN + 4);
        fcntl(s[0], F_SETFL, O_ASYNC);
        take(SIGRTMIN + 4);
        write(s[1], "x", 1);
        io_like("socket readable", s[0]);
        read(s[0], &c, 1);
        take(SIGRTMIN + 4);
        close(p[1]);
        sleep_ms(20);
        say("the writer is gone: %s\n", got ? "a signal" : "none");
        if (got)
                io_like("writer gone", p[0]);
        take(SIGRTMIN + 4);
        shutdown(s[1], SHUT_WR);
        sleep_ms(20);
        if (got)
                io_like("shut down", s[0]);
        take(SIGPIPE);
        close(p[0]);
        pipe(p);
        close(p[0]);
        write(p[1], "x", 1);
        kill_like("SIGPIPE", 0);
}

static void children(void)
{
        pid_t pid;
        struct rlimit core = { 0, RLIM_INFINITY };

        setrlimit(RLIMIT_CORE, &core);
        take(SIGCHLD);
        if ((pid = fork()) == 0)
                _exit(200);
        child_like("exited", pid);
        waitpid(pid, NULL, 0);
        take(SIGCHLD);
        if ((pid = fork()) == 0) {
                setresuid(500, 600, 700);
                _exit(1);
        }
        child_like("of another user", pid);
        waitpid(pid, NULL, 0);
        take(SIGCHLD);
        if ((pid = fork()) == 0)
                raise(SIGTERM);
        child_like("killed", pid);
        waitpid(pid, NULL, 0);
        take(SIGCHLD);
        if ((pid = fork()) == 0)
                raise(SIGQUIT);
        child_like("killed, no core", pid);
        waitpid(pid, NULL, 0);
        core.rlim_cur = RLIM_INFINITY;
        setrlimit(RLIMIT_CORE, &core);
        take(SIGCHLD);
        if ((pid = fork()) == 0) {
                signal(SIGABRT, SIG_DFL);
                abort();
        }
        child_like("dumped", pid);
        waitpid(pid, NULL, 0);
        unlink("core");
        take(SIGCHLD);
        if ((pid = fork()) == 0)
                for (;;)
                        pause();
        setpgid(pid, 0);
        kill(pid, SIGSTOP);
        child_like("stopped", pid);
        take(SIGCHLD);
        kill(pid, SIGCONT);
        child_like("continued", pid);
        take(SIGCHLD);
        kill(pid, SIGKILL);
        child_like("SIGKILL", pid);
        waitpid(pid, NULL, 0);
        take(SIGUSR2);
        pid = (pid_t)syscall(SYS_clone, SIGUSR2, 0, 0, 0, 0);
        if (pid == 0)
                _exit(7);
        child_like("another exit signal", pid);
        waitpid(pid, NULL, __WALL);
        /* Death of the parent. */
        int p[2];
        pipe(p);
        if ((pid = fork()) == 0) {
                pid_t mine = getpid();
                if (fork() == 0) {
                        take(SIGUSR1);
                        prctl(PR_SET_PDEATHSIG, SIGUSR1);
                        write(p[1], "x", 1);
                        come();
                        say("death signal: signo %d errno %d code %d pid %s uid %d rest %d\n", info.si_signo, info.si_errno, info.si_code,
                            info.si_pid == mine ? "parent" : whose(info.si_pid, 0), info.si_uid, rest(24));
                        _exit(0);
                }
                char c;
                read(p[0], &c, 1);
                _exit(0);
        }
        waitpid(pid, NULL, 0);
        close(p[1]);
        char c;
        read(p[0], &c, 1);
        sleep_ms(30);
}

static void fault(const char *title, int sig, void (*fn)(void), uintptr_t addr)
{
        pid_t pid = fork();
        if (pid == 0) {
                struct sigaction sa = { .sa_flags = SA_SIGINFO | SA_RESETHAND };
                void over(int s, siginfo_t *si, void *c);
                sa.sa_sigaction = over;
                (void)sig;
                for (int s = 1; s < 32; s++)
                        if (s != SIGKILL && s != SIGSTOP)
                                sigaction(s, &sa, NULL);
                extern const char *volatile fault_title;
                extern volatile uintptr_t fault_addr;
                fault_title = title;
                fault_addr = addr;
                fn();
                say("%s: nothing\n", title);
                _exit(0);
        }
        int r = result_of(pid);
        if (r)
                say("%s: ends %d\n", title, r);
}
const char *volatile fault_title;
volatile uintptr_t fault_addr;
void over(int s, siginfo_t *si, void *c)
{
        handler(s, si, c);
        ucontext_t *uc = c;
        fault_like(fault_title, fault_addr);
        say("  trapno %lld err %llx cr2 %s\n", (long long)uc->uc_mcontext.gregs[REG_TRAPNO], (long long)uc->uc_mcontext.gregs[REG_ERR],
            (uintptr_t)uc->uc_mcontext.gregs[REG_CR2] == fault_addr ? "it" : uc->uc_mcontext.gregs[REG_CR2] ? "other" : "0");
        _exit(0);
}

static char *none, *readonly, *touched, *beyond;
static void f_unmapped(void) { *(volatile char *)BAD_PTR = 1; }
static void f_read(void) { (void)*(volatile char *)BAD_PTR; }
static void f_none(void) { *(volatile char *)(none + 5) = 1; }
static void f_readonly(void) { *(volatile char *)(readonly + 7) = 1; }
static void f_exec(void) { ((void (*)(void))(uintptr_t)(touched + 16))(); }
static void f_jump(void) { ((void (*)(void))bad_ptr)(); }
static void f_kernel(void) { (void)*(volatile char *)0xffff888000000000ul; }
static void f_noncanonical(void) { (void)*(volatile char *)0x1234000000000000ul; }
static void f_beyond(void) { (void)*(volatile char *)(beyond + PAGE + 3); }
static void f_divide(void) { volatile int z = 0; asm volatile("xorl %%edx, %%edx; movl $5, %%eax; divl %0" :: "r"(z) : "eax", "edx"); }
static void f_overflow(void) { asm volatile("movl $0x80000000, %%eax; cltd; movl $-1, %%ecx; idivl %%ecx" ::: "eax", "ecx", "edx"); }
static void f_ud2(void) { asm volatile("ud2"); }
static void f_int3(void) { asm volatile("int3"); }
static void f_int1(void) { asm volatile(".byte 0xf1"); }
static void f_hlt(void) { asm volatile("hlt"); }
static void f_cli(void) { asm volatile("cli"); }
static void f_int(void) { asm volatile("int $0x55"); }
static void f_step(void) { asm volatile("pushfq; orl $0x100, (%rsp); popfq; nop; nop"); }
static void f_in(void) { unsigned char v; asm volatile("inb $0x60, %0" : "=a"(v)); }
static void f_segment(void) { asm volatile("movw %%ax, %%ds" :: "a"(0x1233)); }
static void f_sse(void)
{
        unsigned csr = 0x1f80 & ~(1 << 9);
        volatile double zero = 0, one = 1;
        asm volatile("ldmxcsr %0; movsd %1, %%xmm0; divsd %2, %%xmm0" :: "m"(csr), "m"(one), "m"(zero) : "xmm0");
}
static void f_sse_invalid(void)
{
        unsigned csr = 0x1f80 & ~(1 << 7);
        volatile double zero = 0;
        asm volatile("ldmxcsr %0; movsd %1, %%xmm0; divsd %1, %%xmm0" :: "m"(csr), "m"(zero) : "xmm0");
}
static void f_x87(void)
{
        unsigned short cw = 0x37f & ~(1 << 2);
        asm volatile("fldcw %0; fldz; fld1; fdivp; fwait" :: "m"(cw));
}

static void faults(void)
{
        int fd = open("short", O_RDWR | O_CREAT | O_TRUNC, 0600);
        write(fd, "x", 1);
        none = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        readonly = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        touched = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        (void)*(volatile char *)touched;
        beyond = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
        fault("write to nothing", SIGSEGV, f_unmapped, 8);
        fault("read from nothing", SIGSEGV, f_read, 8);
        fault("PROT_NONE", SIGSEGV, f_none, (uintptr_t)none + 5);
        fault("read only", SIGSEGV, f_readonly, (uintptr_t)readonly + 7);
        fault("not executable", SIGSEGV, f_exec, (uintptr_t)touched + 16);
        fault("jump to nothing", SIGSEGV, f_jump, 8);
        fault("kernel address", SIGSEGV, f_kernel, 0xffff888000000000ul);
        fault("non-canonical", SIGSEGV, f_noncanonical, 0x1234000000000000ul);
        fault("beyond the end", SIGBUS, f_beyond, (uintptr_t)beyond + PAGE + 3);
        fault("division by zero", SIGFPE, f_divide, 1);
        fault("overflow of division", SIGFPE, f_overflow, 1);
        fault("ud2", SIGILL, f_ud2, 1);
        fault("int3", SIGTRAP, f_int3, 1);
        fault("int1", SIGTRAP, f_int1, 1);
        fault("hlt", SIGSEGV, f_hlt, 1);
        fault("cli", SIGSEGV, f_cli, 1);
        fault("int $0x55", SIGSEGV, f_int, 1);
        fault("single step", SIGTRAP, f_step, 1);
        fault("in", SIGSEGV, f_in, 1);
        fault("a bad segment", SIGSEGV, f_segment, 1);
        fault("SSE division by zero", SIGFPE, f_sse, 1);
        fault("SSE invalid", SIGFPE, f_sse_invalid, 1);
        fault("x87 division by zero", SIGFPE, f_x87, 1);
}

static void limits(void)
{
        struct rlimit r = { 4096, RLIM_INFINITY };

        setrlimit(RLIMIT_FSIZE, &r);
        int fd = open("big", O_RDWR | O_CREAT | O_TRUNC, 0600);
        take(SIGXFSZ);
        pwrite(fd, "x", 1, 5000);
        kill_like("SIGXFSZ", 0);
        r.rlim_cur = RLIM_INFINITY;
        setrlimit(RLIMIT_FSIZE, &r);
}

int main(void)
{
        setpgid(0, 0);
        sent();
        timers();
        queues();
        io();
        children();
        faults();
        limits();
        CHECK("to the end", 1);
        return done();
}
