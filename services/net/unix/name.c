/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of AF_UNIX sockets: paths, abstract names, and finding who has one.
 *
 * A path    bind makes an inode of type socket and points it at the sock (inode.sock, not counted).  connect
 *           reads that without a lock, tries to hold, and looks again.  The sock holds the path until it is released.
 * Abstract  (type, bytes) in the hash of the namespace's part; part.lock.
 *
 * Locking   part.lock (spin, class unix_names).  A name never changes once name_len is set.
 */
#include "services/net/unix/unix_impl.h"
#include "services/random/random.h"
#include "lib/num.h"
#include "abi/const/fs.h"

LOCK_CLASS(unix_names);

#define FAMILY_LEN 2u
#define MAX_DGRAM_DEFAULT 10u
#define AUTO_NAMES 0x100000u            /* 5 hexadecimal digits */

POOL_DEFINE(unix_part, NO_FINI);

struct unix_part *unix_part_of(struct net_ns *net) { return DOWNCAST(unix_part, net->part[AF_UNIX]); }

static struct net_part *new_part(struct payer *payer)
{
        struct unix_part *p = unix_part_alloc(payer, MAY_RECLAIM);

        if (!p)
                return NULL;
        p->base.family = AF_UNIX;
        lock_init(&p->lock, unix_names);
        p->max_dgram = MAX_DGRAM_DEFAULT;
        unix_part_publish(p);
        return &p->base;
}

u32  unix_max_dgram(struct net_ns *net) { return LOAD(unix_part_of(net)->max_dgram); }
void unix_set_max_dgram(struct net_ns *net, u32 n) { STORE(unix_part_of(net)->max_dgram, n); }

/* ---- The list of all ---- */

void unix_list(struct unix_sock *u)
{
        struct unix_part *p = unix_part_of(u->base.net);

        SPIN_GUARD(&p->lock);
        u->prev = p->last;
        if (p->last)
                p->last->next = u;
        else
                p->first = u;
        p->last = u;
}

static u32 bucket_of(u32 type, bytes name) { return (bytes_hash(name) ^ type) % UNIX_HASH; }
static bytes name_of(struct unix_sock *u) { return bytes_take(BYTES_OF(u->name), u->name_len); }

static void unhash_locked(struct unix_part *p, struct unix_sock *u)
{
        u32 b = bucket_of(u->base.type, name_of(u));

        if (p->hash[b] == u) {
                p->hash[b] = u->hash_next;
        } else {
                struct unix_sock *at = p->hash[b];
                while (at && at->hash_next != u)
                        at = at->hash_next;
                if (at)
                        at->hash_next = u->hash_next;
        }
        u->hashed = false;
}

void unix_unlist(struct unix_sock *u)
{
        struct unix_part *p = unix_part_of(u->base.net);

        SPIN_GUARD(&p->lock);
        u->unlisted = true;
        if (u->hashed)
                unhash_locked(p, u);
        if (u->prev)
                u->prev->next = u->next;
        else
                p->first = u->next;
        if (u->next)
                u->next->prev = u->prev;
        else
                p->last = u->prev;
}

/* ---- Addresses ---- */

/* The name part of an address: a path without NUL, or an abstract name with the NUL that begins it; empty: only the family
 * was given.  EINVAL. */
struct address { bytes name; err_t err; };
static struct address parse(bytes addr)
{
        usize n = bytes_len(addr);

        if (n < FAMILY_LEN || n > sizeof(struct linux_sockaddr_un) || bytes_le16(addr, 0) != AF_UNIX)
                return (struct address){ .name = NO_BYTES, .err = ERR(EINVAL) };
        bytes name = bytes_skip(addr, FAMILY_LEN);
        if (n > FAMILY_LEN && bytes_at(name, 0) != 0)
                name = bytes_take(name, bytes_find(name, 0));
        return (struct address){ .name = name, .err = OK };
}

static bool is_abstract(bytes name) { return bytes_len(name) > 0 && bytes_at(name, 0) == 0; }

usize unix_put_name(struct unix_sock *u, mbytes out)
{
        u32 len = LOAD(u->name_len);
        u16 family = AF_UNIX;

        mbytes_copy(out, BYTES_OF(family));
        if (len && mbytes_len(out) > FAMILY_LEN)
                mbytes_copy(mbytes_skip(out, FAMILY_LEN), bytes_take(BYTES_OF(u->name), len));
        return FAMILY_LEN + len;
}

