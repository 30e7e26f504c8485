/* SPDX-License-Identifier: Apache-2.0
 *
 * madvise, msync and mincore: what programs say and ask about ranges of pages.
 */
#include "services/vm/vm_impl.h"

/* ---- madvise ---- */

static err_t discard_area(struct vm *vm, struct vm_area *a, u64 from, u64 to, u32 advice)
{
        bool locked = (a->flags & AREA_LOCKED) && advice != MADV_DONTNEED_LOCKED;
        if (locked || (a->flags & AREA_SPECIAL))
                return ERR(EINVAL);
        /* Pages given back lazily (FREE) are given back at once: allowed, and nothing to remember. */
        if (advice == MADV_FREE && (a->mapping || area_is_shared(a)))
                return ERR(EINVAL);
        if (advice == MADV_COLD || advice == MADV_PAGEOUT)
                return OK;
        vmspace_unmap(vm->space, from, to);
        return OK;
}

static err_t discard(struct vm *vm, u64 start, u64 end, u32 advice)
{
        u64 covered = start;
        bool hole = false;
        READ_GUARD(&vm->mmap_lock);
        note_rss(vm);
        for (struct vm_area *a = area_find(vm, start); a && a->start < end; a = a->next) {
                u64 from = max_u64(a->start, start), to = min_u64(a->end, end);
                hole |= from > covered;
                TRY(discard_area(vm, a, from, to, advice));
                covered = to;
        }
        return hole || covered < end ? ERR(ENOMEM) : OK;
}

/* Finds the file pages at `start`, up to `end`: a held file, and how far it goes. */
struct file_range { struct file *file; u64 offset, bytes; u32 flags; };

static err_t file_range_at(struct vm *vm, u64 *start, u64 end, struct file_range *out, bool *hole)
{
        READ_GUARD(&vm->mmap_lock);
        struct vm_area *a = area_find(vm, *start);
        if (!a || a->start >= end) {
                *hole = true;
                *start = end;
                return OK;
        }
        if (a->start > *start) {
                *hole = true;
                *start = a->start;
        }
        u64 to = min_u64(a->end, end);
        *out = (struct file_range){ .offset = area_offset_of(a, *start), .bytes = to - *start, .flags = a->flags };
        if (a->file)
                out->file = file_hold(a->file);
        *start = to;
        return OK;
}

static err_t remove_range(struct file_range *r)
{
        if ((r->flags & AREA_LOCKED) || !r->file)
                return ERR(EINVAL);
        if ((r->flags & (AREA_SHARED | AREA_MAY_WRITE)) != (AREA_SHARED | AREA_MAY_WRITE))
                return ERR(EACCES);
        return file_fallocate(r->file, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, (i64)r->offset, (i64)r->bytes);
}

static err_t remove_pages(struct vm *vm, u64 start, u64 end)
{
        bool hole = false;
        while (start < end) {
                struct file_range r = {};
                TRY(file_range_at(vm, &start, end, &r, &hole));
                if (!r.bytes)
                        break;
                err_t err = remove_range(&r);
                if (r.file)
                        file_drop(r.file);
                TRY(err);
        }
        return hole ? ERR(ENOMEM) : OK;
}

/* EINVAL where the program itself could not. */
static err_t populate(struct vm *vm, u64 start, u64 end, bool write)
{
        {
                READ_GUARD(&vm->mmap_lock);
                for (struct vm_area *a = area_find(vm, start); a && a->start < end; a = a->next)
                        if ((a->flags & AREA_SPECIAL) || !(a->prot & (write ? VM_WRITE : ALL_PROT)))
                                return ERR(EINVAL);
        }
        return fault_range(vm, start, end, write);
}

static err_t advise_range(struct vm *vm, u64 start, u64 end, u32 advice)
{
        switch (advice) {
        case MADV_DONTNEED:
        case MADV_DONTNEED_LOCKED:
        case MADV_FREE:
        case MADV_COLD:
        case MADV_PAGEOUT:
                return discard(vm, start, end, advice);
        case MADV_REMOVE:
                return remove_pages(vm, start, end);
        case MADV_POPULATE_READ:
                return populate(vm, start, end, false);
        case MADV_POPULATE_WRITE:
                return populate(vm, start, end, true);
        default:
                /* WILLNEED, MERGEABLE, UNMERGEABLE: nothing to do but to say so where nothing is. */
                break;
        }
        READ_GUARD(&vm->mmap_lock);
        u64 covered = start;
        struct vm_area *first = area_at(vm, start);
        for (struct vm_area *a = first; a && a->start <= covered && covered < end; a = a->next)
                covered = a->end;
        if (advice == MADV_COLLAPSE && first)
                return ERR(EINVAL);             /* there are no huge pages */
        return covered < end ? ERR(ENOMEM) : OK;
}

