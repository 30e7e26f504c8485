/* SPDX-License-Identifier: Apache-2.0
 *
 * name_to_handle_at(2), open_by_handle_at(2).
 */
#include "mounts.h"
#include "caps.h"
#include <linux/stat.h>

struct handle { unsigned bytes; int type; unsigned char data[140]; };

static int mount_id;

static long name_to(int dfd, const char *path, struct handle *h, int flags)
{
        return syscall(SYS_name_to_handle_at, dfd, path, h, &mount_id, flags);
}

static int open_by(int mount_fd, struct handle *h, int flags)
{
        return (int)syscall(SYS_open_by_handle_at, mount_fd, h, flags);
}

/* Can be opened so; the descriptor is closed. */
static int opens(int mount_fd, struct handle *h, int flags)
{
        int fd = open_by(mount_fd, h, flags);

        if (fd >= 0)
                close(fd);
        return fd < 0 ? -1 : 0;
}

static struct handle handle_at(int dfd, const char *path, int flags)
{
        struct handle h = { .bytes = 128 };

        must(name_to(dfd, path, &h, flags) == 0, "handle_at");
        return h;
}

static struct handle handle_of(const char *path) { return handle_at(AT_FDCWD, path, 0); }

static int same(const struct handle *a, const struct handle *b)
{
        return a->bytes == b->bytes && a->type == b->type && !memcmp(a->data, b->data, a->bytes);
}

/* Where a descriptor is, below the test's directory. */
static const char *place(int fd)
{
        static char text[300];
        char        link[64];

        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, text, sizeof text - 1);
        text[n > 0 ? n : 0] = 0;
        return strncmp(text, here, strlen(here)) ? text : text + strlen(here);
}

static int is_at(int fd, const char *want) { return !strcmp(place(fd), want); }

static void encoding(void)
{
        int           fd = open("F", O_CREAT | O_RDWR, 0644);
        struct handle h = { .bytes = 128, .type = 77 }, other;
        struct statx  sx;

        symlink("F", "l");
        OKAY("handle of a file", name_to(AT_FDCWD, "F", &h, 0));
        CHECK("twelve bytes of type 1", h.bytes == 12 && h.type == 1);
        syscall(SYS_statx, AT_FDCWD, "F", 0, STATX_MNT_ID, &sx);
        CHECK("the mount is statx's", (int)sx.stx_mnt_id == mount_id);
        other = handle_at(fd, "", AT_EMPTY_PATH);
        CHECK("the same by descriptor", same(&h, &other));
        other = handle_at(AT_FDCWD, "l", AT_SYMLINK_FOLLOW);
        CHECK("the same through a link", same(&h, &other));
        other = handle_of("l");
        CHECK("another of the link", !same(&h, &other));
        link("F", "f2");
        other = handle_of("f2");
        CHECK("the same by another name", same(&h, &other));
        int at = open(".", O_RDONLY), by_path = open("F", O_PATH);
        other = handle_at(at, "F", 0);
        CHECK("the same relative to a directory", same(&h, &other));
        other = handle_at(by_path, "", AT_EMPTY_PATH);
        CHECK("the same by O_PATH", same(&h, &other));
        FAILS("empty without the flag", ENOENT, name_to(fd, "", &h, 0));
        FAILS("nothing there", ENOENT, name_to(AT_FDCWD, "none", &h, 0));
        FAILS("bad descriptor", EBADF, name_to(99, "F", &h, 0));
        FAILS("not a directory", ENOTDIR, name_to(fd, "F", &h, 0));
        FAILS("bad path", EFAULT, name_to(AT_FDCWD, BAD_PTR, &h, 0));
        FAILS("AT_SYMLINK_NOFOLLOW", EINVAL, name_to(AT_FDCWD, "F", &h, AT_SYMLINK_NOFOLLOW));
        FAILS("unknown flag", EINVAL, name_to(AT_FDCWD, "F", &h, 0x80000));
        FAILS("unknown flag before the path", EINVAL, name_to(AT_FDCWD, BAD_PTR, &h, 0x80000));
        for (unsigned n = 0; n < 12; n += 4) {
                h = (struct handle){ .bytes = n, .type = 77, .data = { 0xee } };
                mount_id = -7;
                FAILS("no room", EOVERFLOW, name_to(AT_FDCWD, "F", &h, 0));
                CHECK("tells how much it takes", h.bytes == 12);
                CHECK("a type that is none", h.type == 255);
                CHECK("nothing else", h.data[0] == 0xee);
                CHECK("but the mount", mount_id > 0);
        }
        h.bytes = 11;
        FAILS("a byte too few", EOVERFLOW, name_to(AT_FDCWD, "F", &h, 0));
        h.bytes = 13;
        OKAY("a byte too many", name_to(AT_FDCWD, "F", &h, 0));
        CHECK("is cut", h.bytes == 12);
        h.bytes = 129;
        FAILS("more than a handle may have", EINVAL, name_to(AT_FDCWD, "F", &h, 0));
        FAILS("bad handle", EFAULT, name_to(AT_FDCWD, "F", BAD_PTR, 0));
        FAILS("bad mount id", EFAULT, (h.bytes = 128, syscall(SYS_name_to_handle_at, AT_FDCWD, "F", &h, BAD_PTR, 0)));
        FAILS("bad mount id and no room", EFAULT, (h.bytes = 0, syscall(SYS_name_to_handle_at, AT_FDCWD, "F", &h, BAD_PTR, 0)));
        unlink("f2");
        close(fd);
        close(at);
        close(by_path);
}

