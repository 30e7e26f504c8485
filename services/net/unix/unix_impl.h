/* SPDX-License-Identifier: Apache-2.0
 *
 * AF_UNIX's inside.
 *
 * Objects     unix_sock   an endpoint of any type.  Its queue of what it has received is, by type and state, a ring
 *                         of bytes (stream.c), a list of messages (dgram.c) or of connections (connect.c).
 *             unix_msg    a datagram or a record, from when it is sent until it is received
 *             unix_mark   from a byte of a stream on: who sent what follows, and descriptors that come with it
 *             scm_files   descriptors under way (scm.c), and their collection (gc.c)
 *             unix_part   a namespace's names, sockets and settings (name.c)
 *
 * States      CLOSED -> LISTEN                    listen
 *             CLOSED -> CONNECTED                 connect, socketpair; an accepted one is born so
 *             any -> dead                         its file goes (release); an embryo: its listener goes
 *             A datagram socket is CONNECTED while it has a peer by connect; it may change or lose it.
 *
 * References  u->peer counts the peer.  Stream and record sockets get it once, and drop it when they are released, as
 *             does a datagram socket, which may also exchange it.  The cycle of two that are tied ends with the release
 *             of either.  A message counts its sender; a queue its messages; a listener its embryos.
 *             Descriptors under way hold their files: a cycle of those through sockets is collected (gc.c).
 *
 * Locks       gc.lock (mutex, class unix_gc), then sock.lock, two of them by cookie or a listener's before its embryo's;
 *             then unix_part.lock (spin: names, the list of all) and gc.dead_lock (spin, leaf).
 *             sock.lock guards the queue and state of one endpoint.  A stream's send locks the receiver's alone; a
 *             release locks one after the other, never two.  Whatever may drop the last count of a file or an inode
 *             is dropped with no lock held.
 *             Fields marked LOAD are read without the lock by poll and by the other end.
 *
 * Accounting  What a sender has under way counts against its SO_SNDBUF: a datagram and a record with `charge` bytes of its
 *             own `sent`, as Linux counts buffers; a stream by the bytes in the other end's ring and 768 for each mark.
 *             It may send while that is below SO_SNDBUF and is writable for poll up to a quarter of it.  All objects and
 *             frames are charged to the sender's payer.
 */
#pragma once
#include "services/net/unix/unix.h"
#include "lib/list.h"

OBJECT(unix_sock);
OBJECT(unix_msg);
OBJECT(unix_mark);
OBJECT(account);

/* ---- Ancillary data ---- */

#define SCM_BLOCK 14u
OBJECT(scm_files) {
        struct scm_files *next;         /* owned */
        struct account *account;        /* counted: whose in_flight counts them; of the first block */
        u32 count;
        u32 sockets;                    /* of those in this block, AF_UNIX sockets */
        bool flying;                    /* counted in flight; gc.lock */
        struct file *file[SCM_BLOCK];   /* counted */
};
POOL_DECLARE(scm_files)

/* What comes with bytes: a value; the counts are whoever's has it. */
struct scm {
        struct pid *pid;                /* counted; NULL with creds: nobody any more */
        u32 uid, gid;
        bool creds;                     /* the three above are set */
        struct scm_files *files;        /* owned; NULL: none */
};

/* From control messages of a sendmsg.  EINVAL, EBADF, EPERM, ESRCH, ENOMEM; *scm is to be dropped in any case. */
err_t scm_parse(bytes control, struct scm *scm);
void  scm_set_current(struct scm *scm); /* the caller's credentials, unless some are set */
bool  scm_same_creds(const struct scm *a, const struct scm *b);
/* The files are about to be queued.  ETOOMANYREFS. */
err_t scm_take_off(struct scm_files *files);
/* Out of a queue, into somebody's hands: no longer in flight. */
void  scm_land(struct scm_files *files);
void  scm_uncount(struct scm_files *files);             /* the sender's limit only; for gc.c */
void  scm_drop(struct scm *scm);        /* of what is not in flight, or never was */
void  scm_discard(struct scm *scm);     /* of what is in a queue that goes; no lock held */
/* A copy for MSG_PEEK, of what stays in a queue whose lock is held.  ENOMEM. */
err_t scm_copy(const struct scm *from, struct scm *to);
/* Writes what is there to m->control, and drops it.  peeked: a copy.  No lock held. */
void  scm_deliver(struct scm *scm, struct sock *sk, struct sock_recv *m, bool peeked);

