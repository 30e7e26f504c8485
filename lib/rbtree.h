/* SPDX-License-Identifier: Apache-2.0
 *
 * A red-black tree of objects; links and colour are fields of the object.
 *
 *      RBTREE_HEAD(area_tree, area);                  struct area_tree { root }
 *      RBTREE_FUNCTIONS(area_tree, area, left, right, up, red, area_less, area_update)
 *
 * LESS(a, b) orders two objects.  UPDATE(x) recomputes what x knows about its subtree (such
 * as the largest gap) from its children, or is RBTREE_NO_UPDATE; after changing x in place,
 * call NAME_updated(x).  Searches are written by the user, from t->root down; first, last,
 * next and prev walk in order.
 *
 * Invariants  R1 a red node has no red child; R2 every path from a node down has the same
 *             number of black nodes.  NAME_check() tells whether they hold.
 */
#pragma once

#define RBTREE_HEAD(NAME, TYPE) struct NAME { struct TYPE *root; }
#define RBTREE_NO_UPDATE(x) do { } while (0)

#define RBTREE_FUNCTIONS(NAME, TYPE, LEFT, RIGHT, UP, RED, LESS, UPDATE)                \
static inline unused struct TYPE *NAME##_first(const struct NAME *t)                    \
{                                                                                       \
        struct TYPE *x = t->root;                                                       \
        while (x && x->LEFT)                                                            \
                x = x->LEFT;                                                            \
        return x;                                                                       \
}                                                                                       \
static inline unused struct TYPE *NAME##_last(const struct NAME *t)                     \
{                                                                                       \
        struct TYPE *x = t->root;                                                       \
        while (x && x->RIGHT)                                                           \
                x = x->RIGHT;                                                           \
        return x;                                                                       \
}                                                                                       \
static inline unused struct TYPE *NAME##_next(struct TYPE *x)                           \
{                                                                                       \
        if (x->RIGHT) {                                                                 \
                x = x->RIGHT;                                                           \
                while (x->LEFT)                                                         \
                        x = x->LEFT;                                                    \
                return x;                                                               \
        }                                                                               \
        while (x->UP && x->UP->RIGHT == x)                                              \
                x = x->UP;                                                              \
        return x->UP;                                                                   \
}                                                                                       \
static inline unused struct TYPE *NAME##_prev(struct TYPE *x)                           \
{                                                                                       \
        if (x->LEFT) {                                                                  \
                x = x->LEFT;                                                            \
                while (x->RIGHT)                                                        \
                        x = x->RIGHT;                                                   \
                return x;                                                               \
        }                                                                               \
        while (x->UP && x->UP->LEFT == x)                                               \
                x = x->UP;                                                              \
        return x->UP;                                                                   \
}                                                                                       \
/* What x knows of its subtree has changed. */                                          \
static inline unused void NAME##_updated(struct TYPE *x)                                \
{                                                                                       \
        for (; x; x = x->UP)                                                            \
                UPDATE(x);                                                              \
}                                                                                       \
/* Puts y where x hangs. */                                                             \
static inline unused void NAME##_replace(struct NAME *t, struct TYPE *x, struct TYPE *y) \
{                                                                                       \
        if (!x->UP)                                                                     \
                t->root = y;                                                            \
        else if (x->UP->LEFT == x)                                                      \
                x->UP->LEFT = y;                                                        \
        else                                                                            \
                x->UP->RIGHT = y;                                                       \
        if (y)                                                                          \
                y->UP = x->UP;                                                          \
}                                                                                       \
static unused void NAME##_rotate_left(struct NAME *t, struct TYPE *x)                   \
{                                                                                       \
        struct TYPE *y = x->RIGHT;                                                      \
        x->RIGHT = y->LEFT;                                                             \
        if (y->LEFT)                                                                    \
                y->LEFT->UP = x;                                                        \
        NAME##_replace(t, x, y);                                                        \
        y->LEFT = x;                                                                    \
        x->UP = y;                                                                      \
        UPDATE(x);                                                                      \
        UPDATE(y);                                                                      \
}                                                                                       \
static unused void NAME##_rotate_right(struct NAME *t, struct TYPE *x)                  \
{                                                                                       \
        struct TYPE *y = x->LEFT;                                                       \
        x->LEFT = y->RIGHT;                                                             \
        if (y->RIGHT)                                                                   \
                y->RIGHT->UP = x;                                                       \
        NAME##_replace(t, x, y);                                                        \
        y->RIGHT = x;                                                                   \
        x->UP = y;                                                                      \
        UPDATE(x);                                                                      \
        UPDATE(y);                                                                      \
}                                                                                       \
/* x hangs in its place as a leaf, up to date; restores R1. */                          \
static unused void NAME##_balance(struct NAME *t, struct TYPE *x)                       \
{                                                                                       \
        x->RED = true;                                                                  \
        while (x->UP && x->UP->RED) {                                                   \
                struct TYPE *p = x->UP, *g = p->UP;                                     \
                if (g->LEFT == p) {                                                     \
                        struct TYPE *u = g->RIGHT;                                      \
                        if (u && u->RED) {                                              \
                                p->RED = false;                                         \
                                u->RED = false;                                         \
                                g->RED = true;                                          \
                                x = g;                                                  \
                                continue;                                               \
                        }                                                               \
                        if (p->RIGHT == x) {                                            \
                                NAME##_rotate_left(t, p);                               \
                                p = x;                                                  \
                        }                                                               \
                        p->RED = false;                                                 \
                        g->RED = true;                                                  \
                        NAME##_rotate_right(t, g);                                      \
                } else {                                                                \
                        struct TYPE *u = g->LEFT;                                       \
                        if (u && u->RED) {                                              \
                                p->RED = false;                                         \
                                u->RED = false;                                         \
                                g->RED = true;                                          \
                                x = g;                                                  \
                                continue;                                               \
                        }                                                               \
                        if (p->LEFT == x) {                                             \
                                NAME##_rotate_right(t, p);                              \
                                p = x;                                                  \
                        }                                                               \
                        p->RED = false;                                                 \
                        g->RED = true;                                                  \
                        NAME##_rotate_left(t, g);                                       \
                }                                                                       \
                break;                                                                  \
        }                                                                               \
        t->root->RED = false;                                                           \
}                                                                                       \
/* Equal ones go behind those that are there. */                                        \
static unused void NAME##_insert(struct NAME *t, struct TYPE *x)                        \
{                                                                                       \
        struct TYPE *up = NULL;                                                         \
        bool left = false;                                                              \
        for (struct TYPE *at = t->root; at; at = left ? at->LEFT : at->RIGHT) {         \
                up = at;                                                                \
                left = LESS(x, at);                                                     \
        }                                                                               \
        x->UP = up;                                                                     \
        x->LEFT = NULL;                                                                 \
        x->RIGHT = NULL;                                                                \
        if (!up)                                                                        \
                t->root = x;                                                            \
        else if (left)                                                                  \
                up->LEFT = x;                                                           \
        else                                                                            \
                up->RIGHT = x;                                                          \
        NAME##_updated(x);                                                              \
        NAME##_balance(t, x);                                                           \
}                                                                                       \
/* A black node is missing above x (perhaps NULL), whose parent is p; restores R2. */   \
static unused void NAME##_fill(struct NAME *t, struct TYPE *x, struct TYPE *p)          \
{                                                                                       \
        while (p && !(x && x->RED)) {                                                   \
                if (p->LEFT == x) {                                                     \
                        struct TYPE *s = p->RIGHT;                                      \
                        if (s->RED) {                                                   \
                                s->RED = false;                                         \
                                p->RED = true;                                          \
                                NAME##_rotate_left(t, p);                               \
                                s = p->RIGHT;                                           \
                        }                                                               \
                        if (!(s->LEFT && s->LEFT->RED) && !(s->RIGHT && s->RIGHT->RED)) { \
                                s->RED = true;                                          \
                                x = p;                                                  \
                                p = x->UP;                                              \
                                continue;                                               \
                        }                                                               \
                        if (!(s->RIGHT && s->RIGHT->RED)) {                             \
                                s->LEFT->RED = false;                                   \
                                s->RED = true;                                          \
                                NAME##_rotate_right(t, s);                              \
                                s = p->RIGHT;                                           \
                        }                                                               \
                        s->RED = p->RED;                                                \
                        p->RED = false;                                                 \
                        s->RIGHT->RED = false;                                          \
                        NAME##_rotate_left(t, p);                                       \
                } else {                                                                \
                        struct TYPE *s = p->LEFT;                                       \
                        if (s->RED) {                                                   \
                                s->RED = false;                                         \
                                p->RED = true;                                          \
                                NAME##_rotate_right(t, p);                              \
                                s = p->LEFT;                                            \
                        }                                                               \
                        if (!(s->LEFT && s->LEFT->RED) && !(s->RIGHT && s->RIGHT->RED)) { \
                                s->RED = true;                                          \
                                x = p;                                                  \
                                p = x->UP;                                              \
                                continue;                                               \
                        }                                                               \
                        if (!(s->LEFT && s->LEFT->RED)) {                               \
                                s->RIGHT->RED = false;                                  \
                                s->RED = true;                                          \
                                NAME##_rotate_left(t, s);                               \
                                s = p->LEFT;                                            \
                        }                                                               \
                        s->RED = p->RED;                                                \
                        p->RED = false;                                                 \
                        s->LEFT->RED = false;                                           \
                        NAME##_rotate_right(t, p);                                      \
                }                                                                       \
                x = t->root;                                                            \
                break;                                                                  \
        }                                                                               \
        if (x)                                                                          \
                x->RED = false;                                                         \
}                                                                                       \
static unused void NAME##_remove(struct NAME *t, struct TYPE *z)                        \
{                                                                                       \
        struct TYPE *x, *p;                                                             \
        bool black = !z->RED;                                                           \
        if (!z->LEFT || !z->RIGHT) {                                                    \
                x = z->LEFT ? z->LEFT : z->RIGHT;                                       \
                p = z->UP;                                                              \
                NAME##_replace(t, z, x);                                                \
        } else {                                                                        \
                struct TYPE *y = z->RIGHT;                                              \
                while (y->LEFT)                                                         \
                        y = y->LEFT;                                                    \
                black = !y->RED;                                                        \
                x = y->RIGHT;                                                           \
                p = y;                                                                  \
                if (y->UP != z) {                                                       \
                        p = y->UP;                                                      \
                        NAME##_replace(t, y, x);                                        \
                        y->RIGHT = z->RIGHT;                                            \
                        y->RIGHT->UP = y;                                               \
                }                                                                       \
                NAME##_replace(t, z, y);                                                \
                y->LEFT = z->LEFT;                                                      \
                y->LEFT->UP = y;                                                        \
                y->RED = z->RED;                                                        \
        }                                                                               \
        NAME##_updated(p);                                                              \
        if (black)                                                                      \
                NAME##_fill(t, x, p);                                                   \
        z->LEFT = NULL;                                                                 \
        z->RIGHT = NULL;                                                                \
        z->UP = NULL;                                                                   \
}                                                                                       \
static unused bool NAME##_check(const struct NAME *t)                                   \
{                                                                                       \
        u32 want = 0;                                                                   \
        if (t->root && (t->root->RED || t->root->UP))                                   \
                return false;                                                           \
        for (struct TYPE *x = NAME##_first(t); x; x = NAME##_next(x)) {                 \
                if (x->RED && ((x->LEFT && x->LEFT->RED) || (x->RIGHT && x->RIGHT->RED))) \
                        return false;                                                   \
                if ((x->LEFT && (x->LEFT->UP != x || LESS(x, x->LEFT))) ||              \
                    (x->RIGHT && (x->RIGHT->UP != x || LESS(x->RIGHT, x))))             \
                        return false;                                                   \
                if (!x->LEFT || !x->RIGHT) {                                            \
                        u32 depth = 1;                                                  \
                        for (struct TYPE *y = x; y; y = y->UP)                          \
                                depth += !y->RED;                                       \
                        if (want && depth != want)                                      \
                                return false;                                           \
                        want = depth;                                                   \
                }                                                                       \
        }                                                                               \
        return true;                                                                    \
}
