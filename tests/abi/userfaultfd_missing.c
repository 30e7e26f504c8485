/* SPDX-License-Identifier: Apache-2.0
 *
 * userfaultfd_missing: pages that a thread provides; faults of programs and of the kernel; signals, fork, the end.
 */
#include "uffd.h"
#include <setjmp.h>

static int fd, fds[2];
static char *p, *page;
static volatile int stopped, seen, wrote, wrong, tid_seen;
static sigjmp_buf back;

/* Fills what is asked for with the page's number. */
static void *provider(void *arg)
{
        struct uffd_msg m;

        (void)arg;
        while (read(fd, &m, sizeof m) == sizeof m) {
                char *at = (char *)(uintptr_t)m.arg.pagefault.address;
                wrong |= m.event != UFFD_EVENT_PAGEFAULT || ((uintptr_t)at & (PAGE - 1)) || at < p || at >= p + 64 * PAGE;
                wrote = (int)m.arg.pagefault.flags;
                tid_seen = (int)m.arg.pagefault.feat.ptid;
                seen++;
                memset(page, (int)((at - p) / PAGE + 1), PAGE);
                if (uffd_copy(fd, at, page, PAGE, 0) < 0 && errno != EEXIST)
                        wrong = 1;
        }
        return NULL;
}

static void *toucher(void *arg)
{
        volatile char *at = arg;
        return (void *)(long)*at;
}

static void *many(void *arg)
{
        for (int i = 0; i < 64; i++)
                if (p[(i ^ (long)arg) * PAGE] != (char)((i ^ (long)arg) + 1))
                        wrong = 1;
        return NULL;
}

static void on_alarm(int sig) { (void)sig; stopped = 1; }
static void on_bus(int sig, siginfo_t *si, void *uc) { (void)sig, (void)uc; siglongjmp(back, si->si_code == BUS_ADRERR ? 1 : 2); }

