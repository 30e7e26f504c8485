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
