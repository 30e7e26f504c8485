/* socket, socketpair: families, types, flags; calls on what is no socket; the inode of a socket. */
#include "unix.h"
#include <sys/statfs.h>

int main(void)
{
        int  s[2], fd;
        char link[64], want[64];
        struct stat st;
        struct statfs sf;

        FAILS("no such family", EAFNOSUPPORT, socket(99, SOCK_STREAM, 0));
        FAILS("negative family", EAFNOSUPPORT, socket(-1, SOCK_STREAM, 0));
        FAILS("AF_UNSPEC", EAFNOSUPPORT, socket(AF_UNSPEC, SOCK_STREAM, 0));
        FAILS("no such type", EINVAL, socket(AF_UNIX, 11, 0));
        FAILS("type 0", ESOCKTNOSUPPORT, socket(AF_UNIX, 0, 0));
        FAILS("another type", ESOCKTNOSUPPORT, socket(AF_UNIX, SOCK_RDM, 0));
        FAILS("unknown flag", EINVAL, socket(AF_UNIX, SOCK_STREAM | 0x100, 0));
        FAILS("protocol", EPROTONOSUPPORT, socket(AF_UNIX, SOCK_STREAM, 2));
        OKAY("protocol of the family", socket(AF_UNIX, SOCK_STREAM, AF_UNIX));
        fd = socket(AF_UNIX, SOCK_RAW, 0);
        CHECK("SOCK_RAW is a datagram", fd >= 0 && option(fd, SO_TYPE) == SOCK_DGRAM);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        CHECK("flags", fcntl(fd, F_GETFL) == (O_RDWR | O_NONBLOCK) && fcntl(fd, F_GETFD) == FD_CLOEXEC);
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK("no flags", fcntl(fd, F_GETFL) == O_RDWR && fcntl(fd, F_GETFD) == 0);
        FAILS("socketpair: bad address", EFAULT, socketpair(AF_UNIX, SOCK_STREAM, 0, BAD_PTR));
        FAILS("socketpair: family", EAFNOSUPPORT, socketpair(99, SOCK_STREAM, 0, s));
        FAILS("socketpair: flag", EINVAL, socketpair(AF_UNIX, SOCK_STREAM | 0x100, 0, s));
        OKAY("socketpair", socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, s));
        CHECK("flags", fcntl(s[0], F_GETFD) == FD_CLOEXEC && fcntl(s[1], F_GETFD) == FD_CLOEXEC);
        CHECK("inodes of their own", !same_file(s[0], s[1]));

        fstat(fd, &st);
        CHECK("type and mode", st.st_mode == (S_IFSOCK | 0777) && st.st_size == 0 && st.st_nlink == 1 && st.st_blksize == 4096);
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        snprintf(want, sizeof want, "socket:[%lu]", (unsigned long)st.st_ino);
        char   got[64] = "";
        ssize_t n = readlink(link, got, sizeof got - 1);
        CHECK("link", n > 0 && !strcmp(got, want));
        FAILS("not opened by it", ENXIO, open(link, O_RDWR));
        CHECK("fstatfs", fstatfs(fd, &sf) == 0 && sf.f_type == 0x534f434b);
        FAILS("lseek", ESPIPE, lseek(fd, 0, SEEK_SET));
        FAILS("pread", ESPIPE, pread(fd, want, 1, 0));
        FAILS("pwrite", ESPIPE, pwrite(fd, want, 1, 0));
        FAILS("fsync", EINVAL, fsync(fd));
        FAILS("ftruncate", EINVAL, ftruncate(fd, 0));
        FAILS("mmap", ENODEV, (long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
        FAILS("getdents", ENOTDIR, syscall(SYS_getdents64, fd, want, 64));
        FAILS("fchdir", ENOTDIR, fchdir(fd));
        FAILS("unknown ioctl", ENOTTY, ioctl(fd, 0x1234, 0));
        OKAY("fchmod", fchmod(fd, 0700));
        OKAY("fchown", fchown(fd, 5, 6));
        fstat(fd, &st);
        CHECK("kept", st.st_mode == (S_IFSOCK | 0700) && st.st_uid == 5 && st.st_gid == 6);

        struct sockaddr_un a;
        socklen_t l = sizeof a;
        int v = 1;
        FAILS("bind", ENOTSOCK, bind(0, (struct sockaddr *)&a, sizeof a));
        FAILS("connect", ENOTSOCK, connect(0, (struct sockaddr *)&a, sizeof a));
        FAILS("listen", ENOTSOCK, listen(0, 1));
        FAILS("accept", ENOTSOCK, accept(0, NULL, NULL));
        FAILS("getsockname", ENOTSOCK, getsockname(0, (struct sockaddr *)&a, &l));
        FAILS("getpeername", ENOTSOCK, getpeername(0, (struct sockaddr *)&a, &l));
        FAILS("shutdown", ENOTSOCK, shutdown(0, 0));
        FAILS("send", ENOTSOCK, send(0, "x", 1, 0));
        FAILS("recv", ENOTSOCK, recv(0, &v, 1, 0));
        FAILS("setsockopt", ENOTSOCK, setsockopt(0, SOL_SOCKET, SO_DEBUG, &v, 4));
        FAILS("getsockopt", ENOTSOCK, getsockopt(0, SOL_SOCKET, SO_TYPE, &v, &l));
        FAILS("bind", EBADF, bind(99, (struct sockaddr *)&a, sizeof a));
        FAILS("accept", EBADF, accept(99, NULL, NULL));
        FAILS("send", EBADF, send(99, "x", 1, 0));
        FAILS("listen", EBADF, listen(-1, 1));
        FAILS("O_PATH", EBADF, listen(open(".", O_PATH), 1));
        return done();
}
