/* SPDX-License-Identifier: Apache-2.0
 *
 * glibc_mutexes: glibc's mutexes with every attribute: type, robust, protocol, shared between processes.
 */
#include "abi.h"
#include <pthread.h>

static pthread_mutex_t *shared;         /* in memory that children share */

static pthread_mutex_t *made(pthread_mutex_t *m, int type, int robust, int protocol, int pshared)
{
        pthread_mutexattr_t a;

        pthread_mutexattr_init(&a);
        pthread_mutexattr_settype(&a, type);
        pthread_mutexattr_setrobust(&a, robust);
        pthread_mutexattr_setprotocol(&a, protocol);
        pthread_mutexattr_setpshared(&a, pshared);
        if (pthread_mutex_init(m, &a))
                say("not ok init\n");
        pthread_mutexattr_destroy(&a);
        return m;
}

static void *try_it(void *m)
{
        return (void *)(long)pthread_mutex_trylock(m);
}

static void *unlock_it(void *m)
{
        return (void *)(long)pthread_mutex_unlock(m);
}

static void *lock_and_end(void *m)
{
        return (void *)(long)pthread_mutex_lock(m);
}

static long elsewhere(void *(*fn)(void *), pthread_mutex_t *m)
{
        pthread_t t;
        void     *r;

        if (pthread_create(&t, NULL, fn, m))
                return -1;
        pthread_join(t, &r);
        return (long)r;
}

static int until(pthread_mutex_t *m, long ms)
{
        struct timespec t;

        clock_gettime(CLOCK_REALTIME, &t);
        t.tv_nsec += ms * 1000000;
        t.tv_sec += t.tv_nsec / 1000000000;
        t.tv_nsec %= 1000000000;
        return pthread_mutex_timedlock(m, &t);
}

static void types(int protocol, int pshared)
{
        pthread_mutex_t m;

        made(&m, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED, protocol, pshared);
        CHECK("an unlock of what is free", pthread_mutex_unlock(&m) == EPERM);
        CHECK("a lock", pthread_mutex_lock(&m) == 0);
        CHECK("a second lock by its owner", pthread_mutex_lock(&m) == EDEADLK);
        CHECK("another tries it", elsewhere(try_it, &m) == EBUSY);
        CHECK("another unlocks it", elsewhere(unlock_it, &m) == EPERM);
        CHECK("an unlock", pthread_mutex_unlock(&m) == 0);
        CHECK("destroyed", pthread_mutex_destroy(&m) == 0);

        made(&m, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED, protocol, pshared);
        CHECK("recursive: twice", pthread_mutex_lock(&m) == 0 && pthread_mutex_lock(&m) == 0);
        CHECK("one unlock is not enough", pthread_mutex_unlock(&m) == 0 && elsewhere(try_it, &m) == EBUSY);
        CHECK("two are", pthread_mutex_unlock(&m) == 0 && elsewhere(try_it, &m) == 0);

        made(&m, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED, protocol, pshared);
        CHECK("normal: locked", pthread_mutex_lock(&m) == 0);
        CHECK("and timed: too late", until(&m, 20) == ETIMEDOUT);
        CHECK("and free again", pthread_mutex_unlock(&m) == 0 && until(&m, 20) == 0);
}

static void robust(int protocol, int pshared)
{
        pthread_mutex_t m;

        made(&m, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, protocol, pshared);
        CHECK("a thread ends with it", elsewhere(lock_and_end, &m) == 0);
        CHECK("the next is told", pthread_mutex_lock(&m) == EOWNERDEAD);
        CHECK("who mends it", pthread_mutex_consistent(&m) == 0 && pthread_mutex_unlock(&m) == 0);
        CHECK("then it is as others", pthread_mutex_lock(&m) == 0 && pthread_mutex_unlock(&m) == 0);
        CHECK("a thread ends with it again", elsewhere(lock_and_end, &m) == 0);
        CHECK("trylock is told too", pthread_mutex_trylock(&m) == EOWNERDEAD);
        CHECK("who does not mend it", pthread_mutex_unlock(&m) == 0);
        CHECK("makes it of no use", pthread_mutex_lock(&m) == ENOTRECOVERABLE);
        CHECK("for all", elsewhere(try_it, &m) == ENOTRECOVERABLE);
}

