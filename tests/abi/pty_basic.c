/* SPDX-License-Identifier: Apache-2.0
 *
 * pty_basic: pairs, their names, both directions, limits, closing; the devpts file system.
 */
#include "pty.h"
#include <dirent.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

static void names(void)
{
        struct stat   st;
        struct statfs fs;
        int           no = 0, v = -1, n, peer, other;
        char          name[32];

        CHECK("devpts", statfs("/dev/pts", &fs) == 0 && fs.f_type == 0x1cd1);
        CHECK("/dev/ptmx", stat("/dev/ptmx", &st) == 0 && st.st_rdev == makedev(5, 2) && S_ISCHR(st.st_mode));
        CHECK("/dev/pts/ptmx", stat("/dev/pts/ptmx", &st) == 0 && st.st_rdev == makedev(5, 2) && st.st_mode == (S_IFCHR | 0666) && st.st_ino == 2);
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
        CHECK("isatty", isatty(master));
        n = number_of(master);
        snprintf(name, sizeof name, "/dev/pts/%d", n);
        CHECK("node", stat(name, &st) == 0 && st.st_mode == (S_IFCHR | 0620) && st.st_gid == 5 && st.st_uid == 0 &&
              st.st_rdev == makedev(136, n) && st.st_ino == (ino_t)n + 3 && st.st_nlink == 1);
        CHECK("locked at first", ioctl(master, TIOCGPTLCK, &v) == 0 && v == 1);
        FAILS("locked: no opening", EIO, open(name, O_RDWR | O_NOCTTY));
        OKAY("unlock", ioctl(master, TIOCSPTLCK, &no));
        CHECK("unlocked", ioctl(master, TIOCGPTLCK, &v) == 0 && v == 0);
        OKAY("open", slave = open(name, O_RDWR | O_NOCTTY));
        FAILS("TIOCGPTN of the slave", ENOTTY, ioctl(slave, TIOCGPTN, &v));
        OKAY("TIOCGPTPEER", peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
        CHECK("close on exec", fcntl(peer, F_GETFD) == FD_CLOEXEC);
        char link[64] = "", want[64];
        snprintf(want, sizeof want, "/proc/self/fd/%d", peer);
        CHECK("the same node", readlink(want, link, sizeof link) > 0 && !strcmp(link, name));
        close(peer);
        other = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY);
        CHECK("another pair has the next number", number_of(other) == n + 1);
        DIR           *d = opendir("/dev/pts");
        struct dirent *e;
        int            seen = 0;
        while ((e = readdir(d)))
                seen += e->d_name[0] == '.' ? 1 : !strcmp(e->d_name, "ptmx") ? 10 : atoi(e->d_name) == n ? 100 : atoi(e->d_name) == n + 1 ? 1000 : 0;
        closedir(d);
        CHECK("listed", seen == 1112);
        snprintf(want, sizeof want, "/dev/pts/%d", n + 1);
        close(other);
        FAILS("gone with the master", ENOENT, stat(want, &st));
        other = open("/dev/ptmx", O_RDWR | O_NOCTTY);
        CHECK("the number comes again", number_of(other) == n + 1);
        close(other);
        FAILS("no making", EPERM, mknod("/dev/pts/x", S_IFCHR | 0600, makedev(136, 0)));
        FAILS("no removing", EPERM, unlink(name));
        close(master);
        FAILS("gone, though the slave is open", ENOENT, stat(name, &st));
        master = open_master();
        CHECK("but its number is not free", number_of(master) == n + 1);
        close(master);
        close(slave);
        master = open_master();
        CHECK("now it is", number_of(master) == n);
        close(master);
}

