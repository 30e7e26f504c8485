/* SPDX-License-Identifier: Apache-2.0
 *
 * Socket files: making them, and from a file to its family's functions.
 *
 * Entry points  the socket_* functions for system calls; read, write, poll, ioctl through file_ops.
 * Lifetime      See socket.h.  Each socket file has an inode of its own in sockfs ("socket:[123]").
 * Locking       None here but where socket.h says so.
 */
#include "services/net/socket/socket_impl.h"
#include "services/process/pid.h"
#include "services/signal/signal.h"
#include "services/vfs/anon.h"
#include "abi/const/fcntl.h"
#include "abi/const/signal.h"
#include "abi/const/tty.h"

#define CHARGE_HEAD  256u               /* as Linux charges: a head ... */
#define CHARGE_TAIL  320u               /* ... and behind the data, in a power of two */
#define CHARGE_WHOLE 16384u             /* from here on in pages */

LOCK_CLASS_DECLARE(sock);
LOCK_CLASS_DECLARE(unix_gc);
LOCK_CLASS_DECLARE(epoll);
LOCK_CLASS(sock, AFTER3(sock, unix_gc, epoll));  /* epoll asks files under its own */

/* The file-scope state (reviewed list): sockfs, made at boot. */
STABLE(sockfs) { struct superblock *sb; struct mount *mnt; };
static struct sockfs sockfs;

OBJECT(socket_file) {
        struct file base;
        struct sock *sk;                /* counted; NULL until accept gives one; then fixed */
};
POOL_DECLARE(socket_file)
DOWNCASTABLE(socket_file, file);

static void socket_file_fini(struct socket_file *sf)
{
        struct sock *sk = sf->sk;

        if (sk) {
                PTR_STORE(sk->file, NULL);
                sk->ops->release(sk);
        }
        file_fini(&sf->base);
        sock_drop(sk);
}
POOL_DEFINE(socket_file, socket_file_fini);

struct sock *socket_of(struct file *f) { return IS_A(socket_file, f) ? DOWNCAST(socket_file, f)->sk : NULL; }

/* ---- Endpoints ---- */

void sock_init(struct sock *sk, const struct sock_init *init)
{
        sk->ops = init->ops;
        sk->net = net_ns_hold(init->net);
        sk->family = init->family;
        sk->type = init->type;
        sk->protocol = init->protocol;
        sk->cookie = unique_u64();
        async_init(&sk->tell, 0);
        lock_init(&sk->lock, sock);
        sk->sndbuf = SOCK_MEM_MAX;
        sk->rcvbuf = SOCK_MEM_MAX;
        sk->rcvlowat = 1;
        sk->peek_off = -1;
        sk->pacing = U64_MAX;
        sk->incoming_cpu = -1;
}

void sock_fini(struct sock *sk)
{
        pid_drop(sk->peer_pid);
        cred_drop(sk->peer_cred);
        net_ns_drop(sk->net);
}

void sock_lock_two(struct sock *a, struct sock *b)
{
        assert(a != b);
        mutex_lock(a->cookie < b->cookie ? &a->lock : &b->lock);
        mutex_lock(a->cookie < b->cookie ? &b->lock : &a->lock);
}

void sock_unlock_two(struct sock *a, struct sock *b)
{
        mutex_unlock(&a->lock);
        mutex_unlock(&b->lock);
}

err_t sock_sleep_result(err_t slept, u64 deadline)
{
        if (succeeded(slept) || err_is(slept, ENOMEM))
                return slept;
        if (err_is(slept, ETIMEDOUT))
                return ERR(EAGAIN);
        return deadline == NEVER ? ERR(ERESTARTSYS) : ERR(EINTR);
}

err_t sock_sleep(struct sock *sk, struct waitq *q, u64 deadline)
{
        if (deadline == 0)
                return ERR(EAGAIN);
        return sock_sleep_result(waitq_sleep(q, &sk->lock, WAIT_INTERRUPTIBLE, deadline), deadline);
}

usize sock_target(const struct sock *sk, u32 flags, usize len)
{
        usize least = (flags & MSG_WAITALL) != 0 ? len : min_u64((u64)LOAD_RELAXED(sk->rcvlowat), len);
        return least ? least : 1;
}

