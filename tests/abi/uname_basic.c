/* SPDX-License-Identifier: Apache-2.0
 *
 * uname_basic: uname, host and domain names.
 */
#include "abi.h"
#include <sys/utsname.h>

static int as_user(void)
{
        become_user(1000);
        FAILS("root only", EPERM, sethostname("x", 1));
        return done();
}

int main(void)
{
        struct utsname u;
        char           long_name[70];
        int            major = 0, minor = 0;

        OKAY("uname", uname(&u));
        CHECK("system", !strcmp(u.sysname, "Linux"));
        CHECK("machine", !strcmp(u.machine, "x86_64"));
        CHECK("node", !strcmp(u.nodename, "keel"));
        CHECK("release", sscanf(u.release, "%d.%d", &major, &minor) == 2 && major >= 5);
        CHECK("version", !strncmp(u.version, "#1 ", 3));
        OKAY("set", sethostname("other", 5));
        uname(&u);
        CHECK("changed", !strcmp(u.nodename, "other"));
        CHECK("procfs too", !strcmp(text_of("/proc/sys/kernel/hostname"), "other\n"));
        OKAY("domain", setdomainname("dom", 3));
        memset(long_name, 'h', 70);
        OKAY("64", sethostname(long_name, 64));
        FAILS("65", EINVAL, sethostname(long_name, 65));
        FAILS("negative", EINVAL, sethostname("x", -1));
        FAILS("pointer", EFAULT, sethostname(BAD_PTR, 3));
        FAILS("uname's pointer", EFAULT, syscall(SYS_uname, BAD_PTR));
        CHECK("user", in_child(as_user) == 0);
        sethostname("keel", 4);
        setdomainname("(none)", 6);
        return done();
}
