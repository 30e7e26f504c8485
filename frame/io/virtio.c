/* SPDX-License-Identifier: Apache-2.0
 *
 * Virtio devices (1.x, over PCI): the place of the virtqueue core, which will own the common configuration
 * and the queues' addresses.  Until then: the model, which keeps the common configuration to the framework, and
 * resets the device.  A service may read all of it, write the device's own configuration and ring its bells.
 *
 * Invariant  I11  queue addresses and sizes are written by frame/ alone: the common configuration is closed, the
 *                 legacy port window is never given out, and configuration space (a second way in) is read-only
 */
#include "pci_impl.h"

#define CAP_VENDOR  9
#define COMMON_CFG  1
#define COMMON_SIZE 64                  /* at least so much is kept, whatever the device says */
#define DEVICE_STATUS 20

enum { COMMON_AT, COMMON_BAR, COMMON_MAPPED };  /* pci_device.state */

static bool virtio_match(struct pci_device *d)
{
        bool found = false;

        if (d->info.vendor != 0x1af4 || d->info.device < 0x1000 || d->info.device > 0x107f)
                return false;
        for (u32 i = 0, at = 0; i < 48 && (at = pci_next_cap(d, at)); i++) {
                if (pci_cfg(d, at, 1) != CAP_VENDOR || pci_cfg(d, at + 3, 1) != COMMON_CFG)
                        continue;
                u32 bar = pci_cfg(d, at + 4, 1), off = pci_cfg(d, at + 8, 4), len = pci_cfg(d, at + 12, 4);

                pci_close(d, bar, off, max_u64(len, COMMON_SIZE));      /* keeps I11 */
                if (!found && bar < 6) {
                        d->state[COMMON_AT] = off;
                        d->state[COMMON_BAR] = bar;
                        found = true;
                }
        }
        return found;
}

/* Writing 0 resets; it is done when 0 is read. */
static bool virtio_reset(struct pci_device *d)
{
        volatile u8 *common = (volatile u8 *)d->state[COMMON_MAPPED];

        if (!common) {
                common = pci_map_own(d, (u32)d->state[COMMON_BAR], d->state[COMMON_AT], COMMON_SIZE);
                if (!common)
                        return false;
                d->state[COMMON_MAPPED] = (u64)common;
        }
        /* SAFETY: I7, I11: inside the BAR's mapping, made above */
        common[DEVICE_STATUS] = 0;
        for (u32 i = 0; i < 10000; i++) {
                if (common[DEVICE_STATUS] == 0)
                        return true;
                __builtin_ia32_pause();
        }
        return false;
}

const struct pci_model virtio_model = { .name = "virtio", .match = virtio_match, .reset = virtio_reset };
