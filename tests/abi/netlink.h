/* SPDX-License-Identifier: Apache-2.0
 *
 * netlink: sockets of NETLINK_USERSOCK and their addresses.
 */
#pragma once
#include "abi.h"
#include <linux/netlink.h>
#include <sys/socket.h>

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

UNUSED static int nl(int type, int protocol) { return socket(AF_NETLINK, type, protocol); }
UNUSED static struct sockaddr_nl at(uint32_t pid, uint32_t groups)
{
        return (struct sockaddr_nl){ .nl_family = AF_NETLINK, .nl_pid = pid, .nl_groups = groups };
}
UNUSED static int bind_to(int fd, uint32_t pid, uint32_t groups)
{
        struct sockaddr_nl a = at(pid, groups);
        return bind(fd, (void *)&a, sizeof a);
}
UNUSED static long send_to(int fd, uint32_t pid, uint32_t groups, const void *data, size_t n, int flags)
{
        struct sockaddr_nl a = at(pid, groups);
        return sendto(fd, data, n, flags, (void *)&a, sizeof a);
}
UNUSED static struct sockaddr_nl name_of(int fd)
{
        struct sockaddr_nl a = {};
        socklen_t n = sizeof a;
        must(getsockname(fd, (void *)&a, &n) == 0 && n == sizeof a, "getsockname");
        return a;
}
UNUSED static int bound(int type, uint32_t pid, uint32_t groups)
{
        int fd = nl(type, NETLINK_USERSOCK);
        must(fd >= 0 && bind_to(fd, pid, groups) == 0, "bound");
        return fd;
}
