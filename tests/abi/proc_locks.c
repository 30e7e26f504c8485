/* SPDX-License-Identifier: Apache-2.0
 *
 * /proc/locks, and the locks in /proc/PID/fdinfo: POSIX and OFD locks, flock, leases, and who waits.
 */
#include "abi.h"
#include <sys/file.h>

#ifndef F_SETLEASE
#define F_SETLEASE 1024
#endif

/* "KIND  ADVISORY  TYPE pid dev:ino start end" stands in a text, with "-> " or without; the pid's and inode's own. */
static int stands(const char *text, const char *what, int pid, const char *file, const char *range)
{
        struct stat st;
        char        start[128], rest[128];

        must(stat(file, &st) == 0, file);
        snprintf(start, sizeof start, ": %s %d ", what, pid);
        snprintf(rest, sizeof rest, ":%lu %s\n", (unsigned long)st.st_ino, range);
        for (const char *at = text; (at = strstr(at, start)) != NULL; at++) {
                unsigned major, minor;
                int      n = 0;

                if (sscanf(at + strlen(start), "%x:%x%n", &major, &minor, &n) == 2 && !strncmp(at + strlen(start) + n, rest, strlen(rest)))
                        return 1;
        }
        return 0;
}

static int in_locks(const char *what, int pid, const char *file, const char *range) { return stands(text_of("/proc/locks"), what, pid, file, range); }

static int in_fdinfo(int fd, const char *what, int pid, const char *file, const char *range)
{
        char path[64];

        snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
        return stands(text_of(path), what, pid, file, range);
}

static int count(const char *path, const char *word)
{
        int n = 0;

        for (const char *at = text_of(path); (at = strstr(at, word)) != NULL; at++)
                n++;
        return n;
}

static int set(int fd, int cmd, int type, long start, long len)
{
        struct flock f = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len };

        return fcntl(fd, cmd, &f);
}

/* Until it waits. */
static int appears(const char *what, int pid, const char *file, const char *range)
{
        for (int i = 0; i < 2000; i++) {
                if (in_locks(what, pid, file, range))
                        return 1;
                sleep_ms(5);
        }
        return 0;
}

static void end(pid_t pid)
{
        kill(pid, SIGKILL);
        result_of(pid);
}

static void nothing(int sig) { (void)sig; }

static void posix(int fd)
{
        int me = getpid();

        set(fd, F_SETLK, F_WRLCK, 10, 5);
        set(fd, F_SETLK, F_RDLCK, 100, 0);
        CHECK("posix write", in_locks("POSIX  ADVISORY  WRITE", me, "a", "10 14"));
        CHECK("posix read to the end", in_locks("POSIX  ADVISORY  READ", me, "a", "100 EOF"));
        CHECK("in fdinfo", in_fdinfo(fd, "POSIX  ADVISORY  WRITE", me, "a", "10 14") && in_fdinfo(fd, "POSIX  ADVISORY  READ", me, "a", "100 EOF"));
        int other = open("a", O_RDONLY);
        CHECK("not in another descriptor's", !in_fdinfo(other, "POSIX  ADVISORY  WRITE", me, "a", "10 14"));
        pid_t pid = fork();
        if (pid == 0) {
                must(!in_fdinfo(fd, "POSIX  ADVISORY  WRITE", me, "a", "10 14"), "not in a child's");
                set(fd, F_SETLKW, F_WRLCK, 12, 1);
                _exit(0);
        }
        CHECK("who waits", appears("-> POSIX  ADVISORY  WRITE", pid, "a", "12 12"));
        CHECK("not in fdinfo", !in_fdinfo(fd, "-> POSIX  ADVISORY  WRITE", pid, "a", "12 12"));
        end(pid);
        CHECK("no longer", !in_locks("-> POSIX  ADVISORY  WRITE", pid, "a", "12 12"));
        set(fd, F_SETLK, F_UNLCK, 12, 1);
        CHECK("cut in two", in_locks("POSIX  ADVISORY  WRITE", me, "a", "10 11") && in_locks("POSIX  ADVISORY  WRITE", me, "a", "13 14"));
        set(fd, F_SETLK, F_UNLCK, 0, 0);
        CHECK("gone", !in_locks("POSIX  ADVISORY  WRITE", me, "a", "10 11") && !in_locks("POSIX  ADVISORY  READ", me, "a", "100 EOF"));
        close(other);
}

