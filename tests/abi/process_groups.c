/* SPDX-License-Identifier: Apache-2.0
 *
 * process_groups: setpgid and getpgid, and what they refuse.
 */
#include "abi.h"

static pid_t sleeper(void (*first)(void))
{
        pid_t pid = fork();

        if (pid == 0) {
                if (first)
                        first();
                for (;;)
                        pause();
        }
        return pid;
}

static void new_session(void) { setsid(); }

static void run_again(void)
{
        execl("/proc/self/exe", "x", "sleep", NULL);
        _exit(1);
}

int main(int argc, char **argv)
{
        (void)argv;
        if (argc > 1)
                for (;;)
                        pause();
        CHECK("leader of its session", getsid(0) == getpid() && getpgrp() == getpid());
        pid_t a = sleeper(NULL), b = sleeper(NULL);

        CHECK("inherited", getpgid(a) == getpgrp());
        OKAY("a leads a group", setpgid(a, 0));
        CHECK("named after it", getpgid(a) == a);
        OKAY("b joins it", setpgid(b, a));
        CHECK("joined", getpgid(b) == a);
        OKAY("b leads its own", setpgid(b, b));
        FAILS("no such group", EPERM, setpgid(b, 999999));
        FAILS("negative group", EINVAL, setpgid(b, -1));
        FAILS("not a child", ESRCH, setpgid(1, 0));
        FAILS("a session's leader", EPERM, setpgid(0, a));
        FAILS("no such process", ESRCH, getpgid(999999));
        FAILS("no such session", ESRCH, getsid(999999));
        OKAY("signal to the group", kill(-a, SIGTERM));
        CHECK("only it", result_of(a) == KILLED(SIGTERM) && waitpid(b, NULL, WNOHANG) == 0);
        FAILS("the group is gone", ESRCH, kill(-a, 0));
        kill(b, SIGKILL);
        result_of(b);

        a = sleeper(new_session);
        while (getsid(a) != a)
                sleep_ms(2);
        FAILS("of another session", EPERM, setpgid(a, getpgrp()));
        kill(a, SIGKILL);
        result_of(a);

        a = sleeper(run_again);
        while (strcmp(text_of(({ static char n[40]; snprintf(n, 40, "/proc/%d/cmdline", a); n; })), "x"))
                sleep_ms(2);
        FAILS("after its execve", EACCES, setpgid(a, a));
        kill(a, SIGKILL);
        result_of(a);
        return done();
}
