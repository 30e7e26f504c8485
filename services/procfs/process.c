/* SPDX-License-Identifier: Apache-2.0
 *
 * /proc/PID and /proc/PID/task/TID.  proc(5) gives the formats.
 */
#include "services/procfs/ns.h"
#include "services/ptimer/ptimer.h"
#include "services/process/account.h"
#include "services/namespace/namespace.h"
#include "services/net/socket/net_ns.h"
#include "services/sched/sched.h"
#include "services/net/netlink/netlink.h"
#include "services/net/unix/unix.h"
#include "services/seccomp/seccomp.h"
#include "services/security/cred.h"
#include "services/signal/signal.h"
#include "services/tty/tty.h"
#include "services/vm/vm.h"
#include "services/vfs/mount.h"
#include "lib/num.h"
#include "abi/const/mm.h"
#include "abi/const/process.h"
#include "abi/const/signal.h"

#define TICKS(ns) ((ns) / (NSEC_PER_SEC / 100))         /* USER_HZ */


/* What several files tell, gathered under the owners' locks. */
struct facts {
        u32 pid, tgid, ppid, pgrp, sid, device, threads, uid[4], gid[4];
        i32 foreground;
        i32 umask;                      /* -1: it has none any more */
        u8  state, comm[COMM_LEN];
        struct task_times times;
        u64 min_faults, maj_faults, child_min_faults, child_maj_faults, start, child_user, child_system;
        u64 pending, shared, blocked, ignored, caught, voluntary, involuntary;
        u64 cap_inheritable, cap_permitted, cap_effective, cap_bounding, cap_ambient, affinity;
        i32 nice;
        u32 cpu, policy, rt_priority, in_force, exit_signal, exit_status, table;
        bool no_new_privs;
        u32 seccomp, filters;
        u64 queued;                     /* signals queued to its user */
};

static void gather_cred(struct facts *f, struct cred *c)
{
        if (!c)
                return;
        f->uid[0] = c->uid;
        f->uid[1] = c->euid;
        f->uid[2] = c->suid;
        f->uid[3] = c->fsuid;
        f->gid[0] = c->gid;
        f->gid[1] = c->egid;
        f->gid[2] = c->sgid;
        f->gid[3] = c->fsgid;
        f->cap_inheritable = c->cap_inheritable;
        f->cap_permitted = c->cap_permitted;
        f->cap_effective = c->cap_effective;
        f->cap_bounding = c->cap_bounding;
        f->cap_ambient = c->cap_ambient;
}

static void gather_relations(struct facts *f, struct process *p)
{
        struct pid_ns *ns = p->pid->ns;

        tree_lock(ns);
        f->ppid = p->parent ? p->parent->tgid : 0;
        f->pgrp = p->pgrp ? p->pgrp->nr : 0;
        f->sid = p->session ? p->session->sid->nr : 0;
        tree_unlock(ns);
        tty_of_process(p, &f->device, &f->foreground);
}

static void gather(struct facts *f, const struct subject *s)
{
        struct process *p = s->process;
        struct thread *t = s->thread ? thread_hold(s->thread) : NULL;
        {
                SPIN_GUARD(&p->lock);
                if (!t && p->threads)           /* else it has been reaped, and the leader is gone */
                        t = thread_hold(p->leader);
                f->threads = p->live;
                f->child_min_faults = p->child_min_faults;
                f->child_maj_faults = p->child_maj_faults;
                f->child_user = p->child_times.user;
                f->child_system = p->child_times.system;
                f->min_faults = p->dead_min_faults;
                f->maj_faults = p->dead_maj_faults;
                f->exit_signal = p->exit_signal;
                f->exit_status = p->exit_status;
                f->umask = t && t->fs ? (i32)fs_umask(t->fs) : -1;
                if (t) {
                        gather_cred(f, t->cred);
                        f->no_new_privs = LOAD(t->no_new_privs);
                        f->seccomp = t->seccomp_mode;
                        f->filters = seccomp_count_locked(t);
                        f->table = t->files ? files_top(t->files) : 0;
                        f->queued = t->account ? LOAD(t->account->signals) : 0;
                }
        }
        f->tgid = p->tgid;
        f->pid = s->thread ? s->thread->tid : p->tgid;
        f->start = p->start_time;
        gather_relations(f, p);
        f->state = s->thread ? thread_state_letter(s->thread) : process_state_letter(p);
        f->pending = signal_shown(p, 0);
        f->shared = signal_shown(p, 1);
        f->blocked = signal_shown(p, 2);
        f->ignored = signal_shown(p, 3);
        f->caught = signal_shown(p, 4);
        f->times = process_times(p);
        if (t) {
                struct sched_params sp = sched_get(t);
                struct task *task = t->base.task;
                if (s->thread)
                        f->times = task_times(task);
                f->min_faults += LOAD(t->min_faults);
                f->maj_faults += LOAD(t->maj_faults);
                f->nice = sp.nice;
                f->policy = sp.policy;
                f->rt_priority = sp.rt_priority;
                f->in_force = sched_rt_priority(t);
                f->cpu = task_cpu(task);
                f->affinity = sched_affinity(t);
                f->voluntary = task_switches(task, true);
                f->involuntary = task_switches(task, false);
                for (u32 i = 0; i < COMM_LEN; i++)
                        f->comm[i] = t->comm[i];
        }
        thread_drop(t);
}

