/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames of bytes within a device's reach.  A map pins its frame, counted by the framework, until the
 * device cannot reach it any more; services never see where it lies.  A bus address gets into a
 * device by mmio_write64_dma alone, and only into registers that the device's model names.
 *
 * dma_map is a STABLE member of the driver's OBJECT, one per buffer.  (Rings of requests have a core of
 * their own in the framework, which takes frames and pins each while its request is in flight.)
 */
#pragma once

enum dma_direction { DMA_TO_DEVICE = 1, DMA_FROM_DEVICE = 2, DMA_BOTH = 3 };

STABLE(dma_map) { u64 handle_k; };

/* EINVAL: no live frame of bytes (the zero page is none), or no such direction; ENODEV: the device may not master the bus;
 * EBUSY: m is in use; ENOMEM: too many maps or pins. */
SAFE_API err_t dma_map(struct dma_map *m, struct pci_device *d, struct frame *f, enum dma_direction dir);
/* EBUSY: the device may still reach it; wait for it or pci_reset it.  No map: OK. */
SAFE_API err_t dma_unmap(struct dma_map *m);
SAFE_API u32   dma_maps(struct pci_device *d);           /* how many it has now */
/* Writes the bus address of byte `offset` of the map's frame into the register.  Traps like mmio_write64, and if there is no map,
 * it is another device's, offset lies outside, or the model does not want it there. */
SAFE_API void  mmio_write64_dma(struct mmio *w, u64 off, struct dma_map *m, u64 offset);
