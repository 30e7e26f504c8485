/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: execve of set-id programs and programs with capabilities, by root, by users, by users with capabilities, with
 * no_new_privs, nosuid, by another's set-id, as a script: ids, capability sets, AT_SECURE, dumpable, death signal, personality.
 */
#include "caps.h"
#include <sys/auxv.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/xattr.h>

static void plain(void) {}
static void user(void) { become_user(1000); }
static void user_nnp(void) { user(); prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }
static void user_caps(void) { caps_user(CAP(CAP_KILL) | CAP(CAP_CHOWN)); }
static void user_inherits(void) { caps_user(CAP(CAP_KILL)); caps_set(CAP(CAP_KILL), CAP(CAP_KILL), CAP(CAP_KILL)); }
static void user_inherits_only(void) { user_inherits(); caps_set(0, 0, CAP(CAP_KILL)); }
static void euid_user(void) { setresgid(0, 1000, 0); setresuid(0, 1000, 0); }
static void ruid_user(void) { setresuid(1000, 0, 0); }
static void saved_root(void) { setresuid(1000, 1000, 0); }
static void root_few(void) { caps_set(CAP(CAP_KILL), CAP(CAP_KILL), 0); }
static void root_none(void) { caps_set(0, 0, 0); }
static void root_inherits(void) { caps_set(0, 0, CAP(CAP_KILL)); }
static void root_nnp(void) { prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }
static void root_noroot(void) { prctl(PR_SET_SECUREBITS, SECBIT_NOROOT); }
static void fsuid_user(void) { syscall(SYS_setfsuid, 1000); }
static void user_undumpable(void) { user(); prctl(PR_SET_DUMPABLE, 0); }

#define WHO(fn) { #fn, fn }
static const struct { const char *name; void (*fn)(void); } who[] = {
        WHO(plain), WHO(user), WHO(user_nnp), WHO(user_caps), WHO(user_inherits), WHO(user_inherits_only), WHO(euid_user), WHO(ruid_user),
        WHO(saved_root), WHO(root_few), WHO(root_none), WHO(root_inherits), WHO(root_nnp), WHO(root_noroot), WHO(fsuid_user), WHO(user_undumpable),
};

static const struct { const char *name; uid_t uid; gid_t gid; int mode; int caps; uint64_t permitted, inheritable; int effective; } files[] = {
        { "plain", 0, 0, 0755, 0, 0, 0, 0 },
        { "suid0", 0, 0, 04755, 0, 0, 0, 0 },
        { "suid500", 500, 0, 04755, 0, 0, 0, 0 },
        { "suid1000", 1000, 0, 04755, 0, 0, 0, 0 },
        { "sgid500", 0, 500, 02755, 0, 0, 0, 0 },
        { "both500", 500, 500, 06755, 0, 0, 0, 0 },
        { "unreadable", 0, 0, 0711, 0, 0, 0, 0 },
        { "caps", 0, 0, 0755, 1, CAP(CAP_KILL) | CAP(CAP_SETUID), 0, 1 },
        { "permitted", 0, 0, 0755, 1, CAP(CAP_KILL) | CAP(CAP_SETUID), 0, 0 },
        { "inherit", 0, 0, 0755, 1, 0, CAP(CAP_KILL) | CAP(CAP_CHOWN), 1 },
        { "empty", 0, 0, 0755, 1, 0, 0, 0 },
        { "emptyeff", 0, 0, 0755, 1, 0, 0, 1 },
        { "suid0caps", 0, 0, 04755, 1, CAP(CAP_KILL), 0, 1 },
        { "suid500caps", 500, 0, 04755, 1, CAP(CAP_KILL), 0, 1 },
        { "suid0empty", 0, 0, 04755, 1, 0, 0, 0 },
};
#define FILES (sizeof files / sizeof *files)

static void make(const char *dir)
{
        static char buf[65536];
        char path[100];

        for (unsigned i = 0; i < FILES; i++) {
                ssize_t n;
                snprintf(path, sizeof path, "%s/%s", dir, files[i].name);
                int from = open("/proc/self/exe", O_RDONLY), fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
                while ((n = read(from, buf, sizeof buf)) > 0)
                        write(fd, buf, n);
                close(fd);
                close(from);
                chown(path, files[i].uid, files[i].gid);
                chmod(path, files[i].mode);
                if (files[i].caps) {
                        struct vfs_cap_data d = { .magic_etc = VFS_CAP_REVISION_2 | (files[i].effective ? VFS_CAP_FLAGS_EFFECTIVE : 0) };
                        d.data[0].permitted = (uint32_t)files[i].permitted;
                        d.data[0].inheritable = (uint32_t)files[i].inheritable;
                        must(setxattr(path, "security.capability", &d, XATTR_CAPS_SZ_2, 0) == 0, "setxattr");
                }
        }
}

static void run(const char *title, const char *path, void (*before)(void))
{
        pid_t pid = fork();
        if (pid == 0) {
                personality(ADDR_COMPAT_LAYOUT);
                before();
                prctl(PR_SET_PDEATHSIG, SIGUSR2);
                execl(path, "prog", title, NULL);
                say("%s: exec errno %d\n", title, errno);
                _exit(0);
        }
        result_of(pid);
}

int main(int argc, char **argv)
{
        char title[100], path[100];

        if (argc > 1) {
                int sig = -1;
                for (int i = 1; i < argc; i++)
                        if (strchr(argv[i], ',')) {
                                caps_show(argv[i]);
                                prctl(PR_GET_PDEATHSIG, &sig);
                                say("  secure %ld fsuid %ld fsgid %ld death signal %d personality %x\n", getauxval(AT_SECURE), syscall(SYS_setfsuid, -1),
                                    syscall(SYS_setfsgid, -1), sig, personality(0xffffffff));
                                return 0;
                        }
                return 1;
        }
        umask(0);
        chmod(".", 0755);
        make(".");
        for (unsigned w = 0; w < sizeof who / sizeof *who; w++)
                for (unsigned f = 0; f < FILES; f++) {
                        snprintf(title, sizeof title, "%s, %s", who[w].name, files[f].name);
                        snprintf(path, sizeof path, "./%s", files[f].name);
                        run(title, path, who[w].fn);
                }
        mkdir("m", 0755);
        must(mount(".", "m", NULL, MS_BIND, NULL) == 0 && mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_NOSUID, NULL) == 0, "mount");
        run("user, nosuid suid0", "m/suid0", user);
        run("user, nosuid caps", "m/caps", user);
        run("plain, nosuid suid500", "m/suid500", plain);
        umount("m");
        put_text("script", "#!./suid0\n");
        chmod("script", 0755);
        run("user, script", "./script", user);
        put_text("script", "#!./plain\n");
        chmod("script", 06755);
        run("user, set-id script", "./script", user);
        put_text("script", "#!./caps\n");
        chmod("script", 0755);
        run("user, script with capabilities", "./script", user);
        CHECK("to the end", 1);
        return done();
}
