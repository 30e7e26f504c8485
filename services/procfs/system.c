/* SPDX-License-Identifier: Apache-2.0
 *
 * /proc's files about the system, and the root directory.  proc(5) gives the formats.
 */
#include "services/procfs/tree.h"
#include "services/procfs/ipc.h"
#include "services/sched/sched.h"
#include "services/syslog/syslog.h"
#include "services/time/clock.h"
#include "services/vm/vm.h"

#define TICKS(ns) ((ns) / (NSEC_PER_SEC / 100))         /* USER_HZ */

static err_t show_version(struct text *t, const struct subject *s)
{
        (void)s;
        SAY(t, "Linux version " UTS_RELEASE " (keel@keel) (clang) " UTS_VERSION "\n");
        return OK;
}

static void say_hundredths(struct text *t, u64 ns)
{
        u64 h = ns / (NSEC_PER_SEC / 100);
        text_number(t, h / 100, 1);
        text_char(t, '.');
        text_char(t, (u8)('0' + h / 10 % 10));
        text_char(t, (u8)('0' + h % 10));
}

static u64 idle_of_all(void)
{
        u64 idle = 0;
        for (u32 cpu = 0; cpu < cpu_count(); cpu++)
                idle += cpu_idle_time(cpu);
        return idle;
}

static err_t show_uptime(struct text *t, const struct subject *s)
{
        (void)s;
        say_hundredths(t, time_now());
        text_char(t, ' ');
        say_hundredths(t, idle_of_all());
        text_char(t, '\n');
        return OK;
}

static err_t show_loadavg(struct text *t, const struct subject *s)
{
        struct sched_load load = sched_load();
        struct pid_ns *ns = pid_ns_current();

        (void)s;
        for (u32 i = 0; i < 3; i++) {
                u64 h = (load.of[i] * 100 + 32768) >> 16;
                text_number(t, h / 100, 1);
                text_char(t, '.');
                text_char(t, (u8)('0' + h / 10 % 10));
                text_char(t, (u8)('0' + h % 10));
                text_char(t, ' ');
        }
        SAY(t, "{}/{} {}\n", sched_runnable(), pid_ns_threads(ns), pid_ns_last(ns));
        return OK;
}

static void say_kib(struct text *t, bytes name, u64 pages)
{
        text_add(t, name);
        text_char(t, ':');
        for (usize n = bytes_len(name) + 1; n < 16; n++)
                text_char(t, ' ');
        text_number(t, pages * 4, 8);
        text_add(t, STR(" kB\n"));
}

/* Pages' worth of slots without an object: what goes back when memory is short, unless living objects share its pages. */
static u64 slack_of_pools(void)
{
        struct pool_stats p = {};
        u64 pages = 0;

        for (u32 i = 0; pool_stats(i, &p); i++)
                pages += (p.slots - p.used) * p.size / PAGE_SIZE;
        return pages;
}

static err_t show_meminfo(struct text *t, const struct subject *s)
{
        struct mem_stats m = mem_stats();
        u64 slack = min_u64(slack_of_pools(), m.pools);
        struct vm *vm = vm_current();
        struct vm_domain *d = vm ? vm_domain_of(vm) : NULL;

        (void)s;
        say_kib(t, STR("MemTotal"), m.total);
        say_kib(t, STR("MemFree"), m.free);
        say_kib(t, STR("MemAvailable"), m.free + slack / 2);
        say_kib(t, STR("Buffers"), 0);
        say_kib(t, STR("Cached"), m.byte_frames);
        say_kib(t, STR("SwapCached"), 0);
        say_kib(t, STR("Active"), m.byte_frames);
        say_kib(t, STR("Inactive"), 0);
        say_kib(t, STR("SwapTotal"), 0);
        say_kib(t, STR("SwapFree"), 0);
        say_kib(t, STR("Dirty"), 0);
        say_kib(t, STR("Writeback"), 0);
        say_kib(t, STR("Mapped"), 0);
        say_kib(t, STR("Shmem"), 0);
        say_kib(t, STR("Slab"), m.pools);
        say_kib(t, STR("SReclaimable"), slack);
        say_kib(t, STR("SUnreclaim"), m.pools - slack);
        say_kib(t, STR("KernelStack"), m.stacks);
        say_kib(t, STR("PageTables"), m.page_tables);
        if (d) {
                say_kib(t, STR("CommitLimit"), vm_commit_limit(d));
                say_kib(t, STR("Committed_AS"), vm_committed(d));
        }
        return OK;
}

