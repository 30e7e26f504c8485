/* SPDX-License-Identifier: Apache-2.0
 *
 * A doubly linked list of objects; an object is in one list per pair of link fields.
 *
 *      LIST_HEAD(runq, thread);                       struct runq { first, last }
 *      LIST_FUNCTIONS(runq, thread, next, prev)
 *      runq_push_back(&q, t); runq_remove(&q, t);
 *      for (struct thread *t = q.first; t; t = t->next)
 */
#pragma once

#define LIST_HEAD(NAME, TYPE) struct NAME { struct TYPE *first, *last; }

#define LIST_FUNCTIONS(NAME, TYPE, NEXT, PREV)                                          \
static inline unused bool NAME##_is_empty(const struct NAME *l) { return l->first == NULL; } \
static inline unused void NAME##_push_back(struct NAME *l, struct TYPE *x)              \
{                                                                                       \
        x->NEXT = NULL;                                                                 \
        x->PREV = l->last;                                                              \
        if (l->last)                                                                    \
                l->last->NEXT = x;                                                      \
        else                                                                            \
                l->first = x;                                                           \
        l->last = x;                                                                    \
}                                                                                       \
static inline unused void NAME##_push_front(struct NAME *l, struct TYPE *x)             \
{                                                                                       \
        x->PREV = NULL;                                                                 \
        x->NEXT = l->first;                                                             \
        if (l->first)                                                                   \
                l->first->PREV = x;                                                     \
        else                                                                            \
                l->last = x;                                                            \
        l->first = x;                                                                   \
}                                                                                       \
/* Behind `at`, which is in the list. */                                                \
static inline unused void NAME##_insert_after(struct NAME *l, struct TYPE *at, struct TYPE *x) \
{                                                                                       \
        x->PREV = at;                                                                   \
        x->NEXT = at->NEXT;                                                             \
        if (at->NEXT)                                                                   \
                at->NEXT->PREV = x;                                                     \
        else                                                                            \
                l->last = x;                                                            \
        at->NEXT = x;                                                                   \
}                                                                                       \
static inline unused void NAME##_remove(struct NAME *l, struct TYPE *x)                 \
{                                                                                       \
        if (x->PREV)                                                                    \
                x->PREV->NEXT = x->NEXT;                                                \
        else                                                                            \
                l->first = x->NEXT;                                                     \
        if (x->NEXT)                                                                    \
                x->NEXT->PREV = x->PREV;                                                \
        else                                                                            \
                l->last = x->PREV;                                                      \
        x->NEXT = NULL;                                                                 \
        x->PREV = NULL;                                                                 \
}                                                                                       \
static inline unused struct TYPE *NAME##_pop_front(struct NAME *l)                      \
{                                                                                       \
        struct TYPE *x = l->first;                                                      \
        if (x)                                                                          \
                NAME##_remove(l, x);                                                    \
        return x;                                                                       \
}
