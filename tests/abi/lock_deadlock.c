/* SPDX-License-Identifier: Apache-2.0
 *
 * lock_deadlock: record locks: EDEADLK in rings, what OFD locks do instead, splitting and joining, locks and duplicates.
 */
#include "show.h"

static int lock(int fd, int cmd, int type, int start, int len)
{
        struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len };

        return fcntl(fd, cmd, &l);
}

/* "type start len pid?" of what stands in the way. */
static void told(const char *name, int fd, int cmd, int type, int start, int len)
{
        struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len };
        int r = fcntl(fd, cmd, &l);

        if (r < 0)
                say("%s: errno %d\n", name, errno);
        else if (l.l_type == F_UNLCK)
                say("%s: free\n", name);
        else
                say("%s: %s %ld %ld %s\n", name, l.l_type == F_RDLCK ? "read" : "write", (long)l.l_start, (long)l.l_len,
                    l.l_pid == -1 ? "OFD" : l.l_pid > 0 ? "process" : "?");
}

static int to_child[2], to_parent[2];
static void pass(int *p)  { must(write(p[1], "x", 1) == 1, "pass"); }
static void await(int *p) { char c; must(read(p[0], &c, 1) == 1, "await"); }

/* A ring of n processes: each has byte i and waits for byte i + 1; the last to wait is told. */
static void ring(int fd, int n)
{
        pid_t pids[8];
        char what[32];

        lock(fd, F_SETLK, F_WRLCK, 0, 1);
        for (int i = 1; i < n; i++) {
                pids[i] = fork();
                if (!pids[i]) {
                        lock(fd, F_SETLK, F_WRLCK, i, 1);
                        pass(to_parent);
                        await(to_child);
                        int r = lock(fd, F_SETLKW, F_WRLCK, (i + 1) % n, 1);
                        _exit(r < 0 ? errno : 0);
                }
                await(to_parent);
        }
        for (int i = 1; i < n; i++)
                pass(to_child);
        sleep_ms(100);
        for (int i = 1; i < n; i++)
                state_becomes(pids[i], 'S');
        snprintf(what, sizeof what, "ring of %d", n);
        FAILS(what, EDEADLK, lock(fd, F_SETLKW, F_WRLCK, 1, 1));
        lock(fd, F_SETLK, F_UNLCK, 0, 0);
        for (int i = n - 1; i > 0; i--)
                CHECK("the others get theirs", result_of(pids[i]) == 0);
}

static void split(int fd)
{
        pid_t pid;

        lock(fd, F_SETLK, F_WRLCK, 0, 100);
        lock(fd, F_SETLK, F_UNLCK, 40, 20);
        lock(fd, F_SETLK, F_RDLCK, 10, 10);
        pid = fork();
        if (!pid) {
                told("at 0", fd, F_GETLK, F_WRLCK, 0, 5);
                told("at 10", fd, F_GETLK, F_WRLCK, 10, 5);
                told("read at 10", fd, F_GETLK, F_RDLCK, 10, 5);
                told("at 20", fd, F_GETLK, F_WRLCK, 20, 1);
                told("at 40", fd, F_GETLK, F_WRLCK, 40, 20);
                told("from 50", fd, F_GETLK, F_WRLCK, 50, 0);
                told("from 100", fd, F_GETLK, F_WRLCK, 100, 0);
                _exit(0);
        }
        result_of(pid);
        lock(fd, F_SETLK, F_WRLCK, 0, 0);
        pid = fork();
        if (!pid) {
                told("joined", fd, F_GETLK, F_RDLCK, 70, 1);
                _exit(0);
        }
        result_of(pid);
        lock(fd, F_SETLK, F_UNLCK, 0, 0);
}

