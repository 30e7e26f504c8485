/* SPDX-License-Identifier: Apache-2.0
 *
 * read_pieces: readv and writev of files whose reads are of records: what of the pieces is taken together, and what each by itself.
 */
#include "show.h"
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

static char buf[4096];

static ssize_t pieces(int fd, int n, ...)
{
        struct iovec v[8];
        va_list ap;

        va_start(ap, n);
        for (int i = 0, at = 0; i < n; i++) {
                int len = va_arg(ap, int);
                v[i] = (struct iovec){ len < 0 ? BAD_PTR : buf + at, len < 0 ? -len : len };
                at += 512;
        }
        va_end(ap);
        return readv(fd, v, n);
}

static void raise_all(void)
{
        static const int sigs[] = { SIGUSR1, SIGUSR2, SIGHUP, SIGTERM };
        for (int i = 0; i < 4; i++)
                kill(getpid(), sigs[i]);
}

static void signals(void)
{
        sigset_t all;

        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, NULL);
        int fd = signalfd(-1, &all, SFD_NONBLOCK);
        struct signalfd_siginfo one;
        SHOW("signals: none", pieces(fd, 2, 128, 128));
        raise_all();
        SHOW("halves", pieces(fd, 2, 64, 64));
        SHOW("one, one", pieces(fd, 2, 128, 128));
        memcpy(&one, buf + 512, sizeof one);
        CHECK("the second", one.ssi_signo == SIGUSR1 || one.ssi_signo == SIGUSR2 || one.ssi_signo == SIGHUP || one.ssi_signo == SIGTERM);
        raise_all();
        SHOW("one and a half", pieces(fd, 2, 192, 128));
        SHOW("one, half", pieces(fd, 2, 128, 64));
        raise_all();
        SHOW("none, two", pieces(fd, 3, 0, 256, 128));
        raise_all();
        SHOW("one, bad", pieces(fd, 2, 128, -128));
        SHOW("bad, one", pieces(fd, 2, -128, 128));
        SHOW("the rest", pieces(fd, 4, 128, 128, 128, 128));
        SHOW("no more", pieces(fd, 4, 128, 128, 128, 128));
        raise_all();
        SHOW("all in one", pieces(fd, 1, 1024));
        raise_all();
        SHOW("large, one", pieces(fd, 2, 1024, 128));
        SHOW("empty pieces", pieces(fd, 2, 0, 0));
        close(fd);
}

static void counters(void)
{
        int fd = eventfd(5, EFD_NONBLOCK);
        SHOW("eventfd: halves", pieces(fd, 2, 4, 4));
        fd = eventfd(5, EFD_NONBLOCK);
        SHOW("eventfd: two", pieces(fd, 2, 8, 8));
        fd = eventfd(5, EFD_NONBLOCK | EFD_SEMAPHORE);
        SHOW("eventfd: semaphore, two", pieces(fd, 2, 8, 8));
        uint64_t n[2] = { 1, 2 };
        struct iovec v[2] = { { n, 8 }, { n + 1, 8 } }, h[2] = { { n, 4 }, { (char *)n + 4, 4 } };
        SHOW("eventfd: written twice", writev(fd, v, 2));
        SHOW("eventfd: in halves", writev(fd, h, 2));
        fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
        struct itimerspec t = { .it_value = { 0, 1 } };
        timerfd_settime(fd, 0, &t, NULL);
        struct pollfd w = { .fd = fd, .events = POLLIN };
        poll(&w, 1, -1);
        SHOW("timerfd: halves", pieces(fd, 2, 4, 4));
        SHOW("timerfd: two", pieces(fd, 2, 8, 8));
        fd = inotify_init1(IN_NONBLOCK);
        inotify_add_watch(fd, ".", IN_CREATE);
        close(open("a", O_CREAT, 0600)), close(open("b", O_CREAT, 0600)), close(open("c", O_CREAT, 0600));
        SHOW("inotify: halves", pieces(fd, 2, 16, 16));
        SHOW("inotify: one, one", pieces(fd, 2, 32, 32));
        SHOW("inotify: small, one", pieces(fd, 2, 16, 32));
        SHOW("inotify: one, none", pieces(fd, 2, 32, 32));
        SHOW("inotify: none", pieces(fd, 2, 32, 32));
}

/* The flags of preadv2 and pwritev2, one after the other: RWF_HIPRI, _DSYNC, _SYNC, _NOWAIT, _APPEND, none. */
static void flags(const char *name, int fd, int writes)
{
        static const int bit[] = { 1, 2, 4, 8, 16, 32 };
        uint64_t n[2] = { 1, 1 };
        struct iovec v[2] = { { writes ? (char *)n : buf, 8 }, { writes ? (char *)(n + 1) : buf + 8, 8 } };

        for (int i = 0; i < 6; i++) {
                char what[60];
                snprintf(what, sizeof what, "%s, flag %x", name, bit[i]);
                SHOW(what, syscall(writes ? SYS_pwritev2 : SYS_preadv2, fd, v, 2, -1L, -1L, bit[i]));
        }
}

static void all_flags(void)
{
        sigset_t none;
        sigemptyset(&none);
        flags("signalfd", signalfd(-1, &none, SFD_NONBLOCK), 0);
        flags("timerfd", timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), 0);
        flags("inotify", inotify_init1(IN_NONBLOCK), 0);
        flags("eventfd", eventfd(0, EFD_NONBLOCK), 0);
        struct iovec v = { buf, 8 };
        FAILS("an eventfd that would wait", EAGAIN, syscall(SYS_preadv2, eventfd(0, 0), &v, 1, -1L, -1L, 8));
        flags("eventfd, written", eventfd(0, EFD_NONBLOCK), 1);
}

int main(void)
{
        signals();
        counters();
        all_flags();
        return done();
}
