/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: execveat: directories, AT_EMPTY_PATH, links, scripts and O_CLOEXEC, O_PATH, names that are told, errors;
 * personality and arch_prctl.
 */
#include "abi.h"
#include <asm/prctl.h>
#include <sys/auxv.h>
#include <sys/personality.h>

static char *self;
static int at(int fd, const char *path, char **argv, int flags) { return syscall(SYS_execveat, fd, path, argv, environ, flags); }

/* The exit status of execveat in a child, or 100 + errno. */
static int run(int fd, const char *path, char **argv, int flags)
{
        pid_t pid = fork();
        if (pid == 0) {
                at(fd, path, argv, flags);
                _exit(100 + errno);
        }
        return result_of(pid);
}

/* Started again: tells what it was started as. */
static int again(int argc, char **argv)
{
        if (!strcmp(argv[1], "seven"))
                return 7;
        if (!strcmp(argv[1], "fn"))
                return strncmp((char *)getauxval(AT_EXECFN), argv[2], strlen(argv[2])) == 0 ? 8 : 9;
        if (!strcmp(argv[1], "personality"))
                return personality(0xffffffff) & ADDR_NO_RANDOMIZE ? 8 : 9;
        return argc > 2 ? 20 + argc : 30;
}

static void programs(void)
{
        char *seven[] = { "x", "seven", NULL };
        int dir = open(".", O_RDONLY | O_DIRECTORY), file = open(self, O_RDONLY), path = open(self, O_PATH), cloexec = open(self, O_RDONLY | O_CLOEXEC);
        int plain = open("f", O_CREAT | O_RDWR, 0644);
        char fn[64], name[32];

        must(symlink(self, "link") == 0, "symlink");
        CHECK("in a directory", run(dir, "link", seven, 0) == 7);
        CHECK("AT_FDCWD", run(AT_FDCWD, "link", seven, 0) == 7);
        CHECK("absolute", run(-1, self, seven, 0) == 7);
        CHECK("not through a link", run(dir, "link", seven, AT_SYMLINK_NOFOLLOW) == 100 + ELOOP);
        CHECK("a descriptor", run(file, "", seven, AT_EMPTY_PATH) == 7);
        CHECK("one that is closed then", run(cloexec, "", seven, AT_EMPTY_PATH) == 7);
        CHECK("one of O_PATH", run(path, "", seven, AT_EMPTY_PATH) == 7);
        CHECK("without the flag", run(file, "", seven, 0) == 100 + ENOENT);
        CHECK("bad flags", run(dir, "link", seven, 1) == 100 + EINVAL);
        CHECK("AT_EACCESS is none", run(dir, "link", seven, AT_EACCESS) == 100 + EINVAL);
        CHECK("no descriptor", run(99, "link", seven, 0) == 100 + EBADF);
        CHECK("no descriptor, empty", run(99, "", seven, AT_EMPTY_PATH) == 100 + EBADF);
        CHECK("not a directory", run(file, "link", seven, 0) == 100 + ENOTDIR);
        CHECK("a directory", run(dir, "", seven, AT_EMPTY_PATH) == 100 + EACCES);
        CHECK("not executable", run(plain, "", seven, AT_EMPTY_PATH) == 100 + EACCES);
        CHECK("not there", run(dir, "none", seven, 0) == 100 + ENOENT);
        CHECK("from nowhere", run(dir, BAD_PTR, seven, 0) == 100 + EFAULT);
        CHECK("arguments from nowhere", run(dir, "link", BAD_PTR, 0) == 100 + EFAULT);
        snprintf(fn, sizeof fn, "/dev/fd/%d", file);
        char *names[] = { "x", "fn", fn, NULL };
        CHECK("its name: a descriptor", run(file, "", names, AT_EMPTY_PATH) == 8);
        snprintf(fn, sizeof fn, "/dev/fd/%d/link", dir);
        CHECK("its name: in a directory", run(dir, "link", names, 0) == 8);
        strcpy(fn, "link");
        CHECK("its name: AT_FDCWD", run(AT_FDCWD, "link", names, 0) == 8);
        snprintf(name, sizeof name, "/proc/self/fd/%d", file);
        CHECK("by /proc/self/fd", run(AT_FDCWD, name, seven, 0) == 7);
        snprintf(name, sizeof name, "/proc/self/fd/%d", cloexec);
        CHECK("one that is closed then, too", run(AT_FDCWD, name, seven, 0) == 7);

        char text[256];
        snprintf(text, sizeof text, "#!%s script\n", self);
        put_file("script", text, strlen(text), 0755);
        int s = open("script", O_RDONLY), sc = open("script", O_RDONLY | O_CLOEXEC);
        char *args[] = { "x", "a", "b", NULL };
        CHECK("a script", run(dir, "script", args, 0) == 25);
        CHECK("a script's descriptor", run(s, "", args, AT_EMPTY_PATH) == 25);
        CHECK("which its interpreter could not open", run(sc, "", args, AT_EMPTY_PATH) == 100 + ENOENT);
        int writer = open("script", O_WRONLY);
        CHECK("being written", run(dir, "script", args, 0) == 100 + ETXTBSY);
        close(writer);
}

