/* SPDX-License-Identifier: Apache-2.0
 *
 * mount_propagation: shared, slave, private and unbindable mounts: the states, and how mounts and umounts spread.
 */
#include "mounts.h"

static void states(void)
{
        OKAY("a tmpfs", tmpfs_at("a"));
        CHECK("is private", is_private("a"));
        OKAY("slave of nobody", make("a", MS_SLAVE));
        CHECK("stays private", is_private("a"));
        OKAY("shared", make("a", MS_SHARED));
        int id = SHARED("a");
        CHECK("has a group", id > 0 && !MASTER("a"));
        OKAY("shared again", make("a", MS_SHARED));
        CHECK("same group", SHARED("a") == id);
        OKAY("slave, its only peer", make("a", MS_SLAVE));
        CHECK("becomes private", is_private("a"));
        OKAY("unbindable", make("a", MS_UNBINDABLE));
        CHECK("shown", !strcmp(fields("a"), "unbindable "));
        OKAY("slave of an unbindable", make("a", MS_SLAVE));
        CHECK("stays unbindable", !strcmp(fields("a"), "unbindable "));
        FAILS("bind of an unbindable", EINVAL, bind("a", "b"));
        OKAY("private", make("a", MS_PRIVATE));
        CHECK("private again", is_private("a"));
        OKAY("with MS_SILENT", make("a", MS_SHARED | MS_SILENT));
        OKAY("from shared to unbindable", make("a", MS_UNBINDABLE));
        OKAY("from unbindable to shared", make("a", MS_SHARED));
        CHECK("and it can be bound", SHARED("a") > 0 && !strstr(fields("a"), "unbindable"));

        FAILS("two kinds", EINVAL, make("a", MS_SHARED | MS_PRIVATE));
        FAILS("all kinds", EINVAL, make("a", MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE));
        FAILS("another flag", EINVAL, make("a", MS_SHARED | MS_NOSUID));
        FAILS("read-only too", EINVAL, make("a", MS_PRIVATE | MS_RDONLY));
        mkdir("a/dir", 0755);
        FAILS("not a mount point", EINVAL, make("a/dir", MS_PRIVATE));
        FAILS("nothing there", ENOENT, make("a/none", MS_PRIVATE));
        OKAY("source and type do not matter", mount("none", "a", "x", MS_PRIVATE, "y"));
        OKAY("with bind it is a bind", mount("a", "b", NULL, MS_BIND | MS_SHARED, NULL));
        CHECK("private all the same", is_mounted("b") && is_private("b"));
        umount("b");
        umount("a");
}

