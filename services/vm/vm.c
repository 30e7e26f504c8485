/* SPDX-License-Identifier: Apache-2.0
 *
 * Making and ending address spaces and domains, and fork's copy.
 */
#include "services/vm/vm_impl.h"
#include "services/vfs/hooks.h"

LOCK_CLASS_DECLARE(file_pos);
LOCK_CLASS_DECLARE(inode);
LOCK_CLASS_DECLARE(pipe);
LOCK_CLASS_DECLARE(epoll);
LOCK_CLASS_DECLARE(tty_io);
LOCK_CLASS_DECLARE(sock);
LOCK_CLASS_DECLARE(syslog);
LOCK_CLASS_DECLARE(ipc_object);
LOCK_CLASS(mmap, AFTER8(file_pos, inode, pipe, tty_io, epoll, sock, syslog, ipc_object));     /* user memory is faulted in under them */

/* ---- Domains ---- */

static void domain_fini(struct vm_domain *d)
{
        vm_special_drop(d->code);
        vm_special_drop(d->data);
        superblock_drop(d->shmem_sb);
}

POOL_DEFINE(vm_domain, domain_fini);

struct vm_domain *vm_domain_new(void)
{
        struct vm_domain *d = vm_domain_alloc(NULL, MAY_RECLAIM);
        if (!d)
                return NULL;
        d->settings = (struct vm_settings){ .overcommit = OVERCOMMIT_GUESS, .overcommit_ratio = 50,
                .max_map_count = 65530, .randomize = 2, .mmap_min_addr = VM_MIN, .oom_dump_tasks = 1, .swappiness = 60 };
        d->total = mem_stats().total;
        u32 part = (u32)min_u64(mem_stats().free * (PAGE_SIZE / 1024) / 32, 1u << 17);        /* about 3 percent */
        d->settings.admin_reserve = min_u32(part, 8192);
        d->settings.user_reserve = part;
        vm_domain_publish(d);
        return d;
}

/* Without a swap there is nothing that swappiness decides. */
struct vm_settings vm_settings(struct vm_domain *d) { return d->settings; }

struct vm_settings *vm_settings_of(struct vm_domain *d) { return &d->settings; }

void vm_domain_set_oom(struct vm_domain *d, const struct vm_oom_ops *ops) { d->oom = ops; }

void vm_domain_set_shmem(struct vm_domain *d, const struct vm_shmem_ops *ops, struct superblock *sb)
{
        d->shmem_sb = superblock_hold(sb);
        d->shmem = ops;
}

struct superblock *vm_shmem(struct vm_domain *d) { return d->shmem_sb; }

void vm_domain_set_vdso(struct vm_domain *d, struct vm_special *code, struct vm_special *data)
{
        d->code = vm_special_hold(code);
        d->data = vm_special_hold(data);
}

struct vm_special *vm_vdso_code(struct vm_domain *d) { return d->code; }
struct vm_special *vm_vdso_data(struct vm_domain *d) { return d->data; }

/* ---- The kernel's own pages ---- */

static void special_fini(struct vm_special *s)
{
        for (u32 i = 0; i < s->pages; i++)
                frame_drop(s->frame[i]);
}

POOL_DEFINE(vm_special, special_fini);

struct vm_special *vm_special_new(bytes name)
{
        struct vm_special *s = vm_special_alloc(NULL, MAY_RECLAIM);
        if (!s)
                return NULL;
        s->name_len = (u32)mbytes_copy(MBYTES_OF(s->name), name);
        vm_special_publish(s);
        return s;
}

void vm_special_add(struct vm_special *s, struct frame *f)
{
        s->frame[s->pages] = frame_hold(f);
        s->pages++;
}

u32 vm_special_pages(struct vm_special *s) { return s->pages; }
bytes vm_special_name(struct vm_special *s) { return bytes_take(BYTES_OF(s->name), s->name_len); }

/* ---- Address spaces ---- */

static void vm_fini(struct vm *vm)
{
        areas_free(vm);
        if (vm->domain) {
                vm_uncommit(vm->domain, vm->committed);
                vm_domain_drop(vm->domain);
        }
        if (vm->space)
                vmspace_drop(vm->space);
        if (vm->payer)
                payer_drop(vm->payer);
}

POOL_DEFINE(vm, vm_fini);

struct vm *vm_new(struct vm_domain *d, struct payer *payer)
{
        struct vm *vm = vm_alloc(payer, MAY_RECLAIM);
        if (!vm)
                return NULL;
        if (payer)
                vm->payer = payer_hold(payer);
        vm->space = vmspace_new(payer);
        if (!vm->space) {
                vm_drop(vm);
                return NULL;
        }
        vm->domain = vm_domain_hold(d);
        vm->mmap_base = VM_MAX;
        vm->keys = 1;
        vm->serial = FETCH_ADD(d->serial, 1) + 1;
        lock_init(&vm->mmap_lock, mmap);
        vm_publish(vm);
        return vm;
}

