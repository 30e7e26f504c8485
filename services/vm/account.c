/* SPDX-License-Identifier: Apache-2.0
 *
 * Counting: totals of an address space, the limits of its process, and memory that was
 * promised (overcommit).
 */
#include "services/vm/vm_impl.h"

/* ---- Limits ---- */

static struct process *current_process(void)
{
        struct task_body *self = task_current();
        if (!IS_A(thread, self))
                return NULL;
        return DOWNCAST(thread, self)->process;
}

u64 limit_of(u32 which)
{
        struct process *p = current_process();
        return p ? LOAD(p->rlimit[which].cur) : U64_MAX;
}

static bool is_data(u32 prot, u32 flags)
{
        return (prot & VM_WRITE) && !(flags & (AREA_SHARED | AREA_GROWSDOWN | AREA_SPECIAL));
}

err_t may_grow(struct vm *vm, u32 prot, u32 flags, u64 bytes)
{
        u64 pages = bytes >> PAGE_SHIFT;
        if (vm->total + pages > limit_of(RLIMIT_AS) >> PAGE_SHIFT)
                return ERR(ENOMEM);
        if (is_data(prot, flags) && vm->data + pages > limit_of(RLIMIT_DATA) >> PAGE_SHIFT)
                return ERR(ENOMEM);
        return OK;
}

/* The kernel's own threads have all. */
static bool has(u32 cap)
{
        struct task_body *self = task_current();
        return !IS_A(thread, self) || cred_has(DOWNCAST(thread, self)->cred, cap);
}

bool may_map_low(void) { return has(CAP_SYS_RAWIO); }

bool may_lock(struct vm *vm, u64 bytes)
{
        return vm->locked + (bytes >> PAGE_SHIFT) <= limit_of(RLIMIT_MEMLOCK) >> PAGE_SHIFT || has(CAP_IPC_LOCK);
}

bool may_lock_any(void)
{
        return limit_of(RLIMIT_MEMLOCK) != 0 || has(CAP_IPC_LOCK);
}

void account(struct vm *vm, u32 prot, u32 flags, bool file, u64 bytes, bool add)
{
        u64 n = add ? bytes >> PAGE_SHIFT : -(bytes >> PAGE_SHIFT);     /* modulo 2^64 */
        vm->total += n;
        if (is_data(prot, flags))
                vm->data += n;
        if (flags & AREA_GROWSDOWN)
                vm->stack += n;
        if (file && (prot & VM_EXEC) && !(prot & VM_WRITE))
                vm->exec += n;
        if (flags & AREA_LOCKED)
                vm->locked += n;
        vm->peak_total = max_u64(vm->peak_total, vm->total);
}

void note_rss(struct vm *vm)
{
        u64 now = vmspace_mapped(vm->space);
        if (now > LOAD_RELAXED(vm->peak_rss))
                STORE(vm->peak_rss, now);
}

u64 vm_rss(struct vm *vm) { return vmspace_mapped(vm->space); }

/* ---- Promises ---- */

u64 vm_committed(struct vm_domain *d) { return LOAD_RELAXED(d->committed); }

u64 vm_commit_limit(struct vm_domain *d)
{
        u64 kbytes = d->settings.overcommit_kbytes;
        return kbytes ? kbytes / (PAGE_SIZE / 1024) : mul_div(d->total, d->settings.overcommit_ratio, 100);
}

/* As Linux: GUESS refuses only what could never be had. */
err_t vm_commit(struct vm_domain *d, u64 pages)
{
        u32 mode = d->settings.overcommit;
        if (mode == OVERCOMMIT_GUESS && pages > d->total)
                return ERR(ENOMEM);
        u64 before = FETCH_ADD(d->committed, pages);
        if (mode == OVERCOMMIT_NEVER && before + pages > vm_commit_limit(d)) {
                FETCH_SUB(d->committed, pages);
                return ERR(ENOMEM);
        }
        return OK;
}

void vm_uncommit(struct vm_domain *d, u64 pages)
{
        FETCH_SUB(d->committed, pages);
}

/* In mode NEVER: what administrators, and every other process, must still find. */
static bool leaves_reserve(struct vm *vm, u64 pages)
{
        const struct vm_settings *s = &vm->domain->settings;
        u64 user = min_u64(vm->total / 32, s->user_reserve / (PAGE_SIZE / 1024));
        u64 kept = user + (has(CAP_SYS_ADMIN) ? 0 : s->admin_reserve / (PAGE_SIZE / 1024));
        return LOAD_RELAXED(vm->domain->committed) + pages + kept <= vm_commit_limit(vm->domain);
}

err_t vm_promise(struct vm *vm, u64 pages)
{
        if (vm->domain->settings.overcommit == OVERCOMMIT_NEVER && !leaves_reserve(vm, pages))
                return ERR(ENOMEM);
        return vm_commit(vm->domain, pages);
}

err_t vm_charge(struct vm *vm, u64 bytes)
{
        TRY(vm_promise(vm, bytes >> PAGE_SHIFT));
        vm->committed += bytes >> PAGE_SHIFT;
        return OK;
}

void vm_uncharge(struct vm *vm, u64 bytes)
{
        vm_uncommit(vm->domain, bytes >> PAGE_SHIFT);
        vm->committed -= bytes >> PAGE_SHIFT;
}
