/* SPDX-License-Identifier: Apache-2.0
 *
 * PCI drivers.  See README.md.
 */
#include "services/drivers/pci/pci.h"

void pci_drive(const struct pci_driver *driver)
{
        struct pci_device *d;

        for (u32 i = 0; (d = pci_device(i)) != NULL; i++) {
                struct pci_info in = pci_info(d);
                if (!driver->match(in))
                        continue;
                err_t err = driver->probe(d);
                if (failed(err))
                        klog(LOG_ERR, "pci: {x}:{x}.{}: {x}:{x} does not start: error {}", in.bus, in.slot, in.function,
                             in.vendor, in.device, err);
        }
}
