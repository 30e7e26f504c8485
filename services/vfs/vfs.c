/* SPDX-License-Identifier: Apache-2.0
 *
 * Start-up of the file layer.
 */
#include "services/vfs/vfs.h"
#include "services/vfs/anon.h"
#include "services/vfs/locks.h"
#include "services/vfs/registry.h"

void vfs_init(void)
{
        registry_init();
        locks_init();
        anon_init();
}
