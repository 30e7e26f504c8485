/* SPDX-License-Identifier: Apache-2.0
 *
 * protected_names: fs.protected_hardlinks, _symlinks, _fifos and _regular: what they are, what they take, and what they keep from whom.
 */
#include "caps.h"
#include <sys/statfs.h>

static const char *fs(const char *name)
{
        static char path[4][100];
        static int i;
        snprintf(path[++i & 3], 100, "/proc/sys/fs/protected_%s", name);
        return path[i & 3];
}

static void try(const char *name, const char *text)
{
        char what[100], was[40];

        snprintf(was, sizeof was, "%s", text_of(fs(name)));
        snprintf(what, sizeof what, "%s %s", name, text);
        SHOW(what, set_text(fs(name), text));
        say("now %s", text_of(fs(name)));
        set_text(fs(name), was);
}

static void put(const char *path, mode_t mode, uid_t uid, gid_t gid)
{
        close(open(path, O_CREAT | O_WRONLY, 0600));
        chown(path, uid, gid);
        chmod(path, mode);
}

static void as(void (*become)(void), void (*fn)(void))
{
        pid_t pid = fork();
        if (pid == 0) {
                become();
                fn();
                _exit(0);
        }
        result_of(pid);
}

static void user(void)     { become_user(1000); }
static void user_owns(void) { caps_user(CAP(CAP_FOWNER)); }
static void user_overrides(void) { caps_user(CAP(CAP_DAC_OVERRIDE)); }
static void root(void)     {}

/* ---- Hard links ---- */

static const struct { const char *name; mode_t mode; uid_t uid; } targets[] = {
        { "own", 0600, 1000 }, { "others", 0644, 500 }, { "writable", 0666, 500 }, { "writeonly", 0222, 500 }, { "suid", 04777, 500 },
        { "sgidx", 02777, 500 }, { "sgid", 02767, 500 }, { "ownsuid", 04755, 1000 }, { "sticky", 01777, 500 },
};

static void links(void)
{
        char to[100];

        for (unsigned i = 0; i < sizeof targets / sizeof *targets; i++) {
                snprintf(to, sizeof to, "free/l%u", i);
                SHOW(targets[i].name, link(targets[i].name, to));
                unlink(to);
        }
        SHOW("a fifo", link("fifo", "free/l"));
        unlink("free/l");
        SHOW("own fifo", link("ownfifo", "free/l"));
        unlink("free/l");
        SHOW("a symlink", link("sym", "free/l"));
        unlink("free/l");
        SHOW("own symlink", link("ownsym", "free/l"));
        unlink("free/l");
        SHOW("over what exists", link("others", "writable"));
        SHOW("into nothing", link("others", "none/l"));
        SHOW("where one may not write", link("others", "l"));
        unlink("l");
        SHOW("to another file system", link("others", "/dev/l"));
        SHOW("a directory", link("free", "free/l"));
}

static void hard(void)
{
        for (unsigned i = 0; i < sizeof targets / sizeof *targets; i++)
                put(targets[i].name, targets[i].mode, targets[i].uid, 0);
        mkfifo("fifo", 0644);
        mkfifo("ownfifo", 0644);
        chown("ownfifo", 1000, 1000);
        symlink("own", "sym");
        symlink("own", "ownsym");
        lchown("ownsym", 1000, 1000);
        mkdir("free", 0777);
        for (int on = 0; on < 2; on++) {
                set_text(fs("hardlinks"), on ? "1" : "0");
                say("hard links, %d\n", on);
                as(user, links);
                say("with CAP_FOWNER\n");
                as(user_owns, links);
                say("with CAP_DAC_OVERRIDE\n");
                as(user_overrides, links);
                say("root\n");
                as(root, links);
        }
}

/* ---- Symbolic links in directories of everybody ---- */

static const char *const places[] = { "stickyall", "stickyown", "sticky500", "stickygroup", "all", "sub" };

static int opens(const char *path, int flags)
{
        int fd = open(path, flags, 0600);
        return fd < 0 ? -1 : close(fd);
}

static void follow(void)
{
        char path[100];
        struct stat st;
        struct statfs fs;

        for (unsigned i = 0; i < sizeof places / sizeof *places; i++)
                for (int owner = 0; owner < 3; owner++) {
                        snprintf(path, sizeof path, "%s/s%d", places[i], owner);
                        SHOW(path, opens(path, O_RDONLY));
                        snprintf(path, sizeof path, "%s/d%d/inside", places[i], owner);
                        SHOW(path, stat(path, &st));
                }
        SHOW("lstat", lstat("stickyall/s1", &st));
        SHOW("readlink", readlink("stickyall/s1", path, sizeof path));
        SHOW("open to make", opens("stickyall/s1", O_RDONLY | O_CREAT));
        SHOW("open to make alone", opens("stickyall/s1", O_RDONLY | O_CREAT | O_EXCL));
        SHOW("not to follow", opens("stickyall/s1", O_RDONLY | O_NOFOLLOW));
        SHOW("execve", execl("stickyall/s1", "x", NULL));
        SHOW("dangling", opens("stickyall/n1", O_WRONLY | O_CREAT));
        SHOW("magic", stat("/proc/self/cwd", &st));
        SHOW("slash", stat("stickyall/d1/", &st));
        SHOW("rename from it", rename("stickyall/d1/none", "stickyall/d1/no"));
        SHOW("through another link", stat("toit", &st));
        SHOW("through another link to a directory", stat("todir/inside", &st));
        SHOW("a link to a place of everybody's", stat("all/places1", &st));
        SHOW("truncate", truncate("stickyall/s1", 0));
        SHOW("chmod", chmod("stickyall/s1", 0644));
        SHOW("access", access("stickyall/s1", R_OK));
        SHOW("statfs", statfs("stickyall/s1", &fs));
        SHOW("inside by descriptor", opens("stickyall/../stickyall/d1/../dir/inside", O_RDONLY));
        SHOW("chdir", chdir("stickyall/d1"));
}

