/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: sigaltstack(2) at its edges: sizes around the minimum, SS_AUTODISARM, changes from handlers, overflow of the alternate
 * stack, what sigreturn restores, threads, fork, vfork, execve.
 */
#include "show.h"
#include <pthread.h>
#include <setjmp.h>
#include <sys/auxv.h>
#include <ucontext.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif

static char big[262144] __attribute__((aligned(16)));
static volatile int on_it, runs;
static stack_t inside, context;
static int change_result, change_errno;
static stack_t *to_set;

static int set_stack(void *sp, size_t size, int flags)
{
        stack_t ss = { .ss_sp = sp, .ss_size = size, .ss_flags = flags };
        return (int)syscall(SYS_sigaltstack, &ss, NULL);
}
static void tell(const char *title)
{
        stack_t ss;
        memset(&ss, 0x55, sizeof ss);
        syscall(SYS_sigaltstack, NULL, &ss);
        say("%s: sp %s size %ld flags %x\n", title, ss.ss_sp == big ? "it" : ss.ss_sp ? "other" : "0", (long)ss.ss_size, ss.ss_flags);
}

static void handler(int sig, siginfo_t *si, void *c)
{
        char here;
        ucontext_t *uc = c;
        (void)sig, (void)si;
        on_it = &here > big && &here < big + sizeof big;
        context = uc->uc_stack;
        syscall(SYS_sigaltstack, NULL, &inside);
        if (to_set) {
                change_result = (int)syscall(SYS_sigaltstack, to_set, NULL);
                change_errno = errno;
        }
        runs++;
}
static void take(int flags)
{
        struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };
        sigaction(SIGUSR1, &sa, NULL);
}
static void signal_now(const char *title)
{
        on_it = -1;
        change_result = 99;
        raise(SIGUSR1);
        say("%s: on it %d inside flags %x size %ld context flags %x size %ld", title, on_it, inside.ss_flags, (long)inside.ss_size, context.ss_flags, (long)context.ss_size);
        if (change_result != 99)
                say(" change %d errno %d", change_result, change_result ? change_errno : 0);
        say("\n");
}

static int sizes(void)
{
        long min = (long)getauxval(AT_MINSIGSTKSZ);

        SHOW("size 0", set_stack(big, 0, 0));
        SHOW("size 2047", set_stack(big, 2047, 0));
        SHOW("size 2048", set_stack(big, 2048, 0));
        CHECK("AT_MINSIGSTKSZ is told", min > 1000 && min < 20000);
        SHOW("disabled with size 0", set_stack(big, 0, SS_DISABLE));
        tell("then");
        SHOW("SS_ONSTACK as a flag", set_stack(big, sizeof big, SS_ONSTACK));
        tell("then");
        SHOW("flag 4", set_stack(big, sizeof big, 4));
        SHOW("both", set_stack(big, sizeof big, SS_ONSTACK | SS_DISABLE));
        SHOW("SS_AUTODISARM", set_stack(big, sizeof big, (int)SS_AUTODISARM));
        tell("then");
        SHOW("SS_AUTODISARM and SS_DISABLE", set_stack(big, sizeof big, (int)(SS_AUTODISARM | SS_DISABLE)));
        tell("then");
        SHOW("SS_AUTODISARM and SS_ONSTACK", set_stack(big, sizeof big, (int)(SS_AUTODISARM | SS_ONSTACK)));
        tell("then");
        SHOW("a bad place", set_stack((void *)8, 65536, 0));
        SHOW("a kernel place", set_stack((void *)0xffff888000000000ul, 65536, 0));
        SHOW("around the end", set_stack((void *)-4096l, 65536, 0));
        SHOW("bad new", syscall(SYS_sigaltstack, BAD_PTR, NULL));
        SHOW("bad old", syscall(SYS_sigaltstack, NULL, BAD_PTR));
        SHOW("neither", syscall(SYS_sigaltstack, NULL, NULL));
        return 0;
}

static int handlers(void)
{
        stack_t other = { .ss_sp = big, .ss_size = 65536 }, off = { .ss_flags = SS_DISABLE };

        take(SA_ONSTACK);
        signal_now("none");
        set_stack(big, sizeof big, 0);
        signal_now("set");
        to_set = &other;
        signal_now("changed inside");
        to_set = &off;
        signal_now("disabled inside");
        tell("after");
        to_set = NULL;
        take(0);
        signal_now("without SA_ONSTACK");
        to_set = &other;
        signal_now("changed inside, not on it");
        tell("after: sigreturn sets what the frame has");
        to_set = NULL;
        take(SA_ONSTACK);
        set_stack(big, sizeof big, (int)SS_AUTODISARM);
        signal_now("SS_AUTODISARM");
        tell("after");
        to_set = &other;
        signal_now("SS_AUTODISARM, changed inside");
        tell("after");
        to_set = &off;
        signal_now("SS_AUTODISARM, disabled inside");
        tell("after");
        to_set = NULL;
        return 0;
}

