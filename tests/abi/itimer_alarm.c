/* SPDX-License-Identifier: Apache-2.0
 *
 * itimer_alarm: alarm and the interval timers.
 */
#include "abi.h"

static volatile int alrm, vt, prof;

static void handler(int sig)
{
        alrm += sig == SIGALRM;
        vt += sig == SIGVTALRM;
        prof += sig == SIGPROF;
}

int main(void)
{
        struct itimerval it = { { 0, 10000 }, { 0, 10000 } }, off = { { 0, 0 }, { 0, 0 } }, old;

        on(SIGALRM, handler, SA_RESTART);
        on(SIGVTALRM, handler, SA_RESTART);
        on(SIGPROF, handler, SA_RESTART);
        CHECK("none before", alarm(100) == 0);
        CHECK("seconds left", alarm(0) >= 99);
        CHECK("cancelled", alarm(0) == 0);
        OKAY("every 10 ms", setitimer(ITIMER_REAL, &it, NULL));
        while (alrm < 3)
                pause();
        getitimer(ITIMER_REAL, &old);
        CHECK("its interval", old.it_interval.tv_usec == 10000 && old.it_value.tv_sec == 0);
        setitimer(ITIMER_REAL, &off, &old);
        int n = alrm;
        sleep_ms(50);
        CHECK("off", alrm <= n + 1 && old.it_interval.tv_usec == 10000);
        OKAY("virtual", setitimer(ITIMER_VIRTUAL, &it, NULL));
        while (vt < 2)
                ;
        setitimer(ITIMER_VIRTUAL, &off, NULL);
        OKAY("profiling", setitimer(ITIMER_PROF, &it, NULL));
        while (prof < 2)
                getppid();
        setitimer(ITIMER_PROF, &off, NULL);
        CHECK("both came", vt >= 2 && prof >= 2);
        FAILS("which", EINVAL, setitimer(9, &it, NULL));
        it.it_value.tv_usec = 1000000;
        FAILS("microseconds", EINVAL, setitimer(ITIMER_REAL, &it, NULL));
        FAILS("pointer", EFAULT, setitimer(ITIMER_REAL, BAD_PTR, NULL));
        pid_t pid = fork();
        if (pid == 0) {
                on(SIGALRM, SIG_DFL, 0);
                ualarm(10000, 0);
                for (;;)
                        ;
        }
        CHECK("it kills by default, also what only computes", result_of(pid) == KILLED(SIGALRM));
        pid = fork();
        if (pid == 0) {
                on(SIGALRM, SIG_DFL, 0);
                ualarm(50000, 0);
                execl("/bin/busybox", "busybox", "sleep", "20", NULL);
                _exit(1);
        }
        CHECK("it survives an execve", result_of(pid) == KILLED(SIGALRM));
        return done();
}
