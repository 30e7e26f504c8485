/* Priority-inheriting futexes: the word, errors, handing over, dead owners, requeueing, inheritance. */
#include "abi.h"
#include <pthread.h>
#include <linux/futex.h>

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

static uint32_t *w;             /* shared words */
static long fx(uint32_t *u, int op, uint32_t val, const struct timespec *t, uint32_t *u2, uint32_t val3)
{
        return syscall(SYS_futex, u, op, val, t, u2, val3);
}
#define P FUTEX_PRIVATE_FLAG

static volatile int step, result;
static volatile pid_t tid;

static void *locks(void *arg)
{
        uint32_t *u = arg;
        tid = gettid();
        result = fx(u, FUTEX_LOCK_PI | P, 0, NULL, NULL, 0) == 0 && (*u & FUTEX_TID_MASK) == (uint32_t)gettid() ? 1 : -1;
        if (result == 1)
                result = fx(u, FUTEX_UNLOCK_PI | P, 0, NULL, NULL, 0) == 0 ? 1 : -2;
        return NULL;
}

static void basics(void)
{
        uint32_t u = 0;
        uint32_t me = gettid();
        pthread_t t;

        OKAY("free", fx(&u, FUTEX_LOCK_PI | P, 0, NULL, NULL, 0));
        CHECK("is ours", u == me);
        FAILS("twice", EDEADLK, fx(&u, FUTEX_LOCK_PI | P, 0, NULL, NULL, 0));
        FAILS("try twice", EDEADLK, fx(&u, FUTEX_TRYLOCK_PI | P, 0, NULL, NULL, 0));
        OKAY("unlocked", fx(&u, FUTEX_UNLOCK_PI | P, 0, NULL, NULL, 0));
        CHECK("is 0", u == 0);
        FAILS("unlocked again", EPERM, fx(&u, FUTEX_UNLOCK_PI | P, 0, NULL, NULL, 0));
        OKAY("tried", fx(&u, FUTEX_TRYLOCK_PI | P, 0, NULL, NULL, 0));
        step = 0, result = 0;
        pthread_create(&t, NULL, locks, &u);
        while (!(u & FUTEX_WAITERS))
                sleep_ms(1);
        CHECK("a waiter shows", u == (me | FUTEX_WAITERS));
        threads_asleep(1);
        FAILS("a plain wake is wrong", EINVAL, fx(&u, FUTEX_WAKE | P, 1, NULL, NULL, 0));
        OKAY("handed over", fx(&u, FUTEX_UNLOCK_PI | P, 0, NULL, NULL, 0));
        pthread_join(t, NULL);
        CHECK("and given back", result == 1 && u == 0);
        u = 0x3fffffff;
        FAILS("nobody's", ESRCH, fx(&u, FUTEX_LOCK_PI | P, 0, NULL, NULL, 0));
        FAILS("nobody's, tried", ESRCH, fx(&u, FUTEX_TRYLOCK_PI | P, 0, NULL, NULL, 0));
        u = FUTEX_OWNER_DIED;
        OKAY("whose owner died", fx(&u, FUTEX_LOCK_PI | P, 0, NULL, NULL, 0));
        CHECK("keeps that", u == (me | FUTEX_OWNER_DIED));
        u = 0;
        FAILS("crooked", EINVAL, fx((uint32_t *)((char *)w + 1), FUTEX_LOCK_PI | P, 0, NULL, NULL, 0));
        FAILS("nowhere", EFAULT, fx(BAD_PTR, FUTEX_LOCK_PI | P, 0, NULL, NULL, 0));
        FAILS("nowhere, unlock", EFAULT, fx(BAD_PTR, FUTEX_UNLOCK_PI | P, 0, NULL, NULL, 0));
        struct timespec bad = { 0, -1 };
        FAILS("a bad time", EINVAL, fx(&u, FUTEX_LOCK_PI | P, 0, &bad, NULL, 0));
        FAILS("LOCK_PI and a clock", ENOSYS, fx(&u, FUTEX_LOCK_PI | P | FUTEX_CLOCK_REALTIME, 0, NULL, NULL, 0));
}

static void *holds(void *arg)
{
        uint32_t *u = arg;
        fx(u, FUTEX_LOCK_PI | P, 0, NULL, NULL, 0);
        step = 1;
        while (step != 2)
                sleep_ms(1);
        fx(u, FUTEX_UNLOCK_PI | P, 0, NULL, NULL, 0);
        return NULL;
}

