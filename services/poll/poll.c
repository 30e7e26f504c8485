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
                err_t err = waiter_sleep(&w, WAIT_INTERRUPTIBLE, thread_slack(deadline));
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

static noinline bool is_path(struct files *files, u32 fd)
{
        struct fd_ref r = fd_get_path(files, fd);
        if (!r.file)
                return false;
        fd_put(r);
        return true;
}

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
                        u64 bit = any & -any;
                        u32 mask = ask(files, own, i * 64 + bit_lowest(any), w);
                        if (!mask)
                                continue;
                        if (mask & POLLNVAL) {
                                *bad = !is_path(files, i * 64 + bit_lowest(any));
                                if (*bad)
                                        return 0;
                                mask = IN_MASK | OUT_MASK | EX_MASK;    /* as on Linux: open, though nothing to be asked */
                        }
                        got_in |= mask & IN_MASK ? bit : 0;
                        got_out |= mask & OUT_MASK ? bit : 0;
                        got_ex |= mask & EX_MASK ? bit : 0;
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

err_t select_call(struct files *files, u32 n, const struct select_sets *want, const struct select_sets *found, u64 deadline, u64 *ready)
{
        bool bad = false;
        WAITER(w);

        if (deadline)
                *ready = select_pass(files, n, want, found, &w, &bad);
        else
                *ready = select_pass(files, n, want, found, NULL, &bad);
        while (!bad && !*ready && deadline) {
                err_t err = waiter_sleep(&w, WAIT_INTERRUPTIBLE, thread_slack(deadline));
                if (failed(err) && !err_is(err, ETIMEDOUT))
                        return err;
                *ready = select_pass(files, n, want, found, NULL, &bad);
                if (err_is(err, ETIMEDOUT))
                        break;
        }
        return bad ? ERR(EBADF) : OK;
}
