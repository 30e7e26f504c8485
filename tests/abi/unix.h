/* What the programs about sockets share. */
#pragma once
#include "abi.h"
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

/* The calls themselves: the C library's have limits and detours of their own. */
#define sendmsg(fd, m, flags)               syscall(SYS_sendmsg, fd, m, flags)
#define recvmsg(fd, m, flags)               syscall(SYS_recvmsg, fd, m, flags)
#define sendmmsg(fd, m, n, flags)           syscall(SYS_sendmmsg, fd, m, n, flags)
#define recvmmsg(fd, m, n, flags, timeout)  syscall(SYS_recvmmsg, fd, m, n, flags, timeout)
#define accept4(fd, addr, len, flags)       syscall(SYS_accept4, fd, addr, len, flags)
#define getsockopt(fd, level, name, v, len) syscall(SYS_getsockopt, fd, level, name, v, len)
#define setsockopt(fd, level, name, v, len) syscall(SYS_setsockopt, fd, level, name, v, len)

/* An address of a path, or, with a leading '@', of an abstract name. */
UNUSED static socklen_t address(struct sockaddr_un *a, const char *name)
{
        memset(a, 0, sizeof *a);
        a->sun_family = AF_UNIX;
        memcpy(a->sun_path, name, strlen(name));
        if (name[0] != '@')
                return sizeof *a;
        a->sun_path[0] = 0;
        return offsetof(struct sockaddr_un, sun_path) + strlen(name);
}

UNUSED static int bind_to(int fd, const char *name)
{
        struct sockaddr_un a;
        socklen_t          n = address(&a, name);
        return bind(fd, (struct sockaddr *)&a, n);
}

UNUSED static int connect_to(int fd, const char *name)
{
        struct sockaddr_un a;
        socklen_t          n = address(&a, name);
        return connect(fd, (struct sockaddr *)&a, n);
}

UNUSED static ssize_t send_to(int fd, const void *data, size_t len, int flags, const char *name)
{
        struct sockaddr_un a;
        socklen_t          n = address(&a, name);
        return sendto(fd, data, len, flags, (struct sockaddr *)&a, n);
}

UNUSED static int bound(int type, const char *name)
{
        int fd = socket(AF_UNIX, type, 0);
        must(fd >= 0 && bind_to(fd, name) == 0, name);
        return fd;
}

UNUSED static int listener(int type, const char *name, int backlog)
{
        int fd = bound(type, name);
        must(listen(fd, backlog) == 0, "listen");
        return fd;
}

UNUSED static int connected(int type, const char *name)
{
        int fd = socket(AF_UNIX, type, 0);
        must(fd >= 0 && connect_to(fd, name) == 0, "connect");
        return fd;
}

UNUSED static int ready(int fd)
{
        struct pollfd p = { fd, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0 };
        poll(&p, 1, 0);
        return p.revents;
}

UNUSED static int option(int fd, int name)
{
        int       v = -77;
        socklen_t n = sizeof v;
        return getsockopt(fd, SOL_SOCKET, name, &v, &n) ? -errno : v;
}

UNUSED static int set_option(int fd, int name, int v) { return setsockopt(fd, SOL_SOCKET, name, &v, sizeof v); }

/* A message with control data: filled by add_*, sent, and the same for receiving. */
struct message {
        struct msghdr h;
        struct iovec  iov;
        char          control[4096] __attribute__((aligned(8)));
};

UNUSED static void message_init(struct message *m, void *data, size_t len)
{
        memset(&m->h, 0, sizeof m->h);
        memset(m->control, 0, sizeof m->control);
        m->iov.iov_base = data;
        m->iov.iov_len = len;
        m->h.msg_iov = &m->iov;
        m->h.msg_iovlen = 1;
        m->h.msg_control = m->control;
}

UNUSED static void add_control(struct message *m, int level, int type, const void *data, size_t len)
{
        struct cmsghdr *c = (struct cmsghdr *)(m->control + m->h.msg_controllen);
        c->cmsg_level = level;
        c->cmsg_type = type;
        c->cmsg_len = CMSG_LEN(len);
        memcpy(CMSG_DATA(c), data, len);
        m->h.msg_controllen += CMSG_SPACE(len);
}

UNUSED static ssize_t send_fds(int fd, const int *fds, int n, int flags)
{
        struct message m;
        char           byte = 'f';
        message_init(&m, &byte, 1);
        add_control(&m, SOL_SOCKET, SCM_RIGHTS, fds, n * sizeof *fds);
        return sendmsg(fd, &m.h, flags);
}

/* How many descriptors came; -1: recvmsg failed.  room: for how many. */
UNUSED static int recv_fds(int fd, int *fds, int room, int flags, int *out_flags)
{
        struct message m;
        char           byte;
        message_init(&m, &byte, 1);
        m.h.msg_controllen = CMSG_LEN(room * sizeof *fds);
        if (recvmsg(fd, &m.h, flags) < 0)
                return -1;
        if (out_flags)
                *out_flags = m.h.msg_flags;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m.h);
        if (!c)
                return 0;
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                return -2;
        int n = (c->cmsg_len - CMSG_LEN(0)) / sizeof *fds;
        memcpy(fds, CMSG_DATA(c), n * sizeof *fds);
        return n;
}

UNUSED static int same_file(int a, int b)
{
        struct stat x, y;
        return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

UNUSED static int count_fds(void)
{
        int n = 0;
        for (int fd = 0; fd < 1024; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}