int main(void)
{
        pthread_t t, u[4];
        void *got;
        int status;

        pipe(fds);
        p = anon(64);
        page = anon(1);
        fd = uffd_new(0);
        OKAY("register", uffd_register(fd, p, 64 * PAGE, UFFDIO_REGISTER_MODE_MISSING));
        pthread_create(&t, NULL, provider, NULL);
        CHECK("a read", p[3 * PAGE] == 4 && seen == 1 && wrote == 0);
        CHECK("no thread's number unasked", tid_seen == 0);
        SET(p[5 * PAGE + 7], 99);
        CHECK("a write", seen == 2 && wrote == UFFD_PAGEFAULT_FLAG_WRITE && p[5 * PAGE + 7] == 99 && p[5 * PAGE] == 6);
        CHECK("once a page", p[3 * PAGE + 100] == 4 && seen == 2);
        CHECK("the kernel reads", write(fds[1], p + 6 * PAGE, 1) == 1 && read(fds[0], page, 1) == 1 && page[0] == 7 && seen == 3);
        write(fds[1], "abc", 3);
        CHECK("the kernel writes", read(fds[0], p + 8 * PAGE - 1, 3) == 3 && p[8 * PAGE - 2] == 8 && p[8 * PAGE] == 'b' && p[8 * PAGE + 2] == 9);
        CHECK("two pages", seen == 5);
        CHECK("madvise makes them missing", madvise(p, 16 * PAGE, MADV_DONTNEED) == 0 && p[3 * PAGE] == 4 && seen == 6);
        if (fork() == 0)
                _exit(p[10 * PAGE] != 0 || p[3 * PAGE] != 4);
        wait(&status);
        CHECK("a child's memory is plain", status == 0 && seen == 6);
        CHECK("mlock brings them", mlock(p + 20 * PAGE, 2 * PAGE) == 0 && seen == 8);
        munlock(p + 20 * PAGE, 2 * PAGE);
        madvise(p, 64 * PAGE, MADV_DONTNEED);
        for (long i = 0; i < 4; i++)
                pthread_create(&u[i], NULL, many, (void *)(i * 21));
        for (int i = 0; i < 4; i++)
                pthread_join(u[i], NULL);
        CHECK("four threads", !wrong);
        OKAY("mprotect keeps it", mprotect(p, 2 * PAGE, PROT_READ));
        madvise(p, 2 * PAGE, MADV_DONTNEED);
        seen = 0;
        CHECK("read-only memory too", p[PAGE] == 2 && seen == 1);
        char *q = mremap(p + 30 * PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, anon(2));
        CHECK("a moved page is kept", q != MAP_FAILED && q[0] == 31);
        madvise(q, 2 * PAGE, MADV_DONTNEED);
        CHECK("but not watched any more", q[0] == 0 && seen == 1);

        /* A fault that waits, and a signal. */
        int fd2 = uffd_new(UFFD_FEATURE_THREAD_ID);
        struct uffd_msg m;
        char *w = anon(4);
        uffd_register(fd2, w, 4 * PAGE, UFFDIO_REGISTER_MODE_MISSING);
        pthread_create(&u[0], NULL, toucher, w + PAGE);
        CHECK("one asks", read(fd2, &m, sizeof m) == sizeof m && m.arg.pagefault.address == (uintptr_t)(w + PAGE) && m.arg.pagefault.feat.ptid != 0);
        fcntl(fd2, F_SETFL, O_NONBLOCK);
        FAILS("once", EAGAIN, read(fd2, &m, sizeof m));
        OKAY("zeros, quietly", uffd_zero(fd2, w + PAGE, PAGE, UFFDIO_ZEROPAGE_MODE_DONTWAKE));
        OKAY("and the wake-up", uffd_range(fd2, UFFDIO_WAKE, w + PAGE, PAGE));
        pthread_join(u[0], &got);
        CHECK("it goes on", got == NULL);
        pthread_create(&u[0], NULL, toucher, w);
        struct pollfd pfd = { .fd = fd2, .events = POLLIN };
        CHECK("poll waits for one", poll(&pfd, 1, 5000) == 1 && pfd.revents == POLLIN);
        OKAY("unregistering", uffd_range(fd2, UFFDIO_UNREGISTER, w, 4 * PAGE));
        pthread_join(u[0], &got);
        CHECK("lets it go on", got == NULL);
        uffd_register(fd2, w, 4 * PAGE, UFFDIO_REGISTER_MODE_MISSING);
        pthread_create(&u[0], NULL, toucher, w + 2 * PAGE);
        poll(&pfd, 1, 5000);
        close(fd2);
        pthread_join(u[0], &got);
        CHECK("so does the end of the descriptor", got == NULL);

        pid_t child = fork();
        if (child == 0) {
                fd2 = uffd_new(0);
                w = anon(2);
                uffd_register(fd2, w, 2 * PAGE, UFFDIO_REGISTER_MODE_MISSING);
                on(SIGALRM, on_alarm, 0);
                write(fds[1], "x", 1);
                _exit(*(volatile char *)w);
        }
        read(fds[0], page, 1);
        sleep_ms(50);
        kill(child, SIGALRM);
        sleep_ms(50);
        kill(child, SIGKILL);
        CHECK("a waiting one can be killed", result_of(child) == KILLED(SIGKILL));
        struct sigaction sa = { .sa_sigaction = on_bus, .sa_flags = SA_SIGINFO };
        sigaction(SIGBUS, &sa, NULL);
        fd2 = uffd_new(UFFD_FEATURE_SIGBUS);
        w = anon(2);
        uffd_register(fd2, w, 2 * PAGE, UFFDIO_REGISTER_MODE_MISSING);
        if ((status = sigsetjmp(back, 1)) == 0)
                (void)*(volatile char *)w;
        CHECK("SIGBUS", status == 1);
        FAILS("and the kernel", EFAULT, write(fds[1], w, 1));
        OKAY("it can be filled all the same", uffd_zero(fd2, w, PAGE, 0));
        CHECK("then", write(fds[1], w, 1) == 1);
        int fd3 = uffd_open(UFFD_USER_MODE_ONLY);
        uffd_api(fd3, 0);
        w = anon(2);
        uffd_register(fd3, w, 2 * PAGE, UFFDIO_REGISTER_MODE_MISSING);
        FAILS("user mode only: the kernel", EFAULT, write(fds[1], w, 1));
        CHECK("all in order", !wrong);
        return done();
}
