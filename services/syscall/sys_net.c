/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls of sockets: decoding addresses, message headers and vectors.
 */
#include "services/syscall/calls.h"
#include "services/net/socket/socket.h"
#include "services/process/process.h"
#include "services/time/clock.h"
#include "abi/const/process.h"
#include "abi/const/socket.h"
#include "abi/linux/socket.h"

/* ---- Addresses ---- */

/* One from user space, for the length of a call. */
struct addr_arg { u8 space[SOCKADDR_MAX]; u32 len; };

static err_t get_addr(struct addr_arg *a, u64 at, i32 len)
{
        if (len < 0 || (u32)len > SOCKADDR_MAX)
                return ERR(EINVAL);
        a->len = (u32)len;
        return len == 0 ? OK : vm_copy_in(mbytes_take(MBYTES_OF(a->space), a->len), at);
}

static bytes addr_bytes(const struct addr_arg *a) { return bytes_take(BYTES_OF(a->space), a->len); }

/* One to user space: as much as *len_at says there is room for; then its whole length. */
static err_t put_addr(u64 at, u64 len_at, bytes addr, usize whole)
{
        i32 room = 0;
        u32 len = (u32)whole;

        TRY(GET_USER(room, len_at));
        if (room < 0)
                return ERR(EINVAL);
        TRY(vm_copy_out(at, bytes_take(addr, min_u64((u64)room, bytes_len(addr)))));
        return PUT_USER(len_at, len);
}

static bytes got_addr(const struct addr_arg *a, usize whole) { return bytes_take(BYTES_OF(a->space), min_u64(whole, SOCKADDR_MAX)); }

/* ---- Making and naming ---- */

static u64 nofile(struct call *c) { return rlimit_get(c->t->process, RLIMIT_NOFILE); }

err_t sys_socket(struct call *c)
{
        struct actor who = actor_current();
        struct file *f = NULL;
        u32 type = arg_uint(c, 1);

        TRY(socket_new(&who, arg_uint(c, 0), type, arg_uint(c, 2), &f));
        return call_add_file(c, f, (type & SOCK_CLOEXEC) != 0);
}

err_t sys_socketpair(struct call *c)
{
        struct actor who = actor_current();
        struct file *a = NULL, *b = NULL;
        u32 type = arg_uint(c, 1);

        TRY(socket_new_pair(&who, arg_uint(c, 0), type, arg_uint(c, 2), &a, &b));
        err_t err = call_install_pair(c, a, b, (type & SOCK_CLOEXEC) != 0 ? FD_CLOEXEC : 0, arg(c, 3));
        if (failed(err)) {
                file_drop(a);
                file_drop(b);
        }
        return err;
}

/* The file of the call's first argument, to be put; EBADF. */
#define SOCKET_FILE(r) \
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 0)); \
        if (!r.file) \
                return ERR(EBADF)

static err_t bind_or_connect(struct call *c, err_t (*call)(struct file *f, const struct actor *who, bytes addr))
{
        struct addr_arg a = {};
        struct actor who = actor_current();

        SOCKET_FILE(r);
        err_t err = socket_of(r.file) ? get_addr(&a, arg(c, 1), arg_int(c, 2)) : ERR(ENOTSOCK);
        if (succeeded(err))
                err = call(r.file, &who, addr_bytes(&a));
        fd_put(r);
        return err;
}

err_t sys_bind(struct call *c)    { return bind_or_connect(c, socket_bind); }
err_t sys_connect(struct call *c) { return bind_or_connect(c, socket_connect); }

err_t sys_listen(struct call *c)
{
        SOCKET_FILE(r);
        err_t err = socket_listen(r.file, arg_int(c, 1));
        fd_put(r);
        return err;
}

err_t sys_shutdown(struct call *c)
{
        SOCKET_FILE(r);
        err_t err = socket_shutdown(r.file, arg_uint(c, 1));
        fd_put(r);
        return err;
}

static err_t get_name(struct call *c, struct file *f, bool peer, u64 at, u64 len_at)
{
        struct addr_arg a = {};
        usize whole = 0;

        (void)c;
        TRY(socket_name(f, peer, MBYTES_OF(a.space), &whole));
        return put_addr(at, len_at, got_addr(&a, whole), whole);
}

err_t sys_getsockname(struct call *c)
{
        SOCKET_FILE(r);
        err_t err = get_name(c, r.file, false, arg(c, 1), arg(c, 2));
        fd_put(r);
        return err;
}

