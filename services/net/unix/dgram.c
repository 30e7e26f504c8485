/* SPDX-License-Identifier: Apache-2.0
 *
 * Datagrams, and the records of SOCK_SEQPACKET: messages that are sent and received whole.
 *
 * A message is made and filled before any lock is taken, then put into the receiver's list; a receive takes
 * it off, and copies with no lock held.  While it exists its charge counts against its sender's SO_SNDBUF.
 * A receiver's list is bounded as well (net.unix.max_dgram_qlen), but for messages of its own peer.
 *
 * Locking     the receiver's sock.lock for the list; the sender's for its peer.
 */
#include "services/net/unix/unix_impl.h"
#include "services/process/pid.h"

#define MSG_OVERHEAD 32u                /* SO_SNDBUF less this is the longest message */

static bool is_writable(const struct unix_sock *u) { return LOAD(u->sent) * 4ul <= LOAD_RELAXED(u->base.sndbuf); }

/* ---- Messages ---- */

static struct frame *msg_frame(const struct unix_msg *m, u32 i) { return m->more ? m->more->slot[i] : m->frame[i]; }

static void unix_msg_fini(struct unix_msg *m)
{
        struct unix_sock *from = m->from;

        for (u32 i = 0; i < MSG_FRAMES; i++)
                frame_drop(m->frame[i]);
        for (u32 i = 0; m->more && i < RING_BIG; i++)
                frame_drop(m->more->slot[i]);
        unix_ring_drop(m->more);
        pid_drop(m->scm.pid);
        u64 sent = FETCH_SUB(from->sent, m->charge), sndbuf = LOAD_RELAXED(from->base.sndbuf);
        if (sent * 4 > sndbuf && (sent - m->charge) * 4 <= sndbuf)
                sock_wake_writers(&from->base, POLL_OUT);
        unix_sock_drop(from);
}
POOL_DEFINE(unix_msg, unix_msg_fini);

struct unix_msg *unix_msgs_take(struct unix_sock *u)
{
        struct unix_msg *m = u->first_msg;

        u->first_msg = NULL;
        u->last_msg = NULL;
        STORE(u->queued, 0);
        return m;
}

void unix_msgs_discard(struct unix_msg *m)
{
        while (m) {
                struct unix_msg *next = m->next;
                scm_discard(&m->scm);
                unix_msg_drop(m);
                m = next;
        }
}

/* Room for len bytes more than fit into the message itself. */
static err_t add_frames(struct unix_msg *m, u32 len)
{
        u32 n = (len + (u32)PAGE_SIZE - 1) / (u32)PAGE_SIZE;

        if (n > RING_BIG)
                return ERR(ENOBUFS);
        if (n > MSG_FRAMES) {
                m->more = unix_ring_alloc(payer_current(), MAY_RECLAIM);
                if (!m->more)
                        return ERR(ENOMEM);
        }
        for (u32 i = 0; i < n; i++) {
                struct frame *f = frame_alloc(payer_current(), FRAME_FILL);
                if (!f)
                        return ERR(ENOMEM);
                if (m->more)
                        m->more->slot[i] = f;
                else
                        m->frame[i] = f;
        }
        return OK;
}

static err_t fill(struct unix_msg *m, struct io *io)
{
        if (m->len <= MSG_SMALL)
                return io_copy_in(io, mbytes_take(MBYTES_OF(m->small), m->len)) == m->len ? OK : ERR(EFAULT);
        TRY(add_frames(m, m->len));
        for (u32 at = 0; at < m->len; at += (u32)PAGE_SIZE) {
                usize n = min_u64(m->len - at, PAGE_SIZE);
                if (io_to_frame(io, msg_frame(m, at / (u32)PAGE_SIZE), 0, n) < n)
                        return ERR(EFAULT);
        }
        return OK;
}