/* ---- stat, statm, status ---- */

static void say_signed(struct text *t, i64 v) { SAY(t, " {}", v); }
static void say(struct text *t, u64 v)
{
        text_char(t, ' ');
        text_number(t, v, 1);
}

static u32 stat_priority(const struct facts *f, bool *negative)
{
        *negative = f->in_force > 0;            /* what was lent counts */
        return f->in_force > 0 ? f->in_force + 1 : (u32)(20 + f->nice);
}

static err_t show_stat(struct text *t, const struct subject *s)
{
        struct facts f = {};
        struct vm_stats st = {};
        struct vm_layout l = {};
        struct vm *vm = subject_vm(s);
        bool negative = false;

        gather(&f, s);
        if (vm) {
                st = vm_stats(vm);
                if (process_may_trace(s->process, false))
                        l = vm_layout(vm);
                else
                        l.start_code = l.end_code = 1;  /* there is one, and more is not told */
                vm_drop(vm);
        }
        u32 prio = stat_priority(&f, &negative);
        SAY(t, "{} ({}) ", f.pid, padded(BYTES_OF(f.comm)));
        text_char(t, f.state);
        SAY(t, " {} {} {} {} {} 4194304", f.ppid, f.pgrp, f.sid, f.device, f.foreground);
        say(t, f.min_faults);
        say(t, f.child_min_faults);
        say(t, f.maj_faults);
        say(t, f.child_maj_faults);
        say(t, TICKS(f.times.user));
        say(t, TICKS(f.times.system));
        say(t, TICKS(f.child_user));
        say(t, TICKS(f.child_system));
        say_signed(t, negative ? -(i64)prio : (i64)prio);
        say_signed(t, f.nice);
        say(t, f.threads ? f.threads : 1);
        say(t, 0);
        say(t, TICKS(f.start));
        say(t, st.total * PAGE_SIZE);
        say(t, st.rss);
        say(t, U64_MAX);
        say(t, l.start_code);
        say(t, l.end_code);
        say(t, l.start_stack);
        say(t, 0);
        say(t, 0);
        say(t, f.pending & I32_MAX);
        say(t, f.blocked & I32_MAX);
        say(t, f.ignored & I32_MAX);
        say(t, f.caught & I32_MAX);
        say(t, 0);
        say(t, 0);
        say(t, 0);
        say(t, f.exit_signal);
        say(t, f.cpu);
        say(t, f.rt_priority);
        say(t, f.policy);
        say(t, 0);
        say(t, 0);
        say(t, 0);
        say(t, l.start_data);
        say(t, l.end_data);
        say(t, l.start_brk);
        say(t, l.arg_start);
        say(t, l.arg_end);
        say(t, l.env_start);
        say(t, l.env_end);
        say(t, f.exit_status);
        text_char(t, '\n');
        return OK;
}

/* Pages of the program's own code. */
static u64 text_pages(const struct vm_layout *l) { return (page_up(l->end_code) - page_down(l->start_code)) >> PAGE_SHIFT; }

static err_t show_statm(struct text *t, const struct subject *s)
{
        struct vm_stats st = {};
        struct vm_layout l = {};
        struct vm *vm = subject_vm(s);

        if (vm) {
                st = vm_stats(vm);
                l = vm_layout(vm);
                vm_drop(vm);
        }
        SAY(t, "{} {} {} {} 0 {} 0\n", st.total, st.rss, st.rss_file + st.rss_shmem, text_pages(&l), st.data + st.stack);
        return OK;
}

