/* SCM_RIGHTS of all kinds of files, across exec and fork; what they do afterwards. */
#include "unix.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

static int s[2];

/* Sends fd, closes it, and receives it again. */
static int travel(int fd)
{
        int got = -1;
        if (send_fds(s[0], &fd, 1, 0) != 1)
                return -1;
        close(fd);
        return recv_fds(s[1], &got, 1, 0, NULL) == 1 ? got : -1;
}

/* After exec: writes to the one, and finds the other closed. */
static int executed(char **argv)
{
        int open_fd = atoi(argv[1]), closed_fd = atoi(argv[2]);
        return write(open_fd, "through exec", 12) == 12 && write(closed_fd, "no", 2) < 0 && errno == EBADF ? 0 : 1;
}

int main(int argc, char **argv)
{
        if (argc == 3)
                return executed(argv);
        char     buf[64];
        uint64_t v = 7;
        int      fd;

        socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
        put_text("file", "contents");
        fd = travel(open("file", O_RDWR));
        CHECK("a file", read(fd, buf, 8) == 8 && !memcmp(buf, "contents", 8));
        int again = dup(fd);
        again = travel(again);
        CHECK("shares its position", lseek(again, 0, SEEK_CUR) == 8 && lseek(fd, 2, SEEK_SET) == 2 && lseek(again, 0, SEEK_CUR) == 2);
        unlink("file");
        CHECK("a deleted one", read(travel(fd), buf, 8) == 6);
        fd = travel(eventfd(0, EFD_NONBLOCK));
        CHECK("an eventfd", write(fd, &v, 8) == 8 && read(fd, &v, 8) == 8 && v == 7);
        fd = travel(timerfd_create(CLOCK_MONOTONIC, 0));
        struct itimerspec it = { { 0, 0 }, { 0, 1000000 } };
        CHECK("a timerfd", timerfd_settime(fd, 0, &it, NULL) == 0 && read(fd, &v, 8) == 8 && v == 1);
        int e = eventfd(1, 0), ep = epoll_create1(0);
        struct epoll_event ev = { .events = EPOLLIN };
        epoll_ctl(ep, EPOLL_CTL_ADD, e, &ev);
        ep = travel(ep);
        CHECK("an epoll", epoll_wait(ep, &ev, 1, 0) == 1);
        fd = travel(open(".", O_RDONLY | O_DIRECTORY));
        CHECK("a directory", openat(fd, "new", O_CREAT | O_WRONLY, 0600) >= 0 && access("new", F_OK) == 0);
        fd = travel(open("/dev/null", O_WRONLY));
        CHECK("a device", write(fd, "x", 1) == 1);
        int l = listener(SOCK_STREAM, "@kind", 3);
        l = travel(l);
        int c = connected(SOCK_STREAM, "@kind"), a = accept(l, NULL, NULL);
        c = travel(c);
        CHECK("a listener, and a connection", write(c, "hi", 2) == 2 && read(a, buf, 9) == 2);
        pid_t pid = fork();
        if (pid == 0) {
                int got, cloexec;
                recv_fds(s[1], &got, 1, 0, NULL);
                recv_fds(s[1], &cloexec, 1, MSG_CMSG_CLOEXEC, NULL);
                char one[16], two[16];
                snprintf(one, sizeof one, "%d", got);
                snprintf(two, sizeof two, "%d", cloexec);
                execl("/proc/self/exe", "kinds", one, two, NULL);
                _exit(99);
        }
        int p[2];
        pipe(p);
        send_fds(s[0], &p[1], 1, 0);
        send_fds(s[0], &p[1], 1, 0);
        close(p[1]);
        CHECK("across exec, but for MSG_CMSG_CLOEXEC", result_of(pid) == 0);
        ssize_t n = read(p[0], buf, sizeof buf);
        CHECK("what it wrote", n == 12 && !memcmp(buf, "through exec", 12) && read(p[0], buf, 1) == 0);
        return done();
}
