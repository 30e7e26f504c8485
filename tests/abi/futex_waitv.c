/* futex_waitv: several words at once: arguments, the index, time-outs of both clocks, signals, requeueing, shared words. */
#include "futex.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#define MAX 128
struct word { uint64_t val, uaddr; uint32_t flags, reserved; };
#define F32 2
#define PRIVATE (F32 | FUTEX_PRIVATE_FLAG)

static struct word v[MAX + 2];
static volatile int u[MAX + 2];

static long waitv(void *at, unsigned n, unsigned flags, const struct timespec *t, int clock)
{
        return syscall(SYS_futex_waitv, at, n, flags, t, clock);
}

static void fill(int n, unsigned flags)
{
        for (int i = 0; i < n; i++) {
                u[i] = i;
                v[i] = (struct word){ .val = i, .uaddr = (uintptr_t)&u[i], .flags = flags };
        }
}

static void arguments(void)
{
        struct timespec past = { 1, 0 }, bad = { 0, 1000000000 }, negative = { -1, 0 };
        struct word w;

        fill(MAX + 1, PRIVATE);
        FAILS("flags", EINVAL, waitv(v, 1, 1, &past, CLOCK_MONOTONIC));
        FAILS("no words", EINVAL, waitv(v, 0, 0, &past, CLOCK_MONOTONIC));
        FAILS("too many", EINVAL, waitv(v, MAX + 1, 0, &past, CLOCK_MONOTONIC));
        FAILS("as many as may be", ETIMEDOUT, waitv(v, MAX, 0, &past, CLOCK_MONOTONIC));
        FAILS("no list", EINVAL, waitv(NULL, 1, 0, &past, CLOCK_MONOTONIC));
        FAILS("a bad list", EFAULT, waitv(BAD_PTR, 1, 0, &past, CLOCK_MONOTONIC));
        FAILS("a bad time", EFAULT, waitv(v, 1, 0, BAD_PTR, CLOCK_MONOTONIC));
        FAILS("a bad time, a bad clock", EINVAL, waitv(v, 1, 0, BAD_PTR, 77));
        FAILS("a bad clock without a time", EAGAIN, (u[0] = 5, waitv(v, 1, 0, NULL, 77)));
        u[0] = 0;
        FAILS("another clock", EINVAL, waitv(v, 1, 0, &past, CLOCK_BOOTTIME));
        FAILS("too many ns", EINVAL, waitv(v, 1, 0, &bad, CLOCK_MONOTONIC));
        FAILS("negative", EINVAL, waitv(v, 1, 0, &negative, CLOCK_MONOTONIC));
        FAILS("bad time before a bad list", EINVAL, waitv(BAD_PTR, 1, 0, &bad, CLOCK_MONOTONIC));
        FAILS("passed", ETIMEDOUT, waitv(v, 1, 0, &past, CLOCK_MONOTONIC));
        FAILS("passed on the wall", ETIMEDOUT, waitv(v, 1, 0, &past, CLOCK_REALTIME));
        w = v[0], w.flags = 0;
        FAILS("no size", EINVAL, waitv(&w, 1, 0, &past, CLOCK_MONOTONIC));
        w.flags = 3;
        FAILS("another size", EINVAL, waitv(&w, 1, 0, &past, CLOCK_MONOTONIC));
        w.flags = F32 | 0x100;
        FAILS("an unknown flag", EINVAL, waitv(&w, 1, 0, &past, CLOCK_MONOTONIC));
        w.flags = F32, w.reserved = 1;
        FAILS("reserved", EINVAL, waitv(&w, 1, 0, &past, CLOCK_MONOTONIC));
        w.reserved = 0, w.uaddr++;
        FAILS("not aligned", EINVAL, waitv(&w, 1, 0, &past, CLOCK_MONOTONIC));
        w.uaddr = 8;
        FAILS("a bad word", EFAULT, waitv(&w, 1, 0, &past, CLOCK_MONOTONIC));
        w.flags = PRIVATE;
        FAILS("a bad private word", EFAULT, waitv(&w, 1, 0, &past, CLOCK_MONOTONIC));
        w.uaddr = 0;
        FAILS("a word at 0", EFAULT, waitv(&w, 1, 0, &past, CLOCK_MONOTONIC));
        w = v[0], w.val = 0x100000000;
        FAILS("the high half of the value", ETIMEDOUT, waitv(&w, 1, 0, &past, CLOCK_MONOTONIC));
        v[2].val = 77;
        FAILS("one is not what it should be", EAGAIN, waitv(v, 4, 0, &past, CLOCK_MONOTONIC));
        v[3].flags = 0;
        FAILS("flags before values", EINVAL, waitv(v, 4, 0, &past, CLOCK_MONOTONIC));
        fill(4, PRIVATE), v[1].uaddr = 8, v[0].val = 9;
        FAILS("a bad private word behind one that is wrong", EAGAIN, waitv(v, 4, 0, &past, CLOCK_MONOTONIC));
        fill(4, F32), v[1].uaddr = 8, v[0].val = 9;
        FAILS("the same shared", EFAULT, waitv(v, 4, 0, &past, CLOCK_MONOTONIC));
        CHECK("nobody is left behind", futex(&u[0], FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0) == 0);
        fill(2, PRIVATE), v[1] = v[0];
        FAILS("one word twice", ETIMEDOUT, waitv(v, 2, 0, &past, CLOCK_MONOTONIC));
}

static int many;
static volatile long got;
static volatile int got_errno;

static void *waits(void *arg)
{
        __atomic_add_fetch(&futex_waiting, 1, __ATOMIC_SEQ_CST);
        got = waitv(v, many, 0, arg, CLOCK_MONOTONIC);
        got_errno = errno;
        return NULL;
}

