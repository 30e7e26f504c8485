/* SPDX-License-Identifier: Apache-2.0
 *
 * pty_jobs: a pseudo-terminal as controlling terminal: sessions, groups, signals, hang-up.
 */
#include "pty.h"
#include <stdatomic.h>

static struct shared { atomic_int ready, hup, cont, winch, intr, group_hup, tty_gone; } *shared;

static void note(int sig)
{
        if (sig == SIGHUP)
                shared->hup++;
        if (sig == SIGCONT)
                shared->cont++;
        if (sig == SIGWINCH)
                shared->winch++;
        if (sig == SIGINT || sig == SIGQUIT)
                shared->intr++;
}

static void group_note(int sig) { shared->group_hup += sig == SIGHUP; }

static int becomes(atomic_int *what, int want)
{
        AWAIT(*what >= want);
        sleep_ms(20);
        return *what == want;
}

static void catch_all(void)
{
        on(SIGHUP, note, 0);
        on(SIGCONT, note, 0);
        on(SIGWINCH, note, 0);
        on(SIGINT, note, 0);
        on(SIGQUIT, note, 0);
}

/* A session leader whose terminal is the slave; runs fn there. */
static pid_t leader(int (*fn)(void))
{
        char name[32];

        snprintf(name, sizeof name, "%s", name_of(master));
        memset(shared, 0, sizeof *shared);
        pid_t pid = fork();
        if (pid)
                return pid;
        failures = 0;
        close(master);
        if (slave >= 0)
                close(slave);
        setsid();
        catch_all();
        slave = open(name, O_RDWR);
        must(slave >= 0, "slave");
        _exit(fn());
}

static int controlling(void)
{
        int own;

        CHECK("opening made it ours", tcgetpgrp(slave) == getpgrp() && tcgetsid(slave) == getsid(0));
        OKAY("/dev/tty", own = open("/dev/tty", O_RDWR));
        CHECK("is it", put(own, "hello\n"));
        close(own);
        shared->ready = 1;
        while (shared->intr < 2)
                sleep_ms(5);
        shared->ready = 2;
        while (shared->winch < 2)
                sleep_ms(5);
        OKAY("TIOCNOTTY", ioctl(slave, TIOCNOTTY));
        CHECK("hang-up signals", becomes(&shared->hup, 1) && becomes(&shared->cont, 1));
        FAILS("not ours any more", ENXIO, open("/dev/tty", O_RDWR));
        CHECK("but open", put(slave, "bye\n"));
        OKAY("TIOCSCTTY", ioctl(slave, TIOCSCTTY, 0));
        return done();
}

static int waits(void)
{
        shared->ready = 3;
        for (int i = 0; i < 400 && !shared->hup; i++)
                sleep_ms(5);
        sleep_ms(30);
        CHECK("no terminal any more", open("/dev/tty", O_RDWR) == -1 && errno == ENXIO);
        FAILS("no group", EIO, tcgetpgrp(slave));
        shared->tty_gone = 1;
        CHECK("a member is not told yet", shared->group_hup == 0);
        return done();
}

/* The leader ignores nothing; a child in the foreground group counts its own. */
static int with_foreground(void)
{
        pid_t pid = fork();

        if (pid == 0) {
                setpgid(0, 0);
                on(SIGHUP, group_note, 0);
                shared->ready = 2;
                AWAIT(shared->group_hup);
                sleep_ms(30);
                _exit(0);
        }
        while (shared->ready != 2)
                sleep_ms(2);
        signal(SIGTTOU, SIG_IGN);
        CHECK("in front", tcsetpgrp(slave, pid) == 0);
        return waits();
}

static int leaves(void)
{
        pid_t pid = fork();

        if (pid == 0) {
                on(SIGHUP, group_note, 0);
                shared->ready = 1;
                AWAIT(shared->group_hup);
                sleep_ms(20);
                put(slave, "still there\n");
                _exit(0);
        }
        while (!shared->ready)
                sleep_ms(2);
        return 0;
}

static int background(void)
{
        char c;

        setpgid(0, 0);
        on(SIGTTIN, SIG_DFL, 0);
        on(SIGCONT, SIG_DFL, 0);                /* whose handler would end the read */
        return read(slave, &c, 1) == 1 && c == 'l' ? 7 : 8;
}

