/* SPDX-License-Identifier: Apache-2.0
 *
 * sched_fair: shares: nice values, as many threads as there are, SCHED_BATCH, SCHED_IDLE (sched(7)).
 */
#include "policy.h"

static volatile long *used;             /* ms of processor time, a line per process */
static int cpus;

static pid_t hog(int slot, int cpu, int policy, int nice)
{
        used[slot * 8] = 0;
        pid_t pid = fork();

        if (pid)
                return pid;
        if (cpu >= 0)
                on_cpu(0, cpu);
        setattr((struct attr){ .policy = policy, .nice = nice });
        for (;;)
                used[slot * 8] = clock_s(CLOCK_THREAD_CPUTIME_ID) * 1000;
}

/* Runs for some time; then used[] tells what each got of it. */
static void measure(int ms, int n, pid_t *pids)
{
        sleep_ms(200);
        long before[16];
        for (int i = 0; i < n; i++)
                before[i] = used[i * 8];
        sleep_ms(ms);
        for (int i = 0; i < n; i++)
                used[i * 8 + 1] = used[i * 8] - before[i];
        for (int i = 0; i < n; i++) {
                kill(pids[i], SIGKILL);
                result_of(pids[i]);
        }
}

static double ratio(int a, int b) { return (double)used[a * 8 + 1] / (used[b * 8 + 1] ? used[b * 8 + 1] : 1); }

static void weights(void)
{
        pid_t p[3];

        p[0] = hog(0, 0, SCHED_OTHER, 0);
        p[1] = hog(1, 0, SCHED_OTHER, 5);
        measure(2000, 2, p);
        CHECK("nice 0 to 5: about 3 to 1", ratio(0, 1) > 1.8 && ratio(0, 1) < 5);
        p[0] = hog(0, 0, SCHED_OTHER, -20);
        p[1] = hog(1, 0, SCHED_OTHER, 19);
        measure(2000, 2, p);
        CHECK("nice -20 to 19: everything", ratio(0, 1) > 20);
        CHECK("which is a lot", used[1] > 1000);
}

static void equal(void)
{
        pid_t p[12];
        int n = cpus * 3;

        for (int i = 0; i < n; i++)
                p[i] = hog(i, i % cpus, SCHED_OTHER, 0);
        measure(2000, n, p);
        int even = 1;
        for (int i = 1; i < n; i++)
                even &= ratio(i, 0) > 0.6 && ratio(i, 0) < 1.6;
        CHECK("equals get equal shares", even);
        n = cpus * 2;
        for (int i = 0; i < n; i++)
                p[i] = hog(i, -1, SCHED_OTHER, 0);
        measure(2000, n, p);
        even = 1;
        for (int i = 1; i < n; i++)
                even &= ratio(i, 0) > 0.3 && ratio(i, 0) < 3.3;
        CHECK("and spread over the processors", even);
}

static void batch_and_idle(void)
{
        pid_t p[3];

        p[0] = hog(0, 0, SCHED_BATCH, 0);
        p[1] = hog(1, 0, SCHED_OTHER, 0);
        measure(2000, 2, p);
        CHECK("batch gets as much", ratio(0, 1) > 0.6 && ratio(0, 1) < 1.6);
        p[0] = hog(0, 0, SCHED_OTHER, 0);
        p[1] = hog(1, 0, SCHED_IDLE, 0);
        measure(3000, 2, p);
        CHECK("idle gets next to nothing", ratio(0, 1) > 20);
        p[0] = hog(0, 0, SCHED_OTHER, 19);
        p[1] = hog(1, 0, SCHED_IDLE, -20);
        measure(2000, 2, p);
        CHECK("less than nice 19", ratio(0, 1) > 2);
        CHECK("but something", used[9] > 0);
        p[0] = hog(0, 0, SCHED_IDLE, 0);
        measure(1000, 1, p);
        CHECK("alone it has all", used[1] > 500);
}

/* A thread whose nice value changes while it runs. */
static void renice(void)
{
        pid_t p[2];

        p[0] = hog(0, 0, SCHED_OTHER, 0);
        p[1] = hog(1, 0, SCHED_OTHER, 0);
        sleep_ms(300);
        setpriority(PRIO_PROCESS, p[1], 10);
        measure(2000, 2, p);
        CHECK("nice 10 from outside: about 9 to 1", ratio(0, 1) > 3 && ratio(0, 1) < 30);
}

int main(void)
{
        used = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        cpus = sysconf(_SC_NPROCESSORS_ONLN);
        if (cpus > 4)
                cpus = 4;
        weights();
        equal();
        batch_and_idle();
        renice();
        return done();
}