static void without(void)
{
        static const char *const names[] = { "/proc", "/proc/self/status", "/sys", "/sys/class", "/dev/pts", "/dev/pts/ptmx", "r" };
        struct handle h = { .bytes = 128 };
        int           p[2], e = (int)syscall(SYS_eventfd2, 0, 0);

        mkdir("r", 0755);
        must(mount("none", "r", "ramfs", 0, NULL) == 0, "ramfs");
        for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
                FAILS(names[i], EOPNOTSUPP, name_to(AT_FDCWD, names[i], &h, 0));
        pipe(p);
        FAILS("pipe", EOPNOTSUPP, name_to(p[0], "", &h, AT_EMPTY_PATH));
        FAILS("eventfd", EOPNOTSUPP, name_to(e, "", &h, AT_EMPTY_PATH));
        FAILS("before the handle is read", EOPNOTSUPP, name_to(AT_FDCWD, "/proc", BAD_PTR, 0));
        h = handle_of("F");
        int proc = open("/proc", O_RDONLY), sys = open("/sys", O_RDONLY);
        FAILS("open in proc", ESTALE, open_by(proc, &h, O_RDONLY));
        FAILS("open in sysfs", ESTALE, open_by(sys, &h, O_RDONLY));
        FAILS("open in a pipe", ESTALE, open_by(p[0], &h, O_RDONLY));
        OKAY("a device in /dev", name_to(AT_FDCWD, "/dev/null", (h.bytes = 128, &h), 0));
        int dev = open("/dev", O_RDONLY);
        OKAY("is opened", opens(dev, &h, O_RDWR));
        close(dev);
        close(proc);
        close(sys);
        close(p[0]);
        close(p[1]);
        close(e);
        umount("r");
}

