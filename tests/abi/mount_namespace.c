/* SPDX-License-Identifier: Apache-2.0
 *
 * mount_namespace: CLONE_NEWNS: peers and slaves in another mount namespace, mount points of others, fs.mount-max.
 */
#include "mounts.h"

static int ready[2], go_on[2];

/* The two take turns: each waits for the other's byte. */
static void pass(int *to)  { must(write(to[1], "x", 1) == 1, "pass"); }
static void await(int *at) { char c; must(read(at[0], &c, 1) == 1, "await"); }

static int inside(void)
{
        FAILS("as a user", EPERM, ({ pid_t pid = fork(); if (!pid) { become_user(1000); errno = 0; _exit(unshare(CLONE_NEWNS) == -1 && errno == EPERM ? 1 : 0); } errno = EPERM; result_of(pid) == 1 ? -1 : 0; }));
        OKAY("unshare", unshare(CLONE_NEWNS));
        CHECK("the same groups", SHARED("a") > 0);
        OKAY("b a slave here", make("b", MS_SLAVE));
        OKAY("c private here", make("c", MS_PRIVATE));
        CHECK("the unbindable one was copied", strstr(fields("e"), "unbindable") != NULL);
        pass(ready);
        await(go_on);
        CHECK("the peer's mount came", is_mounted("a/x") && SHARED("a/x"));
        CHECK("the master's came", is_mounted("b/x") && !SHARED("b/x") && MASTER("b/x"));
        CHECK("nothing in the private one", !is_mounted("c/x"));
        OKAY("mount in the peer", tmpfs_at("a/y"));
        OKAY("mount in the slave", tmpfs_at("b/y"));
        pass(ready);
        await(go_on);
        CHECK("umounts come too", !is_mounted("a/x") && !is_mounted("b/x"));
        CHECK("and from the peer", !is_mounted("a/y"));
        CHECK("the slave's own stays", is_mounted("b/y"));
        /* Mount points here do not keep others from removing them there. */
        OKAY("mounts on plain names", mkdir("d/p", 0755) | tmpfs_at("d/p") | mkdir("d/q", 0755) | mkdir("d/q/in", 0755) | tmpfs_at("d/q/in"));
        put_text("d/file", "");
        put_text("over", "over");
        OKAY("and on a file", bind("over", "d/file"));
        FAILS("not removable here", EBUSY, rmdir("d/p"));
        FAILS("nor the file", EBUSY, unlink("d/file"));
        pass(ready);
        await(go_on);
        CHECK("the mounts went with their names", !is_mounted("d/p") && !is_mounted("d/file"));
        CHECK("one in a renamed directory moved along", is_mounted("d/renamed/in"));
        return done();
}

int main(void)
{
        begin();
        must(!pipe(ready) && !pipe(go_on), "pipes");
        for (const char *p = "abc"; *p; p++) {
                char path[8] = { *p };

                must(!tmpfs_at(path) && !make(path, MS_SHARED), path);
                path[1] = '/';
                path[2] = 'x';
                mkdir(path, 0755);
                path[2] = 'y';
                mkdir(path, 0755);
        }
        tmpfs_at("d");
        tmpfs_at("e");
        make("e", MS_UNBINDABLE);
        pid_t pid = fork();
        if (!pid)
                _exit(inside());
        await(ready);
        OKAY("mount in each", tmpfs_at("a/x") | tmpfs_at("b/x") | tmpfs_at("c/x"));
        pass(go_on);
        await(ready);
        CHECK("the other peer's mount came", is_mounted("a/y"));
        CHECK("the slave's did not", !is_mounted("b/y"));
        OKAY("umount", umount("a/x") | umount("b/x") | umount("c/x") | umount("a/y"));
        pass(go_on);
        await(ready);
        OKAY("a mount point of others can be removed", rmdir("d/p"));
        OKAY("a file too", unlink("d/file"));
        OKAY("and what leads to one renamed", rename("d/q", "d/renamed"));
        pass(go_on);
        CHECK("inside", result_of(pid) == 0);
        CHECK("the namespace went with its last process", SHARED("a") > 0 && !MASTER("a"));

        /* The limit. */
        char old[32], few[32];
        snprintf(old, sizeof old, "%s", text_of("/proc/sys/fs/mount-max"));
        CHECK("fs.mount-max", atoi(old) == 100000);
        int n = 0;
        for (const char *p = text_of("/proc/self/mountinfo"); *p; p++)
                n += *p == '\n';
        snprintf(few, sizeof few, "%d", n + 2);
        OKAY("as many as there are and two", set_text("/proc/sys/fs/mount-max", few));
        OKAY("one", tmpfs_at("f"));
        make("a", MS_SHARED);
        OKAY("another", bind("a", "g"));
        FAILS("one too many", ENOSPC, tmpfs_at("h"));
        FAILS("a bind too", ENOSPC, bind("f", "h"));
        OKAY("room for one", umount("f"));
        FAILS("not for it and its copy", ENOSPC, tmpfs_at("a/x"));
        CHECK("neither is there", !is_mounted("a/x") && !is_mounted("g/x"));
        OKAY("moving needs none", move("g", "h"));
        set_text("/proc/sys/fs/mount-max", old);
        return end();
}
