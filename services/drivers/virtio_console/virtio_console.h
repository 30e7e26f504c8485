/* SPDX-License-Identifier: Apache-2.0
 *
 * Virtio consoles and their ports.  See README.md.
 */
#pragma once

void virtio_console_register(void);     /* at boot, before devfs_fill: the device numbers */
/* Starts the devices.  console: the hvc that console= names, which is waited for (2 s at most), or -1. */
void virtio_console_init(i32 console);
