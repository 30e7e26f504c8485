/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: flock(2), and fcntl(2)'s record locks: POSIX and OFD.
 */
#include "abi.h"
#include <sys/file.h>

static struct flock range(short type, long start, long len)
{
        return (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len };
}

static int set(int fd, int cmd, short type, long start, long len)
{
        struct flock fl = range(type, start, len);
        return fcntl(fd, cmd, &fl);
}

static struct flock get(int fd, short type, long start, long len)
{
        struct flock fl = range(type, start, len);
        if (fcntl(fd, F_GETLK, &fl) < 0)
                fl.l_type = -1;
        return fl;
}

/* What a child sees of [start, start + len): the lock in its way. */
static struct flock seen_by_child(long start, long len)
{
        int          p[2];
        struct flock fl;

        if (pipe(p))
                _exit(98);
        if (fork() == 0) {
                int fd = open("f", O_RDWR);
                fl = get(fd, F_WRLCK, start, len);
                _exit(write(p[1], &fl, sizeof fl) != sizeof fl);
        }
        if (read(p[0], &fl, sizeof fl) != sizeof fl)
                fl.l_type = -2;
        wait(NULL);
        close(p[0]);
        close(p[1]);
        return fl;
}

static int is(struct flock fl, short type, long start, long len)
{
        return fl.l_type == type && (type == F_UNLCK || (fl.l_start == start && fl.l_len == len));
}

static void test_flock(void)
{
        int a = open("f", O_RDWR), b = open("f", O_RDONLY), d = dup(a);

        OKAY("flock shared", flock(a, LOCK_SH));
        OKAY("two share", flock(b, LOCK_SH | LOCK_NB));
        FAILS("not exclusive beside a reader", EWOULDBLOCK, flock(a, LOCK_EX | LOCK_NB));
        OKAY("unlock", flock(b, LOCK_UN));
        OKAY("exclusive", flock(a, LOCK_EX | LOCK_NB));
        FAILS("nobody else", EWOULDBLOCK, flock(b, LOCK_SH | LOCK_NB));
        OKAY("the dup has it too", flock(d, LOCK_EX | LOCK_NB));
        OKAY("closing one of two keeps it", close(a));
        FAILS("still locked", EWOULDBLOCK, flock(b, LOCK_SH | LOCK_NB));
        OKAY("closing the last", close(d));
        OKAY("lets go", flock(b, LOCK_EX | LOCK_NB));
        FAILS("bad operation", EINVAL, flock(b, 0));
        FAILS("two operations", EINVAL, flock(b, LOCK_SH | LOCK_EX));
        OKAY("LOCK_MAND is no more", flock(b, 32));
        OKAY("with more bits", flock(b, 32 | 64 | LOCK_EX));
        say("ok of no file: %d\n", flock(99, 32) == 0 ? 0 : errno);
        FAILS("no descriptor", EBADF, flock(99, LOCK_SH));
        int path = open("f", O_PATH);
        FAILS("O_PATH", EBADF, flock(path, LOCK_SH));
        OKAY("record locks do not see it", set(b, F_SETLK, F_RDLCK, 0, 0));
        close(path);
        close(b);
}

static void test_flock_waits(void)
{
        int fd = open("f", O_RDWR), status;

        OKAY("lock before fork", flock(fd, LOCK_EX));
        pid_t child = fork();
        if (child == 0) {
                int mine = open("f", O_RDWR);
                _exit(flock(mine, LOCK_EX) == 0 ? 7 : 1);
        }
        CHECK("the child waits", state_becomes(child, 'S') && waitpid(child, &status, WNOHANG) == 0);
        OKAY("let go", flock(fd, LOCK_UN));
        waitpid(child, &status, 0);
        CHECK("it got it", WIFEXITED(status) && WEXITSTATUS(status) == 7);
        close(fd);
}

static void on_alarm(int sig UNUSED) {}

static void test_interrupted(void)
{
        int              fd = open("f", O_RDWR), p[2];
        char             byte;
        struct sigaction sa = { .sa_handler = on_alarm };

        if (pipe(p))
                _exit(97);
        pid_t child = fork();
        if (child == 0) {
                int mine = open("f", O_RDWR);
                flock(mine, LOCK_EX);
                set(mine, F_SETLK, F_WRLCK, 0, 0);
                byte = 1;
                if (write(p[1], &byte, 1) != 1)
                        _exit(1);
                pause();
        }
        if (read(p[0], &byte, 1) != 1)
                _exit(96);
        sigaction(SIGALRM, &sa, NULL);
        ALARMED("flock interrupted", flock(fd, LOCK_SH));
        ALARMED("F_SETLKW interrupted", set(fd, F_SETLKW, F_RDLCK, 0, 1));
        struct flock fl = get(fd, F_RDLCK, 5, 1);
        CHECK("F_GETLK tells whose it is", fl.l_type == F_WRLCK && fl.l_pid == child && fl.l_start == 0 && fl.l_len == 0);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        OKAY("the dead let go (flock)", flock(fd, LOCK_EX | LOCK_NB));
        OKAY("the dead let go (record)", set(fd, F_SETLK, F_WRLCK, 0, 0));
        close(fd);
        close(p[0]);
        close(p[1]);
}

