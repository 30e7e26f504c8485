/* SPDX-License-Identifier: Apache-2.0
 *
 * timerfd_edges: timerfd_create(2): arguments, clocks, settings while it is armed, what is left, TFD_TIMER_CANCEL_ON_SET.
 */
#include "policy.h"
#include <sys/timerfd.h>

static struct itimerspec its(int first_ms, int every_ms)
{
        return (struct itimerspec){ .it_value = { first_ms / 1000, first_ms % 1000 * 1000000L },
                                    .it_interval = { every_ms / 1000, every_ms % 1000 * 1000000L } };
}

static int ready(int fd, int ms)
{
        struct pollfd p = { fd, POLLIN, 0 };

        return poll(&p, 1, ms) == 1 && p.revents == POLLIN;
}

static void arguments(void)
{
        struct itimerspec t = its(1000, 0), bad = its(0, 0), old;
        int p[2], fd;

        FAILS("clock 99", EINVAL, timerfd_create(99, 0));
        FAILS("CPU time", EINVAL, timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0));
        FAILS("raw", EINVAL, timerfd_create(CLOCK_MONOTONIC_RAW, 0));
        FAILS("TAI", EINVAL, timerfd_create(CLOCK_TAI, 0));
        FAILS("flags", EINVAL, timerfd_create(CLOCK_MONOTONIC, 1));
        OKAY("boot time alarm, of root", fd = timerfd_create(CLOCK_BOOTTIME_ALARM, 0));
        close(fd);
        OKAY("all flags", fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK));
        CHECK("cloexec", fcntl(fd, F_GETFD) == FD_CLOEXEC);
        CHECK("nonblock", fcntl(fd, F_GETFL) == (O_RDWR | O_NONBLOCK));
        FAILS("settime: flags", EINVAL, timerfd_settime(fd, 4, &t, NULL));
        bad.it_value.tv_nsec = 1000000000;
        FAILS("settime: ns", EINVAL, timerfd_settime(fd, 0, &bad, NULL));
        bad = its(1, 0);
        bad.it_interval.tv_sec = -1;
        FAILS("settime: interval", EINVAL, timerfd_settime(fd, 0, &bad, NULL));
        FAILS("settime: address", EFAULT, timerfd_settime(fd, 0, BAD_PTR, NULL));
        FAILS("settime: old's address", EFAULT, timerfd_settime(fd, 0, &t, BAD_PTR));
        OKAY("gettime", timerfd_gettime(fd, &old));
        CHECK("it was set nonetheless", old.it_value.tv_sec == 0 ? old.it_value.tv_nsec > 0 : old.it_value.tv_sec == 1);
        FAILS("gettime: address", EFAULT, timerfd_gettime(fd, BAD_PTR));
        must(pipe(p) == 0, "pipe");
        FAILS("a pipe", EINVAL, timerfd_settime(p[0], 0, &t, NULL));
        FAILS("gettime of a pipe", EINVAL, timerfd_gettime(p[0], &old));
        FAILS("nothing", EBADF, timerfd_settime(999, 0, &t, NULL));
        FAILS("gettime of nothing", EBADF, timerfd_gettime(999, &old));
        char c[8];
        FAILS("short read", EINVAL, read(fd, c, 7));
        FAILS("nothing yet", EAGAIN, read(fd, c, 8));
        FAILS("write", EINVAL, write(fd, c, 8));
        CHECK("lseek does nothing", lseek(fd, 5, SEEK_SET) == 0);
        FAILS("pread", ESPIPE, pread(fd, c, 8, 0));
        close(fd);
        close(p[0]);
        close(p[1]);
}

