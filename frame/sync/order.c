/* SPDX-License-Identifier: Apache-2.0
 *
 * Debug build: the order of lock classes.  A class may be taken under those that its
 * AFTER() names, and under what those may be taken under; a leaf under any; a spin lock
 * under any lock that sleeps, as the opposite order traps.  Anything else is reported once per pair, with the
 * opposite order when it was declared or seen.
 */
#include "sync_impl.h"

#ifdef KEEL_DEBUG
#pragma clang diagnostic ignored "-Wframe-address"

#define CLASSES 160                     /* beyond: not checked */

extern struct lock_class k_lock_classes_start[], k_lock_classes_end[];
static u64 seen_at[CLASSES][CLASSES];   /* [outer][inner]: who first did it; atomic */
static u32 violations;

static const struct lock_class *class_of(u32 id)
{
        u64 n = (u64)(k_lock_classes_end - k_lock_classes_start);
        return id >= 1 && id <= n && id < CLASSES ? &k_lock_classes_start[id - 1] : NULL;
}

static u32 id_of(const struct lock_class *c) { return (u32)(c - k_lock_classes_start + 1); }

/* Does the declaration let `inner` be taken under `outer`? */
static bool declared(const struct lock_class *outer, const struct lock_class *inner, u32 depth)
{
        for (u32 i = 0; i < ARRAY_SIZE(inner->after_k) && inner->after_k[i]; i++)
                if (inner->after_k[i] == outer || (depth < 16 && inner->after_k[i] != inner && declared(outer, inner->after_k[i], depth + 1)))
                        return true;
        return false;
}

static bool allowed(const struct lock_class *outer, const struct lock_class *inner)
{
        return (inner->leaf_k && !outer->leaf_k) || declared(outer, inner, 0);
}

static void report(const struct lock_class *outer, const struct lock_class *inner, u64 ip)
{
        u64 off = 0, other = seen_at[id_of(inner)][id_of(outer)];
        const char *where = k_symbol(ip, &off), *there = other ? k_symbol(other, &off) : NULL;

        __atomic_fetch_add(&violations, 1, __ATOMIC_RELAXED);
        k_print("lock order: %s taken under %s in %s: not declared\n", (u64)inner->name_k, (u64)outer->name_k, (u64)(where ? where : "?"));
        if (there)
                k_print("lock order: %s was taken under %s in %s\n", (u64)outer->name_k, (u64)inner->name_k, (u64)there);
        else if (allowed(inner, outer))
                k_print("lock order: %s is declared AFTER %s\n", (u64)outer->name_k, (u64)inner->name_k, 0);
}

/* SAFETY: S2: what stands in the array is a lock of that kind, in stable memory. */
static u32 held_class(u64 entry)
{
        void *lock = held_what(entry);

        switch (held_kind_of(entry)) {
        case HELD_SPIN:  return ((struct spinlock *)lock)->class_k;
        case HELD_MUTEX: return ((struct mutex *)lock)->class_k;
        case HELD_READ:
        case HELD_WRITE: return ((struct rwlock *)lock)->class_k;
        default:         return 0;
        }
}

void noinline order_taking(u32 id, bool spin)
{
        const struct lock_class *inner = class_of(id);
        struct task *t = current_task();
        u64 ip = (u64)__builtin_return_address(1);

        if (!inner)
                return;
        for (u32 i = t->n_held; t->held[i] != HELD_BASE; i--) {
                const struct lock_class *outer = class_of(held_class(t->held[i]));
                if (spin && held_kind_of(t->held[i]) != HELD_SPIN)
                        continue;
                u64 none = 0;
                if (outer && __atomic_compare_exchange_n(&seen_at[id_of(outer)][id], &none, ip, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED) &&
                    !allowed(outer, inner))
                        report(outer, inner, ip);
        }
}

#endif