/* Bytes [skip, skip + n) to io.  EFAULT. */
static err_t copy_out(const struct unix_msg *m, usize skip, usize n, struct io *io)
{
        if (m->len <= MSG_SMALL)
                return io_copy_out(io, bytes_sub(BYTES_OF(m->small), skip, n)) == n ? OK : ERR(EFAULT);
        while (n > 0) {
                usize off = skip & PAGE_MASK, part = min_u64(n, PAGE_SIZE - off);
                if (io_from_frame(io, msg_frame(m, (u32)(skip / PAGE_SIZE)), off, part) < part)
                        return ERR(EFAULT);
                skip += part;
                n -= part;
        }
        return OK;
}

/* A message of all that io has; charged to u from now on.  Takes scm's content. */
static err_t make_msg(struct unix_sock *u, struct io *io, struct scm *scm, struct unix_msg **out)
{
        struct unix_msg *m = unix_msg_alloc(payer_current(), MAY_RECLAIM);

        if (!m)
                return ERR(ENOMEM);
        m->from = unix_sock_hold(u);
        m->len = (u32)io_left(io);
        m->charge = sock_charge(m->len);
        FETCH_ADD(u->sent, m->charge);
        err_t err = fill(m, io);
        if (failed(err)) {
                unix_msg_drop(m);
                return err;
        }
        m->scm = *scm;
        scm->pid = NULL;
        scm->files = NULL;
        unix_msg_publish(m);
        *out = m;
        return OK;
}

/* ---- Sending ---- */

static bool has_no_room(const struct unix_sock *u) { return LOAD(u->sent) >= LOAD_RELAXED(u->base.sndbuf); }

/* Sleeps until u may send: its own buffer. */
static err_t wait_for_room(struct unix_sock *u, u64 deadline)
{
        while (has_no_room(u)) {
                WAITER(w);
                waiter_add(&w, &u->base.writable);      /* before it is looked at again: the end of a message takes no lock */
                if (!has_no_room(u))
                        return OK;
                u32 error = sock_take_error(&u->base);
                if (error)
                        return ERR((int)error);
                if (LOAD(u->base.shutdown) & SHUT_SEND)
                        return ERR(EPIPE);
                if (deadline == 0)
                        return ERR(EAGAIN);
                TRY(sock_sleep_result(waiter_sleep(&w, WAIT_INTERRUPTIBLE, deadline), deadline));
        }
        return OK;
}

static bool is_full(struct unix_sock *u, struct unix_sock *from)
{
        return u != from && u->peer != from && u->queued > unix_max_dgram(u->base.net);
}

/* u->base.lock held.  EAGAIN: full. */
static err_t may_send_locked(struct unix_sock *u, struct unix_sock *from)
{
        if (u->dead)
                return ERR(ECONNREFUSED);
        if (u->peer && u->peer != from)
                return ERR(EPERM);
        if (u->base.shutdown & SHUT_RECV)
                return ERR(EPIPE);
        return is_full(u, from) ? ERR(EAGAIN) : OK;
}

static void push(struct unix_sock *u, struct unix_msg *m)
{
        m->next = NULL;
        if (u->last_msg)
                u->last_msg->next = m;
        else
                u->first_msg = m;
        u->last_msg = m;
        STORE(u->queued, u->queued + 1);
}

/* Hands m over on success. */
static err_t deliver(struct unix_sock *to, struct unix_msg *m)
{
        struct unix_sock *from = m->from;

        mutex_lock(&to->base.lock);
        err_t err = may_send_locked(to, from);
        if (succeeded(err)) {
                if (unix_wants_creds(from) || unix_wants_creds(to) || !PTR_LOAD(to->base.file))
                        scm_set_current(&m->scm);
                m->stamp = sock_stamp(&to->base);
                push(to, m);
        }
        mutex_unlock(&to->base.lock);
        if (succeeded(err))
                sock_wake_readers(&to->base, POLL_IN);
        return err;
}

