/* SPDX-License-Identifier: Apache-2.0
 *
 * proc_memory_exec: files of /proc/PID that tell of its memory, opened before it executes another program or ends: they are
 * of the memory that it had.
 */
#include "show.h"

static const char *const names[] = { "maps", "smaps", "smaps_rollup", "environ", "auxv", "mem", "pagemap", "cmdline", "comm", "statm", "stat" };
#define N ((int)(sizeof names / sizeof *names))
#define AREAS 400

static int to[2], from[2];
static char buf[1 << 20];

static void wait_byte(void)
{
        char c;
        must(read(to[0], &c, 1) == 1, "told");
}

static int body(int execs)
{
        char *p = mmap(NULL, 2 * AREAS * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        for (int i = 0; i < AREAS; i++)
                mprotect(p + 2 * i * PAGE, PAGE, PROT_READ | PROT_WRITE);
        write(from[1], &p, sizeof p);
        wait_byte();
        dup2(to[0], 0), dup2(from[1], 1);
        char *env[] = { "NEW=1", NULL };
        if (execs)
                execle("/proc/self/exe", "other", "wait", NULL, env);
        return 0;
}

static long all_of(int fd)
{
        long n = 0, got;
        while ((got = read(fd, buf, sizeof buf)) > 0)
                n += got;
        return got < 0 ? -1 : n;
}

static void what(const char *name, long n)
{
        if (n < 0)
                say("%s: errno %d\n", name, errno);
        else
                say("%s: %s\n", name, n == 0 ? "nothing" : "something");
}

static void one(int execs, int before)
{
        int fd[N], lines = 0;
        char *p, c[64], path[64];
        pid_t pid;

        pipe(to), pipe(from);
        say("-- %s%s\n", execs ? "executes" : "ends", before ? ", begun to be read" : "");
        pid = fork();
        if (pid == 0)
                _exit(body(execs));
        must(read(from[0], &p, sizeof p) == sizeof p, "child");
        for (int i = 0; i < N; i++) {
                snprintf(path, sizeof path, "/proc/%d/%s", pid, names[i]);
                fd[i] = open(path, O_RDONLY);
                must(fd[i] >= 0, path);
                if (!strcmp(names[i], "mem") || !strcmp(names[i], "pagemap"))
                        lseek(fd[i], !strcmp(names[i], "mem") ? (long)p : (long)p / PAGE * 8, SEEK_SET);
                if (before)
                        must(read(fd[i], c, 8) == 8 || !strcmp(names[i], "comm"), names[i]);
        }
        write(to[1], "x", 1);
        if (execs)
                must(read(from[0], c, 1) == 1, "executed");
        else
                waitid(P_PID, pid, NULL, WEXITED | WNOWAIT);
        for (int i = 0; i < N; i++) {
                if (!strcmp(names[i], "mem") || !strcmp(names[i], "pagemap")) {
                        errno = 0;
                        what(names[i], read(fd[i], c, 8));
                        continue;
                }
                errno = 0;
                long n = all_of(fd[i]);
                what(names[i], n);
                if (before && !strcmp(names[i], "maps")) {
                        for (long k = 0; k < n; k++)
                                lines += buf[k] == '\n';
                        CHECK("not all of it", lines < 2 * AREAS);
                }
                lseek(fd[i], 0, SEEK_SET);
                errno = 0;
                snprintf(path, sizeof path, "%s again", names[i]);
                what(path, all_of(fd[i]));
        }
        for (int i = 0; i < N; i++)
                close(fd[i]);
        write(to[1], "x", 1);
        result_of(pid);
        for (int i = 0; i < 2; i++)
                close(to[i]), close(from[i]);
}

int main(int argc, char **argv)
{
        char c;

        if (argc > 1 && !strcmp(argv[1], "wait")) {
                write(1, "e", 1);
                read(0, &c, 1);
                return 0;
        }
        (void)argv;
        for (int i = 0; i < 4; i++)
                one(i & 1, i >> 1);
        return done();
}
