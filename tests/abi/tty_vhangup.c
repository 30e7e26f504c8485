/* SPDX-License-Identifier: Apache-2.0
 *
 * tty_vhangup: vhangup(2): what it takes, what becomes of open files, of who sleeps, of the session and of both sides.
 */
#include "pty.h"
#include "caps.h"

static char buf[100];
static volatile sig_atomic_t hups, conts;

static void on_hup(int sig) { (void)sig; hups++; }
static void on_cont(int sig) { (void)sig; conts++; }
static long hang_up(void) { return syscall(SYS_vhangup); }

/* In a session of its own, on the slave. */
static void session(const char *name, void (*leader)(void))
{
        new_pair();
        pid_t pid = fork();
        if (pid == 0) {
                failures = hups = conts = 0;
                setsid();
                on(SIGHUP, on_hup, SA_RESTART);
                on(SIGCONT, on_cont, SA_RESTART);
                must(ioctl(slave, TIOCSCTTY, 0) == 0, "TIOCSCTTY");
                leader();
                _exit(done());
        }
        int status = result_of(pid);
        close_pair();
        CHECK(name, status == 0);
}

static void open_files(void)
{
        int by_tty = open("/dev/tty", O_RDWR), again = open(name_of(master), O_RDWR | O_NOCTTY | O_NONBLOCK);

        put(slave, "said before");
        must(events(master, POLLIN, 5000) & POLLIN, "said");
        put(master, "typed before\n");
        must(events(slave, POLLIN, 5000) & POLLIN, "typed");
        RESULT("vhangup", hang_up());
        say("ok the leader: %d SIGHUP, %d SIGCONT\n", hups, conts);
        RESULT("poll", events(slave, POLLIN | POLLOUT | POLLPRI, 0));
        RESULT("read", read(slave, buf, 50));
        RESULT("write", write(slave, "x", 1));
        RESULT("TIOCGWINSZ", ioctl(slave, TIOCGWINSZ, buf));
        RESULT("TIOCGPGRP", ioctl(slave, TIOCGPGRP, buf));
        RESULT("TIOCSCTTY of a file that was cut off", ioctl(slave, TIOCSCTTY, 0));
        RESULT("read of /dev/tty's file", read(by_tty, buf, 50));
        RESULT("write of it", write(by_tty, "x", 1));
        RESULT("read of another open, not blocking", read(again, buf, 50));
        RESULT("/dev/tty", open("/dev/tty", O_RDWR));
        RESULT("vhangup without a terminal", hang_up());
        RESULT("poll of the master", events(master, POLLIN | POLLOUT, 0));
        shows("the master reads", master);
        RESULT("poll of the master, read out", events(master, POLLIN | POLLOUT, 0));
        fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
        RESULT("read of the master", read(master, buf, 50));
        int fd = open(name_of(master), O_RDWR | O_NOCTTY);
        RESULT("opened again", fd >= 0);
        RESULT("poll of the master", events(master, POLLIN | POLLOUT, 0));
        RESULT("write", write(fd, "new", 3));
        shows("the master reads", master);
        RESULT("write of the master", write(master, "typed after\n", 12));
        put(master, "line\n");
        shows("it reads", fd);
        RESULT("the old one still", write(slave, "x", 1));
        close(slave);
        RESULT("poll of the master with the old one closed", events(master, POLLIN | POLLOUT, 0));
        RESULT("TIOCSCTTY", ioctl(fd, TIOCSCTTY, 0));
        RESULT("/dev/tty again", open("/dev/tty", O_RDWR) >= 0);
        say("ok the leader: %d SIGHUP, %d SIGCONT\n", hups, conts);
        close(by_tty);
        close(again);
        slave = fd;
}

/* A child that does something asleep, and then says what came of it. */
static pid_t asleep(const char *name, long (*call)(void))
{
        pid_t pid = fork();

        if (pid == 0) {
                hups = conts = 0;
                errno = 0;
                long r = call();
                say("ok %s: %ld, error %d, %d SIGHUP, %d SIGCONT\n", name, r, r < 0 ? errno : 0, hups, conts);
                _exit(0);
        }
        must(state_becomes(pid, 'S'), "asleep");
        return pid;
}

