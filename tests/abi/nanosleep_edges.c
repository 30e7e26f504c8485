/* SPDX-License-Identifier: Apache-2.0
 *
 * nanosleep_edges: clock_nanosleep(2): what remains, stops and signals on the way, clocks that are set.
 */
#include "policy.h"

static volatile sig_atomic_t hits;
static void handler(int sig) { (void)sig; hits++; }

static long cns(clockid_t id, int flags, const struct timespec *t, struct timespec *left)
{
        return syscall(SYS_clock_nanosleep, id, flags, t, left);
}

static struct timespec ms(int n) { return (struct timespec){ n / 1000, n % 1000 * 1000000L }; }

static void arguments(void)
{
        struct timespec t = ms(1), bad = { 0, 1000000000 }, negative = { -1, 0 }, below = { 0, -1 }, zero = { 0, 0 }, left = { 7, 7 };

        FAILS("ns 10^9", EINVAL, cns(CLOCK_MONOTONIC, 0, &bad, NULL));
        FAILS("ns -1", EINVAL, cns(CLOCK_MONOTONIC, 0, &below, NULL));
        FAILS("s -1", EINVAL, cns(CLOCK_MONOTONIC, 0, &negative, NULL));
        FAILS("absolute -1", EINVAL, cns(CLOCK_MONOTONIC, TIMER_ABSTIME, &negative, NULL));
        FAILS("no time", EFAULT, cns(CLOCK_MONOTONIC, 0, NULL, NULL));
        FAILS("bad address", EFAULT, cns(CLOCK_MONOTONIC, 0, BAD_PTR, NULL));
        FAILS("no such clock", EINVAL, cns(99, 0, &t, NULL));
        FAILS("no such clock goes first", EINVAL, cns(99, 0, BAD_PTR, NULL));
        FAILS("MONOTONIC_RAW", EOPNOTSUPP, cns(CLOCK_MONOTONIC_RAW, 0, &t, NULL));
        FAILS("REALTIME_COARSE", EOPNOTSUPP, cns(CLOCK_REALTIME_COARSE, 0, &t, NULL));
        OKAY("BOOTTIME", cns(CLOCK_BOOTTIME, 0, &t, NULL));
        OKAY("TAI", cns(CLOCK_TAI, 0, &t, NULL));
        OKAY("REALTIME", cns(CLOCK_REALTIME, 0, &t, NULL));
        OKAY("0", cns(CLOCK_MONOTONIC, 0, &zero, &left));
        CHECK("nothing is told", left.tv_sec == 7 && left.tv_nsec == 7);
        OKAY("unknown flags are ignored", cns(CLOCK_MONOTONIC, 0x100, &t, NULL));
        OKAY("bad place for what remains, not needed", cns(CLOCK_MONOTONIC, 0, &t, BAD_PTR));
}

static void remains(void)
{
        struct itimerval it = { .it_value = { 0, 100000 } };
        struct timespec t = ms(1000), left = { 7, 7 };

        on(SIGALRM, handler, 0);
        setitimer(ITIMER_REAL, &it, NULL);
        FAILS("interrupted", EINTR, cns(CLOCK_MONOTONIC, 0, &t, &left));
        CHECK("about 0.9 s remain", left.tv_sec == 0 && left.tv_nsec > 300000000 && left.tv_nsec <= 900000000);
        setitimer(ITIMER_REAL, &it, NULL);
        FAILS("nowhere to tell", EINTR, cns(CLOCK_MONOTONIC, 0, &t, NULL));
        setitimer(ITIMER_REAL, &it, NULL);
        FAILS("a bad place to tell", EFAULT, cns(CLOCK_MONOTONIC, 0, &t, BAD_PTR));
        on(SIGALRM, handler, SA_RESTART);
        setitimer(ITIMER_REAL, &it, NULL);
        FAILS("SA_RESTART does not help", EINTR, cns(CLOCK_MONOTONIC, 0, &t, &left));
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += 1;
        left = (struct timespec){ 7, 7 };
        setitimer(ITIMER_REAL, &it, NULL);
        FAILS("absolute", EINTR, cns(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, &left));
        CHECK("nothing remains of a point in time", left.tv_sec == 7 && left.tv_nsec == 7);
}

