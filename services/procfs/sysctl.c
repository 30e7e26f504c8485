/* SPDX-License-Identifier: Apache-2.0
 *
 * /proc/sys: settings that act.
 */
#include "services/procfs/tree.h"
#include "services/procfs/ipc.h"
#include "services/inotify/inotify.h"
#include "services/namespace/namespace.h"
#include "services/net/unix/unix.h"
#include "services/pipe/pipe.h"
#include "services/sched/sched.h"
#include "services/syslog/syslog.h"
#include "services/security/cred.h"
#include "services/vfs/locks.h"
#include "services/vfs/mount.h"
#include "services/vfs/protect.h"
#include "services/vm/vm.h"
#include "services/random/random.h"
#include "lib/num.h"


static err_t say_line(struct text *t, bytes line)
{
        text_add(t, line);
        text_char(t, '\n');
        return OK;
}

static err_t say_u64(struct text *t, u64 v)
{
        SAY(t, "{}\n", v);
        return OK;
}

static err_t parse_u32(bytes text, u32 *out)
{
        bool minus = false;
        u64 v = 0;
        if (!text_parse_setting(text, &minus, &v) || (minus && v) || v > U32_MAX)
                return ERR(EINVAL);
        *out = (u32)v;
        return OK;
}

/* ---- kernel ---- */

static err_t show_ostype(struct text *t, const struct subject *s)    { (void)s; return say_line(t, STR("Linux")); }
static err_t show_osrelease(struct text *t, const struct subject *s) { (void)s; return say_line(t, STR(UTS_RELEASE)); }
static err_t show_version(struct text *t, const struct subject *s)   { (void)s; return say_line(t, STR(UTS_VERSION)); }

static err_t show_hostname(struct text *t, const struct subject *s)
{
        u8 name[UTS_LEN + 1] = {};
        (void)s;
        uts_get_nodename(thread_current()->ns->uts, MBYTES_OF(name));
        return say_line(t, padded(BYTES_OF(name)));
}

/* The first line, cut to what fits. */
static bytes uts_line(bytes text) { return bytes_take(text, min_u64(bytes_find(text, '\n'), UTS_LEN)); }

static err_t write_hostname(bytes text, const struct subject *s)
{
        (void)s;
        return capable(CAP_SYS_ADMIN) ? uts_set_nodename(thread_current()->ns->uts, uts_line(text)) : ERR(EPERM);
}

static err_t show_domainname(struct text *t, const struct subject *s)
{
        u8 name[UTS_LEN + 1] = {};
        (void)s;
        uts_get_domainname(thread_current()->ns->uts, MBYTES_OF(name));
        return say_line(t, padded(BYTES_OF(name)));
}

static err_t write_domainname(bytes text, const struct subject *s)
{
        (void)s;
        return capable(CAP_SYS_ADMIN) ? uts_set_domainname(thread_current()->ns->uts, uts_line(text)) : ERR(EPERM);
}

static err_t show_pid_max(struct text *t, const struct subject *s) { (void)s; return say_u64(t, pid_ns_max(pid_ns_current())); }
static err_t write_pid_max(bytes text, const struct subject *s)
{
        u32 v = 0;
        (void)s;
        TRY(parse_u32(text, &v));
        return pid_ns_set_max(pid_ns_current(), v);
}

static err_t show_threads_max(struct text *t, const struct subject *s)
{
        (void)s;
        return say_u64(t, pid_ns_max_threads(pid_ns_current()));
}
static err_t write_threads_max(bytes text, const struct subject *s)
{
        u32 v = 0;
        (void)s;
        TRY(parse_u32(text, &v));
        if (v == 0)
                return ERR(EINVAL);
        pid_ns_set_max_threads(pid_ns_current(), v);
        return OK;
}

