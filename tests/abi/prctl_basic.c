/* SPDX-License-Identifier: Apache-2.0
 *
 * prctl_basic: prctl: names, death signals, dumpable, no_new_privs.
 */
#include "abi.h"
#include <sys/prctl.h>

static int p[2];

/* Its child is told when it has gone. */
static int parent(void)
{
        pid_t pid = fork();

        if (pid == 0) {
                sigset_t set;
                int      sig = 0;
                sigemptyset(&set);
                sigaddset(&set, SIGUSR1);
                sigprocmask(SIG_BLOCK, &set, NULL);
                prctl(PR_SET_PDEATHSIG, SIGUSR1);
                write(p[1], "r", 1);
                sigwait(&set, &sig);
                write(p[1], sig == SIGUSR1 ? "s" : "x", 1);
                _exit(0);
        }
        char c;
        read(p[0], &c, 1);
        return 0;
}

int main(void)
{
        char name[17] = "";
        int  sig = 9;
        char c = 0;

        OKAY("set", prctl(PR_SET_NAME, "a name that is too long"));
        OKAY("get", prctl(PR_GET_NAME, name));
        CHECK("cut to 15", !strcmp(name, "a name that is "));
        FAILS("pointer", EFAULT, prctl(PR_SET_NAME, BAD_PTR));
        char *two = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        memcpy(two + PAGE - 3, "end", 3);
        OKAY("a name that ends in a page not yet there", prctl(PR_SET_NAME, two + PAGE - 3));
        memcpy(two + PAGE - 15, "fifteen letters", 15);
        munmap(two + PAGE, PAGE);
        OKAY("one that needs no more than its page", prctl(PR_SET_NAME, two + PAGE - 15));
        FAILS("one that ends outside", EFAULT, prctl(PR_SET_NAME, two + PAGE - 14));
        prctl(PR_GET_NAME, name);
        CHECK("changes nothing", !strcmp(name, "fifteen letters"));
        pipe(p);
        in_child(parent);
        CHECK("death signal", read(p[0], &c, 1) == 1 && c == 's');
        OKAY("asked for", prctl(PR_GET_PDEATHSIG, &sig));
        CHECK("none", sig == 0);
        FAILS("no such signal", EINVAL, prctl(PR_SET_PDEATHSIG, 99));
        CHECK("dumpable", prctl(PR_GET_DUMPABLE) == 1);
        CHECK("no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
              prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
        FAILS("not back", EINVAL, prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
        FAILS("unknown", EINVAL, prctl(99999, 0, 0, 0, 0));
        return done();
}
