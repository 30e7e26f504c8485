/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: inotify(7). Each step prints the events it caused, in order; the oracle's are expected.
 */
#include "abi.h"
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/xattr.h>

static int      in;
static uint32_t last_cookie;

static const char *names[32] = {
        "ACCESS", "MODIFY", "ATTRIB", "CLOSE_WRITE", "CLOSE_NOWRITE", "OPEN", "MOVED_FROM", "MOVED_TO", "CREATE", "DELETE",
        "DELETE_SELF", "MOVE_SELF", "?", "UNMOUNT", "Q_OVERFLOW", "IGNORED", [30] = "ISDIR",
};

/* Prints what there is to read: "step: wd:EVENT|EVENT(name)". */
static void show(const char *step)
{
        char buf[8192], line[2048];
        int  at = snprintf(line, sizeof line, "%s:", step);
        long n;

        while ((n = read(in, buf, sizeof buf)) > 0) {
                for (long i = 0; i < n;) {
                        struct inotify_event *e = (void *)(buf + i);
                        int first = 1;
                        at += snprintf(line + at, sizeof line - at, " %d:", e->wd);
                        for (int b = 0; b < 32; b++)
                                if (e->mask >> b & 1) {
                                        at += snprintf(line + at, sizeof line - at, "%s%s", first ? "" : "|", names[b] ? names[b] : "?");
                                        first = 0;
                                }
                        if (e->len)
                                at += snprintf(line + at, sizeof line - at, "(%s,%u)", e->name, e->len);
                        if (e->cookie) {
                                at += snprintf(line + at, sizeof line - at, "%s", e->cookie == last_cookie ? "=" : "+");
                                last_cookie = e->cookie;
                        }
                        i += sizeof *e + e->len;
                }
        }
        say("%s\n", line);
}

static void write_file(const char *path, const char *text, int flags)
{
        int fd = open(path, O_WRONLY | flags, 0644);
        write(fd, text, strlen(text));
        close(fd);
}

static void files(void)
{
        char c;
        int  d = inotify_add_watch(in, "d", IN_ALL_EVENTS);
        CHECK("first watch", d == 1);
        write_file("d/f", "hello", O_CREAT);
        show("made");
        int f = inotify_add_watch(in, "d/f", IN_ALL_EVENTS);
        CHECK("second watch", f == 2);
        CHECK("the same again", inotify_add_watch(in, "d/f", IN_ALL_EVENTS) == 2);
        write_file("d/f", "hello", O_TRUNC);
        show("truncated");
        int fd = open("d/f", O_RDWR | O_APPEND);
        show("open");
        read(fd, &c, 1);
        read(fd, &c, 1);
        show("read twice");
        pread(fd, &c, 1, 0);
        pwrite(fd, "x", 1, 0);
        pwrite(fd, "y", 1, 0);
        read(fd, &c, 0);
        show("pread, pwrite");
        lseek(fd, 0, SEEK_END);
        read(fd, &c, 1);
        show("nothing read");
        ftruncate(fd, 100);
        show("ftruncate");
        fallocate(fd, 0, 0, 200);
        show("fallocate");
        fchmod(fd, 0600);
        fchown(fd, 5, -1);
        show("fchmod fchown");
        fsetxattr(fd, "trusted.x", "1", 1, 0);
        fremovexattr(fd, "trusted.x");
        show("xattr");
        futimens(fd, NULL);
        struct timespec only_m[2] = { { 0, UTIME_OMIT }, { 5, 0 } }, only_a[2] = { { 5, 0 }, { 0, UTIME_OMIT } };
        show("utimens both");
        futimens(fd, only_m);
        show("utimens mtime");
        futimens(fd, only_a);
        show("utimens atime");
        int two = dup(fd);
        close(two);
        show("close of a dup");
        close(fd);
        show("close");
        chmod("d/f", 0644);
        truncate("d/f", 3);
        show("by name");
        close(open("d/f", O_PATH));
        show("O_PATH");
        stat("d/f", &(struct stat){});
        access("d/f", R_OK);
        show("stat");
}

