/* SPDX-License-Identifier: Apache-2.0
 *
 * itimer_edges: setitimer(2) and alarm(2): all three kinds, errors, what is left, fork and exec, several threads.
 */
#include "policy.h"
#include <pthread.h>

static volatile sig_atomic_t real, virt, prof;
static void on_real(int s) { (void)s; real++; }
static void on_virt(int s) { (void)s; virt++; }
static void on_prof(int s) { (void)s; prof++; }

static struct itimerval it(long ms, long every)
{
        return (struct itimerval){ .it_value = { ms / 1000, ms % 1000 * 1000 }, .it_interval = { every / 1000, every % 1000 * 1000 } };
}

static int set(int which, long ms, long every)
{
        struct itimerval v = it(ms, every);

        return setitimer(which, &v, NULL);
}

static void arguments(void)
{
        struct itimerval v = it(1000, 0), old;
        long (*const call)(long, ...) = syscall;

        FAILS("which", EINVAL, call(SYS_setitimer, 3, &v, NULL));
        FAILS("which -1", EINVAL, call(SYS_setitimer, -1, &v, NULL));
        FAILS("get which", EINVAL, call(SYS_getitimer, 3, &old));
        FAILS("get: bad address", EFAULT, call(SYS_getitimer, 0, BAD_PTR));
        FAILS("bad address", EFAULT, call(SYS_setitimer, 0, BAD_PTR, NULL));
        v.it_value.tv_usec = 1000000;
        FAILS("us 10^6", EINVAL, call(SYS_setitimer, 0, &v, NULL));
        v.it_value.tv_usec = -1;
        FAILS("us -1", EINVAL, call(SYS_setitimer, 0, &v, NULL));
        v = it(1000, 0);
        v.it_interval.tv_sec = -1;
        FAILS("interval -1", EINVAL, call(SYS_setitimer, 0, &v, NULL));
        OKAY("no value: off", call(SYS_setitimer, 0, NULL, &old));
        v = it(100000, 7000);
        FAILS("bad old address", EFAULT, call(SYS_setitimer, 0, &v, BAD_PTR));
        getitimer(ITIMER_REAL, &old);
        CHECK("set nonetheless", old.it_value.tv_sec >= 99 && old.it_interval.tv_sec == 7);
        CHECK("alarm tells", alarm(50) == 100);
        getitimer(ITIMER_REAL, &old);
        CHECK("alarm is the same timer", old.it_value.tv_sec >= 49 && old.it_value.tv_sec <= 50 && old.it_interval.tv_sec == 0);
        CHECK("off", alarm(0) == 50);
        CHECK("it was", alarm(0) == 0);
        set(ITIMER_REAL, 300, 0);
        CHECK("part of a second counts as one", alarm(0) == 1);
        v = it(0, 0);
        v.it_value.tv_sec = (time_t)1 << 58;
        OKAY("very long", setitimer(ITIMER_REAL, &v, NULL));
        getitimer(ITIMER_REAL, &old);
        CHECK("is told as very long", old.it_value.tv_sec > 1000000000);
        OKAY("off", set(ITIMER_REAL, 0, 0));
        OKAY("an interval alone", set(ITIMER_REAL, 0, 500));
        getitimer(ITIMER_REAL, &old);
        CHECK("is off", old.it_value.tv_sec == 0 && old.it_value.tv_usec == 0);
        set(ITIMER_VIRTUAL, 5000, 2000);
        getitimer(ITIMER_VIRTUAL, &old);
        CHECK("virtual", old.it_value.tv_sec >= 4 && old.it_value.tv_sec <= 5 && old.it_interval.tv_sec == 2);
        set(ITIMER_VIRTUAL, 0, 0);
}

static void burn(double s)
{
        burn_until(clock_s(CLOCK_MONOTONIC) + s);
}

static void kinds(void)
{
        on(SIGALRM, on_real, SA_RESTART);
        on(SIGVTALRM, on_virt, SA_RESTART);
        on(SIGPROF, on_prof, SA_RESTART);
        set(ITIMER_VIRTUAL, 50, 0);
        set(ITIMER_PROF, 50, 0);
        sleep_ms(300);
        CHECK("no processor time", virt == 0 && prof == 0);
        for (int i = 0; i < 100 && !(virt && prof); i++)
                burn(0.05);
        CHECK("processor time", virt == 1 && prof == 1);
        set(ITIMER_PROF, 20, 20);
        for (int i = 0; i < 100 && prof < 6; i++)
                burn(0.05);
        CHECK("again and again", prof >= 6 && virt == 1);
        set(ITIMER_PROF, 0, 0);
        int was = prof;
        burn(0.2);
        CHECK("off", prof - was <= 1);
        /* A system call's time is not user time. */
        prof = virt = 0;
        set(ITIMER_REAL, 30, 30);
        sleep_ms(5);
        for (int i = 0; i < 100 && real < 5; i++)
                sleep_ms(50);
        CHECK("real time", real >= 5);
        set(ITIMER_REAL, 0, 0);
}

static void *spin(void *arg)
{
        double until = clock_s(CLOCK_PROCESS_CPUTIME_ID) + 5;

        while (!prof && clock_s(CLOCK_PROCESS_CPUTIME_ID) < until)
                ;
        return arg;
}

static void several(void)
{
        pthread_t t[3];

        prof = 0;
        set(ITIMER_PROF, 300, 0);
        for (int i = 0; i < 3; i++)
                pthread_create(&t[i], NULL, spin, NULL);
        double at = clock_s(CLOCK_PROCESS_CPUTIME_ID);
        for (int i = 0; i < 3; i++)
                pthread_join(t[i], NULL);
        double took = clock_s(CLOCK_PROCESS_CPUTIME_ID) - at;
        CHECK("all threads' time counts", prof == 1 && took > 0.2 && took < 2);
}

static void forks(void)
{
        struct itimerval old;

        set(ITIMER_REAL, 100000, 0);
        set(ITIMER_PROF, 100000, 0);
        pid_t pid = fork();
        if (pid == 0) {
                getitimer(ITIMER_REAL, &old);
                int off = !old.it_value.tv_sec && !old.it_value.tv_usec;
                getitimer(ITIMER_PROF, &old);
                _exit(off && !old.it_value.tv_sec && !old.it_value.tv_usec ? 3 : 4);
        }
        CHECK("a child has none", result_of(pid) == 3);
        CHECK("the parent has", alarm(0) == 100);
        set(ITIMER_PROF, 0, 0);
        if ((pid = fork()) == 0) {
                signal(SIGALRM, SIG_DFL);
                set(ITIMER_REAL, 150, 0);
                execl("/proc/self/exe", "itimer_edges", "wait", NULL);
                _exit(9);
        }
        CHECK("it survives exec", result_of(pid) == KILLED(SIGALRM));
}

int main(int argc, char **argv)
{
        (void)argv;
        if (argc > 1) {
                sleep_ms(5000);
                return 0;
        }
        arguments();
        kinds();
        several();
        forks();
        return done();
}
