/* SPDX-License-Identifier: Apache-2.0
 *
 * futex_pi_loan: what the owner of a PI lock runs at while its own policy is changed: never less than it was lent; and when
 * those leave who lent it; chains of owners, and circles of them.
 */
#include "show.h"
#include <sys/mman.h>
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

/* ---- Who lends leaves ---- */

static uint32_t *shared;                /* words of all processes */

static long sx(int i, int op) { return syscall(SYS_futex, &shared[i], op, 0, NULL, NULL, 0); }

static int prio_of(pid_t p)
{
        char path[64];
        int v = -1000;

        snprintf(path, sizeof path, "/proc/%d/stat", p);
        const char *at = strrchr(text_of(path), ')');
        if (at)
                sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %d", &v);
        return v;
}

static void told_of(const char *name) { say("%s: %d\n", name, prio_of(getpid())); }

/* A process of this priority (0: none) that takes the lock `own`, if that is not negative, and waits for the lock `i`. */
static pid_t waits_at(int priority, int own, int i)
{
        pid_t p = fork();

        if (p == 0) {
                if (own >= 0)
                        sx(own, FUTEX_LOCK_PI);
                set(0, priority ? SCHED_FIFO : SCHED_OTHER, priority);
                _exit(sx(i, FUTEX_LOCK_PI) == 0 ? 0 : 1);
        }
        while (!(*(volatile uint32_t *)&shared[i] & FUTEX_WAITERS))
                sleep_ms(1);
        must(state_becomes(p, 'S'), "it waits");
        return p;
}

static void leaves(pid_t p)
{
        kill(p, SIGKILL);
        result_of(p);
}

static void leaving(void)
{
        pid_t a, b, c, d;

        OKAY("ours", sx(0, FUTEX_LOCK_PI));
        a = waits_at(30, -1, 0), b = waits_at(45, -1, 0), c = waits_at(45, -1, 0), d = waits_at(20, -1, 0);
        told_of("four wait");
        leaves(b);
        told_of("one of the two best left");
        leaves(c);
        told_of("the other left");
        leaves(d);
        told_of("the last left");
        b = waits_at(0, -1, 0);
        told_of("one came that has nothing to lend");
        leaves(a);
        told_of("it is alone");
        set(b, SCHED_RR, 17);
        told_of("now it has");
        set(b, SCHED_RR, 40);
        told_of("more");
        set(b, SCHED_FIFO, 12);
        told_of("less");
        set(b, SCHED_OTHER, 0);
        told_of("none");
        set(b, SCHED_FIFO, 50);
        leaves(b);
        told_of("nobody waits");

        OKAY("another one", sx(1, FUTEX_LOCK_PI));
        a = waits_at(30, -1, 0), b = waits_at(50, -1, 1);
        told_of("for two locks");
        leaves(b);
        told_of("the second's left");
        b = waits_at(50, -1, 1);
        told_of("and came");
        OKAY("given back", sx(1, FUTEX_UNLOCK_PI));
        told_of("with the first");
        CHECK("it was given the lock", result_of(b) == 0);
        leaves(a);
        told_of("without");

        a = waits_at(0, 2, 0), b = waits_at(35, -1, 2);
        told_of("at the end of a chain");
        say("in its middle: %d\n", prio_of(a));
        set(b, SCHED_FIFO, 25);
        told_of("its beginning has less");
        c = waits_at(22, -1, 0);
        set(a, SCHED_FIFO, 24);
        told_of("one of its own in the middle");
        leaves(b);
        told_of("the beginning left");
        set(a, SCHED_OTHER, 0);
        told_of("the other one is best");
        say("in the middle: %d\n", prio_of(a));
        leaves(c);
        told_of("nothing is lent");
        leaves(a);
        OKAY("nobody's", sx(0, FUTEX_UNLOCK_PI));
}

/* Moved to the lock, and then gone.  Moved where that would close a circle. */
static void moved(void)
{
        pid_t a, b;

        OKAY("to be moved to", sx(3, FUTEX_LOCK_PI));
        if ((a = fork()) == 0) {
                set(0, SCHED_FIFO, 36);
                _exit(syscall(SYS_futex, &shared[4], FUTEX_WAIT_REQUEUE_PI, 0, NULL, &shared[3], 0) != 0);
        }
        must(state_becomes(a, 'S'), "it waits");
        SHOW("moved", syscall(SYS_futex, &shared[4], FUTEX_CMP_REQUEUE_PI, 1, (void *)5, &shared[3], 0));
        told_of("lent by the moved");
        leaves(a);
        told_of("which left");
        OKAY("free", sx(3, FUTEX_UNLOCK_PI));

        if ((a = fork()) == 0) {
                sx(6, FUTEX_LOCK_PI);
                _exit(syscall(SYS_futex, &shared[7], FUTEX_WAIT_REQUEUE_PI, 0, NULL, &shared[5], 0) != 0);
        }
        must(state_becomes(a, 'S'), "it waits");
        b = waits_at(0, 5, 6);          /* has 5, waits for a */
        SHOW("a circle by moving", syscall(SYS_futex, &shared[7], FUTEX_CMP_REQUEUE_PI, 1, (void *)5, &shared[5], 0));
        leaves(a);
        leaves(b);
}

/* Two that take each other's lock at the same time: one of them is told. */
static void both(void)
{
        int silent = 0;

        for (int i = 0; i < 200; i++) {
                pid_t p[2];
                int status = 0;
                memset(shared + 8, 0, 12);
                for (int k = 0; k < 2; k++)
                        if ((p[k] = fork()) == 0) {
                                alarm(30);
                                sx(8 + k, FUTEX_LOCK_PI);
                                __atomic_fetch_add(&shared[10], 1, __ATOMIC_SEQ_CST);
                                while (__atomic_load_n(&shared[10], __ATOMIC_SEQ_CST) < 2)
                                        sched_yield();
                                if (sx(8 + !k, FUTEX_LOCK_PI) != 0)
                                        _exit(errno == EDEADLK ? 1 : 2);
                                _exit(0);
                        }
                /* Who is told ends, and the other gets its lock.  (Linux tells both now and then.) */
                int told = 0;
                for (int k = 0; k < 2; k++) {
                        must(waitpid(p[k], &status, 0) == p[k], "it ends");
                        told += WIFEXITED(status) && WEXITSTATUS(status) == 1;
                }
                silent += !told;
        }
        SHOW("circles closed from both sides, not seen", silent);
}

int main(void)
{
        set(0, SCHED_OTHER, 0);
        shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        leaving();
        moved();
        both();
        for (int i = 0; i <= MANY; i++)
                pipe(go[i]);
        set(0, SCHED_FIFO, 99);
        loans();
        returned();
        changes();
        chain();
        return done();
}