/* ---- Endpoints ---- */

enum unix_state { UNIX_CLOSED, UNIX_LISTEN, UNIX_CONNECTED };

#define RING_SMALL 64u                  /* pages */
#define RING_BIG   512u
#define RING_SPARE 4u
OBJECT(unix_ring) { struct frame *slot[RING_BIG]; };
POOL_DECLARE(unix_ring)

enum oob_state { OOB_NONE, OOB_THERE, OOB_TAKEN };      /* TAKEN: read, its place is still in the ring */

OBJECT(unix_sock) {
        struct sock base;
        struct unix_sock *peer;         /* counted; base.lock, PTR_LOAD */
        enum unix_state state;          /* base.lock, LOAD */
        bool dead;                      /* released; base.lock, LOAD */

        /* its name; written once, under base.lock and, an abstract one, part.lock; before name_len */
        u32 name_len;                   /* 0: none; a path's with its NUL; LOAD */
        u8  name[UNIX_PATH_MAX + 4];    /* abstract: begins with NUL */
        struct path path;               /* counted: where it is bound */
        bool hashed;                    /* part.lock, as the next */
        struct unix_sock *hash_next;
        struct unix_sock *next, *prev;  /* all of the namespace, by cookie */
        bool unlisted;                  /* it has left those */

        /* stream: the ring; base.lock */
        u64 head, tail;                 /* bytes ever written and read, but for a shift when it is empty */
        u32 used;                       /* bytes in it; LOAD */
        u32 charged;                    /* used, and 768 for each mark; LOAD */
        struct frame *slot[RING_SMALL]; /* counted; page n at n % the ring's size */
        struct unix_ring *big;          /* owned: instead of slot */
        struct frame *spare[RING_SPARE];        /* counted */
        struct unix_mark *mark, *last_mark;     /* owned; by start */
        u64 oob_at;
        enum oob_state oob;             /* LOAD */

        /* datagrams and records; base.lock */
        struct unix_msg *first_msg, *last_msg;  /* owned */
        u32 queued;                     /* messages, or embryos of a listener; LOAD */
        u32 sent;                       /* charge of its own messages under way; ATOMIC */

        /* listener; base.lock */
        struct unix_sock *embryo, *last_embryo; /* counted */
        struct unix_sock *next_embryo;
        u32 backlog;                    /* LOAD */
        struct waitq room;              /* connect and senders of datagrams wait here for its queue */

        /* gc.lock */
        u32 flying;                     /* references from queues */
        struct unix_sock *fly_next, *fly_prev;  /* all with flying > 0 */
        u32 outside;                    /* references not found in queues of candidates */
        enum { GC_NO, GC_CANDIDATE, GC_REACHED } mark_gc;
        struct unix_sock *gc_next;
};
DOWNCASTABLE(unix_sock, sock);

OBJECT(unix_mark) {
        struct unix_mark *next;
        u64 start;                      /* of the ring's bytes; to the next one's, or head */
        struct scm scm;
};
POOL_DECLARE(unix_mark)

#define MSG_SMALL  192u
#define MSG_FRAMES 4u
OBJECT(unix_msg) {
        struct unix_msg *next;
        struct unix_sock *from;         /* counted */
        u32 len, charge;
        u64 stamp;                      /* see sock_stamp */
        struct scm scm;
        u8  small[MSG_SMALL];           /* len <= MSG_SMALL: the bytes */
        struct frame *frame[MSG_FRAMES];        /* else: counted */
        struct unix_ring *more;         /* owned: instead of frame */
};
POOL_DECLARE(unix_msg)

#define UNIX_HASH 128u
OBJECT(unix_part) {
        struct net_part base;
        struct spinlock lock;           /* class unix_names */
        u32 max_dgram;                  /* ATOMIC */
        struct unix_sock *first, *last; /* all; lock */
        struct unix_sock *hash[UNIX_HASH];      /* abstract names; lock */
};
POOL_DECLARE(unix_part)
DOWNCASTABLE(unix_part, net_part);

