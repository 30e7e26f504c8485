/* eventfd, poll, select, epoll_wait: all errors of the man pages, and edges. */
#include "abi.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>

static void eventfds(void)
{
        uint64_t v = 5;
        char few[7];

        FAILS("eventfd: a flag", EINVAL, eventfd(0, 0x100));
        int e = eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC);
        CHECK("eventfd: flags", fcntl(e, F_GETFD) == FD_CLOEXEC && (fcntl(e, F_GETFL) & (O_NONBLOCK | O_ACCMODE)) == (O_NONBLOCK | O_RDWR));
        FAILS("eventfd: read few", EINVAL, read(e, few, 7));
        FAILS("eventfd: write few", EINVAL, write(e, few, 7));
        FAILS("eventfd: write all ones", EINVAL, write(e, &(uint64_t){ UINT64_MAX }, 8));
        FAILS("eventfd: read to nowhere", EFAULT, read(e, BAD_PTR, 8));
        FAILS("eventfd: the count is lost", EAGAIN, read(e, &v, 8));
        FAILS("eventfd: write from nowhere", EFAULT, write(e, BAD_PTR, 8));
        CHECK("eventfd: write more", write(e, (uint64_t[]){ 2, 3 }, 16) == 8);
        CHECK("eventfd: read more", read(e, (uint64_t[2]){}, 16) == 8);
        CHECK("eventfd: the most", write(e, &(uint64_t){ UINT64_MAX - 1 }, 8) == 8);
        FAILS("eventfd: one more", EAGAIN, write(e, &(uint64_t){ 1 }, 8));
        CHECK("eventfd: none more", write(e, &(uint64_t){ 0 }, 8) == 8);
        struct pollfd p = { e, POLLIN | POLLOUT, 0 };
        CHECK("eventfd: full", poll(&p, 1, 0) == 1 && p.revents == POLLIN);
        read(e, &v, 8);
        CHECK("eventfd: all of it", v == UINT64_MAX - 1 && poll(&p, 1, 0) == 1 && p.revents == POLLOUT);
        CHECK("eventfd: seeking does nothing", lseek(e, 5, SEEK_SET) == 0);
        FAILS("eventfd: pread", ESPIPE, pread(e, &v, 8, 0));
        FAILS("eventfd: truncate", EINVAL, ftruncate(e, 0));
        FAILS("eventfd: ioctl", ENOTTY, ioctl(e, TCGETS, &v));
        FAILS("eventfd: mmap", ENODEV, (long)mmap(NULL, PAGE, PROT_READ, MAP_SHARED, e, 0));
        close(e);
        e = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
        CHECK("eventfd: one by one", read(e, &v, 8) == 8 && v == 1 && read(e, &v, 8) == 8 && v == 1 && read(e, &v, 8) == -1);
        close(e);
}

