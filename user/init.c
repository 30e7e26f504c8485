/* SPDX-License-Identifier: Apache-2.0
 *
 * init: process 1 of the project's images. A plain Linux program: it runs on the oracle too.
 *
 *   as /init         mounts /dev, /proc, /sys, /dev/pts and /run, sets the host name, then
 *                    - without /keel/cmd: a login shell on the console, with a controlling
 *                      terminal and job control; powers off when the shell ends;
 *                    - with /keel/cmd (the launcher adds it): runs that one program with its
 *                      output alone on the second serial port, sends "\0keel-exit STATUS\n"
 *                      there, and powers off.
 *                    SIGUSR2 powers off, SIGTERM reboots, SIGUSR1 halts (busybox's convention).
 *   as poweroff, reboot, halt   asks process 1 to do so; with -f does it at once.
 *
 * Words of the kernel's command line that it reads: console= (the terminal), keel.rows=,
 * keel.cols= (its size), keel.term= (TERM).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define PORT      "/dev/ttyS1"
#define NO_STATUS 125         /* the command could not be run or waited for */

static char cmdline[4096];
static int  port = -1;          /* the raw second serial port, where there is one */

static void say(const char *text)
{
        if (write(2, text, strlen(text)) < 0)
                return;
}

static void complain(const char *what)
{
        char line[256];

        snprintf(line, sizeof line, "init: %s: %s\n", what, strerror(errno));
        say(line);
}

/* The value of the last `name=` on the command line, or NULL. */
static const char *cmdline_word(const char *name)
{
        static char value[128];
        size_t      n = strlen(name);
        const char *found = NULL;

        for (const char *p = cmdline; *p;) {
                size_t len = strcspn(p, " \n");

                if (len > n && !strncmp(p, name, n) && p[n] == '=') {
                        snprintf(value, sizeof value, "%.*s", (int)(len - n - 1), p + n + 1);
                        found = value;
                }
                p += len;
                p += strspn(p, " \n");
        }
        return found;
}

static void read_cmdline(void)
{
        int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return;
        ssize_t n = read(fd, cmdline, sizeof cmdline - 1);
        cmdline[n > 0 ? n : 0] = 0;
        close(fd);
}

static void mount_one(const char *type, const char *where, const char *data)
{
        mkdir(where, 0755);
        if (mount(type, where, type, 0, data) < 0 && errno != EBUSY && errno != ENODEV)
                complain(where);
}

static void set_up(void)
{
        char name[64] = "keel";
        int  fd;

        mount_one("devtmpfs", "/dev", "mode=0755");
        mount_one("proc", "/proc", NULL);
        mount_one("sysfs", "/sys", NULL);
        mount_one("devpts", "/dev/pts", "mode=0620,gid=5,ptmxmode=0666");
        mount_one("tmpfs", "/dev/shm", "mode=1777");
        symlink("/proc/self/fd", "/dev/fd");
        symlink("/proc/self/fd/0", "/dev/stdin");
        symlink("/proc/self/fd/1", "/dev/stdout");
        symlink("/proc/self/fd/2", "/dev/stderr");
        read_cmdline();

        fd = open("/etc/hostname", O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
                ssize_t n = read(fd, name, sizeof name - 1);
                name[n > 0 ? n : 0] = 0;
                close(fd);
        }
        sethostname(name, strcspn(name, "\n"));
}

static void write_all(int fd, const char *p, ssize_t n)
{
        while (n > 0) {
                ssize_t done = write(fd, p, n);

                if (done < 0 && errno != EINTR)
                        return;
                if (done > 0) {
                        p += done;
                        n -= done;
                }
        }
}

/* Tells the launcher how it went. The tty's queue is drained: power-off does not wait. */
static void send_status(int status)
{
        char line[32];
        int  n = snprintf(line, sizeof line, "%ckeel-exit %d\n", 0, status);

        if (port < 0)
                return;
        write_all(port, line, n);
        while (tcdrain(port) < 0 && errno == EINTR)     /* another orphan has ended */
                ;
}

static void leave(int how)
{
        sync();
        reboot(how);
        complain("reboot");
        for (;;)
                pause();
}

static void on_signal(int sig)
{
        send_status(0);
        leave(sig == SIGUSR2 ? RB_POWER_OFF : sig == SIGTERM ? RB_AUTOBOOT : RB_HALT_SYSTEM);
}