static void whole(int fd)
{
        int me = getpid(), dup_fd = dup(fd), other = open("b", O_RDONLY);

        flock(fd, LOCK_SH);
        CHECK("flock shared", in_locks("FLOCK  ADVISORY  READ", me, "b", "0 EOF"));
        CHECK("in fdinfo", in_fdinfo(fd, "FLOCK  ADVISORY  READ", me, "b", "0 EOF"));
        CHECK("of a copy", in_fdinfo(dup_fd, "FLOCK  ADVISORY  READ", me, "b", "0 EOF"));
        CHECK("not of another open", !in_fdinfo(other, "FLOCK  ADVISORY  READ", me, "b", "0 EOF"));
        flock(fd, LOCK_EX);
        CHECK("exclusive", in_locks("FLOCK  ADVISORY  WRITE", me, "b", "0 EOF") && !in_locks("FLOCK  ADVISORY  READ", me, "b", "0 EOF"));
        pid_t pid = fork();
        if (pid == 0)
                _exit(flock(open("b", O_RDONLY), LOCK_SH));
        CHECK("who waits", appears("-> FLOCK  ADVISORY  READ", pid, "b", "0 EOF"));
        flock(fd, LOCK_UN);
        CHECK("gets it", result_of(pid) == 0);
        CHECK("gone", !in_locks("FLOCK  ADVISORY  READ", pid, "b", "0 EOF"));
        close(dup_fd);
        close(other);
}

static void ofd(int fd)
{
        set(fd, F_OFD_SETLK, F_WRLCK, 0, 0);
        CHECK("OFD", in_locks("OFDLCK ADVISORY  WRITE", -1, "d", "0 EOF"));
        CHECK("in fdinfo", in_fdinfo(fd, "OFDLCK ADVISORY  WRITE", -1, "d", "0 EOF"));
        pid_t pid = fork();
        if (pid == 0)
                _exit(set(open("d", O_RDWR), F_OFD_SETLKW, F_RDLCK, 5, 6));
        CHECK("who waits", appears("-> OFDLCK ADVISORY  READ", -1, "d", "5 10"));
        set(fd, F_OFD_SETLK, F_UNLCK, 0, 0);
        CHECK("gets it", result_of(pid) == 0);
}

static void lease(void)
{
        int me = getpid(), fd = open("e", O_CREAT | O_RDONLY, 0644), other = open("g", O_CREAT | O_RDONLY, 0644);

        must(fcntl(fd, F_SETLEASE, F_RDLCK) == 0 && fcntl(other, F_SETLEASE, F_WRLCK) == 0, "leases");
        CHECK("a read lease", in_locks("LEASE  ACTIVE    READ", me, "e", "0 EOF"));
        CHECK("a write lease", in_locks("LEASE  ACTIVE    WRITE", me, "g", "0 EOF"));
        CHECK("in fdinfo", in_fdinfo(fd, "LEASE  ACTIVE    READ", me, "e", "0 EOF"));
        CHECK("O_ASYNC goes with it", fcntl(fd, F_GETFL) & O_ASYNC);
        pid_t pid = fork();
        if (pid == 0)
                _exit(open("e", O_RDWR) < 0);
        CHECK("to be broken", appears("LEASE  BREAKING  UNLCK", me, "e", "0 EOF"));
        fcntl(fd, F_SETLEASE, F_UNLCK);
        CHECK("is given back", result_of(pid) == 0 && !in_locks("LEASE  BREAKING  UNLCK", me, "e", "0 EOF"));
        CHECK("and O_ASYNC goes", !(fcntl(fd, F_GETFL) & O_ASYNC));
        pid = fork();
        if (pid == 0)
                _exit(open("g", O_RDONLY) < 0);
        CHECK("to become a read lease", appears("LEASE  BREAKING  READ", me, "g", "0 EOF"));
        fcntl(other, F_SETLEASE, F_RDLCK);
        CHECK("has", result_of(pid) == 0 && in_locks("LEASE  ACTIVE    READ", me, "g", "0 EOF"));
        fcntl(other, F_SETLEASE, F_UNLCK);
        close(fd);
        close(other);
}

static void many(int fd)
{
        for (int i = 0; i < 200; i++)
                set(fd, F_SETLK, F_WRLCK, 2 * i, 1);
        CHECK("two hundred of them", count("/proc/locks", "POSIX") == 200 && count("/proc/self/fdinfo/3", "lock:\t") == 200);
        int last = 0, wrong = 0;
        for (const char *at = text_of("/proc/locks"); at && *at; at = strchr(at, '\n'), at += at != NULL)
                wrong += atoi(at) != ++last;
        CHECK("numbered", last == 200 && !wrong);
        set(fd, F_SETLK, F_UNLCK, 0, 0);
        CHECK("nothing left", !*text_of("/proc/locks"));
}

int main(void)
{
        int a = open("a", O_CREAT | O_RDWR, 0644), b = open("b", O_CREAT | O_RDWR, 0644), d = open("d", O_CREAT | O_RDWR, 0644);

        must(a == 3, "descriptor");
        on(SIGIO, nothing, SA_RESTART);
        posix(a);
        whole(b);
        ofd(d);
        lease();
        many(a);
        return done();
}