#define MARK_CHARGE 768u

static inline struct unix_sock *unix_of(struct sock *sk) { return DOWNCAST(unix_sock, sk); }
static inline bool unix_is_stream(const struct unix_sock *u)    { return u->base.type == SOCK_STREAM; }
static inline bool unix_is_dgram(const struct unix_sock *u)     { return u->base.type == SOCK_DGRAM; }
static inline bool unix_wants_creds(const struct unix_sock *u)  { return sock_has(&u->base, SOPT_PASSCRED); }
struct unix_part *unix_part_of(struct net_ns *net);
struct unix_sock *unix_of_file(struct file *f);          /* NULL: none */

/* unix.c */
struct unix_sock *unix_sock_new(struct payer *payer, struct net_ns *net, u32 type);    /* published; NULL: no memory */
void unix_release(struct sock *sk);
/* The other end was released: `reset`: with bytes that nobody read. */
extern const struct sock_ops unix_stream_ops, unix_dgram_ops, unix_seqpacket_ops;

/* name.c */
err_t unix_bind(struct sock *sk, const struct actor *who, bytes addr);
err_t unix_autobind(struct unix_sock *u);               /* unless it has a name */
err_t unix_name(struct sock *sk, bool peer, mbytes out, usize *len);
/* Whom an address names, of type `type`; counted.  EINVAL, ECONNREFUSED, EPROTOTYPE, and those of paths. */
err_t unix_find(struct unix_sock *u, const struct actor *who, bytes addr, struct unix_sock **out);
void  unix_copy_name(struct unix_sock *to, struct unix_sock *from);
usize unix_put_name(struct unix_sock *u, mbytes out);   /* as a sockaddr; its whole length; 0: none */
void  unix_list(struct unix_sock *u);
void  unix_unlist(struct unix_sock *u);                 /* and its name is free */

/* connect.c */
err_t unix_connect(struct sock *sk, const struct actor *who, bytes addr, u64 deadline);
err_t unix_listen(struct sock *sk, u32 backlog);
err_t unix_accept(struct sock *sk, u64 deadline, struct sock **out);
err_t unix_pair(struct sock *a, struct sock *b);
err_t unix_shutdown(struct sock *sk, u32 how);
struct unix_sock *unix_peer_get(struct unix_sock *u);    /* counted; NULL */

/* stream.c */
err_t unix_stream_send(struct sock *sk, struct sock_send *m);
err_t unix_stream_recv(struct sock *sk, struct sock_recv *m);
void  unix_ring_free(struct unix_sock *u);              /* lock held, or the last reference; marks must be gone */
struct unix_mark *unix_marks_take(struct unix_sock *u); /* lock held: all of them, for unix_marks_discard */
void  unix_marks_discard(struct unix_mark *m);          /* no lock held */
bool  unix_stream_writable(const struct unix_sock *u, const struct unix_sock *from);    /* may `from` send to u?  For poll: LOADs */
u32   unix_stream_readable(struct unix_sock *u);        /* bytes that a reader would get: LOADs */

/* dgram.c */
err_t unix_dgram_send(struct sock *sk, struct sock_send *m);
err_t unix_dgram_recv(struct sock *sk, struct sock_recv *m);
err_t unix_dgram_connect(struct sock *sk, const struct actor *who, bytes addr, u64 deadline);
err_t unix_seqpacket_send(struct sock *sk, struct sock_send *m);
err_t unix_seqpacket_recv(struct sock *sk, struct sock_recv *m);
u32   unix_dgram_poll(struct sock *sk, struct waiter *w);
struct unix_msg *unix_msgs_take(struct unix_sock *u);   /* lock held */
void  unix_msgs_discard(struct unix_msg *m);            /* no lock held */

/* gc.c */
void  unix_gc_init(void);
void  unix_fly(struct scm_files *files);                /* counts them in flight */
void  unix_land(struct scm_files *files);
void  unix_gc_barrier(void);                            /* waits for a collection under way */
void  unix_collect(void);                               /* if any socket is in flight; no lock held */
void  unix_files_drop(struct scm_files *files);         /* drops the files and the blocks; no lock held */
