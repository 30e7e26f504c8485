/* SPDX-License-Identifier: Apache-2.0
 *
 * futex(2): FUTEX_WAIT, WAKE, WAIT_BITSET, WAKE_BITSET, REQUEUE, CMP_REQUEUE, WAKE_OP, private and
 * shared; LOCK_PI, LOCK_PI2, TRYLOCK_PI, UNLOCK_PI, WAIT_REQUEUE_PI, CMP_REQUEUE_PI; robust lists at exit; futex_waitv.
 */
#pragma once
#include "services/task/thread.h"

/* timeout_ns: FUTEX_WAIT: from now; the others: absolute, of CLOCK_MONOTONIC, or CLOCK_REALTIME if op
 * says so (LOCK_PI: always). */
struct futex_args { u64 addr; u32 op; u32 val; u64 timeout_ns; bool has_timeout; u64 addr2; u32 val2, val3; };
/* *result: what the call returns (woken, requeued). EAGAIN, EINTR/ERESTART*, ETIMEDOUT, EFAULT, EINVAL, ENOSYS;
 * of the PI operations EDEADLK, EPERM, ESRCH, too. */
err_t futex_call(struct futex_args a, u64 *result);
/* at: n linux_futex_waitv.  deadline: ns since boot, or if `wall`, of CLOCK_REALTIME; NEVER.  *index: of a word that was woken.
 * EAGAIN: a word is not what it should be; EINVAL, EFAULT, ETIMEDOUT, ERESTARTSYS, ENOMEM. */
struct futex_waitv_args { u64 at; u32 n; bool wall; u64 deadline; };
err_t futex_waitv(const struct futex_waitv_args *a, u64 *index);
u32   futex_wake_addr(u64 addr, u32 n);                 /* current vm, a shared word; for clear_child_tid */
void  futex_exit_robust(struct thread *t);              /* walks the robust list of the exiting current thread */
void  futex_pi_changed(struct thread *t);        /* t's priority has: if it waits for a PI lock, the owner is lent that one now */
/* restart_syscall(2) after a FUTEX_WAIT with a time-out: goes on with what t->restart tells. */
err_t futex_resume(struct thread *t);
void  futex_init(void);
