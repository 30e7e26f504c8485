/* SPDX-License-Identifier: Apache-2.0
 *
 * sched_*(2).
 */
#include "services/syscall/calls.h"
#include "services/process/process.h"
#include "services/sched/sched.h"
#include "services/time/clock.h"
#include "services/vm/vm.h"
#include "abi/linux/process.h"
#include "abi/const/process.h"

err_t sys_sched_yield(struct call *c) { (void)c; sched_yield(); return OK; }

static err_t set_policy(struct call *c, struct sched_params p, u32 keep, u64 param_at)
{
        struct linux_sched_param param = {};

        if (!param_at)
                return ERR(EINVAL);
        TRY(GET_USER(param, param_at));
        p.rt_priority = (u32)param.sched_priority;
        return process_sched_set(arg_uint(c, 0), p, keep | PROCESS_SCHED_KEEP_NICE);
}

err_t sys_sched_setscheduler(struct call *c)
{
        u32 policy = arg_uint(c, 1);

        if (arg_int(c, 0) < 0 || arg_int(c, 1) < 0)
                return ERR(EINVAL);
        return set_policy(c, (struct sched_params){ .policy = policy & ~(u32)SCHED_RESET_ON_FORK,
                                                    .reset_on_fork = policy & SCHED_RESET_ON_FORK }, 0, arg(c, 2));
}

err_t sys_sched_setparam(struct call *c)
{
        return arg_int(c, 0) < 0 ? ERR(EINVAL) : set_policy(c, (struct sched_params){}, PROCESS_SCHED_KEEP_POLICY, arg(c, 1));
}

err_t sys_sched_getscheduler(struct call *c)
{
        struct sched_params p = {};
        if (arg_int(c, 0) < 0)
                return ERR(EINVAL);
        TRY(process_sched_get(arg_uint(c, 0), &p));
        c->result = p.policy | (p.reset_on_fork ? (u32)SCHED_RESET_ON_FORK : 0);
        return OK;
}

err_t sys_sched_getparam(struct call *c)
{
        struct sched_params p = {};
        if (arg_int(c, 0) < 0 || !arg(c, 1))
                return ERR(EINVAL);
        TRY(process_sched_get(arg_uint(c, 0), &p));
        struct linux_sched_param param = { .sched_priority = (i32)p.rt_priority };
        return PUT_USER(arg(c, 1), param);
}

/* As on Linux the size that is known is told with E2BIG. */
static err_t get_attr(struct linux_sched_attr *attr, u64 at)
{
        u32 size = 0, known = sizeof *attr;

        TRY(GET_USER(size, at));
        if (!size)
                size = SCHED_ATTR_SIZE_VER0;
        err_t err = size < SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE ? ERR(E2BIG) : call_get_versioned(MBYTES_OF(*attr), at, size);
        if (err_is(err, E2BIG))
                TRY(PUT_USER(at, known));
        attr->size = size;
        return err;
}

err_t sys_sched_setattr(struct call *c)
{
        struct linux_sched_attr attr = {};

        if (!arg(c, 1) || arg_int(c, 0) < 0 || arg_uint(c, 2))
                return ERR(EINVAL);
        TRY(get_attr(&attr, arg(c, 1)));
        u64 flags = attr.sched_flags;
        if ((flags & ~(u64)SCHED_FLAG_ALL) || (i32)attr.sched_policy < 0 ||
            ((flags & SCHED_FLAG_UTIL_CLAMP) && attr.size < SCHED_ATTR_SIZE_VER1))
                return ERR(EINVAL);
        i32 nice = attr.sched_nice < NICE_MIN ? NICE_MIN : attr.sched_nice > NICE_MAX ? NICE_MAX : attr.sched_nice;
        struct sched_params p = {
                .policy = attr.sched_policy, .nice = nice, .rt_priority = attr.sched_priority,
                .flags = (u32)flags & (u32)(SCHED_FLAG_RECLAIM | SCHED_FLAG_DL_OVERRUN),
                .runtime = attr.sched_runtime, .deadline = attr.sched_deadline, .period = attr.sched_period,
                .reset_on_fork = flags & SCHED_FLAG_RESET_ON_FORK,
        };
        u32 keep = (flags & SCHED_FLAG_KEEP_POLICY ? (u32)PROCESS_SCHED_KEEP_POLICY : 0) |
                   (flags & SCHED_FLAG_KEEP_PARAMS ? (u32)PROCESS_SCHED_KEEP_PARAMS : 0) |
                   (flags & SCHED_FLAG_UTIL_CLAMP ? (u32)PROCESS_SCHED_CLAMP : 0);
        return process_sched_set(arg_uint(c, 0), p, keep);
}

err_t sys_sched_getattr(struct call *c)
{
        struct sched_params p = {};
        u32 size = arg_uint(c, 2);

        if (!arg(c, 1) || arg_int(c, 0) < 0 || size < SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE || arg_uint(c, 3))
                return ERR(EINVAL);
        TRY(process_sched_get(arg_uint(c, 0), &p));
        bool urgent = sched_is_realtime(p.policy) || p.policy == SCHED_DEADLINE;
        struct linux_sched_attr attr = {
                .sched_policy = p.policy, .sched_nice = urgent ? 0 : p.nice, .sched_priority = p.rt_priority,
                .sched_flags = (p.reset_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0) | p.flags,
                .sched_runtime = p.runtime, .sched_deadline = p.deadline, .sched_period = p.period,
        };
        attr.size = min_u32(size, sizeof attr);
        return vm_copy_out(arg(c, 1), bytes_take(BYTES_OF(attr), attr.size));
}

err_t sys_sched_get_priority_max(struct call *c)
{
        switch (arg_uint(c, 0)) {
        case SCHED_FIFO:
        case SCHED_RR:
                c->result = RT_PRIORITY_MAX;
                return OK;
        case SCHED_NORMAL:
        case SCHED_BATCH:
        case SCHED_IDLE:
        case SCHED_DEADLINE:
                return OK;
        default:
                return ERR(EINVAL);
        }
}

err_t sys_sched_get_priority_min(struct call *c)
{
        TRY(sys_sched_get_priority_max(c));
        c->result = c->result ? 1 : 0;
        return OK;
}

err_t sys_sched_rr_get_interval(struct call *c)
{
        u64 ns = 0;
        if (arg_int(c, 0) < 0)
                return ERR(EINVAL);
        TRY(process_sched_rr_interval(arg_uint(c, 0), &ns));
        struct linux_timespec ts = timespec_from_ns(ns);
        return PUT_USER(arg(c, 1), ts);
}

err_t sys_sched_setaffinity(struct call *c)
{
        u64 mask = 0, len = min_u64(arg(c, 1), sizeof mask);
        TRY(vm_copy_in(mbytes_take(MBYTES_OF(mask), len), arg(c, 2)));
        return process_set_affinity(arg_uint(c, 0), mask);
}

err_t sys_sched_getaffinity(struct call *c)
{
        u64 mask = 0;
        u32 len = arg_uint(c, 1);
        if (len * 8u < cpu_count() || (len & 7))
                return ERR(EINVAL);
        TRY(process_get_affinity(arg_uint(c, 0), &mask));
        c->result = sizeof mask;
        return PUT_USER(arg(c, 2), mask);
}
