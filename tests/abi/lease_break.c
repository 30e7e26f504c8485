/* SPDX-License-Identifier: Apache-2.0
 *
 * lease_break: opens that wait for a lease to go: by the holder, by time, by its end; signals with information.
 */
#include "abi.h"

static volatile int told, code, told_fd, band;
static void handler(int sig, siginfo_t *si, void *ctx)
{
        (void)sig, (void)ctx;
        told++;
        code = si->si_code;
        told_fd = si->si_fd;
        band = si->si_band;
}
static void nothing(int sig) { (void)sig; }

/* The signal is chosen anew with each lease: giving one back forgets it. */
static int set(int fd, int type) { fcntl(fd, F_SETSIG, SIGRTMIN + 3); return fcntl(fd, F_SETLEASE, type); }

/* Waits until the child sleeps, having told us. */
static void wait_told(int n) { for (int i = 0; i < 1000 && told < n; i++) sleep_ms(2); }

static pid_t opener(const char *name, int flags)
{
        pid_t pid = fork();

        if (!pid) {
                for (int i = 3; i < 20; i++)
                        close(i);
                int fd = open(name, flags);
                _exit(fd < 0 ? errno : 0);
        }
        return pid;
}

static pid_t cutter(const char *name)
{
        pid_t pid = fork();

        if (!pid)
                _exit(truncate(name, 1) < 0 ? errno : 0);
        return pid;
}

int main(void)
{
        struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART };
        int st;

        sigaction(SIGRTMIN + 3, &sa, NULL);
        put_text("f", "text");
        int fd = open("f", O_RDONLY | O_CLOEXEC);
        set(fd, F_RDLCK);

        pid_t pid = opener("f", O_WRONLY);
        wait_told(1);
        CHECK("the holder is told", told == 1);
        CHECK("of what", code == POLL_MSG && told_fd == fd);
        CHECK("in which band", band == (POLLIN | POLLRDNORM | POLLMSG));
        CHECK("the opener waits", state_becomes(pid, 'S') && waitpid(pid, &st, WNOHANG) == 0);
        set(fd, F_UNLCK);
        CHECK("until it is given back", result_of(pid) == 0);
        CHECK("the signal and its owner are forgotten", fcntl(fd, F_GETSIG) == 0 && fcntl(fd, F_GETOWN) == 0);

        set(fd, F_WRLCK);
        told = 0;
        pid = opener("f", O_RDONLY);
        wait_told(1);
        CHECK("a reader waits too", told == 1 && state_becomes(pid, 'S'));
        set(fd, F_RDLCK);
        CHECK("until it is only a read lease", result_of(pid) == 0);
        CHECK("which stays", fcntl(fd, F_GETLEASE) == F_RDLCK);

        told = 0;
        pid = cutter("f");
        wait_told(1);
        CHECK("truncate waits", told == 1 && state_becomes(pid, 'S'));
        CHECK("and cuts nothing", !strcmp(text_of("f"), "text"));
        set(fd, F_UNLCK);
        CHECK("then it does", result_of(pid) == 0 && !strcmp(text_of("f"), "t"));

        /* Several wait for one. */
        set(fd, F_RDLCK);
        told = 0;
        pid_t many[3];
        for (int i = 0; i < 3; i++)
                many[i] = opener("f", O_WRONLY);
        wait_told(1);
        CHECK("all wait", state_becomes(many[0], 'S') && state_becomes(many[1], 'S') && state_becomes(many[2], 'S'));
        CHECK("told once", told == 1);
        set(fd, F_UNLCK);
        CHECK("all come in", result_of(many[0]) == 0 && result_of(many[1]) == 0 && result_of(many[2]) == 0);

        /* One waits for several. */
        int fd2 = open("f", O_RDONLY | O_CLOEXEC);
        set(fd, F_RDLCK);
        set(fd2, F_RDLCK);
        pid = opener("f", O_RDWR);
        for (int i = 0; i < 1000 && fcntl(fd2, F_GETLEASE) == F_RDLCK; i++)
                sleep_ms(2);
        set(fd, F_UNLCK);
        CHECK("one of two is not enough", state_becomes(pid, 'S') && waitpid(pid, &st, WNOHANG) == 0);
        set(fd2, F_UNLCK);
        CHECK("both", result_of(pid) == 0);

        /* Closing gives it back; so does the holder's end. */
        set(fd2, F_RDLCK);
        pid = opener("f", O_WRONLY);
        CHECK("waits", state_becomes(pid, 'S'));
        close(fd2);
        CHECK("until closed", result_of(pid) == 0);

        /* The time runs out. */
        OKAY("a short time", set_text("/proc/sys/fs/lease-break-time", "1"));
        set(fd, F_WRLCK);
        told = 0;
        int64_t t = now_ms();
        pid = opener("f", O_WRONLY);
        CHECK("it is broken", result_of(pid) == 0 && told == 1);
        t = now_ms() - t;
        CHECK("after that time", t >= 500 && t < 10000);
        CHECK("and is gone", fcntl(fd, F_GETLEASE) == F_UNLCK);
        FAILS("nothing to give back", EAGAIN, set(fd, F_UNLCK));
        set(fd, F_WRLCK);
        pid = opener("f", O_RDONLY);
        CHECK("a reader's", result_of(pid) == 0);
        CHECK("leaves a read lease", fcntl(fd, F_GETLEASE) == F_RDLCK);
        set(fd, F_UNLCK);

        /* A signal ends the waiting. */
        set_text("/proc/sys/fs/lease-break-time", "45");
        set(fd, F_RDLCK);
        pid = fork();
        if (!pid) {
                on(SIGUSR1, nothing, 0);
                int r = open("f", O_WRONLY);
                _exit(r < 0 ? errno : 0);
        }
        CHECK("waits for 45 s", state_becomes(pid, 'S'));
        for (int i = 0; i < 500 && waitpid(pid, &st, WNOHANG) == 0; i++) {
                kill(pid, SIGUSR1);
                sleep_ms(10);
        }
        CHECK("interrupted", WIFEXITED(st) && WEXITSTATUS(st) == EINTR);
        pid = opener("f", O_WRONLY);
        CHECK("another waits", state_becomes(pid, 'S'));
        kill(pid, SIGKILL);
        CHECK("killed", result_of(pid) == KILLED(SIGKILL));

        /* A lease of one's own is broken by oneself. */
        set(fd, F_UNLCK);
        set(fd, F_RDLCK);
        told = 0;
        FAILS("one's own", EAGAIN, open("f", O_WRONLY | O_NONBLOCK));
        CHECK("told", told == 1);
        /* A program that is run is opened for reading. */
        set(fd, F_UNLCK);
        return done();
}
