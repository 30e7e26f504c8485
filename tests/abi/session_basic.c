/* SPDX-License-Identifier: Apache-2.0
 *
 * session_basic: setsid, and who may call it.
 */
#include "abi.h"

static int child(void)
{
        pid_t parent = getppid();

        CHECK("the parent's session", getsid(0) == getsid(parent) && getsid(0) == parent);
        CHECK("setsid gives the pid", setsid() == getpid());
        CHECK("its session and group", getsid(0) == getpid() && getpgrp() == getpid());
        FAILS("twice", EPERM, setsid());
        FAILS("no terminal", ENXIO, open("/dev/tty", O_RDWR));
        return done();
}

/* A group leader that is no session leader. */
static int leader(void)
{
        setpgid(0, 0);
        FAILS("a group's leader may not", EPERM, setsid());
        return done();
}

int main(void)
{
        FAILS("a session's leader may not", EPERM, setsid());
        CHECK("child", in_child(child) == 0);
        CHECK("leader", in_child(leader) == 0);
        return done();
}
