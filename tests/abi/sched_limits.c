/* SPDX-License-Identifier: Apache-2.0
 *
 * sched_limits: /proc/sys/kernel/sched_*: what real-time threads may have.
 */
#include "policy.h"
#include <linux/futex.h>

#define K(name) "/proc/sys/kernel/sched_" name

static int says(const char *path, const char *what)
{
        const char *text = text_of(path);
        size_t n = strlen(what);

        return !strncmp(text, what, n) && !strcmp(text + n, "\n");
}

static void values(void)
{
        struct timespec t;

        CHECK("period", says(K("rt_period_us"), "1000000"));
        CHECK("runtime", says(K("rt_runtime_us"), "950000"));
        CHECK("slice", says(K("rr_timeslice_ms"), "100"));
        CHECK("child first", says(K("child_runs_first"), "0"));
        CHECK("deadline's least period", says(K("deadline_period_min_us"), "100"));
        CHECK("deadline's longest period", says(K("deadline_period_max_us"), "4194304"));
        FAILS("period 0", EINVAL, set_text(K("rt_period_us"), "0"));
        FAILS("period -1", EINVAL, set_text(K("rt_period_us"), "-1"));
        FAILS("period below runtime", EINVAL, set_text(K("rt_period_us"), "900000"));
        FAILS("no number", EINVAL, set_text(K("rt_period_us"), "x"));
        FAILS("runtime above period", EINVAL, set_text(K("rt_runtime_us"), "1000001"));
        CHECK("nothing changed", says(K("rt_period_us"), "1000000") && says(K("rt_runtime_us"), "950000"));
        OKAY("runtime", set_text(K("rt_runtime_us"), "500000\n"));
        CHECK("told", says(K("rt_runtime_us"), "500000"));
        OKAY("no limit", set_text(K("rt_runtime_us"), "-1"));
        CHECK("told", says(K("rt_runtime_us"), "-1"));
        OKAY("again", set_text(K("rt_runtime_us"), "950000"));
        OKAY("all of it", set_text(K("rt_runtime_us"), "1000000"));
        OKAY("a longer period", set_text(K("rt_period_us"), "2000000"));
        CHECK("told", says(K("rt_period_us"), "2000000"));
        OKAY("back", set_text(K("rt_period_us"), "1000000"));
        OKAY("back", set_text(K("rt_runtime_us"), "950000"));
        OKAY("slice 20", set_text(K("rr_timeslice_ms"), "20"));
        must(fifo(0, SCHED_RR, 1) == 0, "rr");
        OKAY("told", sched_rr_get_interval(0, &t));
        CHECK("20 ms", t.tv_sec == 0 && t.tv_nsec == 20000000);
        OKAY("0: the default", set_text(K("rr_timeslice_ms"), "0"));
        OKAY("told", sched_rr_get_interval(0, &t));
        CHECK("100 ms", t.tv_sec == 0 && t.tv_nsec == 100000000);
        CHECK("told too", says(K("rr_timeslice_ms"), "100"));
        must(fifo(0, SCHED_FIFO, 1) == 0, "fifo");
        OKAY("fifo", sched_rr_get_interval(0, &t));
        CHECK("has none", t.tv_sec == 0 && t.tv_nsec == 0);
        must(fifo(0, SCHED_OTHER, 0) == 0, "other");
}

static int as_user(void)
{
        become_user(1000);
        FAILS("user: period", EACCES, set_text(K("rt_period_us"), "1000000"));
        FAILS("user: runtime", EACCES, set_text(K("rt_runtime_us"), "950000"));
        CHECK("user: told", says(K("rt_runtime_us"), "950000"));
        return done();
}

