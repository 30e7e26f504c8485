/* SPDX-License-Identifier: Apache-2.0
 *
 * x86-64: the frame of a signal on the user stack, and the signals of CPU exceptions.
 *
 * From high to low addresses: the interrupted stack and its red zone, FPU state
 * (64-aligned, with FP_XSTATE_MAGIC2 behind it), struct linux_rt_sigframe, whose first
 * word is the return address.  services/signal moves the bytes; here is only their form.
 */
#pragma once
#include "abi/linux/x86_64/ucontext.h"

/* Where a frame lies when the handler's stack begins below sp. */
struct sigframe_place { u64 frame, fp; };
struct sigframe_place sigframe_place(u64 sp, bool red_zone, u64 fpu_size);

/* Bytes that the FPU state takes in the frame: the state and, behind it, the second magic. */
u64   sigframe_fpu_bytes(u64 fpu_size);
/* What tells user space the state's extent, in the bytes of the state that are software's. */
struct linux_fpx_sw_bytes sigframe_sw_bytes(u64 fpu_size, u64 features);
#define SIGFRAME_SW_OFFSET  464u
#define SIGFRAME_SW_USED    24u         /* the rest is padding */
#define SIGFRAME_LEGACY_FPU 512u
/* How many bytes of a frame's FPU state to read, if FP_XSTATE_MAGIC2 follows; 512: only the legacy part is good. */
u64   sigframe_fpu_extent(const struct linux_fpx_sw_bytes *sw, u64 fpu_size);

struct sigframe_fault { u64 vector, error, addr; };
void  sigframe_save_regs(struct linux_sigcontext *sc, const struct user_regs *r, struct sigframe_fault fault);
/* orig_rax is set to none: what was interrupted is not restarted.  False: segments that are not the user's (ss: look at that,
 * too), which the CPU would not return to; *fault: what it would say. */
bool  sigframe_restore_regs(struct user_regs *r, const struct linux_sigcontext *sc, bool ss, struct sigframe_fault *fault);
/* The handler runs next: handler(sig, &info, &uc) on the frame at `frame`. */
void  sigframe_enter(struct user_regs *r, u64 handler, u64 frame, u32 sig);
/* Where rt_sigreturn's frame begins. */
u64   sigframe_of_return(const struct user_regs *r);

/* The signal that an exception (not a page fault) raises.  fpu: the legacy 512 bytes of the state, for the
 * floating-point exceptions. */
struct trap_signal { u32 signo; i32 code; bool addr_is_ip; };
struct trap_signal trap_signal(u32 vector, u64 dr6, bytes fpu);
bool  trap_needs_fpu(u32 vector);