/* Niced tasks are users like any other. */
static void say_cpu(struct text *t, u64 all, u64 user, u64 idle)
{
        u64 busy = all > idle ? all - idle : 0;

        user = min_u64(user, busy);
        SAY(t, " {} 0 {} {} 0 0 0 0 0 0\n", TICKS(user), TICKS(busy - user), TICKS(idle));
}

static err_t show_stat(struct text *t, const struct subject *s)
{
        u64 now = time_now(), interrupts = 0, user = 0;
        u32 cpus = cpu_count();

        (void)s;
        for (u32 cpu = 0; cpu < cpus; cpu++)
                user += cpu_user_time(cpu);
        text_add(t, STR("cpu "));
        say_cpu(t, now * cpus, user, idle_of_all());
        for (u32 cpu = 0; cpu < cpus; cpu++) {
                SAY(t, "cpu{}", cpu);
                say_cpu(t, now, cpu_user_time(cpu), cpu_idle_time(cpu));
                for (u32 line = 0; line < 24; line++)
                        interrupts += irq_count(line, cpu);
        }
        SAY(t, "intr {}\nctxt {}\n", interrupts, sched_switches());
        SAY(t, "btime {}\nprocesses {}\n", (clock_realtime() - now) / NSEC_PER_SEC, pid_ns_forks(pid_ns_current()));
        SAY(t, "procs_running {}\nprocs_blocked 0\n", sched_runnable());
        return OK;
}

STABLE(cpu_flag) { u8 word; u8 bit; u8 name[16]; };
enum { LEAF1_EDX, LEAF1_ECX, LEAF7_EBX, LEAF7_ECX, EXT1_ECX };
static const struct cpu_flag flags[] = {
        { LEAF1_EDX, 0, "fpu" }, { LEAF1_EDX, 3, "pse" }, { LEAF1_EDX, 4, "tsc" }, { LEAF1_EDX, 5, "msr" },
        { LEAF1_EDX, 6, "pae" }, { LEAF1_EDX, 7, "mce" }, { LEAF1_EDX, 8, "cx8" }, { LEAF1_EDX, 9, "apic" },
        { LEAF1_EDX, 11, "sep" }, { LEAF1_EDX, 12, "mtrr" }, { LEAF1_EDX, 13, "pge" }, { LEAF1_EDX, 15, "cmov" },
        { LEAF1_EDX, 16, "pat" }, { LEAF1_EDX, 19, "clflush" }, { LEAF1_EDX, 23, "mmx" }, { LEAF1_EDX, 24, "fxsr" },
        { LEAF1_EDX, 25, "sse" }, { LEAF1_EDX, 26, "sse2" }, { LEAF1_ECX, 0, "pni" }, { LEAF1_ECX, 1, "pclmulqdq" },
        { LEAF1_ECX, 9, "ssse3" }, { LEAF1_ECX, 12, "fma" }, { LEAF1_ECX, 13, "cx16" }, { LEAF1_ECX, 19, "sse4_1" },
        { LEAF1_ECX, 20, "sse4_2" }, { LEAF1_ECX, 22, "movbe" }, { LEAF1_ECX, 23, "popcnt" }, { LEAF1_ECX, 25, "aes" },
        { LEAF1_ECX, 26, "xsave" }, { LEAF1_ECX, 28, "avx" }, { LEAF1_ECX, 29, "f16c" }, { LEAF1_ECX, 30, "rdrand" },
        { LEAF1_ECX, 31, "hypervisor" }, { LEAF7_EBX, 0, "fsgsbase" }, { LEAF7_EBX, 3, "bmi1" }, { LEAF7_EBX, 5, "avx2" },
        { LEAF7_EBX, 7, "smep" }, { LEAF7_EBX, 8, "bmi2" }, { LEAF7_EBX, 9, "erms" }, { LEAF7_EBX, 18, "rdseed" },
        { LEAF7_EBX, 19, "adx" }, { LEAF7_EBX, 20, "smap" }, { LEAF7_EBX, 29, "sha_ni" }, { LEAF7_ECX, 2, "umip" },
        { EXT1_ECX, 0, "lahf_lm" }, { EXT1_ECX, 5, "abm" }, { EXT1_ECX, 6, "sse4a" },
};

static void say_flags(struct text *t, const struct cpu_info *c)
{
        u32 words[5] = { c->leaf1_edx, c->leaf1_ecx, c->leaf7_ebx, c->leaf7_ecx, c->ext1_ecx };

        text_add(t, STR("flags\t\t:"));
        for (u32 i = 0; i < ARRAY_SIZE(flags); i++) {
                if (!(words[flags[i].word] >> (flags[i].bit & 31) & 1))
                        continue;
                bytes name = BYTES_OF(flags[i].name);
                text_char(t, ' ');
                text_add(t, bytes_take(name, bytes_find(name, 0)));
        }
        text_add(t, STR(" syscall nx lm\n"));
}


