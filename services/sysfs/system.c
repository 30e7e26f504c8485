/* SPDX-License-Identifier: Apache-2.0
 *
 * sysfs: what every machine has, as Linux's user space looks for it.
 *
 *      devices/system/cpu       the processors and their topology: one package of single-threaded cores
 *      devices/system/node      one node with all of the memory
 *      devices/virtual, class, dev/char        the registered character devices
 *      kernel/mm/transparent_hugepage          off: there are no huge pages
 */
#include "services/sysfs/sysfs.h"
#include "services/tty/tty.h"
#include "services/vfs/chrdev.h"

static err_t say_number(struct text *t, u64 v)
{
        SAY(t, "{}\n", v);
        return OK;
}

/* ---- Sets of CPUs: a list ("0-3") and a mask ("f", groups of 32 bits, the highest first) ---- */

static void say_list(struct text *t, u64 first, u64 last)
{
        if (first == last)
                SAY(t, "{}\n", first);
        else
                SAY(t, "{}-{}\n", first, last);
}

static u32 digits_of(u64 v)
{
        u32 n = 1;
        while (v >>= 4)
                n++;
        return n;
}

/* As wide as the number of possible CPUs needs. */
static void say_mask(struct text *t, u64 mask)
{
        u32 cpus = cpu_count();

        if (cpus > 32) {
                text_hex(t, mask >> 32, digits_of((1ul << (cpus - 33) << 1) - 1));
                text_char(t, ',');
        }
        text_hex(t, mask & 0xffffffff, cpus >= 32 ? 8 : digits_of((1ul << cpus) - 1));
        text_char(t, '\n');
}

static u64 all_cpus(void) { return ~0ul >> (64 - cpu_count()); }

static err_t show_all_list(struct text *t, u64 key) { (void)key; say_list(t, 0, cpu_count() - 1); return OK; }
static err_t show_all_mask(struct text *t, u64 key) { (void)key; say_mask(t, all_cpus()); return OK; }
static err_t show_own_list(struct text *t, u64 cpu) { say_list(t, cpu, cpu); return OK; }
static err_t show_own_mask(struct text *t, u64 cpu) { say_mask(t, 1ul << cpu); return OK; }
static err_t show_empty(struct text *t, u64 key)    { (void)key; text_char(t, '\n'); return OK; }
static err_t show_zero(struct text *t, u64 key)     { (void)key; return say_number(t, 0); }
static err_t show_kernel_max(struct text *t, u64 key) { (void)key; return say_number(t, MAX_CPUS - 1); }
static err_t show_core_id(struct text *t, u64 cpu)  { return say_number(t, cpu_info((u32)cpu).apic_id); }

static const struct sysfs_file cpu_files[] = {
        { .name = "online", .mode = 0444, .show = show_all_list },
        { .name = "possible", .mode = 0444, .show = show_all_list },
        { .name = "present", .mode = 0444, .show = show_all_list },
        { .name = "offline", .mode = 0444, .show = show_empty },
        { .name = "isolated", .mode = 0444, .show = show_empty },
        { .name = "kernel_max", .mode = 0444, .show = show_kernel_max },
};

static const struct sysfs_file topology_files[] = {
        { .name = "physical_package_id", .mode = 0444, .show = show_zero },
        { .name = "die_id", .mode = 0444, .show = show_zero },
        { .name = "core_id", .mode = 0444, .show = show_core_id },
        { .name = "thread_siblings", .mode = 0444, .show = show_own_mask },
        { .name = "thread_siblings_list", .mode = 0444, .show = show_own_list },
        { .name = "core_cpus", .mode = 0444, .show = show_own_mask },
        { .name = "core_cpus_list", .mode = 0444, .show = show_own_list },
        { .name = "core_siblings", .mode = 0444, .show = show_all_mask },
        { .name = "core_siblings_list", .mode = 0444, .show = show_all_list },
        { .name = "die_cpus", .mode = 0444, .show = show_all_mask },
        { .name = "die_cpus_list", .mode = 0444, .show = show_all_list },
        { .name = "package_cpus", .mode = 0444, .show = show_all_mask },
        { .name = "package_cpus_list", .mode = 0444, .show = show_all_list },
};

/* ---- Memory ---- */

static void say_node_line(struct text *t, bytes name, u64 pages)
{
        text_add(t, STR("Node 0 "));
        text_add(t, name);
        text_char(t, ':');
        text_number(t, pages * 4, 23 - (u32)bytes_len(name));
        text_add(t, STR(" kB\n"));
}

static err_t show_node_meminfo(struct text *t, u64 key)
{
        struct mem_stats m = mem_stats();

        (void)key;
        say_node_line(t, STR("MemTotal"), m.total);
        say_node_line(t, STR("MemFree"), m.free);
        say_node_line(t, STR("MemUsed"), m.total - m.free);
        return OK;
}

static err_t show_distance(struct text *t, u64 key)    { (void)key; return say_number(t, 10); }
static err_t show_thp(struct text *t, u64 key)         { (void)key; text_add(t, STR("always madvise [never]\n")); return OK; }
static err_t show_thp_shmem(struct text *t, u64 key)
{
        (void)key;
        text_add(t, STR("always within_size advise [never] deny force\n"));
        return OK;
}

