/* SPDX-License-Identifier: Apache-2.0
 *
 * efault_calls: a bad pointer gives EFAULT, whatever the call.
 */
#include "abi.h"

#define KERNEL ((void *)0xffff888000000000)
#define ODD    ((void *)0x8000000000000000)

static void all(const char *kind, void *bad)
{
        int  fd = open("file", O_RDWR | O_CREAT, 0644), p[2];
        char name[64];

        write(fd, "0123456789", 10);
        lseek(fd, 0, SEEK_SET);
        pipe(p);
        write(p[1], "x", 1);
#define BAD(what, ...)                                                  \
        do {                                                            \
                snprintf(name, sizeof name, "%s: %s", kind, what);      \
                FAILS(name, EFAULT, __VA_ARGS__);                       \
        } while (0)
        BAD("read", syscall(SYS_read, fd, bad, 5));
        BAD("write", syscall(SYS_write, fd, bad, 5));
        BAD("read of a pipe", syscall(SYS_read, p[0], bad, 1));
        BAD("write of a pipe", syscall(SYS_write, p[1], bad, 1));
        BAD("open", syscall(SYS_open, bad, 0));
        BAD("stat", syscall(SYS_stat, "file", bad));
        BAD("fstat", syscall(SYS_fstat, fd, bad));
        BAD("lstat", syscall(SYS_lstat, bad, bad));
        BAD("poll", syscall(SYS_poll, bad, 1, 0));
        BAD("rt_sigaction", syscall(SYS_rt_sigaction, SIGUSR1, bad, NULL, 8));
        BAD("rt_sigprocmask", syscall(SYS_rt_sigprocmask, SIG_BLOCK, bad, NULL, 8));
        BAD("readv", syscall(SYS_readv, fd, bad, 1));
        BAD("writev", syscall(SYS_writev, fd, bad, 1));
        BAD("access", syscall(SYS_access, bad, 0));
        BAD("pipe2", syscall(SYS_pipe2, bad, 0));
        BAD("select", syscall(SYS_select, 1, bad, NULL, NULL, NULL));
        BAD("nanosleep", syscall(SYS_nanosleep, bad, NULL));
        BAD("getitimer", syscall(SYS_getitimer, 0, bad));
        BAD("uname", syscall(SYS_uname, bad));
        BAD("getcwd", syscall(SYS_getcwd, bad, 4096));
        BAD("chdir", syscall(SYS_chdir, bad));
        BAD("rename", syscall(SYS_rename, "file", bad));
        BAD("mkdir", syscall(SYS_mkdir, bad, 0));
        BAD("rmdir", syscall(SYS_rmdir, bad));
        BAD("link", syscall(SYS_link, bad, "x"));
        BAD("unlink", syscall(SYS_unlink, bad));
        BAD("symlink", syscall(SYS_symlink, bad, "x"));
        BAD("chmod", syscall(SYS_chmod, bad, 0));
        BAD("chown", syscall(SYS_chown, bad, 0, 0));
        BAD("truncate", syscall(SYS_truncate, bad, 0));
        BAD("gettimeofday", syscall(SYS_gettimeofday, bad, NULL));
        BAD("getrlimit", syscall(SYS_getrlimit, RLIMIT_NOFILE, bad));
        BAD("getrusage", syscall(SYS_getrusage, 0, bad));
        BAD("sysinfo", syscall(SYS_sysinfo, bad));
        BAD("times", syscall(SYS_times, bad));
        BAD("getgroups", ({ gid_t g = 3; setgroups(1, &g); syscall(SYS_getgroups, 1, bad); }));
        BAD("setgroups", syscall(SYS_setgroups, 1, bad));
        BAD("sigpending", syscall(SYS_rt_sigpending, bad, 8));
        BAD("sigaltstack", syscall(SYS_sigaltstack, bad, NULL));
        BAD("statfs", syscall(SYS_statfs, ".", bad));
        BAD("clock_gettime", syscall(SYS_clock_gettime, 0, bad));
        BAD("futex", syscall(SYS_futex, bad, 0, 0, NULL, NULL, 0));
        BAD("getdents64", syscall(SYS_getdents64, open(".", O_RDONLY), bad, 4096));
        BAD("getrandom", syscall(SYS_getrandom, bad, 8, 0));
        BAD("utimensat", syscall(SYS_utimensat, AT_FDCWD, "file", bad, 0));
        BAD("sendfile", syscall(SYS_sendfile, p[1], fd, bad, 1));
        BAD("execve", syscall(SYS_execve, bad, NULL, NULL));
        BAD("mount", syscall(SYS_mount, "x", bad, "tmpfs", 0, NULL));
        BAD("FIONREAD", syscall(SYS_ioctl, p[0], FIONREAD, bad));
        close(fd);
        close(p[0]);
        close(p[1]);
}

int main(void)
{
        all("low", BAD_PTR);
        all("kernel", KERNEL);
        all("non-canonical", ODD);

        char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        int   fd = open("file", O_RDWR), q[2];
        munmap(p + PAGE, PAGE);
        lseek(fd, 0, SEEK_SET);
        CHECK("a read that runs into a hole", read(fd, p + PAGE - 4, 10) == 4 || errno == EFAULT);
        pipe(q);
        long n = write(q[1], p + PAGE - 4, 10);
        CHECK("a write that does", n == 4 || (n < 0 && errno == EFAULT));
        char *w = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        munmap(w, PAGE);
        FAILS("wrapping around", EFAULT, write(q[1], (void *)-8L, 100));
        return done();
}
