/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: prctl(PR_SET_SYSCALL_USER_DISPATCH): system calls become SIGSYS, as a byte of the program says, but for those of a range.
 */
#include "abi.h"
#include <linux/audit.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <ucontext.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif
#define OFF   0
#define ON    1
#define ALLOW 0
#define BLOCK 1

static volatile char sel;
static volatile int seen;
static siginfo_t info;
static greg_t regs[NGREG];
static long answer;

static long dispatch(long mode, unsigned long from, unsigned long len, volatile char *byte)
{ return syscall(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, mode, from, len, byte); }

/* One call, at a place of its own: it returns to after_call. */
extern char after_call[];
__attribute__((noinline, noclone)) static long call(long nr, long a, long b, long c)
{
        long r;

        __asm__ volatile ("syscall\n.globl after_call\nafter_call:" : "=a"(r) : "0"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
        return r;
}

static void on_sigsys(int sig, siginfo_t *i, void *context)
{
        ucontext_t *u = context;

        sel = ALLOW;
        (void)sig;
        seen++;
        info = *i;
        memcpy(regs, u->uc_mcontext.gregs, sizeof regs);
        if (answer)
                u->uc_mcontext.gregs[REG_RAX] = answer;
}

/* A call while others are blocked. */
static long blocked(long nr, long a, long b, long c)
{
        seen = 0;
        sel = BLOCK;
        long r = call(nr, a, b, c);
        sel = ALLOW;
        return r;
}

static void arguments(void)
{
        FAILS("no such mode", EINVAL, dispatch(2, 0, 0, NULL));
        FAILS("off with a start", EINVAL, dispatch(OFF, 1, 0, NULL));
        FAILS("off with a length", EINVAL, dispatch(OFF, 0, 1, NULL));
        FAILS("off with a byte", EINVAL, dispatch(OFF, 0, 0, &sel));
        OKAY("off", dispatch(OFF, 0, 0, NULL));
        FAILS("a range that wraps", EINVAL, dispatch(ON, -4096ul, 8192, &sel));
        FAILS("a start without a length", EINVAL, dispatch(ON, 4096, 0, &sel));
        FAILS("a byte of the kernel's", EFAULT, dispatch(ON, 0, 0, (char *)-4096));
        OKAY("a length from zero on", dispatch(ON, 0, 4096, &sel));
        OKAY("off again", dispatch(OFF, 0, 0, NULL));
}

static int signals(void)
{
        OKAY("on", dispatch(ON, 0, 0, &sel));
        CHECK("an allowed call", call(SYS_getppid, 0, 0, 0) > 0 && seen == 0);
        answer = 0;
        long r = blocked(SYS_dup, 1, 22, 33);
        CHECK("a blocked call", seen == 1);
        CHECK("the signal", info.si_signo == SIGSYS && info.si_code == 2 && info.si_errno == 0);
        CHECK("the call's number", info.si_syscall == SYS_dup);
        CHECK("the architecture", info.si_arch == AUDIT_ARCH_X86_64);
        CHECK("the address is behind the instruction", info.si_call_addr == after_call);
        CHECK("and so is rip", regs[REG_RIP] == (greg_t)after_call);
        CHECK("rax is the number", regs[REG_RAX] == SYS_dup);
        CHECK("and what the call seems to return", r == SYS_dup);
        CHECK("arguments", regs[REG_RDI] == 1 && regs[REG_RSI] == 22 && regs[REG_RDX] == 33);
        FAILS("nothing was done", EBADF, fcntl(3, F_GETFD));
        answer = 4711;
        CHECK("the handler's answer", blocked(SYS_getpid, 0, 0, 0) == 4711 && seen == 1);
        answer = -EINTR;
        CHECK("EINTR from it is not started again", blocked(SYS_pause, 0, 0, 0) == -EINTR && seen == 1);
        CHECK("a number of no call", blocked(9999, 0, 0, 0) == -EINTR && seen == 1 && info.si_syscall == 9999);
        int all = 0;
        for (int i = 0; i < 1000; i++) {
                blocked(SYS_getpid, 0, 0, 0);
                all += seen;
        }
        CHECK("a thousand", all == 1000);
        answer = 0;
        return done();
}

static int ranges(void)
{
        unsigned long at = (unsigned long)after_call;

        OKAY("a range with the place after the call", dispatch(ON, at, 1, &sel));
        CHECK("is allowed", blocked(SYS_getppid, 0, 0, 0) > 0 && seen == 0);
        OKAY("a range that ends before it", dispatch(ON, at - 2, 2, &sel));
        CHECK("is not", blocked(SYS_getppid, 0, 0, 0) == SYS_getppid && seen == 1);
        OKAY("one that begins after it", dispatch(ON, at + 1, 100, &sel));
        CHECK("is not either", blocked(SYS_getppid, 0, 0, 0) == SYS_getppid && seen == 1);
        OKAY("all of user space", dispatch(ON, 0, 1ul << 47, NULL));
        CHECK("without a byte", blocked(SYS_getppid, 0, 0, 0) > 0 && seen == 0);
        OKAY("off", dispatch(OFF, 0, 0, NULL));
        CHECK("the byte says nothing more", blocked(SYS_getppid, 0, 0, 0) > 0 && seen == 0);
        return done();
}

static int strange_byte(void)
{
        dispatch(ON, 0, 0, &sel);
        sel = 2;
        call(SYS_getppid, 0, 0, 0);
        sel = ALLOW;
        return 5;
}

static int bad_byte(void)
{
        dispatch(ON, 0, 0, BAD_PTR);
        call(SYS_getppid, 0, 0, 0);
        return 5;
}

static int masked(void)
{
        sigset_t set;

        sigfillset(&set);
        sigprocmask(SIG_BLOCK, &set, NULL);
        dispatch(ON, 0, 0, &sel);
        blocked(SYS_getppid, 0, 0, 0);
        return 5;
}

static int without_byte(void)
{
        dispatch(ON, 0, 0, NULL);
        call(SYS_getppid, 0, 0, 0);     /* the handler's return is a call as well */
        return 5;
}

/* Of a child that begins with blocked calls. */
static int inherits(void)
{
        long r = blocked(SYS_getppid, 0, 0, 0);
        return seen == 0 && r > 0 ? 0 : 1;
}

static void *in_thread(void *arg)
{
        long r = blocked(SYS_getppid, 0, 0, 0);
        *(int *)arg = seen == 0 && r > 0;
        return NULL;
}

static int exec_child(void)
{
        extern char **environ;
        char *argv[] = { "self", "again", NULL };

        dispatch(ON, 0, 0, &sel);
        execve("/proc/self/exe", argv, environ);
        return 9;
}

int main(int argc, char **argv)
{
        struct sigaction act = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };
        pthread_t t;
        int fresh = 0;

        if (argc > 1 && !strcmp(argv[1], "again")) {
                sel = BLOCK;
                return call(SYS_getppid, 0, 0, 0) > 0 ? 7 : 8;
        }
        sigaction(SIGSYS, &act, NULL);
        arguments();
        CHECK("signals", in_child(signals) == 0);
        CHECK("ranges", in_child(ranges) == 0);
        CHECK("another value kills, handler or not", in_child(strange_byte) == KILLED(SIGSYS));
        CHECK("a byte that is not there", in_child(bad_byte) == KILLED(SIGSEGV));
        CHECK("a blocked signal kills", in_child(masked) == KILLED(SIGSYS));
        CHECK("the handler's return is a call", in_child(without_byte) == KILLED(SIGSYS));
        CHECK("ended with exec", in_child(exec_child) == 7);
        dispatch(ON, 0, 0, &sel);
        CHECK("not inherited by a child", in_child(inherits) == 0);
        pthread_create(&t, NULL, in_thread, &fresh);
        pthread_join(t, NULL);
        CHECK("nor by a thread", fresh);
        answer = 1;
        CHECK("but kept by whom it was set for", blocked(SYS_getppid, 0, 0, 0) == 1 && seen == 1);
        return done();
}
