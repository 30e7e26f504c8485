/* SPDX-License-Identifier: Apache-2.0
 *
 * lease_basic: F_SETLEASE and F_GETLEASE: who may take which lease, and what a broken one says.
 */
#include "abi.h"
#include <sys/mount.h>

static int get(int fd)            { return fcntl(fd, F_GETLEASE); }
static int set(int fd, int type)  { return fcntl(fd, F_SETLEASE, type); }
static volatile int signals, last;
static void caught(int sig)       { signals++; last = sig; }

static int as_user(void)
{
        become_user(1000);
        int fd = open("others", O_RDONLY);
        FAILS("not one's own file", EACCES, set(fd, F_RDLCK));
        close(fd);
        fd = open("mine", O_RDONLY);
        OKAY("one's own", set(fd, F_RDLCK));
        close(fd);
        return done();
}

int main(void)
{
        on(SIGIO, caught, 0);
        on(SIGUSR1, caught, 0);
        put_text("f", "text");
        int fd = open("f", O_RDONLY);
        CHECK("none at first", get(fd) == F_UNLCK);
        FAILS("nothing to give back", EAGAIN, set(fd, F_UNLCK));
        FAILS("no such type", EINVAL, set(fd, 77));
        OKAY("a read lease", set(fd, F_RDLCK));
        CHECK("is there", get(fd) == F_RDLCK);
        CHECK("the owner is set", fcntl(fd, F_GETOWN) == getpid());
        OKAY("again", set(fd, F_RDLCK));
        OKAY("a write lease instead", set(fd, F_WRLCK));
        CHECK("is there now", get(fd) == F_WRLCK);
        OKAY("and back", set(fd, F_RDLCK));
        int fd2 = open("f", O_RDONLY);
        CHECK("opening for reading does not break it", fd2 >= 0 && signals == 0);
        CHECK("the other has none", get(fd2) == F_UNLCK);
        OKAY("two read leases", set(fd2, F_RDLCK));
        FAILS("no write lease beside another", EAGAIN, set(fd, F_WRLCK));
        OKAY("given back", set(fd2, F_UNLCK));
        FAILS("no write lease while others have it open", EAGAIN, set(fd, F_WRLCK));
        CHECK("the old one stays", get(fd) == F_RDLCK);
        close(fd2);
        OKAY("alone again", set(fd, F_WRLCK));
        int d = dup(fd);
        CHECK("through a duplicate", get(d) == F_WRLCK);
        OKAY("which may give it back", set(d, F_UNLCK));
        CHECK("for both", get(fd) == F_UNLCK);
        set(fd, F_RDLCK);
        close(fd);
        CHECK("closing one of two keeps it", get(d) == F_RDLCK);
        close(d);

        fd = open("f", O_RDONLY);
        fd2 = open("f", O_PATH);
        OKAY("O_PATH is no open file", set(fd, F_WRLCK));
        close(fd2);
        set(fd, F_UNLCK);
        put_text("over", "");
        must(link("f", "h") == 0 && mount("f", "over", "", MS_BIND, NULL) == 0, "names");
        OKAY("nor is a mount", set(fd, F_WRLCK));
        set(fd, F_UNLCK);
        fd2 = open("h", O_RDONLY);
        FAILS("by another name it is", EAGAIN, set(fd, F_WRLCK));
        close(fd2);
        fd2 = open("over", O_RDONLY);
        FAILS("by another mount it is", EAGAIN, set(fd, F_WRLCK));
        close(fd2);
        must(umount("over") == 0 && unlink("h") == 0, "names");
        close(fd);

        int exe = open("/proc/self/exe", O_RDONLY);
        OKAY("a read lease on a program that runs", set(exe, F_RDLCK));
        FAILS("no write lease", EAGAIN, set(exe, F_WRLCK));
        close(exe);

        int w = open("f", O_RDWR);
        FAILS("no read lease on a writer", EAGAIN, set(w, F_RDLCK));
        OKAY("a write lease", set(w, F_WRLCK));
        CHECK("is there", get(w) == F_WRLCK);
        close(w);
        w = open("f", O_WRONLY);
        fd = open("f", O_RDONLY);
        FAILS("no read lease while one writes", EAGAIN, set(fd, F_RDLCK));
        FAILS("no write lease either", EAGAIN, set(fd, F_WRLCK));
        close(w);
        OKAY("later", set(fd, F_RDLCK));

        /* Broken without waiting. */
        FAILS("opening for writing", EWOULDBLOCK, open("f", O_WRONLY | O_NONBLOCK));
        CHECK("tells the holder", signals == 1 && last == SIGIO);
        CHECK("what it shall become", get(fd) == F_UNLCK);
        FAILS("and again", EWOULDBLOCK, open("f", O_RDWR | O_NONBLOCK));
        CHECK("tells once", signals == 1);
        OKAY("reading is no matter", close(open("f", O_RDONLY | O_NONBLOCK)));
        fd2 = open("f", O_RDONLY);
        FAILS("no new lease meanwhile", EAGAIN, set(fd2, F_RDLCK));
        close(fd2);
        OKAY("given back", set(fd, F_UNLCK));
        OKAY("now it can be opened", close(open("f", O_WRONLY | O_NONBLOCK)));
        OKAY("a write lease", set(fd, F_WRLCK));
        signals = 0;
        FAILS("opening for reading", EWOULDBLOCK, open("f", O_RDONLY | O_NONBLOCK));
        CHECK("tells", signals == 1);
        CHECK("a read lease would do", get(fd) == F_RDLCK);
        FAILS("then for writing", EWOULDBLOCK, open("f", O_WRONLY | O_NONBLOCK));
        CHECK("tells once more", signals == 2);
        CHECK("it must go", get(fd) == F_UNLCK);
        set(fd, F_UNLCK);
        set(fd, F_WRLCK);
        FAILS("a reader", EWOULDBLOCK, open("f", O_RDONLY | O_NONBLOCK));
        OKAY("downgrade", set(fd, F_RDLCK));
        CHECK("is one", get(fd) == F_RDLCK);
        OKAY("and the reader comes in", close(open("f", O_RDONLY | O_NONBLOCK)));
        signals = 0;
        FAILS("a writer does not", EWOULDBLOCK, open("f", O_WRONLY | O_TRUNC | O_NONBLOCK));
        CHECK("nothing was cut", !strcmp(text_of("f"), "text"));
        set(fd, F_UNLCK);
        set(fd, F_RDLCK);
        signals = 0;
        CHECK("stat, chmod, unlink and rename do not break", !stat("f", &(struct stat){ 0 }) && !chmod("f", 0600) && !rename("f", "g") && !rename("g", "f") && signals == 0);
        CHECK("O_PATH does not", !close(open("f", O_PATH)) && signals == 0);
        FAILS("O_CREAT does", EWOULDBLOCK, open("f", O_CREAT | O_WRONLY | O_NONBLOCK, 0600));
        CHECK("told", signals == 1);
        set(fd, F_UNLCK);

        /* F_SETSIG and F_SETOWN. */
        fcntl(fd, F_SETSIG, SIGUSR1);
        set(fd, F_RDLCK);
        FAILS("broken with another signal", EWOULDBLOCK, open("f", O_WRONLY | O_NONBLOCK));
        CHECK("that one", last == SIGUSR1);
        close(fd);

        mkdir("dir", 0755);
        fd = open("dir", O_RDONLY);
        FAILS("not of a directory", EINVAL, set(fd, F_RDLCK));
        CHECK("none there", get(fd) == F_UNLCK);
        close(fd);
        int p[2];
        must(!pipe(p), "pipe");
        FAILS("not of a pipe", EINVAL, set(p[0], F_RDLCK));
        FAILS("nor a device", EINVAL, set(fd = open("/dev/null", O_RDONLY), F_RDLCK));
        FAILS("O_PATH", EBADF, set(open("f", O_PATH), F_RDLCK));
        FAILS("closed", EBADF, get(500));

        put_text("others", "");
        put_text("mine", "");
        chown("mine", 1000, 1000);
        chmod(".", 0777);
        CHECK("as a user", in_child(as_user) == 0);

        CHECK("settings", atoi(text_of("/proc/sys/fs/leases-enable")) == 1 && atoi(text_of("/proc/sys/fs/lease-break-time")) == 45);
        OKAY("switched off", set_text("/proc/sys/fs/leases-enable", "0"));
        fd = open("f", O_RDONLY);
        FAILS("no lease", EINVAL, set(fd, F_RDLCK));
        OKAY("and on", set_text("/proc/sys/fs/leases-enable", "1"));
        OKAY("a lease", set(fd, F_RDLCK));
        return done();
}
