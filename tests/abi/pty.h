/* SPDX-License-Identifier: Apache-2.0
 *
 * What the pty_* tests share: a pair, and reading from it with a time limit.
 */
#pragma once
#include "abi.h"
#include <termios.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

static int master, slave;

static int open_master(void)
{
        int fd = open("/dev/ptmx", O_RDWR | O_NOCTTY), no = 0;

        must(fd >= 0 && ioctl(fd, TIOCSPTLCK, &no) == 0, "ptmx");
        return fd;
}

static int number_of(int fd)
{
        int n = -1;

        return ioctl(fd, TIOCGPTN, &n) == 0 ? n : -1;
}

UNUSED static const char *name_of(int fd)
{
        static char name[32];

        snprintf(name, sizeof name, "/dev/pts/%d", number_of(fd));
        return name;
}

UNUSED static void new_pair(void)
{
        master = open_master();
        slave = open(name_of(master), O_RDWR | O_NOCTTY);
        must(slave >= 0, "slave");
}

UNUSED static void close_pair(void)
{
        close(slave);
        close(master);
}

UNUSED static int events(int fd, int wanted, int ms)
{
        struct pollfd p = { .fd = fd, .events = wanted };

        return poll(&p, 1, ms) >= 0 ? p.revents : -1;
}

/* Is what fd has now (waiting for it a while) just this? */
UNUSED static int gives(int fd, const char *want)
{
        char   buf[600];
        size_t n = 0, len = strlen(want);

        while (n < len && events(fd, POLLIN, 30000) & POLLIN) {
                ssize_t got = read(fd, buf + n, sizeof buf - n);

                if (got <= 0)
                        break;
                n += got;
        }
        return n == len && !memcmp(buf, want, n) && !(events(fd, POLLIN, 0) & POLLIN);
}

UNUSED static int put(int fd, const char *text)
{
        return write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* Changes flags of the slave's settings. */
UNUSED static void settings(int iclear, int oclear, int lclear, int lset)
{
        struct termios t;

        must(tcgetattr(slave, &t) == 0, "tcgetattr");
        t.c_iflag &= ~iclear;
        t.c_oflag &= ~oclear;
        t.c_lflag = (t.c_lflag & ~lclear) | lset;
        must(tcsetattr(slave, TCSANOW, &t) == 0, "tcsetattr");
}

/* Prints what fd gives until it is quiet, escaped: for what only the oracle knows. */
UNUSED static void shows(const char *name, int fd)
{
        unsigned char buf[400];
        char          text[1700];
        size_t        n = 0, len = 0;

        while (n < sizeof buf && events(fd, POLLIN, n ? 60 : 150) & POLLIN) {
                ssize_t got = read(fd, buf + n, sizeof buf - n);

                if (got <= 0)
                        break;
                n += got;
        }
        for (size_t i = 0; i < n; i++)
                len += sprintf(text + len, buf[i] < 32 || buf[i] > 126 || buf[i] == '"' ? "\\%02x" : "%c", buf[i]);
        text[len] = 0;
        for (size_t i = 0; i < len + 1; i += 400)
                say("ok %s%s: \"%.400s\"\n", name, i ? " (more)" : "", text + i);
}

/* Prints what a call returns, or the error. */
#define RESULT(name, call) do { \
        errno = 0; \
        long r_ = (call); \
        if (r_ < 0) say("ok %s: error %d\n", name, errno); \
        else say("ok %s: %ld\n", name, r_); \
} while (0)
