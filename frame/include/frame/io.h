/* SPDX-License-Identifier: Apache-2.0
 *
 * Devices: interrupts and windows onto ports.  (MMIO and PCI are in pci.h, DMA is in virtio.h.)
 */
#pragma once

/* Ports of a known legacy device, by name, as a window: "com1" .. "com4", "cmos".
 * Offsets outside the window trap.  Each window is given out once. */
STABLE(ioports);
SAFE_API struct ioports *ioports_claim(bytes name);      /* NULL: unknown or taken */
SAFE_API u8   ioports_read8(struct ioports *w, u32 off);
SAFE_API void ioports_write8(struct ioports *w, u32 off, u8 v);
SAFE_API void ioports_write8_many(struct ioports *w, u32 off, bytes data);       /* data[0], data[1], … to one port */

/* Interrupts.  The framework acknowledges and queues; fn runs as a bottom half.
 * irq_handler is a STABLE member of the device's OBJECT. */
STABLE(irq_handler) { u32 index_k; u32 gen_k; };
SAFE_API err_t irq_attach_isa(struct irq_handler *h, u32 line, void (*fn)(struct irq_handler *h));       /* EBUSY, ENOMEM */
SAFE_API void  irq_detach(struct irq_handler *h);
SAFE_API u64   irq_count(u32 line, u32 cpu);             /* for /proc/interrupts and /proc/stat */
