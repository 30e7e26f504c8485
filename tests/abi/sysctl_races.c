/* SPDX-License-Identifier: Apache-2.0
 *
 * sysctl_races: settings that are written at once by several: none loses what another wrote.
 */
#include "abi.h"

#define K "/proc/sys/kernel/"
#define V "/proc/sys/vm/"
#define ROUNDS 400

static const struct { const char *path, *value[2]; } of[] = {
        { K "core_uses_pid", { "0", "1" } }, { K "core_pipe_limit", { "0", "3" } }, { K "msgmax", { "8192", "8000" } },
        { K "msgmnb", { "16384", "16000" } }, { K "shmmni", { "4096", "4000" } }, { V "overcommit_memory", { "0", "1" } },
        { V "max_map_count", { "65530", "65000" } }, { "/proc/sys/fs/mqueue/msg_max", { "10", "11" } },
};
#define N ((int)(sizeof of / sizeof *of))

static int writes(int i)
{
        int lost = 0;

        for (int k = 1; k <= ROUNDS; k++) {
                char want[16];
                const char *v = of[i].value[k & 1];
                snprintf(want, sizeof want, "%s\n", v);
                if (set_text(of[i].path, v) != 0)
                        return 2;
                sched_yield();
                lost += strcmp(text_of(of[i].path), want) != 0;
        }
        return lost > 0;
}

int main(void)
{
        pid_t pid[N];
        char was[N][16];

        for (int i = 0; i < N; i++)
                snprintf(was[i], sizeof was[i], "%s", text_of(of[i].path));
        for (int i = 0; i < N; i++)
                if ((pid[i] = fork()) == 0)
                        _exit(writes(i));
        for (int i = 0; i < N; i++)
                CHECK(of[i].path, result_of(pid[i]) == 0);
        for (int i = 0; i < N; i++)
                set_text(of[i].path, was[i]);
        return done();
}
