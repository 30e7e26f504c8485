/* SPDX-License-Identifier: Apache-2.0
 *
 * PCI: the list of devices, their configuration space, and who is on.
 *
 * Devices are found once, at boot, on bus 0 and behind bridges as the firmware has numbered them; BARs lie where it
 * has put them.  From then on no device masters the bus until pci_enable has
 * let it.  What a device says of itself is read once; only its sizes and places, checked, are believed.
 *
 * Invariants  I5  configuration space is written here, in msi.c, and nowhere else; services' reads are checked
 *             I6  a device masters the bus only while it is enabled and has a model, and was reset before
 */
#include "pci_impl.h"
#include "lib.h"

#define PCI_MAX     64
#define CMD         4
#define CMD_MEMORY  2
#define CMD_MASTER  4
#define CMD_NO_INTX 0x400
#define CAP_MSI     5
#define CAP_MSIX    17
#define CLASS_BRIDGE 6

struct pci_device pci_devices[PCI_MAX];
u32 pci_count;
static u64 buses[4] = { 1 };            /* found and to be scanned */

static const struct pci_model *const models[] = {
        &virtio_model,
#ifdef KEEL_SELFTEST
        &edu_model, &e1000e_model,
#endif
};

/* SAFETY: I5: d is a device that was found, and off a register that the framework knows or only reads. */
u32  pci_cfg(struct pci_device *d, u32 off, u32 size)            { return arch_pci_read(d->bdf, off, size); }
void pci_cfg_set(struct pci_device *d, u32 off, u32 size, u32 v) { arch_pci_write(d->bdf, off, size, v); }

/* ---- what a device is ---- */

u32 pci_next_cap(struct pci_device *d, u32 at)
{
        if (!at && !(pci_cfg(d, 6, 2) & 0x10))
                return 0;
        at = pci_cfg(d, at ? at + 1 : 0x34, 1) & 0xfc;
        return at >= 0x40 ? at : 0;
}

/* A list that runs in circles ends. */
static u32 find_cap(struct pci_device *d, u32 id, u32 nth)
{
        u32 at = 0;

        for (u32 i = 0; i < 48 && (at = pci_next_cap(d, at)); i++)
                if (pci_cfg(d, at, 1) == id && nth-- == 0)
                        return at;
        return 0;
}

/* Decoding is off.  Of BARs in memory; ports are left alone. */
static u32 size_bar(struct pci_device *d, u32 i)
{
        u32 off = 0x10 + 4 * i, low = pci_cfg(d, off, 4), high = 0;
        bool wide = (low & 7) == 4 && i < 5;
        u64 mask;

        if (low & 1)
                return 1;
        pci_cfg_set(d, off, 4, U32_MAX);
        mask = pci_cfg(d, off, 4) & ~15u;
        pci_cfg_set(d, off, 4, low);
        if (wide) {
                high = pci_cfg(d, off + 4, 4);
                pci_cfg_set(d, off + 4, 4, U32_MAX);
                mask |= (u64)pci_cfg(d, off + 4, 4) << 32;
                pci_cfg_set(d, off + 4, 4, high);
        } else if (mask) {
                mask |= ~0xfffffffful;
        }
        d->bar[i].addr = (u64)high << 32 | (low & ~15u);
        d->bar[i].size = mask & -mask;  /* the lowest bit that could be set */
        return wide ? 2 : 1;
}

void pci_close(struct pci_device *d, u32 bar, u64 from, u64 len)
{
        if (d->n_closed == PCI_CLOSED) {        /* too many to remember: all of it */
                bar = d->closed[--d->n_closed].bar;
                for (u32 i = 0; i < 6; i++)
                        d->bar[i].size = 0;
        }
        d->closed[d->n_closed].bar = bar;
        d->closed[d->n_closed].from = from;
        d->closed[d->n_closed++].to = add_overflows(from, len) ? U64_MAX : from + len;
}

static void read_msix(struct pci_device *d)
{
        u32 table = pci_cfg(d, d->msix + 4, 4), pba = pci_cfg(d, d->msix + 8, 4);
        u32 n = (pci_cfg(d, d->msix + 2, 2) & 0x7ff) + 1;

        d->msix_entries = n;
        d->msix_bar = table & 7;
        d->msix_at = table & ~7u;
        pci_close(d, table & 7, d->msix_at, n * 16ul);
        pci_close(d, pba & 7, pba & ~7u, (n + 63) / 64 * 8ul);
}

