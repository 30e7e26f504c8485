/* SPDX-License-Identifier: Apache-2.0
 *
 * futex_pi_loan: what the owner of a PI lock runs at while its own policy is changed: never less than it was lent; chains of
 * owners, and circles of them.
 */
#include "show.h"
#include <linux/futex.h>
#include <linux/sched.h>
#include <pthread.h>

#define P    FUTEX_PRIVATE_FLAG
#define MANY 40

static uint32_t word[MANY + 1];
static int      go[MANY + 1][2];
static volatile pid_t tid[MANY + 1];
static volatile int   told[MANY + 1];

static long fx(uint32_t *u, int op) { return syscall(SYS_futex, u, op | P, 0, NULL, NULL, 0); }

/* The priority that is in force, as /proc tells it. */
static int prio(pid_t t)
{
        char path[64];
        int v = -1000;

        snprintf(path, sizeof path, "/proc/self/task/%d/stat", t);
        const char *p = strrchr(text_of(path), ')');
        if (p)
                sscanf(p, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %d", &v);
        return v;
}

static void set(pid_t t, int policy, int p)
{
        struct sched_param s = { .sched_priority = p };
        must(syscall(SYS_sched_setscheduler, t, policy, &s) == 0, "sched_setscheduler");
}

static void show(const char *name, pid_t t)
{
        struct sched_param s = { .sched_priority = -1 };
        long policy = syscall(SYS_sched_getscheduler, t);
        syscall(SYS_sched_getparam, t, &s);
        say("%s: %d (own: %ld, %d)\n", name, prio(t), policy, s.sched_priority);
}

static void wait_for(volatile pid_t *v)
{
        while (!*v)
                sleep_ms(1);
}

/* Takes its lock, waits for a byte, takes the next one if that says so, and gives both back. */
static void *holder(void *arg)
{
        long i = (long)arg;
        char c = 0;

        told[i] = 0;
        if (fx(&word[i], FUTEX_LOCK_PI) != 0)
                told[i] = -1;
        tid[i] = gettid();
        while (read(go[i][0], &c, 1) == 1 && c == 'n') {
                int k = i == 0 ? MANY : (int)i - 1;
                told[i] = fx(&word[k], FUTEX_LOCK_PI) == 0 ? 1 : errno;
                if (told[i] == 1)
                        fx(&word[k], FUTEX_UNLOCK_PI);
        }
        fx(&word[i], FUTEX_UNLOCK_PI);
        tid[i] = 0;
        if (c == 'q')
                return NULL;
        while (read(go[i][0], &c, 1) == 1 && c != 'q')
                ;
        return NULL;
}

static int  waiting;
static void *waiter(void *arg)
{
        set(0, SCHED_FIFO, (int)(long)arg);
        waiting = 1;
        fx(&word[0], FUTEX_LOCK_PI);
        fx(&word[0], FUTEX_UNLOCK_PI);
        return NULL;
}

static void loans(void)
{
        pthread_t o, w, v;
        pid_t t;

        pthread_create(&o, NULL, holder, (void *)0);
        wait_for(&tid[0]);
        t = tid[0];
        show("at first", t);
        set(t, SCHED_FIFO, 50);
        show("its own", t);
        pthread_create(&w, NULL, waiter, (void *)30);
        threads_asleep(2);
        show("lent less", t);
        set(t, SCHED_FIFO, 40);
        show("lowered, still above", t);
        set(t, SCHED_FIFO, 10);
        show("lowered below", t);
        set(t, SCHED_RR, 35);
        show("raised above", t);
        set(t, SCHED_OTHER, 0);
        show("no own", t);
        set(t, SCHED_FIFO, 30);
        show("the same", t);
        set(t, SCHED_BATCH, 0);
        show("batch", t);
        set(t, SCHED_FIFO, 60);
        show("high above", t);
        pthread_create(&v, NULL, waiter, (void *)45);
        threads_asleep(3);
        show("lent more, less than its own", t);
        set(t, SCHED_IDLE, 0);
        show("idle", t);
        set(t, SCHED_FIFO, 46);
        show("above again", t);
        set(t, SCHED_OTHER, 0);
        show("and not", t);
        struct sched_attr { uint32_t size, policy; uint64_t flags; int32_t nice; uint32_t priority; uint64_t runtime, deadline, period; };
        struct sched_attr d = { .size = sizeof d, .policy = SCHED_DEADLINE, .runtime = 10000000, .deadline = 100000000, .period = 100000000 };
        SHOW("a deadline", syscall(SYS_sched_setattr, t, &d, 0));
        show("a deadline", t);
        set(t, SCHED_OTHER, 0);
        show("and none", t);
        write(go[0][1], "q", 1);
        pthread_join(o, NULL), pthread_join(w, NULL), pthread_join(v, NULL);
        CHECK("nobody has it", word[0] == 0);
}

/* Given back, the loan is. */
static void returned(void)
{
        pthread_t o, w;
        pid_t t;

        pthread_create(&o, NULL, holder, (void *)0);
        wait_for(&tid[0]);
        t = tid[0];
        set(t, SCHED_FIFO, 50);
        pthread_create(&w, NULL, waiter, (void *)30);
        threads_asleep(2);
        set(t, SCHED_FIFO, 20);
        show("lent", t);
        write(go[0][1], "u", 1);
        pthread_join(w, NULL);
        show("given back", t);
        set(t, SCHED_OTHER, 0);
        show("its own again", t);
        write(go[0][1], "q", 1);
        pthread_join(o, NULL);
}

static volatile pid_t waiter_tid;
static void *plain_waiter(void *arg)
{
        set(0, SCHED_OTHER, 0);
        waiter_tid = gettid();
        fx(&word[0], FUTEX_LOCK_PI);
        fx(&word[0], FUTEX_UNLOCK_PI);
        return arg;
}

/* Who waits gets another priority meanwhile. */
static void changes(void)
{
        pthread_t o, w;
        pid_t t;

        pthread_create(&o, NULL, holder, (void *)0);
        wait_for(&tid[0]);
        t = tid[0];
        set(t, SCHED_OTHER, 0);
        pthread_create(&w, NULL, plain_waiter, NULL);
        threads_asleep(2);
        show("nothing lent", t);
        set(waiter_tid, SCHED_FIFO, 20);
        show("the waiter's is changed", t);
        set(waiter_tid, SCHED_RR, 45);
        show("and again", t);
        set(t, SCHED_FIFO, 30);
        show("with one of its own", t);
        set(t, SCHED_OTHER, 0);
        set(waiter_tid, SCHED_FIFO, 46);
        write(go[0][1], "u", 1);
        pthread_join(w, NULL);
        show("given back", t);
        write(go[0][1], "q", 1);
        pthread_join(o, NULL);
}

/* 1 waits for 0, 2 for 1, and so on. */
static void chain(void)
{
        pthread_t t[MANY + 1];
        int good = 0;

        for (long i = 0; i <= MANY; i++) {
                pthread_create(&t[i], NULL, holder, (void *)i);
                wait_for(&tid[i]);
                set(tid[i], SCHED_OTHER, 0);
        }
        for (int i = 1; i < MANY; i++) {
                write(go[i][1], "n", 1);
                while (!(*(volatile uint32_t *)&word[i - 1] & FUTEX_WAITERS))
                        sleep_ms(1);
        }
        threads_asleep(MANY + 1);
        set(tid[MANY], SCHED_FIFO, 33);
        show("the first, before", tid[0]);
        write(go[MANY][1], "n", 1);
        while (!(*(volatile uint32_t *)&word[MANY - 1] & FUTEX_WAITERS))
                sleep_ms(1);
        threads_asleep(MANY + 1);
        for (int i = 0; i < MANY; i++)
                good += prio(tid[i]) == -34;
        SHOW("all run at it", good);
        write(go[0][1], "n", 1);                /* the circle is closed */
        while (!told[0])
                sleep_ms(1);
        SHOW("a circle of many", told[0]);
        set(tid[MANY], SCHED_FIFO, 55);         /* the last of the chain */
        good = 0;
        for (int i = 0; i < MANY; i++)
                good += prio(tid[i]) == -56;
        SHOW("all run at its new one", good);
        FAILS("ours to take, it is not", EAGAIN, fx(&word[MANY / 2], FUTEX_TRYLOCK_PI));
        show("the first, still", tid[0]);
        pid_t first = tid[0];
        write(go[0][1], "u", 1);                /* and so each gets the one below */
        while (tid[0])
                sleep_ms(1);
        show("the first, without the lock", first);
        write(go[0][1], "q", 1);
        for (int i = 1; i <= MANY; i++)
                write(go[i][1], "q", 1);
        for (int i = 0; i <= MANY; i++)
                pthread_join(t[i], NULL);
        good = 0;
        for (int i = 0; i <= MANY; i++)
                good += word[i] == 0 && (i == 0 || told[i] == 1);
        SHOW("all went through", good);
}

int main(void)
{
        for (int i = 0; i <= MANY; i++)
                pipe(go[i]);
        set(0, SCHED_FIFO, 99);
        loans();
        returned();
        changes();
        chain();
        return done();
}
