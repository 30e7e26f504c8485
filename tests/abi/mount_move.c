/* SPDX-License-Identifier: Apache-2.0
 *
 * mount_move: MS_MOVE and its rules: trees, shared places, unbindable parts; and the order of errors of mount(2).
 */
#include "mounts.h"

static void plain(void)
{
        tmpfs_at("a");
        mkdir("a/x", 0755);
        put_text("a/f", "");
        tmpfs_at("a/x");
        OKAY("move", move("a", "b"));
        CHECK("with what is on it", is_mounted("b") && is_mounted("b/x") && !is_mounted("a"));
        FAILS("not a mount", EINVAL, move("a", "c"));
        FAILS("a part of one", EINVAL, (mkdir("b/d", 0755), move("b/d", "c")));
        FAILS("under itself", ELOOP, move("b", "b/x"));
        FAILS("under itself, a directory", ELOOP, move("b", "b/d"));
        FAILS("root", EINVAL, move("/", "c"));
        FAILS("to nowhere", ENOENT, move("b", "none"));
        FAILS("from nowhere", ENOENT, move("none", "c"));
        put_text("file", "");
        FAILS("a directory to a file", EINVAL, move("b", "file"));
        FAILS("no source", EINVAL, mount(NULL, "c", NULL, MS_MOVE, NULL));
        FAILS("empty source", EINVAL, move("", "c"));
        OKAY("a file", bind("b/f", "file"));
        FAILS("to a directory", EINVAL, move("file", "c"));
        put_text("other", "");
        OKAY("to a file", move("file", "other"));
        CHECK("there", is_mounted("other") && !is_mounted("file"));
        umount("other");
        OKAY("onto a mount", (tmpfs_at("c"), move("b", "c")));
        CHECK("on top", is_mounted("c/x"));
        OKAY("umount", umount2("c", MNT_DETACH));
        CHECK("the lower one shows", is_mounted("c") && !is_mounted("c/x"));
        umount("c");
        OKAY("to where it is", (tmpfs_at("a"), chdir("a"), 0));
        int fd = open("/proc/self/cwd", O_RDONLY);
        chdir("..");
        OKAY("in use", move("a", "b"));
        CHECK("goes on", fchdir(fd) == 0 && !access(".", F_OK));
        close(fd);
        chdir("..");
        umount("b");
}

static void shared(void)
{
        tmpfs_at("a");
        mkdir("a/x", 0755);
        mkdir("a/y", 0755);
        make("a", MS_SHARED);
        bind("a", "b");
        tmpfs_at("a/x");
        FAILS("out of a shared mount", EINVAL, move("a/x", "c"));
        FAILS("within it", EINVAL, move("a/x", "a/y"));
        OKAY("the shared mount itself", move("a", "c"));
        CHECK("keeps its group", SHARED("c") == SHARED("b") && is_mounted("c/x"));
        move("c", "a");
        umount("a/x");

        tmpfs_at("c");
        mkdir("c/z", 0755);
        tmpfs_at("c/z");
        CHECK("a private tree", is_private("c") && is_private("c/z"));
        OKAY("to a shared place", move("c", "a/x"));
        CHECK("becomes shared", SHARED("a/x") && SHARED("a/x/z"));
        CHECK("and spreads", SHARED("b/x") == SHARED("a/x") && SHARED("b/x/z") == SHARED("a/x/z"));
        CHECK("is no more where it was", !is_mounted("c"));
        umount2("a/x", MNT_DETACH);
        CHECK("gone on both sides", !is_mounted("b/x"));

        tmpfs_at("c");
        make("c", MS_UNBINDABLE);
        FAILS("unbindable to shared", EINVAL, move("c", "a/x"));
        OKAY("unbindable to private", move("c", "d"));
        CHECK("stays so", !strcmp(fields("d"), "unbindable "));
        make("d", MS_PRIVATE);
        mkdir("d/u", 0755);
        tmpfs_at("d/u");
        make("d/u", MS_UNBINDABLE);
        FAILS("with an unbindable part", EINVAL, move("d", "a/x"));
        umount2("d", MNT_DETACH);

        tmpfs_at("c");
        make("c", MS_SHARED);
        bind("c", "d");
        make("d", MS_SLAVE);
        int group = SHARED("c");
        OKAY("a slave to a shared place", move("d", "a/x"));
        CHECK("shared and slave", SHARED("a/x") && MASTER("a/x") == group && SHARED("b/x") == SHARED("a/x") && MASTER("b/x") == group);
        umount("a/x");
        OKAY("a shared one to a shared place", move("c", "a/y"));
        CHECK("one group", SHARED("a/y") == group && SHARED("b/y") == group);
        umount("b/y");
        umount("b");
        umount("a");
}

