/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: waitid and wait4: WNOWAIT of every event, groups, clone children and threads' children, orders, rusage, subreapers.
 */
#include "abi.h"
#include <pthread.h>
#include <sys/prctl.h>

static siginfo_t si;
static int wid(int type, id_t id, int options) { memset(&si, 0, sizeof si); return syscall(SYS_waitid, type, id, &si, options, NULL); }
static pid_t sleeper(void)
{
        pid_t pid = fork();
        if (pid == 0)
                for (;;)
                        pause();
        must(pid > 0, "fork");
        return pid;
}
static pid_t ender(int code)
{
        pid_t pid = fork();
        if (pid == 0)
                _exit(code);
        return pid;
}

static void events(void)
{
        pid_t pid = sleeper();
        int st;

        CHECK("nothing", wid(P_PID, pid, WEXITED | WSTOPPED | WCONTINUED | WNOHANG) == 0 && si.si_pid == 0 && si.si_signo == 0);
        kill(pid, SIGSTOP);
        CHECK("a stop seen", wid(P_PID, pid, WSTOPPED | WNOWAIT) == 0 && si.si_code == CLD_STOPPED && si.si_status == SIGSTOP);
        CHECK("not by who waits for ends", wid(P_PID, pid, WEXITED | WNOHANG) == 0 && si.si_pid == 0);
        CHECK("seen again", wid(P_PID, pid, WSTOPPED) == 0 && si.si_code == CLD_STOPPED && si.si_pid == pid && si.si_uid == 0 && si.si_signo == SIGCHLD);
        CHECK("once", wid(P_PID, pid, WSTOPPED | WNOHANG) == 0 && si.si_pid == 0);
        kill(pid, SIGCONT);
        CHECK("going on seen", wid(P_PID, pid, WCONTINUED | WNOWAIT) == 0 && si.si_code == CLD_CONTINUED && si.si_status == SIGCONT);
        CHECK("and taken", wid(P_PID, pid, WCONTINUED) == 0 && si.si_code == CLD_CONTINUED);
        CHECK("once, too", wid(P_PID, pid, WCONTINUED | WNOHANG) == 0 && si.si_pid == 0);
        kill(pid, SIGSTOP);
        state_becomes(pid, 'T');
        kill(pid, SIGCONT);
        state_becomes(pid, 'S');
        CHECK("a stop that is over is not told", waitpid(pid, &st, WUNTRACED | WCONTINUED) == pid && WIFCONTINUED(st));
        kill(pid, SIGSTOP);
        state_becomes(pid, 'T');
        kill(pid, SIGKILL);
        CHECK("an end seen", wid(P_PID, pid, WEXITED | WNOWAIT) == 0 && si.si_code == CLD_KILLED && si.si_status == SIGKILL);
        FAILS("no stop then", ECHILD, wid(P_PID, pid, WSTOPPED | WCONTINUED | WNOHANG));
        CHECK("taken", waitpid(pid, &st, 0) == pid && WIFSIGNALED(st) && WTERMSIG(st) == SIGKILL);
        FAILS("gone", ECHILD, wid(P_PID, pid, WEXITED));
}

static void groups(void)
{
        pid_t a = sleeper(), b = sleeper();
        setpgid(a, a);
        setpgid(b, a);
        FAILS("an empty group", ECHILD, wid(P_PGID, b, WEXITED | WNOHANG));
        FAILS("one's own", ECHILD, wid(P_PGID, getpgrp(), WEXITED | WNOHANG));
        FAILS("0: one's own", ECHILD, wid(P_PGID, 0, WEXITED | WNOHANG));
        FAILS("waitpid(0)", ECHILD, waitpid(0, NULL, WNOHANG));
        CHECK("theirs", wid(P_PGID, a, WEXITED | WNOHANG) == 0 && si.si_pid == 0);
        kill(b, SIGKILL);
        CHECK("one", wid(P_PGID, a, WEXITED) == 0 && si.si_pid == b);
        kill(a, SIGKILL);
        CHECK("the other", waitpid(-a, NULL, 0) == a);
        FAILS("none", ECHILD, waitpid(-a, NULL, 0));
        FAILS("P_PID 0", EINVAL, wid(P_PID, 0, WEXITED));
        FAILS("P_PID -1", EINVAL, wid(P_PID, -1, WEXITED));
        FAILS("P_PGID -1", EINVAL, wid(P_PGID, -1, WEXITED));
        FAILS("type 4", EINVAL, wid(4, 1, WEXITED));
        FAILS("no events", EINVAL, wid(P_ALL, 0, WNOHANG));
        FAILS("odd options", EINVAL, wid(P_ALL, 0, WEXITED | 0x100));
        FAILS("wait4: WNOWAIT", EINVAL, waitpid(-1, NULL, WNOWAIT));
        FAILS("wait4: WEXITED", EINVAL, waitpid(-1, NULL, WEXITED));
        FAILS("wait4: the lowest number", ESRCH, waitpid(INT_MIN, NULL, 0));
}

