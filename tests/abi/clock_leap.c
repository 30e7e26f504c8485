/* SPDX-License-Identifier: Apache-2.0
 *
 * clock_leap: leap seconds (STA_INS, STA_DEL), what adjtimex(2) tells meanwhile, and who is told; slewing is fine.
 */
#include "policy.h"
#include <sys/timerfd.h>
#include <sys/timex.h>

#define DAY 86400


static void set_clock(time_t sec, long ns)
{
        struct timespec t = { sec, ns };

        must(clock_settime(CLOCK_REALTIME, &t) == 0, "settime");
}

static struct timex status(int bits)
{
        struct timex tx = { .modes = ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR, .status = bits };  /* else it is unsynchronised again soon */

        must(adjtimex(&tx) >= 0, "status");
        return tx;
}

static int state(struct timex *tx)
{
        *tx = (struct timex){};
        return adjtimex(tx);
}

/* Waits until the state is another, at most some seconds. */
static int state_after(int was, struct timex *tx)
{
        int now = was;

        for (int i = 0; i < 800 && now == was; i++) {
                now = state(tx);
                if (now == was)
                        sleep_ms(5);
        }
        return now;
}

static void insert(time_t midnight)
{
        struct timex tx;
        int tfd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
        struct itimerspec its = { .it_value = { midnight + 1000, 0 } };
        uint64_t n;

        set_clock(midnight - 2, 100000000);
        status(0);
        CHECK("synchronised", state(&tx) == TIME_OK);
        int tai = tx.tai;
        timerfd_settime(tfd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &its, NULL);
        status(STA_INS);
        CHECK("INS with the next second", state_after(TIME_OK, &tx) == TIME_INS);
        CHECK("the day's last but one or last", tx.time.tv_sec >= midnight - 2 && tx.time.tv_sec <= midnight - 1);
        CHECK("then OOP", state_after(TIME_INS, &tx) == TIME_OOP);
        CHECK("the last second again", tx.time.tv_sec == midnight - 1);
        CHECK("TAI is one more", tx.tai == tai + 1);
        struct timespec a, b;
        clock_gettime(CLOCK_REALTIME, &a);
        clock_gettime(CLOCK_TAI, &b);
        CHECK("as CLOCK_TAI says", b.tv_sec - a.tv_sec == tai + 1 || b.tv_sec - a.tv_sec == tai + 2);
        CHECK("then WAIT", state_after(TIME_OOP, &tx) == TIME_WAIT);
        CHECK("the next day", tx.time.tv_sec == midnight);
        FAILS("timerfds are told", ECANCELED, read(tfd, &n, 8));
        status(0);
        CHECK("then OK", state_after(TIME_WAIT, &tx) == TIME_OK);
        tx = (struct timex){ .modes = ADJ_TAI, .constant = tai };
        adjtimex(&tx);
        close(tfd);
}

static void delete(time_t midnight)
{
        struct timex tx;

        set_clock(midnight - 4, 100000000);
        status(0);
        state(&tx);
        int tai = tx.tai;
        status(STA_DEL);
        CHECK("DEL with the next second", state_after(TIME_OK, &tx) == TIME_DEL);
        int saw_last = 0;
        for (int i = 0; i < 1200 && state(&tx) == TIME_DEL; i++) {
                saw_last |= tx.time.tv_sec == midnight - 1;
                sleep_ms(2);
        }
        CHECK("then WAIT", state(&tx) == TIME_WAIT);
        CHECK("the next day", tx.time.tv_sec >= midnight && tx.time.tv_sec <= midnight + 1);
        CHECK("without the last second", !saw_last);
        CHECK("TAI is one less", tx.tai == tai - 1);
        status(0);
        CHECK("then OK", state_after(TIME_WAIT, &tx) == TIME_OK);
        tx = (struct timex){ .modes = ADJ_TAI, .constant = tai };
        adjtimex(&tx);
}