static int job(void)
{
        int   st;
        pid_t pid = fork();

        if (pid == 0)
                _exit(background());
        CHECK("SIGTTIN stops", waitpid(pid, &st, WUNTRACED) == pid && WIFSTOPPED(st) && WSTOPSIG(st) == SIGTTIN);
        signal(SIGTTOU, SIG_IGN);
        OKAY("to the front", tcsetpgrp(slave, pid));
        shared->ready = pid;
        kill(pid, SIGCONT);
        CHECK("it reads", waitpid(pid, &st, WUNTRACED) == pid && WIFEXITED(st) && WEXITSTATUS(st) == 7);
        tcsetpgrp(slave, getpgrp());
        shared->ready = 1;
        pid = fork();
        if (pid == 0) {
                setpgid(0, 0);
                tcsetpgrp(slave, getpid());
                shared->ready = 2;
                pause();
                _exit(0);
        }
        CHECK("SUSP stops", waitpid(pid, &st, WUNTRACED) == pid && WIFSTOPPED(st) && WSTOPSIG(st) == SIGTSTP);
        kill(pid, SIGKILL);
        waitpid(pid, &st, 0);
        tcsetpgrp(slave, getpgrp());
        return done();
}

int main(void)
{
        struct winsize w = { 40, 100, 0, 0 }, w2;
        pid_t          pid, sid;
        int            pgrp;

        shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        master = open_master();
        slave = -1;
        FAILS("no session yet", ENOTTY, ioctl(master, TIOCGSID, &sid));
        pid = leader(controlling);
        CHECK("starts", becomes(&shared->ready, 1));
        CHECK("through /dev/tty", gives(master, "hello\r\n"));
        CHECK("the master knows the group", ioctl(master, TIOCGPGRP, &pgrp) == 0 && pgrp == pid);
        CHECK("and the session", ioctl(master, TIOCGSID, &sid) == 0 && sid == pid);
        FAILS("but may not set it", ENOTTY, ioctl(master, TIOCSPGRP, &pgrp));
        CHECK("typed", put(master, "junk") && gives(master, "junk"));
        CHECK("INTR", put(master, "\003") && becomes(&shared->intr, 1));
        CHECK("echoed", gives(master, "^C"));
        int sig = SIGQUIT;
        OKAY("TIOCSIG", ioctl(master, 0x40045436, sig));
        FAILS("not any signal", EINVAL, ioctl(master, 0x40045436, SIGKILL));
        CHECK("two", becomes(&shared->ready, 2));
        CHECK("size", ioctl(master, TIOCSWINSZ, &w) == 0 && becomes(&shared->winch, 1));
        CHECK("the same size: nothing", ioctl(master, TIOCSWINSZ, &w) == 0 && becomes(&shared->winch, 1));
        CHECK("seen", ioctl(master, TIOCGWINSZ, &w2) == 0 && w2.ws_row == 40 && w2.ws_col == 100);
        w.ws_col = 101;
        CHECK("another size", ioctl(master, TIOCSWINSZ, &w) == 0 && becomes(&shared->winch, 2));
        CHECK("leader", result_of(pid) == 0);
        close(master);

        master = open_master();
        pid = leader(waits);
        CHECK("a leader", becomes(&shared->ready, 3));
        close(master);
        CHECK("master closed", result_of(pid) == 0);
        CHECK("the leader was told", shared->hup == 1 && shared->cont == 1);

        master = open_master();
        pid = leader(with_foreground);
        CHECK("with a job", becomes(&shared->ready, 3));
        sleep_ms(50);
        close(master);
        CHECK("leader of it", result_of(pid) == 0);
        CHECK("its exit tells the job", becomes(&shared->group_hup, 1));

        master = open_master();
        pid = leader(leaves);
        CHECK("a leader leaves", result_of(pid) == 0);
        CHECK("its group is told", becomes(&shared->group_hup, 1));
        CHECK("the terminal goes on", gives(master, "still there\r\n"));
        close(master);

        master = open_master();
        pid = leader(job);
        AWAIT(shared->ready >= 10);
        put(master, "line\n");
        CHECK("job control", AWAIT(shared->ready == 2));
        sleep_ms(50);
        put(master, "\032");
        CHECK("a shell", result_of(pid) == 0);
        close(master);
        return done();
}
