/* SPDX-License-Identifier: Apache-2.0
 *
 * sync: a dynamically linked glibc program that uses what glibc builds on futexes and netlink: mutexes with every attribute,
 * condition variables with both clocks, barriers, read-write locks, semaphores, rseq, mq_notify by a thread.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/rseq.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int bad;

static void is(const char *what, long got, long want)
{
        if (got == want)
                return;
        printf("%s: %ld, not %ld\n", what, got, want);
        bad = 1;
}

static struct timespec in_ms(clockid_t clock, int ms)
{
        struct timespec t;

        clock_gettime(clock, &t);
        t.tv_nsec += ms * 1000000L;
        t.tv_sec += t.tv_nsec / 1000000000;
        t.tv_nsec %= 1000000000;
        return t;
}

/* ---- Mutexes: type, robust, protocol, shared ---- */

struct shared {
        pthread_mutex_t m;
        pthread_cond_t c;
        pthread_barrier_t b;
        pthread_rwlock_t rw;
        sem_t s;
        long n;
        int turn;
};
static struct shared *sh;

struct kind { int type, robust, protocol, shared; };

static void make(pthread_mutex_t *m, const struct kind *k, const char *what)
{
        pthread_mutexattr_t a;

        memset(m, 0, sizeof *m);
        is(what, pthread_mutexattr_init(&a), 0);
        is(what, pthread_mutexattr_settype(&a, k->type), 0);
        is(what, pthread_mutexattr_setrobust(&a, k->robust), 0);
        is(what, pthread_mutexattr_setprotocol(&a, k->protocol), 0);
        is(what, pthread_mutexattr_setpshared(&a, k->shared), 0);
        is(what, pthread_mutex_init(m, &a), 0);
        pthread_mutexattr_destroy(&a);
}

static void *counts(void *arg)
{
        pthread_mutex_t *m = arg;

        for (int i = 0; i < 300; i++) {
                pthread_mutex_lock(m);
                sh->n++;
                pthread_mutex_unlock(m);
        }
        return NULL;
}

static void *tries(void *arg)
{
        struct timespec t = in_ms(CLOCK_REALTIME, 20), mono = in_ms(CLOCK_MONOTONIC, 20);
        pthread_mutex_t *m = arg;
        long r = pthread_mutex_trylock(m) == EBUSY;

        r += (pthread_mutex_timedlock(m, &t) == ETIMEDOUT) << 1;
        r += (pthread_mutex_clocklock(m, CLOCK_MONOTONIC, &mono) == ETIMEDOUT) << 2;
        return (void *)r;
}

static void *dies_holding(void *arg)
{
        pthread_mutex_lock(arg);
        return NULL;
}

static void robust(pthread_mutex_t *m, const char *what)
{
        pthread_t t;

        pthread_create(&t, NULL, dies_holding, m);
        pthread_join(t, NULL);
        is(what, pthread_mutex_lock(m), EOWNERDEAD);
        is(what, pthread_mutex_consistent(m), 0);
        is(what, pthread_mutex_unlock(m), 0);
        is(what, pthread_mutex_lock(m), 0);
        is(what, pthread_mutex_unlock(m), 0);
        pid_t pid = fork();
        if (pid == 0) {
                pthread_mutex_lock(m);
                _exit(0);
        }
        waitpid(pid, NULL, 0);
        pid = fork();
        if (pid == 0) {
                pthread_mutex_lock(m);
                raise(SIGKILL);
        }
        waitpid(pid, NULL, 0);
        is(what, pthread_mutex_lock(m), EOWNERDEAD);
        is(what, pthread_mutex_unlock(m), 0);
        is(what, pthread_mutex_lock(m), ENOTRECOVERABLE);
}

