/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: eventfd(2): counting, semaphores, waiting, poll, errors, /proc.
 */
#include "abi.h"
#include <pthread.h>
#include <sys/eventfd.h>

#define MAX 0xfffffffffffffffeull

static int fd;

static int put(uint64_t n) { return write(fd, &n, 8); }
static uint64_t get(void)
{
        uint64_t n = 0;
        return read(fd, &n, 8) == 8 ? n : ~0ull;
}

static short ready(void)
{
        struct pollfd p = { fd, POLLIN | POLLOUT | POLLPRI, 0 };
        poll(&p, 1, 0);
        return p.revents;
}

static void counting(void)
{
        uint64_t two[2] = { 0, 7 }, n;

        fd = eventfd(3, EFD_NONBLOCK);
        CHECK("readable from the start", ready() == (POLLIN | POLLOUT));
        CHECK("the first count", get() == 3);
        CHECK("then only writable", ready() == POLLOUT);
        FAILS("read would wait", EAGAIN, read(fd, &n, 8));
        CHECK("adds up", put(5) == 8 && put(6) == 8 && get() == 11);
        CHECK("writing 0", put(0) == 8 && ready() == POLLOUT);
        FAILS("too much", EINVAL, put(~0ull));
        FAILS("write of 4 bytes", EINVAL, write(fd, &n, 4));
        FAILS("read of 4 bytes", EINVAL, read(fd, &n, 4));
        two[0] = 9;
        CHECK("write of 16 bytes takes 8", write(fd, two, 16) == 8);
        CHECK("read of 16 bytes gives 8", read(fd, two, 16) == 8 && two[0] == 9 && two[1] == 7);
        FAILS("write from nowhere", EFAULT, write(fd, BAD_PTR, 8));
        CHECK("seeking goes nowhere", lseek(fd, 5, SEEK_SET) == 0);
        FAILS("seeking with no whence", EINVAL, lseek(fd, 0, 9));
        FAILS("pread", ESPIPE, pread(fd, &n, 8, 0));
        CHECK("up to the limit", put(MAX) == 8 && ready() == POLLIN);
        FAILS("no further", EAGAIN, put(1));
        CHECK("0 still fits", put(0) == 8);
        CHECK("all of it", get() == MAX && ready() == POLLOUT);
        close(fd);
}

static void semaphore(void)
{
        uint64_t n;

        fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
        CHECK("one", get() == 1 && ready() == (POLLIN | POLLOUT));
        CHECK("two", get() == 1 && ready() == POLLOUT);
        FAILS("no third", EAGAIN, read(fd, &n, 8));
        close(fd);
}

static void *later(void *arg)
{
        sleep_ms(50);
        if (arg)
                put(*(uint64_t *)arg);
        else
                get();
        return NULL;
}

static void waiting(void)
{
        uint64_t four = 4;
        pthread_t t;
        struct pollfd p;

        fd = eventfd(0, 0);
        pthread_create(&t, NULL, later, &four);
        CHECK("read waits", get() == 4);
        pthread_join(t, NULL);
        put(MAX - 1);
        pthread_create(&t, NULL, later, NULL);
        CHECK("write waits", put(4) == 8);
        pthread_join(t, NULL);
        CHECK("and adds", get() == 4);
        pthread_create(&t, NULL, later, &four);
        p = (struct pollfd){ fd, POLLIN, 0 };
        CHECK("poll waits", poll(&p, 1, 5000) == 1 && p.revents == POLLIN);
        pthread_join(t, NULL);
        put(MAX - 4);
        pthread_create(&t, NULL, later, NULL);
        p = (struct pollfd){ fd, POLLOUT, 0 };
        CHECK("poll waits to write", poll(&p, 1, 5000) == 1 && p.revents == POLLOUT);
        pthread_join(t, NULL);
        close(fd);
}

static void nothing(int sig) { (void)sig; }

static void interrupted(void)
{
        uint64_t v;

        fd = eventfd(0, 0);
        on(SIGALRM, nothing, 0);
        ALARMED("a signal ends a read", read(fd, &v, 8));
        put(MAX);
        ALARMED("a signal ends a write", put(1));
        close(fd);
}

static void descriptors(void)
{
        char path[64], link[64] = "";
        uint64_t n;

        fd = eventfd(0, 0);
        CHECK("not closed by exec", fcntl(fd, F_GETFD) == 0);
        CHECK("flags", (fcntl(fd, F_GETFL) & ~O_LARGEFILE) == O_RDWR);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        CHECK("name", readlink(path, link, sizeof link - 1) > 0 && !strcmp(link, "anon_inode:[eventfd]"));
        put(0x2a);
        snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
        CHECK("fdinfo", strstr(text_of(path), "eventfd-count:               2a\neventfd-id: ") != NULL);
        CHECK("a copy shares it", (n = 1, write(dup(fd), &n, 8) == 8) && get() == 0x2b);
        pid_t pid = fork();
        if (pid == 0)
                _exit(put(3) != 8);
        CHECK("so does a child", result_of(pid) == 0 && get() == 3);
        close(fd);
        fd = eventfd(0, EFD_CLOEXEC);
        CHECK("EFD_CLOEXEC", fcntl(fd, F_GETFD) == FD_CLOEXEC);
        close(fd);
        fd = syscall(SYS_eventfd, 6);
        CHECK("the old call", get() == 6);
        close(fd);
        FAILS("bad flags", EINVAL, eventfd(0, 4));
        fd = eventfd(0xffffffffu, 0);
        CHECK("32 bits to begin with", get() == 0xffffffffu);
        close(fd);
}

int main(void)
{
        counting();
        semaphore();
        waiting();
        interrupted();
        descriptors();
        return done();
}