struct vmspace *vm_space(struct vm *vm) { return vm->space; }
struct vm_domain *vm_domain_of(struct vm *vm) { return vm->domain; }
u64 vm_serial(struct vm *vm) { return vm->serial; }
struct vm *vm_current(void) { return thread_current()->vm; }

struct vm_layout vm_layout(struct vm *vm)
{
        READ_GUARD(&vm->mmap_lock);
        return vm->layout;
}

void vm_set_layout(struct vm *vm, struct vm_layout l)
{
        WRITE_GUARD(&vm->mmap_lock);
        vm->layout = l;
}

void vm_set_auxv(struct vm *vm, bytes auxv)
{
        WRITE_GUARD(&vm->mmap_lock);
        vm->auxv_words = mbytes_copy(MBYTES_OF(vm->auxv), auxv) / sizeof(u64);
}

usize vm_auxv(struct vm *vm, mbytes out)
{
        READ_GUARD(&vm->mmap_lock);
        return mbytes_copy(out, bytes_take(BYTES_OF(vm->auxv), vm->auxv_words * sizeof(u64)));
}

/* ---- fork ---- */

/* Private pages that are not writable now may become so after the fork: V3 for both sides. */
static void mark_shared(struct vm *vm, struct vm_area *a)
{
        VM_CURSOR(c, vm->space, a->start);
        while (cursor_find(&c, a->end)) {
                struct vm_page page = cursor_get(&c);
                if (!(page.prot & VM_COW))
                        cursor_protect(&c, page.prot | VM_COW);
                if (!cursor_next(&c, a->end))
                        break;
        }
}

/* Everything of a shared area, and of a private file area without pages of its own, can be had
 * again from the file: the child faults it in when it needs it. */
static bool must_copy_pages(struct vm_area *a)
{
        if (a->flags & (AREA_SHARED | AREA_WIPEONFORK | AREA_SPECIAL))
                return false;
        return !a->mapping || (a->flags & AREA_ANON_PAGES);
}

static err_t clone_area(struct vm *to, struct vm *from, struct vm_area *a)
{
        struct area_spec s = area_spec_of(a);
        struct vm_area *b = NULL;
        /* Memory locks are not inherited. */
        s.flags &= ~(u32)(AREA_LOCKED | AREA_LOCK_ONFAULT | AREA_WATCHED);
        s.monitor = NULL;
        if (s.flags & AREA_ACCOUNT)
                TRY(vm_charge(to, s.end - s.start));
        if (s.flags & AREA_WIPEONFORK)
                s.flags &= ~AREA_ANON_PAGES;
        TRY(area_add_own(to, &s, &b));
        account(to, s.prot, s.flags, s.mapping, s.end - s.start, true);
        if (!must_copy_pages(a))
                return OK;
        if (!(a->prot & VM_WRITE) && (a->flags & AREA_ANON_PAGES))
                mark_shared(from, a);
        return vmspace_clone(to->space, from->space, a->start, a->end, true);
}

/* REQUIRES from->mmap_lock for writing: no fault may write to a page that is becoming shared.  Nobody
 * else knows `to` yet. */
static err_t clone_locked(struct vm *to, struct vm *from)
{
        to->layout = from->layout;
        mbytes_copy(MBYTES_OF(to->auxv), BYTES_OF(from->auxv));
        to->auxv_words = from->auxv_words;
        to->mmap_base = from->mmap_base;
        to->mmap_low = from->mmap_low;
        to->keys = from->keys;
        to->exec_key = from->exec_key;
        for (struct vm_area *a = from->first; a; a = a->next)
                if (!(a->flags & AREA_DONTFORK))
                        TRY(clone_area(to, from, a));
        to->peak_total = to->total;
        return OK;
}

err_t vm_clone(struct vm *from, struct payer *payer, struct vm **out)
{
        struct vm *to = vm_new(from->domain, payer);
        if (!to)
                return ERR(ENOMEM);
        write_lock(&from->mmap_lock);
        err_t err = clone_locked(to, from);
        write_unlock(&from->mmap_lock);
        if (failed(err)) {
                vm_drop(to);
                return err;
        }
        *out = to;
        return OK;
}

/* ---- Hooks ---- */

static bool hook_fault_in(u64 addr, usize len, bool write)
{
        return succeeded(vm_fault_in(addr, len, write));
}

static const struct vfs_vm_ops vfs_hooks = { .fault_in = hook_fault_in, .unmap_range = vm_unmap_mapping };

void vm_init(void)
{
        vfs_register_vm(&vfs_hooks);
}
