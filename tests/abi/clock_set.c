/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: setting the clock: absolute sleepers and timers of it notice, relative ones do not; timerfd's ECANCELED; TAI;
 * adjtimex; time zones; errors.
 */
#include "abi.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sys/timerfd.h>
#include <sys/timex.h>

#define MS 1000000L
static int64_t real_ms(void)
{
        struct timespec t;
        clock_gettime(CLOCK_REALTIME, &t);
        return t.tv_sec * 1000LL + t.tv_nsec / MS;
}
static struct timespec in(clockid_t clock, int seconds)
{
        struct timespec t;
        clock_gettime(clock, &t);
        t.tv_sec += seconds;
        return t;
}
static void step(int seconds)
{
        struct timespec t = in(CLOCK_REALTIME, seconds);
        must(clock_settime(CLOCK_REALTIME, &t) == 0, "settime");
}
static void *later(void *arg)
{
        threads_asleep(1);
        step((int)(long)arg);
        return NULL;
}
static pthread_t stepping(int seconds)
{
        pthread_t t;
        must(pthread_create(&t, NULL, later, (void *)(long)seconds) == 0, "thread");
        return t;
}
static volatile int count;
static void catch(int sig) { (void)sig; count++; }

static void sleepers(void)
{
        struct timespec t = in(CLOCK_REALTIME, 100);
        int64_t t0 = now_ms();
        pthread_t th = stepping(200);
        CHECK("clock_nanosleep", clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL) == 0 && now_ms() - t0 < 50000);
        pthread_join(th, NULL);
        t = in(CLOCK_TAI, 100);
        th = stepping(200);
        CHECK("TAI", clock_nanosleep(CLOCK_TAI, TIMER_ABSTIME, &t, NULL) == 0 && now_ms() - t0 < 50000);
        pthread_join(th, NULL);
        t0 = now_ms();
        t = (struct timespec){ 0, 200 * MS };
        th = stepping(200);
        clock_nanosleep(CLOCK_REALTIME, 0, &t, NULL);
        CHECK("a relative one does not notice", now_ms() - t0 >= 200 && now_ms() - t0 < 20000);
        pthread_join(th, NULL);
        t0 = now_ms();
        t = in(CLOCK_REALTIME, 3);
        th = stepping(-1);
        clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL);
        CHECK("set back: it sleeps longer", now_ms() - t0 >= 3900);
        pthread_join(th, NULL);
        int word = 0;
        t = in(CLOCK_REALTIME, 100);
        t0 = now_ms();
        th = stepping(200);
        FAILS("futex", ETIMEDOUT, syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &t, NULL, ~0u));
        CHECK("in time", now_ms() - t0 < 50000);
        pthread_join(th, NULL);
}

static void timers(void)
{
        struct itimerspec it = { .it_value = in(CLOCK_REALTIME, 100) };
        timer_t t;

        on(SIGALRM, catch, SA_RESTART);
        must(timer_create(CLOCK_REALTIME, NULL, &t) == 0, "timer");
        timer_settime(t, TIMER_ABSTIME, &it, NULL);
        step(200);
        CHECK("a POSIX timer", AWAIT(count) && count == 1);
        count = 0;
        it.it_value = (struct timespec){ 100, 0 };
        timer_settime(t, 0, &it, NULL);
        step(200);
        sleep_ms(30);
        timer_gettime(t, &it);
        CHECK("not a relative one", count == 0 && it.it_value.tv_sec > 80 && it.it_value.tv_sec <= 99);
        it = (struct itimerspec){ .it_value = in(CLOCK_REALTIME, 100) };
        timer_settime(t, TIMER_ABSTIME, &it, NULL);
        step(-50);
        timer_gettime(t, &it);
        CHECK("set back", it.it_value.tv_sec > 130 && it.it_value.tv_sec <= 149);
        timer_delete(t);
}

