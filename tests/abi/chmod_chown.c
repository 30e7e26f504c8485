/* SPDX-License-Identifier: Apache-2.0
 *
 * chmod_chown: modes and owners: who may change them, what it clears.
 */
#include "abi.h"

static struct stat st;

static int mode_of(const char *path)
{
        return stat(path, &st) < 0 ? -1 : (int)(st.st_mode & 07777);
}

static int as_user(void)
{
        become_user(1000);
        FAILS("root's mode", EPERM, chmod("roots", 0777));
        FAILS("root's owner", EPERM, chown("roots", 1000, 1000));
        OKAY("one's own mode", chmod("mine", 06755));
        CHECK("set-id bits", mode_of("mine") == 06755);
        FAILS("giving away", EPERM, chown("mine", 0, -1));
        OKAY("to one's own group", chown("mine", -1, 1000));
        CHECK("which clears set-id", mode_of("mine") == 0755);
        FAILS("to another's", EPERM, chown("mine", -1, 5));
        chmod("mine", 06777);
        int fd = open("mine", O_WRONLY);
        write(fd, "x", 1);
        CHECK("writing clears set-id", mode_of("mine") == 0777);
        return done();
}

int main(void)
{
        put_text("roots", "");
        put_text("mine", "");
        chmod(".", 0777);
        OKAY("chmod", chmod("roots", 04711));
        CHECK("all bits", mode_of("roots") == 04711);
        OKAY("chown", chown("mine", 1000, 1000));
        CHECK("owner", mode_of("mine") >= 0 && st.st_uid == 1000 && st.st_gid == 1000);
        OKAY("-1 changes nothing", chown("mine", -1, -1));
        CHECK("nothing", mode_of("mine") >= 0 && st.st_uid == 1000 && st.st_gid == 1000);
        OKAY("root's chown clears set-id too", chown("roots", 0, 0));
        CHECK("cleared", mode_of("roots") == 0711);
        int fd = open("roots", O_RDONLY);
        OKAY("fchmod", fchmod(fd, 0600));
        OKAY("fchown", fchown(fd, 0, 5));
        CHECK("both", mode_of("roots") == 0600 && st.st_gid == 5);
        symlink("roots", "link");
        OKAY("lchown", lchown("link", 7, 7));
        CHECK("the link's alone", mode_of("link") >= 0 && st.st_uid == 0);
        lstat("link", &st);
        CHECK("owner of the link", st.st_uid == 7);
        FAILS("missing", ENOENT, chmod("missing", 0));
        FAILS("descriptor", EBADF, fchmod(99, 0));
        chown("roots", 0, 0);
        CHECK("user", in_child(as_user) == 0);
        return done();
}
