/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls that wait for many descriptors: poll, ppoll, select, pselect6.
 */
#include "services/syscall/calls.h"
#include "services/poll/poll.h"
#include "services/process/process.h"
#include "services/signal/signal.h"
#include "services/time/clock.h"
#include "abi/linux/file.h"
#include "abi/const/process.h"
#include "abi/const/signal.h"

static err_t check_count(struct call *c, u64 count)
{
        return count > rlimit_get(c->t->process, RLIMIT_NOFILE) ? ERR(EINVAL) : OK;
}

/* A deadline from a relative time: 0 stays 0, "do not wait". */
static u64 deadline_in(u64 ns)
{
        u64 now = time_now();
        return ns == 0 ? 0 : add_overflows(now, ns) ? NEVER : now + ns;
}

static err_t poll_until(struct call *c, u64 at, u32 count, u64 deadline)
{
        struct thread *t = c->t;
        err_t err = poll_call(t->files, at, count, deadline, &c->result);
        if (!err_is(err, EINTR))
                return err;
        t->restart.kind = RESTART_POLL;
        t->restart.deadline = deadline;
        t->restart.arg[0] = at;
        t->restart.arg[1] = count;
        return ERR(ERESTART_RESTARTBLOCK);
}

err_t sys_poll(struct call *c)
{
        i32 ms = arg_int(c, 2);
        TRY(check_count(c, arg_uint(c, 1)));
        return poll_until(c, arg(c, 0), arg_uint(c, 1), ms < 0 ? NEVER : deadline_in((u64)ms * NSEC_PER_MSEC));
}

err_t poll_restart(struct call *c)
{
        return poll_until(c, c->t->restart.arg[0], (u32)c->t->restart.arg[1], c->t->restart.deadline);
}

static err_t get_deadline(u64 at, u64 *deadline)
{
        struct linux_timespec ts = {};
        u64 ns;

        *deadline = NEVER;
        if (!at)
                return OK;
        TRY(GET_USER(ts, at));
        TRY(ns_from_timespec(ts, &ns));
        *deadline = deadline_in(ns);
        return OK;
}

static err_t set_mask(u64 at, u64 size)
{
        u64 mask = 0;
        if (!at)
                return OK;
        if (size != sizeof mask)
                return ERR(EINVAL);
        TRY(GET_USER(mask, at));
        signal_set_temporary_mask(mask);
        return OK;
}

static u64 time_left(u64 deadline)
{
        u64 now = time_now();
        return deadline > now ? deadline - now : 0;
}

/* What was left of the time goes back to user space (a failure to write it is no error). */
static void put_timespec_left(u64 at, u64 deadline)
{
        if (!at || deadline == NEVER)
                return;
        struct linux_timespec ts = timespec_from_ns(time_left(deadline));
        ignore(PUT_USER(at, ts));
}

err_t sys_ppoll(struct call *c)
{
        u64 deadline;
        TRY(check_count(c, arg_uint(c, 1)));
        TRY(get_deadline(arg(c, 2), &deadline));
        TRY(set_mask(arg(c, 3), arg(c, 4)));
        err_t err = poll_call(c->t->files, arg(c, 0), arg_uint(c, 1), deadline, &c->result);
        signal_restore_mask(err_is(err, EINTR));
        put_timespec_left(arg(c, 2), deadline);
        return err_is(err, EINTR) ? ERR(ERESTARTNOHAND) : err;
}

/* ---- select ---- */

/* User space's bit sets are arrays of longs: n bits, rounded up. */
static usize set_size(u32 n) { return ((usize)n + 63) / 64 * 8; }

static err_t get_set(mbytes set, u64 at) { return mbytes_len(set) ? vm_copy_in(set, at) : OK; }
static err_t put_set(u64 at, mbytes set) { return mbytes_len(set) ? vm_copy_out(at, bytes_const(set)) : OK; }

struct set_args { u64 in, out, ex; };

static struct select_sets sets_in(mbytes space, const struct set_args *at, usize size)
{
        return (struct select_sets){
                .in = mbytes_sub(space, 0, at->in ? size : 0),
                .out = mbytes_sub(space, size, at->out ? size : 0),
                .ex = mbytes_sub(space, 2 * size, at->ex ? size : 0),
        };
}

/* wanted, result: zeros, for three sets each. */
static inline err_t select_sets(struct call *c, u32 n, mbytes wanted, mbytes result, u64 deadline)
{
        struct set_args at = { arg(c, 1), arg(c, 2), arg(c, 3) };
        struct select_sets want = sets_in(wanted, &at, set_size(n)), found = sets_in(result, &at, set_size(n));
        TRY(get_set(want.in, at.in));
        TRY(get_set(want.out, at.out));
        TRY(get_set(want.ex, at.ex));
        TRY(select_call(c->t->files, n, &want, &found, deadline, &c->result));
        TRY(put_set(at.in, found.in));
        TRY(put_set(at.out, found.out));
        return put_set(at.ex, found.ex);
}

static noinline err_t select_many(struct call *c, u32 n, u64 deadline)
{
        struct blob *wanted CLEANUP(drop_blob) = blob_alloc(c->t->payer, set_size(n) * 3);
        struct blob *result CLEANUP(drop_blob) = blob_alloc(c->t->payer, set_size(n) * 3);
        if (!wanted || !result)
                return ERR(ENOMEM);
        return select_sets(c, n, blob_mbytes(wanted), blob_mbytes(result), deadline);
}

#define SMALL_SETS 192u         /* three sets of 512 bits */

static err_t do_select(struct call *c, u64 deadline)
{
        i32 asked = arg_int(c, 0);
        if (asked < 0)
                return ERR(EINVAL);
        u32 n = min_u32((u32)asked, (files_top(c->t->files) + 63) & ~63u);
        if (set_size(n) * 3 > SMALL_SETS)
                return select_many(c, n, deadline);
        u8 wanted[SMALL_SETS] = {}, result[SMALL_SETS] = {};
        return select_sets(c, n, MBYTES_OF(wanted), MBYTES_OF(result), deadline);
}

err_t sys_select(struct call *c)
{
        struct linux_timeval tv = {};
        u64 deadline = NEVER;

        if (arg(c, 4)) {
                u64 ns = 0;
                TRY(GET_USER(tv, arg(c, 4)));
                if (tv.tv_sec < 0 || tv.tv_usec < 0)
                        return ERR(EINVAL);
                tv.tv_sec += (i64)((u64)tv.tv_usec / 1000000);
                tv.tv_usec = (i64)((u64)tv.tv_usec % 1000000);
                TRY(ns_from_timeval(tv, &ns));
                deadline = deadline_in(ns);
        }
        err_t err = do_select(c, deadline);
        if (arg(c, 4)) {
                struct linux_timeval left = timeval_from_ns(time_left(deadline));
                ignore(PUT_USER(arg(c, 4), left));
        }
        return err_is(err, EINTR) ? ERR(ERESTARTNOHAND) : err;
}

err_t sys_pselect6(struct call *c)
{
        u64 deadline, mask[2] = {};             /* its address and size */

        TRY(get_deadline(arg(c, 4), &deadline));
        if (arg(c, 5))
                TRY(GET_USER(mask, arg(c, 5)));
        TRY(set_mask(mask[0], mask[1]));
        err_t err = do_select(c, deadline);
        signal_restore_mask(err_is(err, EINTR));
        put_timespec_left(arg(c, 4), deadline);
        return err_is(err, EINTR) ? ERR(ERESTARTNOHAND) : err;
}
