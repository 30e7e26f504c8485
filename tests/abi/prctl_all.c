/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: prctl: what each operation answers, with good and bad arguments; what is inherited.
 */
#include "abi.h"
#include <pthread.h>
#include <sys/prctl.h>

static void try(const char *name, long op, long a, long b, long c, long d)
{
        errno = 0;
        long r = syscall(SYS_prctl, op, a, b, c, d);
        if (r == -1)
                say("ok %s: error %d\n", name, errno);
        else
                say("ok %s: %ld\n", name, r);
}
#define TRY(op, a, b, c, d) try(#op " " #a " " #b " " #c " " #d, op, (long)(a), b, c, d)

static void *thread(void *arg)
{
        (void)arg;
        TRY(PR_GET_TIMERSLACK, 0, 0, 0, 0);
        TRY(PR_GET_PDEATHSIG, BAD_PTR, 0, 0, 0);
        TRY(PR_GET_KEEPCAPS, 0, 0, 0, 0);
        return NULL;
}

static int child(void)
{
        int v = -1;
        TRY(PR_GET_DUMPABLE, 0, 0, 0, 0);
        TRY(PR_GET_TIMERSLACK, 0, 0, 0, 0);
        TRY(PR_GET_KEEPCAPS, 0, 0, 0, 0);
        TRY(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
        TRY(PR_GET_SECUREBITS, 0, 0, 0, 0);
        TRY(PR_GET_THP_DISABLE, 0, 0, 0, 0);
        TRY(PR_MCE_KILL_GET, 0, 0, 0, 0);
        TRY(PR_GET_TSC, &v, 0, 0, 0);
        CHECK("TSC", v == PR_TSC_ENABLE);
        prctl(PR_GET_CHILD_SUBREAPER, &v);
        CHECK("the subreaper is not inherited", v == 0);
        prctl(PR_GET_PDEATHSIG, &v);
        CHECK("nor the death signal", v == 0);
        return done();
}

static int dies_with_thread(void);
static int user(void)
{
        become_user(1000);
        TRY(PR_GET_DUMPABLE, 0, 0, 0, 0);
        TRY(PR_SET_SECUREBITS, 1, 0, 0, 0);
        TRY(PR_CAPBSET_DROP, 3, 0, 0, 0);
        TRY(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
        TRY(PR_GET_IO_FLUSHER, 0, 0, 0, 0);
        TRY(PR_SET_MM, PR_SET_MM_BRK, 4096, 0, 0);
        TRY(PR_SET_DUMPABLE, 1, 0, 0, 0);
        TRY(PR_GET_DUMPABLE, 0, 0, 0, 0);
        return done();
}

int main(void)
{
        int  v = -1;
        char name[20] = "abcdefghijklmnopqrs";
        pthread_t t;

        TRY(PR_GET_DUMPABLE, 0, 0, 0, 0);
        TRY(PR_SET_DUMPABLE, 2, 0, 0, 0);
        TRY(PR_SET_DUMPABLE, 0, 0, 0, 0);
        TRY(PR_GET_DUMPABLE, 1, 2, 3, 4);
        TRY(PR_SET_DUMPABLE, 1, 0, 0, 0);
        TRY(PR_SET_PDEATHSIG, 65, 0, 0, 0);
        TRY(PR_SET_PDEATHSIG, SIGUSR1, 0, 0, 0);
        TRY(PR_GET_PDEATHSIG, BAD_PTR, 0, 0, 0);
        TRY(PR_SET_PDEATHSIG, 0, 0, 0, 0);
        TRY(PR_GET_UNALIGN, &v, 0, 0, 0);
        TRY(PR_SET_UNALIGN, 1, 0, 0, 0);
        TRY(PR_GET_FPEMU, &v, 0, 0, 0);
        TRY(PR_SET_FPEMU, 1, 0, 0, 0);
        TRY(PR_GET_FPEXC, &v, 0, 0, 0);
        TRY(PR_SET_FPEXC, 1, 0, 0, 0);
        TRY(PR_GET_ENDIAN, &v, 0, 0, 0);
        TRY(PR_SET_ENDIAN, 0, 0, 0, 0);
        TRY(PR_GET_TIMING, 0, 0, 0, 0);
        TRY(PR_SET_TIMING, PR_TIMING_STATISTICAL, 0, 0, 0);
        TRY(PR_SET_TIMING, PR_TIMING_TIMESTAMP, 0, 0, 0);
        TRY(PR_SET_NAME, name, 0, 0, 0);
        memset(name, 0, sizeof name);
        TRY(PR_GET_NAME, name, 0, 0, 0);
        CHECK("15 bytes", !strcmp(name, "abcdefghijklmno"));
        TRY(PR_SET_NAME, BAD_PTR, 0, 0, 0);
        TRY(PR_GET_NAME, BAD_PTR, 0, 0, 0);
        TRY(PR_GET_TSC, &v, 0, 0, 0);
        CHECK("TSC", v == PR_TSC_ENABLE);
        TRY(PR_SET_TSC, PR_TSC_ENABLE, 0, 0, 0);
        TRY(PR_SET_TSC, 3, 0, 0, 0);
        TRY(PR_GET_TSC, BAD_PTR, 0, 0, 0);
        TRY(PR_TASK_PERF_EVENTS_DISABLE, 0, 0, 0, 0);
        TRY(PR_TASK_PERF_EVENTS_ENABLE, 0, 0, 0, 0);
        TRY(PR_GET_TIMERSLACK, 0, 0, 0, 0);
        TRY(PR_SET_TIMERSLACK, 123456, 0, 0, 0);
        TRY(PR_GET_TIMERSLACK, 0, 0, 0, 0);
        pthread_create(&t, NULL, thread, NULL);
        pthread_join(t, NULL);
        TRY(PR_MCE_KILL_GET, 0, 0, 0, 0);
        TRY(PR_MCE_KILL_GET, 1, 0, 0, 0);
        TRY(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0);
        TRY(PR_MCE_KILL_GET, 0, 0, 0, 0);
        TRY(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_LATE, 0, 0);
        TRY(PR_MCE_KILL_GET, 0, 0, 0, 0);
        TRY(PR_MCE_KILL, PR_MCE_KILL_SET, 5, 0, 0);
        TRY(PR_MCE_KILL, PR_MCE_KILL_SET, 0, 1, 0);
        TRY(PR_MCE_KILL, 9, 0, 0, 0);
        TRY(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0, 0, 0);
        TRY(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 1, 0, 0);
        TRY(PR_MCE_KILL_GET, 0, 0, 0, 0);
        TRY(PR_SET_MM, PR_SET_MM_BRK, 1, 0, 0);
        TRY(PR_SET_MM, 99, 4096, 0, 0);
        TRY(PR_SET_MM, PR_SET_MM_BRK, 4096, 1, 0);
        TRY(PR_GET_TID_ADDRESS, BAD_PTR, 0, 0, 0);
        TRY(PR_SET_THP_DISABLE, 1, 1, 0, 0);
        TRY(PR_GET_THP_DISABLE, 1, 0, 0, 0);
        TRY(PR_GET_THP_DISABLE, 0, 0, 0, 0);
        TRY(PR_SET_THP_DISABLE, 1, 0, 0, 0);
        TRY(PR_GET_THP_DISABLE, 0, 0, 0, 0);
        CHECK("in a child", in_child(child) == 0);
        TRY(PR_SET_THP_DISABLE, 0, 0, 0, 0);
        TRY(PR_MPX_ENABLE_MANAGEMENT, 0, 0, 0, 0);
        TRY(PR_MPX_DISABLE_MANAGEMENT, 0, 0, 0, 0);
        TRY(PR_SET_FP_MODE, 0, 0, 0, 0);
        TRY(PR_GET_FP_MODE, 0, 0, 0, 0);
        TRY(PR_SVE_GET_VL, 0, 0, 0, 0);
        TRY(PR_PAC_RESET_KEYS, 0, 0, 0, 0);
        TRY(PR_GET_TAGGED_ADDR_CTRL, 0, 0, 0, 0);
        TRY(PR_SET_TAGGED_ADDR_CTRL, 0, 0, 0, 0);
        TRY(PR_GET_IO_FLUSHER, 0, 0, 0, 0);
        TRY(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
        TRY(PR_GET_IO_FLUSHER, 0, 0, 0, 0);
        TRY(PR_SET_IO_FLUSHER, 2, 0, 0, 0);
        TRY(PR_SET_IO_FLUSHER, 0, 1, 0, 0);
        TRY(PR_SET_IO_FLUSHER, 0, 0, 0, 0);
        TRY(PR_SET_SYSCALL_USER_DISPATCH, 0, 0, 0, 0);
        TRY(PR_GET_SECCOMP, 0, 0, 0, 0);
        TRY(PR_SET_SECCOMP, 7, 0, 0, 0);
        TRY(PR_SET_CHILD_SUBREAPER, 1, 2, 3, 4);
        TRY(PR_GET_CHILD_SUBREAPER, BAD_PTR, 0, 0, 0);
        TRY(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
        TRY(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0);
        TRY(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0);
        TRY(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0);
        TRY(PR_GET_KEEPCAPS, 0, 0, 0, 0);
        TRY(PR_SET_KEEPCAPS, 2, 0, 0, 0);
        TRY(PR_CAPBSET_READ, 40, 0, 0, 0);
        TRY(PR_CAPBSET_READ, 41, 0, 0, 0);
        TRY(PR_CAPBSET_DROP, 41, 0, 0, 0);
        TRY(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 41, 0, 0);
        TRY(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 0, 1, 0);
        TRY(PR_CAP_AMBIENT, 9, 0, 0, 0);
        TRY(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 1, 0, 0);
        TRY(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
        TRY(PR_SET_SECUREBITS, 0x100, 0, 0, 0);
        TRY(PR_SET_PTRACER, 1, 0, 0, 0);
        TRY(0, 0, 0, 0, 0);
        TRY(999, 0, 0, 0, 0);
        CHECK("as a user", in_child(user) == 0);
        CHECK("the maker's thread ends", in_child(dies_with_thread) == 0);
        return done();
}

/* The signal of PR_SET_PDEATHSIG comes when the thread that made the child ends. */
static int to[2];
static void *maker(void *arg)
{
        if (fork() == 0) {
                sigset_t set;
                int sig = 0;
                sigemptyset(&set);
                sigaddset(&set, SIGUSR1);
                sigprocmask(SIG_BLOCK, &set, NULL);
                prctl(PR_SET_PDEATHSIG, SIGUSR1);
                write(to[1], "r", 1);
                alarm(10);
                sigwait(&set, &sig);
                write(to[1], sig == SIGUSR1 ? "y" : "n", 1);
                _exit(0);
        }
        char c;
        read(to[0], &c, 1);
        return arg;
}

static int dies_with_thread(void)
{
        pthread_t t;
        char c = 0;
        must(pipe(to) == 0, "pipe");
        pthread_create(&t, NULL, maker, NULL);
        pthread_join(t, NULL);
        read(to[0], &c, 1);
        CHECK("the signal came", c == 'y');
        wait(NULL);
        return done();
}