static void taken_back(time_t midnight)
{
        struct timex tx;

        set_clock(midnight - 1000, 0);
        status(STA_INS);
        CHECK("INS", state_after(TIME_OK, &tx) == TIME_INS);
        status(0);
        CHECK("taken back", state_after(TIME_INS, &tx) == TIME_OK);
        status(STA_UNSYNC | STA_INS);
        CHECK("not synchronised: an error", state(&tx) == TIME_ERROR);
        status(0);
        state_after(TIME_INS, &tx);
}

/* What the wall clock gains on the raw one, in ppm. */
static double gain(double seconds)
{
        double w = clock_s(CLOCK_REALTIME), m = clock_s(CLOCK_MONOTONIC_RAW);

        sleep_ms(seconds * 1000);
        double w2 = clock_s(CLOCK_REALTIME), m2 = clock_s(CLOCK_MONOTONIC_RAW);
        return ((w2 - w) / (m2 - m) - 1) * 1e6;
}

static void slews(void)
{
        struct timex tx = { .modes = ADJ_TICK | ADJ_FREQUENCY, .tick = 11000, .freq = 0 };

        OKAY("tick 11000", adjtimex(&tx));
        double g = gain(0.5);
        CHECK("gains a tenth", g > 97000 && g < 103000);
        /* Straight on: no piece of it is much faster. */
        int steps = 0;
        for (int i = 0; i < 300; i++) {
                double w = clock_s(CLOCK_REALTIME), m = clock_s(CLOCK_MONOTONIC_RAW);
                double until = m + 0.001, m2;
                while ((m2 = clock_s(CLOCK_MONOTONIC_RAW)) < until)
                        ;
                double w2 = clock_s(CLOCK_REALTIME), m3 = clock_s(CLOCK_MONOTONIC_RAW);
                double fast = (w2 - w) - (m3 - m) * 1.1;
                steps += fast > 0.0005;
        }
        CHECK("without steps", steps < 15);
        tx = (struct timex){ .modes = ADJ_TICK, .tick = 9000 };
        OKAY("tick 9000", adjtimex(&tx));
        g = gain(0.5);
        CHECK("loses a tenth", g < -97000 && g > -103000);
        int back = 0;
        struct timespec a, b;
        clock_gettime(CLOCK_REALTIME, &a);
        for (int i = 0; i < 100000; i++, a = b) {
                clock_gettime(CLOCK_REALTIME, &b);
                back += b.tv_sec < a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec < a.tv_nsec);
        }
        CHECK("and never goes back", back == 0);
        tx = (struct timex){ .modes = ADJ_TICK, .tick = 10000 };
        OKAY("tick 10000", adjtimex(&tx));
        tx = (struct timex){ .modes = ADJ_OFFSET_SINGLESHOT, .offset = 1000000 };
        OKAY("adjtime", adjtimex(&tx));
        CHECK("nothing was left", tx.offset == 0);
        sleep_ms(2500);
        tx = (struct timex){ .modes = ADJ_OFFSET_SS_READ };
        OKAY("what is left", adjtimex(&tx));
        CHECK("is less", tx.offset < 1000000 && tx.offset > 990000);
        tx = (struct timex){ .modes = ADJ_OFFSET_SINGLESHOT, .offset = 0 };
        OKAY("no more", adjtimex(&tx));
        CHECK("what was left is told", tx.offset < 1000000 && tx.offset > 990000);
        g = gain(0.5);
        CHECK("straight", g < 5000 && g > -5000);
}

int main(void)
{
        time_t midnight = 1800000000 / DAY * DAY;
        struct timespec mono, wall;

        clock_gettime(CLOCK_MONOTONIC, &mono);
        clock_gettime(CLOCK_REALTIME, &wall);
        insert(midnight);
        delete(midnight);
        taken_back(midnight);
        slews();
        status(STA_UNSYNC);
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        set_clock(wall.tv_sec + now.tv_sec - mono.tv_sec, wall.tv_nsec);
        return done();
}