static void test_ranges(void)
{
        int fd = open("f", O_RDWR);

        OKAY("write lock", set(fd, F_SETLK, F_WRLCK, 10, 20));
        CHECK("own locks are not in the way", is(get(fd, F_WRLCK, 0, 100), F_UNLCK, 0, 0));
        CHECK("a child sees it", is(seen_by_child(0, 100), F_WRLCK, 10, 20));
        CHECK("not before it", is(seen_by_child(0, 10), F_UNLCK, 0, 0));
        CHECK("not behind it", is(seen_by_child(30, 0), F_UNLCK, 0, 0));
        OKAY("a hole in the middle", set(fd, F_SETLK, F_UNLCK, 15, 5));
        CHECK("the left part", is(seen_by_child(0, 0), F_WRLCK, 10, 5));
        CHECK("the right part", is(seen_by_child(15, 0), F_WRLCK, 20, 10));
        OKAY("a read lock over all of it", set(fd, F_SETLK, F_RDLCK, 12, 15));
        CHECK("left is written", is(seen_by_child(0, 12), F_WRLCK, 10, 2));
        CHECK("the middle is read", is(seen_by_child(13, 1), F_RDLCK, 12, 15));
        CHECK("right is written", is(seen_by_child(27, 0), F_WRLCK, 27, 3));
        OKAY("touching ones", set(fd, F_SETLK, F_RDLCK, 27, 3));
        CHECK("become one", is(seen_by_child(14, 1), F_RDLCK, 12, 18));
        OKAY("to the end", set(fd, F_SETLK, F_RDLCK, 30, 0));
        CHECK("length 0 is to the end", is(seen_by_child(1000000, 1), F_RDLCK, 12, 0));
        struct flock back = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 5, .l_len = -3 };
        OKAY("a negative length", fcntl(fd, F_SETLK, &back));
        CHECK("lies before the start", is(seen_by_child(0, 8), F_WRLCK, 2, 3));
        back.l_len = -6;
        FAILS("before the file", EINVAL, fcntl(fd, F_SETLK, &back));
        back.l_whence = 9;
        FAILS("bad whence", EINVAL, fcntl(fd, F_SETLK, &back));
        struct flock far = range(F_WRLCK, 0x7fffffffffffffff, 2);
        FAILS("too far", EOVERFLOW, fcntl(fd, F_SETLK, &far));
        struct flock bad = range(77, 0, 1);
        FAILS("bad type", EINVAL, fcntl(fd, F_SETLK, &bad));
        struct flock none = range(F_UNLCK, 0, 1);
        FAILS("F_GETLK of nothing", EINVAL, fcntl(fd, F_GETLK, &none));
        FAILS("bad address", EFAULT, fcntl(fd, F_SETLK, BAD_PTR));
        int r = open("f", O_RDONLY), w = open("f", O_WRONLY);
        FAILS("write lock without writing", EBADF, set(r, F_SETLK, F_WRLCK, 0, 1));
        FAILS("read lock without reading", EBADF, set(w, F_SETLK, F_RDLCK, 0, 1));
        close(r);
        CHECK("closing any descriptor drops all", is(seen_by_child(0, 0), F_UNLCK, 0, 0));
        close(w);
        close(fd);
}

static void test_ofd(void)
{
        int          a = open("f", O_RDWR), b = open("f", O_RDWR), d = dup(a);
        struct flock fl = range(F_WRLCK, 0, 10);

        OKAY("OFD lock", fcntl(a, F_OFD_SETLK, &fl));
        FAILS("another description", EAGAIN, fcntl(b, F_OFD_SETLK, &fl));
        FAILS("POSIX locks see it", EAGAIN, set(b, F_SETLK, F_WRLCK, 0, 1));
        OKAY("the dup is the same owner", fcntl(d, F_OFD_SETLK, &fl));
        fl.l_start = 5;
        OKAY("OFD get", fcntl(b, F_OFD_GETLK, &fl));
        CHECK("has no process", fl.l_type == F_WRLCK && fl.l_pid == -1 && fl.l_start == 0);
        fl = range(F_WRLCK, 0, 10);
        fl.l_pid = 1;
        FAILS("l_pid must be 0", EINVAL, fcntl(a, F_OFD_SETLK, &fl));
        close(a);
        fl.l_pid = 0;
        FAILS("kept by the dup", EAGAIN, fcntl(b, F_OFD_SETLK, &fl));
        close(d);
        OKAY("gone with the last", fcntl(b, F_OFD_SETLK, &fl));
        pid_t child = fork();
        if (child == 0) {
                fl.l_type = F_UNLCK;
                _exit(fcntl(b, F_OFD_SETLK, &fl) != 0);
        }
        waitpid(child, NULL, 0);
        OKAY("a child shares it", set(open("f", O_RDWR), F_SETLK, F_WRLCK, 0, 1));
        close(b);
}

