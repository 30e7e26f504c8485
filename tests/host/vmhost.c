/* SPDX-License-Identifier: Apache-2.0
 *
 * See vmhost.h.
 */
#include "tests/host/vmhost.h"

struct world vmhost;

void vmhost_begin(void)
{
        if (vmhost.thread)
                return;
        world_boot();
        vm_init();
        CHECK_ERR(world_new(&vmhost), 0);
        file_drop(host_file(1));                /* what is made once has been made */
}

void host_use(struct vm *vm)
{
        vmhost.thread->vm = vm;
        task_set_space(vm ? vm_space(vm) : NULL);
}

struct file *host_file(u32 pages)
{
        struct actor who = world_actor(&vmhost);
        struct file *f = NULL;
        u8 page[PAGE_SIZE];

        if (failed(vfs_open(&who, AT_FDCWD, STR("/"), (struct open_how){ .flags = O_TMPFILE | O_RDWR, .mode = 0755 }, &f)))
                return NULL;
        for (u32 i = 0; i < pages; i++) {
                usize done = 0;
                memset(page, (int)i + 1, sizeof page);
                if (failed(file_write_kernel(f, i * PAGE_SIZE, BYTES_OF(page), &done)) || done != PAGE_SIZE) {
                        file_drop(f);
                        return NULL;
                }
        }
        return f;
}
