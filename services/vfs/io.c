/* SPDX-License-Identifier: Apache-2.0
 *
 * Transfers between kernel bytes and user memory.
 *
 * Entry points  io.h.  Lifetime  a struct io is a value of one call.  Locking  none.
 */
#include "services/vfs/io.h"
#include "services/vfs/registry.h"
#include "abi/linux/file.h"

struct io io_to_kernel(mbytes to)
{
        usize len = mbytes_len(to);
        struct io io = { .kind = IO_TO_KERNEL, .to = to, .range = len, .left = len };

        return io;
}

struct io io_from_kernel(bytes from)
{
        usize len = bytes_len(from);
        struct io io = { .kind = IO_FROM_KERNEL, .from = from, .range = len, .left = len };

        return io;
}

err_t io_vec_check(bytes vec, bool local, usize *total)
{
        *total = 0;
        for (usize at = 0; at < bytes_len(vec); at += sizeof(struct linux_iovec)) {
                struct linux_iovec v;
                POD_READ(&v, bytes_skip(vec, at));
                if ((i64)v.iov_len < 0)
                        return ERR(EINVAL);
                if (local && (add_overflows(v.iov_base, v.iov_len) || (i64)(v.iov_base + v.iov_len) < 0))
                        return ERR(EFAULT);
                *total += min_u64(v.iov_len, IO_MAX_BYTES - *total);
        }
        return OK;
}

struct io io_vec(bytes vec, usize total)
{
        struct io io = { .kind = IO_VEC, .from = vec, .left = total };

        return io;
}

void io_truncate(struct io *io, usize left)
{
        io->left = min_u64(io->left, left);
        io->range = min_u64(io->range, io->left);
}

/* Makes the current range not empty; left > 0. */
static inline void next_range(struct io *io)
{
        while (io->range == 0 && io->left > 0) {
                struct linux_iovec v;
                POD_READ(&v, io->from);
                io->from = bytes_skip(io->from, sizeof v);
                io->addr = v.iov_base;
                io->range = min_u64(v.iov_len, io->left);
        }
}

static inline void advance(struct io *io, usize n)
{
        io->range -= n;
        io->left -= n;
        io->done += n;
        if (io->kind <= IO_VEC)
                io->addr += n;
        else if (io->kind == IO_TO_KERNEL)
                io->to = mbytes_skip(io->to, n);
        else
                io->from = bytes_skip(io->from, n);
}

/* After a short copy of `wanted` bytes at io->addr: may the copy go on? */
static bool fault_in(struct io *io, usize wanted, bool write)
{
        usize rest = PAGE_SIZE - (io->addr & PAGE_MASK);

        return registry_fault_in(io->addr, min_u64(wanted, rest), write);
}

err_t io_fault_in(struct io *io, bool write)
{
        if (io->left == 0 || io->kind > IO_VEC)
                return OK;
        next_range(io);
        return fault_in(io, io->range, write) ? OK : ERR(EFAULT);
}

void io_skip(struct io *io, usize n)
{
        while (n > 0) {
                next_range(io);
                usize k = min_u64(n, io->range);
                advance(io, k);
                n -= k;
        }
}

static usize copy_out(struct io *io, bytes src, bool now)
{
        usize want = min_u64(bytes_len(src), io->left), got = 0;

        while (got < want) {
                next_range(io);
                bytes part = bytes_sub(src, got, min_u64(want - got, io->range));
                usize n = io->kind <= IO_VEC ? user_copy_out(io->addr, part) : mbytes_copy(io->to, part);
                advance(io, n);
                got += n;
                if (n < bytes_len(part) && (now || io->kind > IO_VEC || !fault_in(io, bytes_len(part) - n, true)))
                        break;
        }
        return got;
}

static usize copy_in(struct io *io, mbytes dst, bool now)
{
        usize want = min_u64(mbytes_len(dst), io->left), got = 0;

        while (got < want) {
                next_range(io);
                mbytes part = mbytes_sub(dst, got, min_u64(want - got, io->range));
                usize n = io->kind <= IO_VEC ? user_copy_in(part, io->addr) : mbytes_copy(part, io->from);
                advance(io, n);
                got += n;
                if (n < mbytes_len(part) && (now || io->kind > IO_VEC || !fault_in(io, mbytes_len(part) - n, false)))
                        break;
        }
        return got;
}

usize io_zero_slow(struct io *io, usize len)
{
        usize want = min_u64(len, io->left), got = 0;

        while (got < want) {
                next_range(io);
                usize part = min_u64(want - got, io->range), n = part;
                if (io->kind <= IO_VEC)
                        n = user_zero(io->addr, part);
                else
                        mbytes_fill(mbytes_take(io->to, part), 0);
                advance(io, n);
                got += n;
                if (n < part && !fault_in(io, part - n, true))
                        break;
        }
        return got;
}

static usize from_frame(struct io *io, struct frame *f, usize off, usize len, bool now)
{
        usize want = min_u64(len, io->left), got = 0;

        while (got < want) {
                next_range(io);
                usize part = min_u64(want - got, io->range), n = part;
                if (io->kind <= IO_VEC)
                        n = user_copy_from_frame(io->addr, f, off + got, part);
                else
                        frame_read(f, off + got, mbytes_take(io->to, part));
                advance(io, n);
                got += n;
                if (n < part && (now || !fault_in(io, part - n, true)))
                        break;
        }
        return got;
}

static usize to_frame(struct io *io, struct frame *f, usize off, usize len, bool now)
{
        usize want = min_u64(len, io->left), got = 0;

        while (got < want) {
                next_range(io);
                usize part = min_u64(want - got, io->range), n = part;
                if (io->kind <= IO_VEC)
                        n = user_copy_to_frame(f, off + got, io->addr, part);
                else
                        frame_write(f, off + got, bytes_take(io->from, part));
                advance(io, n);
                got += n;
                if (n < part && (now || !fault_in(io, part - n, false)))
                        break;
        }
        return got;
}

usize io_copy_out_slow(struct io *io, bytes src)     { return copy_out(io, src, false); }
usize io_copy_out_now(struct io *io, bytes src) { return copy_out(io, src, true); }
usize io_copy_in_slow(struct io *io, mbytes dst)     { return copy_in(io, dst, false); }
usize io_copy_in_now(struct io *io, mbytes dst) { return copy_in(io, dst, true); }
usize io_from_frame_slow(struct io *io, struct frame *f, usize off, usize len)     { return from_frame(io, f, off, len, false); }
usize io_from_frame_now(struct io *io, struct frame *f, usize off, usize len) { return from_frame(io, f, off, len, true); }
usize io_to_frame_slow(struct io *io, struct frame *f, usize off, usize len)       { return to_frame(io, f, off, len, false); }
usize io_to_frame_now(struct io *io, struct frame *f, usize off, usize len)   { return to_frame(io, f, off, len, true); }

err_t user_get(mbytes dst, u64 addr)
{
        struct io io = io_user(addr, mbytes_len(dst));

        return copy_in(&io, dst, false) == mbytes_len(dst) ? OK : ERR(EFAULT);
}

err_t user_put(u64 addr, bytes src)
{
        struct io io = io_user(addr, bytes_len(src));

        return copy_out(&io, src, false) == bytes_len(src) ? OK : ERR(EFAULT);
}
