/* SPDX-License-Identifier: Apache-2.0
 *
 * AF_UNIX sockets: their life, and what all types share.  Objects, states, locks: unix_impl.h.
 */
#include "services/net/unix/unix_impl.h"
#include "services/process/pid.h"

static void unix_sock_fini(struct unix_sock *u)
{
        unix_ring_free(u);
        unix_sock_drop(u->peer);
        path_drop(&u->path);
        sock_fini(&u->base);
}
POOL_DEFINE(unix_sock, unix_sock_fini);

static const struct sock_ops *ops_of(u32 type)
{
        return type == SOCK_STREAM ? &unix_stream_ops : type == SOCK_DGRAM ? &unix_dgram_ops : &unix_seqpacket_ops;
}

struct unix_sock *unix_sock_new(struct payer *payer, struct net_ns *net, u32 type)
{
        struct unix_sock *u = unix_sock_alloc(payer, MAY_RECLAIM);
        struct sock_init init = { .ops = ops_of(type), .net = net, .family = AF_UNIX, .type = type };

        if (!u)
                return NULL;
        sock_init(&u->base, &init);
        unix_sock_publish(u);
        unix_list(u);
        return u;
}

struct unix_sock *unix_of_file(struct file *f)
{
        struct sock *sk = socket_of(f);
        return sk && IS_A(unix_sock, sk) ? unix_of(sk) : NULL;
}

/* ---- Release ---- */

/* What a released socket leaves behind, to be let go of without locks. */
struct leftovers {
        struct unix_sock *peer, *embryos;
        struct unix_msg *msgs;
        struct unix_mark *marks;
        bool unread;
};

static struct leftovers die(struct unix_sock *u)
{
        GUARD(&u->base.lock);
        struct leftovers l = { .peer = u->peer, .embryos = u->embryo, .unread = u->used > 0 || u->first_msg != NULL };
        STORE(u->dead, true);
        STORE(u->state, UNIX_CLOSED);
        STORE(u->base.listening, false);
        STORE(u->base.shutdown, SHUT_MASK);
        PTR_STORE(u->peer, NULL);
        u->embryo = NULL;
        u->last_embryo = NULL;
        l.msgs = unix_msgs_take(u);
        l.marks = unix_marks_take(u);
        unix_ring_free(u);
        return l;
}

/* The other end of a connection learns of it. */
static void tell_peer(struct unix_sock *peer, bool reset)
{
        mutex_lock(&peer->base.lock);
        STORE(peer->base.shutdown, SHUT_MASK);
        if (reset)
                STORE(peer->base.error, ECONNRESET);
        mutex_unlock(&peer->base.lock);
        waitq_wake_all(&peer->base.writable);
        sock_wake_readers(&peer->base, POLL_HUP);
}

static void release(struct unix_sock *u, bool embryo);

static void release_embryos(struct unix_sock *e)
{
        while (e) {
                struct unix_sock *next = e->next_embryo;
                e->next_embryo = NULL;
                release(e, true);
                unix_sock_drop(e);
                e = next;
        }
}

static void release(struct unix_sock *u, bool embryo)
{
        if (u->path.dentry)
                PTR_STORE(u->path.dentry->inode->sock, NULL);
        unix_unlist(u);
        struct leftovers l = die(u);
        waitq_wake_all(&u->base.readable);
        waitq_wake_all(&u->base.writable);
        waitq_wake_all(&u->room);
        if (l.peer && !unix_is_dgram(u))
                tell_peer(l.peer, l.unread || embryo);
        unix_sock_drop(l.peer);
        release_embryos(l.embryos);
        unix_msgs_discard(l.msgs);
        unix_marks_discard(l.marks);
}

void unix_release(struct sock *sk)
{
        release(unix_of(sk), false);
        unix_collect();
}

/* ---- poll and ioctl ---- */

