/* SPDX-License-Identifier: Apache-2.0
 *
 * sig_pipe: SIGPIPE and EPIPE.
 */
#include "abi.h"

static volatile int hits;

static void handler(int sig)
{
        hits += sig == SIGPIPE;
}

static int broken(void)
{
        int p[2];

        pipe(p);
        close(p[0]);
        return p[1];
}

static int by_default(void)
{
        write(broken(), "x", 1);
        return 0;
}

int main(void)
{
        CHECK("kills by default", in_child(by_default) == KILLED(SIGPIPE));
        on(SIGPIPE, SIG_IGN, 0);
        FAILS("ignored: EPIPE", EPIPE, write(broken(), "x", 1));
        on(SIGPIPE, handler, 0);
        FAILS("handled: EPIPE too", EPIPE, write(broken(), "x", 1));
        CHECK("once", hits == 1);
        CHECK("nothing to write: nothing wrong", write(broken(), "", 0) == 0);
        return done();
}
