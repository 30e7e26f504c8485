/* SPDX-License-Identifier: Apache-2.0
 *
 * Hash chains in a table of heads, written under a lock of the owner's, read with or
 * without it.
 *
 *      HMAP_HEAD(pid_map, pid, 1024);                 struct pid_map { head[1024], changes }; a power of two
 *      HMAP_FUNCTIONS(pid_map, pid, next, 1024)
 *
 * Writers call add and remove under their lock.  A reader without it:
 *
 *      u64 at = pid_map_begin(&m);
 *      struct pid *p = pid_map_first(&m, hash);
 *      for (; p; p = PTR_LOAD(p->next)) if (matches(p) && pid_try_hold(p)) { if (still matches) … }
 *      if (!p && pid_map_moved(&m, at)) look again under the lock
 *
 * An element that was removed and reused can divert a chain; hence the check of a miss.
 */
#pragma once

#define HMAP_HEAD(NAME, TYPE, SIZE) struct NAME { u64 changes; struct TYPE *head[SIZE]; }

#define HMAP_FUNCTIONS(NAME, TYPE, NEXT, SIZE)                                          \
static inline unused u64 NAME##_begin(const struct NAME *m) { return LOAD(m->changes); } \
static inline unused bool NAME##_moved(const struct NAME *m, u64 at)                    \
{ memory_barrier(); return (at & 1) != 0 || LOAD(m->changes) != at; }                   \
static inline unused struct TYPE *NAME##_first(const struct NAME *m, u32 hash)          \
{ return PTR_LOAD(m->head[hash & ((SIZE) - 1)]); }                                      \
static inline unused void NAME##_add(struct NAME *m, struct TYPE *x, u32 hash)          \
{                                                                                       \
        PTR_STORE(x->NEXT, m->head[hash & ((SIZE) - 1)]);                               \
        PTR_STORE(m->head[hash & ((SIZE) - 1)], x);                                     \
}                                                                                       \
/* x must be in the map under this hash. */                                             \
static inline unused void NAME##_remove(struct NAME *m, struct TYPE *x, u32 hash)       \
{                                                                                       \
        FETCH_ADD(m->changes, 1);                                                       \
        if (m->head[hash & ((SIZE) - 1)] == x) {                                        \
                PTR_STORE(m->head[hash & ((SIZE) - 1)], x->NEXT);                       \
        } else {                                                                        \
                struct TYPE *at = m->head[hash & ((SIZE) - 1)];                         \
                while (at->NEXT != x)                                                   \
                        at = at->NEXT;                                                  \
                PTR_STORE(at->NEXT, x->NEXT);                                           \
        }                                                                               \
        FETCH_ADD(m->changes, 1);                                                       \
}
