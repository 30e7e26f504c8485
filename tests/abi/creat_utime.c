/* SPDX-License-Identifier: Apache-2.0
 *
 * creat_utime: the old calls: creat, fdatasync, getdents, utime, utimes, futimesat, mknodat, sync.
 */
#include "show.h"
#include <sys/syscall.h>

struct old_dirent { unsigned long ino, off; unsigned short reclen; char name[]; };

static int user(void)
{
        struct { long a, m; } t = { 5, 6 };

        become_user(1000);
        SHOW("utime of another's, now", syscall(SYS_utime, "open_to_all", NULL));
        SHOW("utime of another's, a time", syscall(SYS_utime, "open_to_all", &t));
        SHOW("utime of what one may not write", syscall(SYS_utime, "closed", NULL));
        SHOW("creat where one may not", syscall(SYS_creat, "new", 0644));
        SHOW("creat of what one may not write", syscall(SYS_creat, "closed", 0644));
        SHOW("creat of what one may", close(syscall(SYS_creat, "open_to_all", 0)));
        return done();
}

int main(void)
{
        struct stat st;
        long fd, n, r;
        char buf[1024];

        umask(022);
        SHOW("creat", (fd = syscall(SYS_creat, "c", 06755)) >= 0);
        CHECK("its mode", !fstat(fd, &st) && (st.st_mode & 07777) == 06755);
        CHECK("only for writing", (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY);
        write(fd, "text", 4);
        SHOW("fdatasync", syscall(SYS_fdatasync, fd));
        close(fd);
        SHOW("creat again", close(fd = syscall(SYS_creat, "c", 0600)));
        CHECK("cut, its mode as it was", !stat("c", &st) && st.st_size == 0 && (st.st_mode & 0777) == 0755);
        SHOW("creat a directory", syscall(SYS_creat, ".", 0644));
        SHOW("creat below nothing", syscall(SYS_creat, "none/x", 0644));
        SHOW("creat below a file", syscall(SYS_creat, "c/x", 0644));
        SHOW("creat with a slash", syscall(SYS_creat, "c/", 0644));
        SHOW("creat of a new name with a slash", syscall(SYS_creat, "new/", 0644));
        SHOW("creat nowhere", syscall(SYS_creat, BAD_PTR, 0644));
        SHOW("creat nothing", syscall(SYS_creat, "", 0644));
        symlink("made", "l");
        SHOW("creat through a link", close(syscall(SYS_creat, "l", 0644)));
        SHOW("its target", access("made", F_OK));
        SHOW("fdatasync of no descriptor", syscall(SYS_fdatasync, 99));
        int p[2];
        pipe(p);
        SHOW("fdatasync of a pipe", syscall(SYS_fdatasync, p[0]));
        SHOW("fsync of a pipe", fsync(p[1]));
        SHOW("fdatasync of a directory", syscall(SYS_fdatasync, fd = open(".", O_RDONLY)));
        SHOW("fdatasync of /dev/null", syscall(SYS_fdatasync, open("/dev/null", O_RDONLY)));
        SHOW("fdatasync of O_PATH", syscall(SYS_fdatasync, open("c", O_PATH)));
        SHOW("sync", syscall(SYS_sync));

        /* getdents: the old form has the type in its last byte. */
        mkdir("dir", 0755);
        put_text("dir/file", "");
        mkdir("dir/sub", 0755);
        symlink("x", "dir/link");
        fd = open("dir", O_RDONLY);
        int files = 0, dirs = 0, links = 0, dots = 0, sorted = 1;
        while ((n = syscall(SYS_getdents, fd, buf, 64)) > 0)
                for (long at = 0; at < n;) {
                        struct old_dirent *d = (struct old_dirent *)(buf + at);
                        char type = buf[at + d->reclen - 1];
                        files += type == 8 && !strcmp(d->name, "file");
                        dirs += type == 4 && !strcmp(d->name, "sub");
                        links += type == 10 && !strcmp(d->name, "link");
                        dots += d->name[0] == '.';
                        sorted = sorted && d->reclen % 8 == 0;
                        at += d->reclen;
                }
        CHECK("all entries with their types", n == 0 && files == 1 && dirs == 1 && links == 1 && dots == 2 && sorted);
        lseek(fd, 0, SEEK_SET);
        SHOW("too small", syscall(SYS_getdents, fd, buf, 10));
        SHOW("no room at all", syscall(SYS_getdents, fd, buf, 0));
        SHOW("bad pointer", syscall(SYS_getdents, fd, BAD_PTR, 1000));
        SHOW("of a file", syscall(SYS_getdents, open("c", O_RDONLY), buf, 1000));
        SHOW("of nothing", syscall(SYS_getdents, 99, buf, 1000));
        rmdir("dir/sub");
        unlink("dir/file");
        unlink("dir/link");
        rmdir("dir");
        SHOW("of a removed one", syscall(SYS_getdents, fd, buf, 1000));
        SHOW("the same, getdents64", syscall(SYS_getdents64, fd, buf, 1000));

        struct { long a, m; } t = { 1000, 2000 };
        SHOW("utime", syscall(SYS_utime, "c", &t));
        CHECK("both times", !stat("c", &st) && st.st_atime == 1000 && st.st_mtime == 2000 && st.st_mtim.tv_nsec == 0);
        SHOW("utime before 1970", syscall(SYS_utime, "c", &(struct { long a, m; }){ -5, -6 }));
        CHECK("is kept", !stat("c", &st) && st.st_mtime == -6);
        SHOW("utime now", syscall(SYS_utime, "c", NULL));
        CHECK("is now", !stat("c", &st) && st.st_mtime > 100000);
        SHOW("utime bad pointer", syscall(SYS_utime, "c", BAD_PTR));
        SHOW("utime missing", syscall(SYS_utime, "none", &t));
        struct timeval tv[2] = { { 7, 8 }, { 9, 10 } };
        SHOW("utimes", syscall(SYS_utimes, "c", tv));
        CHECK("with microseconds", !stat("c", &st) && st.st_atim.tv_nsec == 8000 && st.st_mtim.tv_nsec == 10000);
        tv[1].tv_usec = 1000000;
        SHOW("utimes: a microsecond too many", syscall(SYS_utimes, "c", tv));
        tv[1].tv_usec = -1;
        SHOW("utimes: a negative one", syscall(SYS_utimes, "c", tv));
        tv[1].tv_usec = 10;
        SHOW("utimes: bad pointer", syscall(SYS_utimes, "c", BAD_PTR));
        symlink("c", "lc");
        tv[0].tv_sec = 77;
        SHOW("utimes through a link", syscall(SYS_utimes, "lc", tv));
        CHECK("its target", !stat("c", &st) && st.st_atime == 77);
        int dir = open(".", O_RDONLY);
        tv[0].tv_sec = 78;
        SHOW("futimesat", syscall(SYS_futimesat, dir, "c", tv));
        CHECK("done", !stat("c", &st) && st.st_atime == 78);
        tv[0].tv_sec = 79;
        SHOW("futimesat of a descriptor", syscall(SYS_futimesat, fd = open("c", O_RDONLY), NULL, tv));
        CHECK("done", !stat("c", &st) && st.st_atime == 79);
        SHOW("futimesat now", syscall(SYS_futimesat, fd, NULL, NULL));
        SHOW("futimesat: no descriptor", syscall(SYS_futimesat, 99, "c", tv));
        SHOW("futimesat: no descriptor, no path", syscall(SYS_futimesat, 99, NULL, tv));
        SHOW("futimesat: AT_FDCWD, no path", syscall(SYS_futimesat, AT_FDCWD, NULL, tv));
        SHOW("futimesat: below a file", syscall(SYS_futimesat, fd, "c", tv));

        SHOW("mknodat: a file", syscall(SYS_mknodat, dir, "n1", S_IFREG | 0640, 0));
        SHOW("no type is a file", syscall(SYS_mknodat, dir, "n2", 0640, 0));
        CHECK("it is", !stat("n2", &st) && S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0640);
        SHOW("a fifo", syscall(SYS_mknodat, dir, "n3", S_IFIFO | 0666, 0));
        SHOW("a socket", syscall(SYS_mknodat, dir, "n4", S_IFSOCK | 0666, 0));
        CHECK("it is", !stat("n4", &st) && S_ISSOCK(st.st_mode));
        SHOW("a directory", syscall(SYS_mknodat, dir, "n5", S_IFDIR | 0755, 0));
        SHOW("a link", syscall(SYS_mknodat, dir, "n5", S_IFLNK | 0755, 0));
        SHOW("no such type", syscall(SYS_mknodat, dir, "n5", 0130000 | 0755, 0));
        SHOW("what is there", syscall(SYS_mknodat, dir, "n1", S_IFREG, 0));
        SHOW("what is there, a directory", syscall(SYS_mknodat, dir, "n1", S_IFDIR, 0));
        SHOW("a device", syscall(SYS_mknodat, dir, "n6", S_IFCHR | 0600, 0x12345678));
        CHECK("its number", !stat("n6", &st) && st.st_rdev == 0x12345678);
        SHOW("with a slash", syscall(SYS_mknodat, dir, "n7/", S_IFREG, 0));
        SHOW("no descriptor", syscall(SYS_mknodat, 99, "n7", S_IFREG, 0));
        put_file("open_to_all", "x", 1, 0666);
        put_file("closed", "x", 1, 0600);
        CHECK("as a user", in_child(user) == 0);
        (void)r;
        return done();
}
