/* SPDX-License-Identifier: Apache-2.0
 *
 * devtmpfs: one tmpfs for all mounts, with a node for every registered device; and the
 * memory devices null, zero, full, random, urandom, kmsg.
 */
#pragma once
#include "services/vfs/chrdev.h"

void devfs_init(void);                  /* at boot, before the drivers: registers devtmpfs and the memory devices */
void devfs_fill(void);                  /* at boot, when the drivers have registered theirs: makes the nodes */
/* A node for a device that appears later. name may hold slashes (directories are made). */
err_t devfs_add(bytes name, u32 mode, u64 dev);
