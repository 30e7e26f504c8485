/* SPDX-License-Identifier: Apache-2.0
 *
 * pty_ioctls: the requests of ioctl_tty(2) on both sides of a pair: results, errors, bad addresses, what is read back.
 */
#include "pty.h"

#ifndef TIOCGLCKTRMIOS
#define TIOCGLCKTRMIOS 0x5456
#define TIOCSLCKTRMIOS 0x5457
#endif
#ifndef TIOCGPKT
#define TIOCGPKT 0x80045438
#define TIOCGPTLCK 0x80045439
#define TIOCGEXCL 0x80045440
#endif
#ifndef TIOCSIG
#define TIOCSIG 0x40045436
#endif

static void both(const char *name, unsigned long cmd, long arg)
{
        char title[100];

        snprintf(title, sizeof title, "%s, slave", name);
        RESULT(title, ioctl(slave, cmd, arg));
        snprintf(title, sizeof title, "%s, master", name);
        RESULT(title, ioctl(master, cmd, arg));
}

static void get(const char *name, int fd, unsigned long cmd)
{
        int v = 0x55555555;
        int r = ioctl(fd, cmd, &v);

        say("ok %s: %d, %d, %d\n", name, r, r < 0 ? errno : 0, r < 0 ? 0 : v);
}

static void exclusive(void)
{
        const char *name = name_of(master);
        int         fd;

        get("TIOCGEXCL", slave, TIOCGEXCL);
        OKAY("TIOCEXCL", ioctl(slave, TIOCEXCL));
        get("TIOCGEXCL, set", slave, TIOCGEXCL);
        get("TIOCGEXCL of the master", master, TIOCGEXCL);
        RESULT("root opens all the same", fd = open(name, O_RDWR | O_NOCTTY));
        close(fd);
        chmod(name, 0666);
        if (fork() == 0) {
                must(setuid(1000) == 0, "setuid");
                RESULT("others do not", open(name, O_RDWR | O_NOCTTY));
                RESULT("nor by TIOCGPTPEER", ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY));
                OKAY("TIOCNXCL", ioctl(slave, TIOCNXCL));
                RESULT("now they do", (fd = open(name, O_RDWR | O_NOCTTY)) >= 0);
                OKAY("TIOCEXCL of theirs", ioctl(fd, TIOCEXCL));
                _exit(0);
        }
        wait(NULL);
        get("TIOCGEXCL after them", slave, TIOCGEXCL);
        ioctl(slave, TIOCNXCL);
        OKAY("TIOCEXCL by the master", ioctl(master, TIOCEXCL));
        get("TIOCGEXCL after it", slave, TIOCGEXCL);
        ioctl(master, TIOCNXCL);
}

static void locked(void)
{
        struct termios t, lock;

        memset(&lock, 0xff, sizeof lock);
        RESULT("TIOCGLCKTRMIOS", ioctl(slave, TIOCGLCKTRMIOS, &lock));
        CHECK("nothing is locked", lock.c_iflag == 0 && lock.c_oflag == 0 && lock.c_cflag == 0 && lock.c_lflag == 0 && lock.c_cc[0] == 0);
        lock.c_lflag = ECHO;
        lock.c_cc[VINTR] = 1;
        lock.c_iflag = ICRNL;
        RESULT("TIOCSLCKTRMIOS", ioctl(slave, TIOCSLCKTRMIOS, &lock));
        must(tcgetattr(slave, &t) == 0, "tcgetattr");
        t.c_lflag &= ~(ECHO | ECHOE);
        t.c_iflag &= ~(ICRNL | IXON);
        t.c_cc[VINTR] = 7;
        t.c_cc[VQUIT] = 8;
        RESULT("tcsetattr", ioctl(slave, TCSETS, &t));
        tcgetattr(slave, &t);
        say("ok lflag %x iflag %x cc %d %d\n", t.c_lflag, t.c_iflag, t.c_cc[VINTR], t.c_cc[VQUIT]);
        if (fork() == 0) {
                must(setuid(1000) == 0, "setuid");
                RESULT("TIOCSLCKTRMIOS unprivileged", ioctl(slave, TIOCSLCKTRMIOS, &lock));
                RESULT("TIOCGLCKTRMIOS unprivileged", ioctl(slave, TIOCGLCKTRMIOS, &lock));
                _exit(0);
        }
        wait(NULL);
        memset(&lock, 0, sizeof lock);
        RESULT("unlocked", ioctl(slave, TIOCSLCKTRMIOS, &lock));
        RESULT("by the master", ioctl(master, TIOCGLCKTRMIOS, &lock));
        both("TIOCGLCKTRMIOS, bad address", TIOCGLCKTRMIOS, 8);
        both("TIOCSLCKTRMIOS, bad address", TIOCSLCKTRMIOS, 8);
}

