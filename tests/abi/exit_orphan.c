/* SPDX-License-Identifier: Apache-2.0
 *
 * exit_orphan: orphans go to process 1, or to a subreaper.
 */
#include "abi.h"
#include <sys/prctl.h>

static int p[2];

/* The grandchild reports its parent after its own has gone. */
static int leave_orphan(void)
{
        pid_t mid = getpid();

        if (fork() == 0) {
                while (getppid() == mid)
                        sleep_ms(2);
                pid_t up = getppid();
                write(p[1], &up, sizeof up);
                _exit(7);
        }
        return 0;
}

int main(void)
{
        pid_t up = 0;

        pipe(p);
        in_child(leave_orphan);
        read(p[0], &up, sizeof up);
        CHECK("process 1 adopts", up == 1);
        FAILS("not ours", ECHILD, wait(NULL));
        OKAY("subreaper", prctl(PR_SET_CHILD_SUBREAPER, 1));
        in_child(leave_orphan);
        read(p[0], &up, sizeof up);
        CHECK("the subreaper adopts", up == getpid());
        int st;
        CHECK("and waits", wait(&st) > 0 && WEXITSTATUS(st) == 7);
        return done();
}
