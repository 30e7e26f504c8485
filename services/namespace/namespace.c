/* SPDX-License-Identifier: Apache-2.0
 *
 * Namespace sets, user namespaces (identity mapping only), host and domain names.
 */
#include "services/namespace/namespace.h"
#include "services/random/random.h"

LOCK_CLASS(uts);

static void user_ns_fini(struct user_ns *u) { user_ns_drop(u->parent); }
POOL_DEFINE(user_ns, user_ns_fini);

static void uts_ns_fini(struct uts_ns *u) { user_ns_drop(u->user); }
POOL_DEFINE(uts_ns, uts_ns_fini);

static void ns_set_fini(struct ns_set *s)
{
        mnt_ns_drop(s->mnt);
        uts_ns_drop(s->uts);
        pid_ns_drop(s->pid);
        pid_ns_drop(s->pid_for_children);
        net_ns_drop(s->net);
        ipc_ns_drop(s->ipc);
        user_ns_drop(s->user);
}
POOL_DEFINE(ns_set, ns_set_fini);

/* Numbers only need to differ; time since boot and chance do without a global counter. */
u64 ns_new_inum(void) { return 0xf0000001ul + (random_u64() & 0x0fffffff); }

struct user_ns *user_ns_first(struct payer *payer)
{
        struct user_ns *u = user_ns_alloc(payer, MAY_RECLAIM);

        if (!u)
                return NULL;
        u->inum = NS_INUM_USER;
        user_ns_publish(u);
        return u;
}

static struct uts_ns *uts_new(struct payer *payer, struct user_ns *user, u64 inum)
{
        struct uts_ns *u = uts_ns_alloc(payer, MAY_RECLAIM);

        if (!u)
                return NULL;
        lock_init(&u->lock, uts);
        u->inum = inum;
        u->user = user_ns_hold(user);
        return u;
}

struct uts_ns *uts_ns_first(struct payer *payer, struct user_ns *user)
{
        struct uts_ns *u = uts_new(payer, user, NS_INUM_UTS);

        if (!u)
                return NULL;
        mbytes_copy(MBYTES_OF(u->nodename), STR("(none)"));
        mbytes_copy(MBYTES_OF(u->domainname), STR("(none)"));
        uts_ns_publish(u);
        return u;
}

struct uts_ns *uts_ns_copy(struct payer *payer, struct uts_ns *old, struct user_ns *user)
{
        struct uts_ns *u = uts_new(payer, user, ns_new_inum());

        if (!u)
                return NULL;
        uts_get_nodename(old, MBYTES_OF(u->nodename));
        uts_get_domainname(old, MBYTES_OF(u->domainname));
        uts_ns_publish(u);
        return u;
}

struct ns_set *ns_set_new(struct payer *payer, struct user_ns *user, struct uts_ns *uts, struct mnt_ns *mnt, struct pid_ns *pid, struct net_ns *net,
                          struct ipc_ns *ipc)
{
        struct ns_set *s = ns_set_alloc(payer, MAY_RECLAIM);

        if (!s)
                return NULL;
        s->user = user_ns_hold(user);
        s->uts = uts_ns_hold(uts);
        if (mnt)
                s->mnt = mnt_ns_hold(mnt);
        if (pid) {
                s->pid = pid_ns_hold(pid);
                s->pid_for_children = pid_ns_hold(pid);
        }
        if (net)
                s->net = net_ns_hold(net);
        if (ipc)
                s->ipc = ipc_ns_hold(ipc);
        ns_set_publish(s);
        return s;
}

struct ns_set *ns_set_change(struct payer *payer, struct ns_set *old, const struct ns_change *change)
{
        struct ns_set *s = ns_set_new(payer, change->user ? change->user : old->user, change->uts ? change->uts : old->uts,
                                      change->mnt ? change->mnt : old->mnt, NULL, change->net ? change->net : old->net,
                                      change->ipc ? change->ipc : old->ipc);
        struct pid_ns *pid = change->pid ? change->pid : old->pid;
        struct pid_ns *children = change->pid_for_children ? change->pid_for_children : old->pid_for_children;

        if (!s)
                return NULL;
        if (pid)
                s->pid = pid_ns_hold(pid);
        if (children)
                s->pid_for_children = pid_ns_hold(children);
        return s;
}

void uts_get_nodename(struct uts_ns *u, mbytes out65)
{
        SPIN_GUARD(&u->lock);
        mbytes_copy(out65, BYTES_OF(u->nodename));
}

void uts_get_domainname(struct uts_ns *u, mbytes out65)
{
        SPIN_GUARD(&u->lock);
        mbytes_copy(out65, BYTES_OF(u->domainname));
}

err_t uts_set_nodename(struct uts_ns *u, bytes name)
{
        if (bytes_len(name) > UTS_LEN)
                return ERR(EINVAL);
        SPIN_GUARD(&u->lock);
        mbytes_fill(MBYTES_OF(u->nodename), 0);
        mbytes_copy(MBYTES_OF(u->nodename), name);
        return OK;
}

err_t uts_set_domainname(struct uts_ns *u, bytes name)
{
        if (bytes_len(name) > UTS_LEN)
                return ERR(EINVAL);
        SPIN_GUARD(&u->lock);
        mbytes_fill(MBYTES_OF(u->domainname), 0);
        mbytes_copy(MBYTES_OF(u->domainname), name);
        return OK;
}
