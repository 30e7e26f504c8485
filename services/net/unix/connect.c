/* SPDX-License-Identifier: Apache-2.0
 *
 * Connections of AF_UNIX: listen, connect, accept, socketpair, shutdown.
 *
 * connect makes the other end, the embryo, and queues it at the listener; both ends are connected from
 * then on, whether or not it is ever accepted.  The caller and the listener are locked together, so that no
 * state between is seen.
 */
#include "services/net/unix/unix_impl.h"
#include "services/process/pid.h"

struct unix_sock *unix_peer_get(struct unix_sock *u)
{
        GUARD(&u->base.lock);
        return u->peer ? unix_sock_hold(u->peer) : NULL;
}

err_t unix_listen(struct sock *sk, u32 backlog)
{
        struct unix_sock *u = unix_of(sk);

        GUARD(&sk->lock);
        if (!u->name_len || u->state == UNIX_CONNECTED)
                return ERR(EINVAL);
        if (backlog > u->backlog)
                waitq_wake_all(&u->room);
        STORE(u->backlog, backlog);
        STORE(u->state, UNIX_LISTEN);
        STORE(sk->listening, true);
        sock_set_peer_current(sk);
        return OK;
}

/* ---- connect ---- */

static void push_embryo(struct unix_sock *listener, struct unix_sock *e)
{
        if (listener->last_embryo)
                listener->last_embryo->next_embryo = e;
        else
                listener->embryo = e;
        listener->last_embryo = e;
        STORE(listener->queued, listener->queued + 1);
}

/* Takes over a count on e. */
static void tie(struct unix_sock *u, struct unix_sock *listener, struct unix_sock *e)
{
        unix_copy_name(e, listener);
        sock_set_peer_current(&e->base);
        sock_copy_peer(&u->base, &listener->base);
        e->peer = unix_sock_hold(u);
        STORE(e->state, UNIX_CONNECTED);
        PTR_STORE(u->peer, unix_sock_hold(e));
        STORE(u->state, UNIX_CONNECTED);
        push_embryo(listener, e);
}

/* Both locked, or they are the same.  EAGAIN: no room. */
static err_t may_connect(const struct unix_sock *u, const struct unix_sock *listener)
{
        if (listener->dead || listener->state != UNIX_LISTEN || (listener->base.shutdown & SHUT_RECV) != 0)
                return ERR(ECONNREFUSED);
        if (u->state == UNIX_LISTEN)
                return ERR(EINVAL);
        if (listener->queued > listener->backlog)
                return ERR(EAGAIN);
        return u->state == UNIX_CONNECTED ? ERR(EISCONN) : OK;
}

static err_t connect_to(struct unix_sock *u, struct unix_sock *listener, struct unix_sock *e)
{
        if (u == listener) {
                GUARD(&u->base.lock);
                return may_connect(u, u);
        }
        sock_lock_two(&u->base, &listener->base);
        err_t err = may_connect(u, listener);
        if (succeeded(err))
                tie(u, listener, e);
        sock_unlock_two(&u->base, &listener->base);
        if (succeeded(err))
                sock_wake_readers(&listener->base, POLL_IN);
        return err;
}

/* *again: room was waited for; the address may lead elsewhere by now. */
static err_t connect_or_wait(struct unix_sock *u, struct unix_sock *listener, struct unix_sock *e, u64 deadline, bool *again)
{
        *again = false;
        err_t err = connect_to(u, listener, e);
        if (!err_is(err, EAGAIN) || deadline == 0)
                return err;
        WAITER(w);
        waiter_add(&w, &listener->room);
        err = connect_to(u, listener, e);
        if (!err_is(err, EAGAIN))
                return err;
        err = sock_sleep_result(waiter_sleep(&w, WAIT_INTERRUPTIBLE, deadline), deadline);
        *again = succeeded(err);
        return err;
}

