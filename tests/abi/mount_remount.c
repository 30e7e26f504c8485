/* SPDX-License-Identifier: Apache-2.0
 *
 * mount_remount: what keeps a file system from becoming read-only: open writers, and files that live on without a name.
 */
#include "mounts.h"

static int read_only(int flags) { return mount("", "m", "", MS_REMOUNT | MS_RDONLY | flags, ""); }
static int writable(int flags)  { return mount("", "m", "", MS_REMOUNT | flags, ""); }

/* The mount's own options and the file system's. */
static const char *options(void)
{
        static char found[100];
        char place[512], text[65536], *line, *rest = text;

        fields("m");
        snprintf(place, sizeof place, "%s/m", here);
        snprintf(text, sizeof text, "%s", text_of("/proc/self/mountinfo"));
        while ((line = strsep(&rest, "\n")) && *line) {
                char point[256], own[100], all[100];

                if (sscanf(line, "%*d %*d %*s %*s %255s %99s - tmpfs %*s %99[^,]", point, own, all) == 3 && !strcmp(point, place))
                        snprintf(found, sizeof found, "%.40s %.40s", own, all);
        }
        return found;
}

static void settles(const char *name)
{
        OKAY(name, read_only(0));
        OKAY("and back", writable(0));
}

static void flags(void)
{
        say("ok at first %s\n", options());
        OKAY("read-only", read_only(0));
        say("ok then %s\n", options());
        FAILS("nothing is made", EROFS, mkdir("m/d", 0700));
        OKAY("writable", writable(0));
        say("ok then %s\n", options());
        OKAY("the mount alone", read_only(MS_BIND));
        say("ok then %s\n", options());
        OKAY("writable", writable(0));
        say("ok then %s\n", options());
}

static void nameless(void)
{
        int  fd = open("m/f", O_RDWR | O_CREAT, 0600), r = open("m/f", O_RDONLY), status;
        char path[64];

        FAILS("a writer", EBUSY, read_only(0));
        FAILS("of the mount", EBUSY, read_only(MS_BIND));
        close(fd);
        settles("a reader is no matter");
        link("m/f", "m/g");
        unlink("m/f");
        settles("with a name left");
        unlink("m/g");
        FAILS("without", EBUSY, read_only(0));
        OKAY("the mount alone", read_only(MS_BIND));
        OKAY("back", writable(MS_BIND));
        void *map = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, r, 0);
        close(r);
        FAILS("mapped", EBUSY, read_only(0));
        munmap(map, PAGE);
        settles("gone");
        fd = open("m", O_TMPFILE | O_RDWR, 0600);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        r = open(path, O_RDONLY);
        close(fd);
        FAILS("O_TMPFILE", EBUSY, read_only(0));
        snprintf(path, sizeof path, "/proc/self/fd/%d", r);
        OKAY("gets a name", linkat(AT_FDCWD, path, AT_FDCWD, "m/named", AT_SYMLINK_FOLLOW));
        settles("which is enough");
        close(r);
        put_text("m/a", "");
        r = open("m/named", O_RDONLY);
        must(rename("m/a", "m/named") == 0, "rename");
        FAILS("renamed over", EBUSY, read_only(0));
        close(r);
        r = open("m/named", O_PATH);
        unlink("m/named");
        FAILS("O_PATH", EBUSY, read_only(0));
        close(r);
        settles("closed");
        mkdir("m/d", 0700);
        int p[2];
        pipe(p);
        pid_t pid = fork();
        if (pid == 0) {
                chdir("m/d");
                write(p[1], "x", 1);
                pause();
        }
        read(p[0], path, 1);
        rmdir("m/d");
        FAILS("somebody's directory", EBUSY, read_only(0));
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        settles("left");
}

int main(void)
{
        mkdir("m", 0755);
        must(mount("t", "m", "tmpfs", 0, "") == 0, "tmpfs");
        flags();
        nameless();
        OKAY("umount", umount("m"));
        return done();
}
