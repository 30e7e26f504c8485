/* SPDX-License-Identifier: Apache-2.0
 *
 * What /proc tells about an address space.  Answers are values: they were true when the
 * lock was held.
 */
#include "services/vm/vm_impl.h"

/* Files without `fill` are memory: Linux counts them as shmem. */
static bool is_shmem(struct vm_area *a) { return a->mapping && a->mapping->ops && !a->mapping->ops->fill; }

static enum vm_kind kind_of(struct vm *vm, struct vm_area *a)
{
        if (a->special)
                return VM_KIND_SPECIAL;
        if (a->mapping)
                return is_shmem(a) ? VM_KIND_SHMEM : VM_KIND_FILE;
        if (a->start < vm->layout.brk && a->end > vm->layout.start_brk)
                return VM_KIND_HEAP;
        if (a->start <= vm->layout.start_stack && a->end > vm->layout.start_stack)
                return VM_KIND_STACK;
        return VM_KIND_ANON;
}

bool vm_area_at(struct vm *vm, u64 addr, struct vm_area_info *out)
{
        READ_GUARD(&vm->mmap_lock);
        struct vm_area *a = area_find(vm, addr);
        if (!a)
                return false;
        *out = (struct vm_area_info){ .start = a->start, .end = a->end, .offset = a->mapping || a->special ? a->offset : 0,
                .prot = a->prot, .flags = a->flags, .kind = kind_of(vm, a), .special = a->special };
        if (a->file)
                out->file = file_hold(a->file);
        return true;
}

void vm_area_info_put(struct vm_area_info *info)
{
        if (info->file)
                file_drop(info->file);
        info->file = NULL;
}

/* ---- Pages ---- */

/* Is this page of the area the file's, not a private copy? */
static bool is_file_page(struct vm_area *a, u64 addr, struct vm_page page)
{
        if (!a->mapping)
                return false;
        if (area_is_shared(a) || !(a->flags & AREA_ANON_PAGES))
                return true;
        return (page.prot & VM_COW) && mapping_has(a->mapping, area_offset_of(a, addr) >> PAGE_SHIFT, page.frame);
}

static void count_page(struct vm_area *a, u64 addr, struct vm_page page, struct vm_usage *u)
{
        if (page.frame == frame_zero_page())
                return;
        u32 sharers = frame_mappings(page.frame);
        bool file = is_file_page(a, addr, page);
        u->rss += PAGE_SIZE;
        u64 share = sharers ? PAGE_SIZE / sharers : PAGE_SIZE;
        u->pss += share;
        u->referenced += page.accessed ? PAGE_SIZE : 0;
        u->anonymous += file ? 0 : PAGE_SIZE;
        bool dirty = !file || page.dirty;
        u->pss_anon += file ? 0 : share;
        u->pss_dirty += dirty ? share : 0;
        if (sharers > 1) {
                u->shared_dirty += dirty ? PAGE_SIZE : 0;
                u->shared_clean += dirty ? 0 : PAGE_SIZE;
        } else {
                u->private_dirty += dirty ? PAGE_SIZE : 0;
                u->private_clean += dirty ? 0 : PAGE_SIZE;
        }
}

#define PAGES_AT_ONCE 512               /* under one cursor, which holds off everybody else */

/* Counts pages from `from` on into u, or (NULL) takes their accessed marks off; returns where to go on. */
static u64 visit_some(struct vm *vm, struct vm_area *a, u64 from, struct vm_usage *u)
{
        VM_CURSOR(c, vm->space, from);
        for (u32 i = 0; i < PAGES_AT_ONCE; i++) {
                if (!cursor_find(&c, a->end))
                        return a->end;
                if (u)
                        count_page(a, cursor_addr(&c), cursor_get(&c), u);
                else
                        cursor_clear_accessed(&c);
                if (!cursor_next(&c, a->end))
                        return a->end;
        }
        return cursor_addr(&c);
}

/* REQUIRES vm->mmap_lock.  A caller that is being killed gets a part. */
static void visit_area(struct vm *vm, struct vm_area *a, struct vm_usage *u)
{
        for (u64 at = a->start; at < a->end && !(task_interrupts() & INTR_KILL);)
                at = visit_some(vm, a, at, u);
}

