/* SPDX-License-Identifier: Apache-2.0
 *
 * Options of level SOL_SOCKET: socket(7).
 *
 * Each is a word of its own in the sock, stored and loaded whole; only the other end's credentials
 * need the lock.  What Linux keeps without acting on it for any family that is here (SO_BUSY_POLL and
 * the like) is kept here, too.
 */
#include "services/net/socket/socket_impl.h"
#include "services/process/pid.h"
#include "services/time/clock.h"
#include "abi/const/process.h"

#define SNDBUF_MIN 4608u
#define RCVBUF_MIN 2304u
#define BUF_LOCK_SEND 1u                /* SOCK_SNDBUF_LOCK, SOCK_RCVBUF_LOCK */
#define BUF_LOCK_RECV 2u
#define PRIORITY_FREE 6                 /* the highest for everybody */

err_t socket_put_option(u64 at, u64 len_at, bytes value)
{
        i32 len = 0;

        TRY(user_get(MBYTES_OF(len), len_at));
        if (len < 0)
                return ERR(EINVAL);
        u32 n = min_u32((u32)len, (u32)bytes_len(value));
        TRY(user_put(at, bytes_take(value, n)));
        return user_put(len_at, BYTES_OF(n));
}

/* ---- Setting ---- */

/* Options that are one bit; 0: this is none of them. */
static u32 flag_of(u32 name)
{
        switch (name) {
        case SO_DEBUG:            return SOPT_DEBUG;
        case SO_REUSEADDR:        return SOPT_REUSE;
        case SO_DONTROUTE:        return SOPT_DONTROUTE;
        case SO_BROADCAST:        return SOPT_BROADCAST;
        case SO_OOBINLINE:        return SOPT_OOBINLINE;
        case SO_NO_CHECK:         return SOPT_NO_CHECK;
        case SO_PASSCRED:         return SOPT_PASSCRED;
        case SO_PASSSEC:          return SOPT_PASSSEC;
        case SO_RXQ_OVFL:         return SOPT_RXQ_OVFL;
        case SO_WIFI_STATUS:      return SOPT_WIFI;
        case SO_NOFCS:            return SOPT_NOFCS;
        case SO_SELECT_ERR_QUEUE: return SOPT_ERRQUEUE;
        case SO_LOCK_FILTER:      return SOPT_LOCK_FILTER;
        case SO_RCVMARK:          return SOPT_RCVMARK;
        case SO_PREFER_BUSY_POLL: return SOPT_BUSY_POLL;
        case SO_TXREHASH:         return SOPT_TXREHASH;
        default:                  return 0;
        }
}

void sock_set_opts(struct sock *sk, u32 bits, bool on)
{
        if (on)
                FETCH_OR(sk->opts, bits);
        else
                FETCH_AND(sk->opts, ~bits);
}

static void set_sndbuf(struct sock *sk, u32 bytes)
{
        STORE(sk->sndbuf, bytes * 2 > SNDBUF_MIN ? bytes * 2 : SNDBUF_MIN);
        FETCH_OR(sk->buf_lock, BUF_LOCK_SEND);
        waitq_wake_all(&sk->writable);
}

static void set_rcvbuf(struct sock *sk, u32 bytes)
{
        STORE(sk->rcvbuf, bytes * 2 > RCVBUF_MIN ? bytes * 2 : RCVBUF_MIN);
        FETCH_OR(sk->buf_lock, BUF_LOCK_RECV);
}

/* A size from an int: what is negative counts as large, as on Linux; FORCE: as none. */
static u32 buf_size(i32 v, bool force)
{
        if (!force)
                return min_u32((u32)v, SOCK_MEM_MAX);
        return v < 0 ? 0 : min_u32((u32)v, I32_MAX / 2);
}

static err_t set_timeo(u64 *timeo, u64 at, u32 len)
{
        struct linux_timeval tv = {};

        if (len < sizeof tv)
                return ERR(EINVAL);
        TRY(user_get(MBYTES_OF(tv), at));
        if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
                return ERR(EDOM);
        u64 ns = 0;
        if (tv.tv_sec < 0)
                ns = 1;                         /* no wait, as good as */
        else if (tv.tv_sec != 0 || tv.tv_usec != 0)
                TRY(ns_from_timeval(tv, &ns));
        STORE(*timeo, ns);
        return OK;
}

static err_t set_linger(struct sock *sk, u64 at, u32 len)
{
        struct linux_linger l = {};

        if (len < sizeof l)
                return ERR(EINVAL);
        TRY(user_get(MBYTES_OF(l), at));
        if (l.l_onoff)
                STORE(sk->linger, (u32)l.l_linger);
        sock_set_opts(sk, SOPT_LINGER, l.l_onoff != 0);
        return OK;
}

