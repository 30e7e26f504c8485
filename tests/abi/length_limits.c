/* SPDX-License-Identifier: Apache-2.0
 *
 * length_limits: lengths and counts that lie: negative, huge, overflowing, one too many.
 */
#include "show.h"
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <mqueue.h>

static char          b[70000];
static struct iovec  v[1100];
static long          lengths[] = { -1, -2, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff, (long)0x8000000000000000 };

/* With each of the lengths. */
#define LYING(name, ...)                                                        \
        do {                                                                    \
                for (unsigned i_ = 0; i_ < sizeof lengths / sizeof *lengths; i_++) { \
                        char text_[100];                                        \
                        long n = lengths[i_];                                   \
                        snprintf(text_, sizeof text_, "%s %lx", name, n);       \
                        SHOW(text_, __VA_ARGS__);                               \
                }                                                               \
        } while (0)

static long message(int s, long iovlen, long controllen, long namelen)
{
        static char   control[64];
        struct msghdr m = { .msg_iov = v };

        memset(&m, 0, sizeof m);
        m.msg_iov = v;
        *(long *)((char *)&m + 24) = iovlen;
        if (controllen) {
                m.msg_control = control;
                *(long *)((char *)&m + 40) = controllen;
        }
        if (namelen) {
                m.msg_name = b;
                *(int *)((char *)&m + 8) = (int)namelen;
        }
        return syscall(SYS_sendmsg, s, &m, MSG_DONTWAIT);
}

