/* SPDX-License-Identifier: Apache-2.0
 *
 * sched_load: /proc/loadavg: what sleeps is no load, however long nobody looks.
 */
#include "policy.h"

static double load(void)
{
        double a = -1, b, c;

        sscanf(text_of("/proc/loadavg"), "%lf %lf %lf", &a, &b, &c);
        return a;
}

int main(void)
{
        double before = load();

        CHECK("there is one", before >= 0);
        /* Three samples; each that finds one thread running adds 0.08. */
        sleep_ms(16000);
        CHECK("asleep it falls", load() <= before * 0.85 + 0.1);
        pid_t pid[4];                           /* many: whatever there was before, it is less */
        for (int i = 0; i < 4; i++)
                if ((pid[i] = fork()) == 0)
                        for (;;)
                                ;
        before = load();
        int rises = 0;
        for (int i = 0; i < 300 && !rises; i++) {
                sleep_ms(100);
                rises = load() > before + 0.05;
        }
        CHECK("busy it rises", rises);
        for (int i = 0; i < 4; i++) {
                kill(pid[i], SIGKILL);
                result_of(pid[i]);
        }
        return done();
}
