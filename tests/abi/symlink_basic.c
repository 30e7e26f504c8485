/* SPDX-License-Identifier: Apache-2.0
 *
 * symlink_basic: symbolic links.
 */
#include "abi.h"

int main(void)
{
        char        buf[100], name[300];
        struct stat st;

        put_text("file", "text");
        OKAY("symlink", symlink("file", "link"));
        memset(buf, '#', sizeof buf);
        CHECK("readlink", readlink("link", buf, 100) == 4 && !memcmp(buf, "file#", 5));
        CHECK("cut short", readlink("link", buf, 2) == 2);
        FAILS("no room", EINVAL, syscall(SYS_readlink, "link", buf, 0));
        FAILS("not a link", EINVAL, readlink("file", buf, 100));
        FAILS("missing", ENOENT, readlink("missing", buf, 100));
        lstat("link", &st);
        CHECK("lstat", S_ISLNK(st.st_mode) && st.st_size == 4 && (st.st_mode & 0777) == 0777);
        stat("link", &st);
        CHECK("stat follows", S_ISREG(st.st_mode));
        FAILS("there already", EEXIST, symlink("x", "link"));
        FAILS("empty target", ENOENT, symlink("", "empty"));
        OKAY("dangling", symlink("/no/such", "dangling"));
        FAILS("stat of it", ENOENT, stat("dangling", &st));
        symlink("loop2", "loop1");
        symlink("loop1", "loop2");
        FAILS("a loop", ELOOP, open("loop1", O_RDONLY));
        symlink("self", "self");
        FAILS("itself", ELOOP, stat("self", &st));
        mkdir("dir", 0755);
        put_text("dir/in", "inside");
        symlink("../dir", "dir/up");
        CHECK("relative to its own place", !strcmp(text_of("dir/up/in"), "inside"));
        /* A chain of n links; forty are followed, not one more. */
        symlink("file", "c0");
        for (int i = 1; i <= 40; i++) {
                char to[20];
                snprintf(to, sizeof to, "c%d", i - 1);
                snprintf(name, sizeof name, "c%d", i);
                symlink(to, name);
        }
        OKAY("forty", access("c39", F_OK));
        FAILS("forty-one", ELOOP, access("c40", F_OK));
        symlink("dir", "dirlink");
        OKAY("trailing slash follows", lstat("dirlink/", &st));
        CHECK("to the directory", S_ISDIR(st.st_mode));
        FAILS("rmdir does not", ENOTDIR, rmdir("dirlink"));
        memset(name, 'n', 299);
        FAILS("name too long", ENAMETOOLONG, symlink("x", name));
        return done();
}