void sock_set_peer_current(struct sock *sk)
{
        struct thread *t = thread_current();

        pid_drop(sk->peer_pid);
        cred_drop(sk->peer_cred);
        sk->peer_pid = pid_hold(t->process->pid);
        sk->peer_cred = cred_hold(t->cred);
}

void sock_copy_peer(struct sock *sk, struct sock *from)
{
        pid_drop(sk->peer_pid);
        cred_drop(sk->peer_cred);
        sk->peer_pid = from->peer_pid ? pid_hold(from->peer_pid) : NULL;
        sk->peer_cred = from->peer_cred ? cred_hold(from->peer_cred) : NULL;
}

u32 sock_charge(u32 len)
{
        u32 size = 512;

        if (len >= CHARGE_WHOLE - CHARGE_TAIL)
                return (u32)page_up(len) + 4096u + CHARGE_HEAD;
        while (size < ((len + 63u) & ~63u) + CHARGE_TAIL)
                size *= 2;
        return size + CHARGE_HEAD;
}

void sock_wake_readers(struct sock *sk, i32 band)
{
        if (band == POLL_HUP)
                waitq_wake_all(&sk->readable);
        else
                waitq_wake_one(&sk->readable);
        async_signal(&sk->tell, (u32)band);
}

void sock_wake_writers(struct sock *sk, i32 band)
{
        waitq_wake_one(&sk->writable);
        async_signal(&sk->tell, (u32)band);
}

/* ---- The file ---- */

static u64 deadline_of(struct sock *sk, u64 timeo, struct file *f, u32 flags)
{
        (void)sk;
        if ((flags & MSG_DONTWAIT) != 0 || file_nonblock(f))
                return 0;
        if (timeo == 0)
                return NEVER;
        u64 now = time_now();
        return add_overflows(now, timeo) ? NEVER - 1 : now + timeo;
}

err_t socket_send(struct file *f, struct sock_send *m)
{
        struct sock *sk = socket_of(f);

        if (!sk)
                return ERR(ENOTSOCK);
        if (!sk->ops->send)
                return ERR(EOPNOTSUPP);
        m->deadline = deadline_of(sk, LOAD_RELAXED(sk->sndtimeo), f, m->flags);
        err_t err = sk->ops->send(sk, m);
        return m->done > 0 ? OK : err;
}

err_t socket_recv(struct file *f, struct sock_recv *m)
{
        struct sock *sk = socket_of(f);

        if (!sk)
                return ERR(ENOTSOCK);
        if (!sk->ops->recv)
                return ERR(EOPNOTSUPP);
        m->deadline = deadline_of(sk, LOAD_RELAXED(sk->rcvtimeo), f, m->flags);
        err_t err = sk->ops->recv(sk, m);
        return m->done > 0 ? OK : err;
}

static err_t socket_read(struct file *f, struct io *io, u64 *pos)
{
        struct sock_recv m = { .io = io, .flags = io->nowait ? MSG_DONTWAIT : 0 };

        (void)pos;
        if (io_left(io) == 0)
                return OK;
        err_t err = socket_recv(f, &m);
        io->done = m.done;              /* not what was copied before an error */
        return err;
}

static err_t socket_write(struct file *f, struct io *io, u64 *pos)
{
        struct sock_send m = { .io = io, .flags = io->nowait ? MSG_DONTWAIT : 0 };

        (void)pos;
        err_t err = socket_send(f, &m);
        io->done = m.done;
        return err;
}

static u32 socket_poll(struct file *f, struct waiter *w)
{
        struct sock *sk = socket_of(f);
        return sk && sk->ops->poll ? sk->ops->poll(sk, w) : 0;
}

static err_t get_owner(struct file *f, u64 at)
{
        struct owner_id o = file_get_owner(f);
        i32 id = o.kind == F_OWNER_PGRP ? -(i32)o.id : (i32)o.id;
        return user_put(at, BYTES_OF(id));
}

static err_t set_owner(struct file *f, u64 at)
{
        i32 id = 0;
        TRY(user_get(MBYTES_OF(id), at));
        if (id == I32_MIN)
                return ERR(EINVAL);
        struct owner_id o = { id < 0 ? F_OWNER_PGRP : F_OWNER_PID, (u32)(id < 0 ? -id : id) };
        struct pid *p = id ? pid_find(pid_ns_current(), o.id) : NULL;
        if (id && !p)
                return ERR(ESRCH);
        pid_drop(p);
        return file_set_owner(f, o);
}

