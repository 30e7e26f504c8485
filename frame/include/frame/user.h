/* SPDX-License-Identifier: Apache-2.0
 *
 * User memory and user CPU state.
 *
 * The copies work on the current task's address space, never sleep and never call
 * services: they stop at the first page that is not there (or not permitted) and
 * return how many bytes were done.  services/vm wraps them with faulting-in
 * (vm_copy_in, …).  Addresses are any u64; what is not user space counts as not there.
 */
#pragma once

SAFE_API usize user_copy_in(mbytes dst, u64 addr);
SAFE_API usize user_copy_out(u64 addr, bytes src);
SAFE_API usize user_zero(u64 addr, usize len);
/* Copies up to and with the NUL. *found says whether it was there; returns the bytes copied. */
SAFE_API usize user_copy_string(mbytes dst, u64 addr, bool *found);
/* A string on the stack, not cleared when its block begins: only what was put there can be read.
 *      SCRATCH(s);  while (!scratch_string(&s, addr) && …)  bytes name = scratch_bytes(&s); */
#define SCRATCH_SIZE 248u
struct K_OPAQUE K_BORROW K_PINNED scratch { u64 n_k; u8 b_k[SCRATCH_SIZE]; };
#define SCRATCH(NAME) struct scratch NAME __attribute__((uninitialized))        /* but n_k: the IR pass */
/* Goes on with the string at addr where it stopped.  False: it is full, or met a page that is not there. */
SAFE_API static inline bool scratch_string(struct scratch *s, u64 addr)
{
        bool found;
        s->n_k += user_copy_string((mbytes){ s->b_k + s->n_k, SCRATCH_SIZE - s->n_k }, addr + s->n_k, &found);
        return found;
}
SAFE_API static inline bytes scratch_bytes(struct scratch *s) { return (bytes){ s->b_k, s->n_k }; }    /* with the NUL, if found */
SAFE_API usize user_copy_from_frame(u64 addr, struct frame *f, usize off, usize len);    /* frame → user */
SAFE_API usize user_copy_to_frame(struct frame *f, usize off, u64 addr, usize len);      /* user → frame */
/* Word operations for futexes and the like: false if the word is not there; addr aligned, or traps. */
SAFE_API bool user_load32(u64 addr, u32 *value);
SAFE_API bool user_store32(u64 addr, u32 value);
SAFE_API bool user_load64(u64 addr, u64 *value);
SAFE_API bool user_store64(u64 addr, u64 value);
/* *seen is what was there; it was exchanged if *seen == old. */
SAFE_API bool user_cmpxchg32(u64 addr, u32 old, u32 new, u32 *seen);

/* The extended (x87, SSE, AVX, …) state of the current task, in the CPU's own XSAVE format
 * (FXSAVE where there is no XSAVE). */
SAFE_API usize fpu_size(void);                           /* bytes of the format in use, <= 4096 */
SAFE_API u64   fpu_features(void);                       /* XCR0; 3 without XSAVE */
SAFE_API usize fpu_save(mbytes out);                     /* traps if out is shorter than fpu_size() */
/* The same with user memory: what the copies say of faults holds.  save: addr is a multiple of 64; `software` goes into the 48 bytes that the
 * format leaves to software; true: all was written.  load: the first `len` bytes of the state, up to fpu_size(); what
 * lies behind and components outside `mask` are as at reset; EINVAL: the header is bad; reserved bits are masked.
 * *missing: not all was there; nothing is changed then. */
#define FPU_SOFTWARE 48u
SAFE_API bool  user_fpu_save(u64 addr, bytes software);
SAFE_API err_t user_fpu_load(u64 addr, usize len, u64 mask, bool *missing);
SAFE_API void  fpu_reset(void);                          /* exec, handlers: key 0 alone may be used */
/* PKRU of the current task: bit 2k forbids access to pages of key k, bit 2k + 1 writing.  0 and no effect unless
 * fpu_features() has bit 9.  User copies obey it: what it forbids is not there for them. */
SAFE_API u32   user_keys(void);
SAFE_API void  user_set_keys(u32 keys);

/* The thread pointers; must be canonical user addresses: EPERM else. t: current, or not started. */
SAFE_API err_t user_set_fs(struct task *t, u64 base);
SAFE_API err_t user_set_gs(struct task *t, u64 base);
SAFE_API u64   user_get_fs(struct task *t);
SAFE_API u64   user_get_gs(struct task *t);