static err_t may_admin(bool needs) { return !needs || capable(CAP_NET_ADMIN) ? OK : ERR(EPERM); }

static err_t set_peek_off(struct sock *sk, i32 v)
{
        if (!sk->ops->peek_off)
                return ERR(EOPNOTSUPP);
        return sk->ops->peek_off(sk, v);
}

static err_t set_flag(struct sock *sk, u32 name, i32 v)
{
        if (name == SO_DEBUG && v && !capable(CAP_NET_ADMIN))
                return ERR(EACCES);
        if (name == SO_PREFER_BUSY_POLL)
                TRY(may_admin(v != 0));
        if (name == SO_TXREHASH && (v < -1 || v > 1))
                return ERR(EINVAL);
        if (name == SO_LOCK_FILTER && sock_has(sk, SOPT_LOCK_FILTER) && !v)
                return ERR(EPERM);
        sock_set_opts(sk, flag_of(name), v != 0);
        return OK;
}

static err_t set_int(struct sock *sk, u32 name, i32 v)
{
        if (flag_of(name))
                return set_flag(sk, name, v);
        if (stamp_is_option(name)) {
                stamp_set(sk, name, v != 0);
                return OK;
        }
        switch (name) {
        case SO_SNDBUF:
                set_sndbuf(sk, buf_size(v, false));
                return OK;
        case SO_SNDBUFFORCE:
                TRY(may_admin(true));
                set_sndbuf(sk, buf_size(v, true));
                return OK;
        case SO_RCVBUF:
                set_rcvbuf(sk, buf_size(v, false));
                return OK;
        case SO_RCVBUFFORCE:
                TRY(may_admin(true));
                set_rcvbuf(sk, buf_size(v, true));
                return OK;
        case SO_KEEPALIVE:
                sock_set_opts(sk, SOPT_KEEPALIVE, v != 0);
                return OK;
        case SO_PRIORITY:
                if ((v < 0 || v > PRIORITY_FREE) && !capable(CAP_NET_ADMIN) && !capable(CAP_NET_RAW))
                        return ERR(EPERM);
                STORE(sk->priority, (u32)v);
                return OK;
        case SO_MARK:
                if (!capable(CAP_NET_ADMIN) && !capable(CAP_NET_RAW))
                        return ERR(EPERM);
                STORE(sk->mark, (u32)v);
                return OK;
        case SO_BSDCOMPAT:
                return OK;
        case SO_RCVLOWAT:
                STORE(sk->rcvlowat, v < 0 ? I32_MAX : v ? v : 1);
                return OK;
        case SO_PEEK_OFF:
                return set_peek_off(sk, v);
        case SO_BUSY_POLL:
                TRY(may_admin((u32)v > sk->busy_poll));
                if (v < 0)
                        return ERR(EINVAL);
                STORE(sk->busy_poll, (u32)v);
                return OK;
        case SO_BUSY_POLL_BUDGET:
                TRY(may_admin((u32)v > sk->busy_budget));
                if (v < 0 || v > U16_MAX)
                        return ERR(EINVAL);
                STORE(sk->busy_budget, (u32)v);
                return OK;
        case SO_MAX_PACING_RATE:
                STORE(sk->pacing, v == -1 ? U64_MAX : (u64)(u32)v);
                return OK;
        case SO_INCOMING_CPU:
                STORE(sk->incoming_cpu, v);
                return OK;
        case SO_BINDTOIFINDEX:
                if (v < 0)
                        return ERR(EINVAL);
                TRY(sk->ifindex ? may_admin(true) : OK);
                STORE(sk->ifindex, v);
                return OK;
        case SO_TIMESTAMPING_OLD:
        case SO_TIMESTAMPING_NEW:
                return stamp_set_reports(sk, (u32)v, name == SO_TIMESTAMPING_NEW);
        case SO_BUF_LOCK:
                if ((v & ~3) != 0)
                        return ERR(EINVAL);
                STORE(sk->buf_lock, (u32)v);
                return OK;
        case SO_TXTIME:
        case SO_ATTACH_FILTER:
        case SO_ATTACH_REUSEPORT_CBPF:
        case SO_DETACH_REUSEPORT_BPF:
                return ERR(EINVAL);
        case SO_DETACH_FILTER:
                return sock_has(sk, SOPT_LOCK_FILTER) ? ERR(EPERM) : ERR(ENOENT);
        case SO_ATTACH_BPF:
        case SO_ATTACH_REUSEPORT_EBPF:
                return ERR(EPERM);
        case SO_CNX_ADVICE:
                return OK;
        case SO_REUSEPORT:
        case SO_ZEROCOPY:
        case SO_RESERVE_MEM:
                return ERR(EOPNOTSUPP);         /* of a family that has ports, or charges memory so */
        default:
                return ERR(ENOPROTOOPT);
        }
}

