/* SPDX-License-Identifier: Apache-2.0
 *
 * pty_modes: reading without ICANON: the four forms of VMIN and VTIME, with poll, FIONREAD and O_NONBLOCK; and the changes
 * between canonical mode and the others with bytes under way.
 */
#include "pty.h"

static void mode(int min, int tenths, int canonical)
{
        struct termios t;

        must(tcgetattr(slave, &t) == 0, "tcgetattr");
        t.c_lflag &= ~(ICANON | ECHO);
        if (canonical)
                t.c_lflag |= ICANON;
        t.c_cc[VMIN] = min;
        t.c_cc[VTIME] = tenths;
        must(tcsetattr(slave, TCSANOW, &t) == 0, "tcsetattr");
}

static long ms(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static char buf[5000];

/* Reads up to `want`: at once, or after waiting: what is timed takes longer than a second. */
#define TENTHS 15
static void reads(const char *name, size_t want)
{
        long    from = ms();
        ssize_t n = read(slave, buf, want);
        long    took = ms() - from;

        say("ok %s: %ld%s, %s\n", name, (long)n, n < 0 ? strerror(errno) : "", took < 1200 ? "at once" : "a while");
}

/* A child types text after some ms. */
static void later(const char *text, int wait, int again)
{
        if (fork() == 0) {
                for (int i = 0; i <= again; i++) {
                        usleep(wait * 1000);
                        put(master, text);
                }
                _exit(0);
        }
}
static void reap(void) { while (wait(NULL) > 0); }

static void ready(const char *name)
{
        int n = -1;

        usleep(50000);
        RESULT("FIONREAD", ioctl(slave, FIONREAD, &n));
        say("ok %s: %d bytes, poll %x\n", name, n, events(slave, POLLIN | POLLOUT, 0));
}

int main(void)
{
        new_pair();

        mode(0, 0, 0);
        reads("0 0 with nothing", 10);
        put(master, "abc");
        ready("0 0 with something");
        reads("0 0 with something", 10);
        reads("0 0, no bytes wanted", 0);

        mode(0, TENTHS, 0);
        ready("0 3 with nothing");
        reads("0 3 with nothing", 10);
        later("x", 50, 0);
        reads("0 3, one byte", 10);
        reap();
        put(master, "abc");
        usleep(50000);
        reads("0 3 with three", 2);
        reads("0 3 with the rest", 10);

        mode(1, 0, 0);
        later("xyz", 1300, 0);
        reads("1 0", 10);
        reap();

        mode(5, 0, 0);
        put(master, "abc");
        ready("5 0 with three");
        later("de", 1300, 0);
        reads("5 0 wants five", 10);
        reap();
        put(master, "abc");
        later("de", 1300, 0);
        reads("5 0, three wanted", 3);
        reap();
        mode(1, 0, 0);
        shows("what is left", slave);
        mode(5, 0, 0);
        put(master, "abcdefgh");
        usleep(50000);
        reads("5 0 with eight", 6);
        mode(0, 0, 0);
        reads("and the rest", 10);

        mode(5, TENTHS, 0);
        put(master, "ab");
        ready("5 3 with two");
        reads("5 3 with two", 10);
        later("x", 1300, 0);
        reads("5 3: the time begins with the first byte", 10);
        reap();
        later("x", 750, 5);
        reads("5 3: and with each", 10);
        reap();
        mode(0, 0, 0);
        reads("one is left", 10);

        fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK);
        mode(1, 0, 0);
        reads("nonblocking, 1 0", 10);
        mode(0, 0, 0);
        reads("nonblocking, 0 0", 10);
        mode(0, TENTHS, 0);
        reads("nonblocking, 0 3", 10);
        mode(5, 0, 0);
        put(master, "ab");
        usleep(50000);
        reads("nonblocking, 5 0 with two", 10);
        mode(5, TENTHS, 0);
        put(master, "ab");
        usleep(50000);
        reads("nonblocking, 5 3 with two", 10);
        mode(1, 0, 1);
        reads("nonblocking, canonical", 10);
        put(master, "half a line");
        ready("half a line");
        reads("nonblocking, half a line", 100);
        fcntl(slave, F_SETFL, O_RDWR);

        /* Half a line is there, and canonical mode ends. */
        mode(1, 0, 0);
        ready("canonical mode over");
        reads("canonical mode over", 100);
        mode(1, 0, 0);
        put(master, "raw bytes");
        usleep(50000);
        mode(1, 0, 1);
        ready("canonical mode begins");
        put(master, "\n");
        ready("and a line ends");
        reads("a line of it", 100);
        fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK);
        reads("and then", 100);
        fcntl(slave, F_SETFL, O_RDWR);
        put(master, "one\ntwo\nthr");
        ready("lines");
        mode(1, 0, 0);
        ready("lines, raw");
        reads("lines, raw", 5);
        mode(1, 0, 1);
        ready("the rest, canonical");
        fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK);
        reads("the rest, canonical", 100);
        reads("and on", 100);
        fcntl(slave, F_SETFL, O_RDWR);
        mode(1, 0, 0);
        tcflush(slave, TCIFLUSH);

        /* Lines by pieces. */
        mode(1, 0, 1);
        put(master, "abcdef\n");
        usleep(50000);
        reads("a piece", 4);
        reads("another", 100);
        put(master, "abcd\n");
        usleep(50000);
        reads("without its end", 4);
        reads("the end", 100);
        put(master, "abcd\004ef\n");
        usleep(50000);
        reads("up to the end of file", 4);
        reads("then", 100);
        put(master, "abcd\004\004ef\n");
        usleep(50000);
        reads("to the end of file", 4);
        reads("the second one", 100);
        reads("and the line", 100);
        put(master, "\004");
        ready("an end of file alone");
        reads("an end of file alone", 100);
        memset(buf, 'x', sizeof buf);
        int wrote = write(master, buf, 4200);
        say("ok a line too long: %d\n", wrote);
        put(master, "\n");
        ready("a line too long");
        reads("a line too long", sizeof buf);
        return done();
}