static bytes state_word(u8 letter)
{
        switch (letter) {
        case 'R': return STR("R (running)");
        case 'D': return STR("D (disk sleep)");
        case 'T': return STR("T (stopped)");
        case 'Z': return STR("Z (zombie)");
        case 'X': return STR("X (dead)");
        default:  return STR("S (sleeping)");
        }
}

static void say_mask(struct text *t, bytes name, u64 mask)
{
        text_add(t, name);
        text_add(t, STR(":\t"));
        text_hex(t, mask, 16);
        text_char(t, '\n');
}

static void say_kib(struct text *t, bytes name, u64 pages)
{
        text_add(t, name);
        text_add(t, STR(":\t"));
        text_number(t, pages * 4, 8);
        text_add(t, STR(" kB\n"));
}

static void say_groups(struct text *t, const struct subject *s)
{
        struct process *p = s->process;
        struct cred *c = NULL;
        {
                SPIN_GUARD(&p->lock);
                struct thread *who = s->thread ? s->thread : p->threads ? p->leader : NULL;     /* reaped: it is gone */
                if (who && who->cred)
                        c = cred_hold(who->cred);
        }
        text_add(t, STR("Groups:\t"));
        if (c) {
                for (u32 i = 0; i < cred_group_count(c); i++)
                        SAY(t, "{} ", cred_group(c, i));
        }
        text_add(t, c && cred_group_count(c) ? STR("\n") : STR(" \n"));
        cred_drop(c);
}

static void say_memory(struct text *t, struct vm *vm)
{
        struct vm_stats st = vm_stats(vm);
        struct vm_layout l = vm_layout(vm);
        u64 code = min_u64(text_pages(&l), st.exec);

        say_kib(t, STR("VmPeak"), st.peak_total);
        say_kib(t, STR("VmSize"), st.total);
        say_kib(t, STR("VmLck"), st.locked);
        say_kib(t, STR("VmPin"), 0);
        say_kib(t, STR("VmHWM"), st.peak_rss);
        say_kib(t, STR("VmRSS"), st.rss);
        say_kib(t, STR("RssAnon"), st.rss_anon);
        say_kib(t, STR("RssFile"), st.rss_file);
        say_kib(t, STR("RssShmem"), st.rss_shmem);
        say_kib(t, STR("VmData"), st.data);
        say_kib(t, STR("VmStk"), st.stack);
        say_kib(t, STR("VmExe"), code);
        say_kib(t, STR("VmLib"), st.exec - code);
        say_kib(t, STR("VmPTE"), st.tables);
        say_kib(t, STR("VmSwap"), 0);
        text_add(t, STR("HugetlbPages:\t       0 kB\n"));
}

/* The bits that are set, as "0-2,5". */
static void say_list(struct text *t, u64 mask)
{
        bytes between = STR("");

        while (mask) {
                u32 first = bit_lowest(mask), last = first;
                while (last < 63 && (mask >> last >> 1 & 1))
                        last++;
                SAY(t, "{}{}", between, first);
                if (last > first)
                        SAY(t, "-{}", last);
                mask &= last < 63 ? ~0ul << (last + 1) : 0;
                between = STR(",");
        }
}

