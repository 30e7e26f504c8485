/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of the framework's own nodes, named by index: what a timer,
 * notifier or interrupt handler embedded in an object stands for, and the tasks.
 * Memory of a table is never given to another type, so any index may be looked up.
 */
#pragma once
#include "arch.h"

struct tentry {                 /* first in each entry */
        u32 index;              /* its own; from 1 */
        u32 gen;                /* grows at each free: an old handle does not fit */
        u32 next_free;
        u32 live;               /* atomic */
};

#define TABLE_CHUNKS 2048
#define TABLE_ORDER  2          /* pages per chunk: 4 */
struct table {
        struct klock lock;
        u32 size;               /* of an entry */
        u32 free, n;            /* first free index; entries ever made */
        u8 *chunk[TABLE_CHUNKS];
};
#define TABLE(NAME, TYPE) static struct table NAME = { .size = (sizeof(TYPE) + 15) & ~15u }

void *table_new(struct table *t);                       /* zero at its first use; NULL: no memory */
void  table_free(struct table *t, void *entry);
/* The live entry that a handle names, or NULL: any handle may be asked. */
void *table_get(struct table *t, u32 index, u32 gen);
void *table_at(struct table *t, u32 index);             /* entry by index, live or not; NULL: never made */
