/* SPDX-License-Identifier: Apache-2.0
 *
 * Integers by width, and the few words every file uses.
 */
#pragma once

typedef unsigned char  u8;
typedef unsigned short u16;
typedef unsigned int   u32;
typedef unsigned long  u64;
typedef signed char    i8;
typedef signed short   i16;
typedef signed int     i32;
typedef signed long    i64;
typedef unsigned long  usize;           /* sizes and counts of bytes */

#define NULL      ((void *)0)
#define U16_MAX   0xffffu
#define U32_MAX   0xffffffffu
#define U64_MAX   0xffffffffffffffffUL
#define I32_MAX   0x7fffffff
#define I32_MIN   (-I32_MAX - 1)
#define I64_MAX   0x7fffffffffffffffL

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096UL
#define PAGE_MASK  (PAGE_SIZE - 1)      /* the offset bits */

#define MAX_CPUS   64

/* Time is u64 nanoseconds since boot. */
#define NSEC_PER_SEC  1000000000UL
#define NSEC_PER_MSEC 1000000UL
#define NSEC_PER_USEC 1000UL
#define NEVER         U64_MAX           /* a deadline that never comes */

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

SAFE_API static inline u64 min_u64(u64 a, u64 b) { return a < b ? a : b; }
SAFE_API static inline u64 max_u64(u64 a, u64 b) { return a > b ? a : b; }
SAFE_API static inline u32 min_u32(u32 a, u32 b) { return a < b ? a : b; }
SAFE_API static inline i64 min_i64(i64 a, i64 b) { return a < b ? a : b; }
SAFE_API static inline i64 max_i64(i64 a, i64 b) { return a > b ? a : b; }
SAFE_API static inline u64 page_down(u64 x) { return x & ~PAGE_MASK; }
SAFE_API static inline u64 page_up(u64 x) { return (x + PAGE_MASK) & ~PAGE_MASK; }

/* Bit operations: index of the lowest / highest set bit; x must not be 0 (traps). */
SAFE_API static inline u32 bit_lowest(u64 x)  { if (!x) __builtin_trap(); return (u32)__builtin_ctzl(x); }
SAFE_API static inline u32 bit_highest(u64 x) { if (!x) __builtin_trap(); return 63u - (u32)__builtin_clzl(x); }
SAFE_API static inline u32 bit_count(u64 x)   { return (u32)__builtin_popcountl(x); }
/* Overflow-checked arithmetic: true if the sum or product did not fit. */
SAFE_API static inline bool add_overflows(u64 a, u64 b) { return a + b < a; }
SAFE_API static inline bool mul_overflows(u64 a, u64 b) { u64 r; return __builtin_mul_overflow(a, b, &r); }

/* (a * b) / d and (a * b) >> shift in 128 bits; d must not be 0 (traps). */
SAFE_API u64 mul_div(u64 a, u64 b, u64 d);
SAFE_API static inline u64 mul_shift(u64 a, u64 b, u32 shift)
{ if (shift >= 128) __builtin_trap(); return (u64)((unsigned __int128)a * b >> shift); }