static void open_port(void)
{
        struct termios t;

        port = open(PORT, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (port < 0 || tcgetattr(port, &t) < 0)
                return;
        cfmakeraw(&t);
        t.c_cflag |= CLOCAL;
        cfsetspeed(&t, B115200);
        tcsetattr(port, TCSANOW, &t);
}

/* The terminal of the shell: the last console= of the command line, else the console. */
static int open_terminal(void)
{
        char        path[64];
        const char *name = cmdline_word("console");
        int         fd = -1;

        snprintf(path, sizeof path, "/dev/%.*s", name ? (int)strcspn(name, ",") : 0, name ? name : "");
        if (name)
                fd = open(path, O_RDWR | O_NOCTTY);
        if (fd < 0)
                fd = open("/dev/ttyS0", O_RDWR | O_NOCTTY);
        if (fd < 0)
                fd = open("/dev/console", O_RDWR | O_NOCTTY);
        return fd;
}

static void set_size(int fd)
{
        struct winsize ws = { 0 };
        const char    *v;

        if ((v = cmdline_word("keel.rows")))
                ws.ws_row = atoi(v);
        if ((v = cmdline_word("keel.cols")))
                ws.ws_col = atoi(v);
        if (ws.ws_row && ws.ws_col)
                ioctl(fd, TIOCSWINSZ, &ws);
}

static void set_environment(const char *term)
{
        setenv("HOME", "/root", 1);
        setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
        setenv("TERM", term ? term : "vt220", 1);
        setenv("USER", "root", 1);
        setenv("LOGNAME", "root", 1);
        setenv("LANG", "C.UTF-8", 1);
        unsetenv("BOOT_IMAGE");
}

static void default_signals(void)
{
        signal(SIGUSR1, SIG_DFL);
        signal(SIGUSR2, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
}

/* The child of the interactive case: a login shell that owns the terminal. */
static void run_shell(void)
{
        int fd;

        default_signals();
        setsid();
        fd = open_terminal();
        if (fd < 0) {
                complain("no terminal");
                _exit(126);
        }
        if (ioctl(fd, TIOCSCTTY, 1) < 0)
                complain("TIOCSCTTY");
        set_size(fd);
        for (int i = 0; i < 3; i++)
                dup2(fd, i);
        if (fd > 2)
                close(fd);
        set_environment(cmdline_word("keel.term"));
        setenv("SHELL", "/bin/bash", 1);
        if (chdir("/root") < 0)
                complain("/root");
        execl("/bin/bash", "-bash", (char *)NULL);
        execl("/bin/busybox", "-sh", (char *)NULL);
        complain("no shell");
        _exit(127);
}

/* The command itself: no terminal, no input, its output into `out`. */
static void run_command(int out)
{
        int null = open("/dev/null", O_RDONLY);

        default_signals();
        setsid();
        dup2(null, 0);
        dup2(out, 1);
        dup2(out, 2);
        if (null > 2)
                close(null);
        close(out);
        set_environment("dumb");
        if (chdir("/root") < 0)
                complain("/root");
        execl("/keel/cmd", "/keel/cmd", (char *)NULL);
        complain("/keel/cmd");
        _exit(errno == ENOENT ? 127 : 126);
}

/* Waits for `pid` and reaps whatever else ends meanwhile. */
static int status_of(int st) { return WIFSIGNALED(st) ? 128 + WTERMSIG(st) : WEXITSTATUS(st); }

static int wait_for(pid_t pid)
{
        int   st = 0;
        pid_t got;

        while ((got = waitpid(-1, &st, 0)) != pid) {
                if (got < 0 && errno != EINTR)
                        return NO_STATUS;
        }
        return status_of(st);
}

/* The command's keeper, a child of ours: waits for it, then ends whatever it left behind,
 * so that nobody holds the pipe any more. */
static void keep_command(int out)
{
        int   status;
        pid_t pid;

        default_signals();
        pid = fork();
        if (pid == 0)
                run_command(out);
        if (pid < 0)
                complain("fork");
        status = pid < 0 ? NO_STATUS : wait_for(pid);
        kill(-1, SIGKILL);
        _exit(status);
}

static void on_child(int sig) { (void)sig; }

/* The command case: copies the command's output to the port; returns its status. */
static int command(void)
{
        static char buf[16384];
        struct sigaction sa = { .sa_handler = on_child };
        int         fds[2], st, status = -1;
        ssize_t     n;
        pid_t       pid, got;

        sigaction(SIGCHLD, &sa, NULL);          /* ends a read: orphans are reaped meanwhile */
        if (pipe(fds) < 0 || (pid = fork()) < 0) {
                complain("command");
                return NO_STATUS;
        }
        if (pid == 0) {
                close(fds[0]);
                keep_command(fds[1]);
        }
        close(fds[1]);
        while ((n = read(fds[0], buf, sizeof buf)) > 0 || (n < 0 && errno == EINTR)) {
                write_all(port, buf, n);
                while ((got = waitpid(-1, &st, WNOHANG)) > 0)
                        if (got == pid)
                                status = status_of(st);
        }
        return status >= 0 ? status : wait_for(pid);
}

static int interactive(void)
{
        pid_t pid = fork();

        if (pid == 0)
                run_shell();
        if (pid < 0) {
                complain("fork");
                return NO_STATUS;
        }
        wait_for(pid);
        return 0;
}

/* poweroff, reboot, halt: a word to process 1, or with -f to the kernel itself. */
static int ask(const char *name, int force)
{
        int off = !strcmp(name, "poweroff"), again = !strcmp(name, "reboot");

        if (force) {
                sync();
                reboot(off ? RB_POWER_OFF : again ? RB_AUTOBOOT : RB_HALT_SYSTEM);
        } else if (kill(1, off ? SIGUSR2 : again ? SIGTERM : SIGUSR1) == 0) {
                return 0;
        }
        complain(name);
        return 1;
}

static void catch_signals(void)
{
        struct sigaction sa = { .sa_handler = on_signal };

        sigaction(SIGUSR1, &sa, NULL);
        sigaction(SIGUSR2, &sa, NULL);
        sigaction(SIGTERM, &sa, NULL);
}

int main(int argc, char **argv)
{
        const char *name = strrchr(argv[0], '/');
        int         status;

        name = name ? name + 1 : argv[0];
        if (strcmp(name, "init"))
                return ask(name, argc > 1 && !strcmp(argv[1], "-f"));

        set_up();
        open_port();
        catch_signals();
        if (port >= 0 && access("/keel/cmd", F_OK) == 0)
                status = command();
        else
                status = interactive();
        send_status(status);
        leave(RB_POWER_OFF);
}
