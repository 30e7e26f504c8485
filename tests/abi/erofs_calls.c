/* SPDX-License-Identifier: Apache-2.0
 *
 * erofs_calls: what each call says on a read-only file system, and on a read-only mount of a writable one.
 */
#include "show.h"
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <utime.h>

static void each(const char *kind)
{
        struct sockaddr_un sun = { AF_UNIX, "m/sock" };
        int fd;

        say("%s\n", kind);
        SHOW("open for reading", close(open("m/f", O_RDONLY)));
        SHOW("open for writing", open("m/f", O_WRONLY));
        SHOW("open to truncate", open("m/f", O_RDONLY | O_TRUNC));
        SHOW("create a new one", open("m/new", O_CREAT | O_WRONLY, 0644));
        SHOW("create what is there, reading", close(open("m/f", O_CREAT | O_RDONLY, 0644)));
        SHOW("create exclusively what is there", open("m/f", O_CREAT | O_EXCL, 0644));
        SHOW("create below a missing directory", open("m/none/new", O_CREAT, 0644));
        SHOW("creat", creat("m/f", 0644));
        SHOW("O_TMPFILE", open("m", O_TMPFILE | O_RDWR, 0644));
        SHOW("O_PATH", close(open("m/f", O_PATH)));
        SHOW("open a directory for writing", open("m/d", O_WRONLY));
        SHOW("mkdir", mkdir("m/new", 0755));
        SHOW("mkdir what is there", mkdir("m/d", 0755));
        SHOW("mkdir with a slash", mkdir("m/new/", 0755));
        SHOW("rmdir", rmdir("m/d"));
        SHOW("rmdir what is not there", rmdir("m/none"));
        SHOW("rmdir a file", rmdir("m/f"));
        SHOW("rmdir the mount point", rmdir("m"));
        SHOW("unlink", unlink("m/f"));
        SHOW("unlink what is not there", unlink("m/none"));
        SHOW("unlink a directory", unlink("m/d"));
        SHOW("unlink with a slash", unlink("m/f/"));
        SHOW("symlink", symlink("x", "m/new"));
        SHOW("symlink over something", symlink("x", "m/f"));
        SHOW("link", link("m/f", "m/new"));
        SHOW("link over something", link("m/f", "m/l"));
        SHOW("link from another mount", link("out", "m/new"));
        SHOW("rename", rename("m/f", "m/new"));
        SHOW("rename to itself", rename("m/f", "m/f"));
        SHOW("rename what is not there", rename("m/none", "m/new"));
        SHOW("rename into it", rename("out", "m/new"));
        SHOW("rename dots", rename("m/.", "m/new"));
        SHOW("mknod", mknod("m/new", S_IFREG | 0644, 0));
        SHOW("mknod over something", mknod("m/f", S_IFIFO | 0644, 0));
        SHOW("mkfifo", mkfifo("m/new", 0644));
        SHOW("chmod", chmod("m/f", 0600));
        SHOW("chmod what is not there", chmod("m/none", 0600));
        SHOW("chown", chown("m/f", 1, 1));
        SHOW("chown to nobody new", chown("m/f", -1, -1));
        SHOW("lchown", lchown("m/l", 1, 1));
        SHOW("utime", utime("m/f", NULL));
        SHOW("utimensat", utimensat(AT_FDCWD, "m/f", NULL, 0));
        SHOW("utimensat omitting both", utimensat(AT_FDCWD, "m/f", (struct timespec[]){ { 0, UTIME_OMIT }, { 0, UTIME_OMIT } }, 0));
        SHOW("truncate", truncate("m/f", 0));
        SHOW("truncate a directory", truncate("m/d", 0));
        SHOW("access for writing", access("m/f", W_OK));
        SHOW("access for reading", access("m/f", R_OK));
        SHOW("access of a device for writing", access("m/null", W_OK));
        SHOW("open a device for writing", close(open("m/null", O_WRONLY)));
        SHOW("open a fifo for both", close(open("m/fifo", O_RDWR)));
        SHOW("setxattr", setxattr("m/f", "trusted.a", "x", 1, 0));
        SHOW("removexattr", removexattr("m/f", "trusted.a"));
        SHOW("setxattr of no name space", setxattr("m/f", "nothing", "x", 1, 0));
        SHOW("bind a socket", bind(fd = socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&sun, sizeof sun));
        close(fd);
        fd = open("m/f", O_RDONLY);
        SHOW("fchmod", fchmod(fd, 0600));
        SHOW("fchown", fchown(fd, 1, 1));
        SHOW("futimens", futimens(fd, NULL));
        SHOW("fsetxattr", fsetxattr(fd, "trusted.a", "x", 1, 0));
        SHOW("ftruncate", ftruncate(fd, 0));
        SHOW("flock", flock(fd, 2));
        SHOW("fsync", fsync(fd));
        SHOW("fallocate", fallocate(fd, 0, 0, 10));
        SHOW("syncfs", syncfs(fd));
        close(fd);
        SHOW("swap", syscall(SYS_renameat2, AT_FDCWD, "m/f", AT_FDCWD, "m/l", 2));
        SHOW("chroot", chdir("m") || chdir(".."));
}

static int user(void)
{
        become_user(1000);
        say("without rights\n");
        SHOW("open what one may not write", open("m/f", O_WRONLY));
        SHOW("chmod another's", chmod("m/f", 0600));
        SHOW("mkdir where one may not", mkdir("m/new", 0755));
        SHOW("unlink where one may not", unlink("m/f"));
        SHOW("access", access("m/f", W_OK));
        return done();
}

int main(void)
{
        must(!mkdir("m", 0755) && !mount("x", "m", "tmpfs", 0, NULL), "mount");
        put_text("m/f", "text");
        mkdir("m/d", 0755);
        symlink("f", "m/l");
        mknod("m/null", S_IFCHR | 0666, 0x103);
        mkfifo("m/fifo", 0666);
        put_text("out", "");
        must(!mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL), "remount");
        each("a file system");
        CHECK("as a user", in_child(user) == 0);
        must(!mount(NULL, "m", NULL, MS_REMOUNT, NULL), "remount");
        must(!mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), "remount");
        each("a mount");
        CHECK("as a user", in_child(user) == 0);
        umount("m");
        return done();
}
