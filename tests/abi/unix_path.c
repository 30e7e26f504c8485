/* Sockets bound to paths: bind(2), connect(2), permissions. */
#include "unix.h"

static int try_connect(int type, const char *name)
{
        int fd = socket(AF_UNIX, type, 0), r = connect_to(fd, name), e = errno;
        close(fd);
        errno = e;
        return r;
}

static int as_user(void)
{
        become_user(1000);
        FAILS("no write permission", EACCES, try_connect(SOCK_STREAM, "closed"));
        OKAY("write permission alone", try_connect(SOCK_STREAM, "open"));
        FAILS("no search permission", EACCES, try_connect(SOCK_STREAM, "dir/inner"));
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        FAILS("bind without permission", EACCES, bind_to(fd, "dir/other"));
        return done();
}

static void names(void)
{
        struct sockaddr_un a;
        socklen_t          n;
        struct stat        st;
        int                fd = socket(AF_UNIX, SOCK_STREAM, 0);

        n = sizeof a;
        OKAY("getsockname unbound", getsockname(fd, (struct sockaddr *)&a, &n));
        CHECK("the family alone", n == 2 && a.sun_family == AF_UNIX);
        OKAY("bind", bind_to(fd, "sock"));
        CHECK("an inode of type socket", stat("sock", &st) == 0 && S_ISSOCK(st.st_mode) && st.st_size == 0 && st.st_nlink == 1);
        n = sizeof a;
        OKAY("getsockname", getsockname(fd, (struct sockaddr *)&a, &n));
        CHECK("the name", n == 2 + 5 && !strcmp(a.sun_path, "sock"));
        memset(&a, 'x', sizeof a);
        n = 5;
        OKAY("getsockname, cut", getsockname(fd, (struct sockaddr *)&a, &n));
        CHECK("length whole, text cut", n == 7 && !memcmp(a.sun_path, "socx", 4));
        n = 0;
        OKAY("getsockname, no room", getsockname(fd, (struct sockaddr *)&a, &n));
        CHECK("length", n == 7);
        n = -1;
        FAILS("getsockname, negative", EINVAL, getsockname(fd, (struct sockaddr *)&a, &n));
        FAILS("getsockname, bad address", EFAULT, getsockname(fd, BAD_PTR, (n = 5, &n)));
        FAILS("getsockname, bad length", EFAULT, getsockname(fd, (struct sockaddr *)&a, BAD_PTR));
        FAILS("bind again", EINVAL, bind_to(fd, "sock2"));
        FAILS("leaves nothing", ENOENT, access("sock2", F_OK));
        FAILS("the same path", EADDRINUSE, bind_to(fd, "sock"));
        int fd2 = socket(AF_UNIX, SOCK_DGRAM, 0);
        FAILS("taken", EADDRINUSE, bind_to(fd2, "sock"));
        put_text("file", "");
        FAILS("a file is there", EADDRINUSE, bind_to(fd2, "file"));
        FAILS("a directory that is not", ENOENT, bind_to(fd2, "nodir/sock"));
        FAILS("not a directory", ENOTDIR, bind_to(fd2, "file/sock"));
        FAILS("a trailing slash", ENOENT, bind_to(fd2, "new/"));
        symlink("target", "link");
        FAILS("a dangling link", EADDRINUSE, bind_to(fd2, "link"));
        FAILS("open", ENXIO, open("sock", O_RDWR));
        OKAY("O_PATH", open("sock", O_PATH));
        close(fd);
        CHECK("the name stays", stat("sock", &st) == 0);
        FAILS("and refuses", ECONNREFUSED, try_connect(SOCK_STREAM, "sock"));
        FAILS("bind to what is left", EADDRINUSE, bind_to(fd2, "sock"));
        close(fd2);
}

