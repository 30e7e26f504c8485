/* SPDX-License-Identifier: Apache-2.0
 *
 * runner: runs many tests in one boot, each in its own session and a fresh directory, with a
 * time limit, and reports over its standard output.
 *
 *   runner PLAN        each line of the plan: NAME SECONDS PROGRAM [ARGUMENT...]
 *
 * What it writes, for tools/test to read:
 *   @@begin NAME\n                            before a test starts
 *   @@end NAME exit|signal|timeout N LENGTH\n and LENGTH bytes: the test's output
 *   @@done\n                                  after the last one
 *
 * A test's output is what it writes to descriptors 1 and 2, up to LIMIT bytes. A test ends
 * with its first process; what it leaves behind is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT    (256 * 1024)
#define MAX_ARGS 16

static char   out[LIMIT];
static size_t out_len;

static void emit(const char *p, size_t n)
{
        while (n > 0) {
                ssize_t done = write(1, p, n);

                if (done < 0 && errno != EINTR)
                        exit(1);
                if (done > 0) {
                        p += done;
                        n -= done;
                }
        }
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
        (void)st;
        (void)kind;
        (void)ftw;
        remove(path);
        return 0;
}

static double now(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return t.tv_sec + t.tv_nsec / 1e9;
}

static void run_child(const char *dir, char **args, int fd)
{
        int null = open("/dev/null", O_RDONLY);

        setsid();
        umask(022);
        signal(SIGPIPE, SIG_DFL);
        if (chdir(dir) < 0)
                _exit(124);
        dup2(null, 0);
        dup2(fd, 1);
        dup2(fd, 2);
        for (int i = 3; i < 64; i++)
                close(i);
        execv(args[0], args);
        dprintf(2, "%s: %s\n", args[0], strerror(errno));
        _exit(127);
}

/* Takes what the pipe holds; returns 0 at its end. */
static int take(int fd)
{
        static char drop[4096];
        int         full = out_len == LIMIT;
        ssize_t     n = read(fd, full ? drop : out + out_len, full ? sizeof drop : LIMIT - out_len);

        if (n > 0 && !full)
                out_len += n;
        return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

/* Waits for the test's first process, taking its output meanwhile. Returns 0 on a time-out. */
static int watch(pid_t pid, int fd, double seconds, int *status)
{
        double end = now() + seconds;
        int    open = 1;

        for (;;) {
                struct pollfd p = { .fd = open ? fd : -1, .events = POLLIN };

                if (poll(&p, 1, 20) > 0 && !take(fd))
                        open = 0;
                if (waitpid(pid, status, WNOHANG) == pid)
                        return 1;
                if (now() > end)
                        return 0;
        }
}

static void run_test(const char *name, double seconds, char **args)
{
        char        dir[256] = "/tmp/test", line[256];
        const char *how = "exit";
        int         fds[2], status = 0, value;
        pid_t       pid;

        emit(line, snprintf(line, sizeof line, "@@begin %s\n", name));
        mkdir(dir, 0755);
        if (pipe2(fds, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
                value = errno;
                emit(line, snprintf(line, sizeof line, "@@end %s timeout %d 0\n", name, value));
                return;
        }
        if (pid == 0)
                run_child(dir, args, fds[1]);
        close(fds[1]);
        out_len = 0;
        if (!watch(pid, fds[0], seconds, &status)) {
                how = "timeout";
                value = seconds;
        } else if (WIFSIGNALED(status)) {
                how = "signal";
                value = WTERMSIG(status);
        } else {
                value = WEXITSTATUS(status);
        }
        kill(-1, SIGKILL);
        waitpid(pid, NULL, 0);
        fcntl(fds[0], F_SETFL, O_NONBLOCK);
        while (take(fds[0]) && errno != EAGAIN)
                errno = 0;
        close(fds[0]);
        nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        emit(line, snprintf(line, sizeof line, "@@end %s %s %d %zu\n", name, how, value, out_len));
        emit(out, out_len);
}

int main(int argc, char **argv)
{
        char  line[1024];
        FILE *plan = fopen(argc > 1 ? argv[1] : "/keel/plan", "r");

        if (!plan) {
                perror("runner: plan");
                return 1;
        }
        signal(SIGPIPE, SIG_IGN);
        while (fgets(line, sizeof line, plan)) {
                char *args[MAX_ARGS + 1], *save = NULL;
                char *name = strtok_r(line, " \n", &save);
                char *seconds = strtok_r(NULL, " \n", &save);
                int   n = 0;

                while (n < MAX_ARGS && (args[n] = strtok_r(NULL, " \n", &save)))
                        n++;
                args[n] = NULL;
                if (name && seconds && n > 0)
                        run_test(name, atof(seconds), args);
        }
        emit("@@done\n", 7);
        return 0;
}