static err_t show_cap_last(struct text *t, const struct subject *s)      { (void)s; return say_u64(t, CAP_LAST_CAP); }
static err_t show_ngroups_max(struct text *t, const struct subject *s)   { (void)s; return say_u64(t, GROUPS_MAX); }
static err_t show_arch(struct text *t, const struct subject *s)          { (void)s; return say_line(t, STR("x86_64")); }
static err_t show_last_pid(struct text *t, const struct subject *s)      { (void)s; return say_u64(t, pid_ns_last(pid_ns_current())); }
static err_t show_overflow_id(struct text *t, const struct subject *s)   { (void)s; return say_u64(t, 65534); }
static err_t show_core_pattern(struct text *t, const struct subject *s)
{
        u8 pattern[CORE_PATTERN_LEN] = {};
        (void)s;
        process_core_pattern(thread_current()->process, MBYTES_OF(pattern));
        return say_line(t, padded(BYTES_OF(pattern)));
}

static err_t write_core_pattern(bytes text, const struct subject *s)
{
        (void)s;
        process_set_core_pattern(bytes_take(text, bytes_find(text, '\n')));
        return OK;
}

static struct core_settings core(void) { return process_core_settings(thread_current()->process); }

static err_t show_core_uses_pid(struct text *t, const struct subject *s)   { (void)s; return say_u64(t, core().uses_pid); }
static err_t show_core_pipe_limit(struct text *t, const struct subject *s) { (void)s; return say_u64(t, core().pipe_limit); }
static err_t show_suid_dumpable(struct text *t, const struct subject *s)   { (void)s; return say_u64(t, core().suid_dumpable); }

static err_t write_core_uses_pid(bytes text, const struct subject *s)
{
        u32 n = 0;
        (void)s;
        TRY(parse_u32(text, &n));
        STORE(core_settings_of(pid_ns_current())->uses_pid, n);
        return OK;
}

static err_t write_core_pipe_limit(bytes text, const struct subject *s)
{
        u32 n = 0;
        (void)s;
        TRY(parse_u32(text, &n));
        STORE(core_settings_of(pid_ns_current())->pipe_limit, n);
        return OK;
}

static err_t write_suid_dumpable(bytes text, const struct subject *s)
{
        u32 n = 0;
        (void)s;
        TRY(parse_u32(text, &n));
        if (n > DUMP_ROOT)
                return ERR(EINVAL);
        STORE(core_settings_of(pid_ns_current())->suid_dumpable, n);
        return OK;
}

static err_t show_printk(struct text *t, const struct subject *s)
{
        struct syslog_levels l = syslog_levels();
        (void)s;
        SAY(t, "{}\t{}\t{}\t{}\n", l.console, l.message, l.least, l.standard);
        return OK;
}

static err_t write_printk(bytes text, const struct subject *s)
{
        struct syslog_levels l = syslog_levels();
        struct text_four f = { { l.console, l.message, l.least, l.standard } };
        (void)s;
        if (!text_parse_four(text, &f))
                return ERR(EINVAL);
        syslog_set_levels((struct syslog_levels){ f.v[0], f.v[1], f.v[2], f.v[3] });
        return OK;
}

static err_t show_dmesg_restrict(struct text *t, const struct subject *s) { (void)s; return say_u64(t, syslog_restrict()); }

static err_t write_dmesg_restrict(bytes text, const struct subject *s)
{
        u32 v = 0;
        (void)s;
        if (!capable(CAP_SYS_ADMIN))
                return ERR(EPERM);
        TRY(parse_u32(text, &v));
        if (v > 1)
                return ERR(EINVAL);
        syslog_set_restrict(v);
        return OK;
}

/* ---- sched_*: a machine's, of whatever namespace ---- */

