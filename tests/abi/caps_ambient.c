/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: ambient capabilities: PR_CAP_AMBIENT's operations and their errors, what lowers the set, what execve makes of it.
 */
#include "caps.h"
#include <sys/xattr.h>

#define AMB(op, cap) prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_##op, cap, 0, 0)

static const char *self;

static void have(uint64_t caps)
{
        caps_user(caps);
        caps_set(caps, caps, caps);
        for (int i = 0; i <= CAP_LAST_CAP; i++)
                if (caps & CAP(i))
                        AMB(RAISE, i);
}

static void two(void) { have(CAP(CAP_KILL) | CAP(CAP_CHOWN)); }
static void two_no_effective(void) { two(); struct caps c = caps_get(); caps_set(0, c.permitted, c.inheritable); }
static void two_nnp(void) { two(); prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }
static void two_not_inheritable(void) { two(); struct caps c = caps_get(); caps_set(c.effective, c.permitted, CAP(CAP_KILL)); }
static void two_noroot(void)
{
        prctl(PR_SET_SECUREBITS, SECBIT_NOROOT);
        two();
}
static void root_ambient(void)
{
        caps_set(CAP_ALL, CAP_ALL, CAP(CAP_KILL));
        AMB(RAISE, CAP_KILL);
}
static void root_noroot_ambient(void) { root_ambient(); prctl(PR_SET_SECUREBITS, SECBIT_NOROOT); }
static void unbounded(void)
{
        prctl(PR_CAPBSET_DROP, CAP_KILL);
        two();
}
static void groups_differ(void) { prctl(PR_SET_KEEPCAPS, 1); setresgid(1000, 1000, 500); setresuid(1000, 1000, 1000);
                                  caps_set(CAP(CAP_KILL), CAP(CAP_KILL), CAP(CAP_KILL)); AMB(RAISE, CAP_KILL); }
static void ids_differ(void) { prctl(PR_SET_KEEPCAPS, 1); setresuid(1000, 2000, 1000);
                               caps_set(CAP(CAP_KILL), CAP(CAP_KILL), CAP(CAP_KILL)); AMB(RAISE, CAP_KILL); }

static void operations(void)
{
        have(CAP(CAP_KILL));
        caps_set(CAP(CAP_KILL), CAP(CAP_KILL), CAP(CAP_KILL));
        SHOW("is set", AMB(IS_SET, CAP_KILL));
        SHOW("another", AMB(IS_SET, CAP_CHOWN));
        SHOW("beyond the last", AMB(IS_SET, 41));
        SHOW("64", AMB(IS_SET, 64));
        SHOW("-1", AMB(IS_SET, -1L));
        SHOW("raise what is not permitted", AMB(RAISE, CAP_CHOWN));
        SHOW("raise beyond", AMB(RAISE, 41));
        SHOW("raise again", AMB(RAISE, CAP_KILL));
        SHOW("lower what is not there", AMB(LOWER, CAP_CHOWN));
        SHOW("lower beyond", AMB(LOWER, 41));
        SHOW("lower", AMB(LOWER, CAP_KILL));
        SHOW("lower again", AMB(LOWER, CAP_KILL));
        SHOW("clear all", AMB(CLEAR_ALL, 0));
        SHOW("clear with an argument", AMB(CLEAR_ALL, 1));
        SHOW("unknown operation", prctl(PR_CAP_AMBIENT, 5, 0, 0, 0));
        SHOW("operation 0", prctl(PR_CAP_AMBIENT, 0, 0, 0, 0));
        SHOW("a fourth argument", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 0, 1, 0));
        SHOW("a fifth argument", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 0, 0, 1));
        /* Permitted, not inheritable, and the other way round. */
        caps_set(CAP(CAP_KILL), CAP(CAP_KILL), 0);
        SHOW("not inheritable", AMB(RAISE, CAP_KILL));
        caps_set(0, CAP(CAP_KILL), CAP(CAP_KILL));
        SHOW("not effective", AMB(RAISE, CAP_KILL));
        caps_set(0, 0, CAP(CAP_KILL));
        SHOW("dropped with permitted", AMB(IS_SET, CAP_KILL));
        SHOW("not permitted", AMB(RAISE, CAP_KILL));
}

