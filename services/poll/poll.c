/* SPDX-License-Identifier: Apache-2.0
 *
 * poll and select.  See poll.h.
 */
#include "services/poll/poll.h"
#include "services/vm/vm.h"
#include "abi/linux/event.h"
#include "abi/const/event.h"

#define CHUNK 32u               /* pollfds per user copy */

static noinline u32 ask_shared(struct files *files, u32 fd, struct waiter *w)
{
        struct fd_ref r = fd_get_shared(files, fd);
        u32 mask = r.file ? file_poll(r.file, w) : POLLNVAL;
        fd_put(r);
        return mask;
}

/* What a descriptor's file says, or POLLNVAL: there is none.  own: files_are_own. */
static inline u32 ask(struct files *files, bool own, u32 fd, struct waiter *w)
{
        if (!own)
                return ask_shared(files, fd, w);
        struct file *f = fd_get_own(files, fd);
        return f ? file_poll(f, w) : POLLNVAL;
}

/* One pass over the array: writes revents back.  With `w`, adds it to the queues until something is ready. */
static err_t pass(struct files *files, u64 at, u64 count, struct waiter *w, u64 *ready)
{
        u64 found = 0;
        bool own = files_are_own(files);

        for (u64 i = 0; i < count; i += CHUNK) {
                struct linux_pollfd fds[CHUNK] = {};
                u64 n = min_u64(CHUNK, count - i);
                u64 where = at + i * sizeof fds[0];

                TRY(vm_copy_in(mbytes_take(MBYTES_OF(fds), n * sizeof fds[0]), where));
                for (u32 k = 0; k < n; k++) {
                        u32 mask = 0, events = (u16)fds[k].events | POLLERR | POLLHUP | POLLNVAL;
                        if (fds[k].fd >= 0)
                                mask = ask(files, own, (u32)fds[k].fd, found ? NULL : w) & events;
                        fds[k].revents = (i16)mask;
                        found += mask != 0;
                }
                /* Only the answer of the last pass stays: earlier ones are written over. */
                TRY(vm_copy_out(where, bytes_take(BYTES_OF(fds), n * sizeof fds[0])));
        }
        *ready = found;
        return OK;
}

err_t poll_call(struct files *files, u64 at, u64 count, u64 deadline, u64 *ready)
{
        if (deadline == 0)
                return pass(files, at, count, NULL, ready);
        WAITER(w);
        TRY(pass(files, at, count, &w, ready));
        while (!*ready) {
                err_t err = waiter_sleep(&w, WAIT_INTERRUPTIBLE, deadline);
                if (failed(err) && !err_is(err, ETIMEDOUT))
                        return err;
                TRY(pass(files, at, count, NULL, ready));
                if (err_is(err, ETIMEDOUT))
                        break;
        }
        return OK;
}

/* ---- select ---- */

#define IN_MASK  (POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR)
#define OUT_MASK (POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR)
#define EX_MASK  (POLLPRI)

static u64 word(mbytes set, u32 i) { return mbytes_len(set) ? bytes_le64(bytes_const(set), i * 8) : 0; }
static void put_word(mbytes set, u32 i, u64 v) { if (mbytes_len(set)) mbytes_put_le64(set, i * 8, v); }

/* What `mask` makes ready of the descriptor at `bit`: a bit of each set. */
static inline u64 bit_if(u32 mask, u32 kind, u32 bit) { return (u64)((mask & kind) != 0) << (bit & 63); }

/* One pass: results go to `found`, laid out as the sets; true in *bad: a descriptor is not open. */
static u64 select_pass(struct files *files, u32 n, const struct select_sets *want, const struct select_sets *found,
                       struct waiter *w, bool *bad)
{
        bool own = files_are_own(files);
        u64 ready = 0;

        for (u32 i = 0; i * 64 < n; i++) {
                u64 in = word(want->in, i), out = word(want->out, i), ex = word(want->ex, i);
                u64 any = in | out | ex;
                u64 got_in = 0, got_out = 0, got_ex = 0;
                if (n - i * 64 < 64)
                        any &= (1ul << (n - i * 64)) - 1;
                for (; any; any &= any - 1) {
                        u32 b = bit_lowest(any), mask = ask(files, own, i * 64 + b, w);
                        if (mask & POLLNVAL) {
                                *bad = true;
                                return 0;
                        }
                        got_in |= bit_if(mask, IN_MASK, b);
                        got_out |= bit_if(mask, OUT_MASK, b);
                        got_ex |= bit_if(mask, EX_MASK, b);
                        if (w && ((got_in & in) | (got_out & out) | (got_ex & ex)))
                                w = NULL;
                }
                ready += bit_count(got_in & in) + bit_count(got_out & out) + bit_count(got_ex & ex);
                put_word(found->in, i, got_in & in);
                put_word(found->out, i, got_out & out);
                put_word(found->ex, i, got_ex & ex);
        }
        return ready;
}

#define SMALL_WORDS 16u         /* 1024 descriptors on the stack */

static err_t select_into(struct files *files, u32 n, const struct select_sets *want, const struct select_sets *found,
                         u64 deadline, u64 *ready)
{
        bool bad = false;
        WAITER(w);

        if (deadline)
                *ready = select_pass(files, n, want, found, &w, &bad);
        else
                *ready = select_pass(files, n, want, found, NULL, &bad);
        while (!bad && !*ready && deadline) {
                err_t err = waiter_sleep(&w, WAIT_INTERRUPTIBLE, deadline);
                if (failed(err) && !err_is(err, ETIMEDOUT))
                        return err;
                *ready = select_pass(files, n, want, found, NULL, &bad);
                if (err_is(err, ETIMEDOUT))
                        break;
        }
        return bad ? ERR(EBADF) : OK;
}

static void copy_back(mbytes set, mbytes found) { mbytes_copy(set, bytes_const(found)); }

static mbytes part(mbytes all, mbytes set, u32 which, usize size)
{
        return mbytes_len(set) ? mbytes_sub(all, which * size, size) : mbytes_take(all, 0);
}

static err_t select_with(struct files *files, u32 n, struct select_sets sets, mbytes space, u64 deadline, u64 *ready)
{
        usize size = ((usize)n + 63) / 64 * 8;
        struct select_sets found = { .in = part(space, sets.in, 0, size), .out = part(space, sets.out, 1, size),
                                     .ex = part(space, sets.ex, 2, size) };
        TRY(select_into(files, n, &sets, &found, deadline, ready));
        copy_back(sets.in, found.in);
        copy_back(sets.out, found.out);
        copy_back(sets.ex, found.ex);
        return OK;
}

static void drop_space(struct blob **b) { blob_drop(*b); }

err_t select_call(struct files *files, u32 n, struct select_sets sets, u64 deadline, u64 *ready)
{
        usize size = ((usize)n + 63) / 64 * 8;

        if (size <= SMALL_WORDS * 8) {
                u64 space[3 * SMALL_WORDS] = {};
                return select_with(files, n, sets, MBYTES_OF(space), deadline, ready);
        }
        struct blob *space CLEANUP(drop_space) = blob_alloc(thread_current()->payer, 3 * size);
        if (!space)
                return ERR(ENOMEM);
        return select_with(files, n, sets, blob_mbytes(space), deadline, ready);
}