static err_t show_no(struct text *t, const struct subject *s)        { (void)s; return say_u64(t, 0); }
static err_t show_rt_period(struct text *t, const struct subject *s) { (void)s; return say_u64(t, sched_limits().rt_period / 1000); }
static err_t show_rt_runtime(struct text *t, const struct subject *s)
{
        u64 runtime = sched_limits().rt_runtime;

        (void)s;
        return runtime == NEVER ? say_line(t, STR("-1")) : say_u64(t, runtime / 1000);
}
static err_t show_rr_slice(struct text *t, const struct subject *s)   { (void)s; return say_u64(t, sched_limits().rr_slice / NSEC_PER_MSEC); }
static err_t show_least_period(struct text *t, const struct subject *s)   { (void)s; return say_u64(t, SCHED_PERIOD_LEAST / 1000); }
static err_t show_longest_period(struct text *t, const struct subject *s) { (void)s; return say_u64(t, SCHED_PERIOD_MOST / 1000); }

enum sched_setting { SET_RT_PERIOD, SET_RT_RUNTIME, SET_RR_SLICE };

static err_t write_sched(bytes text, enum sched_setting which)
{
        struct sched_limits l = sched_limits();
        bool minus = false;
        u64 v = 0;

        if (!text_parse_setting(text, &minus, &v) || v > (u64)I32_MAX + minus)
                return ERR(EINVAL);
        if (which == SET_RT_PERIOD)
                l.rt_period = minus ? 0 : v * 1000;
        else if (which == SET_RT_RUNTIME)
                l.rt_runtime = minus && v ? NEVER : v * 1000;
        else
                l.rr_slice = !minus && v ? v * NSEC_PER_MSEC : SCHED_RR_SLICE;
        return sched_set_limits(l);
}

static err_t write_rt_period(bytes text, const struct subject *s)  { (void)s; return write_sched(text, SET_RT_PERIOD); }
static err_t write_rt_runtime(bytes text, const struct subject *s) { (void)s; return write_sched(text, SET_RT_RUNTIME); }
static err_t write_rr_slice(bytes text, const struct subject *s)   { (void)s; return write_sched(text, SET_RR_SLICE); }

static void say_uuid(struct text *t, const u64 *high, const u64 *low)
{
        u64 a = (*high & ~0xf000ul) | 0x4000, b = (*low & ~(3ul << 62)) | 2ul << 62;
        text_hex(t, a >> 32, 8);
        text_char(t, '-');
        text_hex(t, a >> 16 & 0xffff, 4);
        text_char(t, '-');
        text_hex(t, a & 0xffff, 4);
        text_char(t, '-');
        text_hex(t, b >> 48, 4);
        text_char(t, '-');
        text_hex(t, b & 0xfffffffffffful, 12);
        text_char(t, '\n');
}

static err_t show_uuid(struct text *t, const struct subject *s)
{
        u64 a = random_u64(), b = random_u64();
        (void)s;
        say_uuid(t, &a, &b);
        return OK;
}

/* The same for as long as the machine runs: made of what was random at boot, the namespace's keyed hash. */
static err_t show_boot_id(struct text *t, const struct subject *s)
{
        u64 a = (u64)hash_u64(1) << 32 | hash_u64(2), b = (u64)hash_u64(3) << 32 | hash_u64(4);
        (void)s;
        say_uuid(t, &a, &b);
        return OK;
}

static err_t show_entropy(struct text *t, const struct subject *s) { (void)s; return say_u64(t, 256); }

static const struct proc_dir random_dir = { .entry = {
        { .name = "boot_id", .mode = 0444, .show = show_boot_id },
        { .name = "entropy_avail", .mode = 0444, .show = show_entropy },
        { .name = "poolsize", .mode = 0444, .show = show_entropy },
        { .name = "uuid", .mode = 0444, .show = show_uuid },
} };

/* ---- vm ---- */

static struct vm_settings settings(void) { return vm_settings(vm_domain_of(vm_current())); }

