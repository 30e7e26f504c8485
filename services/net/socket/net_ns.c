/* SPDX-License-Identifier: Apache-2.0
 *
 * Network namespaces, and the families that there are.
 */
#include "services/net/socket/socket_impl.h"

static void net_ns_fini(struct net_ns *net)
{
        for (u32 i = 0; i < AF_MAX; i++)
                net_part_drop(net->part[i]);
        user_ns_drop(net->user);
}
POOL_DEFINE(net_ns, net_ns_fini);

/* The file-scope state (reviewed list): written at boot only. */
STABLE(net_families) { const struct net_family *at[AF_MAX]; };
static struct net_families families;

void net_family_register(const struct net_family *family)
{
        assert(family->family < AF_MAX && !families.at[family->family]);
        families.at[family->family] = family;
}

const struct net_family *net_family_find(u32 family) { return family < AF_MAX ? families.at[family] : NULL; }

static err_t make_parts(struct net_ns *net, struct payer *payer)
{
        for (u32 i = 0; i < AF_MAX; i++) {
                if (!families.at[i] || !families.at[i]->new_part)
                        continue;
                net->part[i] = families.at[i]->new_part(payer);
                if (!net->part[i])
                        return ERR(ENOMEM);
        }
        return OK;
}

struct net_ns *net_ns_new(struct payer *payer, struct user_ns *user, u64 inum)
{
        struct net_ns *net = net_ns_alloc(payer, MAY_RECLAIM);

        if (!net)
                return NULL;
        net->inum = inum;
        net->cookie = unique_u64();
        net->user = user_ns_hold(user);
        if (failed(make_parts(net, payer))) {
                net_ns_drop(net);
                return NULL;
        }
        net_ns_publish(net);
        return net;
}

struct net_ns *net_ns_current(void) { return thread_current()->ns->net; }
