/* SPDX-License-Identifier: Apache-2.0
 *
 * AF_NETLINK sockets: netlink(7).  NETLINK_USERSOCK, messages between processes; and NETLINK_ROUTE, whose kernel end answers
 * every request that there is no such operation (there are no network devices yet).
 */
#pragma once
#include "services/net/socket/socket.h"

void netlink_init(void);                /* at boot: registers the family */

/* A message that a kernel service will send to a socket one day; room for it is taken at once. */
OBJECT(netlink_msg);
/* data: at most NETLINK_NOTE_MAX bytes.  *out: to be sent once, or dropped.  ENOTSOCK; EINVAL: of another family; ENOMEM. */
#define NETLINK_NOTE_MAX 64u
err_t netlink_note_new(struct file *f, bytes data, struct netlink_msg **out);
mbytes netlink_note_data(struct netlink_msg *m);
void  netlink_note_drop(struct netlink_msg *m);         /* it will not be sent */
void  netlink_note_send(struct netlink_msg *m);         /* takes it over; does not sleep */

/* A line of /proc/net/netlink, one socket after the other.  *at: the one described last, counted; NULL: none yet, or a
 * new pass that begins at *from, which is moved on; and again when there are no more (false). */
OBJECT(netlink_sock);
POOL_DECLARE(netlink_sock)
bool netlink_describe(struct net_ns *net, struct netlink_sock **at, u64 *from, mbytes out, usize *len);
