/* SPDX-License-Identifier: Apache-2.0
 *
 * A ring of values, first in first out.
 *
 *      RING(keys, u32, 64);                    struct keys { head, tail, item[64] }; a power of two
 *      RING_FUNCTIONS(keys, u32, 64)
 */
#pragma once

#define RING(NAME, ITEM, SIZE) struct NAME { u32 head, tail; ITEM item[SIZE]; }

#define RING_FUNCTIONS(NAME, ITEM, SIZE)                                                \
static inline unused u32  NAME##_count(const struct NAME *r)    { return r->tail - r->head; } \
static inline unused bool NAME##_is_empty(const struct NAME *r) { return r->tail == r->head; } \
static inline unused bool NAME##_is_full(const struct NAME *r)  { return r->tail - r->head == (SIZE); } \
static inline unused bool NAME##_push(struct NAME *r, ITEM x)                           \
{                                                                                       \
        if (NAME##_is_full(r))                                                          \
                return false;                                                           \
        r->item[r->tail++ & ((SIZE) - 1)] = x;                                          \
        return true;                                                                    \
}                                                                                       \
static inline unused bool NAME##_pop(struct NAME *r, ITEM *out)                         \
{                                                                                       \
        if (NAME##_is_empty(r))                                                         \
                return false;                                                           \
        *out = r->item[r->head++ & ((SIZE) - 1)];                                       \
        return true;                                                                    \
}
