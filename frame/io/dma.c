/* SPDX-License-Identifier: Apache-2.0
 *
 * Maps of frames for devices.
 *
 * Lifetime   A map is the table's entry; the driver's struct dma_map only names it, with a generation. The entry has one
 *            pin of its frame, counted in the frame's word, which goes by dma_unmap or pci_reset.
 * Invariants I9   a device with a map may reach its frame, and the frame is pinned as BYTES: from before the bus
 *                 address is written until the model says it is over, or mastering is off
 *            I10  a bus address is written by mmio_write64_dma (or a core in frame/) alone, where the model wants
 *                 it, for as many bytes as the frame has behind it
 */
#include "pci_impl.h"

#define MAPS 256

static struct map {                     /* all under dma_lock */
        struct frame *f;                /* NULL: free; pinned */
        struct pci_device *d;
        u32 dir, gen;
        bool told;                      /* the device has had the address */
} maps[MAPS];
static struct klock dma_lock;

static u64 handle_of(u32 i) { return (u64)maps[i].gen << 32 | (i + 1); }

/* The index + 1, which is also the map's number for models; 0: no such map (any more). */
static u32 find(u64 handle)
{
        u32 n = (u32)handle;

        return n - 1 < MAPS && maps[n - 1].f && handle_of(n - 1) == handle ? n : 0;
}

static u32 take(struct pci_device *d, struct frame *f, u32 dir)
{
        for (u32 i = 0; i < MAPS; i++) {
                if (maps[i].f)
                        continue;
                maps[i] = (struct map){ .f = f, .d = d, .dir = dir, .gen = maps[i].gen + 1 };
                return i + 1;
        }
        return 0;
}

/* In a section; the device cannot reach it. */
static void give(struct map *m)
{
        struct frame *f = m->f;

        m->f = NULL;
        frame_dma_unpin(f);             /* keeps I9 */
}

err_t dma_map(struct dma_map *m, struct pci_device *d, struct frame *f, enum dma_direction dir)
{
        u64 old = __atomic_load_n(&m->handle_k, __ATOMIC_RELAXED);

        if (!f || (u32)dir - 1 > 2)
                return ERR(EINVAL);
        if (!pci_may_dma(d))
                return ERR(ENODEV);
        klock_lock(&dma_lock);
        bool busy = find(old);
        klock_unlock(&dma_lock);
        if (busy)
                return ERR(EBUSY);
        __atomic_store_n(&m->handle_k, 0, __ATOMIC_RELAXED);    /* it can be written */
        if (!frame_dma_pin(f))          /* keeps I9 */
                return ERR(EINVAL);
        klock_lock(&dma_lock);
        u32 n = take(d, f, (u32)dir);
        u64 handle = n ? handle_of(n - 1) : 0;

        klock_unlock(&dma_lock);
        if (!n) {
                frame_dma_unpin(f);
                return ERR(ENOMEM);
        }
        __atomic_store_n(&m->handle_k, handle, __ATOMIC_RELAXED);
        return OK;
}

err_t dma_unmap(struct dma_map *m)
{
        u64 handle = __atomic_load_n(&m->handle_k, __ATOMIC_RELAXED);
        bool ok = true;

        klock_lock(&dma_lock);
        u32 n = find(handle);

        if (n && maps[n - 1].told) {
                struct pci_device *d = maps[n - 1].d;

                klock_lock(&d->lock);
                ok = !d->enabled || (d->model->release && d->model->release(d, n));
                klock_unlock(&d->lock);
        }
        if (n && ok)
                give(&maps[n - 1]);
        klock_unlock(&dma_lock);
        return ok ? OK : ERR(EBUSY);
}

u32 dma_maps(struct pci_device *d)
{
        u32 n = 0;

        klock_lock(&dma_lock);
        for (u32 i = 0; i < MAPS; i++)
                n += maps[i].f && maps[i].d == d;
        klock_unlock(&dma_lock);
        return n;
}

/* A map that was made meanwhile by who found the device still enabled goes too, unless it is enabled again. */
void dma_forget(struct pci_device *d)
{
        klock_lock(&dma_lock);
        klock_lock(&d->lock);
        for (u32 i = 0; i < MAPS && !d->enabled; i++)
                if (maps[i].f && maps[i].d == d)
                        give(&maps[i]);
        klock_unlock(&d->lock);
        klock_unlock(&dma_lock);
}

void mmio_write64_dma(struct mmio *w, u64 off, struct dma_map *m, u64 offset)
{
        u64 size = mmio_size(w), handle = __atomic_load_n(&m->handle_k, __ATOMIC_RELAXED);
        struct pci_device *d = w->d;
        bool ok = false;

        k_range(off < size && size - off >= 8 && off % 8 == 0);
        k_range(d->model && d->model->may_write);
        klock_lock(&dma_lock);
        u32 n = find(handle);

        if (n && maps[n - 1].d == d && offset < frame_size(maps[n - 1].f)) {
                struct map *map = &maps[n - 1];

                klock_lock(&d->lock);
                /* SAFETY: I10: the address of a pinned frame; the model has approved of the register and the room */
                ok = d->enabled && mmio_write_locked(w, off, 8, (frame_number(map->f) << PAGE_SHIFT) + offset, n,
                                                     frame_size(map->f) - offset, map->dir);
                map->told |= ok;
                klock_unlock(&d->lock);
        }
        klock_unlock(&dma_lock);
        k_range(ok);
}
