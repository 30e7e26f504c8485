/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: unwinders walk through signal frames: _Unwind_Backtrace from handlers, on the stack and on another, nested, in a thread,
 * out of a fault and out of a system call, and a forced unwind through one.
 */
#include "abi.h"
#include <pthread.h>
#include <unwind.h>

#define FRAMES 64
static uintptr_t frame[FRAMES], function[FRAMES];
static int       depth, before[FRAMES];

static _Unwind_Reason_Code note(struct _Unwind_Context *c, void *arg)
{
        (void)arg;
        if (depth == FRAMES)
                return _URC_END_OF_STACK;
        frame[depth] = _Unwind_GetIPInfo(c, &before[depth]);
        function[depth] = (uintptr_t)_Unwind_FindEnclosingFunction((void *)(frame[depth] - !before[depth]));
        depth++;
        return _URC_NO_REASON;
}

static void walk(void)
{
        depth = 0;
        _Unwind_Backtrace(note, NULL);
}

/* Where a function stands in the walk, or -1. */
static int place(void *fn)
{
        for (int i = 0; i < depth; i++)
                if (function[i] == (uintptr_t)fn)
                        return i;
        return -1;
}

static int signal_frames(void)
{
        int n = 0;
        for (int i = 0; i < depth; i++)
                n += before[i] != 0;
        return n;
}

static volatile int sink;
__attribute__((noinline)) static void on_usr1(int sig) { (void)sig; walk(); sink++; }
__attribute__((noinline)) static void on_usr2(int sig) { (void)sig; raise(SIGUSR1); sink++; }
__attribute__((noinline)) static void on_segv(int sig, siginfo_t *si, void *uc)
{
        (void)sig, (void)si, (void)uc;
        walk();
        extern void report_fault(void);
        report_fault();
        _exit(0);
}
__attribute__((noinline)) static void raises(void) { raise(SIGUSR1); sink++; }
__attribute__((noinline)) static void raises_two(void) { raise(SIGUSR2); sink++; }
__attribute__((noinline)) static void outer(void (*fn)(void)) { fn(); sink++; }
__attribute__((noinline)) static void faults(void) { *(volatile int *)BAD_PTR = 1; sink++; }
__attribute__((noinline)) static void divides(void) { volatile int z = 0; sink = 5 / z; sink++; }
__attribute__((noinline)) static void sleeps(void) { struct timespec t = { 0, 200000000 }; nanosleep(&t, NULL); sink++; }
__attribute__((noinline)) static void spins(void) { sink = 0; while (!sink) ; sink++; }

static const char *title;
static void *faulty;
void report_fault(void)
{
        int f = place(faulty), h = place((void *)on_segv), o = place((void *)outer);
        CHECK(title, h >= 0 && f > h && o > f && signal_frames() == 1);
}

static void fault(const char *name, void (*fn)(void))
{
        pid_t pid = fork();
        if (pid == 0) {
                title = name;
                faulty = (void *)fn;
                failures = 0;
                outer(fn);
                _exit(9);
        }
        if (result_of(pid) != 0)
                say("not ok %s ends\n", name);
}

static void *thread(void *arg)
{
        outer(raises);
        int r = place((void *)raises), h = place((void *)on_usr1);
        CHECK("in a thread", h >= 0 && r > h && place((void *)thread) > r);
        return arg;
}

static volatile int cleaned;
static void cleanup(int *x) { (void)x; cleaned++; }
static _Unwind_Reason_Code stop(int version, _Unwind_Action actions, _Unwind_Exception_Class class, struct _Unwind_Exception *e, struct _Unwind_Context *c, void *arg)
{
        (void)version, (void)class, (void)e, (void)c, (void)arg;
        if (actions & _UA_END_OF_STACK)
                _exit(77);
        return _URC_NO_REASON;
}
static void on_term(int sig)
{
        static struct _Unwind_Exception e;
        (void)sig;
        _Unwind_ForcedUnwind(&e, stop, NULL);
}
__attribute__((noinline)) static void guarded(void) { __attribute__((cleanup(cleanup))) int x = 1; raise(SIGTERM); sink += x; }

int main(void)
{
        static char stack[65536];
        struct sigaction sa = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO };
        stack_t ss = { .ss_sp = stack, .ss_size = sizeof stack };
        pthread_t t;

        on(SIGUSR1, on_usr1, 0);
        on(SIGUSR2, on_usr2, 0);
        outer(raises);
        int h = place((void *)on_usr1), r = place((void *)raises), o = place((void *)outer);
        CHECK("from a handler to main", h >= 0 && r > h && o > r && place((void *)main) > o);
        CHECK("one signal frame", signal_frames() == 1);
        outer(raises_two);
        CHECK("nested handlers", place((void *)on_usr1) < place((void *)on_usr2) && place((void *)on_usr2) < place((void *)raises_two) &&
              place((void *)raises_two) < place((void *)main) && signal_frames() == 2);
        sigaltstack(&ss, NULL);
        on(SIGUSR1, on_usr1, SA_ONSTACK);
        outer(raises);
        CHECK("on another stack", place((void *)raises) > 0 && place((void *)main) > place((void *)raises) && signal_frames() == 1);
        on(SIGUSR1, on_usr1, 0);
        pthread_create(&t, NULL, thread, NULL);
        pthread_join(t, NULL);
        sigaction(SIGSEGV, &sa, NULL);
        sigaction(SIGFPE, &sa, NULL);
        fault("out of a fault", faults);
        fault("out of a division", divides);
        sa.sa_flags |= SA_ONSTACK;
        sigaction(SIGSEGV, &sa, NULL);
        fault("out of a fault, on another stack", faults);
        on(SIGALRM, on_usr1, 0);
        ualarm(30000, 0);
        outer(sleeps);
        CHECK("out of a system call", place((void *)sleeps) > 0 && place((void *)outer) > place((void *)sleeps));
        ualarm(30000, 0);
        outer(spins);
        CHECK("out of a loop", place((void *)spins) > 0 && place((void *)outer) > place((void *)spins));
        pid_t pid = fork();
        if (pid == 0) {
                on(SIGTERM, on_term, 0);
                guarded();
                _exit(1);
        }
        CHECK("a forced unwind reaches the end", result_of(pid) == 77);
        return done();
}