#define MADV_COLLAPSE 25                /* since 6.1; not in its headers */

static bool is_advice(u32 advice)
{
        return advice <= MADV_WILLNEED || advice == MADV_DONTNEED || (advice >= MADV_FREE && advice <= MADV_COLLAPSE);
}

err_t vm_madvise(struct vm *vm, u64 addr, u64 len, u32 advice)
{
        if (!is_advice(advice) || (addr & PAGE_MASK))
                return ERR(EINVAL);
        u64 size = page_up(len);
        if ((len && !size) || add_overflows(addr, size))
                return ERR(EINVAL);
        if (!size)
                return OK;
        bool known = false;
        err_t err = advise_flags(vm, addr, addr + size, advice, &known);
        return known ? err : advise_range(vm, addr, addr + size, advice);
}

/* ---- msync ---- */

static err_t sync_range(const struct file_range *r, u32 flags)
{
        if ((flags & MS_INVALIDATE) && (r->flags & AREA_LOCKED))
                return ERR(EBUSY);
        if (!(flags & MS_SYNC) || !r->file || !(r->flags & AREA_SHARED))
                return OK;
        return file_fsync(r->file, true);
}

err_t vm_msync(struct vm *vm, u64 addr, u64 len, u32 flags)
{
        if (flags & ~(u32)(MS_ASYNC | MS_INVALIDATE | MS_SYNC))
                return ERR(EINVAL);
        if ((addr & PAGE_MASK) || (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
                return ERR(EINVAL);
        u64 size = page_up(len), at = addr;
        if ((len && !size) || add_overflows(addr, size))
                return ERR(ENOMEM);
        bool hole = false;
        while (at < addr + size) {
                struct file_range r = {};
                TRY(file_range_at(vm, &at, addr + size, &r, &hole));
                err_t err = sync_range(&r, flags);
                if (r.file)
                        file_drop(r.file);
                TRY(err);
        }
        return hole ? ERR(ENOMEM) : OK;
}

/* ---- mincore ---- */

/* Tells for `n` pages from addr, in one area; returns how many bytes of `out` it filled. ENOMEM: no area. */
static err_t residency(struct vm *vm, u64 addr, u64 n, mbytes out, u64 *filled)
{
        READ_GUARD(&vm->mmap_lock);
        struct vm_area *a = area_at(vm, addr);
        if (!a)
                return ERR(ENOMEM);
        n = min_u64(n, (a->end - addr) >> PAGE_SHIFT);
        {
                VM_CURSOR(c, vm->space, addr);
                for (u64 i = 0; i < n; i++) {
                        cursor_seek(&c, addr + (i << PAGE_SHIFT));
                        mbytes_put(out, i, cursor_get(&c).frame != NULL);
                }
        }
        for (u64 i = 0; a->mapping && i < n; i++) {
                if (mbytes_at(out, i))
                        continue;
                struct frame *f = mapping_find(a->mapping, area_offset_of(a, addr + (i << PAGE_SHIFT)) >> PAGE_SHIFT);
                mbytes_put(out, i, f != NULL);
                frame_drop(f);
        }
        *filled = n;
        return OK;
}

err_t vm_mincore(struct vm *vm, u64 addr, u64 len, u64 vec)
{
        u8 answer[256] = {};
        if (addr & PAGE_MASK)
                return ERR(EINVAL);
        if (!vm_is_user(addr, len))
                return ERR(ENOMEM);
        u64 pages = page_up(len) >> PAGE_SHIFT;
        if (!vm_is_user(vec, pages))
                return ERR(EFAULT);
        while (pages) {
                u64 n = min_u64(pages, sizeof answer);
                if (task_interrupts() & INTR_KILL)
                        return ERR(EINTR);
                if (addr < VM_MIN)
                        return ERR(ENOMEM);
                TRY(residency(vm, addr, n, MBYTES_OF(answer), &n));
                TRY(vm_copy_out(vec, bytes_take(BYTES_OF(answer), n)));
                addr += n << PAGE_SHIFT;
                vec += n;
                pages -= n;
        }
        return OK;
}