static err_t show_status(struct text *t, const struct subject *s)
{
        struct facts f = {};
        struct vm *vm = subject_vm(s);

        gather(&f, s);
        text_add(t, STR("Name:\t"));
        text_add_line(t, padded(BYTES_OF(f.comm)), STR("\\n"), STR("\\\\"));
        text_char(t, '\n');
        if (f.umask >= 0)
                SAY(t, "Umask:\t0{}{}{}\n", f.umask >> 6 & 7, f.umask >> 3 & 7, f.umask & 7);
        SAY(t, "State:\t{}\n", state_word(f.state));
        SAY(t, "Tgid:\t{}\nNgid:\t0\nPid:\t{}\nPPid:\t{}\nTracerPid:\t0\n", f.tgid, f.pid, f.ppid);
        SAY(t, "Uid:\t{}\t{}\t{}\t{}\n", f.uid[0], f.uid[1], f.uid[2], f.uid[3]);
        SAY(t, "Gid:\t{}\t{}\t{}\t{}\n", f.gid[0], f.gid[1], f.gid[2], f.gid[3]);
        SAY(t, "FDSize:\t{}\n", f.table);
        say_groups(t, s);
        SAY(t, "NStgid:\t{}\nNSpid:\t{}\nNSpgid:\t{}\nNSsid:\t{}\n", f.tgid, f.pid, f.pgrp, f.sid);
        if (vm) {
                say_memory(t, vm);
                SAY(t, "CoreDumping:\t{}\nTHP_enabled:\t{}\n", (u32)(PTR_LOAD(s->process->dumper) != NULL), s->process->thp_disable ? 0 : 1);
                vm_drop(vm);
        }
        SAY(t, "Threads:\t{}\nSigQ:\t{}/{}\n", f.threads ? f.threads : 1, f.queued, rlimit_get(s->process, RLIMIT_SIGPENDING));
        say_mask(t, STR("SigPnd"), f.pending);
        say_mask(t, STR("ShdPnd"), f.shared);
        say_mask(t, STR("SigBlk"), f.blocked);
        say_mask(t, STR("SigIgn"), f.ignored);
        say_mask(t, STR("SigCgt"), f.caught);
        say_mask(t, STR("CapInh"), f.cap_inheritable);
        say_mask(t, STR("CapPrm"), f.cap_permitted);
        say_mask(t, STR("CapEff"), f.cap_effective);
        say_mask(t, STR("CapBnd"), f.cap_bounding);
        say_mask(t, STR("CapAmb"), f.cap_ambient);
        SAY(t, "NoNewPrivs:\t{}\nSeccomp:\t{}\nSeccomp_filters:\t{}\nCpus_allowed:\t{x}\nCpus_allowed_list:\t", (u32)f.no_new_privs, f.seccomp, f.filters, f.affinity);
        say_list(t, f.affinity);
        text_add(t, STR("\nMems_allowed:\t1\nMems_allowed_list:\t0\n"));
        SAY(t, "voluntary_ctxt_switches:\t{}\nnonvoluntary_ctxt_switches:\t{}\n", f.voluntary, f.involuntary);
        return OK;
}

/* ---- memory of the process ---- */

/* The next part of what lies between two addresses, of which *at bytes came before; drops vm. */
static err_t add_memory(struct text *t, struct vm *vm, u64 from, u64 to, u64 *at)
{
        u64 length = from < to ? to - from : 0;

        for (from = *at < length ? from + *at : to; from < to && t->len < TEXT_PART_ENOUGH;) {
                u8 chunk[512] = {};
                u64 got = vm_read_remote(vm, from, mbytes_take(MBYTES_OF(chunk), min_u64(sizeof chunk, to - from)), false);
                if (!got)
                        break;
                text_add(t, bytes_take(BYTES_OF(chunk), got));
                from += got;
                *at += got;
        }
        vm_drop(vm);
        return OK;
}

static err_t show_cmdline(struct text *t, const struct subject *s, u64 *at)
{
        struct vm *vm = subject_vm(s);
        if (!vm)
                return OK;
        struct vm_layout l = vm_layout(vm);
        return add_memory(t, vm, l.arg_start, l.arg_end, at);
}

static err_t show_environ(struct text *t, const struct subject *s, u64 *at)
{
        struct vm *vm = subject_vm(s);
        if (!vm)
                return OK;
        struct vm_layout l = vm_layout(vm);
        return add_memory(t, vm, l.env_start, l.env_end, at);
}

static err_t show_auxv(struct text *t, const struct subject *s)
{
        u64 words[VM_AUXV_WORDS] = {};
        struct vm *vm = subject_vm(s);
        if (!vm)
                return OK;
        usize n = vm_auxv(vm, MBYTES_OF(words));
        text_add(t, bytes_take(BYTES_OF(words), n));
        vm_drop(vm);
        return OK;
}

static err_t show_dump_filter(struct text *t, const struct subject *s)
{
        text_hex(t, LOAD(s->process->dump_filter), 8);
        text_char(t, '\n');
        return OK;
}

static err_t write_dump_filter(bytes text, const struct subject *s)
{
        u64 v = 0;

        if (!num_parse_c(text, &v) || v > U32_MAX)
                return ERR(EINVAL);
        STORE(s->process->dump_filter, (u32)v & 0x1ff);
        return OK;
}

/* Of a file in parts: this one is not full, and somebody waits for it. */
static bool may_go_on(const struct text *t) { return t->len < TEXT_PART_ENOUGH && !(task_interrupts() & INTR_KILL); }

static err_t show_timers(struct text *t, const struct subject *s, u64 *at)
{
        struct ptimer_shown p = {};

        for (; may_go_on(t) && *at <= U32_MAX && ptimer_next(s->process, (u32)*at, &p); *at = p.id + 1ul) {
                bytes how = p.notify == SIGEV_NONE ? STR("none") : p.notify == SIGEV_THREAD ? STR("thread") : STR("signal");
                SAY(t, "ID: {}\nsignal: {}/", p.id, p.signo);
                text_hex(t, p.value, 16);
                SAY(t, "\nnotify: {}/{}.{}\nClockID: {}\n", how, p.notify & SIGEV_THREAD_ID ? STR("tid") : STR("pid"), p.tid, (i32)p.clock);
        }
        return OK;
}

