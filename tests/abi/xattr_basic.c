/* SPDX-License-Identifier: Apache-2.0
 * Extended attributes on tmpfs: set, get, list, remove; flags, sizes, name spaces, rights.  xattr(7). */
#include "abi.h"
#include <sys/xattr.h>

static int lists(const char *path, const char *name)
{
        char    list[1024];
        ssize_t n = listxattr(path, list, sizeof list);

        for (char *p = list; n > 0 && p < list + n; p += strlen(p) + 1)
                if (!strcmp(p, name))
                        return 1;
        return 0;
}

int main(void)
{
        char v[64] = "";
        char name[300];
        static char big[65537];

        close(open("f", O_CREAT | O_WRONLY, 0644));
        mkdir("d", 0755);
        symlink("f", "l");
        symlink("nowhere", "dangling");

        OKAY("trusted is set", setxattr("f", "trusted.one", "value", 5, 0));
        CHECK("and read", getxattr("f", "trusted.one", v, sizeof v) == 5 && !memcmp(v, "value", 5));
        CHECK("its size", getxattr("f", "trusted.one", NULL, 0) == 5);
        FAILS("too small a buffer", ERANGE, getxattr("f", "trusted.one", v, 3));
        CHECK("listed", lists("f", "trusted.one"));
        FAILS("too small a list", ERANGE, listxattr("f", v, 3));
        FAILS("create what is there", EEXIST, setxattr("f", "trusted.one", "x", 1, XATTR_CREATE));
        FAILS("replace what is not", ENODATA, setxattr("f", "trusted.two", "x", 1, XATTR_REPLACE));
        OKAY("replace", setxattr("f", "trusted.one", "longer value", 12, XATTR_REPLACE));
        CHECK("replaced", getxattr("f", "trusted.one", v, sizeof v) == 12);
        FAILS("unknown flags", EINVAL, setxattr("f", "trusted.one", "x", 1, 4));
        FAILS("both flags on a missing one", ENODATA, setxattr("f", "trusted.three", "x", 1, XATTR_CREATE | XATTR_REPLACE));
        OKAY("empty value", setxattr("f", "trusted.empty", "", 0, 0));
        CHECK("is empty", getxattr("f", "trusted.empty", v, sizeof v) == 0);
        FAILS("not there", ENODATA, getxattr("f", "trusted.none", v, sizeof v));
        FAILS("remove what is not", ENODATA, removexattr("f", "trusted.none"));
        OKAY("remove", removexattr("f", "trusted.empty"));
        CHECK("not listed any more", !lists("f", "trusted.empty"));

        FAILS("user on tmpfs", EOPNOTSUPP, setxattr("f", "user.x", "1", 1, 0));
        FAILS("no such space", EOPNOTSUPP, setxattr("f", "nowhere.x", "1", 1, 0));
        FAILS("no dot", EOPNOTSUPP, setxattr("f", "trusted", "1", 1, 0));
        FAILS("nothing after the dot", EINVAL, setxattr("f", "trusted.", "1", 1, 0));
        memset(name, 'x', sizeof name);
        memcpy(name, "trusted.", 8);
        name[256] = 0;
        FAILS("name too long", ERANGE, setxattr("f", name, "1", 1, 0));
        name[255] = 0;
        OKAY("longest name", setxattr("f", name, "1", 1, 0));
        FAILS("empty name", ERANGE, setxattr("f", "", "1", 1, 0));
        FAILS("value too big", E2BIG, setxattr("f", "trusted.big", big, sizeof big, 0));
        FAILS("bad value", EFAULT, setxattr("f", "trusted.bad", BAD_PTR, 5, 0));
        FAILS("bad name", EFAULT, setxattr("f", BAD_PTR, "1", 1, 0));
        FAILS("no file", ENOENT, setxattr("none", "trusted.x", "1", 1, 0));

        OKAY("directory", setxattr("d", "trusted.dir", "d", 1, 0));
        OKAY("through the link", setxattr("l", "trusted.via", "f", 1, 0));
        CHECK("is on the file", getxattr("f", "trusted.via", v, sizeof v) == 1);
        OKAY("on the link itself", lsetxattr("dangling", "trusted.link", "l", 1, 0));
        CHECK("read from the link", lgetxattr("dangling", "trusted.link", v, sizeof v) == 1);
        FAILS("dangling, followed", ENOENT, getxattr("dangling", "trusted.link", v, sizeof v));

        int fd = open("f", O_RDONLY);
        OKAY("by descriptor, read only", fsetxattr(fd, "trusted.fd", "1", 1, 0));
        CHECK("fgetxattr", fgetxattr(fd, "trusted.fd", v, sizeof v) == 1);
        OKAY("fremovexattr", fremovexattr(fd, "trusted.fd"));
        close(fd);
        fd = open("f", O_PATH);
        FAILS("O_PATH", EBADF, fgetxattr(fd, "trusted.one", v, sizeof v));
        close(fd);
        FAILS("closed", EBADF, fgetxattr(fd, "trusted.one", v, sizeof v));

        chmod("f", 0666);
        pid_t pid = fork();
        if (!pid) {
                setresgid(1000, 1000, 1000);
                setresuid(1000, 1000, 1000);
                FAILS("trusted without rights", EPERM, setxattr("f", "trusted.x", "1", 1, 0));
                FAILS("unseen without rights", ENODATA, getxattr("f", "trusted.one", v, sizeof v));
                CHECK("unlisted without rights", !lists("f", "trusted.one"));
                _exit(failures);
        }
        int status;
        waitpid(pid, &status, 0);
        CHECK("the child saw the same", status == 0);
        return done();
}
