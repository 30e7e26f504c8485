/* SPDX-License-Identifier: Apache-2.0
 *
 * Changing what areas are: mprotect, mlock and its family, memory policies, and the advice that is a flag.
 * Each splits areas at the range's ends and merges them again where they have become equal.
 */
#include "services/vm/vm_impl.h"

/* The page-aligned range of a call. EINVAL: addr; ENOMEM (or what `wrap` says): it wraps. */
static err_t range_of(u64 addr, u64 len, int wrap, u64 *start, u64 *end)
{
        if (addr & PAGE_MASK)
                return ERR(EINVAL);
        u64 size = page_up(len);
        if ((len && !size) || add_overflows(addr, size))
                return ERR(wrap);
        *start = addr;
        *end = addr + size;
        return OK;
}

/* Of mlock and munlock: a length that wraps is none. */
static err_t lock_range_of(u64 addr, u64 len, u64 *start, u64 *end)
{
        u64 skip = addr & PAGE_MASK;
        len = len > U64_MAX - PAGE_MASK - skip ? 0 : len + skip;
        return range_of(addr - skip, len, EINVAL, start, end);
}

/* ---- mprotect ---- */

static bool may_have(struct vm_area *a, u32 prot)
{
        return (!(prot & VM_WRITE) || (a->flags & AREA_MAY_WRITE)) && (!(prot & VM_EXEC) || (a->flags & AREA_MAY_EXEC)) &&
               (!(prot & VM_READ) || (a->flags & AREA_MAY_READ));
}

static void change_prot(struct vm *vm, struct vm_area *a, u32 prot, u32 key, bool charged)
{
        account(vm, a->prot, a->flags, a->mapping, area_size(a), false);
        a->prot = prot;
        a->flags = (a->flags & ~(u32)AREA_KEY) | key << AREA_KEY_SHIFT;
        if (charged)
                a->flags |= AREA_ACCOUNT;
        account(vm, a->prot, a->flags, a->mapping, area_size(a), true);
        vmspace_protect(vm->space, a->start, a->end, area_hw(a));
}

/* *a: the area, on return what comes to lie at its place. */
static err_t protect_area(struct vm *vm, struct vm_area **a, u64 start, u64 end, u32 prot, i32 wanted)
{
        struct vm_area *v = *a;
        u32 key = wanted >= 0 ? (u32)wanted : key_after(vm, v, prot);
        if (v->prot == prot && area_key(v) == key)
                return OK;
        if (!may_have(v, prot))
                return ERR(EACCES);
        u64 bytes = min_u64(v->end, end) - max_u64(v->start, start);
        bool becomes_data = (prot & VM_WRITE) && !(v->prot & VM_WRITE) && !area_is_shared(v);
        if (becomes_data && vm->data + (bytes >> PAGE_SHIFT) > limit_of(RLIMIT_DATA) >> PAGE_SHIFT)
                return ERR(ENOMEM);
        bool charge = becomes_data && !(v->flags & (AREA_ACCOUNT | AREA_NORESERVE));
        if (charge)
                TRY(vm_charge(vm, bytes));
        err_t err = isolate(vm, &v, start, end);
        if (failed(err)) {
                if (charge)
                        vm_uncharge(vm, bytes);
                return err;
        }
        change_prot(vm, v, prot, key, charge);
        *a = area_merge_around(vm, v);
        return OK;
}

static err_t protect_locked(struct vm *vm, u64 start, u64 end, u32 prot, i32 key, bool grows)
{
        struct vm_area *a = area_find(vm, start);
        if (!key_may_be_used(vm, key))
                return ERR(EINVAL);
        if (!a)
                return ERR(ENOMEM);
        if (grows) {
                if (a->start >= end)
                        return ERR(ENOMEM);
                if (!(a->flags & AREA_GROWSDOWN))
                        return ERR(EINVAL);
                start = a->start;
        } else if (a->start > start) {
                return ERR(ENOMEM);
        }
        while (start < end) {
                a = area_find(vm, start);
                if (!a || a->start > start)
                        return ERR(ENOMEM);
                TRY(protect_area(vm, &a, start, end, prot, key));
                start = a->end;
        }
        return OK;
}

err_t protect_range(struct vm *vm, u64 addr, u64 len, u32 prot, i32 key)
{
        u32 grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
        u64 start = 0, end = 0;
        if (grows == (PROT_GROWSDOWN | PROT_GROWSUP))
                return ERR(EINVAL);
        if (addr & PAGE_MASK)
                return ERR(EINVAL);
        if (!len)
                return OK;
        TRY(range_of(addr, len, ENOMEM, &start, &end));
        if (prot & ~(u32)(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM | PROT_GROWSDOWN | PROT_GROWSUP))
                return ERR(EINVAL);
        if (grows == PROT_GROWSUP)
                return ERR(EINVAL);
        WRITE_GUARD(&vm->mmap_lock);
        return protect_locked(vm, start, end, prot & (PROT_READ | PROT_WRITE | PROT_EXEC), key, grows != 0);
}