static void one_kind(const struct kind *k)
{
        pthread_mutex_t *m = &sh->m;
        pthread_t t[3];
        char what[80];
        void *r;

        snprintf(what, sizeof what, "mutex type %d robust %d protocol %d shared %d", k->type, k->robust, k->protocol, k->shared);
        make(m, k, what);
        sh->n = 0;
        for (int i = 0; i < 3; i++)
                pthread_create(&t[i], NULL, counts, m);
        for (int i = 0; i < 3; i++)
                pthread_join(t[i], NULL);
        is(what, sh->n, 900);
        is(what, pthread_mutex_lock(m), 0);
        pthread_create(&t[0], NULL, tries, m);
        pthread_join(t[0], &r);
        is(what, (long)r, 7);
        if (k->type == PTHREAD_MUTEX_RECURSIVE) {
                is(what, pthread_mutex_lock(m), 0);
                is(what, pthread_mutex_trylock(m), 0);
                is(what, pthread_mutex_unlock(m), 0);
                is(what, pthread_mutex_unlock(m), 0);
        } else if (k->type == PTHREAD_MUTEX_ERRORCHECK) {
                is(what, pthread_mutex_lock(m), EDEADLK);
        } else {
                is(what, pthread_mutex_trylock(m), EBUSY);
        }
        is(what, pthread_mutex_unlock(m), 0);
        if (k->type == PTHREAD_MUTEX_ERRORCHECK)
                is(what, pthread_mutex_unlock(m), EPERM);
        if (k->shared == PTHREAD_PROCESS_SHARED) {
                sh->n = 0;
                pid_t pid[2];
                for (int i = 0; i < 2; i++)
                        if ((pid[i] = fork()) == 0) {
                                counts(m);
                                _exit(0);
                        }
                counts(m);
                for (int i = 0; i < 2; i++)
                        waitpid(pid[i], NULL, 0);
                is(what, sh->n, 900);
        }
        if (k->robust == PTHREAD_MUTEX_ROBUST && k->shared == PTHREAD_PROCESS_SHARED)
                robust(m, what);
        else
                pthread_mutex_destroy(m);
        printf("%s\n", what);
}

static void mutexes(void)
{
        for (int type = 0; type < 3; type++)
                for (int robust = 0; robust < 2; robust++)
                        for (int protocol = PTHREAD_PRIO_NONE; protocol <= PTHREAD_PRIO_INHERIT; protocol++)
                                for (int shared = 0; shared < 2; shared++) {
                                        struct kind k = { type, robust, protocol, shared };
                                        one_kind(&k);
                                }
}

static void ceiling(void)
{
        pthread_mutexattr_t a;
        pthread_mutex_t m;
        struct sched_param p = { .sched_priority = 5 };
        int old = 0, policy = 0;

        pthread_mutexattr_init(&a);
        pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_PROTECT);
        is("ceiling", pthread_mutexattr_setprioceiling(&a, 10), 0);
        is("ceiling init", pthread_mutex_init(&m, &a), 0);
        is("real time", pthread_setschedparam(pthread_self(), SCHED_FIFO, &p), 0);
        is("ceiling lock", pthread_mutex_lock(&m), 0);
        sched_getparam(0, &p);
        is("raised", p.sched_priority, 10);
        is("ceiling unlock", pthread_mutex_unlock(&m), 0);
        sched_getparam(0, &p);
        is("lowered", p.sched_priority, 5);
        is("another ceiling", pthread_mutex_setprioceiling(&m, 3, &old), 0);
        is("the old one", old, 10);
        is("above the ceiling", pthread_mutex_lock(&m), EINVAL);
        p.sched_priority = 0;
        pthread_setschedparam(pthread_self(), SCHED_OTHER, &p);
        pthread_getschedparam(pthread_self(), &policy, &p);
        is("back", policy, SCHED_OTHER);
        puts("priority ceiling");
}

/* ---- Condition variables ---- */

static void *pings(void *arg)
{
        (void)arg;
        pthread_mutex_lock(&sh->m);
        for (int i = 0; i < 200; i++) {
                while (sh->turn != 1)
                        pthread_cond_wait(&sh->c, &sh->m);
                sh->turn = 0;
                pthread_cond_broadcast(&sh->c);
        }
        pthread_mutex_unlock(&sh->m);
        return NULL;
}

static void conditions(int clock, int shared, int protocol)
{
        struct kind k = { PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED, protocol, shared };
        pthread_condattr_t a;
        struct timespec t;
        pthread_t th;
        pid_t pid = 0;

        make(&sh->m, &k, "cond mutex");
        memset(&sh->c, 0, sizeof sh->c);
        pthread_condattr_init(&a);
        is("clock", pthread_condattr_setclock(&a, clock), 0);
        is("pshared", pthread_condattr_setpshared(&a, shared), 0);
        is("cond init", pthread_cond_init(&sh->c, &a), 0);
        pthread_mutex_lock(&sh->m);
        t = in_ms(clock, 20);
        is("timed", pthread_cond_timedwait(&sh->c, &sh->m, &t), ETIMEDOUT);
        t = in_ms(CLOCK_MONOTONIC, 20);
        is("by its clock", pthread_cond_clockwait(&sh->c, &sh->m, CLOCK_MONOTONIC, &t), ETIMEDOUT);
        sh->turn = 0;
        if (shared && (pid = fork()) == 0) {
                pings(NULL);
                _exit(0);
        }
        if (!shared)
                pthread_create(&th, NULL, pings, NULL);
        for (int i = 0; i < 200; i++) {
                sh->turn = 1;
                pthread_cond_signal(&sh->c);
                while (sh->turn != 0)
                        pthread_cond_wait(&sh->c, &sh->m);
        }
        pthread_mutex_unlock(&sh->m);
        if (shared)
                waitpid(pid, NULL, 0);
        else
                pthread_join(th, NULL);
        printf("condition: clock %d shared %d protocol %d\n", clock, shared, protocol);
}