static void settings(void)
{
        int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
        struct itimerspec t = its(50, 50), old;
        uint64_t n = 0;

        OKAY("set", timerfd_settime(fd, 0, &t, &old));
        CHECK("was off", !old.it_value.tv_sec && !old.it_value.tv_nsec && !old.it_interval.tv_nsec);
        sleep_ms(330);
        t = its(10000, 0);
        OKAY("set again", timerfd_settime(fd, 0, &t, &old));
        CHECK("what it was", old.it_interval.tv_nsec == 50000000 && old.it_value.tv_nsec <= 50000000);
        FAILS("what expired before is forgotten", EAGAIN, read(fd, &n, 8));
        t = its(30, 30);
        timerfd_settime(fd, 0, &t, NULL);
        sleep_ms(200);
        CHECK("several at once", read(fd, &n, 8) == 8 && n >= 5 && n <= 30);
        CHECK("not again", read(fd, &n, 8) == -1 || n == 1);
        t = its(0, 30);
        OKAY("off, with an interval", timerfd_settime(fd, 0, &t, NULL));
        timerfd_gettime(fd, &old);
        CHECK("is off", !old.it_value.tv_nsec && old.it_interval.tv_nsec == 30000000);
        CHECK("and stays so", !ready(fd, 100));
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        t = its(0, 100);
        t.it_value = (struct timespec){ now.tv_sec > 1 ? now.tv_sec - 1 : 0, 1 };
        OKAY("in the past", timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL));
        CHECK("at once", ready(fd, 1000));
        CHECK("with all that has passed", read(fd, &n, 8) == 8 && n >= 1);
        t = its(0, 0);
        t.it_value.tv_nsec = 1;
        t.it_interval.tv_nsec = 1000;
        timerfd_settime(fd, 0, &t, NULL);
        sleep_ms(50);
        CHECK("a very short interval", read(fd, &n, 8) == 8 && n > 10000);
        t = its(0, 0);
        timerfd_settime(fd, 0, &t, NULL);
        /* Two descriptors, one timer. */
        int two = dup(fd);
        t = its(20, 0);
        timerfd_settime(two, 0, &t, NULL);
        CHECK("by a copy", ready(fd, 2000) && read(fd, &n, 8) == 8 && n == 1);
        CHECK("taken for both", !ready(two, 0));
        timerfd_gettime(fd, &old);
        CHECK("once", !old.it_value.tv_sec && !old.it_value.tv_nsec);
        close(two);
        close(fd);
        /* A blocking read, and a child's. */
        fd = timerfd_create(CLOCK_REALTIME, 0);
        t = its(60, 0);
        timerfd_settime(fd, 0, &t, NULL);
        pid_t pid = fork();
        if (pid == 0)
                _exit(read(fd, &n, 8) == 8 ? (int)n : 99);
        CHECK("a child reads", result_of(pid) == 1);
        FAILS("bad address", EFAULT, (t = its(1, 0), timerfd_settime(fd, 0, &t, NULL), sleep_ms(20), read(fd, BAD_PTR, 8)));
        close(fd);
}

static void cancels(void)
{
        int a = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK), b = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK),
            c = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), d = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
        struct timespec now;
        struct itimerspec t = its(0, 0), rel = its(5000, 0);
        uint64_t n;

        clock_gettime(CLOCK_REALTIME, &now);
        t.it_value.tv_sec = now.tv_sec + 5000;
        OKAY("cancelled when set", timerfd_settime(a, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &t, NULL));
        OKAY("not cancelled", timerfd_settime(b, TFD_TIMER_ABSTIME, &t, NULL));
        OKAY("the flag without ABSTIME", timerfd_settime(d, TFD_TIMER_CANCEL_ON_SET, &rel, NULL));
        OKAY("the flag with another clock", timerfd_settime(c, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &t, NULL));
        CHECK("not yet", !ready(a, 0));
        clock_gettime(CLOCK_REALTIME, &now);
        must(clock_settime(CLOCK_REALTIME, &now) == 0, "settime");
        CHECK("readable", ready(a, 1000));
        FAILS("cancelled", ECANCELED, read(a, &n, 8));
        FAILS("once", EAGAIN, read(a, &n, 8));
        CHECK("the others not", !ready(b, 0) && !ready(c, 0) && !ready(d, 0));
        clock_gettime(CLOCK_REALTIME, &now);
        must(clock_settime(CLOCK_REALTIME, &now) == 0, "settime");
        FAILS("setting it anew", ECANCELED, timerfd_settime(a, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &t, NULL));
        FAILS("tells it, too", EAGAIN, read(a, &n, 8));
        clock_gettime(CLOCK_REALTIME, &now);
        must(clock_settime(CLOCK_REALTIME, &now) == 0, "settime");
        CHECK("and it is on", ready(a, 1000));
        close(a);
        close(b);
        close(c);
        close(d);
}

static int as_user(void)
{
        become_user(1000);
        FAILS("user: alarm", EPERM, timerfd_create(CLOCK_REALTIME_ALARM, 0));
        FAILS("user: boot alarm", EPERM, timerfd_create(CLOCK_BOOTTIME_ALARM, 0));
        OKAY("user: boot", timerfd_create(CLOCK_BOOTTIME, 0));
        return done();
}

int main(void)
{
        arguments();
        settings();
        cancels();
        CHECK("as user", in_child(as_user) == 0);
        return done();
}
