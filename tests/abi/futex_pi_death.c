/* A PI lock's owner ends while waiters are moved to the lock: nobody is forgotten. */
#include "futex.h"

static volatile int cond, lock;
static volatile int waiting, served, wrong;
static volatile int owns;

static struct timespec in_s(int s)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        t.tv_sec += s;
        return t;
}

static long fx(volatile int *w, int op, int v, const void *t, volatile int *w2, int v3)
{
        return futex(w, op | FUTEX_PRIVATE_FLAG, v, t, w2, v3);
}

static void unlock(void)
{
        if (!__atomic_compare_exchange_n(&lock, &(int){ gettid() }, 0, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) && fx(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) != 0)
                wrong = 1;
}

/* Waits to be moved; the lock is its in the end. */
static void *moved(void *arg)
{
        struct timespec t = in_s(20);
        int v = cond;

        (void)arg;
        __atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
        while (fx(&cond, FUTEX_WAIT_REQUEUE_PI, v, &t, &lock, 0) != 0)
                if (errno != EAGAIN || cond != v) {
                        wrong = errno == ETIMEDOUT ? 2 : 3;
                        return NULL;
                }
        if ((lock & FUTEX_TID_MASK) != gettid())
                wrong = 4;
        __atomic_add_fetch(&served, 1, __ATOMIC_SEQ_CST);
        unlock();
        return NULL;
}

/* Takes the lock, and ends with it when it is told. */
static void *owner(void *arg)
{
        (void)arg;
        if (fx(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0) != 0)
                wrong = 7;
        owns = 1;
        while (owns != 2)
                sched_yield();
        return NULL;
}

static void round_of(int delay)
{
        pthread_t o, t[3];
        int left = 3;

        lock = waiting = served = owns = 0;
        pthread_create(&o, NULL, owner, NULL);
        while (!owns)
                sched_yield();
        for (int i = 0; i < 3; i++)
                pthread_create(&t[i], NULL, moved, NULL);
        while (waiting < 3)
                sched_yield();
        sleep_ms(3);                    /* all three sleep */
        owns = 2;
        for (volatile int i = 0; i < delay * 50; i++)
                ;
        while (left > 0 && !wrong) {
                long n = fx(&cond, FUTEX_CMP_REQUEUE_PI, 1, (void *)3, &lock, cond);
                if (n >= 0)
                        left -= n;
                else if (errno == ESRCH)
                        lock = 0;               /* it has ended, and nobody was moved before: the lock is free */
                else if (errno != EAGAIN)
                        wrong = 100 + errno;
        }
        pthread_join(o, NULL);
        for (int i = 0; i < 3; i++)
                pthread_join(t[i], NULL);
        if (served != 3 && !wrong)
                wrong = 8;
}

int main(void)
{
        for (int i = 0; i < 40 && !wrong; i++)
                round_of(i);
        CHECK("moved while the owner ends", wrong == 0);
        return done();
}
