/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of this folder share.
 */
#pragma once
#include "services/net/socket/socket.h"
#include "services/vfs/registry.h"

const struct net_family *net_family_find(u32 family);   /* NULL: not there */

/* SOL_SOCKET's.  REQUIRES nothing. */
err_t socket_set_generic(struct sock *sk, u32 name, u64 at, u32 len);
err_t socket_get_generic(struct sock *sk, u32 name, u64 at, u64 len_at);
/* Of an option's value: writes the length's part of it, and the length.  EFAULT, EINVAL: a negative length. */
err_t socket_put_option(u64 at, u64 len_at, bytes value);
void  sock_set_opts(struct sock *sk, u32 bits, bool on);

/* stamp.c: options */
bool  stamp_is_option(u32 name);        /* one of SO_TIMESTAMP{,NS}_{OLD,NEW} */
void  stamp_set(struct sock *sk, u32 name, bool on);
bool  stamp_get(const struct sock *sk, u32 name);
err_t stamp_set_reports(struct sock *sk, u32 flags, bool new);  /* SO_TIMESTAMPING_{OLD,NEW}.  EINVAL */
