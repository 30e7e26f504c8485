/* SPDX-License-Identifier: Apache-2.0
 *
 * Netlink messages: sending to a port, to a group, to the kernel; receiving; notes that the kernel sends.
 *
 * A message is made and filled before any lock is taken.  It counts against the receiver's SO_RCVBUF; a sender to a port waits
 * for room, one to a group does not: the receiver is told by ENOBUFS.
 */
#include "services/net/netlink/netlink_impl.h"
#include "services/process/pid.h"
#include "services/process/process.h"
#include "services/security/cred.h"
#include "abi/const/netlink.h"

#define MSG_OVERHEAD 32u                /* SO_SNDBUF less this is the longest message */

static void netlink_msg_fini(struct netlink_msg *m)
{
        blob_drop(m->data);
        pid_drop(m->pid);
        netlink_sock_drop(m->to);
}
POOL_DEFINE(netlink_msg, netlink_msg_fini);

/* With room for len bytes; from nobody. */
static struct netlink_msg *new_msg(usize len)
{
        struct netlink_msg *m = netlink_msg_alloc(payer_current(), MAY_RECLAIM);

        if (!m)
                return NULL;
        m->data = blob_alloc(payer_current(), len);
        m->charge = sock_charge((u32)len);
        netlink_msg_publish(m);
        if (m->data) {
                blob_set_len(m->data, len);
                return m;
        }
        netlink_msg_drop(m);
        return NULL;
}

static struct netlink_msg *copy_msg(const struct netlink_msg *of)
{
        struct netlink_msg *m = netlink_msg_alloc(payer_current(), MAY_RECLAIM);

        if (!m)
                return NULL;
        m->data = blob_hold(of->data);
        m->charge = of->charge;
        m->from = of->from;
        m->group = of->group;
        m->pid = of->pid ? pid_hold(of->pid) : NULL;
        m->uid = of->uid;
        m->gid = of->gid;
        netlink_msg_publish(m);
        return m;
}

/* ---- Queues ---- */

static bool has_room(const struct netlink_sock *s) { return LOAD(s->used) <= LOAD_RELAXED(s->base.rcvbuf); }

static void push_locked(struct netlink_sock *s, struct netlink_msg *m)
{
        m->next = NULL;
        if (s->last)
                s->last->next = m;
        else
                PTR_STORE(s->first, m);
        s->last = m;
}

/* Hands m over on success.  EAGAIN: no room; ECONNREFUSED: it has gone. */
static err_t deliver(struct netlink_sock *to, struct netlink_msg *m, bool counted)
{
        spin_lock(&to->queue_lock);
        err_t err = to->dead ? ERR(ECONNREFUSED) : counted || has_room(to) ? OK : ERR(EAGAIN);
        if (succeeded(err)) {
                if (!counted)
                        STORE(to->used, to->used + m->charge);
                push_locked(to, m);
        }
        spin_unlock(&to->queue_lock);
        if (succeeded(err))
                sock_wake_readers(&to->base, POLL_IN);
        return err;
}

static void uncount(struct netlink_sock *s, u32 charge)
{
        spin_lock(&s->queue_lock);
        bool was_full = !has_room(s);
        STORE(s->used, s->used - charge);
        bool wake = was_full && has_room(s);
        spin_unlock(&s->queue_lock);
        if (wake)
                waitq_wake_all(&s->base.writable);
}

void netlink_close_queue(struct netlink_sock *s)
{
        spin_lock(&s->queue_lock);
        struct netlink_msg *m = s->first;
        s->dead = true;
        PTR_STORE(s->first, NULL);
        s->last = NULL;
        spin_unlock(&s->queue_lock);
        while (m) {
                struct netlink_msg *next = m->next;
                netlink_msg_drop(m);
                m = next;
        }
}

/* ---- Sending ---- */

static err_t send_to_port(struct netlink_sock *s, u32 port, struct netlink_msg *m, u64 deadline)
{
        for (;;) {
                struct netlink_sock *to = netlink_find(s->base.net, s->base.protocol, port);
                if (!to)
                        return ERR(ECONNREFUSED);
                /* Who is connected hears its peer alone. */
                err_t err = LOAD(to->connected) && LOAD(to->dst_port) != m->from ? ERR(ECONNREFUSED) : deliver(to, m, false);
                if (err_is(err, EAGAIN) && deadline != 0) {
                        WAITER(w);
                        waiter_add(&w, &to->base.writable);
                        err = deliver(to, m, false);
                        if (err_is(err, EAGAIN))
                                err = sock_sleep_result(waiter_sleep(&w, WAIT_INTERRUPTIBLE, deadline), deadline);
                        else
                                deadline = 0;           /* done, or refused */
                        if (succeeded(err) && deadline != 0) {
                                netlink_sock_drop(to);
                                continue;
                        }
                }
                netlink_sock_drop(to);
                return err;
        }
}

