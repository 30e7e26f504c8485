/* SPDX-License-Identifier: Apache-2.0
 *
 * Windows onto device registers.
 *
 * Invariants  I7  a window shows one BAR, which overlaps nothing that is not its device's: no RAM, no interrupt
 *                 controller, no firmware region, no other device's BAR; it is mapped uncached, for ever
 *             I8  services write neither MSI-X tables nor pending bits, nor what the model closes
 */
#include "pci_impl.h"

#define WINDOW_MAX (256ul << 20)

static bool overlaps(u64 a, u64 a_len, u64 b, u64 b_len) { return a < b + b_len && b < a + a_len; }

/* keeps I7 */
bool pci_bar_usable(struct pci_device *d, u32 bar)
{
        if (bar >= 6 || d->bridge || !d->bar[bar].size)
                return false;
        u64 addr = d->bar[bar].addr, size = d->bar[bar].size;

        if (!addr || addr & (size - 1) || size > WINDOW_MAX || !arch_mmio_ok(addr, size))
                return false;
        for (u32 i = 0; i < boot_info.n_regions; i++) {
                struct boot_region *r = &boot_info.regions[i];

                if (r->start < r->end && overlaps(page_down(addr), page_up(size), r->start, r->end - r->start))
                        return false;
        }
        for (u32 i = 0; i < pci_count; i++)
                for (u32 j = 0; j < 6; j++) {
                        struct pci_device *o = &pci_devices[i];

                        if ((o == d && j == bar) || !o->bar[j].size)
                                continue;
                        if (overlaps(addr, size, o->bar[j].addr, o->bar[j].size))
                                return false;
                }
        return true;
}

/* Permanent, as mmio_map is: for use at boot, or once per device. */
void *pci_map_own(struct pci_device *d, u32 bar, u64 off, u64 len)
{
        if (!pci_bar_usable(d, bar) || off > d->bar[bar].size || len > d->bar[bar].size - off)
                return NULL;
        return mmio_map(d->bar[bar].addr + off, len);
}

struct mmio *pci_map_bar(struct pci_device *d, u32 bar)
{
        if (!pci_bar_usable(d, bar))
                return NULL;
        struct mmio *w = &d->window[bar];

        if (__atomic_exchange_n(&w->taken, 1, __ATOMIC_ACQ_REL))
                return NULL;
        void *at = mmio_map(d->bar[bar].addr, d->bar[bar].size);

        if (!at)
                return NULL;            /* stays taken: half of it may be mapped */
        w->at = at;
        __atomic_store_n(&w->size, d->bar[bar].size, __ATOMIC_RELEASE);
        return w;
}

/* A window that was not given out has size 0. */
u64 mmio_size(struct mmio *w) { return __atomic_load_n(&w->size, __ATOMIC_ACQUIRE); }

static inline volatile u8 *place(struct mmio *w, u64 off, u32 size)
{
        u64 n = mmio_size(w);

        k_range(off < n && size <= n - off && off % size == 0);
        return w->at + off;
}

/* x86 keeps uncached accesses in order, and after earlier stores to memory; the fence binds the compiler. */
#define FENCE() __atomic_signal_fence(__ATOMIC_SEQ_CST)

/* SAFETY: I7: place() is inside the window. */
#define READ(T, w, off) \
        volatile u8 *at = place(w, off, sizeof(T)); \
        FENCE(); \
        T v = *(volatile T *)at; \
        FENCE(); \
        return v
u8  mmio_read8(struct mmio *w, u64 off)  { READ(u8, w, off); }
u16 mmio_read16(struct mmio *w, u64 off) { READ(u16, w, off); }
u32 mmio_read32(struct mmio *w, u64 off) { READ(u32, w, off); }

/* keeps I8 */
static bool is_closed(const struct pci_device *d, u32 bar, u64 off, u32 size)
{
        for (u32 i = 0; i < d->n_closed; i++)
                if (d->closed[i].bar == bar && off < d->closed[i].to && off + size > d->closed[i].from)
                        return true;
        return false;
}

/* SAFETY: I7, I8. */
#define WRITE(T, w, off, v) \
        volatile u8 *at = place(w, off, sizeof(T)); \
        k_range(!is_closed((w)->d, (w)->bar, off, sizeof(T))); \
        FENCE(); \
        *(volatile T *)at = v; \
        FENCE()
void mmio_write8(struct mmio *w, u64 off, u8 v)   { WRITE(u8, w, off, v); }
void mmio_write16(struct mmio *w, u64 off, u16 v) { WRITE(u16, w, off, v); }
void mmio_write32(struct mmio *w, u64 off, u32 v) { WRITE(u32, w, off, v); }
