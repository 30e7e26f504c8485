/* SPDX-License-Identifier: Apache-2.0
 *
 * sched_deadline: SCHED_DEADLINE: admission, fork, affinity, order and budgets (sched(7)).
 */
#include "policy.h"

static volatile long *shared;
static int cpus;

static int children_hold(int n, struct attr a)
{
        int ok = 0;

        for (int i = 0; i < n; i++) {
                int   p[2];
                pid_t pid;

                must(pipe(p) == 0, "pipe");
                if ((pid = fork()) == 0) {
                        char c = setattr(a) == 0 ? 'y' : errno == EBUSY ? 'b' : '?';
                        if (write(p[1], &c, 1) != 1)
                                _exit(1);
                        for (;;)
                                pause();
                }
                char c = 0;
                must(read(p[0], &c, 1) == 1, "read");
                close(p[0]);
                close(p[1]);
                shared[100 + i] = pid;
                ok += c == 'y';
        }
        return ok;
}

static void end_children(int n)
{
        for (int i = 0; i < n; i++) {
                kill(shared[100 + i], SIGKILL);
                result_of(shared[100 + i]);
        }
        sleep_ms(250);          /* what they had reserved comes back when their deadlines have passed */
}

static void admission(void)
{
        /* 40 % of a CPU each: 2 fit on one, 4 on two (95 % each). */
        CHECK("as many as fit", children_hold(2 * cpus + 1, dl(40 * MS, 100 * MS, 100 * MS)) == (cpus * 95) / 40);
        FAILS("one more", EBUSY, setattr(dl(40 * MS, 100 * MS, 100 * MS)));
        OKAY("a small one", setattr(dl(1 * MS, 100 * MS, 100 * MS)));
        FAILS("which cannot grow", EBUSY, setattr(dl(40 * MS, 100 * MS, 100 * MS)));
        CHECK("and stays", getattr(0).runtime == MS);
        OKAY("fair", fair());
        end_children(2 * cpus + 1);
        CHECK("all is given back", children_hold(1, dl(60 * MS, 100 * MS, 100 * MS)) == 1);
        end_children(1);
        FAILS("above 95 % of all", EBUSY, cpus > 1 ? (errno = EBUSY, -1) : setattr(dl(96 * MS, 100 * MS, 100 * MS)));
}

static void affinity(void)
{
        cpu_set_t all, one;

        sched_getaffinity(0, sizeof all, &all);
        CPU_ZERO(&one);
        CPU_SET(0, &one);
        if (cpus > 1) {
                OKAY("bound to one", sched_setaffinity(0, sizeof one, &one));
                FAILS("deadline of the bound", EPERM, setattr(dl(1 * MS, 10 * MS, 10 * MS)));
                OKAY("unbound", sched_setaffinity(0, sizeof all, &all));
                OKAY("deadline", setattr(dl(1 * MS, 10 * MS, 10 * MS)));
                FAILS("binding", EBUSY, sched_setaffinity(0, sizeof one, &one));
        } else {
                OKAY("bound to one", 0);
                FAILS("deadline of the bound", EPERM, (errno = EPERM, -1));
                OKAY("unbound", 0);
                OKAY("deadline", setattr(dl(1 * MS, 10 * MS, 10 * MS)));
                FAILS("binding", EBUSY, (errno = EBUSY, -1));
        }
        OKAY("to all", sched_setaffinity(0, sizeof all, &all));
        OKAY("fair", fair());
}