static void polls(void)
{
        struct pollfd p[3] = { { -1, POLLIN, 7 }, { 999, POLLIN, 0 }, { 0, 0, 0 } };
        struct timespec bad = { 0, 1000000000 }, negative = { -1, 0 }, zero = { 0, 0 };
        struct rlimit r;
        int q[2];

        CHECK("poll: a negative one is passed over", poll(p, 1, 0) == 0 && p[0].revents == 0);
        CHECK("poll: a bad one", poll(p, 2, -1) == 1 && p[1].revents == POLLNVAL);
        CHECK("poll: none", poll(NULL, 0, 0) == 0);
        FAILS("poll: nowhere", EFAULT, poll(BAD_PTR, 1, 0));
        getrlimit(RLIMIT_NOFILE, &r);
        FAILS("poll: too many", EINVAL, poll(p, r.rlim_cur + 1, 0));
        FAILS("ppoll: a bad time", EINVAL, ppoll(p, 1, &bad, NULL));
        FAILS("ppoll: a negative time", EINVAL, ppoll(p, 1, &negative, NULL));
        FAILS("ppoll: a mask of another size", EINVAL, syscall(SYS_ppoll, p, 1, &zero, &(long){ 0 }, 4));
        FAILS("ppoll: a mask from nowhere", EFAULT, syscall(SYS_ppoll, p, 1, &zero, BAD_PTR, 8));
        must(pipe(q) == 0, "pipe");
        p[0] = (struct pollfd){ q[0], 0, 0 };
        close(q[1]);
        CHECK("poll: a hang-up is always told", poll(p, 1, -1) == 1 && p[0].revents == POLLHUP);
        close(q[0]);
        must(pipe(q) == 0, "pipe");
        close(q[0]);
        p[0] = (struct pollfd){ q[1], POLLOUT, 0 };
        CHECK("poll: no readers", poll(p, 1, -1) == 1 && p[0].revents == (POLLOUT | POLLERR));
        close(q[1]);
        int f = open("file", O_RDWR | O_CREAT, 0600);
        p[0] = (struct pollfd){ f, POLLIN | POLLOUT | POLLPRI, 0 };
        CHECK("poll: a file is always ready", poll(p, 1, -1) == 1 && p[0].revents == (POLLIN | POLLOUT));
        int64_t from = now_ms();
        CHECK("poll: sleeps", poll(NULL, 0, 30) == 0 && now_ms() - from >= 29);
        close(f);
}

static void selects(void)
{
        fd_set s;
        struct timeval bad = { -1, 0 }, zero = { 0, 0 }, large = { 0, 2000000 };
        struct timespec wrong = { 0, -1 };
        int q[2];

        FD_ZERO(&s);
        FAILS("select: negative", EINVAL, select(-1, NULL, NULL, NULL, &zero));
        FAILS("select: a negative time", EINVAL, select(0, NULL, NULL, NULL, &bad));
        FAILS("select: a set from nowhere", EFAULT, select(1, BAD_PTR, NULL, NULL, &zero));
        FAILS("select: a time from nowhere", EFAULT, select(0, NULL, NULL, NULL, BAD_PTR));
        FD_SET(900, &s);
        FAILS("select: a bad descriptor", EBADF, select(901, &s, NULL, NULL, &zero));
        FD_ZERO(&s);
        must(pipe(q) == 0, "pipe");
        FD_SET(q[0], &s);
        CHECK("select: not asked beyond n", select(q[0], &s, NULL, NULL, &zero) == 0);
        CHECK("select: cleared", (FD_SET(q[0], &s), select(q[0] + 1, &s, NULL, NULL, &zero) == 0 && !FD_ISSET(q[0], &s)));
        write(q[1], "x", 1);
        FD_SET(q[0], &s);
        CHECK("select: more us than a second", select(q[0] + 1, &s, NULL, NULL, &large) == 1 && FD_ISSET(q[0], &s));
        fd_set t = s;
        CHECK("select: in two sets", select(q[0] + 1, &s, NULL, &t, &zero) == 1);
        close(q[1]);
        read(q[0], &bad, 1);
        FD_SET(q[0], &s);
        CHECK("select: an end is readable", select(q[0] + 1, &s, NULL, NULL, NULL) == 1);
        FAILS("pselect: a bad time", EINVAL, pselect(0, NULL, NULL, NULL, &wrong, NULL));
        struct { const void *p; size_t n; } mask = { &(long){ 0 }, 4 };
        FAILS("pselect: a mask of another size", EINVAL, syscall(SYS_pselect6, 0, NULL, NULL, NULL, &(struct timespec){ 0, 0 }, &mask));
        FAILS("pselect: a mask from nowhere", EFAULT, syscall(SYS_pselect6, 0, NULL, NULL, NULL, &(struct timespec){ 0, 0 }, BAD_PTR));
        close(q[0]);
}

