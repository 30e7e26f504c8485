/* SPDX-License-Identifier: Apache-2.0
 *
 * Netlink sockets: their life, ports, groups, names.  Objects, states, locks: netlink_impl.h.
 */
#include "services/net/netlink/netlink_impl.h"
#include "services/process/process.h"
#include "services/security/cred.h"
#include "abi/const/netlink.h"
#include "lib/num.h"

LOCK_CLASS(netlink_ports);
LOCK_CLASS(netlink_queue, LEAF);

#define AUTO_FIRST 0xfffff000u          /* ports that are nobody's pid, downwards */
#define AUTO_COUNT 0x7ffff000u

POOL_DEFINE(netlink_part, NO_FINI);

static void netlink_sock_fini(struct netlink_sock *s) { sock_fini(&s->base); }
POOL_DEFINE(netlink_sock, netlink_sock_fini);

struct netlink_part *netlink_part_of(struct net_ns *net) { return DOWNCAST(netlink_part, net->part[AF_NETLINK]); }

static struct net_part *new_part(struct payer *payer)
{
        struct netlink_part *p = netlink_part_alloc(payer, MAY_RECLAIM);

        if (!p)
                return NULL;
        p->base.family = AF_NETLINK;
        lock_init(&p->lock, netlink_ports);
        netlink_part_publish(p);
        return &p->base;
}

/* ---- The list of all ---- */

static void list_add(struct netlink_part *p, struct netlink_sock *s)
{
        SPIN_GUARD(&p->lock);
        struct netlink_sock *before = p->last;

        while (before && before->base.cookie > s->base.cookie)  /* made at once with this one */
                before = before->prev;
        s->prev = before;
        s->next = before ? before->next : p->first;
        if (s->next)
                s->next->prev = s;
        else
                p->last = s;
        if (before)
                before->next = s;
        else
                p->first = s;
        s->listed = true;
}

static u32 port_hash(u32 protocol, u32 port) { return hash_u64((u64)protocol << 32 | port); }

static void list_remove(struct netlink_part *p, struct netlink_sock *s)
{
        SPIN_GUARD(&p->lock);
        s->listed = false;
        if (s->bound)
                netlink_by_port_remove(&p->ports, s, port_hash(s->base.protocol, s->port));
        if (s->prev)
                s->prev->next = s->next;
        else
                p->first = s->next;
        if (s->next)
                s->next->prev = s->prev;
        else
                p->last = s->prev;
        s->next = NULL;
        s->prev = NULL;
}

static struct netlink_sock *find_locked(struct netlink_part *p, u32 protocol, u32 port)
{
        struct netlink_sock *s = netlink_by_port_first(&p->ports, port_hash(protocol, port));

        while (s && (s->port != port || s->base.protocol != protocol))
                s = s->hash_next;
        return s;
}

struct netlink_sock *netlink_find(struct net_ns *net, u32 protocol, u32 port)
{
        struct netlink_part *p = netlink_part_of(net);

        SPIN_GUARD(&p->lock);
        struct netlink_sock *s = find_locked(p, protocol, port);
        return s && netlink_sock_try_hold(s) ? s : NULL;
}

/* The one behind `at`; without it, or if it has left, the first from this cookie on. */
static struct netlink_sock *behind_locked(struct netlink_part *p, struct netlink_sock *at, u64 from)
{
        if (at && at->listed)
                return at->next;
        struct netlink_sock *s = p->first;
        while (s && s->base.cookie < from)
                s = s->next;
        return s;
}

struct netlink_sock *netlink_next_member(struct net_ns *net, u32 protocol, u32 group, struct netlink_sock *at)
{
        struct netlink_part *p = netlink_part_of(net);

        spin_lock(&p->lock);
        struct netlink_sock *s = behind_locked(p, at, at ? at->base.cookie + 1 : 0);
        while (s && (s->base.protocol != protocol || !(s->groups >> (group - 1) & 1) || !netlink_sock_try_hold(s)))
                s = s->next;
        spin_unlock(&p->lock);
        netlink_sock_drop(at);
        return s;
}

