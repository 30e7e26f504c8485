/* SPDX-License-Identifier: Apache-2.0
 *
 * proc_stat: /proc/PID/stat, status and statm of a known process.
 */
#include "abi.h"
#include <sys/prctl.h>

/* The n-th field of a stat line, counted from 1 as proc(5) does. */
static long long field(pid_t pid, int n)
{
        char  path[64], *p;

        snprintf(path, sizeof path, "/proc/%d/stat", pid);
        p = strrchr(text_of(path), ')');
        for (int i = 2; p && i < n; i++)
                p = strchr(p + 1, ' ');
        return p ? strtoll(p + 1, NULL, 10) : -1;
}

static int has_line(const char *text, const char *name, const char *want)
{
        char line[200];

        snprintf(line, sizeof line, "\n%s:\t%s\n", name, want);
        return strstr(text, line) != NULL;
}

int main(void)
{
        char  name[100];
        pid_t me = getpid();

        prctl(PR_SET_NAME, "a) name (x");
        snprintf(name, sizeof name, "%d (a) name (x) R %d %d %d ", me, getppid(), getpgrp(), getsid(0));
        CHECK("the first fields", !strncmp(text_of("/proc/self/stat"), name, strlen(name)));
        prctl(PR_SET_NAME, "plain");
        CHECK("threads", field(me, 20) == 1);
        CHECK("nice and priority", field(me, 19) == 0 && field(me, 18) == 20);
        CHECK("start time", field(me, 22) > 0);
        CHECK("memory", field(me, 23) > 4096 && field(me, 24) > 0);
        CHECK("52 fields", field(me, 52) >= 0 && field(me, 53) < 0);
        CHECK("no terminal", field(me, 7) == 0 && field(me, 8) == -1);

        const char *t = text_of("/proc/self/status");
        CHECK("name", !strncmp(t, "Name:\tplain\n", 12));
        CHECK("state", has_line(t, "State", "R (running)"));
        snprintf(name, sizeof name, "%d", me);
        CHECK("ids of the process", has_line(t, "Tgid", name) && has_line(t, "Pid", name));
        CHECK("owners", has_line(t, "Uid", "0\t0\t0\t0") && has_line(t, "Gid", "0\t0\t0\t0"));
        CHECK("threads and umask", has_line(t, "Threads", "1") && has_line(t, "Umask", "0022"));
        CHECK("sizes", strstr(t, "\nVmSize:\t") && strstr(t, "\nVmRSS:\t") && strstr(t, " kB\n"));
        CHECK("signals", strstr(t, "\nSigBlk:\t0000000000000000\n") && strstr(t, "\nSigIgn:\t") && strstr(t, "\nSigCgt:\t"));
        long size, rss;
        CHECK("statm", sscanf(text_of("/proc/self/statm"), "%ld %ld", &size, &rss) == 2 && size > rss && rss > 0);

        pid_t pid = fork();
        if (pid == 0) {
                close(1);
                for (;;)
                        pause();
        }
        CHECK("asleep", state_becomes(pid, 'S'));
        CHECK("its parent", field(pid, 4) == me);
        kill(pid, SIGSTOP);
        CHECK("stopped", state_becomes(pid, 'T'));
        kill(pid, SIGKILL);
        CHECK("dead", state_becomes(pid, 'Z'));
        CHECK("no memory", field(pid, 23) == 0);
        result_of(pid);
        snprintf(name, sizeof name, "/proc/%d", pid);
        FAILS("gone", ENOENT, access(name, F_OK));
        CHECK("comm", !strcmp(text_of("/proc/self/comm"), "plain\n"));
        return done();
}