err_t sys_getpeername(struct call *c)
{
        SOCKET_FILE(r);
        err_t err = get_name(c, r.file, true, arg(c, 1), arg(c, 2));
        fd_put(r);
        return err;
}

/* The connection's file comes first, so that what may fail has not yet taken a connection. */
static err_t accept_into(struct call *c, struct file *listener, u32 flags)
{
        struct actor who = actor_current();
        struct file *f = NULL;
        u32 fd = 0;

        TRY(files_reserve(c->t->files, (flags & SOCK_CLOEXEC) != 0 ? FD_CLOEXEC : 0, 0, nofile(c), &fd));
        err_t err = socket_new_empty(&who, flags, &f);
        if (succeeded(err))
                err = socket_accept(listener, f);
        if (succeeded(err) && arg(c, 1))
                err = get_name(c, f, true, arg(c, 1), arg(c, 2));
        if (failed(err)) {
                files_unreserve(c->t->files, fd);
                file_drop(f);
                return err;
        }
        files_set(c->t->files, fd, f);
        c->result = fd;
        return OK;
}

static err_t do_accept(struct call *c, u32 flags)
{
        SOCKET_FILE(r);
        err_t err = (flags & ~(u32)(SOCK_CLOEXEC | SOCK_NONBLOCK)) != 0 ? ERR(EINVAL) : socket_of(r.file) ? OK : ERR(ENOTSOCK);
        if (succeeded(err))
                err = accept_into(c, r.file, flags);
        fd_put(r);
        return err;
}

err_t sys_accept(struct call *c)  { return do_accept(c, 0); }
err_t sys_accept4(struct call *c) { return do_accept(c, arg_uint(c, 3)); }

err_t sys_setsockopt(struct call *c)
{
        SOCKET_FILE(r);
        err_t err = socket_setsockopt(r.file, arg_uint(c, 1), arg_uint(c, 2), arg(c, 3), arg_int(c, 4));
        fd_put(r);
        return err;
}

err_t sys_getsockopt(struct call *c)
{
        SOCKET_FILE(r);
        err_t err = socket_getsockopt(r.file, arg_uint(c, 1), arg_uint(c, 2), arg(c, 3), arg(c, 4));
        fd_put(r);
        return err;
}

/* ---- sendto and recvfrom ---- */

static err_t send_to(struct call *c, struct file *f)
{
        struct addr_arg a = {};
        struct io io = io_user(arg(c, 1), arg(c, 2));

        if (!socket_of(f))
                return ERR(ENOTSOCK);
        if (!vm_in_lower_half(arg(c, 1), min_u64(arg(c, 2), IO_MAX_BYTES)))
                return ERR(EFAULT);
        if (arg(c, 4))
                TRY(get_addr(&a, arg(c, 4), arg_int(c, 5)));
        struct sock_send m = { .io = &io, .name = addr_bytes(&a), .control = NO_BYTES, .flags = arg_uint(c, 3) };
        err_t err = socket_send(f, &m);
        c->result = m.done;
        return err;
}

err_t sys_sendto(struct call *c)
{
        SOCKET_FILE(r);
        err_t err = send_to(c, r.file);
        fd_put(r);
        return err;
}

static err_t recv_from(struct call *c, struct file *f)
{
        struct io io = io_user(arg(c, 1), arg(c, 2));

        if (!socket_of(f))
                return ERR(ENOTSOCK);
        if (!vm_in_lower_half(arg(c, 1), min_u64(arg(c, 2), IO_MAX_BYTES)))
                return ERR(EFAULT);
        if (!arg(c, 4)) {
                struct sock_recv m = { .io = &io, .flags = arg_uint(c, 3) };
                err_t err = socket_recv(f, &m);
                c->result = m.done;
                return err;
        }
        struct addr_arg a = {};
        struct sock_recv m = { .io = &io, .flags = arg_uint(c, 3), .name = MBYTES_OF(a.space) };
        TRY(socket_recv(f, &m));
        c->result = m.done;
        return put_addr(arg(c, 4), arg(c, 5), got_addr(&a, m.name_len), m.name_len);
}

err_t sys_recvfrom(struct call *c)
{
        SOCKET_FILE(r);
        err_t err = recv_from(c, r.file);
        fd_put(r);
        return err;
}

/* ---- sendmsg and recvmsg ---- */

#define VEC_SMALL     8u
#define CONTROL_SMALL 64u

/* What a message header leads to, in kernel memory, for the length of a call. */
struct msg_arg {
        struct linux_msghdr h;
        struct linux_iovec small[VEC_SMALL];
        struct blob *big;               /* instead of small */
        u8 control_small[CONTROL_SMALL];
        struct blob *control;           /* instead of that */
        struct addr_arg addr;
        usize total;
};

