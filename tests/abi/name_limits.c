/* SPDX-License-Identifier: Apache-2.0
 *
 * name_limits: names of 255 and 256 bytes, paths of 4095 and 4096, 40 and 41 links, in each call that takes a path.
 */
#include "show.h"
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <utime.h>

static void each(const char *kind, const char *p)
{
        struct stat st;
        struct statfs sf;
        char buf[64];

        say("%s\n", kind);
        SHOW("stat", stat(p, &st));
        SHOW("lstat", lstat(p, &st));
        SHOW("open", open(p, O_RDONLY));
        SHOW("create", open(p, O_CREAT | O_WRONLY, 0644));
        SHOW("create exclusively", open(p, O_CREAT | O_EXCL | O_WRONLY, 0644));
        SHOW("O_PATH nofollow", open(p, O_PATH | O_NOFOLLOW));
        SHOW("O_DIRECTORY", open(p, O_DIRECTORY));
        SHOW("access", access(p, F_OK));
        SHOW("mkdir", mkdir(p, 0755));
        SHOW("rmdir", rmdir(p));
        SHOW("mknod", mknod(p, S_IFIFO | 0644, 0));
        SHOW("unlink", unlink(p));
        SHOW("symlink", symlink("x", p));
        SHOW("unlink that", unlink(p));
        SHOW("link to it", link("f", p));
        SHOW("link from it", link(p, "newlink"));
        SHOW("rename to it", rename("g", p));
        SHOW("rename from it", rename(p, "g"));
        SHOW("chmod", chmod(p, 0644));
        SHOW("chown", chown(p, 0, 0));
        SHOW("lchown", lchown(p, 0, 0));
        SHOW("truncate", truncate(p, 0));
        SHOW("utime", utime(p, NULL));
        SHOW("readlink", readlink(p, buf, sizeof buf));
        SHOW("chdir", chdir(p));
        SHOW("statfs", statfs(p, &sf));
        SHOW("getxattr", getxattr(p, "user.a", buf, sizeof buf));
        SHOW("lgetxattr", lgetxattr(p, "user.a", buf, sizeof buf));
        SHOW("execve", execve(p, (char *[]){ "x", NULL }, (char *[]){ NULL }));
        SHOW("chroot", chroot(p));
        unlink(p);
        rmdir(p);
        unlink("newlink");
        put_text("g", "");
}

int main(void)
{
        static char p[6000];

        put_text("f", "text");
        put_text("g", "");
        memset(p, 'n', 255);
        each("255 bytes", p);
        memset(p, 'n', 256);
        each("256 bytes", p);
        /* A path of n bytes: many "./", then a name. */
        for (int n = 4095; n <= 4097; n++) {
                const char *name = n % 2 ? "targe" : "target";
                memset(p, 0, sizeof p);
                for (int i = 0; i < n - (int)strlen(name); i++)
                        p[i] = i % 2 ? '/' : '.';
                strcat(p, name);
                char what[32];
                snprintf(what, sizeof what, "a path of %d", n);
                each(what, p);
        }
        /* Links. */
        symlink("f", "l0");
        for (int i = 1; i <= 45; i++) {
                char a[16], b[16];
                snprintf(a, sizeof a, "l%d", i - 1);
                snprintf(b, sizeof b, "l%d", i);
                symlink(a, b);
        }
        struct stat st;
        SHOW("40 links", stat("l39", &st));
        SHOW("41 links", stat("l40", &st));
        SHOW("41, not the last", lstat("l40", &st));
        SHOW("open 41", open("l40", O_RDONLY));
        SHOW("create through 40", close(open("l39", O_CREAT | O_RDONLY, 0644)));
        SHOW("create through 41", open("l40", O_CREAT | O_RDONLY, 0644));
        symlink("loop", "loop");
        each("a loop", "loop");
        symlink("loop", "loop");
        each("through a loop", "loop/x");
        symlink("nowhere", "dangling");
        SHOW("dangling: stat", stat("dangling", &st));
        SHOW("dangling: mkdir", mkdir("dangling", 0755));
        SHOW("dangling: create exclusively", open("dangling", O_CREAT | O_EXCL, 0644));
        SHOW("dangling: create", close(open("dangling", O_CREAT | O_WRONLY, 0644)));
        SHOW("made its target", access("nowhere", F_OK));
        unlink("nowhere");
        SHOW("dangling: link", link("dangling", "hard"));
        SHOW("dangling: link following", linkat(AT_FDCWD, "dangling", AT_FDCWD, "hard2", AT_SYMLINK_FOLLOW));
        SHOW("a slash after a file", stat("f/", &st));
        SHOW("a dot after a file", stat("f/.", &st));
        SHOW("a slash after a link to a file", lstat("l0/", &st));
        SHOW("empty", stat("", &st));
        memset(p, 'n', 4095);
        p[4095] = 0;
        SHOW("a target of 4095", symlink(p, "longlink"));
        SHOW("its length", (lstat("longlink", &st), st.st_size));
        p[4095] = 'n';
        SHOW("a target of 4096", symlink(p, "longer"));
        FAILS("an empty target", ENOENT, symlink("", "emptylink"));
        return done();
}