/* ---- places ---- */

static err_t follow_fs(struct path *out, const struct subject *s, bool root)
{
        struct thread *t = subject_thread(s);
        struct fs_context *fs = NULL;

        if (!t)
                return ERR(ENOENT);
        {
                SPIN_GUARD(&t->process->lock);
                if (t->fs)
                        fs = fs_context_hold(t->fs);
        }
        thread_drop(t);
        if (!fs)
                return ERR(ENOENT);
        *out = root ? fs_root(fs) : fs_cwd(fs);
        fs_context_drop(fs);
        return OK;
}

static err_t follow_cwd(struct path *out, const struct subject *s)  { return follow_fs(out, s, false); }
static err_t follow_root(struct path *out, const struct subject *s) { return follow_fs(out, s, true); }

static err_t follow_exe(struct path *out, const struct subject *s)
{
        struct file *f = NULL;
        {
                SPIN_GUARD(&s->process->lock);
                if (s->process->exe)
                        f = file_hold(s->process->exe);
        }
        if (!f)
                return ERR(ENOENT);
        *out = path_hold(&f->path);
        file_drop(f);
        return OK;
}

static err_t show_mounts_as(struct text *t, const struct subject *s, u64 *at, enum mount_format how)
{
        struct thread *who = subject_thread(s);
        struct mount_cursor c = { .n = *at };
        struct path root = {};
        struct mnt_ns *ns = NULL;
        struct blob *line = blob_alloc(thread_current()->payer, PATH_MAX_LEN * 2);

        if (who) {
                SPIN_GUARD(&who->process->lock);
                if (who->ns && who->ns->mnt)
                        ns = mnt_ns_hold(who->ns->mnt);
        }
        thread_drop(who);
        if (!ns || !line) {
                mnt_ns_drop(ns);
                blob_drop(line);
                return ns ? ERR(ENOMEM) : ERR(EINVAL);
        }
        err_t err = follow_fs(&root, s, true);
        while (succeeded(err) && may_go_on(t)) {
                usize len = 0;
                err_t one = mount_describe(ns, &root, &c, how, blob_mbytes(line), &len);
                if (err_is(one, ENOENT))
                        break;
                if (succeeded(one))
                        text_add(t, bytes_take(blob_bytes(line), len));
                else if (!err_is(one, ENAMETOOLONG))    /* such a place has no line */
                        err = one;
                *at = c.n;
        }
        mount_drop(c.at);
        path_drop(&root);
        mnt_ns_drop(ns);
        blob_drop(line);
        return err;
}

static err_t show_mounts(struct text *t, const struct subject *s, u64 *at) { return show_mounts_as(t, s, at, MOUNTS_LINE); }
static err_t show_mountinfo(struct text *t, const struct subject *s, u64 *at) { return show_mounts_as(t, s, at, MOUNTINFO_LINE); }
static err_t show_mountstats(struct text *t, const struct subject *s, u64 *at) { return show_mounts_as(t, s, at, MOUNTSTATS_LINE); }

/* ---- settings ---- */

static err_t show_comm(struct text *t, const struct subject *s)
{
        struct facts f = {};
        gather(&f, s);
        SAY(t, "{}\n", padded(BYTES_OF(f.comm)));
        return OK;
}

static err_t write_comm(bytes text, const struct subject *s)
{
        struct thread *t = subject_thread(s);
        if (!t)
                return ERR(ESRCH);
        if (t->process != thread_current()->process) {
                thread_drop(t);
                return ERR(EINVAL);
        }
        for (u32 i = 0; i < COMM_LEN; i++)
                t->comm[i] = i < COMM_LEN - 1 && i < bytes_len(text) ? bytes_at(text, i) : 0;
        thread_drop(t);
        return OK;
}

STABLE(limit_name) { u8 name[28]; u8 unit[12]; };
static const struct limit_name limit_names[RLIMITS] = {
        { "Max cpu time", "seconds" }, { "Max file size", "bytes" }, { "Max data size", "bytes" }, { "Max stack size", "bytes" },
        { "Max core file size", "bytes" }, { "Max resident set", "bytes" }, { "Max processes", "processes" },
        { "Max open files", "files" }, { "Max locked memory", "bytes" }, { "Max address space", "bytes" },
        { "Max file locks", "locks" }, { "Max pending signals", "signals" }, { "Max msgqueue size", "bytes" },
        { "Max nice priority", "" }, { "Max realtime priority", "" }, { "Max realtime timeout", "us" },
};