static struct async_list *socket_async(struct file *f, u32 side)
{
        struct sock *sk = socket_of(f);
        return sk && side == 0 ? &sk->tell : NULL;
}

static err_t socket_ioctl(struct file *f, u32 cmd, u64 arg, u64 *result)
{
        struct sock *sk = socket_of(f);

        *result = 0;
        switch (cmd) {
        case FIOSETOWN:
        case SIOCSPGRP:
                return set_owner(f, arg);
        case FIOGETOWN:
        case SIOCGPGRP:
                return get_owner(f, arg);
        default:
                return sk && sk->ops->ioctl ? sk->ops->ioctl(sk, cmd, arg) : ERR(ENOTTY);
        }
}

/* Opening one through /proc/PID/fd. */
static err_t socket_open(const struct actor *who, const struct path *p, u32 flags, struct file **out)
{
        (void)who, (void)p, (void)flags, (void)out;
        return ERR(ENXIO);
}

static const struct file_ops socket_ops = {
        .open = socket_open, .read = socket_read, .write = socket_write, .poll = socket_poll, .ioctl = socket_ioctl,
        .async = socket_async, .flags = FOPS_STREAM | FOPS_NOLOCK,
};

/* ---- Making them ---- */

static const struct fs_type sockfs_type = { .name = "sockfs", .flags = FS_NODEV | FS_KERNEL_ONLY };

static err_t new_file(const struct actor *who, struct path *at, u32 flags, struct socket_file **out)
{
        struct socket_file *sf = socket_file_alloc(who->payer, MAY_RECLAIM);

        if (!sf)
                return ERR(ENOMEM);
        file_init(&sf->base, &socket_ops, at, who->cred, O_RDWR | (flags & SOCK_NONBLOCK));
        socket_file_publish(sf);
        *out = sf;
        return OK;
}

static err_t file_without_sock(const struct actor *who, u32 flags, struct socket_file **out)
{
        struct inode *inode = NULL;
        u8 name[32] = {};

        TRY(anon_inode_new(sockfs.sb, S_IFSOCK | 0777, &socket_ops, who->cred, &inode));
        usize n = format(MBYTES_OF(name), "socket:[{}]", inode->ino);
        struct dentry *d = dentry_new_anon(sockfs.sb, bytes_take(BYTES_OF(name), n), inode);
        if (!d)
                return ERR(ENOMEM);
        struct path at = { sockfs.mnt, d };
        err_t err = new_file(who, &at, flags, out);
        dentry_drop(d);
        return err;
}

/* Takes over the count on sk. */
static void give_sock(struct socket_file *sf, struct sock *sk)
{
        sf->sk = sk;
        PTR_STORE(sk->file, &sf->base);
}

static err_t new_sock(const struct actor *who, u32 family, u32 type, u32 protocol, struct sock **out)
{
        if (family >= AF_MAX)
                return ERR(EAFNOSUPPORT);
        if (type > SOCK_PACKET)
                return ERR(EINVAL);
        const struct net_family *nf = net_family_find(family);
        if (!nf)
                return ERR(EAFNOSUPPORT);
        return nf->create(who, who->ns->net, type, protocol, out);
}

static err_t check_type(u32 type)
{
        return (type & ~(u32)(SOCK_TYPE_MASK | SOCK_CLOEXEC | SOCK_NONBLOCK)) != 0 ? ERR(EINVAL) : OK;
}

static err_t make(const struct actor *who, u32 family, u32 type, u32 protocol, struct socket_file **out)
{
        struct sock *sk = NULL;
        struct socket_file *sf = NULL;

        TRY(new_sock(who, family, type & SOCK_TYPE_MASK, protocol, &sk));
        err_t err = file_without_sock(who, type, &sf);
        if (failed(err)) {
                sk->ops->release(sk);
                sock_drop(sk);
                return err;
        }
        give_sock(sf, sk);
        *out = sf;
        return OK;
}

err_t socket_new(const struct actor *who, u32 family, u32 type, u32 protocol, struct file **out)
{
        struct socket_file *sf = NULL;

        TRY(check_type(type));
        TRY(make(who, family, type, protocol, &sf));
        *out = &sf->base;
        return OK;
}

