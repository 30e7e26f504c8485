/* SPDX-License-Identifier: Apache-2.0
 * Sticky directories, set-group-id directories, and when set-id bits go. */
#include "abi.h"

static void as(uid_t uid, gid_t gid, void (*fn)(void))
{
        pid_t pid = fork();
        int   status;

        if (!pid) {
                gid_t none = 0;
                setgroups(0, &none);
                setresgid(gid, gid, gid);
                setresuid(uid, uid, uid);
                fn();
                _exit(failures != 0);
        }
        waitpid(pid, &status, 0);
        if (status)
                failures++;
}
static unsigned mode(const char *p) { struct stat st; return stat(p, &st) ? 0 : st.st_mode & 07777; }
static gid_t group(const char *p)   { struct stat st; return stat(p, &st) ? 0 : st.st_gid; }
static void put(const char *p, unsigned m) { close(open(p, O_CREAT | O_WRONLY, 0600)); chmod(p, m); }

static void stranger(void)
{
        FAILS("unlink another's in sticky", EPERM, unlink("sticky/mine"));
        FAILS("rename another's in sticky", EPERM, rename("sticky/mine", "sticky/x"));
        OKAY("make there", close(open("sticky/his", O_CREAT | O_WRONLY, 0644)));
        FAILS("over another's in sticky", EPERM, rename("sticky/his", "sticky/mine"));
        FAILS("rmdir another's in sticky", EPERM, rmdir("sticky/dir"));
        OKAY("unlink one's own", unlink("sticky/his"));
        OKAY("hard link to another's writable", link("sticky/mine", "sticky/l"));
}
static void owner(void) { OKAY("the owner unlinks", unlink("sticky/mine")); }
static void dir_owner(void) { OKAY("the directory's owner unlinks", rmdir("sticky/dir")); }

static void writer(void)
{
        int fd = open("suid", O_WRONLY);
        CHECK("opened", fd >= 0);
        CHECK("bits before", mode("suid") == 06777);
        write(fd, "x", 1);
        CHECK("a write takes them", mode("suid") == 0777);
        close(fd);
        truncate("suid2", 0);
        CHECK("truncate takes them", mode("suid2") == 0777);
        fd = open("suid3", O_WRONLY);
        write(fd, "x", 1);
        CHECK("set-gid without group execute too", mode("suid3") == 0666);
        close(fd);
}
static void in_group(void)
{
        put("own", 0777);
        chmod("own", 02777);
        CHECK("set-gid of one's own group", mode("own") == 02777);
        chown("own", -1, 500);
        CHECK("chown takes the bits", mode("own") == 0777);
}
static void not_member(void)
{
        chmod("foreign", 02777);
        CHECK("set-gid of a foreign group is dropped", mode("foreign") == 0777);
        FAILS("group one is not in", EPERM, chown("foreign", -1, 700));
        FAILS("give away", EPERM, chown("foreign", 501, -1));
        OKAY("no change is allowed", chown("foreign", -1, -1));
}

int main(void)
{
        umask(0);
        chmod(".", 0777);
        mkdir("sticky", 01777);
        chmod("sticky", 01777);
        chown("sticky", 400, 400);
        put("sticky/mine", 0666);
        chown("sticky/mine", 500, 500);
        mkdir("sticky/dir", 0777);
        as(600, 600, stranger);
        as(500, 500, owner);
        as(400, 400, dir_owner);

        mkdir("sg", 0777);
        chown("sg", 0, 77);
        chmod("sg", 02777);
        put("sg/f", 0644);
        CHECK("file takes the group", group("sg/f") == 77 && mode("sg/f") == 0644);
        mkdir("sg/d", 0755);
        CHECK("directory takes group and bit", group("sg/d") == 77 && mode("sg/d") == 02755);
        symlink("x", "sg/s");
        struct stat st;
        lstat("sg/s", &st);
        CHECK("link takes the group", st.st_gid == 77);

        put("suid", 06777); put("suid2", 06777); put("suid3", 02666);
        as(600, 600, writer);
        put("rootsuid", 06777);
        int fd = open("rootsuid", O_WRONLY);
        write(fd, "x", 1);
        CHECK("root's write keeps them", mode("rootsuid") == 06777);
        chown("rootsuid", 1, 1);
        CHECK("root's chown takes them", mode("rootsuid") == 0777);
        chmod("rootsuid", 02666);
        chown("rootsuid", 2, 2);
        CHECK("but not set-gid without group execute", mode("rootsuid") == 02666);
        as(500, 500, in_group);
        put("foreign", 0777);
        chown("foreign", 500, 77);
        as(500, 500, not_member);
        put("sg/made", 02755);
        CHECK("chmod by root keeps set-gid", mode("sg/made") == 02755);
        return done();
}