static void opening(void)
{
        int           top = open(".", O_RDONLY), in = open("F", O_RDWR), by_path = open(".", O_PATH);
        struct handle h = handle_of("F"), bad;
        struct stat   st;
        char          text[8] = "";

        write(in, "hello", 5);
        int fd = open_by(top, &h, O_RDWR | O_CLOEXEC);
        OKAY("open", fd);
        CHECK("the file", read(fd, text, 7) == 5 && !strcmp(text, "hello"));
        CHECK("O_CLOEXEC", fcntl(fd, F_GETFD) == FD_CLOEXEC);
        CHECK("access", (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR);
        CHECK("its name", is_at(fd, "/F"));
        close(fd);
        OKAY("by any file of the mount", opens(in, &h, O_RDONLY));
        OKAY("by the working directory", opens(AT_FDCWD, &h, O_RDONLY));
        FAILS("by O_PATH", EBADF, open_by(by_path, &h, O_RDONLY));
        FAILS("by nothing", EBADF, open_by(99, &h, O_RDONLY));
        FAILS("bad handle", EFAULT, open_by(top, BAD_PTR, O_RDONLY));
        FAILS("bad handle before the descriptor", EFAULT, open_by(99, BAD_PTR, O_RDONLY));
        bad = h;
        FAILS("no bytes", EINVAL, (bad.bytes = 0, open_by(top, &bad, O_RDONLY)));
        FAILS("too many bytes", EINVAL, (bad.bytes = 129, open_by(top, &bad, O_RDONLY)));
        FAILS("too few bytes", ESTALE, (bad.bytes = 8, open_by(top, &bad, O_RDONLY)));
        OKAY("more bytes than needed", (bad.bytes = 128, opens(top, &bad, O_RDONLY)));
        FAILS("another generation", ESTALE, (bad = h, bad.data[0] ^= 1, open_by(top, &bad, O_RDONLY)));
        FAILS("another number", ESTALE, (bad = h, bad.data[5] ^= 0x55, open_by(top, &bad, O_RDONLY)));
        FAILS("O_CREAT and O_EXCL", EEXIST, open_by(top, &h, O_RDWR | O_CREAT | O_EXCL));
        OKAY("O_CREAT", opens(top, &h, O_RDWR | O_CREAT));
        FAILS("O_DIRECTORY", ENOTDIR, open_by(top, &h, O_RDONLY | O_DIRECTORY));
        FAILS("O_TMPFILE", ENOTDIR, open_by(top, &h, O_RDWR | O_TMPFILE));
        OKAY("O_PATH", opens(top, &h, O_PATH));
        OKAY("O_TRUNC", opens(top, &h, O_RDWR | O_TRUNC));
        CHECK("cuts", fstat(in, &st) == 0 && st.st_size == 0);
        h = handle_of("l");
        FAILS("a link", ELOOP, open_by(top, &h, O_RDONLY));
        fd = open_by(top, &h, O_PATH | O_NOFOLLOW);
        CHECK("a link as a place", fd >= 0 && readlinkat(fd, "", text, 7) == 1);
        close(fd);
        mkfifo("p", 0644);
        h = handle_of("p");
        OKAY("a FIFO", opens(top, &h, O_RDWR));
        h = handle_of(".");
        OKAY("the root", opens(top, &h, O_RDONLY | O_DIRECTORY));
        FAILS("a directory for writing", EISDIR, open_by(top, &h, O_RDWR));
        OKAY("O_TMPFILE in a directory", opens(top, &h, O_RDWR | O_TMPFILE));
        close(top);
        close(in);
        close(by_path);
}

static void moving(void)
{
        int top = open(".", O_RDONLY), fd;

        mkdir("a/sub", 0755);
        mkdir("a/sub/dir", 0755);
        put_text("a/sub/dir/file", "x");
        struct handle dir = handle_of("a/sub/dir"), file = handle_of("a/sub/dir/file"), sub = handle_of("a/sub");

        fd = open_by(top, &dir, O_RDONLY);
        CHECK("a directory deep down", is_at(fd, "/a/sub/dir"));
        CHECK("entries can be made in it", mkdirat(fd, "made", 0755) == 0 && access("a/sub/dir/made", F_OK) == 0);
        close(fd);
        rename("a/sub", "b/other");
        fd = open_by(top, &dir, O_RDONLY);
        CHECK("after its parent moved", is_at(fd, "/b/other/dir"));
        CHECK("it can be gone to", fchdir(fd) == 0 && access("../../other/dir/file", F_OK) == 0);
        must(chdir(here) == 0, "chdir");
        close(fd);
        fd = open_by(top, &file, O_RDONLY);
        CHECK("a file in it", is_at(fd, "/b/other/dir/file"));
        close(fd);
        rename("b/other/dir/file", "c/there");
        fd = open_by(top, &file, O_RDONLY);
        CHECK("after it moved", is_at(fd, "/c/there"));
        close(fd);
        put_text("c/swap", "y");
        struct handle swap = handle_of("c/swap");
        syscall(SYS_renameat2, AT_FDCWD, "c/swap", AT_FDCWD, "b/other", 2);
        fd = open_by(top, &sub, O_RDONLY);
        CHECK("a directory after an exchange", is_at(fd, "/c/swap"));
        close(fd);
        fd = open_by(top, &swap, O_RDONLY);
        CHECK("a file after an exchange", is_at(fd, "/b/other"));
        close(fd);
        int keep = open("c/there", O_RDONLY);
        unlink("c/there");
        fd = open_by(top, &file, O_RDONLY);
        CHECK("removed and open", fd >= 0 && strstr(place(fd), " (deleted)"));
        close(fd);
        close(keep);
        FAILS("removed", ESTALE, open_by(top, &file, O_RDONLY));
        rmdir("c/swap/dir/made");
        rmdir("c/swap/dir");
        FAILS("a removed directory", ESTALE, open_by(top, &dir, O_RDONLY));
        put_text("c/there", "new");
        FAILS("another of its name", ESTALE, open_by(top, &file, O_RDONLY));
        keep = open(".", O_TMPFILE | O_RDWR, 0600);
        struct handle tmp = handle_at(keep, "", AT_EMPTY_PATH);
        OKAY("a file without a name", opens(top, &tmp, O_RDONLY));
        close(keep);
        FAILS("that is closed", ESTALE, open_by(top, &tmp, O_RDONLY));
        keep = (int)syscall(SYS_memfd_create, "m", 0);
        tmp = handle_at(keep, "", AT_EMPTY_PATH);
        OKAY("a memfd by itself", opens(keep, &tmp, O_RDWR));
        FAILS("but not by another mount", ESTALE, open_by(top, &tmp, O_RDWR));
        close(keep);
        close(top);
}

/* Through which mount it is opened is what counts. */
static void mounted(void)
{
        put_text("w", "x");
        must(bind("c", "d") == 0 && tmpfs_at("e") == 0, "mounts");
        struct handle w = handle_of("w"), root = handle_of("."), c = handle_of("c");
        int           d = open("d", O_RDONLY), e = open("e", O_RDONLY), fd, c_id = mount_id;
        struct handle by_bind = handle_of("d");

        CHECK("the same through a bind", same(&c, &by_bind) && mount_id != c_id);
        OKAY("what lies outside of a bind", opens(d, &w, O_RDONLY));
        OKAY("a directory above it", opens(d, &root, O_RDONLY));
        FAILS("another file system", ESTALE, open_by(e, &w, O_RDONLY));
        put_text("e/first", "1");
        struct handle first = handle_of("e/first");
        FAILS("and the other way round", ESTALE, open_by(d, &first, O_RDONLY));
        must(mount(NULL, "d", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0, "ro");
        FAILS("a read-only mount", EROFS, open_by(d, &w, O_RDWR));
        OKAY("for reading", opens(d, &w, O_RDONLY));
        fd = open_by(e, &first, O_RDONLY);
        FAILS("keeps the mount busy", EBUSY, (close(e), umount("e")));
        close(fd);
        OKAY("until it is closed", umount("e"));
        close(d);
        umount("d");
}

static int as_user(void)
{
        struct handle h = { .bytes = 128 };
        int           top = open(".", O_RDONLY);

        become_user(1000);
        OKAY("user: a handle", name_to(AT_FDCWD, "w", &h, 0));
        FAILS("user: open", EPERM, open_by(top, &h, O_RDONLY));
        FAILS("user: bad descriptor", EPERM, open_by(99, &h, O_RDONLY));
        FAILS("user: bad handle", EPERM, open_by(99, BAD_PTR, O_RDONLY));
        FAILS("user: behind a closed door", EACCES, name_to(AT_FDCWD, "h/x", &h, 0));
        return done();
}

/* The capability it takes, and what that is not enough for. */
static int with_caps(void)
{
        struct handle h = handle_of("w");
        int           top = open(".", O_RDONLY);

        chmod("w", 0600);
        prctl(PR_SET_KEEPCAPS, 1);
        become_user(1000);
        caps_set(CAP(CAP_DAC_OVERRIDE), CAP_ALL & ~CAP(CAP_SYS_ADMIN), 0);
        FAILS("CAP_DAC_OVERRIDE", EPERM, open_by(top, &h, O_RDONLY));
        caps_set(CAP(CAP_DAC_READ_SEARCH), CAP(CAP_DAC_READ_SEARCH), 0);
        OKAY("CAP_DAC_READ_SEARCH", opens(top, &h, O_RDONLY));
        FAILS("CAP_DAC_READ_SEARCH for writing", EACCES, open_by(top, &h, O_RDWR));
        return done();
}

/* Every third file is removed, every third moved, while others are opened. */
static int many(void)
{
        static struct handle h[300];
        char                 name[64], to[64];
        int                  top = open(".", O_RDONLY), bad = 0;

        for (int i = 0; i < 300; i++) {
                snprintf(name, sizeof name, "g/%d", i);
                put_text(name, name);
                h[i] = handle_of(name);
        }
        pid_t pid = fork();
        if (pid == 0) {
                for (int i = 0; i < 300; i++) {
                        snprintf(name, sizeof name, "g/%d", i);
                        snprintf(to, sizeof to, "a/%d", i);
                        if (i % 3 == 0)
                                unlink(name);
                        else if (i % 3 == 1)
                                rename(name, to);
                }
                _exit(0);
        }
        for (int round = 0; round < 10; round++) {
                for (int i = 0; i < 300; i++) {
                        char text[64] = "";
                        int  fd = open_by(top, &h[i], O_RDONLY);

                        snprintf(name, sizeof name, "g/%d", i);
                        if (fd < 0)
                                bad += i % 3 != 0 || errno != ESTALE;
                        else
                                bad += read(fd, text, 63) < 0 || strcmp(text, name) != 0;
                        close(fd);
                }
        }
        result_of(pid);
        CHECK("each leads to its own file or nowhere", bad == 0);
        for (int i = 0; i < 300; i++) {
                int fd = open_by(top, &h[i], O_RDONLY);

                bad += (fd >= 0) != (i % 3 != 0);
                snprintf(to, sizeof to, "/%c/%d", i % 3 == 1 ? 'a' : 'g', i);
                if (fd >= 0)
                        bad += !is_at(fd, to);
                close(fd);
        }
        CHECK("and then where it was moved to", bad == 0);
        close(top);
        return done();
}

int main(void)
{
        begin();
        must(getcwd(here, sizeof here) != NULL, "getcwd");
        encoding();
        without();
        opening();
        moving();
        mounted();
        chmod("h", 0700);
        CHECK("as a user", in_child(as_user) == 0);
        CHECK("with capabilities", in_child(with_caps) == 0);
        CHECK("many", in_child(many) == 0);
        return end();
}
