/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: clone3: sizes, stacks, exit signals, set_tid, flags and their combinations; clone's exit signals; CLONE_PARENT.
 */
#include "abi.h"
#include <linux/sched.h>

#define FLAG(x) (1ull << (x))
#define CLEAR_SIGHAND 0x100000000ull
#define INTO_CGROUP   0x200000000ull

static char stack[65536] __attribute__((aligned(16)));

static long call(struct clone_args *a, size_t size)
{
        long r = syscall(SYS_clone3, a, size);
        if (r == 0)
                _exit(7);
        if (r > 0) {
                int st;
                if (waitpid(r, &st, __WALL) != r || !WIFEXITED(st) || WEXITSTATUS(st) != 7)
                        return -2;
        }
        return r;
}
static long with(uint64_t flags, uint64_t sig)
{
        struct clone_args a = { .flags = flags, .exit_signal = sig };
        return call(&a, sizeof a);
}
static long legacy(unsigned long flags)
{
        long r = syscall(SYS_clone, flags, 0, NULL, NULL, 0);
        if (r == 0)
                _exit(7);
        return r;
}

static void sizes(void)
{
        struct { struct clone_args a; uint64_t more[8]; } big = { .a.exit_signal = SIGCHLD };
        char page[8192] = { 0 };

        CHECK("whole", call(&big.a, sizeof big.a) > 0);
        CHECK("version 0", call(&big.a, 64) > 0);
        CHECK("version 1", call(&big.a, 80) > 0);
        CHECK("longer", call(&big.a, sizeof big) > 0);
        big.more[3] = 1;
        FAILS("longer and not zero", E2BIG, call(&big.a, sizeof big));
        FAILS("too short", EINVAL, call(&big.a, 63));
        FAILS("too long", E2BIG, call((void *)page, 4097));
        FAILS("nothing", EINVAL, call(NULL, 0));
        FAILS("from nowhere", EFAULT, call(BAD_PTR, 64));
}

static void stacks(void)
{
        struct clone_args a = { .exit_signal = SIGCHLD };

        a.stack_size = 4096;
        FAILS("a size without a stack", EINVAL, call(&a, sizeof a));
        a.stack = (uint64_t)stack;
        a.stack_size = 0;
        FAILS("a stack without a size", EINVAL, call(&a, sizeof a));
        a.stack = 1ull << 63;
        a.stack_size = 4096;
        FAILS("not user space", EINVAL, call(&a, sizeof a));
        a.stack = ~0ull - 100;
        FAILS("around the end", EINVAL, call(&a, sizeof a));
}

static void flags(void)
{
        CHECK("plain", with(0, SIGCHLD) > 0);
        CHECK("no exit signal", with(0, 0) > 0);
        CHECK("another", with(0, SIGUSR2) > 0);
        FAILS("signal 65", EINVAL, with(0, 65));
        FAILS("signal 257", EINVAL, with(0, 257));
        FAILS("a signal among the flags", EINVAL, with(SIGCHLD, 0));
        FAILS("DETACHED", EINVAL, with(CLONE_DETACHED, SIGCHLD));
        FAILS("unknown", EINVAL, with(1ull << 34, SIGCHLD));
        FAILS("far unknown", EINVAL, with(1ull << 63, SIGCHLD));
        FAILS("SIGHAND without VM", EINVAL, with(CLONE_SIGHAND, SIGCHLD));
        FAILS("THREAD without SIGHAND", EINVAL, with(CLONE_THREAD | CLONE_VM, 0));
        FAILS("THREAD with a signal", EINVAL, with(CLONE_THREAD | CLONE_VM | CLONE_SIGHAND, SIGCHLD));
        FAILS("PARENT with a signal", EINVAL, with(CLONE_PARENT, SIGCHLD));
        FAILS("CLEAR_SIGHAND with SIGHAND", EINVAL, with(CLEAR_SIGHAND | CLONE_SIGHAND | CLONE_VM, SIGCHLD));
        CHECK("CLEAR_SIGHAND", with(CLEAR_SIGHAND, SIGCHLD) > 0);
        CHECK("odd ones", with(CLONE_IO | CLONE_SYSVSEM | CLONE_UNTRACED, SIGCHLD) > 0);
        FAILS("FS with NEWNS", EINVAL, with(CLONE_FS | CLONE_NEWNS, SIGCHLD));
        FAILS("THREAD with NEWPID", EINVAL, with(CLONE_THREAD | CLONE_VM | CLONE_SIGHAND | CLONE_NEWPID, 0));
        struct clone_args a = { .flags = INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = 999 };
        FAILS("INTO_CGROUP, short", EINVAL, call(&a, 80));
        FAILS("INTO_CGROUP, no descriptor", EBADF, call(&a, sizeof a));
        a.cgroup = 1ull << 31;
        FAILS("INTO_CGROUP, far too big", EINVAL, call(&a, sizeof a));
        a.cgroup = open(".", O_RDONLY | O_DIRECTORY);
        FAILS("INTO_CGROUP, another directory", EBADF, call(&a, sizeof a));
        a.flags = 0;
        CHECK("a cgroup that is not used", call(&a, sizeof a) > 0);
        close(a.cgroup);
}