err_t unix_name(struct sock *sk, bool peer, mbytes out, usize *len)
{
        struct unix_sock *u = unix_of(sk);

        if (!peer) {
                *len = unix_put_name(u, out);
                return OK;
        }
        struct unix_sock *other = unix_peer_get(u);
        if (!other)
                return ERR(ENOTCONN);
        *len = unix_put_name(other, out);
        unix_sock_drop(other);
        return OK;
}

void unix_copy_name(struct unix_sock *to, struct unix_sock *from)
{
        u32 len = LOAD(from->name_len);

        mbytes_copy(MBYTES_OF(to->name), BYTES_OF(from->name));
        STORE(to->name_len, len);
}

/* ---- Binding ---- */

static struct unix_sock *find_abstract_locked(struct unix_part *p, u32 type, bytes name)
{
        for (struct unix_sock *u = p->hash[bucket_of(type, name)]; u; u = u->hash_next)
                if (u->base.type == type && bytes_eq(name_of(u), name))
                        return u;
        return NULL;
}

/* REQUIRES(u->base.lock) */
static err_t bind_abstract_locked(struct unix_sock *u, bytes name)
{
        struct unix_part *p = unix_part_of(u->base.net);

        SPIN_GUARD(&p->lock);
        if (find_abstract_locked(p, u->base.type, name))
                return ERR(EADDRINUSE);
        u32 b = bucket_of(u->base.type, name);
        mbytes_copy(MBYTES_OF(u->name), name);
        STORE(u->name_len, (u32)bytes_len(name));
        u->hash_next = p->hash[b];
        p->hash[b] = u;
        u->hashed = true;
        return OK;
}

static err_t autobind_locked(struct unix_sock *u)
{
        u32 first = (u32)random_u64() % AUTO_NAMES;

        for (u32 i = 0; i < AUTO_NAMES; i++) {
                u8 name[16] = {};
                struct writer w = writer_of(MBYTES_OF(name));
                writer_u8(&w, 0);
                num_write(&w, (first + i) % AUTO_NAMES, 16, 5);
                err_t err = bind_abstract_locked(u, writer_text(&w));
                if (!err_is(err, EADDRINUSE))
                        return err;
        }
        return ERR(ENOSPC);
}

err_t unix_autobind(struct unix_sock *u)
{
        if (LOAD(u->name_len))
                return OK;
        GUARD(&u->base.lock);
        return u->name_len ? OK : autobind_locked(u);
}

static err_t take_path(struct unix_sock *u, const struct path *at, bytes name)
{
        GUARD(&u->base.lock);
        if (u->name_len || u->dead)
                return ERR(EINVAL);
        mbytes_copy(MBYTES_OF(u->name), name);
        u->path = path_hold(at);
        STORE(u->name_len, (u32)bytes_len(name) + 1);
        PTR_STORE(at->dentry->inode->sock, &u->base);
        return OK;
}

/* As on Linux the inode is made first: a path that is there is EADDRINUSE whatever the socket's state. */
static err_t bind_path(struct unix_sock *u, const struct actor *who, bytes name)
{
        struct file *f = PTR_LOAD(u->base.file);
        struct path at = {};
        u32 mode = f ? LOAD(f->inode->mode) & 0777 : 0777;
        err_t err = vfs_mknod_at(who, AT_FDCWD, name, S_IFSOCK | mode, &at);

        if (err_is(err, EEXIST))
                return ERR(EADDRINUSE);
        TRY(err);
        err = take_path(u, &at, name);
        if (failed(err))
                ignore(vfs_unlink(who, AT_FDCWD, name));
        path_drop(&at);
        return err;
}

err_t unix_bind(struct sock *sk, const struct actor *who, bytes addr)
{
        struct unix_sock *u = unix_of(sk);
        struct address a = parse(addr);

        TRY(a.err);
        if (bytes_len(a.name) == 0)
                return unix_autobind(u);
        if (!is_abstract(a.name))
                return bind_path(u, who, a.name);
        GUARD(&sk->lock);
        return u->name_len ? ERR(EINVAL) : bind_abstract_locked(u, a.name);
}

/* ---- Finding ---- */

static err_t find_abstract(struct unix_sock *u, bytes name, struct unix_sock **out)
{
        struct unix_part *p = unix_part_of(u->base.net);

        SPIN_GUARD(&p->lock);
        struct unix_sock *found = find_abstract_locked(p, u->base.type, name);
        if (!unix_sock_try_hold(found))
                return ERR(ECONNREFUSED);
        *out = found;
        return OK;
}

/* The sock bound to an inode, counted; NULL: none, or no longer. */
static struct sock *sock_at(struct inode *inode)
{
        struct sock *sk = PTR_LOAD(inode->sock);

        if (!sock_try_hold(sk))
                return NULL;
        if (PTR_LOAD(inode->sock) == sk)
                return sk;
        sock_drop(sk);
        return NULL;
}

