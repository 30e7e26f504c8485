/* SPDX-License-Identifier: Apache-2.0
 *
 * wait_status: all that a wait status can say.
 */
#include "abi.h"

static int status_of(pid_t pid)
{
        int st = -1;

        waitpid(pid, &st, 0);
        return st;
}

static pid_t child_exits(int code)
{
        pid_t pid = fork();

        if (pid == 0)
                _exit(code);
        return pid;
}

static pid_t child_raises(int sig)
{
        pid_t pid = fork();

        if (pid == 0) {
                struct rlimit none = { 0, 0 };

                setrlimit(RLIMIT_CORE, &none);
                signal(sig, SIG_DFL);
                raise(sig);
                _exit(0);
        }
        return pid;
}

int main(void)
{
        static const int fatal[] = { SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGKILL,
                SIGUSR1, SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGSTKFLT, SIGXCPU, SIGXFSZ,
                SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSYS, 34, 64 };
        static const int ignored[] = { SIGCHLD, SIGCONT, SIGURG, SIGWINCH };
        int good = 0;

        CHECK("exit 0", status_of(child_exits(0)) == 0);
        CHECK("exit 255", status_of(child_exits(255)) == 0xff00);
        CHECK("exit 256 is 0", status_of(child_exits(256)) == 0);
        CHECK("exit -1", WEXITSTATUS(status_of(child_exits(-1))) == 255);
        for (unsigned i = 0; i < sizeof fatal / sizeof *fatal; i++) {
                int st = status_of(child_raises(fatal[i]));
                good += WIFSIGNALED(st) && WTERMSIG(st) == fatal[i];
        }
        CHECK("every fatal signal", good == sizeof fatal / sizeof *fatal);
        good = 0;
        for (unsigned i = 0; i < sizeof ignored / sizeof *ignored; i++)
                good += status_of(child_raises(ignored[i])) == 0;
        CHECK("what is ignored by default", good == sizeof ignored / sizeof *ignored);

        pid_t pid = fork();
        if (pid == 0) {
                raise(SIGSTOP);
                usleep(300000);                 /* so that its going on is seen before its end */
                _exit(3);
        }
        int st;
        CHECK("stopped", waitpid(pid, &st, WUNTRACED) == pid && WIFSTOPPED(st) && WSTOPSIG(st) == SIGSTOP);
        CHECK("the raw value", st == (SIGSTOP << 8 | 0x7f));
        kill(pid, SIGCONT);
        CHECK("continued", waitpid(pid, &st, WCONTINUED) == pid && WIFCONTINUED(st) && st == 0xffff);
        CHECK("and ends", status_of(pid) == 0x300);
        return done();
}
