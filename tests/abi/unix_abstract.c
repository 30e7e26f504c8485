/* Abstract names and autobind. */
#include "unix.h"

static int try_connect(int type, const char *name)
{
        int fd = socket(AF_UNIX, type, 0), r = connect_to(fd, name), e = errno;
        close(fd);
        errno = e;
        return r;
}

int main(void)
{
        struct sockaddr_un a;
        socklen_t          n;

        FAILS("nobody", ECONNREFUSED, try_connect(SOCK_STREAM, "@none"));
        int fd = listener(SOCK_STREAM, "@one", 5);
        FAILS("no file", ENOENT, access("one", F_OK));
        OKAY("connect", try_connect(SOCK_STREAM, "@one"));
        FAILS("a longer name", ECONNREFUSED, try_connect(SOCK_STREAM, "@one2"));
        FAILS("a shorter name", ECONNREFUSED, try_connect(SOCK_STREAM, "@on"));
        FAILS("of another type", ECONNREFUSED, try_connect(SOCK_DGRAM, "@one"));
        n = sizeof a;
        getsockname(fd, (struct sockaddr *)&a, &n);
        CHECK("getsockname", n == 2 + 4 && !memcmp(a.sun_path, "\0one", 4));
        int other = socket(AF_UNIX, SOCK_STREAM, 0);
        FAILS("taken", EADDRINUSE, bind_to(other, "@one"));
        FAILS("bind again", EINVAL, bind_to(fd, "@two"));
        int dgram = socket(AF_UNIX, SOCK_DGRAM, 0);
        OKAY("the same name for another type", bind_to(dgram, "@one"));
        close(fd);
        FAILS("free at once", ECONNREFUSED, try_connect(SOCK_STREAM, "@one"));
        OKAY("and to be taken", bind_to(other, "@one"));
        close(other);
        close(dgram);

        fd = socket(AF_UNIX, SOCK_DGRAM, 0);
        memset(&a, 0, sizeof a);
        a.sun_family = AF_UNIX;
        memcpy(a.sun_path, "\0x\0y", 4);
        OKAY("NULs inside", bind(fd, (struct sockaddr *)&a, 2 + 4));
        int fd2 = socket(AF_UNIX, SOCK_DGRAM, 0);
        memcpy(a.sun_path, "\0x\0z", 4);
        OKAY("count", bind(fd2, (struct sockaddr *)&a, 2 + 4));
        close(fd2);
        fd2 = socket(AF_UNIX, SOCK_DGRAM, 0);
        OKAY("and at the end", bind(fd2, (struct sockaddr *)&a, 2 + 5));
        close(fd2);
        close(fd);
        fd = socket(AF_UNIX, SOCK_DGRAM, 0);
        memset(a.sun_path, 0, sizeof a.sun_path);
        OKAY("one NUL alone is a name", bind(fd, (struct sockaddr *)&a, 2 + 1));
        fd2 = socket(AF_UNIX, SOCK_DGRAM, 0);
        OKAY("the longest name", bind(fd2, (struct sockaddr *)&a, sizeof a));
        n = sizeof a;
        getsockname(fd2, (struct sockaddr *)&a, &n);
        CHECK("whole", n == sizeof a);
        close(fd);
        close(fd2);

        fd = socket(AF_UNIX, SOCK_DGRAM, 0);
        a.sun_family = AF_UNIX;
        OKAY("autobind", bind(fd, (struct sockaddr *)&a, 2));
        n = sizeof a;
        getsockname(fd, (struct sockaddr *)&a, &n);
        CHECK("five digits", n == 2 + 6 && a.sun_path[0] == 0 && strspn(a.sun_path + 1, "0123456789abcdef") >= 5);
        struct sockaddr_un b = a;
        OKAY("once more", bind(fd, (struct sockaddr *)&a, 2));
        n = sizeof a;
        getsockname(fd, (struct sockaddr *)&a, &n);
        CHECK("is the same name", !memcmp(a.sun_path, b.sun_path, 6));
        fd2 = socket(AF_UNIX, SOCK_DGRAM, 0);
        FAILS("taken by autobind", EADDRINUSE, bind(fd2, (struct sockaddr *)&a, 2 + 6));
        set_option(fd2, SO_PASSCRED, 1);
        OKAY("SO_PASSCRED", connect(fd2, (struct sockaddr *)&a, 2 + 6));
        n = sizeof a;
        getsockname(fd2, (struct sockaddr *)&a, &n);
        CHECK("binds at connect", n == 2 + 6);
        close(fd2);
        close(fd);
        return done();
}
