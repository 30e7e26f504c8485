/* SPDX-License-Identifier: Apache-2.0
 *
 * Lock-free access, spelled: LOAD and PTR_LOAD acquire, STORE and PTR_STORE
 * release, read-modify-write is a full barrier.  Scalars of 1 to 8 bytes.
 * An unmarked race is a bug.
 */
#pragma once

#define LOAD(lvalue)            __atomic_load_n(&(lvalue), __ATOMIC_ACQUIRE)
#define STORE(lvalue, v)        __atomic_store_n(&(lvalue), (v), __ATOMIC_RELEASE)
#define LOAD_RELAXED(lvalue)    __atomic_load_n(&(lvalue), __ATOMIC_RELAXED)    /* statistics, hints */
#define PTR_LOAD(lvalue)        __atomic_load_n(&(lvalue), __ATOMIC_ACQUIRE)
#define PTR_STORE(lvalue, p)    __atomic_store_n(&(lvalue), (p), __ATOMIC_RELEASE)
/* Return the value before. Integers only. */
#define FETCH_ADD(lvalue, v)    __atomic_fetch_add(&(lvalue), (v), __ATOMIC_SEQ_CST)
#define FETCH_SUB(lvalue, v)    __atomic_fetch_sub(&(lvalue), (v), __ATOMIC_SEQ_CST)
#define FETCH_OR(lvalue, v)     __atomic_fetch_or(&(lvalue), (v), __ATOMIC_SEQ_CST)
#define FETCH_AND(lvalue, v)    __atomic_fetch_and(&(lvalue), (v), __ATOMIC_SEQ_CST)
#define XCHG(lvalue, v)         __atomic_exchange_n(&(lvalue), (v), __ATOMIC_SEQ_CST)
/* True if lvalue was `old` and is now `new`. Integers, or pointers of lvalue's type. */
#define CMPXCHG(lvalue, old, new) \
        ({ __typeof__(lvalue) o_k = (old); \
           __atomic_compare_exchange_n(&(lvalue), &o_k, (new), 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); })
SAFE_API static inline void memory_barrier(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
SAFE_API void cpu_relax(void);          /* in a spin loop */