/* To all members but the sender, and but whoever has port `but`. */
static void send_to_group(struct netlink_sock *s, u32 but, const struct netlink_msg *m)
{
        struct netlink_sock *to = NULL;

        while ((to = netlink_next_member(s->base.net, s->base.protocol, m->group, to)) != NULL) {
                struct netlink_msg *copy = to == s || (to->bound && to->port == but) ? NULL : copy_msg(m);
                if (copy && failed(deliver(to, copy, false))) {
                        netlink_msg_drop(copy);
                        spin_lock(&to->queue_lock);
                        STORE(to->drops, to->drops + 1);
                        to->overrun = to->overrun || !netlink_has(to, NETLINK_NO_ENOBUFS);
                        spin_unlock(&to->queue_lock);
                        sock_wake_readers(&to->base, POLL_ERR);
                }
        }
}

struct target { u32 port, group; err_t err; };
static struct target target_of(struct netlink_sock *s, const struct sock_send *m)
{
        struct linux_sockaddr_nl sa = {};

        if (bytes_len(m->name) == 0)
                return (struct target){ LOAD(s->dst_port), LOAD(s->dst_group), OK };
        if (bytes_len(m->name) < sizeof sa)
                return (struct target){ .err = ERR(EINVAL) };
        mbytes_copy(MBYTES_OF(sa), bytes_take(m->name, sizeof sa));
        if (sa.nl_family != AF_NETLINK)
                return (struct target){ .err = ERR(EINVAL) };
        if ((sa.nl_pid || sa.nl_groups) && !netlink_may(s))
                return (struct target){ .err = ERR(EPERM) };
        return (struct target){ sa.nl_pid, sa.nl_groups ? bit_lowest(sa.nl_groups) + 1 : 0, OK };
}

err_t netlink_send(struct sock *sk, struct sock_send *m)
{
        struct netlink_sock *s = netlink_of(sk);
        usize len = io_left(m->io);

        if (m->flags & MSG_OOB)
                return ERR(EOPNOTSUPP);
        if (len == 0)
                return ERR(ENODATA);
        struct target to = target_of(s, m);
        TRY(to.err);
        TRY(netlink_autobind(s));
        if (len > LOAD(sk->sndbuf) - MSG_OVERHEAD)
                return ERR(EMSGSIZE);
        struct netlink_msg *msg = new_msg(len);
        if (!msg)
                return ERR(ENOBUFS);
        msg->from = s->port;
        msg->group = to.group;
        msg->pid = pid_hold(thread_current()->process->pid);
        msg->uid = cred_current()->uid;
        msg->gid = cred_current()->gid;
        err_t err = io_copy_in(m->io, blob_mbytes(msg->data)) == len ? OK : ERR(EFAULT);
        if (succeeded(err) && to.group)
                send_to_group(s, to.port, msg);
        if (succeeded(err) && to.port == 0 && sk->protocol == NETLINK_ROUTE) {
                netlink_kernel(s, blob_bytes(msg->data));
                netlink_msg_drop(msg);
        } else {
                if (succeeded(err))
                        err = send_to_port(s, to.port, msg, m->deadline);
                if (failed(err))
                        netlink_msg_drop(msg);
        }
        if (succeeded(err))
                m->done = len;
        return err;
}

bool netlink_answer(struct netlink_sock *s, bytes data)
{
        struct netlink_msg *m = new_msg(bytes_len(data));

        if (!m)
                return false;
        mbytes_copy(blob_mbytes(m->data), data);
        if (succeeded(deliver(s, m, false)))
                return true;
        netlink_msg_drop(m);
        return false;
}

/* ---- Notes ---- */

err_t netlink_note_new(struct file *f, bytes data, struct netlink_msg **out)
{
        struct sock *sk = socket_of(f);

        if (!sk)
                return ERR(ENOTSOCK);
        if (!IS_A(netlink_sock, sk))
                return ERR(EINVAL);
        struct netlink_msg *m = new_msg(bytes_len(data));
        if (!m)
                return ERR(ENOMEM);
        mbytes_copy(blob_mbytes(m->data), data);
        m->to = netlink_sock_hold(netlink_of(sk));
        spin_lock(&m->to->queue_lock);
        STORE(m->to->used, m->to->used + m->charge);
        spin_unlock(&m->to->queue_lock);
        *out = m;
        return OK;
}

