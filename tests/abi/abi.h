/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: what the programs of this folder share. Each is one subject, runs as root in a fresh
 * directory, on Linux and on Keel alike, and prints a line per fact:
 *
 *      ok NAME                   the fact holds
 *      not ok NAME (...)         it does not; what was seen follows
 *
 * Only what is the same in every run may be printed: no pids, addresses or times.
 *
 *   CHECK(name, condition)       a fact
 *   OKAY(name, call)             the call does not return -1
 *   FAILS(name, errno, call)     the call returns -1 with this errno
 *   return done();               the exit status: 0 if all facts hold
 */
#pragma once
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define UNUSED   __attribute__((unused))
#define PAGE     4096
#define BAD_PTR  bad_ptr                /* never mapped */

static int failures;
UNUSED static void *volatile bad_ptr = (void *)8;     /* volatile: hidden from warnings */

/* One write per line, so that lines of several processes do not mix. */
UNUSED static void say(const char *format, ...)
{
        char    line[512];
        va_list ap;

        va_start(ap, format);
        int n = vsnprintf(line, sizeof line, format, ap);
        va_end(ap);
        if (write(1, line, n) != n)
                _exit(99);
}

#define CHECK(name, cond)                                                       \
        do {                                                                    \
                if (cond) {                                                     \
                        say("ok %s\n", name);                                   \
                } else {                                                        \
                        say("not ok %s (%s, line %d)\n", name, #cond, __LINE__); \
                        failures++;                                             \
                }                                                               \
        } while (0)

#define OKAY(name, call)                                                        \
        do {                                                                    \
                long r_ = (long)(call);                                         \
                if (r_ != -1) {                                                 \
                        say("ok %s\n", name);                                   \
                } else {                                                        \
                        say("not ok %s (errno %d, line %d)\n", name, errno, __LINE__); \
                        failures++;                                             \
                }                                                               \
        } while (0)

#define FAILS(name, err, call)                                                  \
        do {                                                                    \
                errno = 0;                                                      \
                long r_ = (long)(call);                                         \
                if (r_ == -1 && errno == (err)) {                               \
                        say("ok %s\n", name);                                   \
                } else {                                                        \
                        say("not ok %s (%ld, errno %d, not %s, line %d)\n", name, r_, \
                            errno, #err, __LINE__);                             \
                        failures++;                                             \
                }                                                               \
        } while (0)

/* SIGALRM soon, and each second from then on: the first may come too early; 0: no more. */
UNUSED static void alarms(int on)
{
        struct itimerval v = { { on, 0 }, { 0, on * 20000 } };

        setitimer(ITIMER_REAL, &v, NULL);
}

/* FAILS with EINTR, for a call that SIGALRM, which has a handler, finds asleep. */
#define ALARMED(name, call)                                                     \
        do {                                                                    \
                errno = 0;                                                      \
                alarms(1);                                                      \
                long got_ = (long)(call);                                       \
                int  err_ = errno;                                              \
                alarms(0);                                                      \
                FAILS(name, EINTR, (errno = err_, got_));                       \
        } while (0)

UNUSED static int done(void)
{
        return failures ? 1 : 0;
}

/* The exit status of a child, or 1000 + the signal that ended it. */
UNUSED static int result_of(pid_t pid)
{
        int   st;
        pid_t got;

        while ((got = waitpid(pid, &st, 0)) < 0 && errno == EINTR)
                ;
        if (got != pid)
                return -1;
        return WIFSIGNALED(st) ? 1000 + WTERMSIG(st) : WEXITSTATUS(st);
}

#define KILLED(sig) (1000 + (sig))

/* Runs a function in a child process; its facts count there and here. */
UNUSED static int in_child(int (*fn)(void))
{
        pid_t pid = fork();

        if (pid == 0) {
                failures = 0;
                _exit(fn());
        }
        return pid < 0 ? -1 : result_of(pid);
}

UNUSED static void must(int condition, const char *what)
{
        if (!condition) {
                say("not ok %s (errno %d)\n", what, errno);
                _exit(98);
        }
}

UNUSED static void put_file(const char *path, const void *data, size_t n, int mode)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

        must(fd >= 0 && write(fd, data, n) == (ssize_t)n && fchmod(fd, mode) == 0, path);
        close(fd);
}

UNUSED static void put_text(const char *path, const char *text)
{
        put_file(path, text, strlen(text), 0644);
}

/* Into a file that is there, such as a setting in /proc/sys; -1 and errno as write(2). */
UNUSED static int set_text(const char *path, const char *text)
{
        int fd = open(path, O_WRONLY), n = fd < 0 ? -1 : (int)write(fd, text, strlen(text)), err = errno;

        if (fd >= 0)
                close(fd);
        errno = err;
        return n < 0 ? -1 : 0;
}

/* The start of a file as a string, "" if there is none. */
UNUSED static const char *text_of(const char *path)
{
        static char buf[65536];
        size_t      n = 0;
        ssize_t     got;
        int         fd = open(path, O_RDONLY);

        while (fd >= 0 && n < sizeof buf - 1 && (got = read(fd, buf + n, sizeof buf - 1 - n)) > 0)
                n += got;
        if (fd >= 0)
                close(fd);
        buf[n] = 0;
        return buf;
}

UNUSED static void sleep_ms(int ms)
{
        struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

        while (nanosleep(&t, &t) < 0 && errno == EINTR)
                ;
}

UNUSED static int64_t clock_ms(clockid_t clock)
{
        struct timespec t = { -1, 0 };

        clock_gettime(clock, &t);
        return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

UNUSED static int64_t now_ms(void) { return clock_ms(CLOCK_MONOTONIC); }

UNUSED static void on(int sig, void (*handler)(int), int flags)
{
        struct sigaction sa = { .sa_handler = handler, .sa_flags = flags };

        must(sigaction(sig, &sa, NULL) == 0, "sigaction");
}

/* Waits, a minute at most, for what others do: did it come? */
#define AWAIT(cond) ({ for (int n_ = 0; n_ < 30000 && !(cond); n_++) sleep_ms(2); !!(cond); })

/* Becomes an ordinary user for good. */
UNUSED static void become_user(uid_t uid)
{
        must(setgroups(0, NULL) == 0 && setresgid(uid, uid, uid) == 0 &&
             setresuid(uid, uid, uid) == 0, "become_user");
}

/* The third field of /proc/PID/stat: R, S, T, Z...; waits a while for it to become `want`. */
UNUSED static int state_becomes(pid_t pid, char want)
{
        char path[64];

        snprintf(path, sizeof path, "/proc/%d/stat", pid);
        for (int i = 0; i < 12000; i++) {
                const char *p = strrchr(text_of(path), ')');

                if (p && p[1] && p[2] == want)
                        return 1;
                sleep_ms(5);
        }
        return 0;
}

/* Waits until n threads of this process besides the caller are asleep. */
UNUSED static void threads_asleep(int n)
{
        char self[32];
        int  asleep = 0;

        snprintf(self, sizeof self, "%ld", syscall(SYS_gettid));
        for (int i = 0; i < 60000 && asleep < n; i++) {
                DIR           *d = opendir("/proc/self/task");
                struct dirent *e;

                asleep = 0;
                while (d && (e = readdir(d)) != NULL) {
                        char path[300];

                        if (e->d_name[0] == '.' || !strcmp(e->d_name, self))
                                continue;
                        snprintf(path, sizeof path, "/proc/self/task/%s/stat", e->d_name);
                        const char *p = strrchr(text_of(path), ')');
                        asleep += p && p[1] && p[2] == 'S';
                }
                if (d)
                        closedir(d);
                if (asleep < n)
                        sleep_ms(1);
        }
        must(asleep >= n, "threads asleep");
}

/* Waits a while for a count that others raise; and a little, should they raise it too far. */
UNUSED static void reaches(const volatile int *count, int n)
{
        for (int i = 0; i < 30000 && *count < n; i++)
                sleep_ms(2);
        sleep_ms(30);
}

/* To the calling thread, as pthread_sigqueue(3). */
UNUSED static int queue_here(int sig, union sigval v)
{
        siginfo_t i = { .si_signo = sig, .si_code = SI_QUEUE };
        i.si_pid = getpid();
        i.si_uid = getuid();
        i.si_value = v;
        return (int)syscall(SYS_rt_tgsigqueueinfo, getpid(), (pid_t)syscall(SYS_gettid), sig, &i);
}

/* What the clock will show in ms milliseconds. */
UNUSED static struct timespec in_ms(int clock, int ms)
{
        struct timespec t;
        clock_gettime(clock, &t);
        t.tv_nsec += ms * 1000000L;
        t.tv_sec += t.tv_nsec / 1000000000;
        t.tv_nsec %= 1000000000;
        return t;
}
