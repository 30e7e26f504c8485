/* SPDX-License-Identifier: Apache-2.0
 *
 * pty_flow: STOP and START typed and sent, IXANY, IXOFF, TCXONC, TCFLSH; writers and poll while output is stopped.
 */
#include "pty.h"

static struct termios sane;
static char buf[20000];

static void begin(int iset, int iclear)
{
        struct termios t = sane;

        t.c_iflag = (t.c_iflag | iset) & ~iclear;
        t.c_lflag &= ~ECHO;
        tcflush(slave, TCIOFLUSH);
        tcflush(master, TCIOFLUSH);
        must(tcsetattr(slave, TCSANOW, &t) == 0, "tcsetattr");
        fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK);
        fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
        ioctl(slave, TCXONC, TCOON);
}

static void writes(const char *name)
{
        usleep(50000);
        RESULT(name, write(slave, "x", 1));
        say("ok %s: slave %x, master %x\n", name, events(slave, POLLOUT, 0), events(master, POLLIN, 0));
        shows(name, master);
}

int main(void)
{
        new_pair();
        must(tcgetattr(slave, &sane) == 0, "tcgetattr");
        begin(0, 0);
        put(master, "\023");
        writes("stopped");
        put(master, "a");
        writes("any other, no IXANY");
        put(master, "\021");
        writes("started");
        begin(IXANY, 0);
        put(master, "\023");
        writes("stopped, IXANY");
        put(master, "\023");
        writes("stopped again");
        put(master, "b");
        writes("any other");
        put(master, "\n");
        shows("was read, too", slave);
        begin(0, IXON);
        put(master, "\023c\n");
        writes("no IXON");
        shows("they are read", slave);
        begin(0, 0);
        put(master, "\023");
        usleep(50000);
        begin(0, 0);
        writes("TCOON after STOP");
        put(master, "\021");
        writes("and START");
        begin(0, 0);
        put(master, "\023");
        usleep(50000);
        begin(0, IXON);
        writes("IXON ends while stopped");
        begin(0, 0);

        RESULT("TCOOFF", ioctl(slave, TCXONC, TCOOFF));
        RESULT("TCOOFF again", ioctl(slave, TCXONC, TCOOFF));
        writes("TCOOFF");
        put(master, "\021");
        writes("START after TCOOFF");
        RESULT("TCOON", ioctl(slave, TCXONC, TCOON));
        writes("TCOON");
        RESULT("TCIOFF", ioctl(slave, TCXONC, TCIOFF));
        shows("TCIOFF sends", master);
        RESULT("TCION", ioctl(slave, TCXONC, TCION));
        shows("TCION sends", master);
        RESULT("TCOOFF", ioctl(slave, TCXONC, TCOOFF));
        RESULT("TCIOFF while stopped", ioctl(slave, TCXONC, TCIOFF));
        shows("it sends", master);
        ioctl(slave, TCXONC, TCOON);
        ioctl(slave, TCXONC, TCION);
        shows("TCION", master);

        RESULT("TCOOFF, master", ioctl(master, TCXONC, TCOOFF));
        RESULT("master writes", write(master, "abc\n", 4));
        shows("the slave reads", slave);
        RESULT("TCOON, master", ioctl(master, TCXONC, TCOON));
        shows("the slave reads then", slave);
        RESULT("TCIOFF, master", ioctl(master, TCXONC, TCIOFF));
        writes("the slave is stopped");
        RESULT("TCION, master", ioctl(master, TCXONC, TCION));
        writes("the slave goes on");

        /* Flushes. */
        put(master, "one\ntw");
        usleep(50000);
        RESULT("TCIFLUSH", tcflush(slave, TCIFLUSH));
        put(master, "x\n");
        shows("after TCIFLUSH", slave);
        put(slave, "out");
        RESULT("TCOFLUSH", tcflush(slave, TCOFLUSH));
        shows("what has arrived stays", master);
        put(slave, "out");
        RESULT("TCIFLUSH, master", tcflush(master, TCIFLUSH));
        shows("after TCIFLUSH, master", master);
        put(master, "in\n");
        usleep(50000);
        RESULT("TCOFLUSH, master", tcflush(master, TCOFLUSH));
        shows("after TCOFLUSH, master", slave);

        /* A full terminal: the writer sleeps, and goes on. */
        fcntl(slave, F_SETFL, O_RDWR);
        struct termios t = sane;
        t.c_oflag &= ~OPOST;
        tcsetattr(slave, TCSANOW, &t);
        memset(buf, 'z', sizeof buf);
        pid_t pid = fork();
        if (pid == 0) {
                RESULT("a long write", write(slave, buf, sizeof buf));
                _exit(0);
        }
        CHECK("it waits", state_becomes(pid, 'S') && waitpid(-1, NULL, WNOHANG) == 0 && !(events(slave, POLLOUT, 0) & POLLOUT));
        fcntl(master, F_SETFL, O_RDWR);
        size_t n = 0;
        while (n < sizeof buf)
                n += read(master, buf, sizeof buf - n);
        wait(NULL);
        CHECK("all of it came", n == sizeof buf);
        CHECK("room again", events(slave, POLLOUT, 30000) & POLLOUT);

        /* Typed more than is read: the writer sleeps, and can be killed. */
        static char much[1 << 20];
        t.c_lflag &= ~(ICANON | ECHO | ISIG);
        tcsetattr(slave, TCSANOW, &t);
        memset(much, 'y', sizeof much);
        pid = fork();
        if (pid == 0) {
                (void)!write(master, much, sizeof much);
                _exit(0);
        }
        CHECK("who types waits", state_becomes(pid, 'S') && waitpid(pid, NULL, WNOHANG) == 0);
        kill(pid, SIGKILL);
        int status = 0;
        CHECK("and dies", waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
        return done();
}
