/* SPDX-License-Identifier: Apache-2.0
 *
 * sched_idle_ticks: a CPU with nothing to do is left alone; one that is shared by two is not (/proc/interrupts).
 */
#include "policy.h"

#define CPUS 64

static int cpus;

static int timers(long *of)
{
        const char *at = strstr(text_of("/proc/interrupts"), "LOC:");
        int n = 0;

        for (at += at ? 4 : 0; at && n < cpus && sscanf(at, "%ld", &of[n]) == 1; n++)
                at += strspn(at, " ") + strspn(at + strspn(at, " "), "0123456789");
        return n;
}

int main(void)
{
        long before[CPUS], after[CPUS], least = 0;

        cpus = sysconf(_SC_NPROCESSORS_ONLN);
        must(cpus >= 1 && cpus <= CPUS, "cpus");
        CHECK("told for each CPU", timers(before) == cpus);
        for (int turn = 0; turn < 5; turn++) {          /* what else there is to do ends some time; who waits for this program polls */
                long now = 0;
                timers(before);
                sleep_ms(2000);
                timers(after);
                for (int i = 0; i < cpus; i++)
                        now = after[i] - before[i] > now ? after[i] - before[i] : now;
                least = turn && least < now ? least : now;
        }
        CHECK("2 s of idleness are not 500 ticks", least < 250);
        timers(before);
        pid_t pid[2];
        for (int i = 0; i < 2; i++)
                if ((pid[i] = fork()) == 0) {
                        on_cpu(0, 0);
                        for (;;)
                                ;
                }
        sleep_ms(3000);
        timers(after);
        CHECK("two that share a CPU take more", after[0] - before[0] > 40);
        for (int i = 0; i < 2; i++) {
                kill(pid[i], SIGKILL);
                result_of(pid[i]);
        }
        return done();
}
