/* SPDX-License-Identifier: Apache-2.0
 *
 * proc_cmdline: /proc/PID/cmdline, exe, cwd, root, environ.
 */
#include "abi.h"

static const char *link_of(const char *path)
{
        static char buf[PATH_MAX];
        ssize_t     n = readlink(path, buf, sizeof buf - 1);

        buf[n > 0 ? n : 0] = 0;
        return buf;
}

static ssize_t raw(const char *path, char *buf, size_t n)
{
        int     fd = open(path, O_RDONLY);
        ssize_t r = read(fd, buf, n);

        close(fd);
        return r;
}

int main(int argc, char **argv)
{
        char buf[300], here[PATH_MAX];

        if (argc == 1) {
                char *av[] = { "zero", "", "two words", "x", NULL }, *env[] = { "A=1", "B=", NULL };
                execve("/proc/self/exe", av, env);
                return 1;
        }
        (void)argv;
        CHECK("cmdline", raw("/proc/self/cmdline", buf, 300) == 18 && !memcmp(buf, "zero\0\0two words\0x\0", 18));
        CHECK("environ", raw("/proc/self/environ", buf, 300) == 7 && !memcmp(buf, "A=1\0B=\0", 7));
        CHECK("exe", !strcmp(link_of("/proc/self/exe"), "/tests/abi/proc_cmdline"));
        getcwd(here, sizeof here);
        CHECK("cwd", !strcmp(link_of("/proc/self/cwd"), here));
        CHECK("root", !strcmp(link_of("/proc/self/root"), "/"));
        put_text("mark", "here");
        CHECK("through cwd", !strcmp(text_of("/proc/self/cwd/mark"), "here"));
        snprintf(buf, sizeof buf, "%d", getpid());
        CHECK("self", !strcmp(link_of("/proc/self"), buf));
        snprintf(buf, sizeof buf, "%d/task/%d", getpid(), getpid());
        CHECK("thread-self", !strcmp(link_of("/proc/thread-self"), buf));
        CHECK("comm is the file's name", !strcmp(text_of("/proc/self/comm"), "exe\n"));
        int fd = open("/proc/self/exe", O_RDONLY);
        CHECK("exe opens", fd >= 0 && read(fd, buf, 4) == 4 && !memcmp(buf, "\177ELF", 4));
        return done();
}
