/* SPDX-License-Identifier: Apache-2.0
 *
 * mremap: growing, shrinking and moving a mapping.
 */
#include "services/vm/vm_impl.h"

/* What a move is made of: [from, from+old_len) becomes [to, to+new_len). */
struct move { u64 from, old_len, to, new_len; bool keep; };     /* keep: MREMAP_DONTUNMAP */

#define SPARE_AREAS 3                   /* that a move leaves below max_map_count, as on Linux */

/* REQUIRES vm->mmap_lock for writing.  Nothing is at the target. */
static err_t move_area(struct vm *vm, struct vm_area *a, struct move m)
{
        bool copy = !m.old_len;                 /* a second mapping of the same pages */
        if (vm->areas + SPARE_AREAS >= vm->domain->settings.max_map_count)
                return ERR(ENOMEM);
        if (m.keep)                             /* of what there is nothing goes */
                TRY(may_grow(vm, a->prot, a->flags, m.new_len));
        if (!copy)
                TRY(isolate(vm, &a, m.from, m.from + m.old_len));
        struct area_spec s = area_spec_of(a);
        s.flags &= ~(u32)AREA_WATCHED;
        s.monitor = NULL;
        s.start = m.to;
        s.end = m.to + m.new_len;
        if (a->mapping || a->special)
                s.offset = area_offset_of(a, m.from);
        if (copy)
                s.flags &= ~(u32)AREA_ANON_PAGES;
        if (s.flags & AREA_ACCOUNT)
                TRY(vm_charge(vm, m.new_len));
        struct vm_area *b = NULL;
        err_t err = area_add_own(vm, &s, &b);
        if (succeeded(err) && !copy) {
                err = vmspace_move(vm->space, m.from, m.to, m.old_len);
                if (failed(err))
                        area_remove(vm, b);
        }
        if (failed(err)) {
                if (s.flags & AREA_ACCOUNT)
                        vm_uncharge(vm, m.new_len);
                return err;
        }
        account(vm, s.prot, s.flags, s.mapping, m.new_len, true);
        if (!copy && !m.keep)
                TRY(unmap_locked(vm, m.from, m.from + m.old_len));      /* isolated: cannot fail */
        if (m.keep && (a->flags & AREA_LOCKED)) {       /* the lock went along */
                a->flags &= ~(AREA_LOCKED | AREA_LOCK_ONFAULT);
                vm->locked -= area_pages(a);
        }
        if (m.keep)
                area_merge_around(vm, a);
        area_merge_around(vm, area_at(vm, m.to));
        return OK;
}

/* May this area become new_len long, from addr on? */
static err_t check_resize(struct vm *vm, struct vm_area *a, u64 addr, u64 old_len, u64 new_len)
{
        if (!old_len && !area_is_shared(a))
                return ERR(EINVAL);
        if (a->flags & AREA_SPECIAL)
                return old_len == new_len ? OK : ERR(EFAULT);
        if (old_len > a->end - addr)
                return ERR(EFAULT);
        if (new_len <= old_len)
                return OK;
        if (a->mapping && add_overflows(area_offset_of(a, addr), new_len))
                return ERR(EINVAL);
        if ((a->flags & AREA_LOCKED) && !may_lock(vm, new_len - old_len))
                return ERR(EAGAIN);
        return may_grow(vm, a->prot, a->flags, new_len - old_len);
}

static err_t grow_in_place(struct vm *vm, struct vm_area *a, u64 more)
{
        if (a->flags & AREA_ACCOUNT)
                TRY(vm_charge(vm, more));
        account(vm, a->prot, a->flags, a->mapping, more, true);
        area_set_bounds(a, a->start, a->end + more);
        area_merge_around(vm, a);
        return OK;
}

/* What is behind new_len goes, whatever it is. */
static err_t cut(struct vm *vm, const struct vm_mremap *m)
{
        if (!vm_is_user(m->addr, m->old_len))
                return ERR(EINVAL);
        return m->old_len == m->new_len ? OK : unmap_locked(vm, m->addr + m->new_len, m->addr + m->old_len);
}