static void msg_arg_drop(struct msg_arg *a)
{
        blob_drop(a->big);
        blob_drop(a->control);
}

static bytes msg_vec(const struct msg_arg *a)
{
        usize size = a->h.msg_iovlen * sizeof(struct linux_iovec);
        return a->big ? bytes_take(blob_bytes(a->big), size) : bytes_take(BYTES_OF(a->small), size);
}

static bytes msg_control(const struct msg_arg *a, usize n)
{
        return a->control ? bytes_take(blob_bytes(a->control), n) : bytes_take(BYTES_OF(a->control_small), n);
}

static err_t get_vec(struct msg_arg *a)
{
        u64 n = a->h.msg_iovlen;

        if (n > IO_MAX_VECS)
                return ERR(EMSGSIZE);
        usize size = n * sizeof(struct linux_iovec);
        if (n <= VEC_SMALL) {
                TRY(vm_copy_in(mbytes_take(MBYTES_OF(a->small), size), a->h.msg_iov));
        } else {
                a->big = blob_alloc(payer_current(), size);
                if (!a->big)
                        return ERR(ENOMEM);
                TRY(vm_copy_in(mbytes_take(blob_mbytes(a->big), size), a->h.msg_iov));
        }
        return io_vec_check(msg_vec(a), true, &a->total);
}

/* The header and vector.  Names are cut to what any family has. */
static err_t get_msg(struct msg_arg *a, u64 at)
{
        TRY(GET_USER(a->h, at));
        if (!a->h.msg_name)
                a->h.msg_namelen = 0;
        if (a->h.msg_namelen < 0)
                return ERR(EINVAL);
        if (a->h.msg_namelen > (i32)SOCKADDR_MAX)
                a->h.msg_namelen = (i32)SOCKADDR_MAX;
        return get_vec(a);
}

static err_t get_control(struct msg_arg *a)
{
        u64 n = a->h.msg_controllen;

        if (n > I32_MAX || n > CONTROL_MAX)
                return ERR(ENOBUFS);
        if (n == 0)
                return OK;
        if (n <= CONTROL_SMALL)
                return vm_copy_in(mbytes_take(MBYTES_OF(a->control_small), n), a->h.msg_control);
        a->control = blob_alloc(payer_current(), n);
        if (!a->control)
                return ERR(ENOBUFS);
        return vm_copy_in(mbytes_take(blob_mbytes(a->control), n), a->h.msg_control);
}

static err_t send_msg(struct file *f, u64 at, u32 flags, usize *done)
{
        struct msg_arg a CLEANUP(msg_arg_drop) = {};

        TRY(get_msg(&a, at));
        TRY(get_addr(&a.addr, a.h.msg_name, a.h.msg_namelen));
        TRY(get_control(&a));
        struct io io = io_vec(msg_vec(&a), a.total);
        struct sock_send m = { .io = &io, .name = addr_bytes(&a.addr), .control = msg_control(&a, a.h.msg_controllen), .flags = flags };
        err_t err = socket_send(f, &m);
        *done = m.done;
        return err;
}

/* *flags: the header's msg_flags as they come back. */
static err_t recv_msg(struct file *f, u64 at, u32 flags, usize *done, u32 *out_flags)
{
        struct msg_arg a CLEANUP(msg_arg_drop) = {};

        TRY(get_msg(&a, at));
        struct io io = io_vec(msg_vec(&a), a.total);
        struct control_out control = { .addr = a.h.msg_control, .left = a.h.msg_control ? a.h.msg_controllen : 0,
                                       .cloexec = (flags & MSG_CMSG_CLOEXEC) != 0 };
        struct sock_recv m = { .io = &io, .flags = flags, .control = &control,
                               .name = a.h.msg_name ? MBYTES_OF(a.addr.space) : NO_MBYTES };
        TRY(socket_recv(f, &m));
        if (a.h.msg_name) {
                u32 whole = (u32)m.name_len;
                TRY(vm_copy_out(a.h.msg_name, bytes_take(got_addr(&a.addr, whole), min_u64((u64)a.h.msg_namelen, min_u64(whole, SOCKADDR_MAX)))));
                TRY(PUT_USER(at + 8, whole));
        }
        u32 back = m.out_flags | (flags & MSG_CMSG_CLOEXEC) | (control.truncated ? MSG_CTRUNC : 0);
        u64 len = control.done;
        TRY(PUT_USER(at + 48, back));
        TRY(PUT_USER(at + 40, len));
        *done = m.done;
        *out_flags = back;
        return OK;
}