int main(void)
{
        int s[2], null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR), e = epoll_create1(0);
        int msg = msgget(IPC_PRIVATE, 0600), sem = semget(IPC_PRIVATE, 1, 0600);

        must(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0, "socketpair");
        must(unshare(CLONE_NEWUTS) == 0, "a host name of its own");
        for (int i = 0; i < 1100; i++)
                v[i] = (struct iovec){ b, 1 };
        put_text("file", "0123456789");
        int fd = open("file", O_RDWR), dir = open(".", O_RDONLY);

        LYING("read", syscall(SYS_read, fd, b, n));
        lseek(fd, 0, SEEK_SET);
        LYING("write null", syscall(SYS_write, null, b, n));
        LYING("pread", syscall(SYS_pread64, fd, b, n, 0));
        LYING("pread offset", syscall(SYS_pread64, fd, b, 1, n));
        LYING("pwrite offset", syscall(SYS_pwrite64, null, b, 1, n));
        LYING("readv", syscall(SYS_readv, null, v, n));
        SHOW("readv 1024", syscall(SYS_readv, zero, v, 1024));
        SHOW("readv 1025", syscall(SYS_readv, zero, v, 1025));
        LYING("iov_len", ({ struct iovec w[2] = { { b, 1 }, { b, (size_t)n } }; syscall(SYS_writev, null, w, 2); }));
        LYING("iov_len first", ({ struct iovec w[2] = { { b, (size_t)n }, { b, 1 } }; syscall(SYS_writev, null, w, 2); }));
        LYING("lseek", syscall(SYS_lseek, fd, n, SEEK_SET) == -1 ? -1 : 0);
        LYING("lseek from the end", syscall(SYS_lseek, fd, n, SEEK_END) == -1 ? -1 : 0);
        lseek(fd, 5, SEEK_SET);
        LYING("lseek from here", syscall(SYS_lseek, fd, n, SEEK_CUR) == -1 ? -1 : 0);
        LYING("ftruncate", ({ long r = n > 0 && n < 0x7fffffffffffffff ? 0 : syscall(SYS_ftruncate, fd, n); r; }));
        ftruncate(fd, 10);
        lseek(fd, 0, SEEK_SET);
        LYING("fallocate length", syscall(SYS_fallocate, fd, 0, 1, n == 0x7fffffff || n == 0x80000000 || n == 0xffffffff || n == 0x100000000 ? -5 : n));
        LYING("fadvise length", syscall(SYS_fadvise64, fd, 0, n, 0));
        LYING("getdents64", ({ lseek(dir, 0, SEEK_SET); syscall(SYS_getdents64, dir, b, n) < 0 ? -1 : 0; }));
        LYING("sendfile", syscall(SYS_sendfile, null, fd, NULL, n) < 0 ? -1 : 0);
        LYING("getcwd", syscall(SYS_getcwd, b, n) < 0 ? -1 : 0);
        LYING("readlink", syscall(SYS_readlink, "/proc/self/cwd", b, n) < 0 ? -1 : 0);
        LYING("getgroups", syscall(SYS_getgroups, n, b) < 0 ? -1 : 0);
        LYING("setgroups", syscall(SYS_setgroups, n, b));
        SHOW("setgroups 65537", syscall(SYS_setgroups, 65537, b));
        LYING("sethostname", syscall(SYS_sethostname, b, n));
        SHOW("sethostname 65", syscall(SYS_sethostname, b, 65));
        LYING("getrandom flags", syscall(SYS_getrandom, b, 1, n));
        LYING("poll", syscall(SYS_poll, b, n, 0));
        LYING("select", syscall(SYS_select, n, NULL, NULL, NULL, &(struct timeval){ 0, 0 }));
        LYING("epoll_wait", syscall(SYS_epoll_wait, e, b, n, 0));
        LYING("epoll_create", ({ int r = syscall(SYS_epoll_create, n); if (r >= 0) close(r); r < 0 ? -1 : 0; }));
        LYING("rt_sigprocmask", syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, b, n));
        LYING("rt_sigaction", syscall(SYS_rt_sigaction, SIGUSR1, NULL, b, n));
        LYING("rt_sigpending", syscall(SYS_rt_sigpending, b, n));
        SHOW("rt_sigpending 4", syscall(SYS_rt_sigpending, b, 4));
        LYING("sched_getaffinity", syscall(SYS_sched_getaffinity, 0, n, b) < 0 ? -1 : 0);
        SHOW("sched_getaffinity 0", syscall(SYS_sched_getaffinity, 0, 0, b));
        SHOW("sched_getaffinity 4", syscall(SYS_sched_getaffinity, 0, 4, b));
        SHOW("sched_getaffinity 12", syscall(SYS_sched_getaffinity, 0, 12, b));
        LYING("sched_getattr", syscall(SYS_sched_getattr, 0, b, n, 0));
        SHOW("sched_getattr 47", syscall(SYS_sched_getattr, 0, b, 47, 0));
        LYING("set_robust_list", syscall(SYS_set_robust_list, b, n));
        LYING("clone3", syscall(SYS_clone3, b, n));
        LYING("openat2", ({ memset(b, 0, 100); syscall(SYS_openat2, AT_FDCWD, "file", b, n); }));
        LYING("sendto", syscall(SYS_sendto, s[0], b, n, MSG_DONTWAIT, NULL, 0));
        LYING("sendto name length", syscall(SYS_sendto, s[0], b, 1, MSG_DONTWAIT, b, n));
        LYING("bind", syscall(SYS_bind, s[0], b, n));
        LYING("setsockopt", syscall(SYS_setsockopt, s[0], SOL_SOCKET, SO_PASSCRED, b, n));
        LYING("listen", syscall(SYS_listen, s[0], n));
        LYING("msg_iovlen", message(s[0], n, 0, 0));
        SHOW("msg_iovlen 1025", message(s[0], 1025, 0, 0));
        LYING("msg_controllen", message(s[0], 0, n, 0));
        LYING("msg_namelen", message(s[0], 0, 0, (int)n));
        LYING("msgsnd", ({ *(long *)b = 1; syscall(SYS_msgsnd, msg, b, n, IPC_NOWAIT); }));
        LYING("msgrcv", syscall(SYS_msgrcv, msg, b, n, 0, IPC_NOWAIT));
        LYING("semget", syscall(SYS_semget, IPC_PRIVATE, n, 0600));
        LYING("semop", syscall(SYS_semop, sem, b, n));
        SHOW("semop 501", syscall(SYS_semop, sem, b, 501));
        LYING("mmap", (long)syscall(SYS_mmap, NULL, n == 0x7fffffff || n == 0x80000000 || n == 0xffffffff || n == 0x100000000 ? -4096 : n, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        LYING("munmap", syscall(SYS_munmap, 0x10000000000, n));
        LYING("mprotect", syscall(SYS_mprotect, 0x10000000000, n, PROT_READ));
        LYING("madvise", syscall(SYS_madvise, 0x10000000000, n, 0));
        LYING("mlock", syscall(SYS_mlock, 0x10000000000, n));
        LYING("munlock", syscall(SYS_munlock, 0x10000000000, n));
        LYING("setxattr", syscall(SYS_setxattr, "file", "trusted.x", b, n, 0));
        SHOW("setxattr 65537", syscall(SYS_setxattr, "file", "trusted.x", b, 65537, 0));
        LYING("process_vm_readv", syscall(SYS_process_vm_readv, getpid(), v, n, v, 1, 0));
        LYING("dup2", syscall(SYS_dup2, 0, n));
        LYING("F_DUPFD", syscall(SYS_fcntl, 0, F_DUPFD, n));
        LYING("close_range", syscall(SYS_close_range, 0xfffff000, n, 0));
        LYING("memfd_create flags", syscall(SYS_memfd_create, "x", n));
        LYING("prctl", syscall(SYS_prctl, n, 0, 0, 0, 0));
        msgctl(msg, IPC_RMID, NULL);
        semctl(sem, 0, IPC_RMID);
        CHECK("all were tried", 1);
        return done();
}
