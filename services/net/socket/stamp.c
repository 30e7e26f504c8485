/* SPDX-License-Identifier: Apache-2.0
 *
 * Time stamps of messages: SO_TIMESTAMP, SO_TIMESTAMPNS and SO_TIMESTAMPING of socket(7), and what comes with a message.
 *
 * A family of messages takes the time when it hands one to a receiver that asks for it (sock_stamp), and gives it
 * with the message (sock_put_stamp).  Who asks only later gets the time of the receive.
 *
 * Locking   none: the options are words of their own.
 */
#include "services/net/socket/socket_impl.h"
#include "services/net/socket/cmsg.h"
#include "services/time/clock.h"

bool stamp_is_option(u32 name)
{
        return name == SO_TIMESTAMP_OLD || name == SO_TIMESTAMPNS_OLD || name == SO_TIMESTAMP_NEW || name == SO_TIMESTAMPNS_NEW;
}

/* Off by any of the names is off. */
void stamp_set(struct sock *sk, u32 name, bool on)
{
        bool ns = name == SO_TIMESTAMPNS_OLD || name == SO_TIMESTAMPNS_NEW, new = name == SO_TIMESTAMP_NEW || name == SO_TIMESTAMPNS_NEW;

        if (on)
                sock_set_opts(sk, SOPT_TIMESTAMP_NEW, new);
        sock_set_opts(sk, SOPT_TIMESTAMPNS, on && ns);
        sock_set_opts(sk, SOPT_TIMESTAMP, on);
}

bool stamp_get(const struct sock *sk, u32 name)
{
        bool on = sock_has(sk, SOPT_TIMESTAMP), ns = sock_has(sk, SOPT_TIMESTAMPNS), new = sock_has(sk, SOPT_TIMESTAMP_NEW);

        switch (name) {
        case SO_TIMESTAMP_OLD:   return on && !new && !ns;
        case SO_TIMESTAMPNS_OLD: return ns && !new;
        case SO_TIMESTAMP_NEW:   return on && new;
        default:                 return ns && new;
        }
}

err_t stamp_set_reports(struct sock *sk, u32 flags, bool new)
{
        if ((flags & ~0x1ffffu) != 0)
                return ERR(EINVAL);
        STORE(sk->timestamping, flags);
        sock_set_opts(sk, SOPT_TIMESTAMP_NEW, new);
        return OK;
}

u64 sock_stamp(const struct sock *to) { return sock_has(to, SOPT_TIMESTAMP) ? clock_realtime() : 0; }

void sock_put_stamp(const struct sock *sk, u64 stamp, struct control_out *c)
{
        bool new = sock_has(sk, SOPT_TIMESTAMP_NEW);

        if (!c || !sock_has(sk, SOPT_TIMESTAMP))
                return;
        u64 ns = stamp ? stamp : clock_realtime();
        struct linux_timespec t[3] = { timespec_from_ns(ns) };          /* software's, none, hardware's */
        if (sock_has(sk, SOPT_TIMESTAMPNS)) {
                control_put(c, SOL_SOCKET, new ? SO_TIMESTAMPNS_NEW : SO_TIMESTAMPNS_OLD, BYTES_OF(t[0]));
        } else {
                struct linux_timeval v = timeval_from_ns(ns);
                control_put(c, SOL_SOCKET, new ? SO_TIMESTAMP_NEW : SO_TIMESTAMP_OLD, BYTES_OF(v));
        }
        if (LOAD(sk->timestamping) & SOF_TIMESTAMPING_SOFTWARE)
                control_put(c, SOL_SOCKET, new ? SO_TIMESTAMPING_NEW : SO_TIMESTAMPING_OLD, BYTES_OF(t));
}
