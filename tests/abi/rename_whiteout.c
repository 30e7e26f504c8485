/* SPDX-License-Identifier: Apache-2.0
 *
 * rename_whiteout: renameat2's flags together: what RENAME_WHITEOUT leaves, exchanges of unlike things, dots and slashes.
 */
#include "show.h"
#include <sys/sysmacros.h>

#define NOREPLACE 1
#define EXCHANGE  2
#define WHITEOUT  4

static int re(const char *a, const char *b, unsigned flags) { return syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, flags); }

static void what(const char *p)
{
        struct stat st;

        if (lstat(p, &st) < 0)
                say("%s: errno %d\n", p, errno);
        else
                say("%s: type %o mode %o nlink %d rdev %u,%u\n", p, (st.st_mode & S_IFMT) >> 12, st.st_mode & 07777,
                    S_ISDIR(st.st_mode) ? 0 : (int)st.st_nlink, major(st.st_rdev), minor(st.st_rdev));
}

static int user(void)
{
        become_user(1000);
        SHOW("whiteout as a user", re("mine", "mine2", WHITEOUT));
        what("mine");
        what("mine2");
        SHOW("plain as a user", re("mine", "mine3", 0));
        return done();
}

int main(void)
{
        put_text("a", "a");
        put_text("b", "b");
        mkdir("d", 0755);
        mkdir("e", 0755);
        put_text("e/in", "");
        symlink("a", "l");
        SHOW("whiteout", re("a", "c", WHITEOUT));
        what("a");
        what("c");
        SHOW("over something", re("c", "b", WHITEOUT));
        what("c");
        what("b");
        SHOW("with noreplace, free", re("b", "new", WHITEOUT | NOREPLACE));
        SHOW("with noreplace, taken", re("new", "a", WHITEOUT | NOREPLACE));
        SHOW("with exchange", re("new", "a", WHITEOUT | EXCHANGE));
        SHOW("exchange with noreplace", re("new", "a", EXCHANGE | NOREPLACE));
        SHOW("all three", re("new", "a", 7));
        SHOW("an unknown flag", re("new", "a", 8));
        SHOW("of a directory", re("d", "d2", WHITEOUT));
        what("d");
        what("d2");
        SHOW("into a directory", re("new", "e/x", WHITEOUT));
        what("new");
        what("e/x");
        SHOW("of a whiteout", re("new", "new2", WHITEOUT));
        what("new");
        what("new2");
        SHOW("of a link", re("l", "l2", WHITEOUT));
        what("l");
        SHOW("to itself", re("l2", "l2", WHITEOUT));
        what("l2");
        put_text("h1", "");
        link("h1", "h2");
        SHOW("to another name of it", re("h1", "h2", WHITEOUT));
        what("h1");
        what("h2");
        SHOW("missing", re("none", "x", WHITEOUT));
        SHOW("noreplace missing", re("none", "l2", NOREPLACE));
        SHOW("exchange missing", re("l2", "none", EXCHANGE));
        SHOW("exchange both missing", re("none", "none2", EXCHANGE));
        SHOW("exchange a directory and a link", re("d2", "l2", EXCHANGE));
        what("d2");
        what("l2");
        SHOW("exchange with what it holds", re("e", "e/x", EXCHANGE));
        SHOW("the other way", re("e/x", "e", EXCHANGE));
        SHOW("into itself", re("e", "e/y", 0));
        SHOW("onto its parent", re("e/x", "e", 0));
        SHOW("noreplace onto its parent", re("e/x", "e", NOREPLACE));
        SHOW("exchange with itself", re("e", "e", EXCHANGE));
        SHOW("noreplace with itself", re("e", "e", NOREPLACE));
        SHOW("a dot", re("e/.", "x", 0));
        SHOW("to a dot", re("h1", "e/.", 0));
        SHOW("to a dot, noreplace", re("h1", "e/.", NOREPLACE));
        SHOW("two dots", re("e/..", "x", 0));
        SHOW("to two dots, exchange", re("h1", "e/..", EXCHANGE));
        SHOW("root", re("/", "x", 0));
        SHOW("to root, noreplace", re("h1", "/", NOREPLACE));
        SHOW("a file with a slash", re("h1/", "x", 0));
        SHOW("to a name with a slash", re("h1", "x/", 0));
        SHOW("a directory to a name with a slash", re("e", "x/", 0));
        SHOW("and back, noreplace", re("x/", "e/", NOREPLACE));
        SHOW("exchange with a slash", re("h1", "e/", EXCHANGE));
        what("h1");
        what("e");
        SHOW("and a file with a slash", re("h1", "e/", EXCHANGE));
        mkdir("full", 0755);
        put_text("full/f", "");
        mkdir("empty", 0755);
        SHOW("a directory over a full one", re("empty", "full", 0));
        SHOW("over an empty one", re("full", "empty", 0));
        SHOW("a directory over a file", re("empty", "h2", 0));
        SHOW("a file over a directory", re("h2", "empty", 0));
        SHOW("an empty name", re("", "x", 0));
        SHOW("to an empty name", re("h2", "", 0));
        SHOW("bad descriptors", syscall(SYS_renameat2, 99, "a", AT_FDCWD, "x", 0));
        SHOW("whiteouts: make one", mknod("white", S_IFCHR, 0));
        what("white");
        SHOW("open one", open("white", O_RDONLY));
        chmod(".", 0777);
        put_text("mine", "");
        chown("mine", 1000, 1000);
        CHECK("as a user", in_child(user) == 0);
        return done();
}
