/* SPDX-License-Identifier: Apache-2.0
 *
 * glibc_sync: glibc's condition variables, barriers, read-write locks, semaphores, once, keys, cancellation and spin
 * locks, within a process and between processes.
 */
#include "abi.h"
#include <pthread.h>
#include <semaphore.h>

static struct both {
        pthread_mutex_t   m;
        pthread_cond_t    c;
        pthread_barrier_t b;
        pthread_rwlock_t  rw;
        sem_t             s;
        int               turn, serial, inside, most;
} *x;

static struct timespec after(clockid_t clock, long ms)
{
        struct timespec t;

        clock_gettime(clock, &t);
        t.tv_nsec += ms * 1000000;
        t.tv_sec += t.tv_nsec / 1000000000;
        t.tv_nsec %= 1000000000;
        return t;
}

static void make_shared(void)
{
        pthread_mutexattr_t   ma;
        pthread_condattr_t    ca;
        pthread_barrierattr_t ba;
        pthread_rwlockattr_t  ra;

        x = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        pthread_mutexattr_init(&ma);
        pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
        pthread_mutex_init(&x->m, &ma);
        pthread_condattr_init(&ca);
        pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED);
        pthread_condattr_setclock(&ca, CLOCK_MONOTONIC);
        pthread_cond_init(&x->c, &ca);
        pthread_barrierattr_init(&ba);
        pthread_barrierattr_setpshared(&ba, PTHREAD_PROCESS_SHARED);
        pthread_barrier_init(&x->b, &ba, 4);
        pthread_rwlockattr_init(&ra);
        pthread_rwlockattr_setpshared(&ra, PTHREAD_PROCESS_SHARED);
        pthread_rwlock_init(&x->rw, &ra);
        sem_init(&x->s, 1, 0);
}

/* Four processes take turns a hundred times round. */
static int turns(int me)
{
        for (int i = 0; i < 100; i++) {
                pthread_mutex_lock(&x->m);
                while (x->turn % 4 != me)
                        pthread_cond_wait(&x->c, &x->m);
                x->turn++;
                pthread_cond_broadcast(&x->c);
                pthread_mutex_unlock(&x->m);
        }
        return 0;
}

static int meets(int me UNUSED)
{
        for (int i = 0; i < 50; i++)
                if (pthread_barrier_wait(&x->b) == PTHREAD_BARRIER_SERIAL_THREAD)
                        __atomic_fetch_add(&x->serial, 1, __ATOMIC_SEQ_CST);
        return 0;
}

static int reads_and_writes(int me)
{
        int wrong = 0;

        for (int i = 0; i < 100; i++) {
                if (me == 0) {
                        pthread_rwlock_wrlock(&x->rw);
                        wrong |= __atomic_fetch_add(&x->inside, 100, __ATOMIC_SEQ_CST) != 0;
                        __atomic_fetch_sub(&x->inside, 100, __ATOMIC_SEQ_CST);
                } else {
                        pthread_rwlock_rdlock(&x->rw);
                        wrong |= __atomic_fetch_add(&x->inside, 1, __ATOMIC_SEQ_CST) >= 100;
                        __atomic_fetch_sub(&x->inside, 1, __ATOMIC_SEQ_CST);
                }
                pthread_rwlock_unlock(&x->rw);
        }
        return wrong;
}

static int in_four(int (*fn)(int me))
{
        pid_t pid[4];
        int   bad = 0;

        for (int i = 0; i < 4; i++)
                if ((pid[i] = fork()) == 0)
                        _exit(fn(i));
        for (int i = 0; i < 4; i++)
                bad |= result_of(pid[i]);
        return bad;
}

static void *post_later(void *s)
{
        threads_asleep(1);
        sem_post(s);
        return NULL;
}