static void names_in_dirs(void)
{
        mkdir("d/sub", 0755);
        show("mkdir");
        symlink("x", "d/l");
        mkfifo("d/p", 0600);
        show("symlink fifo");
        link("d/f", "d/g");
        show("link");
        unlink("d/g");
        show("unlink a link");
        rename("d/f", "d/h");
        show("rename");
        rename("d/h", "e/f");
        show("rename away");
        write_file("e/f", "z", 0);
        show("written elsewhere");
        rename("e/f", "d/f");
        show("rename in");
        int s = inotify_add_watch(in, "d/sub", IN_ALL_EVENTS);
        CHECK("third watch", s == 3);
        close(open("d/sub", O_RDONLY | O_DIRECTORY));
        show("open a directory");
        int  fd = open("d/sub", O_RDONLY | O_DIRECTORY);
        char buf[512];
        syscall(SYS_getdents64, fd, buf, sizeof buf);
        close(fd);
        show("read a directory");
        rename("d/sub", "d/bus");
        show("rename a directory");
        chmod("d/bus", 0700);
        show("chmod a directory");
        rmdir("d/bus");
        show("rmdir");
        write_file("d/victim", "v", O_CREAT);
        int v = inotify_add_watch(in, "d/victim", IN_ALL_EVENTS);
        CHECK("fourth watch", v == 4);
        show("victim made");
        rename("d/f", "d/victim");
        show("renamed over");
        fd = open("d/victim", O_RDWR);
        show("open f");
        unlink("d/victim");
        show("unlinked while open");
        write(fd, "x", 1);
        show("written while unlinked");
        close(fd);
        show("last close");
        unlink("d/l");
        unlink("d/p");
        show("unlink the rest");
        rmdir("d");
        show("rmdir d");
}

static void options(void)
{
        mkdir("o", 0755);
        write_file("o/f", "", O_CREAT);
        symlink("o", "link");
        FAILS("no events", EINVAL, inotify_add_watch(in, "o", 0));
        FAILS("only directories", ENOTDIR, inotify_add_watch(in, "o/f", IN_MODIFY | IN_ONLYDIR));
        FAILS("missing", ENOENT, inotify_add_watch(in, "missing", IN_MODIFY));
        FAILS("not an inotify", EINVAL, inotify_add_watch(0, "o", IN_MODIFY));
        FAILS("bad descriptor", EBADF, inotify_add_watch(99, "o", IN_MODIFY));
        FAILS("bad path", EFAULT, inotify_add_watch(in, BAD_PTR, IN_MODIFY));
        FAILS("both MASK flags", EINVAL, inotify_add_watch(in, "o", IN_MODIFY | IN_MASK_ADD | IN_MASK_CREATE));
        FAILS("bad flags", EINVAL, inotify_init1(1));
        int w = inotify_add_watch(in, "o", IN_CREATE);
        CHECK("numbers go up", w == 5);
        FAILS("MASK_CREATE of an old one", EEXIST, inotify_add_watch(in, "o", IN_DELETE | IN_MASK_CREATE));
        CHECK("replaced", inotify_add_watch(in, "link", IN_DELETE) == w);
        write_file("o/g", "", O_CREAT);
        show("mask replaced");
        CHECK("added", inotify_add_watch(in, "o", IN_CREATE | IN_MASK_ADD) == w);
        unlink("o/g");
        write_file("o/g", "", O_CREAT);
        show("mask added");
        int l = inotify_add_watch(in, "link", IN_ALL_EVENTS | IN_DONT_FOLLOW);
        CHECK("the link itself", l == 6);
        unlink("link");
        show("the link is gone");
        OKAY("rm_watch", inotify_rm_watch(in, w));
        show("rm_watch");
        FAILS("rm_watch again", EINVAL, inotify_rm_watch(in, w));
        w = inotify_add_watch(in, "o", IN_CREATE | IN_DELETE | IN_ONESHOT);
        write_file("o/1", "", O_CREAT);
        write_file("o/2", "", O_CREAT);
        show("oneshot");
        w = inotify_add_watch(in, "o", IN_ALL_EVENTS | IN_EXCL_UNLINK);
        int fd = open("o/1", O_RDWR);
        unlink("o/1");
        show("excl_unlink");
        write(fd, "x", 1);
        close(fd);
        show("nothing more");
        OKAY("remove", inotify_rm_watch(in, w));
        show("removed");
}

