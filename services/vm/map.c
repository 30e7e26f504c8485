/* SPDX-License-Identifier: Apache-2.0
 *
 * mmap, munmap, brk, and where things go in an address space.
 *
 * Errors are checked before anything changes; what fails after (an area object, a page table)
 * is undone, but that a MAP_FIXED mapping that fails for want of memory may leave a hole, as
 * Linux's may.
 */
#include "services/vm/vm_impl.h"
#include "services/vfs/mount.h"

/* ---- Finding room ---- */

#define BELOW_2GIB_FROM 0x40000000ul
#define BELOW_2GIB_TO   0x80000000ul
#define LOW_BASE        (VM_MAX / 3)    /* where mappings go up from when the rest is full */

bool room_at(struct vm *vm, u64 start, u64 end)
{
        struct vm_area *a = area_find(vm, start);
        return end > start && end <= VM_MAX && (!a || area_low_end(a) >= end);
}

u64 place_locked(struct vm *vm, u64 len, u64 hint, bool low)
{
        u64 min = max_u64(vm->domain->settings.mmap_min_addr, VM_MIN), at = 0;
        if (len > VM_MAX - min)
                return 0;
        if (page_down(hint)) {
                hint = max_u64(page_down(hint), min);
                if (hint <= VM_MAX - len && (!low || hint + len <= BELOW_2GIB_TO) && room_at(vm, hint, hint + len))
                        return hint;
        }
        if (low)
                return area_gap_up(vm, len, BELOW_2GIB_FROM, BELOW_2GIB_TO, &at) ? at : 0;
        if (vm->mmap_low)
                return area_gap_up(vm, len, vm->mmap_low, VM_MAX, &at) ? at : 0;
        if (area_gap_down(vm, len, min, vm->mmap_base, &at) || area_gap_up(vm, len, LOW_BASE, VM_MAX, &at))
                return at;
        return 0;
}

/* ---- Unmapping ---- */

err_t isolate(struct vm *vm, struct vm_area **a, u64 start, u64 end)
{
        if ((*a)->start < start) {
                TRY(area_split(vm, *a, start));
                *a = (*a)->next;
        }
        if ((*a)->end > end)
                TRY(area_split(vm, *a, end));
        return OK;
}

static void forget_area(struct vm *vm, struct vm_area *a)
{
        account(vm, a->prot, a->flags, a->mapping, area_size(a), false);
        if (a->flags & AREA_ACCOUNT)
                vm_uncharge(vm, area_size(a));
        area_retire(vm, a);
}

err_t unmap_locked(struct vm *vm, u64 start, u64 end)
{
        struct vm_area *a = area_overlap(vm, start, end);
        if (!a)
                return OK;
        /* Both ends first: from there on nothing can fail. */
        struct vm_area *last = area_find(vm, end - 1);
        if (last && last->start < end && last->end > end)
                TRY(last == a && a->start < start ? area_split(vm, a, end) : area_split_off(vm, last, end));
        if (a->start < start) {
                TRY(area_split_off(vm, a, start));
                a = a->next;
        }
        note_rss(vm);
        u64 from = a->start;
        vmspace_unmap(vm->space, from, end);
        while (a && a->start < end) {
                struct vm_area *next = a->next;
                forget_area(vm, a);
                a = next;
        }
        return OK;
}

err_t vm_munmap(struct vm *vm, u64 addr, u64 len)
{
        if ((addr & PAGE_MASK) || !vm_is_user(addr, len))
                return ERR(EINVAL);
        len = page_up(len);
        if (!len)
                return ERR(EINVAL);
        u64 start = max_u64(addr, VM_MIN), end = min_u64(addr + len, VM_MAX);
        write_lock(&vm->mmap_lock);
        err_t err = start < end ? unmap_locked(vm, start, end) : OK;
        unlock_and_reap(vm);
        return err;
}

