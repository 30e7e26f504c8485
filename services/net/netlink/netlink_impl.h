/* SPDX-License-Identifier: Apache-2.0
 *
 * Netlink sockets.
 *
 * Objects    `netlink_sock`, an endpoint, known by protocol and port number (nl_pid).  `netlink_msg`, a message in its
 *            receiver's queue, or on its way.  `netlink_part`: all sockets of a network namespace.
 * States     unbound; bound, for good: it has a port, by bind(2), or by itself when it first sends or connects: the process's
 *            pid, if that is free, else a number with the highest bit set.
 * Lifetime   A socket is in its part's list until it is released.  A message under way holds its receiver, not its sender.
 * Locking    part.lock (spin) for the list, ports and groups; sock.queue_lock (spin, a leaf) for the queue.  Nothing is done
 *            under both.  sock.lock is not used.
 * Invariants N1  used is the charge of all messages that are queued or will be (notes).
 *            N2  a dead socket's queue is empty.
 *            N3  a bound socket that is in its part's list is in its hash, too.
 */
#pragma once
#include "services/net/netlink/netlink.h"
#include "abi/linux/netlink.h"
#include "lib/hmap.h"

#define NETLINK_GROUPS 32u
#define NETLINK_HASH   256u

OBJECT(netlink_msg) {
        struct netlink_msg *next;
        struct netlink_sock *to;        /* counted, of a note; NULL */
        struct blob *data;              /* counted; all of it */
        u32 charge;
        u32 from, group;                /* the sender's port, and the group it was sent to; 0: none */
        struct pid *pid;                /* counted: the sender; NULL: the kernel */
        u32 uid, gid;
};
POOL_DECLARE(netlink_msg)

OBJECT(netlink_sock) {
        struct sock base;
        /* part.lock; LOAD */
        struct netlink_sock *next, *prev;       /* all of the namespace, by cookie */
        bool listed;                    /* in these */
        struct netlink_sock *hash_next; /* those that are bound, by protocol and port */
        u32 port;                       /* meant if bound */
        bool bound;
        u32 groups;                     /* a bit for each */
        /* of connect; LOAD, STORE */
        bool connected;
        u32 dst_port, dst_group;
        u32 flags;                      /* 1 << NETLINK_PKTINFO and so on: options that are set */
        /* queue_lock */
        struct spinlock queue_lock;
        struct netlink_msg *first, *last;
        bool dead;
        u32 used;                       /* LOAD */
        u32 drops;                      /* messages for a group that found no room; LOAD */
        bool overrun;                   /* the next receive says ENOBUFS */
};
DOWNCASTABLE(netlink_sock, sock);

HMAP_HEAD(netlink_by_port, netlink_sock, NETLINK_HASH);
HMAP_FUNCTIONS(netlink_by_port, netlink_sock, hash_next, NETLINK_HASH)

OBJECT(netlink_part) {
        struct net_part base;
        struct spinlock lock;
        struct netlink_sock *first, *last;
        struct netlink_by_port ports;
};
POOL_DECLARE(netlink_part)
DOWNCASTABLE(netlink_part, net_part);

static inline struct netlink_sock *netlink_of(struct sock *sk) { return DOWNCAST(netlink_sock, sk); }

/* netlink.c: who is who */
struct netlink_part *netlink_part_of(struct net_ns *net);
/* Who has the port, counted; NULL: nobody. */
struct netlink_sock *netlink_find(struct net_ns *net, u32 protocol, u32 port);
/* The next member of a group behind `at`, which is dropped; counted.  NULL: the first, there is none. */
struct netlink_sock *netlink_next_member(struct net_ns *net, u32 protocol, u32 group, struct netlink_sock *at);
err_t netlink_autobind(struct netlink_sock *s);         /* unless it is bound; ENOMEM never */
bool  netlink_may(const struct netlink_sock *s);       /* send to groups and to others than the kernel */
bool  netlink_may_listen(const struct netlink_sock *s); /* join groups */

/* message.c: queues */
err_t netlink_send(struct sock *sk, struct sock_send *m);
err_t netlink_recv(struct sock *sk, struct sock_recv *m);
u32   netlink_poll(struct sock *sk, struct waiter *w);
void  netlink_close_queue(struct netlink_sock *s);      /* keeps N2 */
/* A message of the kernel's to s; false: no room or no memory. */
bool  netlink_answer(struct netlink_sock *s, bytes data);

/* option.c */
err_t netlink_setsockopt(struct sock *sk, u32 level, u32 name, u64 at, u32 len);
err_t netlink_getsockopt(struct sock *sk, u32 level, u32 name, u64 at, u64 len_at);
static inline bool netlink_has(const struct netlink_sock *s, u32 option) { return (LOAD(s->flags) >> option & 1) != 0; }

/* kernel.c: the kernel's end of NETLINK_ROUTE; data: what s has sent. */
void  netlink_kernel(struct netlink_sock *s, bytes data);