static err_t show_cpuinfo(struct text *t, const struct subject *s)
{
        (void)s;
        for (u32 cpu = 0; cpu < cpu_count(); cpu++) {
                struct cpu_info c = cpu_info(cpu);
                SAY(t, "processor\t: {}\nvendor_id\t: {}\ncpu family\t: {}\nmodel\t\t: {}\n", cpu, padded(BYTES_OF(c.vendor)),
                    c.family, c.model);
                SAY(t, "model name\t: {}\nstepping\t: {}\ncpu MHz\t\t: {}.000\ncache size\t: {} KB\n",
                    padded(BYTES_OF(c.model_name)), c.stepping, c.mhz, c.cache_kib);
                SAY(t, "physical id\t: 0\nsiblings\t: {}\ncore id\t\t: {}\ncpu cores\t: {}\napicid\t\t: {}\n", cpu_count(), c.apic_id,
                    cpu_count(), c.apic_id);
                SAY(t, "fpu\t\t: yes\nfpu_exception\t: yes\nwp\t\t: yes\n");
                say_flags(t, &c);
                SAY(t, "clflush size\t: 64\ncache_alignment\t: 64\naddress sizes\t: {} bits physical, {} bits virtual\n\n",
                    c.phys_bits, c.virt_bits);
        }
        return OK;
}

/* There are no modules and no disks. */
static err_t show_nothing(struct text *t, const struct subject *s)
{
        (void)t;
        (void)s;
        return OK;
}

static err_t show_filesystems(struct text *t, const struct subject *s)
{
        (void)s;
        for (u32 i = 0;; i++) {
                const struct fs_type *type = fs_at(i);
                if (!type)
                        return OK;
                if (type->flags & FS_KERNEL_ONLY)
                        continue;
                if (type->flags & FS_NODEV)
                        text_add(t, STR("nodev"));
                SAY(t, "\t{}\n", padded(BYTES_OF(type->name)));
        }
}

static err_t show_cmdline(struct text *t, const struct subject *s)
{
        (void)s;
        text_add(t, boot_cmdline());
        text_char(t, '\n');
        return OK;
}

static err_t show_interrupts(struct text *t, const struct subject *s)
{
        u32 cpus = cpu_count();

        (void)s;
        text_add(t, STR("    "));
        for (u32 cpu = 0; cpu < cpus; cpu++)
                SAY(t, "       CPU{}", cpu);
        text_char(t, '\n');
        for (u32 line = 0; line < 24; line++) {
                u64 sum = 0;
                for (u32 cpu = 0; cpu < cpus; cpu++)
                        sum += irq_count(line, cpu);
                if (!sum)
                        continue;
                text_number(t, line, 3);
                text_char(t, ':');
                for (u32 cpu = 0; cpu < cpus; cpu++)
                        text_number(t, irq_count(line, cpu), 11);
                text_add(t, STR("   IO-APIC\n"));
        }
        text_add(t, STR("LOC:"));
        for (u32 cpu = 0; cpu < cpus; cpu++)
                text_number(t, cpu_counter(cpu, CPU_TIMER_IRQS), 11);
        text_add(t, STR("   Local timer interrupts\n"));
        return OK;
}

static err_t show_devices(struct text *t, const struct subject *s)
{
        (void)s;
        text_add(t, STR("Character devices:\n"));
        for (u32 i = 0;; i++) {
                const struct chrdev *dev = chrdev_at(i);
                if (!dev)
                        break;
                if (dev->name[0] == 0)
                        continue;
                text_number(t, dev->major, 3);
                SAY(t, " {}\n", padded(BYTES_OF(dev->name)));
        }
        text_add(t, STR("\nBlock devices:\n"));
        return OK;
}

static err_t show_swaps(struct text *t, const struct subject *s)
{
        (void)s;
        text_add(t, STR("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"));
        return OK;
}

static err_t show_partitions(struct text *t, const struct subject *s)
{
        (void)s;
        text_add(t, STR("major minor  #blocks  name\n\n"));
        return OK;
}

