/* SPDX-License-Identifier: Apache-2.0
 *
 * pivot_others: pivot_root(2) moves every process that stands in the old root, and those alone.
 */
#include "mounts.h"
#include <pthread.h>

static int go[8][2], made, told[2];      /* each waits for a pipe of its own: they speak in turn */

static int is_here(const char *path) { return access(path, F_OK) == 0; }

/* A child that stands somewhere, says so, and looks again after the call. */
static pid_t child(int (*stand)(void), void (*look)(void))
{
        int   wait = go[made++][0];
        pid_t pid = fork();
        char  c = 'x';

        if (pid == 0) {
                failures = 0;
                must(stand() == 0, "stand");
                write(told[1], &c, 1);
                read(wait, &c, 1);
                look();
                _exit(done());
        }
        must(read(told[0], &c, 1) == 1, "told");
        return pid;
}

static int in_root(void) { return chdir("/"); }
static int in_dir(void) { return chdir("/dir"); }
static int rooted_in_dir(void) { return chdir("/dir") || chroot("."); }
static int rooted_above(void) { return chdir("/") || chroot("/dir"); }
static int in_new(void) { return chdir("/new"); }
static int own_namespace(void) { return unshare(CLONE_NEWNS) || chdir("/"); }

static void sees_new(void)
{
        CHECK("root: the new one", is_here("/here") && is_here("/old/there"));
        CHECK("working directory: the new one", is_here("here"));
}

static void stays_in_dir(void)
{
        char cwd[256];

        CHECK("dir: the root is new", is_here("/here"));
        CHECK("dir: the directory is the old one", is_here("in_dir") && getcwd(cwd, sizeof cwd) && !strcmp(cwd, "/old/dir"));
        CHECK("dir: above it", is_here("../there"));
}

static void keeps_both(void)
{
        CHECK("rooted: in its own", is_here("/in_dir") && is_here("in_dir") && !is_here("/here"));
}

static void keeps_root(void)
{
        CHECK("above: the root is its own", is_here("/in_dir") && !is_here("/here"));
        CHECK("above: the working directory is new", is_here("here"));
}

static void was_there(void)
{
        char cwd[256];

        CHECK("in new: it is the root now", is_here("here") && getcwd(cwd, sizeof cwd) && !strcmp(cwd, "/"));
}

static void unmoved(void) { CHECK("another namespace: nothing", is_here("/there") && is_here("there") && is_here("/new/here")); }

static void *thread(void *arg)
{
        char c = 'x';

        int wait = go[arg ? 7 : 6][0];
        if (arg)
                must(unshare(CLONE_FS) == 0, "unshare");
        write(told[1], &c, 1);
        read(wait, &c, 1);
        CHECK(arg ? "a thread with places of its own" : "a thread", is_here("/here") && is_here("here"));
        return NULL;
}

static int inside(void)
{
        pthread_t t[2];
        pid_t     pid[6];
        char      c;

        must(!unshare(CLONE_NEWNS), "unshare");
        must(!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
        must(!tmpfs_at("a") && !mkdir("a/dir", 0755) && !mkdir("a/new", 0755), "a");
        must(!chroot("a") && !chdir("/"), "chroot");
        must(!tmpfs_at("new") && !mkdir("new/old", 0755), "new");
        put_text("dir/in_dir", "");
        put_text("there", "");
        put_text("new/here", "");
        pid[0] = child(in_root, sees_new);
        pid[1] = child(in_dir, stays_in_dir);
        pid[2] = child(rooted_in_dir, keeps_both);
        pid[3] = child(rooted_above, keeps_root);
        pid[4] = child(in_new, was_there);
        pid[5] = child(own_namespace, unmoved);
        for (long i = 0; i < 2; i++) {
                pthread_create(&t[i], NULL, thread, (void *)i);
                read(told[0], &c, 1);
        }
        OKAY("pivot", syscall(SYS_pivot_root, "new", "new/old"));
        CHECK("the caller", is_here("/here") && is_here("here"));
        for (int i = 0; i < 2; i++) {
                write(go[6 + i][1], "x", 1);
                pthread_join(t[i], NULL);
        }
        static const char *const names[] = { "in the root", "in a directory", "rooted in it", "rooted below the root", "in the new one", "in another namespace" };
        for (int i = 0; i < 6; i++) {
                write(go[i][1], "x", 1);
                CHECK(names[i], result_of(pid[i]) == 0);
        }
        return done();
}

int main(void)
{
        mkdir("a", 0755);
        for (int i = 0; i < 8; i++)
                pipe(go[i]);
        pipe(told);
        CHECK("inside", in_child(inside) == 0);
        return done();
}
