/* SPDX-License-Identifier: Apache-2.0
 *
 * The initial root file system: cpio archives, plain or gzip, concatenated, unpacked into
 * the root.
 */
#pragma once
#include "services/vfs/path.h"

/* /dev, /dev/console and /root, which a root has before anything is unpacked. */
err_t initramfs_defaults(const struct actor *who);
/* Unpacks the boot initrd and gives its frames back.  Trouble is logged ("Initramfs unpacking
 * failed: …") and what was unpacked stays. */
void  initramfs_unpack(const struct actor *who);