/* A child dies with the mutex while another waits for it. */
static void across_processes(int protocol)
{
        int said[2];
        char c;

        made(shared, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, protocol, PTHREAD_PROCESS_SHARED);
        OKAY("a pipe", pipe(said));
        pid_t owner = fork();
        if (owner == 0) {
                pthread_mutex_lock(shared);
                c = 'x';
                if (write(said[1], &c, 1) != 1)
                        _exit(1);
                pause();
        }
        CHECK("the child has it", read(said[0], &c, 1) == 1 && pthread_mutex_trylock(shared) == EBUSY);
        pid_t waiter = fork();
        if (waiter == 0)
                _exit(pthread_mutex_lock(shared) == EOWNERDEAD && pthread_mutex_consistent(shared) == 0
                      && pthread_mutex_unlock(shared) == 0 ? 7 : 1);
        usleep(50000);
        kill(owner, SIGKILL);
        CHECK("killed", result_of(owner) == KILLED(SIGKILL));
        CHECK("who waited got it", result_of(waiter) == 7);
        CHECK("and gave it back", pthread_mutex_lock(shared) == 0 && pthread_mutex_unlock(shared) == 0);
        close(said[0]);
        close(said[1]);
}

enum { WORKERS = 4, ROUNDS = 500 };
static long counted;

static void *count(void *m)
{
        for (int i = 0; i < ROUNDS; i++) {
                pthread_mutex_lock(m);
                counted++;
                pthread_mutex_unlock(m);
        }
        return NULL;
}

static void contended(int type, int rob, int protocol)
{
        pthread_mutex_t m;
        pthread_t       t[WORKERS];

        made(&m, type, rob, protocol, PTHREAD_PROCESS_PRIVATE);
        counted = 0;
        for (int i = 0; i < WORKERS; i++)
                pthread_create(&t[i], NULL, count, &m);
        for (int i = 0; i < WORKERS; i++)
                pthread_join(t[i], NULL);
        CHECK("nothing is lost", counted == WORKERS * ROUNDS);
}

/* A mutex with a ceiling lifts its owner to it, and refuses those above it. */
static int ceiling(void)
{
        pthread_mutexattr_t a;
        pthread_mutex_t     m;
        struct sched_param  p = { .sched_priority = 5 };
        int                 old;

        pthread_mutexattr_init(&a);
        pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_PROTECT);
        CHECK("a ceiling", pthread_mutexattr_setprioceiling(&a, 10) == 0 && pthread_mutex_init(&m, &a) == 0);
        CHECK("a real-time policy", pthread_setschedparam(pthread_self(), SCHED_FIFO, &p) == 0);
        CHECK("locked", pthread_mutex_lock(&m) == 0);
        CHECK("at the ceiling", sched_getparam(0, &p) == 0 && p.sched_priority == 10);
        CHECK("unlocked", pthread_mutex_unlock(&m) == 0);
        CHECK("back", sched_getparam(0, &p) == 0 && p.sched_priority == 5);
        CHECK("a lower ceiling", pthread_mutex_setprioceiling(&m, 8, &old) == 0 && old == 10);
        p.sched_priority = 20;
        pthread_setschedparam(pthread_self(), SCHED_FIFO, &p);
        CHECK("above the ceiling", pthread_mutex_lock(&m) == EINVAL);
        return 0;
}

int main(void)
{
        shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        for (int p = PTHREAD_PRIO_NONE; p <= PTHREAD_PRIO_INHERIT; p++) {
                for (int s = PTHREAD_PROCESS_PRIVATE; s <= PTHREAD_PROCESS_SHARED; s++) {
                        types(p, s);
                        robust(p, s);
                }
                across_processes(p);
                for (int r = PTHREAD_MUTEX_STALLED; r <= PTHREAD_MUTEX_ROBUST; r++)
                        for (int t = PTHREAD_MUTEX_NORMAL; t <= PTHREAD_MUTEX_ADAPTIVE_NP; t++)
                                contended(t, r, p);
        }
        in_child(ceiling);
        return done();
}
