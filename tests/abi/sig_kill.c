/* SPDX-License-Identifier: Apache-2.0
 *
 * sig_kill: kill, tkill and tgkill: targets, permission, errors.
 */
#include "abi.h"

static pid_t sleeper(uid_t uid)
{
        int p[2];
        char c;

        pipe(p);
        pid_t pid = fork();
        if (pid == 0) {
                if (uid)
                        become_user(uid);
                write(p[1], "x", 1);
                for (;;)
                        pause();
        }
        read(p[0], &c, 1);
        close(p[0]);
        close(p[1]);
        return pid;
}

static pid_t mine, roots;

static int as_user(void)
{
        become_user(1000);
        FAILS("root's", EPERM, kill(roots, SIGTERM));
        FAILS("root's, signal 0", EPERM, kill(roots, 0));
        FAILS("process 1", EPERM, kill(1, SIGTERM));
        FAILS("root's thread", EPERM, syscall(SYS_tgkill, roots, roots, SIGTERM));
        OKAY("one's own", kill(mine, SIGTERM));
        FAILS("SIGCONT beyond the session", EPERM, ({ setsid(); kill(roots, SIGCONT); }));
        return done();
}

static int continues(void)
{
        become_user(1000);
        return kill(roots, SIGCONT) == 0 ? 0 : 1;       /* the same session */
}

int main(void)
{
        roots = sleeper(0);
        mine = sleeper(1000);
        CHECK("an ordinary user", in_child(as_user) == 0);
        CHECK("ended", result_of(mine) == KILLED(SIGTERM));
        CHECK("SIGCONT within the session", in_child(continues) == 0);
        FAILS("no such signal", EINVAL, kill(roots, 65));
        FAILS("negative signal", EINVAL, kill(roots, -1));
        FAILS("no such process", ESRCH, kill(999999, SIGTERM));
        FAILS("no such group", ESRCH, kill(-999999, SIGTERM));
        FAILS("tgkill of another group", ESRCH, syscall(SYS_tgkill, getpid(), roots, 0));
        FAILS("tgkill 0", EINVAL, syscall(SYS_tgkill, 0, 0, 0));
        FAILS("tkill -1", EINVAL, syscall(SYS_tkill, -1, 0));
        OKAY("tkill", syscall(SYS_tkill, roots, 0));
        OKAY("process 1 ignores what it does not handle", kill(1, SIGHUP));
        OKAY("even SIGKILL", kill(1, SIGKILL));
        OKAY("signal 0", kill(roots, 0));
        kill(roots, SIGKILL);
        CHECK("SIGKILL", result_of(roots) == KILLED(SIGKILL));
        return done();
}