static void test_deadlock(void)
{
        int  fd = open("f", O_RDWR), go[2], status;
        char byte = 0;

        if (pipe(go))
                _exit(95);
        OKAY("first", set(fd, F_SETLK, F_WRLCK, 0, 1));
        pid_t child = fork();
        if (child == 0) {
                set(fd, F_SETLK, F_WRLCK, 1, 1);
                if (write(go[1], &byte, 1) != 1)
                        _exit(2);
                _exit(set(fd, F_SETLKW, F_WRLCK, 0, 1) == 0 ? 5 : 3);  /* waits for the parent */
        }
        if (read(go[0], &byte, 1) != 1)
                _exit(94);
        must(state_becomes(child, 'S'), "the child sleeps");
        FAILS("a cycle of two", EDEADLK, set(fd, F_SETLKW, F_WRLCK, 1, 1));
        FAILS("not asked to wait: not a cycle", EAGAIN, set(fd, F_SETLK, F_WRLCK, 1, 1));
        OKAY("the first lets go", set(fd, F_SETLK, F_UNLCK, 0, 1));
        waitpid(child, &status, 0);
        CHECK("the child got it", WIFEXITED(status) && WEXITSTATUS(status) == 5);
        OKAY("all free", set(fd, F_SETLKW, F_WRLCK, 0, 0));
        close(fd);
}

static void test_order(void)
{
        int fd = open("f", O_RDWR), other = open("f", O_RDWR);

        set(fd, F_SETLK, F_WRLCK, 100, 10);
        set(fd, F_SETLK, F_WRLCK, 0, 10);
        CHECK("of an owner's locks the first by place is told", is(seen_by_child(0, 0), F_WRLCK, 0, 10));
        set(fd, F_SETLK, F_WRLCK, 30, 10);
        CHECK("which is not the newest", is(seen_by_child(20, 0), F_WRLCK, 30, 10));
        set(fd, F_SETLK, F_RDLCK, 33, 2);
        CHECK("one in three parts", is(seen_by_child(31, 20), F_WRLCK, 30, 3) && is(seen_by_child(33, 20), F_RDLCK, 33, 2)
              && is(seen_by_child(35, 70), F_WRLCK, 35, 5));
        set(fd, F_SETLK, F_UNLCK, 1, 108);
        CHECK("both ends stay", is(seen_by_child(1, 200), F_WRLCK, 109, 1) && is(seen_by_child(0, 200), F_WRLCK, 0, 1));
        set(other, F_OFD_SETLK, F_WRLCK, 50, 10);
        CHECK("of owners the one that came first", is(seen_by_child(0, 0), F_WRLCK, 0, 1));
        set(fd, F_SETLK, F_WRLCK, 0, 20);
        CHECK("also when it grows", is(seen_by_child(0, 0), F_WRLCK, 0, 20));
        set(fd, F_SETLK, F_UNLCK, 0, 0);
        set(fd, F_SETLK, F_WRLCK, 0, 10);
        CHECK("and who came again comes last", is(seen_by_child(0, 0), F_WRLCK, 50, 10));
        close(other);
        close(fd);
}

static void test_fork_exec(void)
{
        int fd = open("f", O_RDWR), status;

        OKAY("lock", set(fd, F_SETLK, F_WRLCK, 0, 0));
        pid_t child = fork();
        if (child == 0)
                _exit(set(fd, F_SETLK, F_WRLCK, 0, 0) == -1 && errno == EAGAIN ? 4 : 1);
        waitpid(child, &status, 0);
        CHECK("a child does not inherit record locks", WEXITSTATUS(status) == 4);
        child = fork();
        if (child == 0) {
                close(fd);
                _exit(0);
        }
        waitpid(child, NULL, 0);
        CHECK("nor drops its parent's", is(seen_by_child(0, 1), F_WRLCK, 0, 0));
        close(fd);
}

int main(void)
{
        close(open("f", O_RDWR | O_CREAT, 0600));
        test_flock();
        test_flock_waits();
        test_interrupted();
        test_ranges();
        test_ofd();
        test_deadlock();
        test_order();
        test_fork_exec();
        return done();
}