static err_t show_overcommit(struct text *t, const struct subject *s)       { (void)s; return say_u64(t, settings().overcommit); }
static err_t show_overcommit_ratio(struct text *t, const struct subject *s) { (void)s; return say_u64(t, settings().overcommit_ratio); }
static err_t show_max_map_count(struct text *t, const struct subject *s)    { (void)s; return say_u64(t, settings().max_map_count); }
static err_t show_mmap_min_addr(struct text *t, const struct subject *s)    { (void)s; return say_u64(t, settings().mmap_min_addr); }
static err_t show_randomize(struct text *t, const struct subject *s)        { (void)s; return say_u64(t, settings().randomize); }

static err_t show_overcommit_kb(struct text *t, const struct subject *s)    { (void)s; return say_u64(t, settings().overcommit_kbytes); }
static err_t show_oom_caller(struct text *t, const struct subject *s)       { (void)s; return say_u64(t, settings().oom_kill_caller); }
static err_t show_oom_dump(struct text *t, const struct subject *s)         { (void)s; return say_u64(t, settings().oom_dump_tasks); }

enum setting { SET_OVERCOMMIT, SET_RATIO, SET_KBYTES, SET_MAP_COUNT, SET_RANDOMIZE, SET_OOM_CALLER, SET_OOM_DUMP, SET_USER_FAULTS,
               SET_ADMIN_RESERVE, SET_USER_RESERVE, SET_SWAPPINESS, SET_MIN_ADDR };

static err_t write_setting(bytes text, enum setting which, u32 max)
{
        struct vm_settings *v = vm_settings_of(vm_domain_of(vm_current()));
        u32 n = 0;

        TRY(parse_u32(text, &n));
        if (n > max)
                return ERR(EINVAL);
        switch (which) {
        case SET_OVERCOMMIT: STORE(v->overcommit, n); break;
        case SET_RATIO:      STORE(v->overcommit_ratio, n); STORE(v->overcommit_kbytes, 0ul); break;
        case SET_KBYTES:     STORE(v->overcommit_kbytes, (u64)n); if (n) STORE(v->overcommit_ratio, 0u); break;
        case SET_OOM_CALLER: STORE(v->oom_kill_caller, n); break;
        case SET_OOM_DUMP:   STORE(v->oom_dump_tasks, n); break;
        case SET_USER_FAULTS: STORE(v->user_faults, n); break;
        case SET_ADMIN_RESERVE: STORE(v->admin_reserve, n); break;
        case SET_USER_RESERVE: STORE(v->user_reserve, n); break;
        case SET_SWAPPINESS: STORE(v->swappiness, n); break;
        case SET_MIN_ADDR:   STORE(v->mmap_min_addr, (u64)n); break;
        case SET_MAP_COUNT:  STORE(v->max_map_count, n); break;
        case SET_RANDOMIZE:  STORE(v->randomize, n); break;
        default:             break;
        }
        return OK;
}

static err_t write_overcommit(bytes text, const struct subject *s)       { (void)s; return write_setting(text, SET_OVERCOMMIT, 2); }
static err_t write_overcommit_ratio(bytes text, const struct subject *s) { (void)s; return write_setting(text, SET_RATIO, 1000000); }
static err_t write_max_map_count(bytes text, const struct subject *s)    { (void)s; return write_setting(text, SET_MAP_COUNT, I32_MAX); }
static err_t write_randomize(bytes text, const struct subject *s)        { (void)s; return write_setting(text, SET_RANDOMIZE, 2); }

static err_t write_overcommit_kb(bytes text, const struct subject *s)    { (void)s; return write_setting(text, SET_KBYTES, U32_MAX); }
static err_t write_oom_caller(bytes text, const struct subject *s)       { (void)s; return write_setting(text, SET_OOM_CALLER, I32_MAX); }
static err_t write_oom_dump(bytes text, const struct subject *s)         { (void)s; return write_setting(text, SET_OOM_DUMP, I32_MAX); }