/* REQUIRES vm->mmap_lock. */
static void count_area(struct vm *vm, struct vm_area *a, struct vm_usage *u)
{
        visit_area(vm, a, u);
        if (a->flags & AREA_LOCKED)
                u->locked += u->rss;
}

bool vm_area_usage(struct vm *vm, u64 start, struct vm_usage *out)
{
        *out = (struct vm_usage){};
        READ_GUARD(&vm->mmap_lock);
        struct vm_area *a = area_at(vm, start);
        if (!a)
                return false;
        count_area(vm, a, out);
        return true;
}

#define GAP_MAX (1ul << 30)

u64 vm_gap(struct vm *vm, u64 from, u64 to)
{
        to = min_u64(to, from + GAP_MAX);
        if (from >= to)
                return 0;
        READ_GUARD(&vm->mmap_lock);
        VM_CURSOR(c, vm->space, from);
        return (cursor_find(&c, to) ? cursor_addr(&c) : to) - from;
}

/* Only areas of files are walked; the rest is anonymous. */
struct vm_stats vm_stats(struct vm *vm)
{
        READ_GUARD(&vm->mmap_lock);
        u64 rss = vmspace_mapped(vm->space);
        struct vm_stats s = { .total = vm->total, .data = vm->data, .stack = vm->stack, .exec = vm->exec,
                .locked = vm->locked, .rss = rss, .peak_total = vm->peak_total,
                .peak_rss = max_u64(LOAD_RELAXED(vm->peak_rss), rss),
                .tables = vmspace_tables(vm->space), .areas = vm->areas };
        for (struct vm_area *a = vm->first; a; a = a->next) {
                struct vm_usage u = {};
                if (!a->mapping)
                        continue;
                count_area(vm, a, &u);
                u64 pages = (u.rss - u.anonymous) >> PAGE_SHIFT;
                s.rss_shmem += is_shmem(a) ? pages : 0;
                s.rss_file += is_shmem(a) ? 0 : pages;
        }
        u64 files = s.rss_file + s.rss_shmem;
        s.rss_anon = rss > files ? rss - files : 0;
        return s;
}

#define PAGEMAP_PRESENT (1ul << 63)
#define PAGEMAP_FILE    (1ul << 61)
#define PAGEMAP_ALONE   (1ul << 56)
#define PAGEMAP_DIRTY   (1ul << 55)
#define PAGEMAP_NUMBER  ((1ul << 55) - 1)

u64 vm_pagemap(struct vm *vm, u64 addr, bool numbers)
{
        if (addr < VM_MIN || addr >= VM_MAX)
                return 0;
        READ_GUARD(&vm->mmap_lock);
        struct vm_area *a = area_at(vm, addr);
        if (!a)
                return 0;
        VM_CURSOR(c, vm->space, page_down(addr));
        struct vm_page page = cursor_get(&c);
        if (!page.frame)
                return PAGEMAP_DIRTY;
        u64 word = PAGEMAP_PRESENT | PAGEMAP_DIRTY | (numbers ? frame_number(page.frame) & PAGEMAP_NUMBER : 0);
        if (is_file_page(a, page_down(addr), page))
                word |= PAGEMAP_FILE;
        return frame_mappings(page.frame) == 1 ? word | PAGEMAP_ALONE : word;
}

i32 vm_page_node(struct vm *vm, u64 addr)
{
        if (addr < VM_MIN || addr >= VM_MAX)
                return -EFAULT;
        READ_GUARD(&vm->mmap_lock);
        struct vm_area *a = area_at(vm, addr);
        if (!a)
                return -EFAULT;
        VM_CURSOR(c, vm->space, page_down(addr));
        struct vm_page page = cursor_get(&c);
        if (page.frame && page.frame != frame_zero_page())
                return 0;
        return page.frame || !a->mapping ? -EFAULT : -ENOENT;
}

void vm_clear_peak(struct vm *vm) { STORE(vm->peak_rss, vmspace_mapped(vm->space)); }

void vm_clear_refs(struct vm *vm)
{
        READ_GUARD(&vm->mmap_lock);
        for (struct vm_area *a = vm->first; a; a = a->next)
                visit_area(vm, a, NULL);
}