static void data(void)
{
        struct termios t;
        int            n;

        new_pair();
        CHECK("settings", tcgetattr(slave, &t) == 0 && t.c_iflag == (ICRNL | IXON) && t.c_oflag == (OPOST | ONLCR) &&
              t.c_cflag == (B38400 | CS8 | CREAD) && t.c_lflag == (ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN));
        CHECK("output", put(slave, "one\ntwo\n") && gives(master, "one\r\ntwo\r\n"));
        CHECK("input", put(master, "abc\n") && gives(slave, "abc\n"));
        CHECK("echo", gives(master, "abc\r\n"));
        CHECK("editing", put(master, "ab\177c\r") && gives(slave, "ac\n") && gives(master, "ab\b \bc\r\n"));
        CHECK("end of file", put(master, "\004") && read(slave, &t, 1) == 0);
        CHECK("settings through the master", tcgetattr(master, &t) == 0 && (t.c_lflag & ICANON));
        t.c_lflag &= ~(ECHO | ICANON);
        CHECK("set there", tcsetattr(master, TCSANOW, &t) == 0 && tcgetattr(slave, &t) == 0 && !(t.c_lflag & (ECHO | ICANON)));
        CHECK("raw", put(master, "xy") && gives(slave, "xy"));
        put(slave, "12345");
        events(master, POLLIN, 2000);
        ioctl(master, FIONREAD, &n);
        CHECK("FIONREAD of the master", n == 5);
        ioctl(slave, TIOCOUTQ, &n);
        CHECK("nothing is queued", n == 0);
        OKAY("tcdrain does not wait", tcdrain(slave));
        OKAY("flush of the master's input", tcflush(master, TCIFLUSH));
        ioctl(master, FIONREAD, &n);
        CHECK("flushed", n == 0);
        put(slave, "12345");
        events(master, POLLIN, 2000);
        OKAY("flush of the slave's output", tcflush(slave, TCOFLUSH));
        ioctl(master, FIONREAD, &n);
        CHECK("what has arrived stays", n == 5);
        put(master, "abc");
        events(slave, POLLIN, 2000);
        ioctl(slave, FIONREAD, &n);
        CHECK("FIONREAD of the slave", n == 3);
        OKAY("flush of the master's output", tcflush(master, TCOFLUSH));
        ioctl(slave, FIONREAD, &n);
        CHECK("stays as well", n == 3);
        FAILS("no such queue", EINVAL, tcflush(master, 3));
        close_pair();
}

static volatile int alarm_count;
static void on_alarm(int sig) { alarm_count += sig == SIGALRM; }

static void limits(void)
{
        static char big[70000];
        ssize_t     n, total = 0;
        char        c;

        new_pair();
        settings(0, OPOST, ECHO | ICANON, 0);
        memset(big, 'x', sizeof big);
        fcntl(master, F_SETFL, O_NONBLOCK);
        fcntl(slave, F_SETFL, O_NONBLOCK);
        FAILS("nothing to read: master", EAGAIN, read(master, &c, 1));
        FAILS("nothing to read: slave", EAGAIN, read(slave, &c, 1));
        while ((n = write(slave, big, sizeof big)) > 0)
                total += n;
        CHECK("the output is bounded", errno == EAGAIN && total >= 4096 && total <= 70000);
        CHECK("no room", !(events(slave, POLLOUT, 0) & POLLOUT));
        ssize_t got = 0;
        while (events(master, POLLIN, 100) & POLLIN && (n = read(master, big, sizeof big)) > 0)
                got += n;
        CHECK("all of it came", got == total);
        CHECK("room again", events(slave, POLLOUT, 1000) == POLLOUT);
        total = got = 0;
        while ((n = write(master, big, sizeof big)) > 0)
                total += n;
        CHECK("the input is bounded", errno == EAGAIN && total >= 4095 && total <= 140000);
        CHECK("no room there", !(events(master, POLLOUT, 0) & POLLOUT));
        while (events(slave, POLLIN, 100) & POLLIN && (n = read(slave, big, sizeof big)) > 0)
                got += n;
        CHECK("all of that came", got == total);
        CHECK("room there again", events(master, POLLOUT, 1000) == POLLOUT);

        fcntl(master, F_SETFL, 0);
        fcntl(slave, F_SETFL, 0);
        pid_t pid = fork();
        if (pid == 0) {
                close(master);
                _exit(write(slave, big, sizeof big) == sizeof big ? 0 : 1);
        }
        total = 0;
        while (total < (ssize_t)sizeof big && (n = read(master, big, 1000)) > 0)
                total += n;
        CHECK("a writer waits for the reader", total == sizeof big && result_of(pid) == 0);
        pid = fork();
        if (pid == 0) {
                close(slave);
                _exit(write(master, big, sizeof big) == sizeof big ? 0 : 1);
        }
        total = 0;
        while (total < (ssize_t)sizeof big && (n = read(slave, big, 1000)) > 0)
                total += n;
        CHECK("and the other way", total == sizeof big && result_of(pid) == 0);
        on(SIGALRM, on_alarm, 0);
        ALARMED("a signal ends waiting", read(master, &c, 1));
        ALARMED("the slave's too", read(slave, &c, 1));
        CHECK("alarms", alarm_count >= 2);

        OKAY("TCOOFF", tcflow(slave, TCOOFF));
        fcntl(slave, F_SETFL, O_NONBLOCK);
        FAILS("output is stopped", EAGAIN, write(slave, "a", 1));
        OKAY("TCOON", tcflow(slave, TCOON));
        CHECK("goes on", put(slave, "a") && gives(master, "a"));
        OKAY("TCIOFF", tcflow(slave, TCIOFF));
        CHECK("sends STOP", gives(master, "\023"));
        OKAY("TCION", tcflow(slave, TCION));
        CHECK("sends START", gives(master, "\021"));
        OKAY("master's TCOOFF", tcflow(master, TCOOFF));
        fcntl(master, F_SETFL, O_NONBLOCK);
        FAILS("typing is stopped", EAGAIN, write(master, "a", 1));
        OKAY("master's TCOON", tcflow(master, TCOON));
        CHECK("and goes on", put(master, "b") && gives(slave, "b"));
        FAILS("no such action", EINVAL, tcflow(master, 4));
        close_pair();
}