err_t socket_new_pair(const struct actor *who, u32 family, u32 type, u32 protocol, struct file **a, struct file **b)
{
        struct socket_file *one = NULL, *two = NULL;

        TRY(check_type(type));
        TRY(make(who, family, type, protocol, &one));
        err_t err = make(who, family, type, protocol, &two);
        if (succeeded(err))
                err = one->sk->ops->pair ? one->sk->ops->pair(one->sk, two->sk) : ERR(EOPNOTSUPP);
        if (failed(err)) {
                socket_file_drop(one);
                socket_file_drop(two);
                return err;
        }
        *a = &one->base;
        *b = &two->base;
        return OK;
}

err_t socket_new_empty(const struct actor *who, u32 flags, struct file **out)
{
        struct socket_file *sf = NULL;

        TRY(file_without_sock(who, flags, &sf));
        *out = &sf->base;
        return OK;
}

err_t socket_accept(struct file *listener, struct file *empty)
{
        struct sock *sk = socket_of(listener), *child = NULL;

        if (!sk)
                return ERR(ENOTSOCK);
        if (!sk->ops->accept)
                return ERR(EOPNOTSUPP);
        TRY(sk->ops->accept(sk, deadline_of(sk, LOAD_RELAXED(sk->rcvtimeo), listener, 0), &child));
        give_sock(DOWNCAST(socket_file, empty), child);
        return OK;
}

/* ---- The calls ---- */

err_t socket_bind(struct file *f, const struct actor *who, bytes addr)
{
        struct sock *sk = socket_of(f);

        if (!sk)
                return ERR(ENOTSOCK);
        return sk->ops->bind ? sk->ops->bind(sk, who, addr) : ERR(EOPNOTSUPP);
}

err_t socket_connect(struct file *f, const struct actor *who, bytes addr)
{
        struct sock *sk = socket_of(f);

        if (!sk)
                return ERR(ENOTSOCK);
        return sk->ops->connect ? sk->ops->connect(sk, who, addr, deadline_of(sk, LOAD_RELAXED(sk->sndtimeo), f, 0)) : ERR(EOPNOTSUPP);
}

err_t socket_listen(struct file *f, i32 backlog)
{
        struct sock *sk = socket_of(f);

        if (!sk)
                return ERR(ENOTSOCK);
        return sk->ops->listen ? sk->ops->listen(sk, min_u32((u32)backlog, SOMAXCONN_MAX)) : ERR(EOPNOTSUPP);
}

err_t socket_name(struct file *f, bool peer, mbytes out, usize *len)
{
        struct sock *sk = socket_of(f);

        return sk ? sk->ops->name(sk, peer, out, len) : ERR(ENOTSOCK);
}

err_t socket_shutdown(struct file *f, u32 how)
{
        struct sock *sk = socket_of(f);

        if (!sk)
                return ERR(ENOTSOCK);
        if (how > SHUT_RDWR)
                return ERR(EINVAL);
        return sk->ops->shutdown ? sk->ops->shutdown(sk, how + 1) : ERR(EOPNOTSUPP);
}

err_t socket_setsockopt(struct file *f, u32 level, u32 name, u64 at, i32 len)
{
        struct sock *sk = socket_of(f);

        if (!sk)
                return ERR(ENOTSOCK);
        if (len < 0)
                return ERR(EINVAL);
        if (level == SOL_SOCKET)
                return socket_set_generic(sk, name, at, (u32)len);
        return sk->ops->setsockopt ? sk->ops->setsockopt(sk, level, name, at, (u32)len) : ERR(EOPNOTSUPP);
}

err_t socket_getsockopt(struct file *f, u32 level, u32 name, u64 at, u64 len_at)
{
        struct sock *sk = socket_of(f);

        if (!sk)
                return ERR(ENOTSOCK);
        if (level == SOL_SOCKET)
                return socket_get_generic(sk, name, at, len_at);
        return sk->ops->getsockopt ? sk->ops->getsockopt(sk, level, name, at, len_at) : ERR(EOPNOTSUPP);
}

void socket_init(void)
{
        err_t err = anon_super_new(&sockfs_type, SOCKFS_MAGIC, &sockfs.sb, &sockfs.mnt);
        assert(succeeded(err));
        fs_register(&sockfs_type);
}
