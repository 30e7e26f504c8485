/* SPDX-License-Identifier: Apache-2.0
 *
 * sched_whose: whose scheduling is changed, and who may: groups, users and all their threads; whose ids must be the same; the
 * dead; what is told first when several things are wrong.
 */
#include "policy.h"
#include "show.h"
#include <linux/ioprio.h>
#include <pthread.h>
#include <sys/prctl.h>

static volatile pid_t *m;

static int nice_of(pid_t t)
{
        errno = 0;
        int n = getpriority(PRIO_PROCESS, t);
        return errno ? -100 - errno : n;
}

static long io_of(int which, int who) { return syscall(SYS_ioprio_get, which, who); }
static long io_set(int which, int who, int level) { return syscall(SYS_ioprio_set, which, who, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, level)); }

static void *stays(void *arg)
{
        m[(long)arg] = gettid();
        while (getpid())
                pause();
        return NULL;
}

/* A process of two threads, m[i] the second, with these ids, in this group (0: its own). */
static pid_t two(int i, uid_t real, uid_t effective, pid_t group)
{
        m[i] = 0;
        pid_t p = fork();
        if (p == 0) {
                pthread_t t;
                setpgid(0, group);
                if (real)
                        setresuid(real, effective, 0);
                pthread_create(&t, NULL, stays, (void *)(long)i);
                for (;;)
                        pause();
        }
        must(AWAIT(m[i]), "two threads");
        return p;
}

static void ends(pid_t p)
{
        kill(p, SIGKILL);
        result_of(p);
}

static void groups(void)
{
        pid_t a = two(0, 0, 0, 0), b = two(1, 0, 0, a);

        SHOW("a group", setpriority(PRIO_PGRP, a, 5));
        SHOW("its leader", nice_of(a));
        SHOW("its second thread", nice_of(m[0]));
        SHOW("the other", nice_of(b));
        SHOW("the other's second", nice_of(m[1]));
        SHOW("one", setpriority(PRIO_PROCESS, m[1], 2));
        SHOW("not its leader", nice_of(b));
        SHOW("the best of the group", getpriority(PRIO_PGRP, a));
        SHOW("io of a group", io_set(IOPRIO_WHO_PGRP, a, 6));
        SHOW("io of its leader", io_of(IOPRIO_WHO_PROCESS, a));
        SHOW("io of its second", io_of(IOPRIO_WHO_PROCESS, m[0]));
        SHOW("io of the other's second", io_of(IOPRIO_WHO_PROCESS, m[1]));
        SHOW("io of one", io_set(IOPRIO_WHO_PROCESS, m[1], 3));
        SHOW("the best io of the group", io_of(IOPRIO_WHO_PGRP, a));
        SHOW("no group", setpriority(PRIO_PGRP, m[1], 1));
        SHOW("nobody's", setpriority(PRIO_PGRP, 999999, 1));
        SHOW("a user's that is not there", setpriority(PRIO_USER, 4711, 1));
        SHOW("its io", io_set(IOPRIO_WHO_USER, 4711, 1));
        ends(a), ends(b);
        a = two(0, 4711, 4712, 0);
        SHOW("the real user's", setpriority(PRIO_USER, 4711, 7));
        SHOW("first", nice_of(a));
        SHOW("second", nice_of(m[0]));
        SHOW("the effective user's", setpriority(PRIO_USER, 4712, 8));
        SHOW("the best of it", getpriority(PRIO_USER, 4711));
        SHOW("no such", setpriority(3, 0, 0));
        SHOW("no such, nobody", setpriority(-1, 999999, 0));
        ends(a);
}

/* As real user 4711, effective 4712. */
static int others(void)
{
        cpu_set_t all;
        const struct { uid_t real, effective; } ids[] = { { 4711, 4711 }, { 4711, 4713 }, { 4712, 4713 }, { 4713, 4712 }, { 4713, 4711 }, { 4713, 4713 } };

        memset(&all, 0xff, sizeof all);
        setresuid(4711, 4712, 0);
        for (unsigned i = 0; i < sizeof ids / sizeof ids[0]; i++) {
                pid_t p = m[10 + i];
                say("-- %d %d\n", ids[i].real, ids[i].effective);
                SHOW("nice", setpriority(PRIO_PROCESS, p, 3));
                SHOW("nicer", setpriority(PRIO_PROCESS, p, -3));
                SHOW("policy", fifo(p, SCHED_BATCH, 0));
                SHOW("fifo", fifo(p, SCHED_FIFO, 1));
                SHOW("affinity", sched_setaffinity(p, sizeof all, &all));
                SHOW("io", io_set(IOPRIO_WHO_PROCESS, p, 3));
                SHOW("asking", nice_of(p));
        }
        /* One after another: the last error counts, a success does not. */
        SHOW("a group of all of them", setpriority(PRIO_PGRP, m[10], 9));
        for (int i = 0; i < 6; i++)
                SHOW("now", nice_of(m[10 + i]));
        SHOW("all lower", setpriority(PRIO_PGRP, m[10], 2));
        SHOW("the user's", setpriority(PRIO_USER, 4713, 12));
        SHOW("own user", setpriority(PRIO_USER, 0, 13));
        SHOW("itself", nice_of(0));
        SHOW("one of the real user", nice_of(m[10]));
        return done();
}

