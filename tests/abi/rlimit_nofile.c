/* SPDX-License-Identifier: Apache-2.0
 *
 * rlimit_nofile: RLIMIT_NOFILE, and what prlimit may.
 */
#include "abi.h"

static int as_user(void)
{
        struct rlimit r = { 50, 50 }, more = { 50, 51 }, soft = { 60, 50 };

        become_user(1000);
        OKAY("lower", setrlimit(RLIMIT_NOFILE, &r));
        FAILS("not up again", EPERM, setrlimit(RLIMIT_NOFILE, &more));
        FAILS("soft above hard", EINVAL, setrlimit(RLIMIT_NOFILE, &soft));
        return done();
}

int main(void)
{
        struct rlimit r;
        int           n = 0, fd, p[2];

        OKAY("asked", getrlimit(RLIMIT_NOFILE, &r));
        CHECK("usual values", r.rlim_cur == 1024 && r.rlim_max == 4096);
        r.rlim_cur = 20;
        OKAY("set", setrlimit(RLIMIT_NOFILE, &r));
        while ((fd = open("/dev/null", O_RDONLY)) >= 0)
                n = fd;
        CHECK("EMFILE", errno == EMFILE && n == 19);
        FAILS("dup", EMFILE, dup(0));
        FAILS("pipe", EMFILE, pipe(p));
        FAILS("dup2 above", EBADF, dup2(0, 20));
        FAILS("F_DUPFD above", EINVAL, fcntl(0, F_DUPFD, 20));
        close(19);
        FAILS("one is not two", EMFILE, pipe(p));
        OKAY("one is one", dup(0));
        r.rlim_cur = 5;
        setrlimit(RLIMIT_NOFILE, &r);
        OKAY("those above stay", fcntl(18, F_GETFD));
        CHECK("poll of more than the limit", ({ struct pollfd pf[6] = { 0 }; poll(pf, 6, 0); }) == -1 && errno == EINVAL);
        CHECK("inherited", in_child(as_user) == 0);
        FAILS("no such limit", EINVAL, getrlimit(99, &r));
        FAILS("pointer", EFAULT, syscall(SYS_setrlimit, RLIMIT_NOFILE, BAD_PTR));
        FAILS("of nobody", ESRCH, syscall(SYS_prlimit64, 999999, RLIMIT_NOFILE, NULL, &r));
        return done();
}
