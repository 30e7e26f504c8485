/* SPDX-License-Identifier: Apache-2.0
 *
 * dnotify_basic: F_NOTIFY: which change of a directory sends which signal, once or again and again.
 */
#include "abi.h"

#define SIG (SIGRTMIN + 4)
static int dir;

/* How many signals came, all with the directory's descriptor. */
static int came(void)
{
        struct timespec zero = { 0, 0 };
        sigset_t set;
        siginfo_t si;
        int n = 0;

        sigemptyset(&set);
        sigaddset(&set, SIG);
        while (sigtimedwait(&set, &si, &zero) > 0) {
                CHECK("of the directory", si.si_fd == dir && si.si_code == POLL_MSG);
                n++;
        }
        return n;
}

static int ask(unsigned mask) { return fcntl(dir, F_NOTIFY, mask | DN_MULTISHOT); }
static void none(void)        { fcntl(dir, F_NOTIFY, 0); came(); }

static void do_create(void)   { close(open("d/new", O_CREAT | O_WRONLY, 0644)); }
static void do_mkdir(void)    { mkdir("d/sub", 0755); }
static void do_rmdir(void)    { rmdir("d/sub"); }
static void do_link(void)     { link("d/f", "d/linked"); }
static void do_unlink(void)   { unlink("d/linked"); }
static void do_read(void)     { int fd = open("d/f", O_RDONLY); char c; read(fd, &c, 1); close(fd); }
static void do_write(void)    { int fd = open("d/f", O_WRONLY); write(fd, "x", 1); close(fd); }
static void do_truncate(void) { truncate("d/f", 1); }
static void do_chmod(void)    { chmod("d/f", 0600); }
static void do_utime(void)    { utimensat(AT_FDCWD, "d/f", NULL, 0); }
static void do_rename(void)   { rename("d/new", "d/other"); }
static void do_out(void)      { rename("d/other", "e/other"); }
static void do_in(void)       { rename("e/other", "d/other"); }
static void do_chmod_dir(void) { chmod("d", 0755); }
static void do_list(void)     { int fd = open("d", O_RDONLY | O_DIRECTORY); char b[512]; syscall(SYS_getdents64, fd, b, sizeof b); close(fd); }
static void do_below(void)    { close(open("d/deep/f", O_CREAT | O_WRONLY, 0644)); unlink("d/deep/f"); }
static void do_stat(void)     { struct stat st; stat("d/f", &st); }

