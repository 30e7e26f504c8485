/* SPDX-License-Identifier: Apache-2.0
 *
 * The vDSO's pages: copied once at boot from the file built into the kernel, then mapped
 * into each program by exec.
 */
#include "services/exec/exec_impl.h"

static err_t add_pages(struct vm_special *s, bytes content)
{
        for (usize at = 0; at < bytes_len(content); at += PAGE_SIZE) {
                struct frame *f = frame_alloc(NULL, FRAME_ZERO);
                if (!f)
                        return ERR(ENOMEM);
                frame_write(f, 0, bytes_sub(content, at, min_u64(PAGE_SIZE, bytes_len(content) - at)));
                vm_special_add(s, f);
                frame_drop(f);
        }
        return OK;
}

err_t exec_vdso_init(struct vm_domain *domain, bytes elf, struct frame *data)
{
        if (!bytes_len(elf) || bytes_len(elf) > VM_SPECIAL_PAGES * PAGE_SIZE)
                return ERR(EINVAL);
        struct vm_special *code = vm_special_new(STR("[vdso]")), *vvar = vm_special_new(STR("[vvar]"));
        err_t err = code && vvar ? add_pages(code, elf) : ERR(ENOMEM);
        if (succeeded(err)) {
                vm_special_add(vvar, data);
                vm_domain_set_vdso(domain, code, vvar);
        }
        vm_special_drop(code);
        vm_special_drop(vvar);
        return err;
}
