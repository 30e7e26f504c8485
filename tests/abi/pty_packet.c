/* SPDX-License-Identifier: Apache-2.0
 *
 * pty_packet: packet mode: TIOCPKT and its status bytes.
 */
#include "pty.h"

/* One read of the master. */
static int packet_is(int status, const char *text)
{
        char    buf[100];
        ssize_t n;

        if (!(events(master, POLLIN, 2000) & POLLIN))
                return 0;
        n = read(master, buf, sizeof buf);
        return n == (ssize_t)strlen(text) + 1 && buf[0] == status && !memcmp(buf + 1, text, n - 1);
}

int main(void)
{
        struct termios t;
        int            yes = 1, no = 0, v = -1;
        char           c;

        new_pair();
        settings(0, 0, ECHO, 0);
        CHECK("off at first", ioctl(master, TIOCGPKT, &v) == 0 && v == 0);
        FAILS("not the slave's affair", ENOTTY, ioctl(slave, TIOCPKT, &yes));
        tcflush(slave, TCIFLUSH);
        OKAY("on", ioctl(master, TIOCPKT, &yes));
        CHECK("told", ioctl(master, TIOCGPKT, &v) == 0 && v == 1);
        CHECK("nothing from before", events(master, POLLIN | POLLPRI, 0) == 0);
        put(slave, "data");
        CHECK("no status", events(master, POLLIN | POLLPRI, 1000) == POLLIN);
        CHECK("data", packet_is(TIOCPKT_DATA, "data"));

        tcflush(slave, TCIFLUSH);
        CHECK("poll", events(master, POLLIN | POLLPRI, 1000) == (POLLIN | POLLPRI));
        CHECK("FLUSHREAD", packet_is(TIOCPKT_FLUSHREAD, ""));
        CHECK("once", events(master, POLLIN | POLLPRI, 0) == 0);
        tcflush(slave, TCOFLUSH);
        CHECK("FLUSHWRITE", packet_is(TIOCPKT_FLUSHWRITE, ""));
        tcflush(slave, TCIOFLUSH);
        CHECK("both", packet_is(TIOCPKT_FLUSHREAD | TIOCPKT_FLUSHWRITE, ""));

        tcflow(slave, TCOOFF);
        CHECK("STOP", packet_is(TIOCPKT_STOP, ""));
        tcflow(slave, TCOON);
        CHECK("START", packet_is(TIOCPKT_START, ""));
        put(master, "\023");
        CHECK("STOP typed", packet_is(TIOCPKT_STOP, ""));
        put(master, "\021");
        CHECK("START typed", packet_is(TIOCPKT_START, ""));
        tcflow(slave, TCOOFF);
        tcflow(slave, TCOON);
        CHECK("the last of both", packet_is(TIOCPKT_START, ""));

        settings(IXON, 0, 0, 0);
        CHECK("NOSTOP", packet_is(TIOCPKT_NOSTOP, ""));
        tcgetattr(slave, &t);
        t.c_iflag |= IXON;
        tcsetattr(slave, TCSANOW, &t);
        CHECK("DOSTOP", packet_is(TIOCPKT_DOSTOP, ""));
        t.c_cc[VSTOP] = 'x';
        tcsetattr(slave, TCSANOW, &t);
        CHECK("other characters", packet_is(TIOCPKT_NOSTOP, ""));
        tcgetattr(slave, &t);
        t.c_lflag ^= ECHOE;
        tcsetattr(slave, TCSANOW, &t);
        CHECK("other settings are not told", events(master, POLLIN, 0) == 0);
        settings(0, 0, 0, EXTPROC);
        CHECK("but with EXTPROC", packet_is(TIOCPKT_IOCTL, ""));
        settings(0, 0, EXTPROC, 0);
        CHECK("and at its end", packet_is(TIOCPKT_IOCTL, ""));

        put(slave, "before");
        tcflow(slave, TCOOFF);
        tcflow(slave, TCOON);
        CHECK("status first", packet_is(TIOCPKT_START, ""));
        CHECK("data behind", packet_is(TIOCPKT_DATA, "before"));

        tcflush(slave, TCIFLUSH);
        OKAY("off", ioctl(master, TIOCPKT, &no));
        put(slave, "plain");
        CHECK("no header", gives(master, "plain"));
        OKAY("on again", ioctl(master, TIOCPKT, &yes));
        CHECK("nothing kept", events(master, POLLIN | POLLPRI, 0) == 0);
        close(slave);
        CHECK("closed", events(master, POLLIN, 1000) & POLLHUP);
        CHECK("EIO", read(master, &c, 1) == -1 && errno == EIO);
        close(master);
        return done();
}