/* Stopped and continued it sleeps on, to its end and no longer; ignored signals do not end it either. */
static int sleeper(int absolute)
{
        struct timespec t = ms(600), now;

        on(SIGCONT, SIG_DFL, 0);
        on(SIGUSR1, SIG_IGN, 0);
        double at = clock_s(CLOCK_MONOTONIC);
        if (absolute) {
                clock_gettime(CLOCK_MONOTONIC, &now);
                t = (struct timespec){ now.tv_sec + (now.tv_nsec + 600000000) / 1000000000, (now.tv_nsec + 600000000) % 1000000000 };
        }
        long r = cns(CLOCK_MONOTONIC, absolute ? TIMER_ABSTIME : 0, &t, NULL);
        double took = clock_s(CLOCK_MONOTONIC) - at;
        return r == 0 && took >= 0.6 && took < 1.6 ? 0 : 1;
}

static void stops(int absolute, const char *name)
{
        pid_t pid = fork();
        int status;

        if (pid == 0)
                _exit(sleeper(absolute));
        sleep_ms(100);
        kill(pid, SIGUSR1);
        kill(pid, SIGSTOP);
        waitpid(pid, &status, WUNTRACED);
        sleep_ms(100);
        kill(pid, SIGCONT);
        sleep_ms(50);
        kill(pid, SIGSTOP);
        waitpid(pid, &status, WUNTRACED);
        kill(pid, SIGCONT);
        CHECK(name, result_of(pid) == 0);
}

/* A time of the wall clock comes sooner if the clock is set. */
static void clock_is_set(void)
{
        struct timespec now, mono, mono2;

        clock_gettime(CLOCK_REALTIME, &now);
        clock_gettime(CLOCK_MONOTONIC, &mono);
        pid_t pid = fork();
        if (pid == 0) {
                struct timespec until = { now.tv_sec + 100, now.tv_nsec };
                double at = clock_s(CLOCK_MONOTONIC);
                long r = cns(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL);
                double took = clock_s(CLOCK_MONOTONIC) - at;
                _exit(r == 0 && took < 10 ? 3 : 4);
        }
        pid_t other = fork();
        if (other == 0) {
                struct timespec t = ms(900);
                double at = clock_s(CLOCK_MONOTONIC);
                long r = cns(CLOCK_REALTIME, 0, &t, NULL);
                double took = clock_s(CLOCK_MONOTONIC) - at;
                _exit(r == 0 && took >= 0.9 && took < 5 ? 3 : 4);
        }
        sleep_ms(200);
        struct timespec ahead = { now.tv_sec + 200, 0 };
        must(clock_settime(CLOCK_REALTIME, &ahead) == 0, "settime");
        CHECK("an absolute one is over", result_of(pid) == 3);
        CHECK("a relative one is not", result_of(other) == 3);
        clock_gettime(CLOCK_MONOTONIC, &mono2);
        struct timespec back = { now.tv_sec + mono2.tv_sec - mono.tv_sec, now.tv_nsec };
        must(clock_settime(CLOCK_REALTIME, &back) == 0, "settime");
        struct timespec past = { 1, 0 };
        OKAY("long ago", cns(CLOCK_REALTIME, TIMER_ABSTIME, &past, NULL));
        struct timespec far = { (time_t)1 << 60, 0 };
        alarm(1);
        on(SIGALRM, handler, 0);
        FAILS("very far", EINTR, cns(CLOCK_REALTIME, TIMER_ABSTIME, &far, NULL));
        alarm(1);
        FAILS("very long", EINTR, cns(CLOCK_MONOTONIC, 0, &far, NULL));
}

int main(void)
{
        arguments();
        remains();
        stops(0, "stopped, relative");
        stops(1, "stopped, absolute");
        clock_is_set();
        return done();
}
