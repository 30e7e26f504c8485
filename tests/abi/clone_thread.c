/* SPDX-License-Identifier: Apache-2.0
 *
 * clone_thread: clone with shared memory: the thread ids it stores and clears.
 */
#include "abi.h"
#include <linux/futex.h>

static volatile int parent_tid, child_tid = -1, ran;
static volatile pid_t seen_pid, seen_tid;
static char stack[65536] __attribute__((aligned(16)));

static int body(void *arg)
{
        ran = *(int *)arg;
        seen_pid = getpid();
        seen_tid = syscall(SYS_gettid);
        syscall(SYS_exit, 0);
        return 0;
}

static void wait_cleared(volatile int *word)
{
        int v;

        while ((v = *word) != 0)
                syscall(SYS_futex, word, FUTEX_WAIT, v, NULL, NULL, 0);
}

int main(void)
{
        int arg = 77;
        int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                    CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;

        child_tid = -1;
        int tid = clone(body, stack + sizeof stack, flags, &arg, &parent_tid, NULL, &child_tid);
        must(tid > 0, "clone");
        wait_cleared(&child_tid);
        CHECK("it ran, with its argument", ran == 77);
        CHECK("the parent's word", parent_tid == tid);
        CHECK("the same process", seen_pid == getpid());
        CHECK("another thread", seen_tid == tid && tid != getpid());
        FAILS("a thread is no child", ECHILD, waitpid(tid, NULL, __WALL));

        parent_tid = 0;
        child_tid = -1;
        pid_t pid = clone(body, stack + sizeof stack, CLONE_VM | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD,
                          &arg, NULL, NULL, &child_tid);
        must(pid > 0, "clone");
        CHECK("a process with shared memory", result_of(pid) == 0);
        CHECK("its word is cleared", child_tid == 0);
        CHECK("another process", seen_pid == pid && seen_tid == pid);
        return done();
}
