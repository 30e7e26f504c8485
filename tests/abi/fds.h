/* SPDX-License-Identifier: Apache-2.0
 *
 * fds: a descriptor of each kind there is, for tables of kinds by calls.
 *
 *   EACH(call)   for each kind: opens one as `fd`, says "kind: what" and the call's result or errno, and closes it
 */
#pragma once
#include "show.h"
#include <mqueue.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>

enum kind {
        K_FILE, K_READ_ONLY, K_WRITE_ONLY, K_APPEND, K_DIR, K_PATH, K_PATH_DIR, K_SYMLINK, K_TMPFILE, K_PIPE_READ, K_PIPE_WRITE, K_FIFO, K_STREAM, K_DGRAM,
        K_SEQPACKET, K_UNCONNECTED, K_LISTENING, K_EVENTFD, K_TIMERFD, K_SIGNALFD, K_EPOLL, K_INOTIFY, K_MEMFD, K_SEALED, K_PIDFD, K_PTMX, K_PTS, K_NULL,
        K_ZERO, K_FULL, K_RANDOM, K_PROC, K_PROC_DIR, K_MQUEUE, K_CLOSED, K_NEGATIVE, KINDS
};
static const char *const kind_name[KINDS] = {
        "file", "read-only file", "write-only file", "append file", "folder", "O_PATH file", "O_PATH folder", "O_PATH symlink", "unnamed file", "pipe read", "pipe write", "fifo", "stream",
        "dgram", "seqpacket", "unconnected", "listening", "eventfd", "timerfd", "signalfd", "epoll", "inotify", "memfd", "sealed memfd", "pidfd", "ptmx", "pts", "/dev/null",
        "/dev/zero", "/dev/full", "/dev/urandom", "proc file", "proc folder", "mqueue", "closed", "-1",
};

static int beside[2] = { -1, -1 };      /* what stays open for the kind's sake */

static int pair_of(int type)
{
        int s[2];

        must(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, s) == 0, "socketpair");
        beside[0] = s[1];
        return s[0];
}

static int of_kind(enum kind k)
{
        struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "\0fds" };
        sigset_t set;
        int      p[2], fd, zero = 0;
        char     name[32];

        beside[0] = beside[1] = -1;
        switch (k) {
        case K_FILE:       put_text("file", "0123456789"); return open("file", O_RDWR);
        case K_READ_ONLY:  put_text("file", "0123456789"); return open("file", O_RDONLY);
        case K_WRITE_ONLY: put_text("file", "0123456789"); return open("file", O_WRONLY);
        case K_APPEND:     put_text("file", "0123456789"); return open("file", O_RDWR | O_APPEND);
        case K_DIR:        mkdir("dir", 0755); return open("dir", O_RDONLY);
        case K_PATH:       put_text("file", "0123456789"); return open("file", O_PATH);
        case K_PATH_DIR:   mkdir("dir", 0755); return open("dir", O_PATH);
        case K_SYMLINK:    symlink("file", "link"); return open("link", O_PATH | O_NOFOLLOW);
        case K_TMPFILE:    fd = open(".", O_RDWR | O_TMPFILE, 0600); write(fd, "0123456789", 10); lseek(fd, 0, SEEK_SET); return fd;
        case K_PIPE_READ:  must(pipe2(p, O_NONBLOCK) == 0, "pipe"); write(p[1], "0123456789", 10); beside[0] = p[1]; return p[0];
        case K_PIPE_WRITE: must(pipe2(p, O_NONBLOCK) == 0, "pipe"); beside[0] = p[0]; return p[1];
        case K_FIFO:       mkfifo("fifo", 0644); fd = open("fifo", O_RDWR | O_NONBLOCK); write(fd, "0123456789", 10); return fd;
        case K_STREAM:     fd = pair_of(SOCK_STREAM); write(beside[0], "0123456789", 10); return fd;
        case K_DGRAM:      fd = pair_of(SOCK_DGRAM); write(beside[0], "0123456789", 10); return fd;
        case K_SEQPACKET:  fd = pair_of(SOCK_SEQPACKET); write(beside[0], "0123456789", 10); return fd;
        case K_UNCONNECTED: return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        case K_LISTENING:  fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0); bind(fd, (void *)&a, 6); listen(fd, 5); return fd;
        case K_EVENTFD:    return eventfd(3, EFD_NONBLOCK);
        case K_TIMERFD:    return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
        case K_SIGNALFD:   sigemptyset(&set); sigaddset(&set, SIGUSR1); return signalfd(-1, &set, SFD_NONBLOCK);
        case K_EPOLL:      return epoll_create1(0);
        case K_INOTIFY:    return inotify_init1(IN_NONBLOCK);
        case K_MEMFD:      fd = syscall(SYS_memfd_create, "m", 0); write(fd, "0123456789", 10); lseek(fd, 0, SEEK_SET); return fd;
        case K_SEALED:
                fd = syscall(SYS_memfd_create, "m", 2);
                write(fd, "0123456789", 10);
                lseek(fd, 0, SEEK_SET);
                fcntl(fd, 1033 /* F_ADD_SEALS */, 0xe);
                return fd;
        case K_PIDFD:      return syscall(SYS_pidfd_open, getpid(), 0);
        case K_PTMX:
        case K_PTS:
                fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
                must(fd >= 0 && ioctl(fd, TIOCSPTLCK, &zero) == 0 && ioctl(fd, TIOCGPTN, &zero) == 0, "ptmx");
                snprintf(name, sizeof name, "/dev/pts/%d", zero);
                beside[0] = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK);
                if (k == K_PTMX)
                        return fd;
                beside[1] = fd;
                fd = beside[0];
                beside[0] = -1;
                return fd;
        case K_NULL:       return open("/dev/null", O_RDWR);
        case K_ZERO:       return open("/dev/zero", O_RDWR);
        case K_FULL:       return open("/dev/full", O_RDWR);
        case K_RANDOM:     return open("/dev/urandom", O_RDONLY);
        case K_PROC:       return open("/proc/self/comm", O_RDONLY);
        case K_PROC_DIR:   return open("/proc/self/fd", O_RDONLY);
        case K_MQUEUE:     return syscall(SYS_mq_open, "fds", O_RDWR | O_CREAT | O_NONBLOCK, 0600, NULL);
        case K_CLOSED:     return 999;
        default:           return -1;
        }
}

static void end_kind(int fd)
{
        if (fd > 2 && fd != 999)
                close(fd);
        for (int i = 0; i < 2; i++)
                if (beside[i] >= 0)
                        close(beside[i]);
        syscall(SYS_mq_unlink, "fds");
}

#define EACH(what, ...)                                                         \
        do {                                                                    \
                for (int k_ = 0; k_ < KINDS; k_++) {                            \
                        char text_[100];                                        \
                        int  fd = of_kind(k_);                                  \
                        must(fd >= 0 || k_ == K_NEGATIVE, kind_name[k_]);       \
                        snprintf(text_, sizeof text_, "%s: %s", what, kind_name[k_]); \
                        SHOW(text_, __VA_ARGS__);                               \
                        end_kind(fd);                                           \
                }                                                               \
        } while (0)
