/* SPDX-License-Identifier: Apache-2.0
 *
 * User memory as services use it: the framework copies what is present, and what is not
 * is faulted in here, until all is done or a page cannot be had.
 *
 * Locking   none held by callers but sleeping locks above mmap_lock; each round may sleep.
 */
#include "services/vm/vm_impl.h"

/* Makes the page at addr present.  False: it cannot be, or this thread is being killed. */
static bool make_present(u64 addr, u32 access)
{
        struct vm *vm = vm_current();
        if (!vm || !vm_is_user(addr, 1))
                return false;
        return vm_fault(vm, addr, access).signal == 0 && !(task_interrupts() & INTR_KILL);
}

static err_t whole(u64 done, u64 len) { return done == len ? OK : ERR(EFAULT); }

u64 vm_copy_in_some(mbytes dst, u64 addr)
{
        usize len = mbytes_len(dst);
        usize n = user_copy_in(dst, addr);
        while (n < len && make_present(addr + n, VM_READ))
                n += user_copy_in(mbytes_skip(dst, n), addr + n);
        return n;
}

u64 vm_copy_out_some(u64 addr, bytes src)
{
        usize len = bytes_len(src);
        usize n = user_copy_out(addr, src);
        while (n < len && make_present(addr + n, VM_WRITE))
                n += user_copy_out(addr + n, bytes_skip(src, n));
        return n;
}

u64 vm_zero_some(u64 addr, u64 len)
{
        u64 n = user_zero(addr, len);
        while (n < len && make_present(addr + n, VM_WRITE))
                n += user_zero(addr + n, len - n);
        return n;
}

u64 vm_copy_from_frame(u64 addr, struct frame *f, usize off, usize len)
{
        usize n = user_copy_from_frame(addr, f, off, len);
        while (n < len && make_present(addr + n, VM_WRITE))
                n += user_copy_from_frame(addr + n, f, off + n, len - n);
        return n;
}

u64 vm_copy_to_frame(struct frame *f, usize off, u64 addr, usize len)
{
        usize n = user_copy_to_frame(f, off, addr, len);
        while (n < len && make_present(addr + n, VM_READ))
                n += user_copy_to_frame(f, off + n, addr + n, len - n);
        return n;
}

err_t vm_copy_in_rest(mbytes dst, u64 addr, usize done)
{
        if (!make_present(addr + done, VM_READ))
                return ERR(EFAULT);
        usize len = mbytes_len(dst) - done;
        return whole(vm_copy_in_some(mbytes_skip(dst, done), addr + done), len);
}

err_t vm_copy_out_rest(u64 addr, bytes src, usize done)
{
        if (!make_present(addr + done, VM_WRITE))
                return ERR(EFAULT);
        usize len = bytes_len(src) - done;
        return whole(vm_copy_out_some(addr + done, bytes_skip(src, done)), len);
}

err_t vm_zero(u64 addr, u64 len)        { return whole(vm_zero_some(addr, len), len); }

err_t vm_copy_string(mbytes dst, u64 addr, usize *len)
{
        usize n = 0, size = mbytes_len(dst);
        bool found = false;
        for (;;) {
                n += user_copy_string(mbytes_skip(dst, n), addr + n, &found);
                if (found) {
                        *len = n - 1;
                        return OK;
                }
                if (n == size)
                        return ERR(ENAMETOOLONG);
                if (!make_present(addr + n, VM_READ))
                        return ERR(EFAULT);
        }
}

err_t vm_load32(u64 addr, u32 *value)
{
        if (addr & 3)
                return ERR(EINVAL);
        while (!user_load32(addr, value))
                if (!make_present(addr, VM_READ))
                        return ERR(EFAULT);
        return OK;
}

err_t vm_store32(u64 addr, u32 value)
{
        if (addr & 3)
                return ERR(EINVAL);
        while (!user_store32(addr, value))
                if (!make_present(addr, VM_WRITE))
                        return ERR(EFAULT);
        return OK;
}

err_t vm_load64(u64 addr, u64 *value)
{
        if (addr & 7)
                return ERR(EINVAL);
        while (!user_load64(addr, value))
                if (!make_present(addr, VM_READ))
                        return ERR(EFAULT);
        return OK;
}

err_t vm_store64(u64 addr, u64 value)
{
        if (addr & 7)
                return ERR(EINVAL);
        while (!user_store64(addr, value))
                if (!make_present(addr, VM_WRITE))
                        return ERR(EFAULT);
        return OK;
}

err_t vm_cmpxchg32(u64 addr, u32 old, u32 new, u32 *seen)
{
        if (addr & 3)
                return ERR(EINVAL);
        while (!user_cmpxchg32(addr, old, new, seen))
                if (!make_present(addr, VM_WRITE))
                        return ERR(EFAULT);
        return OK;
}

err_t vm_fault_in(u64 addr, u64 len, bool write)
{
        u32 access = write ? VM_WRITE : VM_READ;
        if (!len)
                return OK;
        if (!make_present(addr, access))
                return ERR(EFAULT);
        if (!vm_is_user(addr, len))
                return OK;
        for (u64 page = page_down(addr) + PAGE_SIZE; page < addr + len; page += PAGE_SIZE)
                if (!make_present(page, access))
                        break;
        return OK;
}

/* ---- Futex keys ---- */