static const struct sysfs_file nodes_files[] = {
        { .name = "online", .mode = 0444, .show = show_zero },
        { .name = "possible", .mode = 0444, .show = show_zero },
        { .name = "has_cpu", .mode = 0444, .show = show_zero },
        { .name = "has_memory", .mode = 0444, .show = show_zero },
        { .name = "has_normal_memory", .mode = 0444, .show = show_zero },
};

static const struct sysfs_file node_files[] = {
        { .name = "cpulist", .mode = 0444, .show = show_all_list },
        { .name = "cpumap", .mode = 0444, .show = show_all_mask },
        { .name = "distance", .mode = 0444, .show = show_distance },
        { .name = "meminfo", .mode = 0444, .show = show_node_meminfo },
};

static const struct sysfs_file thp_files[] = {
        { .name = "enabled", .mode = 0444, .show = show_thp },
        { .name = "shmem_enabled", .mode = 0444, .show = show_thp_shmem },
};

/* ---- Character devices: the key is the place in the list of the registered ---- */

static err_t show_dev(struct text *t, u64 n)
{
        const struct chrdev *c = chrdev_at((u32)n);
        SAY(t, "{}:{}\n", c->major, c->minor);
        return OK;
}

static err_t show_uevent(struct text *t, u64 n)
{
        const struct chrdev *c = chrdev_at((u32)n);

        SAY(t, "MAJOR={}\nMINOR={}\nDEVNAME={}\n", c->major, c->minor, padded(BYTES_OF(c->name)));
        if (c->mode != 0600) {
                text_add(t, STR("DEVMODE=0"));
                for (u32 shift = 9; shift; shift -= 3)
                        text_char(t, (u8)('0' + (c->mode >> (shift - 3) & 7)));
                text_char(t, '\n');
        }
        return OK;
}

static err_t show_active_console(struct text *t, u64 key)
{
        u8 name[16] = {};
        (void)key;
        SAY(t, "{}\n", bytes_take(BYTES_OF(name), tty_console_name(MBYTES_OF(name))));
        return OK;
}

static const struct sysfs_file dev_file = { .name = "dev", .mode = 0444, .show = show_dev };
static const struct sysfs_file uevent_file = { .name = "uevent", .mode = 0444, .show = show_uevent };
static const struct sysfs_file active_file = { .name = "active", .mode = 0444, .show = show_active_console };

#define PATH_LEN 96u
#define PATH(var, ...) u8 var##_room[PATH_LEN] = {}; \
        bytes var = bytes_take(BYTES_OF(var##_room), format(MBYTES_OF(var##_room), __VA_ARGS__))

static err_t add_chrdev(u32 n, const struct chrdev *c)
{
        bytes name = padded(BYTES_OF(c->name)), class = c->major == 1 ? STR("mem") : c->major == 10 ? STR("misc") : STR("tty");
        PATH(dir, "devices/virtual/{}/{}", class, name);
        PATH(subsystem, "devices/virtual/{}/{}/subsystem", class, name);
        PATH(class_dir, "class/{}", class);
        PATH(class_link, "class/{}/{}", class, name);
        PATH(number, "dev/char/{}:{}", c->major, c->minor);

        TRY(sysfs_file(dir, &dev_file, n));
        TRY(sysfs_file(dir, &uevent_file, n));
        TRY(sysfs_link(subsystem, class_dir));
        TRY(sysfs_link(class_link, dir));
        return sysfs_link(number, dir);
}

/* ---- All together ---- */

#define ADD_ALL(dir, files, key) \
        for (u32 i = 0; i < sizeof files / sizeof files[0]; i++) \
                TRY(sysfs_file((dir), &files[i], (key)))

static err_t add_cpu(u32 cpu)
{
        PATH(dir, "devices/system/cpu/cpu{}/topology", cpu);
        PATH(of_node, "devices/system/node/node0/cpu{}", cpu);
        PATH(own, "devices/system/cpu/cpu{}", cpu);

        ADD_ALL(dir, topology_files, cpu);
        return sysfs_link(of_node, own);
}

static err_t add_system(void)
{
        static const struct { u8 path[20]; } empty[] = {
                { "block" }, { "bus" }, { "class" }, { "dev/block" }, { "dev/char" }, { "firmware" }, { "fs" }, { "module" }, { "power" },
                { "kernel" },
        };

        for (u32 i = 0; i < sizeof empty / sizeof empty[0]; i++)
                TRY(sysfs_dir(padded(BYTES_OF(empty[i].path))));
        ADD_ALL(STR("devices/system/cpu"), cpu_files, 0);
        ADD_ALL(STR("devices/system/node"), nodes_files, 0);
        ADD_ALL(STR("devices/system/node/node0"), node_files, 0);
        ADD_ALL(STR("kernel/mm/transparent_hugepage"), thp_files, 0);
        for (u32 cpu = 0; cpu < cpu_count(); cpu++)
                TRY(add_cpu(cpu));
        for (u32 n = 0; chrdev_at(n); n++) {
                const struct chrdev *c = chrdev_at(n);
                if (c->name[0])
                        TRY(add_chrdev(n, c));
        }
        return sysfs_file(STR("devices/virtual/tty/console"), &active_file, 0);
}

void sysfs_system_init(void)
{
        err_t err = add_system();
        if (failed(err))
                klog(LOG_ERR, "sysfs: error {}", err_code(err));
}
