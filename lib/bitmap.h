/* SPDX-License-Identifier: Apache-2.0
 *
 * Bits in words.
 *
 *      BITMAP(cpus, 128);                      struct cpus { u64 word[2]; }
 *      BITMAP_FUNCTIONS(cpus, 128)             a multiple of 64
 *
 * As an allocator of numbers: NAME_first_zero(from) then NAME_set.
 */
#pragma once

#define BITMAP(NAME, BITS) struct NAME { u64 word[(BITS) / 64]; }

#define BITMAP_FUNCTIONS(NAME, BITS)                                                    \
static inline unused bool NAME##_test(const struct NAME *m, u32 i) { return (m->word[i >> 6] >> (i & 63) & 1) != 0; } \
static inline unused void NAME##_set(struct NAME *m, u32 i)   { m->word[i >> 6] |= 1ul << (i & 63); }   \
static inline unused void NAME##_clear(struct NAME *m, u32 i) { m->word[i >> 6] &= ~(1ul << (i & 63)); } \
/* The first bit >= from that is 0 (or 1), or BITS. */                                  \
static inline unused u32 NAME##_first_zero(const struct NAME *m, u32 from)              \
{                                                                                       \
        while (from < (BITS)) {                                                         \
                u64 w = ~m->word[from >> 6] >> (from & 63);                             \
                if (w)                                                                  \
                        return from + bit_lowest(w);                                    \
                from = (from | 63) + 1;                                                 \
        }                                                                               \
        return (BITS);                                                                  \
}                                                                                       \
static inline unused u32 NAME##_first_one(const struct NAME *m, u32 from)               \
{                                                                                       \
        while (from < (BITS)) {                                                         \
                u64 w = m->word[from >> 6] >> (from & 63);                              \
                if (w)                                                                  \
                        return from + bit_lowest(w);                                    \
                from = (from | 63) + 1;                                                 \
        }                                                                               \
        return (BITS);                                                                  \
}                                                                                       \
static inline unused u32 NAME##_count(const struct NAME *m)                             \
{                                                                                       \
        u32 n = 0;                                                                      \
        for (u32 i = 0; i < (BITS) / 64; i++)                                           \
                n += bit_count(m->word[i]);                                             \
        return n;                                                                       \
}