/* Byte 0 of the file would be at addr. */
static bool is_attached_at(const struct vm_area *a, u64 addr, const struct file_ops *ops)
{
        return a->file && a->file->ops == ops && a->start - a->offset == addr;
}

static err_t detach_locked(struct vm *vm, u64 addr, const struct file_ops *ops)
{
        struct vm_area *a = area_find(vm, addr), *next;

        while (a && !is_attached_at(a, addr, ops))
                a = a->next;
        if (!a)
                return ERR(EINVAL);
        struct file *f = a->file;
        u64 end = addr + page_up(LOAD(f->inode->size));
        for (; a && a->start < end; a = next) {
                next = a->next;
                if (a->file == f && is_attached_at(a, addr, ops))
                        TRY(unmap_locked(vm, a->start, a->end));
        }
        return OK;
}

err_t vm_detach(struct vm *vm, u64 addr, const struct file_ops *ops)
{
        if (addr & PAGE_MASK)
                return ERR(EINVAL);
        write_lock(&vm->mmap_lock);
        err_t err = detach_locked(vm, addr, ops);
        unlock_and_reap(vm);
        return err;
}

/* ---- Mapping ---- */

static u32 prot_of(u32 prot) { return prot & (PROT_READ | PROT_WRITE | PROT_EXEC); }

/* An open file on shared anonymous memory, which is promised as long as it lives: whoever maps how much of it. */
OBJECT(vm_shared) {
        struct file base;
        struct vm_domain *domain;       /* counted; NULL: nothing is promised */
        u64 promised;                   /* pages */
};
POOL_DECLARE(vm_shared)

static void vm_shared_fini(struct vm_shared *s)
{
        if (s->domain)
                vm_uncommit(s->domain, s->promised);
        vm_domain_drop(s->domain);
        file_fini(&s->base);
}
POOL_DEFINE(vm_shared, vm_shared_fini);

/* Shared anonymous memory is an unlinked file. */
static err_t shmem_file(struct vm *vm, u64 len, bool promise, struct file **out)
{
        const struct vm_shmem_ops *ops = vm->domain->shmem;
        struct file *f = NULL;

        TRY(ops ? ops->file_new(vm->domain->shmem_sb, len, &f) : ERR(ENOMEM));
        struct vm_shared *s = vm_shared_alloc(vm->payer, MAY_RECLAIM);
        if (!s) {
                file_drop(f);
                return ERR(ENOMEM);
        }
        file_init(&s->base, f->ops, &f->path, f->cred, O_RDWR | O_LARGEFILE);
        file_drop(f);
        err_t err = promise ? vm_promise(vm, len >> PAGE_SHIFT) : OK;
        if (failed(err)) {
                vm_shared_drop(s);
                return err;
        }
        if (promise) {
                s->domain = vm_domain_hold(vm->domain);
                s->promised = len >> PAGE_SHIFT;
        }
        vm_shared_publish(s);
        *out = &s->base;
        return OK;
}

/* What file_mmap leaves to us: the flags, and what mprotect may allow later. */
static err_t spec_of_file(const struct vm_mmap *m, struct area_spec *s, enum map_kind *kind)
{
        struct map_request req = { .offset = m->offset, .len = m->len, .prot = m->prot, .flags = m->flags };
        bool shared = (m->flags & MAP_TYPE) != MAP_PRIVATE;
        TRY(file_mmap(m->file, &req));
        if (m->flags & MAP_GROWSDOWN)
                return ERR(EINVAL);
        *kind = req.kind;
        s->file = m->file;
        s->mapping = req.mapping;
        s->offset = m->offset;
        if (m->file->path.mnt && (LOAD_RELAXED(m->file->path.mnt->flags) & MNT_NOEXEC))
                s->flags &= ~AREA_MAY_EXEC;
        if (shared && (!file_may_write(m->file) || req.read_only))
                s->flags &= ~AREA_MAY_WRITE;
        if (m->file->ops->flags & FOPS_AREAS)
                s->flags |= AREA_COUNTED;
        return OK;
}

