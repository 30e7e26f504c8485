/* AF_NETLINK: groups, options, control messages, /proc/net/netlink, the kernel's answers. */
#include "netlink.h"
#include <linux/rtnetlink.h>

static int opt(int fd, int name, int v) { return setsockopt(fd, SOL_NETLINK, name, &v, sizeof v); }
static int get(int fd, int name)
{
        int v = -7;
        socklen_t n = sizeof v;
        return getsockopt(fd, SOL_NETLINK, name, &v, &n) ? -1 : v;
}
static long got(int fd)
{
        char buf[64];
        return recv(fd, buf, sizeof buf, MSG_DONTWAIT);
}

static void groups(void)
{
        int a = bound(SOCK_RAW, 1001, 0), b = bound(SOCK_RAW, 1002, 3), c = bound(SOCK_RAW, 1003, 2);
        struct sockaddr_nl s;
        socklen_t n = sizeof s;
        char buf[16];

        CHECK("groups show", name_of(b).nl_groups == 3);
        FAILS("a group, and the kernel that refuses", ECONNREFUSED, send_to(a, 0, 1, "x", 1, 0));
        CHECK("it came all the same", recvfrom(b, buf, 16, MSG_DONTWAIT, (void *)&s, &n) == 1 && s.nl_pid == 1001 && s.nl_groups == 1);
        CHECK("not to others", got(c) == -1);
        CHECK("a group and a port", send_to(a, 1003, 1, "x", 1, 0) == 1);
        CHECK("both have it", got(b) == 1 && got(c) == 1 && got(c) == -1);
        CHECK("the port is left out of the group", send_to(a, 1002, 1, "x", 1, 0) == 1 && got(b) == 1 && got(b) == -1);
        send_to(a, 0, 2, "x", 1, 0);
        CHECK("two members", got(b) == 1 && got(c) == 1);
        send_to(a, 0, 6, "x", 1, 0);
        CHECK("the lowest of several", got(b) == 1 && got(c) == 1);
        send_to(b, 0, 1, "x", 1, 0);
        CHECK("not to the sender", got(b) == -1);
        OKAY("join", opt(a, NETLINK_ADD_MEMBERSHIP, 5));
        CHECK("a bit", name_of(a).nl_groups == 1u << 4);
        send_to(b, 0, 1u << 4, "xy", 2, 0);
        CHECK("a member", got(a) == 2);
        OKAY("leave", opt(a, NETLINK_DROP_MEMBERSHIP, 5));
        send_to(b, 0, 1u << 4, "xy", 2, 0);
        CHECK("no more", got(a) == -1);
        OKAY("leave what was not joined", opt(a, NETLINK_DROP_MEMBERSHIP, 7));
        FAILS("group 0", EINVAL, opt(a, NETLINK_ADD_MEMBERSHIP, 0));
        FAILS("group 33", EINVAL, opt(a, NETLINK_ADD_MEMBERSHIP, 33));
        OKAY("group 32", opt(a, NETLINK_ADD_MEMBERSHIP, 32));
        OKAY("bind sets them", bind_to(a, 1001, 4));
        CHECK("anew", name_of(a).nl_groups == 4);
        s = at(0, 4);
        OKAY("connected to a group", connect(b, (void *)&s, sizeof s));
        n = sizeof s;
        memset(&s, 0, sizeof s);
        CHECK("the peer's", getpeername(b, (void *)&s, &n) == 0 && s.nl_groups == 4 && s.nl_pid == 0);
        send(b, "x", 1, 0);
        CHECK("by connect", got(a) == 1);
        close(a), close(b), close(c);
}