mbytes netlink_note_data(struct netlink_msg *m) { return blob_mbytes(m->data); }

void netlink_note_drop(struct netlink_msg *m)
{
        uncount(m->to, m->charge);
        netlink_msg_drop(m);
}

void netlink_note_send(struct netlink_msg *m)
{
        struct netlink_sock *to = m->to;

        m->to = NULL;
        if (failed(deliver(to, m, true)))
                netlink_msg_drop(m);
        netlink_sock_drop(to);
}

/* ---- Receiving ---- */

/* *out counted; off the list unless peek.  EAGAIN: none there. */
static err_t take(struct netlink_sock *s, bool peek, struct netlink_msg **out)
{
        SPIN_GUARD(&s->queue_lock);
        struct netlink_msg *m = s->first;

        if (s->overrun) {
                s->overrun = false;
                return ERR(ENOBUFS);
        }
        if (!m)
                return ERR(EAGAIN);
        *out = peek ? netlink_msg_hold(m) : m;
        if (!peek) {
                PTR_STORE(s->first, m->next);
                if (!m->next)
                        s->last = NULL;
        }
        return OK;
}

static err_t take_or_wait(struct netlink_sock *s, const struct sock_recv *r, struct netlink_msg **out)
{
        bool peek = (r->flags & MSG_PEEK) != 0;
        u32 error = sock_take_error(&s->base);

        if (error)
                return ERR((int)error);
        err_t err = take(s, peek, out);
        if (!err_is(err, EAGAIN) || r->deadline == 0)
                return err;
        WAITER(w);
        waiter_add(&w, &s->base.readable);
        for (;;) {
                err = take(s, peek, out);
                if (!err_is(err, EAGAIN))
                        return err;
                TRY(sock_sleep_result(waiter_sleep(&w, WAIT_INTERRUPTIBLE, r->deadline), r->deadline));
        }
}

static void put_control(struct netlink_sock *s, struct sock_recv *r, const struct netlink_msg *m)
{
        if (!r->control)
                return;
        if (netlink_has(s, NETLINK_PKTINFO)) {
                u32 group = m->group;
                control_put(r->control, SOL_NETLINK, NETLINK_PKTINFO, BYTES_OF(group));
        }
        if (sock_has(&s->base, SOPT_PASSCRED)) {
                struct linux_ucred uc = { .pid = m->pid ? (i32)m->pid->nr : 0, .uid = m->uid, .gid = m->gid };
                control_put(r->control, SOL_SOCKET, SCM_CREDENTIALS, BYTES_OF(uc));
        }
}

static err_t give(struct netlink_sock *s, struct sock_recv *r, const struct netlink_msg *m)
{
        usize len = blob_len(m->data), n = min_u64(len, io_left(r->io));

        if (mbytes_len(r->name) > 0) {
                struct linux_sockaddr_nl sa = { .nl_family = AF_NETLINK, .nl_pid = m->from, .nl_groups = m->group ? 1u << (m->group - 1) : 0 };
                mbytes_copy(r->name, BYTES_OF(sa));
                r->name_len = sizeof sa;
        }
        if (io_copy_out(r->io, bytes_take(blob_bytes(m->data), n)) < n)
                return ERR(EFAULT);
        if (n < len)
                r->out_flags |= MSG_TRUNC;
        r->done = (r->flags & MSG_TRUNC) != 0 ? len : n;
        put_control(s, r, m);
        return OK;
}

err_t netlink_recv(struct sock *sk, struct sock_recv *r)
{
        struct netlink_sock *s = netlink_of(sk);
        struct netlink_msg *m = NULL;

        if (r->flags & MSG_OOB)
                return ERR(EOPNOTSUPP);
        TRY(take_or_wait(s, r, &m));
        err_t err = give(s, r, m);
        if ((r->flags & MSG_PEEK) == 0)
                uncount(s, m->charge);
        netlink_msg_drop(m);
        return err;
}

u32 netlink_poll(struct sock *sk, struct waiter *w)
{
        struct netlink_sock *s = netlink_of(sk);

        waiter_add(w, &sk->readable);
        return (PTR_LOAD(s->first) ? EPOLLIN | EPOLLRDNORM : 0) | (LOAD(s->overrun) || LOAD(sk->error) ? EPOLLERR : 0) |
               EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
}
