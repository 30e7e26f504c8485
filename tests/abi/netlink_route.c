/* SPDX-License-Identifier: Apache-2.0
 *
 * netlink_route: dumps of rtnetlink where no network device is up, as C libraries ask for them.
 */
#include "netlink.h"
#include <ifaddrs.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netdb.h>

struct question { struct nlmsghdr h; struct rtgenmsg g; };

static int route(void)
{
        int fd = nl(SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

        must(fd >= 0 && bind_to(fd, 0, 0) == 0, "a socket");
        return fd;
}

static struct question dump_of(int type, int flags, uint32_t seq)
{
        struct question q = { .h = { .nlmsg_len = sizeof q, .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags, .nlmsg_seq = seq }, .g = { AF_UNSPEC } };
        return q;
}

/* What ends a dump, and nothing before. */
static void empty(const char *name, int type, int flags)
{
        int fd = route();
        struct question q = dump_of(type, flags, 4711);
        struct { struct nlmsghdr h; int error; char more[4000]; } a;

        memset(&a, 0xff, sizeof a);
        must(send_to(fd, 0, 0, &q, sizeof q, 0) == sizeof q, "asked");
        long n = recv(fd, &a, sizeof a, 0);
        say("%s: %ld bytes: len %u type %d flags %#x seq %u error %d\n", name, n, a.h.nlmsg_len, a.h.nlmsg_type, a.h.nlmsg_flags, a.h.nlmsg_seq, a.error);
        CHECK("to the port that asked", a.h.nlmsg_pid == name_of(fd).nl_pid);
        FAILS("that is all", EAGAIN, recv(fd, &a, sizeof a, MSG_DONTWAIT));
        close(fd);
}

int main(void)
{
        empty("addresses", RTM_GETADDR, NLM_F_DUMP);
        empty("addresses, by half the flag", RTM_GETADDR, NLM_F_ROOT);
        empty("addresses and a receipt", RTM_GETADDR, NLM_F_DUMP | NLM_F_ACK);
        empty("routes", RTM_GETROUTE, NLM_F_DUMP);
        empty("neighbours", RTM_GETNEIGH, NLM_F_DUMP);

        /* Devices may be there, but the dump ends. */
        int fd = route(), ended = 0;
        struct question q = dump_of(RTM_GETLINK, NLM_F_DUMP, 1);
        static char much[65536];
        must(send_to(fd, 0, 0, &q, sizeof q, 0) == sizeof q, "asked");
        while (!ended) {
                long n = recv(fd, much, sizeof much, 0);
                must(n > 0, "recv");
                for (struct nlmsghdr *h = (void *)much; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n))
                        ended |= h->nlmsg_type == NLMSG_DONE;
        }
        CHECK("devices", ended);
        /* Two at once. */
        struct question two[2] = { dump_of(RTM_GETADDR, NLM_F_DUMP, 7), dump_of(RTM_GETADDR, 0, 8) };
        two[1].h.nlmsg_type = 0x7ff0;
        CHECK("a dump and nonsense", send_to(fd, 0, 0, two, sizeof two, 0) == sizeof two);
        struct { struct nlmsghdr h; int error; char more[200]; } a[2];
        long n0 = recv(fd, &a[0], sizeof a[0], 0), n1 = recv(fd, &a[1], sizeof a[1], 0);
        int which = a[0].h.nlmsg_seq == 7 ? 0 : 1;
        CHECK("both are answered", n0 > 0 && n1 > 0 && a[which].h.nlmsg_type == NLMSG_DONE && a[!which].h.nlmsg_type == NLMSG_ERROR && a[!which].error == -EOPNOTSUPP);
        close(fd);

        struct ifaddrs *all = NULL;
        CHECK("getifaddrs", getifaddrs(&all) == 0);
        freeifaddrs(all);
        struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_flags = AI_NUMERICHOST }, *found = NULL;
        CHECK("getaddrinfo", getaddrinfo("127.0.0.1", "80", &hints, &found) == 0 && found && found->ai_family == AF_INET);
        freeaddrinfo(found);
        return done();
}