static void rights(void)
{
        const struct { uid_t real, effective; } ids[] = { { 4711, 4711 }, { 4711, 4713 }, { 4712, 4713 }, { 4713, 4712 }, { 4713, 4711 }, { 4713, 4713 } };

        for (int i = 0; i < 6; i++)
                m[10 + i] = two(20 + i, ids[i].real, ids[i].effective, i ? m[10] : 0);
        CHECK("the others", in_child(others) == 0);
        for (int i = 0; i < 6; i++)
                ends(m[10 + i]);
}

static void the_dead(void)
{
        cpu_set_t all, none;
        pid_t p = fork();

        if (p == 0)
                _exit(3);
        must(state_becomes(p, 'Z'), "it is dead");
        memset(&all, 0xff, sizeof all);
        CPU_ZERO(&none);
        SHOW("dead: nice", setpriority(PRIO_PROCESS, p, 3));
        SHOW("dead: told", nice_of(p));
        SHOW("dead: fifo", fifo(p, SCHED_FIFO, 3));
        SHOW("dead: policy", syscall(SYS_sched_getscheduler, p));
        SHOW("dead: other", fifo(p, SCHED_OTHER, 0));
        SHOW("dead: affinity", sched_setaffinity(p, sizeof all, &all));
        SHOW("dead: no affinity", sched_setaffinity(p, sizeof none, &none));
        SHOW("dead: asked", sched_getaffinity(p, sizeof all, &all) == 0);
        SHOW("dead: io", io_set(IOPRIO_WHO_PROCESS, p, 2));
        result_of(p);
        SHOW("gone: nice", setpriority(PRIO_PROCESS, p, 3));
        SHOW("gone: fifo", fifo(p, SCHED_FIFO, 3));
        SHOW("gone: affinity", sched_setaffinity(p, sizeof all, &all));
        SHOW("gone: io", io_set(IOPRIO_WHO_PROCESS, p, 2));
        SHOW("gone: bad policy", fifo(p, 77, 3));
        SHOW("gone: no affinity", sched_setaffinity(p, sizeof none, &none));
}

static int several(void)
{
        cpu_set_t none;

        CPU_ZERO(&none);
        OKAY("deadline", setattr(dl(1 * MS, 10 * MS, 10 * MS)));
        SHOW("deadline: to no CPU", sched_setaffinity(0, sizeof none, &none));
        OKAY("fair", fair());
        SHOW("to no CPU", sched_setaffinity(0, sizeof none, &none));
        SHOW("a bad class", syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 999999, 4 << 13));
        SHOW("a bad kind and class", syscall(SYS_ioprio_set, 9, 999999, 4 << 13));
        SHOW("a bad kind", syscall(SYS_ioprio_set, 9, 999999, 2 << 13));
        SHOW("idle with a level", syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, 3 << 13 | 7));
        SHOW("which is told", syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0));
        SHOW("none", syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, 0));
        SHOW("none is told", syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0));
        SHOW("none with a level", syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, 1));
        setpriority(PRIO_PROCESS, 0, 19);
        SHOW("none at nice 19", syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0));
        setpriority(PRIO_PROCESS, 0, -20);
        SHOW("none at nice -20", syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0));
        fifo(0, SCHED_FIFO, 2);
        SHOW("none as fifo", syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0));
        fifo(0, SCHED_IDLE, 0);
        SHOW("none as idle", syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0));
        become_user(1000);
        SHOW("user: real time class", syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 999999, 1 << 13 | 9));
        SHOW("user: nobody", sched_setaffinity(999999, sizeof none, &none));
        SHOW("user: init to no CPU", sched_setaffinity(1, sizeof none, &none));
        SHOW("user: init, bad priority", fifo(1, SCHED_FIFO, 100));
        SHOW("user: init, fifo", fifo(1, SCHED_FIFO, 1));
        SHOW("user: nicer", setpriority(PRIO_PROCESS, 0, -20));
        return done();
}

int main(void)
{
        m = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        groups();
        rights();
        the_dead();
        CHECK("several things wrong", in_child(several) == 0);
        return done();
}
