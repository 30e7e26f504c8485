/* SPDX-License-Identifier: Apache-2.0
 *
 * AF_UNIX: unix(7).  Everything goes through the sock_ops of services/net/socket, but for what
 * /proc shows.
 */
#pragma once
#include "services/net/socket/socket.h"

void unix_init(void);                   /* at boot, after socket_init */

/* For /proc/net/unix: the sockets of a namespace one after the other.  *at: the one described last, counted; NULL: none yet, or
 * a new pass that begins at *from, which is moved on; and again when there are no more (false).  Text without a newline into out, cut; *len. */
OBJECT(unix_sock);
POOL_DECLARE(unix_sock)
bool unix_describe(struct net_ns *net, struct unix_sock **at, u64 *from, mbytes out, usize *len);
/* net.unix.max_dgram_qlen */
u32  unix_max_dgram(struct net_ns *net);
void unix_set_max_dgram(struct net_ns *net, u32 n);