static pthread_t begin(int n, void *t)
{
        pthread_t th;

        many = n;
        futex_waiting = 0;
        must(pthread_create(&th, NULL, waits, t) == 0, "thread");
        wait_sleepers(1);
        return th;
}

static void waking(void)
{
        pthread_t th;
        int ok = 1;

        fill(MAX, PRIVATE);
        for (int i = 0; i < MAX; i += 127 / 3) {
                th = begin(MAX, NULL);
                ok = ok && futex(&u[i], FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0) == 1;
                pthread_join(th, NULL);
                ok = ok && got == i;
        }
        CHECK("the index tells which", ok);
        ok = 1;
        for (int i = 0; i < MAX; i++)
                ok = ok && futex(&u[i], FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0) == 0;
        CHECK("nobody waits any more", ok);
        th = begin(3, NULL);
        CHECK("a shared wake finds no private one", futex(&u[1], FUTEX_WAKE, 1, NULL, NULL, 0) == 0);
        CHECK("a bit set wakes it", futex(&u[1], FUTEX_WAKE_BITSET_PRIVATE, 1, NULL, NULL, 4) == 1);
        pthread_join(th, NULL);
        CHECK("woken", got == 1);
        th = begin(3, NULL);
        CHECK("requeued", futex(&u[2], FUTEX_REQUEUE_PRIVATE, 0, (void *)1, &u[100], 0) == 1);
        CHECK("not there any more", futex(&u[2], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 0);
        CHECK("there", futex(&u[100], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 1);
        pthread_join(th, NULL);
        CHECK("still the same index", got == 2);
        th = begin(3, NULL);
        CHECK("requeued before another", futex(&u[2], FUTEX_REQUEUE_PRIVATE, 0, (void *)1, &u[100], 0) == 1);
        CHECK("the other", futex(&u[0], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 1);
        pthread_join(th, NULL);
        CHECK("its index", got == 0);
        CHECK("the one moved is gone", futex(&u[100], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 0);
        fill(2, PRIVATE), v[1] = v[0];
        th = begin(2, NULL);
        CHECK("one word twice is woken twice", futex(&u[0], FUTEX_WAKE_PRIVATE, 5, NULL, NULL, 0) <= 2);
        pthread_join(th, NULL);
        CHECK("an index", got == 0 || got == 1);
        fill(2, PRIVATE);
        FAILS("a PI lock does not mix", EINVAL, (th = begin(2, NULL), futex(&u[1], FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)1, &u[50], 1)));
        futex(&u[0], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
        pthread_join(th, NULL);
}

static void timing(void)
{
        struct timespec t;
        int64_t from = now_ms();

        fill(3, PRIVATE);
        t = in_ms(CLOCK_MONOTONIC, 50);
        FAILS("till a time", ETIMEDOUT, waitv(v, 3, 0, &t, CLOCK_MONOTONIC));
        CHECK("which has come", now_ms() - from >= 49);
        from = now_ms();
        t = in_ms(CLOCK_REALTIME, 50);
        FAILS("on the wall", ETIMEDOUT, waitv(v, 3, 0, &t, CLOCK_REALTIME));
        CHECK("has come", now_ms() - from >= 49);
}

static volatile int handled;
static void handler(int sig) { (void)sig; handled++; }

static void signals(void)
{
        pthread_t th;

        fill(3, PRIVATE);
        on(SIGUSR1, handler, 0);
        th = begin(3, NULL);
        pthread_kill(th, SIGUSR1);
        pthread_join(th, NULL);
        CHECK("a signal", got == -1 && got_errno == EINTR);
        on(SIGUSR1, handler, SA_RESTART);
        th = begin(3, NULL);
        pthread_kill(th, SIGUSR1);
        reaches(&handled, 2);
        threads_asleep(1);
        CHECK("it waits again", futex(&u[2], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 1);
        pthread_join(th, NULL);
        CHECK("and is woken", got == 2);
}

static void shared(void)
{
        int *s = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        struct word w[2] = { { .uaddr = (uintptr_t)&u[0], .flags = PRIVATE }, { .uaddr = (uintptr_t)s, .flags = F32 } };

        u[0] = 0;
        pid_t pid = fork();
        if (pid == 0)
                _exit(waitv(w, 2, 0, NULL, 0) == 1 ? 0 : 1);
        while (futex(s, FUTEX_WAKE, 1, NULL, NULL, 0) != 1)
                sleep_ms(1);
        CHECK("another process wakes", result_of(pid) == 0);
}

/* Each word is woken by a thread of its own, over and over: none is lost. */
static volatile int stop;
static void *wakes(void *arg)
{
        volatile int *w = arg;

        while (!stop) {
                __atomic_add_fetch(w, 1, __ATOMIC_SEQ_CST);
                futex(w, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
        }
        return NULL;
}

static void race(void)
{
        pthread_t th[2];
        int ok = 1;

        u[0] = u[1] = 0;
        for (int i = 0; i < 2; i++)
                pthread_create(&th[i], NULL, wakes, (void *)&u[i]);
        for (int i = 0; i < 2000; i++) {
                for (int j = 0; j < 2; j++)
                        v[j] = (struct word){ .val = __atomic_load_n(&u[j], __ATOMIC_SEQ_CST), .uaddr = (uintptr_t)&u[j], .flags = PRIVATE };
                long r = waitv(v, 2, 0, NULL, 0);
                ok = ok && (r == 0 || r == 1 || (r == -1 && errno == EAGAIN));
        }
        stop = 1;
        for (int i = 0; i < 2; i++)
                pthread_join(th[i], NULL);
        CHECK("woken by two, many times", ok);
}

int main(void)
{
        arguments();
        waking();
        timing();
        signals();
        shared();
        race();
        return done();
}
