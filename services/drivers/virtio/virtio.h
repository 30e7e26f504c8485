/* SPDX-License-Identifier: Apache-2.0
 *
 * Virtio devices over PCI, as their drivers see them.  See README.md.
 */
#pragma once

#define VIRTIO_VENDOR 0x1af4u
enum virtio_kind { VIRTIO_NET = 1, VIRTIO_BLOCK = 2, VIRTIO_CONSOLE = 3, VIRTIO_ENTROPY = 4, VIRTIO_9P = 9, VIRTIO_VSOCK = 19 };

struct virtio_place { u32 bar, off, len; };
STABLE(virtio_device) {                 /* fixed once open */
        struct pci_device *pci;
        u64 features;
        struct mmio *bar[6];
        struct virtio_place common, bells, own;         /* len 0: there is none */
        u32 bell_step;                  /* notify_off_multiplier */
        u32 stopped;                    /* ATOMIC */
};

u32   virtio_kind_of(struct pci_info info);             /* 0: no virtio device */
/* Enables d and agrees on features.  ENODEV: no virtio 1 device that can be driven (it needs MSI-X); EBUSY, EIO. */
err_t virtio_open(struct virtio_device *v, struct pci_device *d, u64 wanted);
static inline bool virtio_has(const struct virtio_device *v, u32 feature) { return v->features >> feature & 1; }
/* The device's own configuration; 0 outside of it.  Aligned. */
u8    virtio_read8(struct virtio_device *v, u32 off);
u16   virtio_read16(struct virtio_device *v, u32 off);
u32   virtio_read32(struct virtio_device *v, u32 off);
u64   virtio_read64(struct virtio_device *v, u32 off);
u32   virtio_generation(struct virtio_device *v);       /* the same before and after reading: it was one configuration */
void  virtio_ring(struct virtio_device *v, struct virtq *q, u32 index); /* q's bell, unless the device does not want it */
/* The device is not to be trusted (why), or not wanted: it is reset, for good.  Any context; logs once. */
void  virtio_stop(struct virtio_device *v, bytes why);
static inline bool virtio_is_stopped(struct virtio_device *v) { return LOAD(v->stopped); }