static void spreading(void)
{
        tmpfs_at("a");
        for (const char *p = "xyz"; *p; p++)
                mkdir((char[]){ 'a', '/', *p, 0 }, 0755);
        mkdir("a/x/deep", 0755);
        make("a", MS_SHARED);
        bind("a", "b");
        CHECK("a copy is a peer", SHARED("b") == SHARED("a") && !MASTER("b"));
        bind("a", "c");
        make("c", MS_SLAVE);
        CHECK("a slave", !SHARED("c") && MASTER("c") == SHARED("a"));
        bind("a", "d");
        make("d", MS_PRIVATE);
        bind("a", "e");
        make("e", MS_SLAVE);
        make("e", MS_SHARED);
        CHECK("slave and shared", SHARED("e") && SHARED("e") != SHARED("a") && MASTER("e") == SHARED("a"));
        bind("e", "f");
        CHECK("its peer", SHARED("f") == SHARED("e") && MASTER("f") == SHARED("a"));
        bind("c", "g");
        CHECK("copy of a slave", !SHARED("g") && MASTER("g") == SHARED("a"));

        OKAY("mount in one", tmpfs_at("a/x"));
        CHECK("in the peer", is_mounted("b/x"));
        CHECK("in the slaves", is_mounted("c/x") && is_mounted("g/x"));
        CHECK("not in the private one", !is_mounted("d/x"));
        CHECK("in slave and shared", is_mounted("e/x") && is_mounted("f/x"));
        CHECK("peers of each other", SHARED("a/x") && SHARED("b/x") == SHARED("a/x") && !MASTER("a/x"));
        CHECK("slaves of these", !SHARED("c/x") && MASTER("c/x") == SHARED("a/x") && MASTER("g/x") == SHARED("a/x"));
        CHECK("a group of their own", SHARED("e/x") && SHARED("e/x") == SHARED("f/x") && MASTER("f/x") == SHARED("a/x"));
        put_text("a/x/file", "text");
        CHECK("one file system", !strcmp(text_of("f/x/file"), "text"));

        OKAY("mount in a slave", tmpfs_at("c/y"));
        CHECK("stays there", !is_mounted("a/y") && !is_mounted("g/y") && is_private("c/y"));
        OKAY("mount in a shared slave", tmpfs_at("f/z"));
        CHECK("its peers have it", is_mounted("e/z") && SHARED("e/z") == SHARED("f/z") && !MASTER("e/z"));
        CHECK("its masters do not", !is_mounted("a/z") && !is_mounted("b/z"));

        OKAY("umount in the peer", umount("b/x"));
        CHECK("everywhere", !is_mounted("a/x") && !is_mounted("c/x") && !is_mounted("e/x") && !is_mounted("f/x") && !is_mounted("g/x"));
        OKAY("again", tmpfs_at("a/x"));
        OKAY("umount in a slave", umount("c/x"));
        CHECK("only there", is_mounted("a/x") && is_mounted("g/x") && is_mounted("e/x"));
        OKAY("and in a shared slave", umount("e/x"));
        CHECK("its peers too", !is_mounted("f/x") && is_mounted("a/x"));
        OKAY("the rest", umount("a/x"));
        CHECK("is gone", !is_mounted("g/x") && !is_mounted("b/x"));

        /* One that has something on it stays. */
        tmpfs_at("a/x");
        mkdir("c/x/sub", 0755);
        OKAY("a mount on a slave's copy", tmpfs_at("c/x/sub"));
        OKAY("umount of the master's", umount("a/x"));
        CHECK("what is in use stays", is_mounted("c/x") && is_mounted("c/x/sub") && !is_mounted("g/x") && !is_mounted("b/x"));
        CHECK("it has no master any more", is_private("c/x"));
        umount("c/x/sub");
        umount("c/x");

        /* One that is used. */
        tmpfs_at("a/x");
        int fd = open("g/x", O_RDONLY);
        FAILS("a copy is in use", EBUSY, umount("a/x"));
        CHECK("all are there", is_mounted("a/x") && is_mounted("b/x") && is_mounted("c/x") && is_mounted("g/x"));
        OKAY("lazily", umount2("a/x", MNT_DETACH));
        CHECK("all are gone", !is_mounted("a/x") && !is_mounted("g/x"));
        close(fd);

        /* A part of the tree. */
        OKAY("bind of a part", bind("a/x", "h"));
        CHECK("is a peer", SHARED("h") == SHARED("a"));
        OKAY("mount in that part", tmpfs_at("a/x/deep"));
        CHECK("seen there", is_mounted("h/deep") && is_mounted("b/x/deep"));
        OKAY("mount outside", tmpfs_at("a/y"));
        CHECK("not seen there", !is_mounted("h/y") && is_mounted("b/y"));
        OKAY("undone from the part", umount("h/deep"));
        CHECK("is gone in the whole", !is_mounted("a/x/deep") && !is_mounted("b/x/deep"));
        umount("a/y");
        umount("h");

        /* The master goes: its slaves get its master, or none. */
        int up = SHARED("a");
        umount("e/z");
        umount("f");
        OKAY("a slave of a slave", bind("e", "f"));
        make("f", MS_SLAVE);
        CHECK("of the middle one", MASTER("f") == SHARED("e"));
        OKAY("the middle one goes", umount2("e", MNT_DETACH));
        CHECK("its slave moves up", MASTER("f") == up);
        umount2("b", MNT_DETACH);
        OKAY("the group ends", make("a", MS_PRIVATE));
        CHECK("slaves become private", is_private("c") && is_private("f"));
        for (const char *p = "abcdefgh"; *p; p++)
                umount2((char[]){ *p, 0 }, MNT_DETACH);
}

static void covered(void)
{
        tmpfs_at("a");
        mkdir("a/x", 0755);
        make("a", MS_SHARED);
        bind("a", "b");
        make("b", MS_SLAVE);
        tmpfs_at("b/x");
        put_text("b/x/old", "");
        OKAY("the slave has one there already", tmpfs_at("a/x"));
        CHECK("which stays on top", !access("b/x/old", F_OK));
        put_text("a/x/new", "");
        OKAY("umount of the master's", umount("a/x"));
        CHECK("still there", !access("b/x/old", F_OK));
        OKAY("and goes", umount("b/x"));
        CHECK("nothing under it", !is_mounted("b/x"));

        tmpfs_at("b/x");
        put_text("b/x/old", "");
        tmpfs_at("a/x");
        put_text("a/x/new", "");
        OKAY("the top one goes first", umount("b/x"));
        CHECK("the copy shows", !access("b/x/new", F_OK));
        umount("a/x");
        CHECK("and goes with its master", !is_mounted("b/x"));
        umount2("b", MNT_DETACH);
        umount2("a", MNT_DETACH);
}

