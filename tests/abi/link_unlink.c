/* SPDX-License-Identifier: Apache-2.0
 *
 * link_unlink: hard links and their end.
 */
#include "abi.h"

static nlink_t links(const char *path)
{
        struct stat st;

        return stat(path, &st) < 0 ? 0 : st.st_nlink;
}

int main(void)
{
        put_text("a", "text");
        mkdir("dir", 0755);
        OKAY("link", link("a", "b"));
        CHECK("two", links("a") == 2 && links("b") == 2);
        FAILS("there already", EEXIST, link("a", "b"));
        FAILS("of a directory", EPERM, link("dir", "dir2"));
        FAILS("missing", ENOENT, link("missing", "c"));
        FAILS("to a missing directory", ENOENT, link("a", "missing/c"));
        FAILS("trailing slash", ENOENT, link("a", "c/"));
        OKAY("unlink", unlink("a"));
        CHECK("one", links("b") == 1 && !strcmp(text_of("b"), "text"));
        FAILS("twice", ENOENT, unlink("a"));
        FAILS("a directory", EISDIR, unlink("dir"));
        FAILS("through a file", ENOTDIR, unlink("b/x"));
        FAILS("trailing slash of a file", ENOTDIR, unlink("b/"));
        symlink("b", "s");
        OKAY("a symbolic link", link("s", "s2"));
        struct stat st;
        lstat("s2", &st);
        CHECK("stays one", S_ISLNK(st.st_mode) && st.st_nlink == 2);
        OKAY("AT_SYMLINK_FOLLOW", linkat(AT_FDCWD, "s", AT_FDCWD, "s3", AT_SYMLINK_FOLLOW));
        CHECK("its target", links("b") == 2);
        OKAY("unlink of a link", unlink("s"));
        CHECK("the target stays", links("b") == 2);
        OKAY("AT_REMOVEDIR", unlinkat(AT_FDCWD, "dir", AT_REMOVEDIR));
        FAILS("AT_REMOVEDIR of a file", ENOTDIR, unlinkat(AT_FDCWD, "b", AT_REMOVEDIR));
        FAILS("flags", EINVAL, unlinkat(AT_FDCWD, "b", 0x1));
        FAILS("dot", EISDIR, unlink("."));
        return done();
}
