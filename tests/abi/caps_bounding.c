/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: the bounding set: PR_CAPBSET_READ and DROP with their errors, capset within it, what execve gives root and files with
 * capabilities, fork; capset's and capget's errors.
 */
#include "caps.h"
#include <pthread.h>
#include <sys/xattr.h>

static void drop_kill(void) { prctl(PR_CAPBSET_DROP, CAP_KILL); }
static void drop_kill_user(void) { drop_kill(); setresuid(1000, 1000, 1000); }
static void drop_kill_inheritable(void)
{
        caps_set(CAP_ALL, CAP_ALL, CAP(CAP_KILL));
        drop_kill_user();
}
static void drop_all(void) { for (int i = 0; i <= CAP_LAST_CAP; i++) prctl(PR_CAPBSET_DROP, i); }
static void drop_all_keep(void) { drop_all(); prctl(PR_SET_KEEPCAPS, 1); setresuid(1000, 1000, 1000); }
static void nothing(void) {}
static void user(void) { setresuid(1000, 1000, 1000); }
static void inheritable_only(void) { caps_set(CAP_ALL, CAP_ALL, CAP(CAP_KILL)); drop_all(); }

static void file_caps(uint64_t permitted, uint64_t inheritable, int effective)
{
        struct vfs_cap_data d = { .magic_etc = VFS_CAP_REVISION_2 | (effective ? VFS_CAP_FLAGS_EFFECTIVE : 0) };
        d.data[0].permitted = (uint32_t)permitted;
        d.data[1].permitted = (uint32_t)(permitted >> 32);
        d.data[0].inheritable = (uint32_t)inheritable;
        d.data[1].inheritable = (uint32_t)(inheritable >> 32);
        must(setxattr("caps", "security.capability", &d, XATTR_CAPS_SZ_2, 0) == 0, "setxattr");
}

static void *in_thread(void *arg)
{
        SHOW("a thread drops", prctl(PR_CAPBSET_DROP, CAP_SYSLOG));
        SHOW("it is gone there", prctl(PR_CAPBSET_READ, CAP_SYSLOG));
        return arg;
}

static int errors(void)
{
        struct __user_cap_header_struct h = { 0x12345678, 0 };
        struct __user_cap_data_struct d[3] = { };

        SHOW("unknown version", syscall(SYS_capget, &h, d));
        CHECK("the version to use is told", h.version == _LINUX_CAPABILITY_VERSION_3);
        h.version = 1;
        SHOW("version probe", syscall(SYS_capget, &h, NULL));
        h.version = 1;
        SHOW("capset of an unknown version", syscall(SYS_capset, &h, d));
        CHECK("told too", h.version == _LINUX_CAPABILITY_VERSION_3);
        h = (struct __user_cap_header_struct){ _LINUX_CAPABILITY_VERSION_1, 0 };
        d[1].effective = 77;
        SHOW("version 1", syscall(SYS_capget, &h, d));
        CHECK("one element alone", d[1].effective == 77 && d[0].effective == ~0u);
        h = (struct __user_cap_header_struct){ _LINUX_CAPABILITY_VERSION_2, 0 };
        SHOW("version 2", syscall(SYS_capget, &h, d));
        h = (struct __user_cap_header_struct){ _LINUX_CAPABILITY_VERSION_3, -1 };
        SHOW("pid -1", syscall(SYS_capget, &h, d));
        h.pid = 999999;
        SHOW("no such pid", syscall(SYS_capget, &h, d));
        h.pid = 1;
        SHOW("init's", syscall(SYS_capget, &h, d));
        SHOW("capset for another", syscall(SYS_capset, &h, d));
        h.pid = getpid();
        syscall(SYS_capget, &h, d);
        SHOW("capset for oneself by number", syscall(SYS_capset, &h, d));
        h.pid = -2;
        SHOW("capset pid -2", syscall(SYS_capset, &h, d));
        h.pid = 0;
        SHOW("bad header", syscall(SYS_capget, BAD_PTR, d));
        SHOW("bad data", syscall(SYS_capget, &h, BAD_PTR));
        SHOW("no data", syscall(SYS_capget, &h, NULL));
        SHOW("capset bad data", syscall(SYS_capset, &h, BAD_PTR));
        SHOW("capset no data", syscall(SYS_capset, &h, NULL));
        SHOW("read beyond the last", prctl(PR_CAPBSET_READ, 41));
        SHOW("read 40", prctl(PR_CAPBSET_READ, 40));
        SHOW("read -1", prctl(PR_CAPBSET_READ, -1L));
        SHOW("drop beyond the last", prctl(PR_CAPBSET_DROP, 41));
        SHOW("read with more arguments", prctl(PR_CAPBSET_READ, 1, 2, 3, 4));
        SHOW("effective above permitted", caps_set(CAP(1), 0, 0));
        SHOW("drop permitted", caps_set(CAP(1) | CAP(8), CAP(1) | CAP(8), 0));
        SHOW("raise permitted", caps_set(CAP(1), CAP(1) | CAP(2) | CAP(8), 0));
        SHOW("inheritable from the bounding set, with SETPCAP", caps_set(CAP(8), CAP(1) | CAP(8), CAP(5)));
        SHOW("bits beyond the last", caps_set(CAP(8), CAP(1) | CAP(8), ~0ull));
        caps_show("after that");
        SHOW("no SETPCAP in effect", caps_set(CAP(1), CAP(1) | CAP(8), 0));
        SHOW("inheritable from permitted", caps_set(CAP(1), CAP(1) | CAP(8), CAP(1)));
        SHOW("inheritable from the bounding set alone", caps_set(CAP(1), CAP(1) | CAP(8), CAP(5)));
        SHOW("drop without SETPCAP", prctl(PR_CAPBSET_DROP, 1));
        SHOW("permitted bits beyond the last", caps_set(CAP(1), CAP(1) | CAP(50), 0));
        return 0;
}