static void trees(void)
{
        tmpfs_at("a");
        mkdir("a/x", 0755);
        tmpfs_at("a/x");
        mkdir("a/x/y", 0755);
        tmpfs_at("a/x/y");
        OKAY("the whole tree shared", make("a", MS_SHARED | MS_REC));
        CHECK("three groups", SHARED("a") && SHARED("a/x") && SHARED("a/x/y") && SHARED("a") != SHARED("a/x") && SHARED("a/x") != SHARED("a/x/y"));
        OKAY("the tree bound", rbind("a", "b"));
        CHECK("all are peers", SHARED("b") == SHARED("a") && SHARED("b/x") == SHARED("a/x") && SHARED("b/x/y") == SHARED("a/x/y"));
        OKAY("all slaves", make("b", MS_SLAVE | MS_REC));
        CHECK("of theirs", MASTER("b/x") == SHARED("a/x") && MASTER("b/x/y") == SHARED("a/x/y"));
        OKAY("one alone", make("b/x", MS_PRIVATE));
        CHECK("not below", is_private("b/x") && MASTER("b/x/y"));
        OKAY("lazy umount spreads", umount2("a/x", MNT_DETACH));
        CHECK("as far as it was shared", is_mounted("b/x/y") && is_mounted("b/x"));
        umount2("b", MNT_DETACH);

        /* A private tree to a shared place: it becomes shared. */
        bind("a", "b");
        mkdir("a/t", 0755);
        tmpfs_at("c");
        mkdir("c/y", 0755);
        tmpfs_at("c/y");
        CHECK("private", is_private("c/y"));
        OKAY("a tree to a shared place", rbind("c", "a/t"));
        CHECK("spreads", is_mounted("b/t/y") && SHARED("b/t") && SHARED("b/t") == SHARED("a/t") && SHARED("b/t/y") == SHARED("a/t/y"));
        CHECK("its model is as it was", is_private("c") && is_private("c/y"));
        umount2("a/t", MNT_DETACH);
        CHECK("and goes", !is_mounted("b/t"));
        OKAY("an unbindable part", make("c/y", MS_UNBINDABLE));
        OKAY("the tree once more", rbind("c", "a/t"));
        CHECK("without it", is_mounted("a/t") && !is_mounted("a/t/y") && !is_mounted("b/t/y"));
        umount2("a/t", MNT_DETACH);

        /* A shared mount to a shared place: peers all round. */
        make("c", MS_SHARED);
        OKAY("shared to shared", bind("c", "a/t"));
        CHECK("one group", SHARED("c") == SHARED("a/t") && SHARED("b/t") == SHARED("c"));
        umount("a/t");
        /* A slave to a shared place. */
        bind("c", "d");
        make("d", MS_SLAVE);
        OKAY("slave to shared", bind("d", "a/t"));
        CHECK("shared and slave", SHARED("a/t") && SHARED("b/t") == SHARED("a/t") && MASTER("a/t") == SHARED("c") && MASTER("b/t") == SHARED("c"));
        CHECK("its model is only a slave", !SHARED("d") && MASTER("d"));
        umount("a/t");

        /* Onto itself: copies do not copy themselves. */
        OKAY("onto its own inside", bind("a", "a/t"));
        CHECK("once", is_mounted("a/t") && is_mounted("b/t") && !is_mounted("a/t/t"));
        OKAY("umount of it", umount("b/t"));
        CHECK("both gone", !is_mounted("a/t"));
        for (const char *p = "abcd"; *p; p++)
                umount2((char[]){ *p, 0 }, MNT_DETACH);
}

/* propagate_from: the nearest group above that the process can see from its root. */
static int confined(void)
{
        must(!chroot("d") && !chdir("/"), "chroot");
        CHECK("propagate_from names what can be seen", strstr(fields_of("/s"), "propagate_from:") != NULL);
        return done();
}

static void seen(void)
{
        tmpfs_at("a");
        make("a", MS_SHARED);
        bind("a", "b");
        make("b", MS_SLAVE);
        make("b", MS_SHARED);
        tmpfs_at("d");
        for (const char *p = "mspro"; *p; p++)
                mkdir((char[]){ 'd', '/', *p, 0 }, 0755);
        mkdir("d/proc", 0755);
        mount("proc", "d/proc", "proc", 0, NULL);
        bind("a", "d/m");
        bind("b", "d/s");
        make("d/s", MS_SLAVE);
        CHECK("master in sight: no more is said", MASTER("d/s") == SHARED("b") && !strstr(fields("d/s"), "propagate_from"));
        CHECK("from inside", in_child(confined) == 0);
        umount2("d", MNT_DETACH);
        umount2("b", MNT_DETACH);
        umount2("a", MNT_DETACH);
}

int main(void)
{
        begin();
        states();
        spreading();
        covered();
        trees();
        seen();
        return end();
}
