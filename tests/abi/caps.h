/* SPDX-License-Identifier: Apache-2.0
 *
 * caps: capability sets for the tests about them.
 */
#pragma once
#include "show.h"
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>

#define CAP_ALL      ((2ull << CAP_LAST_CAP) - 1)
#define CAP(which)   (1ull << (which))

struct caps { uint64_t effective, permitted, inheritable; };

UNUSED static struct caps caps_get(void)
{
        struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
        struct __user_cap_data_struct d[2] = { };

        must(syscall(SYS_capget, &h, d) == 0, "capget");
        return (struct caps){ d[0].effective | (uint64_t)d[1].effective << 32, d[0].permitted | (uint64_t)d[1].permitted << 32,
                              d[0].inheritable | (uint64_t)d[1].inheritable << 32 };
}

UNUSED static int caps_set(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
        struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
        struct __user_cap_data_struct d[2] = {
                { (uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable },
                { (uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32) },
        };
        return (int)syscall(SYS_capset, &h, d);
}

UNUSED static uint64_t caps_bounding(void)
{
        uint64_t set = 0;
        for (int i = 0; i <= CAP_LAST_CAP; i++)
                set |= (uint64_t)(prctl(PR_CAPBSET_READ, i) == 1) << i;
        return set;
}

UNUSED static uint64_t caps_ambient(void)
{
        uint64_t set = 0;
        for (int i = 0; i <= CAP_LAST_CAP; i++)
                set |= (uint64_t)(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) == 1) << i;
        return set;
}

UNUSED static void caps_show(const char *title)
{
        struct caps c = caps_get();
        uid_t r, e, s;
        gid_t gr, ge, gs;

        getresuid(&r, &e, &s);
        getresgid(&gr, &ge, &gs);
        say("%s: uid %d %d %d gid %d %d %d eff %llx prm %llx inh %llx amb %llx bnd %llx bits %x keep %d dump %d nnp %d\n", title, r, e, s, gr, ge, gs,
            (long long)c.effective, (long long)c.permitted, (long long)c.inheritable, (long long)caps_ambient(),
            (long long)caps_bounding(), prctl(PR_GET_SECUREBITS), prctl(PR_GET_KEEPCAPS), prctl(PR_GET_DUMPABLE), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
}

/* The user 1000 with these capabilities, permitted and effective. */
UNUSED static void caps_user(uint64_t caps)
{
        must(prctl(PR_SET_KEEPCAPS, 1) == 0 && setgroups(0, NULL) == 0 && setresgid(1000, 1000, 1000) == 0 &&
             setresuid(1000, 1000, 1000) == 0 && caps_set(caps, caps, 0) == 0, "caps_user");
        prctl(PR_SET_DUMPABLE, 1);
}

/* Runs the program, whose argument is the title, in a child that did something before. */
UNUSED static void caps_run(const char *title, const char *path, void (*before)(void))
{
        pid_t pid = fork();
        if (pid == 0) {
                before();
                execl(path, "prog", title, NULL);
                say("%s: exec errno %d\n", title, errno);
                _exit(0);
        }
        result_of(pid);
}