static err_t key_locked(struct vm *vm, u64 addr, struct vm_key *out)
{
        struct vm_area *a = area_at(vm, addr);
        if (!a || !a->prot)
                return ERR(EFAULT);
        if (!a->mapping && !(a->prot & VM_WRITE))
                return ERR(EFAULT);     /* what can never change has no key */
        if (!area_is_shared(a) || !a->mapping) {
                *out = (struct vm_key){ .vm = vm, .at = addr | 1 };
                return OK;
        }
        *out = (struct vm_key){ .mapping = a->mapping, .file = file_hold(a->file), .at = area_offset_of(a, addr) };
        return OK;
}

err_t vm_key_get(u64 addr, bool shared, bool write, struct vm_key *out)
{
        struct vm *vm = vm_current();
        if (!vm || !vm_is_user(addr, sizeof(u32)))
                return ERR(EFAULT);
        if (!shared) {
                *out = (struct vm_key){ .vm = vm, .at = addr };
                return OK;
        }
        if (write)
                TRY(vm_fault_in(addr, sizeof(u32), true));
        read_lock(&vm->mmap_lock);
        err_t err = key_locked(vm, addr, out);
        read_unlock(&vm->mmap_lock);
        return err;
}

void vm_key_put(struct vm_key *key)
{
        if (key->file)
                file_drop(key->file);
        *key = (struct vm_key){};
}

/* ---- Other address spaces ---- */

/* The frame at addr, held, readable or (write) this address space's own.  NULL: not to be had, or *again: not there yet. */
static struct frame *grab_locked(struct vm *vm, struct vm_area *a, u64 addr, bool write, bool force, bool *again)
{
        bool allowed = (a->prot & (write ? VM_WRITE : VM_READ)) != 0;
        /* A debugger may write what the program may not, but only to a private copy. */
        if (!allowed && (!force || (write && (area_is_shared(a) || a->special))))
                return NULL;
        {
                VM_CURSOR(c, vm->space, page_down(addr));
                struct vm_page page = cursor_get(&c);
                if (page.frame && (!write || !(page.prot & VM_COW)))
                        return page.frame == frame_zero_page() ? page.frame : frame_hold(page.frame);
        }
        *again = !fault_page(vm, a, page_down(addr), write ? VM_WRITE : VM_READ).signal;
        return NULL;
}

/* The frame, with vm->mmap_lock held for reading: as long as that, the mapping stays, and its file cannot be sealed against
 * writing.  NULL: not to be had, and not locked. */
static struct frame *grab_and_lock(struct vm *vm, u64 addr, bool write, bool force)
{
        if (!vm_is_user(addr, 1) || addr < VM_MIN)
                return NULL;
        for (bool again = true; again && !(task_interrupts() & INTR_KILL); ) {
                struct vm_ask *ask = NULL;
                struct frame *f = NULL;
                again = false;
                read_lock(&vm->mmap_lock);
                struct vm_area *a = area_at(vm, addr);
                enum watch w = a && (a->flags & AREA_WATCHED) ? monitor_fault(vm, a, addr, write ? VM_WRITE : VM_READ, &ask) : WATCH_NOTHING;
                if (a && w == WATCH_NOTHING)
                        f = grab_locked(vm, a, addr, write, force, &again);
                if (f)
                        return f;
                read_unlock(&vm->mmap_lock);
                if (w == WATCH_WAIT) {
                        monitor_wait(ask, false);
                        again = true;
                }
        }
        return NULL;
}

static struct frame *grab(struct vm *vm, u64 addr, bool write, bool force)
{
        struct frame *f = grab_and_lock(vm, addr, write, force);
        if (f)
                read_unlock(&vm->mmap_lock);
        return f;
}

struct frame *vm_grab(struct vm *vm, u64 addr, bool write) { return grab(vm, addr, write, false); }
struct frame *vm_grab_forced(struct vm *vm, u64 addr, bool write) { return grab(vm, addr, write, true); }

void vm_ungrab(struct frame *f)
{
        if (f != frame_zero_page())
                frame_drop(f);
}

u64 vm_read_remote(struct vm *vm, u64 addr, mbytes dst, bool force)
{
        u64 done = 0, len = mbytes_len(dst);
        while (done < len) {
                u64 at = addr + done, off = at & PAGE_MASK, n = min_u64(PAGE_SIZE - off, len - done);
                struct frame *f = grab(vm, at, false, force);
                if (!f)
                        break;
                frame_read(f, off, mbytes_sub(dst, done, n));
                vm_ungrab(f);
                done += n;
        }
        return done;
}

u64 vm_write_remote(struct vm *vm, u64 addr, bytes src, bool force)
{
        u64 done = 0, len = bytes_len(src);
        while (done < len) {
                u64 at = addr + done, off = at & PAGE_MASK, n = min_u64(PAGE_SIZE - off, len - done);
                struct frame *f = grab_and_lock(vm, at, true, force);
                if (!f)
                        break;
                frame_write(f, off, bytes_sub(src, done, n));
                read_unlock(&vm->mmap_lock);
                vm_ungrab(f);
                done += n;
        }
        return done;
}

u64 vm_zero_remote(struct vm *vm, u64 addr, u64 len)
{
        u64 done = 0;
        while (done < len) {
                u64 at = addr + done, off = at & PAGE_MASK, n = min_u64(PAGE_SIZE - off, len - done);
                struct frame *f = grab_and_lock(vm, at, true, true);
                if (!f)
                        break;
                frame_fill(f, off, n, 0);
                read_unlock(&vm->mmap_lock);
                vm_ungrab(f);
                done += n;
        }
        return done;
}
