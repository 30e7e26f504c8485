/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of nodes that live for ever, by index.
 *
 * Invariants  K6  a chunk belongs to one table for ever, its entries never move
 *             K7  an index reaches an entry only if it is below `n`, whose chunk is there
 */
#include "table.h"
#include "mem.h"

void *table_at(struct table *t, u32 index)
{
        u32 per = (u32)((PAGE_SIZE << TABLE_ORDER) / t->size);

        if (index == 0 || index > __atomic_load_n(&t->n, __ATOMIC_ACQUIRE))
                return NULL;
        /* SAFETY: K7: below n. */
        return t->chunk[(index - 1) / per] + (u64)((index - 1) % per) * t->size;
}

void *table_get(struct table *t, u32 index, u32 gen)
{
        struct tentry *e = table_at(t, index);
        return e && __atomic_load_n(&e->live, __ATOMIC_ACQUIRE) && e->gen == gen ? e : NULL;
}

static struct tentry *take_free(struct table *t)
{
        struct tentry *e = table_at(t, t->free);
        if (e)
                t->free = e->next_free;
        return e;
}

/* Makes one more entry; a chunk of memory when the last one is full. */
static struct tentry *grow(struct table *t)
{
        u32 per = (u32)((PAGE_SIZE << TABLE_ORDER) / t->size), i = t->n / per;

        if (i >= TABLE_CHUNKS)
                return NULL;
        if (!t->chunk[i] && !(t->chunk[i] = kpages_alloc(TABLE_ORDER)))
                return NULL;
        __atomic_store_n(&t->n, t->n + 1, __ATOMIC_RELEASE);
        struct tentry *e = table_at(t, t->n);
        e->index = t->n;
        e->gen = 1;
        return e;
}

void *table_new(struct table *t)
{
        klock_lock(&t->lock);
        struct tentry *e = take_free(t);
        if (!e)
                e = grow(t);
        klock_unlock(&t->lock);
        if (e)
                __atomic_store_n(&e->live, 1, __ATOMIC_RELEASE);
        return e;
}

void table_free(struct table *t, void *entry)
{
        struct tentry *e = entry;

        __atomic_store_n(&e->live, 0, __ATOMIC_RELEASE);
        klock_lock(&t->lock);
        if (++e->gen == 0)
                e->gen = 1;
        e->next_free = t->free;
        t->free = e->index;
        klock_unlock(&t->lock);
}