err_t socket_set_generic(struct sock *sk, u32 name, u64 at, u32 len)
{
        i32 v = 0;

        if (name == SO_BINDTODEVICE)
                return len == 0 ? OK : ERR(ENODEV);
        if (len < sizeof v)
                return ERR(EINVAL);
        TRY(user_get(MBYTES_OF(v), at));
        switch (name) {
        case SO_LINGER:
                return set_linger(sk, at, len);
        case SO_RCVTIMEO_OLD:
        case SO_RCVTIMEO_NEW:
                return set_timeo(&sk->rcvtimeo, at, len);
        case SO_SNDTIMEO_OLD:
        case SO_SNDTIMEO_NEW:
                return set_timeo(&sk->sndtimeo, at, len);
        default:
                return set_int(sk, name, v);
        }
}

/* ---- Getting ---- */

static err_t get_peercred(struct sock *sk, u64 at, u64 len_at)
{
        struct linux_ucred uc = { .pid = 0, .uid = NO_ID, .gid = NO_ID };

        mutex_lock(&sk->lock);
        if (sk->peer_pid)
                uc.pid = (i32)sk->peer_pid->nr;
        if (sk->peer_cred) {
                uc.uid = sk->peer_cred->euid;
                uc.gid = sk->peer_cred->egid;
        }
        mutex_unlock(&sk->lock);
        return socket_put_option(at, len_at, BYTES_OF(uc));
}

static err_t put_groups(const struct cred *c, u64 at, u64 len_at)
{
        i32 room = 0;
        u32 n = cred_group_count(c), size = n * 4;

        TRY(user_get(MBYTES_OF(room), len_at));
        if (room < 0 || (u32)room < size) {
                TRY(user_put(len_at, BYTES_OF(size)));
                return ERR(ERANGE);
        }
        TRY(user_put(len_at, BYTES_OF(size)));
        for (u32 i = 0; i < n; i++) {
                u32 gid = cred_group(c, i);
                TRY(user_put(at + i * 4, BYTES_OF(gid)));
        }
        return OK;
}

static err_t get_peergroups(struct sock *sk, u64 at, u64 len_at)
{
        struct cred *c = NULL;

        mutex_lock(&sk->lock);
        if (sk->peer_cred)
                c = cred_hold(sk->peer_cred);
        mutex_unlock(&sk->lock);
        if (!c)
                return ERR(ENODATA);
        err_t err = put_groups(c, at, len_at);
        cred_drop(c);
        return err;
}

static err_t get_peername(struct sock *sk, u64 at, u64 len_at)
{
        u8 addr[SOCKADDR_MAX] = {};
        usize n = 0;
        i32 room = 0;

        TRY(sk->ops->name(sk, true, MBYTES_OF(addr), &n));
        TRY(user_get(MBYTES_OF(room), len_at));
        if (room < 0 || n < (usize)room)
                return ERR(EINVAL);
        return socket_put_option(at, len_at, bytes_take(BYTES_OF(addr), min_u64(n, SOCKADDR_MAX)));
}

/* For options of 8 bytes and no fewer. */
static err_t get_u64(u64 at, u64 len_at, u64 v, bool exact)
{
        i32 room = 0;

        TRY(user_get(MBYTES_OF(room), len_at));
        if (room < (i32)sizeof v || (exact && room != (i32)sizeof v))
                return ERR(EINVAL);
        return socket_put_option(at, len_at, BYTES_OF(v));
}

static err_t get_timeo(u64 at, u64 len_at, u64 ns)
{
        struct linux_timeval tv = timeval_from_ns(ns);
        return socket_put_option(at, len_at, BYTES_OF(tv));
}

static err_t get_linger(struct sock *sk, u64 at, u64 len_at)
{
        struct linux_linger l = { .l_onoff = sock_has(sk, SOPT_LINGER), .l_linger = (i32)sk->linger };
        return socket_put_option(at, len_at, BYTES_OF(l));
}

static err_t get_timestamping(struct sock *sk, u64 at, u64 len_at)
{
        u32 v[2] = { LOAD(sk->timestamping), 0 };
        return socket_put_option(at, len_at, BYTES_OF(v));
}

