/* SPDX-License-Identifier: Apache-2.0
 *
 * Sockets, whatever their family: socket(2), socket(7).
 *
 * Objects   A `sock` is an endpoint: a BASE that each family embeds first in its own OBJECT.  It
 *           outlives its file: peers, queues and messages under way hold it.  A `socket_file` is
 *           the open file in front of it (accepted connections have none until accept returns).
 *           A family registers a net_family; its socks carry a table of sock_ops.
 * Lifetime  The socket file holds one count of its sock and, at its end, calls ops->release
 *           before letting go.  sock.file is not counted and NULL before and after.
 * Locking   sock.lock (mutex, class sock) is the family's: the generic part takes it for
 *           options only.  Two socks of one kind: by ascending cookie (sock_lock_two).  User
 *           memory is copied under it.
 */
#pragma once
#include "services/net/socket/net_ns.h"
#include "services/net/socket/cmsg.h"
#include "services/vfs/vfs.h"
#include "abi/linux/socket.h"
#include "abi/const/signal.h"            /* POLL_IN and so on */

BASE(sock);
STABLE(sock_ops);
OBJECT(pid);

#define SOCKADDR_MAX  128u              /* struct sockaddr_storage */
#define CONTROL_MAX   20480u            /* bytes of control messages in one sendmsg: optmem_max */
#define SOCK_MEM_MAX  212992u           /* rmem_max, wmem_max and the defaults, bytes */
#define SOMAXCONN_MAX 4096u

/* A message on its way out: borrows for one call. */
struct sock_send {
        struct io *io;                  /* the bytes */
        bytes name;                     /* where to; empty: the peer */
        bytes control;                  /* control messages, in kernel memory */
        u32 flags;                      /* MSG_* */
        u64 deadline;                   /* of waiting, ns since boot; 0: do not */
        usize done;                     /* out: bytes sent, meant only if not 0 or the call succeeded */
};
/* And on its way in. */
struct sock_recv {
        struct io *io;
        u32 flags;
        u32 out_flags;                  /* out: MSG_TRUNC, … */
        u64 deadline;
        mbytes name;                    /* SOCKADDR_MAX bytes, or none: the sender is not asked for */
        usize name_len;                 /* out: may be longer than what fits in name */
        struct control_out *control;    /* NULL: none wanted */
        usize done;                     /* out: the call's result */
};

/* What a family does.  Nothing is locked on call; all but poll may sleep.  NULL: EOPNOTSUPP, but as noted.
 * Each takes the sock of a file held by the caller; addresses are as user space gave them, up to SOCKADDR_MAX bytes.
 *   connect     deadline as in sock_send
 *   accept      *out: the next connection, counted, without a file
 *   pair        ties two new socks together
 *   name        into out, cut; *len whole.  peer: ENOTCONN
 *   send, recv  done > 0: the error, if any, is dropped
 *   option      setsockopt and getsockopt of another level than SOL_SOCKET
 *   peek_off    SO_PEEK_OFF about to be set (NULL: EOPNOTSUPP)
 *   release     its file has gone: nobody calls any more; others may still hold it */
STABLE(sock_ops) {
        err_t (*bind)(struct sock *sk, const struct actor *who, bytes addr);
        err_t (*connect)(struct sock *sk, const struct actor *who, bytes addr, u64 deadline);
        err_t (*listen)(struct sock *sk, u32 backlog);
        err_t (*accept)(struct sock *sk, u64 deadline, struct sock **out);
        err_t (*pair)(struct sock *a, struct sock *b);
        err_t (*name)(struct sock *sk, bool peer, mbytes out, usize *len);
        err_t (*send)(struct sock *sk, struct sock_send *m);
        err_t (*recv)(struct sock *sk, struct sock_recv *m);
        u32   (*poll)(struct sock *sk, struct waiter *w);
        err_t (*shutdown)(struct sock *sk, u32 how);            /* how: SHUT_MASK bits */
        err_t (*ioctl)(struct sock *sk, u32 cmd, u64 arg);      /* NULL, ENOTTY: not known */
        err_t (*setsockopt)(struct sock *sk, u32 level, u32 name, u64 at, u32 len);
        err_t (*getsockopt)(struct sock *sk, u32 level, u32 name, u64 at, u64 len_at);
        err_t (*peek_off)(struct sock *sk, i32 off);
        void  (*release)(struct sock *sk);
};

#define SHUT_RECV 1u
#define SHUT_SEND 2u
#define SHUT_MASK 3u

/* Options that are one bit. */
#define SOPT_DEBUG     1u
#define SOPT_REUSE     2u
#define SOPT_DONTROUTE 4u
#define SOPT_BROADCAST 8u
#define SOPT_KEEPALIVE 0x10u
#define SOPT_OOBINLINE 0x20u
#define SOPT_NO_CHECK  0x40u
#define SOPT_PASSCRED  0x80u
#define SOPT_PASSSEC   0x100u
#define SOPT_LINGER    0x200u
#define SOPT_TIMESTAMP 0x400u
#define SOPT_TIMESTAMPNS 0x800u
#define SOPT_TIMESTAMP_NEW 0x1000u
#define SOPT_RXQ_OVFL  0x2000u
#define SOPT_WIFI      0x4000u
#define SOPT_NOFCS     0x8000u
#define SOPT_ERRQUEUE  0x10000u
#define SOPT_LOCK_FILTER 0x20000u
#define SOPT_RCVMARK   0x40000u
#define SOPT_BUSY_POLL 0x80000u         /* SO_PREFER_BUSY_POLL */
#define SOPT_TXREHASH  0x100000u

