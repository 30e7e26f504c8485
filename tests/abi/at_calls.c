/* SPDX-License-Identifier: Apache-2.0
 *
 * at_calls: openat and its family: relative to a descriptor.
 */
#include "abi.h"

int main(void)
{
        struct stat st;
        char        buf[20];

        mkdir("dir", 0755);
        put_text("file", "");
        int dir = open("dir", O_RDONLY | O_DIRECTORY), file = open("file", O_RDONLY), path = open("dir", O_PATH);

        OKAY("mkdirat", mkdirat(dir, "sub", 0755));
        OKAY("openat", openat(dir, "f", O_CREAT | O_RDWR, 0644));
        OKAY("it is there", access("dir/f", F_OK));
        OKAY("by O_PATH", openat(path, "f", O_RDONLY));
        OKAY("fstatat", fstatat(dir, "f", &st, 0));
        OKAY("faccessat", faccessat(dir, "f", R_OK, 0));
        OKAY("fchmodat", fchmodat(dir, "f", 0600, 0));
        OKAY("fchownat", fchownat(dir, "f", 1, 1, 0));
        stat("dir/f", &st);
        CHECK("both", (st.st_mode & 0777) == 0600 && st.st_uid == 1);
        OKAY("symlinkat", symlinkat("f", dir, "l"));
        CHECK("readlinkat", readlinkat(dir, "l", buf, 20) == 1);
        OKAY("linkat", linkat(dir, "f", AT_FDCWD, "hard", 0));
        OKAY("renameat", renameat(AT_FDCWD, "hard", dir, "moved"));
        OKAY("mknodat", mknodat(dir, "fifo", S_IFIFO | 0600, 0));
        OKAY("unlinkat", unlinkat(dir, "moved", 0));
        OKAY("unlinkat of a directory", unlinkat(dir, "sub", AT_REMOVEDIR));
        OKAY("absolute: the descriptor does not matter", fstatat(99, "/tmp", &st, 0));
        FAILS("descriptor", EBADF, fstatat(99, "x", &st, 0));
        FAILS("a file's descriptor", ENOTDIR, openat(file, "x", O_RDONLY));
        FAILS("empty", ENOENT, openat(dir, "", O_RDONLY));
        FAILS("missing", ENOENT, openat(dir, "missing", O_RDONLY));
        rename("dir", "dir2");
        OKAY("the directory moved", openat(dir, "f", O_RDONLY));
        CHECK("AT_FDCWD", openat(AT_FDCWD, "dir2/f", O_RDONLY) >= 0);
        return done();
}
