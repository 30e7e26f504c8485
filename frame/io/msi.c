/* SPDX-License-Identifier: Apache-2.0
 *
 * Message interrupts: MSI-X, and plain MSI as a table of one entry.
 *
 * A line number (bh.c) from ISA_LINES on stands for one entry of one device, and for a vector on one CPU. The
 * slot is taken before the handler owns the line, and free again when the entry is masked.
 *
 * Invariant  I10  address and data of a message are written here alone, name a vector of arch_msi_alloc, and the
 *                 entry is masked before the vector is given back
 */
#include "pci_impl.h"
#include "bh.h"

#define ENTRY_MASKED 1u

static struct slot {                    /* all under msi_lock */
        struct pci_device *d;           /* NULL: free */
        u32 entry, cpu;
} slots[MSI_LINES];
static struct klock msi_lock;

static void table_write(struct pci_device *d, u32 entry, u32 word, u32 v)
{
        /* SAFETY: I10: entry < msix_entries, and the table was mapped whole */
        *(volatile u32 *)(d->msix_table + entry * 4 + word) = v;
}

/* At first use: every entry masked, then MSI-X on. */
static bool table_ready(struct pci_device *d)
{
        if (d->msix_table)
                return true;
        d->msix_table = pci_map_own(d, d->msix_bar, d->msix_at, d->msix_entries * 16ul);
        if (!d->msix_table)
                return false;
        for (u32 i = 0; i < d->msix_entries; i++)
                table_write(d, i, 3, ENTRY_MASKED);
        u32 control = pci_cfg(d, d->msix + 2u, 2);

        pci_cfg_set(d, d->msix + 2u, 2, (control & ~0x4000u) | 0x8000);
        return true;
}

static void entry_set(struct pci_device *d, u32 entry, struct msi_message m)
{
        if (d->msix) {
                table_write(d, entry, 0, (u32)m.addr);
                table_write(d, entry, 1, (u32)(m.addr >> 32));
                table_write(d, entry, 2, m.data);
                table_write(d, entry, 3, 0);
                return;
        }
        u32 at = d->msi, control = pci_cfg(d, at + 2, 2), data = control & 0x80 ? at + 12 : at + 8;

        pci_cfg_set(d, at + 4, 4, (u32)m.addr);
        if (control & 0x80)
                pci_cfg_set(d, at + 8, 4, (u32)(m.addr >> 32));
        pci_cfg_set(d, data, 2, m.data);
        if (control & 0x100)
                pci_cfg_set(d, data + 4, 4, 0);
        pci_cfg_set(d, at + 2, 2, (control & ~0x70u) | 1);
}

/* The read back: what was sent before is on its way to the CPU, not waiting in the device. */
static void entry_mask(struct pci_device *d, u32 entry)
{
        if (d->msix) {
                table_write(d, entry, 3, ENTRY_MASKED);
                /* SAFETY: I10: as in table_write */
                (void)*(volatile u32 *)(d->msix_table + entry * 4 + 3);
        } else {
                pci_cfg_set(d, d->msi + 2u, 2, pci_cfg(d, d->msi + 2u, 2) & ~1u);
                (void)pci_cfg(d, d->msi + 2u, 2);
        }
}

static u32 slot_take(struct pci_device *d, u32 entry, bool *taken)
{
        u32 n = MSI_LINES;

        for (u32 i = MSI_LINES; i-- > 0; ) {
                if (!slots[i].d)
                        n = i;
                *taken |= slots[i].d == d && slots[i].entry == entry;
        }
        return *taken ? MSI_LINES : n;
}

void msi_line_off(u32 line)
{
        u32 n = line - ISA_LINES;

        if (n >= MSI_LINES)
                return;
        klock_lock(&msi_lock);
        struct slot *s = &slots[n];

        if (s->d) {
                entry_mask(s->d, s->entry);             /* keeps I10 */
                arch_msi_free(line, s->cpu);
                s->d = NULL;
        }
        klock_unlock(&msi_lock);
}

err_t irq_attach_msix(struct irq_handler *h, struct pci_device *d, u32 entry, void (*fn)(struct irq_handler *h))
{
        __atomic_store_n(&h->index_k, 0, __ATOMIC_RELAXED);
        if (entry >= pci_msix_entries(d) || !fn)
                return ERR(EINVAL);
        if (!pci_may_dma(d))
                return ERR(ENODEV);
        bool taken = false, ok = false;
        u32 cpu = entry % __atomic_load_n(&cpus_online, __ATOMIC_ACQUIRE), n;
        struct msi_message m;

        klock_lock(&msi_lock);
        n = slot_take(d, entry, &taken);
        if (n < MSI_LINES && (!d->msix || table_ready(d)) && arch_msi_alloc(ISA_LINES + n, cpu, &m)) {
                slots[n] = (struct slot){ d, entry, cpu };
                ok = irq_line_own(ISA_LINES + n, h, fn);        /* a free slot's line is nobody's */
                entry_set(d, entry, m);
        }
        klock_unlock(&msi_lock);
        if (!ok)
                return taken ? ERR(EBUSY) : ERR(ENOMEM);
        h->index_k = ISA_LINES + n + 1;
        return OK;
}