static sigjmp_buf jump;
static void jumps(int sig) { (void)sig; siglongjmp(jump, 1); }
static int jumping(void)
{
        on(SIGUSR2, jumps, SA_ONSTACK);
        set_stack(big, sizeof big, 0);
        if (!sigsetjmp(jump, 1))
                raise(SIGUSR2);
        tell("after a jump out");
        set_stack(big, sizeof big, (int)SS_AUTODISARM);
        if (!sigsetjmp(jump, 1))
                raise(SIGUSR2);
        tell("after a jump out, SS_AUTODISARM");
        return 0;
}

static volatile int level;
static void nests(int sig)
{
        char here;
        (void)sig;
        say("level %d on it %d\n", level, &here > big && &here < big + sizeof big);
        if (++level < 3)
                raise(SIGUSR2);
}
static int nesting(void)
{
        struct sigaction sa = { .sa_handler = nests, .sa_flags = SA_ONSTACK | SA_NODEFER };
        sigaction(SIGUSR2, &sa, NULL);
        set_stack(big, sizeof big, 0);
        raise(SIGUSR2);
        level = 0;
        set_stack(big, sizeof big, (int)SS_AUTODISARM);
        raise(SIGUSR2);
        return 0;
}

static volatile int deep;
__attribute__((noinline)) static int recurse(int n) { volatile char pad[512]; memset((void *)pad, n, sizeof pad); deep = n; return pad[1] + (n < 1000000 ? recurse(n + 1) : 0); }
static void last(int sig) { char here; say("the last handler %d on it %d\n", sig, &here > big && &here < big + sizeof big); _exit(41); }
static void eats(int sig) { (void)sig; recurse(0); }
static int overflow(void)
{
        struct rlimit none = { 0, 0 };
        char *area = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        setrlimit(RLIMIT_CORE, &none);
        mprotect(area, 16384, PROT_NONE);
        on(SIGUSR2, eats, SA_ONSTACK);
        on(SIGSEGV, last, SA_ONSTACK);
        set_stack(area + 16384, 65536 - 16384, 0);
        raise(SIGUSR2);
        return 1;
}
static int no_room(void)
{
        struct rlimit none = { 0, 0 };
        char *area = mmap(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        setrlimit(RLIMIT_CORE, &none);
        on(SIGUSR2, nests, SA_ONSTACK);
        on(SIGSEGV, last, 0);
        set_stack(area, 65536, 0);
        raise(SIGUSR2);
        say("after\n");
        return 5;
}
static int stack_gone(void)
{
        struct rlimit none = { 0, 0 };
        setrlimit(RLIMIT_CORE, &none);
        on(SIGSEGV, last, SA_ONSTACK);
        set_stack(big, sizeof big, 0);
        level = 3;
        on(SIGUSR2, nests, 0);
        asm volatile("movq %%rsp, %%rbx; movq $4096, %%rsp; movl %0, %%eax; movl %1, %%edi; movl %2, %%esi; syscall; movq %%rbx, %%rsp"
                     :: "i"(SYS_kill), "r"(getpid()), "i"(SIGUSR2) : "rax", "rdi", "rsi", "rcx", "r11", "rbx", "memory");
        return 6;
}

static void *thread(void *arg) { tell("a new thread"); return arg; }
static int inherits(void)
{
        pthread_t t;
        pid_t pid;

        set_stack(big, sizeof big, (int)SS_AUTODISARM);
        pthread_create(&t, NULL, thread, NULL);
        pthread_join(t, NULL);
        if ((pid = fork()) == 0) {
                tell("a child");
                _exit(0);
        }
        result_of(pid);
        if ((pid = vfork()) == 0) {
                tell("a vfork child");
                _exit(0);
        }
        result_of(pid);
        execl("/proc/self/exe", "prog", "tell", NULL);
        return 1;
}

int main(int argc, char **argv)
{
        (void)argv;
        if (argc > 1) {
                tell("after execve");
                return 0;
        }
        in_child(sizes);
        in_child(handlers);
        in_child(jumping);
        in_child(nesting);
        SHOW("overflow of it", in_child(overflow));
        SHOW("it cannot be written", in_child(no_room));
        SHOW("no stack for the first handler", in_child(stack_gone));
        in_child(inherits);
        CHECK("to the end", 1);
        return done();
}