static long reads(void) { return read(slave, buf, 10); }
static long polls(void)
{
        struct pollfd p = { .fd = slave, .events = POLLIN };
        return poll(&p, 1, 20000) == 1 ? p.revents : -1;
}

static long writes(void)
{
        static char much[100000];
        return write(slave, much, sizeof much) < 0 ? -1 : 1;
}

static void sleeper_reads(void)
{
        pid_t pid = asleep("who reads", reads);
        hang_up();
        result_of(pid);
}
static void sleeper_polls(void)
{
        pid_t pid = asleep("who polls", polls);
        hang_up();
        result_of(pid);
}
static void sleeper_writes(void)
{
        pid_t pid = asleep("who writes", writes);
        hang_up();
        result_of(pid);
}
static void by_member(void)
{
        pid_t pid = fork();

        if (pid == 0) {
                hups = conts = 0;
                setpgid(0, 0);
                RESULT("vhangup by a background group", hang_up());
                say("ok itself: %d SIGHUP, %d SIGCONT\n", hups, conts);
                RESULT("its /dev/tty", open("/dev/tty", O_RDWR));
                _exit(0);
        }
        result_of(pid);
        say("ok the leader: %d SIGHUP, %d SIGCONT\n", hups, conts);
        RESULT("the leader's /dev/tty", open("/dev/tty", O_RDWR));
}

static void foreground(void)
{
        int   ready[2], go[2];
        char  c = 'x';

        pipe(ready);
        pipe(go);
        pid_t pid = fork();
        if (pid == 0) {
                hups = conts = 0;
                setpgid(0, 0);
                on(SIGTTOU, SIG_IGN, 0);
                tcsetpgrp(slave, getpgrp());
                write(ready[1], &c, 1);
                read(go[0], &c, 1);
                say("ok the foreground group: %d SIGHUP, %d SIGCONT\n", hups, conts);
                _exit(0);
        }
        read(ready[0], &c, 1);
        hang_up();
        write(go[1], &c, 1);
        result_of(pid);
        say("ok the leader: %d SIGHUP, %d SIGCONT\n", hups, conts);
}

static void keeps_settings(void)
{
        struct termios t;
        struct winsize w = { .ws_row = 7, .ws_col = 9 };

        settings(0, 0, ECHO | ICANON, 0);
        ioctl(slave, TIOCSWINSZ, &w);
        hang_up();
        int fd = open(name_of(master), O_RDWR | O_NOCTTY);
        tcgetattr(fd, &t);
        ioctl(fd, TIOCGWINSZ, &w);
        say("ok echo %d, canonical %d, %d rows\n", !!(t.c_lflag & ECHO), !!(t.c_lflag & ICANON), w.ws_row);
        close(fd);
}

static int without_cap(void)
{
        setsid();
        FAILS("as a user", EPERM, (become_user(1000), hang_up()));
        return done();
}

static int with_cap(void)
{
        setsid();
        prctl(PR_SET_KEEPCAPS, 1);
        become_user(1000);
        caps_set(CAP_ALL & ~CAP(CAP_SYS_TTY_CONFIG), CAP_ALL, 0);
        FAILS("without CAP_SYS_TTY_CONFIG", EPERM, hang_up());
        caps_set(CAP(CAP_SYS_TTY_CONFIG), CAP_ALL, 0);
        OKAY("with CAP_SYS_TTY_CONFIG", hang_up());
        return done();
}

int main(void)
{
        CHECK("user", in_child(without_cap) == 0);
        CHECK("capability", in_child(with_cap) == 0);
        session("open files", open_files);
        session("asleep in read", sleeper_reads);
        session("asleep in poll", sleeper_polls);
        session("asleep in write", sleeper_writes);
        session("by a member", by_member);
        session("a foreground group", foreground);
        session("settings", keeps_settings);
        return done();
}