static volatile pid_t its;
static void *makes(void *arg)
{
        its = ender(3);
        if (arg)
                sleep_ms(*(int *)arg);
        return NULL;
}

static void threads(void)
{
        pthread_t t;
        int ms = 300;

        pthread_create(&t, NULL, makes, &ms);
        while (!its)
                sleep_ms(1);
        FAILS("__WNOTHREAD: another thread's", ECHILD, wid(P_PID, its, WEXITED | __WNOTHREAD));
        CHECK("without it", wid(P_PID, its, WEXITED) == 0 && si.si_status == 3);
        pthread_join(t, NULL);
        pthread_create(&t, NULL, makes, NULL);
        pthread_join(t, NULL);
        sleep_ms(50);
        CHECK("its maker has ended: anybody's", wid(P_PID, its, WEXITED | __WNOTHREAD) == 0);
}

static void order(void)
{
        pid_t p[3];
        for (int i = 0; i < 3; i++)
                p[i] = ender(i);
        for (int i = 0; i < 3; i++)
                state_becomes(p[i], 'Z');
        int good = 1;
        for (int i = 0; i < 3; i++)
                good &= wid(P_ALL, 0, WEXITED) == 0 && si.si_pid == p[i] && si.si_status == i;
        CHECK("the oldest first", good);
}

static void usage(void)
{
        struct rusage ru = { 0 };
        pid_t pid = fork();
        int st;
        if (pid == 0) {
                volatile char *m = malloc(4 << 20);
                for (int i = 0; i < 4 << 20; i += PAGE)
                        m[i] = 1;
                for (int64_t t0 = now_ms(); now_ms() - t0 < 40;)
                        ;
                _exit(0);
        }
        CHECK("rusage with WNOWAIT", syscall(SYS_waitid, P_PID, pid, &si, WEXITED | WNOWAIT, &ru) == 0 && ru.ru_utime.tv_sec + ru.ru_utime.tv_usec + ru.ru_stime.tv_usec > 0);
        CHECK("of one child", wait4(pid, &st, 0, &ru) == pid && ru.ru_minflt >= 64 && ru.ru_maxrss >= 4096);
        CHECK("the children's", getrusage(RUSAGE_CHILDREN, &ru) == 0 && ru.ru_minflt >= 64 && ru.ru_maxrss >= 4096);
        pid = ender(0);
        FAILS("to nowhere", EFAULT, syscall(SYS_waitid, P_PID, pid, BAD_PTR, WEXITED, NULL));
        pid = ender(0);
        FAILS("usage to nowhere", EFAULT, syscall(SYS_waitid, P_PID, pid, &si, WEXITED, BAD_PTR));
        pid = ender(0);
        FAILS("the status to nowhere", EFAULT, wait4(pid, BAD_PTR, 0, NULL));
        FAILS("all are gone", ECHILD, waitpid(-1, &st, __WALL));
}

static int reaper(void)
{
        int p[2], st;
        pid_t grand = 0;

        prctl(PR_SET_CHILD_SUBREAPER, 1);
        must(pipe(p) == 0, "pipe");
        pid_t pid = fork();
        if (pid == 0) {
                pid_t g = fork();
                if (g == 0) {
                        sleep_ms(60);
                        _exit(11);
                }
                write(p[1], &g, sizeof g);
                _exit(0);
        }
        read(p[0], &grand, sizeof grand);
        waitpid(pid, NULL, 0);
        CHECK("the subreaper adopts", waitpid(grand, &st, 0) == grand && WEXITSTATUS(st) == 11);
        /* Its children's subreaper is it, even if a child is no subreaper. */
        pid = fork();
        if (pid == 0) {
                pid_t c = fork();
                if (c == 0) {
                        pid_t g = fork();
                        if (g == 0) {
                                sleep_ms(60);
                                _exit(12);
                        }
                        write(p[1], &g, sizeof g);
                        _exit(0);
                }
                waitpid(c, NULL, 0);
                _exit(0);
        }
        read(p[0], &grand, sizeof grand);
        waitpid(pid, NULL, 0);
        CHECK("over two steps", waitpid(grand, &st, 0) == grand && WEXITSTATUS(st) == 12);
        return done();
}

int main(void)
{
        events();
        groups();
        threads();
        order();
        usage();
        CHECK("subreaper", in_child(reaper) == 0);
        return done();
}
