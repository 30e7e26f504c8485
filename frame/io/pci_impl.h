/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of frame/io share: struct pci_device, models, windows.
 *
 * A model is what the framework knows of a device, so that it can let it master the bus: which
 * registers hold addresses or lengths, and how to make it stop.  Devices without a model never do.
 * A model for rings (virtio.c: the virtqueue core) keeps the registers to itself, by pci_close, and writes
 * bus addresses of its own pinned frames; a model for plain address registers judges each write.
 *
 * Lock order  dma_lock, msi_lock; then pci_device.lock; then virtq.lock, the configuration port's.
 */
#pragma once
#include "arch.h"
#include "mem.h"
#include "mmu.h"

struct pci_model {
        const char *name;
        /* At boot: is d one of mine?  May pci_close ranges. */
        bool (*match)(struct pci_device *d);
        /* d->lock held; decoding on, mastering off.  Brings d to where it does no DMA unless told to, and has forgotten
         * all addresses.  False: it is still at work. */
        bool (*reset)(struct pci_device *d);
        /* d->lock held; NULL: anything goes outside of closed ranges.  May v be written?  map 0: a service's number;
         * else the bus address of `room` bytes of that map, for dir. */
        bool (*may_write)(struct pci_device *d, u32 bar, u64 off, u32 size, u64 v, u32 map, u64 room, u32 dir);
        /* d->lock held; NULL: only reset ends a map.  True: d does not reach that map, nor will it before the next write of it. */
        bool (*release)(struct pci_device *d, u32 map);
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
        struct { u64 addr; struct pci_bar b; } bar[6];
        struct { u32 bar; u64 from, to; } closed[PCI_CLOSED];   /* services' writes are refused */
        u32  n_closed;
        u32  msix_entries, msix_bar;
        u64  msix_at;
        const struct pci_model *model;
        struct mmio window[6];

        volatile u32 *msix_table;       /* msi_lock; NULL until used */
        struct klock lock;              /* enabled, the command register, the model's writes and state */
        bool enabled;
        u64  state[4];                  /* the model's */
};

extern struct pci_device pci_devices[];
extern u32 pci_count;

void pci_init(void);                    /* boot CPU, when memory and interrupts work */
void pci_close(struct pci_device *d, u32 bar, u64 from, u64 len);
u32  pci_cfg(struct pci_device *d, u32 off, u32 size);
void pci_cfg_set(struct pci_device *d, u32 off, u32 size, u32 v);
bool pci_bar_usable(struct pci_device *d, u32 bar);
u32  pci_next_cap(struct pci_device *d, u32 at);                /* at 0: the first; 0: past the last */
void *pci_map_own(struct pci_device *d, u32 bar, u64 off, u64 len);      /* for the framework; NULL: not inside the BAR */

/* d->lock held: nothing, or the write was refused. */
bool mmio_write_locked(struct mmio *w, u64 off, u32 size, u64 v, u32 map, u64 room, u32 dir);
void dma_forget(struct pci_device *d);  /* the device reaches nothing any more: its pins go */
void virtio_forget(struct pci_device *d);       /* the same of its queues */
