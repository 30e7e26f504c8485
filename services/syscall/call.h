/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls: decoding arguments and turning results into Linux's convention,
 * nothing else.  Each handler takes a struct call, reads its arguments, calls one
 * service function and sets the result.  The table is table.c; a number without
 * a handler is ENOSYS, logged once with its name.
 */
#pragma once
#include "services/task/thread.h"

struct call {
        u64 a[6];               /* arguments 1 to 6, as user space passed them */
        u64 result;             /* what the call returns when it did not fail */
        struct thread *t;       /* the calling thread */
        struct user_regs *regs; /* for clone, execve, sigreturn: a borrow for this call */
};

typedef err_t call_fn(struct call *c);

/* int and unsigned int arguments: the high half of the register is ignored, as on Linux. */
static inline i32 arg_int(const struct call *c, u32 i)  { return (i32)(u32)c->a[i]; }
static inline u32 arg_uint(const struct call *c, u32 i) { return (u32)c->a[i]; }

/* ABI structs to and from user memory, by whole value: TRY(GET_USER(&value, addr)). EFAULT. */
#define GET_USER(value, addr)   call_get(MBYTES_OF(value), (addr))
#define PUT_USER(addr, value)   call_put((addr), BYTES_OF(value))
err_t call_get(mbytes dst, u64 addr);
err_t call_put(u64 addr, bytes src);

/* Declares the handlers of a subject file: CALLS(X) with X(read) X(write) … */
#define CALL_DECLARE(name) err_t sys_##name(struct call *c);

void syscall_dispatch(struct task_body *self, struct user_regs *regs);
