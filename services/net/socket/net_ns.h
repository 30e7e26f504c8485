/* SPDX-License-Identifier: Apache-2.0
 *
 * Network namespaces: what "global" means to sockets.  Each family keeps its own state of a
 * namespace (names, tables, settings) in a part, made when the namespace is.
 *
 * Lifetime   Counted by ns_sets and sockets.  A namespace holds its parts; parts do not hold it.
 */
#pragma once
#include "services/namespace/namespace.h"
#include "abi/const/socket.h"

BASE(net_part) { u32 family; u32 spare; };
BASE_DECLARE(net_part)

OBJECT(net_ns) {
        u64 inum;                       /* fixed, as all here */
        u64 cookie;                     /* SO_NETNS_COOKIE */
        struct user_ns *user;           /* counted */
        struct net_part *part[AF_MAX];  /* counted; NULL: a family without one */
};

/* With a part of every family that is registered; published.  NULL: no memory. */
struct net_ns *net_ns_new(struct payer *payer, struct user_ns *user, u64 inum);
struct net_ns *net_ns_current(void);    /* borrowed from the current thread */
