/* SPDX-License-Identifier: Apache-2.0
 *
 * timer_slack: PR_SET_TIMERSLACK and /proc/PID/timerslack_ns; what they do to sleeps.
 */
#include "policy.h"
#include <sys/prctl.h>

#define FILE_OF "/proc/self/timerslack_ns"

static int says(const char *path, const char *what)
{
        return !strcmp(text_of(path), what);
}

static int as_user(pid_t other)
{
        char path[64];

        become_user(1000);
        snprintf(path, sizeof path, "/proc/%d/timerslack_ns", other);
        FAILS("user: another's", EPERM, set_text(path, "70000"));
        int fd = open(path, O_RDONLY);
        char c;
        FAILS("user: not even told", EPERM, read(fd, &c, 1));
        OKAY("user: own", set_text(FILE_OF, "70000"));
        CHECK("user: told", prctl(PR_GET_TIMERSLACK) == 70000);
        return done();
}

int main(void)
{
        CHECK("50 us", prctl(PR_GET_TIMERSLACK) == 50000);
        CHECK("in proc", says(FILE_OF, "50000\n"));
        OKAY("set", prctl(PR_SET_TIMERSLACK, 1234567));
        CHECK("told", prctl(PR_GET_TIMERSLACK) == 1234567 && says(FILE_OF, "1234567\n"));
        pid_t pid = fork();
        if (pid == 0) {
                prctl(PR_SET_TIMERSLACK, 99);
                prctl(PR_SET_TIMERSLACK, 0);
                _exit(prctl(PR_GET_TIMERSLACK) == 1234567 ? 4 : 5);
        }
        CHECK("a child's default is what its parent has", result_of(pid) == 4);
        OKAY("0", prctl(PR_SET_TIMERSLACK, 0));
        CHECK("the default", prctl(PR_GET_TIMERSLACK) == 50000);
        OKAY("by file", set_text(FILE_OF, "777\n"));
        CHECK("told", prctl(PR_GET_TIMERSLACK) == 777);
        OKAY("0 by file", set_text(FILE_OF, "0"));
        CHECK("the default", prctl(PR_GET_TIMERSLACK) == 50000);
        FAILS("no number", EINVAL, set_text(FILE_OF, "x"));
        FAILS("negative", EINVAL, set_text(FILE_OF, "-5"));
        struct stat st;
        stat(FILE_OF, &st);
        CHECK("mode", (st.st_mode & 0777) == 0666);

        if ((pid = fork()) == 0)
                for (;;)
                        pause();
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/timerslack_ns", pid);
        OKAY("another's", set_text(path, "4000000000"));
        CHECK("told", says(path, "4000000000\n"));
        pid_t self = getpid(), user = fork();
        if (user == 0) {
                failures = 0;
                _exit(as_user(self));
        }
        CHECK("as user", result_of(user) == 0);
        kill(pid, SIGKILL);
        result_of(pid);

        /* Never early, and late by no more than the slack. */
        int early = 0, late = 0;
        prctl(PR_SET_TIMERSLACK, 100000000);
        for (int i = 0; i < 10; i++) {
                double at = clock_s(CLOCK_MONOTONIC);
                sleep_ms(5);
                double took = clock_s(CLOCK_MONOTONIC) - at;
                early += took < 0.005;
                late += took > 0.005 + 0.1 + 1.5;
                at = clock_s(CLOCK_MONOTONIC);
                poll(NULL, 0, 5);
                took = clock_s(CLOCK_MONOTONIC) - at;
                early += took < 0.0049;
                late += took > 0.005 + 0.1 + 1.5;
        }
        CHECK("not early", early == 0);
        CHECK("not too late", late == 0);
        /* A poll without waiting and a time that has passed are not put off. */
        prctl(PR_SET_TIMERSLACK, 3000000000ul);
        double at = clock_s(CLOCK_MONOTONIC);
        struct timespec past = { 1, 0 };
        poll(NULL, 0, 0);
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL);
        clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &past, NULL);
        CHECK("what has passed", clock_s(CLOCK_MONOTONIC) - at < 1);
        return done();
}
