/* SPDX-License-Identifier: Apache-2.0
 *
 * pivot_rules: pivot_root(2) and chroot: EINVAL and EBUSY cases, what becomes of working directories, "." twice, ".." at roots.
 */
#include "mounts.h"
#include "show.h"

static int pivot(const char *new, const char *old) { return syscall(SYS_pivot_root, new, old); }

static int user(void)
{
        become_user(1000);
        SHOW("as a user", pivot("a", "a/old"));
        SHOW("chroot as a user", chroot("a"));
        return done();
}

/* In a root of our own: a tmpfs with another mount in it. */
static int inside(void)
{
        char cwd[256];

        must(!unshare(CLONE_NEWNS), "unshare");
        must(!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
        SHOW("new is the first root", pivot("/", "/"));
        must(!tmpfs_at("a") && !mkdir("a/old", 0755) && !mkdir("a/dir", 0755) && !mkdir("a/new", 0755), "a");
        must(!chroot("a") && !chdir("/"), "chroot");
        SHOW("root is a mount, new is not", pivot("dir", "dir"));
        must(!tmpfs_at("new"), "new");
        mkdir("new/old", 0755);
        mkdir("new/sub", 0755);
        put_text("new/here", "");
        put_text("there", "");
        SHOW("new is the root", pivot("/", "/old"));
        SHOW("old is not below new", pivot("new", "old"));
        SHOW("new is not there", pivot("none", "new/old"));
        SHOW("old is not there", pivot("new", "new/none"));
        SHOW("old is a file", pivot("new", "new/here"));
        SHOW("new is no mount point", pivot("new/sub", "new/sub"));
        SHOW("bad pointer", pivot(BAD_PTR, "new/old"));
        make("new", MS_SHARED);
        SHOW("old is shared", pivot("new", "new/old"));
        make("new", MS_PRIVATE);
        make("/", MS_SHARED);
        SHOW("the parent of new is shared", pivot("new", "new/old"));
        make("/", MS_PRIVATE);
        SHOW("pivot", pivot("new", "new/old"));
        SHOW("the new root", access("/here", F_OK));
        SHOW("the old root", access("/old/there", F_OK));
        say("cwd %s\n", getcwd(cwd, sizeof cwd) ? cwd : "-");
        SHOW("cwd moved along", access("here", F_OK));
        SHOW("above the root", (chdir("/"), access("../here", F_OK)));
        SHOW("the old one goes", umount2("/old", MNT_DETACH));
        SHOW("is gone", access("/old/there", F_OK));
        /* "." for both: the old root is on top of the new one's. */
        mkdir("x", 0755);
        must(!tmpfs_at("x") && !chdir("x"), "x");
        put_text("marker", "");
        SHOW("dot and dot", pivot(".", "."));
        SHOW("umount of the dot", umount2(".", MNT_DETACH));
        SHOW("the new one", (chdir("/"), access("marker", F_OK)));
        SHOW("chroot to a file", chroot("marker"));
        SHOW("chroot to nothing", chroot("none"));
        return done();
}

/* Chrooted into a mount that is below the new root: that cannot become what it hangs on. */
static int above(void)
{
        must(!unshare(CLONE_NEWNS), "unshare");
        must(!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
        must(!tmpfs_at("c") && !mkdir("c/in", 0755) && !mkdir("c/old", 0755), "c");
        must(!tmpfs_at("c/in") && !chdir("c") && !chroot("in"), "chroot");
        SHOW("new is above the root", pivot(".", "old"));
        SHOW("the tree is whole", access("in", F_OK));
        return done();
}

/* Places that have lost their names. */
static int gone(void)
{
        must(!unshare(CLONE_NEWNS), "unshare");
        must(!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
        must(!tmpfs_at("d") && !mkdir("d/new", 0755) && !chroot("d") && !chdir("/"), "d");
        must(!tmpfs_at("new") && !mkdir("new/old", 0755) && !chdir("new/old") && !rmdir("/new/old"), "new");
        SHOW("old is removed", pivot("/new", "."));
        SHOW("mount there", tmpfs_at("."));
        return done();
}

static int outside(void)
{
        must(!unshare(CLONE_NEWNS), "unshare");
        must(!tmpfs_at("b") && !mkdir("b/in", 0755) && !mkdir("b/out", 0755), "b");
        int fd = open("b", O_RDONLY);
        must(!chroot("b/in"), "chroot");
        SHOW("outside the root", fchdir(fd));
        char cwd[256];
        long n = syscall(SYS_getcwd, cwd, sizeof cwd);
        SHOW("getcwd there", n > 0 && !strncmp(cwd, "(unreachable)", 13));
        SHOW("above it", access("../b", F_OK));
        SHOW("absolute paths stay below the root", access("/out", F_OK));
        SHOW("root is no mount point", pivot(".", "."));
        return done();
}

int main(void)
{
        begin();
        CHECK("as a user", in_child(user) == 0);
        in_child(inside);
        in_child(above);
        in_child(gone);
        in_child(outside);
        CHECK("nothing of it shows here", !is_mounted("a") && !is_mounted("b"));
        return end();
}