static void semaphores(void)
{
        struct timespec t;
        pthread_t       p;
        int             n;

        FAILS("nothing to take", EAGAIN, sem_trywait(&x->s));
        t = after(CLOCK_REALTIME, 20);
        FAILS("nothing came", ETIMEDOUT, sem_timedwait(&x->s, &t));
        t = after(CLOCK_MONOTONIC, 20);
        FAILS("nor by the other clock", ETIMEDOUT, sem_clockwait(&x->s, CLOCK_MONOTONIC, &t));
        pid_t pid = fork();
        if (pid == 0)
                _exit(sem_wait(&x->s) == 0 ? 7 : 1);
        state_becomes(pid, 'S');
        OKAY("posted to another process", sem_post(&x->s));
        CHECK("which had it", result_of(pid) == 7);
        pthread_create(&p, NULL, post_later, &x->s);
        OKAY("posted by a thread", sem_wait(&x->s));
        pthread_join(p, NULL);
        mkdir("/dev/shm", 01777);
        sem_t *s = sem_open("/abi-sync", O_CREAT | O_EXCL, 0600, 2);
        CHECK("a name", s != SEM_FAILED);
        FAILS("once", EEXIST, (long)(sem_open("/abi-sync", O_CREAT | O_EXCL, 0600, 2) == SEM_FAILED ? -1 : 0));
        if (s != SEM_FAILED) {
                CHECK("counts", sem_getvalue(s, &n) == 0 && n == 2 && sem_wait(s) == 0 && sem_wait(s) == 0);
                FAILS("down to none", EAGAIN, sem_trywait(s));
                sem_close(s);
        }
        OKAY("unlinked", sem_unlink("/abi-sync"));
}

static void timeouts(void)
{
        struct timespec t = after(CLOCK_MONOTONIC, 20);

        pthread_mutex_lock(&x->m);
        CHECK("a condition that does not come", pthread_cond_timedwait(&x->c, &x->m, &t) == ETIMEDOUT);
        CHECK("the mutex is held", pthread_mutex_unlock(&x->m) == 0);
        pthread_rwlock_wrlock(&x->rw);
        t = after(CLOCK_REALTIME, 20);
        CHECK("a reader's time is up", pthread_rwlock_timedrdlock(&x->rw, &t) != 0);
        CHECK("a writer that tries", pthread_rwlock_trywrlock(&x->rw) == EBUSY);
        pthread_rwlock_unlock(&x->rw);
}

static int cleaned;

static void clean(void *p)
{
        cleaned += (int)(long)p;
}

static void *cancelled(void *fd)
{
        char c;

        pthread_cleanup_push(clean, (void *)5L);
        if (fd)
                cleaned += (int)read((int)(long)fd, &c, 1);
        else
                for (;;)
                        pause();
        pthread_cleanup_pop(0);
        return NULL;
}

static void cancelling(void)
{
        pthread_t t;
        void     *r;
        int       p[2];

        pthread_create(&t, NULL, cancelled, NULL);
        threads_asleep(1);
        CHECK("cancelled", pthread_cancel(t) == 0 && pthread_join(t, &r) == 0 && r == PTHREAD_CANCELED);
        CHECK("and cleaned", cleaned == 5);
        OKAY("a pipe", pipe(p));
        pthread_create(&t, NULL, cancelled, (void *)(long)p[0]);
        threads_asleep(1);
        CHECK("in a read", pthread_cancel(t) == 0 && pthread_join(t, &r) == 0 && r == PTHREAD_CANCELED && cleaned == 10);
        CHECK("the pipe still works", write(p[1], "x", 1) == 1 && read(p[0], &(char){ 0 }, 1) == 1);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t  key;
static int            onces, destroyed;

static void first(void)
{
        onces++;
        usleep(10000);
}

static void destroy(void *p UNUSED)
{
        __atomic_fetch_add(&destroyed, 1, __ATOMIC_SEQ_CST);
}

static void *thread(void *p)
{
        pthread_once(&once, first);
        pthread_setspecific(key, p);
        return (void *)(long)onces;
}

int main(void)
{
        pthread_t t[8];
        long      sum = 0;
        void     *r;

        make_shared();
        CHECK("turns", in_four(turns) == 0 && x->turn == 400);
        CHECK("meetings", in_four(meets) == 0 && x->serial == 50);
        CHECK("readers and a writer", in_four(reads_and_writes) == 0 && x->inside == 0);
        semaphores();
        timeouts();
        cancelling();
        pthread_key_create(&key, destroy);
        for (int i = 0; i < 8; i++)
                pthread_create(&t[i], NULL, thread, x);
        for (int i = 0; i < 8; i++) {
                pthread_join(t[i], &r);
                sum += (long)r;
        }
        CHECK("once", onces == 1 && sum == 8);
        CHECK("each key's value destroyed", destroyed == 8);
        return done();
}