/* ---- Barriers, read-write locks, semaphores ---- */

static atomic_int serial, passed;

static void *passes(void *arg)
{
        (void)arg;
        for (int i = 0; i < 50; i++) {
                int r = pthread_barrier_wait(&sh->b);
                if (r == PTHREAD_BARRIER_SERIAL_THREAD)
                        serial++;
                else if (r == 0)
                        passed++;
        }
        return NULL;
}

static void barriers(void)
{
        pthread_barrierattr_t a;
        pthread_t t[3];

        pthread_barrierattr_init(&a);
        pthread_barrierattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
        is("no barrier of 0", pthread_barrier_init(&sh->b, &a, 0), EINVAL);
        is("barrier", pthread_barrier_init(&sh->b, &a, 4), 0);
        for (int i = 0; i < 3; i++)
                pthread_create(&t[i], NULL, passes, NULL);
        passes(NULL);
        for (int i = 0; i < 3; i++)
                pthread_join(t[i], NULL);
        is("one of four", serial, 50);
        is("the others", passed, 150);
        pthread_barrier_init(&sh->b, &a, 2);
        pid_t pid = fork();
        if (pid == 0) {
                pthread_barrier_wait(&sh->b);
                _exit(0);
        }
        pthread_barrier_wait(&sh->b);
        waitpid(pid, NULL, 0);
        puts("barriers");
}

static void *reads_writes(void *arg)
{
        for (int i = 0; i < 200; i++) {
                if (arg) {
                        pthread_rwlock_wrlock(&sh->rw);
                        sh->n++;
                } else {
                        pthread_rwlock_rdlock(&sh->rw);
                }
                pthread_rwlock_unlock(&sh->rw);
        }
        return NULL;
}

static void *rw_tries(void *arg)
{
        struct timespec t = in_ms(CLOCK_REALTIME, 20), mono = in_ms(CLOCK_MONOTONIC, 20);
        long r = pthread_rwlock_trywrlock(&sh->rw) == EBUSY;

        (void)arg;
        r += (pthread_rwlock_timedwrlock(&sh->rw, &t) == ETIMEDOUT) << 1;
        r += (pthread_rwlock_clockwrlock(&sh->rw, CLOCK_MONOTONIC, &mono) == ETIMEDOUT) << 2;
        r += (pthread_rwlock_tryrdlock(&sh->rw) == 0) << 3;
        return (void *)r;
}

static void rwlocks(int kind)
{
        pthread_rwlockattr_t a;
        pthread_t t[4];
        void *r;

        memset(&sh->rw, 0, sizeof sh->rw);
        pthread_rwlockattr_init(&a);
        pthread_rwlockattr_setkind_np(&a, kind);
        pthread_rwlockattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
        is("rwlock", pthread_rwlock_init(&sh->rw, &a), 0);
        sh->n = 0;
        for (int i = 0; i < 4; i++)
                pthread_create(&t[i], NULL, reads_writes, i % 2 ? sh : NULL);
        for (int i = 0; i < 4; i++)
                pthread_join(t[i], NULL);
        is("writes", sh->n, 400);
        pthread_rwlock_rdlock(&sh->rw);
        pthread_create(&t[0], NULL, rw_tries, NULL);
        pthread_join(t[0], &r);
        is("rw tries", (long)r, 15);
        printf("read-write lock, kind %d\n", kind);
}