static err_t show_user_faults(struct text *t, const struct subject *s)   { (void)s; return say_u64(t, settings().user_faults); }
static err_t write_user_faults(bytes text, const struct subject *s)      { (void)s; return write_setting(text, SET_USER_FAULTS, 1); }

static err_t show_admin_reserve(struct text *t, const struct subject *s) { (void)s; return say_u64(t, settings().admin_reserve); }
static err_t write_admin_reserve(bytes text, const struct subject *s)    { (void)s; return write_setting(text, SET_ADMIN_RESERVE, U32_MAX); }
static err_t show_user_reserve(struct text *t, const struct subject *s)  { (void)s; return say_u64(t, settings().user_reserve); }
static err_t write_user_reserve(bytes text, const struct subject *s)     { (void)s; return write_setting(text, SET_USER_RESERVE, U32_MAX); }
static err_t show_swappiness(struct text *t, const struct subject *s)    { (void)s; return say_u64(t, settings().swappiness); }
static err_t write_swappiness(bytes text, const struct subject *s)       { (void)s; return write_setting(text, SET_SWAPPINESS, 200); }

static err_t write_mmap_min_addr(bytes text, const struct subject *s)
{
        (void)s;
        return capable(CAP_SYS_RAWIO) ? write_setting(text, SET_MIN_ADDR, U32_MAX) : ERR(EPERM);
}

/* Pages of files in memory are all there is of them: only names and empty slabs can be dropped. */
static err_t write_drop_caches(bytes text, const struct subject *s)
{
        u32 n = 0;

        (void)s;
        TRY(parse_u32(text, &n));
        if (n < 1 || n > 4)
                return ERR(EINVAL);
        for (u32 i = 0; i < 16 && (n & 2) && mem_reclaim(mem_stats().total); i++)
                ;
        return OK;
}

static const struct proc_dir kernel_dir = { .entry = {
        { .name = "arch", .mode = 0444, .show = show_arch },
        { .name = "cap_last_cap", .mode = 0444, .show = show_cap_last },
        { .name = "core_pattern", .mode = 0644, .show = show_core_pattern, .write = write_core_pattern },
        { .name = "core_pipe_limit", .mode = 0644, .show = show_core_pipe_limit, .write = write_core_pipe_limit },
        { .name = "core_uses_pid", .mode = 0644, .show = show_core_uses_pid, .write = write_core_uses_pid },
        { .name = "dmesg_restrict", .mode = 0644, .show = show_dmesg_restrict, .write = write_dmesg_restrict },
        { .name = "domainname", .mode = 0644, .show = show_domainname, .write = write_domainname },
        { .name = "hostname", .mode = 0644, .show = show_hostname, .write = write_hostname },
        { .name = "ngroups_max", .mode = 0444, .show = show_ngroups_max },
        { .name = "ns_last_pid", .mode = 0444, .show = show_last_pid },
        { .name = "osrelease", .mode = 0444, .show = show_osrelease },
        { .name = "ostype", .mode = 0444, .show = show_ostype },
        { .name = "overflowgid", .mode = 0444, .show = show_overflow_id },
        { .name = "overflowuid", .mode = 0444, .show = show_overflow_id },
        { .name = "pid_max", .mode = 0644, .show = show_pid_max, .write = write_pid_max },
        { .name = "printk", .mode = 0644, .show = show_printk, .write = write_printk },
        { .name = "random", .mode = 0555, .dir = &random_dir },
        { .name = "randomize_va_space", .mode = 0644, .show = show_randomize, .write = write_randomize },
        { .name = "sched_child_runs_first", .mode = 0444, .show = show_no },
        { .name = "sched_deadline_period_max_us", .mode = 0444, .show = show_longest_period },
        { .name = "sched_deadline_period_min_us", .mode = 0444, .show = show_least_period },
        { .name = "sched_rr_timeslice_ms", .mode = 0644, .show = show_rr_slice, .write = write_rr_slice },
        { .name = "sched_rt_period_us", .mode = 0644, .show = show_rt_period, .write = write_rt_period },
        { .name = "sched_rt_runtime_us", .mode = 0644, .show = show_rt_runtime, .write = write_rt_runtime },
        { .name = "threads-max", .mode = 0644, .show = show_threads_max, .write = write_threads_max },
        { .name = "version", .mode = 0444, .show = show_version },
        IPC_LIMITS(IPC_LIMIT_ENTRY)
        IPC_LIMIT_ENTRY(sem, u32, 0)
        IPC_LIMIT_ENTRY(shm_next_id, u32, 0)
        IPC_LIMIT_ENTRY(msg_next_id, u32, 0)
        IPC_LIMIT_ENTRY(sem_next_id, u32, 0)
} };