err_t vm_mprotect(struct vm *vm, u64 addr, u64 len, u32 prot) { return protect_range(vm, addr, len, prot, -1); }

/* ---- Flags of a range ---- */

struct flag_change { u32 set, clear; };

static err_t change_flags(struct vm *vm, struct vm_area **a, u64 start, u64 end, struct flag_change ch)
{
        struct vm_area *v = *a;
        bool locks = ((ch.set | ch.clear) & AREA_LOCKED) != 0;
        if (((v->flags | ch.set) & ~ch.clear) == v->flags || (locks && (v->flags & AREA_SPECIAL)))
                return OK;                      /* the kernel's own pages stay anyway */
        TRY(isolate(vm, &v, start, end));
        u64 was = v->flags & AREA_LOCKED;
        v->flags = (v->flags | ch.set) & ~ch.clear;
        u64 is = v->flags & AREA_LOCKED;
        if (is && !was)
                vm->locked += area_pages(v);
        else if (was && !is)
                vm->locked -= area_pages(v);
        *a = area_merge_around(vm, v);
        return OK;
}

/* All areas of the range; ENOMEM if there is a hole, after the rest was done (stop: at the hole). */
static err_t flag_range(struct vm *vm, u64 start, u64 end, struct flag_change ch, bool stop)
{
        bool hole = false;
        while (start < end) {
                struct vm_area *a = area_find(vm, start);
                if (!a || a->start > start) {
                        hole = true;
                        if (stop || !a || a->start >= end)
                                break;
                        start = a->start;
                }
                TRY(change_flags(vm, &a, start, end, ch));
                start = a->end;
        }
        return hole ? ERR(ENOMEM) : OK;
}

/* ---- Advice that is a flag ---- */

static bool flag_of_advice(u32 advice, struct flag_change *ch)
{
        switch (advice) {
        case MADV_NORMAL:      *ch = (struct flag_change){ .clear = AREA_RANDOM | AREA_SEQUENTIAL }; return true;
        case MADV_RANDOM:      *ch = (struct flag_change){ .set = AREA_RANDOM, .clear = AREA_SEQUENTIAL }; return true;
        case MADV_SEQUENTIAL:  *ch = (struct flag_change){ .set = AREA_SEQUENTIAL, .clear = AREA_RANDOM }; return true;
        case MADV_DONTFORK:    *ch = (struct flag_change){ .set = AREA_DONTFORK }; return true;
        case MADV_DOFORK:      *ch = (struct flag_change){ .clear = AREA_DONTFORK }; return true;
        case MADV_WIPEONFORK:  *ch = (struct flag_change){ .set = AREA_WIPEONFORK }; return true;
        case MADV_KEEPONFORK:  *ch = (struct flag_change){ .clear = AREA_WIPEONFORK }; return true;
        case MADV_DONTDUMP:    *ch = (struct flag_change){ .set = AREA_DONTDUMP }; return true;
        case MADV_DODUMP:      *ch = (struct flag_change){ .clear = AREA_DONTDUMP }; return true;
        case MADV_HUGEPAGE:    *ch = (struct flag_change){ .set = AREA_HUGE, .clear = AREA_NOHUGE }; return true;
        case MADV_NOHUGEPAGE:  *ch = (struct flag_change){ .set = AREA_NOHUGE, .clear = AREA_HUGE }; return true;
        default:               return false;
        }
}

/* Is the advice one for every area of the range? */
static err_t check_advice(struct vm *vm, u64 start, u64 end, u32 advice)
{
        for (struct vm_area *a = area_find(vm, start); a && a->start < end; a = a->next) {
                bool special = (a->flags & AREA_SPECIAL) != 0;
                if (special && (advice == MADV_DOFORK || advice == MADV_DODUMP))
                        return ERR(EINVAL);
                if (advice == MADV_WIPEONFORK && (special || a->mapping || area_is_shared(a)))
                        return ERR(EINVAL);
        }
        return OK;
}

/* *known: false if the advice is not of this sort. */
err_t advise_flags(struct vm *vm, u64 start, u64 end, u32 advice, bool *known)
{
        struct flag_change ch = {};
        *known = flag_of_advice(advice, &ch);
        if (!*known)
                return OK;
        WRITE_GUARD(&vm->mmap_lock);
        TRY(check_advice(vm, start, end, advice));
        return flag_range(vm, start, end, ch, false);
}

/* ---- Locking in memory ---- */

static u64 locked_in(struct vm *vm, u64 start, u64 end)
{
        u64 n = 0;
        for (struct vm_area *a = area_overlap(vm, start, end); a && a->start < end; a = a->next)
                if (a->flags & AREA_LOCKED)
                        n += min_u64(a->end, end) - max_u64(a->start, start);
        return n;
}

static err_t lock_range(struct vm *vm, u64 start, u64 end, u32 flags)
{
        WRITE_GUARD(&vm->mmap_lock);
        if (!may_lock(vm, end - start - locked_in(vm, start, end)))
                return ERR(ENOMEM);
        return flag_range(vm, start, end, (struct flag_change){ .set = AREA_LOCKED | flags,
                .clear = flags ^ AREA_LOCK_ONFAULT }, true);
}

