/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: fs.suid_dumpable 0, 1, 2: PR_GET_DUMPABLE after changes of identity, who owns /proc/PID, who may look into it, core
 * files; core_uses_pid and the names of core files.
 */
#include "show.h"
#include <dirent.h>
#include <linux/capability.h>
#include <sys/prctl.h>

#define SUID    "/proc/sys/fs/suid_dumpable"
#define PATTERN "/proc/sys/kernel/core_pattern"
#define PID     "/proc/sys/kernel/core_uses_pid"

static void limit(rlim_t n)
{
        struct rlimit r = { n, RLIM_INFINITY };
        setrlimit(RLIMIT_CORE, &r);
}

static void owner(const char *title, pid_t pid)
{
        static const char *const names[] = { "", "/status", "/fd", "/task", "/exe", "/maps", "/ns", "/task/%d", "/task/%d/stat" };
        char path[100], tail[60];
        struct stat st;

        say("%s:", title);
        for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
                snprintf(tail, sizeof tail, names[i], pid);
                snprintf(path, sizeof path, "/proc/%d%s", pid, tail);
                if (lstat(path, &st) == 0)
                        say(" %d:%d", st.st_uid, st.st_gid);
                else
                        say(" errno %d", errno);
        }
        say("\n");
}

/* What a process does to its identity; then it tells how it stands. */
static void nothing(void) {}
static void seteuid_only(void) { setegid(1000); seteuid(1000); }
static void all_ids(void) { become_user(1000); }
static void ruid_only(void) { setresuid(1000, -1, -1); }
static void suid_only(void) { setresuid(-1, -1, 1000); }
static void fsuid_only(void) { syscall(SYS_setfsuid, 1000); }
static void fsgid_only(void) { syscall(SYS_setfsgid, 1000); }
static void groups_only(void) { gid_t g = 5; setgroups(1, &g); }
static void drop_caps(void)
{
        struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
        struct __user_cap_data_struct d[2] = { };
        syscall(SYS_capset, &h, d);
}
static void back_again(void) { all_ids(); prctl(PR_SET_DUMPABLE, 1); }
static void same_ids(void) { setresuid(0, 0, 0); setresgid(0, 0, 0); }

static const struct { const char *name; void (*fn)(void); } changes[] = {
        { "nothing", nothing }, { "effective ids", seteuid_only }, { "all ids", all_ids }, { "real uid", ruid_only },
        { "saved uid", suid_only }, { "fsuid", fsuid_only }, { "fsgid", fsgid_only }, { "groups", groups_only },
        { "capabilities dropped", drop_caps }, { "dumpable again", back_again }, { "the same ids", same_ids },
};
#define CHANGES (sizeof changes / sizeof *changes)

static void stands(const char *mode)
{
        int p[2], q[2], n;
        char c;

        pipe(p);
        pipe(q);
        for (unsigned i = 0; i < CHANGES; i++) {
                pid_t pid = fork();
                if (pid == 0) {
                        prctl(PR_SET_PDEATHSIG, SIGUSR1);
                        changes[i].fn();
                        prctl(PR_GET_PDEATHSIG, &n);
                        say("%s, %s: dumpable %d death signal %d\n", mode, changes[i].name, prctl(PR_GET_DUMPABLE), n);
                        write(p[1], "x", 1);
                        read(q[0], &c, 1);
                        _exit(0);
                }
                read(p[0], &c, 1);
                owner(changes[i].name, pid);
                write(q[1], "x", 1);
                result_of(pid);
        }
        close(p[0]); close(p[1]); close(q[0]); close(q[1]);
}

/* The one core file there, told and taken away. */
static void cores(const char *title, int st, pid_t pid)
{
        DIR *d = opendir(".");
        char numbered[64];
        int n = 0;

        snprintf(numbered, sizeof numbered, ".%d", pid);
        for (struct dirent *e; (e = readdir(d));) {
                char *tail;
                struct stat s;
                char shown[300];
                if (e->d_name[0] == '.' && strcmp(e->d_name, numbered) && strncmp(e->d_name, ".x", 2))
                        continue;
                if (!strncmp(e->d_name, "keep", 4))
                        continue;
                stat(e->d_name, &s);
                snprintf(shown, sizeof shown, "%s", e->d_name);
                while ((tail = strstr(shown, numbered + 1))) {
                        memmove(tail + 3, tail + strlen(numbered + 1), strlen(tail + strlen(numbered + 1)) + 1);
                        memcpy(tail, "PID", 3);
                }
                say("%s: file <%s> owner %d:%d mode %o %s\n", title, shown, s.st_uid, s.st_gid, s.st_mode & 07777, s.st_size > 4096 ? "full" : "small");
                unlink(e->d_name);
                n++;
        }
        closedir(d);
        say("%s: files %d, signal %d core %d\n", title, n, WTERMSIG(st), WCOREDUMP(st) ? 1 : 0);
}