static err_t find_at(struct unix_sock *u, const struct actor *who, const struct path *at, struct unix_sock **out)
{
        struct inode *inode = at->dentry->inode;

        TRY(inode_permission(who, inode, MAY_WRITE));
        if (inode_type(inode) != S_IFSOCK)
                return ERR(ECONNREFUSED);
        struct sock *sk = sock_at(inode);
        if (!sk)
                return ERR(ECONNREFUSED);
        if (sk->type != u->base.type) {
                sock_drop(sk);
                return ERR(EPROTOTYPE);
        }
        *out = unix_of(sk);
        return OK;
}

err_t unix_find(struct unix_sock *u, const struct actor *who, bytes addr, struct unix_sock **out)
{
        struct address a = parse(addr);
        struct path at = {};

        TRY(a.err);
        if (bytes_len(a.name) == 0)
                return ERR(EINVAL);
        if (is_abstract(a.name))
                return find_abstract(u, a.name, out);
        TRY(path_lookup(who, walk_at(AT_FDCWD, LOOK_FOLLOW), a.name, &at));
        err_t err = find_at(u, who, &at, out);
        path_drop(&at);
        return err;
}

/* ---- /proc/net/unix ---- */

/* The one behind u, counted; NULL: none.  Without u, or if it has left, the first from this cookie on: the list is by them, nearly. */
static struct unix_sock *next_after(struct unix_part *p, struct unix_sock *u, u64 from)
{
        SPIN_GUARD(&p->lock);
        struct unix_sock *next = u && !u->unlisted ? u->next : p->first;

        while (next && (next->base.cookie < from || !unix_sock_try_hold(next)))
                next = next->next;
        return next;
}

static void put_hex(struct writer *w, u64 v, u32 digits)
{
        for (u32 i = digits; i-- > 0; ) {
                u32 d = (u32)(v >> (4 * i)) & 15;
                writer_u8(w, (u8)(d < 10 ? '0' + d : 'A' + d - 10));
        }
}

static void put_line(struct writer *w, struct unix_sock *u)
{
        struct file *f = PTR_LOAD(u->base.file);
        bool connected = LOAD(u->state) == UNIX_CONNECTED, held = f && file_try_hold(f);
        u32 len = LOAD(u->name_len);

        writer_put(w, STR("0000000000000000: "));
        put_hex(w, unix_sock_refs(u), 8);
        writer_put(w, STR(" 00000000 "));
        put_hex(w, LOAD(u->base.listening) ? SO_ACCEPTCON : 0, 8);
        writer_u8(w, ' ');
        put_hex(w, u->base.type, 4);
        writer_u8(w, ' ');
        put_hex(w, held ? (connected ? 3 : 1) : (connected ? 2 : 4), 2);
        writer_u8(w, ' ');
        u8 ino[24] = {};
        usize n = format(MBYTES_OF(ino), "{}", held ? f->inode->ino : 0);
        for (usize i = n; i < 5; i++)
                writer_u8(w, ' ');
        writer_put(w, bytes_take(BYTES_OF(ino), n));
        if (len) {
                bool abstract = u->name[0] == 0;
                writer_u8(w, ' ');
                for (u32 i = 0; i < (abstract ? len : len - 1); i++)
                        writer_u8(w, u->name[i % sizeof u->name] ? u->name[i % sizeof u->name] : '@');
        }
        if (held)
                file_drop(f);
}

bool unix_describe(struct net_ns *net, struct unix_sock **at, u64 *from, mbytes out, usize *len)
{
        struct unix_sock *u = next_after(unix_part_of(net), *at, *from);
        struct writer w = writer_of(out);

        unix_sock_drop(*at);
        *at = u;
        if (!u)
                return false;
        put_line(&w, u);
        *from = u->base.cookie + 1;
        *len = w.at;
        return true;
}

/* ---- The family ---- */

static err_t create(const struct actor *who, struct net_ns *net, u32 type, u32 protocol, struct sock **out)
{
        if (protocol != 0 && protocol != AF_UNIX)
                return ERR(EPROTONOSUPPORT);
        if (type == SOCK_RAW)
                type = SOCK_DGRAM;
        if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
                return ERR(ESOCKTNOSUPPORT);
        struct unix_sock *u = unix_sock_new(who->payer, net, type);
        if (!u)
                return ERR(ENOMEM);
        *out = &u->base;
        return OK;
}

static const struct net_family unix_family = { .family = AF_UNIX, .create = create, .new_part = new_part };

void unix_init(void)
{
        unix_gc_init();
        net_family_register(&unix_family);
}
