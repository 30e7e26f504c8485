/* SPDX-License-Identifier: Apache-2.0
 *
 * clone_flags: clone: what is shared by which flag, and refused combinations.
 */
#include "abi.h"

static char top[256];
static char stack[65536] __attribute__((aligned(16)));

static int act(void *arg)
{
        (void)arg;
        chdir("sub");
        close(40);
        umask(0);
        _exit(0);
}

static void run(int flags)
{
        int st;

        umask(022);
        chdir(top);
        dup2(1, 40);
        pid_t pid = clone(act, stack + sizeof stack, flags, NULL);
        must(pid > 0, "clone");
        waitpid(pid, &st, __WALL);
}

static int in_sub(void)
{
        return strstr(getcwd((char[256]){ 0 }, 256), "/sub") != NULL;
}

static long raw(unsigned long flags)
{
        long r = syscall(SYS_clone, flags, 0, NULL, NULL, 0);

        if (r == 0)
                _exit(0);
        return r;
}

int main(void)
{
        getcwd(top, sizeof top);
        mkdir("sub", 0755);
        run(SIGCHLD);
        CHECK("nothing shared", !in_sub() && fcntl(40, F_GETFD) >= 0 && umask(022) == 022);
        run(SIGCHLD | CLONE_FILES);
        CHECK("CLONE_FILES", !in_sub() && fcntl(40, F_GETFD) < 0);
        run(SIGCHLD | CLONE_FS);
        CHECK("CLONE_FS", in_sub() && fcntl(40, F_GETFD) >= 0 && umask(022) == 0);
        chdir(top);
        FAILS("THREAD without SIGHAND", EINVAL, raw(CLONE_THREAD | CLONE_VM));
        FAILS("SIGHAND without VM", EINVAL, raw(CLONE_SIGHAND | SIGCHLD));
        FAILS("FS with NEWNS", EINVAL, raw(CLONE_FS | CLONE_NEWNS | SIGCHLD));
        pid_t pid = raw(0);
        CHECK("no exit signal", pid > 0);
        FAILS("plain wait does not see it", ECHILD, waitpid(pid, NULL, 0));
        CHECK("__WCLONE does", waitpid(pid, NULL, __WCLONE) == pid);
        return done();
}