static void reading(void)
{
        int  w = inotify_add_watch(in, "o", IN_CREATE | IN_MODIFY | IN_DELETE), left = -1;
        char small[16], buf[4096];

        CHECK("empty", read(in, buf, sizeof buf) == -1 && errno == EAGAIN);
        write_file("o/abc", "1", O_CREAT);
        OKAY("FIONREAD", ioctl(in, FIONREAD, &left));
        CHECK("two records of 32 bytes", left == 64);
        FAILS("too small a buffer", EINVAL, read(in, small, sizeof small));
        CHECK("room for one", read(in, buf, 40) == 32);
        FAILS("bad address", EFAULT, read(in, BAD_PTR, 4096));
        show("rest");
        struct pollfd p = { .fd = in, .events = POLLIN };
        CHECK("poll: nothing", poll(&p, 1, 0) == 0);
        unlink("o/abc");
        CHECK("poll: something", poll(&p, 1, 0) == 1 && p.revents == POLLIN);
        show("unlinked");
        FAILS("no writing", EBADF, write(in, buf, 1));
        int flags = fcntl(in, F_GETFL);
        CHECK("flags", (flags & O_ACCMODE) == O_RDONLY && (flags & O_NONBLOCK));
        char link[64] = "";
        snprintf(buf, sizeof buf, "/proc/self/fd/%d", in);
        readlink(buf, link, sizeof link - 1);
        CHECK("its name", !strcmp(link, "anon_inode:inotify"));
        fcntl(in, F_SETFL, 0);
        if (fork() == 0) {
                usleep(50000);
                mkdir("o/late", 0755);
                _exit(0);
        }
        long n = read(in, buf, sizeof buf);
        struct inotify_event *e = (void *)buf;
        CHECK("a blocking read", n == 32 && e->mask == (IN_CREATE | IN_ISDIR) && !strcmp(e->name, "late"));
        wait(NULL);
        fcntl(in, F_SETFL, O_NONBLOCK);
        rmdir("o/late");
        show("late");
        inotify_rm_watch(in, w);
        show("end");
}

static void overflow(void)
{
        char buf[4096];
        long n, count = 0;
        int  last_wd = 0;
        uint32_t last_mask = 0;

        inotify_add_watch(in, "o", IN_ATTRIB | IN_OPEN);
        for (int i = 0; i < 10000; i++) {
                chmod("o", 0755);
                close(open("o", O_RDONLY));
        }
        while ((n = read(in, buf, sizeof buf)) > 0)
                for (long i = 0; i < n; i += sizeof(struct inotify_event)) {
                        struct inotify_event *e = (void *)(buf + i);
                        last_wd = e->wd;
                        last_mask = e->mask;
                        count++;
                }
        CHECK("so many are kept", count == 16385);
        CHECK("then one says so", last_wd == -1 && last_mask == IN_Q_OVERFLOW);
        chmod("o", 0755);
        CHECK("and it goes on", read(in, buf, sizeof buf) == 16);
}

static void limits(void)
{
        int fds[200], n = 0;

        while (n < 200 && (fds[n] = inotify_init1(0)) >= 0)
                n++;
        CHECK("instances", n == 127 && errno == EMFILE);
        while (n > 0)
                close(fds[--n]);
        int fd = inotify_init();
        CHECK("given back", fd >= 0);
        close(fd);
}

static void unmount(void)
{
        mkdir("m", 0755);
        if (mount("none", "m", "tmpfs", 0, NULL))
                return;
        write_file("m/f", "", O_CREAT);
        int w = inotify_add_watch(in, "m/f", IN_MODIFY);
        CHECK("watch on a mount", w > 0);
        OKAY("unmount", umount("m"));
        char buf[64];
        long n = read(in, buf, sizeof buf);
        struct inotify_event *e = (void *)buf;
        CHECK("said so", n == 32 && e[0].mask == IN_UNMOUNT && e[1].mask == IN_IGNORED && e[0].wd == w);
}

int main(void)
{
        in = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        CHECK("inotify_init1", in >= 0);
        mkdir("d", 0755);
        mkdir("e", 0755);
        files();
        names_in_dirs();
        options();
        reading();
        overflow();
        limits();
        unmount();
        return done();
}
