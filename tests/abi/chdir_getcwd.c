/* SPDX-License-Identifier: Apache-2.0
 *
 * chdir_getcwd: the current directory.
 */
#include "abi.h"

static const char *here(void)
{
        static char buf[PATH_MAX];

        return syscall(SYS_getcwd, buf, sizeof buf) < 0 ? "?" : buf;
}

int main(void)
{
        char top[PATH_MAX], want[PATH_MAX + 20], small[3];

        strcpy(top, here());
        CHECK("absolute", top[0] == '/');
        CHECK("length counts the end", syscall(SYS_getcwd, want, sizeof want) == (long)strlen(top) + 1);
        mkdir("a", 0755);
        mkdir("a/b", 0755);
        OKAY("chdir", chdir("a/b"));
        snprintf(want, sizeof want, "%s/a/b", top);
        CHECK("there", !strcmp(here(), want));
        OKAY("up", chdir("../.."));
        CHECK("back", !strcmp(here(), top));
        symlink("a/b", "link");
        chdir("link");
        CHECK("through a link", !strcmp(here(), want));
        OKAY("renamed", rename("../../a", "../../c"));
        snprintf(want, sizeof want, "%s/c/b", top);
        CHECK("follows", !strcmp(here(), want));
        rmdir("../b");
        FAILS("removed", ENOENT, syscall(SYS_getcwd, want, sizeof want));
        FAILS("no dot dot of it by name", ENOENT, chdir("./x"));
        int fd = open(top, O_RDONLY);
        OKAY("fchdir", fchdir(fd));
        FAILS("too small", ERANGE, syscall(SYS_getcwd, small, 3));
        FAILS("missing", ENOENT, chdir("missing"));
        put_text("file", "");
        FAILS("a file", ENOTDIR, chdir("file"));
        FAILS("fchdir of a file", ENOTDIR, fchdir(open("file", O_RDONLY)));
        FAILS("pointer", EFAULT, chdir(BAD_PTR));
        FAILS("pointer for the answer", EFAULT, syscall(SYS_getcwd, BAD_PTR, 100));
        OKAY("root", chdir("/"));
        OKAY("above it", chdir(".."));
        CHECK("is itself", !strcmp(here(), "/"));
        return done();
}