static int without_rights(void)
{
        pid_t want = 3333;
        struct clone_args a = { .exit_signal = SIGCHLD, .set_tid = (uint64_t)&want, .set_tid_size = 1 };
        become_user(1000);
        FAILS("set_tid by a user", EPERM, call(&a, sizeof a));
        return done();
}

static void numbers(void)
{
        pid_t want = 2345, two[2] = { 2346, 2346 };
        struct clone_args a = { .exit_signal = SIGCHLD, .set_tid = (uint64_t)&want, .set_tid_size = 1 };

        CHECK("set_tid", call(&a, sizeof a) == 2345);
        want = getpid();
        FAILS("in use", EEXIST, call(&a, sizeof a));
        want = 0;
        FAILS("0", EINVAL, call(&a, sizeof a));
        want = -5;
        FAILS("negative", EINVAL, call(&a, sizeof a));
        want = 1 << 23;
        FAILS("above pid_max", EINVAL, call(&a, sizeof a));
        a.set_tid_size = 0;
        FAILS("size 0", EINVAL, call(&a, sizeof a));
        a.set_tid_size = 33;
        FAILS("size 33", EINVAL, call(&a, sizeof a));
        a.set_tid = (uint64_t)two;
        a.set_tid_size = 2;
        FAILS("more levels than there are", EINVAL, call(&a, sizeof a));
        a.set_tid = 0;
        a.set_tid_size = 1;
        FAILS("no numbers", EINVAL, call(&a, sizeof a));
        a.set_tid = (uint64_t)BAD_PTR;
        FAILS("numbers from nowhere", EFAULT, call(&a, sizeof a));
        CHECK("as a user", in_child(without_rights) == 0);
}

static volatile int got;
static void catch(int sig) { got = sig; }

static void exit_signals(void)
{
        int st;
        pid_t pid;

        on(SIGUSR1, catch, 0);
        pid = legacy(SIGUSR1);
        CHECK("only with __WCLONE", waitpid(pid, &st, 0) == -1);
        CHECK("it comes", waitpid(pid, &st, __WCLONE) == pid && got == SIGUSR1);
        pid = legacy(100);
        CHECK("an odd number", pid > 0 && waitpid(pid, &st, __WALL) == pid);
        pid = legacy(255);
        CHECK("another", pid > 0 && waitpid(pid, &st, __WCLONE) == pid);
        pid = legacy(0);
        CHECK("none", waitpid(pid, &st, __WCLONE) == pid);
        pid = legacy(SIGCHLD);
        FAILS("__WCLONE waits for no SIGCHLD", ECHILD, waitpid(pid, &st, __WCLONE));
        CHECK("__WALL does", waitpid(pid, &st, __WALL) == pid);
}

/* A sibling: its parent is this one's. */
static int sibling(void)
{
        pid_t pid = legacy(CLONE_PARENT | SIGUSR1);
        int st;
        FAILS("not ours to wait for", ECHILD, waitpid(pid, &st, __WALL));
        return done();
}

int main(void)
{
        int st;

        sizes();
        stacks();
        flags();
        numbers();
        exit_signals();
        CHECK("a child makes a sibling", in_child(sibling) == 0);
        CHECK("CLONE_PARENT: it is ours, with its maker's signal", waitpid(-1, &st, 0) > 0 && WEXITSTATUS(st) == 7);
        FAILS("no more", ECHILD, waitpid(-1, &st, __WALL));
        return done();
}