/* Which flag wins, and what is looked at first. */
static void words(void)
{
        tmpfs_at("a");
        OKAY("remount before bind", mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND | MS_NOSUID, NULL));
        FAILS("remount of no mount point", EINVAL, (mkdir("a/d", 0755), mount(NULL, "a/d", NULL, MS_REMOUNT, NULL)));
        FAILS("bind remount of no mount point", EINVAL, mount(NULL, "a/d", NULL, MS_REMOUNT | MS_BIND, NULL));
        OKAY("bind before move", mount("a", "b", NULL, MS_BIND | MS_MOVE, NULL));
        CHECK("both are there", is_mounted("a") && is_mounted("b"));
        umount("b");
        FAILS("propagation before move", EINVAL, mount("a", "b", NULL, MS_SHARED | MS_MOVE, NULL));
        FAILS("no type", EINVAL, mount("x", "b", NULL, 0, NULL));
        FAILS("empty type", ENODEV, mount("x", "b", "", 0, NULL));
        FAILS("bind without source", EINVAL, mount(NULL, "b", NULL, MS_BIND, NULL));
        FAILS("bind of nothing", ENOENT, mount("none", "b", NULL, MS_BIND, NULL));
        FAILS("bind of a directory to a file", ENOTDIR, (put_text("file", ""), bind("a", "file")));
        FAILS("bind of a file to a directory", ENOTDIR, bind("file", "b"));
        OKAY("an old magic number", mount("x", "b", "tmpfs", MS_MGC_VAL, NULL));
        umount("b");
        FAILS("a bad pointer", EFAULT, mount("x", BAD_PTR, "tmpfs", 0, NULL));
        FAILS("a bad source", EFAULT, mount(BAD_PTR, "b", "tmpfs", 0, NULL));
        FAILS("bad data", EFAULT, mount("x", "b", "tmpfs", 0, BAD_PTR));
        static char name[5000];
        memset(name, 'x', sizeof name - 1);
        FAILS("a long name", ENAMETOOLONG, mount("x", name, "tmpfs", 0, NULL));
        FAILS("a long type", EINVAL, mount("x", "b", name, 0, NULL));
        OKAY("read-only from the start", mount("x", "b", "tmpfs", MS_RDONLY, NULL));
        FAILS("is", EROFS, mkdir("b/d", 0755));
        umount("b");
        FAILS("umount: expire and detach", EINVAL, umount2("a", MNT_EXPIRE | MNT_DETACH));
        FAILS("umount: expire and force", EINVAL, umount2("a", MNT_EXPIRE | MNT_FORCE));
        symlink("a", "link");
        FAILS("umount: not through a link", EINVAL, umount2("link", UMOUNT_NOFOLLOW));
        OKAY("umount: through it", umount2("link", 0));
        unlink("link");
        unlink("file");
}

/* A file that goes away under a mount's path. */
static void deleted(void)
{
        mkdir("gone", 0755);
        int fd = open("gone", O_RDONLY);
        rmdir("gone");
        char path[64];
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        FAILS("mount on what is removed", ENOENT, mount("x", path, "tmpfs", 0, NULL));
        FAILS("bind on it", ENOENT, mount("a", path, NULL, MS_BIND, NULL));
        close(fd);
}

int main(void)
{
        begin();
        plain();
        shared();
        words();
        deleted();
        return end();
}