static err_t show_slabinfo(struct text *t, const struct subject *s)
{
        struct pool_stats p = {};

        (void)s;
        text_add(t, STR("slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : "
                        "tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n"));
        for (u32 i = 0; pool_stats(i, &p); i++) {
                u64 size = p.size ? p.size : 1, per_slab = size < PAGE_SIZE ? PAGE_SIZE / size : 1, slabs = (p.slots + per_slab - 1) / per_slab;
                SAY(t, "{} {} {} {} {} {} : tunables 0 0 0 : slabdata {} {} 0\n", p.name, p.used, p.slots, p.size, per_slab,
                    page_up(size * per_slab) / PAGE_SIZE, slabs, slabs);
        }
        return OK;
}

static err_t show_vmstat(struct text *t, const struct subject *s)
{
        struct mem_stats m = mem_stats();

        (void)s;
        SAY(t, "nr_free_pages {}\nnr_page_table_pages {}\nnr_kernel_stack {}\n", m.free, m.page_tables, m.stacks * 4);
        return OK;
}

/* The ranges of terminals' numbers, by which ps names them. */
static err_t show_tty_drivers(struct text *t, const struct subject *s)
{
        (void)s;
        text_add(t, STR("/dev/tty             /dev/tty        5       0 system:/dev/tty\n"
                        "/dev/console         /dev/console    5       1 system:console\n"
                        "/dev/ptmx            /dev/ptmx       5       2 system\n"
                        "serial               /dev/ttyS       4 64-95 serial\n"
                        "pty_slave            /dev/pts      136 0-1048575 pty:slave\n"
                        "pty_master           /dev/ptm      128 0-1048575 pty:master\n"));
        return OK;
}

static const struct proc_dir tty_dir = { .entry = {
        { .name = "drivers", .mode = 0444, .show = show_tty_drivers },
} };

static err_t show_execdomains(struct text *t, const struct subject *s)
{
        (void)s;
        text_add(t, STR("0-0\tLinux           \t[kernel]\n"));
        return OK;
}

static err_t link_self(mbytes buf, usize *len, const struct subject *s)
{
        (void)s;
        *len = format(buf, "{}", thread_current()->process->tgid);
        return OK;
}

static err_t link_thread_self(mbytes buf, usize *len, const struct subject *s)
{
        (void)s;
        *len = format(buf, "{}/task/{}", thread_current()->process->tgid, thread_current()->tid);
        return OK;
}

static err_t link_mounts(mbytes buf, usize *len, const struct subject *s)
{
        (void)s;
        *len = format(buf, "self/mounts");
        return OK;
}

static err_t link_net(mbytes buf, usize *len, const struct subject *s)
{
        (void)s;
        *len = format(buf, "self/net");
        return OK;
}

const struct proc_dir proc_root_dir = { .dynamic = DYN_PROCESSES, .entry = {
        { .name = "cmdline", .mode = 0444, .show = show_cmdline },
        { .name = "cpuinfo", .mode = 0444, .show = show_cpuinfo },
        { .name = "devices", .mode = 0444, .show = show_devices },
        { .name = "diskstats", .mode = 0444, .show = show_nothing },
        { .name = "execdomains", .mode = 0444, .show = show_execdomains },
        { .name = "filesystems", .mode = 0444, .show = show_filesystems },
        { .name = "interrupts", .mode = 0444, .show = show_interrupts },
        { .name = "keel", .mode = 0555, .dir = &proc_keel_dir },
        { .name = "kmsg", .mode = 0400, .fops = &syslog_file_ops },
        { .name = "loadavg", .mode = 0444, .show = show_loadavg },
        { .name = "locks", .mode = 0444, .part = proc_show_locks },
        { .name = "meminfo", .mode = 0444, .show = show_meminfo },
        { .name = "modules", .mode = 0444, .show = show_nothing },
        { .name = "mounts", .mode = 0777, .link = link_mounts },
        { .name = "net", .mode = 0777, .link = link_net },
        { .name = "partitions", .mode = 0444, .show = show_partitions },
        { .name = "self", .mode = 0777, .link = link_self },
        { .name = "slabinfo", .mode = 0400, .show = show_slabinfo },
        { .name = "stat", .mode = 0444, .show = show_stat },
        { .name = "swaps", .mode = 0444, .show = show_swaps },
        { .name = "sys", .mode = 0555, .dir = &proc_sys_dir },
        { .name = "sysvipc", .mode = 0555, .dir = &proc_sysvipc_dir },
        { .name = "thread-self", .mode = 0777, .link = link_thread_self },
        { .name = "tty", .mode = 0555, .dir = &tty_dir },
        { .name = "uptime", .mode = 0444, .show = show_uptime },
        { .name = "version", .mode = 0444, .show = show_version },
        { .name = "vmstat", .mode = 0444, .show = show_vmstat },
} };