static void closing(void)
{
        char           c[10];
        struct winsize w;

        master = open_master();
        CHECK("before the first opening", events(master, POLLIN, 0) == 0);
        slave = open(name_of(master), O_RDWR | O_NOCTTY);
        CHECK("poll", events(master, POLLIN | POLLOUT, 0) == POLLOUT && events(slave, POLLIN | POLLOUT, 0) == POLLOUT);
        put(slave, "last");
        close(slave);
        CHECK("slave closed: data first", events(master, POLLIN, 1000) == (POLLIN | POLLHUP) && read(master, c, 10) == 4);
        FAILS("then EIO", EIO, read(master, c, 10));
        CHECK("poll says hang-up", events(master, POLLIN, 0) == POLLHUP);
        OKAY("open again", slave = open(name_of(master), O_RDWR | O_NOCTTY));
        CHECK("no hang-up any more", events(master, POLLIN, 0) == 0);
        CHECK("works", put(slave, "x") && gives(master, "x"));
        put(master, "typed\n");
        close(master);
        CHECK("master closed: the end", read(slave, c, 10) == 0);
        FAILS("no writing", EIO, write(slave, "x", 1));
        FAILS("no ioctl", EIO, ioctl(slave, TIOCGWINSZ, &w));
        CHECK("poll of the slave", events(slave, POLLIN | POLLOUT, 0) == (POLLIN | POLLOUT | POLLERR | POLLHUP));
        close(slave);

        new_pair();
        pid_t pid = fork();
        if (pid == 0) {
                close(master);
                _exit(read(slave, c, 1) == -1 && errno == EIO && read(slave, c, 1) == 0 ? 0 : 1);
        }
        must(state_becomes(pid, 'S'), "it reads");
        close(master);
        CHECK("a waiting reader finds EIO, then the end", result_of(pid) == 0);
        close(slave);
        new_pair();
        pid = fork();
        if (pid == 0) {
                close(slave);
                _exit(read(master, c, 1) == -1 && errno == EIO ? 0 : 1);
        }
        must(state_becomes(pid, 'S'), "it reads");
        close(slave);
        CHECK("and the master's reader EIO", result_of(pid) == 0);
        close(master);
}

static void instances(void)
{
        struct stat st;
        int         a, b, n;

        mkdir("pts", 0755);
        FAILS("bad option", EINVAL, mount("devpts", "pts", "devpts", 0, "colour=red"));
        OKAY("mount", mount("devpts", "pts", "devpts", 0, "newinstance,ptmxmode=0600,mode=640,gid=7,max=2"));
        a = open("pts/ptmx", O_RDWR | O_NOCTTY);
        CHECK("numbers of its own", number_of(a) == 0 && stat("pts/0", &st) == 0 && st.st_mode == (S_IFCHR | 0640) && st.st_gid == 7);
        OKAY("a second", b = open("pts/ptmx", O_RDWR | O_NOCTTY));
        FAILS("max=", ENOSPC, open("pts/ptmx", O_RDWR | O_NOCTTY));
        FAILS("busy", EBUSY, umount("pts"));
        OKAY("remount", mount("devpts", "pts", "devpts", MS_REMOUNT, "ptmxmode=0666,max=5"));
        CHECK("mode of ptmx", stat("pts/ptmx", &st) == 0 && st.st_mode == (S_IFCHR | 0666));
        OKAY("a third", n = open("pts/ptmx", O_RDWR | O_NOCTTY));
        close(a);
        close(b);
        close(n);
        CHECK("empty", stat("pts/0", &st) == -1 && errno == ENOENT);
        mknod("ptmx", S_IFCHR | 0666, makedev(5, 2));
        a = open("ptmx", O_RDWR | O_NOCTTY);
        CHECK("a ptmx beside it opens there", number_of(a) == 0 && stat("pts/0", &st) == 0);
        int no = 0;
        ioctl(a, TIOCSPTLCK, &no);
        mknod("odd", S_IFCHR | 0666, makedev(136, 0));
        FAILS("a slave's node elsewhere", EIO, open("odd", O_RDWR | O_NOCTTY));
        close(a);
        OKAY("umount", umount("pts"));
        FAILS("a ptmx beside nothing", ENODEV, open("ptmx", O_RDWR | O_NOCTTY));
}

int main(void)
{
        names();
        data();
        limits();
        closing();
        instances();
        return done();
}
