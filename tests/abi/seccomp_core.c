/* SPDX-License-Identifier: Apache-2.0
 *
 * seccomp_core: what a system call that is not let through does to its process: a core dump, or none, whoever has a handler.
 */
#include "seccomp.h"
#include <pthread.h>

static unsigned verdict;
static void caught(int sig) { (void)sig; _exit(5); }
static void *sleeps(void *unused) { (void)unused; pause(); return NULL; }

static void *resets(void *unused)
{
        for (;;)
                on(SIGSYS, caught, 0);
        return unused;
}

static void ends(const char *name, void (*how)(void))
{
        struct rlimit room = { 1 << 20, 1 << 20 };
        pid_t pid = fork();
        int   st;

        if (pid == 0) {
                setrlimit(RLIMIT_CORE, &room);
                on(SIGSYS, caught, 0);
                how();
                _exit(3);
        }
        must(waitpid(pid, &st, 0) == pid, "waitpid");
        say("ok %s: signal %d, core %d, status %d\n", name, WIFSIGNALED(st) ? WTERMSIG(st) : 0, WIFSIGNALED(st) && WCOREDUMP(st),
            WIFEXITED(st) ? WEXITSTATUS(st) : -1);
}

static void filtered(void)
{
        INSTALL(0, CALL(6300, verdict), ALLOW);
        syscall(6300);
}

static void blocked(void)
{
        sigset_t all;

        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
        filtered();
}

static void of_two(void)
{
        pthread_t other;

        pthread_create(&other, NULL, sleeps, NULL);
        filtered();
}

static void beside_a_handler(void)
{
        pthread_t other;

        pthread_create(&other, NULL, resets, NULL);
        filtered();
}

/* What goes wrong on the way out, SIGSEGV with a handler, takes nothing's place. */
static void with_bad_rseq(void)
{
        static struct { uint32_t cpu_id_start, cpu_id; uint64_t section; uint32_t flags, pad[3]; } __attribute__((aligned(32))) area;

        on(SIGSEGV, caught, 0);
        syscall(SYS_rseq, &area, sizeof area, 0, 0x53053053);
        INSTALL(0, CALL(6300, verdict), ALLOW);
        area.section = 1ull << 63;
        syscall(6300);
}

static char byte = 5;
static void no_selector(void)  { prctl(59, 1, 0, 0, BAD_PTR); getppid(); }
static void bad_selector(void) { prctl(59, 1, 0, 0, &byte); getppid(); }
static void strict(void)       { prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT); syscall(SYS_getppid); }

int main(void)
{
        verdict = SECCOMP_RET_KILL_PROCESS;
        ends("the process is killed", filtered);
        ends("with all signals blocked", blocked);
        ends("with two threads", of_two);
        ends("with a bad rseq area", with_bad_rseq);
        for (int i = 0; i < 5; i++)
                ends("beside a thread that sets the handler again", beside_a_handler);
        verdict = SECCOMP_RET_KILL_THREAD;
        ends("the only thread is killed", filtered);
        verdict = 0x12340000;
        ends("by what is no verdict", filtered);
        verdict = SECCOMP_RET_TRAP;
        ends("a trap has its handler", filtered);
        ends("a trap that is blocked", blocked);
        ends("no byte to dispatch by", no_selector);
        ends("a byte that is none", bad_selector);
        ends("strict", strict);
        return done();
}
