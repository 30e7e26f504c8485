/* SPDX-License-Identifier: Apache-2.0
 *
 * times_rusage: times and getrusage.
 */
#include "abi.h"
#include <sys/times.h>

static void burn(int ms)
{
        struct timespec t;

        do
                clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        while (t.tv_sec * 1000 + t.tv_nsec / 1000000 < ms);
}

static long ms_of(struct timeval t) { return t.tv_sec * 1000 + t.tv_usec / 1000; }

int main(void)
{
        struct rusage self, kids;
        struct tms    t;

        burn(200);
        getrusage(RUSAGE_SELF, &self);
        CHECK("time of one's own", ms_of(self.ru_utime) + ms_of(self.ru_stime) >= 150);
        CHECK("memory and faults", self.ru_maxrss > 0 && self.ru_minflt > 0);
        getrusage(RUSAGE_CHILDREN, &kids);
        CHECK("none of children", ms_of(kids.ru_utime) == 0 && kids.ru_maxrss == 0);
        pid_t pid = fork();
        if (pid == 0) {
                burn(200);
                _exit(0);
        }
        result_of(pid);
        getrusage(RUSAGE_CHILDREN, &kids);
        CHECK("after the wait", ms_of(kids.ru_utime) + ms_of(kids.ru_stime) >= 150 && kids.ru_maxrss > 0);
        clock_t a = times(&t), b;
        CHECK("times agrees", t.tms_utime + t.tms_stime >= 15 && t.tms_cutime + t.tms_cstime >= 15);
        sleep_ms(100);
        b = times(NULL);
        CHECK("a hundred ticks per second", b - a >= 9 && b - a < 500);
        getrusage(RUSAGE_SELF, &self);
        CHECK("voluntary switches", self.ru_nvcsw > 0);
        FAILS("who", EINVAL, getrusage(77, &self));
        FAILS("pointer", EFAULT, syscall(SYS_getrusage, 0, BAD_PTR));
        return done();
}