static void times(void)
{
        uint32_t u = 0;
        pthread_t t;
        struct timespec past = { 1, 0 };

        step = 0;
        pthread_create(&t, NULL, holds, &u);
        while (step != 1)
                sleep_ms(1);
        FAILS("tried", EAGAIN, fx(&u, FUTEX_TRYLOCK_PI | P, 0, NULL, NULL, 0));
        FAILS("not ours to unlock", EPERM, fx(&u, FUTEX_UNLOCK_PI | P, 0, NULL, NULL, 0));
        FAILS("no time", ETIMEDOUT, fx(&u, FUTEX_LOCK_PI | P, 0, &past, NULL, 0));
        int64_t from = now_ms();
        struct timespec soon = in_ms(CLOCK_REALTIME, 50);
        FAILS("LOCK_PI: wall clock", ETIMEDOUT, fx(&u, FUTEX_LOCK_PI | P, 0, &soon, NULL, 0));
        soon = in_ms(CLOCK_MONOTONIC, 50);
        FAILS("LOCK_PI2: monotonic", ETIMEDOUT, fx(&u, FUTEX_LOCK_PI2 | P, 0, &soon, NULL, 0));
        soon = in_ms(CLOCK_REALTIME, 50);
        FAILS("LOCK_PI2: wall clock", ETIMEDOUT, fx(&u, FUTEX_LOCK_PI2 | P | FUTEX_CLOCK_REALTIME, 0, &soon, NULL, 0));
        CHECK("took its time", now_ms() - from >= 145);
        step = 2;
        OKAY("locked in the end", fx(&u, FUTEX_LOCK_PI | P, 0, NULL, NULL, 0));
        pthread_join(t, NULL);
        OKAY("unlocked", fx(&u, FUTEX_UNLOCK_PI | P, 0, NULL, NULL, 0));
}

static void *cross(void *arg)
{
        uint32_t *u = arg;
        fx(&u[1], FUTEX_LOCK_PI | P, 0, NULL, NULL, 0);
        step = 1;
        result = fx(&u[0], FUTEX_LOCK_PI | P, 0, NULL, NULL, 0);
        fx(&u[0], FUTEX_UNLOCK_PI | P, 0, NULL, NULL, 0);
        fx(&u[1], FUTEX_UNLOCK_PI | P, 0, NULL, NULL, 0);
        return NULL;
}

static void deadlock(void)
{
        uint32_t u[2] = { 0, 0 };
        pthread_t t;

        step = 0;
        fx(&u[0], FUTEX_LOCK_PI | P, 0, NULL, NULL, 0);
        pthread_create(&t, NULL, cross, u);
        while (!(u[0] & FUTEX_WAITERS))
                sleep_ms(1);
        threads_asleep(1);
        FAILS("a circle of two", EDEADLK, fx(&u[1], FUTEX_LOCK_PI | P, 0, NULL, NULL, 0));
        fx(&u[0], FUTEX_UNLOCK_PI | P, 0, NULL, NULL, 0);
        pthread_join(t, NULL);
        CHECK("the other got it", result == 0 && u[0] == 0);
}

