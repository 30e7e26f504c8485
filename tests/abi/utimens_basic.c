/* SPDX-License-Identifier: Apache-2.0
 *
 * utimens_basic: setting times, and how calls change them.
 */
#include "abi.h"

static struct stat st;

static struct stat *look(const char *path)
{
        must(stat(path, &st) == 0, path);
        return &st;
}

static int as_user(void)
{
        struct timespec now[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } }, set[2] = { { 5, 0 }, { 5, 0 } };

        become_user(1000);
        OKAY("now, where one may write", utimensat(AT_FDCWD, "open", now, 0));
        FAILS("another time, not the owner", EPERM, utimensat(AT_FDCWD, "open", set, 0));
        FAILS("now, where one may not write", EACCES, utimensat(AT_FDCWD, "file", NULL, 0));
        return done();
}

int main(void)
{
        struct timespec t[2] = { { 1000, 111 }, { 2000, 222 } }, omit[2] = { { 3000, 333 }, { 0, UTIME_OMIT } };
        struct timespec bad[2] = { { 0, 2000000000 }, { 0, 0 } };

        put_text("file", "x");
        put_text("open", "x");
        chmod("open", 0666);
        OKAY("set", utimensat(AT_FDCWD, "file", t, 0));
        CHECK("both, to the nanosecond", look("file")->st_atim.tv_sec == 1000 && st.st_atim.tv_nsec == 111 &&
              st.st_mtim.tv_sec == 2000 && st.st_mtim.tv_nsec == 222);
        CHECK("the change time is now", st.st_ctim.tv_sec > 1000000);
        OKAY("UTIME_OMIT", utimensat(AT_FDCWD, "file", omit, 0));
        CHECK("one only", look("file")->st_atim.tv_sec == 3000 && st.st_mtim.tv_sec == 2000);
        OKAY("now", utimensat(AT_FDCWD, "file", NULL, 0));
        CHECK("is now", look("file")->st_mtim.tv_sec > 1000000);
        utimensat(AT_FDCWD, "file", t, 0);
        int fd = open("file", O_RDWR);
        OKAY("by descriptor", futimens(fd, t));
        write(fd, "y", 1);
        CHECK("a write sets mtime", look("file")->st_mtim.tv_sec > 1000000 && st.st_atim.tv_sec == 1000);
        symlink("file", "link");
        OKAY("a link itself", utimensat(AT_FDCWD, "link", t, AT_SYMLINK_NOFOLLOW));
        lstat("link", &st);
        CHECK("the link's times", st.st_mtim.tv_sec == 2000);
        mkdir("dir", 0755);
        utimensat(AT_FDCWD, "dir", t, 0);
        put_text("dir/x", "");
        CHECK("a new entry sets the directory's", look("dir")->st_mtim.tv_sec > 1000000);
        utimensat(AT_FDCWD, "dir", t, 0);
        unlink("dir/x");
        CHECK("a removed one too", look("dir")->st_mtim.tv_sec > 1000000);
        utimensat(AT_FDCWD, "file", t, 0);
        chmod("file", 0600);
        CHECK("chmod leaves mtime", look("file")->st_mtim.tv_sec == 2000);
        FAILS("bad time", EINVAL, utimensat(AT_FDCWD, "file", bad, 0));
        FAILS("missing", ENOENT, utimensat(AT_FDCWD, "missing", t, 0));
        FAILS("pointer", EFAULT, utimensat(AT_FDCWD, "file", BAD_PTR, 0));
        FAILS("flags", EINVAL, utimensat(AT_FDCWD, "file", t, 1));
        chmod(".", 0777);
        CHECK("user", in_child(as_user) == 0);
        return done();
}
