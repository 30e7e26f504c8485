/* SPDX-License-Identifier: Apache-2.0
 *
 * pkey_signal: PKRU in signal frames, in threads, over exec.
 */
#include "pkeys.h"
#include <pthread.h>
#include <ucontext.h>
#include <cpuid.h>

#define RW (PROT_READ | PROT_WRITE)

static volatile unsigned in_handler, want;
static volatile int change, features;
static char *stack;

static void on_usr(int sig, siginfo_t *si, void *arg)
{
        ucontext_t *uc = arg;
        unsigned *sw = (unsigned *)((char *)uc->uc_mcontext.fpregs + 464), a, b, c, d;
        unsigned long *bv = (unsigned long *)((char *)uc->uc_mcontext.fpregs + 512);

        (void)sig, (void)si;
        in_handler = rdpkru();
        __cpuid_count(0xd, 9, a, b, c, d);
        features = sw[0] == 0x46505853 && (sw[2] >> 9 & 1) && sw[4] >= b + 8;
        if (change) {
                *bv |= 1 << 9;
                *(unsigned *)((char *)uc->uc_mcontext.fpregs + b) = want;
        }
        wrpkru(0x55555550);             /* lost with the handler's end */
}

static void *thread(void *arg)
{
        *(unsigned *)arg = rdpkru();
        wrpkru(0);
        return NULL;
}

int main(int argc, char **argv)
{
        struct sigaction sa = { .sa_sigaction = on_usr, .sa_flags = SA_SIGINFO };
        unsigned seen = 0;
        pthread_t t;
        int status;

        if (argc > 1)
                return rdpkru() == 0x55555554 ? 7 : 8;
        sigaction(SIGUSR1, &sa, NULL);
        int k = (int)key_alloc(0, PKEY_DISABLE_WRITE);
        unsigned mine = rdpkru();
        raise(SIGUSR1);
        CHECK("the handler has the default", in_handler == 0x55555554);
        CHECK("the frame says that it has PKRU", features);
        CHECK("the handler's is lost", rdpkru() == mine);
        change = 1;
        want = 0x55555544;
        raise(SIGUSR1);
        CHECK("the frame's is taken", rdpkru() == 0x55555544);
        want = 0;
        raise(SIGUSR1);
        CHECK("whatever it is", rdpkru() == 0);
        change = 0;
        wrpkru(mine);
        pthread_create(&t, NULL, thread, &seen);
        pthread_join(t, NULL);
        CHECK("a thread begins with its maker's", seen == mine);
        CHECK("and has its own", rdpkru() == mine);
        for (int i = 0; i < 100; i++)
                sched_yield();
        CHECK("it outlives switches", rdpkru() == mine);
        if (fork() == 0) {
                execl("/proc/self/exe", argv[0], "again", NULL);
                _exit(1);
        }
        wait(&status);
        CHECK("exec sets the default", WEXITSTATUS(status) == 7);

        /* A stack that the thread may not write: the frame cannot be made. */
        stack = mmap(NULL, 65536, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        key_protect(stack, 65536, RW, k);
        if (fork() == 0) {
                stack_t ss = { .ss_sp = stack, .ss_size = 65536 };
                set_rights(k, 0);
                sigaltstack(&ss, NULL);
                sa.sa_flags |= SA_ONSTACK;
                sigaction(SIGUSR1, &sa, NULL);
                set_rights(k, PKEY_DISABLE_WRITE);
                raise(SIGUSR1);
                _exit(0);
        }
        wait(&status);
        say("a frame on a stack that may not be written: %s\n", WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV ? "SIGSEGV" : "went on");
        return done();
}