static void semaphores(void)
{
        struct timespec t = in_ms(CLOCK_REALTIME, 20), mono = in_ms(CLOCK_MONOTONIC, 20);
        int v = -1;

        is("sem_init", sem_init(&sh->s, 1, 0), 0);
        is("trywait", sem_trywait(&sh->s) == -1 && errno == EAGAIN, 1);
        is("timedwait", sem_timedwait(&sh->s, &t) == -1 && errno == ETIMEDOUT, 1);
        is("clockwait", sem_clockwait(&sh->s, CLOCK_MONOTONIC, &mono) == -1 && errno == ETIMEDOUT, 1);
        pid_t pid = fork();
        if (pid == 0) {
                for (int i = 0; i < 100; i++)
                        sem_post(&sh->s);
                _exit(0);
        }
        for (int i = 0; i < 100; i++)
                sem_wait(&sh->s);
        waitpid(pid, NULL, 0);
        sem_getvalue(&sh->s, &v);
        is("all taken", v, 0);
        sem_unlink("/sync-test");
        sem_t *named = sem_open("/sync-test", O_CREAT | O_EXCL, 0600, 1), *again = sem_open("/sync-test", 0);
        is("named", named != SEM_FAILED, 1);
        is("the same", again == named, 1);
        is("exclusive", sem_open("/sync-test", O_CREAT | O_EXCL, 0600, 1) == SEM_FAILED && errno == EEXIST, 1);
        pid = fork();
        if (pid == 0) {
                sem_t *mine = sem_open("/sync-test", 0);
                sem_wait(mine);
                sem_post(mine), sem_post(mine);
                _exit(0);
        }
        waitpid(pid, NULL, 0);
        sem_getvalue(named, &v);
        is("posted by another", v, 2);
        is("close", sem_close(named), 0);
        is("unlink", sem_unlink("/sync-test"), 0);
        is("gone", sem_open("/sync-test", 0) == SEM_FAILED && errno == ENOENT, 1);
        puts("semaphores");
}

/* ---- rseq ---- */

static void *rseq_of_thread(void *arg)
{
        (void)arg;
        struct rseq *r = (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
        cpu_set_t one;
        int ok = (int)r->cpu_id >= 0;

        CPU_ZERO(&one);
        CPU_SET(0, &one);
        ok = ok && sched_setaffinity(0, sizeof one, &one) == 0 && r->cpu_id == 0 && r->cpu_id_start == 0;
        return (void *)(long)ok;
}

static void rseq(void)
{
        pthread_t t;
        void *r;

        is("glibc's rseq", __rseq_size > 0, 1);
        is("main's", (long)rseq_of_thread(NULL), 1);
        for (int i = 0; i < 3; i++) {
                pthread_create(&t, NULL, rseq_of_thread, NULL);
                pthread_join(t, &r);
                is("a thread's", (long)r, 1);
        }
        pid_t pid = fork();
        int st = 0;
        if (pid == 0)
                _exit(rseq_of_thread(NULL) ? 0 : 1);
        waitpid(pid, &st, 0);
        is("a child's", st, 0);
        puts("rseq");
}

/* ---- mq_notify ---- */

static sem_t told;
static void tell(union sigval v)
{
        is("value", v.sival_int, 4711);
        sem_post(&told);
}

static void notification(void)
{
        mqd_t q = mq_open("/sync-test", O_RDWR | O_CREAT, 0600, NULL);
        struct sigevent ev = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = tell, .sigev_value.sival_int = 4711 };
        struct timespec t = in_ms(CLOCK_REALTIME, 5000);
        char buf[8192];

        is("mq_open", q != (mqd_t)-1, 1);
        mq_unlink("/sync-test");
        sem_init(&told, 0, 0);
        for (int i = 0; i < 3; i++) {
                is("mq_notify", mq_notify(q, &ev), 0);
                is("once", mq_notify(q, &ev) == -1 && errno == EBUSY, 1);
                mq_send(q, "x", 1, 0);
                is("told", sem_timedwait(&told, &t), 0);
                mq_receive(q, buf, sizeof buf, NULL);
        }
        is("taken back", (mq_notify(q, &ev), mq_notify(q, NULL)), 0);
        mq_close(q);
        puts("mq_notify by a thread");
}

int main(void)
{
        setbuf(stdout, NULL);
        sh = mmap(NULL, sizeof *sh, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        mutexes();
        ceiling();
        for (int shared = 0; shared < 2; shared++)
                for (int protocol = 0; protocol < 2; protocol++) {
                        conditions(CLOCK_REALTIME, shared, protocol);
                        conditions(CLOCK_MONOTONIC, shared, protocol);
                }
        barriers();
        rwlocks(PTHREAD_RWLOCK_PREFER_READER_NP);
        rwlocks(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
        semaphores();
        rseq();
        notification();
        puts(bad ? "failed" : "all is well");
        return bad;
}
