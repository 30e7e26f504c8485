/* SPDX-License-Identifier: Apache-2.0
 *
 * oom: caches give way before anybody is killed, and then the right one is: by size and oom_score_adj.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1UL << 20)

static long number(const char *path, const char *key)
{
        char  line[256];
        long  v = -1;
        FILE *f = fopen(path, "r");

        while (f && v < 0 && fgets(line, sizeof line, f))
                if (strncmp(line, key, strlen(key)) == 0)
                        v = atol(line + strlen(key));
        if (f)
                fclose(f);
        return v;
}

static void adjust(int v)
{
        FILE *f = fopen("/proc/self/oom_score_adj", "w");

        if (!f || fprintf(f, "%d", v) < 0 || fclose(f) != 0)
                _exit(90);
}

/* Touches memory, says so, and waits. */
static pid_t holder(unsigned long bytes, int adj)
{
        int   p[2];
        char  c;

        if (pipe(p) < 0)
                exit(91);
        pid_t pid = fork();
        if (pid == 0) {
                adjust(adj);
                char *m = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                if (m == MAP_FAILED)
                        _exit(92);
                for (unsigned long i = 0; i < bytes; i += 4096)
                        m[i] = 1;
                write(p[1], "x", 1);
                for (;;)
                        pause();
        }
        close(p[1]);
        if (read(p[0], &c, 1) != 1)
                printf("oom: no holder\n");
        close(p[0]);
        return pid;
}

static int lives(pid_t pid) { return waitpid(pid, NULL, WNOHANG) == 0; }

/* Names that are not there fill the cache; then someone wants nearly all memory. */
static void reclaim(void)
{
        char        path[64];
        struct stat st;
        long        before = number("/proc/slabinfo", "dentry ");

        for (int i = 0; i < 100000; i++) {
                snprintf(path, sizeof path, "/tmp/there-is-no-such-name-%d", i);
                stat(path, &st);
        }
        long full = number("/proc/slabinfo", "dentry "), room = number("/proc/meminfo", "MemFree:") * 1024L;
        printf("oom: the cache fills: %s\n", full > before + 50000 ? "yes" : "no");
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) {
                unsigned long n = (unsigned long)room + 8 * MIB;
                char *m = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                for (unsigned long i = 0; m != MAP_FAILED && i < n; i += 4096)
                        m[i] = 1;
                _exit(m == MAP_FAILED ? 1 : 0);
        }
        int status = 0;
        waitpid(pid, &status, 0);
        printf("oom: more than was free: %s\n", WIFEXITED(status) && WEXITSTATUS(status) == 0 ? "had" : "not had");
        printf("oom: the cache shrank: %s\n", number("/proc/slabinfo", "dentry ") < full * 3 / 4 ? "yes" : "no");
        fflush(stdout);
}

static void hog(int adj)
{
        adjust(adj);
        for (;;) {
                char *m = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                for (unsigned long i = 0; m != MAP_FAILED && i < MIB; i += 4096)
                        m[i] = 1;
        }
}

/* The hog takes all there is: the volunteer goes first, then the hog; the spared one never. */
static void choice(void)
{
        pid_t spared = holder(40 * MIB, -1000), volunteer = holder(20 * MIB, 1000), modest = holder(20 * MIB, 0);
        pid_t pid = fork();

        if (pid == 0)
                hog(0);
        int status = 0;
        waitpid(pid, &status, 0);
        printf("oom: the hog: %s\n", WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? "killed" : "ended");
        printf("oom: the volunteer: %s\n", lives(volunteer) ? "lives" : "killed");
        printf("oom: the modest: %s\n", lives(modest) ? "lives" : "killed");
        printf("oom: the spared: %s\n", lives(spared) ? "lives" : "killed");
        fflush(stdout);
        kill(volunteer, SIGKILL);
        kill(modest, SIGKILL);
        kill(spared, SIGKILL);
        while (wait(NULL) > 0)
                ;
}

int main(void)
{
        adjust(-1000);
        reclaim();
        choice();
        adjust(0);
        return system("dmesg | grep -c 'Out of memory: Killed process' | sed 's/^/oom: reports: /'") ? 1 : 0;
}