/* The same, sleeping while `to` is full.  *again: it was: who is meant is to be looked up anew. */
static err_t deliver_or_wait(struct unix_sock *to, struct unix_msg *m, u64 deadline, bool *again)
{
        *again = false;
        err_t err = deliver(to, m);
        if (!err_is(err, EAGAIN) || deadline == 0)
                return err;
        WAITER(w);
        waiter_add(&w, &to->room);
        err = deliver(to, m);
        if (!err_is(err, EAGAIN))
                return err;
        err = sock_sleep_result(waiter_sleep(&w, WAIT_INTERRUPTIBLE, deadline), deadline);
        *again = succeeded(err);
        return err;
}

/* The peer is no more: u has none from now on.  true: it was still this one. */
static bool forget_peer(struct unix_sock *u, struct unix_sock *gone)
{
        mutex_lock(&u->base.lock);
        bool was = u->peer == gone;
        if (was) {
                PTR_STORE(u->peer, NULL);
                STORE(u->state, UNIX_CLOSED);
        }
        mutex_unlock(&u->base.lock);
        if (was)
                unix_sock_drop(gone);
        return was;
}

static err_t send_msg(struct unix_sock *u, struct sock_send *s, struct unix_msg *m)
{
        struct actor who = actor_current();
        bool named = bytes_len(s->name) > 0, again = true;
        err_t err = OK;

        while (again && succeeded(err)) {
                struct unix_sock *to = NULL;
                if (named)
                        TRY(unix_find(u, &who, s->name, &to));
                else
                        to = unix_peer_get(u);
                if (!to)
                        return ERR(ENOTCONN);
                err = deliver_or_wait(to, m, s->deadline, &again);
                if (err_is(err, ECONNREFUSED) && unix_is_dgram(u))
                        forget_peer(u, to);
                unix_sock_drop(to);
        }
        return err;
}

static err_t send_with(struct unix_sock *u, struct sock_send *s, struct scm *scm)
{
        struct unix_msg *m = NULL;
        usize len = io_left(s->io);

        if (s->flags & MSG_OOB)
                return ERR(EOPNOTSUPP);
        if (bytes_len(s->name) > 0) {
                if (bytes_len(s->name) <= 2 || bytes_len(s->name) > sizeof(struct linux_sockaddr_un) || bytes_le16(s->name, 0) != AF_UNIX)
                        return ERR(EINVAL);
        } else if (!PTR_LOAD(u->peer)) {
                return ERR(ENOTCONN);
        }
        if (unix_wants_creds(u))
                TRY(unix_autobind(u));
        if (len + MSG_OVERHEAD > LOAD(u->base.sndbuf))
                return ERR(EMSGSIZE);
        u32 error = sock_take_error(&u->base);
        if (error)
                return ERR((int)error);
        if (LOAD(u->base.shutdown) & SHUT_SEND)
                return ERR(EPIPE);
        TRY(wait_for_room(u, s->deadline));
        if (scm->files)
                TRY(scm_take_off(scm->files));
        TRY(make_msg(u, s->io, scm, &m));
        err_t err = send_msg(u, s, m);
        if (failed(err))
                unix_msgs_discard(m);
        else
                s->done = len;
        return err;
}

err_t unix_dgram_send(struct sock *sk, struct sock_send *s)
{
        struct scm scm = {};
        err_t err = bytes_len(s->control) > 0 ? scm_parse(s->control, &scm) : OK;

        if (succeeded(err))
                err = send_with(unix_of(sk), s, &scm);
        scm_drop(&scm);
        return err;
}

err_t unix_seqpacket_send(struct sock *sk, struct sock_send *s)
{
        u32 error = sock_take_error(sk);

        if (error)
                return ERR((int)error);
        if (LOAD(unix_of(sk)->state) != UNIX_CONNECTED)
                return ERR(ENOTCONN);
        s->name = NO_BYTES;
        err_t err = unix_dgram_send(sk, s);
        return err_is(err, ECONNREFUSED) ? ERR(EPIPE) : err;
}

/* ---- Receiving ---- */

/* The message a receive is for, and where in it to begin: MSG_PEEK with SO_PEEK_OFF passes over some. */
static struct unix_msg *choose(struct unix_sock *u, bool peek, usize *skip)
{
        struct unix_msg *m = u->first_msg;

