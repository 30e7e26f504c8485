/* SPDX-License-Identifier: Apache-2.0
 *
 * PCI devices: what there is, windows onto their registers, their interrupts.
 *
 * The framework alone writes BARs, the command register, MSI and MSI-X, and decides who masters
 * the bus: only a device that it has a model of (frame/io/pci_impl.h), because a number written
 * to a device can be an address.  Any other device has its registers, and neither DMA nor interrupts.
 *
 *      pci_enable(d)                   the device is this driver's; registers answer
 *      w = pci_map_bar(d, 0)           its window
 *      irq_attach_msix(&h, d, 0, fn)   fn runs as a bottom half
 *      …
 *      irq_detach(&h); pci_reset(d)    it reaches no memory any more; may be enabled again
 *
 * A struct pci_device or mmio is for ever.  Bridges, and what else is the framework's own, are on the
 * list but can only be asked.  Nothing here sleeps, unless it says so; none may be called with a
 * lock of the framework's held.
 */
#pragma once

STABLE(pci_device);
STABLE(mmio);

struct pci_info {
        u16 vendor, device, subsystem_vendor, subsystem;
        u32 class;                      /* class << 16 | subclass << 8 | interface */
        u8  revision, bus, slot, function;
};

SAFE_API struct pci_device *pci_device(u32 index);       /* in order of bus, slot, function; NULL: past the last */
SAFE_API struct pci_info pci_info(struct pci_device *d);
SAFE_API u32  pci_capability(struct pci_device *d, u32 id, u32 nth);      /* its offset; 0: there is none */
SAFE_API u32  pci_msix_entries(struct pci_device *d);    /* with plain MSI: 1; 0: no such interrupts */
/* Configuration space, read only.  off + size <= 256 (64 for bridges) and aligned, or traps. */
SAFE_API u8   pci_read8(struct pci_device *d, u32 off);
SAFE_API u16  pci_read16(struct pci_device *d, u32 off);
SAFE_API u32  pci_read32(struct pci_device *d, u32 off);

/* EBUSY: taken, or still at what it did before pci_reset; EPERM: not for services. */
SAFE_API err_t pci_enable(struct pci_device *d);
/* Ends all DMA of the device, gives back the frames of its requests and the device. */
SAFE_API void  pci_reset(struct pci_device *d);

/* A window, uncached.  Each BAR's is given out once.  NULL: taken, not memory, no room, or where no device belongs.
 * Offsets must lie inside the BAR and be a multiple of the access's size; else it traps.  So does
 * writing what is the framework's: MSI-X table and pending bits, and what the device's model closes. */
SAFE_API struct mmio *pci_map_bar(struct pci_device *d, u32 bar);
SAFE_API u64  mmio_size(struct mmio *w);                 /* bytes */
SAFE_API u8   mmio_read8(struct mmio *w, u64 off);
SAFE_API u16  mmio_read16(struct mmio *w, u64 off);
SAFE_API u32  mmio_read32(struct mmio *w, u64 off);
SAFE_API void mmio_write8(struct mmio *w, u64 off, u8 v);
SAFE_API void mmio_write16(struct mmio *w, u64 off, u16 v);
SAFE_API void mmio_write32(struct mmio *w, u64 off, u32 v);

/* Entry `entry` of the MSI-X table (of plain MSI: 0) to CPU entry % cpu_count(), ended by irq_detach (io.h), which
 * masks it.  EINVAL: no such entry; ENODEV: it may not master the bus, as an interrupt is a
 * write to memory; EBUSY: the entry is taken; ENOMEM: no vector or line left. */
SAFE_API err_t irq_attach_msix(struct irq_handler *h, struct pci_device *d, u32 entry, void (*fn)(struct irq_handler *h));
