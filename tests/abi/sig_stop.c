/* SPDX-License-Identifier: Apache-2.0
 *
 * sig_stop: stopping and going on: SIGSTOP, SIGTSTP, SIGCONT.
 */
#include "abi.h"

static int *counter;

static pid_t counting(void)
{
        pid_t pid = fork();

        if (pid == 0)
                for (;;) {
                        __atomic_fetch_add(counter, 1, __ATOMIC_SEQ_CST);
                        sched_yield();
                }
        return pid;
}

static int moves(void)
{
        int a = __atomic_load_n(counter, __ATOMIC_SEQ_CST);

        for (int i = 0; i < 200; i++) {
                if (__atomic_load_n(counter, __ATOMIC_SEQ_CST) != a)
                        return 1;
                sleep_ms(i < 20 ? 1 : 10);
                if (i == 20 && a == __atomic_load_n(counter, __ATOMIC_SEQ_CST))
                        return 0;
        }
        return 0;
}

static void handler(int sig) { _exit(sig == SIGTERM ? 11 : 12); }

int main(void)
{
        int st;

        counter = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        pid_t pid = counting();
        while (!__atomic_load_n(counter, __ATOMIC_SEQ_CST))
                sleep_ms(1);
        kill(pid, SIGSTOP);
        CHECK("stops", waitpid(pid, &st, WUNTRACED) == pid && WIFSTOPPED(st));
        CHECK("told once", waitpid(pid, &st, WUNTRACED | WNOHANG) == 0);
        CHECK("state T", state_becomes(pid, 'T'));
        CHECK("stands still", !moves());
        kill(pid, SIGUSR1);
        CHECK("a fatal signal waits", waitpid(pid, &st, WNOHANG) == 0);
        kill(pid, SIGCONT);
        CHECK("until SIGCONT", result_of(pid) == KILLED(SIGUSR1));

        pid = counting();
        kill(pid, SIGSTOP);
        waitpid(pid, &st, WUNTRACED);
        kill(pid, SIGCONT);
        CHECK("goes on", waitpid(pid, &st, WCONTINUED) == pid && WIFCONTINUED(st) && moves());
        kill(pid, SIGSTOP);
        waitpid(pid, &st, WUNTRACED);
        kill(pid, SIGKILL);
        CHECK("SIGKILL does not wait", result_of(pid) == KILLED(SIGKILL));

        pid = fork();
        if (pid == 0) {
                on(SIGTERM, handler, 0);
                setpgid(0, 0);
                raise(SIGTSTP);
                for (;;)
                        pause();
        }
        CHECK("SIGTSTP stops", waitpid(pid, &st, WUNTRACED) == pid && WSTOPSIG(st) == SIGTSTP);
        kill(pid, SIGTERM);
        kill(pid, SIGCONT);
        CHECK("the handler runs after it", result_of(pid) == 11);
        return done();
}
