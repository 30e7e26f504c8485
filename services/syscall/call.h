/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls: decoding arguments and turning results into Linux's convention,
 * nothing else.  Each handler takes a struct call, reads its arguments, calls one
 * service function and sets the result.  The table is table.c; a number without
 * a handler is ENOSYS, logged once with its name.
 */
#pragma once
#include "services/task/thread.h"
#include "services/vm/vm.h"
#include "abi/linux/x86_64/regs.h"

struct call {
        u64 result;             /* what the call returns when it did not fail */
        struct thread *t;       /* the calling thread */
        struct user_regs *regs; /* its registers: a borrow for this call */
};

typedef err_t call_fn(struct call *c);

/* Arguments 0 to 5 as user space passed them, read where the entry saved them: before anything changes the registers. */
static inline u64 arg(const struct call *c, u32 i)
{
        switch (i) {
        case 0:  return c->regs->rdi;
        case 1:  return c->regs->rsi;
        case 2:  return c->regs->rdx;
        case 3:  return c->regs->r10;
        case 4:  return c->regs->r8;
        default: return c->regs->r9;
        }
}
/* int and unsigned int arguments: the high half of the register is ignored, as on Linux. */
static inline i32 arg_int(const struct call *c, u32 i)  { return (i32)(u32)arg(c, i); }
static inline u32 arg_uint(const struct call *c, u32 i) { return (u32)arg(c, i); }

/* ABI structs to and from user memory, by whole value: TRY(GET_USER(value, addr)). EFAULT. */
#define GET_USER(value, addr)   vm_copy_in(MBYTES_OF(value), (addr))
#define PUT_USER(addr, value)   vm_copy_out((addr), BYTES_OF(value))
/* A struct that grows with versions (clone3, openat2, sched_attr): user_size bytes of it, the rest of dst zero;
 * E2BIG when user space sets bytes that dst does not have. */
err_t call_get_versioned(mbytes dst, u64 addr, u64 user_size);

/* A descriptor for a file just made, which it takes over, as the result.  EMFILE, ENOMEM. */
err_t call_add_file(struct call *c, struct file *f, bool cloexec);

/* A path name from user space, for the length of a call: PATH_ARG(path, addr); then path.text is what was found there.
 * EFAULT, ENAMETOOLONG, ENOMEM; PATH_ARG_GET leaves them in path.err. */
struct path_arg { bytes text; err_t err; struct blob *big; };
struct path_arg path_arg_get(struct scratch *small, u64 addr);
static inline void path_arg_drop(struct path_arg *p) { if (p->big) blob_drop(p->big); }
#define PATH_ARG_GET(name, addr) \
        SCRATCH(name##_scratch); \
        struct path_arg name CLEANUP(path_arg_drop) = path_arg_get(&name##_scratch, (addr))
#define PATH_ARG(name, addr) PATH_ARG_GET(name, (addr)); TRY(name.err)

void syscall_dispatch(struct task_body *self, struct user_regs *regs);
void syscall_dispatch_watched(struct task_body *self, struct user_regs *regs);   /* watched.c */
