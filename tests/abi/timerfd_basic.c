/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: timerfd: one shot, intervals, absolute times, waiting, poll, errors, /proc.
 */
#include "abi.h"
#include <sys/epoll.h>
#include <sys/timerfd.h>

#define MS 1000000L

static int fd;

static int set(int flags, long value, long interval, struct itimerspec *old)
{
        struct itimerspec t = { { interval / 1000, interval % 1000 * MS }, { value / 1000, value % 1000 * MS } };
        return timerfd_settime(fd, flags, &t, old);
}
static int set_spec(struct itimerspec t) { return timerfd_settime(fd, 0, &t, NULL); }

static uint64_t get(void)
{
        uint64_t n = 0;
        return read(fd, &n, 8) == 8 ? n : 0;
}
static int ready(int ms)
{
        struct pollfd p = { fd, POLLIN | POLLOUT, 0 };
        poll(&p, 1, ms);
        return p.revents;
}

static void shots(void)
{
        uint64_t n;
        struct itimerspec old;
        int64_t t0;

        fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
        FAILS("not armed", EAGAIN, read(fd, &n, 8));
        OKAY("armed", set(0, 30, 0, NULL));
        CHECK("not yet", ready(0) == 0);
        CHECK("poll waits", ready(5000) == POLLIN);
        FAILS("no room", EINVAL, read(fd, &n, 4));
        CHECK("once", get() == 1 && ready(0) == 0);
        OKAY("its time", timerfd_gettime(fd, &old));
        CHECK("is over", old.it_value.tv_sec == 0 && old.it_value.tv_nsec == 0);
        set(0, 100000, 7000, NULL);
        timerfd_gettime(fd, &old);
        CHECK("time left", old.it_value.tv_sec == 99 && old.it_interval.tv_sec == 7);
        OKAY("disarmed", set(0, 0, 5, &old));
        CHECK("what was", old.it_value.tv_sec == 99 && old.it_interval.tv_sec == 7);
        timerfd_gettime(fd, &old);
        CHECK("what is", old.it_value.tv_sec == 0 && old.it_value.tv_nsec == 0 && old.it_interval.tv_nsec == 5 * MS);
        set(0, 1, 0, NULL);
        sleep_ms(10);
        set(0, 100000, 0, NULL);
        FAILS("setting forgets what has expired", EAGAIN, read(fd, &n, 8));
        close(fd);

        fd = timerfd_create(CLOCK_BOOTTIME, 0);
        t0 = now_ms();
        set(0, 40, 0, NULL);
        CHECK("read waits", get() == 1 && now_ms() - t0 >= 40);
        close(fd);
}

static void intervals(void)
{
        uint64_t n;
        struct itimerspec old;
        struct epoll_event e = { .events = EPOLLIN | EPOLLET };
        int ep = epoll_create1(0);

        fd = timerfd_create(CLOCK_REALTIME, 0);
        set(0, 10, 10, NULL);
        sleep_ms(55);
        n = get();
        CHECK("counted", n >= 5 && n < 100);
        CHECK("goes on", get() >= 1);
        timerfd_gettime(fd, &old);
        CHECK("the next one is near", old.it_value.tv_sec == 0 && old.it_value.tv_nsec > 0 && old.it_value.tv_nsec <= 10 * MS);
        epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
        CHECK("an edge, until it is read", epoll_wait(ep, &e, 1, 5000) == 1 && epoll_wait(ep, &e, 1, 30) == 0);
        CHECK("then another", get() >= 1 && epoll_wait(ep, &e, 1, 5000) == 1);
        CHECK("not one that was read", (set(0, 0, 0, NULL), epoll_wait(ep, &e, 1, 30) == 0));
        close(fd);
        close(ep);
}

static void absolute(void)
{
        struct timespec now;
        struct itimerspec t = {}, old;
        static const int clock[3] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME };

        for (int i = 0; i < 3; i++) {
                fd = timerfd_create(clock[i], 0);
                clock_gettime(clock[i], &now);
                t = (struct itimerspec){ .it_value = now };
                t.it_value.tv_sec += 100;
                OKAY("absolute", timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &t, NULL));
                timerfd_gettime(fd, &old);
                CHECK("in a while", old.it_value.tv_sec == 99);
                t.it_value = now;
                timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL);
                CHECK("in the past", get() == 1);
                t.it_value = now;
                t.it_interval.tv_nsec = 20 * MS;
                sleep_ms(200);
                timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL);
                uint64_t n = get();
                CHECK("in the past with an interval", n >= 10 && n < 1000);
                close(fd);
        }
}

static void nothing(int sig) { (void)sig; }

static void errors(void)
{
        uint64_t n;
        char path[64], link[64] = "";
        struct itimerspec t = {};
        int other = open("f", O_CREAT | O_RDWR, 0600);

        FAILS("no such clock", EINVAL, timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0));
        FAILS("nor this", EINVAL, timerfd_create(CLOCK_MONOTONIC_RAW, 0));
        FAILS("bad flags", EINVAL, timerfd_create(CLOCK_MONOTONIC, 1));
        fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
        CHECK("TFD_CLOEXEC", fcntl(fd, F_GETFD) == FD_CLOEXEC);
        FAILS("settime: bad flags", EINVAL, set(4, 1, 0, NULL));
        FAILS("nanoseconds", EINVAL, set_spec((struct itimerspec){ { 0, 0 }, { 0, 1000000000 } }));
        FAILS("negative ones", EINVAL, set_spec((struct itimerspec){ { 0, -1 }, { 1, 0 } }));
        FAILS("negative seconds", EINVAL, set_spec((struct itimerspec){ { 0, 0 }, { -1, 0 } }));
        FAILS("time from nowhere", EFAULT, syscall(SYS_timerfd_settime, fd, 0, BAD_PTR, NULL));
        FAILS("time to nowhere", EFAULT, syscall(SYS_timerfd_gettime, fd, BAD_PTR));
        FAILS("no descriptor", EBADF, timerfd_settime(999, 0, &t, NULL));
        FAILS("no timer", EINVAL, timerfd_settime(other, 0, &t, NULL));
        FAILS("no timer to ask", EINVAL, timerfd_gettime(other, &t));
        FAILS("write", EINVAL, write(fd, &n, 8));
        FAILS("pread", ESPIPE, pread(fd, &n, 8, 0));
        CHECK("seeking goes nowhere", lseek(fd, 5, SEEK_SET) == 0);
        on(SIGALRM, nothing, 0);
        ALARMED("a signal ends a read", read(fd, &n, 8));
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        CHECK("name", readlink(path, link, sizeof link - 1) > 0 && !strcmp(link, "anon_inode:[timerfd]"));
        snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
        CHECK("fdinfo", strstr(text_of(path), "clockid: 1\nticks: 0\nsettime flags: 00\nit_value: (0, 0)\nit_interval: (0, 0)\n") != NULL);
        close(fd);
}

int main(void)
{
        shots();
        intervals();
        absolute();
        errors();
        return done();
}
