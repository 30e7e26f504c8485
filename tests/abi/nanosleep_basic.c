/* SPDX-License-Identifier: Apache-2.0
 *
 * nanosleep_basic: nanosleep and clock_nanosleep: times, interruption, remainder.
 */
#include "abi.h"

static void nothing(int sig) { (void)sig; }

int main(void)
{
        struct timespec t = { 0, 20000000 }, rest = { 0 }, bad = { 0, 1000000000 }, neg = { -1, 0 };
        int64_t         start = now_ms();

        OKAY("nanosleep", nanosleep(&t, NULL));
        CHECK("long enough", now_ms() - start >= 19);
        on(SIGALRM, nothing, 0);
        t = (struct timespec){ 10, 0 };
        ALARMED("interrupted", nanosleep(&t, &rest));
        CHECK("the remainder", rest.tv_sec >= 5 && rest.tv_sec < 10);
        clock_gettime(CLOCK_MONOTONIC, &t);
        t.tv_sec += 10;
        rest = (struct timespec){ 7, 7 };
        ALARMED("absolute, interrupted", syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &t, &rest));
        CHECK("no remainder", rest.tv_sec == 7);
        start = now_ms();
        t.tv_sec = 1;
        CHECK("in the past", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == 0 && now_ms() - start < 2000);
        clock_gettime(CLOCK_REALTIME, &t);
        t.tv_nsec += 1000000;
        if (t.tv_nsec >= 1000000000) {
                t.tv_nsec -= 1000000000;
                t.tv_sec++;
        }
        CHECK("real time", clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL) == 0);
        t = (struct timespec){ 0, 0 };
        OKAY("nothing", nanosleep(&t, NULL));
        FAILS("too many nanoseconds", EINVAL, nanosleep(&bad, NULL));
        FAILS("negative", EINVAL, nanosleep(&neg, NULL));
        FAILS("pointer", EFAULT, nanosleep(BAD_PTR, NULL));
        CHECK("clock", clock_nanosleep(99, 0, &t, NULL) == EINVAL);
        CHECK("a thread's own clock", clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &t, NULL) == EINVAL);
        /* Stopped and continued: it goes on to its end. */
        pid_t pid = fork();
        if (pid == 0) {
                t = (struct timespec){ 0, 200000000 };
                start = now_ms();
                _exit(nanosleep(&t, NULL) == 0 && now_ms() - start >= 199 ? 5 : 6);
        }
        int st;
        sleep_ms(20);
        kill(pid, SIGSTOP);
        waitpid(pid, &st, WUNTRACED);
        kill(pid, SIGCONT);
        CHECK("over a stop", result_of(pid) == 5);
        return done();
}
