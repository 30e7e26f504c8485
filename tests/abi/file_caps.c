/* SPDX-License-Identifier: Apache-2.0
 * File capabilities and set-user-id at execve, no_new_privs, securebits.  capabilities(7). */
#include "abi.h"
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/xattr.h>

static const char *self;

static void set_caps(const char *path, unsigned permitted, unsigned inheritable, int effective)
{
        struct vfs_cap_data d = { .magic_etc = VFS_CAP_REVISION_2 | (effective ? VFS_CAP_FLAGS_EFFECTIVE : 0) };
        d.data[0].permitted = permitted;
        d.data[0].inheritable = inheritable;
        OKAY("set the attribute", setxattr(path, "security.capability", &d, XATTR_CAPS_SZ_2, 0));
}
static void get(struct __user_cap_data_struct d[2])
{
        struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
        syscall(SYS_capget, &h, d);
}
/* Runs path as uid with what `before` sets up; it prints its ids and capabilities. */
static void run(const char *title, const char *path, uid_t uid, void (*before)(void))
{
        pid_t pid = fork();
        int   status;

        if (!pid) {
                setgroups(0, NULL);
                if (uid) {
                        setresgid(uid, uid, uid);
                        setresuid(uid, uid, uid);
                }
                if (before)
                        before();
                execl(path, "show", title, NULL);
                say("%s: exec errno %d\n", title, errno);
                _exit(0);
        }
        waitpid(pid, &status, 0);
}
static void show(const char *title)
{
        struct __user_cap_data_struct d[2];
        uid_t r, e, s;

        get(d);
        getresuid(&r, &e, &s);
        say("%s: uid %d %d %d permitted %x effective %x inheritable %x ambient %d secure %d\n", title, r, e, s,
            d[0].permitted == ~0u ? 0xfff : d[0].permitted & 0xfff, d[0].effective & 0xfff, d[0].inheritable & 0xfff,
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0), (int)prctl(PR_GET_DUMPABLE));
}
static void no_new(void) { prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }
static void inherit(void)
{
        struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
        struct __user_cap_data_struct d[2];
        get(d);
        d[0].inheritable = 1 << CAP_KILL;
        d[1].inheritable = 0;
        syscall(SYS_capset, &h, d);
}
static void inherit_and_drop(void) { inherit(); setresuid(1000, 1000, 1000); }
static void ambient(void)
{
        struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
        struct __user_cap_data_struct d[2] = { };
        prctl(PR_SET_KEEPCAPS, 1);
        inherit();
        setresuid(1000, 1000, 1000);
        get(d);
        d[0].permitted = d[0].effective = d[0].inheritable = 1 << CAP_KILL;
        d[1] = (struct __user_cap_data_struct){ };
        syscall(SYS_capset, &h, d);
        OKAY("raise ambient", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0));
}
static void noroot(void) { OKAY("securebits", prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED)); }
static void bounded(void)
{
        OKAY("drop from the bounding set", prctl(PR_CAPBSET_DROP, CAP_KILL));
        setresuid(1000, 1000, 1000);
}

int main(int argc, char **argv)
{
        self = argv[0];
        if (argc > 1) {
                show(argv[1]);
                return 0;
        }
        char   copy[300];
        size_t n;
        FILE  *in = fopen("/proc/self/exe", "r"), *out = fopen("prog", "w");
        while ((n = fread(copy, 1, sizeof copy, in)) > 0)
                fwrite(copy, 1, n, out);
        fclose(out);
        chmod("prog", 0755);
        chmod(".", 0755);

        run("plain user", "./prog", 1000, NULL);
        run("plain root", "./prog", 0, NULL);
        set_caps("prog", 1 << CAP_KILL, 0, 1);
        run("permitted and effective", "./prog", 1000, NULL);
        run("with no_new_privs", "./prog", 1000, no_new);
        run("outside the bounding set", "./prog", 0, bounded);
        set_caps("prog", 1 << CAP_KILL | 1 << CAP_CHOWN, 0, 0);
        run("permitted only", "./prog", 1000, NULL);
        set_caps("prog", 0, 1 << CAP_KILL, 1);
        run("inheritable, not inherited", "./prog", 1000, NULL);
        run("inheritable, inherited", "./prog", 0, inherit_and_drop);
        removexattr("prog", "security.capability");
        run("ambient", "./prog", 0, ambient);
        run("root without root's rights", "./prog", 0, noroot);
        set_caps("prog", 1 << CAP_KILL, 0, 1);
        run("ambient is lost to file capabilities", "./prog", 0, ambient);
        OKAY("a write", close(open("prog", O_WRONLY | O_APPEND)));
        int fd = open("prog", O_WRONLY | O_APPEND);
        write(fd, "", 1);
        close(fd);
        run("a write takes them away", "./prog", 1000, NULL);

        chmod("prog", 04755);
        chown("prog", 500, 500);
        chmod("prog", 04755);
        run("set-user-id of another", "./prog", 1000, NULL);
        run("and no_new_privs", "./prog", 1000, no_new);
        chown("prog", 0, 0);
        chmod("prog", 04755);
        run("set-user-id root", "./prog", 1000, NULL);
        mkdir("m", 0755);
        mount(".", "m", NULL, MS_BIND, NULL);
        OKAY("nosuid", mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_NOSUID, NULL));
        run("on nosuid", "m/prog", 1000, NULL);
        umount("m");
        struct vfs_cap_data bad = { .magic_etc = 0x05000000 };
        FAILS("unknown version", EINVAL, setxattr("prog", "security.capability", &bad, XATTR_CAPS_SZ_2, 0));
        FAILS("wrong size", EINVAL, setxattr("prog", "security.capability", &bad, 3, 0));
        return done();
}