static void ofd(void)
{
        int a = open("f", O_RDWR), b = open("f", O_RDWR), d = dup(a), r = open("f", O_RDONLY), w = open("f", O_WRONLY);
        struct flock l = { .l_type = F_WRLCK, .l_pid = 5 };

        SHOW("write lock", lock(a, F_OFD_SETLK, F_WRLCK, 0, 10));
        SHOW("through a duplicate", lock(d, F_OFD_SETLK, F_RDLCK, 0, 10));
        SHOW("and back", lock(a, F_OFD_SETLK, F_WRLCK, 0, 10));
        SHOW("another description of the same process", lock(b, F_OFD_SETLK, F_RDLCK, 5, 1));
        told("what is in its way", b, F_OFD_GETLK, F_RDLCK, 5, 1);
        told("in its own", a, F_OFD_GETLK, F_RDLCK, 5, 1);
        told("to a record lock", b, F_GETLK, F_WRLCK, 5, 1);
        SHOW("a record lock of the process", lock(b, F_SETLK, F_WRLCK, 5, 1));
        SHOW("elsewhere", lock(b, F_SETLK, F_WRLCK, 20, 1));
        told("to an OFD lock", a, F_OFD_GETLK, F_WRLCK, 20, 1);
        SHOW("OFD lock over it", lock(a, F_OFD_SETLK, F_WRLCK, 20, 1));
        SHOW("l_pid", fcntl(a, F_OFD_SETLK, &l));
        SHOW("l_pid to ask", fcntl(a, F_OFD_GETLK, &l));
        SHOW("write lock through a reader", lock(r, F_OFD_SETLK, F_WRLCK, 50, 1));
        SHOW("read lock through a writer", lock(w, F_OFD_SETLK, F_RDLCK, 50, 1));
        SHOW("the same, record locks", lock(r, F_SETLK, F_WRLCK, 50, 1) + 2 * lock(w, F_SETLK, F_RDLCK, 50, 1));
        SHOW("no type", lock(a, F_OFD_SETLK, 9, 0, 0));
        SHOW("asked for an unlock", lock(a, F_OFD_GETLK, F_UNLCK, 0, 0));
        close(d);
        told("closing a duplicate keeps it", b, F_OFD_GETLK, F_RDLCK, 5, 1);
        pid_t pid = fork();
        if (!pid) {
                close(a);
                SHOW("the child shares it", lock(a, F_OFD_SETLK, F_UNLCK, 0, 0));
                _exit(0);
        }
        result_of(pid);
        told("the child's close keeps it", b, F_OFD_GETLK, F_RDLCK, 5, 1);
        close(a);
        told("the last one does not", b, F_OFD_GETLK, F_RDLCK, 5, 1);
        close(b);
        int c = open("f", O_RDWR);
        told("record locks go with any close", c, F_OFD_GETLK, F_WRLCK, 20, 1);

        /* No EDEADLK among OFD locks: one waits until the other lets go. */
        a = open("f", O_RDWR);
        lock(a, F_OFD_SETLK, F_WRLCK, 0, 1);
        lock(c, F_OFD_SETLK, F_WRLCK, 1, 1);
        pid = fork();
        if (!pid) {
                int x = lock(a, F_OFD_SETLKW, F_WRLCK, 1, 1);
                _exit(x < 0 ? errno : 0);
        }
        state_becomes(pid, 'S');
        SHOW("asking in a ring", lock(c, F_OFD_SETLK, F_WRLCK, 0, 1));
        lock(c, F_OFD_SETLK, F_UNLCK, 1, 1);
        CHECK("the other gets it", result_of(pid) == 0);
        close(a);
        close(c);
        close(r);
        close(w);
}

static void edges(int fd)
{
        struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -2, .l_len = 1 };

        SHOW("from the end", fcntl(fd, F_SETLK, &l));
        l = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_start = -1 };
        SHOW("before the start", fcntl(fd, F_SETLK, &l));
        l = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = -10 };
        SHOW("backwards", fcntl(fd, F_SETLK, &l));
        l.l_len = -11;
        SHOW("too far backwards", fcntl(fd, F_SETLK, &l));
        l = (struct flock){ .l_type = F_WRLCK, .l_whence = 3 };
        SHOW("no such whence", fcntl(fd, F_SETLK, &l));
        l = (struct flock){ .l_type = F_WRLCK, .l_start = INT64_MAX, .l_len = 1 };
        SHOW("the last byte", fcntl(fd, F_SETLK, &l));
        l.l_len = 2;
        SHOW("beyond it", fcntl(fd, F_SETLK, &l));
        l = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = INT64_MAX };
        SHOW("beyond it by the end", fcntl(fd, F_SETLK, &l));
        SHOW("bad pointer", fcntl(fd, F_SETLK, BAD_PTR));
        SHOW("bad descriptor", lock(99, F_SETLK, F_WRLCK, 0, 0));
        SHOW("a pipe", ({ int p[2]; pipe(p); int x = lock(p[1], F_SETLK, F_WRLCK, 0, 0); close(p[0]); close(p[1]); x; }));
        SHOW("a directory, reading", ({ int d = open(".", O_RDONLY); int x = lock(d, F_SETLK, F_RDLCK, 0, 0); close(d); x; }));
        lock(fd, F_SETLK, F_UNLCK, 0, 0);
}

int main(void)
{
        put_text("f", "some text in here");
        must(!pipe(to_child) && !pipe(to_parent), "pipe");
        int fd = open("f", O_RDWR);
        split(fd);
        ring(fd, 2);
        ring(fd, 3);
        ring(fd, 5);
        edges(fd);
        close(fd);
        ofd();
        return done();
}