/* What is written to /dev/console comes to a terminal. */
static void redirected(void)
{
        char serial[200] = "";
        int  console = open("/dev/console", O_RDWR | O_NOCTTY), m, s;

        must(console >= 0, "/dev/console");
        both("TIOCSSERIAL", TIOCSSERIAL, (long)serial);
        RESULT("TIOCCONS of the console: nothing is redirected", ioctl(console, TIOCCONS));
        RESULT("TIOCCONS of a file", ioctl(open("x", O_CREAT | O_RDWR, 0600), TIOCCONS));
        if (fork() == 0) {
                must(setuid(1000) == 0, "setuid");
                both("TIOCCONS, unprivileged", TIOCCONS, 0);
                RESULT("TIOCCONS of the console, unprivileged", ioctl(console, TIOCCONS));
                _exit(0);
        }
        wait(NULL);
        RESULT("TIOCCONS, master", ioctl(master, TIOCCONS));
        RESULT("TIOCCONS, slave", ioctl(slave, TIOCCONS));
        RESULT("TIOCCONS, again", ioctl(slave, TIOCCONS));
        RESULT("TIOCCONS, master again", ioctl(master, TIOCCONS));
        RESULT("write to the console", write(console, "to all\n", 7));
        shows("the master reads", master);
        RESULT("write to a console opened now", write(open("/dev/console", O_WRONLY | O_NOCTTY), "new\n", 4));
        shows("the master reads", master);
        RESULT("FIONREAD of the console", ioctl(console, FIONREAD, &m) == 0);
        RESULT("TIOCCONS of the console", ioctl(console, TIOCCONS));
        m = master, s = slave;
        new_pair();
        RESULT("TIOCCONS of another pair", ioctl(slave, TIOCCONS));
        RESULT("again by the first", ioctl(s, TIOCCONS));
        write(console, "x", 1);
        shows("the first gets", m);
        shows("the second gets", master);
        close(slave);
        RESULT("when the slave is closed", ioctl(s, TIOCCONS));
        write(console, "y", 1);
        shows("the second gets", master);
        close(master);
        RESULT("when the master is closed", ioctl(s, TIOCCONS));
        RESULT("released", ioctl(console, TIOCCONS));
        RESULT("taken again", ioctl(s, TIOCCONS));
        RESULT("released", ioctl(console, TIOCCONS));
        close(console);
        master = m, slave = s;
}

static void packet(void)
{
        int  one = 1, zero = 0;
        char buf[20];

        get("TIOCGPKT", master, TIOCGPKT);
        get("TIOCGPKT of the slave", slave, TIOCGPKT);
        RESULT("TIOCPKT of the slave", ioctl(slave, TIOCPKT, &one));
        OKAY("TIOCPKT", ioctl(master, TIOCPKT, &one));
        get("TIOCGPKT, on", master, TIOCGPKT);
        RESULT("a flush of input", ioctl(slave, TCFLSH, TCIFLUSH));
        RESULT("a flush of output", ioctl(slave, TCFLSH, TCOFLUSH));
        RESULT("poll", events(master, POLLIN | POLLPRI | POLLRDBAND, 100));
        RESULT("status", read(master, buf, 20));
        say("ok status %x\n", buf[0]);
        RESULT("stop", ioctl(slave, TCXONC, TCOOFF));
        RESULT("status", read(master, buf, 20));
        say("ok status %x\n", buf[0]);
        RESULT("go", ioctl(slave, TCXONC, TCOON));
        RESULT("status", read(master, buf, 20));
        say("ok status %x\n", buf[0]);
        put(slave, "abc");
        RESULT("data", read(master, buf, 3));
        say("ok data %x %c%c\n", buf[0], buf[1], buf[2]);
        RESULT("the rest", read(master, buf, 3));
        OKAY("TIOCPKT off", ioctl(master, TIOCPKT, &zero));
}