static void options(void)
{
        int a = nl(SOCK_RAW, NETLINK_USERSOCK), v = 1;
        static const struct { const char *name; int n; } o[] = {
                { "PKTINFO", NETLINK_PKTINFO }, { "BROADCAST_ERROR", NETLINK_BROADCAST_ERROR }, { "NO_ENOBUFS", NETLINK_NO_ENOBUFS },
                { "CAP_ACK", NETLINK_CAP_ACK }, { "EXT_ACK", NETLINK_EXT_ACK }, { "GET_STRICT_CHK", NETLINK_GET_STRICT_CHK },
        };
        socklen_t n = 2;

        for (unsigned i = 0; i < sizeof o / sizeof o[0]; i++) {
                CHECK(o[i].name, get(a, o[i].n) == 0 && opt(a, o[i].n, 5) == 0 && get(a, o[i].n) == 1 && opt(a, o[i].n, 0) == 0 && get(a, o[i].n) == 0);
        }
        OKAY("all namespaces", opt(a, NETLINK_LISTEN_ALL_NSID, 1));
        FAILS("not to be read", ENOPROTOOPT, get(a, NETLINK_LISTEN_ALL_NSID));
        FAILS("unknown", ENOPROTOOPT, opt(a, 99, 1));
        FAILS("unknown, read", ENOPROTOOPT, get(a, 99));
        FAILS("a level", ENOPROTOOPT, setsockopt(a, 6, NETLINK_PKTINFO, &v, sizeof v));
        FAILS("a level, read", ENOPROTOOPT, getsockopt(a, 6, NETLINK_PKTINFO, &v, &(socklen_t){ 4 }));
        OKAY("short: as 0", setsockopt(a, SOL_NETLINK, NETLINK_PKTINFO, &v, 2));
        CHECK("it is 0", get(a, NETLINK_PKTINFO) == 0);
        FAILS("short, read", EINVAL, getsockopt(a, SOL_NETLINK, NETLINK_PKTINFO, &v, &n));
        FAILS("a bad address", EFAULT, setsockopt(a, SOL_NETLINK, NETLINK_PKTINFO, BAD_PTR, 4));
        uint32_t bits[2] = {};
        bind_to(a, 0, 5);
        n = sizeof bits;
        CHECK("memberships", getsockopt(a, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, bits, &n) == 0 && n == 4 && bits[0] == 5);
        n = 0;
        CHECK("how long", getsockopt(a, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, NULL, &n) == 0 && n == 4);
        close(a);
}

static void control(void)
{
        int a = bound(SOCK_RAW, 1001, 0), b = bound(SOCK_RAW, 1002, 8), one = 1;
        union { char buf[256]; struct cmsghdr h; } u;
        char data[8];
        struct iovec io = { data, sizeof data };
        struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof u };
        int creds = 0, info = 0;

        setsockopt(b, SOL_SOCKET, SO_PASSCRED, &one, sizeof one);
        opt(b, NETLINK_PKTINFO, 1);
        send_to(a, 0, 8, "x", 1, 0);
        CHECK("received", recvmsg(b, &m, MSG_DONTWAIT) == 1);
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
                if (c->cmsg_level == SOL_NETLINK && c->cmsg_type == NETLINK_PKTINFO)
                        info = *(uint32_t *)CMSG_DATA(c);
                if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS)
                        creds = *(pid_t *)CMSG_DATA(c) == getpid();
        }
        CHECK("the group", info == 4);
        CHECK("the sender", creds == 1);
        send_to(a, 1002, 0, "x", 1, 0);
        m.msg_controllen = sizeof u;
        info = -1;
        CHECK("received to the port", recvmsg(b, &m, MSG_DONTWAIT) == 1);
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
                if (c->cmsg_level == SOL_NETLINK && c->cmsg_type == NETLINK_PKTINFO)
                        info = *(uint32_t *)CMSG_DATA(c);
        CHECK("no group", info == 0);
        close(a), close(b);
}

