/* SPDX-License-Identifier: Apache-2.0
 *
 * tty_input: the line discipline: editing, end of file, signals, raw reads.
 */
#include "abi.h"
#include <termios.h>

/* TIOCSTI puts a character into the terminal as if it had been typed. */
static int           tty;
static volatile int  last_sig;

static void handler(int sig) { last_sig = sig; }

static void type(const char *s)
{
        for (; *s; s++)
                must(ioctl(tty, TIOCSTI, s) == 0, "TIOCSTI");
}

static int reads(const char *want)
{
        char    buf[300];
        ssize_t n = read(tty, buf, sizeof buf);

        return n == (ssize_t)strlen(want) && !memcmp(buf, want, n);
}

int main(void)
{
        struct termios t, cooked;
        char           c[3];
        int            n;

        tty = open("/dev/ttyS0", O_RDWR | O_NOCTTY);
        must(tty >= 0 && ioctl(tty, TIOCSCTTY, 0) == 0, "ttyS0");
        tcgetattr(tty, &cooked);
        cooked.c_lflag &= ~ECHO;
        tcsetattr(tty, TCSAFLUSH, &cooked);
        type("abc\n");
        CHECK("a line", reads("abc\n"));
        type("abx\177c\n");
        CHECK("erase", reads("abc\n"));
        type("\177\177ab\n");
        CHECK("nothing to erase", reads("ab\n"));
        type("one two  \027x\n");
        CHECK("word erase", reads("one x\n"));
        type("junk\025good\n");
        CHECK("kill", reads("good\n"));
        type("a\026\003b\n");
        CHECK("literal next", reads("a\003b\n"));
        type("cr\r");
        CHECK("return is newline", reads("cr\n"));
        type("one\ntwo\n");
        CHECK("a line at a time", reads("one\n") && reads("two\n"));
        type("abc\004");
        CHECK("end of file ends a line", reads("abc"));
        type("\004");
        CHECK("alone: the end", reads(""));
        type("hello\n");
        CHECK("short reads leave the rest", read(tty, c, 3) == 3 && reads("lo\n"));
        type("xyz\n");
        ioctl(tty, FIONREAD, &n);
        CHECK("FIONREAD", n == 4);
        tcflush(tty, TCIFLUSH);
        ioctl(tty, FIONREAD, &n);
        CHECK("flush", n == 0);

        on(SIGINT, handler, SA_RESTART);
        on(SIGQUIT, handler, SA_RESTART);
        type("lost\003");
        CHECK("interrupt", last_sig == SIGINT);
        type("kept\n");
        CHECK("what was before it is gone", reads("kept\n"));
        type("\034");
        CHECK("quit", last_sig == SIGQUIT);

        t = cooked;
        t.c_lflag &= ~ICANON;
        t.c_cc[VMIN] = 2;
        t.c_cc[VTIME] = 0;
        tcsetattr(tty, TCSANOW, &t);
        type("q\004r");
        CHECK("raw: as it comes", reads("q\004r"));
        t.c_cc[VMIN] = 0;
        t.c_cc[VTIME] = 1;
        tcsetattr(tty, TCSANOW, &t);
        int64_t start = now_ms();
        CHECK("raw: a time-out", read(tty, c, 3) == 0 && now_ms() - start >= 90);
        t.c_cc[VTIME] = 0;
        tcsetattr(tty, TCSANOW, &t);
        CHECK("raw: polling", read(tty, c, 3) == 0);
        fcntl(tty, F_SETFL, O_NONBLOCK);
        t.c_cc[VMIN] = 1;
        tcsetattr(tty, TCSANOW, &t);
        FAILS("without waiting", EAGAIN, read(tty, c, 3));
        struct pollfd p = { .fd = tty, .events = POLLIN | POLLOUT };
        CHECK("poll: nothing typed", poll(&p, 1, 0) == 1 && p.revents == POLLOUT);
        type("x");
        CHECK("poll: typed", poll(&p, 1, 0) == 1 && p.revents == (POLLIN | POLLOUT));
        tcsetattr(tty, TCSAFLUSH, &cooked);
        type("part");
        p.events = POLLIN;
        CHECK("poll: part of a line is not readable", poll(&p, 1, 0) == 0);
        tcflush(tty, TCIFLUSH);
        cooked.c_lflag |= ECHO;
        tcsetattr(tty, TCSANOW, &cooked);
        return done();
}
