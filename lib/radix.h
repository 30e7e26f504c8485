/* SPDX-License-Identifier: Apache-2.0
 *
 * A sparse array: u64 index → pointer to a storable type, in nodes of 64.
 *
 *      RADIX_TYPES(pages, frame)               struct pages, OBJECT(pages_leaf), OBJECT(pages_inner); in a header
 *      RADIX_POOLS(pages)                      in one .c
 *      RADIX_FUNCTIONS(pages, frame)           in the .c files that use it
 *
 * NAME_get may run without the owner's lock while others set and clear under it.  What it
 * then finds may be stale, even another tree's: hold it and check again, as the owner's
 * sequence count says (a clear that empties a node gives the node back).
 *
 * Indexes 0 to 63 lie in `leaf`, all others below `top`, whose shift grows as needed.
 * Marks are two bits per index (dirty, being written), for whatever the owner means.
 */
#pragma once

#define RADIX_TYPES(NAME, TYPE)                                                         \
OBJECT(NAME##_leaf) {                                                                   \
        u32 used, spare;                                                                \
        u64 mark[2];                                                                    \
        struct TYPE *slot[64];                                                          \
};                                                                                      \
OBJECT(NAME##_inner) {                                                                  \
        u32 used, shift;                /* children cover 1 << shift indexes each; 6: leaves */ \
        struct NAME##_leaf *leaf[64];                                                   \
        struct NAME##_inner *child[64];                                                 \
};                                                                                      \
POOL_DECLARE(NAME##_leaf)                                                               \
POOL_DECLARE(NAME##_inner)                                                              \
struct NAME { struct NAME##_leaf *leaf; struct NAME##_inner *top; };

#define RADIX_POOLS(NAME)                                                               \
POOL_DEFINE(NAME##_leaf, NO_FINI);                                                    \
POOL_DEFINE(NAME##_inner, NO_FINI);

#define RADIX_FUNCTIONS(NAME, TYPE)                                                     \
/* The leaf that holds index, or NULL. */                                               \
static inline unused struct NAME##_leaf *NAME##_find_leaf(const struct NAME *t, u64 index) \
{                                                                                       \
        if (index < 64)                                                                 \
                return PTR_LOAD(t->leaf);                                               \
        struct NAME##_inner *n = PTR_LOAD(t->top);                                      \
        if (!n || (index >> (LOAD_RELAXED(n->shift) & 63)) > 63)                        \
                return NULL;                                                            \
        for (u32 i = 0; n && i < 10; i++) {                                             \
                u32 shift = LOAD_RELAXED(n->shift) & 63;                                \
                u32 at = (u32)(index >> shift) & 63;                                    \
                if (shift <= 6)                                                         \
                        return PTR_LOAD(n->leaf[at]);                                   \
                n = PTR_LOAD(n->child[at]);                                             \
        }                                                                               \
        return NULL;                                                                    \
}                                                                                       \
static inline unused struct TYPE *NAME##_get(const struct NAME *t, u64 index)           \
{                                                                                       \
        struct NAME##_leaf *l = NAME##_find_leaf(t, index);                             \
        return l ? PTR_LOAD(l->slot[index & 63]) : NULL;                                \
}                                                                                       \
/* Gives back the nodes on the way to index that are empty. */                          \
static unused void NAME##_prune(struct NAME *t, u64 index)                              \
{                                                                                       \
        if (index < 64) {                                                               \
                struct NAME##_leaf *l = t->leaf;                                        \
                if (!l || l->used)                                                      \
                        return;                                                         \
                PTR_STORE(t->leaf, NULL);                                               \
                NAME##_leaf_drop(l);                                                    \
                return;                                                                 \
        }                                                                               \
        for (;;) {                      /* the lowest one, as long as it is empty */    \
                struct NAME##_inner *up = NULL, *n = t->top;                            \
                if (!n || (index >> n->shift) > 63)                                     \
                        return;                                                         \
                while (n->shift > 6 && n->child[(index >> n->shift) & 63]) {            \
                        up = n;                                                         \
                        n = n->child[(index >> n->shift) & 63];                         \
                }                                                                       \
                struct NAME##_leaf *l = n->shift == 6 ? n->leaf[(index >> 6) & 63] : NULL; \
                if (l && !l->used) {                                                    \
                        PTR_STORE(n->leaf[(index >> 6) & 63], NULL);                    \
                        NAME##_leaf_drop(l);                                            \
                        n->used--;                                                      \
                }                                                                       \
                if (n->used)                                                            \
                        return;                                                         \
                if (!up) {                                                              \
                        PTR_STORE(t->top, NULL);                                        \
                } else {                                                                \
                        PTR_STORE(up->child[(index >> up->shift) & 63], NULL);          \
                        up->used--;                                                     \
                }                                                                       \
                NAME##_inner_drop(n);                                                   \
        }                                                                               \
}                                                                                       \
/* A top that reaches index; false: no memory. */                                       \
static unused bool NAME##_grow(struct NAME *t, u64 index, struct payer *payer, enum alloc_mode mode) \
{                                                                                       \
        u32 shift = 6;                                                                  \
        while ((index >> shift) > 63)                                                   \
                shift += 6;                                                             \
        while (!t->top || t->top->shift < shift) {                                      \
                struct NAME##_inner *n = NAME##_inner_alloc(payer, mode);               \
                if (!n)                                                                 \
                        return false;                                                   \
                n->shift = shift;                                                       \
                if (t->top) {           /* no empty node below: nobody would give it back */ \
                        n->shift = t->top->shift + 6;                                   \
                        n->child[0] = t->top;                                           \
                        n->used = 1;                                                    \
                }                                                                       \
                PTR_STORE(t->top, n);                                                   \
        }                                                                               \
        return true;                                                                    \
}                                                                                       \
/* Makes the leaf for index; NULL: no memory (what was made is given back). */          \
static unused struct NAME##_leaf *NAME##_make_leaf(struct NAME *t, u64 index, struct payer *payer, enum alloc_mode mode) \
{                                                                                       \
        if (index < 64) {                                                               \
                if (!t->leaf) {                                                         \
                        struct NAME##_leaf *l = NAME##_leaf_alloc(payer, mode);         \
                        PTR_STORE(t->leaf, l);                                          \
                }                                                                       \
                return t->leaf;                                                         \
        }                                                                               \
        if (!NAME##_grow(t, index, payer, mode))                                        \
                return NULL;                                                            \
        struct NAME##_inner *n = t->top;                                                \
        u32 at = (u32)(index >> n->shift) & 63;                                         \
        while (n->shift > 6) {                                                          \
                if (!n->child[at]) {                                                    \
                        struct NAME##_inner *c = NAME##_inner_alloc(payer, mode);       \
                        if (!c) {                                                       \
                                NAME##_prune(t, index);                                 \
                                return NULL;                                            \
                        }                                                               \
                        c->shift = n->shift - 6;                                        \
                        PTR_STORE(n->child[at], c);                                     \
                        n->used++;                                                      \
                }                                                                       \
                n = n->child[at];                                                       \
                at = (u32)(index >> n->shift) & 63;                                     \
        }                                                                               \
        if (!n->leaf[at]) {                                                             \
                struct NAME##_leaf *l = NAME##_leaf_alloc(payer, mode);                 \
                if (!l) {                                                               \
                        NAME##_prune(t, index);                                         \
                        return NULL;                                                    \
                }                                                                       \
                PTR_STORE(n->leaf[at], l);                                              \
                n->used++;                                                              \
        }                                                                               \
        return n->leaf[at];                                                             \
}                                                                                       \
/* Stores p (not NULL); false: no memory. */                                            \
static unused bool NAME##_set(struct NAME *t, u64 index, struct TYPE *p, struct payer *payer, enum alloc_mode mode) \
{                                                                                       \
        struct NAME##_leaf *l = NAME##_make_leaf(t, index, payer, mode);                \
        if (!l)                                                                         \
                return false;                                                           \
        if (!l->slot[index & 63])                                                       \
                l->used++;                                                              \
        PTR_STORE(l->slot[index & 63], p);                                              \
        return true;                                                                    \
}                                                                                       \
/* Takes out and returns what was there. */                                             \
static unused struct TYPE *NAME##_clear(struct NAME *t, u64 index)                      \
{                                                                                       \
        struct NAME##_leaf *l = NAME##_find_leaf(t, index);                             \
        struct TYPE *p = l ? l->slot[index & 63] : NULL;                                \
        if (!p)                                                                         \
                return NULL;                                                            \
        PTR_STORE(l->slot[index & 63], NULL);                                           \
        l->mark[0] &= ~(1ul << (index & 63));                                           \
        l->mark[1] &= ~(1ul << (index & 63));                                           \
        if (--l->used == 0)                                                             \
                NAME##_prune(t, index);                                                 \
        return p;                                                                       \
}                                                                                       \
/* The first index in [from, to) that has something, or `to`.  Owner's lock held. */    \
static unused u64 NAME##_next(const struct NAME *t, u64 from, u64 to)                   \
{                                                                                       \
        while (from < to) {                                                             \
                u64 skip = 64;                                                          \
                struct NAME##_leaf *l = NULL;                                           \
                if (from < 64) {                                                        \
                        l = t->leaf;                                                    \
                } else {                                                                \
                        struct NAME##_inner *n = t->top;                                \
                        if (!n || (n->shift < 58 && (from >> n->shift) > 63))           \
                                return to;                                              \
                        while (n) {                                                     \
                                u32 at = (u32)(from >> n->shift) & 63;                  \
                                skip = 1ul << n->shift;                                 \
                                if (n->shift == 6) {                                    \
                                        l = n->leaf[at];                                \
                                        break;                                          \
                                }                                                       \
                                n = n->child[at];                                       \
                        }                                                               \
                }                                                                       \
                if (l)                                                                  \
                        for (u32 i = (u32)from & 63; i < 64; i++)                       \
                                if (l->slot[i])                                         \
                                        return min_u64((from & ~63ul) + i, to);         \
                from = (from & ~(skip - 1)) + skip;                                     \
                if (from == 0)                                                          \
                        return to;                                                      \
        }                                                                               \
        return to;                                                                      \
}
