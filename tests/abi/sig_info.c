/* SPDX-License-Identifier: Apache-2.0
 *
 * sig_info: SA_SIGINFO: who sent it, and the registers.
 */
#include "abi.h"
#include <ucontext.h>

static siginfo_t     last;
static volatile int  got, on_this_stack;
static sigset_t      mask_inside;

static void handler(int sig, siginfo_t *si, void *context)
{
        ucontext_t *uc = context;
        char        here;

        last = *si;
        got = sig;
        mask_inside = uc->uc_sigmask;
        on_this_stack = (uintptr_t)&here < (uintptr_t)uc->uc_mcontext.gregs[REG_RSP] &&
                        (uintptr_t)uc->uc_mcontext.gregs[REG_RSP] - (uintptr_t)&here < 65536;
}

static void change(int sig, siginfo_t *si, void *context)
{
        ucontext_t *uc = context;

        (void)sig;
        (void)si;
        uc->uc_mcontext.gregs[REG_RIP] += 2;            /* over ud2 */
        uc->uc_mcontext.gregs[REG_RBX] = 0x1234;
        sigaddset(&uc->uc_sigmask, SIGUSR2);
}

int main(void)
{
        struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
        long             rbx = 0;
        sigset_t         mask;

        sigaction(SIGUSR1, &sa, NULL);
        kill(getpid(), SIGUSR1);
        CHECK("kill", last.si_code == SI_USER && last.si_pid == getpid() && last.si_uid == 0 && last.si_signo == SIGUSR1);
        syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1);
        CHECK("tgkill", last.si_code == SI_TKILL && last.si_pid == getpid());
        union sigval v = { .sival_int = 77 };
        sigqueue(getpid(), SIGUSR1, v);
        CHECK("sigqueue", last.si_code == SI_QUEUE && last.si_value.sival_int == 77);
        CHECK("the stack", on_this_stack);
        CHECK("the mask to come back", !sigismember(&mask_inside, SIGUSR1));
        pid_t pid = fork();
        if (pid == 0) {
                become_user(1000);
                _exit(kill(getppid(), 0) < 0 && errno == EPERM ? 0 : 1);
        }
        CHECK("an ordinary user may not", result_of(pid) == 0);
        sigaction(SIGCHLD, &sa, NULL);
        pid = fork();
        if (pid == 0)
                _exit(44);
        result_of(pid);
        CHECK("SIGCHLD", got == SIGCHLD && last.si_code == CLD_EXITED && last.si_status == 44 && last.si_pid == pid);
        sigaction(SIGALRM, &sa, NULL);
        got = 0;
        ualarm(10000, 0);
        while (got != SIGALRM)
                sleep_ms(5);
        CHECK("SIGALRM", last.si_code == SI_KERNEL);

        sa.sa_sigaction = change;
        sigaction(SIGILL, &sa, NULL);
        asm volatile("xor %%ebx, %%ebx; ud2; mov %%rbx, %0" : "=r"(rbx) :: "rbx");
        CHECK("changed registers take effect", rbx == 0x1234);
        sigprocmask(SIG_SETMASK, NULL, &mask);
        CHECK("a changed mask too", sigismember(&mask, SIGUSR2));
        return done();
}
