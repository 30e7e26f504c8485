/* SPDX-License-Identifier: Apache-2.0
 *
 * vec_order: which of several mistakes a call with a vector of memory is told of first: the descriptor, the vector, the position.
 */
#include "show.h"
#include <sys/epoll.h>
#include <sys/socket.h>

static struct iovec good, huge = { (void *)16, (size_t)-1 };
static char c;

struct fds { const char *name; int fd; };

static void vectors(const struct fds *f, const char *name, void *vec, long n)
{
        say("-- %s, %s\n", f->name, name);
        SHOW("readv", syscall(SYS_readv, f->fd, vec, n));
        SHOW("writev", syscall(SYS_writev, f->fd, vec, n));
        SHOW("preadv", syscall(SYS_preadv, f->fd, vec, n, 0L, 0L));
        SHOW("preadv before 0", syscall(SYS_preadv, f->fd, vec, n, -5L, -1L));
        SHOW("pwritev", syscall(SYS_pwritev, f->fd, vec, n, 0L, 0L));
        SHOW("preadv2", syscall(SYS_preadv2, f->fd, vec, n, 0L, 0L, 0x4000));
        SHOW("preadv2 here", syscall(SYS_preadv2, f->fd, vec, n, -1L, -1L, 0x4000));
        SHOW("pwritev2", syscall(SYS_pwritev2, f->fd, vec, n, 0L, 0L, 0x4000));
        SHOW("vmsplice", syscall(SYS_vmsplice, f->fd, vec, n, 0));
        SHOW("vmsplice, bad flags", syscall(SYS_vmsplice, f->fd, vec, n, 0x100));
        struct msghdr m = { .msg_iov = vec, .msg_iovlen = n };
        SHOW("sendmsg", syscall(SYS_sendmsg, f->fd, &m, MSG_DONTWAIT));
        SHOW("recvmsg", syscall(SYS_recvmsg, f->fd, &m, MSG_DONTWAIT));
}

int main(void)
{
        int p[2], s[2];

        good = (struct iovec){ &c, 1 };
        signal(SIGPIPE, SIG_IGN);
        OKAY("a pipe", pipe2(p, O_NONBLOCK));
        socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        int f = open("f", O_CREAT | O_RDONLY, 0600), w = open("f", O_WRONLY), ep = epoll_create1(0), dir = open(".", O_RDONLY), path = open(".", O_PATH);
        write(w, "hello", 5);
        const struct fds all[] = {
                { "none", 77 }, { "a path", path }, { "read only", f }, { "write only", w }, { "pipe's reader", p[0] }, { "pipe's writer", p[1] },
                { "socket", s[0] }, { "epoll", ep }, { "directory", dir },
        };
        for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
                vectors(&all[i], "bad pointer", BAD_PTR, 1);
                vectors(&all[i], "too many", &good, 1025);
                vectors(&all[i], "negative length", &huge, 1);
                vectors(&all[i], "none", NULL, 0);
                vectors(&all[i], "minus one", &good, -1);
        }
        struct iovec l = { &c, 1 }, r = { &c, 1 };
        SHOW("process_vm_readv of nobody, bad vector", syscall(SYS_process_vm_readv, 0x3fffff, BAD_PTR, 1, &r, 1, 0));
        SHOW("process_vm_readv of nobody, bad vector there", syscall(SYS_process_vm_readv, 0x3fffff, &l, 1, BAD_PTR, 1, 0));
        SHOW("process_vm_readv of nobody", syscall(SYS_process_vm_readv, 0x3fffff, &l, 1, &r, 1, 0));
        SHOW("process_madvise of none, bad vector", syscall(SYS_process_madvise, 77, BAD_PTR, 1, MADV_COLD, 0));
        return done();
}