static void say_column(struct text *t, bytes b, usize width)
{
        text_add(t, b);
        for (usize n = bytes_len(b); n < width; n++)
                text_char(t, ' ');
}

static void say_limit(struct text *t, u64 v)
{
        u8 digits[24] = {};
        if (v == U64_MAX)
                say_column(t, STR("unlimited"), 21);
        else
                say_column(t, bytes_take(BYTES_OF(digits), format(MBYTES_OF(digits), "{}", v)), 21);
}

static err_t show_limits(struct text *t, const struct subject *s)
{
        text_add(t, STR("Limit                     Soft Limit           Hard Limit           Units     \n"));
        for (u32 i = 0; i < RLIMITS; i++) {
                struct rlimit limit;
                {
                        SPIN_GUARD(&s->process->lock);
                        limit = s->process->rlimit[i];
                }
                say_column(t, padded(BYTES_OF(limit_names[i].name)), 26);
                say_limit(t, limit.cur);
                say_limit(t, limit.max);
                say_column(t, padded(BYTES_OF(limit_names[i].unit)), 10);
                text_char(t, '\n');
        }
        return OK;
}

/* Another's slack is for who may set priorities. */
static err_t show_slack(struct text *t, const struct subject *s)
{
        if (s->process != thread_current()->process && !capable(CAP_SYS_NICE))
                return ERR(EPERM);
        struct thread *first = subject_thread(s);
        if (!first)
                return ERR(ESRCH);
        SAY(t, "{}\n", first->timer_slack);
        thread_drop(first);
        return OK;
}

static err_t write_slack(bytes text, const struct subject *s)
{
        u64 v = 0;

        if (!num_parse(text, 10, &v))
                return ERR(EINVAL);
        if (s->process != thread_current()->process && !capable(CAP_SYS_NICE))
                return ERR(EPERM);
        struct thread *first = subject_thread(s);
        if (!first)
                return ERR(ESRCH);
        first->timer_slack = v ? v : first->default_slack;
        thread_drop(first);
        return OK;
}

/* There are no disks: what was read and written of them is 0. */
static err_t show_io(struct text *t, const struct subject *s)
{
        struct io_counts n = s->thread ? s->thread->io : process_io(s->process);

        SAY(t, "rchar: {}\nwchar: {}\nsyscr: {}\nsyscw: {}\n", n.read, n.written, n.reads, n.writes);
        text_add(t, STR("read_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n"));
        return OK;
}

static err_t show_oom_adj(struct text *t, const struct subject *s)
{
        SAY(t, "{}\n", s->process->oom_score_adj);
        return OK;
}

/* Lower than a privileged one has set it only with privilege. */
static err_t set_oom_adj(struct process *p, i32 v)
{
        if (capable(CAP_SYS_RESOURCE))
                STORE(p->oom_score_adj_min, v);
        else if (v < p->oom_score_adj_min)
                return ERR(EACCES);
        STORE(p->oom_score_adj, v);
        return OK;
}

static err_t write_oom_adj(bytes text, const struct subject *s)
{
        i64 v = 0;
        if (!text_parse_i64(text, 0, &v) || v < OOM_SCORE_ADJ_MIN || v > OOM_SCORE_ADJ_MAX)
                return ERR(EINVAL);
        return set_oom_adj(s->process, (i32)v);
}

/* The scale of before 2.6.36: -17 to 15. */
static err_t show_old_oom_adj(struct text *t, const struct subject *s)
{
        i32 v = s->process->oom_score_adj;
        SAY(t, "{}\n", v == OOM_SCORE_ADJ_MAX ? OOM_ADJUST_MAX : v * -OOM_DISABLE / OOM_SCORE_ADJ_MAX);
        return OK;
}

static err_t write_old_oom_adj(bytes text, const struct subject *s)
{
        i64 v = 0;
        if (!text_parse_i64(text, 0, &v) || v < OOM_DISABLE || v > OOM_ADJUST_MAX)
                return ERR(EINVAL);
        return set_oom_adj(s->process, v == OOM_ADJUST_MAX ? OOM_SCORE_ADJ_MAX : (i32)v * OOM_SCORE_ADJ_MAX / -OOM_DISABLE);
}