/* Checks the flags that need no look at the address space, and makes the spec.  *made: a file to drop. */
static err_t make_spec(struct vm *vm, const struct vm_mmap *m, struct area_spec *s, struct file **made)
{
        u32 type = m->flags & MAP_TYPE;
        bool shared = type == MAP_SHARED || (type == MAP_SHARED_VALIDATE && m->file);
        enum map_kind kind = MAP_ZERO;

        if (!shared && type != MAP_PRIVATE)
                return ERR(EINVAL);
        s->prot = prot_of(m->prot);
        s->flags = AREA_MAY_READ | AREA_MAY_WRITE | AREA_MAY_EXEC;
        if (shared)
                s->flags |= AREA_SHARED;
        if (m->file) {
                if (type == MAP_SHARED_VALIDATE && (m->flags & MAP_SYNC))
                        return ERR(EOPNOTSUPP);
                TRY(spec_of_file(m, s, &kind));
        } else if (shared && (m->flags & MAP_GROWSDOWN)) {
                return ERR(EINVAL);
        }
        if (kind == MAP_ZERO) {
                s->file = NULL;
                s->mapping = NULL;
                s->offset = 0;
                if (shared) {
                        bool promise = !(m->flags & MAP_NORESERVE) || vm->domain->settings.overcommit == OVERCOMMIT_NEVER;
                        TRY(shmem_file(vm, m->len, promise, made));
                        s->file = *made;
                        s->mapping = &(*made)->inode->mapping;
                }
        }
        if (m->flags & MAP_GROWSDOWN)
                s->flags |= AREA_GROWSDOWN;
        if ((m->flags & MAP_NORESERVE) && vm->domain->settings.overcommit != OVERCOMMIT_NEVER)
                s->flags |= AREA_NORESERVE;
        if (m->flags & MAP_LOCKED)
                s->flags |= AREA_LOCKED;
        return OK;
}

/* Bytes of [start, end) that are in areas now. */
static u64 mapped_in(struct vm *vm, u64 start, u64 end)
{
        u64 n = 0;
        for (struct vm_area *a = area_overlap(vm, start, end); a && a->start < end; a = a->next)
                n += min_u64(a->end, end) - max_u64(a->start, start);
        return n;
}

static bool is_accountable(const struct area_spec *s)
{
        return (s->prot & VM_WRITE) && !(s->flags & (AREA_SHARED | AREA_NORESERVE));
}

/* Puts the area at [s->start, s->end), in place of what is there. */
static err_t put_area(struct vm *vm, struct area_spec *s)
{
        u64 len = s->end - s->start;
        if (vm->areas >= vm->domain->settings.max_map_count)
                return ERR(ENOMEM);
        bool occupied = area_overlap(vm, s->start, s->end) != NULL;
        if ((s->flags & AREA_LOCKED) && !may_lock(vm, len))
                return ERR(EAGAIN);
        TRY(may_grow(vm, s->prot, s->flags, occupied ? len - mapped_in(vm, s->start, s->end) : len));
        if (is_accountable(s)) {
                TRY(vm_charge(vm, len));
                s->flags |= AREA_ACCOUNT;
        }
        err_t err = occupied ? unmap_locked(vm, s->start, s->end) : OK;
        if (succeeded(err))
                err = area_add(vm, s);
        if (failed(err)) {
                if (s->flags & AREA_ACCOUNT)
                        vm_uncharge(vm, len);
                return err;
        }
        account(vm, s->prot, s->flags, s->mapping, len, true);
        return OK;
}

static err_t map_locked(struct vm *vm, struct area_spec *s, const struct vm_mmap *m)
{
        u64 at = m->addr;
        if (!(m->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))) {
                at = place_locked(vm, m->len, m->addr, (m->flags & MAP_32BIT) != 0);
                if (!at)
                        return ERR(ENOMEM);
        } else if ((m->flags & MAP_FIXED_NOREPLACE) && area_overlap(vm, at, at + m->len)) {
                return ERR(EEXIST);
        }
        s->start = at;
        s->end = at + m->len;
        s->flags |= vm->lock_future;
        if (s->prot == VM_EXEC)
                s->flags |= key_for_exec(vm) << AREA_KEY_SHIFT;
        return put_area(vm, s);
}

