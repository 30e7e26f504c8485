/* SPDX-License-Identifier: Apache-2.0
 *
 * creds_perm: permission checks of files and directories for an ordinary user.
 */
#include "abi.h"

static int as_user(void)
{
        struct stat st;

        become_user(1000);
        FAILS("another's file", EACCES, open("u600", O_RDONLY));
        OKAY("readable by all", open("u644", O_RDONLY));
        FAILS("not writable", EACCES, open("u644", O_WRONLY));
        FAILS("truncating is writing", EACCES, truncate("u644", 0));
        FAILS("one's own, without the bit: the owner's bits count", EACCES, open("mine044", O_RDONLY));
        OKAY("one's own", open("mine600", O_RDWR));
        FAILS("execution", EACCES, execl("./mine600", "x", NULL));
        FAILS("making in another's directory", EACCES, open("d755/new", O_CREAT | O_WRONLY, 0644));
        FAILS("removing from it", EACCES, unlink("d755/file"));
        FAILS("renaming in it", EACCES, rename("d755/file", "d755/other"));
        FAILS("mkdir in it", EACCES, mkdir("d755/dir", 0755));
        FAILS("listing", EACCES, open("d711", O_RDONLY));
        OKAY("searching", stat("d711/file", &st));
        OKAY("removing another's from an open directory", unlink("d777/file"));
        FAILS("but not from a sticky one", EPERM, unlink("sticky/roots"));
        FAILS("nor renaming there", EPERM, rename("sticky/roots", "sticky/x"));
        OKAY("one's own there", unlink("sticky/mine"));
        FAILS("chroot", EPERM, chroot("."));
        OKAY("a new file", open("d777/new", O_CREAT | O_WRONLY, 0644));
        stat("d777/new", &st);
        CHECK("is one's own", st.st_uid == 1000 && st.st_gid == 1000);
        OKAY("in a set-group-id directory", mkdir("sgid/dir", 0755));
        stat("sgid/dir", &st);
        CHECK("gets its group, and the bit", st.st_gid == 5 && (st.st_mode & S_ISGID));
        return done();
}

int main(void)
{
        put_file("u600", "x", 1, 0600);
        put_file("u644", "x", 1, 0644);
        put_file("mine044", "x", 1, 0044);
        put_file("mine600", "x", 1, 0600);
        chown("mine044", 1000, 1000);
        chown("mine600", 1000, 1000);
        mkdir("d755", 0755);
        mkdir("d711", 0711);
        mkdir("d777", 0777);
        mkdir("sticky", 01777);
        mkdir("sgid", 0777);
        chmod("d777", 0777);
        chmod("sticky", 01777);
        chown("sgid", 0, 5);
        chmod("sgid", 02777);
        put_text("d755/file", "");
        put_text("d711/file", "");
        put_text("d777/file", "");
        put_text("sticky/roots", "");
        put_text("sticky/mine", "");
        chown("sticky/mine", 1000, 1000);
        CHECK("user", in_child(as_user) == 0);
        OKAY("root may all", open("mine044", O_RDWR));
        return done();
}
