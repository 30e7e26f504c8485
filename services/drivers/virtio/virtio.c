/* SPDX-License-Identifier: Apache-2.0
 *
 * Virtio devices over PCI.  See README.md.
 */
#include "services/drivers/virtio/virtio.h"

enum { CAP_VENDOR = 9 };
enum { CAP_COMMON = 1, CAP_BELLS = 2, CAP_OWN = 4 };
enum { COMMON_GENERATION = 21 };

u32 virtio_kind_of(struct pci_info in)
{
        if (in.vendor != VIRTIO_VENDOR || in.device < 0x1000 || in.device > 0x107f)
                return 0;
        return in.device >= 0x1040 ? in.device - 0x1040u : in.subsystem;        /* transitional ones say it there */
}

/* The first capability of that type whose place is in a BAR. */
static struct virtio_place find_place(struct pci_device *d, u32 type, u32 *step)
{
        u32 at;

        for (u32 i = 0; (at = pci_capability(d, CAP_VENDOR, i)) != 0; i++) {
                if (at > 256 - 20 || pci_read8(d, at + 3) != type)
                        continue;
                struct virtio_place p = { pci_read8(d, at + 4), pci_read32(d, at + 8), pci_read32(d, at + 12) };
                *step = pci_read32(d, at + 16);
                if (p.bar < 6)
                        return p;
        }
        return (struct virtio_place){};
}

/* Its window: false: it cannot be had, or does not hold the place. */
static bool map_place(struct virtio_device *v, struct virtio_place *p)
{
        if (!p->len)
                return false;
        if (!v->bar[p->bar])
                v->bar[p->bar] = pci_map_bar(v->pci, p->bar);
        u64 size = v->bar[p->bar] ? mmio_size(v->bar[p->bar]) : 0;

        if (p->off < size && p->len <= size - p->off)
                return true;
        p->len = 0;
        return false;
}

err_t virtio_open(struct virtio_device *v, struct pci_device *d, u64 wanted)
{
        u32 none = 0;

        v->pci = d;
        v->common = find_place(d, CAP_COMMON, &none);
        v->own = find_place(d, CAP_OWN, &none);
        v->bells = find_place(d, CAP_BELLS, &v->bell_step);
        if (!pci_msix_entries(d))
                return ERR(ENODEV);
        TRY(pci_enable(d));
        (void)map_place(v, &v->own);
        u64 features = 0;
        err_t err = map_place(v, &v->common) && map_place(v, &v->bells) ? virtio_begin(d, wanted, &features) : ERR(ENODEV);
        v->features = features;
        if (failed(err))
                pci_reset(d);
        return err;
}

/* Where `size` bytes at `off` of the place are, if they are inside. */
static bool is_inside(const struct virtio_place *p, u32 off, u32 size) { return off < p->len && size <= p->len - off; }

#define READER(NAME, TYPE, read) \
        TYPE NAME(struct virtio_device *v, u32 off) \
        { return is_inside(&v->own, off, sizeof(TYPE)) ? read(v->bar[v->own.bar], (u64)v->own.off + off) : 0; }
READER(virtio_read8, u8, mmio_read8)
READER(virtio_read16, u16, mmio_read16)
READER(virtio_read32, u32, mmio_read32)

/* The configuration's long words are read as two short ones. */
u64 virtio_read64(struct virtio_device *v, u32 off) { return virtio_read32(v, off) | (u64)virtio_read32(v, off + 4) << 32; }

u32 virtio_generation(struct virtio_device *v)
{
        return is_inside(&v->common, COMMON_GENERATION, 1) ? mmio_read8(v->bar[v->common.bar], (u64)v->common.off + COMMON_GENERATION) : 0;
}

void virtio_ring(struct virtio_device *v, struct virtq *q, u32 index)
{
        u64 off = (u64)virtq_bell(q) * v->bell_step;

        if (virtio_is_stopped(v) || !virtq_must_notify(q))
                return;
        if (off % 2 || off >= v->bells.len || v->bells.len - off < 2)
                virtio_stop(v, STR("a bell outside of its window"));
        else
                mmio_write16(v->bar[v->bells.bar], v->bells.off + off, (u16)index);
}

void virtio_stop(struct virtio_device *v, bytes why)
{
        if (XCHG(v->stopped, 1))
                return;
        struct pci_info in = pci_info(v->pci);
        klog(LOG_ERR, "virtio: {x}:{x}.{}: stopped: {}", in.bus, in.slot, in.function, why);
        pci_reset(v->pci);
}
