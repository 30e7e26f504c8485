/* SPDX-License-Identifier: Apache-2.0
 *
 * proc_own: what a process that gave up root still sees of itself in /proc, and what nobody can make there.
 */
#include "abi.h"
#include "show.h"
#include <dirent.h>

static int entries(const char *path)
{
        DIR *d = opendir(path);
        int n = 0;

        if (!d)
                return -1;
        while (readdir(d))
                n++;
        closedir(d);
        return n > 2;
}

static int user(void)
{
        char target[256];

        become_user(1000);
        SHOW("own fd", entries("/proc/self/fd"));
        SHOW("own fd/0", (readlink("/proc/self/fd/0", target, sizeof target) > 0) - 1);
        SHOW("by access", access("/proc/self/fd", R_OK | X_OK));
        SHOW("own fdinfo", entries("/proc/self/fdinfo"));
        SHOW("own fdinfo/0", access("/proc/self/fdinfo/0", F_OK));
        SHOW("own task's fd", entries("/proc/thread-self/fd"));
        SHOW("own environ", access("/proc/self/environ", R_OK));
        SHOW("own maps", close(open("/proc/self/maps", O_RDONLY)));
        SHOW("own cwd", (readlink("/proc/self/cwd", target, sizeof target) > 0) - 1);
        SHOW("own ns", (readlink("/proc/self/ns/mnt", target, sizeof target) > 0) - 1);
        SHOW("the fd of init", entries("/proc/1/fd"));
        return done();
}

static void make_in(const char *dir)
{
        char name[128], self[128];

        snprintf(name, sizeof name, "%s/name", dir);
        snprintf(self, sizeof self, "%s/%s", dir, !strcmp(dir, "/proc") ? "version" : "kernel");
        say("%s\n", dir);
        SHOW("link of a file", link("f", name));
        SHOW("link of its own", link(self, name));
        SHOW("mkdir", mkdir(name, 0755));
        SHOW("symlink", symlink("f", name));
        SHOW("create", open(name, O_CREAT | O_WRONLY, 0644));
        SHOW("rename", rename("f", name));
        SHOW("unlink", unlink(name));
}

int main(void)
{
        must(close(open("f", O_CREAT | O_WRONLY, 0644)) == 0, "f");
        CHECK("as a user", in_child(user) == 0);
        make_in("/proc");
        make_in("/sys");
        return done();
}
