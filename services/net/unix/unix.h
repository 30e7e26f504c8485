/* SPDX-License-Identifier: Apache-2.0
 *
 * AF_UNIX: unix(7).  Everything goes through the sock_ops of services/net/socket, but for what
 * /proc shows.
 */
#pragma once
#include "services/net/socket/socket.h"

void unix_init(void);                   /* at boot, after socket_init */

/* For /proc/net/unix: the sockets of a namespace by ascending cookie: the first above `after`; false: none.  Text
 * without a newline into out, cut; *len. */
bool unix_describe(struct net_ns *net, u64 *after, mbytes out, usize *len);
/* net.unix.max_dgram_qlen */
u32  unix_max_dgram(struct net_ns *net);
void unix_set_max_dgram(struct net_ns *net, u32 n);