static const struct proc_dir vm_dir = { .entry = {
        { .name = "admin_reserve_kbytes", .mode = 0644, .show = show_admin_reserve, .write = write_admin_reserve },
        { .name = "drop_caches", .mode = 0200, .write = write_drop_caches },
        { .name = "max_map_count", .mode = 0644, .show = show_max_map_count, .write = write_max_map_count },
        { .name = "mmap_min_addr", .mode = 0644, .show = show_mmap_min_addr, .write = write_mmap_min_addr },
        { .name = "oom_dump_tasks", .mode = 0644, .show = show_oom_dump, .write = write_oom_dump },
        { .name = "oom_kill_allocating_task", .mode = 0644, .show = show_oom_caller, .write = write_oom_caller },
        { .name = "overcommit_kbytes", .mode = 0644, .show = show_overcommit_kb, .write = write_overcommit_kb },
        { .name = "overcommit_memory", .mode = 0644, .show = show_overcommit, .write = write_overcommit },
        { .name = "overcommit_ratio", .mode = 0644, .show = show_overcommit_ratio, .write = write_overcommit_ratio },
        { .name = "swappiness", .mode = 0644, .show = show_swappiness, .write = write_swappiness },
        { .name = "unprivileged_userfaultfd", .mode = 0644, .show = show_user_faults, .write = write_user_faults },
        { .name = "user_reserve_kbytes", .mode = 0644, .show = show_user_reserve, .write = write_user_reserve },
} };

/* ---- fs ---- */

static err_t show_nr_open(struct text *t, const struct subject *s)       { (void)s; return say_u64(t, FILES_MAX); }
static err_t show_file_max(struct text *t, const struct subject *s)      { (void)s; return say_u64(t, (u64)I64_MAX); }
static err_t show_pipe_max_size(struct text *t, const struct subject *s) { (void)s; return say_u64(t, pipe_max_size()); }
static err_t write_pipe_max_size(bytes text, const struct subject *s)
{
        u32 v = 0;
        (void)s;
        TRY(parse_u32(text, &v));
        return pipe_set_max_size(v);
}

static err_t show_pipe_soft(struct text *t, const struct subject *s) { (void)s; return say_u64(t, pipe_user_pages(false)); }
static err_t show_pipe_hard(struct text *t, const struct subject *s) { (void)s; return say_u64(t, pipe_user_pages(true)); }

static err_t write_pipe_pages(bytes text, bool hard)
{
        bool minus = false;
        u64 v = 0;

        if (!text_parse_setting(text, &minus, &v) || minus)
                return ERR(EINVAL);
        pipe_set_user_pages(hard, v);
        return OK;
}
static err_t write_pipe_soft(bytes text, const struct subject *s) { (void)s; return write_pipe_pages(text, false); }
static err_t write_pipe_hard(bytes text, const struct subject *s) { (void)s; return write_pipe_pages(text, true); }