static const char *comm;
static void dumps(const char *title, void (*fn)(void))
{
        int st;
        pid_t pid = fork();

        if (pid == 0) {
                limit(RLIM_INFINITY);
                if (comm)
                        prctl(PR_SET_NAME, comm);
                fn();
                raise(SIGQUIT);
                _exit(0);
        }
        waitpid(pid, &st, 0);
        cores(title, st, pid);
}

static void looks(void)
{
        int p[2];
        char c, path[64], to[64];

        pipe(p);
        pid_t pid = fork();
        if (pid == 0) {
                become_user(1000);
                write(p[1], "x", 1);
                pause();
        }
        read(p[0], &c, 1);
        pid_t other = fork();
        if (other == 0) {
                become_user(1000);
                snprintf(path, sizeof path, "/proc/%d/maps", pid);
                SHOW("same user opens maps", open(path, O_RDONLY) < 0 ? -1 : 0);
                snprintf(path, sizeof path, "/proc/%d/exe", pid);
                SHOW("same user reads the link", readlink(path, to, sizeof to) < 0 ? -1 : 0);
                SHOW("signals", kill(pid, 0));
                _exit(0);
        }
        result_of(other);
        kill(pid, SIGKILL);
        result_of(pid);
        close(p[0]); close(p[1]);
}

int main(void)
{
        static char old[130];

        strcpy(old, text_of(PATTERN));
        mkdir("suid", 0777);
        must(chdir("suid") == 0 && chmod(".", 0777) == 0, "chdir");
        say("at the start %s", text_of(SUID));
        for (int mode = 0; mode <= 2; mode++) {
                char text[8] = { (char)('0' + mode), 0 };
                SHOW("set", set_text(SUID, text));
                stands(text);
                looks();
                SHOW("pattern", set_text(PATTERN, "core"));
                dumps("root", nothing);
                dumps("user", all_ids);
                dumps("user, dumpable again", back_again);
                dumps("effective ids", seteuid_only);
                char where[130], cwd[100];
                getcwd(cwd, sizeof cwd);
                snprintf(where, sizeof where, "%s/x-%%d-%%u-%%g-%%s", cwd);
                SHOW("absolute pattern", set_text(PATTERN, where));
                dumps("root", nothing);
                dumps("user", all_ids);
                dumps("effective ids", seteuid_only);
                /* Something of that name is there. */
                snprintf(where, sizeof where, "%s/keep", cwd);
                set_text(PATTERN, where);
                put_text("keep", "kept");
                dumps("over a file", all_ids);
                SHOW("is it kept", strcmp(text_of("keep"), "kept") == 0);
                unlink("keep");
                symlink("/tmp/not-there", "keep");
                dumps("over a link", all_ids);
                SHOW("is it a link", readlink("keep", where, sizeof where));
                unlink("keep");
                mkdir("keep", 0777);
                dumps("over a directory", all_ids);
                rmdir("keep");
        }
        FAILS("3", EINVAL, set_text(SUID, "3"));
        FAILS("-1", EINVAL, set_text(SUID, "-1"));
        FAILS("no number", EINVAL, set_text(SUID, "x"));
        SHOW("PR_SET_DUMPABLE 2", prctl(PR_SET_DUMPABLE, 2));
        set_text(SUID, "0");

        static const char *const patterns[] = { "core", "x%p", "x%P", "x%%", "x%", "x%i.%I", "x%e", "x%q.y", "%e", "x %s y", "sub/x", "x%c", "", "%" };
        for (unsigned i = 0; i < sizeof patterns / sizeof *patterns; i++)
                for (int uses = 0; uses < 2; uses++) {
                        char title[64];
                        snprintf(title, sizeof title, "pattern <%s> uses_pid %d", patterns[i], uses);
                        set_text(PATTERN, patterns[i][0] ? patterns[i] : "\n");
                        set_text(PID, uses ? "1" : "0");
                        dumps(title, nothing);
                }
        set_text(PID, "0");
        static const char *const names[] = { ".", "..", "a/b", "/", "...", ".x", "a b" };
        for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
                char title[64];
                comm = names[i];
                snprintf(title, sizeof title, "name <%s>", names[i]);
                set_text(PATTERN, "x%e");
                dumps(title, nothing);
                set_text(PATTERN, "%e");
                dumps(title, nothing);
        }
        SHOW("uses_pid 7", set_text(PID, "7"));
        say("it reads %s", text_of(PID));
        set_text(PID, "0");
        set_text(PATTERN, old);
        return done();
}
