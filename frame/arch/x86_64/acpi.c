/* SPDX-License-Identifier: Apache-2.0
 *
 * What the ACPI tables say about interrupts, processors, power-off and reset; without
 * them the MP table, else the usual addresses and one processor.  Read at boot, under
 * the early page tables, before any of this memory is given to anyone.
 *
 * The tables are firmware's, which could do anything anyway; still lengths are checked, so
 * that a broken table costs a feature and not a fault.
 */
#include "x86.h"
#include "mem.h"

#define FOUR_GIB 0x100000000ul

struct acpi_info acpi RO_AFTER_BOOT;

/* Firmware memory, a byte at a time: below 4 GiB, or zeros.  SAFETY: A1. */
static u64 get(u64 at, u32 bytes)
{
        u64 v = 0;

        for (u32 i = 0; i < bytes; i++)
                if (at + i < FOUR_GIB)
                        v |= (u64)*(const u8 *)early_ptr(at + i) << 8 * i;
        return v;
}

static bool has_text(u64 at, const char *text, u32 n)
{
        for (u32 i = 0; i < n; i++)
                if (get(at + i, 1) != (u8)text[i])
                        return false;
        return true;
}

static u64 scan(u64 from, u64 to, const char *text, u32 n)
{
        for (u64 at = from; at < to; at += 16)
                if (has_text(at, text, n))
                        return at;
        return 0;
}

static u64 table_length(u64 table) { return min_u64(get(table + 4, 4), 1 << 20); }

/* ---- ACPI ---- */

static void read_madt(u64 t)
{
        u64 end = t + table_length(t);

        acpi.found = true;
        acpi.lapic = get(t + 36, 4);
        for (u64 e = t + 44, len; e + 2 <= end && (len = get(e + 1, 1)) >= 2; e += len) {
                u64 type = get(e, 1);
                if (type == 0 && (get(e + 4, 4) & 1) && acpi.n_cpus < MAX_CPUS)
                        acpi.apic_id[acpi.n_cpus++] = (u32)get(e + 3, 1);
                if (type == 1 && acpi.n_ioapics < ARRAY_SIZE(acpi.ioapic)) {
                        acpi.ioapic[acpi.n_ioapics].addr = get(e + 4, 4);
                        acpi.ioapic[acpi.n_ioapics++].gsi_base = (u32)get(e + 8, 4);
                }
                if (type == 2 && get(e + 3, 1) < ISA_LINES) {
                        u64 line = get(e + 3, 1), flags = get(e + 8, 2);
                        acpi.isa[line].gsi = (u32)get(e + 4, 4);
                        acpi.isa[line].low = (flags & 3) == 3;
                        acpi.isa[line].level = (flags >> 2 & 3) == 3;
                }
                if (type == 5)
                        acpi.lapic = get(e + 4, 8);
        }
}

/* \_S5 in the DSDT: NameOp "_S5_" PackageOp length count, then the values for PM1a and PM1b. */
static void find_s5(u64 dsdt)
{
        u64 end = dsdt + table_length(dsdt);

        for (u64 at = dsdt + 36; at + 12 <= end; at++) {
                if (!has_text(at, "_S5_", 4) || get(at + 4, 1) != 0x12)
                        continue;
                at += 5;
                at += 1 + (get(at, 1) >> 6) + 1;        /* package length, count */
                u64 v[2];
                for (u32 i = 0; i < 2; i++) {
                        v[i] = get(at++, 1);
                        if (v[i] == 0x0a)               /* BytePrefix */
                                v[i] = get(at++, 1);
                }
                acpi.s5 = true;
                acpi.s5_a = v[0] & 7;
                acpi.s5_b = v[1] & 7;
                return;
        }
}

static struct acpi_reg get_reg(u64 at)          /* a generic address structure */
{
        return (struct acpi_reg){ get(at + 4, 8), (u8)get(at, 1), NULL };
}

