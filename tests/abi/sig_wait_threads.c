/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: sigwaitinfo and sigtimedwait with several threads: who gets what, arguments, interruptions, signals that are ignored,
 * fatal or cannot be waited for.
 */
#include "show.h"
#include <pthread.h>

#define THREADS 4
static volatile int took[THREADS], value[THREADS], done_count, stop_all;
static pid_t tid[THREADS];

/* The C library's try again after EINTR. */
static int timed(const sigset_t *s, siginfo_t *i, const struct timespec *t) { return (int)syscall(SYS_rt_sigtimedwait, s, i, t, 8); }
#define sigtimedwait timed
#define sigwaitinfo(s, i) timed(s, i, NULL)
static volatile int handled;

static void handler(int sig) { (void)sig; handled++; }

static void *waiter(void *arg)
{
        long n = (long)arg;
        sigset_t s;
        siginfo_t i;
        struct timespec t = { 10, 0 };

        sigemptyset(&s);
        sigaddset(&s, SIGUSR1);
        sigaddset(&s, SIGRTMIN);
        __atomic_store_n(&tid[n], (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
        while (!stop_all) {
                int sig = sigtimedwait(&s, &i, &t);
                if (sig == SIGUSR1)
                        break;
                if (sig > 0) {
                        __atomic_add_fetch(&took[n], 1, __ATOMIC_SEQ_CST);
                        __atomic_add_fetch(&value[n], i.si_int, __ATOMIC_SEQ_CST);
                        __atomic_add_fetch(&done_count, 1, __ATOMIC_SEQ_CST);
                }
        }
        return NULL;
}

static int tg(pid_t t, int sig) { return (int)syscall(SYS_tgkill, getpid(), t, sig); }
static void settle(int n) { for (int i = 0; i < 2000 && done_count < n; i++) sleep_ms(1); }

static int threads(void)
{
        pthread_t t[THREADS];
        sigset_t s;
        union sigval v;

        sigfillset(&s);
        pthread_sigmask(SIG_BLOCK, &s, NULL);
        for (long i = 0; i < THREADS; i++)
                pthread_create(&t[i], NULL, waiter, (void *)i);
        for (int i = 0; i < THREADS; i++)
                while (!tid[i] || !({ char p[64]; snprintf(p, sizeof p, "/proc/self/task/%d/stat", tid[i]); const char *e = strrchr(text_of(p), ')'); e && e[2] == 'S'; }))
                        sleep_ms(1);
        for (int i = 1; i <= 100; i++) {
                v.sival_int = i;
                sigqueue(getpid(), SIGRTMIN, v);
        }
        settle(100);
        sleep_ms(20);
        int all = 0, sum = 0;
        for (int i = 0; i < THREADS; i++)
                all += took[i], sum += value[i];
        CHECK("each signal is taken once", all == 100 && sum == 5050);
        int before = took[2];
        for (int i = 0; i < 10; i++)
                tg(tid[2], SIGRTMIN);
        settle(110);
        CHECK("a thread's own go to it", took[2] == before + 10);
        stop_all = 1;
        for (int i = 0; i < THREADS; i++)
                tg(tid[i], SIGUSR1);
        for (int i = 0; i < THREADS; i++)
                pthread_join(t[i], NULL);
        return 0;
}

static void *kicks(void *arg)
{
        pid_t t = (pid_t)(long)arg;
        sleep_ms(60);
        tg(t, SIGUSR2);
        return NULL;
}

static int arguments(void)
{
        sigset_t s, old;
        siginfo_t i;
        struct timespec bad = { 0, 1000000000 }, neg = { -1, 0 }, zero = { 0, 0 }, shortly = { 0, 50000000 };
        pthread_t t;
        pid_t pid;

        sigemptyset(&s);
        sigaddset(&s, SIGUSR1);
        sigprocmask(SIG_BLOCK, &s, &old);
        SHOW("nothing there", sigtimedwait(&s, &i, &zero));
        SHOW("too many nanoseconds", sigtimedwait(&s, &i, &bad));
        SHOW("negative", sigtimedwait(&s, &i, &neg));
        SHOW("time passes", sigtimedwait(&s, &i, &shortly));
        SHOW("bad set", syscall(SYS_rt_sigtimedwait, BAD_PTR, &i, &zero, 8));
        SHOW("bad timeout", syscall(SYS_rt_sigtimedwait, &s, &i, BAD_PTR, 8));
        SHOW("bad size", syscall(SYS_rt_sigtimedwait, &s, &i, &zero, 4));
        SHOW("size 16", syscall(SYS_rt_sigtimedwait, &s, &i, &zero, 16));
        kill(getpid(), SIGUSR1);
        SHOW("bad info", syscall(SYS_rt_sigtimedwait, &s, BAD_PTR, &zero, 8));
        SHOW("it is lost", sigtimedwait(&s, &i, &zero));
        kill(getpid(), SIGUSR1);
        SHOW("no info", syscall(SYS_rt_sigtimedwait, &s, NULL, &zero, 8));
        kill(getpid(), SIGUSR1);
        SHOW("pending, bad timeout", sigtimedwait(&s, &i, &bad));
        SHOW("still there", sigtimedwait(&s, &i, &zero));
        on(SIGUSR2, handler, SA_RESTART);
        pthread_create(&t, NULL, kicks, (void *)(long)getpid());
        SHOW("a handler interrupts", sigwaitinfo(&s, &i));
        pthread_join(t, NULL);
        SHOW("it ran", handled);
        sigaddset(&s, SIGUSR2);
        pthread_create(&t, NULL, kicks, (void *)(long)getpid());
        SHOW("one that is waited for but not blocked", sigwaitinfo(&s, &i));
        pthread_join(t, NULL);
        SHOW("the handler did not run", handled);
        signal(SIGUSR2, SIG_IGN);
        pthread_create(&t, NULL, kicks, (void *)(long)getpid());
        SHOW("one that is ignored and not blocked", sigtimedwait(&s, &i, &(struct timespec){ 0, 200000000 }));
        pthread_join(t, NULL);
        sigset_t u;
        sigemptyset(&u);
        sigaddset(&u, SIGUSR2);
        sigprocmask(SIG_BLOCK, &u, NULL);
        kill(getpid(), SIGUSR2);
        SHOW("ignored but blocked", sigtimedwait(&s, &i, &zero));
        sigaddset(&s, SIGKILL);
        sigaddset(&s, SIGSTOP);
        SHOW("SIGKILL in the set", sigtimedwait(&s, &i, &zero));
        sigaddset(&s, SIGCHLD);
        sigprocmask(SIG_BLOCK, &s, NULL);
        if ((pid = fork()) == 0)
                _exit(9);
        SHOW("SIGCHLD", sigwaitinfo(&s, &i));
        SHOW("status", i.si_status);
        result_of(pid);
        if ((pid = fork()) == 0) {
                sigwaitinfo(&s, &i);
                _exit(1);
        }
        state_becomes(pid, 'S');
        kill(pid, SIGTERM);
        SHOW("a fatal one that is not waited for", result_of(pid));
        if ((pid = fork()) == 0) {
                int sig = sigwaitinfo(&s, &i);
                _exit(sig > 0 ? sig : 100 + errno);
        }
        state_becomes(pid, 'S');
        kill(pid, SIGSTOP);
        state_becomes(pid, 'T');
        kill(pid, SIGUSR1);
        sleep_ms(30);
        kill(pid, SIGCONT);
        SHOW("stopped while it waits, and sent to", result_of(pid));
        if ((pid = fork()) == 0) {
                int sig = sigtimedwait(&s, &i, &(struct timespec){ 1, 0 });
                _exit(sig > 0 ? sig : 100 + errno);
        }
        state_becomes(pid, 'S');
        kill(pid, SIGSTOP);
        state_becomes(pid, 'T');
        kill(pid, SIGCONT);
        SHOW("stopped and continued", result_of(pid));
        return 0;
}

int main(void)
{
        in_child(threads);
        in_child(arguments);
        return done();
}