/* Admission goes by the limits. */
static void admission(void)
{
        must(setattr(dl(50 * MS, 100 * MS, 100 * MS)) == 0, "deadline");
        FAILS("less than is reserved", EBUSY, set_text(K("rt_runtime_us"), "100000"));
        must(fair() == 0, "fair");
        CHECK("now it goes", AWAIT(set_text(K("rt_runtime_us"), "100000") == 0));
        FAILS("more than there is", EBUSY, setattr(dl(50 * MS, 100 * MS, 100 * MS)) < 0 ? -1 : setattr(dl(99 * MS, 100 * MS, 100 * MS)));
        OKAY("none", set_text(K("rt_runtime_us"), "0"));
        FAILS("no deadlines", EPERM, setattr(dl(1 * MS, 100 * MS, 100 * MS)));
        OKAY("no limit", set_text(K("rt_runtime_us"), "-1"));
        OKAY("deadline", setattr(dl(99 * MS, 100 * MS, 100 * MS)));
        OKAY("fair", fair());
        CHECK("back", AWAIT(set_text(K("rt_runtime_us"), "950000") == 0));
}

/* A FIFO hog leaves the rest of each period to an ordinary thread of the same CPU, even if its priority is but lent. */
static void throttling(int lent)
{
        volatile long *count = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        volatile uint32_t *lock = (void *)&count[16];
        pid_t hog, other, lender = 0;

        OKAY("70 %", set_text(K("rt_runtime_us"), "700000"));
        if ((other = fork()) == 0) {
                on_cpu(0, 0);
                for (;;)
                        count[0] = clock_s(CLOCK_THREAD_CPUTIME_ID) * 1000;
        }
        if ((hog = fork()) == 0) {
                on_cpu(0, 0);
                if (lent)
                        *lock = gettid();
                else
                        fifo(0, SCHED_FIFO, 10);
                for (;;)
                        count[8] = clock_s(CLOCK_THREAD_CPUTIME_ID) * 1000;
        }
        if (lent && (lender = fork()) == 0) {
                (void)AWAIT(*lock);
                fifo(0, SCHED_FIFO, 10);
                syscall(SYS_futex, lock, FUTEX_LOCK_PI, 0, NULL);
                _exit(0);
        }
        must(AWAIT(count[0] && count[8] && (!lent || (*lock & FUTEX_WAITERS))), "both run");
        long a = count[0], b = count[8];
        sleep_ms(4000);
        a = count[0] - a;
        b = count[8] - b;
        CHECK("the ordinary one gets its part", a > 600);
        CHECK("the hog gets more", b > a);
        kill(hog, SIGKILL);
        kill(other, SIGKILL);
        result_of(hog);
        result_of(other);
        if (lent)
                result_of(lender);
        OKAY("back", set_text(K("rt_runtime_us"), "950000"));
}

static long switches(void)
{
        const char *p = strstr(text_of("/proc/stat"), "ctxt ");

        return p ? atol(p + 5) : -1;
}

/* Hogs on all processors: in the rest of each period they stay where they are. */
static void throttled_everywhere(void)
{
        volatile long *count = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        int cpus = sysconf(_SC_NPROCESSORS_ONLN), n = 0;
        pid_t pids[16];

        OKAY("half", set_text(K("rt_runtime_us"), "500000"));
        must(fifo(0, SCHED_FIFO, 20) == 0, "fifo");
        for (; n < 2 * cpus && n < 16; n++)
                if ((pids[n] = fork()) == 0) {
                        fifo(0, n & 1 ? SCHED_FIFO : SCHED_OTHER, n & 1 ? 10 : 0);
                        for (;;)
                                count[n * 8]++;
                }
        int all = 0;
        for (int i = 0; i < 1000 && !all; i++) {
                sleep_ms(20);
                all = 1;
                for (int k = 0; k < n; k++)
                        all &= count[k * 8] != 0;
        }
        CHECK("all run", all);
        long before = switches();
        sleep_ms(2000);
        CHECK("nobody is driven around", switches() - before < 4000);
        for (int i = 0; i < n; i++) {
                kill(pids[i], SIGKILL);
                result_of(pids[i]);
        }
        must(fair() == 0, "fair");
        OKAY("back", set_text(K("rt_runtime_us"), "950000"));
}

int main(void)
{
        must(fifo(0, SCHED_FIFO, 50) == 0 && fair() == 0, "policy");
        values();
        CHECK("as user", in_child(as_user) == 0);
        admission();
        throttling(0);
        throttling(1);
        throttled_everywhere();
        return done();
}