#define MSG_COMPAT 0x80000000u          /* MSG_CMSG_COMPAT: of 32-bit programs only */

err_t sys_sendmsg(struct call *c)
{
        usize done = 0;

        if (arg_uint(c, 2) & MSG_COMPAT)
                return ERR(EINVAL);
        SOCKET_FILE(r);
        err_t err = socket_of(r.file) ? send_msg(r.file, arg(c, 1), arg_uint(c, 2), &done) : ERR(ENOTSOCK);
        fd_put(r);
        c->result = done;
        return err;
}

err_t sys_recvmsg(struct call *c)
{
        usize done = 0;
        u32 back = 0;

        if (arg_uint(c, 2) & MSG_COMPAT)
                return ERR(EINVAL);
        SOCKET_FILE(r);
        err_t err = socket_of(r.file) ? recv_msg(r.file, arg(c, 1), arg_uint(c, 2), &done, &back) : ERR(ENOTSOCK);
        fd_put(r);
        c->result = done;
        return err;
}

/* ---- sendmmsg and recvmmsg ---- */

#define MMSG_SIZE sizeof(struct linux_mmsghdr)
#define MMSG_LEN  sizeof(struct linux_msghdr)           /* offset of msg_len */

static err_t put_msg_len(u64 at, usize done)
{
        u32 len = (u32)done;
        return PUT_USER(at + MMSG_LEN, len);
}

static err_t send_many(struct call *c, struct file *f)
{
        u32 n = min_u32(arg_uint(c, 2), IO_MAX_VECS), i = 0;
        err_t err = OK;

        for (; i < n; i++) {
                u64 at = arg(c, 1) + i * MMSG_SIZE;
                usize done = 0;
                err = send_msg(f, at, arg_uint(c, 3), &done);
                if (succeeded(err))
                        err = put_msg_len(at, done);
                if (failed(err))
                        break;
        }
        c->result = i;
        return i > 0 ? OK : err;
}

err_t sys_sendmmsg(struct call *c)
{
        if (arg_uint(c, 3) & MSG_COMPAT)
                return ERR(EINVAL);
        SOCKET_FILE(r);
        err_t err = socket_of(r.file) ? send_many(c, r.file) : ERR(ENOTSOCK);
        fd_put(r);
        return err;
}

/* Until n have come, one failed, or the deadline has passed when one came. */
static err_t recv_many(struct file *f, u64 at, u32 n, u32 flags, u64 deadline, u32 *count)
{
        u32 error = sock_take_error(socket_of(f));

        if (error)
                return ERR((int)error);
        for (u32 i = 0; i < n; i++) {
                usize done = 0;
                u32 back = 0;
                TRY(recv_msg(f, at + i * MMSG_SIZE, flags & ~(u32)MSG_WAITFORONE, &done, &back));
                TRY(put_msg_len(at + i * MMSG_SIZE, done));
                ++*count;
                if (flags & MSG_WAITFORONE)
                        flags |= MSG_DONTWAIT;
                if ((back & MSG_OOB) != 0 || (deadline != NEVER && time_now() >= deadline))
                        break;
        }
        return OK;
}

static err_t recvmmsg_until(struct call *c, u64 deadline)
{
        u32 count = 0;

        SOCKET_FILE(r);
        err_t err = ERR(ENOTSOCK);
        if (socket_of(r.file)) {
                err = recv_many(r.file, arg(c, 1), min_u32(arg_uint(c, 2), IO_MAX_VECS), arg_uint(c, 3), deadline, &count);
                /* An error after some is told by the next call. */
                if (count > 0 && failed(err) && !err_is(err, EAGAIN))
                        STORE(socket_of(r.file)->error, (u32)err_code(err));
        }
        fd_put(r);
        c->result = count;
        return count > 0 ? OK : err;
}

err_t sys_recvmmsg(struct call *c)
{
        struct linux_timespec ts = {};
        u64 ns = 0, now = time_now();

        if (arg_uint(c, 3) & MSG_COMPAT)
                return ERR(EINVAL);
        if (!arg(c, 4))
                return recvmmsg_until(c, NEVER);
        TRY(GET_USER(ts, arg(c, 4)));
        TRY(ns_from_timespec(ts, &ns));
        u64 deadline = add_overflows(now, ns) ? NEVER - 1 : now + ns;
        TRY(recvmmsg_until(c, deadline));
        now = time_now();
        ts = timespec_from_ns(deadline > now ? deadline - now : 0);
        return PUT_USER(arg(c, 4), ts);
}
