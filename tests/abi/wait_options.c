/* SPDX-License-Identifier: Apache-2.0
 *
 * wait_options: wait4: which children, WNOHANG, ECHILD, usage.
 */
#include "abi.h"

static pid_t sleeper(pid_t group)
{
        pid_t pid = fork();

        if (pid == 0) {
                setpgid(0, group);
                for (;;)
                        pause();
        }
        setpgid(pid, group ? group : pid);
        return pid;
}

static void quiet(int sig) { (void)sig; }

int main(void)
{
        struct rusage ru;
        int           st;

        FAILS("no children", ECHILD, waitpid(-1, &st, 0));
        FAILS("no children, WNOHANG", ECHILD, waitpid(-1, &st, WNOHANG));
        FAILS("not a child", ECHILD, waitpid(1, &st, 0));
        FAILS("bad options", EINVAL, waitpid(-1, &st, 0x100));

        pid_t a = sleeper(0), b = sleeper(0);
        CHECK("nothing yet", waitpid(-1, &st, WNOHANG) == 0);
        CHECK("nothing yet of that one", waitpid(a, &st, WNOHANG) == 0);
        FAILS("another group", ECHILD, waitpid(0, &st, WNOHANG));
        kill(b, SIGTERM);
        CHECK("by group", waitpid(-b, &st, 0) == b && WTERMSIG(st) == SIGTERM);
        FAILS("once only", ECHILD, waitpid(b, &st, 0));
        kill(a, SIGKILL);
        CHECK("any", wait4(-1, &st, 0, &ru) == a && WTERMSIG(st) == SIGKILL);
        CHECK("usage", ru.ru_utime.tv_sec >= 0 && ru.ru_maxrss > 0);

        a = fork();
        if (a == 0)
                _exit(1);
        CHECK("zombie", state_becomes(a, 'Z'));
        CHECK("a zombie takes signals", kill(a, 0) == 0);
        CHECK("WNOHANG takes it", waitpid(-1, NULL, WNOHANG) == a);
        FAILS("then it is gone", ESRCH, kill(a, 0));

        a = sleeper(0);
        on(SIGALRM, quiet, 0);
        ALARMED("interrupted", waitpid(a, &st, 0));
        FAILS("bad pointer", EFAULT, ({ kill(a, SIGKILL); wait4(a, BAD_PTR, 0, NULL); }));
        FAILS("the child is gone all the same", ECHILD, waitpid(a, &st, 0));

        on(SIGCHLD, SIG_IGN, 0);
        if (fork() == 0)
                _exit(0);
        FAILS("ignored SIGCHLD: no zombies", ECHILD, waitpid(-1, &st, 0));
        return done();
}
