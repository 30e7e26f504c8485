/* SPDX-License-Identifier: Apache-2.0
 *
 * rename_rules: rename: what replaces what, and what is refused.
 */
#include "abi.h"

static ino_t ino_of(const char *path)
{
        struct stat st;

        return lstat(path, &st) < 0 ? 0 : st.st_ino;
}

int main(void)
{
        put_text("a", "a");
        put_text("b", "b");
        mkdir("d1", 0755);
        mkdir("d2", 0755);
        mkdir("full", 0755);
        put_text("full/x", "");
        ino_t ino = ino_of("a");
        OKAY("a file over a file", rename("a", "b"));
        CHECK("the same inode", ino_of("b") == ino && ino_of("a") == 0);
        OKAY("to itself", rename("b", "b"));
        link("b", "b2");
        OKAY("to another name of it: nothing", rename("b", "b2"));
        CHECK("both stay", ino_of("b") == ino && ino_of("b2") == ino);
        FAILS("a file over a directory", EISDIR, rename("b", "d1"));
        FAILS("a directory over a file", ENOTDIR, rename("d1", "b"));
        OKAY("a directory over an empty one", rename("d1", "d2"));
        FAILS("a directory over a full one", ENOTEMPTY, rename("d2", "full"));
        FAILS("into itself", EINVAL, rename("full", "full/sub"));
        mkdir("full/sub", 0755);
        FAILS("over its parent", ENOTEMPTY, rename("full/sub", "full"));
        FAILS("missing", ENOENT, rename("missing", "c"));
        FAILS("through a missing one", ENOENT, rename("b", "missing/c"));
        FAILS("through a file", ENOTDIR, rename("b", "b2/c"));
        FAILS("dot", EBUSY, rename(".", "c"));
        FAILS("dot dot", EBUSY, rename("full/..", "c"));
        symlink("b", "link");
        OKAY("a link, not its target", rename("link", "link2"));
        CHECK("the target stays", ino_of("b") == ino);
        FAILS("trailing slash of a file", ENOTDIR, rename("b/", "c"));
        OKAY("trailing slash of a directory", rename("d2/", "d3/"));
        OKAY("across directories", rename("b", "full/sub/b"));
        CHECK("there", ino_of("full/sub/b") == ino);
        struct stat st;
        mkdir("p1", 0755);
        mkdir("p1/c", 0755);
        mkdir("p2", 0755);
        rename("p1/c", "p2/c");
        stat("p1", &st);
        nlink_t one = st.st_nlink;
        stat("p2", &st);
        CHECK("link counts of parents", one == 2 && st.st_nlink == 3);
        CHECK("dot dot of a moved one", ino_of("p2/c/..") == ino_of("p2"));
        put_text("x", "x");
        put_text("y", "y");
        FAILS("RENAME_NOREPLACE", EEXIST, syscall(SYS_renameat2, AT_FDCWD, "x", AT_FDCWD, "y", 1));
        OKAY("RENAME_EXCHANGE", syscall(SYS_renameat2, AT_FDCWD, "x", AT_FDCWD, "y", 2));
        CHECK("exchanged", text_of("x")[0] == 'y' && text_of("y")[0] == 'x');
        FAILS("both", EINVAL, syscall(SYS_renameat2, AT_FDCWD, "x", AT_FDCWD, "y", 3));
        return done();
}