/* The CPU's sizes exist, but there are none to be had; other sizes, and files, are of no use. */
static err_t no_huge_pages(const struct vm_mmap *m)
{
        u32 shift = (m->flags >> MAP_HUGE_SHIFT) & MAP_HUGE_MASK;
        return m->file || (shift && shift != 21 && shift != 30) ? ERR(EINVAL) : ERR(ENOMEM);
}

static err_t check_range(struct vm *vm, struct vm_mmap *m)
{
        if (m->offset & PAGE_MASK)
                return ERR(EINVAL);
        if (!m->len)
                return ERR(EINVAL);
        m->len = page_up(m->len);
        if (!m->len || m->len > VM_MAX)
                return ERR(ENOMEM);
        /* Anonymous memory has no offset; in files offsets are signed. */
        if (m->file && (m->offset > I64_MAX || m->len > I64_MAX - m->offset))
                return ERR(EOVERFLOW);
        if (m->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
                if (m->addr & PAGE_MASK)
                        return ERR(EINVAL);
                if (!vm_is_user(m->addr, m->len))
                        return ERR(ENOMEM);
                if (m->addr < VM_MIN || (m->addr < vm->domain->settings.mmap_min_addr && !may_map_low()))
                        return ERR(EPERM);
        }
        if ((m->flags & MAP_LOCKED) && !may_lock_any())
                return ERR(EPERM);
        return m->flags & MAP_HUGETLB ? no_huge_pages(m) : OK;
}

