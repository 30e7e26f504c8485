/* SPDX-License-Identifier: Apache-2.0
 *
 * Options of netlink sockets: SOL_NETLINK.
 */
#include "services/net/netlink/netlink_impl.h"
#include "services/security/cred.h"
#include "abi/const/netlink.h"

/* Options that are one bit of netlink_sock.flags. */
static bool is_flag(u32 name)
{
        switch (name) {
        case NETLINK_PKTINFO:
        case NETLINK_BROADCAST_ERROR:
        case NETLINK_NO_ENOBUFS:
        case NETLINK_LISTEN_ALL_NSID:
        case NETLINK_CAP_ACK:
        case NETLINK_EXT_ACK:
        case NETLINK_GET_STRICT_CHK:
                return true;
        default:
                return false;
        }
}

static err_t set_member(struct netlink_sock *s, u32 group, bool on)
{
        struct netlink_part *p = netlink_part_of(s->base.net);

        if (!netlink_may_listen(s))
                return ERR(EPERM);
        if (group == 0 || group > NETLINK_GROUPS)
                return ERR(EINVAL);
        SPIN_GUARD(&p->lock);
        u32 bit = 1u << (group - 1);
        STORE(s->groups, on ? s->groups | bit : s->groups & ~bit);
        return OK;
}

err_t netlink_setsockopt(struct sock *sk, u32 level, u32 name, u64 at, u32 len)
{
        struct netlink_sock *s = netlink_of(sk);
        u32 v = 0;

        if (level != SOL_NETLINK)
                return ERR(ENOPROTOOPT);
        if (len >= sizeof v)
                TRY(user_get(MBYTES_OF(v), at));
        if (name == NETLINK_ADD_MEMBERSHIP || name == NETLINK_DROP_MEMBERSHIP)
                return set_member(s, v, name == NETLINK_ADD_MEMBERSHIP);
        if (!is_flag(name))
                return ERR(ENOPROTOOPT);
        if (name == NETLINK_LISTEN_ALL_NSID && !capable(CAP_NET_BROADCAST))
                return ERR(EPERM);
        if (v)
                FETCH_OR(s->flags, 1u << name);
        else
                FETCH_AND(s->flags, ~(1u << name));
        return OK;
}

/* A bit for each group, as many words as it takes; the length that all of them take. */
static err_t get_memberships(struct netlink_sock *s, u64 at, u64 len_at, u32 len)
{
        u32 groups = LOAD(s->groups), whole = groups || LOAD(s->bound) ? sizeof groups : 0;

        if (len >= sizeof groups && whole)
                TRY(user_put(at, BYTES_OF(groups)));
        return user_put(len_at, BYTES_OF(whole));
}

err_t netlink_getsockopt(struct sock *sk, u32 level, u32 name, u64 at, u64 len_at)
{
        struct netlink_sock *s = netlink_of(sk);
        i32 len = 0;

        if (level != SOL_NETLINK)
                return ERR(ENOPROTOOPT);
        TRY(user_get(MBYTES_OF(len), len_at));
        if (len < 0)
                return ERR(EINVAL);
        if (name == NETLINK_LIST_MEMBERSHIPS)
                return get_memberships(s, at, len_at, (u32)len);
        if (!is_flag(name) || name == NETLINK_LISTEN_ALL_NSID)
                return ERR(ENOPROTOOPT);
        if ((u32)len < sizeof(u32))
                return ERR(EINVAL);
        u32 v = netlink_has(s, name), n = sizeof v;
        TRY(user_put(len_at, BYTES_OF(n)));
        return user_put(at, BYTES_OF(v));
}
