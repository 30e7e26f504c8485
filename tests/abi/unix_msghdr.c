/* sendmsg and recvmsg: headers, vectors, names, flags. */
#include "unix.h"

static int  s[2];
static char a[64], b[64];

int main(void)
{
        struct iovec  v[4] = { { a, 3 }, { b, 0 }, { a + 3, 2 }, { b, 4 } };
        struct msghdr h;
        struct sockaddr_un name;

        must(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0, "socketpair");
        memcpy(a, "abcde", 5);
        memcpy(b, "WXYZ", 4);
        memset(&h, 0, sizeof h);
        h.msg_iov = v;
        h.msg_iovlen = 4;
        CHECK("gather", sendmsg(s[0], &h, 0) == 9 && recv(s[1], a, 64, 0) == 9 && !memcmp(a, "abcdeWXYZ", 9));
        write(s[0], "123456789", 9);
        CHECK("scatter", recvmsg(s[1], &h, 0) == 9 && !memcmp(a, "12345", 5) && !memcmp(b, "6789", 4));
        CHECK("writev and readv", writev(s[0], v, 4) == 9 && readv(s[1], v, 4) == 9);
        h.msg_iovlen = 0;
        CHECK("no vector", sendmsg(s[0], &h, 0) == 0);
        h.msg_iovlen = 1025;
        FAILS("too many", EMSGSIZE, sendmsg(s[0], &h, 0));
        FAILS("too many", EMSGSIZE, recvmsg(s[1], &h, MSG_DONTWAIT));
        h.msg_iovlen = 1;
        v[0].iov_len = -1;
        FAILS("negative length", EINVAL, sendmsg(s[0], &h, 0));
        v[0].iov_len = 3;
        h.msg_iov = BAD_PTR;
        FAILS("bad vector", EFAULT, sendmsg(s[0], &h, 0));
        FAILS("bad header", EFAULT, sendmsg(s[0], BAD_PTR, 0));
        FAILS("bad header", EFAULT, recvmsg(s[0], BAD_PTR, 0));
        h.msg_iov = v;
        v[0].iov_base = BAD_PTR;
        FAILS("bad bytes", EFAULT, sendmsg(s[0], &h, 0));
        v[0].iov_base = a;
        h.msg_name = &name;
        h.msg_namelen = -1;
        FAILS("negative name", EINVAL, sendmsg(s[0], &h, 0));
        FAILS("negative name", EINVAL, recvmsg(s[1], &h, MSG_DONTWAIT));
        h.msg_namelen = sizeof name;
        FAILS("a name when connected", EISCONN, sendmsg(s[0], &h, 0));
        h.msg_name = NULL;
        OKAY("a length without a name", sendmsg(s[0], &h, 0));
        h.msg_name = &name;
        h.msg_namelen = sizeof name;
        h.msg_flags = -1;
        CHECK("no name of a pair", recvmsg(s[1], &h, 0) == 3 && h.msg_namelen == 0 && h.msg_flags == 0);
        h.msg_name = NULL;
        FAILS("MSG_CMSG_COMPAT", EINVAL, sendmsg(s[0], &h, 0x80000000));
        FAILS("MSG_CMSG_COMPAT", EINVAL, recvmsg(s[0], &h, 0x80000000));
        FAILS("no socket", ENOTSOCK, sendmsg(0, &h, 0));
        FAILS("no descriptor", EBADF, recvmsg(99, &h, 0));
        FAILS("an O_PATH descriptor", EBADF, sendmsg(open(".", O_PATH), &h, 0));
        close(s[0]);
        close(s[1]);

        int l = listener(SOCK_STREAM, "server", 1), c = socket(AF_UNIX, SOCK_STREAM, 0);
        bind_to(c, "client");
        connect_to(c, "server");
        int t = accept(l, NULL, NULL);
        write(c, "xyz", 3);
        h.msg_name = &name;
        h.msg_namelen = sizeof name;
        CHECK("a stream's peer has a name", recvmsg(t, &h, 0) == 3 && h.msg_namelen == 9 && !strcmp(name.sun_path, "client"));
        write(c, "xyz", 3);
        socklen_t n = sizeof name;
        CHECK("recvfrom, too", recvfrom(t, a, 9, 0, (struct sockaddr *)&name, &n) == 3 && n == 9);
        write(c, "xyz", 3);
        h.msg_namelen = 4;
        memset(&name, 'q', sizeof name);
        CHECK("cut", recvmsg(t, &h, 0) == 3 && h.msg_namelen == 9 && name.sun_path[1] == 'l' && name.sun_path[2] == 'q');
        write(c, "xyz", 3);
        n = -1;
        FAILS("recvfrom with a negative length", EINVAL, recvfrom(t, a, 9, 0, (struct sockaddr *)&name, &n));
        FAILS("recvfrom, bad buffer", EFAULT, recvfrom(t, (void *)(~0ul << 12), 9, MSG_DONTWAIT, NULL, NULL));
        FAILS("sendto, bad buffer", EFAULT, sendto(t, BAD_PTR, 9, 0, NULL, 0));
        FAILS("sendto, long address", EINVAL, sendto(t, "x", 1, 0, (struct sockaddr *)&name, 200));
        FAILS("sendto, bad address", EFAULT, sendto(t, "x", 1, 0, BAD_PTR, 20));
        return done();
}