err_t vm_mmap(struct vm *vm, struct vm_mmap m, u64 *out)
{
        struct area_spec s = {};
        struct file *made = NULL;
        if (m.flags & MAP_ANONYMOUS)
                m.file = NULL;
        else if (!m.file)
                return ERR(EBADF);
        TRY(check_range(vm, &m));
        TRY(make_spec(vm, &m, &s, &made));
        write_lock(&vm->mmap_lock);
        err_t err = map_locked(vm, &s, &m);
        unlock_and_reap(vm);
        if (made)
                file_drop(made);
        TRY(err);
        *out = s.start;
        bool now = (m.flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE;
        if (now || (s.flags & (AREA_LOCKED | AREA_LOCK_ONFAULT)) == AREA_LOCKED)
                ignore(fault_range(vm, s.start, s.end, !(s.flags & AREA_SHARED)));
        return OK;
}

/* The file mapped at [start, end), shared throughout, held; its protection and whether it is locked go to *m.  EINVAL. */
static err_t shared_file_at(struct vm *vm, u64 start, u64 end, struct vm_mmap *m)
{
        READ_GUARD(&vm->mmap_lock);
        struct vm_area *a = area_at(vm, start);
        if (!a || !area_is_shared(a) || !a->file)
                return ERR(EINVAL);
        for (struct vm_area *b = a; b->end < end; b = b->next)
                if (!b->next || b->next->start != b->end || b->next->file != a->file || b->next->prot != a->prot)
                        return ERR(EINVAL);
        m->prot = a->prot;                      /* PROT_* and VM_* are the same */
        if (a->flags & AREA_LOCKED)
                m->flags |= MAP_LOCKED;
        m->file = file_hold(a->file);
        return OK;
}

err_t vm_remap_file_pages(struct vm *vm, u64 addr, u64 len, u32 prot, u64 page)
{
        struct vm_mmap m = { .addr = page_down(addr), .len = page_down(len), .flags = MAP_SHARED | MAP_FIXED | MAP_POPULATE };
        u64 at = 0;

        if (prot || !m.len || !vm_is_user(m.addr, m.len) || add_overflows(page, m.len >> PAGE_SHIFT))
                return ERR(EINVAL);
        if (page > (u64)I64_MAX >> PAGE_SHIFT)
                return ERR(EOVERFLOW);
        TRY(shared_file_at(vm, m.addr, m.addr + m.len, &m));
        m.offset = page << PAGE_SHIFT;
        err_t err = vm_mmap(vm, m, &at);
        file_drop(m.file);
        return err;
}

/* ---- For exec ---- */

u64 vm_place(struct vm *vm, u64 len)
{
        READ_GUARD(&vm->mmap_lock);
        return place_locked(vm, len, 0, false);
}

err_t vm_map_special(struct vm *vm, u64 addr, struct vm_special *special, u32 prot)
{
        u64 len = (u64)special->pages << PAGE_SHIFT;
        struct area_spec s = { .start = addr, .end = addr + len, .prot = prot, .special = special,
                .flags = AREA_SPECIAL | AREA_MAY_READ | AREA_MAY_EXEC | AREA_DONTDUMP };
        WRITE_GUARD(&vm->mmap_lock);
        return area_overlap(vm, s.start, s.end) ? ERR(ENOMEM) : put_area(vm, &s);
}

err_t vm_map_stack(struct vm *vm, u64 start, u64 end, u32 prot)
{
        struct area_spec s = { .start = start, .end = end, .prot = prot,
                .flags = AREA_GROWSDOWN | AREA_STACK | AREA_MAY_READ | AREA_MAY_WRITE | AREA_MAY_EXEC };
        WRITE_GUARD(&vm->mmap_lock);
        return area_overlap(vm, s.start, s.end) ? ERR(ENOMEM) : put_area(vm, &s);
}

void vm_trim_stack(struct vm *vm, u64 end)
{
        WRITE_GUARD(&vm->mmap_lock);
        struct vm_area *a = area_at(vm, end - PAGE_SIZE);
        if (!a || !(a->flags & AREA_STACK) || a->end <= end)
                return;
        u64 less = a->end - end;
        vmspace_unmap(vm->space, end, a->end);
        account(vm, a->prot, a->flags, false, less, false);
        if (a->flags & AREA_ACCOUNT)
                vm_uncharge(vm, less);
        area_set_bounds(a, a->start, end);
}

/* ---- The program break ---- */

void vm_set_brk(struct vm *vm, u64 start)
{
        WRITE_GUARD(&vm->mmap_lock);
        vm->layout.start_brk = vm->layout.brk = start;
}

/* REQUIRES vm->mmap_lock for writing.  False: the break stays. */
static bool set_brk_locked(struct vm *vm, u64 brk)
{
        struct vm_layout *l = &vm->layout;
        u64 limit = limit_of(RLIMIT_DATA);
        if (brk < l->start_brk || brk > VM_MAX)
                return false;
        if (brk - l->start_brk > limit || brk - l->start_brk + (l->end_data - l->start_data) > limit)
                return false;
        u64 from = page_up(l->brk), to = page_up(brk);
        if (to < from)
                return succeeded(unmap_locked(vm, to, from));
        if (to == from)
                return true;
        if (!room_at(vm, from, to))
                return false;
        struct area_spec s = { .start = from, .end = to, .prot = VM_READ | VM_WRITE,
                .flags = AREA_MAY_READ | AREA_MAY_WRITE | AREA_MAY_EXEC | vm->lock_future };
        return succeeded(put_area(vm, &s));
}

u64 vm_brk(struct vm *vm, u64 brk)
{
        write_lock(&vm->mmap_lock);
        u64 old = vm->layout.brk;
        if (brk && set_brk_locked(vm, brk))
                vm->layout.brk = brk;
        u64 now = vm->layout.brk;
        bool lock = now > old && (vm->lock_future & (AREA_LOCKED | AREA_LOCK_ONFAULT)) == AREA_LOCKED;
        unlock_and_reap(vm);
        if (lock)
                ignore(fault_range(vm, page_up(old), page_up(now), true));
        return now;
}