static void timerfds(void)
{
        uint64_t n = 0;
        struct itimerspec it = { .it_value = in(CLOCK_REALTIME, 100) }, old;
        int fd = timerfd_create(CLOCK_REALTIME, 0), mono = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
        struct pollfd p = { fd, POLLIN, 0 };

        timerfd_settime(fd, TFD_TIMER_ABSTIME, &it, NULL);
        pthread_t th = stepping(200);
        CHECK("timerfd", read(fd, &n, 8) == 8 && n == 1);
        pthread_join(th, NULL);
        it.it_value = in(CLOCK_REALTIME, 100);
        OKAY("cancelled when it is set", timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &it, NULL));
        th = stepping(1);
        FAILS("read", ECANCELED, read(fd, &n, 8));
        pthread_join(th, NULL);
        CHECK("once", poll(&p, 1, 0) == 0);
        timerfd_gettime(fd, &old);
        CHECK("it runs on", old.it_value.tv_sec > 80 && old.it_value.tv_sec <= 98);
        step(1);
        CHECK("poll", poll(&p, 1, 30000) == 1 && p.revents == POLLIN);
        it.it_value = in(CLOCK_REALTIME, 100);
        FAILS("settime", ECANCELED, timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &it, NULL));
        CHECK("and set", timerfd_gettime(fd, &old) == 0 && old.it_value.tv_sec > 80 && old.it_value.tv_sec <= 99);
        step(1);
        OKAY("forgotten without the flag", timerfd_settime(fd, TFD_TIMER_ABSTIME, &it, NULL));
        CHECK("nothing to read", poll(&p, 1, 0) == 0);
        it.it_value = in(CLOCK_MONOTONIC, 100);
        timerfd_settime(mono, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &it, NULL);
        step(1);
        FAILS("not of another clock", EAGAIN, read(mono, &n, 8));
        close(fd);
        close(mono);
}