/* Fault injection, for the calling thread alone: see task_fail_nth.  Reads as what is still to come, and task_failed_sites. */
static err_t show_fail_nth(struct text *t, const struct subject *s)
{
        u32 left = task_fail_nth(0);

        (void)s;
        SAY(t, "{} {}\n", left, task_failed_sites());
        task_fail_nth(left);
        return OK;
}

static err_t write_fail_nth(bytes text, const struct subject *s)
{
        u64 n = 0;

        if (!num_parse(text, 10, &n) || n > U32_MAX)
                return ERR(EINVAL);
        if (s->process != thread_current()->process)
                return ERR(EPERM);
        task_fail_nth((u32)n);
        return OK;
}

/* proc(5): the share of memory in thousandths and what oom_score_adj adds, from -1000 to 2000, shown as two thirds of 0 to 3000, as
 * Linux shows it; 0 for who is never killed. */
static err_t show_oom_score(struct text *t, const struct subject *s)
{
        struct vm *vm = subject_vm(s);
        u64 pages = 0, total = mem_stats().total;
        i64 adj = s->process->oom_score_adj;
        bool spared = !vm || adj == OOM_SCORE_ADJ_MIN;

        if (vm) {
                pages = vm_rss(vm);
                vm_drop(vm);
        }
        i64 score = spared ? 0 : (1000 + adj + (i64)(total ? pages * 1000 / total : 0)) * 2 / 3;
        SAY(t, "{}\n", score);
        return OK;
}

static err_t show_personality(struct text *t, const struct subject *s)
{
        struct thread *who = subject_thread(s);
        text_hex(t, who ? who->personality : 0, 8);
        text_char(t, '\n');
        thread_drop(who);
        return OK;
}

static err_t show_zero(struct text *t, const struct subject *s)  { (void)s; text_char(t, '0'); return OK; }
static err_t show_unset(struct text *t, const struct subject *s) { (void)s; text_add(t, STR("4294967295")); return OK; }
static err_t show_cgroup(struct text *t, const struct subject *s) { (void)s; text_add(t, STR("0::/\n")); return OK; }

static const struct proc_dir fd_dir = { .dynamic = DYN_FDS };
static const struct proc_dir fdinfo_dir = { .dynamic = DYN_FDINFO };
static const struct proc_dir task_dir = { .dynamic = DYN_THREADS };

/* The network namespace of a process, counted; NULL: none. */
static struct net_ns *net_of(const struct subject *s)
{
        struct thread *who = subject_thread(s);
        struct net_ns *net = NULL;

        if (!who)
                return NULL;
        {
                SPIN_GUARD(&who->process->lock);
                if (who->ns && who->ns->net)
                        net = net_ns_hold(who->ns->net);
        }
        thread_drop(who);
        return net;
}

/* Of sockets, by cookie: there is none with 0, which stands for the heading. */
static void begin_list(struct text *t, u64 *from, bytes heading)
{
        if (*from == 0)
                text_add(t, heading);
        *from = max_u64(*from, 1);
}

static bool more_of_list(const struct text *t) { return t->len < TEXT_PART_LONG && !(task_interrupts() & INTR_KILL); }

static err_t show_unix(struct text *t, const struct subject *s, u64 *from)
{
        struct net_ns *net = net_of(s);
        struct unix_sock *at = NULL;
        usize len = 0;
        u8 line[256] = {};

        begin_list(t, from, STR("Num       RefCount Protocol Flags    Type St Inode Path\n"));
        while (net && more_of_list(t) && unix_describe(net, &at, from, MBYTES_OF(line), &len)) {
                text_add(t, bytes_take(BYTES_OF(line), len));
                text_char(t, '\n');
        }
        unix_sock_drop(at);
        net_ns_drop(net);
        return OK;
}

static err_t show_netlink(struct text *t, const struct subject *s, u64 *from)
{
        struct net_ns *net = net_of(s);
        struct netlink_sock *at = NULL;
        usize len = 0;
        u8 line[256] = {};

        begin_list(t, from, STR("sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n"));
        while (net && more_of_list(t) && netlink_describe(net, &at, from, MBYTES_OF(line), &len)) {
                text_add(t, bytes_take(BYTES_OF(line), len));
                text_char(t, '\n');
        }
        netlink_sock_drop(at);
        net_ns_drop(net);
        return OK;
}

static const struct proc_dir net_dir = { .entry = {
        { .name = "netlink", .mode = 0444, .part = show_netlink },
        { .name = "unix", .mode = 0444, .part = show_unix },
} };

