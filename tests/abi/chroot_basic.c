/* SPDX-License-Identifier: Apache-2.0
 *
 * chroot_basic: chroot.
 */
#include "abi.h"

static int as_user(void)
{
        become_user(1000);
        FAILS("root only", EPERM, chroot("jail"));
        return done();
}

static int inside(void)
{
        char buf[100];

        OKAY("chroot", chroot("jail"));
        CHECK("the current directory is outside", syscall(SYS_getcwd, buf, 100) > 0 && !strncmp(buf, "(unreachable)", 13));
        chdir("/");
        CHECK("root", syscall(SYS_getcwd, buf, 100) > 0 && !strcmp(buf, "/"));
        OKAY("what is in it", access("/in", F_OK));
        FAILS("what is not", ENOENT, access("/dev", F_OK));
        chdir("../../..");
        OKAY("no way out by dot dot", access("in", F_OK));
        OKAY("absolute links start here", access("/link", F_OK));
        return done();
}

int main(void)
{
        mkdir("jail", 0755);
        put_text("jail/in", "");
        symlink("/in", "jail/link");
        FAILS("missing", ENOENT, chroot("missing"));
        FAILS("a file", ENOTDIR, chroot("jail/in"));
        CHECK("inside", in_child(inside) == 0);
        CHECK("user", in_child(as_user) == 0);
        OKAY("the parent is not touched", access("/dev", F_OK));
        return done();
}
