/* SPDX-License-Identifier: Apache-2.0
 *
 * rusage_kinds: getrusage(2), times(2) and wait4(2)'s usage: of whom, and when it is added to whom.
 */
#include "policy.h"
#include <pthread.h>
#include <sys/times.h>

static double usage(int who)
{
        struct rusage r;

        if (syscall(SYS_getrusage, who, &r) < 0)
                return -1;
        return r.ru_utime.tv_sec + r.ru_utime.tv_usec / 1e6 + r.ru_stime.tv_sec + r.ru_stime.tv_usec / 1e6;
}

static void burn(double s)
{
        double until = clock_s(CLOCK_THREAD_CPUTIME_ID) + s;

        while (clock_s(CLOCK_THREAD_CPUTIME_ID) < until)
                ;
}

static pid_t burner(double s)
{
        pid_t pid = fork();

        if (pid == 0) {
                burn(s);
                _exit(0);
        }
        return pid;
}

static void *thread(void *arg)
{
        burn(0.3);
        *(double *)arg = usage(RUSAGE_THREAD);
        return arg;
}

int main(void)
{
        struct rusage r;
        struct tms t0, t1;
        long (*const call)(long, ...) = syscall;

        FAILS("who", EINVAL, call(SYS_getrusage, 2, &r));
        FAILS("who -2", EINVAL, call(SYS_getrusage, -2, &r));
        FAILS("bad address", EFAULT, call(SYS_getrusage, 0, BAD_PTR));
        FAILS("times: bad address", EFAULT, call(SYS_times, BAD_PTR));
        OKAY("times: none", call(SYS_times, NULL));
        memset(&r, 0xff, sizeof r);
        OKAY("self", call(SYS_getrusage, RUSAGE_SELF, &r));
        CHECK("what is not counted is 0", !r.ru_ixrss && !r.ru_idrss && !r.ru_isrss && !r.ru_nswap && !r.ru_msgsnd && !r.ru_msgrcv && !r.ru_nsignals);
        CHECK("something is resident", r.ru_maxrss > 0);
        CHECK("and faulted in", r.ru_minflt > 0);
        OKAY("children", call(SYS_getrusage, RUSAGE_CHILDREN, &r));
        CHECK("there were none", !r.ru_utime.tv_sec && !r.ru_utime.tv_usec && !r.ru_maxrss && !r.ru_minflt);

        double self = usage(RUSAGE_SELF), th = 0;
        pthread_t p;
        pthread_create(&p, NULL, thread, &th);
        pthread_join(p, NULL);
        CHECK("a thread's own", th > 0.1 && th < 1);
        CHECK("counts for the process", usage(RUSAGE_SELF) - self > 0.1);
        CHECK("not for this thread", usage(RUSAGE_THREAD) < usage(RUSAGE_SELF) - 0.1);

        times(&t0);
        pid_t pid = burner(0.3);
        siginfo_t info;
        waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
        CHECK("not before it is waited for", usage(RUSAGE_CHILDREN) < 0.05);
        CHECK("wait4 tells", wait4(pid, NULL, 0, &r) == pid && r.ru_utime.tv_sec + r.ru_utime.tv_usec / 1e6 + r.ru_stime.tv_sec + r.ru_stime.tv_usec / 1e6 > 0.2);
        CHECK("then it counts", usage(RUSAGE_CHILDREN) > 0.2);
        times(&t1);
        CHECK("times, too", t1.tms_cutime + t1.tms_cstime - t0.tms_cutime - t0.tms_cstime >= 20);
        CHECK("largest child", getrusage(RUSAGE_CHILDREN, &r) == 0 && r.ru_maxrss > 0);

        /* Grandchildren count when their parents waited for them. */
        double before = usage(RUSAGE_CHILDREN);
        if ((pid = fork()) == 0) {
                result_of(burner(0.3));
                _exit(0);
        }
        result_of(pid);
        CHECK("a grandchild's", usage(RUSAGE_CHILDREN) - before > 0.2);
        before = usage(RUSAGE_CHILDREN);
        int pp[2];
        must(pipe(pp) == 0, "pipe");
        if ((pid = fork()) == 0) {
                if (fork() == 0) {
                        burn(0.3);
                        _exit(0);
                }
                _exit(0);
        }
        result_of(pid);
        close(pp[1]);
        char c;
        must(read(pp[0], &c, 1) == 0, "read");
        sleep_ms(50);
        CHECK("not one that nobody waited for", usage(RUSAGE_CHILDREN) - before < 0.1);
        /* Ignored, children count nowhere. */
        before = usage(RUSAGE_CHILDREN);
        signal(SIGCHLD, SIG_IGN);
        pid = burner(0.3);
        CHECK("no status", waitpid(pid, NULL, 0) == -1 && errno == ECHILD);
        CHECK("and no usage", usage(RUSAGE_CHILDREN) - before < 0.1);
        signal(SIGCHLD, SIG_DFL);
        /* waitid has a fifth argument. */
        pid = burner(0.2);
        memset(&r, 0, sizeof r);
        OKAY("waitid", call(SYS_waitid, P_PID, pid, &info, WEXITED, &r));
        CHECK("waitid's usage", r.ru_utime.tv_sec + r.ru_utime.tv_usec / 1e6 + r.ru_stime.tv_sec + r.ru_stime.tv_usec / 1e6 > 0.1);
        /* Of a stopped child. */
        if ((pid = fork()) == 0) {
                burn(0.2);
                raise(SIGSTOP);
                _exit(0);
        }
        int st;
        memset(&r, 0, sizeof r);
        CHECK("stopped", wait4(pid, &st, WUNTRACED, &r) == pid && WIFSTOPPED(st) && r.ru_utime.tv_sec * 1000000 + r.ru_utime.tv_usec + r.ru_stime.tv_usec > 100000);
        before = usage(RUSAGE_CHILDREN);
        kill(pid, SIGCONT);
        result_of(pid);
        CHECK("counted once", usage(RUSAGE_CHILDREN) - before > 0.1 && usage(RUSAGE_CHILDREN) - before < 1);
        /* Switches. */
        struct rusage a, b;
        getrusage(RUSAGE_THREAD, &a);
        for (int i = 0; i < 20; i++)
                sleep_ms(1);
        getrusage(RUSAGE_THREAD, &b);
        CHECK("voluntary switches", b.ru_nvcsw - a.ru_nvcsw >= 20);
        long faults = b.ru_minflt;
        char *m = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        madvise(m, 64 * PAGE, MADV_NOHUGEPAGE);
        for (int i = 0; i < 64; i++)
                m[i * PAGE] = 1;
        getrusage(RUSAGE_SELF, &b);
        CHECK("faults", b.ru_minflt - faults >= 4);
        return done();
}
