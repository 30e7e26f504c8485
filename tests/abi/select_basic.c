/* SPDX-License-Identifier: Apache-2.0
 *
 * select_basic: select and pselect.
 */
#include "abi.h"

static void nothing(int sig) { (void)sig; }

int main(void)
{
        int             p[2];
        fd_set          r, w;
        struct timeval  t = { 0, 0 };
        struct timespec ts = { 0, 20000000 };
        sigset_t        mask, empty;

        pipe(p);
        FD_ZERO(&r);
        FD_ZERO(&w);
        FD_SET(p[0], &r);
        FD_SET(p[1], &w);
        CHECK("one of two", select(p[1] + 1, &r, &w, NULL, &t) == 1);
        CHECK("the writable one", !FD_ISSET(p[0], &r) && FD_ISSET(p[1], &w));
        write(p[1], "x", 1);
        FD_SET(p[0], &r);
        CHECK("both", select(p[1] + 1, &r, &w, NULL, NULL) == 2);
        FD_ZERO(&r);
        FD_SET(50, &r);
        FAILS("closed", EBADF, select(51, &r, NULL, NULL, &t));
        FAILS("negative", EINVAL, select(-1, NULL, NULL, NULL, &t));
        t.tv_usec = 30000;
        int64_t start = now_ms();
        CHECK("time-out", syscall(SYS_select, 0, NULL, NULL, NULL, &t) == 0 && now_ms() - start >= 29);
        CHECK("nothing left of it", t.tv_sec == 0 && t.tv_usec == 0);
        t.tv_sec = 50;
        FD_ZERO(&r);
        FD_SET(p[0], &r);
        CHECK("ready at once", syscall(SYS_select, p[0] + 1, &r, NULL, NULL, &t) == 1);
        CHECK("the rest is told", t.tv_sec > 0 && t.tv_sec <= 50);

        on(SIGUSR1, nothing, 0);
        sigemptyset(&mask);
        sigemptyset(&empty);
        sigaddset(&mask, SIGUSR1);
        sigprocmask(SIG_BLOCK, &mask, NULL);
        raise(SIGUSR1);
        CHECK("pselect, blocked", pselect(0, NULL, NULL, NULL, &ts, NULL) == 0);
        FAILS("pselect opens the mask", EINTR, pselect(0, NULL, NULL, NULL, &ts, &empty));
        sigprocmask(SIG_BLOCK, NULL, &empty);
        CHECK("and closes it", sigismember(&empty, SIGUSR1));
        return done();
}
