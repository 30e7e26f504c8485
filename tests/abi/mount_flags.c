/* SPDX-License-Identifier: Apache-2.0
 * mount(2): what ro, nosuid, nodev, noexec, noatime and nosymfollow forbid; bind mounts, remounting, moving. */
#include "abi.h"
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif

static long flags(const char *p) { struct statvfs v; return statvfs(p, &v) ? -1 : (long)v.f_flag; }

int main(void)
{
        struct stat st, st2;
        struct timespec old = { 1000, 0 };

        mkdir("m", 0755); mkdir("b", 0755); mkdir("b2", 0755); mkdir("moved", 0755);
        OKAY("mount", mount("tmpfs", "m", "tmpfs", 0, "size=1m,mode=711"));
        CHECK("mode option", !stat("m", &st) && (st.st_mode & 07777) == 0711);
        close(open("m/f", O_CREAT | O_WRONLY, 0755));
        mknod("m/null", S_IFCHR | 0666, makedev(1, 3));
        symlink("f", "m/s");
        mkdir("m/dir", 0755);
        close(open("m/dir/deep", O_CREAT | O_WRONLY, 0644));

        OKAY("remount read only", mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
        FAILS("create on ro", EROFS, open("m/new", O_CREAT | O_WRONLY, 0644));
        FAILS("write on ro", EROFS, open("m/f", O_WRONLY));
        FAILS("truncate on ro", EROFS, truncate("m/f", 0));
        FAILS("unlink on ro", EROFS, unlink("m/f"));
        FAILS("mkdir on ro", EROFS, mkdir("m/x", 0755));
        FAILS("mkdir of what is there, ro", EEXIST, mkdir("m/dir", 0755));
        FAILS("rename on ro", EROFS, rename("m/f", "m/g"));
        FAILS("chmod on ro", EROFS, chmod("m/f", 0600));
        FAILS("utimens on ro", EROFS, utimensat(AT_FDCWD, "m/f", NULL, 0));
        FAILS("access for writing on ro", EROFS, access("m/f", W_OK));
        OKAY("a device may be written on ro", close(open("m/null", O_WRONLY)));
        CHECK("ro in statvfs", flags("m") & ST_RDONLY);
        OKAY("and back", mount(NULL, "m", NULL, MS_REMOUNT, NULL));
        int fd = open("m/f", O_WRONLY);
        FAILS("not while one writes", EBUSY, mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
        close(fd);

        OKAY("bind", mount("m", "b", NULL, MS_BIND, NULL));
        CHECK("the same file", !stat("m/f", &st) && !stat("b/f", &st2) && st.st_ino == st2.st_ino && st.st_dev == st2.st_dev);
        OKAY("bind read only", mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NODEV | MS_NOEXEC | MS_NOSUID, NULL));
        FAILS("ro through the one", EROFS, open("b/f", O_WRONLY));
        OKAY("writable through the other", close(open("m/f", O_WRONLY)));
        FAILS("nodev", EACCES, open("b/null", O_RDONLY));
        FAILS("noexec", EACCES, execl("b/f", "f", NULL));
        FAILS("noexec mapping", EPERM, (long)mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd = open("b/f", O_RDONLY), 0));
        close(fd);
        FAILS("rename across mounts of one system", EXDEV, rename("m/f", "b/g"));
        FAILS("link across mounts of one system", EXDEV, link("b/f", "m/g"));
        CHECK("flags shown", (flags("b") & (ST_RDONLY | ST_NODEV | ST_NOEXEC | ST_NOSUID)) == (ST_RDONLY | ST_NODEV | ST_NOEXEC | ST_NOSUID));
        CHECK("not on the other", !(flags("m") & (ST_RDONLY | ST_NODEV | ST_NOEXEC | ST_NOSUID)));

        OKAY("nosymfollow", mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_NOSYMFOLLOW, NULL));
        FAILS("links are not followed", ELOOP, open("b/s", O_RDONLY));
        char text[8];
        CHECK("but read", readlink("b/s", text, sizeof text) == 1);
        OKAY("noatime", mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_NOATIME, NULL));
        struct timespec both[2] = { old, { 2000, 0 } };
        utimensat(AT_FDCWD, "m/f", both, 0);
        write(fd = open("m/f", O_WRONLY), "xyz", 3);
        close(fd);
        utimensat(AT_FDCWD, "m/f", both, 0);
        read(fd = open("b/f", O_RDONLY), text, 3);
        close(fd);
        CHECK("noatime keeps it", !stat("m/f", &st) && st.st_atim.tv_sec == 1000);
        read(fd = open("m/f", O_RDONLY), text, 3);
        close(fd);
        CHECK("relatime does not", !stat("m/f", &st) && st.st_atim.tv_sec != 1000);

        OKAY("bind of a file", (close(open("target", O_CREAT | O_WRONLY, 0644)), mount("m/f", "target", NULL, MS_BIND, NULL)));
        CHECK("shows that file", !stat("target", &st2) && st2.st_ino == st.st_ino);
        FAILS("busy", EBUSY, unlink("target"));
        FAILS("busy to rename", EBUSY, rename("target", "t2"));
        OKAY("undone", umount("target"));
        OKAY("a mount in the mount", (mount("tmpfs", "m/dir", "tmpfs", 0, NULL)));
        OKAY("bind is not recursive", mount("m", "b2", NULL, MS_BIND, NULL));
        CHECK("what is below shows", !access("b2/dir/deep", F_OK));
        umount("b2");
        OKAY("recursive", mount("m", "b2", NULL, MS_BIND | MS_REC, NULL));
        CHECK("takes it along", access("b2/dir/deep", F_OK) < 0);
        FAILS("busy below", EBUSY, umount("m"));
        OKAY("move", mount("m", "moved", NULL, MS_MOVE, NULL));
        CHECK("is there", !access("moved/f", F_OK) && access("m/f", F_OK) < 0);
        FAILS("into itself", ELOOP, mount("moved", "moved/dir", NULL, MS_MOVE, NULL));
        FAILS("not a mount point", EINVAL, mount("m", "b2", NULL, MS_MOVE, NULL));
        FAILS("umount of no mount point", EINVAL, umount("m"));
        OKAY("lazily, with all below", umount2("moved", MNT_DETACH));
        OKAY("lazily, the other", umount2("b2", MNT_DETACH));
        FAILS("expire, first", EAGAIN, umount2("b", MNT_EXPIRE));
        OKAY("expire, second", umount2("b", MNT_EXPIRE));

        FAILS("no such type", ENODEV, mount("x", "m", "nosuchfs", 0, NULL));
        FAILS("bad option", EINVAL, mount("tmpfs", "m", "tmpfs", 0, "nonsense=1"));
        FAILS("not a directory", ENOTDIR, mount("tmpfs", "target", "tmpfs", 0, NULL));
        FAILS("missing", ENOENT, mount("tmpfs", "none", "tmpfs", 0, NULL));
        FAILS("flags of umount", EINVAL, umount2("m", 0x100));
        pid_t pid = fork();
        if (!pid) {
                setresuid(1000, 1000, 1000);
                FAILS("without rights", EPERM, mount("tmpfs", "m", "tmpfs", 0, NULL));
                FAILS("umount without rights", EPERM, umount("/proc"));
                _exit(failures);
        }
        int status;
        waitpid(pid, &status, 0);
        CHECK("child", status == 0);
        return done();
}