        *skip = peek && u->base.peek_off > 0 ? (usize)u->base.peek_off : 0;
        while (m && *skip > 0 && *skip >= m->len) {
                *skip -= m->len;
                m = m->next;
        }
        return m;
}

static void pop(struct unix_sock *u)
{
        struct unix_msg *m = u->first_msg;
        i32 off = u->base.peek_off;

        u->first_msg = m->next;
        if (!u->first_msg)
                u->last_msg = NULL;
        if (u->queued > unix_max_dgram(u->base.net))
                waitq_wake_all(&u->room);
        STORE(u->queued, u->queued - 1);
        if (off > 0)
                STORE(u->base.peek_off, (u32)off > m->len ? off - (i32)m->len : 0);
}

/* *out counted; it is off the list unless peek.  OK with NULL: the end. */
static err_t take_locked(struct unix_sock *u, const struct sock_recv *r, usize *skip, struct unix_msg **out)
{
        bool peek = (r->flags & MSG_PEEK) != 0;

        for (;;) {
                struct unix_msg *m = choose(u, peek, skip);
                if (m) {
                        *out = peek ? unix_msg_hold(m) : m;
                        if (!peek)
                                pop(u);
                        return OK;
                }
                u32 error = sock_take_error(&u->base);
                if (error)
                        return ERR((int)error);
                bool ended = (u->base.shutdown & SHUT_RECV) != 0;
                if (ended && (r->deadline != 0 || !unix_is_dgram(u)))
                        return OK;
                if (!unix_is_dgram(u) && u->state == UNIX_CLOSED)
                        return ERR(ENOTCONN);
                TRY(sock_sleep(&u->base, &u->base.readable, r->deadline));
        }
}

static err_t take(struct unix_sock *u, const struct sock_recv *r, usize *skip, struct scm *scm, struct unix_msg **out)
{
        GUARD(&u->base.lock);
        TRY(take_locked(u, r, skip, out));
        struct unix_msg *m = *out;
        if (m) {
                scm->creds = m->scm.creds;
                scm->uid = m->scm.uid;
                scm->gid = m->scm.gid;
                scm->pid = m->scm.pid ? pid_hold(m->scm.pid) : NULL;
        }
        if (m && (r->flags & MSG_PEEK) != 0)
                return scm_copy(&m->scm, scm);
        if (m) {
                scm->files = m->scm.files;
                m->scm.files = NULL;
        }
        return OK;
}

static void move_peek_off(struct unix_sock *u, usize n)
{
        GUARD(&u->base.lock);
        if (u->base.peek_off >= 0)
                STORE(u->base.peek_off, (i32)min_u64((u64)u->base.peek_off + n, I32_MAX));
}

static err_t give(struct unix_sock *u, struct sock_recv *r, const struct unix_msg *m, usize skip)
{
        usize rest = m->len - skip, n = min_u64(rest, io_left(r->io));

        if (mbytes_len(r->name) > 0 && LOAD(m->from->name_len))
                r->name_len = unix_put_name(m->from, r->name);
        TRY(copy_out(m, skip, n, r->io));
        if (n < rest)
                r->out_flags |= MSG_TRUNC;
        r->done = (r->flags & MSG_TRUNC) != 0 ? rest : n;
        if (r->flags & MSG_PEEK)
                move_peek_off(u, n);
        return OK;
}

err_t unix_dgram_recv(struct sock *sk, struct sock_recv *r)
{
        struct unix_sock *u = unix_of(sk);
        struct unix_msg *m = NULL;
        struct scm scm = {};
        usize skip = 0;

        if (r->flags & MSG_OOB)
                return ERR(EOPNOTSUPP);
        err_t err = take(u, r, &skip, &scm, &m);
        if (succeeded(err) && m)
                err = give(u, r, m, skip);
        if (succeeded(err) && m) {
                sock_put_stamp(sk, m->stamp, r->control);
                scm_deliver(&scm, sk, r, (r->flags & MSG_PEEK) != 0);
        }
        scm_drop(&scm);
        unix_msg_drop(m);
        return err;
}

