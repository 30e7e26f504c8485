/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as an initramfs: archives, plain and compressed.
 */
#include "tests/host/world.h"
#include "services/init/initramfs.h"

int LLVMFuzzerTestOneInput(const u8 *data, usize size);
int LLVMFuzzerTestOneInput(const u8 *data, usize size)
{
        struct world w;
        world_boot();
        u64 before = host_live();
        CHECK_ERR(world_new(&w), 0);
        struct actor who = world_actor(&w);
        host_initrd((bytes){ data, size });
        initramfs_unpack(&who);
        host_at_rest();
        host_initrd(NO_BYTES);
        world_drop(&w);
        host_settle();
        CHECK_EQ(host_live(), before);
        return 0;
}