static void read_device(struct pci_device *d)
{
        u32 header = pci_cfg(d, 14, 1) & 127;
        struct pci_info *in = &d->info;

        in->vendor = (u16)pci_cfg(d, 0, 2);
        in->device = (u16)pci_cfg(d, 2, 2);
        in->class = pci_cfg(d, 8, 4) >> 8;
        in->revision = (u8)pci_cfg(d, 8, 1);
        d->bridge = header != 0 || in->class >> 16 == CLASS_BRIDGE;
        for (u32 i = 0; i < 6; i++)
                d->window[i].d = d, d->window[i].bar = i;
        if (header == 1) {
                u32 bus = pci_cfg(d, 0x19, 1);
                buses[bus / 64] |= 1ul << bus % 64;
        }
        if (d->bridge)
                return;
        in->subsystem_vendor = (u16)pci_cfg(d, 0x2c, 2);
        in->subsystem = (u16)pci_cfg(d, 0x2e, 2);
        pci_cfg_set(d, CMD, 2, (pci_cfg(d, CMD, 2) & ~(CMD_MASTER | CMD_MEMORY | 1)) | CMD_NO_INTX);     /* keeps I6 */
        for (u32 i = 0; i < 6; )
                i += size_bar(d, i);
        d->msi = (u8)find_cap(d, CAP_MSI, 0);
        d->msix = (u8)find_cap(d, CAP_MSIX, 0);
        if (d->msi)
                pci_cfg_set(d, d->msi + 2u, 2, pci_cfg(d, d->msi + 2u, 2) & ~1u);
        if (d->msix) {
                pci_cfg_set(d, d->msix + 2u, 2, pci_cfg(d, d->msix + 2u, 2) & ~0x8000u);
                read_msix(d);
        }
        for (u32 i = 0; i < ARRAY_SIZE(models) && !d->model; i++)
                if (models[i]->match(d))
                        d->model = models[i];
}

static void found(u32 bus, u32 slot, u32 function)
{
        if (pci_count == PCI_MAX) {
                k_print("pci: more than %d devices; the rest is left alone\n", PCI_MAX, 0, 0);
                return;
        }
        struct pci_device *d = &pci_devices[pci_count];

        d->bdf = (u16)(bus << 8 | slot << 3 | function);
        d->info.bus = (u8)bus;
        d->info.slot = (u8)slot;
        d->info.function = (u8)function;
        read_device(d);
        pci_count++;
}

static bool is_there(u32 bus, u32 slot, u32 function)
{ return (arch_pci_read(bus << 8 | slot << 3 | function, 0, 4) & 0xffff) != 0xffff; }

static void scan_bus(u32 bus)
{
        for (u32 slot = 0; slot < 32; slot++) {
                if (!is_there(bus, slot, 0))
                        continue;
                bool many = arch_pci_read(bus << 8 | slot << 3, 14, 1) & 128;

                for (u32 f = 0; f < (many ? 8 : 1); f++)
                        if (is_there(bus, slot, f))
                                found(bus, slot, f);
        }
}

/* Bridges' buses have higher numbers than their own; one that has not is not followed. */
void pci_init(void)
{
        for (u32 bus = 0; bus < 256; bus++)
                if (buses[bus / 64] >> bus % 64 & 1 && arch_pci_bus(bus))
                        scan_bus(bus);
}

/* ---- questions ---- */

struct pci_device *pci_device(u32 index)                { return index < pci_count ? &pci_devices[index] : NULL; }
struct pci_info pci_info(struct pci_device *d)          { return d->info; }
u32 pci_capability(struct pci_device *d, u32 id, u32 nth) { return find_cap(d, id, nth); }
u32 pci_msix_entries(struct pci_device *d)              { return d->msix ? d->msix_entries : d->msi ? 1 : 0; }
bool pci_may_dma(struct pci_device *d)                  { return d->model && __atomic_load_n(&d->enabled, __ATOMIC_ACQUIRE); }

static u32 read_checked(struct pci_device *d, u32 off, u32 size)
{
        k_range(off < (d->bridge ? 64 : 256) && off % size == 0);       /* keeps I5 */
        return pci_cfg(d, off, size);
}
u8  pci_read8(struct pci_device *d, u32 off)            { return (u8)read_checked(d, off, 1); }
u16 pci_read16(struct pci_device *d, u32 off)           { return (u16)read_checked(d, off, 2); }
u32 pci_read32(struct pci_device *d, u32 off)           { return read_checked(d, off, 4); }

/* ---- on and off ---- */

/* d->lock held.  The read back pushes out what the device had under way. */
static void command(struct pci_device *d, u32 clear, u32 set)
{
        pci_cfg_set(d, CMD, 2, (pci_cfg(d, CMD, 2) & ~clear) | set);
        (void)pci_cfg(d, CMD, 2);
}

err_t pci_enable(struct pci_device *d)
{
        if (d->bridge)
                return ERR(EPERM);
        klock_lock(&d->lock);
        bool ok = !d->enabled;

        if (ok) {
                command(d, CMD_MASTER, CMD_MEMORY | CMD_NO_INTX);
                ok = !d->model || d->model->reset(d);
        }
        if (ok) {
                command(d, 0, d->model ? CMD_MASTER : 0);       /* keeps I6 */
                __atomic_store_n(&d->enabled, true, __ATOMIC_RELEASE);
        }
        klock_unlock(&d->lock);
        return ok ? OK : ERR(EBUSY);
}

/* Mastering goes first, so the pins may go although the device may not have noticed yet. */
void pci_reset(struct pci_device *d)
{
        if (d->bridge)
                return;
        klock_lock(&d->lock);
        if (d->enabled) {
                command(d, CMD_MASTER, 0);
                __atomic_store_n(&d->enabled, false, __ATOMIC_RELEASE);
                if (d->model)
                        (void)d->model->reset(d);
        }
        klock_unlock(&d->lock);
        virtio_forget(d);
}