static int dropped(void)
{
        pthread_t t;

        SHOW("drop", prctl(PR_CAPBSET_DROP, CAP_KILL));
        SHOW("read", prctl(PR_CAPBSET_READ, CAP_KILL));
        caps_show("still permitted");
        SHOW("inheritable outside the bounding set", caps_set(CAP_ALL, CAP_ALL, CAP(CAP_KILL)));
        SHOW("another inheritable", caps_set(CAP_ALL, CAP_ALL, CAP(CAP_CHOWN)));
        SHOW("drop that", prctl(PR_CAPBSET_DROP, CAP_CHOWN));
        SHOW("what is inheritable already may stay", caps_set(CAP_ALL, CAP_ALL, CAP(CAP_CHOWN)));
        pthread_create(&t, NULL, in_thread, NULL);
        pthread_join(t, NULL);
        SHOW("not here", prctl(PR_CAPBSET_READ, CAP_SYSLOG));
        pid_t pid = fork();
        if (pid == 0)
                _exit(prctl(PR_CAPBSET_READ, CAP_KILL));
        CHECK("a child has the same", result_of(pid) == 0);
        return 0;
}

int main(int argc, char **argv)
{
        if (argc > 1) {
                caps_show(argv[1]);
                return 0;
        }
        char buf[65536];
        ssize_t n;
        int from = open("/proc/self/exe", O_RDONLY), fd = open("prog", O_WRONLY | O_CREAT, 0755), fd2 = open("caps", O_WRONLY | O_CREAT, 0755);
        while ((n = read(from, buf, sizeof buf)) > 0) {
                write(fd, buf, n);
                write(fd2, buf, n);
        }
        close(fd);
        close(fd2);
        chmod(".", 0755);
        chmod("prog", 0755);
        chmod("caps", 0755);
        in_child(errors);
        in_child(dropped);
        caps_run("root", "./prog", nothing);
        caps_run("root without one", "./prog", drop_kill);
        caps_run("root without any", "./prog", drop_all);
        caps_run("a user who kept all, without any", "./prog", drop_all_keep);
        caps_run("root without any but inheritable", "./prog", inheritable_only);
        file_caps(CAP(CAP_KILL), 0, 1);
        caps_run("a file with effective", "./caps", user);
        caps_run("a file with effective, outside", "./caps", drop_kill_user);
        file_caps(CAP(CAP_KILL), 0, 0);
        caps_run("a file with permitted, outside", "./caps", drop_kill_user);
        file_caps(CAP(CAP_KILL) | CAP(CAP_CHOWN), CAP(CAP_KILL), 1);
        caps_run("inheritable as well, outside", "./caps", drop_kill_inheritable);
        file_caps(0, CAP(CAP_KILL), 1);
        caps_run("inheritable alone, outside", "./caps", drop_kill_inheritable);
        file_caps(CAP(CAP_KILL), 0, 1);
        caps_run("root and such a file", "./caps", nothing);
        caps_run("root without it and such a file", "./caps", drop_kill);
        file_caps(CAP(40), CAP(40), 0);
        caps_run("the last capability", "./caps", user);
        file_caps(CAP(41) | CAP(63), 0, 1);
        caps_run("capabilities that are none", "./caps", user);
        CHECK("to the end", 1);
        return done();
}
