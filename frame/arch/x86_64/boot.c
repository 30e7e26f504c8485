/* SPDX-License-Identifier: Apache-2.0
 *
 * What the loader said, by the PVH boot protocol, copied out of its memory before
 * anything else may allocate: it lies in RAM that the map calls usable.
 */
#include "x86.h"

#define START_MAGIC 0x336ec578u

struct start_info {
        u32 magic, version, flags, n_modules;
        u64 modules, cmdline, rsdp;
        u64 memmap;                     /* from version 1 */
        u32 n_memmap, spare;
};
struct start_module { u64 start, size, cmdline, spare; };
struct start_region { u64 start, size; u32 type, spare; };

struct boot_info boot_info;

static void copy_regions(const struct start_info *si)
{
        /* SAFETY: A1: the loader's structures lie in the first 4 GiB, mapped by the early tables. */
        const struct start_region *r = early_ptr(si->memmap);

        for (u32 i = 0; i < si->n_memmap && boot_info.n_regions < ARRAY_SIZE(boot_info.regions); i++)
                if (r[i].size && !add_overflows(r[i].start, r[i].size))
                        boot_info.regions[boot_info.n_regions++] =
                                (struct boot_region){ r[i].start, r[i].start + r[i].size, r[i].type, 0 };
}

static void copy_cmdline(const struct start_info *si)
{
        /* SAFETY: A1. */
        const char *s = early_ptr(si->cmdline);

        for (usize i = 0; si->cmdline && i < sizeof boot_info.cmdline - 1 && s[i]; i++)
                boot_info.cmdline[i] = s[i];
}

static void copy_modules(const struct start_info *si)
{
        /* SAFETY: A1. */
        const struct start_module *m = early_ptr(si->modules);

        if (si->n_modules == 0)
                return;
        boot_info.initrd_start = m->start;
        boot_info.initrd_end = m->start + m->size;
}

void boot_main(u64 start)
{
        /* SAFETY: A1: where the loader says, under the early tables. */
        const struct start_info *si = early_ptr(start);

        cpu_setup_boot();               /* now there are a struct percpu and trap gates */
        arch_console_init();
        if (si->magic != START_MAGIC || si->version < 1)
                k_panic("not started by the PVH boot protocol, version 1");
        copy_regions(si);
        copy_cmdline(si);
        copy_modules(si);
        boot_info.rsdp = si->rsdp;
        acpi_read_tables();
        frame_main();
}