static void epolls(void)
{
        struct epoll_event ev = { .events = EPOLLIN };
        int e = epoll_create1(0), q[2], f = open("file", O_RDWR | O_CREAT, 0600);

        must(pipe(q) == 0, "pipe");
        FAILS("epoll_create: 0", EINVAL, epoll_create(0));
        FAILS("epoll_create: negative", EINVAL, epoll_create(-1));
        FAILS("epoll_create1: a flag", EINVAL, epoll_create1(1));
        FAILS("epoll_wait: none", EINVAL, epoll_wait(e, &ev, 0, 0));
        FAILS("epoll_wait: negative", EINVAL, epoll_wait(e, &ev, -1, 0));
        FAILS("epoll_wait: too many", EINVAL, epoll_wait(e, &ev, INT_MAX / (int)sizeof ev + 1, 0));
        FAILS("epoll_wait: a file", EINVAL, epoll_wait(f, &ev, 1, 0));
        FAILS("epoll_wait: bad", EBADF, epoll_wait(999, &ev, 1, 0));
        CHECK("epoll_wait: nowhere, with nothing to say", epoll_wait(e, BAD_PTR, 1, 0) == 0);
        FAILS("epoll_wait: the kernel's", EFAULT, epoll_wait(e, (void *)0xffff800000000000, 1, 0));
        FAILS("epoll_ctl: a file", EPERM, epoll_ctl(e, EPOLL_CTL_ADD, f, &ev));
        FAILS("epoll_ctl: of a file", EINVAL, epoll_ctl(f, EPOLL_CTL_ADD, q[0], &ev));
        FAILS("epoll_ctl: itself", EINVAL, epoll_ctl(e, EPOLL_CTL_ADD, e, &ev));
        FAILS("epoll_ctl: bad", EBADF, epoll_ctl(e, EPOLL_CTL_ADD, 999, &ev));
        FAILS("epoll_ctl: bad epoll", EBADF, epoll_ctl(999, EPOLL_CTL_ADD, q[0], &ev));
        FAILS("epoll_ctl: an operation", EINVAL, epoll_ctl(e, 77, q[0], &ev));
        FAILS("epoll_ctl: from nowhere", EFAULT, epoll_ctl(e, EPOLL_CTL_ADD, q[0], BAD_PTR));
        FAILS("epoll_ctl: MOD of none", ENOENT, epoll_ctl(e, EPOLL_CTL_MOD, q[0], &ev));
        FAILS("epoll_ctl: DEL of none", ENOENT, epoll_ctl(e, EPOLL_CTL_DEL, q[0], NULL));
        OKAY("epoll_ctl: ADD", epoll_ctl(e, EPOLL_CTL_ADD, q[0], &ev));
        FAILS("epoll_ctl: twice", EEXIST, epoll_ctl(e, EPOLL_CTL_ADD, q[0], &ev));
        write(q[1], "x", 1);
        FAILS("epoll_wait: nowhere", EFAULT, epoll_wait(e, BAD_PTR, 1, 0));
        CHECK("epoll_wait: not lost", epoll_wait(e, &ev, 1, 0) == 1);
        char space[40];
        CHECK("epoll_wait: not aligned", epoll_wait(e, (void *)(space + 1), 1, 0) == 1 && !memcmp(space + 1, &(uint32_t){ EPOLLIN }, 4));
        FAILS("epoll_pwait: a mask of another size", EINVAL, syscall(SYS_epoll_pwait, e, &ev, 1, 0, &(long){ 0 }, 4));
        FAILS("epoll_pwait2: a bad time", EINVAL, syscall(SYS_epoll_pwait2, e, &ev, 1, &(struct timespec){ 0, 1000000000 }, NULL, 8));
        FAILS("epoll_pwait2: a time from nowhere", EFAULT, syscall(SYS_epoll_pwait2, e, &ev, 1, BAD_PTR, NULL, 8));
        int p = open("file", O_PATH);
        FAILS("epoll_ctl: O_PATH", EBADF, epoll_ctl(e, EPOLL_CTL_ADD, p, &ev));
        close(p), close(e), close(f), close(q[0]), close(q[1]);
}

int main(void)
{
        eventfds();
        polls();
        selects();
        epolls();
        return done();
}
