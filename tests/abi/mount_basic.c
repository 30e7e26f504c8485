/* SPDX-License-Identifier: Apache-2.0
 *
 * mount_basic: mount and umount of tmpfs, proc and bind mounts.
 */
#include "abi.h"
#include <sys/mount.h>

static int as_user(void)
{
        become_user(1000);
        FAILS("root only", EPERM, mount("tmpfs", "m", "tmpfs", 0, NULL));
        FAILS("umount too", EPERM, umount("m"));
        return done();
}

int main(void)
{
        struct stat a, b;

        mkdir("m", 0755);
        put_text("m/under", "");
        OKAY("tmpfs", mount("name", "m", "tmpfs", 0, "mode=0711"));
        FAILS("what was there is hidden", ENOENT, access("m/under", F_OK));
        stat("m", &a);
        stat(".", &b);
        CHECK("another device", a.st_dev != b.st_dev);
        CHECK("its mode", (a.st_mode & 0777) == 0711);
        mkdir("a#b c", 0755);
        OKAY("odd names", mount("x#y z", "a#b c", "tmpfs", 0, NULL));
        CHECK("are escaped", strstr(text_of("/proc/mounts"), "x\\043y\\040z /") && strstr(text_of("/proc/mounts"), "/a#b\\040c tmpfs"));
        CHECK("in mountinfo, too", strstr(text_of("/proc/self/mountinfo"), "/a#b\\040c rw") && strstr(text_of("/proc/self/mountinfo"), "- tmpfs x\\043y\\040z rw"));
        umount("a#b c");
        CHECK("listed", strstr(text_of("/proc/mounts"), "/m tmpfs rw"));
        put_text("m/file", "x");
        FAILS("rename across", EXDEV, rename("m/file", "file"));
        FAILS("link across", EXDEV, link("m/file", "file"));
        FAILS("rmdir of a mount point", EBUSY, rmdir("m"));
        int fd = open("m/file", O_RDONLY);
        FAILS("busy", EBUSY, umount("m"));
        close(fd);
        OKAY("umount", umount("m"));
        OKAY("what was there is back", access("m/under", F_OK));
        FAILS("twice", EINVAL, umount("m"));

        OKAY("proc", mount("proc", "m", "proc", 0, NULL));
        OKAY("has this process", access("m/self/stat", F_OK));
        OKAY("umount of it", umount("m"));

        mkdir("src", 0755);
        put_text("src/f", "bound");
        OKAY("bind", mount("src", "m", NULL, MS_BIND, NULL));
        CHECK("the same files", !strcmp(text_of("m/f"), "bound"));
        OKAY("read-only", mount(NULL, "m", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL));
        FAILS("EROFS", EROFS, open("m/f", O_WRONLY));
        FAILS("EROFS of mkdir", EROFS, mkdir("m/d", 0755));
        OKAY("elsewhere writable", open("src/f", O_WRONLY));
        OKAY("lazily, while in use", ({ fd = open("m/f", O_RDONLY); umount2("m", MNT_DETACH); }));
        CHECK("an open file goes on", read(fd, &(char){ 0 }, 1) == 1);

        FAILS("no such type", ENODEV, mount("x", "m", "nosuchfs", 0, NULL));
        FAILS("no such place", ENOENT, mount("x", "missing", "tmpfs", 0, NULL));
        FAILS("on a file", ENOTDIR, mount("x", "src/f", "tmpfs", 0, NULL));
        FAILS("bad option", EINVAL, mount("x", "m", "tmpfs", 0, "nosuchoption=1"));
        FAILS("not a mount point", EINVAL, umount("src"));
        FAILS("type pointer", EFAULT, mount("x", "m", BAD_PTR, 0, NULL));
        OKAY("small", mount("x", "m", "tmpfs", 0, "size=64k"));
        static char big[100000];
        fd = open("m/big", O_WRONLY | O_CREAT, 0644);
        CHECK("as much as fits", write(fd, big, sizeof big) == 65536);
        FAILS("full", ENOSPC, write(fd, big, 1));
        unlink("m/big");
        close(fd);
        put_file("m/again", big, 60000, 0644);
        CHECK("room again", 1);
        umount("m");
        CHECK("user", in_child(as_user) == 0);
        return done();
}