static err_t get_meminfo(struct sock *sk, u64 at, u64 len_at)
{
        u32 v[9] = { 0, sk->rcvbuf, 0, sk->sndbuf };
        return socket_put_option(at, len_at, BYTES_OF(v));
}

/* The ints; false: there is no such option, or it cannot be asked. */
static bool get_int(struct sock *sk, u32 name, i32 *v)
{
        u32 flag = flag_of(name);

        if (flag) {
                *v = sock_has(sk, flag);
                return true;
        }
        if (stamp_is_option(name)) {
                *v = stamp_get(sk, name);
                return true;
        }
        switch (name) {
        case SO_TYPE:       *v = (i32)sk->type; return true;
        case SO_PROTOCOL:   *v = (i32)sk->protocol; return true;
        case SO_DOMAIN:     *v = (i32)sk->family; return true;
        case SO_ERROR:      *v = (i32)sock_take_error(sk); return true;
        case SO_ACCEPTCONN: *v = LOAD(sk->listening); return true;
        case SO_SNDBUF:     *v = (i32)LOAD(sk->sndbuf); return true;
        case SO_RCVBUF:     *v = (i32)LOAD(sk->rcvbuf); return true;
        case SO_KEEPALIVE:  *v = sock_has(sk, SOPT_KEEPALIVE); return true;
        case SO_PRIORITY:   *v = (i32)LOAD(sk->priority); return true;
        case SO_MARK:       *v = (i32)LOAD(sk->mark); return true;
        case SO_RCVLOWAT:   *v = LOAD(sk->rcvlowat); return true;
        case SO_SNDLOWAT:   *v = 1; return true;
        case SO_BSDCOMPAT:
        case SO_REUSEPORT:
        case SO_INCOMING_NAPI_ID:
        case SO_ZEROCOPY:
        case SO_RESERVE_MEM:
                *v = 0;
                return true;
        case SO_PEEK_OFF:   *v = LOAD(sk->peek_off); return sk->ops->peek_off != NULL;
        case SO_BUSY_POLL:  *v = (i32)LOAD(sk->busy_poll); return true;
        case SO_BPF_EXTENSIONS: *v = 64; return true;
        case SO_INCOMING_CPU:   *v = LOAD(sk->incoming_cpu); return true;
        case SO_BINDTOIFINDEX:  *v = LOAD(sk->ifindex); return true;
        case SO_BUF_LOCK:       *v = (i32)LOAD(sk->buf_lock); return true;
        default:
                return false;
        }
}

err_t socket_get_generic(struct sock *sk, u32 name, u64 at, u64 len_at)
{
        i32 v = 0;
        u64 zero = 0;

        TRY(user_get(MBYTES_OF(v), len_at));
        if (v < 0)
                return ERR(EINVAL);
        if (get_int(sk, name, &v))
                return socket_put_option(at, len_at, BYTES_OF(v));
        switch (name) {
        case SO_LINGER:
                return get_linger(sk, at, len_at);
        case SO_RCVTIMEO_OLD:
        case SO_RCVTIMEO_NEW:
                return get_timeo(at, len_at, LOAD(sk->rcvtimeo));
        case SO_SNDTIMEO_OLD:
        case SO_SNDTIMEO_NEW:
                return get_timeo(at, len_at, LOAD(sk->sndtimeo));
        case SO_PEERCRED:
                return get_peercred(sk, at, len_at);
        case SO_PEERGROUPS:
                return get_peergroups(sk, at, len_at);
        case SO_PEERNAME:
                return get_peername(sk, at, len_at);
        case SO_TIMESTAMPING_OLD:
        case SO_TIMESTAMPING_NEW:
                return get_timestamping(sk, at, len_at);
        case SO_MEMINFO:
                return get_meminfo(sk, at, len_at);
        case SO_COOKIE:
                return get_u64(at, len_at, sk->cookie, false);
        case SO_NETNS_COOKIE:
                return get_u64(at, len_at, sk->net->cookie, true);
        case SO_MAX_PACING_RATE: {
                u64 rate = LOAD(sk->pacing);
                return socket_put_option(at, len_at, BYTES_OF(rate));
        }
        case SO_TXTIME:
                return socket_put_option(at, len_at, BYTES_OF(zero));
        case SO_BINDTODEVICE:
        case SO_GET_FILTER:
                return socket_put_option(at, len_at, NO_BYTES);
        default:
                return ERR(ENOPROTOOPT);
        }
}
