/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls of memory: the mmap family, memfd_create.
 */
#include "services/syscall/calls.h"
#include "services/vfs/files.h"
#include "services/tmpfs/tmpfs.h"
#include "services/process/process.h"
#include "abi/const/mm.h"
#include "abi/const/process.h"

err_t sys_mmap(struct call *c)
{
        struct vm_mmap args = { .addr = arg(c, 0), .len = arg(c, 1), .prot = arg_uint(c, 2), .flags = arg_uint(c, 3), .offset = arg(c, 5) };
        if (arg(c, 5) & PAGE_MASK)
                return ERR(EINVAL);
        if (args.flags & MAP_ANONYMOUS)
                return vm_mmap(c->t->vm, args, &c->result);
        struct fd_ref r = fd_get(c->t->files, arg_uint(c, 4));
        if (!r.file)
                return ERR(EBADF);
        args.file = r.file;
        err_t err = vm_mmap(c->t->vm, args, &c->result);
        fd_put(r);
        return err;
}

err_t sys_munmap(struct call *c)   { return vm_munmap(c->t->vm, arg(c, 0), arg(c, 1)); }
err_t sys_mprotect(struct call *c) { return vm_mprotect(c->t->vm, arg(c, 0), arg(c, 1), arg_uint(c, 2)); }
err_t sys_brk(struct call *c)      { c->result = vm_brk(c->t->vm, arg(c, 0)); return OK; }
err_t sys_msync(struct call *c)    { return vm_msync(c->t->vm, arg(c, 0), arg(c, 1), arg_uint(c, 2)); }
err_t sys_mincore(struct call *c)  { return vm_mincore(c->t->vm, arg(c, 0), arg(c, 1), arg(c, 2)); }
err_t sys_madvise(struct call *c)  { return vm_madvise(c->t->vm, arg(c, 0), arg(c, 1), arg_uint(c, 2)); }
err_t sys_mlock(struct call *c)    { return vm_mlock(c->t->vm, arg(c, 0), arg(c, 1), 0); }
err_t sys_munlock(struct call *c)  { return vm_munlock(c->t->vm, arg(c, 0), arg(c, 1)); }
err_t sys_mlockall(struct call *c) { return vm_mlockall(c->t->vm, arg_uint(c, 0)); }
err_t sys_munlockall(struct call *c) { return vm_munlockall(c->t->vm); }

err_t sys_remap_file_pages(struct call *c) { return vm_remap_file_pages(c->t->vm, arg(c, 0), arg(c, 1), (u32)arg(c, 2), arg(c, 3)); }

err_t sys_mlock2(struct call *c)
{
        if (arg_uint(c, 2) & ~(u32)MLOCK_ONFAULT)
                return ERR(EINVAL);
        return vm_mlock(c->t->vm, arg(c, 0), arg(c, 1), arg_uint(c, 2));
}

err_t sys_mremap(struct call *c)
{
        return vm_mremap(c->t->vm, (struct vm_mremap){ .addr = arg(c, 0), .old_len = arg(c, 1), .new_len = arg(c, 2),
                                                       .flags = arg(c, 3), .new_addr = arg(c, 4) }, &c->result);
}

/* ---- Protection keys ---- */

err_t sys_pkey_alloc(struct call *c)
{
        u32 key = 0;

        if (arg(c, 0) || (arg(c, 1) >> 32))
                return ERR(EINVAL);
        TRY(vm_pkey_alloc(c->t->vm, arg_uint(c, 1), &key));
        c->result = key;
        return OK;
}

err_t sys_pkey_free(struct call *c) { return vm_pkey_free(c->t->vm, arg_int(c, 0)); }

err_t sys_pkey_mprotect(struct call *c)
{
        return vm_pkey_mprotect(c->t->vm, arg(c, 0), arg(c, 1), arg_uint(c, 2), arg_int(c, 3));
}

/* ---- memfd ---- */

#define MEMFD_NAME_MAX 249              /* "/memfd:" and it are a file name */

err_t sys_memfd_create(struct call *c)
{
        u32 flags = arg_uint(c, 1), huge = (u32)MFD_HUGE_MASK << MFD_HUGE_SHIFT;
        u8 name[MEMFD_NAME_MAX + 1];
        usize len = 0;
        struct file *f = NULL;
        struct actor who = actor_current();

        if (flags & ~((u32)(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB) | (flags & MFD_HUGETLB ? huge : 0)))
                return ERR(EINVAL);
        err_t err = vm_copy_string(MBYTES_OF(name), arg(c, 0), &len);
        if (failed(err))
                return err_is(err, ENAMETOOLONG) ? ERR(EINVAL) : err;
        if (flags & MFD_HUGETLB)                /* as on Linux for a size that is not there */
                return ERR(ENODEV);
        TRY(tmpfs_new_file(&who, vm_shmem(vm_domain_of(c->t->vm)), bytes_take(BYTES_OF(name), len), 0, &f));
        if (flags & MFD_ALLOW_SEALING)
                tmpfs_let_seal(f);
        return call_add_file(c, f, (flags & MFD_CLOEXEC) != 0);
}