static err_t connect_embryo(struct unix_sock *u, const struct actor *who, bytes addr, u64 deadline, struct unix_sock *e)
{
        bool again = true;
        err_t err = OK;

        while (again && succeeded(err)) {
                struct unix_sock *listener = NULL;
                TRY(unix_find(u, who, addr, &listener));
                err = connect_or_wait(u, listener, e, deadline, &again);
                unix_sock_drop(listener);
        }
        return err;
}

err_t unix_connect(struct sock *sk, const struct actor *who, bytes addr, u64 deadline)
{
        struct unix_sock *u = unix_of(sk);

        if (unix_wants_creds(u))
                TRY(unix_autobind(u));
        struct unix_sock *e = unix_sock_new(who->payer, sk->net, sk->type);
        if (!e)
                return ERR(ENOMEM);
        err_t err = connect_embryo(u, who, addr, deadline, e);
        if (failed(err)) {
                unix_unlist(e);
                unix_sock_drop(e);
        }
        return err;
}

/* ---- accept ---- */

/* EAGAIN: none has come. */
static err_t pop(struct unix_sock *u, struct unix_sock **out)
{
        GUARD(&u->base.lock);
        struct unix_sock *e = u->embryo;

        if (u->state != UNIX_LISTEN)
                return ERR(EINVAL);
        if (!e)
                return (u->base.shutdown & SHUT_RECV) != 0 ? ERR(EINVAL) : ERR(EAGAIN);
        u->embryo = e->next_embryo;
        if (!u->embryo)
                u->last_embryo = NULL;
        e->next_embryo = NULL;
        STORE(u->queued, u->queued - 1);
        FETCH_OR(e->base.opts, LOAD(u->base.opts) & (SOPT_PASSCRED | SOPT_PASSSEC));
        *out = e;
        return OK;
}

/* Of several that wait each connection wakes one. */
static err_t wait_and_pop(struct unix_sock *u, u64 deadline, struct unix_sock **out)
{
        WAITER(w);
        waiter_add_exclusive(&w, &u->base.readable);
        for (;;) {
                err_t err = pop(u, out);
                if (!err_is(err, EAGAIN))
                        return err;
                TRY(sock_sleep_result(waiter_sleep(&w, WAIT_INTERRUPTIBLE, deadline), deadline));
        }
}

err_t unix_accept(struct sock *sk, u64 deadline, struct sock **out)
{
        struct unix_sock *u = unix_of(sk), *e = NULL;
        err_t err = pop(u, &e);

        if (err_is(err, EAGAIN) && deadline != 0)
                err = wait_and_pop(u, deadline, &e);
        TRY(err);
        waitq_wake_all(&u->room);
        *out = &e->base;
        return OK;
}

/* ---- The rest ---- */

err_t unix_pair(struct sock *a, struct sock *b)
{
        struct unix_sock *one = unix_of(a), *two = unix_of(b);

        sock_lock_two(a, b);
        PTR_STORE(one->peer, unix_sock_hold(two));
        PTR_STORE(two->peer, unix_sock_hold(one));
        STORE(one->state, UNIX_CONNECTED);
        STORE(two->state, UNIX_CONNECTED);
        sock_set_peer_current(a);
        sock_set_peer_current(b);
        sock_unlock_two(a, b);
        return OK;
}

static void shut(struct unix_sock *u, u32 how)
{
        mutex_lock(&u->base.lock);
        STORE(u->base.shutdown, u->base.shutdown | how);
        u32 now = u->base.shutdown;
        mutex_unlock(&u->base.lock);
        waitq_wake_all(&u->base.readable);
        waitq_wake_all(&u->base.writable);
        waitq_wake_all(&u->room);
        sock_wake_readers(&u->base, now == SHUT_MASK ? POLL_HUP : POLL_IN);
}

err_t unix_shutdown(struct sock *sk, u32 how)
{
        struct unix_sock *u = unix_of(sk), *peer = unix_is_dgram(u) ? NULL : unix_peer_get(u);

        shut(u, how);
        if (peer)
                shut(peer, ((how & SHUT_RECV) != 0 ? SHUT_SEND : 0) | ((how & SHUT_SEND) != 0 ? SHUT_RECV : 0));
        unix_sock_drop(peer);
        return OK;
}
