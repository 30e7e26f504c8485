/* SPDX-License-Identifier: Apache-2.0
 *
 * pthread_basic: threads: mutexes, conditions, thread-local data, joining.
 */
#include "abi.h"
#include <pthread.h>
#include <semaphore.h>

#define THREADS 8
#define ROUNDS  2000

static pthread_mutex_t   lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t    turn = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t  rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t             sem;
static long              count, order, shared;
static __thread long     mine;

static void *add(void *arg)
{
        for (int i = 0; i < ROUNDS; i++) {
                pthread_mutex_lock(&lock);
                count++;
                pthread_mutex_unlock(&lock);
                mine++;
        }
        return (void *)(mine + (long)arg);
}

static void *in_turn(void *arg)
{
        pthread_mutex_lock(&lock);
        while (order != (long)arg)
                pthread_cond_wait(&turn, &lock);
        order++;
        pthread_cond_broadcast(&turn);
        pthread_mutex_unlock(&lock);
        return NULL;
}

static void *meet(void *arg)
{
        for (int i = 0; i < 20; i++) {
                pthread_rwlock_wrlock(&rw);
                shared++;
                pthread_rwlock_unlock(&rw);
                pthread_barrier_wait(&barrier);
                pthread_rwlock_rdlock(&rw);
                if (shared < (i + 1) * THREADS)
                        arg = (void *)-1L;
                pthread_rwlock_unlock(&rw);
                pthread_barrier_wait(&barrier);
        }
        sem_post(&sem);
        return arg;
}

static int all(void *(*fn)(void *), long (*want)(long))
{
        pthread_t t[THREADS];
        void     *r;
        int       good = 0;

        for (long i = 0; i < THREADS; i++)
                must(pthread_create(&t[i], NULL, fn, (void *)i) == 0, "pthread_create");
        for (long i = 0; i < THREADS; i++) {
                pthread_join(t[i], &r);
                good += (long)r == want(i);
        }
        return good == THREADS;
}

static long rounds_plus(long i) { return ROUNDS + i; }
static long zero(long i) { return i * 0; }
static long same(long i) { return i; }

int main(void)
{
        struct timespec past = { 1, 0 };

        CHECK("thread-local counts", all(add, rounds_plus));
        CHECK("the sum under a mutex", count == THREADS * ROUNDS);
        CHECK("each in its turn", all(in_turn, zero) && order == THREADS);
        pthread_barrier_init(&barrier, NULL, THREADS);
        sem_init(&sem, 0, 0);
        CHECK("barriers and rwlocks", all(meet, same));
        int posts = 0;
        while (sem_trywait(&sem) == 0)
                posts++;
        CHECK("semaphore", posts == THREADS);
        pthread_mutex_lock(&lock);
        CHECK("timed wait", pthread_cond_timedwait(&turn, &lock, &past) == ETIMEDOUT);
        CHECK("trylock of a held one", pthread_mutex_trylock(&lock) == EBUSY);
        return done();
}
