/* SPDX-License-Identifier: Apache-2.0
 *
 * sched_affinity: sched_setaffinity(2) and sched_getaffinity(2): masks and sizes, whose, at once; getcpu(2).
 */
#include "policy.h"

static int cpus;
static volatile int *m;

static unsigned here(void)
{
        unsigned cpu = 99;

        syscall(SYS_getcpu, &cpu, NULL, NULL);
        return cpu;
}

static void sizes(void)
{
        unsigned char mask[1024] = {};
        long (*const call)(long, ...) = syscall;

        mask[0] = 1;
        OKAY("one byte", call(SYS_sched_setaffinity, 0, 1, mask));
        CHECK("of eight told", call(SYS_sched_getaffinity, 0, 8, mask) == 8 && mask[0] == 1);
        FAILS("size 0: an empty mask", EINVAL, call(SYS_sched_setaffinity, 0, 0, mask));
        FAILS("get 0", EINVAL, call(SYS_sched_getaffinity, 0, 0, mask));
        FAILS("get 4", EINVAL, call(SYS_sched_getaffinity, 0, 4, mask));
        FAILS("get 12", EINVAL, call(SYS_sched_getaffinity, 0, 12, mask));
        memset(mask, 0xee, sizeof mask);
        long n = call(SYS_sched_getaffinity, 0, 1024, mask);
        CHECK("get 1024", n >= 8 && n <= 1024 && n % 8 == 0);
        CHECK("no more is written", n == 1024 || mask[n] == 0xee);
        memset(mask, 0, sizeof mask);
        mask[100] = 1;
        FAILS("only one that is not there", EINVAL, call(SYS_sched_setaffinity, 0, 128, mask));
        mask[0] = 1;
        OKAY("and one that is", call(SYS_sched_setaffinity, 0, 128, mask));
        memset(mask, 0xff, sizeof mask);
        OKAY("all", call(SYS_sched_setaffinity, 0, 1024, mask));
        memset(mask, 0, sizeof mask);
        call(SYS_sched_getaffinity, 0, 1024, mask);
        CHECK("those that are there", mask[0] == (1 << cpus) - 1);
        FAILS("bad address", EFAULT, call(SYS_sched_setaffinity, 0, 8, BAD_PTR));
        FAILS("get: bad address", EFAULT, call(SYS_sched_getaffinity, 0, 1024, BAD_PTR));
        FAILS("nobody", ESRCH, call(SYS_sched_setaffinity, 999999, 8, mask));
        FAILS("get: nobody", ESRCH, call(SYS_sched_getaffinity, 999999, 1024, mask));
        FAILS("pid -1", ESRCH, call(SYS_sched_setaffinity, -1, 8, mask));
        FAILS("get: pid -1", ESRCH, call(SYS_sched_getaffinity, -1, 1024, mask));
}

/* A running thread is moved at once, by itself or another. */
static void moves(void)
{
        int wrong = 0;

        for (int i = 0; i < 200; i++) {
                on_cpu(0, i % cpus);
                wrong += here() != (unsigned)(i % cpus);
        }
        CHECK("itself", wrong == 0);
        pid_t pid = fork();
        if (pid == 0)
                for (;;)
                        m[0] = here();
        wrong = 0;
        for (int i = 0; i < 40; i++) {
                must(on_cpu(pid, i % cpus) == 0, "affinity");
                m[0] = 99;
                for (int k = 0; k < 2000 && m[0] == 99; k++)
                        sleep_ms(1);
                sleep_ms(1);
                m[0] = 99;
                for (int k = 0; k < 2000 && m[0] == 99; k++)
                        sleep_ms(1);
                wrong += m[0] != i % cpus;
        }
        CHECK("another", wrong == 0);
        kill(pid, SIGKILL);
        result_of(pid);
}

/* One that sleeps and wakes all the time, while its affinity and its policy change. */
static void moves_asleep(void)
{
        int there[2], back[2], wrong = 0;
        pid_t ping, pong;
        char c = 0;

        must(pipe(there) == 0 && pipe(back) == 0, "pipe");
        if ((ping = fork()) == 0)
                for (;; m[8]++) {
                        m[0] = here();
                        must(write(there[1], &c, 1) == 1 && read(back[0], &c, 1) == 1, "ping");
                }
        if ((pong = fork()) == 0)
                for (;;)
                        must(read(there[0], &c, 1) == 1 && write(back[1], &c, 1) == 1, "pong");
        double end = clock_s(CLOCK_MONOTONIC) + 2;
        for (int i = 0; clock_s(CLOCK_MONOTONIC) < end; i++) {
                must(on_cpu(ping, i % cpus) == 0 && on_cpu(pong, i / 2 % cpus) == 0, "affinity");
                if (i % 5 == 0)
                        must(fifo(ping, SCHED_FIFO, 1) == 0, "fifo");
                if (i % 5 == 1)
                        must(fifo(ping, SCHED_OTHER, 0) == 0, "other");
                if (i % 50 == 0)
                        sleep_ms(1);
        }
        must(fifo(ping, SCHED_OTHER, 0) == 0, "other");
        for (int i = 0; i < 20; i++) {
                must(on_cpu(ping, i % cpus) == 0, "affinity");
                for (int turn = 0, was = m[8]; m[8] - was < 3 && turn < 5000; turn++)
                        sleep_ms(1);
                wrong += m[0] != i % cpus;
        }
        CHECK("one that sleeps and wakes", wrong == 0);
        int was = m[8];
        for (int turn = 0; m[8] == was && turn < 5000; turn++)
                sleep_ms(1);
        CHECK("which goes on", m[8] != was);
        kill(ping, SIGKILL);
        kill(pong, SIGKILL);
        result_of(ping);
        result_of(pong);
}

static int as_user(pid_t root)
{
        cpu_set_t set;

        become_user(1000);
        FAILS("user: another's", EPERM, on_cpu(root, 0));
        OKAY("user: another's told", syscall(SYS_sched_getaffinity, root, 1024, &set));
        OKAY("user: own", on_cpu(0, cpus - 1));
        CHECK("user: there", here() == (unsigned)(cpus - 1));
        return done();
}

int main(void)
{
        cpus = sysconf(_SC_NPROCESSORS_ONLN);
        m = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        sizes();
        moves();
        moves_asleep();
        cpu_set_t set;
        on_cpu(0, cpus - 1);
        pid_t self = getpid(), pid = fork();
        if (pid == 0) {
                failures = 0;
                _exit(as_user(self));
        }
        CHECK("as user", result_of(pid) == 0);
        if ((pid = fork()) == 0) {
                char *argv[] = { "/proc/self/exe", "exec", NULL };
                _exit(here() == (unsigned)(cpus - 1) && sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) == 1 && argv[0] ? 5 : 6);
        }
        CHECK("a child is bound too", result_of(pid) == 5);
        char line[80];
        snprintf(line, sizeof line, "Cpus_allowed_list:\t%d\n", cpus - 1);
        CHECK("told in status", strstr(text_of("/proc/self/status"), line) != NULL);
        return done();
}