/* ---- Ports ---- */

/* EADDRINUSE; EINVAL: it is bound already. */
static err_t take_port(struct netlink_sock *s, u32 port)
{
        struct netlink_part *p = netlink_part_of(s->base.net);

        SPIN_GUARD(&p->lock);
        if (s->bound)
                return ERR(EINVAL);
        if (find_locked(p, s->base.protocol, port))
                return ERR(EADDRINUSE);
        s->port = port;
        netlink_by_port_add(&p->ports, s, port_hash(s->base.protocol, port));
        STORE(s->bound, true);
        return OK;
}

err_t netlink_autobind(struct netlink_sock *s)
{
        u32 port = thread_current()->process->tgid;
        u64 from = s->base.cookie;      /* nearly always nobody else's, so that the first try will do */

        while (!LOAD(s->bound)) {
                err_t err = take_port(s, port);
                if (succeeded(err) || err_is(err, EINVAL))
                        break;
                port = AUTO_FIRST - (u32)(from++ % AUTO_COUNT);
        }
        return OK;
}

bool netlink_may(const struct netlink_sock *s)
{
        return s->base.protocol == NETLINK_USERSOCK || capable(CAP_NET_ADMIN);
}

bool netlink_may_listen(const struct netlink_sock *s) { return s->base.protocol == NETLINK_ROUTE || capable(CAP_NET_ADMIN); }

/* ---- Names ---- */

struct name { struct linux_sockaddr_nl sa; err_t err; };
static struct name parse(bytes addr)
{
        struct name n = {};

        if (bytes_len(addr) < sizeof n.sa)
                return (struct name){ .err = ERR(EINVAL) };
        mbytes_copy(MBYTES_OF(n.sa), bytes_take(addr, sizeof n.sa));
        n.err = n.sa.nl_family == AF_NETLINK ? OK : ERR(EINVAL);
        return n;
}

static err_t netlink_bind(struct sock *sk, const struct actor *who, bytes addr)
{
        struct netlink_sock *s = netlink_of(sk);
        struct netlink_part *p = netlink_part_of(sk->net);
        struct name n = parse(addr);

        TRY(n.err);
        if (n.sa.nl_groups && !netlink_may_listen(s))
                return ERR(EPERM);
        if (LOAD(s->bound)) {
                if (n.sa.nl_pid != s->port)
                        return ERR(EINVAL);
        } else {
                TRY(n.sa.nl_pid ? take_port(s, n.sa.nl_pid) : netlink_autobind(s));
        }
        (void)who;
        SPIN_GUARD(&p->lock);
        STORE(s->groups, n.sa.nl_groups);
        return OK;
}

static err_t netlink_connect(struct sock *sk, const struct actor *who, bytes addr, u64 deadline)
{
        struct netlink_sock *s = netlink_of(sk);

        (void)who, (void)deadline;
        if (bytes_len(addr) < 2)
                return ERR(EINVAL);
        if (bytes_le16(addr, 0) == AF_UNSPEC) {
                STORE(s->connected, false);
                STORE(s->dst_port, 0u);
                STORE(s->dst_group, 0u);
                return OK;
        }
        struct name n = parse(addr);
        TRY(n.err);
        if ((n.sa.nl_groups || n.sa.nl_pid) && !netlink_may(s))
                return ERR(EPERM);
        TRY(netlink_autobind(s));
        STORE(s->dst_port, n.sa.nl_pid);
        STORE(s->dst_group, n.sa.nl_groups ? bit_lowest(n.sa.nl_groups) + 1 : 0);
        STORE(s->connected, true);
        return OK;
}

