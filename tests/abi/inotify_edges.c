/* SPDX-License-Identifier: Apache-2.0
 *
 * inotify_edges: cookies of renames, IN_ONESHOT, IN_MASK_ADD and _CREATE, IN_EXCL_UNLINK, overflow, what coalesces, reads of odd sizes.
 */
#include "show.h"
#include <sys/inotify.h>
#include <sys/mount.h>

static int in;
static int wds[16], n_wds;

static int add(const char *p, unsigned mask)
{
        int wd = inotify_add_watch(in, p, mask);

        if (wd > 0 && n_wds < 16)
                wds[n_wds++] = wd;
        return wd;
}

static int nr_of(int wd)
{
        for (int i = 0; i < n_wds; i++)
                if (wds[i] == wd)
                        return i;
        return -1;
}

/* All events there are, a line each: watch, mask, name; cookies by whether they are the last one's. */
static void events(const char *what)
{
        static char buf[65536] __attribute__((aligned(8)));
        unsigned last = 0;
        ssize_t n;

        say("%s:\n", what);
        while ((n = read(in, buf, sizeof buf)) > 0)
                for (char *p = buf; p < buf + n;) {
                        struct inotify_event *e = (struct inotify_event *)p;
                        say("  %d %x %s%s\n", nr_of(e->wd), e->mask, !e->len ? "-" : *e->name == '#' ? "#" : e->name,
                            !e->cookie ? "" : e->cookie == last ? " same cookie" : " cookie");
                        last = e->cookie ? e->cookie : last;
                        p += sizeof *e + e->len;
                }
}