int main(void)
{
        int n = 0;

        new_pair();
        signal(SIGHUP, SIG_IGN);
        static const struct { const char *name; unsigned long cmd; } addressed[] = {
                { "TCGETS", TCGETS }, { "TCSETS", TCSETS }, { "TCSETSW", TCSETSW }, { "TCSETSF", TCSETSF }, { "TCGETA", TCGETA },
                { "TCSETA", TCSETA }, { "TIOCGWINSZ", TIOCGWINSZ }, { "TIOCSWINSZ", TIOCSWINSZ }, { "TIOCGPGRP", TIOCGPGRP },
                { "TIOCSPGRP", TIOCSPGRP }, { "TIOCGSID", TIOCGSID }, { "FIONREAD", FIONREAD }, { "TIOCOUTQ", TIOCOUTQ },
                { "TIOCSTI", TIOCSTI }, { "TIOCGETD", TIOCGETD }, { "TIOCSETD", TIOCSETD }, { "TIOCGEXCL", TIOCGEXCL },
                { "TIOCMGET", TIOCMGET }, { "TIOCMSET", TIOCMSET }, { "TIOCMBIS", TIOCMBIS }, { "TIOCMBIC", TIOCMBIC },
                { "TIOCGSOFTCAR", TIOCGSOFTCAR }, { "TIOCSSOFTCAR", TIOCSSOFTCAR }, { "TIOCGICOUNT", TIOCGICOUNT },
                { "TIOCGSERIAL", TIOCGSERIAL }, { "TIOCSSERIAL", TIOCSSERIAL }, { "TIOCPKT", TIOCPKT }, { "TIOCGPKT", TIOCGPKT },
                { "TIOCSPTLCK", TIOCSPTLCK }, { "TIOCGPTLCK", TIOCGPTLCK }, { "TIOCGPTN", TIOCGPTN }, { "FIONBIO", FIONBIO },
                { "TIOCGDEV", 0x80045432 }, { "TIOCLINUX", TIOCLINUX }, { "KDGETMODE", 0x4b3b }, { "TIOCVHANGUP with no meaning", 0x5499 },
        };
        for (size_t i = 0; i < sizeof addressed / sizeof *addressed; i++)
                both(addressed[i].name, addressed[i].cmd, 8);
        both("TCSBRK 0", TCSBRK, 0);
        both("TCSBRK 1", TCSBRK, 1);
        both("TCSBRKP", TCSBRKP, 1);
        both("TIOCSBRK", TIOCSBRK, 0);
        both("TIOCCBRK", TIOCCBRK, 0);
        both("TCXONC 4", TCXONC, 4);
        both("TCFLSH 3", TCFLSH, 3);
        both("TIOCSIG 0", TIOCSIG, 0);
        both("TIOCSIG SIGHUP", TIOCSIG, SIGHUP);
        both("TIOCSIG SIGINT", TIOCSIG, SIGINT);
        both("TIOCNOTTY", TIOCNOTTY, 0);
        get("TIOCGETD", slave, TIOCGETD);
        RESULT("TIOCSETD 0", ioctl(slave, TIOCSETD, &n));
        n = 99;
        RESULT("TIOCSETD 99", ioctl(slave, TIOCSETD, &n));
        get("TIOCGDEV is of a terminal", slave, 0x80045432);
        get("TIOCGSOFTCAR", slave, TIOCGSOFTCAR);
        n = 1;
        RESULT("TIOCSSOFTCAR", ioctl(slave, TIOCSSOFTCAR, &n));
        get("TIOCGSOFTCAR, on", slave, TIOCGSOFTCAR);
        put(slave, "xyz");
        must(events(master, POLLIN, 2000) & POLLIN, "xyz");
        usleep(100000);                 /* for the rest of it */
        get("TIOCOUTQ of the slave", slave, TIOCOUTQ);
        get("TIOCOUTQ of the master", master, TIOCOUTQ);
        get("FIONREAD of the master", master, FIONREAD);
        RESULT("flush", ioctl(master, TCFLSH, TCIFLUSH));
        get("FIONREAD, flushed", master, FIONREAD);
        exclusive();
        locked();
        redirected();
        packet();
        return done();
}
