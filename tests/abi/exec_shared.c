/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: execve of set-id programs and programs with capabilities by a process that shares what with another: its root and working directory
 * (CLONE_FS), its descriptors, its memory and handlers; by users, users who could change their id anyway, and root without capabilities.
 */
#include "caps.h"
#include <pthread.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/xattr.h>

static void user(void) { become_user(1000); }
static void user_setuid(void) { caps_user(CAP(CAP_SETUID)); }
static void user_setgid(void) { caps_user(CAP(CAP_SETGID)); }
static void user_ambient(void)
{
        caps_user(CAP(CAP_CHOWN));
        caps_set(CAP(CAP_CHOWN), CAP(CAP_CHOWN), CAP(CAP_CHOWN));
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0);
}
static void root(void) {}
static void root_few(void) { caps_set(CAP(CAP_KILL), CAP(CAP_KILL), 0); }
static void euid_user(void) { setresgid(0, 1000, 0); setresuid(0, 1000, 0); }

#define WHO(fn) { #fn, fn }
static const struct { const char *name; void (*fn)(void); } who[] = {
        WHO(user), WHO(user_setuid), WHO(user_setgid), WHO(user_ambient), WHO(root), WHO(root_few), WHO(euid_user),
};

static const struct { const char *name; uid_t uid; gid_t gid; int mode; uint64_t caps; } files[] = {
        { "plain", 0, 0, 0755, 0 }, { "suid0", 0, 0, 04755, 0 }, { "both500", 500, 500, 06755, 0 }, { "sgid500", 0, 500, 02755, 0 },
        { "caps", 0, 0, 0755, CAP(CAP_KILL) | CAP(CAP_SETUID) },
};
#define FILES (sizeof files / sizeof *files)

static void make(void)
{
        static char buf[65536];

        for (unsigned i = 0; i < FILES; i++) {
                ssize_t n;
                int from = open("/proc/self/exe", O_RDONLY), fd = open(files[i].name, O_WRONLY | O_CREAT | O_TRUNC, 0755);
                while ((n = read(from, buf, sizeof buf)) > 0)
                        write(fd, buf, n);
                close(fd);
                close(from);
                chown(files[i].name, files[i].uid, files[i].gid);
                chmod(files[i].name, files[i].mode);
                if (files[i].caps) {
                        struct vfs_cap_data d = { .magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE };
                        d.data[0].permitted = (uint32_t)files[i].caps;
                        must(setxattr(files[i].name, "security.capability", &d, XATTR_CAPS_SZ_2, 0) == 0, "setxattr");
                }
        }
}

static void become(const char *title, const char *path)
{
        personality(ADDR_COMPAT_LAYOUT);
        execl(path, "prog", title, NULL);
        say("%s: exec errno %d\n", title, errno);
        _exit(0);
}

/* Its parent shares with it what the flags say. */
static void beside(const char *title, const char *path, void (*before)(void), long flags)
{
        pid_t pid = (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
        if (pid == 0) {
                before();
                become(title, path);
        }
        result_of(pid);
}

static int waits(void *p) { (void)p; pause(); return 0; }
static int ends(void *p) { (void)p; return 0; }
static int goes_apart(void *p) { unshare(CLONE_FS); write(*(int *)p, "x", 1); pause(); return 0; }

static char stack[65536] __attribute__((aligned(16)));

/* It has a child of these flags when it runs the program. */
static void above(const char *title, const char *path, int (*child)(void *), int flags, int reap)
{
        pid_t pid = fork();
        if (pid == 0) {
                int p[2];
                char c;
                user();
                must(pipe(p) == 0, "pipe");
                pid_t other = clone(child, stack + sizeof stack, flags | SIGCHLD, &p[1]);
                must(other > 0, "clone");
                if (child == ends)
                        waitid(P_PID, other, NULL, reap ? WEXITED : WEXITED | WNOWAIT);
                if (child == goes_apart)
                        read(p[0], &c, 1);
                pid_t maker = getpid();
                if (fork() == 0) {              /* ends the child, when the program has told */
                        int up[2] = { p[1], p[0] };
                        prctl(PR_SET_PDEATHSIG, 0);
                        close(up[0]);
                        while (getppid() == maker)
                                usleep(2000);
                        kill(other, SIGKILL);
                        _exit(0);
                }
                become(title, path);
        }
        result_of(pid);
}

static void *thread_waits(void *p) { (void)p; pause(); return NULL; }
static void *thread_ends(void *p) { return p; }
static void *thread_becomes(void *p) { become("by a thread", p); return NULL; }

static void with_thread(const char *title, void *(*fn)(void *), int join)
{
        pid_t pid = fork();
        if (pid == 0) {
                pthread_t t;
                user();
                must(pthread_create(&t, NULL, fn, "./both500") == 0, "thread");
                if (join)
                        pthread_join(t, NULL);
                if (fn == thread_becomes)
                        pause();
                become(title, "./both500");
        }
        result_of(pid);
}

int main(int argc, char **argv)
{
        char title[100], path[100];

        if (argc > 1) {
                caps_show(argv[1]);
                say("  secure %ld fsuid %ld fsgid %ld personality %x\n", getauxval(AT_SECURE), syscall(SYS_setfsuid, -1), syscall(SYS_setfsgid, -1),
                    personality(0xffffffff));
                return 0;
        }
        umask(0);
        chmod(".", 0755);
        make();
        for (unsigned w = 0; w < sizeof who / sizeof *who; w++)
                for (unsigned f = 0; f < FILES; f++) {
                        snprintf(title, sizeof title, "%s, %s", who[w].name, files[f].name);
                        snprintf(path, sizeof path, "./%s", files[f].name);
                        beside(title, path, who[w].fn, CLONE_FS);
                }
        beside("nothing shared", "./both500", user, 0);
        beside("descriptors", "./both500", user, CLONE_FILES);
        beside("undo lists", "./both500", user, CLONE_SYSVSEM | CLONE_IO);
        above("memory and handlers", "./both500", waits, CLONE_VM | CLONE_SIGHAND, 0);
        above("a child", "./both500", waits, CLONE_FS, 0);
        above("a child with all", "./both500", waits, CLONE_FS | CLONE_VM | CLONE_SIGHAND | CLONE_FILES, 0);
        above("a child that has ended", "./both500", ends, CLONE_FS, 0);
        above("a child that was waited for", "./both500", ends, CLONE_FS, 1);
        above("a child that went apart", "./both500", goes_apart, CLONE_FS, 0);
        with_thread("a thread", thread_waits, 0);
        with_thread("a joined thread", thread_ends, 1);
        with_thread("by a thread", thread_becomes, 0);
        for (int i = 0; i < 20; i++)
                with_thread("again", thread_ends, 1);
        CHECK("to the end", 1);
        return done();
}
