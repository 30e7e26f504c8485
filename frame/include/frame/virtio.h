/* SPDX-License-Identifier: Apache-2.0
 *
 * Virtio devices (virtio 1.x over PCI): what may not be a service's, as it holds addresses: the common configuration and the
 * queues.  Of the kinds whose requests hold no addresses themselves: net, block, console, entropy, 9p, input, vsock.
 *
 *      pci_enable(d)                           reset; it masters the bus
 *      virtio_begin(d, wanted, &features)
 *      q = virtq_open(d, 0, size, entry)       each queue; entry of the MSI-X table (irq_attach_msix), or VIRTIO_NO_ENTRY
 *      virtio_go(d, entry)
 *      virtq_add(q, &request); if (virtq_must_notify(q)) … the bell, in the device's window, at virtq_bell(q)
 *      virtq_take(q)                           in the interrupt's bottom half, until there is none
 *      pci_reset(d)                            ends it all; frames under way are given back, their cookies forgotten
 *
 * Frames are pinned while a request is under way.  What the device says of a queue is checked against what was
 * asked of it: one that lies is found out (VIRTQ_LIES), the queue takes and gives nothing more until it is reset.
 * A struct virtq is for ever, and the same one whenever its device is begun anew.  Nothing here sleeps.
 */
#pragma once

STABLE(virtq);

#define VIRTIO_NO_ENTRY 0xffffu
#define VIRTQ_MAX       256u            /* descriptors of a queue, at most */
#define VIRTQ_PARTS     18u

struct virtq_part { struct frame *frame; u32 off, len; };       /* len > 0; inside the frame */
struct virtq_request {
        u64 cookie;                     /* comes back with virtq_take */
        u32 out, in;                    /* first so many parts that the device reads, then so many that it writes */
        struct virtq_part part[VIRTQ_PARTS];
};
enum virtq_what { VIRTQ_NONE, VIRTQ_DONE, VIRTQ_LIES };
struct virtq_done { u64 cookie; u32 len; enum virtq_what what; };       /* len: bytes written, no more than there was room for */

/* Features that are the transport's are added or taken away here.  ENODEV: not enabled, or no such kind; EIO: it
 * does not want them, or is no device of virtio 1. */
SAFE_API err_t virtio_begin(struct pci_device *d, u64 wanted, u64 *features);
SAFE_API err_t virtio_go(struct pci_device *d, u32 config_entry);        /* ENODEV */
/* size: at most so many descriptors.  NULL: not begun, no such queue, it is open, or no memory. */
SAFE_API struct virtq *virtq_open(struct pci_device *d, u32 index, u32 size, u32 entry);
SAFE_API u32  virtq_size(struct virtq *q);
SAFE_API u32  virtq_bell(struct virtq *q);               /* queue_notify_off */
/* EINVAL: no parts, or one that is not a part of a live frame of bytes; ENOSPC: come again; EIO: not open, or it lied. */
SAFE_API err_t virtq_add(struct virtq *q, const struct virtq_request *r);
SAFE_API bool virtq_must_notify(struct virtq *q);
SAFE_API struct virtq_done virtq_take(struct virtq *q);
