/* SPDX-License-Identifier: Apache-2.0
 *
 * sched_policies: FIFO and RR: order, preemption, rotation, yielding; priority inheritance over a chain.
 */
#include "policy.h"
#include "futex.h"
#include <pthread.h>

static volatile long *m;                /* shared memory */

/* A process on CPU 0 with a policy, that does `fn`. */
static pid_t start(int policy, int priority, void (*fn)(int), int arg)
{
        pid_t pid = fork();

        if (pid == 0) {
                on_cpu(0, 0);
                must(fifo(0, policy, priority) == 0, "policy");
                fn(arg);
                _exit(0);
        }
        return pid;
}

/* Both at once: the one may not get to its end while the other runs. */
static void end(pid_t a, pid_t b)
{
        kill(a, SIGKILL);
        kill(b, SIGKILL);
        result_of(a);
        result_of(b);
}

static void count(int slot)
{
        for (;;)
                m[slot * 8]++;
}

static void note_order(int id)
{
        m[100 + m[99]++] = id;
}

/* Woken together, by a FIFO thread above them all: they run by priority, the first come first. */
static void waits(int id)
{
        m[98]++;
        while (!m[97])
                syscall(SYS_futex, &m[97], FUTEX_WAIT, 0, NULL, NULL, 0);
        note_order(id);
}

static void order(void)
{
        pid_t p[5];
        int prio[5] = { 10, 30, 20, 30, 40 };

        m[97] = m[98] = m[99] = 0;
        on_cpu(0, 0);
        must(fifo(0, SCHED_FIFO, 90) == 0, "fifo");
        for (int i = 0; i < 5; i++) {
                p[i] = start(SCHED_FIFO, prio[i], waits, i);
                must(AWAIT(m[98] == i + 1) && state_becomes(p[i], 'S'), "it waits");
        }
        m[97] = 1;
        syscall(SYS_futex, &m[97], FUTEX_WAKE, 99, NULL, NULL, 0);
        CHECK("nobody runs before the highest sleeps", m[99] == 0);
        for (int i = 0; i < 5; i++)
                result_of(p[i]);
        CHECK("by priority", m[100] == 4 && m[103] == 2 && m[104] == 0);
        CHECK("first come first", m[101] == 1 && m[102] == 3);
        fair();
}

/* FIFO is not interrupted by its equals; RR is. */
static void rotation(void)
{
        pid_t a, b;

        on_cpu(0, 0);
        must(fifo(0, SCHED_FIFO, 90) == 0, "fifo");
        m[0] = m[8] = 0;
        a = start(SCHED_FIFO, 10, count, 0);
        b = start(SCHED_FIFO, 10, count, 1);
        must(AWAIT(m[0] || m[8]), "one runs");
        sleep_ms(500);
        CHECK("one FIFO thread has it all", !m[0] != !m[8]);
        end(a, b);
        m[0] = m[8] = 0;
        a = start(SCHED_RR, 10, count, 0);
        b = start(SCHED_RR, 10, count, 1);
        CHECK("RR threads share", AWAIT(m[0] && m[8]));
        end(a, b);
        m[0] = m[8] = 0;
        a = start(SCHED_RR, 10, count, 0);
        b = start(SCHED_RR, 9, count, 1);
        must(AWAIT(m[0]), "it runs");
        sleep_ms(500);
        CHECK("not with a lower one", m[0] && !m[8]);
        must(fifo(b, SCHED_RR, 11) == 0, "raise");
        must(AWAIT(m[8]), "raised");
        long was = m[0];
        sleep_ms(200);
        CHECK("raised, it runs", m[0] == was);
        must(fifo(b, SCHED_OTHER, 0) == 0, "lower");
        CHECK("fair, it leaves the processor", AWAIT(m[0] != was));
        end(a, b);
        fair();
}

static void yielder(int id)
{
        for (int i = 0; i < 3; i++) {
                note_order(id);
                sched_yield();
        }
}

static void yields(void)
{
        pid_t a, b;

        on_cpu(0, 0);
        must(fifo(0, SCHED_FIFO, 90) == 0, "fifo");
        m[99] = 0;
        a = start(SCHED_FIFO, 10, yielder, 1);
        b = start(SCHED_FIFO, 10, yielder, 2);
        result_of(a);
        result_of(b);
        CHECK("yielding goes round", m[99] == 6 && m[100] != m[101] && m[101] != m[102] && m[102] != m[103] && m[103] != m[104] && m[104] != m[105]);
        /* To lower ones nothing is yielded. */
        m[99] = 0;
        a = start(SCHED_FIFO, 11, yielder, 1);
        b = start(SCHED_FIFO, 10, yielder, 2);
        result_of(a);
        result_of(b);
        CHECK("not to lower ones", m[100] == 1 && m[101] == 1 && m[102] == 1 && m[103] == 2);
        fair();
}

/* An ordinary hog that wakes a FIFO thread of its CPU loses it at once. */
static void wakes(int unused)
{
        (void)unused;
        for (;;) {
                long n = m[96];
                syscall(SYS_futex, &m[96], FUTEX_WAIT, (int)n, NULL, NULL, 0);
                m[95]++;
        }
}

static void preemption(void)
{
        pid_t p;
        int late = 0;

        on_cpu(0, 0);
        m[95] = m[96] = 0;
        p = start(SCHED_FIFO, 10, wakes, 0);
        must(state_becomes(p, 'S'), "it waits");
        for (int i = 0; i < 200; i++) {
                long n = m[95];
                m[96]++;
                syscall(SYS_futex, &m[96], FUTEX_WAKE, 1, NULL, NULL, 0);
                late += m[95] == n;
                if (i % 10 == 0)
                        sleep_ms(1);
        }
        CHECK("at once", late == 0);
        kill(p, SIGKILL);
        result_of(p);
        /* And a hog elsewhere loses its processor to who is bound there. */
        m[95] = m[96] = 0;
        m[0] = 0;
        pid_t h = start(SCHED_OTHER, 0, count, 0);
        p = start(SCHED_FIFO, 10, wakes, 0);
        must(AWAIT(m[0]) && state_becomes(p, 'S'), "one runs, one waits");
        int cpus = sysconf(_SC_NPROCESSORS_ONLN);
        on_cpu(0, cpus - 1);
        late = 0;
        for (int i = 0; i < 20; i++) {
                long n = m[95];
                m[96]++;
                syscall(SYS_futex, &m[96], FUTEX_WAKE, 1, NULL, NULL, 0);
                late += !AWAIT(m[95] != n);
                must(state_becomes(p, 'S'), "it waits");
        }
        CHECK("within a moment", late == 0);
        end(p, h);
}

int main(void)
{
        m = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        order();
        rotation();
        yields();
        preemption();
        return done();
}
