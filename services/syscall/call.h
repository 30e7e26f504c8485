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

/* ABI structs to and from user memory, by whole value: TRY(GET_USER(value, addr)). EFAULT. */
#define GET_USER(value, addr)   vm_copy_in(MBYTES_OF(value), (addr))
#define PUT_USER(addr, value)   vm_copy_out((addr), BYTES_OF(value))
/* A struct that grows with versions (clone3, openat2, sched_attr): user_size bytes of it, the rest of dst zero;
 * E2BIG when user space sets bytes that dst does not have. */
err_t call_get_versioned(mbytes dst, u64 addr, u64 user_size);

/* A descriptor for a file just made, which it takes over, as the result.  EMFILE, ENOMEM. */
err_t call_add_file(struct call *c, struct file *f, bool cloexec);

/* A path name from user space, for the length of a call:
 *      struct path_arg p CLEANUP(path_arg_drop) = {};
 *      TRY(path_arg_get(&p, c->a[0]));          EFAULT, ENAMETOOLONG, ENOMEM
 *      vfs_…(…, path_arg_bytes(&p), …)  */
#define PATH_SMALL 232
struct path_arg { struct blob *big; u64 len; u8 small[PATH_SMALL]; };
err_t path_arg_get(struct path_arg *p, u64 addr);
bytes path_arg_bytes(struct path_arg *p);
void  path_arg_drop(struct path_arg *p);

void syscall_dispatch(struct task_body *self, struct user_regs *regs);