static int old_personality(void)
{
        char *argv[] = { "x", "personality", NULL };
        CHECK("plain", personality(0xffffffff) == 0);
        CHECK("set tells the old one", personality(ADDR_NO_RANDOMIZE) == 0 && personality(0xffffffff) == ADDR_NO_RANDOMIZE);
        CHECK("kept over exec", run(AT_FDCWD, self, argv, 0) == 8);
        CHECK("odd bits", personality(0x12345678) == ADDR_NO_RANDOMIZE && personality(0xffffffff) == 0x12345678);
        return done();
}

static void arch(void)
{
        unsigned long v = 0;
        FAILS("no such operation", EINVAL, syscall(SYS_arch_prctl, 0x9999, &v));
        FAILS("FS not canonical", EPERM, syscall(SYS_arch_prctl, ARCH_SET_FS, 1ul << 63));
        FAILS("GS not user space", EPERM, syscall(SYS_arch_prctl, ARCH_SET_GS, ~0ul));
        FAILS("to nowhere", EFAULT, syscall(SYS_arch_prctl, ARCH_GET_FS, BAD_PTR));
        OKAY("GS", syscall(SYS_arch_prctl, ARCH_SET_GS, 0x12345000));
        CHECK("is told", syscall(SYS_arch_prctl, ARCH_GET_GS, &v) == 0 && v == 0x12345000);
        syscall(SYS_arch_prctl, ARCH_SET_GS, 0);
        CHECK("CPUID may be used", syscall(SYS_arch_prctl, ARCH_GET_CPUID, 0) == 1);
        FAILS("forbidding it is not there", ENODEV, syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0));
        OKAY("robust list", syscall(SYS_set_robust_list, &v, 24));
        FAILS("of another length", EINVAL, syscall(SYS_set_robust_list, &v, 16));
        void *head = NULL;
        size_t len = 0;
        CHECK("told", syscall(SYS_get_robust_list, 0, &head, &len) == 0 && head == &v && len == 24);
        FAILS("of none", ESRCH, syscall(SYS_get_robust_list, 0x3fffff, &head, &len));
        FAILS("robust list to nowhere", EFAULT, syscall(SYS_get_robust_list, 0, BAD_PTR, &len));
        syscall(SYS_set_robust_list, NULL, 24);
}

int main(int argc, char **argv)
{
        static char path[512];
        if (argc > 1)
                return again(argc, argv);
        must(readlink("/proc/self/exe", path, sizeof path - 1) > 0, "exe");
        self = path;
        programs();
        CHECK("personality", in_child(old_personality) == 0);
        arch();
        return done();
}
