/* SPDX-License-Identifier: Apache-2.0
 *
 * proc_forget: what was looked at of processes that are gone takes no memory for long.
 */
#include "show.h"

enum { CHILDREN = 2000, SOME_KB = 4096 };

static long slab(void) { return kb_of("/proc/meminfo", "Slab:"); }

static void look(void)
{
        static const char *const files[] = { "stat", "status", "maps", "limits", "cmdline", "statm", "comm", "oom_score" };
        char path[64];

        for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
                snprintf(path, sizeof path, "/proc/%d/%s", getpid(), files[i]);
                text_of(path);
                snprintf(path, sizeof path, "/proc/%d/task/%d/%s", getpid(), getpid(), files[i]);
                text_of(path);
        }
}

int main(void)
{
        long first = slab(), last;
        int  whole = 1;

        for (int i = 0; i < CHILDREN; i++) {
                int   status = 0;
                pid_t pid = fork();
                if (pid == 0) {
                        look();
                        _exit(0);
                }
                whole &= waitpid(pid, &status, 0) == pid && status == 0;
        }
        CHECK("all looked", whole);
        last = slab();
        CHECK("little is kept", last - first < SOME_KB);
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/stat", getpid());
        CHECK("what lives is there", !access(path, R_OK) && !access("/proc/self/task", R_OK));
        return done();
}