err_t unix_seqpacket_recv(struct sock *sk, struct sock_recv *r)
{
        return LOAD(unix_of(sk)->state) == UNIX_CONNECTED ? unix_dgram_recv(sk, r) : ERR(ENOTCONN);
}

/* ---- connect ---- */

/* u's peer becomes `new`, whose count is taken over (NULL: none).  The old one, if it was tied to u, learns that what it
 * sent is lost. */
static void exchange(struct unix_sock *u, struct unix_sock *new)
{
        mutex_lock(&u->base.lock);
        struct unix_sock *old = u->peer;
        struct unix_msg *lost = old && old != new ? unix_msgs_take(u) : NULL;
        PTR_STORE(u->peer, new);
        STORE(u->state, new ? UNIX_CONNECTED : UNIX_CLOSED);
        mutex_unlock(&u->base.lock);
        if (old && old != new) {
                waitq_wake_all(&u->room);
                mutex_lock(&old->base.lock);
                bool tied = lost && !old->dead && old->peer == u;
                if (tied)
                        STORE(old->base.error, ECONNRESET);
                mutex_unlock(&old->base.lock);
                if (tied)
                        sock_wake_readers(&old->base, POLL_IN);
        }
        waitq_wake_all(&u->base.writable);
        unix_msgs_discard(lost);
        unix_sock_drop(old);
}

static err_t may_tie(struct unix_sock *u, struct unix_sock *to)
{
        GUARD(&to->base.lock);
        if (to->dead)
                return ERR(ECONNREFUSED);
        return to->peer && to->peer != u ? ERR(EPERM) : OK;
}

err_t unix_dgram_connect(struct sock *sk, const struct actor *who, bytes addr, u64 deadline)
{
        struct unix_sock *u = unix_of(sk), *to = NULL;

        (void)deadline;
        if (bytes_len(addr) < 2)
                return ERR(EINVAL);
        if (bytes_le16(addr, 0) == AF_UNSPEC) {
                exchange(u, NULL);
                return OK;
        }
        if (unix_wants_creds(u))
                TRY(unix_autobind(u));
        TRY(unix_find(u, who, addr, &to));
        err_t err = may_tie(u, to);
        if (failed(err))
                unix_sock_drop(to);
        else
                exchange(u, to);
        return err;
}

/* ---- poll ---- */

/* A receiver that is not tied to u has room for so many.  The lock keeps it: its last count is not for us to drop, whom epoll
 * asks under its own lock. */
static bool has_peer_room(struct unix_sock *u, struct waiter *w)
{
        GUARD(&u->base.lock);
        struct unix_sock *peer = u->peer;

        if (!peer || PTR_LOAD(peer->peer) == u)
                return true;
        waiter_add(w, &peer->room);
        return LOAD(peer->queued) <= unix_max_dgram(u->base.net);
}

u32 unix_dgram_poll(struct sock *sk, struct waiter *w)
{
        struct unix_sock *u = unix_of(sk);
        bool writable = is_writable(u) && LOAD(u->state) != UNIX_LISTEN;

        waiter_add(w, &sk->readable);
        waiter_add(w, &sk->writable);
        u32 mask = 0, shutdown = LOAD(sk->shutdown);
        if (LOAD(sk->error))
                mask |= EPOLLERR;
        if (shutdown == SHUT_MASK || (!unix_is_dgram(u) && LOAD(u->state) == UNIX_CLOSED))
                mask |= EPOLLHUP;
        if (shutdown & SHUT_RECV)
                mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
        if (LOAD(u->queued) > 0)
                mask |= EPOLLIN | EPOLLRDNORM;
        if (unix_is_dgram(u) && PTR_LOAD(u->peer) && !has_peer_room(u, w))
                writable = false;
        if (writable)
                mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
        return mask;
}