static err_t remap_fixed(struct vm *vm, struct vm_mremap m, u64 *out)
{
        if ((m.new_addr & PAGE_MASK) || !vm_is_user(m.new_addr, m.new_len))
                return ERR(EINVAL);
        if (m.addr + m.old_len > m.new_addr && m.new_addr + m.new_len > m.addr)
                return ERR(EINVAL);
        if (m.new_addr < VM_MIN || (m.new_addr < vm->domain->settings.mmap_min_addr && !may_map_low()))
                return ERR(EPERM);
        struct vm_area *a = area_at(vm, m.addr);
        if (!a)
                return ERR(EFAULT);
        TRY(check_resize(vm, a, m.addr, min_u64(m.old_len, m.new_len), m.new_len));
        TRY(unmap_locked(vm, m.new_addr, m.new_addr + m.new_len));
        if (m.old_len > m.new_len) {
                TRY(cut(vm, &m));
                m.old_len = m.new_len;
        }
        a = area_at(vm, m.addr);
        if (!a || m.old_len > a->end - m.addr)
                return ERR(EFAULT);
        *out = m.new_addr;
        return move_area(vm, a, (struct move){ .from = m.addr, .old_len = m.old_len, .to = m.new_addr,
                .new_len = m.new_len, .keep = (m.flags & MREMAP_DONTUNMAP) != 0 });
}

static err_t remap_locked(struct vm *vm, struct vm_mremap m, u64 *out)
{
        if (m.flags & MREMAP_FIXED)
                return remap_fixed(vm, m, out);
        struct vm_area *a = area_at(vm, m.addr);
        if (!a)
                return ERR(EFAULT);
        *out = m.addr;
        bool keep = (m.flags & MREMAP_DONTUNMAP) != 0;
        if (m.old_len >= m.new_len && !keep)
                return cut(vm, &m);
        if (m.new_len > VM_MAX)
                return ERR(ENOMEM);
        TRY(check_resize(vm, a, m.addr, m.old_len, m.new_len));
        u64 end = m.addr + m.old_len;
        if (!keep && end == a->end && m.old_len && room_at(vm, end, m.addr + m.new_len))
                return grow_in_place(vm, a, m.new_len - m.old_len);
        if (!(m.flags & MREMAP_MAYMOVE))
                return ERR(ENOMEM);
        u64 to = place_locked(vm, m.new_len, keep ? m.new_addr : 0, false);
        if (!to)
                return ERR(ENOMEM);
        *out = to;
        return move_area(vm, a, (struct move){ .from = m.addr, .old_len = m.old_len, .to = to,
                .new_len = m.new_len, .keep = keep });
}

err_t vm_mremap(struct vm *vm, struct vm_mremap m, u64 *out)
{
        if (m.flags & ~(u64)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP))
                return ERR(EINVAL);
        if ((m.flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !(m.flags & MREMAP_MAYMOVE))
                return ERR(EINVAL);
        if ((m.flags & MREMAP_DONTUNMAP) && m.old_len != m.new_len)
                return ERR(EINVAL);
        if (m.addr & PAGE_MASK)
                return ERR(EINVAL);
        m.old_len = page_up(m.old_len);
        m.new_len = page_up(m.new_len);
        if (!m.new_len)
                return ERR(EINVAL);
        if (!vm_is_user(m.addr, PAGE_SIZE))
                return ERR(EFAULT);
        write_lock(&vm->mmap_lock);
        err_t err = remap_locked(vm, m, out);
        struct vm_area *a = succeeded(err) ? area_at(vm, *out) : NULL;
        bool lock = a && (a->flags & (AREA_LOCKED | AREA_LOCK_ONFAULT)) == AREA_LOCKED;
        unlock_and_reap(vm);
        if (lock && m.new_len > m.old_len)
                ignore(fault_range(vm, *out + m.old_len, *out + m.new_len, true));
        return err;
}
