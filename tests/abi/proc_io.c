/* SPDX-License-Identifier: Apache-2.0
 *
 * /proc/PID/io: bytes and calls of a thread, its process, and its children once they were waited for.
 */
#include "abi.h"
#include <pthread.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

struct io { long rchar, wchar, syscr, syscw, read_bytes, write_bytes, cancelled; };

static int reads;                       /* of /proc itself, by read_io */

/* One read of the whole file: what it says is of before it. */
static struct io read_io(const char *path)
{
        char      text[512] = "";
        struct io io = { 0 };
        int       fd = open(path, O_RDONLY);
        ssize_t   n = read(fd, text, sizeof text - 1);

        close(fd);
        must(n > 0 && sscanf(text, "rchar: %ld\nwchar: %ld\nsyscr: %ld\nsyscw: %ld\nread_bytes: %ld\nwrite_bytes: %ld\ncancelled_write_bytes: %ld",
                             &io.rchar, &io.wchar, &io.syscr, &io.syscw, &io.read_bytes, &io.write_bytes, &io.cancelled) == 7, "read_io");
        reads = n;
        return io;
}

static struct io before;

static void begin(void) { before = read_io("/proc/self/io"); }

/* Since begin(), but for the reading of /proc: so many bytes and calls. */
static int since(long rchar, long wchar, long syscr, long syscw)
{
        int       n = reads;
        struct io io = read_io("/proc/self/io");

        if (io.rchar - before.rchar - n == rchar && io.wchar - before.wchar == wchar && io.syscr - before.syscr - 1 == syscr &&
            io.syscw - before.syscw == syscw)
                return 1;
        say("rchar %ld wchar %ld syscr %ld syscw %ld\n", io.rchar - before.rchar - n, io.wchar - before.wchar,
            io.syscr - before.syscr - 1, io.syscw - before.syscw);
        return 0;
}

static char buf[8192];

static void work(int fd)
{
        pwrite(fd, buf, 1000, 0);
        pread(fd, buf, 500, 0);
}

static void *thread(void *arg)
{
        char path[64];

        snprintf(path, sizeof path, "/proc/self/task/%ld/io", syscall(SYS_gettid));
        struct io io = read_io(path);
        must(io.rchar == 0 && io.wchar == 0 && io.syscr == 0 && io.syscw == 0, "a new thread");
        work((int)(long)arg);
        io = read_io(path);
        must(io.wchar == 1000 && io.syscw == 1 && io.syscr == 2, "a thread's own");
        return NULL;
}

int main(void)
{
        int          fd = open("f", O_CREAT | O_RDWR, 0644), out = open("g", O_CREAT | O_RDWR, 0644), p[2], s[2];
        struct iovec v[2] = { { buf, 100 }, { buf, 200 } };
        struct stat  st;

        pipe(p);
        socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        must(stat("/proc/self/io", &st) == 0, "stat");
        CHECK("for its owner", (st.st_mode & 07777) == 0400);
        begin();
        CHECK("nothing", since(0, 0, 0, 0));
        begin();
        write(fd, buf, 5000);
        CHECK("write", since(0, 5000, 0, 1));
        begin();
        lseek(fd, 0, SEEK_SET);
        read(fd, buf, 8000);
        CHECK("read, what there is", since(5000, 0, 1, 0));
        begin();
        read(fd, buf, 100);
        CHECK("end of file", since(0, 0, 1, 0));
        begin();
        work(fd);
        CHECK("pread, pwrite", since(500, 1000, 1, 1));
        begin();
        pwritev(fd, v, 2, 0);
        preadv(fd, v, 2, 0);
        lseek(fd, 0, SEEK_SET);
        writev(fd, v, 2);
        lseek(fd, 0, SEEK_SET);
        readv(fd, v, 2);
        CHECK("vectors", since(600, 600, 2, 2));
        begin();
        lseek(fd, 0, SEEK_SET);
        sendfile(out, fd, NULL, 3000);
        CHECK("sendfile", since(3000, 3000, 1, 1));
        begin();
        lseek(fd, 0, SEEK_SET);
        syscall(SYS_copy_file_range, fd, NULL, out, NULL, 2000, 0);
        CHECK("copy_file_range", since(2000, 2000, 1, 1));
        begin();
        write(p[1], buf, 300);
        read(p[0], buf, 8000);
        CHECK("a pipe", since(300, 300, 1, 1));
        begin();
        write(s[0], buf, 300);
        read(s[1], buf, 8000);
        send(s[0], buf, 300, 0);
        recv(s[1], buf, 8000, 0);
        CHECK("a socket; not send and recv", since(300, 300, 1, 1));
        begin();
        write(fd, BAD_PTR, 100);
        CHECK("a failed one is a call", since(0, 0, 0, 1));
        begin();
        work(fd);
        struct io own = read_io("/proc/thread-self/io"), all = read_io("/proc/self/io");
        CHECK("alone: its thread's are all but the reading of them", all.wchar == own.wchar && all.syscr == own.syscr + 1);
        begin();
        pid_t pid = fork();
        if (pid == 0) {
                struct io io = read_io("/proc/self/io");
                _exit(io.rchar || io.wchar || io.syscr || io.syscw);
        }
        CHECK("a child begins with nothing", result_of(pid) == 0);
        begin();
        pid = fork();
        if (pid == 0) {
                work(fd);
                _exit(0);
        }
        siginfo_t si;
        waitid(P_PID, pid, &si, WEXITED | WNOWAIT);
        CHECK("a child that has ended", since(0, 0, 0, 0));
        begin();
        result_of(pid);
        CHECK("and was waited for", since(500, 1000, 1, 1));
        begin();
        pthread_t t;
        pthread_create(&t, NULL, thread, (void *)(long)fd);
        pthread_join(t, NULL);
        struct io now = read_io("/proc/self/io");
        CHECK("a thread that has ended", now.wchar - before.wchar == 1000 && now.syscw - before.syscw == 1 && now.syscr - before.syscr == 4);
        CHECK("no disk", now.read_bytes == 0 && now.write_bytes == 0 && now.cancelled == 0);
        return done();
}
