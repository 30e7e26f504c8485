/* SPDX-License-Identifier: Apache-2.0
 *
 * PCI as the PC has it: configuration space in memory (ECAM, where the MCFG table says so and
 * it answers) or through ports; messages to local APICs; where no device's registers belong.
 */
#include "x86.h"
#include "mem.h"

#define ADDR_PORT 0xcf8
#define DATA_PORT 0xcfc
#define ADDR_ON   0x80000000u
#define BUS_SIZE  (1ul << 20)

static volatile u8 *ecam[256] RO_AFTER_BOOT;    /* of the buses that were scanned */
static bool ports_answer RO_AFTER_BOOT;
static struct klock ports_lock;

static u32 port_read(u32 bdf, u32 off, u32 size)
{
        u32 v;

        klock_lock(&ports_lock);
        /* SAFETY: I1, I5 */
        out32(ADDR_PORT, ADDR_ON | bdf << 8 | (off & 0xfc));
        v = in32(DATA_PORT) >> 8 * (off & 3);
        klock_unlock(&ports_lock);
        return size == 4 ? v : v & ((1u << 8 * size) - 1);
}

static void port_write(u32 bdf, u32 off, u32 size, u32 v)
{
        klock_lock(&ports_lock);
        /* SAFETY: I1, I5 */
        out32(ADDR_PORT, ADDR_ON | bdf << 8 | (off & 0xfc));
        if (size == 4)
                out32(DATA_PORT, v);
        else if (size == 2)
                out16((u16)(DATA_PORT + (off & 2)), (u16)v);
        else
                out8((u16)(DATA_PORT + (off & 3)), (u8)v);
        klock_unlock(&ports_lock);
}

static inline volatile u8 *ecam_at(u32 bdf, u32 off)
{ return ecam[bdf >> 8 & 255] ? ecam[bdf >> 8 & 255] + ((bdf & 255) << 12) + off : NULL; }

/* off is a multiple of size, below 256. */
u32 arch_pci_read(u32 bdf, u32 off, u32 size)
{
        volatile u8 *at = ecam_at(bdf, off & 255);

        if (!at)
                return ports_answer ? port_read(bdf, off & 255, size) : U32_MAX;
        /* SAFETY: I5: inside the bus's mapping */
        return size == 4 ? *(volatile u32 *)at : size == 2 ? *(volatile u16 *)at : *at;
}

void arch_pci_write(u32 bdf, u32 off, u32 size, u32 v)
{
        volatile u8 *at = ecam_at(bdf, off & 255);

        /* SAFETY: I5 */
        if (!at) {
                if (ports_answer)
                        port_write(bdf, off & 255, size, v);
        } else if (size == 4) {
                *(volatile u32 *)at = v;
        } else if (size == 2) {
                *(volatile u16 *)at = (u16)v;
        } else {
                *at = (u8)v;
        }
}

/* Ports answer if the address can be read back. */
static bool try_ports(void)
{
        u32 old = in32(ADDR_PORT);

        out32(ADDR_PORT, ADDR_ON);
        bool yes = in32(ADDR_PORT) == ADDR_ON;
        out32(ADDR_PORT, old);
        return yes;
}

bool arch_pci_bus(u32 bus)
{
        if (bus == 0)
                ports_answer = try_ports();
        if (acpi.ecam && bus >= acpi.ecam_first && bus <= acpi.ecam_last && (bus == 0 || !ports_answer || ecam[0])) {
                u32 host = ports_answer ? port_read(bus << 8, 0, 4) : 0;

                ecam[bus] = mmio_map(acpi.ecam + bus * BUS_SIZE, BUS_SIZE);
                /* SAFETY: I5: just mapped.  (A table that tells of what is not there.) */
                if (ports_answer && ecam[bus] && *(volatile u32 *)ecam[bus] != host)
                        ecam[bus] = NULL;
        }
        return ecam[bus] || ports_answer;
}

/* Below 1 MiB, and in the chipset's own megabytes (I/O APIC, HPET, TPM, local APIC and messages to it), there are no BARs. */
bool arch_mmio_ok(u64 phys, u64 len)
{
        u64 end = phys + len, ecam_end = acpi.ecam + (acpi.ecam_last + 1) * BUS_SIZE;

        if (phys < 0x100000 || end < phys || end > 1ul << cpu_info(0).phys_bits)
                return false;
        if (phys < 0x100000000 && end > 0xfec00000)
                return false;
        for (u32 i = 0; i < acpi.n_ioapics; i++)
                if (phys < page_up(acpi.ioapic[i].addr + 1) && end > page_down(acpi.ioapic[i].addr))
                        return false;
        if (phys < page_up(acpi.lapic + 1) && end > page_down(acpi.lapic))
                return false;
        return !acpi.ecam || phys >= ecam_end || end <= acpi.ecam + acpi.ecam_first * BUS_SIZE;
}
