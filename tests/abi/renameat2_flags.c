/* SPDX-License-Identifier: Apache-2.0
 * renameat2(2): RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT, and what cannot be combined. */
#include "abi.h"
#include <linux/fs.h>

static int ren(const char *a, const char *b, unsigned flags) { return syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, flags); }
static ino_t ino(const char *p) { struct stat st; return lstat(p, &st) ? 0 : st.st_ino; }
static void put(const char *p) { close(open(p, O_CREAT | O_WRONLY, 0644)); }

int main(void)
{
        struct stat st;

        put("a"); put("b");
        FAILS("no replacing", EEXIST, ren("a", "b", RENAME_NOREPLACE));
        OKAY("to a free name", ren("a", "c", RENAME_NOREPLACE));
        FAILS("missing, no replacing", ENOENT, ren("a", "d", RENAME_NOREPLACE));
        FAILS("onto itself, no replacing", EEXIST, ren("b", "b", RENAME_NOREPLACE));

        ino_t b = ino("b"), c = ino("c");
        OKAY("exchange", ren("b", "c", RENAME_EXCHANGE));
        CHECK("exchanged", ino("b") == c && ino("c") == b);
        FAILS("exchange with nothing", ENOENT, ren("b", "none", RENAME_EXCHANGE));
        OKAY("exchange with itself", ren("b", "b", RENAME_EXCHANGE));

        mkdir("dir", 0755); mkdir("dir/sub", 0755); put("dir/sub/x");
        b = ino("b");
        ino_t d = ino("dir");
        OKAY("file with a full directory", ren("b", "dir", RENAME_EXCHANGE));
        CHECK("they changed places", ino("b") == d && ino("dir") == b && !access("b/sub/x", F_OK));
        OKAY("and back", ren("b", "dir", RENAME_EXCHANGE));
        FAILS("directory with what is in it", EINVAL, ren("dir", "dir/sub", RENAME_EXCHANGE));
        FAILS("what is in it with the directory", EINVAL, ren("dir/sub", "dir", RENAME_EXCHANGE));
        mkdir("other", 0755); mkdir("other/o", 0755);
        stat("dir", &st);
        CHECK("links before", st.st_nlink == 3);
        OKAY("subdirectory with a file elsewhere", (put("other/file"), ren("dir/sub", "other/file", RENAME_EXCHANGE)));
        stat("dir", &st);
        CHECK("the one has a link fewer", st.st_nlink == 2);
        stat("other", &st);
        CHECK("the other one more", st.st_nlink == 4);
        symlink("b", "s");
        OKAY("link with file", ren("s", "c", RENAME_EXCHANGE));
        lstat("c", &st);
        CHECK("is the link", S_ISLNK(st.st_mode));

        FAILS("exchange without replacing", EINVAL, ren("b", "c", RENAME_EXCHANGE | RENAME_NOREPLACE));
        FAILS("exchange with a whiteout", EINVAL, ren("b", "c", RENAME_EXCHANGE | RENAME_WHITEOUT));
        FAILS("unknown", EINVAL, ren("b", "c", 8));
        OKAY("whiteout", ren("b", "w", RENAME_WHITEOUT));
        CHECK("leaves a device 0:0", !lstat("b", &st) && S_ISCHR(st.st_mode) && st.st_rdev == 0);
        CHECK("and the file has moved", !lstat("w", &st) && S_ISREG(st.st_mode));
        OKAY("whiteout over a file", (put("v"), ren("w", "v", RENAME_WHITEOUT)));
        FAILS("whiteout without replacing", EEXIST, (put("p"), put("q"), ren("p", "q", RENAME_WHITEOUT | RENAME_NOREPLACE)));

        mkdir("m", 0755);
        FAILS("slash on a file", ENOTDIR, ren("p/", "z", 0));
        FAILS("file to a name with slash", ENOTDIR, ren("p", "z/", 0));
        OKAY("directory to a name with slash", ren("m", "n/", 0));
        FAILS("exchange of a file, slash", ENOTDIR, ren("p/", "n", RENAME_EXCHANGE));
        FAILS("dot", EBUSY, ren("n/.", "k", 0));
        FAILS("dot dot", EBUSY, ren("n/..", "k", 0));
        FAILS("to dot, no replacing", EEXIST, ren("p", ".", RENAME_NOREPLACE));
        return done();
}
