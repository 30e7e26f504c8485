/* SPDX-License-Identifier: Apache-2.0
 *
 * PCI drivers.  See README.md; the devices are the framework's (pci_device, pci_info …).
 */
#pragma once

STABLE(pci_driver) {
        bool  (*match)(struct pci_info info);
        err_t (*probe)(struct pci_device *d);           /* may sleep; an error is logged */
};

void pci_drive(const struct pci_driver *driver);        /* at boot: probes all devices that match */