static void lowered(void)
{
        uint64_t all = CAP(CAP_KILL) | CAP(CAP_CHOWN) | CAP(CAP_SETPCAP);
        have(all);
        caps_show("three");
        caps_set(all, all, all & ~CAP(CAP_CHOWN));
        caps_show("one no longer inheritable");
        caps_set(0, all & ~CAP(CAP_KILL), all & ~CAP(CAP_CHOWN));
        caps_show("one no longer permitted");
        caps_set(0, all & ~CAP(CAP_KILL), all);
        caps_show("inheritable again");
}

static void bits(void)
{
        have(CAP(CAP_KILL) | CAP(CAP_CHOWN) | CAP(CAP_SETPCAP));
        SHOW("no more to be raised", prctl(PR_SET_SECUREBITS, SECBIT_NO_CAP_AMBIENT_RAISE));
        caps_show("what is raised stays");
        SHOW("raise the same", AMB(RAISE, CAP_KILL));
        SHOW("lower", AMB(LOWER, CAP_KILL));
        SHOW("raise", AMB(RAISE, CAP_KILL));
        SHOW("allowed again", prctl(PR_SET_SECUREBITS, 0));
        SHOW("raise again", AMB(RAISE, CAP_KILL));
}

static int in(void (*fn)(void))
{
        pid_t pid = fork();
        if (pid == 0) {
                fn();
                _exit(0);
        }
        return result_of(pid);
}

static void copy(const char *to, int mode)
{
        char buf[65536];
        ssize_t n;
        int from = open(self, O_RDONLY), fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
        while ((n = read(from, buf, sizeof buf)) > 0)
                write(fd, buf, n);
        close(fd);
        chmod(to, mode);
}

int main(int argc, char **argv)
{
        self = "/proc/self/exe";
        if (argc > 1) {
                caps_show(argv[1]);
                return 0;
        }
        chmod(".", 0755);
        umask(022);
        in(operations);
        in(lowered);
        in(bits);
        copy("prog", 0755);
        caps_run("a plain program", "./prog", two);
        caps_run("not effective", "./prog", two_no_effective);
        caps_run("no_new_privs", "./prog", two_nnp);
        caps_run("one not inheritable", "./prog", two_not_inheritable);
        caps_run("noroot", "./prog", two_noroot);
        caps_run("root", "./prog", root_ambient);
        caps_run("root, noroot", "./prog", root_noroot_ambient);
        caps_run("outside the bounding set", "./prog", unbounded);
        caps_run("a saved group of another", "./prog", groups_differ);
        caps_run("ids that differ", "./prog", ids_differ);
        copy("suid", 04755);
        caps_run("set-user-id root", "./suid", two);
        caps_run("set-user-id root, no_new_privs", "./suid", two_nnp);
        copy("own", 0755);
        chown("own", 1000, 1000);
        chmod("own", 06755);
        caps_run("set-id to what one is", "./own", two);
        copy("sgid", 0755);
        chown("sgid", 0, 77);
        chmod("sgid", 02755);
        caps_run("set-group-id", "./sgid", two);
        chmod("sgid", 02745);
        caps_run("set-group-id without x: not one", "./sgid", two);
        copy("caps", 0755);
        struct vfs_cap_data d = { .magic_etc = VFS_CAP_REVISION_2 };
        setxattr("caps", "security.capability", &d, XATTR_CAPS_SZ_2, 0);
        caps_run("empty file capabilities", "./caps", two);
        d.data[0].inheritable = 1 << CAP_CHOWN;
        setxattr("caps", "security.capability", &d, XATTR_CAPS_SZ_2, 0);
        caps_run("inheritable file capabilities", "./caps", two);
        caps_run("file capabilities and no_new_privs", "./caps", two_nnp);
        put_text("script", "#!./prog script\n");
        chmod("script", 0755);
        caps_run("a script", "./script", two);
        CHECK("to the end", 1);
        return done();
}