/* All ids are mapped to themselves in the first user namespace, and that cannot be changed. */
static err_t show_id_map(struct text *t, const struct subject *s)
{
        (void)s;
        text_add(t, STR("         0          0 4294967295\n"));
        return OK;
}

static err_t show_setgroups(struct text *t, const struct subject *s) { (void)s; text_add(t, STR("allow\n")); return OK; }

#define COMMON_ENTRIES \
        { .name = "auxv", .mode = 0400, .guarded = true, .of_memory = true, .life = LIFE_FILE, .show = show_auxv }, \
        { .name = "cgroup", .mode = 0444, .show = show_cgroup }, \
        { .name = "clear_refs", .mode = 0200, .write = proc_write_clear_refs }, \
        { .name = "cmdline", .mode = 0444, .life = LIFE_CALL, .part = show_cmdline }, \
        { .name = "comm", .mode = 0644, .show = show_comm, .write = write_comm }, \
        { .name = "cwd", .mode = 0777, .guarded = true, .follow = follow_cwd }, \
        { .name = "environ", .mode = 0400, .guarded = true, .of_memory = true, .life = LIFE_CALL, .part = show_environ }, \
        { .name = "exe", .mode = 0777, .guarded = true, .follow = follow_exe }, \
        { .name = "fail-nth", .mode = 0600, .guarded = true, .show = show_fail_nth, .write = write_fail_nth }, \
        { .name = "fd", .mode = 0500, .dir = &fd_dir }, \
        { .name = "fdinfo", .mode = 0555, .dir = &fdinfo_dir }, \
        { .name = "gid_map", .mode = 0644, .show = show_id_map }, \
        { .name = "io", .mode = 0400, .guarded = true, .show = show_io }, \
        { .name = "limits", .mode = 0444, .show = show_limits }, \
        { .name = "loginuid", .mode = 0644, .show = show_unset }, \
        { .name = "maps", .mode = 0444, .guarded = true, .of_memory = true, .part = proc_show_maps }, \
        { .name = "mem", .mode = 0600, .fops = &proc_mem_ops }, \
        { .name = "mountinfo", .mode = 0444, .part = show_mountinfo }, \
        { .name = "mounts", .mode = 0444, .part = show_mounts }, \
        { .name = "net", .mode = 0555, .dir = &net_dir }, \
        { .name = "ns", .mode = 0511, .dir = &proc_ns_dir }, \
        { .name = "oom_adj", .mode = 0644, .show = show_old_oom_adj, .write = write_old_oom_adj }, \
        { .name = "oom_score", .mode = 0444, .show = show_oom_score }, \
        { .name = "oom_score_adj", .mode = 0644, .show = show_oom_adj, .write = write_oom_adj }, \
        { .name = "pagemap", .mode = 0400, .fops = &proc_pagemap_ops }, \
        { .name = "personality", .mode = 0400, .guarded = true, .show = show_personality }, \
        { .name = "projid_map", .mode = 0644, .show = show_id_map }, \
        { .name = "root", .mode = 0777, .guarded = true, .follow = follow_root }, \
        { .name = "sessionid", .mode = 0444, .show = show_unset }, \
        { .name = "setgroups", .mode = 0644, .show = show_setgroups }, \
        { .name = "smaps", .mode = 0444, .guarded = true, .of_memory = true, .part = proc_show_smaps }, \
        { .name = "smaps_rollup", .mode = 0444, .guarded = true, .of_memory = true, .show = proc_show_rollup }, \
        { .name = "stat", .mode = 0444, .show = show_stat }, \
        { .name = "statm", .mode = 0444, .show = show_statm }, \
        { .name = "status", .mode = 0444, .show = show_status }, \
        { .name = "uid_map", .mode = 0644, .show = show_id_map }, \
        { .name = "wchan", .mode = 0444, .show = show_zero }

const struct proc_dir proc_process_dir = { .entry = {
        COMMON_ENTRIES,
        { .name = "coredump_filter", .mode = 0644, .show = show_dump_filter, .write = write_dump_filter },
        { .name = "mountstats", .mode = 0400, .guarded = true, .part = show_mountstats },
        { .name = "task", .mode = 0555, .dir = &task_dir },
        { .name = "timers", .mode = 0444, .part = show_timers },
        { .name = "timerslack_ns", .mode = 0666, .show = show_slack, .write = write_slack },
} };

const struct proc_dir proc_thread_dir = { .entry = { COMMON_ENTRIES } };
