/* SPDX-License-Identifier: Apache-2.0
 *
 * tty_basic: the console as a terminal: settings, size, sessions, foreground group.
 */
#include "abi.h"
#include <termios.h>

static int tty;

static void handler(int sig)
{
        _exit(sig == SIGTTOU ? 31 : sig == SIGTTIN ? 32 : 33);
}

static int background_write(void)
{
        struct termios t;

        setpgid(0, 0);
        on(SIGTTOU, handler, 0);
        tcgetattr(tty, &t);
        t.c_lflag |= TOSTOP;
        on(SIGTTOU, SIG_IGN, 0);
        tcsetattr(tty, TCSANOW, &t);
        on(SIGTTOU, handler, 0);
        write(tty, "", 1);
        return 1;
}

static int background_read(void)
{
        char c;

        setpgid(0, 0);
        on(SIGTTIN, handler, 0);
        read(tty, &c, 1);
        return 1;
}

static int background_set(void)
{
        struct termios t;

        setpgid(0, 0);
        on(SIGTTOU, handler, 0);
        tcgetattr(tty, &t);
        tcsetattr(tty, TCSANOW, &t);
        return 1;
}

static int stops(void)
{
        char c;

        setpgid(0, 0);
        read(tty, &c, 1);
        return 1;
}

static int session(void)
{
        struct termios t, back;
        struct winsize w = { 33, 99, 0, 0 }, w2;
        int            st;

        CHECK("isatty", isatty(tty));
        FAILS("no terminal yet", ENXIO, open("/dev/tty", O_RDWR));
        FAILS("not ours yet", ENOTTY, tcgetpgrp(tty));
        OKAY("TIOCSCTTY", ioctl(tty, TIOCSCTTY, 0));
        CHECK("foreground", tcgetpgrp(tty) == getpgrp());
        CHECK("session", tcgetsid(tty) == getsid(0));
        OKAY("/dev/tty", open("/dev/tty", O_RDWR));
        OKAY("tcgetattr", tcgetattr(tty, &t));
        CHECK("8 bits, canonical, echo", (t.c_cflag & CSIZE) == CS8 && (t.c_lflag & (ICANON | ECHO | ISIG)) == (ICANON | ECHO | ISIG));
        CHECK("characters", t.c_cc[VINTR] == 3 && t.c_cc[VEOF] == 4 && t.c_cc[VERASE] == 127 && t.c_cc[VSUSP] == 26 && t.c_cc[VKILL] == 21);
        back = t;
        cfmakeraw(&t);
        OKAY("raw", tcsetattr(tty, TCSANOW, &t));
        tcgetattr(tty, &t);
        CHECK("is raw", !(t.c_lflag & (ICANON | ECHO | ISIG)) && !(t.c_oflag & OPOST));
        OKAY("back", tcsetattr(tty, TCSADRAIN, &back));
        OKAY("size", ioctl(tty, TIOCSWINSZ, &w));
        OKAY("asked for", ioctl(tty, TIOCGWINSZ, &w2));
        CHECK("kept", w2.ws_row == 33 && w2.ws_col == 99);
        CHECK("background read", in_child(background_read) == 32);
        CHECK("background settings", in_child(background_set) == 31);
        CHECK("background write with TOSTOP", in_child(background_write) == 31);
        tcsetattr(tty, TCSANOW, &back);
        pid_t pid = fork();
        if (pid == 0)
                _exit(stops());
        CHECK("SIGTTIN stops", waitpid(pid, &st, WUNTRACED) == pid && WIFSTOPPED(st) && WSTOPSIG(st) == SIGTTIN);
        OKAY("to the foreground", tcsetpgrp(tty, pid));
        CHECK("told", tcgetpgrp(tty) == pid);
        kill(pid, SIGKILL);
        result_of(pid);
        signal(SIGTTOU, SIG_IGN);
        OKAY("back to us", tcsetpgrp(tty, getpgrp()));
        FAILS("a group of another session", EPERM, tcsetpgrp(tty, 1));
        FAILS("no such group", ESRCH, tcsetpgrp(tty, 999999));
        OKAY("TIOCNOTTY", ({ signal(SIGHUP, SIG_IGN); ioctl(tty, TIOCNOTTY); }));
        FAILS("none any more", ENXIO, open("/dev/tty", O_RDWR));
        return done();
}

int main(void)
{
        tty = open("/dev/ttyS0", O_RDWR | O_NOCTTY);
        must(tty >= 0, "ttyS0");
        CHECK("session", session() == 0);
        return done();
}
