/* SPDX-License-Identifier: Apache-2.0
 *
 * userfaultfd_ends: what ends while watched memory is asked for: the watching, by another's descriptor; threads that
 * leave words in it; a program that dumps core.
 */
#include "uffd.h"
#include <poll.h>

static char *p, *area;

static int unread(int fd)
{
        struct pollfd w = { .fd = fd, .events = POLLIN };
        return poll(&w, 1, 10000) == 1 && w.revents == POLLIN;
}

static void *toucher(void *arg)
{
        volatile char *at = arg;
        return (void *)(long)(*at + 1);
}

/* The area is one descriptor's; the other says that it is watched no longer. */
static int by_another(void)
{
        int a = uffd_open(O_CLOEXEC | O_NONBLOCK), b = uffd_new(0);
        pthread_t t;
        void *got = NULL;

        must(uffd_api(a, 0) == 0, "api");
        p = anon(2);
        OKAY("watched", uffd_register(a, p, 2 * PAGE, UFFDIO_REGISTER_MODE_MISSING));
        FAILS("not twice", EBUSY, uffd_register(b, p, 2 * PAGE, UFFDIO_REGISTER_MODE_MISSING));
        pthread_create(&t, NULL, toucher, p);
        CHECK("asked", unread(a));
        OKAY("another's descriptor ends it", uffd_range(b, UFFDIO_UNREGISTER, p, 2 * PAGE));
        pthread_join(t, &got);
        CHECK("who waited goes on", got == (void *)1);
        OKAY("and it may be watched by that", uffd_register(b, p, 2 * PAGE, UFFDIO_REGISTER_MODE_MISSING));
        return done();
}

static int half(void)
{
        int a = uffd_open(O_CLOEXEC | O_NONBLOCK);
        pthread_t t;
        void *got = NULL;

        must(uffd_api(a, 0) == 0, "api");
        p = anon(2);
        OKAY("watched", uffd_register(a, p, 2 * PAGE, UFFDIO_REGISTER_MODE_MISSING));
        pthread_create(&t, NULL, toucher, p + PAGE + 5);
        CHECK("asked", unread(a));
        OKAY("half of it not any more", uffd_range(a, UFFDIO_UNREGISTER, p + PAGE, PAGE));
        pthread_join(t, &got);
        CHECK("who waited goes on", got == (void *)1);
        return done();
}

/* Its list of robust futexes lies where nothing is. */
static void *leaves_list(void *arg)
{
        syscall(SYS_set_robust_list, area, 24);
        return arg;
}

static int threads(void)
{
        const char *n = strstr(text_of("/proc/self/status"), "Threads:");
        return n ? atoi(n + 8) : -1;
}

static int thread_ends(void)
{
        int a = uffd_new(0);
        pthread_t t;

        area = anon(1);
        OKAY("watched", uffd_register(a, area, PAGE, UFFDIO_REGISTER_MODE_MISSING));
        pthread_create(&t, NULL, leaves_list, NULL);
        pthread_join(t, NULL);
        for (int i = 0; i < 1000 && threads() > 1; i++)
                sleep_ms(10);
        CHECK("a thread ends", threads() == 1);
        syscall(SYS_set_robust_list, area, 24);
        return done();          /* so does this one */
}

static int dumps(void)
{
        struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
        int a = uffd_new(0);

        setrlimit(RLIMIT_CORE, &all);
        area = anon(4);
        area[0] = 1;
        OKAY("watched", uffd_register(a, area, 4 * PAGE, UFFDIO_REGISTER_MODE_MISSING));
        signal(SIGABRT, SIG_DFL);
        raise(SIGABRT);
        return 1;
}

int main(void)
{
        CHECK("by another", in_child(by_another) == 0);
        CHECK("half", in_child(half) == 0);
        CHECK("threads end", in_child(thread_ends) == 0);
        set_text("/proc/sys/kernel/core_pattern", "core");
        CHECK("a dump ends", in_child(dumps) == KILLED(SIGABRT));
        return done();
}