static void tai(void)
{
        struct timex tx = { .modes = ADJ_TAI, .constant = 37 };
        OKAY("set TAI", adjtimex(&tx));
        CHECK("told", tx.tai == 37);
        struct timespec a = in(CLOCK_REALTIME, 0), b = in(CLOCK_TAI, 0);
        int64_t d = (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / MS;
        CHECK("ahead", d >= 37000 && d < 57000);
        struct timespec raw;
        syscall(SYS_clock_gettime, CLOCK_TAI, &raw);
        CHECK("by the system call, too", raw.tv_sec - b.tv_sec <= 20 && raw.tv_sec >= b.tv_sec);
        tx.constant = -1;
        adjtimex(&tx);
        CHECK("a negative one is nothing", tx.tai == 37);
        tx.constant = 0;
        adjtimex(&tx);
        CHECK("back", tx.tai == 0);
}

static int as_user(void)
{
        struct timex tx = { 0 };
        struct timespec t = in(CLOCK_REALTIME, 0);
        struct timeval tv = { t.tv_sec, 0 };
        become_user(1000);
        CHECK("reading", adjtimex(&tx) >= 0);
        tx.modes = ADJ_OFFSET_SS_READ;
        CHECK("reading the old way", adjtimex(&tx) >= 0);
        tx.modes = ADJ_FREQUENCY;
        FAILS("no more", EPERM, adjtimex(&tx));
        tx.modes = ADJ_OFFSET_SINGLESHOT;
        FAILS("nor the old way", EPERM, adjtimex(&tx));
        FAILS("settime", EPERM, clock_settime(CLOCK_REALTIME, &t));
        FAILS("settimeofday", EPERM, settimeofday(&tv, NULL));
        t.tv_nsec = -1;
        FAILS("bad times first", EINVAL, clock_settime(CLOCK_REALTIME, &t));
        return done();
}

static void adjusting(void)
{
        struct timex tx = { 0 };
        CHECK("not synchronized", adjtimex(&tx) == TIME_ERROR && (tx.status & STA_UNSYNC));
        CHECK("limits", tx.precision == 1 && tx.tolerance == 32768000 && tx.tick == 10000 && tx.maxerror == 16000000 && tx.esterror == 16000000);
        int64_t first = real_ms();
        adjtimex(&tx);
        int64_t told = tx.time.tv_sec * 1000LL + tx.time.tv_usec / 1000;
        CHECK("the time", told >= first && told <= real_ms());
        int64_t before = real_ms(), mono = now_ms();
        tx = (struct timex){ .modes = ADJ_SETOFFSET, .time = { 100, 500000 } };
        OKAY("SETOFFSET", adjtimex(&tx));
        int64_t d = real_ms() - before - (now_ms() - mono);
        CHECK("moved", d >= 100490 && d <= 100510);
        tx = (struct timex){ .modes = ADJ_SETOFFSET | ADJ_NANO, .time = { -101, 500000000 } };
        OKAY("back, in nanoseconds", adjtimex(&tx));
        d = real_ms() - before - (now_ms() - mono);
        CHECK("moved back", d >= -10 && d <= 10);
        CHECK("nanoseconds are told", (tx.status & STA_NANO));
        tx = (struct timex){ .modes = ADJ_MICRO };
        adjtimex(&tx);
        CHECK("microseconds", !(tx.status & STA_NANO));
        tx = (struct timex){ .modes = ADJ_SETOFFSET, .time = { 0, 1000000 } };
        FAILS("SETOFFSET: microseconds", EINVAL, adjtimex(&tx));
        tx = (struct timex){ .modes = ADJ_SETOFFSET, .time = { 0, -1 } };
        FAILS("SETOFFSET: negative ones", EINVAL, adjtimex(&tx));
        tx = (struct timex){ .modes = ADJ_TICK, .tick = 8999 };
        FAILS("tick", EINVAL, adjtimex(&tx));
        tx = (struct timex){ .modes = ADJ_TICK, .tick = 11001 };
        FAILS("tick, too high", EINVAL, adjtimex(&tx));
        tx = (struct timex){ .modes = ADJ_FREQUENCY, .freq = 1l << 40 };
        FAILS("frequency, far too high", EINVAL, adjtimex(&tx));
        tx.freq = 40000000;
        OKAY("frequency", adjtimex(&tx));
        CHECK("clamped", tx.freq == 32768000);
        tx = (struct timex){ .modes = ADJ_FREQUENCY, .freq = 0 };
        adjtimex(&tx);
        CHECK("none", tx.freq == 0);
        tx = (struct timex){ .modes = ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR, .status = STA_PLL, .maxerror = 100, .esterror = 50 };
        CHECK("synchronized", adjtimex(&tx) == TIME_OK && tx.status == STA_PLL && tx.maxerror >= 100 && tx.maxerror < 2000 && tx.esterror == 50);
        tx = (struct timex){ .modes = ADJ_TIMECONST, .constant = 3 };
        adjtimex(&tx);
        CHECK("time constant", tx.constant == 7);
        tx = (struct timex){ .modes = ADJ_STATUS, .status = STA_UNSYNC | 0xff00 };
        CHECK("not any more", adjtimex(&tx) == TIME_ERROR && (tx.status & 0xff) == STA_UNSYNC && !(tx.status & 0xff00));
        tx = (struct timex){ .modes = ADJ_OFFSET_SINGLESHOT, .offset = 200 };
        adjtimex(&tx);
        tx = (struct timex){ .modes = ADJ_OFFSET_SS_READ };
        adjtimex(&tx);
        CHECK("adjtime", tx.offset <= 200 && tx.offset >= 0);
        tx = (struct timex){ .modes = 0x8000 };
        FAILS("bad mode", EINVAL, adjtimex(&tx));
        tx = (struct timex){ 0 };
        CHECK("clock_adjtime", clock_adjtime(CLOCK_REALTIME, &tx) == TIME_ERROR);
        FAILS("of another clock", EOPNOTSUPP, clock_adjtime(CLOCK_MONOTONIC, &tx));
        FAILS("of none", EINVAL, clock_adjtime(77, &tx));
        FAILS("to nowhere", EFAULT, syscall(SYS_adjtimex, BAD_PTR));
}

static void errors(void)
{
        struct timespec t = in(CLOCK_REALTIME, 0);
        struct timeval tv = { t.tv_sec, 1000000 };
        struct timezone tz = { 60, 1 }, got;

        FAILS("another clock", EINVAL, clock_settime(CLOCK_MONOTONIC, &t));
        FAILS("no clock", EINVAL, clock_settime(77, &t));
        FAILS("from nowhere", EFAULT, syscall(SYS_clock_settime, CLOCK_REALTIME, BAD_PTR));
        FAILS("before boot", EINVAL, clock_settime(CLOCK_REALTIME, &(struct timespec){ 0, 0 }));
        FAILS("nanoseconds", EINVAL, clock_settime(CLOCK_REALTIME, &(struct timespec){ t.tv_sec, 1000000000 }));
        FAILS("negative", EINVAL, clock_settime(CLOCK_REALTIME, &(struct timespec){ -1, 0 }));
        FAILS("too far", EINVAL, clock_settime(CLOCK_REALTIME, &(struct timespec){ 9000000000, 0 }));
        FAILS("microseconds", EINVAL, settimeofday(&tv, NULL));
        OKAY("zone", syscall(SYS_settimeofday, NULL, &tz));
        syscall(SYS_gettimeofday, NULL, &got);
        CHECK("told", got.tz_minuteswest == 60 && got.tz_dsttime == 1);
        tz.tz_minuteswest = 901;
        FAILS("no such zone", EINVAL, syscall(SYS_settimeofday, NULL, &tz));
        tz = (struct timezone){ 0, 0 };
        syscall(SYS_settimeofday, NULL, &tz);
        FAILS("zone from nowhere", EFAULT, syscall(SYS_settimeofday, NULL, BAD_PTR));
        step(0);
}

int main(void)
{
        int64_t off = real_ms() - now_ms();

        adjusting();
        sleepers();
        timers();
        timerfds();
        tai();
        CHECK("as a user", in_child(as_user) == 0);
        errors();
        step((int)((off - (real_ms() - now_ms())) / 1000));
        return done();
}
