/* SPDX-License-Identifier: Apache-2.0
 *
 * ns_files: /proc/PID/ns as files, ioctl_ns(2), and setns(2) by them and by pidfds.
 */
#include "mounts.h"
#include "caps.h"
#include <linux/nsfs.h>
#include <pthread.h>
#include <sys/vfs.h>

static const char *const kinds[] = { "cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children", "user", "uts" };
#define KINDS ((int)(sizeof kinds / sizeof *kinds))

static char buf[300];

static int ns_of(pid_t pid, const char *kind)
{
        snprintf(buf, sizeof buf, "/proc/%d/ns/%s", pid, kind);
        return open(buf, O_RDONLY);
}

static int ns(const char *kind) { return ns_of(getpid(), kind); }
static int pidfd_of(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

static int same(int a, int b)
{
        struct stat x, y;

        must(fstat(a, &x) == 0 && fstat(b, &y) == 0, "fstat");
        return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static void each(const char *kind)
{
        struct stat   st, link;
        struct statfs fs;
        char          text[100] = "", want[100], self[64];
        int           fd = ns(kind), again = ns(kind), uid;

        snprintf(self, sizeof self, "/proc/self/ns/%s", kind);
        must(fd >= 0 && fstat(fd, &st) == 0 && fstatfs(fd, &fs) == 0, kind);
        say("kind %s\n", kind);
        CHECK("a file", st.st_mode == (S_IFREG | 0444) && st.st_nlink == 1 && st.st_uid == 0 && st.st_size == 0);
        CHECK("of nsfs", fs.f_type == 0x6e736673 && fs.f_bsize == 4096);
        CHECK("another of it is the same", same(fd, again));
        CHECK("by its path", stat(self, &link) == 0 && link.st_ino == st.st_ino);
        CHECK("a link", lstat(self, &link) == 0 && link.st_mode == (S_IFLNK | 0777));
        must(readlink(self, text, sizeof text - 1) > 0, "readlink");
        snprintf(want, sizeof want, ":[%lu]", (unsigned long)st.st_ino);
        CHECK("its text has the number", strstr(text, want) && !strncmp(text, kind, 3));
        snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
        memset(want, 0, sizeof want);
        must(readlink(self, want, sizeof want - 1) > 0, "fd");
        CHECK("as does the descriptor's", !strcmp(text, want));
        SHOW("read", read(fd, buf, 9));
        SHOW("lseek", lseek(fd, 0, SEEK_SET));
        SHOW("fsync", fsync(fd));
        SHOW("fchmod", fchmod(fd, 0600));
        SHOW("fchown", fchown(fd, 0, 0));
        SHOW("mmap", mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED ? 0 : -1);
        SHOW("poll", poll(&(struct pollfd){ fd, POLLIN | POLLOUT, 0 }, 1, 0));
        say("type %x\n", ioctl(fd, NS_GET_NSTYPE));
        SHOW("parent", ioctl(fd, NS_GET_PARENT));
        SHOW("owner", ioctl(fd, NS_GET_OWNER_UID, &uid));
        SHOW("unknown ioctl", ioctl(fd, 12345));
        int user = ioctl(fd, NS_GET_USERNS);
        say("user namespace %d, %d\n", user >= 0 && same(user, ns("user")) && fcntl(user, F_GETFD) == FD_CLOEXEC, user < 0 ? errno : 0);
        snprintf(self, sizeof self, "/proc/self/ns/%s", kind);
        SHOW("for writing", open(self, O_RDWR));
        SHOW("W_OK", access(self, W_OK));
        SHOW("O_NOFOLLOW", open(self, O_RDONLY | O_NOFOLLOW));
        SHOW("setns", setns(fd, 0));
        SHOW("setns to another kind", setns(fd, !strcmp(kind, "uts") ? CLONE_NEWNS : CLONE_NEWUTS));
        for (int i = 3; i < 20; i++)
                close(i);
}

static void errors(void)
{
        int mnt = ns("mnt"), self = pidfd_of(getpid());

        SHOW("bad descriptor", setns(99, 0));
        SHOW("a plain file", setns(open(".", O_RDONLY), 0));
        SHOW("O_PATH", setns(open("/proc/self/ns/mnt", O_PATH), 0));
        SHOW("unknown kind", setns(mnt, 1));
        SHOW("two kinds", setns(mnt, CLONE_NEWNS | CLONE_NEWUTS));
        SHOW("pidfd: none", setns(self, 0));
        SHOW("pidfd: unknown", setns(self, CLONE_NEWNS | 1));
        SHOW("pidfd: two", setns(self, CLONE_NEWNS | CLONE_NEWUTS));
        SHOW("pidfd: user", setns(self, CLONE_NEWUSER));
        SHOW("pidfd: the rest", setns(self, CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWCGROUP));
        pid_t pid = fork();
        if (pid == 0)
                _exit(0);
        int dead = pidfd_of(pid);
        result_of(pid);
        SHOW("pidfd of what is gone", setns(dead, CLONE_NEWNS));
        close(mnt);
        close(self);
        close(dead);
}

static int as_user(void)
{
        int mnt = ns("mnt"), uts = ns("uts"), user = ns("user"), init = pidfd_of(1);

        become_user(1000);
        SHOW("user: mnt", setns(mnt, 0));
        SHOW("user: uts", setns(uts, 0));
        SHOW("user: user", setns(user, 0));
        SHOW("user: pidfd", setns(init, CLONE_NEWUTS));
        SHOW("user: another's", open("/proc/1/ns/mnt", O_RDONLY));
        SHOW("user: another's link", readlink("/proc/1/ns/mnt", buf, sizeof buf));
        return done();
}

static int with_caps(void)
{
        int mnt = ns("mnt"), uts = ns("uts");

        caps_set(CAP(CAP_SYS_ADMIN), CAP_ALL, 0);
        SHOW("CAP_SYS_ADMIN: uts", setns(uts, 0));
        SHOW("CAP_SYS_ADMIN: mnt", setns(mnt, 0));
        caps_set(CAP(CAP_SYS_ADMIN) | CAP(CAP_SYS_CHROOT), CAP_ALL, 0);
        SHOW("CAP_SYS_CHROOT, too: mnt", setns(mnt, 0));
        caps_set(CAP(CAP_SYS_CHROOT), CAP_ALL, 0);
        SHOW("that alone: mnt", setns(mnt, 0));
        return done();
}

static void *sleeps(void *arg)
{
        read(*(int *)arg, buf, 1);
        return NULL;
}

static int with_threads(void)
{
        pthread_t t;
        int       p[2];

        pipe(p);
        pthread_create(&t, NULL, sleeps, p);
        SHOW("threads: mnt", setns(ns("mnt"), 0));
        SHOW("threads: uts", setns(ns("uts"), 0));
        SHOW("threads: time", setns(ns("time"), 0));
        SHOW("threads: pidfd, time and uts", setns(pidfd_of(getpid()), CLONE_NEWTIME | CLONE_NEWUTS));
        SHOW("threads: time and mnt", setns(pidfd_of(getpid()), CLONE_NEWTIME | CLONE_NEWNS));
        SHOW("threads, places of its own: mnt", (unshare(CLONE_FS), setns(ns("mnt"), 0)));
        write(p[1], "x", 1);
        pthread_join(t, NULL);
        return done();
}

/* A child with namespaces of its own, for as long as `end` is open. */
static int entering(void)
{
        int   ready[2], end[2], home_mnt = ns("mnt"), home_uts = ns("uts");
        char  name[70];

        pipe(ready);
        pipe(end);
        pid_t pid = fork();
        if (pid == 0) {
                close(end[1]);
                must(unshare(CLONE_NEWNS | CLONE_NEWUTS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "unshare");
                must(sethostname("inner", 5) == 0 && tmpfs_at("d") == 0, "inside");
                put_text("d/inside", "");
                write(ready[1], "x", 1);
                read(end[0], buf, 1);
                _exit(0);
        }
        read(ready[0], buf, 1);
        int uts = ns_of(pid, "uts"), mnt = ns_of(pid, "mnt");
        CHECK("others", !same(uts, home_uts) && !same(mnt, home_mnt));
        CHECK("user is the same", same(ns_of(pid, "user"), ns("user")));
        OKAY("into uts", setns(uts, CLONE_NEWUTS));
        gethostname(name, sizeof name);
        CHECK("its name", !strcmp(name, "inner"));
        CHECK("it shows", same(ns("uts"), uts));
        CHECK("the mounts are ours", !is_mounted("d"));
        OKAY("back", setns(home_uts, 0));
        gethostname(name, sizeof name);
        CHECK("the old name", strcmp(name, "inner"));
        OKAY("into mnt", setns(mnt, CLONE_NEWNS));
        CHECK("at its root", getcwd(name, sizeof name) && !strcmp(name, "/"));
        must(chdir(here) == 0, "chdir");
        CHECK("its mounts", is_mounted("d") && access("d/inside", F_OK) == 0);
        OKAY("chroot", chroot("d"));
        OKAY("back", setns(home_mnt, 0));
        CHECK("out of the chroot", chdir(here) == 0 && access("d", F_OK) == 0 && !is_mounted("d"));
        int both = pidfd_of(pid);
        OKAY("into both by a pidfd", setns(both, CLONE_NEWNS | CLONE_NEWUTS));
        gethostname(name, sizeof name);
        CHECK("both", chdir(here) == 0 && is_mounted("d") && !strcmp(name, "inner"));
        pid_t child = fork();
        if (child == 0) {
                gethostname(name, sizeof name);
                _exit(!is_mounted("d") || strcmp(name, "inner"));
        }
        CHECK("a child, too", result_of(child) == 0);
        setns(home_mnt, 0);
        setns(home_uts, 0);
        close(end[1]);
        close(end[0]);
        result_of(pid);
        OKAY("they live as long as a descriptor", setns(mnt, 0));
        CHECK("with their mounts", chdir(here) == 0 && access("d/inside", F_OK) == 0);
        OKAY("and uts", setns(uts, 0));
        gethostname(name, sizeof name);
        CHECK("with its name", !strcmp(name, "inner"));
        return done();
}

int main(void)
{
        must(mkdir("d", 0755) == 0 && getcwd(here, sizeof here) != NULL, "begin");
        for (int i = 0; i < KINDS; i++)
                each(kinds[i]);
        errors();
        CHECK("at the root by now", getcwd(buf, sizeof buf) && !strcmp(buf, "/") && chdir(here) == 0);
        CHECK("as a user", in_child(as_user) == 0);
        CHECK("with capabilities", in_child(with_caps) == 0);
        CHECK("with threads", in_child(with_threads) == 0);
        CHECK("entering", in_child(entering) == 0);
        return done();
}