static void dead_owners(void)
{
        pid_t kid = fork();

        if (kid == 0) {
                fx(&w[0], FUTEX_LOCK_PI, 0, NULL, NULL, 0);
                w[1] = 1;
                while (!(w[0] & FUTEX_WAITERS))
                        sleep_ms(1);
                state_becomes(getppid(), 'S');
                _exit(0);
        }
        while (!w[1])
                sleep_ms(1);
        OKAY("the owner ended", fx(&w[0], FUTEX_LOCK_PI, 0, NULL, NULL, 0));
        CHECK("and the word tells", (w[0] & FUTEX_TID_MASK) == (uint32_t)gettid() && (w[0] & FUTEX_OWNER_DIED));
        result_of(kid);
        OKAY("unlocked", fx(&w[0], FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
        CHECK("is 0", w[0] == 0);

        pthread_mutexattr_t a;
        pthread_mutex_t *m = (void *)&w[64];
        pthread_mutexattr_init(&a);
        pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
        pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
        int pi = pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
        pthread_mutex_init(m, &a);
        if ((kid = fork()) == 0) {
                pthread_mutex_lock(m);
                _exit(0);
        }
        result_of(kid);
        CHECK("a robust mutex of the library", pi == 0 && pthread_mutex_lock(m) == EOWNERDEAD);
        pthread_mutex_consistent(m);
        CHECK("made consistent", pthread_mutex_unlock(m) == 0 && pthread_mutex_lock(m) == 0 && pthread_mutex_unlock(m) == 0);
}

static volatile int started;
static uint32_t c, l;
static void *moved(void *arg)
{
        (void)arg;
        __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
        long r = fx(&c, FUTEX_WAIT_REQUEUE_PI | P, 0, NULL, &l, 0);
        if (r == 0 && (l & FUTEX_TID_MASK) == (uint32_t)gettid())
                __sync_fetch_and_add(&result, 1);
        fx(&l, FUTEX_UNLOCK_PI | P, 0, NULL, NULL, 0);
        return NULL;
}

static void requeue(void)
{
        pthread_t t[3];
        uint32_t other = 0;
        struct timespec soon;

        c = 0, l = 0, result = 0, started = 0;
        FAILS("to itself", EINVAL, fx(&c, FUTEX_WAIT_REQUEUE_PI | P, 0, NULL, &c, 0));
        FAILS("another value", EAGAIN, fx(&c, FUTEX_WAIT_REQUEUE_PI | P, 1, NULL, &l, 0));
        soon = in_ms(CLOCK_MONOTONIC, 30);
        FAILS("time is up", ETIMEDOUT, fx(&c, FUTEX_WAIT_REQUEUE_PI | P, 0, &soon, &l, 0));
        FAILS("wake two", EINVAL, fx(&c, FUTEX_CMP_REQUEUE_PI | P, 2, (void *)1, &l, 0));
        FAILS("another value to requeue", EAGAIN, fx(&c, FUTEX_CMP_REQUEUE_PI | P, 1, (void *)1, &l, 7));
        FAILS("onto itself", EINVAL, fx(&c, FUTEX_CMP_REQUEUE_PI | P, 1, (void *)1, &c, 0));
        CHECK("nobody", fx(&c, FUTEX_CMP_REQUEUE_PI | P, 1, (void *)1, &l, 0) == 0);
        for (int i = 0; i < 3; i++)
                pthread_create(&t[i], NULL, moved, NULL);
        reaches(&started, 3);
        threads_asleep(3);
        FAILS("moved by a plain requeue", EINVAL, fx(&c, FUTEX_REQUEUE | P, 1, (void *)1, &other, 0));
        FAILS("or a comparing one", EINVAL, fx(&c, FUTEX_CMP_REQUEUE | P, 1, (void *)1, &other, 0));
        FAILS("to another lock", EINVAL, fx(&c, FUTEX_CMP_REQUEUE_PI | P, 1, (void *)1, &other, 0));
        fx(&l, FUTEX_LOCK_PI | P, 0, NULL, NULL, 0);
        CHECK("two moved", fx(&c, FUTEX_CMP_REQUEUE_PI | P, 1, (void *)1, &l, 0) == 2);
        sleep_ms(20);
        CHECK("none runs", result == 0 && (l & FUTEX_WAITERS));
        fx(&l, FUTEX_UNLOCK_PI | P, 0, NULL, NULL, 0);
        while (*(volatile uint32_t *)&l & FUTEX_TID_MASK)              /* those two have had it */
                sleep_ms(1);
        fx(&c, FUTEX_CMP_REQUEUE_PI | P, 1, (void *)10, &l, 0);
        for (int i = 0; i < 3; i++)
                pthread_join(t[i], NULL);
        CHECK("all got the lock", result == 3);
}

static volatile int go, spun;
static uint32_t pl;
static void fifo(int prio)
{
        struct sched_param p = { .sched_priority = prio };
        must(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &p) == 0, "SCHED_FIFO");
}
static void *low(void *arg)
{
        (void)arg;
        fx(&pl, FUTEX_LOCK_PI | P, 0, NULL, NULL, 0);
        step = 1;
        while (!go)
                ;
        for (volatile long i = 0; i < 3000000; i++)
                ;
        step = 3;
        fx(&pl, FUTEX_UNLOCK_PI | P, 0, NULL, NULL, 0);
        return NULL;
}
static void *middle(void *arg)
{
        (void)arg;
        fifo(10);
        while (!go)
                sleep_ms(1);
        while (!spun)
                ;
        return NULL;
}
static void *high(void *arg)
{
        (void)arg;
        fifo(20);
        go = 1;
        sleep_ms(10);           /* the middle one spins now */
        fx(&pl, FUTEX_LOCK_PI | P, 0, NULL, NULL, 0);
        result = step == 3;
        spun = 1;
        fx(&pl, FUTEX_UNLOCK_PI | P, 0, NULL, NULL, 0);
        return NULL;
}

/* On one CPU: the low one, holding the lock, must run before the middle one that spins. */
static void inheritance(void)
{
        cpu_set_t one;
        pthread_t t[3];

        CPU_ZERO(&one), CPU_SET(0, &one);
        sched_setaffinity(0, sizeof one, &one);
        pl = 0, step = go = spun = result = 0;
        pthread_attr_t a;
        pthread_attr_init(&a);
        pthread_create(&t[0], &a, low, NULL);
        while (step != 1)
                sleep_ms(1);
        pthread_create(&t[2], &a, high, NULL);
        pthread_create(&t[1], &a, middle, NULL);
        for (int i = 0; i < 3; i++)
                pthread_join(t[i], NULL);
        CHECK("the low one ran first", result == 1);
        CHECK("and is itself again", syscall(SYS_sched_getscheduler, 0) == SCHED_OTHER);
}

static long counter;
static void *counts(void *arg)
{
        for (int i = 0; i < 3000; i++) {
                uint32_t me = gettid();
                if (!__sync_bool_compare_and_swap(&pl, 0, me))
                        must(fx(&pl, FUTEX_LOCK_PI | P, 0, NULL, NULL, 0) == 0, "lock");
                counter++;
                if (!__sync_bool_compare_and_swap(&pl, me, 0))
                        must(fx(&pl, FUTEX_UNLOCK_PI | P, 0, NULL, NULL, 0) == 0, "unlock");
        }
        return arg;
}

static void crowd(void)
{
        pthread_t t[4];

        pl = 0;
        for (int i = 0; i < 4; i++)
                pthread_create(&t[i], NULL, counts, NULL);
        for (int i = 0; i < 4; i++)
                pthread_join(t[i], NULL);
        CHECK("a crowd", counter == 12000 && pl == 0);
}

int main(void)
{
        w = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        basics();
        times();
        deadlock();
        dead_owners();
        requeue();
        crowd();
        inheritance();
        return done();
}
