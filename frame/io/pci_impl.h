/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of frame/io share: struct pci_device, models, windows.
 *
 * A model is what the framework knows of a device, so that it can let it master the bus: which
 * registers hold addresses or lengths, and how to make it stop.  Devices without a model never do.
 * It keeps those registers to itself, by pci_close; what writes them (virtio.c: the virtqueue core) gives
 * bus addresses of frames that it has pinned.
 *
 * Lock order  msi_lock; then pci_device.lock; then virtq.lock, the configuration port's.
 */
#pragma once
#include "arch.h"
#include "mem.h"
#include "mmu.h"

struct pci_model {
        /* At boot: is d one of mine?  May pci_close ranges. */
        bool (*match)(struct pci_device *d);
        /* d->lock held; decoding on, mastering off.  Brings d to where it does no DMA unless told to, and has forgotten
         * all addresses.  False: it is still at work. */
        bool (*reset)(struct pci_device *d);
};
extern const struct pci_model virtio_model;
#ifdef KEEL_SELFTEST
extern const struct pci_model edu_model, e1000e_model;
volatile u16 *virtq_used(struct virtq *q);
#endif

STABLE(mmio) {
        struct pci_device *d;           /* fixed at boot, with bar */
        volatile u8 *at;                /* set once, before the window is given out */
        u64 size;
        u32 bar, taken;                 /* taken: atomic */
};

#define PCI_CLOSED 8
STABLE(pci_device) {
        /* Fixed at boot. */
        struct pci_info info;
        u16  bdf;
        bool bridge;                    /* or other infrastructure: the framework's own */
        u8   msi, msix;                 /* capabilities' offsets, 0: none */
        struct { u64 addr, size; } bar[6];       /* in memory; size 0: none */
        struct { u32 bar; u64 from, to; } closed[PCI_CLOSED];   /* services' writes are refused */
        u32  n_closed;
        u32  msix_entries, msix_bar;
        u64  msix_at;
        const struct pci_model *model;
        struct mmio window[6];

        volatile u32 *msix_table;       /* msi_lock; NULL until used */
        struct klock lock;              /* enabled, the command register, the model's state */
        bool enabled;
        u64  state[4];                  /* the model's */
};

extern struct pci_device pci_devices[];
extern u32 pci_count;

void pci_init(void);                    /* boot CPU, when memory and interrupts work */
void pci_close(struct pci_device *d, u32 bar, u64 from, u64 len);
bool pci_may_dma(struct pci_device *d); /* enabled, and masters the bus */
u32  pci_cfg(struct pci_device *d, u32 off, u32 size);
void pci_cfg_set(struct pci_device *d, u32 off, u32 size, u32 v);
bool pci_bar_usable(struct pci_device *d, u32 bar);
u32  pci_next_cap(struct pci_device *d, u32 at);                /* at 0: the first; 0: past the last */
void *pci_map_own(struct pci_device *d, u32 bar, u64 off, u64 len);      /* for the framework; NULL: not inside the BAR */
void virtio_forget(struct pci_device *d);       /* the device reaches nothing any more: the pins of its queues go */
