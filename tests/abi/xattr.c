/* SPDX-License-Identifier: Apache-2.0
 *
 * setxattr, getxattr, listxattr, removexattr on tmpfs: trusted.* and security.* are kept, user.* is not.
 */
#include "abi.h"
#include <sys/mount.h>
#include <sys/xattr.h>

static char buf[256];

static int holds(const char *list, ssize_t n, const char *name)
{
        for (const char *p = list; p < list + n; p += strlen(p) + 1)
                if (!strcmp(p, name))
                        return 1;
        return 0;
}

int main(void)
{
        mkdir("m", 0755);
        OKAY("tmpfs", mount("none", "m", "tmpfs", 0, NULL));
        if (chdir("m") < 0)
                return 99;
        int fd = open("f", O_RDWR | O_CREAT, 0644);

        symlink("f", "l");
        FAILS("user.*", EOPNOTSUPP, setxattr("f", "user.a", "v", 1, 0));
        FAILS("user.*, get", EOPNOTSUPP, getxattr("f", "user.a", buf, sizeof buf));
        FAILS("user.*, remove", EOPNOTSUPP, removexattr("f", "user.a"));
        FAILS("user.* on a directory", EOPNOTSUPP, setxattr(".", "user.a", "v", 1, 0));
        FAILS("user.* on a symbolic link", EPERM, lsetxattr("l", "user.a", "v", 1, 0));
        FAILS("no such name space", EOPNOTSUPP, setxattr("f", "other.a", "v", 1, 0));
        FAILS("no name space", EOPNOTSUPP, setxattr("f", "plain", "v", 1, 0));
        FAILS("an empty name", ERANGE, setxattr("f", "", "v", 1, 0));

        OKAY("trusted.*", setxattr("f", "trusted.a", "value", 5, 0));
        CHECK("its size", getxattr("f", "trusted.a", NULL, 0) == 5);
        CHECK("its value", getxattr("f", "trusted.a", buf, sizeof buf) == 5 && !memcmp(buf, "value", 5));
        FAILS("too small a buffer", ERANGE, getxattr("f", "trusted.a", buf, 4));
        FAILS("XATTR_CREATE, there", EEXIST, setxattr("f", "trusted.a", "v", 1, XATTR_CREATE));
        FAILS("XATTR_REPLACE, not there", ENODATA, setxattr("f", "trusted.b", "v", 1, XATTR_REPLACE));
        FAILS("a bad flag", EINVAL, setxattr("f", "trusted.b", "v", 1, 4));
        OKAY("XATTR_REPLACE", fsetxattr(fd, "trusted.a", "new", 3, XATTR_REPLACE));
        CHECK("by descriptor", fgetxattr(fd, "trusted.a", buf, sizeof buf) == 3 && !memcmp(buf, "new", 3));
        OKAY("an empty value", setxattr("f", "trusted.e", "", 0, XATTR_CREATE));
        CHECK("is there", getxattr("f", "trusted.e", buf, sizeof buf) == 0);
        FAILS("not there", ENODATA, getxattr("f", "trusted.none", buf, sizeof buf));
        OKAY("security.*", setxattr("f", "security.x", "s", 1, 0));
        OKAY("on a symbolic link itself", lsetxattr("l", "trusted.link", "1", 1, 0));
        FAILS("not on what it names", ENODATA, getxattr("l", "trusted.link", buf, sizeof buf));

        ssize_t n = listxattr("f", buf, sizeof buf);
        CHECK("list", n == 10 + 10 + 11 && holds(buf, n, "trusted.a") && holds(buf, n, "trusted.e") && holds(buf, n, "security.x"));
        CHECK("list's size", flistxattr(fd, NULL, 0) == n);
        FAILS("list, too small", ERANGE, listxattr("f", buf, 5));
        OKAY("remove", removexattr("f", "trusted.a"));
        FAILS("remove again", ENODATA, removexattr("f", "trusted.a"));
        FAILS("a file that is not there", ENOENT, getxattr("none", "trusted.a", buf, 1));
        FAILS("a bad descriptor", EBADF, fgetxattr(99, "trusted.a", buf, 1));
        FAILS("a bad address", EFAULT, setxattr("f", BAD_PTR, "v", 1, 0));
        FAILS("too long a value", E2BIG, setxattr("f", "trusted.big", buf, 65537, 0));
        FAILS("O_PATH", EBADF, fgetxattr(open("f", O_PATH), "trusted.e", buf, 1));

        static char names[100000], name[240];
        close(open("g", O_RDWR | O_CREAT, 0600));
        for (int i = 0; i < 400; i++) {
                snprintf(name, sizeof name, "trusted.%0200d", i);
                if (setxattr("g", name, "v", 1, 0) < 0)
                        return 98;
        }
        CHECK("more names than can be told", listxattr("g", NULL, 0) == 400 * 209);
        FAILS("all of them", E2BIG, listxattr("g", names, sizeof names));
        FAILS("some of them", ERANGE, listxattr("g", names, 1000));

        if (setresuid(1000, 1000, 1000) < 0)
                return 99;
        FAILS("trusted.* without CAP_SYS_ADMIN, set", EPERM, setxattr("f", "trusted.a", "v", 1, 0));
        FAILS("trusted.* without CAP_SYS_ADMIN, get", ENODATA, getxattr("f", "trusted.e", buf, sizeof buf));
        n = listxattr("f", buf, sizeof buf);
        CHECK("nor in the list", n == 11 && holds(buf, n, "security.x"));
        CHECK("security.* is read by all", getxattr("f", "security.x", buf, sizeof buf) == 1);
        return done();
}