int main(void)
{
        int fd, n;
        char buf[300] __attribute__((aligned(8)));

        in = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        mkdir("a", 0755);
        mkdir("b", 0755);
        put_text("a/f", "");
        add("a", IN_ALL_EVENTS);
        add("b", IN_ALL_EVENTS);
        rename("a/f", "a/g");
        events("renamed within");
        rename("a/g", "b/g");
        events("moved");
        rename("b/g", "out");
        events("moved out");
        rename("out", "b/g");
        events("moved in");
        put_text("b/h", "");
        events("made and written");
        rename("b/g", "b/h");
        events("renamed over another");
        syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "b", 2);
        events("watched directories exchanged");
        syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "b", 2);
        events("and back");
        mkdir("a/d", 0755);
        rename("a/d", "b/d");
        events("a directory moved");
        rmdir("b/d");
        events("and removed");
        link("b/h", "a/h");
        events("a link");
        chmod("a/h", 0600);
        events("chmod by one name");
        unlink("a/h");
        events("unlinked one name");
        truncate("b/h", 5);
        events("truncated");
        fd = open("b/h", O_RDWR);
        n = write(fd, "x", 1) + write(fd, "x", 1) + pread(fd, buf, 2, 0);
        events("two writes and a read");
        unlink("b/h");
        events("unlinked while open");
        n += write(fd, "x", 1);
        close(fd);
        events("written after that");
        symlink("a", "b/link");
        events("a symlink");
        fd = open("a", O_TMPFILE | O_RDWR, 0600);
        n += write(fd, "x", 1);
        snprintf(buf, sizeof buf, "/proc/self/fd/%d", fd);
        linkat(AT_FDCWD, buf, AT_FDCWD, "a/named", AT_SYMLINK_FOLLOW);
        close(fd);
        events("a file without name that got one");
        utimensat(AT_FDCWD, "a/named", NULL, 0);
        events("utimens");
        utimensat(AT_FDCWD, "a/named", (struct timespec[]){ { 5, 0 }, { 0, UTIME_OMIT } }, 0);
        events("utimens, access time");
        utimensat(AT_FDCWD, "a/named", (struct timespec[]){ { 0, UTIME_OMIT }, { 5, 0 } }, 0);
        events("utimens, modification time");
        chdir("a");
        chdir("..");
        events("chdir");

        /* Masks. */
        put_text("one", "");
        SHOW("one shot", add("one", IN_ATTRIB | IN_ONESHOT) > 0);
        chmod("one", 0600);
        chmod("one", 0644);
        events("once and gone");
        SHOW("IN_MASK_CREATE, new", add("one", IN_ATTRIB | IN_MASK_CREATE) > 0);
        SHOW("IN_MASK_CREATE, there", inotify_add_watch(in, "one", IN_MODIFY | IN_MASK_CREATE));
        SHOW("with IN_MASK_ADD", inotify_add_watch(in, "one", IN_MODIFY | IN_MASK_CREATE | IN_MASK_ADD));
        SHOW("IN_MASK_ADD", inotify_add_watch(in, "one", IN_MODIFY | IN_MASK_ADD) == wds[n_wds - 1]);
        truncate("one", 1);
        chmod("one", 0600);
        events("both kinds");
        SHOW("replaced", inotify_add_watch(in, "one", IN_OPEN) == wds[n_wds - 1]);
        truncate("one", 0);
        close(open("one", O_RDONLY));
        events("the new kind alone");
        SHOW("no kind", inotify_add_watch(in, "one", 0));
        SHOW("only options", inotify_add_watch(in, "one", IN_ONLYDIR));
        SHOW("IN_ONLYDIR of a file", inotify_add_watch(in, "one", IN_OPEN | IN_ONLYDIR));
        SHOW("bits that are not", inotify_add_watch(in, "one", 0x10000));
        SHOW("of a link", inotify_add_watch(in, "b/link", IN_OPEN | IN_DONT_FOLLOW) > 0);
        SHOW("not an inotify", inotify_add_watch(0, "one", IN_OPEN));
        SHOW("not a descriptor", inotify_add_watch(99, "one", IN_OPEN));
        SHOW("missing", inotify_add_watch(in, "none", IN_OPEN));
        SHOW("bad pointer", inotify_add_watch(in, BAD_PTR, IN_OPEN));
        SHOW("take away", inotify_rm_watch(in, wds[n_wds - 1]));
        SHOW("again", inotify_rm_watch(in, wds[n_wds - 1]));
        events("ignored");
        unlink("one");
        rmdir("nothing");

        /* Reads. */
        mkdir("r", 0755);
        add("r", IN_CREATE | IN_DELETE_SELF);
        put_text("r/name", "");
        SHOW("read too little", read(in, buf, 16));
        SHOW("read enough", read(in, buf, 32));
        SHOW("read nothing", read(in, buf, 32));
        put_text("r/1", "");
        put_text("r/a-name-of-more-than-sixteen-bytes", "");
        SHOW("only what fits", read(in, buf, 40));
        SHOW("the next does not", read(in, buf, 40));
        SHOW("how much there is", ({ int left = 0; ioctl(in, FIONREAD, &left); left; }));
        SHOW("it does now", read(in, buf, 64));
        SHOW("write", write(in, buf, 10));
        SHOW("lseek", lseek(in, 0, SEEK_SET));
        unlink("r/1");
        unlink("r/name");
        unlink("r/a-name-of-more-than-sixteen-bytes");
        rmdir("r");
        events("the directory went");

        /* A mount that goes. */
        mkdir("m", 0755);
        mount("x", "m", "tmpfs", 0, NULL);
        add("m", IN_ALL_EVENTS);
        umount("m");
        events("umount");

        /* Overflow. */
        SHOW("a small queue", set_text("/proc/sys/fs/inotify/max_queued_events", "8"));
        int small = inotify_init1(IN_NONBLOCK);
        inotify_add_watch(small, "a", IN_CREATE);
        for (int i = 0; i < 20; i++) {
                snprintf(buf, sizeof buf, "a/x%d", i);
                put_text(buf, "");
                unlink(buf);
        }
        close(in);
        in = small;
        events("as many as fit");
        put_text("a/after", "");
        events("and it goes on");
        set_text("/proc/sys/fs/inotify/max_queued_events", "16384");
        SHOW("few instances", set_text("/proc/sys/fs/inotify/max_user_instances", "3"));
        int got = 0, more[8];
        while (got < 8 && (more[got] = inotify_init()) >= 0)
                got++;
        SHOW("two more", got);
        SHOW("then", inotify_init());
        set_text("/proc/sys/fs/inotify/max_user_instances", "128");
        for (int i = 0; i < got; i++)
                close(more[i]);
        SHOW("few watches", set_text("/proc/sys/fs/inotify/max_user_watches", "2"));
        SHOW("second", inotify_add_watch(in, "b", IN_OPEN) > 0);
        SHOW("third", inotify_add_watch(in, ".", IN_OPEN));
        SHOW("the second once more", inotify_add_watch(in, "b", IN_CLOSE) > 0);
        set_text("/proc/sys/fs/inotify/max_user_watches", "8192");
        FAILS("flags", EINVAL, inotify_init1(0x10));
        (void)n;
        return done();
}