static void read_fadt(u64 t)
{
        u64 len = table_length(t), flags = get(t + 112, 4);
        u64 dsdt = len >= 148 ? get(t + 140, 8) : 0;

        acpi.hw_reduced = flags >> 20 & 1;
        acpi.pm1a = (u32)get(t + 64, 4);
        acpi.pm1b = (u32)get(t + 68, 4);
        acpi.smi_port = (u32)get(t + 48, 4);
        acpi.acpi_enable = (u8)get(t + 52, 1);
        if (len >= 129 && flags >> 10 & 1) {
                acpi.reset = get_reg(t + 116);
                acpi.reset_value = (u8)get(t + 128, 1);
        }
        if (len >= 256 && acpi.hw_reduced)
                acpi.sleep = get_reg(t + 244);
        find_s5(dsdt ? dsdt : get(t + 40, 4));
}

/* PCI segment 0. */
static void read_mcfg(u64 t)
{
        for (u64 e = t + 44; e + 16 <= t + table_length(t) && !acpi.ecam; e += 16) {
                u64 addr = get(e, 8);

                if (get(e + 8, 2) != 0 || addr & 0xfffff || addr >> 44)
                        continue;
                acpi.ecam = addr;
                acpi.ecam_first = (u32)get(e + 10, 1);
                acpi.ecam_last = (u32)get(e + 11, 1);
        }
}

static bool read_acpi(u64 rsdp)
{
        if (!rsdp || !has_text(rsdp, "RSD PTR ", 8))
                return false;
        bool wide = get(rsdp + 15, 1) >= 2 && get(rsdp + 24, 8);
        u64 root = wide ? get(rsdp + 24, 8) : get(rsdp + 16, 4);
        u64 end = root + table_length(root);
        for (u64 at = root + 36; at < end; at += wide ? 8 : 4) {
                u64 t = get(at, wide ? 8 : 4);
                if (has_text(t, "APIC", 4))
                        read_madt(t);
                else if (has_text(t, "FACP", 4))
                        read_fadt(t);
                else if (has_text(t, "MCFG", 4))
                        read_mcfg(t);
        }
        return acpi.found;
}

/* ---- the MP table, where there is no ACPI ---- */

static bool read_mp_table(void)
{
        u64 mp = scan(0xf0000, 0x100000, "_MP_", 4);

        if (!mp)
                mp = scan(0x9fc00, 0xa0000, "_MP_", 4);
        u64 t = mp ? get(mp + 4, 4) : 0;
        if (!t || !has_text(t, "PCMP", 4))
                return false;
        u64 isa_bus = U64_MAX, e = t + 44;
        acpi.lapic = get(t + 36, 4);
        for (u64 n = get(t + 34, 2); n > 0; n--) {
                u64 type = get(e, 1);
                if (type == 0 && (get(e + 3, 1) & 1) && acpi.n_cpus < MAX_CPUS)
                        acpi.apic_id[acpi.n_cpus++] = (u32)get(e + 1, 1);
                if (type == 1 && has_text(e + 2, "ISA", 3))
                        isa_bus = get(e + 1, 1);
                if (type == 2 && (get(e + 3, 1) & 1) && acpi.n_ioapics < ARRAY_SIZE(acpi.ioapic))
                        acpi.ioapic[acpi.n_ioapics++].addr = get(e + 4, 4);
                if (type == 3 && get(e + 1, 1) == 0 && get(e + 4, 1) == isa_bus && get(e + 5, 1) < ISA_LINES)
                        acpi.isa[get(e + 5, 1)].gsi = (u32)get(e + 7, 1);
                e += type == 0 ? 20 : 8;
        }
        return true;
}

void acpi_read_tables(void)
{
        acpi.lapic = 0xfee00000;
        for (u32 i = 0; i < ISA_LINES; i++)
                acpi.isa[i].gsi = i;
        u64 rsdp = boot_info.rsdp;
        if (!rsdp)
                rsdp = scan(0xe0000, 0x100000, "RSD PTR ", 8);
        if (!read_acpi(rsdp) && !read_mp_table())
                acpi.n_cpus = 0;
        if (acpi.n_ioapics == 0)
                acpi.ioapic[acpi.n_ioapics++].addr = 0xfec00000;
}

/* The registers in memory get their mappings, so that power-off needs none. */
void arch_acpi_init(void)
{
        if (acpi.sleep.addr && acpi.sleep.space == 0)
                acpi.sleep.at = mmio_map(acpi.sleep.addr, 1);
        if (acpi.reset.addr && acpi.reset.space == 0)
                acpi.reset.at = mmio_map(acpi.reset.addr, 1);
}
