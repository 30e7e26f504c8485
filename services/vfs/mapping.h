/* SPDX-License-Identifier: Apache-2.0
 *
 * The pages of a file: a tree from page index to frame.  A mapping is a part of its
 * inode (inode->mapping) and lives as long: who stores one holds the inode.
 *
 * Looking a page up takes no lock: walk, frame_try_hold, see that `removals` did not
 * move.  Adding and removing pages takes `lock`.
 *
 * A page table entry for a page of a file, the vm's order of work:
 *      mapping_fault(...)                  the page, counted
 *      cursor_map(...)                     under the page-table lock
 *      if (!mapping_has(m, index, frame))  truncated meanwhile: unmap it again, retry
 * and truncation: new size, unmap hook, pages out of the tree, unmap hook again.
 *
 * Areas   `areas` is the vm's list of the areas that map this file, guarded by areas_lock;
 *         vfs only hands it to the vm's hooks.
 */
#pragma once
#include "services/vfs/hooks.h"
#include "lib/radix.h"

BASE(inode);
OBJECT(vm_area);                        /* the vm's */
STABLE(mapping);

RADIX_TYPES(page_tree, frame)
#define MAPPING_FEW 4                   /* pages of small files, without a node */

/*                called with            does
 * fill           nothing locked         gives a new frame the content of page index (may sleep); the frame is
 *                                       zeroed and not yet in the tree.  NULL: pages that are not there are zeros
 * reserve        nothing locked         asked before a page is added to the tree (size limits): ENOSPC
 * release        lock (spin)            pages left the tree again
 * Pages are charged to the current thread's payer. */
STABLE(mapping_ops) {
        err_t (*fill)(struct mapping *m, u64 index, struct frame *f);
        err_t (*reserve)(struct mapping *m, u64 pages);
        void  (*release)(struct mapping *m, u64 pages);
};

STABLE(mapping) {
        struct inode *host;             /* not counted: the inode around it; fixed */
        const struct mapping_ops *ops;  /* NULL: no pages here; fixed */
        struct frame *few[MAPPING_FEW]; /* pages 0 to 3, counted; PTR_LOAD; lock */
        struct page_tree tree;          /* the others, counted; PTR_LOAD; lock */
        u64 removals;                   /* ATOMIC: odd while pages are being removed */
        struct page_tree promised;      /* counted: pages of zeros that nobody has written to; readers see a hole; lock */
        u64 pages;                      /* in the trees; lock */
        struct spinlock lock;           /* class mapping */
        struct rwlock areas_lock;       /* class mapping_areas; after mmap_lock */
        struct vm_area *areas;          /* areas_lock; the vm's */
        u32 writable_areas;             /* shared writable ones; areas_lock; the vm counts */
        bool no_writers;                /* no more of them: the vm refuses; areas_lock; set once */
};

void mapping_init(struct mapping *m, struct inode *host, const struct mapping_ops *ops);
void mapping_fini(struct mapping *m);                    /* drops all pages; nobody maps it */
/* Holding a mapping is holding its inode. */
struct mapping *mapping_hold(struct mapping *m);
void mapping_drop(struct mapping *m);

/* The page, counted; NULL: not in the tree.  No lock taken on the common path. */
struct frame *mapping_find(struct mapping *m, u64 index);
/* The run->n pages from index on, not counted, and the value of `removals` they belong to (odd: none): they are
 * the file's if it is still that once they are held. */
u64 mapping_run(struct mapping *m, u64 index, struct frame_run *run);
/* The page, counted; made (filled, or zeros) if it is not there.  ENOMEM, ENOSPC, EIO.  May sleep.
 * Does not look at the file's size. */
err_t mapping_get(struct mapping *m, u64 index, struct frame **out);
/* fallocate(2): the page is there when it is asked for, whatever is left of memory and room then.  ENOMEM, ENOSPC. */
err_t mapping_promise(struct mapping *m, u64 index);
void  mapping_take_back(struct mapping *m, u64 from, u64 to);    /* what is promised and not yet a page, in [from, to) */
/* For faults: as mapping_get, but EFAULT past the end of the file (SIGBUS).  If `write` is false and the
 * page is a hole of a file without fill, *out is NULL: zeros to be copied, or ask again with write. */
err_t mapping_fault(struct mapping *m, u64 index, bool write, struct frame **out);
/* Is this still the page at index? */
bool  mapping_has(struct mapping *m, u64 index, struct frame *f);
/* Puts in a page the caller has filled (takes a count of its own), unless there is one: then *out is that one,
 * counted, and f is not used; else *out is f, counted.  ENOMEM, ENOSPC. */
err_t mapping_add(struct mapping *m, u64 index, struct frame *f, struct frame **out);
u64   mapping_pages(struct mapping *m);
/* From now on no shared area may write to it; EBUSY: one does, or may come to. */
err_t mapping_deny_writers(struct mapping *m);
/* First index in [from, to) that has a page, or `to`; and the first that has none. */
u64   mapping_next_page(struct mapping *m, u64 from, u64 to);
u64   mapping_next_hole(struct mapping *m, u64 from, u64 to);
/* Takes pages [first, last] out and drops them, unmapping them everywhere; cows: private copies too.  May sleep. */
void  mapping_remove(struct mapping *m, u64 first, u64 last, bool cows);
/* The file now ends at `size`: removes what lies behind it and zeroes the rest of the last page.
 * The caller has already stored the new size (inode lock held for writing). */
void  mapping_truncate(struct mapping *m, u64 size);
/* Zeroes bytes [from, to), removing whole pages. */
void  mapping_punch(struct mapping *m, u64 from, u64 to);
