/* SPDX-License-Identifier: Apache-2.0
 *
 * sched_basic: sched_yield, affinity, priorities.
 */
#include "abi.h"

static int as_user(void)
{
        become_user(1000);
        errno = 0;
        OKAY("nicer", setpriority(PRIO_PROCESS, 0, 5));
        CHECK("told", getpriority(PRIO_PROCESS, 0) == 5);
        FAILS("not back", EACCES, setpriority(PRIO_PROCESS, 0, 0));
        FAILS("not another's", EPERM, setpriority(PRIO_PROCESS, 1, 10));
        return done();
}

int main(void)
{
        cpu_set_t set, one;
        int       n;

        OKAY("yield", sched_yield());
        CHECK("all processors", (n = syscall(SYS_sched_getaffinity, 0, sizeof set, &set)) > 0 && CPU_ISSET(0, &set));
        CPU_ZERO(&one);
        CPU_SET(0, &one);
        OKAY("to the first", sched_setaffinity(0, sizeof one, &one));
        sched_getaffinity(0, sizeof set, &set);
        CHECK("told", CPU_COUNT(&set) == 1 && CPU_ISSET(0, &set));
        unsigned cpu = 9;
        OKAY("getcpu", syscall(SYS_getcpu, &cpu, NULL, NULL));
        CHECK("is the first", cpu == 0);
        pid_t pid = fork();
        if (pid == 0) {
                sched_getaffinity(0, sizeof set, &set);
                _exit(CPU_COUNT(&set) == 1 ? 3 : 4);
        }
        CHECK("inherited", result_of(pid) == 3);
        CPU_ZERO(&one);
        FAILS("none", EINVAL, sched_setaffinity(0, sizeof one, &one));
        FAILS("too small for the answer", EINVAL, syscall(SYS_sched_getaffinity, 0, 1, &set));
        FAILS("of nobody", ESRCH, sched_setaffinity(999999, sizeof set, &set));
        CHECK("policy", syscall(SYS_sched_getscheduler, 0) == SCHED_OTHER);
        CHECK("user", in_child(as_user) == 0);
        /* All of several runnable processes make progress. */
        volatile long *count = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        pid_t          pids[5];
        for (int c = 0; c < 5; c++)
                if ((pids[c] = fork()) == 0)
                        for (;;)
                                count[c * 8]++;
        int all = 0;
        for (int i = 0; i < 300 && !all; i++) {
                sleep_ms(20);
                all = count[0] && count[8] && count[16] && count[24] && count[32];
        }
        for (int c = 0; c < 5; c++) {
                kill(pids[c], SIGKILL);
                result_of(pids[c]);
        }
        CHECK("nobody starves", all);
        return done();
}