static void overrun(void)
{
        int a = bound(SOCK_RAW, 1001, 0), b = bound(SOCK_RAW, 1002, 1), size = 4096, n = 0;
        char buf[1000] = {};
        struct pollfd p = { b, POLLIN, 0 };

        setsockopt(b, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
        for (int i = 0; i < 100; i++)
                send_to(a, 0, 1, buf, sizeof buf, 0);
        CHECK("told by poll", poll(&p, 1, 0) == 1 && (p.revents & POLLERR));
        FAILS("too many for a member", ENOBUFS, recv(b, buf, sizeof buf, MSG_DONTWAIT));
        while (recv(b, buf, sizeof buf, MSG_DONTWAIT) == sizeof buf)
                n++;
        CHECK("some came", n > 0 && n < 100 && errno == EAGAIN);
        opt(b, NETLINK_NO_ENOBUFS, 1);
        for (int i = 0; i < 100; i++)
                send_to(a, 0, 1, buf, sizeof buf, 0);
        CHECK("not told", recv(b, buf, sizeof buf, MSG_DONTWAIT) == sizeof buf);
        close(a), close(b);
}

static void listing(void)
{
        int a = bound(SOCK_RAW, 3333333, 0x11);
        const char *text = text_of("/proc/net/netlink"), *line = strstr(text, "3333333");
        unsigned groups = 0;

        CHECK("head", !strncmp(text, "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n", 85));
        CHECK("line", line && line[-4] == '2' && sscanf(line, "3333333 %x", &groups) == 1 && groups == 0x11);
        close(a);
        CHECK("gone", !strstr(text_of("/proc/net/netlink"), "3333333"));
}

/* What the kernel says to a request that it does not know. */
static void answers(void)
{
        int r = nl(SOCK_RAW, NETLINK_ROUTE);
        struct { struct nlmsghdr h; struct rtgenmsg g; char pad[3]; } q = {
                .h = { .nlmsg_len = sizeof q, .nlmsg_type = 200, .nlmsg_flags = NLM_F_REQUEST, .nlmsg_seq = 99 },
        };
        struct { struct nlmsghdr h; struct nlmsgerr e; char rest[200]; } a;
        struct sockaddr_nl s = at(77, 77);
        socklen_t n = sizeof s;

        bind_to(r, 5005, 0);
        CHECK("asked", send_to(r, 0, 0, &q, sizeof q, 0) == sizeof q);
        CHECK("answered", recvfrom(r, &a, sizeof a, MSG_DONTWAIT, (void *)&s, &n) == (long)(sizeof a.h + 4 + sizeof q));
        CHECK("by the kernel", s.nl_pid == 0 && s.nl_groups == 0);
        CHECK("an error", a.h.nlmsg_type == NLMSG_ERROR && a.h.nlmsg_seq == 99 && a.h.nlmsg_pid == 5005 && a.h.nlmsg_len == sizeof a.h + 4 + sizeof q);
        CHECK("there is no such thing", a.e.error == -EOPNOTSUPP && !memcmp(&a.e.msg, &q.h, sizeof q.h));
        q.h.nlmsg_type = NLMSG_NOOP, q.h.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
        send_to(r, 0, 0, &q, sizeof q, 0);
        CHECK("a receipt", recv(r, &a, sizeof a, MSG_DONTWAIT) == sizeof a.h + sizeof a.e && a.e.error == 0 && a.h.nlmsg_type == NLMSG_ERROR);
        q.h.nlmsg_flags = 0;
        send_to(r, 0, 0, &q, sizeof q, 0);
        CHECK("nothing asked, nothing said", recv(r, &a, sizeof a, MSG_DONTWAIT) == -1 && errno == EAGAIN);
        q.h.nlmsg_len = 4, q.h.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
        send_to(r, 0, 0, &q, sizeof q, 0);
        CHECK("a length that cannot be", recv(r, &a, sizeof a, MSG_DONTWAIT) == -1 && errno == EAGAIN);
        opt(r, NETLINK_CAP_ACK, 1);
        q.h.nlmsg_len = sizeof q, q.h.nlmsg_type = 200;
        send_to(r, 0, 0, &q, sizeof q, 0);
        CHECK("capped", recv(r, &a, sizeof a, MSG_DONTWAIT) == sizeof a.h + sizeof a.e && (a.h.nlmsg_flags & NLM_F_CAPPED) && a.e.error == -EOPNOTSUPP);
        close(r);
}

int main(void)
{
        groups();
        options();
        control();
        overrun();
        listing();
        answers();
        return done();
}