static void forks(void)
{
        struct attr a = dl(1 * MS, 10 * MS, 10 * MS);

        OKAY("deadline", setattr(a));
        FAILS("fork", EAGAIN, fork());
        FAILS("vfork's clone", EAGAIN, syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
        a.flags = RESET;
        OKAY("reset on fork", setattr(a));
        pid_t pid = fork();
        if (pid == 0) {
                struct attr its = getattr(0);
                _exit(its.policy == SCHED_OTHER && its.nice == 0 && its.flags == 0 ? 7 : 8);
        }
        CHECK("the child is an ordinary one", result_of(pid) == 7);
        CHECK("the parent is not", getattr(0).policy == DEADLINE);
        static char line[65536];
        char *p;
        snprintf(line, sizeof line, "%s", text_of("/proc/self/stat"));
        p = strrchr(line, ')') + 2;
        for (int i = 3; i < 18; i++)
                p = strchr(p, ' ') + 1;
        CHECK("stat's priority", atoi(p) == -101);
        for (int i = 18; i < 40; i++)
                p = strchr(p, ' ') + 1;
        int rt = -1, policy = -1;
        sscanf(p, "%d %d", &rt, &policy);
        CHECK("stat's policy", rt == 0 && policy == DEADLINE);
        OKAY("fair", fair());
        OKAY("fifo, reset", setattr((struct attr){ .policy = SCHED_FIFO, .priority = 9, .flags = RESET }));
        setpriority(PRIO_PROCESS, 0, 5);
        if ((pid = fork()) == 0)
                _exit(getattr(0).policy == SCHED_OTHER && getpriority(PRIO_PROCESS, 0) == 0 ? 7 : 8);
        CHECK("fifo's child is ordinary", result_of(pid) == 7);
        OKAY("batch, reset", setattr((struct attr){ .policy = SCHED_BATCH, .nice = -5, .flags = RESET }));
        if ((pid = fork()) == 0)
                _exit(getattr(0).policy == SCHED_BATCH && getpriority(PRIO_PROCESS, 0) == 0 ? 7 : 8);
        CHECK("batch's child is batch, nice 0", result_of(pid) == 7);
        OKAY("batch, reset, nice 5", setattr((struct attr){ .policy = SCHED_BATCH, .nice = 5, .flags = RESET }));
        if ((pid = fork()) == 0)
                _exit(getattr(0).policy == SCHED_BATCH && getpriority(PRIO_PROCESS, 0) == 5 ? 7 : 8);
        CHECK("batch's child keeps nice 5", result_of(pid) == 7);
        OKAY("fair", fair());
}

/* A hog with 20 % of a CPU gets about that, though nothing else runs. */
static int budget(void)
{
        must(setattr(dl(20 * MS, 100 * MS, 100 * MS)) == 0, "deadline");
        double at = clock_s(CLOCK_MONOTONIC), used = clock_s(CLOCK_THREAD_CPUTIME_ID);
        burn_until(at + 1.5);
        double share = (clock_s(CLOCK_THREAD_CPUTIME_ID) - used) / (clock_s(CLOCK_MONOTONIC) - at);
        return share > 0.10 && share < 0.40 ? 0 : (int)(share * 100) + 1;
}

/* Yielding ends the instance: the next begins a period later. */
static int yields(void)
{
        must(setattr(dl(10 * MS, 50 * MS, 50 * MS)) == 0, "deadline");
        sched_yield();
        double at = clock_s(CLOCK_MONOTONIC);
        for (int i = 0; i < 10; i++)
                sched_yield();
        double took = clock_s(CLOCK_MONOTONIC) - at;
        return took > 0.42 && took < 1.5 ? 0 : (int)(took * 100) + 1;
}

static volatile sig_atomic_t overruns;
static void on_xcpu(int sig) { (void)sig; overruns++; }

static int overrun(void)
{
        struct attr a = dl(10 * MS, 50 * MS, 50 * MS);

        on(SIGXCPU, on_xcpu, 0);
        must(setattr(a) == 0, "deadline");
        burn_until(clock_s(CLOCK_MONOTONIC) + 0.4);
        CHECK("not told", overruns == 0);
        a.flags = OVERRUN;
        must(setattr(a) == 0, "deadline");
        burn_until(clock_s(CLOCK_MONOTONIC) + 0.6);
        CHECK("told of overruns", overruns >= 2);
        fair();
        return done();
}

/* On one CPU: a deadline thread is above a FIFO one. */
static int above_fifo(void)
{
        pid_t hogs[8];

        for (int i = 0; i < cpus; i++)
                if ((hogs[i] = fork()) == 0) {
                        fifo(0, SCHED_FIFO, 99);
                        alarm(4);
                        for (;;)
                                ;
                }
        must(fifo(0, SCHED_FIFO, 99) == 0, "fifo");     /* to get to the next line */
        must(setattr(dl(10 * MS, 50 * MS, 50 * MS)) == 0, "deadline");
        int worst = 0;
        for (int i = 0; i < 10; i++) {
                int64_t at = now_ms();
                sleep_ms(20);
                int late = (int)(now_ms() - at) - 20;
                worst = late > worst ? late : worst;
        }
        for (int i = 0; i < cpus; i++) {
                kill(hogs[i], SIGKILL);
                result_of(hogs[i]);
        }
        return worst < 400 ? 0 : 1;
}

int main(void)
{
        shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        cpus = sysconf(_SC_NPROCESSORS_ONLN);
        admission();
        affinity();
        forks();
        CHECK("a budget is a limit", in_child(budget) == 0);
        CHECK("sched_yield waits for the next period", in_child(yields) == 0);
        CHECK("overruns", in_child(overrun) == 0);
        CHECK("above fifo", in_child(above_fifo) == 0);
        return done();
}
