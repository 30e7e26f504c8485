/* SCM_CREDENTIALS, SO_PASSCRED, SO_PEERCRED, SO_PEERGROUPS. */
#include "unix.h"

struct creds { pid_t pid; uid_t uid; gid_t gid; };

static int  s[2];
static char buf[64];

static void pair(int type) { must(socketpair(AF_UNIX, type, 0, s) == 0, "socketpair"); }
static void end(void) { close(s[0]); close(s[1]); }

/* The credentials that come with up to `len` bytes; pid -1: none. */
static struct creds receive(int fd, size_t len, ssize_t *n)
{
        struct message m;
        struct creds   c = { -1, 0, 0 };
        ssize_t        got;

        message_init(&m, buf, len);
        m.h.msg_controllen = sizeof m.control;
        got = recvmsg(fd, &m.h, MSG_DONTWAIT);
        if (n)
                *n = got;
        struct cmsghdr *h = got < 0 ? NULL : CMSG_FIRSTHDR(&m.h);
        if (h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == 2 && h->cmsg_len == CMSG_LEN(sizeof c))
                memcpy(&c, CMSG_DATA(h), sizeof c);
        return c;
}

static int is_me(struct creds c) { return c.pid == getpid() && c.uid == getuid() && c.gid == getgid(); }

static ssize_t send_creds(int fd, struct creds c)
{
        struct message m;
        message_init(&m, "c", 1);
        add_control(&m, SOL_SOCKET, 2, &c, sizeof c);
        return sendmsg(fd, &m.h, 0);
}

static void passing(int type)
{
        struct creds me = { getpid(), getuid(), getgid() };

        pair(type);
        send(s[0], "x", 1, 0);
        CHECK("none unless asked for", receive(s[1], 9, NULL).pid == -1);
        OKAY("sent explicitly", send_creds(s[0], me));
        CHECK("none all the same", receive(s[1], 9, NULL).pid == -1);
        send(s[0], "x", 1, 0);
        set_option(s[1], SO_PASSCRED, 1);
        struct creds c = receive(s[1], 9, NULL);
        CHECK("sent before SO_PASSCRED: nobody", c.pid == 0 && c.uid == 65534 && c.gid == 65534);
        send(s[0], "x", 1, 0);
        CHECK("after it", is_me(receive(s[1], 9, NULL)));
        pid_t pid = fork();
        if (pid == 0) {
                setresgid(12, 5, 5);
                setresuid(11, 4, 4);
                _exit(send(s[0], "x", 1, 0) == 1 ? 0 : 1);
        }
        CHECK("from another process", result_of(pid) == 0);
        c = receive(s[1], 9, NULL);
        CHECK("its real ids", c.pid == pid && c.uid == 11 && c.gid == 12);
        OKAY("claimed by root", send_creds(s[0], (struct creds){ getpid(), 77, 78 }));
        c = receive(s[1], 9, NULL);
        CHECK("believed", c.uid == 77 && c.gid == 78);
        OKAY("another pid", send_creds(s[0], (struct creds){ 1, 0, 0 }));
        CHECK("believed", receive(s[1], 9, NULL).pid == 1);
        FAILS("a pid of nobody", ESRCH, send_creds(s[0], (struct creds){ 4000000, 0, 0 }));
        FAILS("uid -1", EINVAL, send_creds(s[0], (struct creds){ getpid(), -1, 0 }));
        struct message m;
        message_init(&m, "c", 1);
        add_control(&m, SOL_SOCKET, 2, &me, 8);
        FAILS("too short", EINVAL, sendmsg(s[0], &m.h, 0));
        end();
}

static int as_user(void)
{
        pair(SOCK_DGRAM);
        must(setresgid(1, 2, 3) == 0 && setresuid(4, 5, 6) == 0, "ids");
        OKAY("own real", send_creds(s[0], (struct creds){ getpid(), 4, 1 }));
        OKAY("own effective", send_creds(s[0], (struct creds){ getpid(), 5, 2 }));
        OKAY("own saved", send_creds(s[0], (struct creds){ getpid(), 6, 3 }));
        FAILS("another uid", EPERM, send_creds(s[0], (struct creds){ getpid(), 7, 1 }));
        FAILS("another gid", EPERM, send_creds(s[0], (struct creds){ getpid(), 4, 7 }));
        FAILS("another pid", EPERM, send_creds(s[0], (struct creds){ 1, 4, 1 }));
        end();
        return done();
}