static void lengths(void)
{
        struct sockaddr_un a;
        int                fd = socket(AF_UNIX, SOCK_DGRAM, 0);
        struct { struct sockaddr_un a; char more[20]; } big;
        socklen_t n;

        address(&a, "len");
        FAILS("short", EINVAL, bind(fd, (struct sockaddr *)&a, 1));
        FAILS("nothing", EINVAL, bind(fd, (struct sockaddr *)&a, 0));
        FAILS("negative", EINVAL, bind(fd, (struct sockaddr *)&a, -1));
        FAILS("more than any", EINVAL, bind(fd, (struct sockaddr *)&a, 129));
        memset(&big, 0, sizeof big);
        big.a = a;
        FAILS("one too long", EINVAL, bind(fd, (struct sockaddr *)&big, sizeof a + 1));
        a.sun_family = AF_INET;
        FAILS("another family", EINVAL, bind(fd, (struct sockaddr *)&a, sizeof a));
        a.sun_family = AF_UNIX;
        FAILS("bad address", EFAULT, bind(fd, BAD_PTR, sizeof a));
        OKAY("without a NUL inside the length", bind(fd, (struct sockaddr *)&a, 2 + 2));
        n = sizeof a;
        getsockname(fd, (struct sockaddr *)&a, &n);
        CHECK("cut by the length", n == 2 + 3 && !memcmp(a.sun_path, "le", 3) && access("le", F_OK) == 0);
        close(fd);
        fd = socket(AF_UNIX, SOCK_DGRAM, 0);
        memset(a.sun_path, 'p', sizeof a.sun_path);
        OKAY("108 bytes", bind(fd, (struct sockaddr *)&a, sizeof a));
        n = sizeof big;
        getsockname(fd, (struct sockaddr *)&big, &n);
        CHECK("one byte more than the struct", n == 2 + 109 && big.a.sun_path[107] == 'p' && big.more[0] == 0);
        int c = socket(AF_UNIX, SOCK_DGRAM, 0);
        OKAY("connect to it", connect(c, (struct sockaddr *)&a, sizeof a));
        n = sizeof big;
        OKAY("getpeername", getpeername(c, (struct sockaddr *)&big, &n));
        CHECK("its length", n == 111);
        FAILS("connect: short", EINVAL, connect(c, (struct sockaddr *)&a, 1));
        FAILS("connect: family alone", EINVAL, connect(c, (struct sockaddr *)&a, 2));
        close(c);
        close(fd);
}

static void finding(void)
{
        int fd = listener(SOCK_STREAM, "there", 5);
        OKAY("connect", try_connect(SOCK_STREAM, "there"));
        symlink("there", "via");
        OKAY("through a symlink", try_connect(SOCK_STREAM, "via"));
        link("there", "hard");
        OKAY("through a hard link", try_connect(SOCK_STREAM, "hard"));
        rename("there", "moved");
        OKAY("renamed", try_connect(SOCK_STREAM, "moved"));
        FAILS("the old name", ENOENT, try_connect(SOCK_STREAM, "there"));
        unlink("moved");
        OKAY("the other link", try_connect(SOCK_STREAM, "hard"));
        unlink("hard");
        FAILS("no name left", ENOENT, try_connect(SOCK_STREAM, "hard"));
        struct sockaddr_un a;
        socklen_t n = sizeof a;
        getsockname(fd, (struct sockaddr *)&a, &n);
        CHECK("it keeps its first name", n == 8 && !strcmp(a.sun_path, "there"));
        close(fd);
        put_text("plain", "");
        FAILS("a plain file", ECONNREFUSED, try_connect(SOCK_STREAM, "plain"));
        FAILS("a directory", ECONNREFUSED, try_connect(SOCK_STREAM, "."));
        fd = listener(SOCK_STREAM, "type", 1);
        FAILS("datagram to stream", EPROTOTYPE, try_connect(SOCK_DGRAM, "type"));
        FAILS("record to stream", EPROTOTYPE, try_connect(SOCK_SEQPACKET, "type"));
        close(fd);
        OKAY("mknod", mknod("made", S_IFSOCK | 0777, 0));
        FAILS("nobody behind it", ECONNREFUSED, try_connect(SOCK_STREAM, "made"));
}

static void modes(void)
{
        struct stat st;

        umask(0027);
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        bind_to(fd, "masked");
        CHECK("0777 less umask", stat("masked", &st) == 0 && (st.st_mode & 07777) == 0750);
        close(fd);
        umask(0);
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        fchmod(fd, 0640);
        bind_to(fd, "chosen");
        CHECK("as fchmod said before", stat("chosen", &st) == 0 && (st.st_mode & 07777) == 0640);
        close(fd);
        mkdir("dir", 0700);
        chmod(".", 0755);
        int a = listener(SOCK_STREAM, "closed", 5), b = listener(SOCK_STREAM, "open", 5), c = listener(SOCK_STREAM, "dir/inner", 5);
        chmod("closed", 0755);
        chmod("open", 0222);
        in_child(as_user);
        close(a);
        close(b);
        close(c);
}

int main(void)
{
        names();
        lengths();
        finding();
        modes();
        return done();
}