static void place(const char *name, mode_t mode, uid_t uid, gid_t gid)
{
        mkdir(name, 0700);
        chown(name, uid, gid);
        chmod(name, mode);
}

static void soft(void)
{
        static const uid_t owner[] = { 1000, 500, 0 };
        char path[100], cwd[200], to[300];

        getcwd(cwd, sizeof cwd);
        put("file", 0644, 0, 0);
        place("dir", 0755, 0, 0);
        put("dir/inside", 0644, 0, 0);
        place("stickyall", 01777, 0, 0);
        place("stickyown", 01777, 1000, 1000);
        place("sticky500", 01777, 500, 500);
        place("stickygroup", 01775, 0, 0);
        place("all", 0777, 0, 0);
        place("sub", 01700, 1000, 1000);
        for (unsigned i = 0; i < sizeof places / sizeof *places; i++)
                for (int o = 0; o < 3; o++) {
                        snprintf(path, sizeof path, "%s/s%d", places[i], o);
                        snprintf(to, sizeof to, "%s/file", cwd);
                        symlink(to, path);
                        lchown(path, owner[o], 0);
                        snprintf(path, sizeof path, "%s/d%d", places[i], o);
                        snprintf(to, sizeof to, "%s/dir", cwd);
                        symlink(to, path);
                        lchown(path, owner[o], 0);
                }
        symlink("stickyall/s1", "toit");
        symlink("stickyall/d1", "todir");
        symlink("../stickyall/r", "all/places1");
        symlink("nowhere", "stickyall/n1");
        lchown("stickyall/n1", 500, 0);
        for (int on = 0; on < 2; on++) {
                set_text(fs("symlinks"), on ? "1" : "0");
                say("symbolic links, %d\n", on);
                as(user, follow);
                say("root\n");
                as(root, follow);
                unlink("stickyall/nowhere");
        }
}

/* ---- O_CREAT of what is there ---- */

static void creates(void)
{
        char path[100];

        for (unsigned i = 0; i < sizeof places / sizeof *places; i++)
                for (int owner = 0; owner < 3; owner++)
                        for (int fifo = 0; fifo < 2; fifo++) {
                                snprintf(path, sizeof path, "%s/%c%d", places[i], fifo ? 'p' : 'r', owner);
                                SHOW(path, opens(path, O_RDWR | O_CREAT | O_NONBLOCK));
                        }
        SHOW("without O_CREAT", opens("stickyall/r1", O_RDWR));
        SHOW("alone", opens("stickyall/r1", O_RDWR | O_CREAT | O_EXCL));
        SHOW("to read", opens("stickyall/r1", O_RDONLY | O_CREAT));
        SHOW("truncating", opens("stickyall/r1", O_WRONLY | O_CREAT | O_TRUNC));
        SHOW("as creat", opens("stickyall/r1", O_CREAT | O_WRONLY | O_TRUNC));
        SHOW("a directory", opens("stickyall/dd", O_RDONLY | O_CREAT));
        SHOW("O_PATH", opens("stickyall/r1", O_PATH | O_CREAT));
        SHOW("through a link", opens("stickyall/tor1", O_RDWR | O_CREAT));
}

static void made(void)
{
        static const uid_t owner[] = { 1000, 500, 0 };
        char path[100];

        for (unsigned i = 0; i < sizeof places / sizeof *places; i++)
                for (int o = 0; o < 3; o++) {
                        snprintf(path, sizeof path, "%s/r%d", places[i], o);
                        put(path, 0666, owner[o], 0);
                        snprintf(path, sizeof path, "%s/p%d", places[i], o);
                        mkfifo(path, 0666);
                        chmod(path, 0666);
                        chown(path, owner[o], 0);
                }
        place("stickyall/dd", 0777, 500, 0);
        symlink("r1", "all/tor1");
        symlink("r1", "stickyall/tor1");
        for (int v = 0; v < 3; v++) {
                char text[4] = { (char)('0' + v) };
                set_text(fs("fifos"), text);
                set_text(fs("regular"), text);
                set_text(fs("symlinks"), "0");
                say("to make what is there, %d\n", v);
                as(user, creates);
                say("root\n");
                as(root, creates);
        }
}

static void refused(void)
{
        SHOW("an ordinary user reads", open(fs("regular"), O_RDONLY) < 0 ? -1 : 0);
        SHOW("an ordinary user writes", set_text(fs("symlinks"), "0"));
}

int main(void)
{
        static const char *const names[] = { "hardlinks", "symlinks", "fifos", "regular" };
        char was[4][40];
        struct stat st;

        umask(0);
        chmod(".", 0755);
        for (int i = 0; i < 4; i++) {
                snprintf(was[i], sizeof was[i], "%s", text_of(fs(names[i])));
                say("%s %s", names[i], was[i]);
                SHOW("mode", stat(fs(names[i]), &st) == 0 ? (int)(st.st_mode & 0777) : -1);
                try(names[i], "0");
                try(names[i], "1");
                try(names[i], "2");
                try(names[i], "3");
                try(names[i], "-1");
        }
        as(user, refused);
        hard();
        soft();
        made();
        for (int i = 0; i < 4; i++)
                set_text(fs(names[i]), was[i]);
        CHECK("to the end", 1);
        return done();
}