static err_t netlink_name(struct sock *sk, bool peer, mbytes out, usize *len)
{
        struct netlink_sock *s = netlink_of(sk);
        u32 group = LOAD(s->dst_group);
        struct linux_sockaddr_nl sa = { .nl_family = AF_NETLINK, .nl_pid = LOAD(s->bound) ? s->port : 0, .nl_groups = LOAD(s->groups) };

        if (peer) {
                sa.nl_pid = LOAD(s->dst_port);
                sa.nl_groups = group ? 1u << (group - 1) : 0;
        }
        mbytes_copy(out, BYTES_OF(sa));
        *len = sizeof sa;
        return OK;
}

/* ---- Life ---- */

static void netlink_release(struct sock *sk)
{
        struct netlink_sock *s = netlink_of(sk);

        list_remove(netlink_part_of(sk->net), s);
        netlink_close_queue(s);
        waitq_wake_all(&sk->readable);
        waitq_wake_all(&sk->writable);
}

static const struct sock_ops netlink_ops = {
        .bind = netlink_bind, .connect = netlink_connect, .name = netlink_name, .send = netlink_send, .recv = netlink_recv,
        .poll = netlink_poll, .setsockopt = netlink_setsockopt, .getsockopt = netlink_getsockopt, .release = netlink_release,
};

static err_t create(const struct actor *who, struct net_ns *net, u32 type, u32 protocol, struct sock **out)
{
        if (type != SOCK_RAW && type != SOCK_DGRAM)
                return ERR(ESOCKTNOSUPPORT);
        if (protocol != NETLINK_ROUTE && protocol != NETLINK_USERSOCK)
                return ERR(EPROTONOSUPPORT);
        struct netlink_sock *s = netlink_sock_alloc(who->payer, MAY_RECLAIM);
        struct sock_init init = { .ops = &netlink_ops, .net = net, .family = AF_NETLINK, .type = type, .protocol = protocol };
        if (!s)
                return ERR(ENOMEM);
        sock_init(&s->base, &init);
        lock_init(&s->queue_lock, netlink_queue);
        netlink_sock_publish(s);
        list_add(netlink_part_of(net), s);
        *out = &s->base;
        return OK;
}

static const struct net_family netlink_family = { .family = AF_NETLINK, .create = create, .new_part = new_part };

void netlink_init(void) { net_family_register(&netlink_family); }

/* ---- /proc/net/netlink ---- */

static struct netlink_sock *next_after(struct netlink_part *p, struct netlink_sock *at, u64 from)
{
        SPIN_GUARD(&p->lock);
        struct netlink_sock *s = behind_locked(p, at, from);

        while (s && !netlink_sock_try_hold(s))
                s = s->next;
        return s;
}

static void put_padded(struct writer *w, u64 v, u32 width)
{
        u8 digits[24] = {};
        usize n = format(MBYTES_OF(digits), "{}", v);

        writer_put(w, bytes_take(BYTES_OF(digits), n));
        for (; n < width; n++)
                writer_u8(w, ' ');
        writer_u8(w, ' ');
}

bool netlink_describe(struct net_ns *net, struct netlink_sock **at, u64 *from, mbytes out, usize *len)
{
        struct netlink_sock *s = next_after(netlink_part_of(net), *at, *from);
        struct writer w = writer_of(out);

        netlink_sock_drop(*at);
        *at = s;
        if (!s)
                return false;
        struct file *f = PTR_LOAD(s->base.file);
        bool held = f && file_try_hold(f);
        writer_put(&w, STR("0000000000000000 "));
        put_padded(&w, s->base.protocol, 3);
        put_padded(&w, LOAD(s->bound) ? s->port : 0, 10);
        num_write(&w, LOAD(s->groups), 16, 8);
        writer_u8(&w, ' ');
        put_padded(&w, LOAD(s->used), 8);
        put_padded(&w, 0, 8);
        put_padded(&w, 0, 5);
        put_padded(&w, netlink_sock_refs(s), 8);
        put_padded(&w, LOAD(s->drops), 8);
        put_padded(&w, held ? f->inode->ino : 0, 8);
        if (held)
                file_drop(f);
        *from = s->base.cookie + 1;
        *len = w.at - 1;
        return true;
}