err_t vm_mlock(struct vm *vm, u64 addr, u64 len, u32 flags)
{
        u64 start = 0, end = 0;
        if (flags & ~(u32)MLOCK_ONFAULT)
                return ERR(EINVAL);
        if (!may_lock_any())
                return ERR(EPERM);
        TRY(lock_range_of(addr, len, &start, &end));
        if (start == end)
                return OK;
        TRY(lock_range(vm, start, end, flags ? AREA_LOCK_ONFAULT : 0));
        if (flags & MLOCK_ONFAULT)
                return OK;
        err_t err = fault_range(vm, start, end, true);
        return err_is(err, EFAULT) ? ERR(ENOMEM) : err;
}

err_t vm_munlock(struct vm *vm, u64 addr, u64 len)
{
        u64 start = 0, end = 0;
        TRY(lock_range_of(addr, len, &start, &end));
        WRITE_GUARD(&vm->mmap_lock);
        return flag_range(vm, start, end, (struct flag_change){ .clear = AREA_LOCKED | AREA_LOCK_ONFAULT }, true);
}

err_t vm_mlockall(struct vm *vm, u32 flags)
{
        if (!flags || (flags & ~(u32)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) || flags == MCL_ONFAULT)
                return ERR(EINVAL);
        if (!may_lock_any())
                return ERR(EPERM);
        u32 set = AREA_LOCKED | (flags & MCL_ONFAULT ? AREA_LOCK_ONFAULT : 0);
        {
                WRITE_GUARD(&vm->mmap_lock);
                if ((flags & MCL_CURRENT) && !may_lock(vm, (vm->total - vm->locked) << PAGE_SHIFT))
                        return ERR(ENOMEM);
                vm->lock_future = flags & MCL_FUTURE ? set : 0;
                if (flags & MCL_CURRENT)
                        ignore(flag_range(vm, VM_MIN, VM_MAX, (struct flag_change){ .set = set,
                                .clear = AREA_LOCK_ONFAULT & ~set }, false));
        }
        if ((flags & MCL_CURRENT) && !(flags & MCL_ONFAULT)) {
                struct vm_area_info info = {};
                for (u64 at = VM_MIN; vm_area_at(vm, at, &info); at = info.end) {
                        vm_area_info_put(&info);
                        ignore(fault_range(vm, info.start, info.end, !(info.flags & AREA_SHARED)));
                        if (info.end >= VM_MAX)
                                break;
                }
        }
        return OK;
}

err_t vm_munlockall(struct vm *vm)
{
        WRITE_GUARD(&vm->mmap_lock);
        vm->lock_future = 0;
        ignore(flag_range(vm, VM_MIN, VM_MAX, (struct flag_change){ .clear = AREA_LOCKED | AREA_LOCK_ONFAULT }, false));
        return OK;
}

/* ---- Memory policies ---- */

err_t vm_set_policy(struct vm *vm, u64 addr, u64 len, u32 policy)
{
        u64 start = 0, end = 0;
        TRY(range_of(addr, len, EINVAL, &start, &end));
        if (start == end)
                return OK;
        WRITE_GUARD(&vm->mmap_lock);
        u64 covered = start;
        for (struct vm_area *a = area_find(vm, start); a && a->start <= covered && covered < end; a = a->next)
                covered = a->end;
        /* Only the default may be set around holes. */
        if (covered < end && (policy || !area_overlap(vm, start, end)))
                return ERR(EFAULT);
        u32 bits = policy << AREA_POLICY_SHIFT;
        err_t err = flag_range(vm, start, end, (struct flag_change){ .set = bits, .clear = AREA_POLICY & ~bits }, false);
        return covered < end ? OK : err;
}

err_t vm_get_policy(struct vm *vm, u64 addr, u32 *policy)
{
        READ_GUARD(&vm->mmap_lock);
        struct vm_area *a = area_at(vm, addr);
        if (!a)
                return ERR(EFAULT);
        *policy = (a->flags & AREA_POLICY) >> AREA_POLICY_SHIFT;
        return OK;
}

err_t vm_has_policy(struct vm *vm, u64 addr, u64 len)
{
        u64 start = 0, end = 0;
        bool any = false;
        TRY(range_of(addr, len, EINVAL, &start, &end));
        if (start == end)
                return OK;
        READ_GUARD(&vm->mmap_lock);
        for (struct vm_area *a = area_overlap(vm, start, end); a && a->start < end; a = a->next) {
                u32 mode = (a->flags & AREA_POLICY) >> AREA_POLICY_SHIFT & VM_POLICY_MODE;
                if (mode && mode != MPOL_BIND && mode != MPOL_PREFERRED_MANY)
                        return ERR(EOPNOTSUPP);
                any |= mode != 0;
        }
        return any ? OK : ERR(ENOENT);
}