int main(void)
{
        sigset_t set;
        static const struct { const char *name; void (*fn)(void); } acts[] = {
                { "create", do_create }, { "mkdir", do_mkdir }, { "rmdir", do_rmdir }, { "link", do_link }, { "unlink", do_unlink },
                { "read", do_read }, { "write", do_write }, { "truncate", do_truncate }, { "chmod", do_chmod }, { "utimens", do_utime },
                { "rename", do_rename }, { "move out", do_out }, { "move in", do_in }, { "chmod of itself", do_chmod_dir },
                { "listing", do_list }, { "deeper", do_below }, { "stat", do_stat },
        };
        static const struct { const char *name; unsigned bit; } kinds[] = {
                { "access", DN_ACCESS }, { "modify", DN_MODIFY }, { "create", DN_CREATE }, { "delete", DN_DELETE },
                { "rename", DN_RENAME }, { "attrib", DN_ATTRIB },
        };

        sigemptyset(&set);
        sigaddset(&set, SIG);
        sigaddset(&set, SIGIO);
        sigprocmask(SIG_BLOCK, &set, NULL);
        mkdir("d", 0755);
        mkdir("e", 0755);
        mkdir("d/deep", 0755);
        put_text("d/f", "text");
        dir = open("d", O_RDONLY | O_DIRECTORY);
        OKAY("which signal", fcntl(dir, F_SETSIG, SIG));

        for (unsigned k = 0; k < sizeof kinds / sizeof *kinds; k++) {
                unlink("d/new");
                unlink("d/other");
                for (unsigned a = 0; a < sizeof acts / sizeof *acts; a++) {
                        must(ask(kinds[k].bit) == 0, "F_NOTIFY");
                        acts[a].fn();
                        say("%s when asked for %s: %s\n", acts[a].name, kinds[k].name, came() ? "told" : "-");
                        none();
                }
        }

        OKAY("once", fcntl(dir, F_NOTIFY, DN_CREATE));
        close(open("d/1", O_CREAT | O_WRONLY, 0644));
        CHECK("told", came() == 1);
        close(open("d/2", O_CREAT | O_WRONLY, 0644));
        CHECK("not again", came() == 0);
        OKAY("one more", fcntl(dir, F_NOTIFY, DN_DELETE));
        OKAY("and one with it", fcntl(dir, F_NOTIFY, DN_CREATE));
        unlink("d/1");
        CHECK("the first", came() == 1);
        close(open("d/1", O_CREAT | O_WRONLY, 0644));
        CHECK("one event ends all that was asked", came() == 0);
        OKAY("again and again", fcntl(dir, F_NOTIFY, DN_CREATE | DN_DELETE | DN_MULTISHOT));
        for (int i = 0; i < 3; i++) {
                unlink("d/1");
                close(open("d/1", O_CREAT | O_WRONLY, 0644));
        }
        CHECK("six", came() == 6);
        OKAY("nothing", fcntl(dir, F_NOTIFY, 0));
        unlink("d/1");
        CHECK("no more", came() == 0);
        OKAY("multishot alone", fcntl(dir, F_NOTIFY, DN_MULTISHOT));
        unlink("d/2");
        CHECK("asks for nothing", came() == 0);

        OKAY("asked", ask(DN_CREATE));
        int d = dup(dir);
        close(d);
        close(open("d/3", O_CREAT | O_WRONLY, 0644));
        say("after a duplicate was closed: %s\n", came() ? "told" : "-");
        ask(DN_CREATE);
        pid_t pid = fork();
        if (!pid) {
                close(dir);
                _exit(0);
        }
        result_of(pid);
        close(open("d/4", O_CREAT | O_WRONLY, 0644));
        CHECK("another's close is no matter", came() == 1);
        pid = fork();
        if (!pid) {
                close(open("d/5", O_CREAT | O_WRONLY, 0644));
                _exit(0);
        }
        result_of(pid);
        CHECK("another's deed is told", came() == 1);
        fcntl(dir, F_SETSIG, 0);
        close(open("d/6", O_CREAT | O_WRONLY, 0644));
        struct timespec zero = { 0, 0 };
        siginfo_t si;
        CHECK("SIGIO by default", sigtimedwait(&set, &si, &zero) == SIGIO);
        close(dir);
        close(open("d/7", O_CREAT | O_WRONLY, 0644));
        CHECK("closed", sigtimedwait(&set, &si, &zero) == -1);

        int fd = open("d/f", O_RDONLY);
        FAILS("not of a file", ENOTDIR, fcntl(fd, F_NOTIFY, DN_CREATE));
        FAILS("closed descriptor", EBADF, fcntl(500, F_NOTIFY, DN_CREATE));
        FAILS("O_PATH", EBADF, fcntl(open("d", O_PATH), F_NOTIFY, DN_CREATE));
        CHECK("setting", atoi(text_of("/proc/sys/fs/dir-notify-enable")) == 1);
        dir = open("d", O_RDONLY | O_DIRECTORY);
        set_text("/proc/sys/fs/dir-notify-enable", "0");
        FAILS("switched off", EINVAL, fcntl(dir, F_NOTIFY, DN_CREATE));
        set_text("/proc/sys/fs/dir-notify-enable", "1");
        OKAY("switched on", fcntl(dir, F_NOTIFY, DN_CREATE));
        return done();
}