static void gluing(void)
{
        ssize_t n;

        pair(SOCK_STREAM);
        set_option(s[1], SO_PASSCRED, 1);
        send(s[0], "a", 1, 0);
        send(s[0], "b", 1, 0);
        send_creds(s[0], (struct creds){ getpid(), 77, 0 });
        send(s[0], "d", 1, 0);
        CHECK("one writer's bytes come together", is_me(receive(s[1], 9, &n)) && n == 2);
        CHECK("another's alone", receive(s[1], 9, &n).uid == 77 && n == 1);
        CHECK("and the first's again", is_me(receive(s[1], 9, &n)) && n == 1);
        end();
        pair(SOCK_STREAM);
        set_option(s[1], SO_PASSCRED, 1);
        int fd = 1;
        struct message m;
        message_init(&m, "x", 1);
        add_control(&m, SOL_SOCKET, SCM_RIGHTS, &fd, 4);
        sendmsg(s[0], &m.h, 0);
        message_init(&m, buf, 9);
        m.h.msg_controllen = sizeof m.control;
        recvmsg(s[1], &m.h, 0);
        struct cmsghdr *h = CMSG_FIRSTHDR(&m.h);
        CHECK("credentials first", h && h->cmsg_type == 2);
        h = h ? CMSG_NXTHDR(&m.h, h) : NULL;
        CHECK("then descriptors", h && h->cmsg_type == SCM_RIGHTS && m.h.msg_controllen == CMSG_SPACE(12) + CMSG_SPACE(4));
        send(s[0], "x", 1, 0);
        message_init(&m, buf, 9);
        m.h.msg_controllen = 20;
        CHECK("cut", recvmsg(s[1], &m.h, 0) == 1 && m.h.msg_flags == MSG_CTRUNC && m.h.msg_controllen == 20);
        send(s[0], "x", 1, 0);
        m.h.msg_controllen = 0;
        CHECK("no room", recvmsg(s[1], &m.h, 0) == 1 && m.h.msg_flags == MSG_CTRUNC && m.h.msg_controllen == 0);
        send(s[0], "x", 1, 0);
        m.h.msg_control = NULL;
        CHECK("nowhere", recvmsg(s[1], &m.h, 0) == 1 && m.h.msg_flags == MSG_CTRUNC);
        end();
}

static struct creds peer(int fd)
{
        struct creds c = { -7, 0, 0 };
        socklen_t    n = sizeof c;
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &n);
        return c;
}

static void peers(void)
{
        pair(SOCK_STREAM);
        CHECK("SO_PEERCRED of a pair", is_me(peer(s[0])) && is_me(peer(s[1])));
        end();
        int u = socket(AF_UNIX, SOCK_STREAM, 0);
        struct creds c = peer(u);
        CHECK("of nobody", c.pid == 0 && c.uid == (uid_t)-1 && c.gid == (gid_t)-1);
        char groups[64];
        socklen_t n = sizeof groups;
        FAILS("SO_PEERGROUPS of nobody", ENODATA, getsockopt(u, SOL_SOCKET, SO_PEERGROUPS, groups, &n));
        close(u);
        int l = listener(SOCK_STREAM, "@l", 5);
        CHECK("of a listener: its own", is_me(peer(l)));
        pid_t pid = fork();
        if (pid == 0) {
                gid_t g[3] = { 30, 10, 20 };
                setgroups(3, g);
                setresgid(12, 5, 5);
                setresuid(11, 4, 4);
                int fd = connected(SOCK_STREAM, "@l");
                c = peer(fd);
                _exit(c.pid == getppid() && c.uid == 0 ? 0 : 1);
        }
        int a = accept(l, NULL, NULL);
        CHECK("the client sees who listens", result_of(pid) == 0);
        c = peer(a);
        CHECK("the server who connected: effective ids", c.pid == pid && c.uid == 4 && c.gid == 5);
        gid_t got[8];
        n = sizeof got;
        OKAY("SO_PEERGROUPS", getsockopt(a, SOL_SOCKET, SO_PEERGROUPS, got, &n));
        CHECK("sorted", n == 12 && got[0] == 10 && got[1] == 20 && got[2] == 30);
        n = 8;
        FAILS("too little room", ERANGE, getsockopt(a, SOL_SOCKET, SO_PEERGROUPS, got, &n));
        CHECK("tells how much", n == 12);
        n = 4;
        OKAY("SO_PEERCRED cut", getsockopt(a, SOL_SOCKET, SO_PEERCRED, got, &n));
        CHECK("to what there is room for", n == 4);
        set_option(l, SO_PASSCRED, 1);
        int b = connected(SOCK_STREAM, "@l");
        close(a);
        send(b, "early", 5, 0);
        a = accept(l, NULL, NULL);
        CHECK("SO_PASSCRED is inherited", option(a, SO_PASSCRED) == 1);
        CHECK("what came before accept has credentials", is_me(receive(a, 9, NULL)));
        close(a);
        close(b);
        close(l);
}

int main(void)
{
        passing(SOCK_STREAM);
        passing(SOCK_DGRAM);
        passing(SOCK_SEQPACKET);
        in_child(as_user);
        gluing();
        peers();
        return done();
}