BASE(sock) {
        const struct sock_ops *ops;     /* fixed, as all to cookie */
        struct net_ns *net;             /* counted */
        u32 family, type, protocol;
        u32 spare;
        u64 cookie;                     /* unique: SO_COOKIE, lock order */
        struct file *file;              /* not counted: see Lifetime; PTR_LOAD */
        struct mutex lock;              /* class sock */
        struct async_list tell;         /* O_ASYNC */
        struct waitq readable, writable;        /* what poll waits for, and recv, accept; send */
        u32 shutdown;                   /* SHUT_MASK bits; lock, LOAD */
        u32 error;                      /* to be told by the next call; ATOMIC: sock_take_error */
        bool listening;                 /* lock, LOAD: SO_ACCEPTCONN */

        /* options; words of their own: LOAD, STORE */
        u32 opts;                       /* SOPT_*; ATOMIC */
        u32 sndbuf, rcvbuf;             /* bytes, doubled as SO_SNDBUF tells them */
        i32 rcvlowat;
        i32 peek_off;                   /* -1: off */
        u64 rcvtimeo, sndtimeo;         /* ns; 0: no limit */
        u32 priority, mark, linger;     /* linger: s */
        u32 timestamping, busy_poll, busy_budget, buf_lock;
        u64 pacing;
        i32 incoming_cpu, ifindex;

        /* who is at the other end, as SO_PEERCRED tells; lock */
        struct pid *peer_pid;           /* counted; NULL: nobody */
        struct cred *peer_cred;         /* counted; NULL: nobody */
};
BASE_DECLARE(sock)

/* A family's entry; registered once, at boot.  create: *out counted, unpublished families' business; EPROTONOSUPPORT,
 * ESOCKTNOSUPPORT, EPERM, ENOMEM.  new_part: NULL: it has none. */
STABLE(net_family) {
        u32 family;                     /* AF_* */
        err_t (*create)(const struct actor *who, struct net_ns *net, u32 type, u32 protocol, struct sock **out);
        struct net_part *(*new_part)(struct payer *payer);
};
void net_family_register(const struct net_family *family);
void socket_init(void);                 /* at boot, before families register */

/* For a new sock object (count 1): takes its own count on net.  sock_fini: what the pool's fini calls. */
struct sock_init { const struct sock_ops *ops; struct net_ns *net; u32 family, type, protocol; };
void sock_init(struct sock *sk, const struct sock_init *init);
void sock_fini(struct sock *sk);

static inline bool sock_has(const struct sock *sk, u32 opt) { return (LOAD_RELAXED(sk->opts) & opt) != 0; }
static inline u32  sock_take_error(struct sock *sk) { return LOAD_RELAXED(sk->error) ? XCHG(sk->error, 0) : 0; }
void sock_lock_two(struct sock *a, struct sock *b);     /* a != b */
void sock_unlock_two(struct sock *a, struct sock *b);
/* Sleeps on q with sk->lock let go of meanwhile.  EAGAIN: the deadline has passed (0 at once); ERESTARTSYS, or EINTR
 * if there is a deadline: a signal. */
err_t sock_sleep(struct sock *sk, struct waitq *q, u64 deadline);
err_t sock_sleep_result(err_t slept, u64 deadline);     /* the same translation of waiter_sleep's */
/* What a receive waits for at least: SO_RCVLOWAT, MSG_WAITALL; never 0. */
usize sock_target(const struct sock *sk, u32 flags, usize len);
/* The current process's credentials for the other end's SO_PEERCRED; what was there before is dropped.  lock held. */
void sock_set_peer_current(struct sock *sk);
void sock_copy_peer(struct sock *sk, struct sock *from);        /* from's, as they stand; both locked, or sk is new */
/* What a message of len bytes counts against a buffer: as Linux charges it. */
u32   sock_charge(u32 len);
/* The time of a message that `to` is about to get, ns since 1970; 0: it does not ask.  And what it is told of that when it
 * receives the message, in c (may be NULL): socket(7), SO_TIMESTAMP. */
u64   sock_stamp(const struct sock *to);
void  sock_put_stamp(const struct sock *sk, u64 stamp, struct control_out *c);
/* What changed is told to those who wait, but to one of those who wait exclusively (accept, EPOLLEXCLUSIVE), if it is no end; SIGIO too if O_ASYNC.  band: POLL_IN, POLL_OUT, POLL_HUP, POLL_PRI. */
void sock_wake_readers(struct sock *sk, i32 band);
void sock_wake_writers(struct sock *sk, i32 band);

/* ---- For syscall and unix ---- */

/* The sock behind a file, a borrow of it; NULL: no socket (ENOTSOCK). */
struct sock *socket_of(struct file *f);
err_t socket_new(const struct actor *who, u32 family, u32 type, u32 protocol, struct file **out);        /* type with SOCK_NONBLOCK; *out counted */
err_t socket_new_pair(const struct actor *who, u32 family, u32 type, u32 protocol, struct file **a, struct file **b);
/* A file for a connection that is yet to come; socket_accept gives it one.  Drop it if that fails. */
err_t socket_new_empty(const struct actor *who, u32 flags, struct file **out);
err_t socket_accept(struct file *listener, struct file *empty);
err_t socket_bind(struct file *f, const struct actor *who, bytes addr);
err_t socket_connect(struct file *f, const struct actor *who, bytes addr);
err_t socket_listen(struct file *f, i32 backlog);
err_t socket_name(struct file *f, bool peer, mbytes out, usize *len);
err_t socket_shutdown(struct file *f, u32 how);         /* how: SHUT_RD and so on; EINVAL */
err_t socket_send(struct file *f, struct sock_send *m); /* deadline is filled in */
err_t socket_recv(struct file *f, struct sock_recv *m);
err_t socket_setsockopt(struct file *f, u32 level, u32 name, u64 at, i32 len);
err_t socket_getsockopt(struct file *f, u32 level, u32 name, u64 at, u64 len_at);