static bool may_send(struct unix_sock *u)
{
        struct unix_sock *peer = PTR_LOAD(u->peer);
        return LOAD(u->state) != UNIX_LISTEN && (!peer || unix_stream_writable(peer, u));
}

static u32 stream_poll(struct sock *sk, struct waiter *w)
{
        struct unix_sock *u = unix_of(sk);

        waiter_add(w, &sk->readable);
        waiter_add(w, &sk->writable);
        u32 mask = 0, shutdown = LOAD(sk->shutdown);
        if (LOAD(sk->error))
                mask |= EPOLLERR;
        if (shutdown == SHUT_MASK || LOAD(u->state) == UNIX_CLOSED)
                mask |= EPOLLHUP;
        if (shutdown & SHUT_RECV)
                mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
        if (LOAD(u->queued) > 0 || unix_stream_readable(u) > 0)
                mask |= EPOLLIN | EPOLLRDNORM;
        if (LOAD(u->oob) == OOB_THERE)
                mask |= EPOLLPRI;
        if (may_send(u))
                mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
        return mask;
}

static u32 first_len(struct unix_sock *u)
{
        GUARD(&u->base.lock);
        return u->first_msg ? u->first_msg->len : 0;
}

/* What the socket has sent that was not yet received. */
static u32 unsent(struct unix_sock *u)
{
        if (!unix_is_stream(u))
                return LOAD(u->sent);
        struct unix_sock *peer = unix_peer_get(u);
        u32 n = peer ? LOAD(peer->charged) : 0;
        unix_sock_drop(peer);
        return n;
}

static u32 at_mark(struct unix_sock *u)
{
        GUARD(&u->base.lock);
        return u->oob != OOB_NONE && u->oob_at == u->tail;
}

static err_t unix_ioctl(struct sock *sk, u32 cmd, u64 arg)
{
        struct unix_sock *u = unix_of(sk);
        u32 v;

        switch (cmd) {
        case SIOCOUTQ:
                v = unsent(u);
                break;
        case SIOCINQ:
                if (LOAD(u->state) == UNIX_LISTEN)
                        return ERR(EINVAL);
                v = unix_is_stream(u) ? unix_stream_readable(u) : first_len(u);
                break;
        case SIOCATMARK:
                if (!unix_is_stream(u))
                        return ERR(EOPNOTSUPP);
                v = at_mark(u);
                break;
        default:
                return ERR(ENOTTY);
        }
        return user_put(arg, BYTES_OF(v));
}

static err_t peek_off(struct sock *sk, i32 off)
{
        GUARD(&sk->lock);
        STORE(sk->peek_off, off);
        return OK;
}

/* ---- The three types ---- */

const struct sock_ops unix_stream_ops = {
        .bind = unix_bind, .connect = unix_connect, .listen = unix_listen, .accept = unix_accept, .pair = unix_pair,
        .name = unix_name, .send = unix_stream_send, .recv = unix_stream_recv, .poll = stream_poll, .shutdown = unix_shutdown,
        .ioctl = unix_ioctl, .peek_off = peek_off, .release = unix_release,
};
const struct sock_ops unix_dgram_ops = {
        .bind = unix_bind, .connect = unix_dgram_connect, .pair = unix_pair, .name = unix_name, .send = unix_dgram_send,
        .recv = unix_dgram_recv, .poll = unix_dgram_poll, .shutdown = unix_shutdown, .ioctl = unix_ioctl, .peek_off = peek_off,
        .release = unix_release,
};
const struct sock_ops unix_seqpacket_ops = {
        .bind = unix_bind, .connect = unix_connect, .listen = unix_listen, .accept = unix_accept, .pair = unix_pair,
        .name = unix_name, .send = unix_seqpacket_send, .recv = unix_seqpacket_recv, .poll = unix_dgram_poll,
        .shutdown = unix_shutdown, .ioctl = unix_ioctl, .peek_off = peek_off, .release = unix_release,
};
