/* SPDX-License-Identifier: Apache-2.0
 *
 * clock_cpu: the processor-time clocks of processes and threads, own and others': names, errors, what they measure.
 */
#include "policy.h"
#include <pthread.h>

#define PROF  0
#define VIRT  1
#define SCHED 2
#define P(pid, which) ((clockid_t)((~(unsigned)(pid)) << 3 | (which)))
#define T(tid, which) ((clockid_t)((~(unsigned)(tid)) << 3 | 4 | (which)))

static volatile pid_t tid;
static volatile int stop, burn;

static void *thread(void *arg)
{
        tid = syscall(SYS_gettid);
        while (!stop)
                if (!burn)
                        sleep_ms(2);
        return arg;
}

static int has(clockid_t id)
{
        struct timespec t;

        return syscall(SYS_clock_gettime, id, &t);
}

static int as_user(pid_t parent)
{
        become_user(1000);
        OKAY("user: another user's process", has(P(parent, SCHED)));
        OKAY("user: init's", has(P(1, PROF)));
        return done();
}

int main(void)
{
        struct timespec t;
        pthread_t th;

        OKAY("own", has(P(0, SCHED)));
        OKAY("own by number", has(P(getpid(), SCHED)));
        OKAY("own user time", has(P(0, VIRT)));
        OKAY("own user and system time", has(P(0, PROF)));
        FAILS("kind 3 of a process", EINVAL, has(P(0, 3)));
        OKAY("own thread", has(T(0, SCHED)));
        OKAY("thread by number", has(T(getpid(), VIRT)));
        FAILS("nobody", EINVAL, has(P(4000000, SCHED)));
        FAILS("no such thread", EINVAL, has(T(4000000, SCHED)));
        FAILS("another process's thread", EINVAL, has(T(1, SCHED)));
        OKAY("init", has(P(1, SCHED)));
        OKAY("resolution", syscall(SYS_clock_getres, P(0, SCHED), &t));
        CHECK("a nanosecond", t.tv_sec == 0 && t.tv_nsec == 1);
        OKAY("resolution of PROF", syscall(SYS_clock_getres, P(0, PROF), &t));
        FAILS("resolution of nobody's", EINVAL, syscall(SYS_clock_getres, P(4000000, SCHED), &t));
        FAILS("set", EPERM, syscall(SYS_clock_settime, P(0, SCHED), &t));
        FAILS("set the process's", EINVAL, syscall(SYS_clock_settime, CLOCK_PROCESS_CPUTIME_ID, &t));
        FAILS("set nobody's", EINVAL, syscall(SYS_clock_settime, P(4000000, SCHED), &t));
        FAILS("descriptor -1", EINVAL, has((clockid_t)(~0u << 3 | 4 | 3) | 0));
        FAILS("bad address", EFAULT, syscall(SYS_clock_gettime, P(0, SCHED), BAD_PTR));

        pthread_create(&th, NULL, thread, NULL);
        while (!tid)
                sleep_ms(1);
        OKAY("a thread of this process", has(T(tid, SCHED)));
        FAILS("a thread is no process", EINVAL, has(P(tid, SCHED)));
        clockid_t id;
        CHECK("pthread_getcpuclockid", pthread_getcpuclockid(th, &id) == 0 && id == T(tid, SCHED));
        CHECK("clock_getcpuclockid", clock_getcpuclockid(getpid(), &id) == 0 && id == P(getpid(), SCHED));
        CHECK("of nobody", clock_getcpuclockid(4000000, &id) != 0);

        double its = clock_s(T(tid, SCHED)), mine = clock_s(CLOCK_THREAD_CPUTIME_ID), all = clock_s(P(0, SCHED));
        burn = 1;
        sleep_ms(500);
        burn = 0;
        double did = clock_s(T(tid, SCHED)) - its;
        CHECK("the thread's time", did > 0.05);
        CHECK("is not mine", clock_s(CLOCK_THREAD_CPUTIME_ID) - mine < did);
        CHECK("but the process's", clock_s(P(0, SCHED)) - all >= did * 0.99);
        CHECK("user time is less", clock_s(P(0, VIRT)) <= clock_s(P(0, PROF)) + 0.02);
        stop = 1;
        pthread_join(th, NULL);
        sleep_ms(20);
        FAILS("it is gone", EINVAL, has(T(tid, SCHED)));
        CHECK("its time stays with the process", clock_s(P(0, SCHED)) - all >= did * 0.99);

        pid_t pid = fork();
        if (pid == 0)
                for (;;)
                        ;
        sleep_ms(300);
        CHECK("a child's time", clock_s(P(pid, SCHED)) > 0.02);
        CHECK("begins at 0", clock_s(P(pid, SCHED)) < 2);
        kill(pid, SIGKILL);
        siginfo_t info;
        waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
        OKAY("a zombie's", has(P(pid, SCHED)));
        result_of(pid);
        FAILS("nobody's", EINVAL, has(P(pid, SCHED)));
        pid_t self = getpid();
        if ((pid = fork()) == 0) {
                failures = 0;
                _exit(as_user(self));
        }
        CHECK("as user", result_of(pid) == 0);

        struct timespec past = { 0, 1 }, left;
        OKAY("sleep until passed", syscall(SYS_clock_nanosleep, P(0, SCHED), TIMER_ABSTIME, &past, NULL));
        FAILS("by a thread's own", EINVAL, syscall(SYS_clock_nanosleep, T(0, SCHED), 0, &past, NULL));
        FAILS("by CLOCK_THREAD_CPUTIME_ID", EOPNOTSUPP, syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &past, NULL));
        FAILS("by nobody's", EINVAL, syscall(SYS_clock_nanosleep, P(4000000, SCHED), 0, &past, NULL));
        if ((pid = fork()) == 0)
                for (;;)
                        ;
        double at = clock_s(P(pid, SCHED));
        struct timespec some = { 0, 200000000 };
        OKAY("by a child's time", syscall(SYS_clock_nanosleep, P(pid, SCHED), 0, &some, &left));
        CHECK("that much later", clock_s(P(pid, SCHED)) - at >= 0.19);
        kill(pid, SIGKILL);
        result_of(pid);
        return done();
}