/* Of the mount namespaces that are related to the reader's. */
static struct mount_family *mounts(void) { return thread_current()->ns->mnt->family; }
static err_t show_mount_max(struct text *t, const struct subject *s)     { (void)s; return say_u64(t, LOAD(mounts()->max)); }
static err_t write_mount_max(bytes text, const struct subject *s)
{
        u32 v = 0;
        (void)s;
        TRY(parse_u32(text, &v));
        if (v < 1 || v > I32_MAX)
                return ERR(EINVAL);
        STORE(mounts()->max, v);
        return OK;
}

static err_t show_leases_enable(struct text *t, const struct subject *s) { (void)s; return say_u64(t, leases_on()); }
static err_t show_lease_time(struct text *t, const struct subject *s)    { (void)s; return say_u64(t, leases_break_time()); }
static err_t show_dnotify(struct text *t, const struct subject *s)       { (void)s; return say_u64(t, dnotify_on()); }

static err_t parse_int(bytes text, u32 *out)
{
        TRY(parse_u32(text, out));
        return *out > I32_MAX ? ERR(EINVAL) : OK;
}

static err_t write_leases_enable(bytes text, const struct subject *s)
{
        u32 v = 0;
        (void)s;
        TRY(parse_int(text, &v));
        leases_set_on(v != 0);
        return OK;
}

static err_t write_lease_time(bytes text, const struct subject *s)
{
        u32 v = 0;
        (void)s;
        TRY(parse_int(text, &v));
        leases_set_break_time(v);
        return OK;
}

static err_t write_dnotify(bytes text, const struct subject *s)
{
        u32 v = 0;
        (void)s;
        TRY(parse_int(text, &v));
        dnotify_set_on(v != 0);
        return OK;
}

static err_t write_protect(bytes text, enum protect which, u32 max)
{
        u32 v = 0;
        TRY(parse_u32(text, &v));
        if (v > max)
                return ERR(EINVAL);
        protect_set(which, v);
        return OK;
}

#define PROTECTED(name, which, max)                                                                                             \
        static err_t show_##name(struct text *t, const struct subject *s) { (void)s; return say_u64(t, protect_get(which)); }   \
        static err_t write_##name(bytes text, const struct subject *s)    { (void)s; return write_protect(text, which, max); }
PROTECTED(hardlinks, PROTECT_HARDLINKS, 1)
PROTECTED(symlinks, PROTECT_SYMLINKS, 1)
PROTECTED(fifos, PROTECT_FIFOS, 2)
PROTECTED(regular, PROTECT_REGULAR, 2)

static err_t write_inotify(bytes text, enum inotify_limit which)
{
        u32 v = 0;
        TRY(parse_int(text, &v));
        inotify_set_limit(which, v);
        return OK;
}

static err_t show_queued_events(struct text *t, const struct subject *s)   { (void)s; return say_u64(t, inotify_limit(INOTIFY_EVENTS)); }
static err_t show_user_instances(struct text *t, const struct subject *s)  { (void)s; return say_u64(t, inotify_limit(INOTIFY_INSTANCES)); }
static err_t show_user_watches(struct text *t, const struct subject *s)    { (void)s; return say_u64(t, inotify_limit(INOTIFY_WATCHES)); }
static err_t write_queued_events(bytes text, const struct subject *s)      { (void)s; return write_inotify(text, INOTIFY_EVENTS); }
static err_t write_user_instances(bytes text, const struct subject *s)     { (void)s; return write_inotify(text, INOTIFY_INSTANCES); }
static err_t write_user_watches(bytes text, const struct subject *s)       { (void)s; return write_inotify(text, INOTIFY_WATCHES); }

static const struct proc_dir inotify_dir = { .entry = {
        { .name = "max_queued_events", .mode = 0644, .show = show_queued_events, .write = write_queued_events },
        { .name = "max_user_instances", .mode = 0644, .show = show_user_instances, .write = write_user_instances },
        { .name = "max_user_watches", .mode = 0644, .show = show_user_watches, .write = write_user_watches },
} };

