/* SPDX-License-Identifier: Apache-2.0
 *
 * mknod_basic: mknod: kinds and permissions.
 */
#include "abi.h"
#include <sys/sysmacros.h>

static int as_user(void)
{
        become_user(1000);
        FAILS("devices: root only", EPERM, mknod("c2", S_IFCHR | 0600, makedev(1, 3)));
        OKAY("fifos: all", mknod("f2", S_IFIFO | 0600, 0));
        OKAY("files: all", mknod("r2", S_IFREG | 0600, 0));
        return done();
}

int main(void)
{
        struct stat st;

        OKAY("character device", mknod("c", S_IFCHR | 0600, makedev(1, 3)));
        stat("c", &st);
        CHECK("its number", S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
        OKAY("block device", mknod("b", S_IFBLK | 0600, makedev(259, 70000)));
        stat("b", &st);
        CHECK("a large number", S_ISBLK(st.st_mode) && st.st_rdev == makedev(259, 70000));
        OKAY("socket", mknod("s", S_IFSOCK | 0600, 0));
        FAILS("opening one", ENXIO, open("s", O_RDONLY));
        OKAY("plain file", mknod("r", 0644, 0));
        stat("r", &st);
        CHECK("is plain", S_ISREG(st.st_mode));
        FAILS("directory", EPERM, mknod("d", S_IFDIR | 0755, 0));
        FAILS("link", EINVAL, mknod("l", S_IFLNK | 0755, 0));
        FAILS("there already", EEXIST, mknod("c", S_IFCHR | 0600, makedev(1, 3)));
        static const char *const none[] = { "/sys/x", "/proc/x", "/proc/self/x", "/sys/class/x" };
        for (unsigned i = 0; i < 4; i++) {
                FAILS("plain file where none can be made", i == 1 || i == 2 ? ENOENT : EACCES, mknod(none[i], S_IFREG | 0644, 0));
                FAILS("nor opened", i == 1 || i == 2 ? ENOENT : EACCES, open(none[i], O_CREAT | O_RDWR, 0644));
                FAILS("fifo there", i == 1 || i == 2 ? ENOENT : EPERM, mknod(none[i], S_IFIFO | 0644, 0));
                FAILS("device there", i == 1 || i == 2 ? ENOENT : EPERM, mknod(none[i], S_IFCHR | 0644, makedev(1, 3)));
                FAILS("directory there", i == 1 || i == 2 ? ENOENT : EPERM, mkdir(none[i], 0755));
                FAILS("link there", i == 1 || i == 2 ? ENOENT : EPERM, symlink("x", none[i]));
        }
        chmod(".", 0777);
        CHECK("user", in_child(as_user) == 0);
        return done();
}
