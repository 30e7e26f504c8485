/* SPDX-License-Identifier: Apache-2.0
 *
 * waitid_basic: waitid: siginfo, WNOWAIT, and its errors.
 */
#include "abi.h"

static pid_t child(int code)
{
        pid_t pid = fork();

        if (pid == 0) {
                if (code < 0)
                        raise(-code);
                if (code == -SIGSTOP)
                        usleep(300000);         /* so that its going on is seen before its end */
                _exit(code);
        }
        return pid;
}

int main(void)
{
        siginfo_t si;

        FAILS("no child", ECHILD, waitid(P_ALL, 0, &si, WEXITED));
        pid_t pid = child(33);
        FAILS("no event asked for", EINVAL, waitid(P_PID, pid, &si, 0));
        FAILS("bad type", EINVAL, waitid(77, pid, &si, WEXITED));
        OKAY("WNOWAIT", waitid(P_PID, pid, &si, WEXITED | WNOWAIT));
        CHECK("exited", si.si_code == CLD_EXITED && si.si_status == 33 && si.si_pid == pid &&
              si.si_signo == SIGCHLD && si.si_uid == 0);
        OKAY("still there", waitid(P_PID, pid, &si, WEXITED));
        FAILS("now gone", ECHILD, waitid(P_PID, pid, &si, WEXITED));

        pid = child(-SIGKILL);
        OKAY("killed", waitid(P_ALL, 0, &si, WEXITED));
        CHECK("by SIGKILL", si.si_code == CLD_KILLED && si.si_status == SIGKILL && si.si_pid == pid);

        pid = child(-SIGSTOP);
        OKAY("stopped", waitid(P_PID, pid, &si, WSTOPPED));
        CHECK("by SIGSTOP", si.si_code == CLD_STOPPED && si.si_status == SIGSTOP);
        memset(&si, 7, sizeof si);
        OKAY("WNOHANG", waitid(P_PID, pid, &si, WEXITED | WNOHANG));
        CHECK("says nothing", si.si_pid == 0 && si.si_signo == 0);
        kill(pid, SIGCONT);
        OKAY("continued", waitid(P_PID, pid, &si, WCONTINUED));
        CHECK("by SIGCONT", si.si_code == CLD_CONTINUED && si.si_status == SIGCONT);
        OKAY("ended", waitid(P_PGID, getpgrp(), &si, WEXITED));
        CHECK("with 0x13 from its code", si.si_code == CLD_EXITED && si.si_status == (-SIGSTOP & 0xff));

        pid = child(1);
        CHECK("no siginfo wanted", syscall(SYS_waitid, P_PID, pid, NULL, WEXITED, NULL) == 0);
        return done();
}