static const struct proc_dir fs_dir = { .entry = {
        { .name = "dir-notify-enable", .mode = 0644, .show = show_dnotify, .write = write_dnotify },
        { .name = "file-max", .mode = 0444, .show = show_file_max },
        { .name = "inotify", .mode = 0555, .dir = &inotify_dir },
        { .name = "lease-break-time", .mode = 0644, .show = show_lease_time, .write = write_lease_time },
        { .name = "leases-enable", .mode = 0644, .show = show_leases_enable, .write = write_leases_enable },
        { .name = "mount-max", .mode = 0644, .show = show_mount_max, .write = write_mount_max },
        { .name = "mqueue", .mode = 0555, .dir = &proc_mqueue_dir },
        { .name = "nr_open", .mode = 0444, .show = show_nr_open },
        { .name = "overflowgid", .mode = 0444, .show = show_overflow_id },
        { .name = "overflowuid", .mode = 0444, .show = show_overflow_id },
        { .name = "pipe-max-size", .mode = 0644, .show = show_pipe_max_size, .write = write_pipe_max_size },
        { .name = "pipe-user-pages-hard", .mode = 0644, .show = show_pipe_hard, .write = write_pipe_hard },
        { .name = "pipe-user-pages-soft", .mode = 0644, .show = show_pipe_soft, .write = write_pipe_soft },
        { .name = "protected_fifos", .mode = 0644, .show = show_fifos, .write = write_fifos },
        { .name = "protected_hardlinks", .mode = 0644, .show = show_hardlinks, .write = write_hardlinks },
        { .name = "protected_regular", .mode = 0644, .show = show_regular, .write = write_regular },
        { .name = "protected_symlinks", .mode = 0644, .show = show_symlinks, .write = write_symlinks },
        { .name = "suid_dumpable", .mode = 0644, .show = show_suid_dumpable, .write = write_suid_dumpable },
} };

/* ---- net ---- */

static err_t show_max_dgram(struct text *t, const struct subject *s) { (void)s; return say_u64(t, unix_max_dgram(net_ns_current())); }
static err_t write_max_dgram(bytes text, const struct subject *s)
{
        u32 v = 0;
        (void)s;
        TRY(parse_u32(text, &v));
        unix_set_max_dgram(net_ns_current(), v);
        return OK;
}

static err_t show_somaxconn(struct text *t, const struct subject *s) { (void)s; return say_u64(t, SOMAXCONN_MAX); }
static err_t show_mem_max(struct text *t, const struct subject *s)   { (void)s; return say_u64(t, SOCK_MEM_MAX); }
static err_t show_optmem(struct text *t, const struct subject *s)    { (void)s; return say_u64(t, CONTROL_MAX); }

static const struct proc_dir net_core_dir = { .entry = {
        { .name = "optmem_max", .mode = 0444, .show = show_optmem },
        { .name = "rmem_default", .mode = 0444, .show = show_mem_max },
        { .name = "rmem_max", .mode = 0444, .show = show_mem_max },
        { .name = "somaxconn", .mode = 0444, .show = show_somaxconn },
        { .name = "wmem_default", .mode = 0444, .show = show_mem_max },
        { .name = "wmem_max", .mode = 0444, .show = show_mem_max },
} };

static const struct proc_dir net_unix_dir = { .entry = {
        { .name = "max_dgram_qlen", .mode = 0644, .show = show_max_dgram, .write = write_max_dgram },
} };

static const struct proc_dir net_dir = { .entry = {
        { .name = "core", .mode = 0555, .dir = &net_core_dir },
        { .name = "unix", .mode = 0555, .dir = &net_unix_dir },
} };

const struct proc_dir proc_sys_dir = { .entry = {
        { .name = "fs", .mode = 0555, .dir = &fs_dir },
        { .name = "kernel", .mode = 0555, .dir = &kernel_dir },
        { .name = "net", .mode = 0555, .dir = &net_dir },
        { .name = "vm", .mode = 0555, .dir = &vm_dir },
} };
